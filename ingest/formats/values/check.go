package values

import (
	"slices"

	"vigie/protocols"
)

// check says what is wrong with the values: those that are missing, outside what
// an instrument can report, or contradict each other. It does not call missing what
// was given and cannot be used. No message holds a value.
func (r *Resolver) check() {
	m := r.measure
	r.scores()
	for i, v := range r.values {
		c := &m.Components[i]
		switch {
		case v == protocols.Missing:
			if !c.Optional && r.unusable&(1<<i) == 0 {
				r.refuse(protocols.MissingValue, "values."+c.Name, "this component is required")
			}
		case c.Whole && v%1000 != 0 && r.unusable&(1<<i) == 0:
			r.spoil(i, protocols.Implausible, "values.", notWhole)
		}
	}
	for i := range r.rules {
		r.contradict(&r.rules[i])
	}
	r.conclude()
}

// scores adds up what the reading leaves to us, and leaves out a score that is not the
// sum of its parts.
func (r *Resolver) scores() {
	for i := range r.measure.Components {
		if given := r.values[i]; given != protocols.Missing && r.measure.Components[i].SumOf != nil {
			r.values[i] = protocols.Missing
			r.measure.Complete(r.values)
			if r.values[i] != protocols.Missing && r.values[i] != given {
				r.spoil(i, protocols.Inconsistent, "values.", notTheSum)
			}
			if r.values[i] == protocols.Missing && r.unusable&(1<<i) == 0 {
				r.values[i] = given // some of the parts are not told
			}
		}
	}
	r.measure.Complete(r.values)
}

// conclude refuses a reading of which nothing is left. One that is refused is told
// all that is wrong with it.
func (r *Resolver) conclude() {
	if len(r.Reasons) == 0 {
		for _, v := range r.values {
			if v != protocols.Missing {
				return
			}
		}
		if len(r.Warnings) == 0 {
			r.refuse(protocols.MissingValue, "values."+r.measure.Components[0].Name, "at least one component is required")
		}
	}
	for _, w := range r.Warnings {
		r.refuseOnce(w.Code, w.Path, w.Message)
	}
	r.Warnings = r.Warnings[:0]
}

// contradiction is a pair of components that cannot be so: low above high, or,
// with never set, both at once.
type contradiction struct {
	low, high string
	never     bool
	message   string
	french    string
}

// contradictions lists, by measure, what the components of one reading cannot be.
var contradictions = map[string][]contradiction{
	"blood-pressure": {
		{low: "diastolic", high: "systolic", message: "the diastolic pressure is above the systolic", french: "la pression diastolique est au-dessus de la systolique"},
		{low: "mean", high: "systolic", message: "the mean pressure is above the systolic", french: "la pression moyenne est au-dessus de la systolique"},
		{low: "diastolic", high: "mean", message: "the diastolic pressure is above the mean", french: "la pression diastolique est au-dessus de la moyenne"},
	},
	"dialysis-session": {
		{low: "diastolic-start", high: "systolic-start", message: "the diastolic pressure is above the systolic", french: "la pression diastolique est au-dessus de la systolique"},
		{low: "diastolic-end", high: "systolic-end", message: "the diastolic pressure is above the systolic", french: "la pression diastolique est au-dessus de la systolique"},
	},
	"pill-dispenser": {
		{low: "missed", high: "taken", never: true, message: "a dose cannot be taken and missed at once", french: "une prise ne peut pas être faite et oubliée à la fois"},
	},
}

// Contradictions are the messages by which a reading of a measure is told that its
// components contradict each other; none where they cannot.
func Contradictions(measure string) (messages []string) {
	for _, rule := range contradictions[measure] {
		messages = append(messages, rule.message)
	}
	if m := protocols.MeasureByID(measure); m != nil && slices.ContainsFunc(m.Components, func(c protocols.Component) bool { return c.SumOf != nil }) {
		messages = append(messages, notTheSum)
	}
	return messages
}

// contradict refuses a reading whose components contradict each other. Those of
// the pair that are optional are left out instead.
func (r *Resolver) contradict(rule *contradiction) {
	low, high := r.measure.Component(rule.low), r.measure.Component(rule.high)
	if !rule.broken(r.values[low], r.values[high]) || r.limit(low) == protocols.LessThan || r.limit(high) == protocols.MoreThan {
		return // what is below or above an end may be anything there
	}
	left := false
	for _, i := range [...]int{low, high} {
		if r.measure.Components[i].Optional {
			r.spoil(i, protocols.Inconsistent, "values.", rule.message)
			left = true
		}
	}
	if !left {
		r.refuse(protocols.Inconsistent, "values."+rule.low, rule.message)
	}
}

func (c *contradiction) broken(low, high protocols.Value) bool {
	if low == protocols.Missing || high == protocols.Missing {
		return false
	}
	if c.never {
		return low > 0 && high > 0
	}
	return low > high
}
