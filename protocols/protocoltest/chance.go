package protocoltest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// Dice is where chance comes from. A property test passes its own, so that it can
// make a failing case smaller.
type Dice interface {
	// Number draws a number from low to high, both included; label says of what.
	Number(low, high int, label string) int
}

func pick[T any](dice Dice, from []T, label string) T {
	return from[dice.Number(0, len(from)-1, label)]
}

// A case is a random protocol, patient and history, small enough to have ties,
// gaps and thresholds met exactly.
type Case struct {
	Protocol  *protocols.Protocol
	Enrolment protocols.Enrolment
	History   []*protocols.Reading // in canonical order
	End       time.Time
}

// RandomMeasures are those that random protocols look at.
var RandomMeasures = []string{"weight", "glucose", "blood-pressure", "pill-dispenser", "dialysis-session"}

var randomZones = []string{"Europe/Paris", "Indian/Reunion", "America/Martinique", "Pacific/Marquesas", "America/Miquelon", "Pacific/Noumea", "UTC"}

// DrawCase draws a case of at most so many readings.
func DrawCase(dice Dice, readings int) Case {
	measures := RandomMeasures
	silent := dice.Number(0, 4, "silent") == 0 // mostly about what is missing, of few measures
	if silent {
		measures = []string{"weight", "dialysis-session"}
	}
	c := Case{Protocol: DrawProtocol(dice, silent)}
	zone := Zone(pick(dice, randomZones, "zone"))
	// The days before the clock changes in Paris and Miquelon, and a quiet one.
	day := pick(dice, []string{"2026-03-27", "2026-03-06", "2026-10-23", "2026-10-30", "2026-06-01"}, "start")
	start, err := time.ParseInLocation("2006-01-02", day, zone)
	if err != nil {
		panic(err)
	}
	c.Enrolment = drawEnrolment(dice, zone, start, c.Protocol)
	c.History = DrawHistory(dice, measures, zone, start, readings)
	c.End = start
	if len(c.History) > 0 {
		c.End = c.History[len(c.History)-1].Time
	}
	c.End = c.End.Add(pick(dice, mixedSteps, "rest"))
	return c
}

func drawEnrolment(dice Dice, zone *time.Location, start time.Time, p *protocols.Protocol) protocols.Enrolment {
	e := protocols.Enrolment{ID: "e1", Patient: "p1", Zone: zone, From: start.Add(-time.Duration(dice.Number(0, 50, "from")) * time.Hour)}
	if dice.Number(0, 3, "ends") == 0 {
		e.Until = start.AddDate(0, 0, dice.Number(1, 20, "until"))
	}
	if dice.Number(0, 3, "pauses") == 0 {
		from := start.Add(time.Duration(dice.Number(0, 100, "pause")) * time.Hour)
		e.Pauses = []protocols.Pause{{From: from, Until: from.Add(time.Duration(dice.Number(1, 100, "length")) * time.Hour), Author: "Dr X", Reason: "hôpital"}}
	}
	if dice.Number(0, 1, "set") == 1 {
		e.Settings = protocols.Settings{"pas": {Value: Number(float64(dice.Number(1, 60, "every"))), Author: "Dr X", Date: start}, "seuil": {Value: Number(float64(dice.Number(0, 10, "setting"))), Author: "Dr X", Date: start.AddDate(0, 0, dice.Number(-1, 5, "set on")), Reason: "habituel"}}
	}
	return e
}

var (
	fineSteps  = []time.Duration{0, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, time.Hour}
	mixedSteps = append(fineSteps, time.Second, 5*time.Hour, 12*time.Hour, 23*time.Hour, 24*time.Hour, 25*time.Hour, 72*time.Hour, 8*24*time.Hour)
)

// DrawHistory draws at most so many readings of some measures, in canonical order.
func DrawHistory(dice Dice, measures []string, zone *time.Location, start time.Time, most int) []*protocols.Reading {
	var history []*protocols.Reading
	when := start
	steps := mixedSteps
	if dice.Number(0, 1, "fine") == 1 {
		steps = fineSteps
	}
	n := dice.Number(0, most, "readings")
	for i := range n {
		when = when.Add(pick(dice, steps, "step"))
		if dice.Number(0, 9, "midnight") == 0 {
			year, month, day := when.In(zone).Date()
			when = time.Date(year, month, day+1, 0, 0, 0, 0, zone)
		}
		r := drawReading(dice, measures, zone, when, i)
		if i > 0 && dice.Number(0, 5, "again") == 5 {
			r.Measure, r.Time, r.Variant, r.Values, r.DayOnly = history[i-1].Measure, history[i-1].Time, history[i-1].Variant, history[i-1].Values, history[i-1].DayOnly
		}
		history = append(history, r)
	}
	slices.SortFunc(history, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return history
}

func drawReading(dice Dice, measures []string, zone *time.Location, when time.Time, number int) *protocols.Reading {
	m := protocols.MeasureByID(pick(dice, measures, "measure"))
	r := &protocols.Reading{
		ID: fmt.Sprintf("r%03d", number), Device: pick(dice, []string{"d1", "d2"}, "device"),
		Patient: "p1", Time: when.UTC(), Measure: m, Battery: -1,
	}
	for range m.Components {
		value := protocols.Missing
		if dice.Number(0, 9, "given") > 0 {
			value = Number(float64(dice.Number(0, 10, "value")))
		}
		r.Values = append(r.Values, value)
	}
	if len(m.Variants) > 0 {
		r.Variant = uint8(dice.Number(0, len(m.Variants), "variant"))
	}
	if dice.Number(0, 9, "by hand") == 0 {
		r.Source = protocols.FromProfessional
	}
	if dice.Number(0, 9, "flagged") == 0 {
		r.Flags = pick(dice, [][]string{{"motion"}, {"irregular-pulse"}, {"poor-contact", "irregular-pulse"}}, "flags")
	}
	if dice.Number(0, 2, "eaten") == 0 {
		r.Context = map[string]string{protocols.MealContext: pick(dice, []string{"fasting", "before a meal", "after a meal", "2 h après", "casual"}, "meal")}
	}
	if dice.Number(0, 9, "day only") == 0 {
		year, month, day := when.In(zone).Date()
		r.DayOnly, r.Time = true, time.Date(year, month, day, 12, 0, 0, 0, zone).UTC()
	}
	return r
}

// AnyStatistic lists every statistic.
func AnyStatistic() []protocols.Statistic {
	return protocols.StatisticsWith(func(*protocols.StatisticRow) bool { return true })
}

// DrawProtocol draws a protocol; a silent one is mostly about what is missing.
func DrawProtocol(dice Dice, silent bool) *protocols.Protocol {
	statistics := AnyStatistic()
	doubts := dice.Number(0, 2, "doubts") == 0
	if !doubts {
		statistics = slices.DeleteFunc(statistics, func(s protocols.Statistic) bool { return s.Row().Doubts })
	}
	if dice.Number(0, 1, "focused") == 1 {
		statistics = []protocols.Statistic{pick(dice, statistics, "focus")}
	}
	p := &protocols.Protocol{ID: "hasard", Version: "1", Parameters: []protocols.Parameter{
		{Name: "seuil", Unit: "1", Default: Number(4), Min: 0, Max: Number(10)},
		{Name: "pas", Unit: "min", Default: Number(15), Min: Number(1), Max: Number(60)},
		{Name: "jours", Unit: "d", Default: Number(2), Min: Number(1), Max: Number(3)},
	}}
	for _, id := range RandomMeasures {
		o := protocols.Observation{Measure: protocols.MeasureByID(id), Cadence: protocols.Cadence{Every: 5 * time.Minute}}
		switch dice.Number(0, 3, "cadence") {
		case 0:
			o.Cadence = protocols.Cadence{Times: 2, Per: protocols.PerDay}
		case 1:
			o.Cadence.EveryParameter = "pas"
		}
		if dice.Number(0, 1, "ignores") == 1 {
			o.IgnoreFlags = []string{"motion"}
		}
		if doubts && id == "weight" {
			o.Plausible = &protocols.Plausibility{
				Within: drawOperand(dice, 4, "within"), Agree: Literal(float64(dice.Number(0, 4, "agree")) / 2),
				Days: dice.Number(1, 4, "plausible days"), AtLeast: dice.Number(1, 3, "plausible at least"),
			}
			if dice.Number(0, 2, "plausible seed") == 0 {
				o.Plausible.Seed = protocols.Operand{Parameter: "seuil"}
			}
		}
		p.Observations = append(p.Observations, o)
	}
	n := dice.Number(1, 4, "rules")
	for i := range n {
		rule := drawRule(dice, statistics, silent, fmt.Sprintf("règle-%d", i))
		for j := range i {
			if dice.Number(0, 5, "held") == 0 {
				rule.HeldBy = append(rule.HeldBy, fmt.Sprintf("règle-%d", j))
			}
			if dice.Number(0, 3, "yields") == 0 {
				rule.YieldsTo = append(rule.YieldsTo, fmt.Sprintf("règle-%d", j))
			}
		}
		p.Rules = append(p.Rules, rule)
	}
	if dice.Number(0, 1, "reversed") == 1 {
		slices.Reverse(p.Rules)
	}
	return p
}

func drawRule(dice Dice, statistics []protocols.Statistic, silent bool, id string) protocols.Rule {
	rule := protocols.Rule{ID: id, Title: protocols.Text{FR: id}}
	if absent := dice.Number(0, 4, "absence"); absent == 0 || silent && absent < 4 {
		rule.Absence = drawAbsence(dice)
		if dice.Number(0, 1, "says the last") == 1 {
			rule.Sentence = protocols.Text{FR: "Rien depuis {since} (dernier : {last}).", EN: "Nothing for {since} (last: {last})."}
		}
		return rule
	}
	for _, l := range []protocols.Level{protocols.Yellow, protocols.Orange, protocols.Red} {
		if l == protocols.Red && len(rule.Levels) == 0 || (dice.Number(0, 1, "level") == 1) {
			when := protocols.RuleLevel{Level: l, When: drawCondition(dice, statistics, 2)}
			if dice.Number(0, 3, "confirms") == 0 {
				when.Confirm = pick(dice, []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour}, "confirm")
				when.ConfirmApart = pick(dice, []time.Duration{0, 0, time.Minute, when.Confirm / 2}, "confirm apart")
			}
			rule.Levels = append(rule.Levels, when)
		}
	}
	if dice.Number(0, 2, "remarks") == 0 {
		if when := drawCondition(dice, statistics, 1); !slow(&when) {
			rule.Remarks = []protocols.Remark{{When: when, Says: protocols.Text{FR: "À vérifier {" + pick(dice, protocols.SentenceValues, "place") + "}.", EN: "To be checked."}}}
		}
	}
	return rule
}

// slow reports whether a condition takes time to be true.
func slow(c *protocols.Condition) (so bool) {
	c.Comparisons(func(c *protocols.Comparison) { so = so || c.Lasting > 0 || c.Daily() })
	return so
}

func drawAbsence(dice Dice) *protocols.Absence {
	a := &protocols.Absence{
		Measure: protocols.MeasureByID(pick(dice, []string{"weight", "glucose"}, "awaited")),
		Cadence: protocols.Cadence{
			Times: dice.Number(1, 2, "times"), Per: pick(dice, []protocols.Period{protocols.PerDay, protocols.PerWeek}, "per"),
			Before: pick(dice, []time.Duration{0, 10 * time.Hour, 150 * time.Minute}, "before"),
			Grace:  pick(dice, []time.Duration{0, time.Hour, 36 * time.Hour, 72 * time.Hour}, "grace"),
		},
		Missing: []protocols.MissingLevel{{Level: protocols.Yellow, Periods: Literal(1)}},
	}
	if dice.Number(0, 2, "per session") == 0 {
		drawSessions(dice, a)
	}
	if a.Measure.ID == "glucose" {
		a.Variant = uint8(dice.Number(0, 2, "awaited variant"))
	}
	if dice.Number(0, 1, "second") == 1 {
		a.Missing = append(a.Missing, protocols.MissingLevel{Level: protocols.Red, Periods: protocols.Operand{Parameter: "jours"}})
	}
	return a
}

// drawSessions makes an absence expect something in each session: of the session
// itself, or of another measure around it.
func drawSessions(dice Dice, a *protocols.Absence) {
	of := protocols.MeasureByID("dialysis-session")
	a.Cadence = protocols.Cadence{
		Times: a.Cadence.Times, Per: protocols.PerSession, Of: of,
		Grace: pick(dice, []time.Duration{5 * time.Minute, time.Hour, 5 * time.Hour, 24 * time.Hour}, "around"),
	}
	if dice.Number(0, 1, "its own") == 1 {
		a.Measure = of
		a.Components = pick(dice, [][]int{nil, {3}, {3, 4}, {3, 4, 5, 6}}, "components")
	}
}

func drawCondition(dice Dice, statistics []protocols.Statistic, depth int) protocols.Condition {
	kind := dice.Number(0, 11, "kind")
	if depth == 0 || kind < 6 {
		return protocols.Condition{Compare: DrawComparison(dice, statistics)}
	}
	if kind == 6 {
		inner := drawCondition(dice, statistics, depth-1)
		return protocols.Condition{Not: &inner}
	}
	parts := []protocols.Condition{drawCondition(dice, statistics, depth-1), drawCondition(dice, statistics, depth-1)}
	switch kind {
	case 7:
		return protocols.Condition{Any: parts}
	case 11:
		return drawScore(dice, append(parts, drawCondition(dice, statistics, depth-1)))
	case 10:
		return protocols.Condition{Of: append(parts, drawCondition(dice, statistics, depth-1)), AtLeast: 2}
	}
	return protocols.Condition{All: parts}
}

func drawScore(dice Dice, parts []protocols.Condition) protocols.Condition {
	s := &protocols.Score{From: drawOperand(dice, 4, "score"), Margin: Number(float64(dice.Number(0, 2, "score margin")) / 2)}
	for i := range parts {
		s.Parts = append(s.Parts, protocols.ScorePart{Points: Number(float64(dice.Number(1, 4, "points")) / 2), When: parts[i]})
	}
	return protocols.Condition{Score: s}
}

func drawOperand(dice Dice, most int, label string) protocols.Operand {
	if dice.Number(0, 4, label+" set") == 0 {
		return protocols.Operand{Parameter: "seuil", Factor: pick(dice, []protocols.Value{0, 0, Number(0.5), Number(1.333), Number(-1)}, label+" times")}
	}
	return Literal(float64(dice.Number(0, 2*most, label)) / 2)
}

// DrawComparison draws a comparison of one of some statistics.
func DrawComparison(dice Dice, statistics []protocols.Statistic) *protocols.Comparison {
	row := pick(dice, statistics, "statistic").Row()
	m := protocols.MeasureByID(cmp.Or(row.Only, pick(dice, RandomMeasures, "compared")))
	c := &protocols.Comparison{Measure: m, MinusComponent: -1, PerComponent: -1, Statistic: row.Name}
	flagged := !row.Doubts && row.Only == "" && dice.Number(0, 7, "flag compared") == 0
	if flagged {
		c.Flag = pick(dice, []string{"motion", "irregular-pulse"}, "flag")
	}
	if !flagged && len(m.Components) > 1 {
		c.Component = dice.Number(0, 1, "component")
		if dice.Number(0, 3, "minus component") == 0 {
			c.MinusComponent = 1 - c.Component
		}
		if dice.Number(0, 3, "per component") == 0 {
			c.PerComponent = dice.Number(0, len(m.Components)-1, "divisor")
		}
	}
	if m.ID == "glucose" {
		c.Variant = uint8(dice.Number(0, 2, "compared variant"))
	}
	if !row.Expected && dice.Number(0, 5, "at hours") == 0 {
		c.Hours = pick(dice, []protocols.Hours{{From: 0, To: 6 * time.Hour}, {From: 5 * time.Hour, To: 24*time.Hour - 30*time.Minute}, {From: 22 * time.Hour, To: 3 * time.Hour}, {From: 150 * time.Minute, To: 0}}, "hours")
	}
	if !row.Expected && dice.Number(0, 5, "by a meal") == 0 {
		c.Meal = pick(dice, []protocols.Meal{protocols.Fasting, protocols.Before, protocols.After, protocols.AfterTwo, protocols.BeforeOrUnsaid, protocols.AfterOrUnsaid}, "meal")
	}
	drawWindow(dice, c)
	c.Operator = pick(dice, protocols.Operators(), "operator")
	drawThresholds(dice, c)
	if row.Where == protocols.Always || row.Where == protocols.Maybe && (dice.Number(0, 1, "some") == 1) {
		bound := drawOperand(dice, 10, "where")
		c.Where = pick(dice, []*protocols.Filter{{Below: &bound}, {Above: &bound}, {AtLeast: &bound}, {AtMost: &bound}}, "filter")
	}
	if c.Statistic == protocols.Count && c.Where != nil && dice.Number(0, 2, "apart") > 0 {
		c.Apart = pick(dice, []time.Duration{5 * time.Minute, 12 * time.Minute, time.Hour, 25 * time.Hour}, "distance")
	}
	if c.Statistic == protocols.Events {
		c.Event = &protocols.EventShape{
			Lasting: pick(dice, []time.Duration{0, 5 * time.Minute, 15 * time.Minute}, "lasts"),
			Ending:  pick(dice, []time.Duration{0, 10 * time.Minute}, "ending"),
			Gap:     pick(dice, []time.Duration{10 * time.Minute, 2 * time.Hour}, "gap"),
		}
		if bound := drawOperand(dice, 10, "until"); dice.Number(0, 1, "back") == 1 {
			c.Until = pick(dice, []*protocols.Filter{{Below: &bound}, {Above: &bound}}, "back filter")
		}
	}
	if c.Window != (protocols.Window{}) && c.Hours == (protocols.Hours{}) && c.Meal == "" && dice.Number(0, 5, "floored") == 0 {
		c.Floor = Number(float64(dice.Number(1, 60, "floor")))
	}
	if c.Statistic == protocols.Last && c.Window.Days == 0 && !c.Daily() && c.Flag == "" && c.Floor == 0 && c.Lasting == 0 && dice.Number(0, 2, "beside") == 0 {
		drawBeside(dice, c)
		return c
	}
	if row.Baseline && dice.Number(0, 3, "based") == 0 {
		baselines := protocols.StatisticsWith(func(s *protocols.StatisticRow) bool { return s.Baseline })
		c.Minus = &protocols.Baseline{
			Statistic: pick(dice, baselines, "base"), Days: dice.Number(1, 4, "base days"),
			Ago: dice.Number(0, 3, "ago"), AtLeast: dice.Number(0, 2, "at least"),
		}
		drawScale(dice, c.Minus)
	}
	c.Each = c.Counts()
	return c
}

// drawBeside draws another measure that is subtracted, in the same unit.
func drawBeside(dice Dice, c *protocols.Comparison) {
	m := protocols.MeasureByID(pick(dice, RandomMeasures, "other measure"))
	b := &protocols.Beside{
		Measure: m, Component: dice.Number(0, len(m.Components)-1, "other component"),
		Within: pick(dice, []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour}, "within"),
		As:     pick(dice, []protocols.BaselineScale{protocols.InUnits, protocols.InPercent}, "beside as"),
	}
	if len(m.Variants) > 0 {
		b.Variant = uint8(dice.Number(0, len(m.Variants), "other variant"))
	}
	same := m == c.Measure && b.Component == c.Component && (b.Variant == 0 || c.Variant == 0 || b.Variant == c.Variant)
	if m.Components[b.Component].Unit == c.Unit() && !same {
		c.Beside = b
	}
}

func drawScale(dice Dice, b *protocols.Baseline) {
	if dice.Number(0, 2, "seeded") == 0 {
		b.Seed = protocols.Operand{Parameter: "seuil"}
	}
	b.As = pick(dice, []protocols.BaselineScale{protocols.InUnits, protocols.InUnits, protocols.InPercent, protocols.InDeviations}, "scale")
	if b.As == protocols.InDeviations {
		b.Days, b.AtLeast, b.Least = 5, 3, drawOperand(dice, 2, "least")
		if dice.Number(0, 1, "capped") == 1 {
			b.Most = drawOperand(dice, 4, "most")
		}
	}
}

// drawThresholds draws numbers within reach of the statistic.
func drawThresholds(dice Dice, c *protocols.Comparison) {
	most := map[protocols.Statistic]int{protocols.Share: 100, protocols.CV: 100, protocols.Wear: 30, protocols.Count: 4, protocols.Streak: 3, protocols.Events: 2, protocols.DaysCovered: 3}[c.Statistic]
	if most == 0 {
		most = 10
	}
	c.Threshold = drawOperand(dice, most, "threshold")
	switch dice.Number(0, 3, "clears") {
	case 0:
		o := drawOperand(dice, most, "clear")
		c.Clear = &o
	case 1:
		c.Margin = Number(float64(dice.Number(0, most, "margin")) / 4)
	}
}

func drawWindow(dice Dice, c *protocols.Comparison) {
	row := c.Statistic.Row()
	lengths := []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour, 72 * time.Hour}
	shape := dice.Number(0, 3, "window")
	switch {
	case row.Window == protocols.Never:
	case shape == 0 && row.Window == protocols.Maybe:
	case shape == 1 && row.Daily:
		c.Days = pick(dice, []protocols.Operand{Literal(1), Literal(2), {Parameter: "jours"}}, "days")
		return
	case shape < 3 && !row.Days:
		c.Window.Length = pick(dice, lengths, "length")
	default:
		c.Window.Days = dice.Number(1, 4, "window days")
	}
	if dice.Number(0, 3, "sustained") == 0 {
		c.Lasting = pick(dice, []time.Duration{5 * time.Minute, 10 * time.Minute, time.Hour}, "lasting")
		c.Gap = pick(dice, []time.Duration{0, 5 * time.Minute, time.Hour}, "sustained gap")
	}
}
