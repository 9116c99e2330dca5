package engine

import (
	"fmt"
	"time"

	"vigie/protocols"
)

// fitted is a plan with a patient's settings in place. It never changes:
// patients without settings of their own share one.
type fitted struct {
	plan     *Plan
	settings protocols.Settings
	lookback time.Duration

	series []seriesFit
	gauges []gaugeFit
	leaves []leafFit
	guards []*guardFit // by place of the measure; nil where nothing is doubted
}

// seriesFit is how much of its past a series keeps.
type seriesFit struct {
	keep   int64 // how long single readings are kept, in nanoseconds; 0 for not at all
	daily  bool  // the totals of days are kept
	days   int   // those of how many days before today
	means  int   // the means of how many days before today
	closes bool  // a comparison waits for the end of each day with readings
}

// gaugeFit is what a gauge takes from the settings.
type gaugeFit struct {
	where bounds
	every int64 // microseconds from one expected reading to the next; 0 when nothing is expected
}

// leafFit is what a comparison takes from the settings.
type leafFit struct {
	limits
	wanted protocols.CivilDay // with Days: how many days in a row
}

// fitting returns the plan with settings in place.
func (p *Plan) fitting(settings protocols.Settings) (*fitted, error) {
	if len(settings) == 0 {
		return p.usual()
	}
	return p.fit(settings)
}

func (p *Plan) fit(settings protocols.Settings) (*fitted, error) {
	if err := checkSettings(p.protocol, settings); err != nil {
		return nil, err
	}
	f := &fitted{
		plan: p, settings: settings,
		series: make([]seriesFit, len(p.series)), gauges: make([]gaugeFit, len(p.gauges)), leaves: make([]leafFit, len(p.leaves)),
	}
	for i := range p.measures {
		f.guards = append(f.guards, f.guardOf(&p.measures[i]))
	}
	for i := range p.gauges {
		f.gauge(i)
	}
	for i := range p.leaves {
		if err := f.leaf(i); err != nil {
			return nil, fmt.Errorf("rule %s: %w", p.rules[p.leaves[i].rule].rule.ID, err)
		}
	}
	for i := range p.rules {
		for _, confirm := range p.rules[i].confirm {
			f.lookback = max(f.lookback, time.Duration(confirm))
		}
	}
	return f, nil
}

// gauge gives gauge i what it needs of the settings, and its series the room for
// its window.
func (f *fitted) gauge(i int) {
	spec := &f.plan.gauges[i]
	c, series := spec.comparison, &f.series[spec.series]
	f.gauges[i] = gaugeFit{
		where: boundsOf(f.plan.protocol, c.Where, f.settings),
		every: int64(f.plan.protocol.UsualStep(c.Measure, c.Variant, f.settings) / time.Microsecond),
	}
	if spec.days > 0 {
		series.reach(spec.days - 1)
	}
	switch {
	case spec.days > 0 && spec.follows.has(middle):
		series.keep = max(series.keep, int64(days(spec.days)))
	case spec.days == 0 && !spec.single:
		series.keep = max(series.keep, spec.length)
	}
	if b := c.Minus; b != nil {
		base := &f.series[spec.base]
		base.daily, base.means = true, max(base.means, b.Ago+b.Days-1)
	}
}

// reach makes sure that the series keeps the totals of that many days before
// today.
func (s *seriesFit) reach(days int) { s.daily, s.days = true, max(s.days, days) }

func (f *fitted) leaf(i int) error {
	spec := &f.plan.leaves[i]
	l := &f.leaves[i]
	l.limits = limitsOf(f.plan.protocol, spec.comparison, f.settings)
	if spec.comparison.Daily() {
		wanted, err := countOf(f.plan.protocol, &spec.comparison.Days, f.settings)
		if err != nil {
			return err
		}
		l.wanted = protocols.CivilDay(wanted)
		series := &f.series[f.plan.gauges[spec.gauge].series]
		series.closes = true
		series.reach(wanted)
	}
	f.lookback = max(f.lookback, f.reachOf(spec, l))
	return nil
}

// newRule makes rule i ready for an enrolment.
func (s *State) newRule(i int) error {
	r := &s.rules[i]
	r.plan, r.standing, r.open = &s.plan.rules[i], atRest, -1
	if r.plan.rule.Absence == nil {
		return nil
	}
	a, err := newAbsence(s.plan.protocol, r.plan.rule.Absence, &s.enrolment)
	if err != nil {
		return fmt.Errorf("rule %s: %w", r.plan.rule.ID, err)
	}
	r.absence = a
	s.lookback = max(s.lookback, reachOfAbsence(a.rule))
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
func (f *fitted) reachOf(leaf *leafSpec, fit *leafFit) time.Duration {
	c := leaf.comparison
	reach := c.Window.Length
	switch spec := &f.plan.gauges[leaf.gauge]; {
	case fit.wanted > 0:
		reach = days(int(fit.wanted))
	case spec.days > 0:
		reach = days(spec.days)
	case c.Window == protocols.Window{} && spec.latest == 1 && len(f.plan.rules[leaf.rule].series) == 1:
		reach = 0 // it looks at the reading that causes the evaluation, or that waits to be confirmed
	case c.Window == protocols.Window{}:
		reach = protocols.Freshness
	}
	if b := c.Minus; b != nil {
		before := int(fit.wanted)
		reach = max(reach, days(before+b.Ago+b.Days))
	}
	reach += c.Apart
	if e := c.Event; e != nil {
		reach += e.Lasting + e.Ending + e.Silence() + eventMargin
	}
	if c.Lasting > 0 {
		// The stretch may have begun a gap before it had to, and its latest
		// reading may be a gap old.
		reach += c.Lasting + 2*time.Duration(leaf.gap)
	}
	if g := f.guards[f.plan.places[c.Measure.Ordinal()]]; g != nil {
		reach += time.Duration(g.length) // whether the first of these readings is believed takes those before it
	}
	return reach
}
