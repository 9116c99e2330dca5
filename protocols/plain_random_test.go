package protocols

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// thoroughly checks a property on a thousand cases rather than a hundred, or on as
// many as -rapid.checks says.
func thoroughly(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		checks.Value.Set("1000")
		defer checks.Value.Set(checks.DefValue)
	}
	rapid.Check(t, property)
}

// A case is a random protocol, patient and history, small enough to have ties,
// gaps and thresholds met exactly.
type randomCase struct {
	protocol  *Protocol
	enrolment Enrolment
	history   []*Reading // in canonical order
	end       time.Time
}

var randomMeasures = []string{"weight", "glucose", "blood-pressure", "pill-dispenser", "dialysis-session"}

var randomZones = []string{"Europe/Paris", "Indian/Reunion", "America/Martinique", "Pacific/Marquesas", "America/Miquelon", "Pacific/Noumea", "UTC"}

func drawCase(t *rapid.T, readings int) randomCase {
	measures := randomMeasures
	silent := rapid.IntRange(0, 4).Draw(t, "silent") == 0 // mostly about what is missing, of few measures
	if silent {
		measures = []string{"weight", "dialysis-session"}
	}
	c := randomCase{protocol: drawProtocol(t, silent)}
	zone := mustZone(rapid.SampledFrom(randomZones).Draw(t, "zone"))
	// The days before the clock changes in Paris and Miquelon, and a quiet one.
	day := rapid.SampledFrom([]string{"2026-03-27", "2026-03-06", "2026-10-23", "2026-10-30", "2026-06-01"}).Draw(t, "start")
	start, err := time.ParseInLocation("2006-01-02", day, zone)
	if err != nil {
		t.Fatal(err)
	}
	c.enrolment = drawEnrolment(t, zone, start, c.protocol)
	c.history = drawHistory(t, measures, zone, start, readings)
	c.end = start
	if len(c.history) > 0 {
		c.end = c.history[len(c.history)-1].Time
	}
	c.end = c.end.Add(rapid.SampledFrom(mixedSteps).Draw(t, "rest"))
	return c
}

func drawEnrolment(t *rapid.T, zone *time.Location, start time.Time, p *Protocol) Enrolment {
	e := Enrolment{ID: "e1", Patient: "p1", Zone: zone, From: start.Add(-time.Duration(rapid.IntRange(0, 50).Draw(t, "from")) * time.Hour)}
	if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
		e.Until = start.AddDate(0, 0, rapid.IntRange(1, 20).Draw(t, "until"))
	}
	if rapid.IntRange(0, 3).Draw(t, "pauses") == 0 {
		from := start.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "pause")) * time.Hour)
		e.Pauses = []Pause{{From: from, Until: from.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "length")) * time.Hour), Author: "Dr X", Reason: "hôpital"}}
	}
	if rapid.Bool().Draw(t, "set") {
		e.Settings = Settings{"pas": {Value: v(float64(rapid.IntRange(1, 60).Draw(t, "every"))), Author: "Dr X", Date: start}, "seuil": {Value: v(float64(rapid.IntRange(0, 10).Draw(t, "setting"))), Author: "Dr X", Date: start, Reason: "habituel"}}
	}
	return e
}

var (
	fineSteps  = []time.Duration{0, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, time.Hour}
	mixedSteps = append(fineSteps, time.Second, 5*time.Hour, 12*time.Hour, 23*time.Hour, 24*time.Hour, 25*time.Hour, 72*time.Hour, 8*24*time.Hour)
)

func drawHistory(t *rapid.T, measures []string, zone *time.Location, start time.Time, most int) []*Reading {
	var history []*Reading
	when := start
	steps := mixedSteps
	if rapid.Bool().Draw(t, "fine") {
		steps = fineSteps
	}
	n := rapid.IntRange(0, most).Draw(t, "readings")
	for i := range n {
		when = when.Add(rapid.SampledFrom(steps).Draw(t, "step"))
		if rapid.IntRange(0, 9).Draw(t, "midnight") == 0 {
			year, month, day := when.In(zone).Date()
			when = time.Date(year, month, day+1, 0, 0, 0, 0, zone)
		}
		history = append(history, drawReading(t, measures, zone, when, i))
	}
	slices.SortFunc(history, func(a, b *Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return history
}

func drawReading(t *rapid.T, measures []string, zone *time.Location, when time.Time, number int) *Reading {
	m := MeasureByID(rapid.SampledFrom(measures).Draw(t, "measure"))
	r := &Reading{
		ID: fmt.Sprintf("r%03d", number), Device: rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "device"),
		Patient: "p1", Time: when.UTC(), Measure: m, Battery: -1,
	}
	for range m.Components {
		value := Missing
		if rapid.IntRange(0, 9).Draw(t, "given") > 0 {
			value = v(float64(rapid.IntRange(0, 10).Draw(t, "value")))
		}
		r.Values = append(r.Values, value)
	}
	if len(m.Variants) > 0 {
		r.Variant = uint8(rapid.IntRange(0, len(m.Variants)).Draw(t, "variant"))
	}
	if rapid.IntRange(0, 9).Draw(t, "flagged") == 0 {
		r.Flags = []string{"motion"}
	}
	if rapid.IntRange(0, 9).Draw(t, "day only") == 0 {
		year, month, day := when.In(zone).Date()
		r.DayOnly, r.Time = true, time.Date(year, month, day, 12, 0, 0, 0, zone).UTC()
	}
	return r
}

func anyStatistic() []Statistic { return StatisticsWith(func(*StatisticRow) bool { return true }) }

func drawProtocol(t *rapid.T, silent bool) *Protocol {
	statistics := anyStatistic()
	if rapid.Bool().Draw(t, "focused") {
		statistics = []Statistic{rapid.SampledFrom(statistics).Draw(t, "focus")}
	}
	p := &Protocol{ID: "hasard", Version: "1", Parameters: []Parameter{
		{Name: "seuil", Unit: "1", Default: v(4), Min: 0, Max: v(10)},
		{Name: "pas", Unit: "min", Default: v(15), Min: v(1), Max: v(60)},
		{Name: "jours", Unit: "d", Default: v(2), Min: v(1), Max: v(3)},
	}}
	for _, id := range randomMeasures {
		o := Observation{Measure: MeasureByID(id), Cadence: Cadence{Every: 5 * time.Minute}}
		switch rapid.IntRange(0, 3).Draw(t, "cadence") {
		case 0:
			o.Cadence = Cadence{Times: 2, Per: PerDay}
		case 1:
			o.Cadence.EveryParameter = "pas"
		}
		if rapid.Bool().Draw(t, "ignores") {
			o.IgnoreFlags = []string{"motion"}
		}
		p.Observations = append(p.Observations, o)
	}
	n := rapid.IntRange(1, 4).Draw(t, "rules")
	for i := range n {
		rule := drawRule(t, statistics, silent, fmt.Sprintf("règle-%d", i))
		for j := range i {
			if rapid.IntRange(0, 5).Draw(t, "held") == 0 {
				rule.HeldBy = append(rule.HeldBy, fmt.Sprintf("règle-%d", j))
			}
		}
		p.Rules = append(p.Rules, rule)
	}
	if rapid.Bool().Draw(t, "reversed") {
		slices.Reverse(p.Rules)
	}
	return p
}

func drawRule(t *rapid.T, statistics []Statistic, silent bool, id string) Rule {
	rule := Rule{ID: id, Title: Text{FR: id}}
	if absent := rapid.IntRange(0, 4).Draw(t, "absence"); absent == 0 || silent && absent < 4 {
		rule.Absence = drawAbsence(t)
		return rule
	}
	for _, l := range []Level{Yellow, Orange, Red} {
		if l == Red && len(rule.Levels) == 0 || rapid.Bool().Draw(t, "level") {
			when := RuleLevel{Level: l, When: drawCondition(t, statistics, 2)}
			if rapid.IntRange(0, 3).Draw(t, "confirms") == 0 {
				when.Confirm = rapid.SampledFrom([]time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "confirm")
			}
			rule.Levels = append(rule.Levels, when)
		}
	}
	return rule
}

func drawAbsence(t *rapid.T) *Absence {
	a := &Absence{
		Measure: MeasureByID(rapid.SampledFrom([]string{"weight", "glucose"}).Draw(t, "awaited")),
		Cadence: Cadence{
			Times: rapid.IntRange(1, 2).Draw(t, "times"), Per: rapid.SampledFrom([]Period{PerDay, PerWeek}).Draw(t, "per"),
			Before: rapid.SampledFrom([]time.Duration{0, 10 * time.Hour, 150 * time.Minute}).Draw(t, "before"),
			Grace:  rapid.SampledFrom([]time.Duration{0, time.Hour, 36 * time.Hour, 72 * time.Hour}).Draw(t, "grace"),
		},
		Missing: []MissingLevel{{Level: Yellow, Periods: literal(1)}},
	}
	if rapid.IntRange(0, 2).Draw(t, "per session") == 0 {
		drawSessions(t, a)
	}
	if a.Measure.ID == "glucose" {
		a.Variant = uint8(rapid.IntRange(0, 2).Draw(t, "awaited variant"))
	}
	if rapid.Bool().Draw(t, "second") {
		a.Missing = append(a.Missing, MissingLevel{Level: Red, Periods: Operand{Parameter: "jours"}})
	}
	return a
}

// drawSessions makes an absence expect something in each session: of the session
// itself, or of another measure around it.
func drawSessions(t *rapid.T, a *Absence) {
	of := MeasureByID("dialysis-session")
	a.Cadence = Cadence{
		Times: a.Cadence.Times, Per: PerSession, Of: of,
		Grace: rapid.SampledFrom([]time.Duration{5 * time.Minute, time.Hour, 5 * time.Hour, 24 * time.Hour}).Draw(t, "around"),
	}
	if rapid.Bool().Draw(t, "its own") {
		a.Measure = of
		a.Components = rapid.SampledFrom([][]int{nil, {3}, {3, 4}, {3, 4, 5, 6}}).Draw(t, "components")
	}
}

func drawCondition(t *rapid.T, statistics []Statistic, depth int) Condition {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 || kind < 6 {
		return Condition{Compare: drawComparison(t, statistics)}
	}
	if kind == 6 {
		inner := drawCondition(t, statistics, depth-1)
		return Condition{Not: &inner}
	}
	parts := []Condition{drawCondition(t, statistics, depth-1), drawCondition(t, statistics, depth-1)}
	if kind == 7 {
		return Condition{Any: parts}
	}
	return Condition{All: parts}
}

func drawOperand(t *rapid.T, most int, label string) Operand {
	if rapid.IntRange(0, 4).Draw(t, label+" set") == 0 {
		return Operand{Parameter: "seuil"}
	}
	return literal(float64(rapid.IntRange(0, 2*most).Draw(t, label)) / 2)
}

func drawComparison(t *rapid.T, statistics []Statistic) *Comparison {
	row := rapid.SampledFrom(statistics).Draw(t, "statistic").Row()
	m := MeasureByID(cmp.Or(row.Only, rapid.SampledFrom(randomMeasures).Draw(t, "compared")))
	c := &Comparison{Measure: m, MinusComponent: -1, Statistic: row.Name}
	if len(m.Components) > 1 {
		c.Component = rapid.IntRange(0, 1).Draw(t, "component")
		if rapid.IntRange(0, 3).Draw(t, "minus component") == 0 {
			c.MinusComponent = 1 - c.Component
		}
	}
	if m.ID == "glucose" {
		c.Variant = uint8(rapid.IntRange(0, 2).Draw(t, "compared variant"))
	}
	drawWindow(t, c)
	c.Operator = rapid.SampledFrom(operators).Draw(t, "operator")
	drawThresholds(t, c)
	if row.Where == Always || row.Where == Maybe && rapid.Bool().Draw(t, "some") {
		bound := drawOperand(t, 10, "where")
		c.Where = rapid.SampledFrom([]*Filter{{Below: &bound}, {Above: &bound}, {AtLeast: &bound}, {AtMost: &bound}}).Draw(t, "filter")
	}
	if c.Statistic == Events {
		c.Event = &EventShape{
			Lasting: rapid.SampledFrom([]time.Duration{0, 5 * time.Minute, 15 * time.Minute}).Draw(t, "lasts"),
			Ending:  rapid.SampledFrom([]time.Duration{0, 10 * time.Minute}).Draw(t, "ending"),
			Gap:     rapid.SampledFrom([]time.Duration{10 * time.Minute, 2 * time.Hour}).Draw(t, "gap"),
		}
	}
	if c.Window != (Window{}) && rapid.IntRange(0, 5).Draw(t, "floored") == 0 {
		c.Floor = v(float64(rapid.IntRange(1, 60).Draw(t, "floor")))
	}
	if row.Baseline && rapid.IntRange(0, 3).Draw(t, "based") == 0 {
		baselines := StatisticsWith(func(s *StatisticRow) bool { return s.Baseline })
		c.Minus = &Baseline{
			Statistic: rapid.SampledFrom(baselines).Draw(t, "base"), Days: rapid.IntRange(1, 4).Draw(t, "base days"),
			Ago: rapid.IntRange(0, 3).Draw(t, "ago"), AtLeast: rapid.IntRange(0, 2).Draw(t, "at least"),
		}
	}
	return c
}

// drawThresholds draws numbers within reach of the statistic.
func drawThresholds(t *rapid.T, c *Comparison) {
	most := map[Statistic]int{Share: 100, CV: 100, Wear: 30, Count: 4, Streak: 3, Events: 2, DaysCovered: 3}[c.Statistic]
	if most == 0 {
		most = 10
	}
	c.Threshold = drawOperand(t, most, "threshold")
	switch rapid.IntRange(0, 3).Draw(t, "clears") {
	case 0:
		o := drawOperand(t, most, "clear")
		c.Clear = &o
	case 1:
		c.Margin = v(float64(rapid.IntRange(0, most).Draw(t, "margin")) / 4)
	}
}

func drawWindow(t *rapid.T, c *Comparison) {
	row := c.Statistic.Row()
	lengths := []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour, 72 * time.Hour}
	shape := rapid.IntRange(0, 3).Draw(t, "window")
	switch {
	case shape == 0 && row.Window == Maybe:
	case shape == 1 && row.Daily:
		c.Days = rapid.SampledFrom([]Operand{literal(1), literal(2), {Parameter: "jours"}}).Draw(t, "days")
		return
	case shape < 3 && !row.Days:
		c.Window.Length = rapid.SampledFrom(lengths).Draw(t, "length")
	default:
		c.Window.Days = rapid.IntRange(1, 4).Draw(t, "window days")
	}
	if rapid.IntRange(0, 3).Draw(t, "sustained") == 0 {
		c.Lasting = rapid.SampledFrom([]time.Duration{5 * time.Minute, 10 * time.Minute, time.Hour}).Draw(t, "lasting")
		c.Gap = rapid.SampledFrom([]time.Duration{0, 5 * time.Minute, time.Hour}).Draw(t, "sustained gap")
	}
}
