package protocols

import (
	"slices"
)

func (r *protocolReader) rules(at place) {
	items := r.items(at)
	if at.present() && len(items) == 0 {
		r.fault(at, "no-rule", say("un protocole sans règle n'alerte personne", "a protocol without rules alerts nobody"), say("ajouter une règle", "add a rule"))
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
			r.fault(item.key("id"), "twice", say("il y a deux règles « %s »", "there are two rules %q", rule.ID), say("donner à l'une un autre id", "give one of them another id"))
		}
		levels, absence := item.key("levels"), item.key("absence")
		if levels.present() == absence.present() {
			r.fault(item, "wrong-shape", say("une règle a soit levels, soit absence", "a rule has either levels or absence"), say("écrire levels pour une condition sur des mesures, absence pour des mesures qui manquent", "write levels for a condition on readings, absence for readings that are missing"))
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
				r.fault(item, "unknown-rule", say("il n'y a pas de règle « %s »", "there is no rule %q", held), suggest(held, r.protocol.ruleIDs()))
			}
		}
		if r.protocol.holdsItself(r.protocol.Rules[i].ID) {
			r.fault(at.key("held_by"), "held-by-itself", say("cette règle est retenue par une règle qu'elle retient elle-même", "this rule is held back by a rule that it holds back itself"), say("enlever l'un des deux", "remove one of the two"))
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
		r.fault(at, "unknown-level", say("« %s » n'est pas un niveau", "%q is not a level", word), Text{})
	}
	return level
}

// rising notes a level that does not come after the graver of those before it.
func (r *protocolReader) rising(at place, before, level Level) {
	if level != NoLevel && level <= before {
		r.fault(at, "levels-order", say("« %s » vient après « %s »", "%s comes after %s", level, before), say("écrire les niveaux du moins grave au plus grave, chacun une fois", "write the levels from the mildest to the gravest, each once"))
	}
}

func (r *protocolReader) levels(at place) []RuleLevel {
	var levels []RuleLevel
	before := NoLevel
	items := r.items(at)
	if at.present() && len(items) == 0 {
		r.fault(at, "no-level", say("une règle sans niveau ne signale jamais rien", "a rule without levels never raises anything"), say("ajouter - {level: orange, when: …}", "add - {level: orange, when: …}"))
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
		r.fault(at, "no-cadence", say("rien ne dit combien de fois « %s » est attendue", "nothing says how often %s is expected", a.Measure.ID), say("ajouter cadence: {times: 1, per: day}, ici ou à l'observation", "add cadence: {times: 1, per: day}, here or to the observation"))
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
		r.fault(at.key("missing"), "no-level", say("cette absence ne signale jamais rien", "this absence never raises anything"), say("ajouter - {level: orange, periods: 2}", "add - {level: orange, periods: 2}"))
	}
	return a
}

// maxNesting bounds conditions within conditions.
const maxNesting = 16

// condition reads a comparison or a combination, depth levels inside a rule.
func (r *protocolReader) condition(at place, depth int) Condition {
	if depth > maxNesting {
		r.fault(at, "too-deep", say("les conditions sont emboîtées sur plus de %d niveaux", "conditions are nested more than %d deep", maxNesting), say("partager la règle en plusieurs", "split the rule"))
		return Condition{}
	}
	if !at.present() || at.node.Kind != Mapping {
		r.fault(at, "wrong-shape", say("une condition est un ensemble de clés", "a condition is a mapping"), say("écrire {measure: …, above: …}, ou all:, any: ou not:", "write {measure: …, above: …}, or all:, any: or not:"))
		return Condition{}
	}
	for _, word := range []string{"all", "any", "not"} {
		if at.node.Get(word) == nil {
			continue
		}
		if len(at.node.Keys) > 1 {
			r.fault(at, "wrong-shape", say("« %s » est seul dans sa condition", "%q stands alone in its condition", word), say("mettre les autres clés dans une condition à part", "put the other keys in a condition of their own"))
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
		r.fault(at, "wrong-shape", say("« %s » demande une liste de conditions", "%q needs a list of conditions", word), say("mettre « - » devant chaque condition", "put \"- \" before each condition"))
		return Condition{}
	}
	if word == "all" {
		return Condition{All: parts}
	}
	return Condition{Any: parts}
}
