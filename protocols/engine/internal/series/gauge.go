package series

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Gauge computes one statistic over one window, step by step. What it takes
// beside the series is made when the first reading comes.
type Gauge struct {
	spec     *GaugeSpec
	fit      *GaugeFit
	Series   *Series
	base     *Series
	stretch  *Stretch  // of a window of a duration; nil for another
	*tally             // nil where what its series and its stretch hold is enough
	days     *dayTally // of a window of civil days
	occasion uint64    // for which count and result hold
	Count    int64     // readings in the window
	result   Figure
	baseline *usual // of the current day; nil without one
}

// tally is what a gauge knows of the readings in its window.
type tally struct {
	matched int64  // that satisfy where, in a duration window
	apart   *apart // of those that have to lie apart
	streak  int64  // latest readings in a row that satisfy where, whatever the window
	sorted  sortedValues
	from    uint64    // the place of the first single reading in sorted, in a window of days
	bouts   *bouts    // of Events
	listed  *listing  // what counts, where a sentence tells it and neither bouts nor apart keep it
	extreme *extremes // the lowest or highest, in a duration window
}

// dayTally is what a gauge knows of a window of civil days, beside what the
// series keeps.
type dayTally struct {
	start          moment.Instant  // of the first day
	closed         totals          // the days before today
	sums           daySums         // over them
	matched        *dayRing[int64] // nil when all readings satisfy where
	matchedEarlier int64           // in the days before today
}

// NewGauge makes a gauge over one of all the series, and one of all the stretches.
func NewGauge(spec *GaugeSpec, fit *GaugeFit, all []Series, stretches []Stretch) Gauge {
	g := Gauge{spec: spec, fit: fit, Series: &all[spec.Series]}
	if spec.Stretch >= 0 {
		g.stretch = &stretches[spec.Stretch]
	}
	if spec.Base >= 0 {
		g.base = &all[spec.Base]
	}
	return g
}

// Prepare makes the room that the window takes. zone is where the patient lives.
func (g *Gauge) Prepare(zone *time.Location) {
	c := g.spec.comparison
	if c.Minus != nil {
		g.baseline = &usual{seed: seed{value: g.fit.seed, from: protocols.DateOf(g.fit.seedSet.In(zone))}}
	}
	if g.spec.days > 0 {
		g.days = new(dayTally)
	}
	if !g.spec.Counts() {
		return
	}
	g.tally = new(tally)
	if g.spec.days > 0 && c.Where != nil && g.spec.apart == 0 {
		g.days.matched = &dayRing[int64]{size: g.spec.days - 1}
	}
	if g.spec.apart > 0 {
		g.apart = &apart{least: g.spec.apart}
	} else if e := c.Event; e != nil {
		g.bouts = &bouts{lasting: int64(e.Lasting), ending: int64(e.Ending), gap: int64(e.Silence()), begun: listing{low: c.Where.Lower()}}
	} else if g.spec.each {
		g.listed = &listing{low: c.Where.Lower()}
	}
	if g.spec.days == 0 && g.spec.follows.has(lowest|highest) {
		g.extreme = &extremes{high: g.spec.follows.has(highest)}
	}
}

// Reset forgets every reading.
func (g *Gauge) Reset() {
	g.occasion = 0
	if g.baseline != nil {
		*g.baseline = usual{seed: g.baseline.seed}
	}
	if w := g.tally; w != nil {
		if w.apart != nil {
			w.apart.reset()
		}
		w.matched, w.streak, w.from, w.sorted = 0, 0, 0, w.sorted[:0]
		if w.bouts != nil {
			w.bouts.reset()
		}
		if w.extreme != nil {
			w.extreme.places.clear()
		}
		if w.listed != nil {
			w.listed.counted.clear()
		}
	}
	if d := g.days; d != nil {
		if d.matched != nil {
			d.matched.reset()
		}
		d.closed, d.sums, d.matchedEarlier = totals{}, daySums{}, 0
	}
}

// Add takes the reading that the series has just taken; only with GaugeSpec.Counts.
func (g *Gauge) Add(now Sample) {
	matches := g.fit.where.admit(now.value)
	if matches {
		g.streak++
	} else {
		g.streak = 0
	}
	switch {
	case g.spec.follows.has(middle):
		g.sorted.insert(now.value)
	case g.bouts != nil:
		g.bouts.add(now, matches, !matches && g.fit.until.admit(now.value))
	case g.extreme != nil:
		g.extreme.leave(g.Series.samples.head) // what the series has dropped is looked at no more
		g.extreme.push(g.Series.samples, g.Series.samples.tail-1)
	}
	if g.listed != nil {
		g.list(now, matches)
	}
	switch {
	case !matches:
	case g.apart != nil:
		g.apart.leave(g.start(now.At))
		g.apart.within.push(now)
	case g.days == nil:
		g.matched++
	case g.days.matched != nil:
		g.days.matched.today++
	}
}

// leave takes a reading off that has left the window of a duration.
func (g *Gauge) leave(left *Sample) {
	if g.fit.where.admit(left.value) {
		g.matched--
	}
	if g.spec.follows.has(middle) {
		g.sorted.remove(left.value)
	}
}

// Enter begins a civil day, after the series has done so.
func (g *Gauge) Enter(day protocols.CivilDay, calendar *moment.Calendar) {
	if g.days != nil {
		if g.days.matched != nil {
			g.days.matched.enter(day)
		}
		g.enterWindow(day, calendar)
	}
	if minus := g.spec.comparison.Minus; minus != nil && minus.Ago > 0 {
		*g.baseline = baselineOf(minus, g.base, day, g.baseline.seed)
	}
}

func (g *Gauge) enterWindow(day protocols.CivilDay, calendar *moment.Calendar) {
	w := g.days
	first := day - protocols.CivilDay(g.spec.days) + 1
	w.start = calendar.StartOf(first)
	w.closed, w.sums, w.matchedEarlier = totals{}, daySums{}, 0
	for d := first; d < day; d++ {
		if on := g.Series.days.on(d); on.count > 0 {
			w.closed.join(&on)
			w.sums.add(int64(d-first), int64(on.mean()))
			if w.matched != nil {
				w.matchedEarlier += w.matched.on(d)
			}
		}
	}
	if !g.spec.follows.has(middle) {
		return
	}
	for samples := g.Series.samples; g.from < samples.tail && samples.at(g.from).At < w.start; g.from++ {
		g.sorted.remove(samples.at(g.from).value)
	}
}

// Read computes the figure at a moment, once per occasion.
func (g *Gauge) Read(at moment.Instant, occasion uint64) Figure {
	if g.occasion != occasion {
		g.occasion = occasion
		g.compute(at)
	}
	return g.result
}

func (g *Gauge) compute(at moment.Instant) {
	e := evidence{every: g.fit.every, previous: protocols.Missing}
	g.look(at, &e)
	g.Count, g.result = e.count, g.judge(&e)
}

// look fills in what the window holds.
func (g *Gauge) look(at moment.Instant, e *evidence) {
	switch {
	case g.spec.single:
		g.readSingle(at, e)
	case g.days != nil:
		g.readDays(at, e)
	default:
		g.readDuration(at, e)
	}
}

// Moved are the two values that the comparison holds against each other; nil where
// it does not, or where one of them is not known. It is for people: the comparison
// itself uses exact fractions.
func (g *Gauge) Moved(at moment.Instant) *protocols.Moved {
	c := g.spec.comparison
	if !c.Moves() || !g.result.Known() {
		return nil
	}
	e := evidence{every: g.fit.every, previous: protocols.Missing}
	g.look(at, &e)
	if c.Minus != nil {
		return &protocols.Moved{From: g.baseline.Value(), To: compute(g.spec.form, &e).Value()}
	}
	from := e.first
	if c.Beside != nil {
		return &protocols.Moved{From: g.base.Last.value, To: e.last}
	}
	switch c.Statistic {
	case protocols.Improbable:
		return &protocols.Moved{From: g.Series.Read - e.last, To: g.Series.Read}
	case protocols.Step:
		from = e.previous
	case protocols.Rise, protocols.RisePercent:
		from = e.low
	case protocols.Fall, protocols.FallPercent:
		from = e.high
	}
	return &protocols.Moved{From: from, To: e.last}
}

// judge computes the statistic, less its baseline, if the window holds enough
// of what was expected.
func (g *Gauge) judge(e *evidence) Figure {
	c := g.spec.comparison
	if c.Floor > 0 && wear(e).Compare(c.Floor) < 0 {
		return Figure{}
	}
	result := compute(g.spec.form, e)
	switch {
	case c.Beside != nil:
		return g.besides(result)
	case c.Minus == nil:
		return result
	}
	if c.Minus.Ago == 0 {
		*g.baseline = baselineOf(c.Minus, g.base, g.base.days.day, g.baseline.seed)
	}
	return g.baseline.held(result, c.Minus.As, g.fit)
}

// besides is how far the latest reading lies from that of another series.
func (g *Gauge) besides(f Figure) Figure {
	b, other := g.spec.comparison.Beside, &g.base.Last
	if other.At == moment.FarPast || max(g.Series.Last.At-other.At, other.At-g.Series.Last.At) > int64(b.Within) {
		return Figure{}
	}
	from := usual{Figure: whole(other.value)}
	return from.held(f, b.As, g.fit)
}

// Other is the reading that is subtracted, of another series; an empty span for none.
func (g *Gauge) Other() (*Spec, Span) {
	if g.spec.comparison.Beside == nil || g.base.Last.At == moment.FarPast {
		return nil, Span{}
	}
	return g.base.Spec, Span{g.base.Last.At, g.base.Last.At}
}

func (g *Gauge) readSingle(at moment.Instant, e *evidence) {
	s := g.Series
	if s.Last.At <= at-g.spec.length {
		return
	}
	e.count, e.first, e.last = 1, s.Last.value, s.Last.value
	if g.spec.latest == 2 && s.Previous.At > at-g.spec.length {
		e.count, e.first, e.previous = 2, s.Previous.value, s.Previous.value
	}
}

func (g *Gauge) readDuration(at moment.Instant, e *evidence) {
	g.stretch.slide(at)
	samples, from := g.Series.samples, g.stretch.from
	e.span = g.spec.length / 1000
	e.count, e.sum, e.squares = g.stretch.count(), g.stretch.sum, g.stretch.squares
	e.matched = e.count
	if e.count == 0 {
		return
	}
	e.last = g.Series.Last.value
	if g.spec.ends {
		e.first = samples.at(from).value
		if e.count > 1 {
			e.previous = g.Series.Previous.value
		}
	}
	if g.tally == nil {
		return
	}
	e.matched = g.matched
	g.readBoth(e)
	switch {
	case g.extreme != nil:
		g.extreme.leave(from)
		g.readExtreme(e)
	case g.bouts != nil:
		e.events = g.bouts.since(at - g.spec.length + 1)
	case g.apart != nil:
		e.matched = g.apart.since(at - g.spec.length + 1)
	}
}

func (g *Gauge) readExtreme(e *evidence) {
	v := g.extreme.value(g.Series.samples)
	if g.extreme.high {
		e.high = v
	} else {
		e.low = v
	}
}

func (g *Gauge) readDays(at moment.Instant, e *evidence) {
	w, today := g.days, &g.Series.days.today
	e.totals = w.closed
	e.join(today)
	e.matched = e.count
	if w.matched != nil {
		e.matched = w.matchedEarlier + w.matched.today
	}
	e.span = (at - w.start) / 1000
	e.days = w.sums
	if today.count > 0 {
		e.days.add(int64(g.spec.days-1), int64(today.mean()))
	}
	if g.Series.Previous.At >= w.start {
		e.previous = g.Series.Previous.value
	}
	if g.tally == nil {
		return
	}
	g.readBoth(e)
	switch {
	case g.bouts != nil:
		e.events = g.bouts.since(w.start)
	case g.apart != nil:
		e.matched = g.apart.since(w.start)
	}
}

// readBoth adds what is the same in both kinds of windows.
func (g *Gauge) readBoth(e *evidence) {
	e.streak = min(g.streak, e.count)
	if g.spec.follows.has(middle) {
		e.middle = g.sorted.middle()
	}
}

// bouts follows events.
type bouts struct {
	lasting, ending, gap int64 // nanoseconds
	phase                boutPhase
	began                moment.Instant  // the event, or what may become one
	left                 moment.Instant  // when readings went back outside
	latest               moment.Instant  // the latest reading
	gravest              protocols.Value // of what may become an event
	begun                listing
}

type boutPhase uint8

const (
	boutOutside  boutPhase = iota
	boutStarting           // inside, not yet long enough to be an event
	boutOn                 // in an event
	boutEnding             // in an event, back outside, not yet long enough to end it
)

func (b *bouts) reset() {
	b.phase = boutOutside
	b.begun.counted.clear()
}

// add takes a reading: inside, back, or between the two.
func (b *bouts) add(now Sample, inside, back bool) {
	at := now.At
	if b.phase != boutOutside && at-b.latest > b.gap {
		b.phase = boutOutside
	}
	b.latest = at
	if inside {
		b.inside(now)
		return
	}
	switch b.phase {
	case boutStarting:
		b.phase = boutOutside
	case boutOn:
		if back {
			b.phase, b.left = boutEnding, at
		}
	case boutEnding:
		if !back {
			b.noLongerBack(at)
		}
	}
}

// noLongerBack tells whether the event was over before this reading.
func (b *bouts) noLongerBack(at moment.Instant) {
	b.phase = boutOn
	if at-b.left >= b.ending {
		b.phase = boutOutside
	}
}

func (b *bouts) inside(now Sample) {
	if b.phase == boutEnding {
		b.noLongerBack(now.At)
	}
	switch b.phase {
	case boutOn:
		b.begun.join(now.value)
		return
	case boutOutside:
		b.phase, b.began, b.gravest = boutStarting, now.At, now.value
	}
	b.gravest = b.begun.graver(b.gravest, now.value)
	if now.At-b.began >= b.lasting {
		b.phase = boutOn
		b.begun.counted.push(Sample{b.began, b.gravest})
	}
}

// since counts the events that began at or after a moment; moments only grow.
func (b *bouts) since(start moment.Instant) int64 {
	b.begun.leave(start)
	return int64(b.begun.counted.length())
}

// Span is a stretch of time, both ends included.
type Span struct{ First, Last moment.Instant }

// Window is where the gauge looked: of the latest reading alone, the moment of
// that reading.
func (g *Gauge) Window(at moment.Instant) (from, to moment.Instant, cites Span) {
	switch {
	case g.days != nil:
		return g.days.start, at, Span{g.days.start, at}
	case !g.spec.single:
		return at - g.spec.length, at, Span{at - g.spec.length + 1, at}
	case g.Count == 0:
		return moment.FarPast, moment.FarPast, Span{0, -1}
	case g.Count == 2:
		from = g.Series.Previous.At
	default:
		from = g.Series.Last.At
	}
	return from, g.Series.Last.At, Span{from, g.Series.Last.At}
}
