// Package values turns the numbers of a reading into values of its measure.
//
// Every format ends here: names of components, units, ranges and contradictions
// are resolved in this one place, so that a reading means the same however it
// came. A format brings numbers and names; it gets values in canonical units, or
// reasons with the paths "values.systolic", "unit" and "unit.pulse".
package values

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"vigie/protocols"
)

// Given is one component as its sender gives it.
type Given struct {
	Name   []byte
	Number float64         // NaN when it is no finite number
	Limit  protocols.Limit // the value lies below or above Number, which the sender can just show
	Word   protocols.Limit // the sender gives a word for that, and no number
}

// Unit is the unit of one component as its sender gives it.
type Unit struct {
	Component, Unit []byte
}

// Units are the units of one reading: one for the main components, or one for
// each component.
type Units struct {
	All    []byte // nil when none was given
	Each   []Unit
	Object bool // they were given one by one
}

// Resolver resolves one reading after another. The zero Resolver is ready.
type Resolver struct {
	// Reasons are those for which the reading cannot be used; none when it can. They
	// are valid until the next call.
	Reasons []protocols.Reason
	// Warnings are about a reading that can be used: the optional components that
	// were left out of it, the units that are spelled otherwise. They are valid until
	// the next call.
	Warnings []protocols.Reason
	// Limits has one limit per component of a reading that can be used, nil when all
	// values are exact. It belongs to the reading.
	Limits []protocols.Limit

	measure  *protocols.Measure
	rules    []contradiction // of the measure
	values   []protocols.Value
	units    []string // by component, where they were given one by one
	unusable uint32   // components that were given and cannot be used, by place

	spelled map[string]spelling // by the units as they were written
}

// Resolve fills into, which has one place per component, with the values of a
// reading in canonical units, Missing where absent. What is wrong is in Reasons
// and Warnings afterwards.
//
// An optional component that cannot be used is left out, with a warning: the
// required ones count. A reading of which nothing is left is refused.
func (r *Resolver) Resolve(m *protocols.Measure, given []Given, units *Units, into []protocols.Value) {
	if m != r.measure {
		r.measure, r.rules = m, contradictions[m.ID]
	}
	r.Reasons, r.Warnings, r.Limits, r.values, r.unusable = r.Reasons[:0], r.Warnings[:0], nil, into, 0
	for i := range into {
		into[i] = protocols.Missing
	}
	all := r.unitOfAll(units)
	each := r.unitsOfEach(units)
	shared := false
	for i := range given {
		component := m.Component(string(given[i].Name))
		switch {
		case component < 0:
			r.refuse(protocols.UnknownField, "values."+Shown(given[i].Name), "this measure has no such component")
		case twice(given, i):
			r.spoil(component, protocols.Malformed, "values.", "this component is given twice")
			into[component] = protocols.Missing
		default:
			shared = shared || !m.Components[component].Own
			r.convert(component, &given[i], all, each)
		}
	}
	if all != "" && !shared && !suitsAny(m, all) {
		r.refuse(protocols.UnitMismatch, "unit", unitsOf(m))
	}
	r.check()
	r.spellings(units, all, each)
}

// refuse adds a reason for which the reading cannot be used.
func (r *Resolver) refuse(code protocols.Code, field, message string) {
	r.Reasons = append(r.Reasons, protocols.Reason{Code: code, Path: field, Message: message})
}

// refuseOnce does not repeat what another component has already been told.
func (r *Resolver) refuseOnce(code protocols.Code, field, message string) {
	told := func(reason protocols.Reason) bool { return reason.Code == code && reason.Path == field }
	if !slices.ContainsFunc(r.Reasons, told) {
		r.refuse(code, field, message)
	}
}

// spoil says that a component cannot be used: it is left out where it is optional,
// and the reading is refused where it is not. prefix is "values." or "unit.", or the
// whole field "unit".
func (r *Resolver) spoil(component int, code protocols.Code, prefix, message string) {
	c := &r.measure.Components[component]
	field := prefix
	if strings.HasSuffix(prefix, ".") {
		field += c.Name
	}
	r.unusable |= 1 << component
	if !c.Optional {
		r.refuseOnce(code, field, message)
		return
	}
	r.values[component] = protocols.Missing
	if r.Limits != nil {
		r.Limits[component] = protocols.Measured
	}
	r.Warnings = append(r.Warnings, protocols.Reason{Code: code, Path: field, Message: message})
}

func twice(given []Given, i int) bool {
	for j := range i {
		if bytes.Equal(given[j].Name, given[i].Name) {
			return true
		}
	}
	return false
}

// unitOfAll is the UCUM unit that was given for the main components; empty when
// there is none that could be used.
func (r *Resolver) unitOfAll(units *Units) string {
	if units.All == nil {
		return ""
	}
	if own := r.measure.Components[0].Unit; string(units.All) == own { // the usual case, and nothing to allocate
		return own
	}
	unit := r.canonical(units.All)
	if !protocols.KnownUnit(unit) {
		r.refuse(protocols.UnknownUnit, "unit", "no measure has this unit; "+unitsOf(r.measure))
		return ""
	}
	return unit
}

// spelling is what a unit that was written stands for.
type spelling struct{ unit, message string }

// maxSpelled bounds how many spellings of units are remembered.
const maxSpelled = 256

// canonical is the UCUM code for a unit as it was written.
func (r *Resolver) canonical(written []byte) string {
	if known, ok := r.spelled[string(written)]; ok {
		return known.unit
	}
	unit := protocols.Canonical(string(written))
	if protocols.KnownUnit(unit) && len(r.spelled) < maxSpelled {
		if r.spelled == nil {
			r.spelled = map[string]spelling{}
		}
		r.spelled[string(written)] = spelling{unit, "the UCUM code of this unit is " + unit}
	}
	return unit
}

// spellings tells which units of a reading that is used are spelled otherwise.
func (r *Resolver) spellings(units *Units, all string, each []string) {
	if len(r.Reasons) > 0 {
		return
	}
	if all != "" && string(units.All) != all {
		r.spell("unit", units.All)
	}
	for _, u := range units.Each {
		component := r.measure.Component(string(u.Component))
		if unit := each[component]; unit != refusedUnit && string(u.Unit) != unit {
			r.spell("unit."+r.measure.Components[component].Name, u.Unit)
		}
	}
}

func (r *Resolver) spell(field string, written []byte) {
	if known, ok := r.spelled[string(written)]; ok {
		r.Warnings = append(r.Warnings, protocols.Reason{Code: protocols.OtherSpelling, Path: field, Message: known.message})
	}
}

// refusedUnit stands for a unit about which everything was said.
const refusedUnit = "?"

// unitsOfEach are the UCUM units that were given for each component; nil unless
// they were given one by one.
func (r *Resolver) unitsOfEach(units *Units) []string {
	if !units.Object {
		return nil
	}
	m := r.measure
	r.units = slices.Grow(r.units[:0], len(m.Components))[:len(m.Components)]
	clear(r.units)
	for _, u := range units.Each {
		component, unit := m.Component(string(u.Component)), r.canonical(u.Unit)
		switch {
		case component < 0:
			r.refuse(protocols.UnknownField, "unit."+Shown(u.Component), "this measure has no such component")
		case r.units[component] != "":
			r.spoil(component, protocols.Malformed, "unit.", "this component is given twice")
			r.units[component] = refusedUnit
		case !protocols.KnownUnit(unit):
			r.spoil(component, protocols.UnknownUnit, "unit.", "no measure has this unit; "+unitsFor(m, component))
			r.units[component] = refusedUnit
		default:
			r.units[component] = unit
		}
	}
	return r.units
}

// convert sets one component. One that keeps its own unit is in it unless the units
// that were given one by one say otherwise.
func (r *Resolver) convert(component int, given *Given, unit string, each []string) {
	c, number := &r.measure.Components[component], given.Number
	if math.IsNaN(number) || math.IsInf(number, 0) {
		r.spoil(component, protocols.NotANumber, "values.", NotANumber(given.Word))
		return
	}
	path := "unit"
	switch {
	case each != nil && each[component] != "":
		unit, path = each[component], "unit."
	case c.Own:
		unit = c.Unit
	case each != nil:
		r.spoil(component, protocols.MissingValue, "unit.", "this component needs its unit")
		return
	}
	if unit == "" || unit == refusedUnit {
		r.unusable |= 1 << component
		return
	}
	canonical, suits := r.measure.Convert(component, number, unit)
	if !suits {
		r.spoil(component, protocols.UnitMismatch, path, unitsFor(r.measure, component))
		return
	}
	value, finite := protocols.Of(canonical)
	if finite {
		r.values[component] = value // also one that is refused: the team is told of it
	}
	switch {
	case !finite || value < c.Low || value > c.High:
		r.implausible(component, number, unit)
	case given.Limit != protocols.Measured:
		r.beyond(component, given.Limit)
	}
}

// beyond puts a component below or above its value.
func (r *Resolver) beyond(component int, limit protocols.Limit) {
	if r.Limits == nil {
		r.Limits = make([]protocols.Limit, len(r.values))
	}
	r.Limits[component] = limit
	r.values[component] = r.measure.Components[component].Beyond(r.values[component], limit)
}

// limit is the limit of a component of the reading at hand.
func (r *Resolver) limit(component int) protocols.Limit {
	if r.Limits == nil {
		return protocols.Measured
	}
	return r.Limits[component]
}

// implausible says that no instrument reports a number in its unit, with the limits
// in the unit of the sender, and in which other unit the number would be possible.
func (r *Resolver) implausible(component int, number float64, unit string) {
	c := &r.measure.Components[component]
	message := "an instrument can report " + r.end(component, c.Low, unit) + " to " + r.end(component, c.High, unit) + " " + unit
	var fits []string
	for _, other := range r.measure.UnitsFor(component) {
		if v, ok := r.measure.Convert(component, number, other); ok && other != unit && v >= c.Low.Float() && v <= c.High.Float() {
			fits = append(fits, other)
		}
	}
	if len(fits) > 0 {
		message += "; the number would fit " + strings.Join(fits, " or ") + ": check the unit"
	}
	r.spoil(component, protocols.Implausible, "values.", message)
	if !c.Optional {
		r.Reasons[len(r.Reasons)-1].Fits = fits
	}
}

// end is an end of the range of a component in another unit, to the tenth.
func (r *Resolver) end(component int, limit protocols.Value, unit string) string {
	scale, _ := r.measure.Scale(component, unit)
	zero, _ := r.measure.Convert(component, 0, unit)
	if scale == 1 && zero == 0 {
		return limit.String()
	}
	return strconv.FormatFloat(math.Round((limit.Float()-zero)/scale*10)/10, 'f', -1, 64)
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

func suitsAny(m *protocols.Measure, unit string) bool {
	for i := range m.Components {
		if _, ok := m.Convert(i, 0, unit); ok {
			return true
		}
	}
	return false
}

// maxShown is how many bytes of a name out of a payload a path holds.
const maxShown = 256

// Shown is a name out of a payload, cut to what a path may hold.
func Shown(text []byte) string {
	if len(text) <= maxShown {
		return string(text)
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "…"
}
