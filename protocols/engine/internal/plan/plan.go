// Package plan makes a protocol ready for evaluation, once for all its patients: which
// numbers are followed over which windows, and which rules look at them in which order.
// Plan.Fitting puts the settings of one patient in place.
package plan

import (
	"fmt"
	"slices"
	"sync"

	"vigie/protocols"
	"vigie/protocols/engine/internal/series"
)

// Plan is a protocol made ready for evaluation: which numbers are followed over
// which windows, which rules look at them, and in which order. It is made once
// per protocol version and shared; it never changes.
type Plan struct {
	Protocol  *protocols.Protocol
	Places    []int // by ordinal of a measure: its place in measures, or −1
	Measures  []Measure
	Series    []series.Spec
	Looking   []Looking // by series
	Gauges    []series.GaugeSpec
	Stretches []series.StretchSpec
	Leaves    []Leaf
	Scores    []*protocols.Score
	Rules     []Rule // as in the protocol
	Clusters  []Cluster
	Memories  int                     // leaves that remember something
	usual     func() (*Fitted, error) // for patients without settings of their own
}

// Looking is what takes each reading of a series.
type Looking struct {
	Gauges    []int // those that count
	Stretches []int
}

// Measure is a measure that some rule looks at.
type Measure struct {
	Measure   *protocols.Measure
	Cluster   int
	Series    []int
	ignoring  []*protocols.Observation // those with flags to ignore
	plausible *protocols.Plausibility  // nil where nothing is doubted
	Rules     []int                    // that look at it, holders first
	Reach     int64                    // of its longest window of a duration, in nanoseconds
	Daily     bool                     // it has windows of civil days
	Meals     bool                     // a comparison looks at when, by a meal, it was measured
	flags     []string                 // that a comparison looks at
}

// Says are the flags that a reading carries and that a comparison looks at, a bit each.
func (m *Measure) Says(r *protocols.Reading) (said int32) {
	if len(r.Flags) == 0 {
		return 0
	}
	for i, flag := range m.flags {
		if slices.Contains(r.Flags, flag) {
			said |= 1 << i
		}
	}
	return said
}

// LooksAt reports whether a series looks at one of these flags.
func (m *Measure) LooksAt(s *series.Spec, flags int32) bool {
	i := slices.Index(m.flags, s.Flag)
	return i >= 0 && flags&(1<<i) != 0
}

// Ignores reports whether a reading never feeds a rule, for its flags.
func (m *Measure) Ignores(r *protocols.Reading) bool {
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

// Leaf is one comparison of one rule.
type Leaf struct {
	Comparison *protocols.Comparison
	Gauge      int
	Rule       int
	Lasting    int64 // nanoseconds
	Gap        int64
	Memory     int  // place in State.memories, or −1 when it needs none
	remarks    bool // it belongs to a remark: readings that feed it cause no evaluation
}

// Rule is a rule ready to be evaluated.
type Rule struct {
	Rule    *protocols.Rule
	Cluster int
	Levels  []Node // one per level; none for absence
	Names   []protocols.Level
	Confirm [MaxLevels]int64 // nanoseconds; 0 for none
	// ConfirmApart is the least distance of the second reading, in nanoseconds.
	ConfirmApart [MaxLevels]int64
	Remarks      []Node // one per remark
	Leaves       []int  // of the levels
	Series       []int
	beside       []int  // series of the remarks
	Feeds        uint64 // the bits of series
	HeldBy       []int
	YieldsTo     []int // those that hold back what is not graver than they stand
	Confirms     bool
}

// holders are the places of every rule that may hold this one back.
func (r *Rule) holders() []int { return slices.Concat(r.HeldBy, r.YieldsTo) }

// Cluster is a set of rules that share measures or hold one another back,
// directly or through others. A late reading disturbs its own cluster only.
type Cluster struct {
	Measures  []int
	Series    []int
	Gauges    []int
	Stretches []int
	Lasting   []int // leaves with Lasting
	Daily     []int // leaves with Days
	Rules     []int // holders first
}

// New makes a protocol ready for evaluation. Its error says what cannot be
// evaluated and where.
func New(p *protocols.Protocol) (*Plan, error) {
	b := &planner{plan: &Plan{Protocol: p, Places: make([]int, len(protocols.Measures()))}, protocol: p}
	for i := range b.plan.Places {
		b.plan.Places[i] = -1
	}
	for i := range p.Observations {
		if err := checkPlausible(p, &p.Observations[i]); err != nil {
			return nil, fmt.Errorf("protocol %s: %w", p.ID, err)
		}
	}
	if err := b.rules(); err != nil {
		return nil, fmt.Errorf("protocol %s: %w", p.ID, err)
	}
	if err := b.clusters(); err != nil {
		return nil, fmt.Errorf("protocol %s: %w", p.ID, err)
	}
	b.plan.usual = sync.OnceValues(func() (*Fitted, error) { return b.plan.fit(nil) })
	return b.plan, nil
}

// planner builds a Plan.
type planner struct {
	plan     *Plan
	protocol *protocols.Protocol
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
		b.plan.Rules = append(b.plan.Rules, Rule{Rule: rule, Names: rule.Raises()})
		if err := b.oneRule(rule); err != nil {
			return fmt.Errorf("rule %s: %w", rule.ID, err)
		}
	}
	for i := range b.plan.Rules {
		rule := &b.protocol.Rules[i]
		for n, id := range rule.Holders() {
			holder, known := seen[id]
			if !known {
				return fmt.Errorf("rule %s is held back by %q, which is no rule", rule.ID, id)
			}
			if n < len(rule.HeldBy) {
				b.plan.Rules[i].HeldBy = append(b.plan.Rules[i].HeldBy, holder)
			} else {
				b.plan.Rules[i].YieldsTo = append(b.plan.Rules[i].YieldsTo, holder)
			}
		}
	}
	return nil
}

func (b *planner) oneRule(rule *protocols.Rule) error {
	if err := checkRule(b.protocol, rule); err != nil {
		return err
	}
	plan := &b.plan.Rules[b.rule]
	if rule.Absence != nil {
		for _, m := range rule.Absence.Measures() {
			b.measure(m)
		}
		return nil
	}
	for i := range rule.Levels {
		level := &rule.Levels[i]
		plan.Levels = append(plan.Levels, b.node(&level.When))
		plan.Confirm[i], plan.ConfirmApart[i] = int64(level.Confirm), int64(level.ConfirmApart)
		plan.Confirms = plan.Confirms || level.Confirm > 0
	}
	for _, l := range plan.Leaves {
		for _, series := range b.seriesBehind(l) {
			if !slices.Contains(plan.Series, series) {
				plan.Series, plan.Feeds = append(plan.Series, series), plan.Feeds|BitOf(series)
			}
		}
	}
	b.remarks(rule, plan)
	return nil
}

// seriesBehind lists the series whose readings change what a comparison comes to.
func (b *planner) seriesBehind(leaf int) []int {
	gauge := &b.plan.Gauges[b.plan.Leaves[leaf].Gauge]
	if b.plan.Leaves[leaf].Comparison.Beside != nil {
		return []int{gauge.Series, gauge.Base}
	}
	return []int{gauge.Series}
}

// remarks adds what the remarks of a rule look at. Their leaves are none of the rule's:
// no reading causes an evaluation because a remark looks at it.
func (b *planner) remarks(rule *protocols.Rule, plan *Rule) {
	own := len(plan.Leaves)
	for i := range rule.Remarks {
		plan.Remarks = append(plan.Remarks, b.node(&rule.Remarks[i].When))
	}
	for _, l := range plan.Leaves[own:] {
		b.plan.Leaves[l].remarks = true
		plan.beside = append(plan.beside, b.seriesBehind(l)...)
	}
	plan.Leaves = plan.Leaves[:own]
}

func (b *planner) node(c *protocols.Condition) Node {
	several := func(kind Kind, parts []protocols.Condition) Node {
		n := Node{Kind: kind}
		for i := range parts {
			n.Kids = append(n.Kids, b.node(&parts[i]))
		}
		return n
	}
	switch {
	case c.Compare != nil:
		return b.compare(c.Compare)
	case c.Not != nil:
		return Node{Kind: Not, Kids: []Node{b.node(c.Not)}}
	case c.All != nil:
		return several(All, c.All)
	case c.Of != nil:
		n := several(Of, c.Of)
		n.Many = c.AtLeast
		return n
	case c.Score != nil:
		n := Node{Kind: Score, Leaf: len(b.plan.Scores)}
		b.plan.Scores = append(b.plan.Scores, c.Score)
		for i := range c.Score.Parts {
			n.Kids = append(n.Kids, b.node(&c.Score.Parts[i].When))
		}
		return n
	}
	return several(Any, c.Any)
}

func (b *planner) compare(c *protocols.Comparison) Node {
	n := Node{Kind: Compare, Leaf: b.leaf(c), Gauge: -1}
	if leaf := &b.plan.Leaves[n.Leaf]; leaf.Memory < 0 {
		n.Gauge = leaf.Gauge
	}
	return n
}

func (b *planner) leaf(c *protocols.Comparison) int {
	gap := c.Gap
	if gap == 0 {
		gap = c.Lasting
	}
	spec := Leaf{
		Comparison: c, Gauge: b.gauge(c), Rule: b.rule,
		Lasting: int64(c.Lasting), Gap: int64(gap), Memory: -1,
	}
	if c.Lasting > 0 || c.Daily() {
		spec.Memory = b.plan.Memories
		b.plan.Memories++
	}
	b.plan.Leaves = append(b.plan.Leaves, spec)
	leaf := len(b.plan.Leaves) - 1
	b.plan.Rules[b.rule].Leaves = append(b.plan.Rules[b.rule].Leaves, leaf)
	return leaf
}

// gauge finds or adds what computes the number that c compares.
func (b *planner) gauge(c *protocols.Comparison) int {
	spec := series.GaugeOf(c)
	spec.Series = b.seriesOf(c, spec.Daily())
	switch {
	case c.Minus != nil:
		spec.Base = b.seriesOf(c, true)
	case c.Beside != nil:
		spec.Base = b.seriesOf(c.Beside.Compare(), false)
	}
	for i := range b.plan.Gauges {
		if spec.Same(&b.plan.Gauges[i]) {
			return i
		}
	}
	gauge := len(b.plan.Gauges)
	spec.Stretch = b.stretch(gauge, &spec)
	b.plan.Gauges = append(b.plan.Gauges, spec)
	if spec.Counts() {
		looking := &b.plan.Looking[spec.Series]
		looking.Gauges = append(looking.Gauges, gauge)
	}
	return gauge
}

// stretch finds or adds what a gauge over a duration looks at; −1 for another gauge.
func (b *planner) stretch(gauge int, spec *series.GaugeSpec) int {
	wanted, needed := series.StretchOf(spec)
	if !needed {
		return -1
	}
	i := slices.IndexFunc(b.plan.Stretches, func(s series.StretchSpec) bool { return wanted.Same(&s) })
	if i < 0 {
		i = len(b.plan.Stretches)
		b.plan.Stretches = append(b.plan.Stretches, wanted)
		looking := &b.plan.Looking[spec.Series]
		looking.Stretches = append(looking.Stretches, i)
	}
	b.plan.Stretches[i].Join(gauge, spec)
	return i
}

func (b *planner) seriesOf(c *protocols.Comparison, coarse bool) int {
	spec := series.Of(c, b.measure(c.Measure), coarse)
	if i := slices.Index(b.plan.Series, spec); i >= 0 {
		return i
	}
	b.plan.Series = append(b.plan.Series, spec)
	b.plan.Looking = append(b.plan.Looking, Looking{})
	i := len(b.plan.Series) - 1
	m := &b.plan.Measures[spec.Place]
	m.Series = append(m.Series, i)
	m.Meals = m.Meals || c.Meal != ""
	if c.Flag != "" && !slices.Contains(m.flags, c.Flag) {
		m.flags = append(m.flags, c.Flag)
	}
	return i
}

func (b *planner) measure(m *protocols.Measure) int {
	if place := b.plan.Places[m.Ordinal()]; place >= 0 {
		return place
	}
	plan := Measure{Measure: m}
	for i := range b.protocol.Observations {
		if o := &b.protocol.Observations[i]; o.Measure == m && len(o.IgnoreFlags) > 0 {
			plan.ignoring = append(plan.ignoring, o)
		}
		if o := &b.protocol.Observations[i]; o.Measure == m && o.Plausible != nil {
			plan.plausible = o.Plausible
		}
	}
	b.plan.Measures = append(b.plan.Measures, plan)
	place := len(b.plan.Measures) - 1
	b.plan.Places[m.Ordinal()] = place
	return place
}
