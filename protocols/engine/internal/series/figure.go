package series

import (
	"math"
	"math/bits"

	"vigie/protocols"
)

// Figure is a statistic as it came out: an exact fraction in thousandths of
// its unit. The zero figure is "not enough data".
type Figure struct{ numerator, denominator int64 }

// whole is one number as it was read.
func whole(v protocols.Value) Figure { return Figure{int64(v), 1} }

// Counted is a number of things.
func Counted(n int64) Figure { return Figure{1000 * n, 1} }

// Known reports whether there is enough data.
func (f Figure) Known() bool { return f.denominator > 0 }

// Value is f rounded to the thousandth, for people to read; Missing when there
// is not enough data. Comparisons use the fraction itself.
func (f Figure) Value() protocols.Value {
	if !f.Known() {
		return protocols.Missing
	}
	return protocols.Value(protocols.RoundedRatio(f.numerator, f.denominator))
}

// Compare tells on which side of v the figure is: −1, 0 or +1.
func (f Figure) Compare(v protocols.Value) int {
	limit := int64(v) * f.denominator
	switch {
	case f.numerator < limit:
		return -1
	case f.numerator > limit:
		return 1
	}
	return 0
}

// minus subtracts; what is not known stays so.
func (f Figure) minus(other Figure) Figure {
	if !f.Known() || !other.Known() {
		return Figure{}
	}
	if f.denominator == other.denominator {
		return Figure{f.numerator - other.numerator, f.denominator}
	}
	return Figure{f.numerator*other.denominator - other.numerator*f.denominator, f.denominator * other.denominator}
}

// evidence is what a window holds at one moment, ready for any statistic. A
// statistic looks at its own part; the others may not be filled in.
type evidence struct {
	totals
	matched  int64           // readings that satisfy Where
	streak   int64           // of them, the latest in a row
	events   int64           // that began in the window and have lasted enough
	previous protocols.Value // the reading before the last one; Missing when outside the window
	middle   Figure          // the median
	days     daySums         // over the daily means
	span     int64           // length of the window, in microseconds
	every    int64           // microseconds from one expected reading to the next
}

// daySums are the sums of a least-squares line through daily means.
type daySums struct{ n, x, y, xx, xy int64 }

func (s *daySums) add(x, y int64) {
	s.n++
	s.x, s.y, s.xx, s.xy = s.x+x, s.y+y, s.xx+x*x, s.xy+x*y
}

// compute computes a statistic. A window without any reading says nothing, except
// about wear and days covered.
func compute(s protocols.Statistic, e *evidence) Figure {
	if e.count == 0 && s != protocols.Wear && s != protocols.DaysCovered {
		return Figure{}
	}
	switch s {
	case protocols.Last, protocols.Improbable: // whose series holds how far readings are from the usual
		return whole(e.last)
	case protocols.Mean:
		return Figure{e.sum, e.count}
	case protocols.Median:
		return e.middle
	case protocols.Min:
		return whole(e.low)
	case protocols.Max:
		return whole(e.high)
	case protocols.Sum:
		return Figure{e.sum, 1}
	case protocols.Count:
		return Counted(e.matched)
	case protocols.Share:
		return Figure{100_000 * e.matched, e.count}
	case protocols.Streak:
		return Counted(e.streak)
	case protocols.Events:
		return Counted(e.events)
	case protocols.Change:
		return whole(e.last - e.first)
	case protocols.Step:
		return stepOf(e)
	case protocols.Rise:
		return whole(e.last - e.low)
	case protocols.Fall:
		return whole(e.high - e.last)
	case protocols.RisePercent:
		return percentOf(e.last-e.low, e.low)
	case protocols.FallPercent:
		return percentOf(e.high-e.last, e.high)
	case protocols.Slope:
		return slope(&e.days)
	case protocols.CV:
		return variation(&e.totals)
	case protocols.GMI:
		return glucoseIndicator(e)
	case protocols.Wear:
		return wear(e)
	case protocols.DaysCovered:
		return Counted(e.days.n)
	}
	panic("protocols: nothing computes the statistic " + string(s))
}

// follows is a set of what a gauge follows for some statistics, beside the count,
// the sum, the first and the latest reading.
type follows uint8

const (
	squares follows = 1 << iota // of the values
	lowest
	highest
	middle // all values in order
	events
)

// has reports whether any of these is followed.
func (f follows) has(any follows) bool { return f&any != 0 }

// upkeep is what a gauge does for a statistic.
type upkeep struct {
	latest  int // without a window: how many of the latest readings it looks at; 0 for all that are fresh
	follows follows
}

// upkeeps lists the statistics that take more than every window keeps.
var upkeeps = map[protocols.Statistic]upkeep{
	protocols.Last: {latest: 1}, protocols.Improbable: {latest: 1}, protocols.Step: {latest: 2}, protocols.Median: {follows: middle}, protocols.Min: {follows: lowest}, protocols.Rise: {follows: lowest},
	protocols.RisePercent: {follows: lowest}, protocols.FallPercent: {follows: highest},
	protocols.Max: {follows: highest}, protocols.Fall: {follows: highest}, protocols.CV: {follows: squares}, protocols.Events: {follows: events},
}

// glucoseIndicator is 3.31 + 0.02392 × mean glucose in mg/dL (Bergenstal 2018).
func glucoseIndicator(e *evidence) Figure {
	return Figure{331_000_000*e.count + 2392*e.sum, 100_000 * e.count}
}

func stepOf(e *evidence) Figure {
	if e.previous == protocols.Missing {
		return Figure{}
	}
	return whole(e.last - e.previous)
}

// percentOf is a difference in per cent of where it began, which must lie above zero.
func percentOf(difference, of protocols.Value) Figure {
	if of <= 0 {
		return Figure{}
	}
	return Figure{100_000 * int64(difference), int64(of)}
}

// slope needs two days.
func slope(s *daySums) Figure {
	if s.n < 2 {
		return Figure{}
	}
	return Figure{s.n*s.xy - s.x*s.y, s.n*s.xx - s.x*s.x}
}

// wear never says more than 100 %: some sensors send more often than they need.
func wear(e *evidence) Figure {
	span := max(e.span, e.every)
	return Figure{100_000 * min(e.count*e.every, span), span}
}

// variation is the sample standard deviation as a share of the mean, rounded to
// the thousandth of a per cent before anything is compared with it. It needs
// two readings and a mean above zero.
func variation(t *totals) Figure {
	if t.count < 2 || t.sum <= 0 {
		return Figure{}
	}
	// With n readings of sum S and sum of squares Q, the variance is
	// (nQ − S²) / n(n−1) and the mean S/n.
	spread := t.squares.times(t.count)
	high, low := bits.Mul64(uint64(t.sum), uint64(t.sum))
	spread.subtract(wide{high, low})
	near := 1e5 * math.Sqrt(spread.float()*float64(t.count)/(wide{high, low}.float()*float64(t.count-1)))
	if root := math.Round(near); math.Abs(near-root) < 0.5-nearly*max(near, 1) {
		return Figure{int64(root), 1}
	}
	top := hugeOf(spread).times(1e10).times(uint64(t.count))
	bottom := hugeOf(wide{high, low}).times(uint64(t.count - 1))
	return Figure{roundedRoot(top, bottom), 1}
}

// nearly is more, as a share, than a dozen operations in floating point are wrong by:
// some 10⁻¹⁵. What lies as near to a half is left to whole numbers.
const nearly = 1e-12

// roundedRoot is the square root of a fraction, rounded to the nearest whole
// number, halves up. Floating point finds it to within one; whole numbers
// decide.
func roundedRoot(top, bottom huge) int64 {
	root := uint64(math.Round(math.Sqrt(top.float() / bottom.float())))
	top = top.times(4)
	if root > 0 && top.less(bottom.times(2*root-1).times(2*root-1)) {
		root--
	} else if next := bottom.times(2*root + 1).times(2*root + 1); !top.less(next) {
		root++
	}
	return int64(root)
}

// huge is an unsigned number of 256 bits, lowest first.
type huge [4]uint64

func hugeOf(w wide) huge { return huge{w.low, w.high} }

func (h huge) times(n uint64) huge {
	var carry uint64
	for i, limb := range h {
		high, low := bits.Mul64(limb, n)
		var c uint64
		h[i], c = bits.Add64(low, carry, 0)
		carry = high + c
	}
	return h
}

func (h huge) less(other huge) bool {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i] != other[i] {
			return h[i] < other[i]
		}
	}
	return false
}

func (h huge) float() float64 {
	f := 0.0
	for i := len(h) - 1; i >= 0; i-- {
		f = f*(1<<64) + float64(h[i])
	}
	return f
}
