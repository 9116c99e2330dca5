package review_test

import (
	"slices"
	"strings"
	"testing"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
	"vigie/protocols/review"
)

// noted is what check says of a protocol, without what it says of measures that no rule
// hears, or of what has no sentence: the small protocol observes more than it hears, so that
// a test can change one line of it.
func noted(doc *document.Node, tests ...*document.Node) []document.Problem {
	return slices.DeleteFunc(review.Check(doc, tests...), func(p document.Problem) bool {
		return slices.Contains([]string{"no-sentence", "no-advice", "unheard", "blind-start", "stale", "hard-number", "no-ceiling"}, p.Code)
	})
}

func TestACleanProtocolHasNothingToSay(t *testing.T) {
	if problems := noted(node(t, protocoltest.Small)); len(problems) != 0 {
		t.Errorf("got %+v", problems)
	}
}

func TestCheckFindsWhatAReviewerWould(t *testing.T) {
	const mild = "when: {measure: weight, above: 100 kg}"
	const grave = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}"
	const silent = "absence: {measure: weight, missing: [{level: technical, periods: 2}]}"
	for name, c := range map[string]struct {
		line, instead string
		code          string
		at            int
	}{
		"a rule without origin":                {"    title: {fr: Hausse, en: Rise}\n    origin: here", "    title: {fr: Hausse, en: Rise}", "missing-origin", 17},
		"a parameter without origin":           {", max: 5, origin: here}", ", max: 5}", "missing-origin", 15},
		"a title in French only":               {"title: {fr: Hausse, en: Rise}", "title: Hausse", "missing-translation", 18},
		"patient wording in French only":       {"patient: {fr: Bonjour, en: Hello}", "patient: {fr: Bonjour}", "missing-translation", 31},
		"a level that begins too soon":         {grave, "when: {measure: weight, above: 90 kg}", "thresholds-order", 24},
		"a level that begins with another":     {grave, "when: {measure: weight, above: 100 kg}", "thresholds-order", 24},
		"a level that can begin too soon":      {grave, "when: {measure: weight, above: gain}", "thresholds-order", 24},
		"a threshold to leave above entry":     {grave, "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 3 kg}", "clear-side", 24},
		"a threshold to leave below entry":     {mild, "when: {measure: weight, below: 40 kg, clear: 39 kg}", "clear-side", 22},
		"a margin that no weight passes":       {grave, "when: {measure: weight, statistic: rise, window: 3d, above: gain, margin: 1 kg}", "never-ends", 24},
		"more than a scale can report":         {mild, "when: {measure: weight, above: 500 kg}", "never-true", 22},
		"what every weight satisfies":          {mild, "when: {measure: weight, above: 1 kg}", "always-true", 22},
		"a share above 100 %":                  {mild, "when: {measure: glucose, statistic: share, window: 3d, where: {above: 180}, above: 100 %}", "never-true", 22},
		"at least no event at all":             {mild, "when: {measure: glucose, statistic: count, window: 3d, where: {above: 180}, at_least: 0}", "always-true", 22},
		"a filter that nothing passes":         {mild, "when: {measure: glucose, statistic: count, window: 3d, where: {above: 180, below: 70}, at_least: 1}", "never-true", 22},
		"a filter that everything passes":      {mild, "when: {measure: glucose, statistic: count, window: 3d, where: {above: 5}, at_least: 1}", "always-true", 22},
		"more days than the window has":        {mild, "when: {measure: weight, statistic: days-covered, window: 7d, at_least: 8}", "never-true", 22},
		"more events than fit":                 {mild, "when: {measure: glucose, statistic: events, window: 1h, where: {below: 54}, event: {lasting: 15m, ending: 15m}, at_least: 4}", "never-true", 22},
		"held against itself":                  {mild, "when: {measure: glucose, variant: interstitial, minus_measure: {measure: glucose, within: 15m}, above: 40}", "not-together", 22},
		"held against another unit":            {mild, "when: {measure: glucose, variant: interstitial, minus_measure: {measure: weight, within: 15m}, above: 40}", "unit-mismatch", 22},
		"a mean held against another reading":  {mild, "when: {measure: glucose, variant: interstitial, statistic: mean, window: 1h, minus_measure: {measure: glucose, variant: capillary, within: 15m}, above: 40}", "not-together", 22},
		"held against what is not observed":    {mild, "when: {measure: glucose, variant: interstitial, minus_measure: {measure: glucose, variant: capillary, within: 15m}, above: 40}", "not-observed", 17},
		"further apart than devices can be":    {mild, "when: {measure: glucose, variant: interstitial, minus_measure: {measure: glucose, variant: capillary, within: 15m}, above: 700}", "never-true", 22},
		"a seed that is no parameter":          {grave, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, seed: 80 kg}, above: gain}", "not-together", 24},
		"a seed in another unit":               {mild, "when: {measure: blood-pressure, component: systolic, minus: {statistic: median, days: 14, ago: 1, seed: gain}, above: 20}", "unit-mismatch", 22},
		"events of which none is over":         {mild, "when: {measure: glucose, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 15m, until: {at_least: 700}}, at_least: 2}", "never-true", 22},
		"back while it is still inside":        {mild, "when: {measure: glucose, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 15m, until: {at_least: 50}}, at_least: 2}", "clear-side", 22},
		"a second reading later than allowed":  {mild, "when: {measure: weight, above: 100 kg}\n        confirm: {within: 10m, apart: 10m}", "not-together", 23},
		"a second reading at no given time":    {mild, "when: {measure: weight, above: 100 kg}\n        confirm: {apart: 1m}", "missing-key", 23},
		"a percentage of an answer":            {mild, "when: {measure: symptom, component: breathlessness, minus: {statistic: mean, days: 28, ago: 1, at_least: 3, as: percent}, at_least: 50 %}", "percent-of-zero", 22},
		"a rise below nothing":                 {mild, "when: {measure: weight, statistic: rise, window: 3d, below: 0}", "never-true", 22},
		"two parts that exclude each other":    {mild, "when: {all: [{measure: weight, above: 100}, {measure: weight, below: 90}]}", "never-true", 22},
		"two parts that cover everything":      {mild, "when: {any: [{measure: weight, above: 90}, {measure: weight, below: 100}]}", "always-true", 22},
		"fewer readings than the one there is": {mild, "when: {measure: weight, statistic: count, window: 3d, below: 1}", "never-true", 22},
		"a trend within hours":                 {mild, "when: {measure: weight, statistic: slope, window: 72h, above: 1 kg/d}", "not-together", 22},
		"days covered within hours":            {mild, "when: {measure: weight, statistic: days-covered, window: 72h, at_least: 2}", "not-together", 22},
		"a share of what no window expects":    {mild, "when: {measure: weight, above: 100 kg, floor: 50 %}", "not-together", 22},
		"a number of two conditions":           {mild, "when: {at_least: 1, of: [{measure: weight, above: 100}, {measure: weight, above: 90}]}", "wrong-shape", 22},
		"all of three as a number":             {mild, "when: {at_least: 3, of: [{measure: weight, above: 100}, {measure: weight, above: 90}, {measure: weight, above: 80}]}", "bad-number", 22},
		"how many of them is not said":         {mild, "when: {of: [{measure: weight, above: 100}, {measure: weight, above: 90}, {measure: weight, above: 80}]}", "missing-key", 22},
		"a contradiction inside a number":      {mild, "when: {at_least: 2, of: [{measure: weight, above: 100}, {measure: weight, above: 90}, {all: [{measure: weight, above: 100}, {measure: weight, below: 90}]}]}", "never-true", 22},
		"a contradiction inside a not":         {mild, "when: {not: {all: [{measure: weight, above: 100}, {measure: weight, below: 90}]}}", "never-true", 22},
		"more points than all parts are":       {mild, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {measure: weight, above: 90}}], at_least: 3.5}", "never-true", 22},
		"a score that begins at nothing":       {mild, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {measure: weight, above: 90}}], at_least: 0}", "always-true", 22},
		"a score that no patient leaves":       {mild, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {measure: weight, above: 90}}], at_least: 2, margin: 2}", "never-ends", 22},
		"a contradiction inside a score":       {mild, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {all: [{measure: weight, above: 100}, {measure: weight, below: 90}]}}], at_least: 2}", "never-true", 22},
		"a rule about what is not observed":    {mild, "when: {measure: temperature, above: 38}", "not-observed", 17},
		"a kind of device misspelt":            {"{kind: scale}", "{kind: scales}", "unknown-kind", 9},
		"a level without answer delay":         {"level: orange", "level: red", "no-answer", 17},
		"a grave level answered later":         {"answer: {orange: 8h, yellow: 24h", "answer: {orange: 48h, yellow: 24h", "answers-order", 29},
		"a parameter that changes nothing":     {grave, "when: {measure: weight, statistic: rise, window: 3d, above: 2 kg}", "unused-parameter", 15},
		"no absence for what is mandatory":     {silent, "levels: [{level: yellow, when: {measure: weight, above: 300}}]", "no-absence", 11},
		"an absence that another rule holds":   {silent, "held_by: [up]\n    " + silent, "absence-disabled", 28},
		"an absence only where sessions are":   {silent, "absence: {measure: weight, cadence: {times: 1, per: session, of: dialysis-session, grace: 4h}, missing: [{level: technical, periods: 2}]}", "no-absence", 11},
		"sessions that are not observed":       {silent, "absence: {measure: weight, cadence: {times: 1, per: session, of: dialysis-session, grace: 4h}, missing: [{level: technical, periods: 2}]}", "not-observed", 25},
		"a session that is two readings":       {silent, "absence: {measure: dialysis-session, components: [systolic-start], cadence: {times: 2, per: session, grace: 4h}, missing: [{level: technical, periods: 2}]}", "always-true", 28},
		"what no session can lack":             {silent, "absence: {measure: dialysis-session, components: [weight-end], cadence: {times: 1, per: session, grace: 4h}, missing: [{level: technical, periods: 2}]}", "never-true", 28},
		"an absence only after two months":     {"periods: 2", "periods: 60", "absence-disabled", 28},
		"an absence that is there at once":     {"periods: 2", "periods: 0", "always-true", 28},
		"an absence whose levels do not rise":  {"[{level: technical, periods: 2}]", "[{level: technical, periods: 2}, {level: orange, periods: 2}]", "thresholds-order", 28},
	} {
		problems := noted(node(t, protocoltest.With(c.line, c.instead)))
		saidInBoth(t, problems)
		found := false
		for _, p := range problems {
			found = found || p.Code == c.code && p.Line == c.at
		}
		if !found {
			t.Errorf("%s: want %s on line %d; got %+v", name, c.code, c.at, problems)
		}
	}
}

func TestCheckLetsThroughWhatCanBeTrueAndFalse(t *testing.T) {
	for name, when := range map[string]string{
		"a day above or a day below": "{any: [{measure: weight, statistic: mean, above: 90, days: 3}, {measure: weight, statistic: mean, at_most: 90, days: 3}]}",
		"an hour above, or below":    "{any: [{measure: weight, above: 90, lasting: 1h}, {measure: weight, at_most: 90}]}",
		"events ended by silence":    "{measure: glucose, statistic: events, window: 1h, where: {below: 54}, event: {lasting: 5m, ending: 55m, gap: 1m}, at_least: 4}",
		"a sum of falls":             "{measure: dialysis-session, component: weight-end, minus_component: weight-start, statistic: sum, window: 3d, below: -500}",
	} {
		for _, p := range noted(node(t, protocoltest.With("when: {measure: weight, above: 100 kg}", "when: "+when))) {
			if p.Code == "never-true" || p.Code == "always-true" {
				t.Errorf("%s: got %+v", name, p)
			}
		}
	}
}

func TestCheckHoldsRulesAgainstTheirTests(t *testing.T) {
	tests := node(t, `protocol: small
tests:
  - name: more than 100 kg
    readings: [{at: day 1 08:00, measure: weight, value: 101 kg}]
    expect: [{rule: up, level: yellow, at: day 1 08:00}]
`)
	var said []string
	for _, p := range noted(node(t, protocoltest.Small), tests) {
		said = append(said, p.Code+": "+p.Message.EN)
	}
	want := []string{
		"untested: no test raises up at the level orange",
		"untested-end: no test sees up end",
		"untested-silence: no test sees up stay silent",
		"untested: no test raises silent at the level technical",
		"untested-end: no test sees silent end",
		"untested-silence: no test sees silent stay silent",
	}
	if !slices.Equal(said, want) {
		t.Errorf("got %q; want %q", said, want)
	}
}

func TestSettingsOfAPatient(t *testing.T) {
	p := parsed(t, protocoltest.Small)
	setting := func(v protocols.Value) protocols.Setting {
		return protocols.Setting{Value: v, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z"), Reason: "small build"}
	}
	for name, c := range map[string]struct {
		settings protocols.Settings
		code     string
	}{
		"inside the bounds":     {protocols.Settings{"gain": setting(1500)}, ""},
		"below the bounds":      {protocols.Settings{"gain": setting(500)}, "bounds"},
		"above the bounds":      {protocols.Settings{"gain": setting(5001)}, "bounds"},
		"a name that is not":    {protocols.Settings{"gian": setting(1500)}, "unknown-parameter"},
		"nobody to have set it": {protocols.Settings{"gain": {Value: 1500}}, "no-author"},
	} {
		problems := language.CheckSettings(p, c.settings)
		saidInBoth(t, problems)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code) {
			t.Errorf("%s: got %+v; want %q", name, problems, c.code)
		}
	}
}

// The levels of a score, and the steps of one deviation within it, keep their order under
// the settings of a patient.
func TestSettingsKeepTheOrderOfAScore(t *testing.T) {
	const score = "{score: [{points: 1, when: {measure: weight, above: first}}, {points: 1, when: {measure: weight, above: second}}, {points: 2, when: {measure: weight, statistic: rise, window: 3d, above: gain}}], at_least: "
	text := strings.NewReplacer(
		"origin: here}\nrules:", "origin: here}\n"+
			"  first: {title: {fr: un, en: one}, unit: kg, default: 90, min: 50, max: 150, origin: here}\n"+
			"  second: {title: {fr: deux, en: two}, unit: kg, default: 100, min: 50, max: 150, origin: here}\n"+
			"  few: {title: {fr: peu, en: few}, unit: \"1\", default: 2, min: 1, max: 4, origin: here}\n"+
			"  many: {title: {fr: beaucoup, en: many}, unit: \"1\", default: 3, min: 1, max: 4, origin: here}\nrules:",
		"{measure: weight, above: 100 kg}", score+"few}",
		"{measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}", score+"many}",
	).Replace(protocoltest.Small)
	p := parsed(t, text)
	set := func(name string, v protocols.Value) protocols.Settings {
		return protocols.Settings{name: {Value: v, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z"), Reason: "small build"}}
	}
	for name, c := range map[string]struct {
		settings protocols.Settings
		path     string
	}{
		"as it is written":            {set("few", 2000), ""},
		"fewer points for the graver": {set("many", 1000), "many"},
		"a graver step before":        {set("second", 80_000), "second"},
	} {
		problems := language.CheckSettings(p, c.settings)
		saidInBoth(t, problems)
		if c.path == "" && len(problems) > 0 || c.path != "" && (len(problems) == 0 || problems[0].Path != c.path || problems[0].Code != "thresholds-order") {
			t.Errorf("%s: got %+v", name, problems)
		}
	}
}

// No default suits everybody: nobody is enrolled without a value of his own.
func TestAParameterThatMustBeSet(t *testing.T) {
	p := parsed(t, protocoltest.With("origin: here}", "origin: here, must_be_set: true}"))
	problems := language.CheckSettings(p, nil)
	saidInBoth(t, problems)
	if len(problems) != 1 || problems[0].Code != "not-set" || problems[0].Path != "gain" {
		t.Errorf("without it: %+v", problems)
	}
	own := protocols.Settings{"gain": {Value: 1500, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z"), Reason: "dry weight"}}
	if problems := language.CheckSettings(p, own); len(problems) > 0 {
		t.Errorf("with it: %+v", problems)
	}
}

// Where the protocol's own value lies beyond the line of danger already, and nothing else
// rings, any setting beyond it asks for the line by its name.
func TestASettingBeyondTheLineOfADefaultThatIsBeyondIt(t *testing.T) {
	const own = "origin: here}\nrules:"
	const sat = "origin: here}\n  sat: {title: {fr: limite, en: limit}, unit: \"%\", default: 72, min: 65, max: 95, origin: here}\nrules:"
	const observed = "  - {measure: blood-pressure}\n"
	low := strings.NewReplacer(own, sat, observed, "  - {measure: oxygen-saturation}\n", "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}", "when: {measure: oxygen-saturation, at_most: sat}").Replace(protocoltest.Small)
	for name, c := range map[string]struct {
		text   string
		value  protocols.Value
		reason string
		code   string
	}{
		"farther beyond":            {low, 70_000, "habituel", "past-danger"},
		"the line is named":         {low, 70_000, "saturation-1 vue, scope sur place", ""},
		"within the line":           {low, 92_000, "habituel", ""},
		"another rule rings":        {strings.Replace(low, "  - id: silent", "  - id: other\n    title: {fr: Autre, en: Other}\n    origin: here\n    levels: [{level: orange, when: {measure: oxygen-saturation, at_most: 91 %}}]\n  - id: silent", 1), 70_000, "habituel", ""},
		"the protocol leaves it so": {strings.Replace(low, "{measure: oxygen-saturation}", "{measure: oxygen-saturation, silent: {saturation-1: {fr: scope, en: monitored}}}", 1), 70_000, "habituel", ""},
	} {
		problems := language.CheckSettings(parsed(t, c.text), protocols.Settings{"sat": {Value: c.value, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z"), Reason: c.reason}})
		saidInBoth(t, problems)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code) {
			t.Errorf("%s: got %+v; want %q", name, problems, c.code)
		}
	}
}

// saidInBoth holds every complaint to a sentence in French and one in English,
// without a gap left open, and to a way out in both or in none.
func saidInBoth(t *testing.T, problems []document.Problem) {
	t.Helper()
	for _, p := range problems {
		all := p.Message.FR + p.Message.EN + p.Suggestion.FR + p.Suggestion.EN
		if p.Message.FR == "" || p.Message.EN == "" || p.Message.FR == p.Message.EN || (p.Suggestion.FR == "") != (p.Suggestion.EN == "") || strings.Contains(all, "%!") {
			t.Errorf("%s is not said in both languages: %+v, %+v", p.Code, p.Message, p.Suggestion)
		}
	}
}
