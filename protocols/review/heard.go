package review

import (
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/document"
)

// heard notes what a protocol observes and nobody hears: components that no rule reads,
// or only at some hours, those that stay unheard until a baseline is full, and combinations
// of which one part may be a week old. They are warnings: a protocol in use keeps its meaning.
func (c *checker) heard() {
	heard := c.read()
	for i, at := range c.Items(c.doc.Key("observations")) {
		o := &c.protocol.Observations[i]
		c.unheard(at, o, heard)
		c.blindStart(at, o, heard)
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

// hearing is how rules look at a number of an observation.
type hearing struct {
	read    bool // by some rule, at some hour
	always  bool // by some rule, whatever the hour and the meal
	atOnce  bool // by a level that is no mere technical one, and that waits for no baseline and no days
	waiting bool // by such a level that does
}

// number is a number of a measure, of one variant or, with 0, of any.
type number struct {
	component *protocols.Component
	variant   uint8
}

// read lists how rules look at each number.
func (c *checker) read() map[number]*hearing {
	heard := map[number]*hearing{}
	at := func(m *protocols.Measure, component int, variant uint8) *hearing {
		n := number{&m.Components[component], variant}
		if heard[n] == nil {
			heard[n] = &hearing{}
		}
		return heard[n]
	}
	for i := range c.protocol.Rules {
		rule := &c.protocol.Rules[i]
		for j := range rule.Levels {
			rule.Levels[j].When.Comparisons(func(compared *protocols.Comparison) {
				if compared.Flag != "" || compared.Statistic.Row().Whole {
					return // of which the number itself is not looked at
				}
				c.looks(at, compared, rule.Levels[j].Level > protocols.Technical)
			})
		}
		if a := rule.Absence; a != nil {
			for _, component := range a.Components {
				h := at(a.Measure, component, a.Variant)
				h.read, h.always = true, true
			}
		}
	}
	return heard
}

// looks notes what a comparison looks at: its number and those of which that is the sum,
// and what is subtracted from it or divides it.
func (c *checker) looks(at func(*protocols.Measure, int, uint8) *hearing, compared *protocols.Comparison, clinical bool) {
	m := compared.Measure
	anytime := compared.Hours == protocols.Hours{} && compared.Meal == ""
	for _, i := range append([]int{compared.Component}, m.Components[compared.Component].SumOf...) {
		h := at(m, i, compared.Variant)
		h.read, h.always = true, h.always || anytime
		if clinical && !compared.Guards() {
			h.atOnce, h.waiting = h.atOnce || !c.waits(compared), h.waiting || c.waits(compared)
		}
	}
	for _, other := range []int{compared.MinusComponent, compared.PerComponent} {
		if other >= 0 {
			h := at(m, other, compared.Variant)
			h.read, h.always = true, true
		}
	}
	if b := compared.Beside; b != nil {
		h := at(b.Measure, b.Component, b.Variant)
		h.read, h.always = true, true
	}
}

// blindDays is from how many days on a rule waits that asks for days in a row.
const blindDays = 4

// waits reports whether a comparison can only be true once a baseline is full, or after days.
func (c *checker) waits(compared *protocols.Comparison) bool {
	return compared.Minus != nil && !c.alwaysSeeded(compared.Minus) ||
		c.protocol.Value(&compared.Days, nil) >= blindDays*1000 || compared.Lasting >= blindDays*24*time.Hour
}

// alwaysSeeded reports whether every patient has a value that stands for the baseline.
func (c *checker) alwaysSeeded(b *protocols.Baseline) bool {
	p := c.protocol.Parameter(b.Seed.Parameter)
	return p != nil && p.MustBeSet
}

// hearingOf joins what looks at a number of one variant, and at that of any.
func hearingOf(heard map[number]*hearing, component *protocols.Component, variant uint8) (all hearing) {
	for _, v := range []uint8{variant, 0} {
		if h := heard[number{component, v}]; h != nil {
			all = hearing{read: all.read || h.read, always: all.always || h.always, atOnce: all.atOnce || h.atOnce, waiting: all.waiting || h.waiting}
		}
	}
	return all
}

// observedNumbers are those that an observation holds, each variant by itself.
func observedNumbers(o *protocols.Observation) (numbers []number) {
	variants := []uint8{o.Variant}
	if o.Variant == 0 && len(o.Measure.Variants) > 0 {
		variants = nil
		for i := range o.Measure.Variants {
			variants = append(variants, uint8(i+1))
		}
	}
	for i := range o.Measure.Components {
		for _, v := range variants {
			numbers = append(numbers, number{&o.Measure.Components[i], v})
		}
	}
	return numbers
}

// named is a number as a protocol names it.
func (n number) named(o *protocols.Observation) string {
	if o.Variant == 0 && n.variant > 0 {
		return n.component.Name + " (" + o.Measure.Variants[n.variant-1] + ")"
	}
	return n.component.Name
}

// unheard notes the numbers of an observation that no rule reads, or only at some hours or
// meals, and that the protocol does not declare silent.
func (c *checker) unheard(at document.Place, o *protocols.Observation, heard map[number]*hearing) {
	var never, sometimes, loud []string
	for _, n := range observedNumbers(o) {
		silent := o.SilentBecause(n.component.Name) != protocols.Text{}
		h := hearingOf(heard, n.component, n.variant)
		switch {
		case h.read && silent && !slices.Contains(loud, n.component.Name):
			loud = append(loud, n.component.Name)
			c.Note(at.Key("silent").Key(n.component.Name), document.Warning, "not-silent", protocols.Say("« %s » est dit silencieux, et une règle le regarde", "%s is called silent, and a rule looks at it", n.component.Name), protocols.Say("l'enlever de silent", "remove it from silent"))
		case silent:
		case !h.read:
			never = append(never, n.named(o))
		case !h.always:
			sometimes = append(sometimes, n.named(o))
		}
	}
	wayOut := func(names []string) protocols.Text {
		name, _, _ := strings.Cut(names[0], " ")
		return protocols.Say("ajouter une règle, ou dire pourquoi c'est affiché sans sonner : silent: {%s: {fr: …, en: …}}", "add a rule, or say why it is shown and never rings: silent: {%s: {fr: …, en: …}}", name)
	}
	if len(never) > 0 {
		c.Note(at, document.Warning, "unheard", protocols.Say("aucune règle ne regarde %s de « %s » : une valeur dangereuse resterait sans suite", "no rule looks at %s of %s: a dangerous value would go unheard", strings.Join(never, ", "), o.Measure.ID), wayOut(never))
	}
	if len(sometimes) > 0 {
		c.Note(at, document.Warning, "unheard", protocols.Say("les règles ne regardent %s de « %s » qu'à certaines heures ou certains repas : le reste du temps, une valeur dangereuse resterait sans suite", "rules look at %s of %s at some hours or meals only: at other times a dangerous value would go unheard", strings.Join(sometimes, ", "), o.Measure.ID), protocols.Say("ajouter une règle sans hours ni meal", "add a rule without hours or meal"))
	}
}

// blindStart notes the numbers of which every rule waits for a baseline, or for days in a row.
func (c *checker) blindStart(at document.Place, o *protocols.Observation, heard map[number]*hearing) {
	var names []string
	for _, n := range observedNumbers(o) {
		if h := hearingOf(heard, n.component, n.variant); h.waiting && !h.atOnce {
			names = append(names, n.named(o))
		}
	}
	if len(names) > 0 {
		c.Note(at, document.Warning, "blind-start", protocols.Say("aucune règle sur « %s » (%s) ne peut sonner avant qu'une référence soit pleine, ou que des jours aient passé : les premiers jours, personne n'entend rien", "no rule about %s (%s) can ring before a baseline is full, or days have gone by: in the first days nobody hears anything", o.Measure.ID, strings.Join(names, ", ")), protocols.Say("ajouter une condition sans minus ni days : un seuil, ou rise sur quelques jours", "add a condition without minus or days: a threshold, or a rise over some days"))
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
		for _, line := range danger.Of(c.protocol) {
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
			if compared.Scaled() != protocols.InDeviations && compared.Flag == "" && !compared.Guards() && c.bounds(compared) {
				fixed[limitOf(compared)] = true
			}
		})
	}
	return fixed
}

// bounds reports whether a fixed limit rings for somebody whose usual values are as wide as
// they come. One beyond the line of danger does not, nor one at the end of what an
// instrument can report. A weight that rings at one number for everybody bounds nobody.
func (c *checker) bounds(compared *protocols.Comparison) bool {
	if compared.Minus != nil || compared.Beside != nil || compared.Statistic.Row().Gives != protocols.GivesLevel {
		return true
	}
	if compared.Measure.ID == "weight" {
		return false
	}
	if len(compared.Measure.Components[compared.Component].Grades) > 0 || compared.Unit() == "{score}" {
		return true
	}
	at := c.protocol.Value(&compared.Threshold, nil)
	for i, l := range danger.Lines() {
		if line := &danger.Lines()[i]; l.Danger && (l.Scale == 0 || l.Scale == danger.Scale(&c.protocol.Pathology)) && line.About(compared) && line.Upward() == compared.Upward() && line.Passed(at, compared.Operator) {
			return false
		}
	}
	numbers := numbersOf(compared)
	beyond := compared.Operator.Numbers(at).And(numbers)
	return beyond.High-beyond.Low >= (numbers.High-numbers.Low)/10
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

// stale notes a latest reading without a window, or within more than a fortnight, beside one of
// another device or answer: the two may be days apart.
func (c *checker) stale(at document.Place, when *protocols.Condition) {
	if when.Not != nil {
		c.stale(at.Key("not"), when.Not)
	}
	for i, item := range c.Items(at.Key("any")) {
		c.stale(item, &when.Any[i])
	}
	if when.All == nil && when.Of == nil && when.Score == nil {
		return
	}
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) {
		if agesBeside(compared, when) {
			c.ofThisWeek(at, compared, when)
		}
	})
}

// agesBeside reports whether a combination is evaluated on readings that tell nothing new of
// a comparison: of another measure, of another variant, or without an optional answer.
func agesBeside(compared *protocols.Comparison, when *protocols.Condition) bool {
	own := sourceOf(compared)
	return slices.ContainsFunc(sourcesOf(when), func(other source) bool {
		return other != own && (other.measure != own.measure || other.variant != own.variant || own.optional >= 0)
	})
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
		when := &rule.Remarks[i].When
		c.walk(remark.Key("when"), when, func(at document.Place, compared *protocols.Comparison) {
			if !own[compared.Measure] {
				c.ofThisWeek(at, compared, when)
			}
		})
	}
}

// oldest is how many days old the latest reading may be beside one of today: a result of a
// laboratory is a week or two old.
const oldest = 14

// ofThisWeek notes a comparison of the latest reading without a window, or with one of more
// than a fortnight, unless the combination asks for recent readings of the same in words.
func (c *checker) ofThisWeek(at document.Place, compared *protocols.Comparison, when *protocols.Condition) {
	if !ofTheLatest(compared) || compared.Slow() || asksRecent(when, compared) {
		return
	}
	window := protocols.Say("ajouter window: 24h", "add window: 24h")
	switch {
	case compared.Window == (protocols.Window{}):
		c.Note(at, document.Warning, "stale", protocols.Say("sans window, la dernière mesure de « %s » compte jusqu'à sept jours, à côté d'une autre mesure d'aujourd'hui", "without a window, the latest %s counts for up to seven days beside another measure of today", sourceOf(compared)), window)
	case compared.Window.Days > oldest || compared.Window.Length > oldest*24*time.Hour:
		c.Note(at.Key("window"), document.Warning, "stale", protocols.Say("la dernière mesure de « %s » compte ici plus de quatorze jours, à côté d'une autre mesure d'aujourd'hui", "the latest %s counts here for more than fourteen days beside another measure of today", sourceOf(compared)), window)
	}
}

// ofTheLatest reports whether a number is about the latest reading of its window, rather
// than about all of them.
func ofTheLatest(c *protocols.Comparison) bool {
	switch c.Statistic {
	case protocols.Last, protocols.Step, protocols.Streak, protocols.Change, protocols.Rise, protocols.Fall, protocols.RisePercent, protocols.FallPercent:
		return true
	}
	return c.Window == (protocols.Window{})
}

// asksRecent reports whether a combination asks that something of the same was measured
// within the fortnight.
func asksRecent(when *protocols.Condition, compared *protocols.Comparison) (so bool) {
	own := sourceOf(compared)
	for i := range when.All {
		if other := when.All[i].Compare; other != nil && other != compared && sourceOf(other) == own && other.Upward() &&
			other.Window != (protocols.Window{}) && other.Window.Days <= oldest && other.Window.Length <= oldest*24*time.Hour {
			so = so || other.Statistic == protocols.DaysCovered || other.Statistic == protocols.Count
		}
	}
	return so
}
