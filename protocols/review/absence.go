package review

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// longestSilence is how long a mandatory measure may be missing at most before
// somebody hears of it. The French framework forbids to switch non-transmission
// off; a month of silence is as good as off, and the bound is ours.
const longestSilence = 31 * 24 * time.Hour

// transmissionWatched notes a mandatory observation whose silence nobody would
// hear of: non-transmission cannot be switched off.
func (c *checker) transmissionWatched() {
	for i, at := range c.Items(c.doc.Key("observations")) {
		o := &c.protocol.Observations[i]
		if o.Mandatory && !watches(c.protocol, o.Measure, o.Variant) {
			c.Fault(at, "no-absence", protocols.Say("« %s » est obligatoire, et aucune règle ne dit quand elle manque", "%s is mandatory, and no rule says when it is missing", o.Measure.ID), protocols.Say("ajouter une règle avec absence: {measure: %s, missing: [{level: technical, periods: 2}]}", "add a rule with absence: {measure: %s, missing: [{level: technical, periods: 2}]}", o.Measure.ID))
		}
	}
}

// watches reports whether silence of a measure rings: what is expected in each
// session is only missed where the sessions themselves are.
func watches(p *protocols.Protocol, m *protocols.Measure, variant uint8) bool {
	for i := range p.Rules {
		a := p.Rules[i].Absence
		if a == nil || a.Measure != m || a.Variant != variant {
			continue
		}
		if of := a.Cadence.Of; of == nil || of != m && watches(p, of, 0) {
			return true
		}
	}
	return false
}

// absenceWorks notes an absence that is written down but would not ring.
func (c *checker) absenceWorks(at document.Place, rule *protocols.Rule) {
	a := rule.Absence
	if a == nil {
		return
	}
	if len(rule.Holders()) > 0 {
		key := at.Key("held_by")
		if !key.Present() {
			key = at.Key("yields_to")
		}
		c.Fault(key, "absence-disabled", protocols.Say("la non-transmission ne peut pas être retenue par une autre règle", "non-transmission cannot be held back by another rule"), protocols.Say("enlever held_by et yields_to ; une pause, avec son motif et sa fin, se règle par patient", "remove held_by and yields_to; a pause with a reason and an end is set per patient"))
	}
	switch {
	case a.Measure == a.Cadence.Of && a.Cadence.Times > 1:
		c.Fault(at.Key("absence"), "always-true", protocols.Say("une séance est une seule mesure : une deuxième de la même séance manque toujours", "a session is one reading: a second one of its own is always missing"), protocols.Say("écrire times: 1", "write times: 1"))
	case neverMissing(a):
		c.Fault(at.Key("absence"), "never-true", protocols.Say("toute séance porte cela d'elle-même : cela ne peut jamais manquer", "every session holds this by itself: it can never be missing"), protocols.Say("nommer des composantes qui peuvent manquer à une séance, ou une autre mesure", "name components that a session may lack, or another measure"))
	}
	period := 24 * time.Hour // a session a day is the most there is
	if a.Cadence.Per == protocols.PerWeek {
		period *= 7
	}
	var before [3]protocols.Value // of the level before: its lowest, default and highest
	for i, item := range c.Items(at.Key("absence").Key("missing")) {
		low, high := c.protocol.Extent(a.Missing[i].Periods)
		if low < 1000 {
			c.Fault(item.Key("periods"), "always-true", protocols.Say("aucune période manquante ne suffit pour ce niveau", "no missing period at all is enough for this level"), protocols.Say("écrire periods: 1 ou plus", "write periods: 1 or more"))
		}
		if i == 0 && time.Duration(high/1000)*period > longestSilence {
			c.Fault(item.Key("periods"), "absence-disabled", protocols.Say("un silence passerait inaperçu plus de %d jours", "silence would go unheard for more than %d days", longestSilence/(24*time.Hour)), protocols.Say("baisser periods, ou le max du paramètre", "lower the periods, or the max of the parameter"))
		}
		now := [3]protocols.Value{low, a.Missing[i].Periods.Value, high}
		if i > 0 && (now[0] <= before[0] || now[1] <= before[1] || now[2] <= before[2]) {
			c.Fault(item.Key("periods"), "thresholds-order", protocols.Say("ce niveau ne demande pas plus de périodes manquantes que le précédent", "this level needs no more missing periods than the one before"), protocols.Say("augmenter periods de niveau en niveau", "raise the periods from level to level"))
		}
		before = now
	}
}

// neverMissing reports whether the reading that is a session has all that is
// expected of the session.
func neverMissing(a *protocols.Absence) bool {
	return a.Measure == a.Cadence.Of &&
		!slices.ContainsFunc(a.Components, func(i int) bool { return a.Measure.Components[i].Optional })
}
