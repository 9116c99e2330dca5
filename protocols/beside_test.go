package protocols_test

import (
	"testing"
	"time"

	"vigie/protocols"
)

// An explanation names what was subtracted so that nobody has to guess which number of
// the other measure it was.
func TestAnExplanationNamesTheOtherNumber(t *testing.T) {
	pulse, glucose, pressure := protocols.MeasureByID("heart-rate"), protocols.MeasureByID("glucose"), protocols.MeasureByID("blood-pressure")
	for want, c := range map[string]protocols.Comparison{
		"blood-pressure.pulse": {Measure: pulse, Beside: &protocols.Beside{Measure: pressure, Component: pressure.Component("pulse"), Within: 15 * time.Minute}},
		"glucose/capillary":    {Measure: glucose, Beside: &protocols.Beside{Measure: glucose, Variant: uint8(glucose.Variant("capillary")), Within: 15 * time.Minute}},
	} {
		c.Statistic, c.MinusComponent, c.PerComponent = protocols.Last, -1, -1
		if said := (&protocols.Protocol{}).Compared(&c, nil).Beside; said != want {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
}
