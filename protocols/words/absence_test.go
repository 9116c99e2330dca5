package words_test

import (
	"strings"
	"testing"

	"vigie/protocols"
	"vigie/protocols/protocoltest"
)

// silent plays readings under an absence whose sentence says the last one, and returns the
// sentences of what it raised.
func silent(t *testing.T, absence, readings, until string) (said []protocols.Text) {
	t.Helper()
	const after = "missing: [{level: technical, periods: 2}]}\n"
	const rule = "  - id: none\n    title: {fr: Rien, en: Nothing}\n    origin: here\n    sentence: {fr: \"Rien depuis {since} (dernier : {last}).\", en: \"Nothing for {since} (last: {last}).\"}\n    absence: "
	p := parsed(t, strings.Replace(protocoltest.Small, after, after+rule+absence+"\n", 1))
	for _, f := range played(t, p, "readings: ["+readings+"], until: "+until) {
		if f.Rule == "none" && f.Explanation != nil {
			said = append(said, f.Explanation.Said())
		}
	}
	return said
}

// A silence says what came last before it: a number with its unit, both numbers of a
// pressure, the day alone where no number tells the reading, nothing where nothing came.
func TestASilenceSaysWhatCameLast(t *testing.T) {
	const daily = "cadence: {times: 1, per: day}, missing: [{level: yellow, periods: 2}]}"
	for name, c := range map[string]struct{ absence, readings, until, fr, en string }{
		"a weight":                     {"{measure: weight, " + daily, "{at: day 1 07:30, measure: weight, value: 81}, {at: day 2 07:30, measure: weight, value: 80.24}", "day 6 00:00", "Rien depuis 2 jours (dernier : 80,2 kg le 6 janv.).", "Nothing for 2 days (last: 80.2 kg on 6 Jan)."},
		"a pressure":                   {"{measure: blood-pressure, " + daily, "{at: day 2 07:30, measure: blood-pressure, values: {systolic: 142, diastolic: 91}}", "day 6 00:00", "Rien depuis 2 jours (dernier : 142/91 mmHg le 6 janv.).", "Nothing for 2 days (last: 142/91 mmHg on 6 Jan)."},
		"symptoms":                     {"{measure: symptom, " + daily, "{at: day 2 07:30, measure: symptom, values: {cough: 2}}", "day 6 00:00", "Rien depuis 2 jours (dernier : le 6 janv.).", "Nothing for 2 days (last: on 6 Jan)."},
		"nothing at all":               {"{measure: weight, " + daily, "", "day 4 00:00", "Rien depuis 2 jours.", "Nothing for 2 days."},
		"before a pause":               {"{measure: weight, " + daily, "{at: day 2 07:30, measure: weight, value: 80.24}], pauses: [{from: day 3 00:00, until: day 20 00:00, reason: hôpital}", "day 22 00:00", "Rien depuis 2 jours (dernier : 80,2 kg le 6 janv.).", "Nothing for 2 days (last: 80.2 kg on 6 Jan)."},
		"older than the rounds judged": {"{measure: weight, cadence: {times: 2, per: day}, missing: [{level: yellow, periods: 5}]}", "{at: day 1 07:30, measure: weight, value: 80}", "day 7 00:00", "Rien depuis 5 jours (dernier : 80 kg le 5 janv.).", "Nothing for 5 days (last: 80 kg on 5 Jan)."},
	} {
		said := silent(t, c.absence, c.readings, c.until)
		if len(said) == 0 || said[0].FR != c.fr || said[0].EN != c.en {
			t.Errorf("%s: it says %+v", name, said)
		}
	}
}
