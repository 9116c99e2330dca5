package ingest_test

import (
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// editions is a library with a second version of the heart-failure protocol,
// whose rules are as many, but other ones in another order.
func editions(id, version string) *protocols.Protocol {
	if id+"@"+version != "heart-failure@2" {
		return find(id, version)
	}
	p := find(id, "1")
	p.Version = version
	above := func(id string, limit protocols.Value) protocols.Rule {
		return protocols.Rule{ID: id, Levels: []protocols.RuleLevel{{Level: protocols.Orange, When: protocols.Condition{Compare: &protocols.Comparison{
			Measure: protocols.MeasureByID("weight"), Statistic: protocols.Last, MinusComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Value: limit},
		}}}}}
	}
	p.Rules = []protocols.Rule{above("very-heavy", 110_000), above("heavy", 100_000)}
	return p
}

func withEditions(c *ingest.Config) { c.Plans = ingest.Plans(editions) }

func TestAVersionDoesNotInheritWhereTheRulesOfAnotherStood(t *testing.T) {
	s := begin(t, withEditions)
	s.send("scale-1", weight("a", start, 105))
	expect(t, "found under version 1", s.found(), []string{"raised weight-high"})
	reg := cohort()
	reg.Enrolments[0].Version = "2"
	s.enter(reg)
	s.move(time.Minute)
	s.send("scale-1", weight("b", s.clock(), 120))
	expect(t, "found", s.found(), []string{"raised weight-high", "raised very-heavy", "raised heavy"})
}

func TestReadingsOfADeviceThatWentToAnotherPatientStillCount(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	reg.Enrolments[0].Devices = []string{"spare-1"}
	other := reg.Enrolments[0]
	other.ID, other.Patient, other.Devices = "e9", "p4", []string{"scale-1"}
	reg.Enrolments = append(reg.Enrolments, other)
	s.enter(reg)
	s.restart()
	s.send("spare-1", weight("b", start, 84.5))
	expect(t, "found: 2.5 kg in two days, over two scales", s.found(), []string{"raised weight-gain"})
}
