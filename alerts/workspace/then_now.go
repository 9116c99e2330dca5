package workspace

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

// mostThen is how many values an alert shows of when it rang.
const mostThen = 2

// then is what was measured when an alert rang, with its hour where that is another:
// "glucose 48 mg/dL (0,48 g/L)". What no reading shows, such as a part of the time, stands
// in the sentence of the alert alone.
func (v view) then(e *protocols.Explanation, team string) string {
	var parts, named []string
	for _, c := range told(e) {
		component := componentOf(c.Measure, c.Component)
		if component == nil || component.Event || !ofReading(c) {
			continue
		}
		name := v.component(c.Measure, c.Component)
		at, value, limit := decisiveReading(e, c)
		if value == protocols.Missing || slices.Contains(named, name) || len(parts) == mostThen {
			continue
		}
		named = append(named, name)
		part := name + " " + limit.Sign() + v.worded(value, component)
		if e.At.Sub(at).Abs() >= time.Minute {
			part += " (" + v.Measured(at, team).Clock + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " · ")
}

// ofReading reports whether one reading shows what a comparison found: the last one, the
// lowest, the one that counted last.
func ofReading(c protocols.Compared) bool {
	if c.Flag != "" || c.Minus != "" || c.Per != "" || c.Beside != "" {
		return false
	}
	switch c.Statistic {
	case protocols.Mean, protocols.Median:
		return c.Count == 1
	case protocols.Last, protocols.Min, protocols.Max, protocols.Change, protocols.Step, protocols.Rise, protocols.Fall,
		protocols.RisePercent, protocols.FallPercent, protocols.Improbable, protocols.Count, protocols.Events, protocols.Streak:
		return true
	}
	return false
}

// decisiveReading is the reading that made a comparison come out: the last of those that
// counted, the one whose value was found, else the latest. Missing for none.
func decisiveReading(e *protocols.Explanation, c protocols.Compared) (time.Time, protocols.Value, protocols.Limit) {
	latest, found := time.Time{}, protocols.Missing
	limit := protocols.Measured
	sought := protocols.Missing
	if row := c.Statistic.Row(); row != nil && row.Gives == protocols.GivesLevel && c.Moved == nil {
		sought = c.Value
	}
	var counted time.Time
	if n := len(c.Each); n > 0 {
		counted = c.Each[n-1].Time
	}
	best := 0
	for _, r := range e.Readings {
		value, has := r.Values[c.Component]
		if r.Measure != c.Measure || !has || value == protocols.Missing {
			continue
		}
		rank := 1
		switch {
		case !counted.IsZero() && r.Time.Equal(counted):
			rank = 3
		case sought != protocols.Missing && value == sought:
			rank = 2
		}
		if rank > best || rank == best && !r.Time.Before(latest) {
			best, latest, found, limit = rank, r.Time, value, r.Limits[c.Component]
		}
	}
	if best == 3 { // of an event that began there, its sentence tells the lowest or highest
		told := c.Each[len(c.Each)-1]
		found, limit = told.Value, told.Limit
	}
	return latest, found, limit
}

// worded is a value as a nurse says it: "48 mg/dL (0,48 g/L)", "2 sur 3 (au moindre effort)".
func (v view) worded(value protocols.Value, c *protocols.Component) string {
	if c.Unit != "{score}" {
		return v.Say(value, c.Decimals, c.Unit)
	}
	text := fmt.Sprintf(v.T("grade.of"), number(v.Language, value, c.Decimals), number(v.Language, c.High, c.Decimals))
	if words := v.In(c.Wording(value)); words != "" {
		text += " (" + words + ")"
	}
	return text
}

// latest is the last of some values, with where it came from: an arrow, or the grade before.
// Of what only happens it says whether it did.
func (v view) latest(points []chart.Point, c *protocols.Component) string {
	last := points[len(points)-1]
	switch {
	case c.Event && last.Value > 0:
		return v.T("happened")
	case c.Event:
		return v.T("happened.not")
	case c.Unit != "{score}":
		return last.Limit.Sign() + v.Say(last.Value, c.Decimals, c.Unit) + trend(points)
	}
	text := last.Limit.Sign() + v.worded(last.Value, c)
	if n := len(points); n > 1 && points[n-2].Value != last.Value {
		text += ", " + fmt.Sprintf(v.T("grade.before"), number(v.Language, points[n-2].Value, c.Decimals))
	}
	return text
}

// steady says for how long the values have been on one side of the limit of a rule: "à
// 54 mg/dL ou plus depuis 3 h". Empty where the last value stands alone there, is older
// than that, or where the limit is not one of single readings.
func (v view) steady(c protocols.Compared, component *protocols.Component, points []chart.Point) string {
	limit, single := limitOfReadings(c, component)
	if !single || len(points) < 2 {
		return ""
	}
	last := len(points) - 1
	there := meets(points[last].Value, limit)
	first := last
	for first > 0 && meets(points[first-1].Value, limit) == there {
		first--
	}
	held := points[last].At.Sub(points[first].At)
	if held < time.Minute || v.now.Sub(points[last].At) > held {
		return ""
	}
	if !there {
		limit.Operator = limit.Operator.Negated()
	}
	return fmt.Sprintf(v.T("steady"), v.bound(limit, component), span(v.Language, held))
}

// limitOfReadings is the one limit that a comparison holds single readings against.
func limitOfReadings(c protocols.Compared, component *protocols.Component) (protocols.Bound, bool) {
	switch {
	case component.Event || component.Unit == "{score}" || !ofReading(c) || c.Moved != nil:
		return protocols.Bound{}, false
	case len(c.Where) > 0:
		return c.Where[0], len(c.Where) == 1
	}
	row := c.Statistic.Row()
	return protocols.Bound{Operator: c.Operator, Value: c.Threshold}, row.Gives == protocols.GivesLevel && c.Threshold != protocols.Missing && c.Unit == component.Unit
}

func meets(value protocols.Value, b protocols.Bound) bool {
	switch compared := cmp.Compare(value, b.Value); b.Operator {
	case protocols.Above:
		return compared > 0
	case protocols.AtLeast:
		return compared >= 0
	case protocols.Below:
		return compared < 0
	default:
		return compared <= 0
	}
}

// bound is one side of a limit: "sous 54 mg/dL".
func (v view) bound(b protocols.Bound, c *protocols.Component) string {
	return fmt.Sprintf(v.T("bound."+string(b.Operator)), quantity(v.Language, b.Value, c.Decimals, c.Unit))
}

// standsNow says what a level of a rule asks at this moment: its sentence while it is true,
// where that is another than when it rang, and what it takes to end.
func (v view) standsNow(level *protocols.LevelAccount, said string) string {
	switch {
	case level.Truth == protocols.True:
		var parts []string
		if now := v.inTeamUnit(v.In(level.Told)); now != "" && now != said {
			parts = append(parts, now)
		}
		if ends := v.endsAt(level.Comparisons); ends != "" {
			parts = append(parts, ends)
		}
		return strings.Join(parts, " ")
	case level.Stays == protocols.True:
		return v.endsBeyond(level.Comparisons)
	}
	return ""
}

// endsAt says when what is counted over a time no longer suffices, if nothing is added.
// Empty where the rule rests on anything else.
func (v view) endsAt(compared []protocols.Compared) string {
	var end time.Time
	for _, c := range compared {
		if !c.Reason || c.Guard() {
			continue
		}
		least := c.Clear
		if least == protocols.Missing {
			least = c.Threshold
		}
		n := int((least + 999) / 1000)
		if from := c.From.In(v.Zone(v.team)); from.Hour() == 0 && from.Minute() == 0 {
			return "" // civil days leave one by one, at midnight
		}
		if c.Operator != protocols.AtLeast || c.Statistic != protocols.Count && c.Statistic != protocols.Events || n < 1 || len(c.Each) < n {
			return ""
		}
		if at := c.Each[len(c.Each)-n].Time.Add(c.To.Sub(c.From)); end.IsZero() || at.Before(end) {
			end = at
		}
	}
	if !end.After(v.now) {
		return ""
	}
	return fmt.Sprintf(v.T("alert.ends.at"), v.Stamp(end, v.team).Clock)
}

// endsBeyond says which limits a value has still to pass for an alert to end: those beside
// the ones at which it rings.
func (v view) endsBeyond(compared []protocols.Compared) string {
	var parts []string
	for _, c := range compared {
		component := componentOf(c.Measure, c.Component)
		if component == nil || c.Guard() || c.Clear == protocols.Missing || c.Clear == c.Threshold || c.Value == protocols.Missing {
			continue
		}
		bound, single := limitOfReadings(c, component)
		if bound.Value = c.Clear; !single || len(c.Where) > 0 || !meets(c.Value, bound) {
			continue
		}
		bound.Operator = bound.Operator.Negated()
		parts = append(parts, v.component(c.Measure, c.Component)+" "+v.bound(bound, component))
	}
	if len(parts) == 0 {
		return v.T("alert.ends.later")
	}
	return v.T("alert.ends.when") + v.T("colon") + strings.Join(parts, " · ")
}

// glucoseSaid are the glucose values of a sentence. Nothing else is measured in mg/dL.
var glucoseSaid = regexp.MustCompile(`(\d+(?:[.,]\d+)?)[ \x{a0}\x{202f}]mg/dL`)

// inTeamUnit writes beside each glucose of a sentence what it is in the unit of the team.
// Sentences are kept as they were said when an alert rang, in the unit of the measure.
func (v view) inTeamUnit(sentence string) string {
	return glucoseSaid.ReplaceAllStringFunc(sentence, func(said string) string {
		written := strings.Replace(glucoseSaid.FindStringSubmatch(said)[1], ",", ".", 1)
		number, err := strconv.ParseFloat(written, 64)
		value, known := protocols.Of(number)
		if err != nil || !known {
			return said
		}
		return said + v.glucoseBeside(value)
	})
}
