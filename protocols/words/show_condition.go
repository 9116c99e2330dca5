package words

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"vigie/protocols"
)

// Condition writes a condition as a phrase: "systolique au-dessus de 160 mmHg".
func Condition(p *protocols.Protocol, c *protocols.Condition, language string) string {
	w := &narrator{protocol: p, language: language}
	return w.condition(c, true)
}

// condition is a phrase such as "systolique au-dessus de 160 mmHg". outer tells
// that it stands alone, without need of brackets.
func (w *narrator) condition(c *protocols.Condition, outer bool) string {
	switch {
	case c.Compare != nil:
		return w.comparison(c.Compare)
	case c.Not != nil:
		return w.opposite(c.Not, outer)
	case c.All != nil:
		return w.joined(c.All, w.say(", et ", ", and "), outer)
	case c.Of != nil:
		return w.some(c, outer)
	case c.Score != nil:
		return w.score(c.Score, outer)
	}
	return w.joined(c.Any, w.say(", ou ", ", or "), outer)
}

func (w *narrator) joined(parts []protocols.Condition, word string, outer bool) string {
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

// some asks for a number of conditions.
func (w *narrator) some(c *protocols.Condition, outer bool) string {
	phrases := make([]string, len(c.Of))
	for i := range c.Of {
		phrases[i] = w.condition(&c.Of[i], false)
	}
	text := w.say("au moins %d de ces %d signes : ", "at least %d of these %d signs: ", c.AtLeast, len(c.Of)) + strings.Join(phrases, w.say(" ; ", "; "))
	if outer {
		return text
	}
	return "(" + text + ")"
}

// score says what adds how many points, and how many it takes.
func (w *narrator) score(s *protocols.Score, outer bool) string {
	phrases := make([]string, len(s.Parts))
	for i := range s.Parts {
		phrases[i] = w.points(s.Parts[i].Points) + w.say(" si ", " when ") + w.condition(&s.Parts[i].When, false)
	}
	text := w.fromPoints(s) + w.say(" : ", ": ") + strings.Join(phrases, w.say(" ; ", "; "))
	if outer {
		return text
	}
	return "(" + text + ")"
}

// fromPoints is how many points a score takes: "au moins 3 points (fin 1 point plus bas)".
func (w *narrator) fromPoints(s *protocols.Score) string {
	text := w.say("au moins %s points", "at least %s points", w.operand(s.From, "1"))
	if s.Margin > 0 {
		text += w.say(" (fin %s plus bas)", " (ends %s lower)", w.points(s.Margin))
	}
	return text
}

func (w *narrator) points(n protocols.Value) string {
	tongue := &french
	if w.language == "en" {
		tongue = &english
	}
	return tongue.points(n)
}

// opposite says that a condition is not so. What cannot be known is not known of
// its opposite either, so that one may be said for the other: "above" for "not at
// most", and "one or the other is not so" for "not both".
func (w *narrator) opposite(c *protocols.Condition, outer bool) string {
	switch {
	case c.Not != nil:
		return w.condition(c.Not, outer)
	case c.Compare != nil && reversible(c.Compare):
		reversed := *c.Compare
		reversed.Operator = opposites[reversed.Operator]
		return w.comparison(&reversed)
	case c.Compare != nil:
		return w.say("sans (%s)", "not (%s)", w.comparison(c.Compare))
	case c.Score != nil:
		return w.say("sans (%s)", "not (%s)", w.score(c.Score, true))
	}
	turned := turn(c)
	return w.condition(&turned, outer)
}

// turn is the opposite of a condition that has parts, made of the opposites of these.
func turn(c *protocols.Condition) (turned protocols.Condition) {
	parts := c.All
	switch {
	case c.Any != nil:
		parts = c.Any
	case c.Of != nil:
		parts = c.Of
	}
	negated := make([]protocols.Condition, len(parts))
	for i := range parts {
		negated[i].Not = &parts[i]
	}
	switch {
	case c.Any != nil:
		turned.All = negated
	case c.Of != nil:
		turned.Of, turned.AtLeast = negated, len(parts)-c.AtLeast+1
	default:
		turned.Any = negated
	}
	return turned
}

var opposites = map[protocols.Operator]protocols.Operator{protocols.Above: protocols.AtMost, protocols.AtLeast: protocols.Below, protocols.Below: protocols.AtLeast, protocols.AtMost: protocols.Above}

// reversible reports whether the opposite of the comparison is the one with the
// opposite operator: it begins and ends at the same number, and at once.
func reversible(c *protocols.Comparison) bool {
	return c.Clear == nil && c.Margin == 0 && c.Lasting == 0 && !c.Daily()
}

func (w *narrator) comparison(c *protocols.Comparison) string {
	text := w.core(c)
	if days := c.Days; days != (protocols.Operand{}) {
		if days == one {
			text += w.say(", sur un jour", ", on one day")
		} else {
			text += w.say(", %s jours de suite", ", %s days in a row", w.operand(days, "1"))
		}
	}
	if c.Apart > 0 {
		text += w.say(", à %s d'écart au moins", ", at least %s apart", w.length(c.Apart))
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

func (w *narrator) leaving(c *protocols.Comparison) string {
	switch {
	case c.Margin != 0 && c.Upward():
		return w.say(" (fin %s plus bas)", " (ends %s lower)", w.quantity(c.Margin, differenceUnit(c)))
	case c.Margin != 0:
		return w.say(" (fin %s plus haut)", " (ends %s higher)", w.quantity(c.Margin, differenceUnit(c)))
	case c.Clear == nil:
		return ""
	}
	limit := w.operand(*c.Clear, differenceUnit(c))
	if c.Upward() {
		return w.say(" (fin en dessous de %s)", " (ends below %s)", limit)
	}
	return w.say(" (fin au-dessus de %s)", " (ends above %s)", limit)
}

// core is the statistic and the threshold.
func (w *narrator) core(c *protocols.Comparison) string {
	switch c.Statistic {
	case protocols.Count, protocols.Streak, protocols.Events:
		return w.counted(c)
	case protocols.Rise, protocols.Fall, protocols.RisePercent, protocols.FallPercent:
		return w.moved(c)
	case protocols.Change, protocols.Step:
		if low, _ := w.protocol.Extent(c.Threshold); c.Upward() && low >= 0 && !c.Daily() {
			return w.moved(c)
		}
	case protocols.Share:
		return w.say("part des mesures %s %s%s : %s", "share of readings %s %s%s: %s", w.of(c), w.filter(c), w.over(c), w.against(c))
	case protocols.Wear:
		return w.say("part des mesures attendues %s reçues%s : %s", "share of the expected readings %s received%s: %s", w.of(c), w.over(c), w.against(c))
	case protocols.Improbable:
		if c.Threshold == (protocols.Operand{}) && c.Upward() {
			return w.say("valeur improbable %s, plus haute que d'habitude", "unlikely value %s, higher than usual", w.of(c))
		} else if c.Threshold == (protocols.Operand{}) {
			return w.say("valeur improbable %s, plus basse que d'habitude", "unlikely value %s, lower than usual", w.of(c))
		}
	case protocols.DaysCovered:
		switch {
		case c.Operator == protocols.AtMost && c.Threshold == (protocols.Operand{}) || c.Operator == protocols.Below && c.Threshold == one:
			return w.say("aucune mesure %s%s", "no reading %s%s", w.of(c), w.over(c))
		case c.Operator == protocols.AtLeast && c.Threshold == one:
			return w.say("une mesure au moins %s%s", "at least one reading %s%s", w.of(c), w.over(c))
		}
		return w.howMany(c) + w.many(c, protocols.Text{FR: " jour", EN: " day"}, protocols.Text{FR: " jours", EN: " days"}) + w.say(" avec une mesure %s%s", " with a reading %s%s", w.of(c), w.over(c))
	}
	if happened, plain := happenedOf(c); plain && c.Statistic == protocols.Last {
		if happened {
			return w.say("« %s » signalé%s", "“%s” reported%s", w.subject(c), w.over(c))
		}
		return w.say("« %s » non signalé%s", "“%s” not reported%s", w.subject(c), w.over(c))
	}
	subject := w.subject(c)
	if detail := w.detail(c); detail != "" {
		subject = bracketed(subject, detail)
	}
	if b := c.Beside; b != nil {
		subject = w.say("écart entre %s et %s, mesurés à %s d'écart au plus,", "difference between %s and %s, measured at most %s apart,", subject, w.component(b.Measure, b.Component, b.Variant), w.length(b.Within))
		if b.As == protocols.InPercent {
			subject = w.say("écart entre %s et %s, mesurés à %s d'écart au plus, en %% de celui-ci,", "difference between %s and %s, measured at most %s apart, in %% of the latter,", w.subject(c), w.component(b.Measure, b.Component, b.Variant), w.length(b.Within))
		}
	}
	if c.Minus != nil {
		if far, plain := w.farFromUsual(c); plain {
			return subject + " " + far
		}
		subject = w.say("écart entre %s et %s", "difference between %s and %s", subject, w.baseline(c.Minus)) + w.scale(c)
	}
	return subject + " " + w.against(c)
}

// farFromUsual says how far above or below the usual a value has to be: "plus de 1 kg au-dessus
// de l'habituel (médiane des 14 jours jusqu'à hier)". False where the distance is counted
// otherwise than in the unit of the values, or may be on either side.
func (w *narrator) farFromUsual(c *protocols.Comparison) (string, bool) {
	low, high := w.protocol.Extent(c.Threshold)
	usual := c.Minus.Statistic == protocols.Mean || c.Minus.Statistic == protocols.Median
	side := w.say("au-dessus de l'habituel", "above the usual")
	distance := *c
	switch {
	case !usual || c.Scaled() != protocols.InUnits || c.Beside != nil || w.named:
		return "", false
	case !c.Upward() && high <= 0:
		side = w.say("au-dessous de l'habituel", "below the usual")
		distance.Operator = map[protocols.Operator]protocols.Operator{protocols.Below: protocols.Above, protocols.AtMost: protocols.AtLeast}[c.Operator]
		distance.Threshold = minus(c.Threshold)
	case !c.Upward() || low < 0:
		return "", false
	}
	return w.amount(&distance) + " " + side + " (" + w.usual(c.Minus) + ")", true
}

// usual is of which days a usual value is made: "médiane des 14 jours jusqu'à hier, dès 5 jours
// mesurés".
func (w *narrator) usual(b *protocols.Baseline) string {
	text := w.say("%s des %s %s", "%s of the %s %s", b.Statistic.Row().InBrackets().In(w.language), w.days(b.Days), w.untilAgo(b))
	if b.AtLeast > 1 {
		text += w.say(", dès %s mesurés", ", from %s measured on", w.days(b.AtLeast))
	}
	return text
}

// minus is an operand the other way round; one that is a setting keeps its name.
func minus(o protocols.Operand) protocols.Operand {
	o.Value = -o.Value
	switch {
	case o.Factor != 0:
		o.Factor = -o.Factor
	case o.Parameter != "":
		o.Factor = -1000
	}
	return o
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
func happenedOf(c *protocols.Comparison) (happened, plain bool) {
	if !c.Happens() || c.MinusComponent >= 0 || c.PerComponent >= 0 || c.Minus != nil || c.Beside != nil || adjustable(c) {
		return false, false
	}
	holds := func(value protocols.Value) bool {
		numbers := protocols.Interval{Low: value, High: value}
		if c.Where != nil {
			return !c.Where.Passes(numbers).Empty()
		}
		return !numbers.And(c.Operator.Numbers(c.Threshold.Value)).Empty()
	}
	return holds(1000), holds(0) != holds(1000)
}

// adjustable reports whether a patient's settings decide which readings satisfy
// the comparison or its filter.
func adjustable(c *protocols.Comparison) bool {
	if c.Where != nil {
		return slices.ContainsFunc(c.Where.Sides(), func(s protocols.Side) bool { return s.Limit.Parameter != "" })
	}
	return c.Threshold.Parameter != ""
}

// counted is a phrase such as "au moins 3 mesures de glucose en dessous de …".
func (w *narrator) counted(c *protocols.Comparison) string {
	n, over := w.howMany(c), w.over(c)
	happened, plain := happenedOf(c)
	reported := ""
	if !happened {
		reported = w.say(" non signalé", " not reported")
	}
	switch {
	case c.Statistic == protocols.Events:
		return n + w.many(c, protocols.Text{FR: " épisode", EN: " event"}, protocols.Text{FR: " épisodes", EN: " events"}) + w.say(" %s %s, d'au moins %s (%s),%s", " %s %s, for at least %s (%s),%s",
			w.of(c), w.filter(c), w.length(c.Event.Lasting), w.ending(c), over)
	case c.Where != nil && plain && c.Statistic == protocols.Streak:
		return w.say("%s fois de suite « %s »%s%s", "%s times in a row “%s”%s%s", n, w.subject(c), reported, over)
	case c.Where != nil && plain:
		return w.say("%s fois « %s »%s%s", "%s times “%s”%s%s", n, w.subject(c), reported, over)
	}
	readings := n + w.many(c, protocols.Text{FR: " mesure ", EN: " reading "}, protocols.Text{FR: " mesures ", EN: " readings "})
	switch {
	case c.Statistic == protocols.Streak:
		return readings + w.say("de suite %s %s%s", "in a row %s %s%s", w.of(c), w.filter(c), over)
	case c.Where == nil:
		return readings + w.of(c) + over
	}
	return readings + w.of(c) + " " + w.filter(c) + over
}

// ending says when an event is over.
func (w *narrator) ending(c *protocols.Comparison) string {
	e := c.Event
	text := w.say("fin après %s de retour", "over after %s back", w.length(e.Ending))
	if c.Until != nil {
		text = w.say("fin après %s %s", "over after %s %s", w.length(e.Ending), w.bounds(c, c.Until))
	}
	if e.Gap > 0 {
		text += w.say(" ou %s de silence", " or %s of silence", w.length(e.Gap))
	}
	return text
}

// one is the number 1, after which no plural stands.
var one = protocols.Operand{Value: 1000}

// many is the noun for the count that a comparison compares with.
func (w *narrator) many(c *protocols.Comparison, single, several protocols.Text) string {
	if c.Threshold == one {
		return single.In(w.language)
	}
	return several.In(w.language)
}

// of is the subject after a noun: "de poids", "d'essoufflement".
func (w *narrator) of(c *protocols.Comparison) string {
	subject := w.subject(c)
	if first, _ := utf8.DecodeRuneInString(subject); strings.ContainsRune("aeiouyéèêôœ", first) {
		return w.say("d'%s", "of %s", subject)
	}
	return w.say("de %s", "of %s", subject)
}

// moved is a phrase such as "poids en hausse de plus de 2 kg sur 4 jours".
func (w *narrator) moved(c *protocols.Comparison) string {
	way, since := w.say("en hausse", "rising"), ""
	switch c.Statistic {
	case protocols.Fall, protocols.FallPercent:
		way = w.say("en baisse", "falling")
	case protocols.Change:
		since = w.say(" de la première à la dernière mesure", " from the first to the last reading")
	case protocols.Step:
		since = w.say(" depuis la mesure d'avant", " since the reading before")
	}
	return w.say("%s %s de %s%s%s", "%s %s by %s%s%s", w.subject(c), way, w.amount(c), since, w.over(c))
}

// detail names the statistic and the window: "moyenne sur 3 jours".
func (w *narrator) detail(c *protocols.Comparison) string {
	name := c.Statistic.Row().InBrackets().In(w.language)
	if c.Days != (protocols.Operand{}) {
		return w.say("%s du jour", "%s of the day", name)
	}
	if c.Statistic == protocols.Last && c.Window == (protocols.Window{}) {
		return ""
	}
	return name + w.over(c)
}

// scale is what a distance from a baseline is counted in.
func (w *narrator) scale(c *protocols.Comparison) string {
	switch c.Scaled() {
	case protocols.InPercent:
		return w.say(", en % de celle-ci,", ", in % of it,")
	case protocols.InDeviations:
		bounds := w.say("%s au moins", "at least %s", w.operand(c.Minus.Least, c.Unit()))
		if c.Minus.Most != (protocols.Operand{}) {
			bounds += w.say(", %s au plus", ", at most %s", w.operand(c.Minus.Most, c.Unit()))
		}
		return w.say(", en écarts habituels d'un jour à l'autre (%s),", ", in usual deviations from day to day (%s),", bounds)
	}
	return ""
}

// untilAgo is the last day of a baseline.
func (w *narrator) untilAgo(b *protocols.Baseline) string {
	switch b.Ago {
	case 0:
		return w.say("jusqu'à aujourd'hui", "up to today")
	case 1:
		return w.say("jusqu'à hier", "up to yesterday")
	}
	return w.say("jusqu'à il y a %s jours", "up to %s days ago", fmt.Sprint(b.Ago))
}

func (w *narrator) baseline(b *protocols.Baseline) string {
	name := b.Statistic.Row().Definite.In(w.language)
	text := w.say("%s des %s %s", "%s of the %s %s", name, w.days(b.Days), w.untilAgo(b))
	if b.AtLeast > 1 {
		text += w.say(" (si au moins %s ont une mesure)", " (when at least %s have a reading)", w.days(b.AtLeast))
	}
	if p := w.protocol.Parameter(b.Seed.Parameter); p != nil && w.named {
		text += w.say(" (« %s » en tient lieu depuis le jour où il est réglé, tant qu'il manque des jours depuis)", " (“%s” stands for it from the day on which it is set, while days since then are lacking)", p.Title.In(w.language))
	}
	return text
}

// subject is what is measured: "systolique", "glucose interstitiel entre 0 h et 6 h".
func (w *narrator) subject(c *protocols.Comparison) string {
	name := w.quantityOf(c)
	if c.Meal != "" {
		name += " " + c.Meal.Title().In(w.language)
	}
	if c.Hours == (protocols.Hours{}) {
		return name
	}
	return name + w.say(" entre %s et %s", " between %s and %s", w.clock(c.Hours.From), w.clock(c.Hours.To))
}

func (w *narrator) quantityOf(c *protocols.Comparison) string {
	if c.Flag != "" {
		return c.Subject().In(w.language) + " (" + w.measure(c.Measure, c.Variant) + ")"
	}
	if c.MinusComponent < 0 && c.PerComponent < 0 {
		return w.component(c.Measure, c.Component, c.Variant)
	}
	name := c.Measure.Components[c.Component].Title.In(w.language)
	switch {
	case c.PerComponent < 0:
		return name + w.say(" moins ", " minus ") + w.component(c.Measure, c.MinusComponent, 0)
	case c.MinusComponent >= 0:
		name = "(" + name + w.say(" moins ", " minus ") + c.Measure.Components[c.MinusComponent].Title.In(w.language) + ")"
	}
	return name + w.say(" rapporté à ", " per ") + w.component(c.Measure, c.PerComponent, 0)
}

// alone are the measures whose components are known without the measure's name. Others need
// it beside them: hours of use of what?
var alone = map[string]bool{"blood-pressure": true, "symptom": true, "pill-dispenser": true}

// Component names what is measured: "systolique", "poids", "durée d'utilisation (ventilation)".
func Component(m *protocols.Measure, component int, language string) string {
	return (&narrator{language: language}).component(m, component, 0)
}

func (w *narrator) component(m *protocols.Measure, component int, variant uint8) string {
	if len(m.Components) == 1 {
		return w.measure(m, variant)
	}
	name := m.Components[component].Title.In(w.language)
	if !alone[m.ID] && !m.Components[component].Event {
		return name + " (" + m.Title.In(w.language) + ")"
	}
	return name
}

var variantNames = map[string]protocols.Text{"capillary": {FR: "capillaire", EN: "capillary"}, "interstitial": {FR: "interstitiel", EN: "interstitial"}}

func (w *narrator) measure(m *protocols.Measure, variant uint8) string {
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
func (w *narrator) against(c *protocols.Comparison) string {
	return w.bound(c.Operator, w.operand(c.Threshold, differenceUnit(c)))
}

// differenceUnit is what a threshold is counted in: points where two percentages are held
// against each other.
func differenceUnit(c *protocols.Comparison) string {
	if c.Result() == "%" && c.Scaled() == protocols.InUnits && c.Statistic.Row().Gives != protocols.GivesPercent && (c.Minus != nil || c.Moves()) {
		return protocols.Points
	}
	return c.Result()
}

func (w *narrator) bound(o protocols.Operator, limit string) string {
	switch o {
	case protocols.Above:
		return w.say("au-dessus de %s", "above %s", limit)
	case protocols.AtLeast:
		return w.say("à %s ou plus", "at %s or more", limit)
	case protocols.Below:
		return w.say("en dessous de %s", "below %s", limit)
	}
	return w.say("à %s ou moins", "at %s or less", limit)
}

// amount is the operator and a difference: "plus de 2 kg".
func (w *narrator) amount(c *protocols.Comparison) string {
	limit := w.operand(c.Threshold, differenceUnit(c))
	switch c.Operator {
	case protocols.Above:
		return w.say("plus de %s", "more than %s", limit)
	case protocols.AtLeast:
		return w.say("%s ou plus", "%s or more", limit)
	case protocols.Below:
		return w.say("moins de %s", "less than %s", limit)
	}
	return w.say("%s ou moins", "%s or less", limit)
}

// howMany is the operator and a count: "au moins 3".
func (w *narrator) howMany(c *protocols.Comparison) string {
	limit := w.operand(c.Threshold, "1")
	switch c.Operator {
	case protocols.Above:
		return w.say("plus de %s", "more than %s", limit)
	case protocols.AtLeast:
		return w.say("au moins %s", "at least %s", limit)
	case protocols.Below:
		return w.say("moins de %s", "fewer than %s", limit)
	}
	return w.say("au plus %s", "at most %s", limit)
}

func (w *narrator) filter(c *protocols.Comparison) string {
	return w.bounds(c, c.Where)
}

func (w *narrator) bounds(c *protocols.Comparison, f *protocols.Filter) string {
	var parts []string
	unit := c.Measure.Components[c.Component].Unit
	if c.Flag != "" {
		unit = c.Unit()
	}
	for _, side := range f.Sides() {
		parts = append(parts, w.bound(side.Operator, w.operand(*side.Limit, unit)))
	}
	return strings.Join(parts, w.say(" et ", " and "))
}
