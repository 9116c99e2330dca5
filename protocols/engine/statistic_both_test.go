package engine

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// TestEveryStatisticIsComputedTwice holds both evaluations to the table: what is
// in it can be computed, and what is not is never taken for something else.
func TestEveryStatisticIsComputedTwice(t *testing.T) {
	when := at("2026-03-02T10:00:00+01:00")
	history := []*protocols.Reading{reading("glucose", when, 100), reading("glucose", when.Add(time.Hour), 120)}
	for _, row := range protocols.Statistics() {
		c := of("glucose", "value", row.Name, protocols.Window{Days: 3}, protocols.Above, 0)
		if row.Doubts {
			continue // TestAGrossErrorOfAWeightIsDoubted
		}
		if row.Where != protocols.Never {
			c.Where = &protocols.Filter{Above: clearAt(50)}
		}
		if row.Event {
			c.Event = &protocols.EventShape{Lasting: time.Minute}
		}
		p := protocolOf(rule("règle", level(protocols.Orange, c)))
		p.Observations = []protocols.Observation{{Measure: c.Measure, Cadence: protocols.Cadence{Every: time.Hour}}}
		s := stateOf(t, p, enrolled())
		var found []protocols.Finding
		for _, r := range history {
			found = s.Add(r, r.Time, found)
		}
		want := plain.Evaluate(p, enrolled(), history, when.Add(time.Hour))
		if len(found) != len(want) {
			t.Errorf("%s: %d findings step by step, %d the plain way", row.Name, len(found), len(want))
		}
	}
}

func TestAnUnknownStatisticIsTakenForNoOther(t *testing.T) {
	mode := protocols.Statistic("mode")
	defer func() {
		if said := recover(); said == nil || !strings.Contains(said.(string), "mode") {
			t.Errorf("the oracle: %v, where it should name what it does not know", said)
		}
	}()
	r := reading("weight", at("2026-03-02T10:00:00+01:00"), 80)
	plain.Evaluate(protocolOf(rule("poids", level(protocols.Orange, of("weight", "value", mode, protocols.Window{Days: 1}, protocols.Above, 100)))), enrolled(), []*protocols.Reading{r}, r.Time)
}
