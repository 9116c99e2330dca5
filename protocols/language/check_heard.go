package language

import (
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
)

// heard notes what a protocol observes and nobody hears: components that no rule reads,
// measures that stay unheard until a baseline is full, and combinations of measures of
// which one may be a week old. They are warnings: a protocol in use keeps its meaning.
func (c *checker) heard() {
	rings, blind := c.read()
	for i, at := range c.Items(c.doc.Key("observations")) {
		o := &c.protocol.Observations[i]
		c.unheard(at, o, rings)
		if blind[o.Measure] {
			c.Note(at, document.Warning, "blind-start", protocols.Say("aucune règle de « %s » ne peut sonner avant que sa référence soit pleine : les premiers jours, personne n'entend rien", "no rule about %s can ring before its baseline is full: in the first days nobody hears anything", o.Measure.ID), protocols.Say("ajouter une condition sans minus : un seuil, ou rise sur quelques jours", "add a condition without minus: a threshold, or a rise over some days"))
		}
	}
	fixed := c.fixedLimits()
	for i, rule := range c.Items(c.doc.Key("rules")) {
		for j, level := range c.Items(rule.Key("levels")) {
			c.stale(level.Key("when"), &c.protocol.Rules[i].Levels[j].When)
			c.ceiling(level.Key("when"), &c.protocol.Rules[i].Levels[j].When, fixed)
		}
		c.staleRemarks(rule.Key("remarks"), &c.protocol.Rules[i])
		c.heldDanger(rule.Key("held_by"), &c.protocol.Rules[i])
	}
}

// read lists the components that rules read, and the measures of which every comparison
// needs a baseline.
func (c *checker) read() (rings map[*protocols.Component]bool, blind map[*protocols.Measure]bool) {
	rings, blind = map[*protocols.Component]bool{}, map[*protocols.Measure]bool{}
	sees := map[*protocols.Measure]bool{}
	for i := range c.protocol.Rules {
		rule := &c.protocol.Rules[i]
		rule.Comparisons(func(compared *protocols.Comparison) {
			m := compared.Measure
			rings[&m.Components[compared.Component]] = rings[&m.Components[compared.Component]] || compared.Flag == ""
			for _, other := range []int{compared.MinusComponent, compared.PerComponent} {
				if other >= 0 {
					rings[&m.Components[other]] = true
				}
			}
			if b := compared.Beside; b != nil {
				rings[&b.Measure.Components[b.Component]] = true
			}
			sees[m] = sees[m] || compared.Minus == nil || c.alwaysSeeded(compared.Minus)
			blind[m] = !sees[m]
		})
		if a := rule.Absence; a != nil {
			for _, component := range a.Components {
				rings[&a.Measure.Components[component]] = true
			}
		}
	}
	return rings, blind
}

// alwaysSeeded reports whether every patient has a value that stands for the baseline.
func (c *checker) alwaysSeeded(b *protocols.Baseline) bool {
	p := c.protocol.Parameter(b.Seed.Parameter)
	return p != nil && p.MustBeSet
}

// unheard notes the components of an observation that no rule reads and that the
// protocol does not declare silent.
func (c *checker) unheard(at document.Place, o *protocols.Observation, rings map[*protocols.Component]bool) {
	var names []string
	for i := range o.Measure.Components {
		component := &o.Measure.Components[i]
		silent := o.SilentBecause(component.Name) != protocols.Text{}
		switch {
		case rings[component] && silent:
			c.Note(at.Key("silent").Key(component.Name), document.Warning, "not-silent", protocols.Say("« %s » est dit silencieux, et une règle le regarde", "%s is called silent, and a rule looks at it", component.Name), protocols.Say("l'enlever de silent", "remove it from silent"))
		case !rings[component] && !silent:
			names = append(names, component.Name)
		}
	}
	if len(names) > 0 {
		all := strings.Join(names, ", ")
		c.Note(at, document.Warning, "unheard", protocols.Say("aucune règle ne regarde %s de « %s » : une valeur dangereuse resterait sans suite", "no rule looks at %s of %s: a dangerous value would go unheard", all, o.Measure.ID), protocols.Say("ajouter une règle, ou dire pourquoi c'est affiché sans sonner : silent: {%s: {fr: …, en: …}}", "add a rule, or say why it is shown and never rings: silent: {%s: {fr: …, en: …}}", names[0]))
	}
}

// heldDanger notes a danger, or a red, that a milder alert would hold back: one that
// nobody ended, of another device, would keep it unheard for as long as it stands.
func (c *checker) heldDanger(at document.Place, rule *protocols.Rule) {
	for i, item := range c.Items(at) {
		holder := c.protocol.Rule(rule.HeldBy[i])
		for j := range rule.Levels {
			if l := &rule.Levels[j]; holder.Raises()[0] < l.Level && c.dangerous(l) {
				c.Note(item, document.Warning, "held-danger", protocols.Say("« %s » peut sonner à un niveau moins grave et retenir un danger : celui-ci ne serait pas entendu tant qu'elle dure", "%s can ring at a milder level and hold back a danger, which nobody would hear while it lasts", holder.ID), protocols.Say("écrire yields_to : une règle n'y est retenue que par ce qui est au moins aussi grave", "write yields_to: there a rule is held back only by what is at least as grave"))
				break
			}
		}
	}
}

// dangerous reports whether a level is red, or rings for a line of danger.
func (c *checker) dangerous(l *protocols.RuleLevel) bool {
	found := l.Level == protocols.Red
	l.When.Comparisons(func(compared *protocols.Comparison) {
		for _, line := range c.protocol.Dangers() {
			found = found || l.Level == protocols.Orange && line.About(compared) && line.Upward() == upward(compared.Operator) && !line.Passed(compared.Threshold.Value, compared.Operator)
		}
	})
	return found
}

func upward(o protocols.Operator) bool { return o == protocols.Above || o == protocols.AtLeast }

// limited is a number that a limit is about, and the way in which it is graver.
type limited struct {
	measure   *protocols.Measure
	component int
	upward    bool
}

func limitOf(compared *protocols.Comparison) limited {
	falls := compared.Statistic == protocols.Fall || compared.Statistic == protocols.FallPercent
	return limited{compared.Measure, compared.Component, compared.Upward() != falls}
}

// fixedLimits are what some rule rings for by a limit that is the same for everybody who
// varies little or much.
func (c *checker) fixedLimits() map[limited]bool {
	fixed := map[limited]bool{}
	for i := range c.protocol.Rules {
		c.protocol.Rules[i].Comparisons(func(compared *protocols.Comparison) {
			if compared.Scaled() != protocols.InDeviations && compared.Flag == "" && !compared.Guards() {
				fixed[limitOf(compared)] = true
			}
		})
	}
	return fixed
}

// ceiling notes a limit in the patient's own variation that rings by itself and that nothing
// bounds: whoever varies much would be heard late, or never. A sign among those of other
// measures is no such limit.
func (c *checker) ceiling(at document.Place, when *protocols.Condition, fixed map[limited]bool) {
	for i, item := range c.Items(at.Key("any")) {
		c.ceiling(item, &when.Any[i], fixed)
	}
	if when.Any != nil || combines(when) {
		return
	}
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) {
		if compared.Scaled() == protocols.InDeviations && compared.Minus.Most == (protocols.Operand{}) && !fixed[limitOf(compared)] {
			c.Note(at.Key("minus"), document.Warning, "no-ceiling", protocols.Say("chez qui « %s » varie beaucoup, cette limite n'a pas de plafond, et aucune règle fixe ne la double", "for somebody whose %s varies much this limit has no ceiling, and no fixed rule stands beside it", compared.Name()), protocols.Say("ajouter most: le plus grand écart habituel, ou une règle à seuil fixe", "add most: the largest usual deviation, or a rule with a fixed threshold"))
		}
	})
}

// stale notes a latest reading without a window beside one of another measure: the two
// may be days apart.
func (c *checker) stale(at document.Place, when *protocols.Condition) {
	if when.Not != nil {
		c.stale(at.Key("not"), when.Not)
	}
	for i, item := range c.Items(at.Key("any")) {
		c.stale(item, &when.Any[i])
	}
	if !combines(when) {
		return
	}
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) { c.ofThisWeek(at, compared) })
}

// combines reports whether a condition asks for several measures together.
func combines(when *protocols.Condition) bool {
	measures := map[*protocols.Measure]bool{}
	when.Comparisons(func(compared *protocols.Comparison) { measures[compared.Measure] = true })
	return (when.All != nil || when.Of != nil || when.Score != nil) && len(measures) > 1
}

// staleRemarks notes the same of a remark about a measure that its rule does not look at.
func (c *checker) staleRemarks(at document.Place, rule *protocols.Rule) {
	own := map[*protocols.Measure]bool{}
	rule.Comparisons(func(compared *protocols.Comparison) { own[compared.Measure] = true })
	for i, remark := range c.Items(at) {
		c.walk(remark.Key("when"), &rule.Remarks[i].When, func(at document.Place, compared *protocols.Comparison) {
			if !own[compared.Measure] {
				c.ofThisWeek(at, compared)
			}
		})
	}
}

// ofThisWeek notes a comparison of the latest reading without a window.
func (c *checker) ofThisWeek(at document.Place, compared *protocols.Comparison) {
	if compared.Window == (protocols.Window{}) && !slow(compared) {
		c.Note(at, document.Warning, "stale", protocols.Say("sans window, la dernière mesure de « %s » compte jusqu'à sept jours, à côté d'une autre mesure d'aujourd'hui", "without a window, the latest %s counts for up to seven days beside another measure of today", compared.Measure.ID), protocols.Say("ajouter window: 24h", "add window: 24h"))
	}
}
