package language

import (
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/engine"
)

// TestTheLanguageAndThePlanAgreeOnDays: both refuse a statistic that does not sum
// up a day, and take one that does.
func TestTheLanguageAndThePlanAgreeOnDays(t *testing.T) {
	for _, row := range protocols.Statistics() {
		c := of("glucose", "value", row.Name, protocols.Window{}, protocols.Above, 1)
		c.Days = literal(2)
		if row.Where == protocols.Always {
			c.Where = &protocols.Filter{Above: clearAt(50)}
		}
		if row.Event {
			c.Event = &protocols.EventShape{Lasting: time.Minute}
		}
		p := protocolOf(rule("règle", level(protocols.Orange, c)))
		p.Observations = []protocols.Observation{{Measure: c.Measure, Cadence: protocols.Cadence{Every: time.Hour}}}
		if row.Doubts {
			continue // it is about a weight alone
		}
		_, err := engine.NewPlan(p)
		r := &protocolReader{protocol: p}
		r.fits(document.Place{Node: &document.Node{Kind: document.Mapping}}, c)
		if (err == nil) != (len(r.Problems) == 0) || (err == nil) != row.Daily {
			t.Errorf("%s of two days: the row says %t, the plan %v, the language %v", row.Name, row.Daily, err, r.Problems)
		}
	}
}
