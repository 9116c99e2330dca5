package nomenclature

import (
	"regexp"

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
