package chart

import (
	"math"
	"slices"
	"time"

	"vigie/protocols"
)

// GlucoseRange is one of the five ranges that the time of a glucose sensor is counted in.
type GlucoseRange struct {
	ID   string
	From protocols.Value // the lowest value in it, in thousandths of mg/dL
	// Goal is a share in percent of the time: at least Goal for the target, less than Goal
	// for the others; zero for none. With Outwards it is that of this range and those beyond
	// it together.
	Goal     float64
	Outwards bool
}

// GlucoseRanges are the five ranges, the lowest first.
type GlucoseRanges [5]GlucoseRange

// The ranges and goals for most adults with diabetes of type 1 or 2, and those in pregnancy
// with diabetes of type 1, where nothing is said of what is very high. Older patients and
// those at high risk have other goals.
//
// Source: T. Battelino et al., "Clinical Targets for Continuous Glucose Monitoring Data
// Interpretation: Recommendations From the International Consensus on Time in Range",
// Diabetes Care 2019;42(8):1593–1603, doi 10.2337/dci19-0028.
var (
	Adults = GlucoseRanges{
		{"very-low", math.MinInt64, 1, false},
		{"low", 54_000, 4, true},
		{"target", 70_000, 70, false},
		{"high", 180_001, 25, true},
		{"very-high", 250_001, 5, false},
	}
	Pregnancy = GlucoseRanges{
		{"very-low", math.MinInt64, 1, false},
		{"low", 54_000, 4, true},
		{"target", 63_000, 70, false},
		{"high", 140_001, 25, true},
		{"very-high", 250_001, 0, false},
	}
)

// RangesFor are the ranges around a target, from the first value to the second, both
// included. Around another target than those above, no goal is known.
func RangesFor(from, to protocols.Value) GlucoseRanges {
	for _, known := range []GlucoseRanges{Adults, Pregnancy} {
		if low, high := known.Target(); low == from && high == to {
			return known
		}
	}
	r := Adults
	r[target].From, r[target+1].From = from, to+1
	for i := range r {
		r[i].Goal = 0
	}
	return r
}

// SetGoal puts a goal in the place of that of a range: the target, or what lies below or
// above a value. It reports false where no range begins or ends there.
func (r *GlucoseRanges) SetGoal(below, above protocols.Value, goal float64) bool {
	low, high := r.Target()
	switch {
	case below == r[1].From && above == 0:
		r[0].Goal = goal
	case below == low && above == 0:
		r[1].Goal = goal
	case above == high && below == 0:
		r[3].Goal = goal
	case above == r[4].From-1 && below == 0:
		r[4].Goal = goal
	case below == high && above == low:
		r[target].Goal = goal
	default:
		return false
	}
	return true
}

// target is the place of the range that is wanted.
const target = 2

// Target is the range that is wanted: from the first value to the second, both included.
func (r *GlucoseRanges) Target() (from, to protocols.Value) {
	return r[target].From, r[target+1].From - 1
}

// Full is how much of the time a sensor has to measure, over how many days, for its
// figures to stand for a patient. Source: the consensus named at Adults.
const (
	FullDays  = 14
	FullShare = 70 // percent
)

// StableVariation is the variation up to which glucose counts as stable, in percent.
// Source: the consensus named at Adults.
const StableVariation = 36

// Glucose sums up what a sensor measured.
type Glucose struct {
	Count  int
	Days   int // days with a reading, by the clock of the patient
	Ranges GlucoseRanges
	// Share is how much lies in each of the ranges, in percent of the readings.
	Share [len(GlucoseRanges{})]float64
	Mean  float64 // mg/dL
	// GMI is the glucose management indicator in percent: the HbA1c that the mean would go
	// with. Source: R. M. Bergenstal et al., "Glucose Management Indicator (GMI): A New Term
	// for Estimating A1C From Continuous Glucose Monitoring", Diabetes Care
	// 2018;41(11):2275–2280: 3.31 + 0.02392 × mean in mg/dL.
	GMI float64
	// Variation is the standard deviation in percent of the mean; see StableVariation.
	Variation float64
	// Worn is how much of the interval was measured, in percent, if each reading stands for
	// the usual step between two.
	Worn float64
}

// InTarget is the share of the time in the target, in percent.
func (g *Glucose) InTarget() float64 { return g.Share[target] }

// Met reports whether the goal of a range is met, or there is none.
func (g *Glucose) Met(i int) bool {
	r := g.Ranges[i]
	if r.Goal == 0 {
		return true
	}
	share := g.Share[i]
	for n := range g.Share {
		if r.Outwards && (n < i) == (i < target) && n != i && n != target {
			share += g.Share[n]
		}
	}
	if i == target {
		return share >= r.Goal
	}
	return share < r.Goal
}

// GlucoseOf sums points up, oldest first, over an interval; nil for none.
func GlucoseOf(ranges GlucoseRanges, points []Point, from, to time.Time, zone *time.Location) *Glucose {
	if len(points) == 0 {
		return nil
	}
	g := &Glucose{Count: len(points), Ranges: ranges}
	var counts [len(GlucoseRanges{})]int
	sum, day := 0.0, int64(math.MinInt64)
	for _, p := range points {
		counts[ranges.of(p)]++
		sum += p.Value.Float()
		if on, _ := civil(p.At, zone); on != day {
			day, g.Days = on, g.Days+1
		}
	}
	n := float64(len(points))
	for i, count := range counts {
		g.Share[i] = 100 * float64(count) / n
	}
	g.Mean = sum / n
	g.GMI = 3.31 + 0.02392*g.Mean
	squares := 0.0
	for _, p := range points {
		squares += (p.Value.Float() - g.Mean) * (p.Value.Float() - g.Mean)
	}
	if n > 1 && g.Mean > 0 {
		g.Variation = 100 * math.Sqrt(squares/(n-1)) / g.Mean
	}
	if step := usualStep(points); to.After(from) {
		g.Worn = min(100, 100*float64(step)*n/float64(to.Sub(from)))
	}
	return g
}

// civil is the day, counted from 1970, and the hour that a clock shows at a moment.
func civil(at time.Time, zone *time.Location) (day int64, hour int) {
	_, offset := at.In(zone).Zone()
	const whole = 24 * 60 * 60
	seconds := at.Unix() + int64(offset)
	second := ((seconds % whole) + whole) % whole
	return (seconds - second) / whole, int(second / 3600)
}

// of is the place of a value among the ranges. "< 54" lies below 54.
func (r *GlucoseRanges) of(p Point) int {
	value := p.Value
	switch p.Limit {
	case protocols.LessThan:
		value--
	case protocols.MoreThan:
		value++
	}
	i := len(r) - 1
	for value < r[i].From {
		i--
	}
	return i
}

// Hour is what was measured in one hour of the day over several days.
type Hour struct {
	Hour  int // 0 to 23, by the clock of the patient
	Days  int
	Count int
	// The values below which 5, 25, 50, 75 and 95 percent of the readings lie: each is a
	// reading, with its limit.
	P5, P25, Median, P75, P95 Point
}

// hourDays is how many days an hour needs to be drawn: of fewer, nothing is usual.
const hourDays = 3

// Profile sums points up by hour of day, as an ambulatory glucose profile does: oldest
// first, hours with too few days left out.
func Profile(points []Point, zone *time.Location) []Hour {
	var values [24][]Point
	var days [24]int
	var latest [24]int64 // the day of the latest reading, counted from 1970
	for _, p := range points {
		day, h := civil(p.At, zone)
		if days[h] == 0 || day != latest[h] {
			latest[h], days[h] = day, days[h]+1
		}
		values[h] = append(values[h], p)
	}
	var hours []Hour
	for h, list := range values {
		if days[h] < hourDays {
			continue
		}
		slices.SortFunc(list, ByValue)
		at := func(percent int) Point { return list[(percent*len(list)+99)/100-1] }
		hours = append(hours, Hour{h, days[h], len(list), at(5), at(25), at(50), at(75), at(95)})
	}
	return hours
}
