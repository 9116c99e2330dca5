package engine

import (
	"fmt"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/absence"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/series"
)

// fitted is a plan with a patient's settings in place. It never changes:
// patients without settings of their own share one.
type fitted struct {
	plan     *Plan
	settings protocols.Settings
	lookback time.Duration

	series []series.Fit
	gauges []series.GaugeFit
	leaves []leafFit
	guards []*series.GuardFit // by place of the measure; nil where nothing is doubted
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
		series: make([]series.Fit, len(p.series)), gauges: make([]series.GaugeFit, len(p.gauges)), leaves: make([]leafFit, len(p.leaves)),
	}
	for i := range p.measures {
		f.guards = append(f.guards, f.guardOf(&p.measures[i]))
	}
	for i := range p.gauges {
		f.gauges[i] = p.gauges[i].Fit(p.protocol, settings)
		p.gauges[i].MakeRoom(f.series)
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
		of := &f.series[f.plan.gauges[spec.gauge].Series]
		of.Closes = true
		of.Reach(wanted)
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
	needs, err := s.plan.periodsMissing(r.plan.rule.Absence, s.enrolment.Settings)
	if err != nil {
		return fmt.Errorf("rule %s: %w", r.plan.rule.ID, err)
	}
	r.absence = absence.New(r.plan.rule.Absence, &s.enrolment, needs)
	s.lookback = max(s.lookback, absence.Reach(r.plan.rule.Absence))
	return nil
}

// periodsMissing is, for each level of an absence, how many periods in a row it takes.
func (p *Plan) periodsMissing(a *protocols.Absence, settings protocols.Settings) (needs []int, err error) {
	for i := range a.Missing {
		periods, err := countOf(p.protocol, &a.Missing[i].Periods, settings)
		if err != nil {
			return nil, err
		}
		needs = append(needs, periods)
	}
	return needs, nil
}

// eventMargin is how long before a window events are followed, so as to know
// which of them began before it. Within such a time readings have been outside,
// inside or silent for long enough to leave no doubt.
const eventMargin = 24 * time.Hour

// reachOf is how much history a comparison needs.
func (f *fitted) reachOf(leaf *leafSpec, fit *leafFit) time.Duration {
	c := leaf.comparison
	reach := f.plan.gauges[leaf.gauge].Lookback(len(f.plan.rules[leaf.rule].series) == 1)
	if fit.wanted > 0 {
		reach = moment.Days(int(fit.wanted))
	}
	if b := c.Minus; b != nil {
		before := int(fit.wanted)
		reach = max(reach, moment.Days(before+b.Ago+b.Days))
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
		reach += time.Duration(g.Length) // whether the first of these readings is believed takes those before it
	}
	return reach
}

// guardOf fits the guard of a measure; nil where no observation has one.
func (f *fitted) guardOf(m *measurePlan) *series.GuardFit {
	spec := m.plausible
	if spec == nil {
		return nil
	}
	p := f.plan.protocol
	return &series.GuardFit{
		Within: p.Value(&spec.Within, f.settings), Agree: p.Value(&spec.Agree, f.settings),
		Length: int64(time.Duration(spec.Days) * 24 * time.Hour), AtLeast: spec.AtLeast,
	}
}
