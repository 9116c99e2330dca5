package engine

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// thoroughly checks a property on a thousand cases rather than a hundred, or on as
// many as -rapid.checks says.
func thoroughly(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		checks.Value.Set("1000")
		defer checks.Value.Set(checks.DefValue)
	}
	rapid.Check(t, property)
}

// dice is the chance of a property test.
type dice struct{ *rapid.T }

func (d dice) Number(low, high int, label string) int {
	return rapid.IntRange(low, high).Draw(d.T, label)
}
