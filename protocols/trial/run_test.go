package trial_test

import (
	"strings"
	"testing"

	"vigie/protocols/protocoltest"
	"vigie/protocols/trial"
)

func TestATestThatFailsSaysWhatCameInstead(t *testing.T) {
	run := func(expect string) string {
		body := "protocol: small\ntests:\n  - name: a test\n    only: [up]\n    readings: [{at: day 1 08:00, every: 1d, measure: weight, value: [99, 101, 99]}]\n    expect: " + expect
		results, problems := trial.RunTests(parsed(t, protocoltest.Small), node(t, body))
		if len(problems) > 0 || len(results) != 1 {
			t.Fatalf("got %+v and %+v", results, problems)
		}
		said := make([]string, len(results[0].Differences))
		for i, d := range results[0].Differences {
			said[i] = d.EN
		}
		return strings.Join(said, "; ")
	}
	for expect, want := range map[string]string{
		"[{rule: up, level: yellow, at: day 2 08:00, ended: day 3 08:00}]": "",
		"[]": "not expected: up yellow at day 2 08:00",
		"[{rule: up, level: yellow, at: day 1 08:00}]":                     "line 6: expected up yellow at day 1 08:00; it came at day 2 08:00",
		"[{rule: up, level: yellow, at: day 2 08:00, ended: never}]":       "expected never to end; it ended at day 3 08:00",
		"[{rule: up, level: yellow, at: day 2 08:00, ended: day 4 08:00}]": "expected to end at day 4 08:00; it ended at day 3 08:00",
		"[{rule: up, level: yellow, at: day 2 08:00, too_late: true}]":     "expected too_late true, came false",
		"[{rule: up, level: orange, at: day 2 08:00}]":                     "line 6: expected up orange at day 2 08:00; it did not come; not expected: up yellow at day 2 08:00",
	} {
		got := run(expect)
		if (want == "") != (got == "") || !strings.HasPrefix(got, want) && !strings.Contains(got, want) {
			t.Errorf("%s: got %q; want %q", expect, got, want)
		}
	}
}

// A late reading shows that what had ended had not: the test sees it go on.
func TestATestSeesThatAnEndWasTakenBack(t *testing.T) {
	counting := protocoltest.With("when: {measure: weight, above: 100 kg}", "when: {measure: weight, statistic: count, window: 24h, where: {above: 100 kg}, at_least: 1}")
	results, problems := trial.RunTests(parsed(t, counting), node(t, `protocol: small
tests:
  - name: a late weight
    only: [up]
    readings:
      - {at: day 1 08:00, measure: weight, value: 101}
      - {at: day 2 10:00, measure: weight, value: 100}
      - {at: day 1 20:00, received: day 2 11:00, measure: weight, value: 101}
    expect: [{rule: up, level: yellow, at: day 1 08:00, ended: never}]
`))
	if len(problems) > 0 || len(results) != 1 || !results[0].Passed() {
		t.Errorf("got %+v and %+v", results, problems)
	}
}

// A setting that is made on a day counts from that day on: before it, the protocol's own
// value holds, and the sentence of an alert tells which.
func TestASettingCountsFromItsDate(t *testing.T) {
	small := protocoltest.With("    title: {fr: Hausse, en: Rise}\n", "    title: {fr: Hausse, en: Rise}\n    sentence: {fr: \"Alerte {limit}.\", en: \"Rings {limit}.\"}\n")
	results, problems := trial.RunTests(parsed(t, small), node(t, `protocol: small
tests:
  - name: made wider on day 5, a rise of 2.5 kg rings before and not after
    only: [up]
    settings: {gain: {value: 3 kg, on: day 5}}
    readings:
      - {at: day 1 08:00, every: 1d, measure: weight, value: [80, 80, 82.5, 80, 80, 80, 82.5, 83.1]}
    expect:
      - {rule: up, level: orange, at: day 3 08:00, ended: day 4 08:00, says: {fr: "Alerte au-delà de + 2 kg.", en: "Rings beyond + 2 kg."}}
      - {rule: up, level: orange, at: day 8 08:00, says: {fr: "Alerte au-delà de + 3 kg (test 09/01/2026).", en: "Rings beyond + 3 kg (test 9 Jan 2026)."}}
  - name: made narrower on day 5, a rise of 1.5 kg rings after and not before
    only: [up]
    settings: {gain: {value: 1 kg, on: day 5}}
    readings:
      - {at: day 1 08:00, every: 1d, measure: weight, value: [80, 80, 81.5, 80, 80, 80, 81.5]}
    expect: [{rule: up, level: orange, at: day 7 08:00}]
  - name: an alert of before goes on by what is set after
    only: [up]
    settings: {gain: {value: 4 kg, on: day 4 12:00}}
    readings:
      - {at: day 3 08:00, every: 1d, measure: weight, value: [80, 82.5, 82.5]}
    expect: [{rule: up, level: orange, at: day 4 08:00, ended: never}]
  - name: a late reading is judged by what is set when it comes
    only: [up]
    settings: {gain: {value: 3 kg, on: day 5}}
    readings:
      - {at: day 3 08:00, measure: weight, value: 80}
      - {at: day 4 08:00, received: day 5 09:00, measure: weight, value: 82.5}
      - {at: day 5 08:00, received: day 5 10:00, measure: weight, value: 80}
    expect: []
`))
	if len(problems) > 0 || len(results) != 4 {
		t.Fatalf("got %+v and %+v", results, problems)
	}
	for _, r := range results {
		for _, d := range r.Differences {
			t.Errorf("%s: %s", r.Name, d.EN)
		}
	}
}
