// Package engine evaluates the readings of one patient against one version of a
// protocol, reading by reading. Package plain, beside it, finds the same from a
// whole history in the simplest way; a property test holds the two equal.
//
// NewPlan makes a protocol ready, once for all its patients. Plan.For makes the
// State of one enrolment, which is a protocols.Evaluator. Numbers flow one way: a
// reading goes to the series that take it, from there to the gauges that compute
// statistics, to the leaves that compare them, to the rules, which rise and fall
// between levels.
//
//	plan*.go       a protocol made ready, and what cannot be evaluated
//	state.go       a reading's way through series and gauges to the rules
//	condition.go   leaves, and conditions in Kleene's logic
//	state_rule.go  where a rule stands, and its episodes
//	state_late.go  readings that come late
//	state_keep.go  snapshots
//
// Three rooms within hold what needs no rule: internal/moment the time, internal/series
// what is kept of the past and the arithmetic of each statistic, internal/absence what is
// expected and did not come.
package engine

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
	protocol *protocols.Protocol
	places   []int // by ordinal of a measure: its place in measures, or −1
	measures []measurePlan
	series   []series.Spec
	looking  [][]int // by series: the gauges that look at it
	gauges   []series.GaugeSpec
	leaves   []leafSpec
	rules    []rulePlan // as in the protocol
	clusters []clusterPlan
	memories int                     // leaves that remember something
	usual    func() (*fitted, error) // for patients without settings of their own
}

// measurePlan is a measure that some rule looks at.
type measurePlan struct {
	measure   *protocols.Measure
	cluster   int
	series    []int
	ignoring  []*protocols.Observation // those with flags to ignore
	plausible *protocols.Plausibility  // nil where nothing is doubted
	rules     []int                    // that look at it, holders first
	reach     int64                    // of its longest window of a duration, in nanoseconds
	daily     bool                     // it has windows of civil days
}

// ignores reports whether a reading never feeds a rule, for its flags.
func (m *measurePlan) ignores(r *protocols.Reading) bool {
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
	comparison *protocols.Comparison
	gauge      int
	rule       int
	lasting    int64 // nanoseconds
	gap        int64
	memory     int // place in State.memories, or −1 when it needs none
}

// rulePlan is a rule ready to be evaluated.
type rulePlan struct {
	rule     *protocols.Rule
	cluster  int
	levels   []node // one per level; none for absence
	names    []protocols.Level
	confirm  [maxLevels]int64 // nanoseconds; 0 for none
	leaves   []int
	series   []int
	feeds    uint64 // the bits of series
	heldBy   []int
	confirms bool
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
func NewPlan(p *protocols.Protocol) (*Plan, error) {
	b := &planner{plan: &Plan{protocol: p, places: make([]int, len(protocols.Measures()))}, protocol: p}
	for i := range b.plan.places {
		b.plan.places[i] = -1
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
	b.plan.usual = sync.OnceValues(func() (*fitted, error) { return b.plan.fit(nil) })
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
		b.plan.rules = append(b.plan.rules, rulePlan{rule: rule, names: rule.Raises()})
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

func (b *planner) oneRule(rule *protocols.Rule) error {
	if err := checkRule(b.protocol, rule); err != nil {
		return err
	}
	plan := &b.plan.rules[b.rule]
	if rule.Absence != nil {
		for _, m := range rule.Absence.Measures() {
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
		series := b.plan.gauges[b.plan.leaves[l].gauge].Series
		if !slices.Contains(plan.series, series) {
			plan.series, plan.feeds = append(plan.series, series), plan.feeds|bitOf(series)
		}
	}
	return nil
}

func (b *planner) node(c *protocols.Condition) node {
	several := func(kind nodeKind, parts []protocols.Condition) node {
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
	case c.Of != nil:
		n := several(nodeOf, c.Of)
		n.many = c.AtLeast
		return n
	}
	return several(nodeAny, c.Any)
}

func (b *planner) leaf(c *protocols.Comparison) int {
	gap := c.Gap
	if gap == 0 {
		gap = c.Lasting
	}
	spec := leafSpec{
		comparison: c, gauge: b.gauge(c), rule: b.rule,
		lasting: int64(c.Lasting), gap: int64(gap), memory: -1,
	}
	if c.Lasting > 0 || c.Daily() {
		spec.memory = b.plan.memories
		b.plan.memories++
	}
	b.plan.leaves = append(b.plan.leaves, spec)
	leaf := len(b.plan.leaves) - 1
	b.plan.rules[b.rule].leaves = append(b.plan.rules[b.rule].leaves, leaf)
	return leaf
}

// gauge finds or adds what computes the number that c compares.
func (b *planner) gauge(c *protocols.Comparison) int {
	spec := series.GaugeOf(c)
	spec.Series = b.seriesOf(c, spec.Daily())
	if c.Minus != nil {
		spec.Base = b.seriesOf(c, true)
	}
	for i := range b.plan.gauges {
		if spec.Same(&b.plan.gauges[i]) {
			return i
		}
	}
	b.plan.gauges = append(b.plan.gauges, spec)
	gauge := len(b.plan.gauges) - 1
	b.plan.looking[spec.Series] = append(b.plan.looking[spec.Series], gauge)
	return gauge
}

func (b *planner) seriesOf(c *protocols.Comparison, coarse bool) int {
	spec := series.Of(c, b.measure(c.Measure), coarse)
	if i := slices.Index(b.plan.series, spec); i >= 0 {
		return i
	}
	b.plan.series = append(b.plan.series, spec)
	b.plan.looking = append(b.plan.looking, nil)
	i := len(b.plan.series) - 1
	m := &b.plan.measures[spec.Place]
	m.series = append(m.series, i)
	return i
}

func (b *planner) measure(m *protocols.Measure) int {
	if place := b.plan.places[m.Ordinal()]; place >= 0 {
		return place
	}
	plan := measurePlan{measure: m}
	for i := range b.protocol.Observations {
		if o := &b.protocol.Observations[i]; o.Measure == m && len(o.IgnoreFlags) > 0 {
			plan.ignoring = append(plan.ignoring, o)
		}
		if o := &b.protocol.Observations[i]; o.Measure == m && o.Plausible != nil {
			plan.plausible = o.Plausible
		}
	}
	b.plan.measures = append(b.plan.measures, plan)
	place := len(b.plan.measures) - 1
	b.plan.places[m.Ordinal()] = place
	return place
}
