package language

import (
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

func (r *protocolReader) rules(at document.Place) {
	items := r.Items(at)
	if at.Present() && len(items) == 0 {
		r.Fault(at, "no-rule", protocols.Say("un protocole sans règle n'alerte personne", "a protocol without rules alerts nobody"), protocols.Say("ajouter une règle", "add a rule"))
	}
	var places []document.Place
	for _, item := range items {
		if !r.Open(item, ruleForm) {
			continue
		}
		rule := protocols.Rule{
			ID: r.Name(item.Key("id")), Title: r.Text(item.Key("title")), Advice: r.Text(item.Key("advice")),
			Sentence: r.Text(item.Key("sentence")), Origin: r.Word(item.Key("origin")), HeldBy: r.Words(item.Key("held_by")),
			YieldsTo: r.Words(item.Key("yields_to")), Event: r.Yes(item.Key("event")),
		}
		if r.protocol.Rule(rule.ID) != nil {
			r.Fault(item.Key("id"), "twice", protocols.Say("il y a deux règles « %s »", "there are two rules %q", rule.ID), protocols.Say("donner à l'une un autre id", "give one of them another id"))
		}
		levels, absence := item.Key("levels"), item.Key("absence")
		if levels.Present() == absence.Present() {
			r.Fault(item, "wrong-shape", protocols.Say("une règle a soit levels, soit absence", "a rule has either levels or absence"), protocols.Say("écrire levels pour une condition sur des mesures, absence pour des mesures qui manquent", "write levels for a condition on readings, absence for readings that are missing"))
		}
		rule.Levels = r.levels(levels)
		rule.Absence = r.absence(absence)
		rule.Remarks = r.remarks(item.Key("remarks"), &rule)
		rule.TellEach()
		if len(protocols.Places(rule.Title.FR+rule.Title.EN)) > 0 {
			rule.TitlePlaces = rule.Title
			rule.Title = r.protocol.TitleOf(&rule, nil)
		}
		r.protocol.Rules = append(r.protocol.Rules, rule)
		places = append(places, item)
	}
	r.holds(places)
}

// holds checks that what holds a rule back exists and is not, in the end, held
// back by that rule itself.
func (r *protocolReader) holds(places []document.Place) {
	for i, at := range places {
		rule := &r.protocol.Rules[i]
		r.known(at.Key("held_by"), rule.HeldBy)
		r.known(at.Key("yields_to"), rule.YieldsTo)
		if holdsItself(r.protocol, rule.ID) {
			key := at.Key("held_by")
			if !key.Present() {
				key = at.Key("yields_to")
			}
			r.Fault(key, "held-by-itself", protocols.Say("cette règle est retenue par une règle qu'elle retient elle-même", "this rule is held back by a rule that it holds back itself"), protocols.Say("enlever l'un des deux", "remove one of the two"))
		}
	}
}

// known checks that there are rules of these ids.
func (r *protocolReader) known(at document.Place, ids []string) {
	for j, id := range ids {
		if r.protocol.Rule(id) == nil {
			item := document.Place{Node: at.Node.Items[min(j, len(at.Node.Items)-1)], Path: at.Path}
			r.Fault(item, "unknown-rule", protocols.Say("il n'y a pas de règle « %s »", "there is no rule %q", id), document.Suggest(id, r.protocol.RuleIDs()))
		}
	}
}

func holdsItself(p *protocols.Protocol, id string) bool {
	seen := map[string]bool{}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		rule := p.Rule(from)
		if rule == nil || seen[from] {
			return false
		}
		seen[from] = true
		return slices.Contains(rule.Holders(), id) || slices.ContainsFunc(rule.Holders(), reaches)
	}
	return reaches(id)
}

func (r *reader) level(at document.Place) protocols.Level {
	word := r.OneOf(at, levels)
	if word == "" {
		return protocols.NoLevel
	}
	level, err := protocols.ParseLevel(word)
	if err != nil {
		r.Fault(at, "unknown-level", protocols.Say("« %s » n'est pas un niveau", "%q is not a level", word), protocols.Text{})
	}
	return level
}

// rising notes a level that does not come after the graver of those before it.
func (r *protocolReader) rising(at document.Place, before, level protocols.Level) {
	if level != protocols.NoLevel && level <= before {
		r.Fault(at, "levels-order", protocols.Say("« %s » vient après « %s »", "%s comes after %s", level, before), protocols.Say("écrire les niveaux du moins grave au plus grave, chacun une fois", "write the levels from the mildest to the gravest, each once"))
	}
}

func (r *protocolReader) levels(at document.Place) []protocols.RuleLevel {
	var levels []protocols.RuleLevel
	before := protocols.NoLevel
	items := r.Items(at)
	if at.Present() && len(items) == 0 {
		r.Fault(at, "no-level", protocols.Say("une règle sans niveau ne signale jamais rien", "a rule without levels never raises anything"), protocols.Say("ajouter - {level: orange, when: …}", "add - {level: orange, when: …}"))
	}
	for _, item := range items {
		if !r.Open(item, levelForm) {
			continue
		}
		l := protocols.RuleLevel{
			Level: r.level(item.Key("level")), When: r.condition(item.Key("when"), 1), Sentence: r.Text(item.Key("sentence")), Advice: r.Text(item.Key("advice")),
		}
		l.Confirm, l.ConfirmApart = r.confirm(item.Key("confirm"))
		r.rising(item.Key("level"), before, l.Level)
		before = max(before, l.Level)
		levels = append(levels, l)
	}
	return levels
}

// confirm reads within what time a second reading is asked for: a duration, or one with how
// far apart the two have to be.
func (r *protocolReader) confirm(at document.Place) (within, apart time.Duration) {
	if !at.Present() || at.Node.Kind != document.Mapping {
		return r.Duration(at), 0
	}
	if !r.Open(at, confirmForm) {
		return 0, 0
	}
	within, apart = r.Duration(at.Key("within")), r.Duration(at.Key("apart"))
	if within > 0 && apart >= within {
		r.Fault(at.Key("apart"), "not-together", protocols.Say("aucune mesure dans les %s n'est %s plus tard", "no reading within %s is %s later", within, apart), protocols.Say("donner à apart moins qu'à within", "give apart less than within"))
	}
	return within, apart
}

// remarks reads sentences that are added to an alert.
func (r *protocolReader) remarks(at document.Place, rule *protocols.Rule) []protocols.Remark {
	if at.Present() && rule.Absence != nil {
		r.Fault(at, "not-together", protocols.Say("une absence n'a pas de remarques", "an absence has no remarks"), protocols.Say("enlever remarks", "remove remarks"))
		return nil
	}
	var list []protocols.Remark
	for _, item := range r.Items(at) {
		if !r.Open(item, remarkForm) {
			continue
		}
		remark := protocols.Remark{When: r.condition(item.Key("when"), 1), Says: r.Text(item.Key("says"))}
		remark.When.Comparisons(func(c *protocols.Comparison) {
			if c.Slow() {
				r.Fault(item.Key("when"), "not-together", protocols.Say("une remarque est d'un moment : lasting et days n'en disent rien", "a remark is of one moment: lasting and days say nothing of it"), protocols.Say("regarder une window", "look at a window"))
			}
		})
		list = append(list, remark)
	}
	return list
}

// misread reports whether something of that name could not be read, which is said already.
func (r *protocolReader) misread(name string) bool {
	return slices.ContainsFunc(r.Problems, func(p document.Problem) bool { return strings.Contains(p.Path, name) })
}

func (r *protocolReader) absence(at document.Place) *protocols.Absence {
	if !at.Present() || !r.Open(at, absenceForm) {
		return nil
	}
	a := &protocols.Absence{Measure: r.measure(at.Key("measure"))}
	if a.Measure == nil {
		return nil
	}
	a.Variant = r.variant(at.Key("variant"), a.Measure)
	for _, item := range r.Items(at.Key("components")) {
		if i := r.Component(item, a.Measure); i >= 0 {
			a.Components = append(a.Components, i)
		}
	}
	a.Cadence = r.cadence(at.Key("cadence"), a.Measure)
	if o := r.protocol.Expects(a.Measure, a.Variant); o != nil && !at.Key("cadence").Present() {
		a.Cadence = o.Cadence
	}
	if a.Cadence.Times == 0 && !r.misread(".cadence") {
		r.Fault(at, "no-cadence", protocols.Say("rien ne dit combien de fois « %s » est attendue", "nothing says how often %s is expected", a.Measure.ID), protocols.Say("ajouter cadence: {times: 1, per: day}, ici ou à l'observation", "add cadence: {times: 1, per: day}, here or to the observation"))
	}
	before := protocols.NoLevel
	for _, item := range r.Items(at.Key("missing")) {
		if !r.Open(item, missingForm) {
			continue
		}
		m := protocols.MissingLevel{Level: r.level(item.Key("level")), Periods: r.count(item.Key("periods"))}
		r.rising(item.Key("level"), before, m.Level)
		before = max(before, m.Level)
		a.Missing = append(a.Missing, m)
	}
	if len(a.Missing) == 0 {
		r.Fault(at.Key("missing"), "no-level", protocols.Say("cette absence ne signale jamais rien", "this absence never raises anything"), protocols.Say("ajouter - {level: orange, periods: 2}", "add - {level: orange, periods: 2}"))
	}
	return a
}

// maxNesting bounds conditions within conditions.
const maxNesting = 16

// condition reads a comparison or a combination, depth levels inside a rule.
func (r *protocolReader) condition(at document.Place, depth int) protocols.Condition {
	if depth > maxNesting {
		r.Fault(at, "too-deep", protocols.Say("les conditions sont emboîtées sur plus de %d niveaux", "conditions are nested more than %d deep", maxNesting), protocols.Say("partager la règle en plusieurs", "split the rule"))
		return protocols.Condition{}
	}
	if !at.Present() || at.Node.Kind != document.Mapping {
		r.Fault(at, "wrong-shape", protocols.Say("une condition est un ensemble de clés", "a condition is a mapping"), protocols.Say("écrire {measure: …, above: …}, ou all:, any:, not:, ou at_least: 2 avec of: ou score:", "write {measure: …, above: …}, or all:, any:, not:, or at_least: 2 with of: or score:"))
		return protocols.Condition{}
	}
	c := r.unspoken(at, depth)
	c.Sentence = r.Text(at.Key("sentence"))
	return c
}

// unspoken reads a condition but for its sentence.
func (r *protocolReader) unspoken(at document.Place, depth int) protocols.Condition {
	for _, word := range []string{"all", "any", "not"} {
		if at.Node.Get(word) == nil {
			continue
		}
		if extra := at.Node.Get("sentence") != nil; len(at.Node.Keys) > 2 || len(at.Node.Keys) > 1 && !extra {
			r.Fault(at, "wrong-shape", protocols.Say("« %s » est seul dans sa condition", "%q stands alone in its condition", word), protocols.Say("mettre les autres clés dans une condition à part", "put the other keys in a condition of their own"))
			return protocols.Condition{}
		}
		return r.combination(word, at.Key(word), depth)
	}
	if at.Node.Get("of") != nil {
		return r.some(at, depth)
	}
	if at.Node.Get("score") != nil {
		return r.score(at, depth)
	}
	c := r.comparison(at)
	if c == nil {
		return protocols.Condition{}
	}
	return protocols.Condition{Compare: c}
}

// some reads a number of conditions, {at_least: 2, of: […]}. One of them is any, and all
// of them is all.
func (r *protocolReader) some(at document.Place, depth int) protocols.Condition {
	if !r.Open(at, someForm) {
		return protocols.Condition{}
	}
	c := protocols.Condition{}
	for _, item := range r.Items(at.Key("of")) {
		c.Of = append(c.Of, r.condition(item, depth+1))
	}
	if len(c.Of) < 3 {
		r.Fault(at.Key("of"), "wrong-shape", protocols.Say("« of » demande au moins trois conditions", "\"of\" needs three conditions or more"), protocols.Say("écrire all: pour toutes, any: pour l'une d'elles", "write all: for all of them, any: for one of them"))
		return protocols.Condition{}
	}
	if c.AtLeast = r.Whole(at.Key("at_least"), 2, len(c.Of)-1, 0); c.AtLeast == 0 {
		return protocols.Condition{}
	}
	return c
}

func (r *protocolReader) combination(word string, at document.Place, depth int) protocols.Condition {
	if word == "not" {
		inner := r.condition(at, depth+1)
		return protocols.Condition{Not: &inner}
	}
	var parts []protocols.Condition
	for _, item := range r.Items(at) {
		parts = append(parts, r.condition(item, depth+1))
	}
	if len(parts) == 0 {
		r.Fault(at, "wrong-shape", protocols.Say("« %s » demande une liste de conditions", "%q needs a list of conditions", word), protocols.Say("mettre « - » devant chaque condition", "put \"- \" before each condition"))
		return protocols.Condition{}
	}
	if word == "all" {
		return protocols.Condition{All: parts}
	}
	return protocols.Condition{Any: parts}
}
