package danger

import (
	"time"

	"vigie/protocols"
)

// besideDanger are the numbers that a reading beyond a line holds as well, by measure.
var besideDanger = map[string]map[string]protocols.Value{
	"blood-pressure":   {"systolic": 130_000, "diastolic": 60_000},
	"dialysis-session": {"weight-start": 72_000, "dry-weight": perWeight, "weight-end": 70_000},
}

// perWeight is the weight for which a line per kilogram is tried.
const perWeight protocols.Value = 70_000

// component is the one that the line is about, by its place.
func (l *Line) component() int {
	return max(0, protocols.MeasureByID(l.Measure).Component(l.Component))
}

// First is the first value that lies beyond the line, as a device would show it; for a line
// per kilogram, that of somebody who weighs 70 kg.
func (l *Line) First() protocols.Value {
	step := protocols.Value(1000)
	for range protocols.MeasureByID(l.Measure).Components[l.component()].Decimals {
		step /= 10
	}
	value := l.Value
	if l.Per != "" {
		value = value * perWeight / 1000
	}
	switch l.Operator {
	case protocols.Above:
		return value + step
	case protocols.Below:
		return value - step
	}
	return value
}

// Farthest is the gravest value that an instrument can report.
func (l *Line) Farthest() protocols.Value {
	c := &protocols.MeasureByID(l.Measure).Components[l.component()]
	if l.Upward() {
		return c.High
	}
	return c.Low
}

// Reading is a measurement of a value of what the line is about, with the numbers that no
// such reading is without.
func (l *Line) Reading(value protocols.Value, variant uint8, at time.Time) protocols.Reading {
	m := protocols.MeasureByID(l.Measure)
	r := protocols.Reading{ID: l.Name, Device: m.ID, Time: at.UTC(), Measure: m, Variant: variant, Values: make([]protocols.Value, len(m.Components)), Battery: -1}
	for i := range m.Components {
		r.Values[i] = protocols.Missing
		if beside, ok := besideDanger[m.ID][m.Components[i].Name]; ok {
			r.Values[i] = beside
		}
	}
	r.Values[l.component()] = value
	return r
}
