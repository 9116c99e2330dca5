package protocols

import "time"

// fitGauge gives gauge i what it needs of the patient's settings, and its
// series the room for its window.
func (s *State) fitGauge(i int) {
	spec := &s.plan.gauges[i]
	c := spec.comparison
	g := &s.gauges[i]
	g.spec, g.statistic, g.series = spec, c.Statistic, &s.series[spec.series]
	g.where = s.plan.protocol.bounds(c.Where, s.enrolment.Settings)
	g.every = int64(usualStep(s.plan.protocol, c, s.enrolment.Settings) / time.Microsecond)
	g.extreme.high = c.Statistic == Max || c.Statistic == Fall
	g.series.gauges = append(g.series.gauges, i)
	g.series.reach(spec.days - 1)
	if spec.days > 0 {
		g.matchedByDay.past = make([]int64, spec.days-1)
	}
	switch {
	case spec.days > 0 && c.Statistic == Median:
		g.series.keep = max(g.series.keep, int64(days(spec.days)))
	case spec.days == 0 && !spec.single:
		g.series.keep = max(g.series.keep, spec.length)
	}
	if b := c.Minus; b != nil {
		g.base = &s.series[spec.base]
		g.base.reach(b.Ago + b.Days - 1)
		g.means = make([]Value, 0, b.Days)
	}
	if e := c.Event; e != nil {
		g.bouts.lasting, g.bouts.ending = int64(e.Lasting), int64(e.Ending)
		g.bouts.gap = int64(e.silence())
	}
}

// silence is the longest one inside an event: the longer of its other
// durations, when nothing else is said.
func (e *EventShape) silence() time.Duration {
	if e.Gap > 0 {
		return e.Gap
	}
	return max(e.Lasting, e.Ending)
}

// reach makes sure that the series keeps the totals of that many days before
// today.
func (s *series) reach(days int) {
	if days > len(s.days.past) {
		s.days.past = make([]totals, days)
	}
}

func (s *State) fitLeaf(i int) error {
	spec := &s.plan.leaves[i]
	p := s.plan.protocol
	l := &s.leaves[i]
	l.spec, l.gauge = spec, &s.gauges[spec.gauge]
	l.limits = p.limits(spec.comparison, s.enrolment.Settings)
	if spec.comparison.daily() {
		wanted, err := p.count(&spec.comparison.Days, s.enrolment.Settings)
		if err != nil {
			return err
		}
		l.wanted = civilDay(wanted)
		l.gauge.series.daily = true
		l.gauge.series.reach(wanted)
	}
	s.lookback = max(s.lookback, s.reachOf(l))
	return nil
}

func (s *State) fitRule(i int) error {
	r := &s.rules[i]
	r.plan, r.levels = &s.plan.rules[i], s.plan.rules[i].rule.levels()
	r.standing, r.open = atRest, -1
	for j := range r.plan.rule.Levels {
		confirm := r.plan.rule.Levels[j].Confirm
		r.confirm[j] = int64(confirm)
		s.lookback = max(s.lookback, confirm)
	}
	if r.plan.rule.Absence == nil {
		return nil
	}
	a, err := newAbsence(s.plan.protocol, r.plan.rule.Absence, &s.enrolment)
	if err != nil {
		return err
	}
	r.absence = a
	s.lookback = max(s.lookback, a.reach())
	return nil
}

// days is how long that many civil days can last, with a change of the clock
// and a day already begun.
func days(n int) time.Duration { return time.Duration(n+1)*24*time.Hour + 2*time.Hour }

// eventMargin is how long before a window events are followed, so as to know
// which of them began before it. Within such a time readings have been outside,
// inside or silent for long enough to leave no doubt.
const eventMargin = 24 * time.Hour

// reachOf is how much history a comparison needs.
func (s *State) reachOf(l *leaf) time.Duration {
	c := l.spec.comparison
	reach := c.Window.Length
	switch spec := l.gauge.spec; {
	case l.wanted > 0:
		reach = days(int(l.wanted))
	case spec.days > 0:
		reach = days(spec.days)
	case c.Window == Window{} && c.Statistic == Last && len(s.plan.rules[l.spec.rule].series) == 1:
		reach = 0 // it looks at the reading that causes the evaluation, or that waits to be confirmed: see fitRule
	case c.Window == Window{}:
		reach = freshness
	}
	if b := c.Minus; b != nil {
		before := int(l.wanted)
		reach = max(reach, days(before+b.Ago+b.Days))
	}
	if e := c.Event; e != nil {
		reach += e.Lasting + e.Ending + e.silence() + eventMargin
	}
	if c.Lasting > 0 {
		// The stretch may have begun a gap before it had to, and its latest
		// reading may be a gap old.
		reach += c.Lasting + 2*time.Duration(l.spec.gap)
	}
	return reach
}
