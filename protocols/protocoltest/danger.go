package protocoltest

import (
	"cmp"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
)

// ReadingBeyond is a reading of the first value beyond a line of the table of danger, as a
// test or a story writes it: "variant: capillary, value: 53".
func ReadingBeyond(l *danger.Line) string {
	r := l.Reading(l.First(), 0, time.Time{})
	if l.Component == "" {
		value := "value: " + l.First().String()
		if len(r.Measure.Variants) > 0 {
			value = "variant: " + cmp.Or(l.Variant, r.Measure.Variants[0]) + ", " + value
		}
		return value
	}
	var list []string
	for i, value := range r.Values {
		if value != protocols.Missing {
			list = append(list, r.Measure.Components[i].Name+": "+value.String())
		}
	}
	return "values: {" + strings.Join(list, ", ") + "}"
}
