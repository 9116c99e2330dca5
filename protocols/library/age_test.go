package library_test

import (
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// No rule of the library combines the latest readings of two measures without saying how
// old each may be: a dizziness of last week and a pressure of today are no alert of today.
// Where it is more than a day, the protocol says so in words of its own.
func TestNoRuleCombinesOldValuesUnsaid(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	combined := 0
	for id, p := range shipped {
		for i := range p.Rules {
			rule := &p.Rules[i]
			for j := range rule.Levels {
				combinations(&rule.Levels[j].When, func(c *protocols.Comparison) {
					combined++
					if latest := c.Statistic == protocols.Last && !c.Daily(); latest && c.Window.Days == 0 && (c.Window.Length == 0 || c.Window.Length > 7*24*time.Hour) {
						t.Errorf("%s, %s: the latest %s counts for a week or more beside another measure, unsaid", id, rule.ID, c.Measure.ID)
					}
				})
			}
		}
	}
	if combined < 20 {
		t.Errorf("only %d comparisons stand beside another measure", combined)
	}
}

// combinations calls visit for each comparison that is true only together with one of
// another measure.
func combinations(c *protocols.Condition, visit func(*protocols.Comparison)) {
	for i := range c.Any {
		combinations(&c.Any[i], visit)
	}
	if c.Not != nil {
		combinations(c.Not, visit)
	}
	measures := map[*protocols.Measure]bool{}
	c.Comparisons(func(c *protocols.Comparison) { measures[c.Measure] = true })
	if (c.All != nil || c.Of != nil || c.Score != nil) && len(measures) > 1 {
		c.Comparisons(visit)
	}
}
