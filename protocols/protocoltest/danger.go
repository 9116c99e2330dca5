package protocoltest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"vigie/protocols"
)

// besideDanger are the numbers that a reading must hold as well, by measure.
var besideDanger = map[string]map[string]string{
	"blood-pressure":   {"systolic": "130", "diastolic": "60"},
	"dialysis-session": {"weight-start": "72", "dry-weight": "70", "weight-end": "70"},
}

// Beyond is the first value that lies beyond a line of the table of danger, as a device
// would show it.
func Beyond(l *protocols.Line) protocols.Value {
	m := protocols.MeasureByID(l.Measure)
	component := &m.Components[max(0, m.Component(l.Component))]
	step := protocols.Value(1000)
	for range component.Decimals {
		step /= 10
	}
	value := l.Value
	if l.Per != "" { // for 70 kg
		value *= 70
	}
	switch l.Operator {
	case protocols.Above:
		return value + step
	case protocols.Below:
		return value - step
	}
	return value
}

// ReadingBeyond is a reading with that value, as a test or a story writes it:
// "variant: capillary, value: 53".
func ReadingBeyond(l *protocols.Line) string {
	value := Beyond(l).String()
	if l.Component == "" {
		if m := protocols.MeasureByID(l.Measure); len(m.Variants) > 0 {
			return "variant: " + cmp.Or(l.Variant, m.Variants[0]) + ", value: " + value
		}
		return "value: " + value
	}
	values := map[string]string{l.Component: value}
	for name, value := range besideDanger[l.Measure] {
		if _, ok := values[name]; !ok {
			values[name] = value
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, name+": "+values[name])
	}
	return "values: {" + strings.Join(list, ", ") + "}"
}
