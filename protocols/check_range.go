package protocols

import (
	"math"
	"time"
)

// possible notes comparisons that can never hold or always do, given what an
// instrument can report, and combinations that contradict themselves.
func (c *checker) possible(at place, when *Condition) {
	c.walk(at, when, func(at place, compared *Comparison) {
		c.filterPossible(at.key("where"), compared)
		c.eventsPossible(at, compared)
		c.thresholdPossible(at.key(compared.Operator.key()), compared)
	})
	c.combined(at, when)
}

// interval is a range of numbers, its ends included.
type interval struct{ low, high Value }

const endless = Value(math.MaxInt64 / 4)

// holdsFor are the numbers for which the comparison with threshold holds. The
// step between two numbers is one thousandth.
func (o Operator) holdsFor(threshold Value) interval {
	switch o {
	case Above:
		return interval{threshold + 1, endless}
	case AtLeast:
		return interval{threshold, endless}
	case Below:
		return interval{-endless, threshold - 1}
	}
	return interval{-endless, threshold}
}

func (i interval) and(other interval) interval {
	return interval{max(i.low, other.low), min(i.high, other.high)}
}

func (i interval) empty() bool { return i.low > i.high }

// thresholdPossible checks the threshold at its default and at both of its
// bounds against the numbers that the statistic can take.
func (c *checker) thresholdPossible(at place, compared *Comparison) {
	numbers := compared.reach()
	if code := judge(compared, compared.Threshold.Value, numbers); code != "" {
		c.fault(at, code, describe(code, numbers), Text{})
		return
	}
	low, high := c.protocol.reachOf(compared.Threshold)
	for _, bound := range []Value{low, high} {
		if code := judge(compared, bound, numbers); code != "" {
			c.note(at, Warning, code, say("quand « %s » est réglé à %s, %s", "when %s is set to %s, %s", compared.Threshold.Parameter, bound, describe(code, numbers)), say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
			return
		}
	}
}

func judge(compared *Comparison, threshold Value, numbers interval) string {
	holds := compared.Operator.holdsFor(threshold)
	switch {
	case holds.and(numbers).empty():
		return "never-true"
	case holds.low <= numbers.low && holds.high >= numbers.high:
		return "always-true"
	}
	return ""
}

func describe(code string, numbers interval) Text {
	verdict := say("ceci est toujours vrai", "this is always true")
	if code == "never-true" {
		verdict = say("ceci n'est jamais vrai", "this is never true")
	}
	if numbers.high >= endless/2 {
		return say("%s : le nombre est %s ou plus", "%s: the number is %s or more", verdict, numbers.low)
	}
	return say("%s : le nombre est entre %s et %s", "%s: the number lies between %s and %s", verdict, numbers.low, numbers.high)
}

// reach is what the statistic can come to, given what the instrument can
// report.
func (c *Comparison) reach() interval {
	component := &c.Measure.Components[c.Component]
	raw := interval{component.Low, component.High}
	if c.MinusComponent >= 0 {
		other := &c.Measure.Components[c.MinusComponent]
		raw = interval{raw.low - other.High, raw.high - other.Low}
	}
	span := raw.high - raw.low
	switch c.Statistic {
	case Count:
		if c.Where == nil { // without any reading there is no figure
			return interval{1000, endless}
		}
		return interval{0, endless}
	case Streak, Events, CV:
		return interval{0, endless}
	case Sum:
		if raw.low < 0 {
			return interval{-endless, endless}
		}
		return interval{raw.low, endless}
	case Share, Wear:
		return interval{0, 100_000}
	case GMI:
		return interval{gmiOf(raw.low), gmiOf(raw.high)}
	case DaysCovered:
		return interval{0, Value(c.Window.Days) * 1000}.orDaysOf(c.Window.Length)
	case Rise, Fall:
		return interval{0, span}
	case Change, Step, Slope:
		return interval{-span, span}
	}
	if c.Minus != nil {
		return interval{-span, span}
	}
	return raw
}

// orDaysOf widens i to the civil days that a duration can touch.
func (i interval) orDaysOf(length time.Duration) interval {
	if length > 0 {
		i.high = Value(length/(24*time.Hour)+2) * 1000
	}
	return i
}

// gmiOf is the glucose management indicator of a mean in thousandths of mg/dL.
func gmiOf(mean Value) Value {
	return Value(math.Round(3310 + 0.02392*float64(mean)))
}

// filterPossible checks that a reading can pass the filter, and that one can
// fail it.
func (c *checker) filterPossible(at place, compared *Comparison) {
	if compared.Where == nil {
		return
	}
	plain := *compared
	plain.Statistic, plain.Minus = Last, nil
	numbers := plain.reach()
	passes := compared.Where.passes(numbers)
	switch {
	case passes.empty():
		c.fault(at, "never-true", say("aucune mesure ne passe ce filtre : elles sont entre %s et %s", "no reading passes this filter: they lie between %s and %s", numbers.low, numbers.high), Text{})
	case passes == numbers:
		c.fault(at, "always-true", say("toutes les mesures passent ce filtre : elles sont entre %s et %s", "every reading passes this filter: they lie between %s and %s", numbers.low, numbers.high), say("enlever where, ou resserrer la borne", "remove where, or use a narrower bound"))
	}
}

// passes narrows numbers to those that the filter lets through by default.
func (f *Filter) passes(numbers interval) interval {
	for _, bound := range []struct {
		operand  *Operand
		operator Operator
	}{{f.Above, Above}, {f.AtLeast, AtLeast}, {f.Below, Below}, {f.AtMost, AtMost}} {
		if bound.operand != nil {
			numbers = numbers.and(bound.operator.holdsFor(bound.operand.Value))
		}
	}
	return numbers
}

// eventsPossible checks that as many events as asked for fit into the window.
func (c *checker) eventsPossible(at place, compared *Comparison) {
	if compared.Event == nil || !compared.upward() || compared.Window.Length == 0 {
		return
	}
	event := compared.Event
	each := event.Lasting + event.Ending
	if event.Gap > 0 { // a silence ends an event as well
		each = event.Lasting + min(event.Ending, event.Gap)
	}
	if most := Value(compared.Window.Length/each+1) * 1000; compared.Threshold.Value > most {
		c.fault(at.key(compared.Operator.key()), "never-true", say("au plus %s événements de cette forme tiennent dans %s", "at most %s events of this shape fit into %s", most, compared.Window.Length), say("demander moins d'événements, ou une fenêtre plus longue", "ask for fewer events, or a longer window"))
	}
}

// combined looks for contradictions between the parts of a combination: in all,
// two parts that no number satisfies together; in any, two parts one of which
// every number satisfies.
func (c *checker) combined(at place, when *Condition) {
	c.pairwise(at.key("all"), when.All, func(a, b *Comparison) string {
		if a.Operator.holdsFor(a.Threshold.Value).and(b.Operator.holdsFor(b.Threshold.Value)).empty() {
			return "never-true"
		}
		return ""
	})
	c.pairwise(at.key("any"), when.Any, func(first, second *Comparison) string {
		if first.slow() || second.slow() {
			return "" // neither is so at first, on either side
		}
		a, b := first.Operator.holdsFor(first.Threshold.Value), second.Operator.holdsFor(second.Threshold.Value)
		if a.low > b.low {
			a, b = b, a
		}
		if a.low == -endless && b.high == endless && a.high+1 >= b.low {
			return "always-true"
		}
		return ""
	})
	if when.Not != nil {
		c.combined(at.key("not"), when.Not)
	}
	for i, item := range c.items(at.key("all")) {
		c.combined(item, &when.All[i])
	}
	for i, item := range c.items(at.key("any")) {
		c.combined(item, &when.Any[i])
	}
}

// slow reports whether a comparison takes time to be so: some hours, or some days.
func (c *Comparison) slow() bool { return c.Lasting > 0 || c.daily() }

func (c *checker) pairwise(at place, parts []Condition, verdict func(a, b *Comparison) string) {
	items := c.items(at)
	for i := range parts {
		for j := range i {
			a, b := parts[j].Compare, parts[i].Compare
			if a == nil || b == nil || a.identity() != b.identity() {
				continue
			}
			code := verdict(a, b)
			switch code {
			case "never-true":
				c.fault(items[i], code, say("ceci ne peut jamais être vrai en même temps que la condition de la ligne %d", "this can never be true together with the condition on line %d", a.Line), Text{})
			case "always-true":
				c.fault(items[i], code, say("ceci ou la condition de la ligne %d est toujours vrai", "either this or the condition on line %d is always true", a.Line), Text{})
			}
		}
	}
}
