package chart_test

import (
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

var morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func every(step time.Duration, values ...protocols.Value) (points []chart.Point) {
	for i, v := range values {
		points = append(points, chart.Point{At: morning.Add(time.Duration(i) * step), Value: v})
	}
	return points
}

func TestASilenceBreaksTheLine(t *testing.T) {
	points := every(5*time.Minute, 100, 101, 102, 103, 104, 105)
	points = append(points, chart.Point{At: morning.Add(3 * time.Hour), Value: 99})
	if runs := chart.Runs(points); len(runs) != 2 || len(runs[0]) != 6 || len(runs[1]) != 1 {
		t.Errorf("%d runs: %v", len(runs), runs)
	}
	if s := chart.SparkOf(points, nil, morning, morning.Add(4*time.Hour)); len(s.Lines) != 2 {
		t.Errorf("%d lines", len(s.Lines))
	}
	if runs := chart.Runs(every(24*time.Hour, 1, 2, 3)); len(runs) != 1 {
		t.Errorf("a value a day is no silence: %d runs", len(runs))
	}
}

func TestNoiseDoesNotFillTheHeight(t *testing.T) {
	low, high := chart.Extent(every(time.Hour, 80000, 80100, 79900), nil)
	if high-low < 1600 || low > 79900 || high < 80100 {
		t.Errorf("the scale goes from %d to %d", low, high)
	}
	low, high = chart.Extent(every(time.Hour, 80000), []protocols.Value{50000})
	if low != 50000 || high != 80000 {
		t.Errorf("with its threshold, the scale goes from %d to %d", low, high)
	}
}

func TestTheTimeUpToNowIsPartOfTheDrawing(t *testing.T) {
	points := every(time.Hour, 1000, 2000)
	s := chart.SparkOf(points, []protocols.Value{1500}, morning, morning.Add(2*time.Hour))
	if s.X != "75.0" || len(s.Bounds) != 1 {
		t.Errorf("%+v: want the last value in the middle, an hour before now", s)
	}
	if chart.SparkOf(points[:1], nil, morning, morning.Add(time.Hour)) != nil {
		t.Error("one value is a line")
	}
}
