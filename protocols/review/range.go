package review

import (
	"math"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// possible notes comparisons that can never hold or always do, given what an
// instrument can report, and combinations that contradict themselves.
func (c *checker) possible(at document.Place, when *protocols.Condition) {
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) {
		c.filterPossible(at.Key("where"), compared)
		c.untilPossible(at, compared)
		c.eventsPossible(at, compared)
		c.percentKnown(at, compared)
		c.thresholdPossible(at.Key(language.OperatorKey(compared.Operator)), compared)
	})
	c.combined(at, when)
	c.scores(at, when)
}

// thresholdPossible checks the threshold at its default and at both of its
// bounds against the numbers that the statistic can take.
func (c *checker) thresholdPossible(at document.Place, compared *protocols.Comparison) {
	numbers := reachOf(compared)
	if code := judge(compared, compared.Threshold.Value, numbers); code != "" {
		c.Fault(at, code, describe(code, numbers), protocols.Text{})
		return
	}
	low, high := c.protocol.Extent(compared.Threshold)
	for _, bound := range []protocols.Value{low, high} {
		if code := judge(compared, bound, numbers); code != "" {
			c.Note(at, document.Warning, code, protocols.Say("quand « %s » est réglé à %s, %s", "when %s is set to %s, %s", compared.Threshold.Parameter, bound, describe(code, numbers)), protocols.Say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
			return
		}
	}
}

func judge(compared *protocols.Comparison, threshold protocols.Value, numbers protocols.Interval) string {
	holds := compared.Operator.Numbers(threshold)
	switch {
	case holds.And(numbers).Empty():
		return "never-true"
	case holds.Low <= numbers.Low && holds.High >= numbers.High:
		return "always-true"
	}
	return ""
}

func describe(code string, numbers protocols.Interval) protocols.Text {
	verdict := protocols.Say("ceci est toujours vrai", "this is always true")
	if code == "never-true" {
		verdict = protocols.Say("ceci n'est jamais vrai", "this is never true")
	}
	if numbers.High >= protocols.Endless/2 {
		return protocols.Say("%s : le nombre est %s ou plus", "%s: the number is %s or more", verdict, numbers.Low)
	}
	return protocols.Say("%s : le nombre est entre %s et %s", "%s: the number lies between %s and %s", verdict, numbers.Low, numbers.High)
}

// reach is what the statistic can come to, given what the instrument can
// report.
func reachOf(c *protocols.Comparison) protocols.Interval {
	return c.Statistic.Row().Range(c, numbersOf(c))
}

// numbers are those that the instrument can report of what is compared.
func numbersOf(c *protocols.Comparison) protocols.Interval {
	if c.Flag != "" {
		return protocols.Interval{Low: 0, High: 1000}
	}
	component := &c.Measure.Components[c.Component]
	numbers := protocols.Interval{Low: component.Low, High: component.High}
	if c.MinusComponent >= 0 {
		other := &c.Measure.Components[c.MinusComponent]
		numbers = protocols.Interval{Low: component.Low - other.High, High: component.High - other.Low}
	}
	if c.PerComponent >= 0 {
		return ratiosOf(c, numbers)
	}
	return numbers
}

// ratiosOf are the numbers that come out where those of a component are divided. What
// may be 0 divides to no end.
func ratiosOf(c *protocols.Comparison, numbers protocols.Interval) protocols.Interval {
	per := &c.Measure.Components[c.PerComponent]
	scale := 1000.0
	if c.Unit() == "%" {
		scale = 100_000
	}
	ratio := func(number protocols.Value) protocols.Value {
		by := per.High
		if number < 0 == (number == numbers.Low) { // the end that lies farther from 0
			by = per.Low
		}
		switch {
		case number == 0:
			return 0
		case by <= 0 && number < 0:
			return -protocols.Endless
		case by <= 0:
			return protocols.Endless
		}
		return protocols.Value(math.Round(float64(number) * scale / float64(by)))
	}
	return protocols.Interval{Low: ratio(numbers.Low), High: ratio(numbers.High)}
}

// filterPossible checks that a reading can pass the filter, and that one can
// fail it.
func (c *checker) filterPossible(at document.Place, compared *protocols.Comparison) {
	if compared.Where == nil {
		return
	}
	numbers := numbersOf(compared)
	passes := compared.Where.Passes(numbers)
	switch {
	case passes.Empty():
		c.Fault(at, "never-true", protocols.Say("aucune mesure ne passe ce filtre : elles sont entre %s et %s", "no reading passes this filter: they lie between %s and %s", numbers.Low, numbers.High), protocols.Text{})
	case passes == numbers:
		c.Fault(at, "always-true", protocols.Say("toutes les mesures passent ce filtre : elles sont entre %s et %s", "every reading passes this filter: they lie between %s and %s", numbers.Low, numbers.High), protocols.Say("enlever where, ou resserrer la borne", "remove where, or use a narrower bound"))
	}
}

// untilPossible checks that a reading can be back from an event, and that none is while it
// is still inside.
func (c *checker) untilPossible(at document.Place, compared *protocols.Comparison) {
	if compared.Until == nil || compared.Where == nil {
		return
	}
	until := at.Key("event").Key("until")
	back := compared.Until.Passes(numbersOf(compared))
	switch {
	case back.Empty():
		c.Fault(until, "never-true", protocols.Say("aucune mesure n'est revenue : l'événement ne finit que par un silence", "no reading is back: only a silence ends the event"), protocols.Text{})
	case !compared.Where.Passes(back).Empty():
		c.Fault(until, "clear-side", protocols.Say("une mesure qui passe where ne peut pas être revenue", "a reading that passes where cannot be back"), protocols.Say("laisser un écart : where: {below: 54}, until: {at_least: 70}", "leave a distance: where: {below: 54}, until: {at_least: 70}"))
	}
}

// eventsPossible checks that as many events as asked for fit into the window.
func (c *checker) eventsPossible(at document.Place, compared *protocols.Comparison) {
	if compared.Event == nil || !compared.Upward() || compared.Window.Length == 0 {
		return
	}
	event := compared.Event
	each := event.Lasting + event.Ending
	if event.Gap > 0 { // a silence ends an event as well
		each = event.Lasting + min(event.Ending, event.Gap)
	}
	if most := protocols.Value(compared.Window.Length/each+1) * 1000; compared.Threshold.Value > most {
		c.Fault(at.Key(language.OperatorKey(compared.Operator)), "never-true", protocols.Say("au plus %s événements de cette forme tiennent dans %s", "at most %s events of this shape fit into %s", most, compared.Window.Length), protocols.Say("demander moins d'événements, ou une fenêtre plus longue", "ask for fewer events, or a longer window"))
	}
}

// percentKnown notes a change in per cent of what can be 0: of nothing, no per cent is known,
// and an answer that has always been 0 would ring at no answer.
func (c *checker) percentKnown(at document.Place, compared *protocols.Comparison) {
	key, of := "", &compared.Measure.Components[compared.Component]
	switch b := compared.Beside; {
	case b != nil && b.As == protocols.InPercent:
		key, of = "minus_measure", &b.Measure.Components[b.Component]
	case compared.Minus != nil && compared.Minus.As == protocols.InPercent:
		key = "minus"
	case compared.Statistic == protocols.RisePercent || compared.Statistic == protocols.FallPercent:
		key = "statistic"
	}
	if key != "" && of.Low <= 0 {
		c.Note(at.Key(key), document.Warning, "percent-of-zero", protocols.Say("« %s » peut valoir 0, et de 0 aucun pourcentage n'est connu : cela ne sonnerait pas", "%s may be 0, and of 0 no per cent is known: this would not ring", of.Title), protocols.Say("comparer l'écart lui-même, sans as: percent", "compare the distance itself, without as: percent"))
	}
}

// combined looks for contradictions between the parts of a combination: in all,
// two parts that no number satisfies together; in any, two parts one of which
// every number satisfies.
func (c *checker) combined(at document.Place, when *protocols.Condition) {
	c.pairwise(at.Key("all"), when.All, func(a, b *protocols.Comparison) string {
		if a.Operator.Numbers(a.Threshold.Value).And(b.Operator.Numbers(b.Threshold.Value)).Empty() {
			return "never-true"
		}
		return ""
	})
	c.pairwise(at.Key("any"), when.Any, func(first, second *protocols.Comparison) string {
		if first.Slow() || second.Slow() {
			return "" // neither is so at first, on either side
		}
		a, b := first.Operator.Numbers(first.Threshold.Value), second.Operator.Numbers(second.Threshold.Value)
		if a.Low > b.Low {
			a, b = b, a
		}
		if a.Low == -protocols.Endless && b.High == protocols.Endless && a.High+1 >= b.Low {
			return "always-true"
		}
		return ""
	})
	if when.Not != nil {
		c.combined(at.Key("not"), when.Not)
	}
	for i, item := range c.Items(at.Key("all")) {
		c.combined(item, &when.All[i])
	}
	for i, item := range c.Items(at.Key("any")) {
		c.combined(item, &when.Any[i])
	}
	for i, item := range c.Items(at.Key("of")) {
		c.combined(item, &when.Of[i])
	}
	for i, item := range c.Items(at.Key("score")) {
		c.combined(item.Key("when"), &when.Score.Parts[i].When)
	}
}

func (c *checker) pairwise(at document.Place, parts []protocols.Condition, verdict func(a, b *protocols.Comparison) string) {
	items := c.Items(at)
	for i := range parts {
		for j := range i {
			a, b := parts[j].Compare, parts[i].Compare
			if a == nil || b == nil || a.Number() != b.Number() {
				continue
			}
			code := verdict(a, b)
			switch code {
			case "never-true":
				c.Fault(items[i], code, protocols.Say("ceci ne peut jamais être vrai en même temps que la condition de la ligne %d", "this can never be true together with the condition on line %d", a.Line), protocols.Text{})
			case "always-true":
				c.Fault(items[i], code, protocols.Say("ceci ou la condition de la ligne %d est toujours vrai", "either this or the condition on line %d is always true", a.Line), protocols.Text{})
			}
		}
	}
}
