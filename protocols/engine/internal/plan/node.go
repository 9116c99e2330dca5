package plan

// Node is a condition ready to be evaluated.
type Node struct {
	Kind Kind
	Leaf int // of a comparison, in Plan.Leaves; of a score, in Plan.Scores
	// Gauge is that of a comparison which remembers nothing, in Plan.Gauges; −1 for any other.
	Gauge int
	Kids  []Node
	Many  int // with Of: how many of them it takes
}

// Kind is how a condition is put together.
type Kind uint8

// The kinds of conditions.
const (
	Compare Kind = iota // one comparison
	All
	Any
	Not
	Of    // at least so many of them
	Score // points of those that are true
)

// MaxLevels is how many levels a rule can have: technical, yellow, orange, red.
const MaxLevels = 4

// Bits is how many series have a bit of their own.
const Bits = 64

// BitOf is the bit of a series in a set of up to Bits; beyond that some share one, so that
// a set that has no bit in common with another has no series in common with it.
func BitOf(series int) uint64 { return 1 << (series % Bits) }
