package protocols

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Component is one number inside a measure.
type Component struct {
	Name     string   // as in the JSON of a reading: "systolic"
	Title    Text     // as a clinician says it
	LOINC    string   // empty where no code exists
	Unit     string   // canonical UCUM unit
	Own      bool     // keeps its own unit whatever the reading's unit says: the pulse in a blood pressure
	Optional bool     // may be absent from a reading
	Decimals int      // decimals worth showing
	Low      Value    // lowest value an instrument can plausibly report
	High     Value    // highest value an instrument can plausibly report
	Whole    bool     // only whole numbers make sense: a grade, a count
	Event    bool     // 1 means that it happened: a missed dose; 0, or another event alone, that it did not
	Units    []Scale  // accepted beside those that convert for every measure
	Grades   []Text   // what each grade from Low on means, in words; none for other numbers
	SumOf    []int    // the components of which this one is the sum, where a reading holds them all: a score
	_        struct{} // named fields only
}

// Scale is a unit that only one component is given in. Factor and Offset are exact
// fractions in writing: canonical = number × Factor + Offset.
type Scale struct {
	Unit   string // UCUM
	Factor string // "100", "1000/113.12"
	Offset string // empty for 0
}

// Measure is something that is measured: blood pressure, weight, the answers to a
// questionnaire.
//
// To add a measure, add it to measures.yaml; decoding, storage, protocols and pages
// follow from it. An operator adds one in a file of his own, see Define.
type Measure struct {
	ID         string   // as in the JSON of a reading: "blood-pressure"
	Title      Text     // as a clinician says it
	LOINC      string   // the panel or the single observation; empty where no code exists
	Variants   []string // kinds that a rule may tell apart: capillary, interstitial
	Components []Component
	Sessions   bool // each reading is the record of one session: of dialysis
	Occurs     bool // a reading is something that happened or was given, not a state: two alike are two
	ordinal    int
}

// Ordinal is the place of m in Measures, for tables indexed by measure. It is
// not stable from one version to the next and must not be stored.
func (m *Measure) Ordinal() int { return m.ordinal }

// ComponentNames lists the components.
func (m *Measure) ComponentNames() []string {
	names := make([]string, len(m.Components))
	for i := range m.Components {
		names[i] = m.Components[i].Name
	}
	return names
}

// Component returns the index of the named component, or -1.
func (m *Measure) Component(name string) int {
	for i := range m.Components {
		if m.Components[i].Name == name {
			return i
		}
	}
	return -1
}

// Variant returns the place of name in Variants counted from 1, or 0 when the
// measure has no such variant.
func (m *Measure) Variant(name string) int {
	for i, v := range m.Variants {
		if v == name {
			return i + 1
		}
	}
	return 0
}

// Wording is what a grade means, in words; empty for a number that has none.
func (c *Component) Wording(v Value) Text {
	grade := (v - c.Low) / 1000
	if v < c.Low || v%1000 != 0 || int(grade) >= len(c.Grades) {
		return Text{}
	}
	return c.Grades[grade]
}

// Complete writes the scores that values lack and whose parts they hold.
func (m *Measure) Complete(values []Value) {
	for i := range m.Components {
		if of := m.Components[i].SumOf; len(of) > 0 && values[i] == Missing {
			values[i] = sum(values, of)
		}
	}
}

// sum is Missing where one of the parts is.
func sum(values []Value, of []int) (total Value) {
	for _, i := range of {
		if values[i] == Missing {
			return Missing
		}
		total += values[i]
	}
	return total
}

// MeasureByID returns the measure with that id, or nil.
func MeasureByID(id string) *Measure { return byID[id] }

// Measures lists every measure, in the order of the manual.
func Measures() []*Measure { return measures }

// Define adds measures to those that ship. It is called before a store is opened and
// before a protocol is read, and by one goroutine: nothing that was made before knows
// them. A measure that is already there, and says the same, stays. Define returns an
// error, and adds none, when one of them says something else.
func Define(list []*Measure) error {
	var added []*Measure
	for _, m := range list {
		known := MeasureByID(m.ID)
		if known == nil {
			added = append(added, m)
			continue
		}
		if !known.Same(m) {
			return fmt.Errorf("there is a measure %s already, and it says something else: give this one another name", m.ID)
		}
	}
	if len(added) == 0 {
		return nil
	}
	all := slices.Clone(measures)
	table := maps.Clone(byID)
	for _, m := range added {
		m.ordinal = len(all)
		all = append(all, m)
		table[m.ID] = m
	}
	measures, byID = all, table
	knownUnits, factors = unitsOf(all), factorsOf(all)
	return nil
}

// Same reports whether two measures say the same.
func (m *Measure) Same(other *Measure) bool {
	a, b := *m, *other
	a.ordinal, b.ordinal = 0, 0
	return reflect.DeepEqual(a, b)
}

// Continues reports whether readings that were kept as former can be read as m: the
// same components in the same order and units, or further ones that may be absent.
func (m *Measure) Continues(former *Measure) bool {
	if m.ID != former.ID || len(m.Components) < len(former.Components) || len(m.Variants) < len(former.Variants) ||
		!slices.Equal(m.Variants[:len(former.Variants)], former.Variants) {
		return false
	}
	for i := range m.Components {
		c := &m.Components[i]
		switch {
		case i >= len(former.Components) && !c.Optional:
			return false
		case i < len(former.Components) && (c.Name != former.Components[i].Name || c.Unit != former.Components[i].Unit):
			return false
		}
	}
	return true
}

// measures are those that ship, and after them those of Define.
var measures = shipped()

var byID = func() map[string]*Measure {
	table := make(map[string]*Measure, len(measures))
	for i, m := range measures {
		m.ordinal = i
		table[m.ID] = m
	}
	return table
}()
