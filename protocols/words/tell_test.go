package words_test

import (
	"strings"
	"testing"

	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
	"vigie/protocols/trial"
)

// told plays readings under a rule with one condition and returns why it rang at its
// orange level.
func told(t *testing.T, level, readings string) *protocols.Explanation {
	t.Helper()
	const when = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}\n"
	p := parsed(t, strings.Replace(protocoltest.Small, when, level+"\n", 1))
	findings := played(t, p, "settings: {gain: 1.5}, readings: ["+readings+"]")
	for _, f := range findings {
		if f.Level == protocols.Orange && f.Explanation != nil {
			return f.Explanation
		}
	}
	t.Fatalf("it does not ring: %+v", findings)
	return nil
}

// played plays a test of a protocol, as it is written but for its name, and returns what it
// found.
func played(t *testing.T, p *protocols.Protocol, test string) []protocols.Finding {
	t.Helper()
	timelines, problems := language.ParseTimelines(p, node(t, "protocol: small\ntests:\n  - {name: a, "+test+", expect: []}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plan, err := engine.NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := trial.Play(&timelines[0], plan)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// What a nurse reads says before and after, when, and the usual; nothing that did not
// count, and nothing twice.
func TestWhatAnAlertSaysInShort(t *testing.T) {
	const days = "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 81, 82.1]}"
	const pressure = "{at: day 1 08:00, measure: blood-pressure, values: {systolic: 86, diastolic: 52, pulse: 90}}"
	for name, c := range map[string]struct{ level, readings, fr, en string }{
		"a rise": {"when: {measure: weight, statistic: rise, window: 3d, above: gain}", days,
			"poids + 2,1 kg en 2 jours (80 → 82,1 kg), alerte au-delà de + 1,5 kg", "body weight + 2.1 kg in 2 days (80 → 82.1 kg), rings beyond + 1.5 kg"},
		"a fall in per cent": {"when: {measure: weight, statistic: fall-percent, window: 3d, at_least: 2 %}", "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 78]}",
			"poids − 2,5 % en 1 jour (80 → 78 kg), alerte dès − 2 %", "body weight − 2.5% in 1 day (80 → 78 kg), rings from − 2%"},
		"a rise within a day": {"when: {measure: weight, statistic: rise, window: 7d, above: gain}", "{at: day 1 08:00, measure: weight, value: 80}, {at: day 1 20:00, measure: weight, value: 82}",
			"poids + 2 kg dans la journée (80 → 82 kg), alerte au-delà de + 1,5 kg", "body weight + 2 kg within the day (80 → 82 kg), rings beyond + 1.5 kg"},
		"a rise within hours": {"when: {measure: weight, statistic: rise, window: 24h, above: gain}", "{at: day 1 07:30, measure: weight, value: 80}, {at: day 1 20:07, measure: weight, value: 83}",
			"poids + 3 kg en 12 h 37 (80 → 83 kg), alerte au-delà de + 1,5 kg", "body weight + 3 kg in 12 h 37 min (80 → 83 kg), rings beyond + 1.5 kg"},
		"a rise within minutes": {"when: {measure: weight, statistic: rise, window: 24h, above: gain}", "{at: day 1 07:30, measure: weight, value: 80}, {at: day 1 08:35, measure: weight, value: 83}",
			"poids + 3 kg en 65 min (80 → 83 kg), alerte au-delà de + 1,5 kg", "body weight + 3 kg in 65 min (80 → 83 kg), rings beyond + 1.5 kg"},
		"a rise within whole hours": {"when: {measure: weight, statistic: rise, window: 24h, above: gain}", "{at: day 1 07:30, measure: weight, value: 80}, {at: day 1 20:30, measure: weight, value: 83}",
			"poids + 3 kg en 13 h (80 → 83 kg), alerte au-delà de + 1,5 kg", "body weight + 3 kg in 13 h (80 → 83 kg), rings beyond + 1.5 kg"},
		"a rise within seconds": {"when: {measure: weight, statistic: rise, window: 24h, above: gain}", "{at: day 1 07:30, every: 20s, measure: weight, value: [80, 83]}",
			"poids + 3 kg en moins d'une minute (80 → 83 kg), alerte au-delà de + 1,5 kg", "body weight + 3 kg within a minute (80 → 83 kg), rings beyond + 1.5 kg"},
		"a rise that a person can check": {"when: {measure: weight, statistic: rise, window: 3d, above: 1 kg}", "{at: day 1 08:00, every: 1d, measure: weight, value: [80.04, 81.46]}",
			"poids + 1,5 kg en 1 jour (80 → 81,5 kg), alerte au-delà de + 1 kg", "body weight + 1.5 kg in 1 day (80 → 81.5 kg), rings beyond + 1 kg"},
		"a mean of a window that is not full": {"when: {measure: weight, statistic: mean, window: 28d, above: 80 kg}", "{at: day 1 08:00, every: 1d, measure: weight, value: [79, 81, 81.5]}",
			"poids, moyenne 80,5 kg sur 3 jours, alerte au-dessus de 80 kg", "body weight, mean 80.5 kg over 3 days, rings above 80 kg"},
		"a mean of one reading": {"when: {measure: weight, statistic: mean, window: 28d, above: 80 kg}", "{at: day 1 08:00, measure: weight, value: 81}",
			"poids à 81 kg, alerte au-dessus de 80 kg", "body weight at 81 kg, rings above 80 kg"},
		"how often": {"when: {measure: weight, statistic: count, where: {above: 80}, window: 28d, at_least: 2}", "{at: day 1 08:00, every: 1d, measure: weight, value: [81, 82]}",
			"poids au-dessus de 80 kg, 2 fois en 28 jours, alerte dès 2", "body weight above 80 kg, twice in 28 days, rings from 2"},
		"against the usual": {"when: {measure: weight, minus: {statistic: mean, days: 2, ago: 1}, above: 1 kg}", days,
			"poids 82,1 kg, 1,6 kg de plus que d'habitude (80,5 kg), alerte au-delà de + 1 kg", "body weight 82.1 kg, 1.6 kg above the usual (80.5 kg), rings beyond + 1 kg"},
		"a level": {"when: {measure: blood-pressure, component: systolic, at_most: 90}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins", "systolic at 86 mmHg, rings at 90 mmHg or less"},
		"one of several": {"when: {any: [{measure: blood-pressure, component: systolic, at_most: 90}, {all: [{measure: blood-pressure, component: diastolic, at_most: 60}, {measure: blood-pressure, component: pulse, at_least: 131}]}]}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins", "systolic at 86 mmHg, rings at 90 mmHg or less"},
		"two of three signs": {"when: {at_least: 2, of: [{measure: blood-pressure, component: systolic, at_most: 90}, {measure: blood-pressure, component: diastolic, above: 60}, {measure: blood-pressure, component: pulse, at_least: 85}]}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins ; pouls à 90/min, alerte dès 85/min", "systolic at 86 mmHg, rings at 90 mmHg or less; pulse at 90/min, rings from 85/min"},
		"the same twice": {"when: {all: [{measure: blood-pressure, component: systolic, at_most: 90}, {measure: blood-pressure, component: systolic, at_most: 90}]}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins", "systolic at 86 mmHg, rings at 90 mmHg or less"},
		"under a negation": {"when: {not: {measure: blood-pressure, component: systolic, above: 90}}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins", "systolic at 86 mmHg, rings at 90 mmHg or less"},
		"enough data is no reason": {"when: {all: [{measure: blood-pressure, component: systolic, at_most: 90}, {measure: blood-pressure, statistic: days-covered, window: 7d, at_least: 1}]}", pressure,
			"systolique à 86 mmHg, alerte à 90 mmHg ou moins", "systolic at 86 mmHg, rings at 90 mmHg or less"},
	} {
		why := told(t, c.level, c.readings)
		said := why.Said()
		said.FR, _, _ = strings.Cut(said.FR, " (test")
		said.EN, _, _ = strings.Cut(said.EN, " (test")
		if said.FR != c.fr || said.EN != c.en {
			t.Errorf("%s: it says\n%s\n%s", name, said.FR, said.EN)
		}
	}
}

func TestTheAuthorsSentenceOfALevel(t *testing.T) {
	const level = `when: {any: [{measure: weight, statistic: rise, window: 3d, above: gain}, {measure: blood-pressure, component: systolic, at_most: 90}]}
        sentence: {fr: "{weight.change} {since} : {weight.before} puis {weight.now}", en: "{weight.change} {since}: {weight.before}, then {weight.now}"}
        advice: {fr: Appeler dans la journée, en: Call within the day}`
	why := told(t, level, "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 81, 82.1]}")
	if got := why.Said(); got.FR != "+ 2,1 kg en 2 jours : 80 kg puis 82,1 kg" || got.EN != "+ 2.1 kg in 2 days: 80 kg, then 82.1 kg" {
		t.Errorf("it says %+v", got)
	}
	if why.Advice.FR != "Appeler dans la journée" {
		t.Errorf("it advises %q", why.Advice.FR)
	}
	for what, want := range map[string]struct{ asked, fr, en string }{
		"two days":             {"statistic: mean, above: 80 kg, days: 2", "82,1 kg 2 jours de suite", "82.1 kg 2 days in a row"},
		"one day":              {"statistic: mean, above: 82 kg, days: 1", "82,1 kg sur 1 jour", "82.1 kg over 1 day"},
		"the reading before":   {"statistic: step, above: 1 kg", "82,1 kg depuis la mesure d'avant", "82.1 kg since the reading before"},
		"a window of two days": {"statistic: mean, window: 2d, above: 81.5 kg", "81,6 kg sur 2 jours", "81.6 kg over 2 days"},
	} {
		why := told(t, "when: {measure: weight, "+want.asked+"}\n        sentence: {fr: \"{now} {since}\", en: \"{now} {since}\"}", "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 81, 82.1, 82.1]}")
		if got := why.Said(); got.FR != want.fr || got.EN != want.en {
			t.Errorf("%s: it says %+v", what, got)
		}
	}
	// Where what came true fills no place, the short sentence stands instead.
	why = told(t, level, "{at: day 1 08:00, measure: blood-pressure, values: {systolic: 86, diastolic: 52}}")
	if got := why.Said().FR; got != "systolique à 86 mmHg, alerte à 90 mmHg ou moins" {
		t.Errorf("it says %q", got)
	}
}

// What stands in a place, in both languages.
func TestThePlacesOfASentenceAreFilled(t *testing.T) {
	const pressure = "{at: day 2 08:05, measure: blood-pressure, values: {systolic: 86, diastolic: 52, pulse: 90}}"
	const answers = "{at: day 1 08:00, every: 1d, measure: symptom, values: {breathlessness: [1, 3], cough: [0, 2]}}"
	for name, c := range map[string]struct{ when, readings, fr, en string }{
		"both numbers of a pressure": {"when: {measure: blood-pressure, component: systolic, at_most: 90}\n        sentence: {fr: \"{blood-pressure.now} {at}, alerte {limit}\", en: \"{blood-pressure.now} {at}, rings {limit}\"}", pressure,
			"86/52 mmHg à 08:05, alerte à 90 mmHg ou moins", "86/52 mmHg at 08:05, rings at 90 mmHg or less"},
		"which readings count, and who said so": {"when: {measure: weight, statistic: count, window: 3d, where: {at_least: 40 x gain}, at_least: 2}\n        sentence: {fr: \"{count:pesée|pesées} {bound}\", en: \"{count:weight|weights} {bound}\"}", "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 83]}",
			"2 pesées à 60 kg ou plus (test 05/01/2026)", "2 weights at 60 kg or more (test 5 Jan 2026)"},
		"which of both numbers rings": {"when: {measure: blood-pressure, component: diastolic, at_most: 60}\n        sentence: {fr: \"{blood-pressure.now}, alerte {limit}\", en: \"{blood-pressure.now}, rings {limit}\"}", pressure,
			"86/52 mmHg, alerte à 60 mmHg de diastolique ou moins", "86/52 mmHg, rings at 60 mmHg diastolic or less"},
		"who set the limit": {"when: {measure: weight, statistic: rise, window: 3d, above: gain}\n        sentence: {fr: \"{weight.change}, alerte {limit}\", en: \"{weight.change}, rings {limit}\"}", "{at: day 1 08:00, every: 1d, measure: weight, value: [80, 83]}",
			"+ 3 kg, alerte au-delà de + 1,5 kg (test 05/01/2026)", "+ 3 kg, rings beyond + 1.5 kg (test 5 Jan 2026)"},
		"the words of a grade": {"when: {measure: symptom, component: breathlessness, statistic: rise, window: 3d, at_least: 1}\n        sentence: {fr: \"de {before} à {now} : {words}\", en: \"from {before} to {now}: {words}\"}", answers,
			"De 1 à 3 : au repos", "From 1 to 3: at rest"},
		"everything that made it ring": {"when: {all: [{measure: symptom, component: breathlessness, statistic: rise, window: 3d, at_least: 1}, {any: [{measure: symptom, component: cough, at_least: 2}, {measure: symptom, component: oedema, at_least: 2}]}]}\n        sentence: {fr: \"{reasons}.\", en: \"{reasons}.\"}", answers,
			"Essoufflement de 1 à 3 sur 3 en 1 jour ; toux à 2 sur 3 (souvent).", "Breathlessness from 1 to 3 of 3 in 1 day; cough at 2 of 3 (often)."},
		"a result of which the day is known": {"when: {measure: potassium, window: 1d, at_most: 3}\n        sentence: {fr: \"{potassium.now} {at}\", en: \"{potassium.now} {at}\"}", "{at: day 1, measure: potassium, value: 2.4}",
			"2,4 mmol/L le 5 janv.", "2.4 mmol/L on 5 Jan"},
		"another day than that of the alert": {"when: {all: [{measure: symptom, component: cough, window: 48h, at_least: 2}, {measure: blood-pressure, component: systolic, window: 48h, at_most: 90}]}\n        sentence: {fr: \"toux {cough.at}, tension {blood-pressure.at}\", en: \"cough {cough.at}, pressure {blood-pressure.at}\"}", "{at: day 1 20:00, measure: symptom, values: {cough: 2}}, " + pressure,
			"Toux le 5 janv. à 20:00, tension à 08:05", "Cough on 5 Jan at 20:00, pressure at 08:05"},
	} {
		if got := told(t, c.when, c.readings).Said(); got.FR != c.fr || got.EN != c.en {
			t.Errorf("%s: it says\n%s\n%s", name, got.FR, got.EN)
		}
	}
}

// A part of a condition has its own sentence: of any, the first that is true says what the alert
// says, whatever the others would say, and the level's own where that part has none.
func TestAPartOfAConditionHasItsOwnSentence(t *testing.T) {
	const level = `when:
          any:
            - {measure: weight, statistic: rise, window: 3d, above: gain}
            - all:
                - {measure: blood-pressure, component: systolic, at_most: 90, sentence: {fr: "{blood-pressure.now}, pouls {pulse.now}", en: "{blood-pressure.now}, pulse {pulse.now}"}}
                - {measure: blood-pressure, component: pulse, at_least: 85}
        sentence: {fr: "{weight.change}", en: "{weight.change}"}`
	const low = "{at: day 2 08:00, measure: blood-pressure, values: {systolic: 86, diastolic: 52, pulse: 90}}"
	for readings, want := range map[string]string{
		low: "86/52 mmHg, pouls 90/min",
		"{at: day 1 08:00, every: 1d, measure: weight, value: [80, 82]}": "+ 2 kg",
		"{at: day 1 07:00, every: 1d, measure: weight, value: [80, 82]}": "+ 2 kg",
		low + ", {at: day 1 08:00, measure: weight, value: 80}":          "86/52 mmHg, pouls 90/min",
	} {
		if got := told(t, level, readings).Said().FR; got != want {
			t.Errorf("%s: it says %q, want %q", readings, got, want)
		}
	}
}

// A title holds the patient's own setting where a patient is known, and the default elsewhere.
func TestATitleHoldsThePatientsSetting(t *testing.T) {
	p := parsed(t, strings.Replace(protocoltest.Small, "title: {fr: Hausse, en: Rise}", "title: {fr: \"Hausse (> {gain})\", en: \"Rise (> {gain})\"}", 1))
	rule := &p.Rules[0]
	if rule.Title.FR != "Hausse (> 2 kg)" || rule.Title.EN != "Rise (> 2 kg)" {
		t.Errorf("elsewhere it is called %+v", rule.Title)
	}
	for _, f := range played(t, p, "settings: {gain: 1.5}, readings: [{at: day 1 08:00, every: 1d, measure: weight, value: [80, 82]}]") {
		if e := f.Explanation; e != nil && e.Rule == rule.ID {
			if e.Title.FR != "Hausse (> 1,5 kg)" || e.Title.EN != "Rise (> 1.5 kg)" || !strings.HasPrefix(e.Summary.FR, "Hausse (> 1,5 kg) : ") || strings.Contains(e.Said().FR, "Hausse") {
				t.Errorf("the alert is called %+v and says %+v", e.Title, e.Summary)
			}
			return
		}
	}
	t.Error("it does not ring")
}

// What counted is told one by one: hour and value, the day where hours alone would not tell
// when, the gravest value of an event, and no more than a sentence holds.
func TestWhatCountedIsToldOneByOne(t *testing.T) {
	says := func(noun string) string {
		return "\n        sentence: {fr: \"" + noun + " : {each}.\", en: \"" + noun + ": {each}.\"}"
	}
	glucose := func(c string) string { return "when: {measure: glucose, " + c + "}" + says("{count}") }
	const lows = "{at: day 1 22:40, measure: glucose, variant: capillary, value: 45}, {at: day 1 23:10, measure: glucose, variant: capillary, value: 90}, {at: day 2 01:12, measure: glucose, variant: capillary, value: 42}"
	const long = "{at: day 1 22:30, every: 5m, measure: glucose, variant: interstitial, value: [80, 53, 50, 47, 52, 60, 75, 90, 95, 100]}"
	for name, c := range map[string]struct{ when, readings, fr, en string }{
		"two in a day": {glucose("statistic: count, window: 24h, where: {below: 54}, at_least: 2"), lows,
			"2 : 22:40 (45) et 01:12 (42).", "2: 22:40 (45) and 01:12 (42)."},
		"two in a week": {glucose("statistic: count, window: 7d, where: {below: 54}, at_least: 2"), lows,
			"2 : 5 janv. 22:40 (45) et 6 janv. 01:12 (42).", "2: 5 Jan 22:40 (45) and 6 Jan 01:12 (42)."},
		"a day is said once": {glucose("statistic: count, window: 48h, where: {below: 54}, at_least: 3"), "{at: day 1 08:00, every: 3h, measure: glucose, value: [45, 53.996, 43]}",
			"3 : 5 janv. 08:00 (45), 11:00 (53,996) et 14:00 (43).", "3: 5 Jan 08:00 (45), 11:00 (53.996) and 14:00 (43)."},
		"a recheck is the same one, and its lowest value counts": {glucose("statistic: count, window: 24h, where: {below: 54}, apart: 30m, at_least: 2"),
			"{at: day 1 08:00, every: 5m, measure: glucose, value: [50, 44, 48]}, {at: day 1 12:30, measure: glucose, value: 53}", "2 : 08:00 (44) et 12:30 (53).", "2: 08:00 (44) and 12:30 (53)."},
		"the lowest of an event": {glucose("variant: interstitial, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 15m, gap: 20m}, at_least: 2"),
			long + ", {at: day 2 03:00, every: 5m, measure: glucose, variant: interstitial, value: [53, 51, 52, 40]}", "2 : 22:35 (47) et 03:00 (40).", "2: 22:35 (47) and 03:00 (40)."},
		"the highest of what is too high": {glucose("statistic: streak, where: {at_least: 250}, at_least: 2"), "{at: day 1 08:00, every: 1h, measure: glucose, value: [100, 260, 300]}",
			"2 : 09:00 (260) et 10:00 (300).", "2: 09:00 (260) and 10:00 (300)."},
		"more than a sentence holds": {glucose("statistic: count, window: 24h, where: {below: 54}, at_least: 7"), "{at: day 1 08:00, every: 1h, measure: glucose, value: [41, 42, 43, 44, 45, 46, 47]}",
			"7 : 10:00 (43), 11:00 (44), 12:00 (45), 13:00 (46), 14:00 (47) et 2 autres avant.", "7: 10:00 (43), 11:00 (44), 12:00 (45), 13:00 (46), 14:00 (47) and 2 others before."},
		"a day without an hour": {"when: {measure: potassium, statistic: count, window: 30d, where: {at_most: 3}, at_least: 2}" + says("{count}"), "{at: day 1, measure: potassium, value: 2.4}, {at: day 3, measure: potassium, value: 2.9}",
			"2 : 5 janv. (2,4) et 7 janv. (2,9).", "2: 5 Jan (2.4) and 7 Jan (2.9)."},
		"what was measured at noon": {glucose("statistic: count, window: 2d, where: {below: 54}, at_least: 2"), "{at: day 1 12:00, measure: glucose, value: 45}, {at: day 2 08:00, measure: glucose, value: 42}",
			"2 : 5 janv. 12:00 (45) et 6 janv. 08:00 (42).", "2: 5 Jan 12:00 (45) and 6 Jan 08:00 (42)."},
		"what happened": {"when: {measure: implant, component: shock, statistic: sum, window: 24h, at_least: 2}" + says("{count}"), "{at: day 1 03:12, measure: implant, values: {shock: 1}}, {at: day 1 03:15, measure: implant, values: {shock: 2}}",
			"3 : 03:12 et 03:15 (2).", "3: 03:12 and 03:15 (2)."},
	} {
		if got := told(t, c.when, c.readings).Said(); got.FR != c.fr || got.EN != c.en {
			t.Errorf("%s: it says\n%s\n%s", name, got.FR, got.EN)
		}
	}
}

// Reasons about one number say its name and its value once, whether the author's sentence
// holds them or Vigie puts them together, and of many the first four are said.
func TestReasonsSayANumberOnce(t *testing.T) {
	const falling = "{at: day 1 08:00, every: 1d, measure: blood-pressure, values: {systolic: [150, 150, 150, 99, 98], diastolic: 60}}"
	const low = "{measure: blood-pressure, component: systolic, below: 100}, {measure: blood-pressure, component: systolic, minus: {statistic: median, days: 14, ago: 1, at_least: 3}, below: -20}, {measure: blood-pressure, component: systolic, statistic: streak, where: {below: 100}, at_least: 2}"
	const reasons = "\n        sentence: {fr: \"{reasons}.\", en: \"{reasons}.\"}"
	for name, c := range map[string]struct{ level, readings, fr, en string }{
		"three ways of one number": {"when: {all: [" + low + "]}" + reasons, falling,
			"Systolique à 98 mmHg, 52 mmHg de moins que d'habitude (150 mmHg), sous 100 mmHg, 2 fois de suite : 8 janv. 08:00 (99) et 9 janv. 08:00 (98).",
			"Systolic at 98 mmHg, 52 mmHg below the usual (150 mmHg), below 100 mmHg, twice in a row: 8 Jan 08:00 (99) and 9 Jan 08:00 (98)."},
		"put together": {"when: {all: [" + low + "]}", falling,
			"systolique à 98 mmHg, alerte sous 100 mmHg ; 52 mmHg de moins que d'habitude (150 mmHg), alerte au-delà de − 20 mmHg ; sous 100 mmHg, 2 fois de suite, alerte dès 2",
			""},
		"one reading over two windows": {"when: {any: [{measure: blood-pressure, component: systolic, statistic: mean, window: 3d, at_least: 150}, {measure: blood-pressure, component: systolic, statistic: mean, window: 24h, at_least: 150}]}" + reasons,
			"{at: day 1 08:00, measure: blood-pressure, values: {systolic: 150, diastolic: 80}}", "", ""},
	} {
		said := told(t, c.level, c.readings).Said()
		if name == "one reading over two windows" {
			if strings.Count(said.FR, "150") != 1 || strings.Count(said.EN, "150") != 1 {
				t.Errorf("%s: it says\n%s\n%s", name, said.FR, said.EN)
			}
			continue
		}
		if said.FR != c.fr || c.en != "" && said.EN != c.en {
			t.Errorf("%s: it says\n%s\n%s", name, said.FR, said.EN)
		}
	}
	var all []string
	for _, c := range []string{"cough", "sputum", "fatigue", "oedema", "dizziness", "chest-pain"} {
		all = append(all, "{measure: symptom, component: "+c+", at_least: 2}")
	}
	many := told(t, "when: {all: ["+strings.Join(all, ", ")+"]}"+reasons, "{at: day 1 08:00, measure: symptom, values: {cough: 2, sputum: 2, fatigue: 2, oedema: 2, dizziness: 2, chest-pain: 2}}").Said()
	if !strings.HasSuffix(many.FR, " ; et 2 autres signes.") || strings.Count(many.FR, ";") != 4 || !strings.HasSuffix(many.EN, "; and 2 other signs.") {
		t.Errorf("of six signs it says %s\n%s", many.FR, many.EN)
	}
}
