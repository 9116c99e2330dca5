package chart_test

import (
	"fmt"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

func TestAScaleHasRoundBounds(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{61, 118, "60 120 20"}, {81.2, 82.9, "81 83 0.5"}, {3, 3, "3 4 1"}, {-0.4, 0.3, "-0.4 0.4 0.2"},
	} {
		from, to, step := chart.Scale(c.low, c.high)
		if said := fmt.Sprintf("%.4g %.4g %.4g", from, to, step); said != c.want {
			t.Errorf("from %g to %g: %s, want %s", c.low, c.high, said, c.want)
		}
	}
}

func TestThinningKeepsWhatStandsOut(t *testing.T) {
	var points []chart.Point
	for i, v := range []protocols.Value{5, 9, 1, 6, 7, 7} {
		points = append(points, chart.Point{At: time.Unix(int64(i), 0), Value: v})
	}
	var kept []protocols.Value
	for _, p := range chart.Thin(points, func(p chart.Point) int { return int(p.At.Unix()) / 4 }) {
		kept = append(kept, p.Value)
	}
	if said := fmt.Sprint(kept); said != fmt.Sprint([]protocols.Value{5, 9, 1, 6, 7, 7}) {
		t.Error(said)
	}
	many := make([]chart.Point, 100)
	for i := range many {
		many[i] = chart.Point{At: time.Unix(int64(i), 0), Value: protocols.Value(i)}
	}
	many[50].Value = 500
	if thin := chart.Thin(many, func(chart.Point) int { return 0 }); len(thin) != 3 || thin[1].Value != 500 {
		t.Errorf("one column: %v", thin)
	}
}
