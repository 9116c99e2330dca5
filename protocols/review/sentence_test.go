package review_test

import (
	"slices"
	"strings"
	"testing"

	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
	"vigie/protocols/review"
)

// A sentence that promises a value which nothing gives would reach a nurse with a hole.
func TestThePlacesOfASentenceAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ fr, en, code string }{
		"whole":                {"{weight.change} {since} ({weight.before} → {weight.now})", "{weight.change} {since} ({weight.before} → {weight.now})", ""},
		"no such value":        {"{weight.nwo}", "{weight.nwo}", "unknown-place"},
		"no such measure":      {"{wieght.now}", "{wieght.now}", "unknown-place"},
		"no baseline":          {"{weight.usual}", "{weight.usual}", "unknown-place"},
		"no count":             {"{count}", "{count}", "unknown-place"},
		"no count to tell":     {"{each}", "{each}", "unknown-place"},
		"half a noun":          {"{count:fois}", "{count:times}", "unknown-place"},
		"less in English":      {"{weight.now} {threshold}", "{weight.now}", "places-differ"},
		"more in English":      {"{weight.now}", "{weight.now} {threshold}", "places-differ"},
		"nothing in English":   {"{weight.now}", "", "missing-translation"},
		"without any place":    {"Appeler.", "Call.", ""},
		"a brace too many":     {"{{weight.now}}", "{{weight.now}}", "unknown-place"},
		"a brace left open":    {"{weight.now, alerte {threshold}", "{weight.now, rings {threshold}", "unknown-place"},
		"a noun on a value":    {"{weight.now:kilo|kilos}", "{weight.now:kilo|kilos}", "unknown-place"},
		"who set it, and when": {"{threshold} ({set_by})", "{threshold} ({set_by})", ""},
	} {
		const when = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}\n"
		text := strings.Replace(protocoltest.Small, when, when+"        sentence: {fr: \""+c.fr+"\", en: \""+c.en+"\"}\n", 1)
		found := ""
		for _, p := range review.Check(node(t, text)) {
			if p.Code == "unknown-place" || p.Code == "places-differ" || p.Code == "missing-translation" {
				found = p.Code
			}
		}
		if found != c.code {
			t.Errorf("%s: found %q, want %q", name, found, c.code)
		}
	}
}

// A number of a measure is named alone, or behind its measure: two questionnaires may both have
// a score. What two levels share is told once, with the places that there are.
func TestANumberIsNamedAloneOrBehindItsMeasure(t *testing.T) {
	const titled = "    title: {fr: Hausse, en: Rise}\n"
	const mild = "when: {measure: weight, above: 100 kg}"
	for place, want := range map[string]int{"systolic.now": 0, "blood-pressure.systolic.now": 0, "blood-pressure.diastolic.now": 1} {
		text := strings.NewReplacer(titled, titled+"    sentence: {fr: \"{"+place+"}\", en: \"{"+place+"}\"}\n",
			mild, "when: {measure: blood-pressure, component: systolic, above: 160}",
			"when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}", "when: {measure: blood-pressure, component: systolic, above: 180}").Replace(protocoltest.Small)
		found := 0
		for _, p := range review.Check(node(t, text)) {
			if p.Code == "unknown-place" && strings.Contains(p.Suggestion.EN, "{systolic.now}") {
				found++
			}
		}
		if found != want {
			t.Errorf("%s: %d complaints, want %d", place, found, want)
		}
	}
}

// A sentence that one way of ringing leaves with a hole is named, and where a part's own sentence
// is never said.
func TestAPlaceThatOneBranchLeavesEmptyIsNamed(t *testing.T) {
	const rise, low = "{measure: weight, statistic: rise, window: 3d, above: gain}", "{measure: blood-pressure, component: systolic, at_most: 90}"
	const spoken = "{measure: blood-pressure, component: systolic, at_most: 90, sentence: {fr: \"{systolic.now}\", en: \"{systolic.now}\"}}"
	const change = "\n        sentence: {fr: \"{weight.change}\", en: \"{weight.change}\"}"
	for name, c := range map[string]struct{ when, code string }{
		"one way":                          {rise + change, ""},
		"both at once":                     {"{all: [" + rise + ", " + low + "]}" + change, ""},
		"one of two":                       {"{any: [" + rise + ", " + low + "]}" + change, "empty-place"},
		"one of two, each says its own":    {"{any: [" + rise + ", " + spoken + "]}" + change, ""},
		"two of three":                     {"{at_least: 2, of: [" + rise + ", " + low + ", {measure: blood-pressure, component: pulse, at_least: 131}]}" + change, "empty-place"},
		"all reasons":                      {"{any: [" + rise + ", " + low + "]}\n        sentence: {fr: \"{reasons}\", en: \"{reasons}\"}", ""},
		"the words of a part under not":    {"{all: [" + rise + ", {not: " + spoken + "}]}" + change, "not-together"},
		"a place of a part that is no one": {"{any: [" + rise + ", {measure: blood-pressure, component: systolic, at_most: 90, sentence: {fr: \"{diastolic.now}\", en: \"{diastolic.now}\"}}]}" + change, "unknown-place"},
		"a part that speaks one language":  {"{any: [" + rise + ", {measure: blood-pressure, component: systolic, at_most: 90, sentence: {fr: oui}}]}" + change, "missing-translation"},
	} {
		const when = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}\n"
		found := []string{}
		for _, p := range review.Check(node(t, strings.Replace(protocoltest.Small, when, "when: "+c.when+"\n", 1))) {
			if slices.Contains([]string{"empty-place", "not-together", "unknown-place", "missing-translation", "wrong-shape"}, p.Code) {
				found = append(found, p.Code)
			}
		}
		if c.code == "" && len(found) > 0 || c.code != "" && !slices.Contains(found, c.code) {
			t.Errorf("%s: found %v, want %q", name, found, c.code)
		}
	}
}

// A title holds settings and nothing else, in both languages alike.
func TestThePlacesOfATitleAreChecked(t *testing.T) {
	const up = "title: {fr: Hausse, en: Rise}\n"
	for name, c := range map[string]struct{ title, code, reads string }{
		"without a place":   {"{fr: Hausse, en: Rise}", "", "Hausse"},
		"a setting":         {"{fr: \"Hausse (> {gain})\", en: \"Rise (> {gain})\"}", "", "Hausse (> 2 kg)"},
		"no such setting":   {"{fr: \"Hausse (> {gian})\", en: \"Rise (> {gian})\"}", "unknown-place", ""},
		"a value":           {"{fr: \"Hausse ({weight.now})\", en: \"Rise ({weight.now})\"}", "unknown-place", ""},
		"in French alone":   {"{fr: \"Hausse (> {gain})\", en: Rise}", "places-differ", ""},
		"in English alone":  {"{fr: Hausse, en: \"Rise (> {gain})\"}", "places-differ", ""},
		"with a noun of it": {"{fr: \"Hausse {gain:kilo|kilos}\", en: \"Rise {gain:kilo|kilos}\"}", "unknown-place", ""},
	} {
		doc := node(t, strings.Replace(protocoltest.Small, up, "title: "+c.title+"\n", 1))
		found := ""
		for _, p := range review.Check(doc) {
			if p.Code == "unknown-place" || p.Code == "places-differ" {
				found = p.Code
			}
		}
		if found != c.code {
			t.Errorf("%s: found %q, want %q", name, found, c.code)
		}
		if p, _ := language.Parse(doc); c.reads != "" && p.Rules[0].Title.FR != c.reads {
			t.Errorf("%s: it is called %q", name, p.Rules[0].Title.FR)
		}
	}
}

// Whoever reads an alert is told what to do next, by the rule or by the level; a silence by the
// rule.
func TestWhatHasNoAdviceIsNamed(t *testing.T) {
	const says = "advice: {fr: Appeler., en: Call.}"
	const up, silent = "title: {fr: Hausse, en: Rise}\n", "title: {fr: Silence, en: Silence}\n"
	const mild = "      - level: yellow\n"
	for name, c := range map[string]struct {
		changes []string
		lacking []string
	}{
		"none at all":             {nil, []string{"rules[0].levels[0]", "rules[0].levels[1]", "rules[1].absence"}},
		"one of the rule":         {[]string{up, up + "    " + says + "\n"}, []string{"rules[1].absence"}},
		"one of the mildest":      {[]string{mild, mild + "        " + says + "\n"}, []string{"rules[0].levels[1]", "rules[1].absence"}},
		"one of the rule and one": {[]string{up, up + "    " + says + "\n", silent, silent + "    " + says + "\n"}, nil},
	} {
		var lacking []string
		for _, p := range review.Check(node(t, strings.NewReplacer(c.changes...).Replace(protocoltest.Small))) {
			if p.Code == "no-advice" {
				lacking = append(lacking, p.Path)
			}
		}
		if !slices.Equal(lacking, c.lacking) {
			t.Errorf("%s: %v lack advice, want %v", name, lacking, c.lacking)
		}
	}
}

// Every level has an author's sentence, of its own or of its rule; a silence has that of the
// rule.
func TestWhatHasNoSentenceIsNamed(t *testing.T) {
	const says = "sentence: {fr: Appeler., en: Call.}"
	const up, silent = "title: {fr: Hausse, en: Rise}\n", "title: {fr: Silence, en: Silence}\n"
	const mild = "      - level: yellow\n"
	for name, c := range map[string]struct {
		changes []string
		lacking []string
	}{
		"none at all":             {nil, []string{"rules[0].levels[0]", "rules[0].levels[1]", "rules[1].absence"}},
		"one of the rule":         {[]string{up, up + "    " + says + "\n"}, []string{"rules[1].absence"}},
		"one of the mildest":      {[]string{mild, mild + "        " + says + "\n"}, []string{"rules[0].levels[1]", "rules[1].absence"}},
		"one of the rule and one": {[]string{up, up + "    " + says + "\n", silent, silent + "    " + says + "\n"}, nil},
	} {
		var lacking []string
		for _, p := range review.Check(node(t, strings.NewReplacer(c.changes...).Replace(protocoltest.Small))) {
			if p.Code == "no-sentence" {
				lacking = append(lacking, p.Path)
			}
		}
		if !slices.Equal(lacking, c.lacking) {
			t.Errorf("%s: %v lack a sentence, want %v", name, lacking, c.lacking)
		}
	}
}

// A remark is checked as a condition and as a sentence; it says nothing of a silence.
func TestRemarksAreChecked(t *testing.T) {
	const up, silent = "title: {fr: Hausse, en: Rise}\n", "title: {fr: Silence, en: Silence}\n"
	for name, c := range map[string]struct{ after, when, says, code string }{
		"whole":                 {up, "measure: weight, minus: {statistic: median, days: 14, ago: 1}, above: gain", "{fr: \"{weight.usual}\", en: \"{weight.usual}\"}", ""},
		"of no moment":          {up, "measure: weight, statistic: mean, above: gain, days: 3", "{fr: oui, en: yes}", "not-together"},
		"of a run":              {up, "measure: weight, above: gain, lasting: 1h", "{fr: oui, en: yes}", "not-together"},
		"never true":            {up, "measure: weight, above: 900 kg", "{fr: oui, en: yes}", "never-true"},
		"a hard number":         {up, "measure: weight, above: 90 kg", "{fr: oui, en: yes}", "hard-number"},
		"nothing to fill it":    {up, "measure: weight, above: gain", "{fr: \"{weight.usual}\", en: \"{weight.usual}\"}", "unknown-place"},
		"in one language":       {up, "measure: weight, above: gain", "{fr: oui}", "missing-translation"},
		"what is not observed":  {up, "measure: heart-rate, above: 131", "{fr: oui, en: yes}", "not-observed"},
		"a remark of a silence": {silent, "measure: weight, above: gain", "{fr: oui, en: yes}", "not-together"},
	} {
		text := strings.Replace(protocoltest.Small, c.after, c.after+"    remarks: [{when: {"+c.when+"}, says: "+c.says+"}]\n", 1)
		found := false
		for _, p := range review.Check(node(t, text)) {
			found = found || p.Code == c.code
			if c.code == "" && strings.Contains(p.Path, "remarks") {
				t.Errorf("%s: %s: %s", name, p.Code, p.Message.EN)
			}
		}
		if !found && c.code != "" {
			t.Errorf("%s: %s is not found", name, c.code)
		}
	}
}
