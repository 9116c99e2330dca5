// Package protocoltest helps tests: short ways to write rules, readings and moments,
// a small protocol, and random protocols, patients and histories that have ties,
// gaps and thresholds met exactly. No program uses it.
package protocoltest

import (
	"fmt"
	"time"

	"vigie/protocols"
)

// Paris is where the patients of tests live.
var Paris = Zone("Europe/Paris")

// Zone is a time zone that must exist.
func Zone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// Number is a number in the canonical unit.
func Number(f float64) protocols.Value {
	v, ok := protocols.Of(f)
	if !ok {
		panic("protocoltest: no measure reaches that number")
	}
	return v
}

// Literal is a number as an operand.
func Literal(f float64) protocols.Operand { return protocols.Operand{Value: Number(f)} }

// Limit is Literal where an operand may be absent.
func Limit(f float64) *protocols.Operand { o := Literal(f); return &o }

// Compare begins a comparison over a measure's component.
func Compare(measure, component string, s protocols.Statistic, w protocols.Window, op protocols.Operator, threshold float64) *protocols.Comparison {
	m := protocols.MeasureByID(measure)
	return &protocols.Comparison{Measure: m, Component: m.Component(component), Statistic: s, Window: w, MinusComponent: -1, PerComponent: -1, Operator: op, Threshold: Literal(threshold)}
}

// Level is a level with one comparison.
func Level(l protocols.Level, c *protocols.Comparison) protocols.RuleLevel {
	return protocols.RuleLevel{Level: l, When: protocols.Condition{Compare: c}}
}

// Rule is a rule with some levels.
func Rule(id string, levels ...protocols.RuleLevel) protocols.Rule {
	return protocols.Rule{ID: id, Title: protocols.Text{FR: "Règle " + id, EN: "Rule " + id}, Levels: levels}
}

// Protocol is a protocol with some rules.
func Protocol(rules ...protocols.Rule) *protocols.Protocol {
	return &protocols.Protocol{ID: "essai", Version: "1", Rules: rules}
}

// Enrolment is a patient in Paris since the beginning of 2026.
func Enrolment() protocols.Enrolment {
	return protocols.Enrolment{ID: "e1", Patient: "p1", Zone: Paris, From: Time("2026-01-01T00:00:00+01:00")}
}

// Time reads a moment: "2026-03-02T10:00:00+01:00".
func Time(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

var readingNumber int

// Reading is one of a measure with a single component.
func Reading(measure string, when time.Time, value float64) *protocols.Reading {
	readingNumber++
	m := protocols.MeasureByID(measure)
	values := make([]protocols.Value, len(m.Components))
	for i := range values {
		values[i] = protocols.Missing
	}
	values[0] = Number(value)
	return &protocols.Reading{ID: fmt.Sprintf("r%06d", readingNumber), Device: "d1", Patient: "p1", Time: when.UTC(), Measure: m, Values: values, Battery: -1}
}

// Clock is a time of the day in Paris.
func Clock(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, Paris)
	if err != nil {
		panic(err)
	}
	return t
}

// Silence expects a weight every day before 10:00, with two hours of grace, and
// is orange from the first missing day, red from the third.
func Silence() protocols.Rule {
	return protocols.Rule{ID: "silence", Title: protocols.Text{FR: "Pas de poids"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("weight"),
		Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay, Before: 10 * time.Hour, Grace: 2 * time.Hour},
		Missing: []protocols.MissingLevel{{Level: protocols.Orange, Periods: Literal(1)}, {Level: protocols.Red, Periods: Literal(3)}},
	}}
}

// FollowedFrom is an enrolment from a moment on.
func FollowedFrom(when string) protocols.Enrolment {
	e := Enrolment()
	e.From = Time(when)
	return e
}
