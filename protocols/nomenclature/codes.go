package nomenclature

import (
	"maps"
	"regexp"
	"strconv"
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
)

var loincForm = regexp.MustCompile(`^[0-9]{1,7}-[0-9]$`)

// loinc notes a code that is none. It is a warning: readings that are kept stay what they
// are.
func (r *reader) loinc(at document.Place) string {
	code := r.Word(at)
	if code != "" && !(loincForm.MatchString(code) && checked(code)) {
		r.Note(at, document.Warning, "bad-code", protocols.Say("« %s » n'est pas un code LOINC", "%q is no LOINC code", code), protocols.Say("écrire le code avec son chiffre de contrôle, comme 29463-7, ou l'enlever", "write the code with its check digit, as 29463-7, or remove it"))
	}
	return code
}

// checked reports whether the last digit of a code is the one that LOINC computes from the
// others (modulus 10: every second digit counts twice, the last of them first).
func checked(code string) bool {
	sum := 0
	for i, twice := len(code)-3, true; i >= 0; i, twice = i-1, !twice {
		digit := int(code[i] - '0')
		if twice {
			digit = digit*2/10 + digit*2%10
		}
		sum += digit
	}
	return (10-sum%10)%10 == int(code[len(code)-1]-'0')
}

// ownCode notes a measure with the code of another one.
func (r *reader) ownCode(at document.Place, m *protocols.Measure) {
	for _, other := range protocols.Measures() {
		if m.LOINC != "" && other.LOINC == m.LOINC && other.ID != m.ID {
			r.Note(at, document.Warning, "code-taken", protocols.Say("%s est le code de « %s » (%s)", "%s is the code of %s (%s)", m.LOINC, other.ID, other.Title), protocols.Say("écrire le code de cette mesure, ou l'enlever", "write the code of this measure, or remove it"))
		}
	}
}

// ucum is a unit of UCUM: atoms with a prefix and an exponent, joined by points and strokes,
// and annotations in braces. The atoms are those that a measure at home or a laboratory has.
var ucum = regexp.MustCompile(`^(?:/?` + ucumTerm + `)(?:[./]` + ucumTerm + `)*$`)

const ucumTerm = `(?:(?:10[*^]-?[0-9]+|[0-9]+|(?:[YZEPTGMkhcmunpfa]|da|d)?(?:g|m|s|L|l|mol|eq|osm|kat|U|J|cal|W|V|A|Hz|Pa|bar|K|Cel|Ohm|Bq|Gy|Sv|t|m\[H2O\]|m\[Hg\]|\[iU\]|\[IU\]|\[arb'U\]|\[CFU\])|min|h|d|wk|mo|a|%|deg|\[degF\]|\[lb_av\]|\[oz_av\]|\[in_i\]|\[ft_i\]|\[pH\]|\[ppm\]|\[ppb\]|\[drp\]|\[diop\]|\[Cal\]|dB|B)-?[0-9]?(?:\{[^{}]*\})?|\{[^{}]*\})`

// known notes a unit that is none of UCUM.
func (r *reader) known(at document.Place, unit string) {
	if unit != "" && !ucum.MatchString(unit) {
		r.Note(at, document.Warning, "unknown-unit", protocols.Say("« %s » n'est pas une unité UCUM connue", "%q is no UCUM unit that is known", unit), protocols.Say("écrire le code UCUM : kg, mg/dL, mmol/L, mm[Hg], /min, ou {mot} pour ce qui se compte", "write the UCUM code: kg, mg/dL, mmol/L, mm[Hg], /min, or {word} for what is counted"))
	}
}

// dimension is what a unit is of, as powers of what it is built from: mg/dL is amount 1,
// length −3.
type dimension map[string]int

// atoms are the units of which the dimension is known. Mass and amount of substance are one,
// as a laboratory turns one into the other. What is activity, osmoles or arbitrary is left
// out: its factor depends on what is measured.
var atoms = map[string]dimension{
	"g": {"amount": 1}, "mol": {"amount": 1}, "eq": {"amount": 1}, "[lb_av]": {"amount": 1}, "[oz_av]": {"amount": 1},
	"m": {"length": 1}, "[in_i]": {"length": 1}, "[ft_i]": {"length": 1}, "L": {"length": 3}, "l": {"length": 3},
	"s": {"time": 1}, "min": {"time": 1}, "h": {"time": 1}, "d": {"time": 1}, "wk": {"time": 1}, "mo": {"time": 1}, "a": {"time": 1}, "Hz": {"time": -1},
	"K": {"temperature": 1}, "Cel": {"temperature": 1}, "[degF]": {"temperature": 1},
	"Pa": {"pressure": 1}, "bar": {"pressure": 1}, "m[Hg]": {"pressure": 1},
	"J": {"energy": 1}, "cal": {"energy": 1}, "[Cal]": {"energy": 1}, "W": {"energy": 1, "time": -1}, "%": {},
}

var (
	annotation = regexp.MustCompile(`\{[^{}]*\}`)
	unitTerm   = regexp.MustCompile(`([./]?)([^./]+)`)
	power      = regexp.MustCompile(`^(.*[^0-9-])(-?[0-9])$`)
)

// dimensionOf is what a unit of UCUM is of, and false where that is not known.
func dimensionOf(unit string) (dimension, bool) {
	of := dimension{}
	unit = strings.ReplaceAll(annotation.ReplaceAllString(unit, "1"), "m[H2O]", "Pa")
	for _, term := range unitTerm.FindAllStringSubmatch(unit, -1) {
		name, times := term[2], 1
		if parts := power.FindStringSubmatch(name); parts != nil && !strings.HasPrefix(name, "10") {
			name = parts[1]
			times, _ = strconv.Atoi(parts[2]) // one digit
		}
		atom, known := atomOf(name)
		if !known {
			return nil, false
		}
		if term[1] == "/" {
			times = -times
		}
		for base, n := range atom {
			of[base] += n * times
		}
	}
	maps.DeleteFunc(of, func(_ string, n int) bool { return n == 0 })
	return of, true
}

// atomOf is the dimension of one term, whatever its prefix.
func atomOf(term string) (dimension, bool) {
	if strings.Trim(term, "0123456789*^-") == "" {
		return nil, true // a number
	}
	for _, prefix := range []string{"", "da", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "c", "m", "u", "n", "p", "f", "a", "d"} {
		if atom, known := atoms[strings.TrimPrefix(term, prefix)]; known && strings.HasPrefix(term, prefix) && term != prefix {
			return atom, true
		}
	}
	return nil, false
}

// alike notes a unit in which nothing of the canonical one can be told: mg/dL of a weight.
func (r *reader) alike(at document.Place, unit, canonical string) bool {
	one, known := dimensionOf(unit)
	other, alsoKnown := dimensionOf(canonical)
	if !known || !alsoKnown || maps.Equal(one, other) {
		return true
	}
	r.Fault(at, "other-dimension", protocols.Say("%s ne mesure pas la même chose que %s", "%s does not measure the same as %s", unit, canonical), protocols.Say("enlever cette unité, ou corriger unit", "remove this unit, or correct unit"))
	return false
}
