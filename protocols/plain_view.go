package protocols

import (
	"slices"
	"time"
)

// view is the history as it looks at one moment: nothing later is known.
type view struct {
	run     *plainRun
	at      time.Time
	today   civilDay // the last day of windows of civil days
	closed  civilDay // the latest day that is over
	seen    []*Reading
	reading *Reading // that causes the evaluation; nil for the end of a day or a deadline
}

func (run *plainRun) viewAt(at time.Time) view {
	at = at.UTC()
	today := dateOf(at.In(run.enrolment.Zone))
	return view{run: run, at: at, today: today, closed: today - 1, seen: run.readings[:run.seen]}
}

// asOf is the view from a reading seen before.
func (w view) asOf(place int) view {
	earlier := w.run.viewAt(w.seen[place].Time)
	earlier.seen = w.seen[:place+1]
	return earlier
}

// atEndOf is the view from the end of a day that is over.
func (w view) atEndOf(day civilDay) view {
	end := (day + 1).at(w.run.enrolment.Zone, 0).UTC()
	seen := 0
	for seen < len(w.seen) && w.seen[seen].Time.Before(end) {
		seen++
	}
	return view{run: w.run, at: end, today: day, closed: day, seen: w.seen[:seen]}
}

// plainSample is one number and where its reading stands in view.seen.
type plainSample struct {
	at    time.Time
	day   civilDay
	value Value
	place int
}

// feeds reports whether a reading counts in a comparison.
func (w view) feeds(c *Comparison, r *Reading) bool {
	_, takes := c.series(c.coarse()).pick(r)
	return takes && !w.run.protocol.ignores(r)
}

// coarse reports whether readings of which only the day is known count: only
// windows of civil days take them.
func (c *Comparison) coarse() bool { return c.Window.Days > 0 || c.daily() }

func (c *Comparison) series(coarse bool) *seriesSpec {
	return &seriesSpec{measure: c.Measure, component: c.Component, minus: c.MinusComponent, variant: c.Variant, coarse: coarse}
}

func (p *Protocol) ignores(r *Reading) bool {
	for i := range p.Observations {
		o := &p.Observations[i]
		if o.Measure != r.Measure || o.Variant != 0 && o.Variant != r.Variant {
			continue
		}
		if slices.ContainsFunc(r.Flags, func(flag string) bool { return slices.Contains(o.IgnoreFlags, flag) }) {
			return true
		}
	}
	return false
}

// samples are all the numbers that a comparison knows of, in order.
func (w view) samples(c *Comparison, coarse bool) []plainSample {
	var found []plainSample
	series := c.series(coarse)
	for i, r := range w.seen {
		if value, takes := series.pick(r); takes && !w.run.protocol.ignores(r) {
			found = append(found, plainSample{r.Time, dateOf(r.Time.In(w.run.enrolment.Zone)), value, i})
		}
	}
	return found
}

// inWindow are the numbers that the statistic is computed from.
func (w view) inWindow(c *Comparison, all []plainSample) []plainSample {
	first, days := w.at.Add(-c.Window.Length), c.Window.Days
	if c.daily() {
		days = 1
	}
	if c.Window == (Window{}) && !c.daily() {
		first = w.at.Add(-freshness)
	}
	var inside []plainSample
	for _, s := range all {
		if days > 0 && s.day > w.today-civilDay(days) && s.day <= w.today || days == 0 && s.at.After(first) {
			inside = append(inside, s)
		}
	}
	if c.Window != (Window{}) || c.daily() {
		return inside
	}
	switch latest := len(inside); {
	case c.Statistic == Last && latest > 1:
		return inside[latest-1:]
	case c.Statistic == Step && latest > 2:
		return inside[latest-2:]
	}
	return inside
}

// truth is the outcome of a condition.
func (w view) truth(c *Condition, m mode) truth {
	switch {
	case c.Compare != nil && m == raising:
		return w.raises(c.Compare)
	case c.Compare != nil:
		return w.holds(c.Compare)
	case c.Not != nil:
		return -w.truth(c.Not, !m)
	case c.All != nil:
		result := yes
		for i := range c.All {
			result = min(result, w.truth(&c.All[i], m))
		}
		return result
	}
	result := no
	for i := range c.Any {
		result = max(result, w.truth(&c.Any[i], m))
	}
	return result
}

func (w view) raises(c *Comparison) truth {
	switch {
	case c.daily():
		result := yes
		for day := w.closed - w.wanted(c) + 1; day <= w.closed; day++ {
			result = min(result, w.onDay(c, day, raising))
		}
		return result
	case c.Lasting > 0:
		return w.lasts(c)
	}
	return w.compared(c, raising)
}

func (w view) holds(c *Comparison) truth {
	if c.daily() {
		return w.onDay(c, w.closed, holding)
	}
	return w.compared(c, holding)
}

// wanted is how many days in a row a comparison asks for; For has checked it.
func (w view) wanted(c *Comparison) civilDay {
	return civilDay(w.run.protocol.value(&c.Days, w.run.enrolment.Settings) / 1000)
}

// onDay compares the statistic of one day that is over. A day without readings
// says nothing.
func (w view) onDay(c *Comparison, day civilDay, m mode) truth {
	then := w.atEndOf(day)
	if len(then.inWindow(c, then.samples(c, true))) == 0 {
		return unknown
	}
	return then.compared(c, m)
}

// compared compares the statistic as it is now.
func (w view) compared(c *Comparison, m mode) truth {
	number := w.statistic(c)
	if number == nil {
		return unknown
	}
	limits := w.run.protocol.limits(c, w.run.enrolment.Settings)
	if m == holding && limits.clear != Missing {
		side := number.Cmp(ratio(int64(limits.clear), 1))
		if c.Operator == Above || c.Operator == AtLeast {
			return truthOf(side >= 0)
		}
		return truthOf(side <= 0)
	}
	side := number.Cmp(ratio(int64(limits.threshold), 1))
	switch c.Operator {
	case Above:
		return truthOf(side > 0)
	case AtLeast:
		return truthOf(side >= 0)
	case Below:
		return truthOf(side < 0)
	}
	return truthOf(side <= 0)
}

// lasts looks back from the latest reading for how long the comparison has held
// on every one.
func (w view) lasts(c *Comparison) truth {
	if now := w.compared(c, raising); now != yes {
		return now
	}
	gap := c.Gap
	if gap == 0 {
		gap = c.Lasting
	}
	var begun, latest time.Time
	samples := w.samples(c, c.coarse())
	for i := len(samples) - 1; i >= 0; i-- {
		is := w.asOf(samples[i].place).compared(c, raising)
		if is == no || is == yes && !begun.IsZero() && begun.Sub(samples[i].at) > gap {
			break
		}
		if is == unknown {
			continue
		}
		begun = samples[i].at
		if latest.IsZero() {
			latest = begun
		}
	}
	if latest.IsZero() || w.at.Sub(latest) > gap {
		return unknown
	}
	return truthOf(latest.Sub(begun) >= c.Lasting)
}

// compare tells how the comparisons of a condition come out, and the readings
// they rest on.
func (w view) compare(condition *Condition) ([]Compared, []Cited) {
	t := teller{w.run.protocol, w.run.enrolment}
	var shown []Compared
	var windows []window
	condition.each(func(c *Comparison) {
		out := w.outcome(c)
		shown = append(shown, t.compared(c, out))
		windows = append(windows, window{c.series(c.coarse()), out.cites})
	})
	return shown, cited(w.latest(windows), windows)
}

// latest are the latest readings of each measure.
func (w view) latest(windows []window) []*Reading {
	var found []*Reading
	count := map[*Measure]int{}
	for i := len(w.seen) - 1; i >= 0; i-- {
		r := w.seen[i]
		used := slices.ContainsFunc(windows, func(w window) bool { return w.series.measure == r.Measure })
		if used && count[r.Measure] < maxCited && !w.run.protocol.ignores(r) {
			count[r.Measure]++
			found = append(found, r)
		}
	}
	return found
}

func (w view) outcome(c *Comparison) outcome {
	out := outcome{truth: w.raises(c)}
	samples := w.samples(c, c.coarse())
	if c.daily() {
		first := w.closed - w.wanted(c) + 1
		for _, s := range samples {
			if first <= s.day && s.day <= w.closed {
				out.count++
			}
		}
		if w.onDay(c, w.closed, raising) != unknown {
			out.figure = figureOf(w.atEndOf(w.closed).statistic(c))
		}
		zone := w.run.enrolment.Zone
		out.from, out.to = first.at(zone, 0).UnixNano(), (w.closed+1).at(zone, 0).UnixNano()
		out.cites = span{out.from, out.to - 1}
		return out
	}
	out.figure = figureOf(w.statistic(c))
	inside := w.inWindow(c, samples)
	out.count = len(inside)
	out.from, out.to, out.cites = w.bounds(c, inside)
	return out
}

// bounds is where a comparison looked.
func (w view) bounds(c *Comparison, inside []plainSample) (from, to instant, cites span) {
	at := w.at.UnixNano()
	switch {
	case c.Window.Days > 0:
		from = (w.today - civilDay(c.Window.Days) + 1).at(w.run.enrolment.Zone, 0).UnixNano()
		return from, at, span{from, at}
	case c.Window.Length > 0:
		from = at - int64(c.Window.Length)
		return from, at, span{from + 1, at}
	case c.Statistic == Streak:
		from = at - int64(freshness)
		return from, at, span{from + 1, at}
	case len(inside) == 0:
		return farPast, farPast, span{0, -1}
	}
	from, to = inside[0].at.UnixNano(), inside[len(inside)-1].at.UnixNano()
	return from, to, span{from, to}
}
