package series

import (
	"math"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Spec says which numbers of which readings make a series.
type Spec struct {
	measure   *protocols.Measure
	Place     int // of the measure, in Plan.measures
	component int
	minus     int   // component of the same reading that is subtracted, or −1
	per       int   // component of the same reading by which it is divided, or −1
	variant   uint8 // 0 for any
	hours     protocols.Hours
	meal      protocols.Meal
	Flag      string // looked at instead of the component; empty for none
	coarse    bool   // takes readings of which only the day is known
	Doubted   bool   // takes doubted readings as well, and of each how far it is from the usual
}

// Pick is the number that a series takes from a reading, and whether it takes
// one. zone is where the patient lives.
func (s *Spec) Pick(r *protocols.Reading, zone *time.Location) (protocols.Value, bool) {
	if s.hours != (protocols.Hours{}) && (r.DayOnly || !s.hours.Hold(r.Time.In(zone))) {
		return protocols.Missing, false
	}
	if s.meal != "" && !s.meal.Holds(r.Meal()) {
		return protocols.Missing, false
	}
	if r.Measure != s.measure || s.variant != 0 && s.variant != r.Variant || r.DayOnly && !s.coarse || s.component >= len(r.Values) {
		return protocols.Missing, false
	}
	if s.Flag != "" {
		return s.carried(r), true
	}
	v := r.Values[s.component]
	if v == protocols.Missing && s.deniedBy(r) {
		v = 0
	}
	if v == protocols.Missing {
		return v, false
	}
	if s.minus >= 0 {
		if s.minus >= len(r.Values) || r.Values[s.minus] == protocols.Missing {
			return protocols.Missing, false
		}
		v -= r.Values[s.minus]
	}
	if s.per < 0 {
		return v, true
	}
	return s.ratio(v, r)
}

// carried is 1 for a reading that carries the flag, and 0 for one that does not.
func (s *Spec) carried(r *protocols.Reading) protocols.Value {
	if slices.Contains(r.Flags, s.Flag) {
		return 1000
	}
	return 0
}

// ratio divides by another number of the reading. A number that is missing, or not
// above 0, divides nothing.
func (s *Spec) ratio(v protocols.Value, r *protocols.Reading) (protocols.Value, bool) {
	if s.per >= len(r.Values) || r.Values[s.per] == protocols.Missing || r.Values[s.per] <= 0 {
		return protocols.Missing, false
	}
	scale := int64(1000)
	if s.measure.Components[s.component].Unit == s.measure.Components[s.per].Unit {
		scale = 100_000
	}
	return protocols.Value(protocols.RoundedRatio(int64(v)*scale, int64(r.Values[s.per]))), true
}

// deniedBy reports whether a reading tells, without naming the event, that it
// did not happen: it names another event of the same measure. A dose that was
// taken was not missed.
func (s *Spec) deniedBy(r *protocols.Reading) bool {
	if !s.measure.Components[s.component].Event {
		return false
	}
	for i := range r.Values {
		if r.Values[i] != protocols.Missing && s.measure.Components[i].Event {
			return true
		}
	}
	return false
}

// Of says which numbers a comparison looks at; place is that of its measure.
func Of(c *protocols.Comparison, place int, coarse bool) Spec {
	return Spec{
		measure: c.Measure, Place: place, component: c.Component, minus: c.MinusComponent, per: c.PerComponent,
		variant: c.Variant, hours: c.Hours, meal: c.Meal, Flag: c.Flag, coarse: coarse, Doubted: c.Statistic.Row().Doubts,
	}
}

// Fit is how much of its past a series keeps.
type Fit struct {
	keep   int64 // how long single readings are kept, in nanoseconds; 0 for not at all
	daily  bool  // the totals of days are kept
	days   int   // those of how many days before today
	means  int   // the means of how many days before today
	Closes bool  // a comparison waits for the end of each day with readings
}

// Reach makes sure that the series keeps the totals of that many days before
// today.
func (s *Fit) Reach(days int) { s.daily, s.days = true, max(s.days, days) }

// GaugeSpec is the part of a comparison that yields a number. Comparisons that
// differ only in what they compare it with share one.
type GaugeSpec struct {
	comparison *protocols.Comparison
	upkeep
	Series  int
	Base    int   // series of the baseline, or −1
	Stretch int   // that it looks at, or −1
	length  int64 // of a duration window, in nanoseconds
	apart   int64 // least distance between two readings that count, in nanoseconds
	days    int   // of a window of civil days; 0 for a duration
	single  bool  // looks at the latest one or two readings alone
	ends    bool  // looks at the first and the latest readings of a duration, and at how many there are
	each    bool  // keeps what counts one by one, as whatever follows events does
}

// GaugeOf is what computes the number that c compares. Its series are still to be set.
func GaugeOf(c *protocols.Comparison) GaugeSpec {
	spec := GaugeSpec{comparison: c, upkeep: upkeepOf(c.Statistic), Base: -1, Stretch: -1, length: int64(c.Window.Length), days: c.Window.Days, apart: int64(c.Apart), each: c.Each || c.Statistic == protocols.Events}
	switch {
	case c.Daily():
		spec.length, spec.days = 0, 1
	case c.Window == protocols.Window{}:
		spec.length, spec.single = int64(protocols.Freshness), spec.latest > 0
	case c.Window.Length > 0:
		spec.ends = onlyEnds(c)
	}
	return spec
}

// onlyEnds reports whether a statistic over a duration needs no more than the samples that
// the series keeps: nothing has to be followed from reading to reading.
func onlyEnds(c *protocols.Comparison) bool {
	switch c.Statistic {
	case protocols.Last, protocols.Change, protocols.Step:
		return true
	}
	return c.Statistic == protocols.Count && c.Where == nil
}

// Counts reports whether the gauge takes each reading into account by itself, beside what
// its series and its stretch keep.
func (s *GaugeSpec) Counts() bool {
	c := s.comparison
	return !s.single && !s.ends && (c.Where != nil || s.apart > 0 || s.each || c.Statistic == protocols.Streak || s.follows.has(lowest|highest|middle|events))
}

// leaves reports whether something changes where a reading leaves its stretch.
func (s *GaugeSpec) leaves() bool {
	return s.Counts() && s.follows&events == 0 && (s.comparison.Where != nil && s.apart == 0 || s.follows.has(middle))
}

// Same reports whether two gauges compute the same number.
func (s *GaugeSpec) Same(other *GaugeSpec) bool {
	a, b := s.comparison, other.comparison
	return s.Series == other.Series && a.Statistic == b.Statistic && a.Window == b.Window && a.Daily() == b.Daily() && a.Floor == b.Floor && a.Apart == b.Apart && s.each == other.each &&
		equal(a.Minus, b.Minus) && equal(a.Beside, b.Beside) && equal(a.Event, b.Event) && sameFilter(a.Where, b.Where) && sameFilter(a.Until, b.Until)
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameFilter(a, b *protocols.Filter) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a.Above, b.Above) && equal(a.AtLeast, b.AtLeast) && equal(a.Below, b.Below) && equal(a.AtMost, b.AtMost)
}

// Daily reports whether its window is one of civil days.
func (s *GaugeSpec) Daily() bool { return s.days > 0 }

// Reach is how far back a window of a duration goes, in nanoseconds; 0 where the latest
// readings are enough.
func (s *GaugeSpec) Reach() int64 {
	if s.single {
		return 0
	}
	return s.length
}

// Lookback is how much history the window takes. alone says that no other series
// feeds the rule.
func (s *GaugeSpec) Lookback(alone bool) time.Duration {
	c := s.comparison
	switch {
	case s.days > 0:
		return moment.Days(s.days)
	case c.Window != protocols.Window{}:
		return c.Window.Length
	case s.latest == 1 && alone:
		return 0 // it looks at the reading that causes the evaluation, or that waits to be confirmed
	}
	return protocols.Freshness
}

// MakeRoom gives its series, and that of its baseline, the room for their windows.
func (s *GaugeSpec) MakeRoom(fits []Fit) {
	of := &fits[s.Series]
	if s.days > 0 {
		of.Reach(s.days - 1)
	}
	switch {
	case s.days > 0 && s.follows.has(middle):
		of.keep = max(of.keep, int64(moment.Days(s.days)))
	case s.days == 0 && !s.single:
		of.keep = max(of.keep, s.length)
	}
	if b := s.comparison.Minus; b != nil {
		base := &fits[s.Base]
		base.daily, base.means = true, max(base.means, b.Ago+b.Days-1)
	}
}

// GaugeFit is what a gauge takes from the settings.
type GaugeFit struct {
	where bounds
	until bounds          // readings that are back from an event
	least protocols.Value // the smallest deviation that is used, see protocols.Baseline
	most  protocols.Value // the largest one; Missing for none
	seed  protocols.Value // of the baseline; Missing for none
	// seedSet is when the patient's seed was set.
	seedSet time.Time
	every   int64 // microseconds from one expected reading to the next; 0 when nothing is expected
}

// Fit puts a patient's settings in place.
func (s *GaugeSpec) Fit(p *protocols.Protocol, settings protocols.Settings) GaugeFit {
	c := s.comparison
	fit := GaugeFit{seed: protocols.Missing, most: protocols.Missing, where: boundsOf(p, c.Where, settings), until: boundsOf(p, c.Until, settings), every: int64(p.UsualStep(c.Measure, c.Variant, settings) / time.Microsecond)}
	if c.Minus != nil {
		if setting, set := settings[c.Minus.Seed.Parameter]; set {
			fit.seed, fit.seedSet = setting.Value, setting.Date
		}
	}
	if c.Scaled() == protocols.InDeviations {
		fit.least = p.Value(&c.Minus.Least, settings)
		if c.Minus.Most != (protocols.Operand{}) {
			fit.most = p.Value(&c.Minus.Most, settings)
		}
	}
	return fit
}

// bounds is a filter with its numbers in place.
type bounds struct{ low, high protocols.Value } // both included

func (b bounds) admit(v protocols.Value) bool { return b.low <= v && v <= b.high }

// boundsOf are the numbers of a filter under the patient's settings. Values are
// whole thousandths, so that "above 70" is "at least 70.001".
func boundsOf(p *protocols.Protocol, f *protocols.Filter, settings protocols.Settings) bounds {
	b := bounds{low: math.MinInt64, high: math.MaxInt64}
	if f == nil {
		return b
	}
	if f.Above != nil {
		b.low = max(b.low, p.Value(f.Above, settings)+1)
	}
	if f.AtLeast != nil {
		b.low = max(b.low, p.Value(f.AtLeast, settings))
	}
	if f.Below != nil {
		b.high = min(b.high, p.Value(f.Below, settings)-1)
	}
	if f.AtMost != nil {
		b.high = min(b.high, p.Value(f.AtMost, settings))
	}
	return b
}
