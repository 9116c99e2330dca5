package workspace

import (
	"net/url"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/protocols/words"
)

// comparedRow is one comparison in words.
type comparedRow struct {
	protocols.Compared
	What     string // measure and statistic
	Figure   string // value with unit
	Sign     string // of the operator
	Bound    string // threshold with unit
	Release  string // clear threshold with unit; empty when there is none
	From, To *stamp
	SetAt    *stamp
	Counted  string // how many readings
	Verdict  string // key of the catalogue
}

// citedRow is one reading in words.
type citedRow struct {
	Measured *stamp
	What     string
	Values   []string
	Device   string
	Strike   string // the page that strikes it out; empty for none
}

// explain writes an explanation in the words of the page.
func (v *alertView) explain(e *protocols.Explanation, team string, before past) {
	for _, c := range reasonsOf(e) {
		v.Compared = append(v.Compared, v.compared(c, team))
	}
	cited := slices.Clone(e.Readings)
	slices.SortStableFunc(cited, func(a, b protocols.Cited) int { return b.Time.Compare(a.Time) })
	for _, c := range cited {
		row := v.cited(c, team)
		if v.enters {
			row.Strike = strikeAddress(v.Patient, c.Device, c.ID, c.Measure, c.Time, "/alerts/"+url.PathEscape(v.ID))
		}
		v.Cited = append(v.Cited, row)
	}
	if len(v.Cited) > 0 && v.State != alerts.Resolved {
		v.Doubt = v.Cited[0].Strike
	}
	v.Charts = v.draw(e, team, before)
}

// reason writes in figures why an alert rang: "poids, variation 2,1 kg (seuil ≥ 2 kg,
// Dr Aubry) · toux 2". Empty where nothing was compared.
func (v view) reason(compared []protocols.Compared) string {
	var parts []string
	for _, c := range compared {
		row := v.compared(c, "")
		part := v.figureOf(c) + " " + row.Figure
		limit := v.T("chart.limit") + " " + row.Sign + " " + row.Bound
		if c.SetBy != "" {
			limit += ", " + c.SetBy
		}
		parts = append(parts, part+" ("+limit+")")
		if len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " · ")
}

// drawn is the comparison whose course says most: the first of a component that is
// known. Nil for none.
func (v view) drawn(compared []protocols.Compared) *protocols.Compared {
	for i := range compared {
		if componentOf(compared[i].Measure, compared[i].Component) != nil {
			return &compared[i]
		}
	}
	return nil
}

// told are the comparisons that say why an alert rang. What only asks for enough data is
// none where anything else is.
func told(e *protocols.Explanation) []protocols.Compared {
	reasons := reasonsOf(e)
	if slices.ContainsFunc(reasons, func(c protocols.Compared) bool { return !c.Guard() }) {
		return slices.DeleteFunc(slices.Clone(reasons), func(c protocols.Compared) bool { return c.Guard() })
	}
	return reasons
}

// reasonsOf are the comparisons by which a rule rang, each once. One that is false under
// a negation is a reason like the others. An alert of before reasons were marked shows
// those that are true, and all of them where none is.
func reasonsOf(e *protocols.Explanation) []protocols.Compared {
	var reasons []protocols.Compared
	said := map[string]bool{}
	for _, c := range e.Comparisons {
		if !c.Reason || said[c.Sentence.FR] {
			continue
		}
		said[c.Sentence.FR] = true
		if c.Truth == protocols.False { // under a negation it holds the other way round
			c.Operator, c.Truth = c.Operator.Negated(), protocols.True
		}
		reasons = append(reasons, c)
	}
	if len(reasons) > 0 {
		return reasons
	}
	for _, c := range e.Comparisons {
		if c.Truth == protocols.True {
			reasons = append(reasons, c)
		}
	}
	if len(reasons) > 0 {
		return reasons
	}
	return e.Comparisons
}

var operatorSigns = map[protocols.Operator]string{
	protocols.Above: ">", protocols.AtLeast: "≥", protocols.Below: "<", protocols.AtMost: "≤",
}

func (v view) compared(c protocols.Compared, team string) comparedRow {
	decimals := 0
	if component := componentOf(c.Measure, c.Component); component != nil && component.Unit == c.Unit {
		decimals = component.Decimals
	}
	row := comparedRow{
		Compared: c, What: v.what(c), Sign: operatorSigns[c.Operator],
		Figure: c.Limit.Sign() + v.Say(c.Shown(), decimals, c.Unit), Bound: v.Say(c.Threshold, decimals, c.Unit),
		From: v.Measured(c.From, team), To: v.Measured(c.To, team), SetAt: v.Stamp(c.SetOn, team), Counted: v.counted("why.count", c.Count),
	}
	if c.Clear != protocols.Missing && c.Clear != c.Threshold {
		row.Release = v.Say(c.Clear, decimals, c.Unit)
	}
	switch c.Truth {
	case protocols.True:
		row.Verdict = "why.met"
	case protocols.False:
		row.Verdict = "why.not-met"
	default:
		row.Verdict = "why.not-enough"
	}
	return row
}

// what names what was compared: "poids". The sentence below it says how; where
// there is none, the statistic does: "poids, variation".
func (v view) what(c protocols.Compared) string {
	name := v.component(c.Measure, c.Component)
	if v.In(c.Sentence) != "" {
		return name
	}
	if row := c.Statistic.Row(); row != nil && c.Statistic != protocols.Last {
		return name + ", " + v.In(row.Noun)
	}
	return name
}

// figureOf names a figure that stands by itself: "poids", "glucose, nombre".
func (v view) figureOf(c protocols.Compared) string {
	c.Sentence = protocols.Text{}
	return v.what(c)
}

// component names a component as a sentence does: "systolique", "poids", "durée
// d'utilisation (ventilation)".
func (v view) component(measure, component string) string {
	m := protocols.MeasureByID(measure)
	if m == nil {
		return strings.TrimSpace(measure + " " + component)
	}
	i := m.Component(component)
	if i < 0 {
		return v.In(m.Title)
	}
	return words.Component(m, i, v.Language)
}

func componentOf(measure, component string) *protocols.Component {
	m := protocols.MeasureByID(measure)
	if m == nil || m.Component(component) < 0 {
		return nil
	}
	return &m.Components[m.Component(component)]
}

// cited writes one reading, its components in the order of the measure.
func (v view) cited(c protocols.Cited, team string) citedRow {
	row := citedRow{Measured: v.Measured(c.Time, team), What: c.Measure, Device: c.Device}
	m := protocols.MeasureByID(c.Measure)
	if m == nil {
		return row
	}
	row.What = v.In(m.Title)
	for _, component := range m.Components {
		value, ok := c.Values[component.Name]
		if !ok || value == protocols.Missing {
			continue
		}
		text := c.Limits[component.Name].Sign() + v.Say(value, component.Decimals, component.Unit)
		if len(m.Components) > 1 {
			text = v.In(component.Title) + " " + text
		}
		row.Values = append(row.Values, text)
	}
	return row
}
