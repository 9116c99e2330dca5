package protocols

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
)

// conversion turns a value of one unit into another: to = from × factor + offset,
// both exact fractions.
type conversion struct {
	from, to       string
	factor, offset *big.Rat
}

// conversions lists the accepted units beside the canonical one that hold for every
// measure. Those of one measure alone stand with it, in Component.Units.
//
// Sources: the international pound is 0.45359237 kg and the millimetre of
// mercury 133.322387415 Pa by definition.
var conversions = []conversion{
	{"kPa", "mm[Hg]", frac("1000/133.322387415"), zero},
	{"[lb_av]", "kg", frac("0.45359237"), zero},
	{"g", "kg", frac("1/1000"), zero},
	{"[degF]", "Cel", frac("5/9"), frac("-160/9")},
	{"min", "h", frac("1/60"), zero},
	{"h", "min", frac("60"), zero},
	{"L/s", "L/min", frac("60"), zero},
	{"mL", "L", frac("1/1000"), zero},
}

// spellings maps what devices write to the UCUM code.
var spellings = map[string]string{
	"mmHg": "mm[Hg]", "mm Hg": "mm[Hg]", "bpm": "/min", "1/min": "/min", "{beats}/min": "/min", "{breaths}/min": "/min",
	"mg/dl": "mg/dL", "mmol/l": "mmol/L", "g/l": "g/L", "lb": "[lb_av]", "lbs": "[lb_av]",
	"°C": "Cel", "C": "Cel", "°F": "[degF]", "F": "[degF]", "l/min": "L/min", "l": "L", "l/s": "L/s",
	"hours": "h", "minutes": "min", "µmol/L": "umol/L", "μmol/L": "umol/L", "umol/l": "umol/L", "ml/h": "mL/h", "ml": "mL", "mL/kg/h": "mL/h/kg", "ml/kg/h": "mL/h/kg",
	"Kg": "kg", "KG": "kg", "kgs": "kg", "mmhg": "mm[Hg]", "MMHG": "mm[Hg]", "BPM": "/min", "MG/DL": "mg/dL", "MMOL/L": "mmol/L",
	"percent": "%", "celsius": "Cel", "Celsius": "Cel", "fahrenheit": "[degF]", "Fahrenheit": "[degF]", "LB": "[lb_av]", "LBS": "[lb_av]",
	"score": "{score}", "{event}": "1", "": "", "%O2": "%", "IU": "[iU]", "Ω": "Ohm",
}

var zero = new(big.Rat)

// frac reads an exact fraction, either side of which may be a decimal.
func frac(s string) *big.Rat {
	for i := range s {
		if s[i] == '/' {
			return new(big.Rat).Quo(frac(s[:i]), frac(s[i+1:]))
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("protocols: " + s + " in the table of conversions is not a number")
	}
	return r
}

// Canonical returns the UCUM code for a unit as devices and people write it.
// A unit that is not known comes back as it is.
func Canonical(unit string) string {
	if ucum, ok := spellings[unit]; ok {
		return ucum
	}
	return unit
}

// Spellings lists what else Canonical takes for a UCUM unit, in alphabetical order.
func Spellings(ucum string) (written []string) {
	for spelling, unit := range spellings {
		if unit == ucum && spelling != "" {
			written = append(written, spelling)
		}
	}
	slices.Sort(written)
	return written
}

// knownUnits holds every unit that some measure can be given in.
var knownUnits = unitsOf(measures)

func unitsOf(measures []*Measure) map[string]bool {
	known := map[string]bool{"d": true, "s": true}
	for _, m := range measures {
		for _, c := range m.Components {
			known[c.Unit] = true
			for _, u := range c.Units {
				known[u.Unit] = true
			}
			for _, per := range m.Components {
				known[perUnit(c.Unit, per.Unit)] = true
			}
		}
	}
	for _, c := range conversions {
		known[c.from] = true
	}
	return known
}

// KnownUnit reports whether any measure can be given in that UCUM unit.
func KnownUnit(ucum string) bool { return knownUnits[ucum] }

// factors holds the conversions as floating point: those of every measure by units, and
// those of one by its id, component and unit.
var factors = factorsOf(measures)

func factorsOf(measures []*Measure) map[[3]string][2]float64 {
	table := map[[3]string][2]float64{}
	put := func(key [3]string, factor, offset *big.Rat) {
		f, _ := factor.Float64()
		o, _ := offset.Float64()
		table[key] = [2]float64{f, o}
	}
	for _, c := range conversions {
		put([3]string{"", c.from, c.to}, c.factor, c.offset)
	}
	for _, m := range measures {
		for i := range m.Components {
			for _, u := range m.Components[i].Units {
				put([3]string{m.ID, m.Components[i].Name, u.Unit}, frac(u.Factor), frac(cmp.Or(u.Offset, "0")))
			}
		}
	}
	return table
}

// Fraction reports whether s is an exact fraction that Scale can hold.
func Fraction(s string) bool {
	over, under, divided := strings.Cut(s, "/")
	_, ok := new(big.Rat).SetString(over)
	if !ok || !divided {
		return ok && !strings.ContainsAny(over, "eE")
	}
	r, ok := new(big.Rat).SetString(under)
	return ok && r.Sign() != 0 && !strings.ContainsAny(s, "eE")
}

// SameFraction reports whether two fractions are the same number.
func SameFraction(a, b string) bool { return frac(a).Cmp(frac(b)) == 0 }

// Exact is how many units to one unit from is, as a fraction, where the table of units that
// hold for every measure says it; empty where it does not, or where there is an offset.
func Exact(from, to string) string {
	for _, c := range conversions {
		switch {
		case c.offset.Sign() != 0:
		case c.from == from && c.to == to:
			return c.factor.RatString()
		case c.from == to && c.to == from:
			return new(big.Rat).Inv(c.factor).RatString()
		}
	}
	return ""
}

// Convert returns number, given in the UCUM unit from, in the canonical unit of
// a component of m, and whether the unit suits it.
func (m *Measure) Convert(component int, number float64, from string) (float64, bool) {
	to := m.Components[component].Unit
	if from == to {
		return number, true
	}
	f, ok := factors[[3]string{m.ID, m.Components[component].Name, from}]
	if !ok {
		f, ok = factors[[3]string{"", from, to}]
	}
	return number*f[0] + f[1], ok
}

// Scale returns how many canonical units of a component one unit of from is,
// without offset, for differences: a change of 1.8 °F is a change of 1 °C.
func (m *Measure) Scale(component int, from string) (float64, bool) {
	zero, ok := m.Convert(component, 0, from)
	one, _ := m.Convert(component, 1, from)
	return one - zero, ok
}

// UnitsFor lists the units a component of m may be given in, canonical first.
func (m *Measure) UnitsFor(component int) []string {
	to := m.Components[component].Unit
	units := []string{to}
	for _, u := range m.Components[component].Units {
		units = append(units, u.Unit)
	}
	for _, c := range conversions {
		if c.to == to && !slices.Contains(units, c.from) {
			units = append(units, c.from)
		}
	}
	return units
}

// Points is the unit of a difference between two percentages: 94 % is 4 points below 98 %.
const Points = "{points}"

// spoken holds the UCUM units that a reader would not know as they are. French stands
// alone where both languages write the same.
var spoken = map[string]Text{
	"mm[Hg]": {FR: "mmHg"}, "Cel": {FR: "°C"}, "[degF]": {FR: "°F"}, "[lb_av]": {FR: "livres", EN: "lb"},
	"umol/L": {FR: "µmol/L"}, "ug/L": {FR: "µg/L"}, "Ohm": {FR: "Ω"}, "[iU]": {FR: "UI", EN: "IU"},
	"10*9/L": {FR: "G/L", EN: "×10⁹/L"}, "mL/h/kg": {FR: "mL/kg/h"}, "{steps}": {FR: "pas", EN: "steps"},
	"d": {FR: "jours", EN: "days"}, "wk": {FR: "semaines", EN: "weeks"}, Points: {FR: "points"}, "1": {}, "{score}": {},
}

// SpokenUnit is a UCUM unit as a nurse writes it: "mmHg", "G/L", "kg par jour". It is
// empty for what is counted or graded, and the code itself for a unit that needs no other
// word.
func SpokenUnit(ucum string) Text {
	if word, known := spoken[ucum]; known {
		return word
	}
	if unit, slope := strings.CutSuffix(ucum, "/d"); slope {
		word := SpokenUnit(unit)
		return Text{FR: strings.TrimSpace(word.FR + " par jour"), EN: strings.TrimSpace(word.In("en") + " a day")}
	}
	return Text{FR: ucum}
}

// InUnit puts the spoken unit behind a number that is already written: "12 kg", "86/min",
// "1 jour". Between them stands space, where there is a word and it is no rate; English
// writes "96%". A number whose unit is not said stays alone.
func InUnit(number, ucum, language, space string) string {
	word := SpokenUnit(ucum).In(language)
	switch {
	case word == "" || strings.HasPrefix(word, "/") || word == "%" && language == "en":
		return number + word
	case counted[ucum] && singular(number, language):
		word = strings.TrimSuffix(word, "s")
	}
	return number + space + word
}

// counted are the units whose word is a plural.
var counted = map[string]bool{"d": true, "wk": true, Points: true, "[lb_av]": true}

// singular reports whether a number that is already written takes a noun in the singular.
func singular(number, language string) bool {
	if language == "en" {
		return number == "1"
	}
	return number == "0" || number == "1" || strings.HasPrefix(number, "0,") || strings.HasPrefix(number, "1,")
}
