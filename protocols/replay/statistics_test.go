package replay_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

func reading(measure string, at time.Time, values ...float64) *protocols.Reading {
	m := protocols.MeasureByID(measure)
	r := &protocols.Reading{Measure: m, Time: at, Patient: "p", Values: make([]protocols.Value, len(m.Components)), ID: at.String()}
	for i := range r.Values {
		r.Values[i] = protocols.Missing
		if i < len(values) {
			r.Values[i], _ = protocols.Of(values[i])
		}
	}
	return r
}

func TestGlucoseIsSummedUpAsTheConsensusDoes(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var all []*protocols.Reading
	for i, v := range []float64{50, 54, 69, 70, 180, 181, 250, 251, 100, 110} {
		all = append(all, reading("glucose", start.Add(time.Duration(i)*5*time.Minute), v))
	}
	var s replay.Statistics
	s.Add(all, replay.Span{From: start, To: start.Add(100 * time.Minute)}, 5*time.Minute)
	got := s.ByMeasure()["glucose"].(replay.GlucoseFigures)
	if got.InRange != 40 || got.Below70 != 30 || got.Below54 != 10 || got.Above180 != 30 || got.Above250 != 10 {
		t.Errorf("got %+v: 54, 70, 180 and 250 themselves are not beyond", got)
	}
	if got.Wear != 50 {
		t.Errorf("wear is %v, want half of the twenty readings due", got.Wear)
	}
}

func TestGroupsOfPatientsAddUp(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	span := replay.Span{From: start, To: start.Add(time.Hour)}
	first := []*protocols.Reading{reading("weight", start, 80), reading("weight", start, 82)}
	second := []*protocols.Reading{reading("weight", start, 60), reading("blood-pressure", start, 120, 70)}
	var whole, one, two replay.Statistics
	whole.Add(append(first, second...), span, 0)
	one.Add(first, span, 0)
	two.Add(second, span, 0)
	one.Merge(&two)
	if got, want := one.ByMeasure()["weight"], whole.ByMeasure()["weight"]; got != want {
		t.Errorf("merged %v, at once %v", got, want)
	}
	parts := one.ByMeasure()["blood-pressure"].(map[string]replay.Figures)
	if len(parts) != 2 || parts["systolic"].Mean != 120 {
		t.Errorf("blood pressure is %v", parts)
	}
}

// The answers were published by the authors of the series.
func TestTwoWeeksOfRealGlucose(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "cgm-subject-1.csv"))
	if err != nil {
		t.Skipf("the recorded series is not here: %v", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []*protocols.Reading
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02T15:04:05", row[1])
		if err != nil {
			t.Fatal(err)
		}
		v, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, reading("glucose", at, v))
	}
	var s replay.Statistics
	s.Add(all, replay.Span{From: all[0].Time, To: all[len(all)-1].Time.Add(time.Second)}, 0)
	got := s.ByMeasure()["glucose"].(replay.GlucoseFigures)
	for _, c := range []struct {
		name      string
		got, want float64
		decimals  int
	}{
		{"mean", got.Mean, 123.67, 2}, {"time in range", got.InRange, 91.66, 2}, {"below 70", got.Below70, 0.14, 2},
		{"above 250", got.Above250, 0.38, 2}, {"coefficient of variation", got.CV, 26.90, 2}, {"GMI", got.GMI, 6.268, 3},
	} {
		if scale := math.Pow(10, float64(c.decimals)); math.Round(c.got*scale)/scale != c.want {
			t.Errorf("%s is %v, published as %v", c.name, c.got, c.want)
		}
	}
	if got.Count != 2915 || got.Wear < 60 || got.Wear > 100 {
		t.Errorf("%d readings, worn %v %% of the time", got.Count, got.Wear)
	}
	t.Logf("%+v", got)
}
