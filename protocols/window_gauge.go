package protocols

// bounds is a filter with its numbers in place.
type bounds struct{ low, high Value } // both included

func (b bounds) admit(v Value) bool { return b.low <= v && v <= b.high }

// gaugeSpec is the part of a comparison that yields a number. Comparisons that
// differ only in what they compare it with share one.
type gaugeSpec struct {
	comparison *Comparison
	series     int
	base       int   // series of the baseline, or −1
	length     int64 // of a duration window, in nanoseconds
	days       int   // of a window of civil days; 0 for a duration
	single     bool  // looks at the latest one or two readings alone
}

// gauge computes one statistic over one window, step by step.
type gauge struct {
	spec      *gaugeSpec
	statistic Statistic
	series    *series
	base      *series
	where     bounds
	every     int64 // microseconds from one expected reading to the next; 0 when nothing is expected

	// In a duration window: the readings from place from on.
	from    uint64
	sum     int64
	squares wide
	extreme extremes // lowest or highest, where the statistic needs it

	// In a window of civil days, beside what the series keeps.
	start          instant // of the first day
	closed         totals  // the days before today
	closedSums     daySums // over them
	matchedByDay   dayRing[int64]
	matchedEarlier int64 // in the days before today
	baseline       figure
	means          []Value // room to compute the baseline

	// In both.
	matched int64 // in a duration window
	streak  int64 // latest readings in a row that satisfy where, whatever the window
	sorted  sortedValues
	bouts   bouts

	occasion uint64 // for which evidence and result hold
	evidence evidence
	result   figure
}

func (g *gauge) reset() {
	g.from, g.sum, g.squares, g.matched, g.streak = 0, 0, wide{}, 0, 0
	g.extreme.places.clear()
	g.sorted = g.sorted[:0]
	g.bouts.reset()
	g.matchedByDay.reset()
	g.matchedEarlier, g.closed, g.closedSums, g.baseline = 0, totals{}, daySums{}, figure{}
	g.occasion = 0
}

// add takes the reading that the series has just taken.
func (g *gauge) add(now sample) {
	if g.spec.single {
		return
	}
	matches := g.where.admit(now.value)
	if matches {
		g.streak++
	} else {
		g.streak = 0
	}
	switch g.statistic {
	case Median:
		g.sorted.insert(now.value)
	case Events:
		g.bouts.add(now.at, matches)
	}
	if g.spec.days == 0 {
		g.addToDuration(now, matches)
	} else if matches {
		g.matchedByDay.today++
	}
}

func (g *gauge) addToDuration(now sample, matches bool) {
	g.sum += int64(now.value)
	if matches {
		g.matched++
	}
	switch g.statistic {
	case CV:
		g.squares.add(square(now.value))
	case Min, Max, Rise, Fall:
		g.extreme.push(&g.series.samples, g.series.samples.tail-1)
	}
	g.slide(now.at)
}

// slide lets readings leave a duration window that ends at that moment.
func (g *gauge) slide(at instant) {
	samples := &g.series.samples
	for ; g.from < samples.tail; g.from++ {
		oldest := samples.at(g.from)
		if oldest.at > at-g.spec.length {
			break
		}
		g.sum -= int64(oldest.value)
		if g.where.admit(oldest.value) {
			g.matched--
		}
		switch g.statistic {
		case CV:
			g.squares.subtract(square(oldest.value))
		case Median:
			g.sorted.remove(oldest.value)
		}
	}
	g.extreme.leave(g.from)
}

// enter begins a civil day, after the series has done so.
func (g *gauge) enter(day civilDay, calendar *wallCalendar) {
	g.matchedByDay.enter(day)
	if g.spec.days > 0 {
		g.enterWindow(day, calendar)
	}
	if minus := g.spec.comparison.Minus; minus != nil && minus.Ago > 0 {
		g.baseline = baselineOf(minus, g.base, day, g.means)
	}
}

func (g *gauge) enterWindow(day civilDay, calendar *wallCalendar) {
	first := day - civilDay(g.spec.days) + 1
	g.start = calendar.startOf(first)
	g.closed, g.closedSums, g.matchedEarlier = totals{}, daySums{}, 0
	for d := first; d < day; d++ {
		if on := g.series.days.on(d); on.count > 0 {
			g.closed.join(on)
			g.closedSums.add(int64(d-first), int64(on.mean()))
			g.matchedEarlier += *g.matchedByDay.on(d)
		}
	}
	if g.statistic != Median {
		return
	}
	for ; g.from < g.series.samples.tail && g.series.samples.at(g.from).at < g.start; g.from++ {
		g.sorted.remove(g.series.samples.at(g.from).value)
	}
}

// read computes the figure at a moment, once per occasion.
func (g *gauge) read(at instant, occasion uint64) figure {
	if g.occasion == occasion {
		return g.result
	}
	g.occasion = occasion
	e := &g.evidence
	e.every = g.every
	switch {
	case g.spec.single:
		g.readSingle(at, e)
	case g.spec.days > 0:
		g.readDays(at, e)
	default:
		g.readDuration(at, e)
	}
	e.streak = min(g.streak, e.count)
	if g.statistic == Median {
		e.middle = g.sorted.middle()
	}
	g.result = g.judge(e)
	return g.result
}

// judge computes the statistic, less its baseline, if the window holds enough
// of what was expected.
func (g *gauge) judge(e *evidence) figure {
	c := g.spec.comparison
	if c.Floor > 0 && wear(e).compare(c.Floor) < 0 {
		return figure{}
	}
	result := g.statistic.of(e)
	if c.Minus == nil {
		return result
	}
	if c.Minus.Ago == 0 {
		g.baseline = baselineOf(c.Minus, g.base, g.base.days.day, g.means)
	}
	return result.minus(g.baseline)
}

func (g *gauge) readSingle(at instant, e *evidence) {
	s := g.series
	e.totals, e.previous = totals{}, Missing
	if s.last.at <= at-g.spec.length {
		return
	}
	e.count, e.first, e.last = 1, s.last.value, s.last.value
	if g.statistic == Step && s.previous.at > at-g.spec.length {
		e.count, e.first, e.previous = 2, s.previous.value, s.previous.value
	}
}

func (g *gauge) readDuration(at instant, e *evidence) {
	g.slide(at)
	samples := &g.series.samples
	e.totals, e.previous, e.matched = totals{}, Missing, g.matched
	e.span = g.spec.length / 1000
	e.count, e.sum, e.squares = int64(samples.tail-g.from), g.sum, g.squares
	if e.count == 0 {
		return
	}
	e.first, e.last = samples.at(g.from).value, samples.at(samples.tail-1).value
	if e.count > 1 {
		e.previous = samples.at(samples.tail - 2).value
	}
	switch g.statistic {
	case Min, Rise:
		e.low = g.extreme.value(samples)
	case Max, Fall:
		e.high = g.extreme.value(samples)
	case Events:
		e.events = g.bouts.since(at - g.spec.length + 1)
	}
}

func (g *gauge) readDays(at instant, e *evidence) {
	today := &g.series.days.today
	e.totals = g.closed
	e.join(today)
	e.matched = g.matchedEarlier + g.matchedByDay.today
	e.span = (at - g.start) / 1000
	e.days = g.closedSums
	if today.count > 0 {
		e.days.add(int64(g.spec.days-1), int64(today.mean()))
	}
	e.previous = Missing
	if g.series.previous.at >= g.start {
		e.previous = g.series.previous.value
	}
	if g.statistic == Events {
		e.events = g.bouts.since(g.start)
	}
}

// bouts follows the events of the Events statistic.
type bouts struct {
	lasting, ending, gap int64 // nanoseconds
	phase                boutPhase
	began                instant // the event, or what may become one
	left                 instant // when readings went back outside
	latest               instant // the latest reading
	begun                queue[instant]
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
	b.begun.clear()
}

func (b *bouts) add(at instant, inside bool) {
	if b.phase != boutOutside && at-b.latest > b.gap {
		b.phase = boutOutside
	}
	b.latest = at
	if inside {
		b.inside(at)
		return
	}
	switch b.phase {
	case boutStarting:
		b.phase = boutOutside
	case boutOn:
		b.phase, b.left = boutEnding, at
	}
}

func (b *bouts) inside(at instant) {
	if b.phase == boutEnding {
		b.phase = boutOn
		if at-b.left >= b.ending {
			b.phase = boutOutside
		}
	}
	if b.phase == boutOutside {
		b.phase, b.began = boutStarting, at
	}
	if b.phase == boutStarting && at-b.began >= b.lasting {
		b.phase = boutOn
		b.begun.push(b.began)
	}
}

// since counts the events that began at or after a moment; moments only grow.
func (b *bouts) since(start instant) int64 {
	for b.begun.length() > 0 && *b.begun.at(b.begun.head) < start {
		b.begun.head++
	}
	return int64(b.begun.length())
}
