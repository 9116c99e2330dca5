package trial

import "pgregory.net/rapid"

// dice is the chance of a property test.
type dice struct{ *rapid.T }

func (d dice) Number(low, high int, label string) int {
	return rapid.IntRange(low, high).Draw(d.T, label)
}
