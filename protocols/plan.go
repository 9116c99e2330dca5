package protocols

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Plan is a protocol made ready for evaluation: which numbers are followed over
// which windows, which rules look at them, and in which order. It is made once
// per protocol version and shared; it never changes.
type Plan struct {
	protocol *Protocol
	places   []int // by ordinal of a measure: its place in measures, or −1
	measures []measurePlan
	series   []seriesSpec
	looking  [][]int // by series: the gauges that look at it
	gauges   []gaugeSpec
	leaves   []leafSpec
	rules    []rulePlan // as in the protocol
	clusters []clusterPlan
	memories int                     // leaves that remember something
	usual    func() (*fitted, error) // for patients without settings of their own
}

// measurePlan is a measure that some rule looks at.
type measurePlan struct {
	measure  *Measure
	cluster  int
	series   []int
	ignoring []*Observation // those with flags to ignore
	rules    []int          // that look at it, holders first
	reach    int64          // of its longest window of a duration, in nanoseconds
	daily    bool           // it has windows of civil days
}

// ignores reports whether a reading never feeds a rule, for its flags.
func (m *measurePlan) ignores(r *Reading) bool {
	if len(r.Flags) == 0 {
		return false
	}
	for _, o := range m.ignoring {
		if o.Variant != 0 && o.Variant != r.Variant {
			continue
		}
		for _, flag := range r.Flags {
			if slices.Contains(o.IgnoreFlags, flag) {
				return true
			}
		}
	}
	return false
}

// leafSpec is one comparison of one rule.
type leafSpec struct {
	comparison *Comparison
	gauge      int
	rule       int
	lasting    int64 // nanoseconds
	gap        int64
	memory     int // place in State.memories, or −1 when it needs none
}

// rulePlan is a rule ready to be evaluated.
type rulePlan struct {
	rule     *Rule
	cluster  int
	levels   []node // one per level; none for absence
	names    []Level
	confirm  [maxLevels]int64 // nanoseconds; 0 for none
	leaves   []int
	series   []int
	heldBy   []int
	confirms bool
}

// levels names the levels of a rule, mildest first.
func (r *Rule) levels() []Level {
	var levels []Level
	for _, l := range r.Levels {
		levels = append(levels, l.Level)
	}
	if r.Absence != nil {
		for _, m := range r.Absence.Missing {
			levels = append(levels, m.Level)
		}
	}
	return levels
}

// clusterPlan is a set of rules that share measures or hold one another back,
// directly or through others. A late reading disturbs its own cluster only.
type clusterPlan struct {
	measures []int
	series   []int
	gauges   []int
	lasting  []int // leaves with Lasting
	daily    []int // leaves with Days
	rules    []int // holders first
}

// NewPlan makes a protocol ready for evaluation. Its error says what cannot be
// evaluated and where.
func NewPlan(p *Protocol) (*Plan, error) {
	b := &planner{plan: &Plan{protocol: p, places: make([]int, len(measures))}, protocol: p}
	for i := range b.plan.places {
		b.plan.places[i] = -1
	}
	if err := b.rules(); err != nil {
		return nil, fmt.Errorf("protocol %s: %w", p.ID, err)
	}
	if err := b.clusters(); err != nil {
		return nil, fmt.Errorf("protocol %s: %w", p.ID, err)
	}
	b.plan.usual = sync.OnceValues(func() (*fitted, error) { return b.plan.fit(nil) })
	return b.plan, nil
}

// planner builds a Plan.
type planner struct {
	plan     *Plan
	protocol *Protocol
	rule     int // at work
}

func (b *planner) rules() error {
	seen := map[string]int{}
	for i := range b.protocol.Rules {
		rule := &b.protocol.Rules[i]
		if _, twice := seen[rule.ID]; twice {
			return fmt.Errorf("there are two rules %q", rule.ID)
		}
		seen[rule.ID] = i
		b.rule = i
		b.plan.rules = append(b.plan.rules, rulePlan{rule: rule, names: rule.levels()})
		if err := b.oneRule(rule); err != nil {
			return fmt.Errorf("rule %s: %w", rule.ID, err)
		}
	}
	for i := range b.plan.rules {
		for _, id := range b.protocol.Rules[i].HeldBy {
			holder, known := seen[id]
			if !known {
				return fmt.Errorf("rule %s is held back by %q, which is no rule", b.protocol.Rules[i].ID, id)
			}
			b.plan.rules[i].heldBy = append(b.plan.rules[i].heldBy, holder)
		}
	}
	return nil
}

func (b *planner) oneRule(rule *Rule) error {
	if err := checkRule(b.protocol, rule); err != nil {
		return err
	}
	plan := &b.plan.rules[b.rule]
	if rule.Absence != nil {
		for _, m := range rule.Absence.measures() {
			b.measure(m)
		}
		return nil
	}
	for i := range rule.Levels {
		level := &rule.Levels[i]
		plan.levels = append(plan.levels, b.node(&level.When))
		plan.confirm[i] = int64(level.Confirm)
		plan.confirms = plan.confirms || level.Confirm > 0
	}
	for _, l := range plan.leaves {
		series := b.plan.gauges[b.plan.leaves[l].gauge].series
		if !slices.Contains(plan.series, series) {
			plan.series = append(plan.series, series)
		}
	}
	return nil
}

func (b *planner) node(c *Condition) node {
	several := func(kind nodeKind, parts []Condition) node {
		n := node{kind: kind}
		for i := range parts {
			n.kids = append(n.kids, b.node(&parts[i]))
		}
		return n
	}
	switch {
	case c.Compare != nil:
		return node{kind: nodeCompare, leaf: b.leaf(c.Compare)}
	case c.Not != nil:
		return node{kind: nodeNot, kids: []node{b.node(c.Not)}}
	case c.All != nil:
		return several(nodeAll, c.All)
	}
	return several(nodeAny, c.Any)
}

func (b *planner) leaf(c *Comparison) int {
	gap := c.Gap
	if gap == 0 {
		gap = c.Lasting
	}
	spec := leafSpec{
		comparison: c, gauge: b.gauge(c), rule: b.rule,
		lasting: int64(c.Lasting), gap: int64(gap), memory: -1,
	}
	if c.Lasting > 0 || c.daily() {
		spec.memory = b.plan.memories
		b.plan.memories++
	}
	b.plan.leaves = append(b.plan.leaves, spec)
	leaf := len(b.plan.leaves) - 1
	b.plan.rules[b.rule].leaves = append(b.plan.rules[b.rule].leaves, leaf)
	return leaf
}

// gauge finds or adds what computes the number that c compares.
func (b *planner) gauge(c *Comparison) int {
	spec := gaugeSpec{comparison: c, upkeep: upkeeps[c.Statistic], base: -1, length: int64(c.Window.Length), days: c.Window.Days}
	switch {
	case c.daily():
		spec.length, spec.days = 0, 1
	case c.Window == Window{}:
		spec.length, spec.single = int64(freshness), spec.latest > 0
	}
	spec.series = b.seriesOf(c, spec.days > 0)
	if c.Minus != nil {
		spec.base = b.seriesOf(c, true)
	}
	for i := range b.plan.gauges {
		if other := &b.plan.gauges[i]; other.series == spec.series && sameNumber(other.comparison, c) {
			return i
		}
	}
	b.plan.gauges = append(b.plan.gauges, spec)
	gauge := len(b.plan.gauges) - 1
	b.plan.looking[spec.series] = append(b.plan.looking[spec.series], gauge)
	return gauge
}

// daily reports whether the statistic is taken within each day.
func (c *Comparison) daily() bool { return c.Days != Operand{} }

// sameNumber reports whether two comparisons over the same series compute the
// same number.
func sameNumber(a, b *Comparison) bool {
	return a.Statistic == b.Statistic && a.Window == b.Window && a.daily() == b.daily() && a.Floor == b.Floor &&
		same(a.Minus, b.Minus) && same(a.Event, b.Event) && sameFilter(a.Where, b.Where)
}

func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameFilter(a, b *Filter) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(a.Above, b.Above) && same(a.AtLeast, b.AtLeast) && same(a.Below, b.Below) && same(a.AtMost, b.AtMost)
}

func (b *planner) seriesOf(c *Comparison, coarse bool) int {
	spec := seriesSpec{measure: c.Measure, place: b.measure(c.Measure), component: c.Component, minus: c.MinusComponent, variant: c.Variant, coarse: coarse}
	if i := slices.Index(b.plan.series, spec); i >= 0 {
		return i
	}
	b.plan.series = append(b.plan.series, spec)
	b.plan.looking = append(b.plan.looking, nil)
	i := len(b.plan.series) - 1
	m := &b.plan.measures[spec.place]
	m.series = append(m.series, i)
	return i
}

func (b *planner) measure(m *Measure) int {
	if place := b.plan.places[m.Ordinal()]; place >= 0 {
		return place
	}
	plan := measurePlan{measure: m}
	for i := range b.protocol.Observations {
		if o := &b.protocol.Observations[i]; o.Measure == m && len(o.IgnoreFlags) > 0 {
			plan.ignoring = append(plan.ignoring, o)
		}
	}
	b.plan.measures = append(b.plan.measures, plan)
	place := len(b.plan.measures) - 1
	b.plan.places[m.Ordinal()] = place
	return place
}

// UsualStep is the time from one expected reading of a measure to the next, by
// the cadence of its observation and the patient's settings; 0 when nothing says.
func (p *Protocol) UsualStep(m *Measure, variant uint8, settings Settings) time.Duration {
	o := p.expects(m, variant)
	if o == nil {
		return 0
	}
	cadence := &o.Cadence
	switch {
	case findParameter(p, cadence.EveryParameter) != nil:
		minutes := p.value(&Operand{Parameter: cadence.EveryParameter}, settings)
		return time.Duration(minutes) * time.Minute / 1000
	case cadence.Every > 0:
		return cadence.Every
	case cadence.Times > 0 && cadence.Per == PerDay:
		return 24 * time.Hour / time.Duration(cadence.Times)
	case cadence.Times > 0 && cadence.Per == PerWeek:
		return 7 * 24 * time.Hour / time.Duration(cadence.Times)
	}
	return 0
}
