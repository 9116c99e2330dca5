package language_test

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
)

// timeline reads one test of the small protocol.
func timeline(t *testing.T, body string) language.Timeline {
	t.Helper()
	tests, problems := language.ParseTimelines(parsed(t, protocoltest.Small), node(t, "protocol: small\ntests:\n  - name: a test\n"+body))
	if len(problems) > 0 || len(tests) != 1 {
		t.Fatalf("got %d tests and %+v", len(tests), problems)
	}
	return tests[0]
}

// told writes the readings of a test as "time=value" in UTC.
func told(readings []language.Delivery) string {
	var list []string
	for _, d := range readings {
		text := d.Reading.Time.Format("02T15:04") + "=" + d.Reading.Values[0].String()
		if !d.Received.Equal(d.Reading.Time) {
			text += " received " + d.Received.Format("02T15:04")
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func TestReadingsOfATest(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"one, where the patient lives": {
			"    time_zone: Indian/Reunion\n    readings: [{at: day 2 07:30, measure: weight, value: 80 kg}]", "06T03:30=80",
		},
		"a quarter of a kilo a day for 4 days": {
			"    readings: [{at: day 1 07:30, every: 1d, for: 4d, measure: weight, value: 80 kg, add: 0.25 kg}]",
			"05T06:30=80, 06T06:30=80.25, 07T06:30=80.5, 08T06:30=80.75",
		},
		"every 5 minutes for a quarter of an hour": {
			"    readings: [{at: day 1 07:30, every: 5m, for: 15m, measure: glucose, variant: interstitial, value: 50}]",
			"05T06:30=50, 05T06:35=50, 05T06:40=50",
		},
		"a list, one after the other": {
			"    readings: [{at: 2026-01-07 07:30, every: 1h, measure: weight, value: [80, 81 kg, 180 lb]}]",
			"07T06:30=80, 07T07:30=81, 07T08:30=81.647",
		},
		"the same on two days": {
			"    readings: [{at: day 1 07:30, every: 10m, days: 2, measure: weight, value: [80, 81]}]",
			"05T06:30=80, 05T06:40=81, 06T06:30=80, 06T06:40=81",
		},
		"each day at the same time of the wall clock when it changes": {
			"    start: 2026-03-28\n    readings: [{at: day 1 07:30, every: 1d, for: 3d, measure: weight, value: 80}]",
			"28T06:30=80, 29T05:30=80, 30T05:30=80",
		},
		"a day of 25 hours every 8": {
			"    start: 2026-10-25\n    readings: [{at: day 1 00:00, every: 8h, for: 1d, measure: weight, value: 80}]",
			"24T22:00=80, 25T06:00=80, 25T14:00=80, 25T22:00=80",
		},
		"a day of 23 hours every 23": {
			"    start: 2026-03-29\n    readings: [{at: day 1 00:00, every: 23h, for: 1d, measure: weight, value: 80}]",
			"28T23:00=80",
		},
		"a date alone stands at noon": {
			"    readings: [{at: day 1, measure: weight, value: 80}]", "05T11:00=80",
		},
		"in the order in which they came": {
			"    readings: [{at: day 1 08:00, measure: weight, value: 80, received: day 3 08:00}, {at: day 2 08:00, measure: weight, value: 81}]",
			"06T07:00=81, 05T07:00=80 received 07T07:00",
		},
		"two components": {
			"    readings: [{at: day 1 08:00, every: 1h, measure: blood-pressure, values: {systolic: [120, 130], diastolic: 80}}]",
			"05T07:00=120, 05T08:00=130",
		},
	} {
		if got := told(timeline(t, c.body+"\n    expect: []\n").Readings); got != c.want {
			t.Errorf("%s: got %s; want %s", name, got, c.want)
		}
	}
}

func TestMistakesInTestsAreNamed(t *testing.T) {
	p := parsed(t, protocoltest.Small)
	for body, code := range map[string]string{
		"protocol: other\ntests: []":                                                                                                                  "other-protocol",
		"protocol: small\ntests: [{name: n, expect: [], raedings: []}]":                                                                               "unknown-key",
		"protocol: small\ntests: [{name: n}]":                                                                                                         "missing-key",
		"protocol: small\ntests: [{name: n, expect: [{rule: upp, level: yellow, at: day 1 08:00}]}]":                                                  "unknown-rule",
		"protocol: small\ntests: [{name: n, expect: [{rule: up, level: red, at: day 1 08:00}]}]":                                                      "unknown-level",
		"protocol: small\ntests: [{name: n, expect: [], only: [upp]}]":                                                                                "unknown-rule",
		"protocol: small\ntests: [{name: n, expect: [], until: tomorrow}]":                                                                            "bad-time",
		"protocol: small\ntests: [{name: n, expect: [], until: day 1 25:00}]":                                                                         "bad-time",
		"protocol: small\ntests: [{name: n, expect: [], start: 2026-02-30}]":                                                                          "bad-date",
		"protocol: small\ntests: [{name: n, expect: [], time_zone: Mars}]":                                                                            "unknown-time-zone",
		"protocol: small\ntests: [{name: n, expect: [], settings: {gian: 2}}]":                                                                        "unknown-parameter",
		"protocol: small\ntests: [{name: n, expect: [], settings: {gain: 9}}]":                                                                        "bounds",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, measure: ketones, value: 3.5 mmol/L}]}]":                         "not-observed",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, measure: weight}]}]":                                             "wrong-shape",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, measure: weight, value: 80 mmHg}]}]":                             "unit-mismatch",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, measure: weight, value: [80, 81]}]}]":                            "missing-key",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, measure: blood-pressure, value: 120}]}]":                         "wrong-shape",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, every: 1s, for: 400d, measure: weight, value: 80}]}]":            "too-many",
		"protocol: small\ntests: [{name: n, expect: [], readings: [{at: day 1 08:00, every: 5m, for: 300d, days: 300, measure: weight, value: 80}]}]": "too-many",
	} {
		_, problems := language.ParseTimelines(p, node(t, body))
		found := false
		for _, problem := range problems {
			found = found || problem.Code == code
		}
		if !found {
			t.Errorf("%s: want %s; got %+v", body, code, problems)
		}
	}
}

// A test plays what can come: a value that a service would set aside shows nothing, and a comma
// in a list makes two numbers of one without a word. Each is one complaint; what only looks like
// it is none.
func TestATestPlaysWhatCanCome(t *testing.T) {
	p := parsed(t, protocoltest.Small)
	const from = "at: day 2 08:00, every: 1d, measure: weight"
	for reading, c := range map[string]struct{ code, suggests string }{
		from + ", value: [80, 80,5, 81]":                      {"bad-number", "80.5"},
		from + ", value: [80,81,82]":                          {"", ""},
		from + ", value: [80, 81, 82]":                        {"", ""},
		from + ", value: [80, 500, 82]":                       {"out-of-range", "a value that can come"},
		from + ", value: -80":                                 {"out-of-range", "a value that can come"},
		from + ", value: 80, received: day 1 08:00":           {"bounds", "after at"},
		from + ", value: 80, received: day 2 09:00":           {"", ""},
		"at: day 2 08:00, measure: glucose, value: 40 mmol/L": {"out-of-range", "a value that can come"},
		from + ", value: 80}], settings: {gain: 3 mmHg":       {"unit-mismatch", "kg"},
	} {
		end := "}]}]"
		if strings.Contains(reading, "settings") {
			end = "}}]"
		}
		_, problems := language.ParseTimelines(p, node(t, "protocol: small\ntests: [{name: n, expect: [], readings: [{"+reading+end))
		saidInBoth(t, problems)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || !strings.Contains(problems[0].Suggestion.EN, c.suggests)) {
			t.Errorf("%s: got %+v, want %s", reading, problems, c.code)
		}
	}
}

func TestATestWaitsForWhatDoesNotCome(t *testing.T) {
	if until := timeline(t, "    until: day 3 12:00\n    expect: []\n").Until; !until.Equal(time.Date(2026, 1, 7, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("it waits until %v", until)
	}
}
