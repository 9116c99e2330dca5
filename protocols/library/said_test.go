package library_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/trial"
)

// mostSaid is how long a sentence of an alert may be, in characters: two lines of the list.
const mostSaid = 240

// amountSaid is a number with the unit of a measure; a time, a count and a grade are none.
var amountSaid = regexp.MustCompile(`\d+(?:,\d+)?[\x{a0}\x{202f} ]?(?:mmHg|kg|/min|%|mg/dL|L/min|°C|µmol/L|mmol/L|mL/h|L|h|points?)\b`)

// TestNoSentenceSaysANumberThrice plays every test of the library: no alert says one number
// three times, the same thing twice, or more than two lines.
func TestNoSentenceSaysANumberThrice(t *testing.T) {
	longest, said := 0, 0
	for _, id := range library.Names() {
		p, _ := language.Parse(read(t, id+".yaml"))
		plan, err := engine.NewPlan(p)
		if err != nil {
			t.Fatal(err)
		}
		tests, _ := language.ParseTimelines(p, read(t, id+".test.yaml"))
		for i := range tests {
			findings, err := trial.Play(&tests[i], plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if f.Explanation == nil {
					continue
				}
				said++
				sentence := f.Explanation.Said().FR
				longest = max(longest, utf8.RuneCountInString(sentence))
				if fault := heavy(sentence); fault != "" {
					t.Errorf("%s, %s: %s: %s", id, f.Rule, fault, sentence)
				}
			}
		}
	}
	if said < 500 || longest < 100 {
		t.Errorf("only %d sentences were played, the longest of %d characters", said, longest)
	}
}

// heavy is what makes a sentence hard to read; empty for nothing.
func heavy(sentence string) string {
	if n := utf8.RuneCountInString(sentence); n > mostSaid {
		return "too long"
	}
	times := map[string]int{}
	for _, amount := range amountSaid.FindAllString(sentence, -1) {
		if times[amount]++; times[amount] > 2 {
			return amount + " three times"
		}
	}
	for _, part := range strings.FieldsFunc(sentence, func(r rune) bool { return r == ';' }) {
		part = strings.ToLower(strings.TrimSpace(part))
		name, _, _ := strings.Cut(part, " ")
		for _, amount := range amountSaid.FindAllString(part, -1) {
			if key := name + ", " + amount; times[key] > 0 {
				return key + " twice"
			}
		}
		for _, amount := range amountSaid.FindAllString(part, -1) {
			times[name+", "+amount]++
		}
	}
	return ""
}

// What the test above would let through is no sentence of a nurse.
func TestAHeavySentenceIsKnown(t *testing.T) {
	for sentence, want := range map[string]string{
		"Systolique à 98 mmHg ; systolique 98 mmHg, 52 mmHg au-dessous de l'habituel (150 mmHg) ; systolique à 98 mmHg": "98 mmHg three times",
		"Pouls à 43/min ; pouls 43/min, 29/min au-dessous de l'habituel":                                                "pouls, 43/min twice",
		"+ 1,9 kg en 3 jours (80,5 → 82,4 kg). Alerte au-delà de + 1,5 kg.":                                             "",
		strings.Repeat("Très long. ", 30):                                                                               "too long",
	} {
		if got := heavy(sentence); got != want {
			t.Errorf("%s: %q, want %q", sentence, got, want)
		}
	}
}
