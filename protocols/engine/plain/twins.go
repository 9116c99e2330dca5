package plain

import (
	"slices"

	"vigie/protocols"
)

// twin says what readings before one tell of the same measurement.
type twin struct {
	again   bool     // some reading does: it counts for silence
	counted bool     // one that no flag keeps out does: it feeds the rules
	flags   []string // of those that feed the rules
}

// findTwins looks among the readings before each one.
func (run *run) findTwins() {
	run.twins = map[*protocols.Reading]twin{}
	for i, r := range run.readings {
		var t twin
		for _, earlier := range run.readings[:i] {
			if earlier.Alike(r) {
				t.again = true
				if !run.ignores(earlier) {
					t.counted, t.flags = true, append(t.flags, earlier.Flags...)
				}
			}
		}
		run.twins[r] = t
	}
}

// adds reports whether a reading that tells a measurement again carries the flag that a
// comparison looks at, and none before it did: that flag counts.
func (run *run) adds(c *protocols.Comparison, r *protocols.Reading) bool {
	return c.Flag != "" && !run.ignores(r) && slices.Contains(r.Flags, c.Flag) && !slices.Contains(run.twins[r].flags, c.Flag)
}

// silentAbout reports whether the value of a reading feeds no rule: a flag keeps it out, or it
// tells a measurement again.
func (run *run) silentAbout(r *protocols.Reading) bool {
	return run.ignores(r) || run.twins[r].counted
}

// received are the readings seen so far that count for silence.
func (run *run) received() []*protocols.Reading {
	var first []*protocols.Reading
	for _, r := range run.readings[:run.seen] {
		if !run.twins[r].again {
			first = append(first, r)
		}
	}
	return first
}
