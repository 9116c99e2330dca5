package native

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"vigie/ingest"
	"vigie/protocols"
)

// resolve turns the numbers into values of the measure's components, in their
// canonical units, and checks them.
func (d *decoding) resolve(r *protocols.Reading) {
	m := r.Measure
	if m == nil || d.seen&valuesField == 0 || d.noValues {
		return
	}
	d.specimen(r)
	r.Values = make([]protocols.Value, len(m.Components))
	for i := range r.Values {
		r.Values[i] = protocols.Missing
	}
	unit, units := d.unitOfAll(m), d.unitsOfEach(m)
	shared := false
	for i := range d.measured {
		g := &d.measured[i]
		component := m.Component(string(g.name))
		switch {
		case component < 0:
			d.refuse(protocols.UnknownField, "values."+shown(g.name), "this measure has no such component")
		case d.givenBefore(i):
			d.refuse(protocols.Malformed, "values."+shown(g.name), "this component is given twice")
		default:
			shared = shared || !m.Components[component].Own
			if !d.convert(r, component, g.number, unit, units) {
				d.unusable |= 1 << component
			}
		}
	}
	if unit != "" && !shared && !suitsAny(m, unit) {
		d.refuse(protocols.UnitMismatch, "unit", unitsOf(m))
	}
	d.check(r)
}

// check says what is wrong with the values, but does not call missing what was
// given and refused.
func (d *decoding) check(r *protocols.Reading) {
	prefix := "values."
	if d.place >= 0 {
		prefix = d.path(prefix)
	}
	before := len(d.reasons)
	d.reasons = ingest.CheckValues(r.Measure, r.Values, prefix, d.reasons)
	if d.unusable == 0 {
		return
	}
	told := d.reasons[:before]
	for _, reason := range d.reasons[before:] {
		component := r.Measure.Component(strings.TrimPrefix(reason.Path, prefix))
		if reason.Code != protocols.MissingValue || d.unusable&(1<<component) == 0 {
			told = append(told, reason)
		}
	}
	d.reasons = told
}

func (d *decoding) givenBefore(i int) bool {
	for j := range i {
		if bytes.Equal(d.measured[j].name, d.measured[i].name) {
			return true
		}
	}
	return false
}

// specimen takes the variant from the context: for glucose, capillary or
// interstitial.
func (d *decoding) specimen(r *protocols.Reading) {
	name, given := r.Context["specimen"]
	if !given || len(r.Measure.Variants) == 0 {
		return
	}
	variant := r.Measure.Variant(name)
	if variant == 0 {
		d.refuse(protocols.Malformed, "context.specimen", "this measure has no such specimen")
	}
	r.Variant = uint8(variant)
}

// unitOfAll is the UCUM unit that was given as one string; empty when there is
// none that could be used.
func (d *decoding) unitOfAll(m *protocols.Measure) string {
	if d.unit == nil {
		return ""
	}
	if own := m.Components[0].Unit; string(d.unit) == own { // the usual case, and nothing to allocate
		return own
	}
	unit := protocols.Canonical(string(d.unit))
	if !protocols.KnownUnit(unit) {
		d.refuse(protocols.UnknownUnit, "unit", "no measure has this unit: use a UCUM code")
		return ""
	}
	return unit
}

// unitsOfEach are the UCUM units that were given for each component; nil unless
// an object was given.
func (d *decoding) unitsOfEach(m *protocols.Measure) []string {
	if !d.unitObject {
		return nil
	}
	units := make([]string, len(m.Components))
	for _, u := range d.units {
		component, unit := m.Component(string(u.name)), protocols.Canonical(string(u.unit))
		switch {
		case component < 0:
			d.refuse(protocols.UnknownField, "unit."+shown(u.name), "this measure has no such component")
		case units[component] != "":
			d.refuse(protocols.Malformed, "unit."+shown(u.name), "this component is given twice")
		case !protocols.KnownUnit(unit):
			d.refuse(protocols.UnknownUnit, "unit."+shown(u.name), "no measure has this unit: use a UCUM code")
			units[component] = refusedUnit
		default:
			units[component] = unit
		}
	}
	return units
}

// unitsFor says in which units a component can be given.
func unitsFor(m *protocols.Measure, component int) string {
	name := m.Components[component].Name
	if len(m.Components) == 1 {
		name = m.ID
	}
	return name + " is given in " + strings.Join(m.UnitsFor(component), " or ")
}

// unitsOf says in which units a measure can be given.
func unitsOf(m *protocols.Measure) string {
	var units []string
	for component := range m.Components {
		for _, unit := range m.UnitsFor(component) {
			if !slices.Contains(units, unit) {
				units = append(units, unit)
			}
		}
	}
	return m.ID + " is given in " + strings.Join(units, " or ")
}

// refusedUnit stands for a unit about which everything was said.
const refusedUnit = "?"

// convert sets one component and reports whether it could. A component that
// keeps its own unit is in it unless an object of units says otherwise.
func (d *decoding) convert(r *protocols.Reading, component int, number float64, unit string, units []string) bool {
	c := &r.Measure.Components[component]
	path := "unit"
	switch {
	case units != nil && units[component] != "":
		unit, path = units[component], "unit."+c.Name
	case c.Own:
		unit = c.Unit
	case units != nil:
		d.refuse(protocols.MissingValue, "unit."+c.Name, "this component needs its unit")
		return false
	}
	if unit == "" || unit == refusedUnit || math.IsNaN(number) {
		return false
	}
	canonical, suits := r.Measure.Convert(component, number, unit)
	if !suits {
		d.refuseOnce(protocols.UnitMismatch, path, unitsFor(r.Measure, component))
		return false
	}
	value, finite := protocols.Of(canonical)
	if !finite {
		d.refuse(protocols.Implausible, "values."+c.Name, "no instrument reports this")
		return false
	}
	r.Values[component] = value
	return true
}

// refuseOnce does not repeat what the component before has already been told.
func (d *decoding) refuseOnce(code protocols.Code, field, message string) {
	path := d.path(field)
	for _, reason := range d.reasons {
		if reason.Code == code && reason.Path == path {
			return
		}
	}
	d.refuse(code, field, message)
}

func suitsAny(m *protocols.Measure, unit string) bool {
	for i := range m.Components {
		if _, ok := m.Convert(i, 0, unit); ok {
			return true
		}
	}
	return false
}
