package protocols

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// condition is a phrase such as "systolique au-dessus de 160 mmHg". outer tells
// that it stands alone, without need of brackets.
func (w *narrator) condition(c *Condition, outer bool) string {
	switch {
	case c.Compare != nil:
		return w.comparison(c.Compare)
	case c.Not != nil:
		return w.opposite(c.Not, outer)
	case c.All != nil:
		return w.joined(c.All, w.say(", et ", ", and "), outer)
	}
	return w.joined(c.Any, w.say(", ou ", ", or "), outer)
}

func (w *narrator) joined(parts []Condition, word string, outer bool) string {
	phrases := make([]string, len(parts))
	for i := range parts {
		phrases[i] = w.condition(&parts[i], len(parts) == 1)
	}
	text := strings.Join(phrases, word)
	if outer || len(parts) == 1 {
		return text
	}
	return "(" + text + ")"
}

// opposite says that a condition is not so. What cannot be known is not known of
// its opposite either, so that one may be said for the other: "above" for "not at
// most", and "one or the other is not so" for "not both".
func (w *narrator) opposite(c *Condition, outer bool) string {
	parts, turned := c.All, Condition{}
	switch {
	case c.Not != nil:
		return w.condition(c.Not, outer)
	case c.Compare != nil && c.Compare.reversible():
		reversed := *c.Compare
		reversed.Operator = opposites[reversed.Operator]
		return w.comparison(&reversed)
	case c.Compare != nil:
		return w.say("sans (%s)", "not (%s)", w.comparison(c.Compare))
	case c.Any != nil:
		parts = c.Any
	}
	negated := make([]Condition, len(parts))
	for i := range parts {
		negated[i].Not = &parts[i]
	}
	if c.Any != nil {
		turned.All = negated
	} else {
		turned.Any = negated
	}
	return w.condition(&turned, outer)
}

var opposites = map[Operator]Operator{Above: AtMost, AtLeast: Below, Below: AtLeast, AtMost: Above}

// reversible reports whether the opposite of the comparison is the one with the
// opposite operator: it begins and ends at the same number, and at once.
func (c *Comparison) reversible() bool {
	return c.Clear == nil && c.Margin == 0 && c.Lasting == 0 && !c.daily()
}

func (w *narrator) comparison(c *Comparison) string {
	text := w.core(c)
	if days := c.Days; days != (Operand{}) {
		if days == one {
			text += w.say(", sur un jour", ", on one day")
		} else {
			text += w.say(", %s jours de suite", ", %s days in a row", w.operand(days, "1"))
		}
	}
	if c.Lasting > 0 {
		text += w.say(", pendant au moins %s", ", for at least %s", w.length(c.Lasting))
	}
	if c.Gap > 0 {
		text += w.say(" (sans silence de plus de %s)", " (without a silence of more than %s)", w.length(c.Gap))
	}
	if c.Floor > 0 {
		text += w.say(", si au moins %s des mesures attendues sont là", ", when at least %s of the expected readings are there", w.quantity(c.Floor, "%"))
	}
	return text + w.leaving(c)
}

func (w *narrator) leaving(c *Comparison) string {
	switch {
	case c.Margin != 0 && c.upward():
		return w.say(" (fin %s plus bas)", " (ends %s lower)", w.quantity(c.Margin, w.resultUnit(c)))
	case c.Margin != 0:
		return w.say(" (fin %s plus haut)", " (ends %s higher)", w.quantity(c.Margin, w.resultUnit(c)))
	case c.Clear == nil:
		return ""
	}
	limit := w.operand(*c.Clear, w.resultUnit(c))
	if c.upward() {
		return w.say(" (fin en dessous de %s)", " (ends below %s)", limit)
	}
	return w.say(" (fin au-dessus de %s)", " (ends above %s)", limit)
}

// core is the statistic and the threshold.
func (w *narrator) core(c *Comparison) string {
	switch c.Statistic {
	case Count, Streak, Events:
		return w.counted(c)
	case Rise, Fall:
		return w.moved(c)
	case Change, Step:
		if low, _ := w.protocol.reachOf(c.Threshold); c.upward() && low >= 0 && !c.daily() {
			return w.moved(c)
		}
	case Share:
		return w.say("part des mesures %s %s%s : %s", "share of readings %s %s%s: %s", w.of(c), w.filter(c), w.over(c), w.against(c))
	case Wear:
		return w.say("part des mesures attendues %s reçues%s : %s", "share of the expected readings %s received%s: %s", w.of(c), w.over(c), w.against(c))
	case DaysCovered:
		return w.howMany(c) + w.many(c, Text{" jour", " day"}, Text{" jours", " days"}) + w.say(" avec une mesure %s%s", " with a reading %s%s", w.of(c), w.over(c))
	}
	if happened, plain := c.happened(); plain && c.Statistic == Last {
		if happened {
			return w.say("« %s » signalé%s", "“%s” reported%s", w.subject(c), w.over(c))
		}
		return w.say("« %s » non signalé%s", "“%s” not reported%s", w.subject(c), w.over(c))
	}
	subject := w.subject(c)
	if detail := w.detail(c); detail != "" {
		subject = bracketed(subject, detail)
	}
	if c.Minus != nil {
		subject = w.say("écart entre %s et %s", "difference between %s and %s", subject, w.baseline(c.Minus))
	}
	return subject + " " + w.against(c)
}

// bracketed adds a detail in brackets, to those already there.
func bracketed(subject, detail string) string {
	if open, ok := strings.CutSuffix(subject, ")"); ok {
		return open + ", " + detail + ")"
	}
	return subject + " (" + detail + ")"
}

// happened reports whether a comparison asks for an event that happened, or for
// one that did not; plain is false where it asks for neither, or is about no event.
func (c *Comparison) happened() (happened, plain bool) {
	if !c.Measure.Components[c.Component].Event || c.MinusComponent >= 0 || c.Minus != nil || c.adjustable() {
		return false, false
	}
	holds := func(value Value) bool {
		numbers := Interval{value, value}
		if c.Where != nil {
			return !c.Where.passes(numbers).Empty()
		}
		return !numbers.And(c.Operator.Numbers(c.Threshold.Value)).Empty()
	}
	return holds(1000), holds(0) != holds(1000)
}

// adjustable reports whether a patient's settings decide which readings satisfy
// the comparison or its filter.
func (c *Comparison) adjustable() bool {
	if f := c.Where; f != nil {
		return slices.ContainsFunc([]*Operand{f.Above, f.AtLeast, f.Below, f.AtMost}, func(o *Operand) bool { return o != nil && o.Parameter != "" })
	}
	return c.Threshold.Parameter != ""
}

// counted is a phrase such as "au moins 3 mesures de glucose en dessous de …".
func (w *narrator) counted(c *Comparison) string {
	n, over := w.howMany(c), w.over(c)
	happened, plain := c.happened()
	reported := ""
	if !happened {
		reported = w.say(" non signalé", " not reported")
	}
	switch {
	case c.Statistic == Events:
		return n + w.many(c, Text{" épisode", " event"}, Text{" épisodes", " events"}) + w.say(" %s %s, d'au moins %s (%s),%s", " %s %s, for at least %s (%s),%s",
			w.of(c), w.filter(c), w.length(c.Event.Lasting), w.ending(c.Event), over)
	case c.Where != nil && plain && c.Statistic == Streak:
		return w.say("%s fois de suite « %s »%s%s", "%s times in a row “%s”%s%s", n, w.subject(c), reported, over)
	case c.Where != nil && plain:
		return w.say("%s fois « %s »%s%s", "%s times “%s”%s%s", n, w.subject(c), reported, over)
	}
	readings := n + w.many(c, Text{" mesure ", " reading "}, Text{" mesures ", " readings "})
	switch {
	case c.Statistic == Streak:
		return readings + w.say("de suite %s %s%s", "in a row %s %s%s", w.of(c), w.filter(c), over)
	case c.Where == nil:
		return readings + w.of(c) + over
	}
	return readings + w.of(c) + " " + w.filter(c) + over
}

// ending says when an event is over.
func (w *narrator) ending(e *EventShape) string {
	text := w.say("fin après %s de retour", "over after %s back", w.length(e.Ending))
	if e.Gap > 0 {
		text += w.say(" ou %s de silence", " or %s of silence", w.length(e.Gap))
	}
	return text
}

// one is the number 1, after which no plural stands.
var one = Operand{Value: 1000}

// many is the noun for the count that a comparison compares with.
func (w *narrator) many(c *Comparison, single, several Text) string {
	if c.Threshold == one {
		return single.In(w.language)
	}
	return several.In(w.language)
}

// of is the subject after a noun: "de poids", "d'essoufflement".
func (w *narrator) of(c *Comparison) string {
	subject := w.subject(c)
	if first, _ := utf8.DecodeRuneInString(subject); strings.ContainsRune("aeiouyéèêôœ", first) {
		return w.say("d'%s", "of %s", subject)
	}
	return w.say("de %s", "of %s", subject)
}

// moved is a phrase such as "poids en hausse de plus de 2 kg sur 4 jours".
func (w *narrator) moved(c *Comparison) string {
	way, since := w.say("en hausse", "rising"), ""
	switch c.Statistic {
	case Fall:
		way = w.say("en baisse", "falling")
	case Change:
		since = w.say(" de la première à la dernière mesure", " from the first to the last reading")
	case Step:
		since = w.say(" depuis la mesure d'avant", " since the reading before")
	}
	return w.say("%s %s de %s%s%s", "%s %s by %s%s%s", w.subject(c), way, w.amount(c), since, w.over(c))
}

// detail names the statistic and the window: "moyenne sur 3 jours".
func (w *narrator) detail(c *Comparison) string {
	name := c.Statistic.Row().InBrackets().In(w.language)
	if c.Days != (Operand{}) {
		return w.say("%s du jour", "%s of the day", name)
	}
	if c.Statistic == Last && c.Window == (Window{}) {
		return ""
	}
	return name + w.over(c)
}

func (w *narrator) baseline(b *Baseline) string {
	name := b.Statistic.Row().Definite.In(w.language)
	until := w.say("jusqu'à aujourd'hui", "up to today")
	if b.Ago == 1 {
		until = w.say("jusqu'à hier", "up to yesterday")
	} else if b.Ago > 1 {
		until = w.say("jusqu'à il y a %s jours", "up to %s days ago", fmt.Sprint(b.Ago))
	}
	text := w.say("%s des %s %s", "%s of the %s %s", name, w.days(b.Days), until)
	if b.AtLeast > 1 {
		text += w.say(" (si au moins %s ont une mesure)", " (when at least %s have a reading)", w.days(b.AtLeast))
	}
	return text
}

// subject is what is measured: "systolique", "glucose interstitiel".
func (w *narrator) subject(c *Comparison) string {
	name := w.component(c.Measure, c.Component, c.Variant)
	if c.MinusComponent < 0 {
		return name
	}
	own := c.Measure.Components[c.Component].Title.In(w.language)
	return own + w.say(" moins ", " minus ") + w.component(c.Measure, c.MinusComponent, 0)
}

// sharing are the measures whose components need the measure's name beside
// them: hours of use of what?
var sharing = map[string]bool{"ventilation": true, "oxygen-therapy": true, "dialysis-session": true, "implant": true}

func (w *narrator) component(m *Measure, component int, variant uint8) string {
	if len(m.Components) == 1 {
		return w.measure(m, variant)
	}
	name := m.Components[component].Title.In(w.language)
	if sharing[m.ID] && !m.Components[component].Event {
		return name + " (" + m.Title.In(w.language) + ")"
	}
	return name
}

var variantNames = map[string]Text{"capillary": {"capillaire", "capillary"}, "interstitial": {"interstitiel", "interstitial"}}

func (w *narrator) measure(m *Measure, variant uint8) string {
	name := m.Title.In(w.language)
	if variant == 0 {
		return name
	}
	word := m.Variants[variant-1]
	if known, ok := variantNames[word]; ok {
		word = known.In(w.language)
	}
	return w.say("%[1]s %[2]s", "%[2]s %[1]s", name, word)
}

// against is the operator and the threshold: "au-dessus de 160 mmHg".
func (w *narrator) against(c *Comparison) string {
	return w.bound(c.Operator, w.operand(c.Threshold, w.resultUnit(c)))
}

func (w *narrator) bound(o Operator, limit string) string {
	switch o {
	case Above:
		return w.say("au-dessus de %s", "above %s", limit)
	case AtLeast:
		return w.say("à %s ou plus", "at %s or more", limit)
	case Below:
		return w.say("en dessous de %s", "below %s", limit)
	}
	return w.say("à %s ou moins", "at %s or less", limit)
}

// amount is the operator and a difference: "plus de 2 kg".
func (w *narrator) amount(c *Comparison) string {
	limit := w.operand(c.Threshold, w.resultUnit(c))
	switch c.Operator {
	case Above:
		return w.say("plus de %s", "more than %s", limit)
	case AtLeast:
		return w.say("%s ou plus", "%s or more", limit)
	case Below:
		return w.say("moins de %s", "less than %s", limit)
	}
	return w.say("%s ou moins", "%s or less", limit)
}

// howMany is the operator and a count: "au moins 3".
func (w *narrator) howMany(c *Comparison) string {
	limit := w.operand(c.Threshold, "1")
	switch c.Operator {
	case Above:
		return w.say("plus de %s", "more than %s", limit)
	case AtLeast:
		return w.say("au moins %s", "at least %s", limit)
	case Below:
		return w.say("moins de %s", "fewer than %s", limit)
	}
	return w.say("au plus %s", "at most %s", limit)
}

func (w *narrator) filter(c *Comparison) string {
	var parts []string
	unit := readingUnit(c).unit
	for _, b := range []struct {
		operand  *Operand
		operator Operator
	}{{c.Where.Above, Above}, {c.Where.AtLeast, AtLeast}, {c.Where.Below, Below}, {c.Where.AtMost, AtMost}} {
		if b.operand != nil {
			parts = append(parts, w.bound(b.operator, w.operand(*b.operand, unit)))
		}
	}
	return strings.Join(parts, w.say(" et ", " and "))
}

func (w *narrator) resultUnit(c *Comparison) string { return resultUnit(c).unit }
