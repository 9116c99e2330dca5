package protocols

import (
	"strings"
	"testing"
	"time"
)

// TestEveryStatisticHasItsWords keeps a row from being half written: a sheet that
// lacks a word still looks like a sentence.
func TestEveryStatisticHasItsWords(t *testing.T) {
	for _, row := range Statistics() {
		for what, text := range map[string]Text{"noun": row.Noun, "definite": row.Definite, "formula": row.Explained(), "aside": row.InBrackets()} {
			if strings.TrimSpace(text.FR) == "" || strings.TrimSpace(text.EN) == "" {
				t.Errorf("%s: its %s is not said in both languages", row.Name, what)
			}
		}
		if row.Range == nil {
			t.Errorf("%s: nothing says what it can come to", row.Name)
		}
		if row.Only != "" && MeasureByID(row.Only) == nil {
			t.Errorf("%s is about %q, which is no measure", row.Name, row.Only)
		}
	}
	if MissingPeriods.Row() != nil {
		t.Error("an absence is no statistic that a rule may ask for")
	}
}

// TestEveryStatisticIsComputedTwice holds both evaluations to the table: what is
// in it can be computed, and what is not is never taken for something else.
func TestEveryStatisticIsComputedTwice(t *testing.T) {
	when := at("2026-03-02T10:00:00+01:00")
	history := []*Reading{reading("glucose", when, 100), reading("glucose", when.Add(time.Hour), 120)}
	for _, row := range Statistics() {
		c := of("glucose", "value", row.Name, Window{Days: 3}, Above, 0)
		if row.Where != Never {
			c.Where = &Filter{Above: clearAt(50)}
		}
		if row.Event {
			c.Event = &EventShape{Lasting: time.Minute}
		}
		p := protocolOf(rule("règle", level(Orange, c)))
		p.Observations = []Observation{{Measure: c.Measure, Cadence: Cadence{Every: time.Hour}}}
		s := stateOf(t, p, enrolled())
		var found []Finding
		for _, r := range history {
			found = s.Add(r, r.Time, found)
		}
		want, err := Plain(p, enrolled(), history, when.Add(time.Hour))
		if err != nil {
			t.Fatalf("%s: %v", row.Name, err)
		}
		if len(found) != len(want) {
			t.Errorf("%s: %d findings step by step, %d the plain way", row.Name, len(found), len(want))
		}
	}
}

func TestAnUnknownStatisticIsTakenForNoOther(t *testing.T) {
	mode := Statistic("mode")
	for name, ask := range map[string]func(){
		"the engine": func() { compute(mode, &evidence{totals: totals{count: 1}}) },
		"the oracle": func() {
			r := reading("weight", at("2026-03-02T10:00:00+01:00"), 80)
			p := protocolOf(rule("poids", level(Orange, of("weight", "value", Last, Window{}, Above, 100))))
			run, err := newPlainRun(p, enrolled(), []*Reading{r})
			if err != nil {
				t.Fatal(err)
			}
			run.seen = 1
			run.viewAt(r.Time).statistic(of("weight", "value", mode, Window{Days: 1}, Above, 100))
		},
	} {
		func() {
			defer func() {
				if said := recover(); said == nil || !strings.Contains(said.(string), "mode") {
					t.Errorf("%s: %v, where it should name what it does not know", name, said)
				}
			}()
			ask()
		}()
	}
}

// TestTheLanguageAndThePlanAgreeOnDays: both refuse a statistic that does not sum
// up a day, and take one that does.
func TestTheLanguageAndThePlanAgreeOnDays(t *testing.T) {
	for _, row := range Statistics() {
		c := of("glucose", "value", row.Name, Window{}, Above, 1)
		c.Days = literal(2)
		if row.Where == Always {
			c.Where = &Filter{Above: clearAt(50)}
		}
		if row.Event {
			c.Event = &EventShape{Lasting: time.Minute}
		}
		p := protocolOf(rule("règle", level(Orange, c)))
		p.Observations = []Observation{{Measure: c.Measure, Cadence: Cadence{Every: time.Hour}}}
		_, err := NewPlan(p)
		r := &protocolReader{protocol: p}
		r.fits(place{node: &Node{Kind: Mapping}}, c)
		if (err == nil) != (len(r.problems) == 0) || (err == nil) != row.Daily {
			t.Errorf("%s of two days: the row says %t, the plan %v, the language %v", row.Name, row.Daily, err, r.problems)
		}
	}
}
