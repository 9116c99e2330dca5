package nomenclature_test

import (
	"fmt"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/nomenclature"
)

// The variant of a reading is one byte: a measure with more kinds is refused with words that
// name the bound.
func TestVariantsAreBounded(t *testing.T) {
	for variants, refused := range map[int]bool{1: false, 40: false, 255: false, 256: true} {
		var names []string
		for i := range variants {
			names = append(names, fmt.Sprint("kind-", i))
		}
		doc, err := yaml.Parse(fmt.Appendf(nil, `version: "1"
measures:
  drug:
    title: {fr: médicament, en: drug}
    variants: [%s]
    event: true
`, strings.Join(names, ", ")))
		if err != nil {
			t.Fatal(err)
		}
		file, problems := nomenclature.Parse(doc)
		if !refused && (file == nil || len(problems) > 0) {
			t.Errorf("%d variants: %+v", variants, problems)
		}
		if refused && (file != nil || len(problems) != 1 || problems[0].Code != "bounds" || problems[0].Line != 5 || !strings.Contains(problems[0].Message.EN, "at most 255 variants")) {
			t.Errorf("%d variants: read %v, %+v", variants, file != nil, problems)
		}
	}
}

// A file of measures is read as a careful colleague would: what no instrument has, a code of
// something else, a factor that the table of units knows otherwise, and a comma in a number.
func TestCheckFindsWhatIsWrongInMeasures(t *testing.T) {
	const number = "unit: kg, from: 0, to: 10"
	for name, c := range map[string]struct {
		is   string // the measure, in braces
		code string
		says string
	}{
		"a right one":                   {number, "", ""},
		"units of a laboratory":         {`unit: pg/mL, units: {"ng/L": 1, "[iU]/L": 2, "pmol/L": 3, "mosm/kg": 5}, from: 0, to: 10`, "", ""},
		"a unit that is none":           {"unit: furlong, from: 0, to: 10", "unknown-unit", `"furlong" is no UCUM unit`},
		"another that is none":          {`unit: kg, units: {stone: 6.35}, from: 0, to: 10`, "unknown-unit", `"stone" is no UCUM unit`},
		"a factor that is known":        {"unit: kg, units: {g: 1000}, from: 0, to: 10", "wrong-factor", "1 g is 1/1000 kg, not 1000"},
		"the other way round":           {"unit: g, units: {kg: 1/1000}, from: 0, to: 10", "wrong-factor", "1 kg is 1000 g, not 1/1000"},
		"a factor that is right":        {"unit: kg, units: {g: 0.001}, from: 0, to: 10", "", ""},
		"another dimension":             {"unit: kg, units: {mg/dL: 5}, from: 0, to: 10", "other-dimension", "mg/dL does not measure the same as kg"},
		"a rate for an amount":          {"unit: mL, units: {mL/min: 5}, from: 0, to: 10", "other-dimension", "mL/min does not measure the same as mL"},
		"a length for a volume":         {"unit: L, units: {cm: 5}, from: 0, to: 10", "other-dimension", "cm does not measure the same as L"},
		"a volume as a cube":            {"unit: L, units: {cm3: 1/1000}, from: 0, to: 10", "", ""},
		"a count for a share":           {`unit: "%", units: {/min: 5}, from: 0, to: 10`, "other-dimension", "/min does not measure the same as %"},
		"mass for substance":            {"unit: mmol/L, units: {mg/dL: 0.1, g/L: 1}, from: 0, to: 10", "", ""},
		"two shares":                    {`unit: "%", units: {mmol/mol: 0.0915, "{fraction}": 100, mg/g: 1/10}, from: 0, to: 10`, "", ""},
		"cells":                         {`unit: 10*9/L, units: {/uL: 1/1000, "{cells}/uL": 1/1000, 10*3/uL: 1}, from: 0, to: 10`, "", ""},
		"pressures":                     {`unit: "mm[Hg]", units: {"cm[H2O]": 0.735, "mm[H2O]": 0.0735}, from: 0, to: 10`, "", ""},
		"a clearance":                   {`unit: mL/min, units: {"mL/min/{1.73_m2}": 1, L/h: 16.7}, from: 0, to: 10`, "", ""},
		"a dose that is arbitrary":      {"unit: mg, units: {U: 0.0347}, from: 0, to: 10", "", ""},
		"hours of a week":               {"unit: h/wk, units: {min/d: 7/60}, from: 0, to: 10", "", ""},
		"a rate for each kilogram":      {"unit: mL/h/kg, units: {mL/min/kg: 60}, from: 0, to: 10", "", ""},
		"a comma in a factor":           {"unit: L/min, units: {mL/s: 0,06}, from: 0, to: 10", "bad-number", `"0,06" is not a number`},
		"a code that is none":           {number + ", loinc: abc", "bad-code", `"abc" is no LOINC code`},
		"a digit written wrong":         {number + ", loinc: 53060-9", "bad-code", `"53060-9" is no LOINC code`},
		"the code of something else":    {number + ", loinc: 29463-7", "code-taken", "29463-7 is the code of weight (body weight)"},
		"decimals of a whole number":    {number + ", whole: true, decimals: 1", "not-together", "a whole number has no decimals"},
		"two grades of one word":        {"grades: [{fr: non, en: no}, {fr: non, en: a little}]", "twice", `two grades have the same words: "non"`},
		"an answer of one grade":        {"grades: [{fr: non, en: no}]", "bounds", "an answer has at least two grades"},
		"what it reports, upside down":  {"unit: kg, from: 10, to: 5", "bounds", "to must lie above from: 5 is not above 10"},
		"what it reports, without room": {"unit: kg, from: 5, to: 5", "bounds", "to must lie above from"},
	} {
		doc, err := yaml.Parse([]byte("version: \"1\"\nmeasures:\n  own: {title: {fr: propre, en: own}, " + c.is + "}\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, problems := nomenclature.Parse(doc)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || !strings.Contains(problems[0].Message.EN, c.says) || problems[0].Suggestion.FR == "") {
			t.Errorf("%s: got %+v, want %s: %s", name, problems, c.code, c.says)
		}
	}
}
