package live

import (
	"maps"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/words"
)

// Rules are example protocols, the latest version of each.
type Rules struct{ protocols []*protocols.Protocol }

// NewRules takes the latest version of each protocol.
func NewRules(all map[string]*protocols.Protocol) *Rules {
	latest := map[string]*protocols.Protocol{}
	for _, p := range all {
		if former := latest[p.ID]; former == nil || protocols.Newer(p.Version, former.Version) {
			latest[p.ID] = p
		}
	}
	r := &Rules{}
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		r.protocols = append(r.protocols, latest[id])
	}
	return r
}

// met is what an example rule says of a reading.
type met struct {
	Protocol, Rule, Said protocols.Text
	Level                protocols.Level
	Rings                bool
}

// meets says which rule the last of these readings would make ring, with the settings that
// a protocol proposes; else the simplest rule that looks at its measure. Nil for none.
func (r *Rules) meets(readings []*protocols.Reading) *met {
	last := readings[len(readings)-1]
	var looks *met
	least := 0
	for _, p := range r.protocols {
		if p.Observation(last.Measure, last.Variant) == nil {
			continue
		}
		if m := rung(p, readings); m != nil {
			return m
		}
		if m, asks := looking(p, last); m != nil && (looks == nil || asks < least) {
			looks, least = m, asks
		}
	}
	return looks
}

// rung evaluates the readings of a bench as those of a patient; nil where nothing rings.
func rung(p *protocols.Protocol, readings []*protocols.Reading) *met {
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil
	}
	last := readings[len(readings)-1]
	state, err := plan.For(protocols.Enrolment{ID: "bench", Patient: "bench", Zone: time.UTC, From: readings[0].Time.Add(-24 * time.Hour)})
	if err != nil {
		return nil // it has a setting that a physician has to give
	}
	var found []protocols.Finding
	for _, reading := range readings {
		found = state.Add(reading, reading.Time, found[:0])
	}
	for _, f := range found {
		if rule := p.Rule(f.Rule); rule != nil && f.Explanation != nil && f.At.Equal(last.Time) {
			return &met{p.Title, rule.Title, f.Explanation.Said(), f.Level, true}
		}
	}
	return nil
}

// looking is the rule of a protocol that compares a measure and asks for the fewest
// things, and how many it asks for; nil for none.
func looking(p *protocols.Protocol, reading *protocols.Reading) (simplest *met, asks int) {
	for i := range p.Rules {
		rule, compares, all := &p.Rules[i], false, 0
		rule.Comparisons(func(c *protocols.Comparison) {
			all++
			compares = compares || c.Measure == reading.Measure && (c.Variant == 0 || c.Variant == reading.Variant)
		})
		if !compares || len(rule.Levels) == 0 || rule.Absence != nil || simplest != nil && all >= asks {
			continue
		}
		level := &rule.Levels[0]
		simplest, asks = &met{p.Title, rule.Title, protocols.Text{FR: words.Condition(p, &level.When, "fr"), EN: words.Condition(p, &level.When, "en")}, level.Level, false}, all
	}
	return simplest, asks
}
