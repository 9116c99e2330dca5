package protocols

import (
	"math"
	"slices"
	"time"
)

// Statistic names what is computed over a window. What else is known of one
// stands in its row of the table below.
type Statistic string

// The statistics.
const (
	Last        Statistic = "last"         // the latest reading in the window
	Mean        Statistic = "mean"         // arithmetic mean
	Median      Statistic = "median"       // middle value; mean of the two middle ones
	Min         Statistic = "min"          // lowest
	Max         Statistic = "max"          // highest
	Sum         Statistic = "sum"          // total
	Count       Statistic = "count"        // readings that satisfy Where
	Share       Statistic = "share"        // per cent of readings that satisfy Where: time in range
	Streak      Statistic = "streak"       // latest readings in a row that satisfy Where
	Events      Statistic = "events"       // events that began in the window, see EventShape
	Change      Statistic = "change"       // last minus first
	Step        Statistic = "step"         // last minus the one before
	Rise        Statistic = "rise"         // last minus lowest
	Fall        Statistic = "fall"         // highest minus last
	RisePercent Statistic = "rise-percent" // last minus lowest, in per cent of the lowest
	FallPercent Statistic = "fall-percent" // highest minus last, in per cent of the highest
	Slope       Statistic = "slope"        // least squares over daily means, per day
	CV          Statistic = "cv"           // coefficient of variation (sample), per cent
	GMI         Statistic = "gmi"          // 3.31 + 0.02392 × mean glucose in mg/dL, per cent
	Wear        Statistic = "wear"         // share of expected readings, per cent
	DaysCovered Statistic = "days-covered" // civil days with at least one reading
	Improbable  Statistic = "improbable"   // how far the latest reading is from the usual while it is doubted, see Plausibility; else 0
)

// MissingPeriods is what an absence compares: civil days, weeks or sessions in a
// row without enough readings. It appears in explanations only and has no row.
const MissingPeriods Statistic = "missing-periods"

// StatisticRow is what the language, the sentences, the charts and the plan know
// of one statistic. Its arithmetic stands in two tables of its own: in the engine
// and, written a second time, in the oracle that the engine is held against.
//
// To add a statistic, add its constant, its row and its arithmetic in both.
type StatisticRow struct {
	Name     Statistic
	Gives    Gives
	Where    Need   // of a filter that says which readings count
	Window   Need   // of a window; without one, a statistic looks at the latest readings
	Days     bool   // its window is of civil days
	Daily    bool   // it sums up one civil day, and so can be asked of several in a row
	Baseline bool   // it can be a baseline, and have one subtracted
	Whole    bool   // it is about readings rather than one of their numbers: no component need be named
	Event    bool   // it needs the shape of an event
	Expected bool   // it needs to know how many readings are expected
	Doubts   bool   // it tells of readings that are doubted, and needs an observation that says which
	Only     string // the measure that it is defined for; empty for all
	Noun     Text   // what it is called: "moyenne"
	Definite Text   // the same with its article: "la moyenne"
	Formula  Text   // as an explanation calls it; the noun where empty
	Aside    Text   // as it stands in brackets beside its subject; the noun where empty
	// Range is what it can come to when every number lies within of.
	Range func(c *Comparison, of Interval) Interval
}

// Gives says what kind of number a statistic is, and thereby its unit.
type Gives uint8

// What a statistic can give.
const (
	GivesLevel      Gives = iota // a number on the scale of the readings
	GivesTotal                   // in their unit, on no scale of theirs
	GivesDifference              // between two numbers on their scale
	GivesTrend                   // a difference a day
	GivesPercent
	GivesNumber // of readings or events
	GivesDays
)

// Unit is the UCUM unit of the result, where readings are in unit.
func (g Gives) Unit(unit string) string {
	switch g {
	case GivesTrend:
		return unit + "/d"
	case GivesPercent:
		return "%"
	case GivesNumber:
		return "1"
	case GivesDays:
		return "d"
	}
	return unit
}

// Need says whether a statistic goes with something.
type Need uint8

// The needs.
const (
	Never Need = iota
	Maybe
	Always
)

// Row is what is known of s; nil when there is no such statistic.
func (s Statistic) Row() *StatisticRow { return statisticsByName[s] }

// Statistics lists every statistic, in the order of the manual.
func Statistics() []StatisticRow { return statistics }

// StatisticsWith lists the statistics of which is holds.
func StatisticsWith(is func(*StatisticRow) bool) []Statistic {
	var names []Statistic
	for i := range statistics {
		if is(&statistics[i]) {
			names = append(names, statistics[i].Name)
		}
	}
	return names
}

// Explained is how an explanation calls it.
func (r *StatisticRow) Explained() Text { return r.Formula.or(r.Noun) }

// InBrackets is how it stands beside its subject.
func (r *StatisticRow) InBrackets() Text { return r.Aside.or(r.Noun) }

func (t Text) or(other Text) Text {
	if t == (Text{}) {
		return other
	}
	return t
}

var statisticsByName = func() map[Statistic]*StatisticRow {
	table := make(map[Statistic]*StatisticRow, len(statistics))
	for i := range statistics {
		table[statistics[i].Name] = &statistics[i]
	}
	return table
}()

var statistics = []StatisticRow{
	{Name: Last, Gives: GivesLevel, Window: Maybe, Daily: true, Baseline: true, Range: likeReadings,
		Noun: Text{"dernière valeur", "latest value"}, Definite: Text{"la dernière valeur", "the latest value"}, Aside: Text{"dernière mesure", "latest reading"}},
	{Name: Mean, Gives: GivesLevel, Window: Always, Daily: true, Baseline: true, Range: likeReadings,
		Noun: Text{"moyenne", "mean"}, Definite: Text{"la moyenne", "the mean"}},
	{Name: Median, Gives: GivesLevel, Window: Always, Daily: true, Baseline: true, Range: likeReadings,
		Noun: Text{"médiane", "median"}, Definite: Text{"la médiane", "the median"}},
	{Name: Min, Gives: GivesLevel, Window: Always, Daily: true, Baseline: true, Range: likeReadings,
		Noun: Text{"minimum", "lowest"}, Definite: Text{"le minimum", "the lowest"}, Formula: Text{"valeur la plus basse", "lowest value"}},
	{Name: Max, Gives: GivesLevel, Window: Always, Daily: true, Baseline: true, Range: likeReadings,
		Noun: Text{"maximum", "highest"}, Definite: Text{"le maximum", "the highest"}, Formula: Text{"valeur la plus haute", "highest value"}},
	{Name: Sum, Gives: GivesTotal, Window: Always, Daily: true, Range: totalled,
		Noun: Text{"total", "total"}, Definite: Text{"le total", "the total"}},
	{Name: Count, Gives: GivesNumber, Where: Maybe, Window: Always, Daily: true, Range: atLeastOne,
		Noun: Text{"nombre de mesures", "number of readings"}, Definite: Text{"le nombre de mesures", "the number of readings"}},
	{Name: Share, Gives: GivesPercent, Where: Always, Window: Always, Daily: true, Range: upTo100,
		Noun: Text{"part des mesures", "share of readings"}, Definite: Text{"la part des mesures", "the share of readings"}},
	{Name: Streak, Gives: GivesNumber, Where: Always, Window: Maybe, Range: fromZero,
		Noun: Text{"mesures de suite", "readings in a row"}, Definite: Text{"les mesures de suite", "the readings in a row"}},
	{Name: Events, Gives: GivesNumber, Where: Always, Window: Always, Event: true, Range: fromZero,
		Noun: Text{"épisodes", "events"}, Definite: Text{"les épisodes", "the events"}},
	{Name: Change, Gives: GivesDifference, Window: Always, Range: eitherWay,
		Noun: Text{"variation", "change"}, Definite: Text{"la variation", "the change"},
		Formula: Text{"dernière valeur − première", "latest − first"},
		Aside:   Text{"écart entre la première et la dernière mesure", "change from the first to the last reading"}},
	{Name: Step, Gives: GivesDifference, Window: Maybe, Range: eitherWay,
		Noun: Text{"écart avec la mesure précédente", "difference from the reading before"}, Definite: Text{"l'écart avec la mesure précédente", "the difference from the reading before"},
		Formula: Text{"dernière valeur − précédente", "latest − the one before"},
		Aside:   Text{"écart avec la mesure d'avant", "change from the reading before"}},
	{Name: Rise, Gives: GivesDifference, Window: Always, Range: oneWay,
		Noun: Text{"hausse depuis le minimum", "rise from the lowest"}, Definite: Text{"la hausse depuis le minimum", "the rise from the lowest"},
		Formula: Text{"dernier − plus bas", "latest − lowest"}},
	{Name: Fall, Gives: GivesDifference, Window: Always, Range: oneWay,
		Noun: Text{"baisse depuis le maximum", "fall from the highest"}, Definite: Text{"la baisse depuis le maximum", "the fall from the highest"},
		Formula: Text{"plus haut − dernier", "highest − latest"}},
	{Name: RisePercent, Gives: GivesPercent, Window: Always, Range: fromZero,
		Noun: Text{"hausse en % du minimum", "rise in % of the lowest"}, Definite: Text{"la hausse en % du minimum", "the rise in % of the lowest"},
		Formula: Text{"(dernier − plus bas) / plus bas", "(latest − lowest) / lowest"}},
	{Name: FallPercent, Gives: GivesPercent, Window: Always, Range: fallen,
		Noun: Text{"baisse en % du maximum", "fall in % of the highest"}, Definite: Text{"la baisse en % du maximum", "the fall in % of the highest"},
		Formula: Text{"(plus haut − dernier) / plus haut", "(highest − latest) / highest"}},
	{Name: Slope, Gives: GivesTrend, Window: Always, Days: true, Range: eitherWay,
		Noun: Text{"pente", "slope"}, Definite: Text{"la pente", "the slope"}},
	{Name: CV, Gives: GivesPercent, Window: Always, Range: fromZero,
		Noun: Text{"coefficient de variation", "coefficient of variation"}, Definite: Text{"le coefficient de variation", "the coefficient of variation"}},
	{Name: GMI, Gives: GivesPercent, Window: Always, Only: "glucose", Range: ofGlucose,
		Noun: Text{"indicateur de gestion du glucose", "glucose management indicator"}, Definite: Text{"l'indicateur de gestion du glucose", "the glucose management indicator"}},
	{Name: Wear, Gives: GivesPercent, Window: Always, Daily: true, Whole: true, Expected: true, Range: upTo100,
		Noun: Text{"part des mesures attendues", "share of expected readings"}, Definite: Text{"la part des mesures attendues", "the share of expected readings"}},
	{Name: DaysCovered, Gives: GivesDays, Window: Always, Days: true, Whole: true, Range: upToTheWindow,
		Noun: Text{"jours avec mesure", "days with a reading"}, Definite: Text{"les jours avec mesure", "the days with a reading"}},
	{Name: Improbable, Gives: GivesDifference, Doubts: true, Only: "weight", Range: eitherWay,
		Noun: Text{"écart d'une valeur improbable avec l'habituelle", "gap of an improbable value from the usual"}, Definite: Text{"l'écart d'une valeur improbable avec l'habituelle", "the gap of an improbable value from the usual"}},
}

func likeReadings(c *Comparison, of Interval) Interval {
	switch {
	case c.Beside != nil:
		return besides(c.Beside, of)
	case c.Minus == nil:
		return of
	}
	return scaled(c, of)
}

// besides is the range of a distance from a reading of another measure.
func besides(b *Beside, of Interval) Interval {
	other := &b.Measure.Components[b.Component]
	switch {
	case b.As == InUnits:
		return Interval{of.Low - other.High, of.High - other.Low}
	case of.Low < 0:
		return Interval{-Endless, Endless}
	}
	return Interval{-100_000, Endless}
}

// scaled is the range of a distance from a baseline.
func scaled(c *Comparison, of Interval) Interval {
	widest := eitherWay(c, of)
	switch unit := c.Minus.Least; {
	case c.Minus.As == InUnits:
		return widest
	case c.Minus.As == InPercent && of.Low < 0:
		return Interval{-Endless, Endless}
	case c.Minus.As == InPercent:
		return Interval{-100_000, Endless}
	case unit.Parameter != "" || unit.Value <= 0:
		return Interval{-Endless, Endless}
	default:
		most := Value(math.Ceil(1000 * float64(widest.High) / float64(unit.Value)))
		return Interval{-most, most}
	}
}

func totalled(_ *Comparison, of Interval) Interval {
	if of.Low < 0 {
		return Interval{-Endless, Endless}
	}
	return Interval{of.Low, Endless}
}

// atLeastOne is the range of a count: without a filter, a window without any
// reading gives no figure.
func atLeastOne(c *Comparison, of Interval) Interval {
	if c.Where == nil {
		return Interval{1000, Endless}
	}
	return fromZero(c, of)
}

func fromZero(*Comparison, Interval) Interval { return Interval{0, Endless} }

func upTo100(*Comparison, Interval) Interval { return Interval{0, 100_000} }

// fallen is the range of a fall in per cent: to zero at most, where numbers do not go
// below it.
func fallen(c *Comparison, of Interval) Interval {
	if of.Low < 0 {
		return fromZero(c, of)
	}
	return upTo100(c, of)
}

func oneWay(_ *Comparison, of Interval) Interval { return Interval{0, of.High - of.Low} }

func eitherWay(_ *Comparison, of Interval) Interval {
	return Interval{of.Low - of.High, of.High - of.Low}
}

// ofGlucose is the glucose management indicator of means in thousandths of mg/dL.
func ofGlucose(_ *Comparison, of Interval) Interval {
	gmi := func(mean Value) Value { return Value(math.Round(3310 + 0.02392*float64(mean))) }
	return Interval{gmi(of.Low), gmi(of.High)}
}

// upToTheWindow counts civil days: a duration can touch two more than it lasts.
func upToTheWindow(c *Comparison, _ Interval) Interval {
	days := c.Window.Days
	if length := c.Window.Length; length > 0 {
		days = int(length/(24*time.Hour)) + 2
	}
	return Interval{0, Value(days) * 1000}
}

// Unit is the unit of the numbers that c takes from the readings.
func (c *Comparison) Unit() string {
	if c.Flag != "" {
		return "1"
	}
	unit := c.Measure.Components[c.Component].Unit
	if c.PerComponent < 0 {
		return unit
	}
	return perUnit(unit, c.Measure.Components[c.PerComponent].Unit)
}

// perUnit is the unit of a ratio: per cent where both units are the same.
func perUnit(unit, per string) string {
	if unit == per {
		return "%"
	}
	return unit + "/" + per
}

// Result is the unit of what c computes.
func (c *Comparison) Result() string {
	unit := c.Unit()
	switch c.Scaled() {
	case InPercent:
		return "%"
	case InDeviations:
		return "1"
	}
	if row := c.Statistic.Row(); row != nil {
		return row.Gives.Unit(unit)
	}
	return unit
}

// Interval is a range of numbers, both ends included.
type Interval struct{ Low, High Value }

// Endless is beyond every number.
const Endless = Value(math.MaxInt64 / 4)

// Numbers are those for which a comparison with threshold holds. The step between
// two numbers is one thousandth.
func (o Operator) Numbers(threshold Value) Interval {
	switch o {
	case Above:
		return Interval{threshold + 1, Endless}
	case AtLeast:
		return Interval{threshold, Endless}
	case Below:
		return Interval{-Endless, threshold - 1}
	}
	return Interval{-Endless, threshold}
}

// And is what two intervals have in common.
func (i Interval) And(other Interval) Interval {
	return Interval{max(i.Low, other.Low), min(i.High, other.High)}
}

// Holds reports whether a number lies in i.
func (i Interval) Holds(v Value) bool { return i.Low <= v && v <= i.High }

// Empty reports whether no number lies in i.
func (i Interval) Empty() bool { return i.Low > i.High }

var operators = []Operator{Above, AtLeast, Below, AtMost}

// Operators lists every operator.
func Operators() []Operator { return slices.Clone(operators) }
