package engine

import (
	"slices"

	"vigie/protocols"
)

// sample is one number of a series.
type sample struct {
	at    instant
	value protocols.Value
}

// seriesSpec says which numbers of which readings make a series.
type seriesSpec struct {
	measure   *protocols.Measure
	place     int // of the measure, in Plan.measures
	component int
	minus     int   // component of the same reading that is subtracted, or −1
	per       int   // component of the same reading by which it is divided, or −1
	variant   uint8 // 0 for any
	coarse    bool  // takes readings of which only the day is known
	doubted   bool  // takes doubted readings as well, and of each how far it is from the usual
}

// pick is the number that a series takes from a reading, and whether it takes
// one.
func (s *seriesSpec) pick(r *protocols.Reading) (protocols.Value, bool) {
	if r.Measure != s.measure || s.variant != 0 && s.variant != r.Variant || r.DayOnly && !s.coarse || s.component >= len(r.Values) {
		return protocols.Missing, false
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

// ratio divides by another number of the reading. A number that is missing, or not
// above 0, divides nothing.
func (s *seriesSpec) ratio(v protocols.Value, r *protocols.Reading) (protocols.Value, bool) {
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
func (s *seriesSpec) deniedBy(r *protocols.Reading) bool {
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

// series is one number over time, with as much of its past as the windows on it
// need: single readings for those of a duration, totals for those of days.
type series struct {
	spec           *seriesSpec
	fit            *seriesFit
	last, previous sample            // at is farPast when there is none
	samples        *queue[sample]    // nil when no window needs them
	days           *dayRing[totals]  // likewise
	means          *dayRing[dayMean] // of more days than days keeps, for baselines
	touched        uint64            // the occasion at which it last took a reading
	read           protocols.Value   // of doubted: the latest reading itself
}

// prepare makes the room that the windows need.
func (s *series) prepare() {
	if s.fit.keep > 0 {
		s.samples = new(queue[sample])
	}
	if s.fit.daily {
		s.days = &dayRing[totals]{size: s.fit.days}
	}
	if s.fit.means > s.fit.days {
		s.means = &dayRing[dayMean]{size: s.fit.means}
	}
}

func (s *series) reset() {
	s.last, s.previous = sample{farPast, protocols.Missing}, sample{farPast, protocols.Missing}
	if s.samples != nil {
		s.samples.clear()
	}
	if s.days != nil {
		s.days.reset()
	}
	if s.means != nil {
		s.means.reset()
	}
	s.touched = 0
}

func (s *series) add(at instant, v protocols.Value) {
	s.previous, s.last = s.last, sample{at, v}
	if s.days != nil {
		s.days.today.add(v)
	}
	if s.samples != nil {
		s.samples.push(s.last)
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

// enter begins a civil day.
func (s *series) enter(day protocols.CivilDay) {
	if s.means != nil {
		s.means.today = meanOf(&s.days.today)
		s.means.enter(day)
	}
	if s.days != nil {
		s.days.enter(day)
	}
}

// meanOn is the mean of a day that a baseline looks at.
func (s *series) meanOn(day protocols.CivilDay) dayMean {
	if s.means != nil && day != s.days.day {
		return s.means.on(day)
	}
	t := s.days.on(day)
	return meanOf(&t)
}

// forget drops single readings that no window reaches any more.
func (s *series) forget(at instant) {
	if s.samples == nil {
		return
	}
	for s.samples.head < s.samples.tail && s.samples.at(s.samples.head).at <= at-s.fit.keep {
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
func (s sortedValues) middle() figure {
	n := len(s)
	switch {
	case n == 0:
		return figure{}
	case n%2 == 1:
		return whole(s[n/2])
	}
	return figure{int64(s[n/2-1] + s[n/2]), 2}
}

// extremes keeps the places of the readings that can still become the lowest
// (or highest) of a sliding window: each is beyond all that follow it.
type extremes struct {
	places queue[uint64]
	high   bool
}

func (e *extremes) push(samples *queue[sample], place uint64) {
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

func (e *extremes) value(samples *queue[sample]) protocols.Value {
	return samples.at(*e.places.at(e.places.head)).value
}

// baselineOf computes a baseline from daily means on the day that today is.
func baselineOf(b *protocols.Baseline, s *series, today protocols.CivilDay) figure {
	last := today - protocols.CivilDay(b.Ago)
	var room [32]protocols.Value // baselines of up to a month allocate nothing
	means := room[:0]
	for day := last - protocols.CivilDay(b.Days) + 1; day <= last; day++ {
		if on := s.meanOn(day); on.known {
			means = append(means, on.mean)
		}
	}
	if len(means) == 0 || len(means) < b.AtLeast {
		return figure{}
	}
	switch b.Statistic {
	case protocols.Last:
		return whole(means[len(means)-1])
	case protocols.Mean:
		return meanOfAll(means)
	case protocols.Min:
		return whole(slices.Min(means))
	case protocols.Max:
		return whole(slices.Max(means))
	case protocols.Median:
		slices.Sort(means)
		return sortedValues(means).middle()
	}
	panic("protocols: nothing computes the baseline " + string(b.Statistic))
}

func meanOfAll(values []protocols.Value) figure {
	sum := int64(0)
	for _, v := range values {
		sum += int64(v)
	}
	return figure{sum, int64(len(values))}
}
