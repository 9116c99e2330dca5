package recorded

import (
	"slices"
	"time"

	"vigie/protocols"
)

// Distribution is how the values of a component lie, in its canonical unit: the least,
// a tenth, a half and nine tenths of them, the greatest.
type Distribution struct {
	Component string             `json:"component"`
	Unit      string             `json:"unit"`
	At        [5]protocols.Value `json:"least_p10_median_p90_greatest"`
}

// Reason is why rows, or optional values of rows, were not read.
type Reason struct {
	Why    protocols.Text `json:"why"`
	Rows   int            `json:"rows"`
	Line   int            `json:"first_line"`
	Column string         `json:"column,omitempty"`
}

// Span is from the first reading to the last; zero for none.
func (s *Series) Span() (first, last time.Time) {
	for i := range s.Readings {
		at := s.Readings[i].Time
		if i == 0 || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// Bounded counts the readings that are below or above what the instrument shows.
func (s *Series) Bounded() (n int) {
	for i := range s.Readings {
		if s.Readings[i].Limits != nil {
			n++
		}
	}
	return n
}

// Distributions are how the values of each component lie that has any.
func (s *Series) Distributions(m *protocols.Measure) (all []Distribution) {
	for i := range m.Components {
		if d, any := distributionOf(&m.Components[i], i, s.Readings); any {
			all = append(all, d)
		}
	}
	return all
}

func distributionOf(c *protocols.Component, place int, readings []protocols.Reading) (d Distribution, any bool) {
	var values []protocols.Value
	for i := range readings {
		if readings[i].Values[place] != protocols.Missing {
			shown, _ := readings[i].Shown(place)
			values = append(values, shown)
		}
	}
	if len(values) == 0 {
		return d, false
	}
	slices.Sort(values)
	d = Distribution{Component: c.Name, Unit: c.Unit}
	for i, tenths := range [...]int{0, 1, 5, 9, 10} {
		d.At[i] = values[(len(values)-1)*tenths/10]
	}
	return d, true
}

// ByReason counts what was left aside, in the order of the file.
func ByReason(aside []Skip) (reasons []Reason) {
	place := map[protocols.Text]int{}
	for _, skip := range aside {
		at, known := place[skip.Why]
		if !known {
			at = len(reasons)
			place[skip.Why] = at
			reasons = append(reasons, Reason{Why: skip.Why, Line: skip.Line, Column: skip.Column})
		}
		reasons[at].Rows++
	}
	return reasons
}
