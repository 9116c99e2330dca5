package protocols

import (
	"fmt"
	"time"
)

// Condition is a comparison, or a combination of conditions. Exactly one of them
// is set, and AtLeast beside Of. Truth has three values: what cannot be known neither
// starts nor ends anything.
type Condition struct {
	All     []Condition
	Any     []Condition
	Of      []Condition // some of them, at least AtLeast
	AtLeast int
	Score   *Score
	Not     *Condition
	Compare *Comparison
	// Sentence is what an alert says, instead of its level's sentence, where it rang because
	// of this part; of any, the first one that is true decides. May be empty.
	Sentence Text
}

// Spoken calls visit for every part of the condition that has a sentence of its own, as they
// are written. Under a negation there is none.
func (c *Condition) Spoken(visit func(*Condition)) {
	if c.Sentence != (Text{}) {
		visit(c)
	}
	for _, list := range [][]Condition{c.All, c.Any, c.Of} {
		for i := range list {
			list[i].Spoken(visit)
		}
	}
}

// Score adds the points of its parts that are true. It is true from From points on, and
// stays so until Margin points fewer. A part that cannot be known adds its points or does
// not: where that decides, the score is not known.
type Score struct {
	Parts  []ScorePart
	From   Operand // points, in thousandths
	Margin Value
}

// ScorePart is a condition and what it adds.
type ScorePart struct {
	Points Value // above 0, in thousandths
	When   Condition
}

// Sum adds the points of the parts for which is holds.
func (s *Score) Sum(is func(part int) bool) (sum Value) {
	for i := range s.Parts {
		if is(i) {
			sum += s.Parts[i].Points
		}
	}
	return sum
}

// Guards reports whether a comparison is no sign by itself: it asks whether there is enough
// data, or that something was told of nowhere else.
func (c *Comparison) Guards() bool { return guards(c.Statistic, c.Where != nil, c.Operator) }

// Guards is that of Comparison.
func (c *Compared) Guards() bool { return guards(c.Statistic, len(c.Where) > 0, c.Operator) }

func guards(s Statistic, filtered bool, op Operator) bool {
	switch s {
	case DaysCovered, Wear:
		return true
	case Count, Events:
		return !filtered || op == Below || op == AtMost
	}
	return false
}

// Comparison compares a statistic of a component over a window with a value.
type Comparison struct {
	Measure   *Measure
	Component int
	Variant   uint8 // 0 for any
	// Flag, when set, is looked at instead of the component: 1 for a reading that carries
	// it, 0 for one that does not.
	Flag      string
	Hours     Hours // of the day at which readings count; all where zero
	Meal      Meal  // moment by a meal at which readings count; every reading where empty
	Statistic Statistic
	Window    Window
	// Minus, when set, is subtracted: the change against the value of N days
	// ago, against a moving average or median.
	Minus *Baseline
	// MinusComponent, when not −1, is another component of the same reading
	// that is subtracted: weight at the end minus dry weight.
	MinusComponent int
	// PerComponent, when not −1, is another component of the same reading by which
	// it is divided, to the thousandth: an ultrafiltration rate per kilogram of dry
	// weight. Where both have one unit, the result is in per cent.
	PerComponent int
	// Beside, when set, is the latest reading of another measure or variant that is
	// subtracted: by how much two devices disagree.
	Beside    *Beside
	Operator  Operator
	Threshold Operand
	Clear     *Operand // what it takes to leave; the threshold itself when nil
	// Margin, when not zero, says the same as a distance: leaving takes that much
	// less than the threshold (more, for Below and AtMost), whatever the
	// threshold is set to. Clear is then nil.
	Margin Value
	Where  *Filter // which readings count, for Count, Share, Streak and Events
	Event  *EventShape
	// Until, of an event, are the readings that count as back: those between Where and
	// Until neither begin an event nor end one. All that do not satisfy Where when nil.
	Until *Filter
	// Apart, when not zero, is the least distance between two readings that Count
	// counts: the first of the window that satisfies Where, and each that lies so far
	// from the one counted before it.
	Apart time.Duration
	// Lasting, when not zero, asks that the comparison has held on every
	// reading for that long; Gap is the longest silence that does not break
	// the run. A gap is not evidence either way.
	Lasting time.Duration
	Gap     time.Duration
	// Days, when more than 0, asks that the daily aggregate holds on that many
	// consecutive civil days; the statistic is then taken within each day.
	Days Operand
	// Floor is the least share of expected readings in the window, in per cent,
	// under which the result is "not enough data".
	Floor Value
	Each  bool // what counted is kept one by one, because a sentence tells it; see Rule.TellEach
	Line  int
}

// Beside is a reading of another measure or variant, in the same unit. It and the reading
// that it is held against are measured at most Within apart; otherwise nothing is known.
type Beside struct {
	Measure   *Measure
	Component int
	Variant   uint8
	Within    time.Duration
	As        BaselineScale // InUnits, or InPercent of it
}

// name is the measure, with the component where it has several, and the variant.
func (b *Beside) name() string {
	name := b.Measure.ID
	if len(b.Measure.Components) > 1 {
		name += "." + b.Measure.Components[b.Component].Name
	}
	if b.Variant > 0 {
		name += "/" + b.Measure.Variants[b.Variant-1]
	}
	return name
}

// Compare is what the latest reading of b is taken by.
func (b *Beside) Compare() *Comparison {
	return &Comparison{Measure: b.Measure, Component: b.Component, Variant: b.Variant, Statistic: Last, MinusComponent: -1, PerComponent: -1}
}

// Window is how far back a statistic looks, on measurement time: a duration
// (the readings later than t − Length and up to t), or a number of the
// patient's civil days (today and the Days−1 before it). The zero window is the
// latest reading alone.
type Window struct {
	Length time.Duration
	Days   int
}

// Baseline is the older value that a comparison is held against: a statistic
// over the civil days [today−Ago−Days+1, today−Ago].
type Baseline struct {
	Statistic Statistic     // Last, Mean, Median, Min or Max, of daily means
	Days      int           // length in civil days
	Ago       int           // its last day, counted back from today
	AtLeast   int           // days that must hold a reading, otherwise "not enough data"
	As        BaselineScale // what the distance from it is counted in
	// Least, with InDeviations, is the smallest deviation that is used, in the unit of
	// the readings: a few days that happen to be alike make no small change a large one.
	Least Operand
	// Most, with InDeviations, is the largest deviation that is used, Least apart: a patient
	// whose days vary much has no limit wider than that of others. The zero Operand for none.
	Most Operand
	// Seed, when set, is a parameter that holds the usual value: a dry weight, the weight on
	// leaving hospital. From the day on which it was set for a patient, earlier days do not
	// count, and it stands for the statistic until AtLeast days hold a reading. Without a
	// setting of the patient's own there is no seed.
	Seed Operand
}

// BaselineScale says what the distance between a value and its baseline is counted in.
type BaselineScale string

// The scales.
const (
	InUnits      BaselineScale = ""           // of the readings
	InPercent    BaselineScale = "percent"    // of the baseline, which must lie above zero
	InDeviations BaselineScale = "deviations" // sample standard deviations of the daily means of the baseline
)

// LeastDays is how many daily means a standard deviation takes.
const LeastDays = 3

// Hours is a part of the day on the wall clock of the patient, such as the night or the
// time of fasting. It goes over midnight where To comes before From. The zero Hours is
// the whole day.
type Hours struct {
	From time.Duration // since midnight, included
	To   time.Duration // since midnight, not included
}

// Hold reports whether the clock on the wall shows a time within h.
func (h Hours) Hold(local time.Time) bool {
	if h == (Hours{}) {
		return true
	}
	hour, minute, second := local.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if h.From < h.To {
		return h.From <= clock && clock < h.To
	}
	return h.From <= clock || clock < h.To
}

// Operator compares.
type Operator string

// The operators.
const (
	Above   Operator = "above"    // >
	AtLeast Operator = "at-least" // ≥
	Below   Operator = "below"    // <
	AtMost  Operator = "at-most"  // ≤
)

// Filter selects readings by the value of the compared component: those that
// satisfy every bound that is set.
type Filter struct {
	Above, AtLeast, Below, AtMost *Operand
}

// EventShape says what an event of the Events statistic is: readings that
// satisfy Where for at least Lasting; it ends after Ending back outside.
type EventShape struct {
	Lasting time.Duration
	Ending  time.Duration
	Gap     time.Duration // longest silence inside an event
}

// Operand is a number in the canonical unit of what it is compared with, or the
// name of a parameter that holds it, or a multiple of that parameter.
type Operand struct {
	Parameter string // empty for a literal
	Factor    Value  // by which the parameter is multiplied; 0 for once
	Value     Value  // the literal; with a parameter, what its default gives
}

// Of is the number that the operand stands for where its parameter is v, to the
// thousandth.
func (o *Operand) Of(v Value) Value {
	if o.Factor == 0 {
		return v
	}
	return Value(RoundedRatio(int64(v)*int64(o.Factor), 1000))
}

// Comparisons calls visit for every comparison of the condition, as they are
// written.
func (c *Condition) Comparisons(visit func(*Comparison)) {
	switch {
	case c.Compare != nil:
		visit(c.Compare)
	case c.Not != nil:
		c.Not.Comparisons(visit)
	}
	for _, list := range [][]Condition{c.All, c.Any, c.Of} {
		for i := range list {
			list[i].Comparisons(visit)
		}
	}
	if c.Score != nil {
		for i := range c.Score.Parts {
			c.Score.Parts[i].When.Comparisons(visit)
		}
	}
}

// Scores calls visit for every score of the condition, as they are written.
func (c *Condition) Scores(visit func(*Score)) {
	if c.Not != nil {
		c.Not.Scores(visit)
	}
	for _, list := range [][]Condition{c.All, c.Any, c.Of} {
		for i := range list {
			list[i].Scores(visit)
		}
	}
	if c.Score != nil {
		visit(c.Score)
		for i := range c.Score.Parts {
			c.Score.Parts[i].When.Scores(visit)
		}
	}
}

// Bare reports whether c takes of every reading the number of its component as it is.
func (c *Comparison) Bare() bool {
	return c.MinusComponent < 0 && c.PerComponent < 0 && c.Beside == nil && c.Flag == "" && c.Hours == (Hours{}) && c.Meal == ""
}

// Happens reports whether c looks at something that happens or does not, an event or a
// flag: 1 or 0.
func (c *Comparison) Happens() bool { return c.Flag != "" || c.Measure.Components[c.Component].Event }

// Subject is the title of what c looks at: the flag, or the component.
func (c *Comparison) Subject() Text {
	if c.Flag != "" {
		return FlagOf(c.Flag).Title
	}
	return c.Measure.Components[c.Component].Title
}

// Daily reports whether the statistic is taken within each day.
func (c *Comparison) Daily() bool { return c.Days != Operand{} }

// Slow reports whether one moment does not decide it: it has to hold for a while, or day
// after day.
func (c *Comparison) Slow() bool { return c.Lasting > 0 || c.Daily() }

// Upward reports whether more is graver.
func (c *Comparison) Upward() bool { return c.Operator == Above || c.Operator == AtLeast }

// Negated is the operator that is true exactly where o is not.
func (o Operator) Negated() Operator {
	return map[Operator]Operator{Above: AtMost, AtMost: Above, Below: AtLeast, AtLeast: Below}[o]
}

// Operands lists every number of the comparison that may be a parameter.
func (c *Comparison) Operands() []*Operand {
	all := []*Operand{&c.Threshold}
	if c.Clear != nil {
		all = append(all, c.Clear)
	}
	if c.Daily() {
		all = append(all, &c.Days)
	}
	for _, side := range append(c.Where.Sides(), c.Until.Sides()...) {
		all = append(all, side.Limit)
	}
	if c.Minus != nil && c.Minus.Seed.Parameter != "" {
		all = append(all, &c.Minus.Seed)
	}
	if c.Scaled() == InDeviations {
		all = append(all, &c.Minus.Least)
		if c.Minus.Most != (Operand{}) {
			all = append(all, &c.Minus.Most)
		}
	}
	return all
}

// Scaled is what c counts the distance from its baseline, or from another reading, in;
// InUnits without one.
func (c *Comparison) Scaled() BaselineScale {
	switch {
	case c.Minus != nil:
		return c.Minus.As
	case c.Beside != nil:
		return c.Beside.As
	}
	return InUnits
}

// Side is one bound of a filter.
type Side struct {
	Operator Operator
	Limit    *Operand
}

// Sides lists the bounds that are set; none of a nil Filter.
func (f *Filter) Sides() []Side {
	if f == nil {
		return nil
	}
	var set []Side
	for _, side := range []Side{{Above, f.Above}, {AtLeast, f.AtLeast}, {Below, f.Below}, {AtMost, f.AtMost}} {
		if side.Limit != nil {
			set = append(set, side)
		}
	}
	return set
}

// Lower reports whether the lowest of several numbers that f lets through is the gravest.
func (f *Filter) Lower() bool { return f != nil && (f.Below != nil || f.AtMost != nil) }

// Passes narrows numbers to those that the filter lets through by default.
func (f *Filter) Passes(numbers Interval) Interval {
	for _, side := range f.Sides() {
		numbers = numbers.And(side.Operator.Numbers(side.Limit.Value))
	}
	return numbers
}

// Silence is the longest one inside an event: the longer of its other durations,
// when nothing else is said.
func (e *EventShape) Silence() time.Duration {
	if e.Gap > 0 {
		return e.Gap
	}
	return max(e.Lasting, e.Ending)
}

// Number names what a comparison computes: it is the same for those that differ at most in
// what they compare the number with.
func (c *Comparison) Number() string {
	minus, event, beside := Baseline{}, EventShape{}, Beside{}
	if c.Minus != nil {
		minus = *c.Minus
	}
	if c.Event != nil {
		event = *c.Event
	}
	if c.Beside != nil {
		beside = *c.Beside
	}
	return fmt.Sprint(c.Measure.ID, c.Component, beside, c.Variant, c.Flag, c.Hours, c.Meal, c.Statistic, c.Window, c.MinusComponent, c.PerComponent, minus, event, c.Where.number(), c.Until.number(), c.Days, c.Apart)
}

func (f *Filter) number() string {
	if f == nil {
		return ""
	}
	text := ""
	for _, o := range []*Operand{f.Above, f.AtLeast, f.Below, f.AtMost} {
		if o != nil {
			text += fmt.Sprint(*o)
		}
		text += ";"
	}
	return text
}
