package words

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/written"
)

// Tell writes what an alert says: the author's sentence with its places filled, or
// a short one made of the reasons. It marks the comparisons that are reasons.
func Tell(p *protocols.Protocol, e *protocols.Enrolment, rule *protocols.Rule, why *protocols.Explanation) {
	t := saying{teller: teller{p, e}, rule: rule, why: why}
	if level := rule.At(why.Level); level != nil {
		level.When.Comparisons(func(c *protocols.Comparison) { t.asked = append(t.asked, c) })
		whole := (&outcomes{teller: t.teller, compared: why.Comparisons}).partOf(&level.When)
		whole.mark(why.Comparisons)
		t.scores, t.part = whole.scores(), whole.spoken()
		t.mark()
	} else {
		for i := range why.Comparisons {
			why.Comparisons[i].Reason = true
		}
	}
	fr, en := t.say(&french), t.say(&english)
	why.Summary = protocols.Text{FR: joined(why.Title.FR, " : ", fr), EN: joined(why.Title.In("en"), ": ", en)}
}

// Remark is what a remark says, where its condition is true; empty where a place has no
// value. Came is how its comparisons came out.
func Remark(p *protocols.Protocol, e *protocols.Enrolment, remark *protocols.Remark, came []protocols.Compared) protocols.Text {
	t := saying{teller: teller{p, e}, rule: &protocols.Rule{}, why: &protocols.Explanation{Comparisons: came}}
	remark.When.Comparisons(func(c *protocols.Comparison) { t.asked = append(t.asked, c) })
	whole := (&outcomes{teller: t.teller, compared: came}).partOf(&remark.When)
	whole.mark(came)
	t.scores = whole.scores()
	in := func(tongue *tongue) string {
		filled, whole := protocols.FillPlaces(remark.Says.In(tongue.code), func(p protocols.SentencePlace) (string, bool) { return t.fill(tongue, p) })
		if !whole {
			return ""
		}
		return tidy(filled)
	}
	return protocols.Text{FR: in(&french), EN: in(&english)}
}

func joined(title, colon, sentence string) string {
	if sentence == "" {
		return title
	}
	return title + colon + sentence
}

// saying is one alert that is put into words.
type saying struct {
	teller
	rule  *protocols.Rule
	why   *protocols.Explanation
	asked []*protocols.Comparison // beside the comparisons of why
	// scores are those that made it ring.
	scores []*part
	part   *part // of the condition, that has the sentence; nil for the sentence of the level
	paired bool  // the sentence shows both numbers of a pressure
}

// sentence is the author's.
func (t *saying) sentence() protocols.Text {
	if t.part != nil {
		return t.part.condition.Sentence
	}
	return t.rule.SentenceAt(t.why.Level)
}

// order lists the comparisons in the order in which they fill a place: those of the part that
// has the sentence first.
func (t *saying) order() []int {
	var first, rest []int
	if t.part != nil {
		first = t.part.leaves()
	}
	for i := range t.why.Comparisons {
		if !slices.Contains(first, i) {
			rest = append(rest, i)
		}
	}
	return append(first, rest...)
}

func (t *saying) say(in *tongue) string {
	if sentence := t.sentence().In(in.code); sentence != "" {
		t.paired = slices.ContainsFunc(protocols.Places(sentence), func(p protocols.SentencePlace) bool {
			return slices.ContainsFunc(t.asked, p.OfPair)
		})
		if filled, whole := protocols.FillPlaces(sentence, func(p protocols.SentencePlace) (string, bool) { return t.fill(in, p) }); whole {
			return capital(tidy(filled))
		}
	}
	if t.rule.Absence != nil {
		return t.silence(in, t.rule.Absence, &t.why.Comparisons[0])
	}
	var reasons, guards []string
	told := retelling{saying: t, apart: true}
	within := map[int]bool{} // comparisons told with their score
	for _, score := range t.scores {
		reasons = append(reasons, t.scored(in, score))
		for _, leaf := range score.leaves() {
			within[leaf] = true
		}
	}
	for i := range t.why.Comparisons {
		c := &t.why.Comparisons[i]
		if !c.Reason || within[i] {
			continue
		}
		if short := t.short(in, t.asked[i], c); t.asked[i].Guard() {
			guards = append(guards, short)
		} else {
			told.add(in, t.asked[i], c, short)
		}
	}
	if reasons = append(reasons, told.list...); len(reasons) == 0 {
		reasons = slices.Compact(guards)
	}
	return strings.Join(reasons, map[string]string{"fr": " ; ", "en": "; "}[in.code])
}

// figure is a value with its unit. One so near its threshold that it takes a second decimal to
// tell them apart is told by the threshold: "un peu plus de 1 %".
func (in *tongue) figure(asked *protocols.Comparison, c *protocols.Compared) string {
	shown := c.Shown()
	fine := asked.Measure.Components[asked.Component].Decimals > 1 || asked.Statistic == protocols.Slope
	if near := shown - c.Threshold; c.Limit == protocols.Measured && !fine && shown%100 != 0 && -100 < near && near < 100 {
		if near > 0 {
			return in.pick("un peu plus de %s", "just over %s", in.amount(c.Threshold, c.Unit))
		}
		return in.pick("un peu moins de %s", "just under %s", in.amount(c.Threshold, c.Unit))
	}
	return c.Limit.Sign() + in.amount(shown, c.Unit)
}

// tidy takes out the brackets that a place left empty, with the word that announced it, and
// elides.
func tidy(sentence string) string {
	return announced.ReplaceAllString(strings.NewReplacer(" ()", "", " de un peu ", " d'un peu ", "(, ", "(", ", )", ")").Replace(sentence), "")
}

// announced are brackets in which nothing follows a colon: " (dernier : )".
var announced = regexp.MustCompile(` \([^()]*:[\s\x{a0}\x{202f}]*\)`)

// fill is the value of a place: that of the first reason that can fill it. What only asks
// for enough data comes last.
func (t *saying) fill(in *tongue, p protocols.SentencePlace) (string, bool) {
	if t.rule.Absence != nil {
		return t.fillSilence(in, p)
	}
	switch {
	case p.OfScore():
		return t.fillScore(in, p)
	case p.OfAll() && p.Value == "signs":
		return t.signs(in)
	case p.OfAll():
		return t.reasons(in)
	}
	for _, guards := range []bool{false, true} {
		for _, i := range t.order() {
			if c := &t.why.Comparisons[i]; c.Reason && p.Fits(t.asked[i]) && t.asked[i].Guard() == guards {
				if p.OfPair(t.asked[i]) {
					return t.pair(in, c)
				}
				text, known := t.value(in, p.Value, t.asked[i], c)
				return in.counting(text, p, c.Value), known
			}
		}
	}
	return "", false
}

func (t *saying) value(in *tongue, name string, asked *protocols.Comparison, c *protocols.Compared) (string, bool) {
	unit := asked.Measure.Components[asked.Component].Unit
	switch name {
	case "now":
		if c.Moved != nil {
			return c.Moved.ToLimit.Sign() + in.amount(shownOf(c, c.Moved.To), unit), true
		}
		return in.figure(asked, c), c.Value != protocols.Missing
	case "usual", "before":
		if c.Moved == nil {
			return "", false
		}
		return c.Moved.FromLimit.Sign() + in.amount(shownOf(c, c.Moved.From), unit), true
	case "change":
		by, unit := t.change(asked, c)
		return in.signed(by, unit), c.Value != protocols.Missing
	case "since":
		since := t.since(in, asked, c)
		return since, since != ""
	case "count":
		return in.plainNumber(c.Value), c.Value != protocols.Missing
	case "each":
		told := t.each(in, asked, c)
		return told, told != ""
	case "bound":
		said := in.filter(asked, c, t.enrolment.Zone, true)
		return said, said != ""
	case "threshold":
		return in.amount(c.Threshold, c.Unit), true
	case "words":
		now := c.Value
		if c.Moved != nil {
			now = c.Moved.To
		}
		words := asked.Measure.Components[asked.Component].Wording(now).In(in.code)
		return words, words != ""
	case "at":
		return t.at(in, c)
	case "limit":
		if over := asked.Measure.Component("systolic"); t.paired && over >= 0 && over != asked.Component && !strings.Contains(t.sentence().In(in.code), asked.Subject().In(in.code)) { // not the first of both numbers
			unit = in.pick("%s de %s", "%s %s", protocols.SpokenUnit(c.Unit).In(in.code), asked.Subject().In(in.code))
			return strings.Replace(in.limit(asked, c, t.enrolment.Zone), protocols.SpokenUnit(c.Unit).In(in.code), unit, 1), true
		}
		return in.limit(asked, c, t.enrolment.Zone), true
	}
	return in.setBy(c, t.enrolment.Zone), true
}

// latest is the latest reading that a comparison rests on; nil where none is cited.
func (t *saying) latest(c *protocols.Compared) *protocols.Cited {
	for i := len(t.why.Readings) - 1; i >= 0; i-- {
		if r := &t.why.Readings[i]; r.Measure == c.Measure {
			return r
		}
	}
	return nil
}

// at is when the latest reading was measured, on the patient's clock: "à 08:05", with the
// day where the alert is of another one, or the day alone where nothing more is known.
func (t *saying) at(in *tongue, c *protocols.Compared) (string, bool) {
	r := t.latest(c)
	if r == nil {
		return "", false
	}
	then, now := r.Time.In(t.enrolment.Zone), t.why.At.In(t.enrolment.Zone)
	clock, day := in.pick("à %s", "at %s", then.Format("15:04")), in.pick("le %s", "on %s", written.Day(in.code, then))
	switch {
	case r.DayOnly:
		return day, true
	case then.Format(time.DateOnly) == now.Format(time.DateOnly):
		return clock, true
	}
	return day + " " + clock, true
}

// pair is a pressure with both its numbers: "86/52 mmHg".
func (t *saying) pair(in *tongue, c *protocols.Compared) (string, bool) {
	r := t.latest(c)
	if r == nil {
		return "", false
	}
	return pairOf(in, r)
}

func pairOf(in *tongue, r *protocols.Cited) (string, bool) {
	over, two := r.Values["systolic"]
	under, also := r.Values["diastolic"]
	unit := protocols.SpokenUnit("mm[Hg]").In(in.code)
	return r.Limits["systolic"].Sign() + in.plainNumber(over) + "/" + r.Limits["diastolic"].Sign() + in.plainNumber(under) + " " + unit, two && also
}

// reasons says everything that made it ring, each in short. What only asks for enough
// data is none.
func (t *saying) reasons(in *tongue) (string, bool) {
	told := retelling{saying: t}
	for i := range t.why.Comparisons {
		if c := &t.why.Comparisons[i]; c.Reason && !t.asked[i].Guard() {
			one, _ := t.brief(in, t.asked[i], c)
			told.add(in, t.asked[i], c, one)
		}
	}
	said := told.list
	if more := len(said) - mostReasons; more > 1 {
		said = append(said[:mostReasons:mostReasons], in.pick("et %d autres signes", "and %d other signs", more))
	}
	return strings.Join(said, in.pick(" ; ", "; ")), len(said) > 0
}

// signs says each sign that made it ring once, however many comparisons look at it: its
// value, and the one that it was or that is usual.
func (t *saying) signs(in *tongue) (string, bool) {
	var said, named []string
	for i := range t.why.Comparisons {
		c, asked := &t.why.Comparisons[i], t.asked[i]
		name := in.name(asked)
		if !c.Reason || asked.Guard() || slices.Contains(named, name) {
			continue
		}
		named = append(named, name)
		one, _ := t.brief(in, asked, c)
		if c.Moved != nil && asked.Minus != nil {
			one = in.pick("%s %s (%s d'habitude)", "%s %s (usually %s)", name, in.measured(asked, c.Moved.To)+in.outOf(asked), in.measured(asked, c.Moved.From))
		}
		said = append(said, one)
	}
	return strings.Join(said, ", "), len(said) > 0
}

// measured is a value as finely as its instrument shows it, however it was computed; the mean
// of answers keeps its tenths.
func (in *tongue) measured(asked *protocols.Comparison, v protocols.Value) string {
	of := &asked.Measure.Components[asked.Component]
	step := int64(1000)
	for range of.Decimals {
		step /= 10
	}
	if of.Unit == "{score}" {
		return in.plainNumber(protocols.Value(protocols.RoundedRatio(int64(v), 100) * 100))
	}
	return in.amount(protocols.Value(protocols.RoundedRatio(int64(v), step)*step), of.Unit)
}

// outOf is how many grades an answer has: " sur 3".
func (in *tongue) outOf(asked *protocols.Comparison) string {
	of := &asked.Measure.Components[asked.Component]
	if of.Unit != "{score}" {
		return ""
	}
	return in.pick(" sur %s", " of %s", in.plainNumber(of.High))
}

// change is by how much, and in what: a fall goes down, and a distance in deviations is
// told in the unit of the readings.
func (t *saying) change(asked *protocols.Comparison, c *protocols.Compared) (protocols.Value, string) {
	switch {
	case asked.Statistic == protocols.FallPercent:
		return -c.Shown(), changeUnit(asked, c)
	case asked.Statistic == protocols.Fall && c.Moved != nil:
		return -c.ShownAs(shownOf(c, c.Moved.From) - shownOf(c, c.Moved.To)), changeUnit(asked, c)
	case asked.Statistic == protocols.Fall:
		return -c.Shown(), changeUnit(asked, c)
	case asked.Scaled() == protocols.InDeviations && c.Moved != nil:
		unit := asked.Unit()
		if unit == "%" {
			unit = protocols.Points
		}
		return shownOf(c, c.Moved.To) - shownOf(c, c.Moved.From), unit
	case c.Moved != nil && asked.Statistic != protocols.RisePercent && asked.Scaled() == protocols.InUnits:
		return c.ShownAs(shownOf(c, c.Moved.To) - shownOf(c, c.Moved.From)), changeUnit(asked, c)
	}
	return c.Shown(), changeUnit(asked, c)
}

// shownOf is a value of the comparison's component as a person reads it.
func shownOf(c *protocols.Compared, v protocols.Value) protocols.Value {
	alone := protocols.Compared{Measure: c.Measure, Component: c.Component, Per: c.Per, Value: v, Threshold: protocols.Missing, Clear: protocols.Missing}
	return alone.Shown()
}

// short says one reason: what came out, and from where on it rings.
func (t *saying) short(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	said, whole := t.brief(in, asked, c)
	if whole {
		return said
	}
	if asked.Scaled() == protocols.InDeviations && c.Moved != nil {
		said += in.pick(", soit %s fois l'écart habituel", ", %s times the usual deviation", in.plainNumber(max(c.Shown(), -c.Shown())))
	}
	return said + ", " + in.rings(asked, c, t.enrolment.Zone)
}

// brief says what came out. It is whole where from where on it rings says nothing more.
func (t *saying) brief(in *tongue, asked *protocols.Comparison, c *protocols.Compared) (said string, whole bool) {
	name := in.name(asked)
	said = name
	unit := asked.Measure.Components[asked.Component].Unit
	switch {
	case asked.Happens() && asked.Statistic == protocols.Last:
		return in.pick("« %s » signalé", "“%s” reported", asked.Subject().In(in.code)), true
	case c.Value == protocols.Missing:
		said = name
	case c.Moved != nil && unit == "{score}" && asked.Minus != nil:
		most := in.plainNumber(asked.Measure.Components[asked.Component].High)
		said = in.pick("%s à %s sur %s (%s d'habitude)", "%s at %s of %s (%s is usual)", name, in.plainNumber(shownOf(c, c.Moved.To)), most, in.plainNumber(shownOf(c, c.Moved.From)))
	case c.Moved != nil && asked.Beside != nil:
		own := (&narrator{language: in.code}).subject(asked)
		said = fmt.Sprintf("%s %s%s %s (%s)", own, in.amount(shownOf(c, c.Moved.To), unit), in.pick(" pour", ", with")+strings.TrimPrefix(in.beside(asked), " −"), in.amount(shownOf(c, c.Moved.From), unit), in.signed(c.Shown(), c.Unit))
	case c.Moved != nil && (asked.Minus != nil || asked.Statistic == protocols.Improbable):
		said = fmt.Sprintf("%s %s, %s", name, c.Moved.ToLimit.Sign()+in.amount(shownOf(c, c.Moved.To), unit), t.against(in, asked, c, shownOf(c, c.Moved.From), unit))
	case c.Moved != nil && unit == "{score}":
		most := asked.Measure.Components[asked.Component].High
		said = in.pick("%s de %s à %s sur %s %s", "%s from %s to %s of %s %s", name, in.plainNumber(c.Moved.From), in.plainNumber(c.Moved.To), in.plainNumber(most), t.since(in, asked, c))
	case c.Moved != nil:
		said = fmt.Sprintf("%s %s %s (%s → %s)", name, in.signed(t.change(asked, c)), t.since(in, asked, c), c.Moved.FromLimit.Sign()+in.plainNumber(shownOf(c, c.Moved.From)), c.Moved.ToLimit.Sign()+in.amount(shownOf(c, c.Moved.To), unit))
	case asked.Statistic == protocols.Share:
		said = in.pick("%s%s : %s des mesures%s", "%s%s: %s of readings%s", name, in.filterShort(asked, c), in.amount(c.Shown(), "%"), t.inWindow(in, asked, c))
	case asked.Statistic == protocols.Count || asked.Statistic == protocols.Events || asked.Statistic == protocols.Streak:
		said = t.times(in, asked, c)
	case asked.Statistic == protocols.Last && unit == "{score}":
		return in.pick("%s à %s sur %s", "%s at %s of %s", name, in.plainNumber(c.Value), in.plainNumber(asked.Measure.Components[asked.Component].High)) + in.worded(c.Value, asked) + in.lasts(t, asked), true
	case asked.Statistic == protocols.Last:
		said = in.pick("%s à %s", "%s at %s", name, c.Limit.Sign()+in.amount(c.Shown(), c.Unit)) + in.lasts(t, asked)
	case c.Count == 1 && asked.Minus == nil && asked.Statistic.Row().Baseline && !asked.Daily(): // of one reading, that one
		said = in.pick("%s à %s", "%s at %s", name, c.Limit.Sign()+in.amount(c.Shown(), c.Unit))
	default:
		said = name + ", " + asked.Statistic.Row().Noun.In(in.code) + " " + c.Limit.Sign() + in.amount(c.Shown(), c.Unit) + t.inWindow(in, asked, c) + in.lasts(t, asked)
	}
	return said, false
}

// times says how often, and when each was where that is kept and nothing else is counted: of
// several counts the hours would drown what they say.
func (t *saying) times(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	said := t.howOften(in, asked, c)
	if len(c.Each) == 0 || t.counts() > 1 {
		return said
	}
	return said + in.pick(" : ", ": ") + t.each(in, asked, c)
}

// counts is of how many reasons each of what counted is kept.
func (t *saying) counts() (n int) {
	for i := range t.why.Comparisons {
		if c := &t.why.Comparisons[i]; c.Reason && len(c.Each) > 0 {
			n++
		}
	}
	return n
}

func (t *saying) howOften(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	what := in.name(asked) + in.filterShort(asked, c)
	if asked.Happens() {
		what = in.name(asked)
	}
	often := in.pick("%s fois", "%s times", in.plainNumber(c.Value))
	if word := map[protocols.Value]string{1000: "once", 2000: "twice"}[c.Value]; word != "" && in.code == "en" {
		often = word
	}
	if asked.Statistic == protocols.Streak {
		return in.pick("%s, %s de suite", "%s, %s in a row", what, often)
	}
	return fmt.Sprintf("%s, %s%s", what, often, in.inWindow(asked, asked.Window.Days))
}

// silence says what is missing and for how long.
func (t *saying) silence(in *tongue, a *protocols.Absence, c *protocols.Compared) string {
	what := a.Measure.Title.In(in.code)
	if len(a.Components) > 0 {
		var names []string
		for _, i := range a.Components {
			names = append(names, a.Measure.Components[i].Title.In(in.code))
		}
		what += " (" + strings.Join(names, ", ") + ")"
	}
	long := in.some(int(c.Value/1000), in.spans(a.Cadence.Per))
	if a.Cadence.Times > 1 || a.Cadence.Per == protocols.PerSession || len(a.Components) > 0 {
		return in.pick("%s : pas tout ce qui est attendu depuis %s", "%s: not all that is expected for %s", what, long)
	}
	return in.pick("%s : rien depuis %s", "%s: nothing for %s", what, long)
}

func (t *saying) fillSilence(in *tongue, p protocols.SentencePlace) (string, bool) {
	c := &t.why.Comparisons[0]
	switch p.Value {
	case "since":
		return in.some(int(c.Value/1000), in.spans(t.rule.Absence.Cadence.Per)), true
	case "count":
		return in.counting(in.plainNumber(c.Value), p, c.Value), true
	case "threshold":
		return in.plainNumber(c.Threshold), true
	case "set_by":
		return in.setBy(c, t.enrolment.Zone), true
	case "last":
		return t.last(in), true
	}
	return "", false
}

// last is the last reading of an absence with its day: "80,2 kg le 22 nov.". Where one number
// does not tell the reading, the day stands alone; empty where there was none of late.
func (t *saying) last(in *tongue) string {
	last := t.why.Last
	if last == nil {
		return ""
	}
	day := in.pick("le %s", "on %s", written.Day(in.code, last.Time.In(t.enrolment.Zone)))
	m := t.rule.Absence.Measure
	r := protocols.Cited{Measure: m.ID, Values: last.Values, Limits: last.Limits}
	first := &m.Components[0]
	switch {
	case m.Component("systolic") >= 0 && m.Component("diastolic") >= 0:
		if both, known := pairOf(in, &r); known {
			return both + " " + day
		}
	case len(m.Components) == 1 && !first.Event && first.Unit != "{score}":
		if v, known := r.Values[first.Name]; known {
			c := protocols.Compared{Measure: m.ID, Component: first.Name}
			return r.Limits[first.Name].Sign() + in.amount(shownOf(&c, v), first.Unit) + " " + day
		}
	}
	return day
}

// The words of both languages.

func (in *tongue) pick(fr, en string, gaps ...any) string {
	if in.code == "fr" {
		return fmt.Sprintf(fr, gaps...)
	}
	return fmt.Sprintf(en, gaps...)
}

// counting puts the noun of a place behind its count.
func (in *tongue) counting(number string, p protocols.SentencePlace, n protocols.Value) string {
	switch {
	case p.One == "":
		return number
	case n == 1000 || n == 0 && in.code == "fr":
		return number + " " + p.One
	}
	return number + " " + p.Many
}

// name is what is compared, in as few words as tell it.
func (in *tongue) name(c *protocols.Comparison) string {
	name := c.Measure.Title.In(in.code)
	if c.Flag != "" || len(c.Measure.Components) > 1 {
		name = c.Subject().In(in.code)
	}
	if c.MinusComponent >= 0 {
		name += " − " + c.Measure.Components[c.MinusComponent].Title.In(in.code)
	}
	if c.PerComponent >= 0 {
		name += " / " + c.Measure.Components[c.PerComponent].Title.In(in.code)
	}
	return name + in.meal(c.Meal) + in.hours(c.Hours)
}

// plainNumber writes a number with a true minus.
func (in *tongue) plainNumber(v protocols.Value) string {
	return strings.Replace(in.number(v), "-", "−", 1)
}

// amount is a number with its unit.
func (in *tongue) amount(v protocols.Value, unit string) string {
	switch {
	case v == protocols.Missing:
		return ""
	case v < 0: // as a change is written
		return "− " + in.amount(-v, unit)
	}
	return protocols.InUnit(in.plainNumber(v), unit, in.code, " ")
}

// signed is a change: + 2 kg.
func (in *tongue) signed(v protocols.Value, unit string) string {
	if v > 0 {
		return "+ " + in.amount(v, unit)
	}
	return in.amount(v, unit)
}

// changeUnit is what a change is counted in: points between two percentages, per
// cent where the statistic or its baseline says so.
func changeUnit(asked *protocols.Comparison, c *protocols.Compared) string {
	if c.Unit == "%" && asked.Statistic.Row().Gives != protocols.GivesPercent && asked.Scaled() == protocols.InUnits {
		return protocols.Points
	}
	return c.Unit
}

// lasts says for how long a level has held.
func (in *tongue) lasts(t *saying, c *protocols.Comparison) string {
	switch {
	case c.Lasting > 0:
		return in.pick(" depuis %s", " for %s", durationWords(c.Lasting))
	case c.Daily():
		return in.pick(", %s de suite", ", %s in a row", in.some(int(t.protocol.Value(&c.Days, t.enrolment.Settings)/1000), in.days))
	}
	return ""
}

// against says where a value lies beside the usual one.
func (t *saying) against(in *tongue, asked *protocols.Comparison, c *protocols.Compared, usual protocols.Value, unit string) string {
	by, counted := t.change(asked, c)
	side := in.pick("de plus que d'habitude", "above the usual")
	if by < 0 {
		by, side = -by, in.pick("de moins que d'habitude", "below the usual")
	}
	return fmt.Sprintf("%s %s (%s)", in.amount(by, counted), side, in.amount(usual, unit))
}

// filterShort says which readings count: " sous 54 mg/dL".
func (in *tongue) filterShort(asked *protocols.Comparison, c *protocols.Compared) string {
	if said := in.filter(asked, c, time.UTC, false); said != "" {
		return " " + said
	}
	return ""
}

// filter says which readings count, and with whose who set that for this patient.
func (in *tongue) filter(asked *protocols.Comparison, c *protocols.Compared, zone *time.Location, whose bool) string {
	unit := asked.Measure.Components[asked.Component].Unit
	var bounds []string
	for _, b := range c.Where {
		said := in.bound(b.Operator, in.amount(b.Value, unit))
		if by := in.setBy(&protocols.Compared{SetBy: b.SetBy, SetOn: b.SetOn}, zone); whose && by != "" {
			said += " (" + by + ")"
		}
		bounds = append(bounds, said)
	}
	return strings.Join(bounds, in.pick(" et ", " and "))
}

// bound is one side: "sous 54 mg/dL", "à 180 mg/dL ou plus".
func (in *tongue) bound(o protocols.Operator, limit string) string {
	switch o {
	case protocols.Above:
		return in.pick("au-dessus de %s", "above %s", limit)
	case protocols.Below:
		return in.pick("sous %s", "below %s", limit)
	case protocols.AtLeast:
		return in.pick("à %s ou plus", "at %s or more", limit)
	}
	return in.pick("à %s ou moins", "at %s or less", limit)
}

// rings says from where on it rings, and who said so for this patient.
func (in *tongue) rings(asked *protocols.Comparison, c *protocols.Compared, zone *time.Location) string {
	return in.pick("alerte ", "rings ") + in.limit(asked, c, zone)
}

// limit is what a value has to pass: "dès 38 °C (Dr Aubry 02/11/2026)".
func (in *tongue) limit(asked *protocols.Comparison, c *protocols.Compared, zone *time.Location) string {
	limit := in.amount(c.Threshold, c.Unit)
	if c.Moved != nil {
		limit = in.signed(c.Threshold, changeUnit(asked, c))
		if asked.Statistic == protocols.Fall || asked.Statistic == protocols.FallPercent {
			limit = in.signed(-c.Threshold, changeUnit(asked, c))
		}
	}
	if asked.Scaled() == protocols.InDeviations {
		limit = in.pick("%s fois", "%s times", in.plainNumber(c.Threshold))
	}
	operator := asked.Operator
	if c.Truth == protocols.False { // a reason under a negation
		operator = operator.Negated()
	}
	said := in.bound(operator, limit)
	switch {
	case operator == protocols.AtLeast || c.Moved != nil && operator == protocols.AtMost:
		said = in.pick("dès %s", "from %s", limit)
	case c.Moved != nil:
		said = in.pick("au-delà de %s", "beyond %s", limit)
	}
	if by := in.setBy(c, zone); by != "" {
		said += " (" + by + ")"
	}
	return said
}

// setBy is who set the threshold for this patient; empty where nobody did.
func (in *tongue) setBy(c *protocols.Compared, zone *time.Location) string {
	if c.SetBy == "" || c.SetOn.IsZero() {
		return ""
	}
	return c.SetBy + " " + c.SetOn.In(zone).Format(in.date)
}

// spans are the periods of a silence.
func (in *tongue) spans(per protocols.Period) [2]string {
	return map[protocols.Period]map[string][2]string{
		protocols.PerDay:     {"fr": {"jour", "jours"}, "en": {"day", "days"}},
		protocols.PerWeek:    {"fr": {"semaine", "semaines"}, "en": {"week", "weeks"}},
		protocols.PerSession: {"fr": {"séance", "séances"}, "en": {"session", "sessions"}},
	}[per][in.code]
}

// worded is what a grade means, in brackets: " (au repos)".
func (in *tongue) worded(v protocols.Value, asked *protocols.Comparison) string {
	words := asked.Measure.Components[asked.Component].Wording(v).In(in.code)
	if words == "" {
		return ""
	}
	return " (" + words + ")"
}
