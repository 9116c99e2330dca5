package language_test

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
)

func TestReadsAWholeProtocol(t *testing.T) {
	p := parsed(t, protocoltest.Small)
	if p.ID != "small" || p.Version != "1" || p.Pathology.ICD10 != "I50" || p.Title.EN != "Small" || p.TooLate != 24*time.Hour {
		t.Errorf("the head is read as %+v", p)
	}
	if p.Answer[protocols.Orange] != 8*time.Hour || p.Answer[protocols.Red] != 0 {
		t.Errorf("the answer delays are read as %v", p.Answer)
	}
	up := p.Rules[0].Levels[1]
	c := up.When.Compare
	if up.Level != protocols.Orange || c.Statistic != protocols.Rise || c.Window.Days != 3 || c.Threshold.Parameter != "gain" || c.Clear.Value != 1000 {
		t.Errorf("the rule is read as %+v", c)
	}
	if a := p.Rules[1].Absence; a.Cadence.Times != 1 || a.Cadence.Per != protocols.PerDay {
		t.Errorf("an absence without a cadence takes that of the observation; got %+v", a.Cadence)
	}
	if !p.Eligibility.Admits("scale", "any", "any") || p.Eligibility.Admits("oximeter", "", "") {
		t.Error("the eligibility admits other devices than those listed")
	}
}

func TestNumbersComeInCanonicalUnits(t *testing.T) {
	for _, c := range []struct {
		when string
		want protocols.Value
	}{
		{"{measure: weight, above: 100}", 100_000},
		{"{measure: weight, above: 100 kg}", 100_000},
		{"{measure: weight, above: 220.5 lb}", 100_017},
		{"{measure: weight, above: 99500 g}", 99_500},
		{"{measure: glucose, below: 54 mg/dL}", 54_000},
		{"{measure: glucose, below: 3 mmol/L}", 54_047},
		{"{measure: glucose, below: 0.54 g/L}", 54_000},
		{"{measure: blood-pressure, component: systolic, above: 18 kPa}", 135_011},
		{"{measure: temperature, above: 100.4 °F}", 38_000},
		{"{measure: temperature, statistic: rise, window: 24h, above: 1.8 °F}", 1_000}, // a difference has no offset
		{"{measure: weight, statistic: slope, window: 7d, above: 200 g/d}", 200},
		{"{measure: glucose, statistic: share, window: 14d, where: {above: 10 mmol/L}, above: 25 %}", 25_000},
		{"{measure: weight, statistic: count, window: 7d, below: 3}", 3_000},
		{"{measure: ventilation, component: hours, below: 90 min}", 1_500},
	} {
		p := parsed(t, protocoltest.With("when: {measure: weight, above: 100 kg}", "when: "+c.when))
		if got := p.Rules[0].Levels[0].When.Compare.Threshold.Value; got != c.want {
			t.Errorf("%s: the threshold is %s; want %s", c.when, got, c.want)
		}
	}
}

func TestASensorStepMayBeThePatients(t *testing.T) {
	text := strings.NewReplacer("cadence: {every: 5m}", "cadence: {every: step}", "parameters:\n",
		"parameters:\n  step: {title: {fr: pas, en: step}, unit: min, default: 5, min: 1, max: 15, origin: here}\n").Replace(protocoltest.Small)
	o := parsed(t, text).Observations[1]
	if o.Cadence.Every != 5*time.Minute || o.Cadence.EveryParameter != "step" {
		t.Errorf("the cadence is read as %+v", o.Cadence)
	}
	for _, wrong := range []string{"cadence: {every: gain}", "cadence: {every: stop}"} {
		if p, _ := language.Parse(node(t, strings.Replace(text, "cadence: {every: step}", wrong, 1))); p != nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

func TestEveryMistakeIsNamedWithItsPlaceAndAWayOut(t *testing.T) {
	const when = "when: {measure: weight, above: 100 kg}"
	for _, c := range []struct {
		line, instead string
		code          string
		at            int    // line of the complaint
		suggests      string // part of the suggestion
	}{
		{"too_late: 24h", "to_late: 24h", "unknown-key", 30, `"too_late"`},
		{"too_late: 24h", "", "missing-key", 1, ""},
		{"id: small", "id: \"\"", "missing-key", 1, ""},
		{"- {measure: blood-pressure}", "- {measure: \" \"}", "missing-key", 13, ""},
		{"too_late: 24h", "too_late: 1d", "bad-duration", 30, "24h"},
		{"too_late: 24h", "too_late: soon", "bad-duration", 30, "15m"},
		{"too_late: 24h", "too_late: -3h", "bad-duration", 30, ""},
		{"too_late: 24h", "too_late: [24h]", "wrong-shape", 30, ""},
		{"id: small", "id: Small one", "bad-name", 1, "lower-case"},
		{"status: example", "status: approved", "unknown-status", 3, "example"},
		{"status: example", "status: validated", "not-validated", 3, "validated_by"},
		{"status: example", "status: example\nvalidated_by: Dr X", "not-validated", 3, "validated"},
		{"icd10: I50", "icd10: heart", "bad-icd10", 5, ""},
		{"devices: [{kind: scale}]", "devices: []", "no-device", 9, "scale"},
		{"- {measure: blood-pressure}", "- {measure: bloodpressure}", "unknown-measure", 13, `"blood-pressure"`},
		{"- {measure: blood-pressure}", "- {measure: weight}", "twice", 13, ""},
		{"- {measure: blood-pressure}", "- {measure: weight, variant: big}", "unknown-variant", 13, "no variants"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1}", "half-cadence", 11, "per: day"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: month}", "unknown-period", 11, "day"},
		{"cadence: {times: 1, per: day}", `cadence: {times: 1, per: day, before: "25:00"}`, "bad-time", 11, "12:00"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: session, grace: 4h}", "no-session", 11, "of: dialysis-session"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: session, of: glucose, grace: 4h}", "no-session", 11, "dialysis-session"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: session, of: dialysis, grace: 4h}", "unknown-measure", 11, ""},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: session, of: dialysis-session}", "no-grace", 11, "grace: 4h"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: session, of: dialysis-session, grace: 25h}", "bounds", 11, "24h"},
		{"cadence: {times: 1, per: day}", `cadence: {times: 1, per: session, of: dialysis-session, grace: 4h, before: "10:00"}`, "not-together", 11, "before"},
		{"cadence: {times: 1, per: day}", "cadence: {times: 1, per: day, of: dialysis-session}", "not-together", 11, "per: session"},
		{"unit: kg, default: 2", "unit: stone, default: 2", "unknown-unit", 15, ""},
		{"default: 2, min: 1", "default: 2, min: 6", "bounds", 15, ""},
		{"default: 2, min: 1", "default: 9, min: 1", "bounds", 15, ""},
		{"default: 2, min: 1", "default: 2 lb, min: 1", "unit-mismatch", 15, "kg"},
		{"level: yellow", "level: purple", "unknown-level", 21, "yellow"},
		{"level: yellow", "level: red", "levels-order", 23, "mildest"},
		{when, "when: {measure: weight}", "missing-key", 22, "above"},
		{when, "when: {measure: weight, above: 100 kg, below: 200 kg}", "two-thresholds", 22, "all:"},
		{when, "when: {measure: weight, above: 100 mmHg}", "unit-mismatch", 22, "kg"},
		{when, "when: {measure: weight, above: gian}", "unknown-parameter", 22, `"gain"`},
		{when, "when: {measure: weight, above: 100 kg, hours: {from: \"22:00\"}}", "missing-key", 22, ""},
		{when, "when: {measure: weight, above: 100 kg, hours: {from: \"22:00\", to: \"24:30\"}}", "bad-time", 22, "05:00"},
		{when, "when: {measure: weight, above: 100 kg, hours: {from: \"06:00\", to: \"06:00\"}}", "bounds", 22, "remove"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: percent, most: 1 kg}, above: 2}", "not-together", 22, "as: deviations"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 0.4 kg, most: 0.3 kg}, above: 2}", "bounds", 22, "above least"},
		{when, "when: {measure: weight, above: 100 kg, meal: after-3h}", "unknown-meal", 22, "after-1h"},
		{when, "when: {measure: weight, statistic: wear, window: 3d, above: 10 %, meal: after}", "not-together", 22, "count"},
		{when, "when: {measure: weight, statistic: wear, window: 3d, above: 10 %, hours: {from: \"05:00\", to: \"06:00\"}}", "not-together", 22, "count"},
		{when, "when: {measure: blood-pressure, flag: irregular-puls, at_least: 1}", "unknown-flag", 22, "irregular-pulse"},
		{when, "when: {measure: blood-pressure, component: pulse, flag: irregular-pulse, at_least: 1}", "not-together", 22, "remove"},
		{when, "when: {measure: blood-pressure, flag: irregular-pulse, statistic: count, window: 7d, where: {at_least: 1 mmHg}, at_least: 2}", "unit-mismatch", 22, ""},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, at_least: 5, as: deviations}, above: 2}", "missing-key", 22, "least: "},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, at_least: 5, as: deviations, least: 0 kg}, above: 2}", "bounds", 22, "0.4 kg"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, at_least: 2, as: deviations, least: 1 kg}, above: 2}", "bounds", 22, "at_least: 3"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, as: percent, least: 1 kg}, above: 2 %}", "not-together", 22, "as: deviations"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, as: percents}, above: 2 %}", "unknown-scale", 22, "percent"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, as: percent}, above: 2 kg}", "unit-mismatch", 22, "%"},
		{when, "when: {measure: weight, minus: {statistic: mean, days: 9, ago: 1, at_least: 5, as: deviations, least: 1 kg}, above: 2 kg}", "unit-mismatch", 22, ""},
		{when, "when: {score: [{points: 2, when: {measure: weight, above: 100}}], at_least: 2}", "wrong-shape", 22, "points: 2"},
		{when, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 0, when: {measure: weight, above: 90}}], at_least: 2}", "bad-number", 22, "points: 1"},
		{when, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {measure: weight, above: 90}}]}", "missing-key", 22, ""},
		{when, "when: {score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1, when: {measure: weight, above: 90}}], at_least: gain}", "unit-mismatch", 22, "1"},
		{when, "when: {measure: glucose, above: gain}", "unit-mismatch", 22, ""},
		{when, "when: {measure: glucose, above: 1.5 x gain}", "unit-mismatch", 22, ""},
		{when, "when: {measure: weight, above: 0 x gain}", "bad-number", 22, "1.5 x gain"},
		{when, "when: {measure: weight, above: 2 x gian}", "unknown-parameter", 22, `"gain"`},
		{when, "when: {measure: weight, statistic: count, window: 3d, where: {above: 2 x gain}, at_least: 2 x gain}", "bad-number", 22, ""},
		{when, `when: {measure: weight, above: "100,5"}`, "bad-number", 22, "point"},
		{when, "when: {measure: weight, above: 1e400}", "unit-mismatch", 22, ""},
		{when, "when: {measure: blood-pressure, above: 160}", "missing-key", 22, "systolic"},
		{when, "when: {measure: blood-pressure, component: sistolic, above: 160}", "unknown-component", 22, `"systolic"`},
		{when, "when: {measure: weight, above: 100, clear: 99, margin: 1}", "not-together", 22, "remove"},
		{when, "when: {measure: weight, above: 100, margin: -1}", "bad-number", 22, ""},
		{when, "when: {measure: weight, above: 100, margin: 1 mmHg}", "unit-mismatch", 22, "kg"},
		{when, "when: {measure: weight, statistic: average, window: 3d, above: 100}", "unknown-statistic", 22, ""},
		{when, "when: {measure: weight, statistic: mean, above: 100}", "missing-key", 22, "window"},
		{when, "when: {measure: weight, statistic: mean, window: 900d, above: 100}", "bad-window", 22, ""},
		{when, "when: {measure: weight, where: {above: 3}, above: 100}", "not-together", 22, ""},
		{when, "when: {measure: weight, statistic: share, window: 3d, above: 50 %}", "missing-key", 22, "where"},
		{when, "when: {measure: weight, statistic: count, window: 3d, where: {}, above: 3}", "missing-key", 22, ""},
		{when, "when: {measure: weight, statistic: count, window: 3d, above: 2.5}", "bad-number", 22, ""},
		{when, "when: {measure: weight, statistic: gmi, window: 14d, above: 8 %}", "not-together", 22, "mean"},
		{when, "when: {measure: weight, gap: 3h, above: 8}", "not-together", 22, "lasting"},
		{when, "when: {measure: weight, days: 3, window: 3d, above: 8}", "not-together", 22, "window"},
		{when, "when: {measure: blood-pressure, component: systolic, statistic: mean, window: 3d, floor: 70 %, above: 8}", "no-cadence", 22, "every: 5m"},
		{when, "when: {measure: glucose, statistic: events, window: 24h, where: {below: 54}, at_least: 3}", "not-together", 22, "event:"},
		{when, "when: {all: []}", "wrong-shape", 22, ""},
		{when, "when: {all: [{measure: weight, above: 1}], measure: weight}", "wrong-shape", 22, ""},
		{when, "when: heavy", "wrong-shape", 22, "all:"},
		{"  - id: silent", "  - id: up", "twice", 25, ""},
		{"absence: {measure: weight, missing:", "absence: {measure: blood-pressure, missing:", "no-cadence", 28, "cadence"},
		{"absence: {measure: weight, missing:", "absence: {measure: blood-pressure, components: [systole], cadence: {times: 1, per: day}, missing:", "unknown-component", 28, `"systolic"`},
		{"absence: {measure: weight, missing: [{level: technical, periods: 2}]}", "absence: {measure: weight, missing: []}", "no-level", 28, ""},
		{"absence: {measure: weight, missing: [{level: technical, periods: 2}]}", "held_by: [ghost]", "unknown-rule", 28, ""},
		{"    origin: here\n    levels:", "    origin: here\n    held_by: [up]\n    levels:", "held-by-itself", 20, ""},
		{"rules:", "rules: []\nmore:", "no-rule", 16, ""},
	} {
		p, problems := language.Parse(node(t, protocoltest.With(c.line, c.instead)))
		if p != nil {
			t.Errorf("%s: the protocol is read in spite of it", c.instead)
		}
		saidInBoth(t, problems)
		found := false
		for _, problem := range problems {
			found = found || problem.Code == c.code && problem.Line == c.at && problem.Column > 0 && strings.Contains(problem.Suggestion.EN, c.suggests)
		}
		if !found {
			t.Errorf("%s: want %s on line %d suggesting %q; got %+v", c.instead, c.code, c.at, c.suggests, problems)
		}
	}
}

// What follows from a mistake is no second one, and the way out is that of the mistake.
func TestOneMistakeIsOneComplaint(t *testing.T) {
	for _, c := range []struct{ line, instead, code, suggests string }{
		{"clear: 1 kg", "margin: 0,5", "bad-number", "0.5"},
		{"window: 3d, above: gain", "window: 3, above: gain", "bad-duration", "3d"},
		{"window: 3d, above: gain", "window: 3 jours, above: gain", "bad-duration", "3d"},
		{"window: 3d, above: gain", "window: 0d, above: gain", "bad-window", "1d"},
		{"times: 1, per: day", "times: 0, per: day", "bad-number", ""},
		{"times: 1, per: day", "times: 1, per: month", "unknown-period", "week"},
		{"unit: kg, default: 2", "default: 2", "missing-key", ""},
		{"unit: kg, default: 2", "unit: stone, default: 2", "unknown-unit", ""},
		{"above: gain", "above: 1.5 * gain", "bad-number", "1.5 x gain"},
		{"above: gain", "above: gain x 1.5", "bad-number", "1.5 x gain"},
		{"above: gain", "above: \"1,5 x gain\"", "bad-number", "1.5 x gain"},
		{"- {measure: blood-pressure}", "- {measure: lactate-of-nobody}", "unknown-measure", ".measures.yaml"},
	} {
		_, problems := language.Parse(node(t, protocoltest.With(c.line, c.instead)))
		saidInBoth(t, problems)
		if len(problems) != 1 || problems[0].Code != c.code || !strings.Contains(problems[0].Suggestion.EN, c.suggests) {
			t.Errorf("%s: got %+v; want %s alone, suggesting %q", c.instead, problems, c.code, c.suggests)
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

func TestAWordOfAFileCannotBreakTheLineOfAComplaint(t *testing.T) {
	_, problems := language.Parse(node(t, protocoltest.With("icd10: I50", `icd10: "I\n\e[2J50"`)))
	if len(problems) != 1 || strings.ContainsAny(problems[0].Message.FR+problems[0].Message.EN, "\n\x1b") {
		t.Errorf("got %+v", problems)
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	text := strings.NewReplacer("too_late: 24h", "too_late: soon", "icd10: I50", "icd10: x", "level: yellow", "level: purple").Replace(protocoltest.Small)
	_, problems := language.Parse(node(t, text))
	if len(problems) != 3 {
		t.Errorf("got %d problems; want 3: %+v", len(problems), problems)
	}
}

func TestWhatIsNoProtocolIsRefused(t *testing.T) {
	for _, text := range []string{"", "a", "[]", "{}", "rules: 3", "id: [1]"} {
		if p, problems := language.Parse(node(t, text)); p != nil || len(problems) == 0 {
			t.Errorf("%q is read as a protocol", text)
		}
	}
}
