package protocols

import (
	"slices"
	"time"
)

// longestSilence is how long a mandatory measure may be missing at most before
// somebody hears of it. The French framework forbids to switch non-transmission
// off; a month of silence is as good as off, and the bound is ours.
const longestSilence = 31 * 24 * time.Hour

// transmissionWatched notes a mandatory observation whose silence nobody would
// hear of: non-transmission cannot be switched off.
func (c *checker) transmissionWatched() {
	for i, at := range c.items(c.doc.key("observations")) {
		o := &c.protocol.Observations[i]
		if o.Mandatory && !c.protocol.watches(o.Measure, o.Variant) {
			c.fault(at, "no-absence", say("« %s » est obligatoire, et aucune règle ne dit quand elle manque", "%s is mandatory, and no rule says when it is missing", o.Measure.ID), say("ajouter une règle avec absence: {measure: %s, missing: [{level: technical, periods: 2}]}", "add a rule with absence: {measure: %s, missing: [{level: technical, periods: 2}]}", o.Measure.ID))
		}
	}
}

// watches reports whether silence of a measure rings: what is expected in each
// session is only missed where the sessions themselves are.
func (p *Protocol) watches(m *Measure, variant uint8) bool {
	for i := range p.Rules {
		a := p.Rules[i].Absence
		if a == nil || a.Measure != m || a.Variant != variant {
			continue
		}
		if of := a.Cadence.Of; of == nil || of != m && p.watches(of, 0) {
			return true
		}
	}
	return false
}

// absenceWorks notes an absence that is written down but would not ring.
func (c *checker) absenceWorks(at place, rule *Rule) {
	a := rule.Absence
	if a == nil {
		return
	}
	if len(rule.HeldBy) > 0 {
		c.fault(at.key("held_by"), "absence-disabled", say("la non-transmission ne peut pas être retenue par une autre règle", "non-transmission cannot be held back by another rule"), say("enlever held_by ; une pause, avec son motif et sa fin, se règle par patient", "remove held_by; a pause with a reason and an end is set per patient"))
	}
	switch {
	case a.Measure == a.Cadence.Of && a.Cadence.Times > 1:
		c.fault(at.key("absence"), "always-true", say("une séance est une seule mesure : une deuxième de la même séance manque toujours", "a session is one reading: a second one of its own is always missing"), say("écrire times: 1", "write times: 1"))
	case a.neverMissing():
		c.fault(at.key("absence"), "never-true", say("toute séance porte cela d'elle-même : cela ne peut jamais manquer", "every session holds this by itself: it can never be missing"), say("nommer des composantes qui peuvent manquer à une séance, ou une autre mesure", "name components that a session may lack, or another measure"))
	}
	period := 24 * time.Hour // a session a day is the most there is
	if a.Cadence.Per == PerWeek {
		period *= 7
	}
	fewest := Value(0)
	for i, item := range c.items(at.key("absence").key("missing")) {
		low, high := c.protocol.reachOf(a.Missing[i].Periods)
		if low < 1000 {
			c.fault(item.key("periods"), "always-true", say("aucune période manquante ne suffit pour ce niveau", "no missing period at all is enough for this level"), say("écrire periods: 1 ou plus", "write periods: 1 or more"))
		}
		if i == 0 && time.Duration(high/1000)*period > longestSilence {
			c.fault(item.key("periods"), "absence-disabled", say("un silence passerait inaperçu plus de %d jours", "silence would go unheard for more than %d days", longestSilence/(24*time.Hour)), say("baisser periods, ou le max du paramètre", "lower the periods, or the max of the parameter"))
		}
		if i > 0 && low <= fewest {
			c.fault(item.key("periods"), "thresholds-order", say("ce niveau ne demande pas plus de périodes manquantes que le précédent", "this level needs no more missing periods than the one before"), say("augmenter periods de niveau en niveau", "raise the periods from level to level"))
		}
		fewest = high
	}
}

// neverMissing reports whether the reading that is a session has all that is
// expected of the session.
func (a *Absence) neverMissing() bool {
	return a.Measure == a.Cadence.Of &&
		!slices.ContainsFunc(a.Components, func(i int) bool { return a.Measure.Components[i].Optional })
}
