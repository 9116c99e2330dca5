package words_test

import (
	"strings"
	"testing"

	"vigie/protocols"
	"vigie/protocols/protocoltest"
	"vigie/protocols/words"
)

// lines is everything that a sheet says.
func lines(sheet *words.Sheet) string {
	all := append([]string{sheet.Title}, sheet.Lead...)
	for _, part := range sheet.Parts {
		all = append(append(all, part.Heading), part.Lines...)
		for _, item := range part.Items {
			all = append(append(all, item.Title), item.Lines...)
		}
	}
	return strings.Join(all, "\n")
}

func TestConditionsReadAsSentences(t *testing.T) {
	for _, c := range []struct{ when, fr, en string }{
		{"{measure: blood-pressure, component: systolic, above: 160, clear: 140}",
			"systolique au-dessus de 160 mmHg (fin en dessous de 140 mmHg)", "systolic above 160 mmHg (ends below 140 mmHg)"},
		{"{measure: weight, statistic: rise, window: 4d, above: gain}",
			"poids en hausse de plus de 2 kg (réglable) sur 4 jours", "body weight rising by more than 2 kg (may be set) over 4 days"},
		{"{measure: oxygen-saturation, minus: {statistic: median, days: 14, ago: 1, at_least: 3}, at_most: -4 %, margin: 1 %}",
			"saturation en oxygène 4 points ou plus au-dessous de l'habituel (médiane des 14 jours jusqu'à hier, dès 3 jours mesurés) (fin 1 point plus haut)",
			"oxygen saturation 4 points or more below the usual (median of the 14 days up to yesterday, from 3 days measured on) (ends 1 point higher)"},
		{"{measure: weight, statistic: days-covered, window: 3d, at_least: 1}", "une mesure au moins de poids sur 3 jours", "at least one reading of body weight over 3 days"},
		{"{measure: temperature, below: 35, margin: 0.5}", "température en dessous de 35 °C (fin 0,5 °C plus haut)", "body temperature below 35 °C (ends 0.5 °C higher)"},
		{"{measure: glucose, variant: interstitial, minus_measure: {measure: glucose, variant: capillary, within: 15m}, above: 40}",
			"écart entre glucose interstitiel et glucose capillaire, mesurés à 15 min d'écart au plus, au-dessus de 40 mg/dL",
			"difference between interstitial glucose and capillary glucose, measured at most 15 min apart, above 40 mg/dL"},
		{"{measure: glucose, variant: interstitial, minus_measure: {measure: glucose, variant: capillary, within: 15m, as: percent}, below: -30}",
			"écart entre glucose interstitiel et glucose capillaire, mesurés à 15 min d'écart au plus, en % de celui-ci, en dessous de −30 %",
			"difference between interstitial glucose and capillary glucose, measured at most 15 min apart, in % of the latter, below −30%"},
		{"{measure: glucose, variant: interstitial, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 15m}, at_least: 3}",
			"au moins 3 épisodes de glucose interstitiel en dessous de 54 mg/dL, d'au moins 15 min (fin après 15 min de retour), en 24 h",
			"at least 3 events of interstitial glucose below 54 mg/dL, for at least 15 min (over after 15 min back), in 24 h"},
		{"{measure: glucose, variant: interstitial, statistic: share, window: 14d, where: {at_least: 70, at_most: 180}, below: 70 %, floor: 70 %}",
			"part des mesures de glucose interstitiel à 70 mg/dL ou plus et à 180 mg/dL ou moins sur 14 jours : en dessous de 70 %, si au moins 70 % des mesures attendues sont là",
			"share of readings of interstitial glucose at 70 mg/dL or more and at 180 mg/dL or less over 14 days: below 70%, when at least 70% of the expected readings are there"},
		{"{measure: weight, statistic: mean, above: 100, days: 3}", "poids (moyenne du jour) au-dessus de 100 kg, 3 jours de suite", "body weight (mean of the day) above 100 kg, 3 days in a row"},
		{"{measure: weight, statistic: mean, window: 3d, minus: {statistic: median, days: 14, ago: 4}, above: 1.5}",
			"poids (moyenne sur 3 jours) plus de 1,5 kg au-dessus de l'habituel (médiane des 14 jours jusqu'à il y a 4 jours)",
			"body weight (mean over 3 days) more than 1.5 kg above the usual (median of the 14 days up to 4 days ago)"},
		{"{measure: dialysis-session, component: weight-end, minus_component: dry-weight, above: 1}",
			"poids à la fin moins poids sec (séance de dialyse) au-dessus de 1 kg", "weight at the end minus dry weight (dialysis session) above 1 kg"},
		{"{measure: dialysis-session, component: weight-end, minus_component: dry-weight, statistic: median, window: 14d, above: 1}",
			"poids à la fin moins poids sec (séance de dialyse, médiane sur 14 jours) au-dessus de 1 kg", "weight at the end minus dry weight (dialysis session, median over 14 days) above 1 kg"},
		{"{measure: symptom, component: breathlessness, statistic: change, window: 3d, at_least: 1}",
			"essoufflement en hausse de 1 ou plus de la première à la dernière mesure sur 3 jours", "breathlessness rising by 1 or more from the first to the last reading over 3 days"},
		{"{measure: symptom, component: breathlessness, statistic: days-covered, window: 3d, below: 1}",
			"aucune mesure d'essoufflement sur 3 jours", "no reading of breathlessness over 3 days"},
		{"{measure: symptom, component: breathlessness, statistic: step, at_most: -2}",
			"essoufflement (écart avec la mesure d'avant) à −2 ou moins", "breathlessness (change from the reading before) at −2 or less"},
		{"{measure: symptom, component: breathlessness, statistic: count, window: 3d, where: {at_least: 2}, at_least: 3}",
			"au moins 3 mesures d'essoufflement à 2 ou plus sur 3 jours", "at least 3 readings of breathlessness at 2 or more over 3 days"},
		{"{measure: pill-dispenser, component: missed, statistic: streak, where: {at_least: 1}, at_least: 2}",
			"au moins 2 fois de suite « dose oubliée »", "at least 2 times in a row “dose missed”"},
		{"{all: [{measure: weight, above: 100}, {any: [{measure: weight, below: 120}, {not: {measure: temperature, below: 38}}]}]}",
			"poids au-dessus de 100 kg, et (poids en dessous de 120 kg, ou température à 38 °C ou plus)",
			"body weight above 100 kg, and (body weight below 120 kg, or body temperature at 38 °C or more)"},
		{"{at_least: 2, of: [{measure: weight, above: 100}, {any: [{measure: weight, below: 50}, {measure: weight, below: 40}]}, {measure: temperature, above: 38}]}",
			"au moins 2 de ces 3 signes :\n\tpoids au-dessus de 100 kg\n\tpoids en dessous de 50 kg, ou poids en dessous de 40 kg\n\ttempérature au-dessus de 38 °C",
			"at least 2 of these 3 signs:\n\tbody weight above 100 kg\n\tbody weight below 50 kg, or body weight below 40 kg\n\tbody temperature above 38 °C"},
		{"{score: [{points: 2, when: {measure: weight, above: 100}}, {points: 1.5, when: {any: [{measure: heart-rate, above: 90}, {measure: temperature, above: 38}]}}], at_least: 3, margin: 1}",
			"au moins 3 points (fin 1 point plus bas) :\n\t2 points si poids au-dessus de 100 kg\n\t1,5 point si fréquence cardiaque au-dessus de 90/min, ou température au-dessus de 38 °C",
			"at least 3 points (ends 1 point lower):\n\t2 points when body weight above 100 kg\n\t1.5 points when heart rate above 90/min, or body temperature above 38 °C"},
		{"{not: {at_least: 3, of: [{measure: weight, above: 100}, {measure: temperature, above: 38}, {measure: heart-rate, above: 90}, {measure: weight, below: 50}]}}",
			"au moins 2 de ces 4 signes :\n\tpoids à 100 kg ou moins\n\ttempérature à 38 °C ou moins\n\tfréquence cardiaque à 90/min ou moins\n\tpoids à 50 kg ou plus",
			"at least 2 of these 4 signs:\n\tbody weight at 100 kg or less\n\tbody temperature at 38 °C or less\n\theart rate at 90/min or less\n\tbody weight at 50 kg or more"},
		{"{not: {all: [{measure: weight, above: 100}, {any: [{measure: weight, below: 120}, {not: {measure: temperature, at_most: 38}}]}]}}",
			"poids à 100 kg ou moins, ou (poids à 120 kg ou plus, et température à 38 °C ou moins)",
			"body weight at 100 kg or less, or (body weight at 120 kg or more, and body temperature at 38 °C or less)"},
		{"{all: [{measure: weight, above: 100}, {not: {any: [{measure: weight, statistic: rise, window: 3d, above: 2}, {measure: temperature, above: 38, clear: 37}]}}]}",
			"tout cela à la fois :\n\tpoids au-dessus de 100 kg\n\tpoids en hausse de 2 kg ou moins sur 3 jours\n\tsans (température au-dessus de 38 °C (fin en dessous de 37 °C))",
			"all of these:\n\tbody weight above 100 kg\n\tbody weight rising by 2 kg or less over 3 days\n\tnot (body temperature above 38 °C (ends below 37 °C))"},
		{"{measure: glucose, variant: interstitial, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 10m, until: {at_least: 70}}, at_least: 3}",
			"au moins 3 épisodes de glucose interstitiel en dessous de 54 mg/dL, d'au moins 15 min (fin après 10 min à 70 mg/dL ou plus), en 24 h", "at least 3 events of interstitial glucose below 54 mg/dL, for at least 15 min (over after 10 min at 70 mg/dL or more), in 24 h"},
		{"{not: {measure: weight, above: 100, lasting: 1h}}", "sans (poids au-dessus de 100 kg, pendant au moins 1 h)", "not (body weight above 100 kg, for at least 1 h)"},
		{"{not: {measure: weight, statistic: mean, above: 100, days: 3}}", "sans (poids (moyenne du jour) au-dessus de 100 kg, 3 jours de suite)", "not (body weight (mean of the day) above 100 kg, 3 days in a row)"},
		{"{measure: pill-dispenser, component: missed, at_least: 1}", "« dose oubliée » signalé", "“dose missed” reported"},
		{"{not: {measure: pill-dispenser, component: missed, at_least: 1}}", "« dose oubliée » non signalé", "“dose missed” not reported"},
		{"{measure: pill-dispenser, component: taken, statistic: count, window: 3d, where: {below: 1}, at_least: 2}", "au moins 2 fois « dose prise » non signalé sur 3 jours", "at least 2 times “dose taken” not reported over 3 days"},
		{"{measure: pill-dispenser, component: taken, statistic: count, window: 3d, at_least: 2}", "au moins 2 mesures de dose prise sur 3 jours", "at least 2 readings of dose taken over 3 days"},
		{"{measure: glucose, statistic: events, window: 24h, where: {below: 54}, event: {lasting: 15m, ending: 10m, gap: 20m}, at_least: 1}",
			"au moins 1 épisode de glucose en dessous de 54 mg/dL, d'au moins 15 min (fin après 10 min de retour ou 20 min de silence), en 24 h",
			"at least 1 event of glucose below 54 mg/dL, for at least 15 min (over after 10 min back or 20 min of silence), in 24 h"},
		{"{measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, above: 1.5}",
			"poids plus de 1,5 kg au-dessus de l'habituel (médiane des 14 jours jusqu'à hier, dès 7 jours mesurés)",
			"body weight more than 1.5 kg above the usual (median of the 14 days up to yesterday, from 7 days measured on)"},
		{"{measure: weight, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 0.4 kg}, above: 2.5}",
			"écart entre poids et la moyenne des 28 jours jusqu'à hier (si au moins 10 jours ont une mesure), en écarts habituels d'un jour à l'autre (0,4 kg au moins), au-dessus de 2,5",
			"difference between body weight and the mean of the 28 days up to yesterday (when at least 10 days have a reading), in usual deviations from day to day (at least 0.4 kg), above 2.5"},
		{"{measure: weight, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 0.4 kg, most: 0.8 kg}, above: 2.5}",
			"écart entre poids et la moyenne des 28 jours jusqu'à hier (si au moins 10 jours ont une mesure), en écarts habituels d'un jour à l'autre (0,4 kg au moins, 0,8 kg au plus), au-dessus de 2,5",
			"difference between body weight and the mean of the 28 days up to yesterday (when at least 10 days have a reading), in usual deviations from day to day (at least 0.4 kg, at most 0.8 kg), above 2.5"},
		{"{measure: weight, statistic: mean, window: 3d, minus: {statistic: median, days: 28, ago: 3, as: percent}, at_most: -5 %}",
			"écart entre poids (moyenne sur 3 jours) et la médiane des 28 jours jusqu'à il y a 3 jours, en % de celle-ci, à −5 % ou moins",
			"difference between body weight (mean over 3 days) and the median of the 28 days up to 3 days ago, in % of it, at −5% or less"},
		{"{measure: glucose, variant: capillary, hours: {from: \"05:00\", to: \"09:30\"}, statistic: count, window: 7d, where: {at_least: 95}, at_least: 3}",
			"au moins 3 mesures de glucose capillaire entre 5 h et 9 h 30 à 95 mg/dL ou plus sur 7 jours",
			"at least 3 readings of capillary glucose between 5:00 and 9:30 at 95 mg/dL or more over 7 days"},
		{"{measure: glucose, variant: capillary, meal: after-2h, statistic: count, window: 7d, where: {at_least: 120}, at_least: 3}",
			"au moins 3 mesures de glucose capillaire 2 h après un repas à 120 mg/dL ou plus sur 7 jours",
			"at least 3 readings of capillary glucose 2 h after a meal at 120 mg/dL or more over 7 days"},
		{"{measure: blood-pressure, flag: irregular-pulse, statistic: count, window: 7d, where: {at_least: 1}, at_least: 3}",
			"au moins 3 fois « pouls irrégulier (pression artérielle) » sur 7 jours",
			"at least 3 times “irregular pulse (blood pressure)” over 7 days"},
		{"{measure: weight, statistic: rise, window: 4d, above: 1.5 x gain}",
			"poids en hausse de plus de 3 kg (1,5 fois 2 kg, réglable) sur 4 jours",
			"body weight rising by more than 3 kg (1.5 times 2 kg, may be set) over 4 days"},
		{"{measure: oxygen-saturation, at_most: 88, lasting: 10m, gap: 2m}",
			"saturation en oxygène à 88 % ou moins, pendant au moins 10 min (sans silence de plus de 2 min)",
			"oxygen saturation at 88% or less, for at least 10 min (without a silence of more than 2 min)"},
	} {
		p := parsed(t, protocoltest.With("when: {measure: weight, above: 100 kg}", "when: "+c.when))
		if text := lines(words.Show(p, nil, "fr")); !strings.Contains(text, "À surveiller : "+ended(c.fr)) {
			t.Errorf("%s is not said as %q in\n%s", c.when, c.fr, text)
		}
		if text := lines(words.Show(p, nil, "en")); !strings.Contains(text, "To be watched (yellow): "+ended(c.en)) {
			t.Errorf("%s is not said as %q in\n%s", c.when, c.en, text)
		}
	}
}

// ended is a condition as a line of a sheet; one that is a list has no full stop.
func ended(condition string) string {
	if strings.Contains(condition, "\n") {
		return condition + "\n"
	}
	return condition + "."
}

func TestAParameterThatMustBeSetIsShownWithoutADefault(t *testing.T) {
	p := parsed(t, protocoltest.With("origin: here}", "origin: here, must_be_set: true}"))
	for language, want := range map[string]string{"fr": "À régler pour chaque patient, de 1 à 5 kg : personne n'est suivi sans.", "en": "To be set for each patient, from 1 to 5 kg: nobody is followed without."} {
		said := lines(words.Show(p, nil, language))
		if !strings.Contains(said, want) || strings.Contains(said, "par défaut") || strings.Contains(said, "by default") {
			t.Errorf("it shows %s", said)
		}
	}
}

func TestThePatientsOwnSettingsAreInPlace(t *testing.T) {
	settings := protocols.Settings{"gain": {Value: 1500, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z"), Reason: "petit gabarit"}}
	text := lines(words.Show(parsed(t, protocoltest.Small), settings, "fr"))
	for _, want := range []string{"Prise : 1,5 kg", "Réglé par Dr Martin le 01/03/2026 : petit gabarit", "plus de 1,5 kg (réglé pour ce patient)", "2 kg par défaut"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said in\n%s", want, text)
		}
	}
}

// A setting without a date is one that somebody proposes, on a command line.
func TestASettingThatIsProposedIsNobodys(t *testing.T) {
	text := lines(words.Show(parsed(t, protocoltest.Small), protocols.Settings{"gain": {Value: 1500, Author: "vigie replay"}}, "fr"))
	if !strings.Contains(text, "plus de 1,5 kg (proposé)") || !strings.Contains(text, "Valeur proposée") || strings.Contains(text, "Réglé par") {
		t.Errorf("not said in\n%s", text)
	}
}

func TestAnExampleSaysThatNobodyHasValidatedIt(t *testing.T) {
	if text := lines(words.Show(parsed(t, protocoltest.Small), nil, "fr")); !strings.Contains(text, "aucun professionnel ne l'a encore validé") {
		t.Errorf("not said in\n%s", text)
	}
	validated := parsed(t, protocoltest.With("status: example", "status: validated\nvalidated_by: Dr Martin\nvalidated_on: 2026-03-01"))
	if text := lines(words.Show(validated, nil, "fr")); !strings.Contains(text, "Validé par Dr Martin le 01/03/2026") {
		t.Errorf("not said in\n%s", text)
	}
}

func TestDiffSaysWhatChangesForThePatient(t *testing.T) {
	before := parsed(t, protocoltest.Small)
	text := strings.NewReplacer(
		"version: \"1\"", "version: \"2\"", "default: 2,", "default: 3,", "above: 100 kg", "above: 110 kg",
		"id: silent", "id: quiet", "orange: 8h", "orange: 4h", "{fr: Bonjour, en: Hello}", "{fr: Bonsoir, en: Good evening}",
	).Replace(protocoltest.Small)
	said := lines(words.Diff(before, parsed(t, text), "fr"))
	for _, want := range []string{
		"De small version 1 à small version 2",
		"Ce que le patient lit — avant : Bonjour", "Ce que le patient lit — maintenant : Bonsoir",
		"Changé : Prise : 3 kg", "Avant : Prise : 2 kg",
		"Changé : Hausse", "Avant : À surveiller : poids au-dessus de 100 kg.", "Maintenant : À surveiller : poids au-dessus de 110 kg.",
		"Nouveau : Silence", "Supprimé : Silence",
		"Avant : À traiter : dans les 8 h d'ouverture de l'équipe.", "Maintenant : À traiter : dans les 4 h d'ouverture de l'équipe.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in\n%s", want, said)
		}
	}
	other := strings.Replace(protocoltest.With("above: gain", "above: other-gain"), "parameters:\n", "parameters:\n  other-gain: {title: Autre, unit: kg, default: 2, min: 1, max: 5, origin: here}\n", 1)
	if said := lines(words.Diff(before, parsed(t, other), "fr")); !strings.Contains(said, "plus de 2 kg (réglable : prise)") || !strings.Contains(said, "plus de 2 kg (réglable : Autre)") {
		t.Errorf("another setting of the same number is not told in\n%s", said)
	}
	if same := words.Diff(before, before, "fr"); len(same.Parts) != 0 || !strings.Contains(lines(same), "Rien ne change") {
		t.Errorf("a protocol differs from itself:\n%s", lines(same))
	}
}

// A line of danger that a protocol leaves unheard is printed with its number and the reason,
// for whoever signs.
func TestShowPrintsWhichDangerDoesNotRing(t *testing.T) {
	p := parsed(t, protocoltest.With("{measure: blood-pressure}", "{measure: blood-pressure, silent: {pulse-slow: {fr: stimulateur, en: paced}}}"))
	for language, want := range map[string]string{
		"fr": "pouls à 40/min ou moins : affiché, ne sonne pas (stimulateur)",
		"en": "pulse at 40/min or less: shown, never rings (paced)",
	} {
		if said := lines(words.Show(p, nil, language)); !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}

// A person reads each kind of device by its name, and a measure of one number once.
func TestShowCallsThingsByTheirNamesOnce(t *testing.T) {
	p := parsed(t, strings.NewReplacer("{kind: scale}", "{kind: coagulometer}", "  - {measure: blood-pressure}\n", "  - {measure: inr, silent: {value: {fr: pour le médecin, en: for the physician}}}\n").Replace(protocoltest.Small))
	for language, wants := range map[string][]string{
		"fr": {"Appareils admis : lecteur d'INR.", "INR : affiché, ne sonne pas (pour le médecin)."},
		"en": {"Devices admitted: INR meter.", "INR: shown, never rings (for the physician)."},
	} {
		for _, want := range wants {
			if said := lines(words.Show(p, nil, language)); !strings.Contains(said, want) || strings.Contains(said, "INR ; INR") {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
	}
}

// Nobody signs the number of nobody: what must be set for each patient is named, and whom a
// protocol is for has a first and a last age.
func TestShowNamesWhatMustBeSet(t *testing.T) {
	p := parsed(t, strings.NewReplacer("{measure: weight, above: 100 kg}", "{measure: weight, above: 1.2 x gain}", "max: 5, origin: here}", "max: 5, origin: here, must_be_set: true}",
		"  devices: [{kind: scale}]", "  min_age: 6\n  max_age: 15\n  devices: [{kind: scale}]").Replace(protocoltest.Small))
	for language, wants := range map[string][]string{
		"fr": {"au-dessus de 1,2 fois « prise » (à régler pour chaque patient)", "Jusqu'à 15 ans."},
		"en": {"above 1.2 times “gain” (to be set for each patient)", "Up to the age of 15."},
	} {
		for _, want := range wants {
			if said := lines(words.Show(p, nil, language)); !strings.Contains(said, want) {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
	}
}

// Whoever signs reads what to do, which rules keep another quiet, and a sentence without code.
func TestASheetIsReadByWhoSignsIt(t *testing.T) {
	p := parsed(t, strings.Replace(protocoltest.Small, "    levels:\n", "    sentence: {fr: \"{weight.now} {at}, alerte {limit}.\", en: \"{weight.now} {at}, rings {limit}.\"}\n    advice: {fr: Appeler, en: Call}\n    levels:\n", 1))
	for language, wants := range map[string][]string{
		"fr": {"L'alerte dit : « [poids] [moment], alerte [seuil]. »", "Que faire : Appeler"},
		"en": {"The alert says: “[body weight] [when], rings [limit].”", "What to do: Call"},
	} {
		for _, want := range wants {
			if said := lines(words.Show(p, nil, language)); !strings.Contains(said, want) {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
	}
}

// What a difference of percentages is set to is points, and a weight of nobody is not shown as
// one's own.
func TestASettingIsShownAsWhatItDoes(t *testing.T) {
	p := parsed(t, strings.NewReplacer(
		"parameters:\n", "parameters:\n  fallen: {title: {fr: baisse, en: fall}, unit: \"%\", default: -4, min: -8, max: -2, origin: here}\n  leaving: {title: {fr: poids de sortie, en: discharge weight}, unit: kg, default: 80, min: 30, max: 250, origin: here}\n",
		"when: {measure: weight, above: 100 kg}", "when: {any: [{measure: weight, above: 100 kg}, {measure: weight, minus: {statistic: median, days: 14, ago: 1, seed: leaving}, above: 1.5}, {measure: oxygen-saturation, minus: {statistic: median, days: 14, ago: 1}, at_most: fallen}]}",
		"  - {measure: blood-pressure}\n", "  - {measure: blood-pressure}\n  - {measure: oxygen-saturation}\n",
	).Replace(protocoltest.Small))
	for language, wants := range map[string][]string{
		"fr": {"Baisse : −4 points", "De −8 à −2 points ; −4 points par défaut.", "Poids de sortie : non réglé", "De 30 à 250 kg.", "Tient lieu de l'habituel", "4 points (réglable) ou plus au-dessous de l'habituel"},
		"en": {"Fall: −4 points", "From −8 to −2 points; −4 points by default.", "Discharge weight: not set", "4 points (may be set) or more below the usual"},
	} {
		said := lines(words.Show(p, nil, language))
		for _, want := range wants {
			if !strings.Contains(said, want) {
				t.Errorf("%q is not in\n%s", want, said)
			}
		}
	}
	set := protocols.Settings{"leaving": {Value: 78_000, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z")}, "fallen": {Value: -5_000, Author: "Dr Martin", Date: protocoltest.Time("2026-03-01T10:00:00Z")}}
	if said := lines(words.Show(p, set, "fr")); !strings.Contains(said, "Poids de sortie : 78 kg") || !strings.Contains(said, "5 points (réglé pour ce patient) ou plus au-dessous") || strings.Contains(said, "−5 points (réglé") {
		t.Errorf("once set, it is not shown in\n%s", said)
	}
}
