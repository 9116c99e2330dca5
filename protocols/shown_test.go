package protocols

import "testing"

// What a clinician reads is as fine as the measure is told, and per cent from ten on is whole,
// unless that would say something else.
func TestAFigureIsShownAsFinelyAsItsMeasure(t *testing.T) {
	for _, c := range []struct {
		measure          string
		statistic        Statistic
		value, threshold float64
		shown            string
	}{
		{"glucose", Share, 91.664, 70, "92"},
		{"glucose", Share, 4.04, 1, "4"},
		{"glucose", Share, 4.08, 1, "4.1"},
		{"glucose", GMI, 8.24, 8, "8.2"},
		{"oxygen-saturation", Mean, 93.7, 90, "94"},
		{"oxygen-saturation", Mean, 92.7, 93, "92.7"},
		{"oxygen-saturation", Share, 8.72, 5, "8.7"},
		{"heart-rate", Mean, 88.3, 100, "88"},
		{"peak-flow", Mean, 295.9, 400, "296"},
		{"temperature", Mean, 37.84, 39, "37.8"},
		{"heart-rate", RisePercent, 58.32, 20, "58"},
		{"glucose", Share, 69.96, 70, "69.96"},
		{"glucose", Share, 69.999, 70, "69.999"},
		{"glucose", Share, 70, 70, "70"},
		{"glucose", CV, 36.04, 36, "36.04"},
		{"glucose", Mean, 123.667, 250, "124"},
		{"weight", Last, 82.04, 82, "82.04"},
		{"weight", Last, 82.25, 82, "82.3"},
		{"weight", Slope, 0.213, 0.1, "0.21"},
		{"weight", Mean, -2.04, -2, "-2.04"},
		{"fev1", Last, 2.35, 2, "2.35"},
	} {
		compared := Compared{Measure: c.measure, Component: "value", Unit: unitOf(c.measure, c.statistic), Statistic: c.statistic, Value: exactly(c.value), Threshold: exactly(c.threshold), Clear: Missing}
		if got := compared.Shown().String(); got != c.shown {
			t.Errorf("%s of %s: %v against %v is shown as %s, want %s", c.statistic, c.measure, c.value, c.threshold, got, c.shown)
		}
	}
}

// unitOf is in what a statistic of a measure comes out.
func unitOf(measure string, s Statistic) string {
	c := Comparison{Measure: MeasureByID(measure), Statistic: s, MinusComponent: -1, PerComponent: -1}
	return c.Result()
}

func exactly(f float64) Value {
	v, ok := Of(f)
	if !ok {
		panic("out of bounds")
	}
	return v
}
