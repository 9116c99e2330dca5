package protocols

import (
	"fmt"
	"slices"
)

func (r *protocolReader) rules(at place) {
	items := r.items(at)
	if at.present() && len(items) == 0 {
		r.fault(at, "no-rule", "a protocol without rules alerts nobody", "add a rule")
	}
	var places []place
	for _, item := range items {
		if !r.open(item, ruleForm) {
			continue
		}
		rule := Rule{
			ID: r.name(item.key("id")), Title: r.text(item.key("title")), Advice: r.text(item.key("advice")),
			Origin: r.word(item.key("origin")), HeldBy: r.words(item.key("held_by")),
		}
		if r.protocol.rule(rule.ID) != nil {
			r.fault(item.key("id"), "twice", fmt.Sprintf("there are two rules %q", rule.ID), "give one of them another id")
		}
		levels, absence := item.key("levels"), item.key("absence")
		if levels.present() == absence.present() {
			r.fault(item, "wrong-shape", "a rule has either levels or absence", "write levels for a condition on readings, absence for readings that are missing")
		}
		rule.Levels = r.levels(levels)
		rule.Absence = r.absence(absence)
		r.protocol.Rules = append(r.protocol.Rules, rule)
		places = append(places, item)
	}
	r.holds(places)
}

func (p *Protocol) rule(id string) *Rule {
	for i := range p.Rules {
		if p.Rules[i].ID == id {
			return &p.Rules[i]
		}
	}
	return nil
}

func (p *Protocol) ruleIDs() []string {
	ids := make([]string, len(p.Rules))
	for i := range p.Rules {
		ids[i] = p.Rules[i].ID
	}
	return ids
}

// holds checks that what holds a rule back exists and is not, in the end, held
// back by that rule itself.
func (r *protocolReader) holds(places []place) {
	for i, at := range places {
		for j, held := range r.protocol.Rules[i].HeldBy {
			if r.protocol.rule(held) == nil {
				item := place{at.node.Get("held_by").Items[min(j, len(at.node.Get("held_by").Items)-1)], join(at.path, "held_by")}
				r.fault(item, "unknown-rule", fmt.Sprintf("there is no rule %q", held), suggest(held, r.protocol.ruleIDs()))
			}
		}
		if r.protocol.holdsItself(r.protocol.Rules[i].ID) {
			r.fault(at.key("held_by"), "held-by-itself", "this rule is held back by a rule that it holds back itself", "remove one of the two")
		}
	}
}

func (p *Protocol) holdsItself(id string) bool {
	seen := map[string]bool{}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		rule := p.rule(from)
		if rule == nil || seen[from] {
			return false
		}
		seen[from] = true
		return slices.Contains(rule.HeldBy, id) || slices.ContainsFunc(rule.HeldBy, reaches)
	}
	return reaches(id)
}

func (r *reader) level(at place) Level {
	word := r.oneOf(at, "level", levelWords)
	if word == "" {
		return NoLevel
	}
	level, err := ParseLevel(word)
	if err != nil {
		r.fault(at, "unknown-level", err.Error(), "")
	}
	return level
}

// rising notes a level that does not come after the graver of those before it.
func (r *protocolReader) rising(at place, before, level Level) {
	if level != NoLevel && level <= before {
		r.fault(at, "levels-order", fmt.Sprintf("%s comes after %s", level, before), "write the levels from the mildest to the gravest, each once")
	}
}

func (r *protocolReader) levels(at place) []RuleLevel {
	var levels []RuleLevel
	before := NoLevel
	items := r.items(at)
	if at.present() && len(items) == 0 {
		r.fault(at, "no-level", "a rule without levels never raises anything", "add - {level: orange, when: …}")
	}
	for _, item := range items {
		if !r.open(item, levelForm) {
			continue
		}
		l := RuleLevel{Level: r.level(item.key("level")), When: r.condition(item.key("when"), 1), Confirm: r.duration(item.key("confirm"))}
		r.rising(item.key("level"), before, l.Level)
		before = max(before, l.Level)
		levels = append(levels, l)
	}
	return levels
}

func (r *protocolReader) absence(at place) *Absence {
	if !at.present() || !r.open(at, absenceForm) {
		return nil
	}
	a := &Absence{Measure: r.measure(at.key("measure"))}
	if a.Measure == nil {
		return nil
	}
	a.Variant = r.variant(at.key("variant"), a.Measure)
	for _, item := range r.items(at.key("components")) {
		if i := r.component(item, a.Measure); i >= 0 {
			a.Components = append(a.Components, i)
		}
	}
	a.Cadence = r.cadence(at.key("cadence"), a.Measure)
	if o := r.protocol.expects(a.Measure, a.Variant); o != nil && !at.key("cadence").present() {
		a.Cadence = o.Cadence
	}
	if a.Cadence.Times == 0 {
		r.fault(at, "no-cadence", fmt.Sprintf("nothing says how often %s is expected", a.Measure.ID), "add cadence: {times: 1, per: day}, here or to the observation")
	}
	before := NoLevel
	for _, item := range r.items(at.key("missing")) {
		if !r.open(item, missingForm) {
			continue
		}
		m := MissingLevel{Level: r.level(item.key("level")), Periods: r.count(item.key("periods"))}
		r.rising(item.key("level"), before, m.Level)
		before = max(before, m.Level)
		a.Missing = append(a.Missing, m)
	}
	if len(a.Missing) == 0 {
		r.fault(at.key("missing"), "no-level", "this absence never raises anything", "add - {level: orange, periods: 2}")
	}
	return a
}

// maxNesting bounds conditions within conditions.
const maxNesting = 16

// condition reads a comparison or a combination, depth levels inside a rule.
func (r *protocolReader) condition(at place, depth int) Condition {
	if depth > maxNesting {
		r.fault(at, "too-deep", fmt.Sprintf("conditions are nested more than %d deep", maxNesting), "split the rule")
		return Condition{}
	}
	if !at.present() || at.node.Kind != Mapping {
		r.fault(at, "wrong-shape", "a condition is a mapping", "write {measure: …, above: …}, or all:, any: or not:")
		return Condition{}
	}
	for _, word := range []string{"all", "any", "not"} {
		if at.node.Get(word) == nil {
			continue
		}
		if len(at.node.Keys) > 1 {
			r.fault(at, "wrong-shape", fmt.Sprintf("%q stands alone in its condition", word), "put the other keys in a condition of their own")
			return Condition{}
		}
		return r.combination(word, at.key(word), depth)
	}
	c := r.comparison(at)
	if c == nil {
		return Condition{}
	}
	return Condition{Compare: c}
}

func (r *protocolReader) combination(word string, at place, depth int) Condition {
	if word == "not" {
		inner := r.condition(at, depth+1)
		return Condition{Not: &inner}
	}
	var parts []Condition
	for _, item := range r.items(at) {
		parts = append(parts, r.condition(item, depth+1))
	}
	if len(parts) == 0 {
		r.fault(at, "wrong-shape", fmt.Sprintf("%q needs a list of conditions", word), "put \"- \" before each condition")
		return Condition{}
	}
	if word == "all" {
		return Condition{All: parts}
	}
	return Condition{Any: parts}
}
