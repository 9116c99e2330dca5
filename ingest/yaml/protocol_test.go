package yaml_test

import (
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/review"
	"vigie/protocols/words"
)

// dense is a protocol with every key of the language in little space.
const dense = `{id: d, version: 1, status: validated, validated_by: A, validated_on: 2026-01-31, title: {fr: T, en: T},
pathology: {icd10: E10-E14, title: T}, origin: O, eligibility: {patient: P, min_age: 18, devices: [{kind: cgm, brand: B, model: M}]},
observations: [{measure: glucose, variant: interstitial, mandatory: true, cadence: {every: 5m, times: 2, per: day, before: "12:00", grace: 12h}, ignore_flags: [f]},
 {measure: weight, cadence: {times: 3, per: week}}, {measure: dialysis-session}, {measure: pill-dispenser}],
parameters: {p: {title: T, unit: mg/dL, default: 54, min: 40, max: 70, origin: O}, n: {title: T, unit: "1", default: 3, min: 1, max: 9}},
rules: [
 {id: a, title: T, advice: A, origin: O, held_by: [b], levels: [
  {level: yellow, when: {measure: glucose, variant: interstitial, statistic: events, window: 24h, where: {below: p}, event: {lasting: 15m, ending: 15m, gap: 20m}, at_least: n}},
  {level: orange, confirm: 30m, when: {measure: glucose, below: 3 mmol/L, clear: 70, lasting: 2h, gap: 20m}},
  {level: red, when: {all: [{measure: glucose, variant: interstitial, statistic: share, window: 14d, where: {at_least: 70, at_most: 180}, below: 70 %, margin: 5 %, floor: 70 %}, {not: {any: [{measure: weight, statistic: slope, window: 7d, above: 0.2 kg/d}]}}]}}]},
 {id: b, title: T, levels: [
  {level: technical, when: {measure: weight, statistic: mean, window: 3d, minus: {statistic: median, days: 14, ago: 4, at_least: 7}, at_most: -1}},
  {level: yellow, when: {measure: dialysis-session, component: weight-end, minus_component: dry-weight, statistic: streak, where: {above: 1}, at_least: 2}},
  {level: orange, when: {measure: glucose, statistic: mean, above: 250, days: n}},
  {level: red, when: {measure: pill-dispenser, component: missed, at_least: 1}}]},
 {id: c, title: T, absence: {measure: weight, cadence: {times: 1, per: day}, missing: [{level: technical, periods: n}, {level: red, periods: 10}]}},
 {id: e, title: T, absence: {measure: dialysis-session, components: [systolic-start], cadence: {times: 1, per: session, of: dialysis-session, grace: 4h}, missing: [{level: technical, periods: 1}]}}],
answer: {red: 2h, orange: 8h, yellow: 24h, technical: 24h}, too_late: 24h, patient: {fr: P, en: P}}`

// denseTests is the same for the tests beside a protocol.
const denseTests = `{protocol: heart-failure, tests: [{name: N, time_zone: Indian/Reunion, start: 2026-03-28, settings: {fast-gain: 1.5 kg}, only: [no-weight],
 pauses: [{from: day 2, until: day 3 12:00, reason: R}], until: day 9, readings: [{at: day 1 08:00, every: 1d, for: 2d, days: 2, measure: weight, value: [80, 81 kg],
 add: 1, flags: [f], device: d, source: patient, received: day 8}], expect: [{rule: no-weight, level: technical, at: day 1, ended: never, too_late: true}]}]}`

// FuzzProtocol holds the way from a file to an evaluation to its word: no bytes
// make it panic, and a protocol that Parse accepts can be planned, evaluated,
// checked, shown and compared.
func FuzzProtocol(f *testing.F) {
	for _, id := range library.Names() {
		for _, file := range []string{id + ".yaml", id + ".test.yaml"} {
			data, err := library.FS.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(dense))
	f.Add([]byte(denseTests))
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		f.Fatal(err)
	}
	known := shipped["heart-failure@11"]
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := yaml.Parse(data)
		if err != nil {
			return
		}
		if _, problems := language.ParseTimelines(known, doc); problems == nil && doc.Get("tests") == nil {
			t.Fatal("what holds no tests was read as tests")
		}
		review.Check(doc, doc)
		p, problems := language.Parse(doc)
		if p == nil {
			if len(problems) == 0 {
				t.Fatal("refused without a word")
			}
			return
		}
		usable(t, p, known)
	})
}

func TestTheDenseSeedsAreAccepted(t *testing.T) {
	doc, err := yaml.Parse([]byte(dense))
	if err != nil {
		t.Fatal(err)
	}
	p, problems := language.Parse(doc)
	if p == nil {
		t.Fatalf("the seed is refused: %+v", problems)
	}
	usable(t, p, p)
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = yaml.Parse([]byte(denseTests)); err != nil {
		t.Fatal(err)
	}
	if _, problems := language.ParseTimelines(shipped["heart-failure@11"], doc); problems != nil {
		t.Fatalf("the seed of tests is refused: %+v", problems)
	}
}

func usable(t *testing.T, p, other *protocols.Protocol) {
	plan, err := engine.NewPlan(p)
	if err != nil {
		t.Fatalf("a protocol was accepted that cannot be evaluated: %v", err)
	}
	state, err := plan.For(protocols.Enrolment{ID: "e", Patient: "p", Zone: time.UTC, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatalf("a protocol was accepted that follows nobody: %v", err)
	}
	begin := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for i, m := range protocols.Measures() {
		r := &protocols.Reading{ID: m.ID, Device: "d", Patient: "p", Time: begin.Add(time.Duration(i) * time.Minute), Measure: m, Battery: -1}
		for range m.Components {
			r.Values = append(r.Values, 100_000)
		}
		state.Add(r, r.Time, nil)
	}
	state.Advance(begin.Add(48*time.Hour), nil)
	for _, language := range []string{"fr", "en"} {
		words.Show(p, nil, language)
		words.Diff(p, other, language)
	}
}
