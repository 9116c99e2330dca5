package protocols

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var paris = mustZone("Europe/Paris")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// v is a number in the canonical unit.
func v(f float64) Value { return exactly(f) }

func literal(f float64) Operand { return Operand{Value: v(f)} }

func clearAt(f float64) *Operand { o := literal(f); return &o }

// of begins a comparison over a measure's component.
func of(measure, component string, s Statistic, w Window, op Operator, threshold float64) *Comparison {
	m := MeasureByID(measure)
	return &Comparison{Measure: m, Component: m.Component(component), Statistic: s, Window: w, MinusComponent: -1, Operator: op, Threshold: literal(threshold)}
}

func level(l Level, c *Comparison) RuleLevel { return RuleLevel{Level: l, When: Condition{Compare: c}} }

func rule(id string, levels ...RuleLevel) Rule {
	return Rule{ID: id, Title: Text{FR: "Règle " + id, EN: "Rule " + id}, Levels: levels}
}

func protocolOf(rules ...Rule) *Protocol {
	return &Protocol{ID: "essai", Version: "1", Rules: rules}
}

func enrolled() Enrolment {
	return Enrolment{ID: "e1", Patient: "p1", Zone: paris, From: at("2026-01-01T00:00:00+01:00")}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func stateOf(t testing.TB, p *Protocol, e Enrolment) *State {
	t.Helper()
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.For(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var readingNumber int

// reading is one of a measure with a single component.
func reading(measure string, when time.Time, value float64) *Reading {
	readingNumber++
	m := MeasureByID(measure)
	values := make([]Value, len(m.Components))
	for i := range values {
		values[i] = Missing
	}
	values[0] = v(value)
	return &Reading{ID: fmt.Sprintf("r%06d", readingNumber), Device: "d1", Patient: "p1", Time: when.UTC(), Measure: m, Values: values, Battery: -1}
}

// told writes findings as lines: "raised yellow 07:00".
func told(findings []Finding, zone *time.Location) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", f.Rule, f.Kind, f.Level, f.At.In(zone).Format("02/01 15:04")))
	}
	return strings.Join(lines, "\n")
}

func expectTold(t *testing.T, findings []Finding, want ...string) {
	t.Helper()
	if got := told(findings, paris); got != strings.Join(want, "\n") {
		t.Errorf("found:\n%s\nexpected:\n%s", got, strings.Join(want, "\n"))
	}
}
