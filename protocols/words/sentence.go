package words

import (
	"fmt"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/written"
)

// Comparison says how a comparison came out for a patient: "poids : dernier − plus
// bas sur 3 jours = 2,4 kg, au-dessus de 2 kg (seuil réglé par Dr X le 03/03/2026)".
func Comparison(p *protocols.Protocol, e *protocols.Enrolment, c *protocols.Comparison, shown *protocols.Compared) protocols.Text {
	t := teller{p, e}
	return protocols.Text{FR: t.sentence(&french, c, shown), EN: t.sentence(&english, c, shown)}
}

// Absence says what is missing.
func Absence(p *protocols.Protocol, e *protocols.Enrolment, a *protocols.Absence, shown *protocols.Compared) protocols.Text {
	t := teller{p, e}
	return protocols.Text{FR: t.absenceSentence(&french, a, shown), EN: t.absenceSentence(&english, a, shown)}
}

// teller puts comparisons into words for one patient.
type teller struct {
	protocol  *protocols.Protocol
	enrolment *protocols.Enrolment
}

// tongue is what it takes to say a comparison in one language.
type tongue struct {
	code              string
	operators         map[protocols.Operator]string
	number            func(protocols.Value) string
	date              string
	is, not, unknown  string // what the threshold is to the figure
	over              string // a window
	days              [2]string
	periods           map[protocols.Period][2]string
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
	operators: map[protocols.Operator]string{protocols.Above: "au-dessus de", protocols.AtLeast: "au moins", protocols.Below: "en dessous de", protocols.AtMost: "au plus"},
	number:    protocols.Value.French,
	date:      "02/01/2006",
	is:        ", %s %s", not: ", et non %s %s", unknown: " : données insuffisantes pour comparer (%s %s)",
	over: " sur %s", days: [2]string{"jour", "jours"}, minusOn: " − %s des moyennes de %s", minusAgo: " finissant %s plus tôt",
	lasting: ", depuis %s", inARow: ", %s de suite", among: " %s %s",
	ownSetting: " (seuil réglé par %s le %s)", proposedSetting: " (seuil proposé)", defaultSetting: " (seuil par défaut du protocole)",
	periods: map[protocols.Period][2]string{protocols.PerDay: {"jour", "jours de suite"}, protocols.PerWeek: {"semaine", "semaines de suite"}, protocols.PerSession: {"séance", "séances de suite"}},
	missing: "%s : %s sans %s, à signaler dès %s", expected: [2]string{"la mesure attendue", "toutes les mesures attendues"},
}

var english = tongue{
	code:      "en",
	operators: map[protocols.Operator]string{protocols.Above: "above", protocols.AtLeast: "at least", protocols.Below: "below", protocols.AtMost: "at most"},
	number:    protocols.Value.String,
	date:      "2 Jan 2006",
	is:        ", %s %s", not: ", not %s %s", unknown: ": not enough data to compare (%s %s)",
	over: " over %s", days: [2]string{"day", "days"}, minusOn: " − %s of the means of %s", minusAgo: " ending %s earlier",
	lasting: ", for %s", inARow: ", %s in a row", among: " %s %s",
	ownSetting: " (threshold set by %s on %s)", proposedSetting: " (proposed threshold)", defaultSetting: " (the protocol's default threshold)",
	periods: map[protocols.Period][2]string{protocols.PerDay: {"day", "days in a row"}, protocols.PerWeek: {"week", "weeks in a row"}, protocols.PerSession: {"session", "sessions in a row"}},
	missing: "%s: %s without %s, to be told from %s", expected: [2]string{"the expected reading", "all expected readings"},
}

func (t teller) sentence(in *tongue, c *protocols.Comparison, shown *protocols.Compared) string {
	var b strings.Builder
	b.WriteString(subjectOf(c, in))
	b.WriteString(c.Statistic.Row().Explained().In(in.code))
	b.WriteString(in.filterWords(c, shown.Where))
	b.WriteString(in.windowWords(c.Window))
	if m := c.Minus; m != nil {
		fmt.Fprintf(&b, in.minusOn, m.Statistic.Row().Explained().In(in.code), in.some(m.Days, in.days))
		if m.Ago > 0 {
			fmt.Fprintf(&b, in.minusAgo, in.some(m.Ago, in.days))
		}
		b.WriteString(t.scale(in, c))
	}
	if c.Daily() {
		fmt.Fprintf(&b, in.inARow, in.some(int(t.protocol.Value(&c.Days, t.enrolment.Settings)/1000), in.days))
	}
	if c.Apart > 0 {
		b.WriteString(in.pick(", à %s d'écart au moins", ", at least %s apart", durationWords(c.Apart)))
	}
	if c.Lasting > 0 {
		fmt.Fprintf(&b, in.lasting, durationWords(c.Lasting))
	}
	limit := in.quantity(shown.Threshold, shown.Unit)
	how := in.is
	switch shown.Truth {
	case protocols.False:
		how = in.not
	case protocols.NotEnough:
		how = in.unknown
	}
	if shown.Value != protocols.Missing {
		equals := " = "
		if shown.Limit != protocols.Measured {
			equals = " "
		}
		b.WriteString(equals + shown.Limit.Sign() + in.quantity(shown.Shown(), shown.Unit))
	}
	fmt.Fprintf(&b, how, in.operators[c.Operator], limit)
	b.WriteString(in.setting(shown, t.enrolment.Zone))
	return b.String()
}

// scale is what a distance from a baseline is counted in.
func (t teller) scale(in *tongue, c *protocols.Comparison) string {
	switch c.Scaled() {
	case protocols.InPercent:
		return in.pick(", en %% de celle-ci", ", in %% of it")
	case protocols.InDeviations:
		least := in.quantity(t.protocol.Value(&c.Minus.Least, t.enrolment.Settings), c.Unit())
		bounds := in.pick("%s au moins", "at least %s", least)
		if c.Minus.Most != (protocols.Operand{}) {
			bounds += in.pick(", %s au plus", ", at most %s", in.quantity(t.protocol.Value(&c.Minus.Most, t.enrolment.Settings), c.Unit()))
		}
		return in.pick(", en écarts types de ces moyennes (%s)", ", in standard deviations of these means (%s)", bounds)
	}
	return ""
}

func (t teller) absenceSentence(in *tongue, a *protocols.Absence, shown *protocols.Compared) string {
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

// some counts things.
func (in *tongue) some(n int, words [2]string) string {
	if written.Singular(in.code, n) {
		return fmt.Sprintf("%d %s", n, words[0])
	}
	return fmt.Sprintf("%d %s", n, words[1])
}

// subject names what is compared, with the punctuation of the language.
func subjectOf(c *protocols.Comparison, in *tongue) string {
	name := c.Measure.Title.In(in.code)
	if c.Flag != "" || len(c.Measure.Components) > 1 {
		name += ", " + c.Subject().In(in.code)
	}
	if c.MinusComponent >= 0 {
		name += " − " + c.Measure.Components[c.MinusComponent].Title.In(in.code)
	}
	if c.PerComponent >= 0 {
		name += " / " + c.Measure.Components[c.PerComponent].Title.In(in.code)
	}
	name += in.meal(c.Meal) + in.hours(c.Hours) + in.beside(c)
	if in.code == "fr" {
		return name + " : "
	}
	return name + ": "
}

// beside is another measure that is subtracted: " − glucose capillaire".
func (in *tongue) beside(c *protocols.Comparison) string {
	if c.Beside == nil {
		return ""
	}
	return " − " + (&narrator{language: in.code}).component(c.Beside.Measure, c.Beside.Component, c.Beside.Variant)
}

// meal is the moment by a meal at which readings count: " 1 h après un repas".
func (in *tongue) meal(m protocols.Meal) string {
	if m == "" {
		return ""
	}
	return " " + m.Title().In(in.code)
}

// hours are those of the day at which readings count: " entre 05:00 et 09:00".
func (in *tongue) hours(h protocols.Hours) string {
	if h == (protocols.Hours{}) {
		return ""
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute) }
	return in.pick(" entre %s et %s", " between %s and %s", clock(h.From), clock(h.To))
}

// filterWords says which readings count.
func (in *tongue) filterWords(c *protocols.Comparison, bounds []protocols.Bound) string {
	unit := c.Measure.Components[c.Component].Unit
	var b strings.Builder
	for _, bound := range bounds {
		fmt.Fprintf(&b, in.among, in.operators[bound.Operator], in.quantity(bound.Value, unit))
	}
	return b.String()
}

func (in *tongue) windowWords(w protocols.Window) string {
	switch {
	case w.Days > 0:
		return fmt.Sprintf(in.over, in.some(w.Days, in.days))
	case w.Length > 0:
		return fmt.Sprintf(in.over, durationWords(w.Length))
	}
	return ""
}

// setting says where a threshold comes from.
func (in *tongue) setting(shown *protocols.Compared, zone *time.Location) string {
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
func (in *tongue) quantity(v protocols.Value, unit string) string {
	return protocols.InUnit(in.number(v), unit, in.code, " ")
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
