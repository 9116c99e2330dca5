package conformance

import (
	"fmt"
	"slices"
	"strings"

	"vigie/protocols"
)

// usual are the numbers of an example, by measure and component, where the middle of what
// an instrument can report would be none.
var usual = map[string]map[string]string{
	"blood-pressure":    {"systolic": "128", "diastolic": "76", "pulse": "68"},
	"heart-rate":        {"value": "72"},
	"oxygen-saturation": {"value": "97"},
	"glucose":           {"value": "112"},
	"weight":            {"value": "82.1"},
	"temperature":       {"value": "36.8"},
	"respiratory-rate":  {"value": "16"},
	"ventilation":       {"hours": "7.5", "leak": "12"},
	"oxygen-therapy":    {"hours": "15.5", "flow": "1.5"},
	"peak-flow":         {"value": "420"},
	"fev1":              {"value": "2.85"},
	"fvc":               {"value": "3.6"},
	"creatinine":        {"value": "88"},
	"potassium":         {"value": "4.2"},
	"insulin-dose":      {"value": "8"},
	"inr":               {"value": "2.4"},
	"ketones":           {"value": "0.3"},
	"steps":             {"value": "5200"},
}

// Example is a reading of a measure in our own format, as a device without a clock would
// send it just now.
func Example(m *protocols.Measure, id string) string {
	var numbers []string
	for i := range m.Components {
		if number := exampleOf(m, i); number != "" {
			numbers = append(numbers, fmt.Sprintf("%q:%s", m.Components[i].Name, number))
		}
	}
	text := fmt.Sprintf(`{"id":%q,"age":0,"measure":%q,"values":{%s},"unit":%q`, id, m.ID, strings.Join(numbers, ","), exampleUnit(m))
	if len(m.Variants) > 0 {
		text += fmt.Sprintf(`,"context":{"specimen":%q}`, m.Variants[0])
	}
	return text + "}"
}

// exampleOf is the number of a component; empty for one that the example leaves out.
func exampleOf(m *protocols.Measure, component int) string {
	if known := usual[m.ID]; known != nil {
		return known[m.Components[component].Name]
	}
	c := &m.Components[component]
	needed, _ := components(m)
	switch {
	case len(needed) > 0 && !slices.Contains(needed, c.Name), len(needed) == 0 && component > 0:
		return ""
	case c.Event:
		return "1"
	case len(c.Grades) > 0:
		return c.Low.String()
	}
	const whole = protocols.Value(1000)
	return (c.Low + (c.High-c.Low)/2/whole*whole).String()
}

// exampleUnit is the unit of the first component that has no unit of its own.
func exampleUnit(m *protocols.Measure) string {
	at := slices.IndexFunc(m.Components, func(c protocols.Component) bool { return !c.Own })
	return m.Components[max(at, 0)].Unit
}
