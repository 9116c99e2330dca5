package protocols

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

func judge(compared *Comparison, threshold Value, numbers Interval) string {
	holds := compared.Operator.Numbers(threshold)
	switch {
	case holds.And(numbers).Empty():
		return "never-true"
	case holds.Low <= numbers.Low && holds.High >= numbers.High:
		return "always-true"
	}
	return ""
}

func describe(code string, numbers Interval) Text {
	verdict := say("ceci est toujours vrai", "this is always true")
	if code == "never-true" {
		verdict = say("ceci n'est jamais vrai", "this is never true")
	}
	if numbers.High >= Endless/2 {
		return say("%s : le nombre est %s ou plus", "%s: the number is %s or more", verdict, numbers.Low)
	}
	return say("%s : le nombre est entre %s et %s", "%s: the number lies between %s and %s", verdict, numbers.Low, numbers.High)
}

// reach is what the statistic can come to, given what the instrument can
// report.
func (c *Comparison) reach() Interval { return c.Statistic.Row().Range(c, c.numbers()) }

// numbers are those that the instrument can report of what is compared.
func (c *Comparison) numbers() Interval {
	component := &c.Measure.Components[c.Component]
	if c.MinusComponent < 0 {
		return Interval{component.Low, component.High}
	}
	other := &c.Measure.Components[c.MinusComponent]
	return Interval{component.Low - other.High, component.High - other.Low}
}

// filterPossible checks that a reading can pass the filter, and that one can
// fail it.
func (c *checker) filterPossible(at place, compared *Comparison) {
	if compared.Where == nil {
		return
	}
	numbers := compared.numbers()
	passes := compared.Where.passes(numbers)
	switch {
	case passes.Empty():
		c.fault(at, "never-true", say("aucune mesure ne passe ce filtre : elles sont entre %s et %s", "no reading passes this filter: they lie between %s and %s", numbers.Low, numbers.High), Text{})
	case passes == numbers:
		c.fault(at, "always-true", say("toutes les mesures passent ce filtre : elles sont entre %s et %s", "every reading passes this filter: they lie between %s and %s", numbers.Low, numbers.High), say("enlever where, ou resserrer la borne", "remove where, or use a narrower bound"))
	}
}

// passes narrows numbers to those that the filter lets through by default.
func (f *Filter) passes(numbers Interval) Interval {
	for _, bound := range []struct {
		operand  *Operand
		operator Operator
	}{{f.Above, Above}, {f.AtLeast, AtLeast}, {f.Below, Below}, {f.AtMost, AtMost}} {
		if bound.operand != nil {
			numbers = numbers.And(bound.operator.Numbers(bound.operand.Value))
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
		if a.Operator.Numbers(a.Threshold.Value).And(b.Operator.Numbers(b.Threshold.Value)).Empty() {
			return "never-true"
		}
		return ""
	})
	c.pairwise(at.key("any"), when.Any, func(first, second *Comparison) string {
		if first.slow() || second.slow() {
			return "" // neither is so at first, on either side
		}
		a, b := first.Operator.Numbers(first.Threshold.Value), second.Operator.Numbers(second.Threshold.Value)
		if a.Low > b.Low {
			a, b = b, a
		}
		if a.Low == -Endless && b.High == Endless && a.High+1 >= b.Low {
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
