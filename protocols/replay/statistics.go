package replay

import (
	"math"
	"slices"
	"time"

	"vigie/protocols"
)

// Figures sums up one component over a span. Numbers are in its canonical unit.
type Figures struct {
	Count int     `json:"count"`
	Mean  float64 `json:"mean"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
}

// GlucoseFigures sums up glucose as the international consensus on time in range
// does: shares in per cent of the readings, both bounds of 70 to 180 mg/dL
// belonging to the range; the coefficient of variation of the sample, in per
// cent; the glucose management indicator GMI = 3.31 + 0.02392 × mean, in per
// cent; wear is the share of the readings that the sensor should have sent.
type GlucoseFigures struct {
	Figures
	InRange  float64  `json:"time_in_range"`
	Below70  float64  `json:"below_70"`
	Below54  float64  `json:"below_54"`
	Above180 float64  `json:"above_180"`
	Above250 float64  `json:"above_250"`
	CV       float64  `json:"cv"`
	GMI      float64  `json:"gmi"`
	Wear     *float64 `json:"wear,omitempty"` // of a sensor; nil where none has measured
}

// Statistics gathers readings of one cohort, measure by measure. The zero
// Statistics is ready; those of two groups of patients can be merged.
type Statistics struct {
	measures map[*protocols.Measure][]sum // by component
	glucose  glucoseSum
}

// sum is a running mean and variance (Welford), with the extremes.
type sum struct {
	count     int
	mean, m2  float64
	low, high float64
}

func (s *sum) add(v float64) {
	if s.count == 0 || v < s.low {
		s.low = v
	}
	if s.count == 0 || v > s.high {
		s.high = v
	}
	s.count++
	off := v - s.mean
	s.mean += off / float64(s.count)
	s.m2 += off * (v - s.mean)
}

func (s *sum) merge(other *sum) {
	if other.count == 0 {
		return
	}
	if s.count == 0 {
		*s = *other
		return
	}
	n, m := float64(s.count), float64(other.count)
	off := other.mean - s.mean
	s.mean += off * m / (n + m)
	s.m2 += other.m2 + off*off*n*m/(n+m)
	s.low, s.high, s.count = min(s.low, other.low), max(s.high, other.high), s.count+other.count
}

// glucoseSum counts readings by zone.
type glucoseSum struct {
	below54, below70, above180, above250 int
	received, expected                   int // of sensors, for wear
}

// Bounds of the zones, in thousandths of mg/dL.
const (
	g54, g70, g180, g250 = 54_000, 70_000, 180_000, 250_000
)

func (g *glucoseSum) add(v protocols.Value) {
	if v < g54 {
		g.below54++
	}
	if v < g70 {
		g.below70++
	}
	if v > g180 {
		g.above180++
	}
	if v > g250 {
		g.above250++
	}
}

// Add takes the readings of one patient that lie in the span. Every is the usual
// step of the glucose sensor; where it is zero, the step is taken to be the
// median of those found.
func (s *Statistics) Add(readings []*protocols.Reading, span Span, every time.Duration) {
	if s.measures == nil {
		s.measures = map[*protocols.Measure][]sum{}
	}
	var sensor []time.Time
	for _, r := range readings {
		if !span.Holds(r.Time) {
			continue
		}
		sums := s.measures[r.Measure]
		if sums == nil {
			sums = make([]sum, len(r.Measure.Components))
			s.measures[r.Measure] = sums
		}
		for i, v := range r.Values {
			if v != protocols.Missing {
				shown, _ := r.Shown(i) // "< 40" counts as 40 in a mean
				sums[i].add(shown.Float())
			}
		}
		if r.Measure.ID != "glucose" {
			continue
		}
		s.glucose.add(r.Values[0])
		if r.Measure.Variant("capillary") != int(r.Variant) {
			sensor = append(sensor, r.Time)
		}
	}
	s.glucose.received += len(sensor)
	s.glucose.expected += expected(sensor, span, every)
}

// expected is how many readings a sensor should have sent.
func expected(sent []time.Time, span Span, every time.Duration) int {
	if len(sent) < 2 {
		return len(sent)
	}
	if every <= 0 {
		every = usualStep(sent)
	}
	return max(len(sent), int(span.To.Sub(span.From)/every))
}

func usualStep(sent []time.Time) time.Duration {
	steps := make([]time.Duration, len(sent)-1)
	for i := range steps {
		steps[i] = sent[i+1].Sub(sent[i])
	}
	return max(median(steps).Round(time.Minute), time.Second)
}

// Merge joins what was gathered of other patients.
func (s *Statistics) Merge(other *Statistics) {
	if s.measures == nil {
		s.measures = map[*protocols.Measure][]sum{}
	}
	for m, theirs := range other.measures {
		own := s.measures[m]
		if own == nil {
			s.measures[m] = slices.Clone(theirs)
			continue
		}
		for i := range own {
			own[i].merge(&theirs[i])
		}
	}
	g, o := &s.glucose, &other.glucose
	g.below54, g.below70, g.above180, g.above250 = g.below54+o.below54, g.below70+o.below70, g.above180+o.above180, g.above250+o.above250
	g.received, g.expected = g.received+o.received, g.expected+o.expected
}

// ByMeasure gives the figures of each measure that has readings, by its id: a
// GlucoseFigures for glucose, Figures for a measure of one component, and a map
// of Figures by component for the others.
func (s *Statistics) ByMeasure() map[string]any {
	figures := map[string]any{}
	for m, sums := range s.measures {
		switch {
		case m.ID == "glucose":
			figures[m.ID] = s.glucoseFigures(&sums[0])
		case len(sums) == 1:
			figures[m.ID] = sums[0].figures()
		default:
			parts := map[string]Figures{}
			for i, c := range m.Components {
				if sums[i].count > 0 {
					parts[c.Name] = sums[i].figures()
				}
			}
			figures[m.ID] = parts
		}
	}
	return figures
}

func (s *sum) figures() Figures {
	return Figures{s.count, decimals(s.mean), decimals(s.low), decimals(s.high)}
}

func (s *Statistics) glucoseFigures(all *sum) GlucoseFigures {
	g := &s.glucose
	of := func(n int) float64 { return decimals(share(n, all.count)) }
	figures := GlucoseFigures{
		Figures: all.figures(), InRange: of(all.count - g.below70 - g.above180),
		Below70: of(g.below70), Below54: of(g.below54), Above180: of(g.above180), Above250: of(g.above250),
		GMI: decimals(3.31 + 0.02392*all.mean),
	}
	if g.expected > 0 {
		wear := decimals(share(g.received, g.expected))
		figures.Wear = &wear
	}
	if all.count > 1 && all.mean > 0 {
		figures.CV = decimals(100 * math.Sqrt(all.m2/float64(all.count-1)) / all.mean)
	}
	return figures
}

// decimals keeps four, more than anybody prints.
func decimals(f float64) float64 { return math.Round(f*1e4) / 1e4 }
