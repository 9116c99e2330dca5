package protocols

import "testing"

// What a clinician reads has one decimal, unless that would say something else.
func TestAFigureIsShownToTheTenth(t *testing.T) {
	for _, c := range []struct {
		measure          string
		statistic        Statistic
		value, threshold float64
		shown            string
	}{
		{"glucose", Share, 91.664, 70, "91.7"},
		{"glucose", Share, 69.96, 70, "69.96"},
		{"glucose", Share, 69.999, 70, "69.999"},
		{"glucose", Share, 70, 70, "70"},
		{"glucose", CV, 36.04, 36, "36.04"},
		{"glucose", Mean, 123.667, 250, "123.7"},
		{"weight", Last, 82.04, 82, "82.04"},
		{"weight", Last, 82.25, 82, "82.3"},
		{"weight", Slope, 0.213, 0.1, "0.21"},
		{"weight", Mean, -2.04, -2, "-2.04"},
		{"fev1", Last, 2.35, 2, "2.35"},
	} {
		compared := Compared{Measure: c.measure, Component: "value", Statistic: c.statistic, Value: exactly(c.value), Threshold: exactly(c.threshold), Clear: Missing}
		if got := compared.Shown().String(); got != c.shown {
			t.Errorf("%s of %s: %v against %v is shown as %s, want %s", c.statistic, c.measure, c.value, c.threshold, got, c.shown)
		}
	}
}

func exactly(f float64) Value {
	v, ok := Of(f)
	if !ok {
		panic("out of bounds")
	}
	return v
}
