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
	if *got.Wear != 50 {
		t.Errorf("wear is %v, want half of the twenty readings due", *got.Wear)
	}
}

// Values of a meter are worn by nobody.
func TestWearIsThatOfASensor(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	meter := []*protocols.Reading{reading("glucose", start, 95), reading("glucose", start.Add(4*time.Hour), 120)}
	for _, r := range meter {
		r.Variant = uint8(r.Measure.Variant("capillary"))
	}
	var s replay.Statistics
	s.Add(meter, replay.Span{From: start, To: start.AddDate(0, 0, 1)}, 0)
	if got := s.ByMeasure()["glucose"].(replay.GlucoseFigures); got.Count != 2 || got.Wear != nil {
		t.Errorf("%d readings of a meter, worn %v", got.Count, got.Wear)
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
	if got.Count != 2915 || *got.Wear < 60 || *got.Wear > 100 {
		t.Errorf("%d readings, worn %v %% of the time", got.Count, *got.Wear)
	}
	t.Logf("%+v", got)
}

// twoWeeks is a made series of a sensor, a reading every five minutes with gaps. A linear
// congruential generator, x → 1103515245 x + 12345 modulo 2³¹ from 2026 on, gives a number
// n = x / 2¹⁶ for each. One in 25 is lost. The others are 45 mg/dL, up to 144 more around
// midnight, and n / 25 modulo 120 of noise.
func twoWeeks(start time.Time) (all []*protocols.Reading) {
	x := int64(2026)
	for i := range 14 * 288 {
		x = (x*1103515245 + 12345) % (1 << 31)
		n := x >> 16
		if n%25 == 0 {
			continue
		}
		swing := i%288 - 144
		if swing < 0 {
			swing = -swing
		}
		all = append(all, reading("glucose", start.Add(time.Duration(i)*5*time.Minute), float64(45+int64(swing)+n/25%120)))
	}
	return all
}

// The answers were computed by another program in another language, Python's exact
// fractions and a square root of 60 digits, from the same series and the definitions of
// the consensus: n = 3879, sum 680383; 1993 in range, 89 below 70, 12 below 54, 1797 above
// 180, 383 above 250; 4032 were due.
func TestTwoWeeksOfMadeGlucoseDigitForDigit(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := twoWeeks(start)
	span := replay.Span{From: start, To: start.AddDate(0, 0, 14)}
	var whole, first, second replay.Statistics
	whole.Add(all, span, 5*time.Minute)
	first.Add(all[:2000], replay.Span{From: start, To: all[2000].Time}, 5*time.Minute)
	second.Add(all[2000:], replay.Span{From: all[2000].Time, To: span.To}, 5*time.Minute)
	first.Merge(&second)
	for name, s := range map[string]*replay.Statistics{"at once": &whole, "merged": &first} {
		got := s.ByMeasure()["glucose"].(replay.GlucoseFigures)
		if got.Count != 3879 {
			t.Errorf("%s: %d readings", name, got.Count)
		}
		for _, c := range []struct {
			name string
			got  float64
			want string
		}{
			{"mean", got.Mean, "175.4016"}, {"lowest", got.Min, "47.0000"}, {"highest", got.Max, "306.0000"},
			{"time in range", got.InRange, "51.3792"}, {"below 70", got.Below70, "2.2944"}, {"below 54", got.Below54, "0.3094"},
			{"above 180", got.Above180, "46.3264"}, {"above 250", got.Above250, "9.8737"},
			{"coefficient of variation", got.CV, "31.0856"}, {"GMI", got.GMI, "7.5056"}, {"wear", *got.Wear, "96.2054"},
		} {
			if said := strconv.FormatFloat(c.got, 'f', 4, 64); said != c.want {
				t.Errorf("%s, %s: %s, want %s", name, c.name, said, c.want)
			}
		}
	}
}
