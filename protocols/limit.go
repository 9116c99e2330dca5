package protocols

import "fmt"

// Limit says that an instrument shows no number, but that the value lies below or
// above the end of what it measures: "LO", "< 40".
type Limit uint8

// The limits.
const (
	Measured Limit = iota // no limit: the value itself
	LessThan
	MoreThan
)

// limits are the words of JSON and the signs before a number, by limit.
var limits = [...]struct{ word, sign string }{Measured: {}, LessThan: {"below", "< "}, MoreThan: {"above", "> "}}

// String is the word used in JSON: "below", "above"; empty for Measured.
func (l Limit) String() string { return limits[l].word }

// Sign stands before the number that a person reads: "< ", "> "; empty for Measured.
func (l Limit) Sign() string { return limits[l].sign }

// LimitOf reads the word of a limit. It reports false for any other word.
func LimitOf(word string) (Limit, bool) {
	for limit := LessThan; int(limit) < len(limits); limit++ {
		if limits[limit].word == word {
			return limit, true
		}
	}
	return Measured, false
}

// MarshalText writes the word used in JSON.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (l *Limit) UnmarshalText(text []byte) error {
	limit, ok := LimitOf(string(text))
	if !ok && len(text) > 0 {
		return fmt.Errorf("%q is no limit: it is below or above", text)
	}
	*l = limit
	return nil
}

// Beyond is the value of a reading that is below or above an end. It is the nearest
// value beyond that end: "< 40" is 39.999, so a rule for what is below 40 holds, and
// one for what is 40 or more does not.
func (c *Component) Beyond(end Value, limit Limit) Value { return end + c.step(limit) }

// End is the number that the instrument shows with a limit: 40 for the 39.999 of
// "< 40". It undoes Beyond.
func (c *Component) End(v Value, limit Limit) Value {
	if v == Missing {
		return Missing
	}
	return v - c.step(limit)
}

func (c *Component) step(limit Limit) Value {
	step := Value(1)
	if c.Whole {
		step = 1000
	}
	switch limit {
	case LessThan:
		return -step
	case MoreThan:
		return step
	}
	return 0
}

// Limit is the limit of a component, by its place.
func (r *Reading) Limit(component int) Limit {
	if component >= len(r.Limits) {
		return Measured
	}
	return r.Limits[component]
}

// Shown is what the instrument showed for a component: the number, and the limit that
// stands before it.
func (r *Reading) Shown(component int) (Value, Limit) {
	limit := r.Limit(component)
	return r.Measure.Components[component].End(r.Values[component], limit), limit
}
