package protocols

import (
	"fmt"
	"strings"
	"time"
)

// teller puts comparisons into words for one patient.
type teller struct {
	protocol  *Protocol
	enrolment *Enrolment
}

// compared is one comparison with how it came out.
func (t teller) compared(c *Comparison, out outcome) Compared {
	l := t.protocol.limits(c, t.enrolment.Settings)
	shown := Compared{
		Measure: c.Measure.ID, Component: c.Measure.Components[c.Component].Name, Statistic: c.Statistic,
		From: moment(out.from), To: moment(out.to), Count: out.count, Value: out.figure.value(), Unit: c.Result(),
		Operator: c.Operator, Threshold: l.threshold, Clear: l.clear, Where: t.bounds(c.Where), Truth: out.truth.public(),
	}
	if c.MinusComponent >= 0 {
		shown.Minus = c.Measure.Components[c.MinusComponent].Name
	}
	t.origin(&shown, &c.Threshold)
	shown.Sentence = Text{FR: t.sentence(&french, c, &shown), EN: t.sentence(&english, c, &shown)}
	return shown
}

// missing is an absence as a comparison.
func (t teller) missing(a *Absence, level int, out outcome) Compared {
	periods := &a.Missing[level].Periods
	component := 0
	if len(a.Components) > 0 {
		component = a.Components[0]
	}
	shown := Compared{
		Measure: a.Measure.ID, Component: a.Measure.Components[component].Name, Statistic: MissingPeriods,
		From: moment(out.from), To: moment(out.to), Count: out.count, Value: out.figure.value(), Unit: periodUnits[a.Cadence.Per],
		Operator: AtLeast, Threshold: t.protocol.value(periods, t.enrolment.Settings), Clear: Missing, Truth: out.truth.public(),
	}
	t.origin(&shown, periods)
	shown.Sentence = Text{FR: t.absenceSentence(&french, a, &shown), EN: t.absenceSentence(&english, a, &shown)}
	return shown
}

// periodUnits are what missing periods are counted in; sessions are a plain count.
var periodUnits = map[Period]string{PerDay: "d", PerWeek: "wk", PerSession: "1"}

// origin says who set the threshold, when a person did.
func (t teller) origin(shown *Compared, o *Operand) {
	shown.Parameter = o.Parameter
	if setting, set := t.enrolment.Settings[o.Parameter]; set && o.Parameter != "" {
		shown.SetBy, shown.SetOn, shown.SetReason = setting.Author, setting.Date.UTC(), setting.Reason
	}
}

// tongue is what it takes to say a comparison in one language.
type tongue struct {
	code              string
	operators         map[Operator]string
	number            func(Value) string
	date              string
	is, not, unknown  string // what the threshold is to the figure
	over              string // a window
	days              [2]string
	periods           map[Period][2]string
	minusOn, minusAgo string // a baseline
	lasting, inARow   string
	among             string // which readings count
	ownSetting        string
	proposedSetting   string
	defaultSetting    string
	missing           string
	expected          [2]string
}

var french = tongue{
	code:      "fr",
	operators: map[Operator]string{Above: "au-dessus de", AtLeast: "au moins", Below: "en dessous de", AtMost: "au plus"},
	number:    Value.French,
	date:      "02/01/2006",
	is:        ", %s %s", not: ", et non %s %s", unknown: " : données insuffisantes pour comparer (%s %s)",
	over: " sur %s", days: [2]string{"jour", "jours"}, minusOn: " − %s des moyennes de %s", minusAgo: " finissant %s plus tôt",
	lasting: ", depuis %s", inARow: ", %s de suite", among: " %s %s",
	ownSetting: " (seuil réglé par %s le %s)", proposedSetting: " (seuil proposé)", defaultSetting: " (seuil par défaut du protocole)",
	periods: map[Period][2]string{PerDay: {"jour", "jours de suite"}, PerWeek: {"semaine", "semaines de suite"}, PerSession: {"séance", "séances de suite"}},
	missing: "%s : %s sans %s, à signaler dès %s", expected: [2]string{"la mesure attendue", "toutes les mesures attendues"},
}

var english = tongue{
	code:      "en",
	operators: map[Operator]string{Above: "above", AtLeast: "at least", Below: "below", AtMost: "at most"},
	number:    Value.String,
	date:      "2006-01-02",
	is:        ", %s %s", not: ", not %s %s", unknown: ": not enough data to compare (%s %s)",
	over: " over %s", days: [2]string{"day", "days"}, minusOn: " − %s of the means of %s", minusAgo: " ending %s earlier",
	lasting: ", for %s", inARow: ", %s in a row", among: " %s %s",
	ownSetting: " (threshold set by %s on %s)", proposedSetting: " (proposed threshold)", defaultSetting: " (the protocol's default threshold)",
	periods: map[Period][2]string{PerDay: {"day", "days in a row"}, PerWeek: {"week", "weeks in a row"}, PerSession: {"session", "sessions in a row"}},
	missing: "%s: %s without %s, to be told from %s", expected: [2]string{"the expected reading", "all expected readings"},
}

// sentence says a comparison: "poids : dernier − plus bas sur 3 jours = 2,4 kg,
// au-dessus de 2 kg (seuil réglé par Dr X le 03/03/2026)".
func (t teller) sentence(in *tongue, c *Comparison, shown *Compared) string {
	var b strings.Builder
	b.WriteString(c.subject(in))
	b.WriteString(c.Statistic.Row().Explained().In(in.code))
	b.WriteString(in.filterWords(c, shown.Where))
	b.WriteString(in.windowWords(c.Window))
	if m := c.Minus; m != nil {
		fmt.Fprintf(&b, in.minusOn, m.Statistic.Row().Explained().In(in.code), in.some(m.Days, in.days))
		if m.Ago > 0 {
			fmt.Fprintf(&b, in.minusAgo, in.some(m.Ago, in.days))
		}
	}
	if c.daily() {
		fmt.Fprintf(&b, in.inARow, in.some(int(t.protocol.value(&c.Days, t.enrolment.Settings)/1000), in.days))
	}
	if c.Lasting > 0 {
		fmt.Fprintf(&b, in.lasting, durationWords(c.Lasting))
	}
	limit := in.quantity(shown.Threshold, shown.Unit)
	how := in.is
	switch shown.Truth {
	case False:
		how = in.not
	case NotEnough:
		how = in.unknown
	}
	if shown.Value != Missing {
		b.WriteString(" = " + in.quantity(shown.Shown(), shown.Unit))
	}
	fmt.Fprintf(&b, how, in.operators[c.Operator], limit)
	b.WriteString(in.setting(shown, t.enrolment.Zone))
	return b.String()
}

func (t teller) absenceSentence(in *tongue, a *Absence, shown *Compared) string {
	expected := in.expected[0]
	if a.Cadence.Times > 1 || len(a.Components) > 1 {
		expected = in.expected[1]
	}
	subject := a.Measure.Title.In(in.code)
	for _, i := range a.Components {
		subject += ", " + a.Measure.Components[i].Title.In(in.code)
	}
	row := in.some(int(shown.Value/1000), in.periods[a.Cadence.Per])
	return fmt.Sprintf(in.missing, subject, row, expected, in.number(shown.Threshold)) + in.setting(shown, t.enrolment.Zone)
}

// some counts things: French takes the plural from two on, English for all but
// one.
func (in *tongue) some(n int, words [2]string) string {
	if n == 1 || n == 0 && in.code == "fr" {
		return fmt.Sprintf("%d %s", n, words[0])
	}
	return fmt.Sprintf("%d %s", n, words[1])
}

// subject names what is compared, with the punctuation of the language.
func (c *Comparison) subject(in *tongue) string {
	name := c.Measure.Title.In(in.code)
	if len(c.Measure.Components) > 1 {
		name += ", " + c.Measure.Components[c.Component].Title.In(in.code)
	}
	if c.MinusComponent >= 0 {
		name += " − " + c.Measure.Components[c.MinusComponent].Title.In(in.code)
	}
	if in.code == "fr" {
		return name + " : "
	}
	return name + ": "
}

// filterWords says which readings count.
func (in *tongue) filterWords(c *Comparison, bounds []Bound) string {
	unit := c.Measure.Components[c.Component].Unit
	var b strings.Builder
	for _, bound := range bounds {
		fmt.Fprintf(&b, in.among, in.operators[bound.Operator], in.quantity(bound.Value, unit))
	}
	return b.String()
}

// bounds are those of a filter, the patient's settings in place.
func (t teller) bounds(f *Filter) []Bound {
	if f == nil {
		return nil
	}
	var bounds []Bound
	for _, side := range []struct {
		operator Operator
		limit    *Operand
	}{{Above, f.Above}, {AtLeast, f.AtLeast}, {Below, f.Below}, {AtMost, f.AtMost}} {
		if side.limit != nil {
			bounds = append(bounds, Bound{side.operator, t.protocol.value(side.limit, t.enrolment.Settings)})
		}
	}
	return bounds
}

func (in *tongue) windowWords(w Window) string {
	switch {
	case w.Days > 0:
		return fmt.Sprintf(in.over, in.some(w.Days, in.days))
	case w.Length > 0:
		return fmt.Sprintf(in.over, durationWords(w.Length))
	}
	return ""
}

// setting says where a threshold comes from.
func (in *tongue) setting(shown *Compared, zone *time.Location) string {
	switch {
	case shown.Parameter == "":
		return ""
	case shown.SetBy == "":
		return in.defaultSetting
	case shown.SetOn.IsZero(): // nobody has set it for the patient
		return in.proposedSetting
	}
	return fmt.Sprintf(in.ownSetting, shown.SetBy, shown.SetOn.In(zone).Format(in.date))
}

// quantity writes a number with its unit as people write it.
func (in *tongue) quantity(v Value, unit string) string {
	spoken := spokenUnit(unit, in.code)
	if spoken == "" {
		return in.number(v)
	}
	return in.number(v) + " " + spoken
}

// spokenUnit is a UCUM code as people write it.
func spokenUnit(unit, language string) string {
	if perDay, ok := strings.CutSuffix(unit, "/d"); ok {
		return spokenUnit(perDay, language) + map[string]string{"fr": " par jour", "en": " a day"}[language]
	}
	switch unit {
	case "1", "{score}":
		return ""
	case "mm[Hg]":
		return "mmHg"
	case "Cel":
		return "°C"
	case "umol/L":
		return "µmol/L"
	case "[iU]":
		return map[string]string{"fr": "UI", "en": "IU"}[language]
	case "d":
		return map[string]string{"fr": "j", "en": "d"}[language]
	case "Ohm":
		return "Ω"
	}
	return unit
}

// durationWords writes a duration in the largest units that fit: "24 h", "90 min".
func durationWords(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// speaks tells how each comparison of a condition, as they are written, comes out
// where it is a reason: false within a negation.
func (c *Condition) speaks(reason, other Truth, found []Truth) []Truth {
	switch {
	case c.Compare != nil:
		return append(found, reason)
	case c.Not != nil:
		return c.Not.speaks(other, reason, found)
	}
	for _, list := range [][]Condition{c.All, c.Any} {
		for i := range list {
			found = list[i].speaks(reason, other, found)
		}
	}
	return found
}

// summary is one sentence: what was asked, and the comparisons that are reasons.
func summary(e *Explanation, reasons []Truth) Text {
	var fr, en []string
	for i := range e.Comparisons {
		if c := &e.Comparisons[i]; c.Truth == reasons[i] {
			fr, en = append(fr, c.Sentence.FR), append(en, c.Sentence.EN)
		}
	}
	text := Text{FR: e.Title.FR, EN: e.Title.In("en")}
	if len(fr) > 0 {
		text.FR += " : " + strings.Join(fr, " ; ")
		text.EN += ": " + strings.Join(en, "; ")
	}
	return text
}
