package library_test

import (
	"slices"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// TestABloodCountRingsThoughItComesLate: a laboratory's result of yesterday is as grave
// today. A rule about one tells of an event, which calls a team though the reading is older
// than too_late.
func TestABloodCountRingsThoughItComesLate(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for id, p := range shipped {
		for i := range p.Rules {
			rule := &p.Rules[i]
			if !onlyOf(rule, "neutrophils", "platelets") {
				continue
			}
			tried++
			if !rule.Event {
				t.Errorf("%s: %s is no event: a result that comes after %s calls nobody", id, rule.ID, p.TooLate)
			}
		}
	}
	if tried == 0 {
		t.Error("no rule about a blood count: nothing was tried")
	}
}

// onlyOf reports whether every comparison of a rule's levels looks at one of the measures.
func onlyOf(rule *protocols.Rule, measures ...string) bool {
	all := len(rule.Levels) > 0
	for i := range rule.Levels {
		rule.Levels[i].When.Comparisons(func(c *protocols.Comparison) {
			all = all && slices.Contains(measures, c.Measure.ID)
		})
	}
	return all
}
