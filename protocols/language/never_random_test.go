package language_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/engine/plain"
	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
	"vigie/protocols/review"
)

// What Check says can never be so, or always is, is held against readings that
// instruments can report, the lowest and the highest of them first.
func TestWhatIsNeverOrAlwaysTrueIsSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, doc, _ := language.DrawWritten(t)
		if p == nil {
			return
		}
		history := protocoltest.DrawHistory(language.Dice(t), protocoltest.RandomMeasures, protocoltest.Paris, protocoltest.Time("2026-03-27T00:00:00+01:00"), 30)
		for _, r := range history {
			for i := range r.Values {
				c := &r.Measure.Components[i]
				if r.Values[i] != protocols.Missing {
					r.Values[i] = c.Low + (c.High-c.Low)*(r.Values[i]/1000)/10
				}
			}
		}
		e := protocoltest.Enrolment()
		for _, problem := range review.Check(doc) {
			if problem.Code != "never-true" && problem.Code != "always-true" || problem.Severity != document.Error {
				continue
			}
			condition := conditionAt(p, problem.Path)
			if condition == nil {
				continue
			}
			for seen := 1; seen <= len(history); seen++ {
				got := plain.Look(p, &e, history[:seen], &p.Rules[0], history[seen-1].Time).Enters(condition)
				if problem.Code == "never-true" && got == protocols.True || problem.Code == "always-true" && got == protocols.False && condition.Compare != nil && !condition.Compare.Slow() {
					t.Fatalf("%s at %s: %s, and it is %v: %+v", problem.Code, problem.Path, problem.Message, got, condition.Compare)
				}
			}
		}
	})
}

// conditionAt is the condition that a path such as rules[0].levels[1].when.all[0].above
// lies in: the comparison, or for a part of a combination, the combination.
func conditionAt(p *protocols.Protocol, path string) *protocols.Condition {
	var rule, level int
	if _, err := fmt.Sscanf(path, "rules[%d].levels[%d].when", &rule, &level); err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(path, ".when")
	c := &p.Rules[rule].Levels[level].When
	parent := c
	for _, key := range strings.Split(strings.TrimPrefix(rest, "."), ".") {
		var i int
		switch {
		case key == "not":
			parent, c = c, c.Not
		case strings.HasPrefix(key, "all["):
			fmt.Sscanf(key, "all[%d]", &i)
			parent, c = c, &c.All[i]
		case strings.HasPrefix(key, "any["):
			fmt.Sscanf(key, "any[%d]", &i)
			parent, c = c, &c.Any[i]
		case strings.HasPrefix(key, "of["):
			fmt.Sscanf(key, "of[%d]", &i)
			parent, c = c, &c.Of[i]
		case strings.HasPrefix(key, "score["):
			fmt.Sscanf(key, "score[%d]", &i)
			parent, c = c, &c.Score.Parts[i].When
		case key == "when": // of a part of a score
		case key == "where":
			return nil
		case key != "":
			return c // of the comparison itself
		}
	}
	return parent
}
