package language_test

import (
	"strings"
	"testing"

	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
)

// A sentence that promises a value which nothing gives would reach a nurse with a hole.
func TestThePlacesOfASentenceAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ fr, en, code string }{
		"whole":                {"{weight.change} {since} ({weight.before} → {weight.now})", "{weight.change} {since} ({weight.before} → {weight.now})", ""},
		"no such value":        {"{weight.nwo}", "{weight.nwo}", "unknown-place"},
		"no such measure":      {"{wieght.now}", "{wieght.now}", "unknown-place"},
		"no baseline":          {"{weight.usual}", "{weight.usual}", "unknown-place"},
		"no count":             {"{count}", "{count}", "unknown-place"},
		"half a noun":          {"{count:fois}", "{count:times}", "unknown-place"},
		"less in English":      {"{weight.now} {threshold}", "{weight.now}", "places-differ"},
		"more in English":      {"{weight.now}", "{weight.now} {threshold}", "places-differ"},
		"nothing in English":   {"{weight.now}", "", "missing-translation"},
		"without any place":    {"Appeler.", "Call.", ""},
		"who set it, and when": {"{threshold} ({set_by})", "{threshold} ({set_by})", ""},
	} {
		const when = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}\n"
		text := strings.Replace(protocoltest.Small, when, when+"        sentence: {fr: \""+c.fr+"\", en: \""+c.en+"\"}\n", 1)
		found := ""
		for _, p := range language.Check(node(t, text)) {
			if p.Code == "unknown-place" || p.Code == "places-differ" || p.Code == "missing-translation" {
				found = p.Code
			}
		}
		if found != c.code {
			t.Errorf("%s: found %q, want %q", name, found, c.code)
		}
	}
}
