package chart_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

// Each bound of the consensus belongs to the range that names it: 70 and 180 are in the
// target, 54 is low and 250 high.
func TestTheBoundsOfTheRanges(t *testing.T) {
	for value, want := range map[protocols.Value]string{
		53_999: "very-low", 54_000: "low", 69_999: "low", 70_000: "target", 180_000: "target", 180_001: "high", 250_000: "high", 250_001: "very-high", 600_000: "very-high",
	} {
		if got := shareOf(chart.Point{At: morning, Value: value}); got != want {
			t.Errorf("%s mg/dL is %s, want %s", value, got, want)
		}
	}
	if got := shareOf(chart.Point{At: morning, Value: 54_000, Limit: protocols.LessThan}); got != "very-low" {
		t.Errorf("< 54 mg/dL is %s", got)
	}
	if from, to := chart.Adults.Target(); from != 70_000 || to != 180_000 {
		t.Errorf("the target goes from %s to %s", from, to)
	}
}

func shareOf(p chart.Point) string {
	g := chart.GlucoseOf(chart.Adults, []chart.Point{p}, morning, morning.Add(time.Hour), time.UTC)
	return chart.Adults[slices.Index(g.Share[:], 100)].ID
}

// The goals of low and high hold for all that is low, and all that is high.
func TestGoalsAreMetOutwards(t *testing.T) {
	g := chart.Glucose{Ranges: chart.Adults, Share: [5]float64{0.9, 3.2, 71, 20, 4.9}}
	for i, want := range []bool{true, false, true, true, true} {
		if got := g.Met(i); got != want {
			t.Errorf("%s: met %t, want %t", chart.Adults[i].ID, got, want)
		}
	}
	g = chart.Glucose{Ranges: chart.Adults, Share: [5]float64{1, 2.9, 69.9, 20, 5}}
	for i, want := range []bool{false, true, false, false, false} {
		if got := g.Met(i); got != want {
			t.Errorf("%s: met %t, want %t", chart.Adults[i].ID, got, want)
		}
	}
}

// In pregnancy other values are wanted; around a target of one's own, no goal is made up.
func TestTheRangesFollowTheTarget(t *testing.T) {
	if r := chart.RangesFor(63_000, 140_000); r != chart.Pregnancy {
		t.Errorf("in pregnancy: %+v", r)
	}
	if r := chart.RangesFor(70_000, 180_000); r != chart.Adults {
		t.Errorf("else: %+v", r)
	}
	r := chart.RangesFor(80_000, 200_000)
	g := chart.GlucoseOf(r, every(time.Hour, 79_000, 80_000, 200_000, 201_000), morning, morning.Add(4*time.Hour), time.UTC)
	if g.InTarget() != 50 || !g.Met(2) {
		t.Errorf("around a target of one's own: %+v", g)
	}
	for _, c := range []struct {
		below, above protocols.Value
		place        int
	}{{54_000, 0, 0}, {80_000, 0, 1}, {200_000, 80_000, 2}, {0, 200_000, 3}, {0, 250_000, 4}} {
		if !r.SetGoal(c.below, c.above, 33) || r[c.place].Goal != 33 {
			t.Errorf("the goal of %d is not set: %+v", c.place, r)
		}
	}
	if r.SetGoal(60_000, 0, 1) {
		t.Error("a goal is set for no range")
	}
}

// A sensor's weeks, summed up once more in the plainest way.
func TestGlucoseAndProfileAgainstTheDefinition(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	from := time.Date(2026, 10, 20, 0, 0, 0, 0, zone) // the clock goes back on the 25th
	to := from.AddDate(0, 0, 14)
	var points []chart.Point
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		if random.IntN(20) == 0 || at.In(zone).Hour() == 4 && at.In(zone).Day()%9 != 0 {
			continue // lost; at four only on one day
		}
		p := chart.Point{At: at, Value: protocols.Value(40+random.IntN(300)) * 1000}
		if p.Value == 40_000 && random.IntN(2) == 0 {
			p.Limit = protocols.LessThan
		}
		points = append(points, p)
	}
	g := chart.GlucoseOf(chart.Adults, points, from, to, zone)
	in, sum, squares := 0, 0.0, 0.0
	for _, p := range points {
		if v := p.Value.Float(); v >= 70 && v <= 180 {
			in++
		}
		sum += p.Value.Float()
		squares += p.Value.Float() * p.Value.Float()
	}
	n := float64(len(points))
	mean := sum / n
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	near("the time in the target", g.InTarget(), 100*float64(in)/n)
	near("the mean", g.Mean, mean)
	near("the indicator", g.GMI, 3.31+0.02392*mean)
	near("the variation", g.Variation, 100*math.Sqrt((squares-n*mean*mean)/(n-1))/mean)
	near("what was worn", g.Worn, 100*n*5/(to.Sub(from).Minutes()))
	if g.Days != 14 || g.Count != len(points) {
		t.Errorf("%d readings on %d days", g.Count, g.Days)
	}

	hours := chart.Profile(points, zone)
	if len(hours) != 23 {
		t.Errorf("%d hours, want all but that with one day", len(hours))
	}
	for _, h := range hours {
		var values []chart.Point
		for _, p := range points {
			if p.At.In(zone).Hour() == h.Hour {
				values = append(values, p)
			}
		}
		for _, c := range []struct {
			share float64
			got   chart.Point
		}{{.05, h.P5}, {.25, h.P25}, {.5, h.Median}, {.75, h.P75}, {.95, h.P95}} {
			var below, upTo int
			for _, p := range values {
				if chart.ByValue(p, c.got) < 0 {
					below++
				}
				if chart.ByValue(p, c.got) <= 0 {
					upTo++
				}
			}
			if want := c.share * float64(len(values)); float64(below) >= want || float64(upTo) < want {
				t.Errorf("%d h: %d values below %v and %d up to it, of %d, is not %g", h.Hour, below, c.got.Value, upTo, len(values), c.share)
			}
		}
		if h.Count != len(values) || h.Days != 14 {
			t.Errorf("%d h: %d values on %d days, want %d", h.Hour, h.Count, h.Days, len(values))
		}
	}
}

// What the instrument could not measure stays a bound when it is the lowest of a stretch.
func TestABinKeepsItsBound(t *testing.T) {
	points := every(time.Minute, 40_000, 40_000, 50_000)
	points[1].Limit = protocols.LessThan
	bins := chart.Bins(points, morning, morning.Add(time.Hour), time.UTC)
	if len(bins) != 1 || bins[0].Low.Limit != protocols.LessThan || bins[0].Median.Limit != protocols.Measured || bins[0].Count != 3 {
		t.Errorf("%+v", bins)
	}
}

// Below a chart stand a few moments, on whole hours or at midnights, also where the clock
// changes.
func TestTicks(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	to := time.Date(2026, 10, 26, 10, 17, 0, 0, zone)
	for length, want := range map[time.Duration]string{time.Hour: "10:00", 24 * time.Hour: "06:00", 7 * 24 * time.Hour: "00:00", 90 * 24 * time.Hour: "00:00", 400 * 24 * time.Hour: "00:00"} {
		ticks := chart.Ticks(to.Add(-length), to, zone)
		if len(ticks) == 0 || len(ticks) > 8 {
			t.Errorf("%s: %d ticks", length, len(ticks))
		}
		last := ticks[len(ticks)-1]
		if got := last.At.Format("15:04"); got != want || last.Hours != (length < 48*time.Hour) {
			t.Errorf("%s: the last tick is at %s", length, got)
		}
	}
}
