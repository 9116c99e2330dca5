package replay

import (
	"slices"

	"vigie/protocols"
)

// DaysOnly is what a protocol does not see of readings of which only the day is known: they
// feed windows of civil days alone.
type DaysOnly struct {
	Readings int      `json:"readings"`
	Rules    []string `json:"rules"` // that do not see them, or not by all of their conditions
}

// DaysOnlyIn looks at the readings of a span; nil where each has its hour.
func DaysOnlyIn(p *protocols.Protocol, readings []*protocols.Reading, span Span) *DaysOnly {
	found := DaysOnly{Rules: []string{}}
	measures := map[*protocols.Measure]bool{}
	for _, r := range readings {
		if r.DayOnly && span.Holds(r.Time) {
			found.Readings++
			measures[r.Measure] = true
		}
	}
	if found.Readings == 0 {
		return nil
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		rule.Comparisons(func(c *protocols.Comparison) {
			blind := c.Window.Days == 0 && !c.Daily() || c.Hours != protocols.Hours{}
			if blind && measures[c.Measure] && !slices.Contains(found.Rules, rule.ID) {
				found.Rules = append(found.Rules, rule.ID)
			}
		})
	}
	return &found
}
