package plan

import (
	"fmt"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/series"
)

// Fitted is a plan with a patient's settings in place. It never changes:
// patients without settings of their own share one.
type Fitted struct {
	plan     *Plan
	settings protocols.Settings
	Lookback time.Duration

	Series []series.Fit
	Gauges []series.GaugeFit
	Leaves []LeafFit
	Scores []ScoreFit
	Guards []*series.GuardFit // by place of the measure; nil where nothing is doubted
}

// ScoreFit is how many points a score takes, to be entered and to stay.
type ScoreFit struct{ Enter, Stay protocols.Value }

// Fitting returns the plan with settings in place.
func (p *Plan) Fitting(settings protocols.Settings) (*Fitted, error) {
	if len(settings) == 0 {
		return p.usual()
	}
	return p.fit(settings)
}

func (p *Plan) fit(settings protocols.Settings) (*Fitted, error) {
	if err := checkSettings(p.Protocol, settings); err != nil {
		return nil, err
	}
	f := &Fitted{
		plan: p, settings: settings,
		Series: make([]series.Fit, len(p.Series)), Gauges: make([]series.GaugeFit, len(p.Gauges)), Leaves: make([]LeafFit, len(p.Leaves)),
	}
	for i := range p.Measures {
		f.Guards = append(f.Guards, f.guardOf(&p.Measures[i]))
	}
	for i := range p.Gauges {
		f.Gauges[i] = p.Gauges[i].Fit(p.Protocol, settings)
		p.Gauges[i].MakeRoom(f.Series)
	}
	for _, s := range p.Scores {
		from := p.Protocol.Value(&s.From, settings)
		f.Scores = append(f.Scores, ScoreFit{Enter: from, Stay: from - s.Margin})
	}
	for i := range p.Leaves {
		if err := f.leaf(i); err != nil {
			return nil, fmt.Errorf("rule %s: %w", p.Rules[p.Leaves[i].Rule].Rule.ID, err)
		}
	}
	for i := range p.Rules {
		for _, confirm := range p.Rules[i].Confirm {
			f.Lookback = max(f.Lookback, time.Duration(confirm))
		}
	}
	return f, nil
}

func (f *Fitted) leaf(i int) error {
	spec := &f.plan.Leaves[i]
	l := &f.Leaves[i]
	l.Limits = limitsOf(f.plan.Protocol, spec.Comparison, f.settings)
	if spec.Comparison.Daily() {
		wanted, err := countOf(f.plan.Protocol, &spec.Comparison.Days, f.settings)
		if err != nil {
			return err
		}
		l.Wanted = protocols.CivilDay(wanted)
		of := &f.Series[f.plan.Gauges[spec.Gauge].Series]
		of.Closes = true
		of.Reach(wanted)
	}
	f.Lookback = max(f.Lookback, f.reachOf(spec, l))
	return nil
}

// PeriodsMissing is, for each level of an absence, how many periods in a row it takes.
func (p *Plan) PeriodsMissing(a *protocols.Absence, settings protocols.Settings) (needs []int, err error) {
	for i := range a.Missing {
		periods, err := countOf(p.Protocol, &a.Missing[i].Periods, settings)
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
func (f *Fitted) reachOf(leaf *Leaf, fit *LeafFit) time.Duration {
	c := leaf.Comparison
	reach := f.plan.Gauges[leaf.Gauge].Lookback(!leaf.remarks && len(f.plan.Rules[leaf.Rule].Series) == 1)
	if fit.Wanted > 0 {
		reach = moment.Days(int(fit.Wanted))
	}
	if b := c.Minus; b != nil {
		before := int(fit.Wanted)
		reach = max(reach, moment.Days(before+b.Ago+b.Days))
	}
	if b := c.Beside; b != nil {
		reach += b.Within
	}
	if e := c.Event; e != nil {
		reach += e.Lasting + e.Ending + e.Silence() + eventMargin
	}
	if c.Lasting > 0 {
		// The stretch may have begun a gap before it had to, and its latest
		// reading may be a gap old.
		reach += c.Lasting + 2*time.Duration(leaf.Gap)
	}
	if g := f.Guards[f.plan.Places[c.Measure.Ordinal()]]; g != nil {
		reach += time.Duration(g.Length) // whether the first of these readings is believed takes those before it
	}
	return reach
}

// guardOf fits the guard of a measure; nil where no observation has one.
func (f *Fitted) guardOf(m *Measure) *series.GuardFit {
	spec := m.plausible
	if spec == nil {
		return nil
	}
	p := f.plan.Protocol
	fit := &series.GuardFit{
		Within: max(0, p.Value(&spec.Within, f.settings)), Agree: p.Value(&spec.Agree, f.settings),
		Length: int64(time.Duration(spec.Days) * 24 * time.Hour), AtLeast: spec.AtLeast, Seed: protocols.Missing,
	}
	if setting, set := f.settings[spec.Seed.Parameter]; set {
		fit.Seed, fit.SeedSet = setting.Value, setting.Date
	}
	return fit
}
