package engine

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// thoroughly checks a property on a thousand cases rather than a hundred, or on as
// many as -rapid.checks says. They are the same each time, unless -rapid.seed says
// otherwise.
func thoroughly(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	sameCases(t)
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

// sameCases has a property test draw the same cases each time, unless -rapid.seed says
// otherwise.
func sameCases(t *testing.T) {
	t.Helper()
	seed := flag.Lookup("rapid.seed")
	if seed.Value.String() != seed.DefValue {
		return
	}
	if err := seed.Value.Set("7"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seed.Value.Set(seed.DefValue) })
}
