// Package series keeps what a rule needs of the past. A Series is one number over time, a
// Gauge computes one statistic over one window of it, and a Figure is how the statistic
// comes out. A Guard tells which readings of a weight are doubted.
package series

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Sample is one number of a series.
type Sample struct {
	At    moment.Instant
	value protocols.Value
}

// Series is one number over time, with as much of its past as the windows on it
// need: single readings for those of a duration, totals for those of days.
type Series struct {
	Spec           *Spec
	Fit            *Fit
	Last, Previous Sample            // at is farPast when there is none
	samples        *queue[Sample]    // nil when no window needs them
	days           *dayRing[totals]  // likewise
	means          *dayRing[dayMean] // of more days than days keeps, for baselines
	Touched        uint64            // the occasion at which it last took a reading
	Read           protocols.Value   // of doubted: the latest reading itself
}

// New makes a series that has taken no reading.
func New(spec *Spec, fit *Fit) Series { return Series{Spec: spec, Fit: fit} }

// Prepare makes the room that the windows need.
func (s *Series) Prepare() {
	if s.Fit.keep > 0 {
		s.samples = new(queue[Sample])
	}
	if s.Fit.daily {
		s.days = &dayRing[totals]{size: s.Fit.days}
	}
	if s.Fit.means > s.Fit.days {
		s.means = &dayRing[dayMean]{size: s.Fit.means}
	}
}

// Reset forgets every reading.
func (s *Series) Reset() {
	s.Last, s.Previous = Sample{moment.FarPast, protocols.Missing}, Sample{moment.FarPast, protocols.Missing}
	if s.samples != nil {
		s.samples.clear()
	}
	if s.days != nil {
		s.days.reset()
	}
	if s.means != nil {
		s.means.reset()
	}
	s.Touched = 0
}

// Add takes one more number, later than those before it.
func (s *Series) Add(at moment.Instant, v protocols.Value) {
	s.Previous, s.Last = s.Last, Sample{at, v}
	if s.days != nil {
		s.days.today.add(v)
	}
	if s.samples != nil {
		s.samples.push(s.Last)
	}
}

// dayMean is the mean of a civil day with readings.
type dayMean struct {
	known bool
	mean  protocols.Value
}

func meanOf(t *totals) dayMean {
	if t.count == 0 {
		return dayMean{}
	}
	return dayMean{true, t.mean()}
}

// Enter begins a civil day.
func (s *Series) Enter(day protocols.CivilDay) {
	if s.means != nil {
		s.means.today = meanOf(&s.days.today)
		s.means.enter(day)
	}
	if s.days != nil {
		s.days.enter(day)
	}
}

// meanOn is the mean of a day that a baseline looks at.
func (s *Series) meanOn(day protocols.CivilDay) dayMean {
	if s.means != nil && day != s.days.day {
		return s.means.on(day)
	}
	t := s.days.on(day)
	return meanOf(&t)
}

// OnDay is how many numbers a day has, up to as many days before today as are kept.
func (s *Series) OnDay(day protocols.CivilDay) int { return int(s.days.on(day).count) }

// Today reports whether the current day has numbers.
func (s *Series) Today() bool { return s.days.today.count > 0 }

// Forget drops single readings that no window reaches any more.
func (s *Series) Forget(at moment.Instant) {
	if s.samples == nil {
		return
	}
	for s.samples.head < s.samples.tail && s.samples.at(s.samples.head).At <= at-s.Fit.keep {
		s.samples.drop()
	}
}

// dayRing keeps one thing per civil day: today's and that of a fixed number of
// days before.
type dayRing[T comparable] struct {
	day   protocols.CivilDay // that today is about
	today T
	size  int // how many days before today are kept
	past  []T // by day, modulo its length; zero for days about which nothing came; nil before there was anything
}

func (d *dayRing[T]) reset() {
	var zero T
	d.today = zero
	clear(d.past)
}

// enter makes day, a later one, the current day and puts the former away.
func (d *dayRing[T]) enter(day protocols.CivilDay) {
	var zero T
	if d.past == nil && d.today != zero && d.size > 0 {
		d.past = make([]T, d.size)
	}
	size := protocols.CivilDay(len(d.past))
	for passed := max(d.day, day-size); passed < day; passed++ {
		d.past[d.slot(passed)] = zero
	}
	if d.day < day && day-d.day <= size {
		d.past[d.slot(d.day)] = d.today
	}
	d.day, d.today = day, zero
}

func (d *dayRing[T]) slot(day protocols.CivilDay) int {
	size := protocols.CivilDay(len(d.past))
	return int((day%size + size) % size)
}

// on returns what is kept of a day, up to size days before today.
func (d *dayRing[T]) on(day protocols.CivilDay) (kept T) {
	switch {
	case day == d.day:
		return d.today
	case d.past == nil:
		return kept
	}
	return d.past[d.slot(day)]
}

// sortedValues keeps the values of a window in rising order, for the median.
// To insert or remove one moves those above it in memory: for a day of readings
// each minute that is less work than any tree.
type sortedValues []protocols.Value

func (s *sortedValues) insert(v protocols.Value) {
	i, _ := slices.BinarySearch(*s, v)
	*s = slices.Insert(*s, i, v)
}

func (s *sortedValues) remove(v protocols.Value) {
	if i, found := slices.BinarySearch(*s, v); found {
		*s = slices.Delete(*s, i, i+1)
	}
}

// middle is the median: the mean of the two middle values of an even number.
func (s sortedValues) middle() Figure {
	n := len(s)
	switch {
	case n == 0:
		return Figure{}
	case n%2 == 1:
		return whole(s[n/2])
	}
	return Figure{int64(s[n/2-1] + s[n/2]), 2}
}

// extremes keeps the places of the readings that can still become the lowest
// (or highest) of a sliding window: each is beyond all that follow it.
type extremes struct {
	places queue[uint64]
	high   bool
}

func (e *extremes) push(samples *queue[Sample], place uint64) {
	v := samples.at(place).value
	for e.places.length() > 0 {
		latest := samples.at(*e.places.at(e.places.tail - 1)).value
		if e.high && latest > v || !e.high && latest < v {
			break
		}
		e.places.tail--
	}
	e.places.push(place)
}

// leave drops places before from.
func (e *extremes) leave(from uint64) {
	for e.places.length() > 0 && *e.places.at(e.places.head) < from {
		e.places.drop()
	}
}

func (e *extremes) value(samples *queue[Sample]) protocols.Value {
	return samples.at(*e.places.at(e.places.head)).value
}
