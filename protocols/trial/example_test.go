package trial_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/protocoltest"
	"vigie/protocols/trial"
)

// monday is day 1 of every example.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, protocoltest.Paris)

// ofRules is the small protocol with other rules, each as a protocol file has it after
// its title.
func ofRules(rules ...string) *protocols.Protocol {
	before, rest, _ := strings.Cut(protocoltest.Small, "rules:\n")
	_, after, _ := strings.Cut(rest, "\nanswer:")
	before = strings.Replace(before, "  - {measure: weight,", "  - {measure: dialysis-session, cadence: {times: 3, per: week}}\n  - {measure: weight, ignore_flags: [motion],", 1)
	written := before + "rules:\n"
	for _, rule := range rules {
		id, rest, _ := strings.Cut(rule, ": ")
		written += fmt.Sprintf("  - {id: %s, title: {fr: Une, en: One}, origin: here, %s}\n", id, rest)
	}
	doc, err := yaml.Parse([]byte(written + "answer:" + after))
	if err != nil {
		panic(err)
	}
	p, problems := language.Parse(doc)
	if p == nil {
		panic(fmt.Sprint(problems))
	}
	return p
}

// tell prints what readings make a protocol find. A line that is no reading is a key of
// the test.
func tell(p *protocols.Protocol, lines ...string) { printed(play(p, lines...), monday) }

// play finds what readings make a protocol find.
func play(p *protocols.Protocol, lines ...string) []protocols.Finding {
	var keys, readings string
	for _, line := range lines {
		if strings.HasPrefix(line, "{") {
			readings += "      - " + line + "\n"
			continue
		}
		keys += "    " + line + "\n"
	}
	doc, err := yaml.Parse([]byte("protocol: small\ntests:\n  - name: an example\n" + keys + "    readings:\n" + readings + "    expect: []\n"))
	if err != nil {
		panic(err)
	}
	tests, problems := language.ParseTimelines(p, doc)
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	findings, err := trial.Play(&tests[0], planOf(p))
	if err != nil {
		panic(err)
	}
	return findings
}

// A remark says that the weight is far from the usual; it rings nothing by itself.
func Example_rule12_remark() {
	p := ofRules("up: remarks: [{when: {measure: weight, minus: {statistic: median, days: 3, ago: 1}, above: 10 kg}, says: {fr: \"À vérifier ({weight.usual}).\", en: \"To be checked ({weight.usual}).\"}}], levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]")
	for _, f := range play(p,
		"{at: day 1 08:00, measure: weight, value: 80}",
		"{at: day 2 08:00, measure: weight, value: 95}",
		"{at: day 3 08:00, measure: weight, value: 101}") {
		fmt.Println(f.Explanation.Summary.FR)
	}
	// Output:
	// Une : poids à 101 kg, alerte au-dessus de 100 kg. À vérifier (87,5 kg).
}

func planOf(p *protocols.Protocol) *engine.Plan {
	plan, err := engine.NewPlan(p)
	if err != nil {
		panic(err)
	}
	return plan
}

// printed prints findings with their moments, counted in days from the first.
func printed(findings []protocols.Finding, first time.Time) {
	if len(findings) == 0 {
		fmt.Println("nothing")
	}
	for _, f := range findings {
		at := f.At.In(first.Location())
		day := 1
		for first.AddDate(0, 0, day).Before(at) || first.AddDate(0, 0, day).Equal(at) {
			day++
		}
		fmt.Printf("%s %s %s, day %d %s\n", f.Rule, f.Kind, f.Level, day, at.Format("15:04"))
	}
}

// The mean is 100 and a third: more than 100.333, which is shown.
func Example_rule1() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, statistic: mean, window: 3d, above: 100.333 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [100, 100, 101]}")
	// Output:
	// up raised yellow, day 3 08:00
}

// 1.333 times 2.5 kg is 3.333 kg, to the thousandth.
func Example_rule1_multiple() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, statistic: rise, window: 2d, at_least: 1.333 x gain}}]"),
		"settings: {gain: 2.5 kg}",
		"{at: day 1 08:00, every: 1d, measure: weight, value: [100, 103.332, 106.665]}")
	// Output:
	// up raised yellow, day 3 08:00
}

// The means of the days before are 79, 80 and 81 kg: their standard deviation is 1 kg, and
// 83 kg lies 3 of them above their mean.
func Example_rule1_deviations() {
	p := ofRules("up: levels: [{level: yellow, when: {measure: weight, minus: {statistic: mean, days: 3, ago: 1, at_least: 3, as: deviations, least: 0.4 kg}, at_least: 3}}]")
	weights := "{at: day 1 08:00, every: 1d, measure: weight, value: [79, 80, 81, %s]}"
	tell(p, fmt.Sprintf(weights, "82.999"))
	tell(p, fmt.Sprintf(weights, "83"))
	fmt.Println(play(p, fmt.Sprintf(weights, "83.2"))[0].Explanation.Summary.FR)
	// Output:
	// nothing
	// up raised yellow, day 4 08:00
	// Une : poids 83,2 kg, 3,2 kg de plus que d'habitude (80 kg), soit 3,2 fois l'écart habituel, alerte dès 3 fois
}

// Three days that are alike have no deviation: the least of 0.4 kg is used, and 80.8 kg
// lies 2 of them above their mean.
func Example_rule1_leastDeviation() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, minus: {statistic: mean, days: 3, ago: 1, at_least: 3, as: deviations, least: 0.4 kg}, at_least: 2}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [80, 80, 80, 80.799]}",
		"{at: day 4 09:00, measure: weight, value: 80.8}")
	// Output:
	// up raised yellow, day 4 09:00
}

// The days vary by 1 kg, and the deviation that is used is 0.4 kg at most: 0.8 above the mean
// is two, as for everybody.
func Example_rule1_mostDeviation() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, minus: {statistic: mean, days: 3, ago: 1, at_least: 3, as: deviations, least: 0.2 kg, most: 0.4 kg}, at_least: 2}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [79, 80, 81, 80.799]}",
		"{at: day 4 09:00, measure: weight, value: 80.8}")
	// Output:
	// up raised yellow, day 4 09:00
}

// One and a half times the median of the days before.
func Example_rule1_percent() {
	p := ofRules("up: levels: [{level: yellow, when: {measure: weight, minus: {statistic: median, days: 3, ago: 1, as: percent}, at_least: 50 %}}]")
	found := play(p, "{at: day 1 08:00, every: 1d, measure: weight, value: [60, 62, 91.5]}")
	printed(found, monday)
	fmt.Println(found[0].Explanation.Summary.FR)
	// Output:
	// up raised yellow, day 3 08:00
	// Une : poids 91,5 kg, 50 % de plus que d'habitude (61 kg), alerte dès + 50 %
}

// From the day on which it is set, the usual is the value that was set, until two days
// since then hold a weight; the days before do not count any more.
func Example_rule1_seed() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, minus: {statistic: median, days: 7, ago: 1, at_least: 2, seed: gain}, at_least: 0.5 kg}}]"),
		"settings: {gain: {value: 4 kg, on: day 3}}",
		"{at: day 1 08:00, every: 1d, measure: weight, value: [5, 5, 5, 5, 5]}")
	// Output:
	// up raised yellow, day 3 08:00
	// up again yellow, day 4 08:00
	// up ended yellow, day 5 08:00
}

// A sensor and a meter disagree by 40 mg/dL; readings more than 15 minutes apart say
// nothing.
func Example_rule1_twoDevices() {
	p := ofRules("apart: levels: [{level: yellow, when: {measure: glucose, variant: interstitial, minus_measure: {measure: glucose, variant: capillary, within: 15m}, at_least: 40 mg/dL}}]")
	lines := []string{
		"{at: day 1 08:00, measure: glucose, variant: capillary, value: 100}",
		"{at: day 1 08:30, measure: glucose, variant: interstitial, value: 160}",
		"{at: day 1 08:40, measure: glucose, variant: capillary, value: 120}",
		"{at: day 1 08:45, measure: glucose, variant: interstitial, value: 130}",
	}
	tell(p, lines...)
	fmt.Println(play(p, lines...)[0].Explanation.Summary.FR)
	// Output:
	// apart raised yellow, day 1 08:40
	// apart ended yellow, day 1 08:45
	// Une : glucose interstitiel 160 mg/dL pour glucose capillaire 120 mg/dL (+ 40 mg/dL), alerte dès + 40 mg/dL
}

// Two signs of one point each do not reach three; with the weight, of two points, they do.
// The alert says what each part adds.
func Example_rule8_score() {
	p := ofRules("worse: sentence: {fr: \"{score} (alerte dès {score_from}) : {parts}.\", en: \"{score} (rings from {score_from}): {parts}.\"}, levels: [{level: yellow, when: {score: [" +
		"{points: 2, when: {measure: weight, statistic: rise, window: 3d, above: 1 kg}}," +
		"{points: 1, when: {measure: symptom, component: breathlessness, window: 24h, at_least: 1}}," +
		"{points: 1, when: {measure: symptom, component: oedema, window: 24h, at_least: 1}}], at_least: 3, margin: 1}}]")
	found := play(p,
		"{at: day 1 08:00, measure: weight, value: 80}",
		"{at: day 1 08:05, measure: symptom, values: {breathlessness: 1, oedema: 1}}",
		"{at: day 2 08:00, measure: weight, value: 81.4}",
		"{at: day 2 09:00, measure: symptom, values: {breathlessness: 0, oedema: 0}}",
		"{at: day 3 08:00, measure: weight, value: 80.5}")
	printed(found, monday)
	fmt.Println(found[0].Explanation.Summary.FR)
	fmt.Println(found[0].Explanation.Comparisons[0].Sentence.FR)
	// Output:
	// worse raised yellow, day 2 08:00
	// worse ended yellow, day 3 08:00
	// Une : 4 points (alerte dès 3 points) : poids + 1,4 kg en 1 jour (80 → 81,4 kg) : 2 points ; essoufflement à 1 sur 3 (à l'effort) : 1 point ; œdèmes à 1 sur 3 (chevilles) : 1 point.
	// poids : dernier − plus bas sur 3 jours = 1,4 kg, au-dessus de 1 kg : 2 points
}

// A part that is not known may add its points: without an answer, two of four points are
// neither enough nor too few.
func Example_rule8_scoreUnknown() {
	tell(ofRules("worse: levels: [{level: yellow, when: {score: ["+
		"{points: 2, when: {measure: weight, above: 100 kg}},"+
		"{points: 2, when: {measure: symptom, component: oedema, window: 24h, at_least: 1}}], at_least: 4}}]"),
		"{at: day 1 08:00, measure: weight, value: 101}",
		"{at: day 1 08:05, measure: symptom, values: {oedema: 1}}",
		"{at: day 3 08:00, measure: weight, value: 101}",
		"{at: day 4 08:00, measure: weight, value: 99}")
	// Output:
	// worse raised yellow, day 1 08:05
	// worse ended yellow, day 4 08:00
}

// The weight of the first day arrives on the third: it counts for the first.
func Example_rule2() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]"),
		"{at: day 1 08:00, received: day 3 09:00, measure: weight, value: 101}",
		"{at: day 2 08:00, measure: weight, value: 99}")
	// Output:
	// up raised yellow, day 1 08:00
	// up ended yellow, day 2 08:00
}

// A weight taken in motion feeds no rule.
func Example_rule3() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]"),
		"{at: day 1 08:00, measure: weight, value: 101, flags: [motion]}",
		"{at: day 2 08:00, measure: weight, value: 101}")
	// Output:
	// up raised yellow, day 2 08:00
}

// Between ten in the evening and six in the morning: weights of the day feed nothing.
func Example_rule3_hours() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, hours: {from: \"22:00\", to: \"06:00\"}, above: 100 kg}}]"),
		"{at: day 1 21:59, measure: weight, value: 101}",
		"{at: day 2 06:00, measure: weight, value: 101}",
		"{at: day 2 22:00, measure: weight, value: 101}",
		"{at: day 3 12:00, measure: weight, value: 99}",
		"{at: day 4 05:59, measure: weight, value: 99}")
	// Output:
	// up raised yellow, day 2 22:00
	// up ended yellow, day 4 05:59
}

// Two hours after a meal: what says another moment, or none, feeds nothing.
func Example_rule3_meal() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: glucose, meal: after-2h, at_least: 120 mg/dL}}]"),
		"{at: day 1 07:00, measure: glucose, variant: capillary, value: 130, meal: fasting}",
		"{at: day 1 13:00, measure: glucose, variant: capillary, value: 130, meal: after-1h}",
		"{at: day 1 13:30, measure: glucose, variant: capillary, value: 130}",
		"{at: day 1 14:00, measure: glucose, variant: capillary, value: 130, meal: after-2h}",
		"{at: day 1 20:00, measure: glucose, variant: capillary, value: 110, meal: before}",
		"{at: day 2 14:00, measure: glucose, variant: capillary, value: 110, meal: after-2h}")
	// Output:
	// up raised yellow, day 1 14:00
	// up ended yellow, day 2 14:00
}

// A flag is 1 where a reading carries it, and 0 where it does not.
func Example_rule3_flag() {
	tell(ofRules("irregular: levels: [{level: yellow, when: {measure: blood-pressure, flag: irregular-pulse, statistic: streak, where: {at_least: 1}, at_least: 2}}]"),
		"{at: day 1 08:00, measure: blood-pressure, values: {systolic: 130, diastolic: 80}, flags: [irregular-pulse]}",
		"{at: day 1 08:05, measure: blood-pressure, values: {systolic: 130, diastolic: 80}, flags: [irregular-pulse]}",
		"{at: day 2 08:00, measure: blood-pressure, values: {systolic: 130, diastolic: 80}}")
	// Output:
	// irregular raised yellow, day 1 08:05
	// irregular ended yellow, day 2 08:00
}

// A scale and a gateway tell one weight, which counts once.
func Example_rule4() {
	tell(ofRules("twice: levels: [{level: yellow, when: {measure: weight, statistic: count, window: 24h, where: {above: 100 kg}, at_least: 2}}]"),
		"{at: day 1 08:00, measure: weight, value: 101, device: scale}",
		"{at: day 1 08:00, measure: weight, value: 101, device: gateway}",
		"{at: day 1 09:00, measure: weight, value: 101, device: scale}")
	// Output:
	// twice raised yellow, day 1 09:00
}

// 24 hours reach back to what is later than this time yesterday; two civil days reach
// back to yesterday's midnight.
func Example_rule5() {
	tell(ofRules(
		"hours: levels: [{level: yellow, when: {measure: weight, statistic: rise, window: 24h, above: 1 kg}}]",
		"days: levels: [{level: yellow, when: {measure: weight, statistic: rise, window: 2d, above: 1 kg}}]"),
		"{at: day 1 00:30, measure: weight, value: 80}",
		"{at: day 2 00:30, measure: weight, value: 82}")
	// Output:
	// days raised yellow, day 2 00:30
}

// A pressure of eight days ago says nothing beside the weight of today.
func Example_rule6() {
	tell(ofRules("both: levels: [{level: yellow, when: {all: [{measure: blood-pressure, component: systolic, above: 160 mmHg}, {measure: weight, above: 100 kg}]}}]"),
		"{at: day 1 08:00, measure: blood-pressure, values: {systolic: 170, diastolic: 90}}",
		"{at: day 9 08:00, measure: weight, value: 101}",
		"{at: day 9 09:00, measure: blood-pressure, values: {systolic: 170, diastolic: 90}}")
	// Output:
	// both raised yellow, day 9 09:00
}

// A step needs two readings.
func Example_rule7() {
	tell(ofRules("step: levels: [{level: yellow, when: {measure: weight, statistic: step, above: 1 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [80, 82]}")
	// Output:
	// step raised yellow, day 2 08:00
}

// No pressure is known: "one of them" is so by the weight alone, "both" is unknown.
func Example_rule8() {
	of := "[{measure: weight, above: 100 kg}, {measure: blood-pressure, component: systolic, above: 160 mmHg}]"
	tell(ofRules("any: levels: [{level: yellow, when: {any: "+of+"}}]", "all: levels: [{level: yellow, when: {all: "+of+"}}]"),
		"{at: day 1 08:00, measure: weight, value: 101}")
	// Output:
	// any raised yellow, day 1 08:00
}

// Two of three signs are enough while the third is not known; two that are not leave one,
// which is not enough.
func Example_rule8_some() {
	tell(ofRules("signs: levels: [{level: yellow, when: {at_least: 2, of: [{measure: weight, window: 24h, above: 100 kg}, {measure: blood-pressure, component: systolic, window: 24h, above: 160 mmHg}, {measure: heart-rate, window: 24h, above: 100 /min}]}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [101, 99]}",
		"{at: day 1 09:00, every: 1d, measure: heart-rate, value: [101, 99]}")
	// Output:
	// signs raised yellow, day 1 09:00
	// signs ended yellow, day 2 09:00
}

// The highest level that is so wins; a fall within the episode says nothing.
func Example_rule9() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}}, {level: orange, when: {measure: weight, above: 110 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [101, 111, 99]}")
	// Output:
	// up raised yellow, day 1 08:00
	// up risen orange, day 2 08:00
	// up ended orange, day 3 08:00
}

// 98 kg is not above 100 and does not leave; 97.9 kg does.
func Example_rule10() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg, clear: 98 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [101, 98, 97.9]}")
	// Output:
	// up raised yellow, day 1 08:00
	// up ended yellow, day 3 08:00
}

// While the scale is unsteady, what it says of a rise does not ring.
func Example_rule11() {
	tell(ofRules(
		"unsteady: levels: [{level: technical, when: {measure: weight, statistic: step, above: 10 kg}}]",
		"up: held_by: [unsteady], levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [90, 105, 105]}")
	// Output:
	// unsteady raised technical, day 2 08:00
	// unsteady ended technical, day 3 08:00
	// up raised yellow, day 3 08:00
}

// While the yellow one stands, another yellow is held back and an orange is not.
func Example_rule11_yieldsTo() {
	tell(ofRules(
		"heavy: levels: [{level: yellow, when: {measure: weight, above: 90 kg}}]",
		"up: yields_to: [heavy], levels: [{level: yellow, when: {measure: weight, above: 100 kg}}, {level: orange, when: {measure: weight, above: 110 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [95, 105, 115]}")
	// Output:
	// heavy raised yellow, day 1 08:00
	// heavy again yellow, day 2 08:00
	// heavy again yellow, day 3 08:00
	// up raised orange, day 3 08:00
}

// A second reading within the episode is told of as one more.
func Example_rule12() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [101, 102]}",
		"until: day 30") // silence ends nothing
	// Output:
	// up raised yellow, day 1 08:00
	// up again yellow, day 2 08:00
}

// Low for ten minutes: a silence of more than six begins the stretch anew.
func Example_rule13() {
	tell(ofRules("low: levels: [{level: red, when: {measure: glucose, variant: interstitial, below: 54 mg/dL, lasting: 10m, gap: 6m}}]"),
		"{at: day 1 08:00, measure: glucose, variant: interstitial, value: 50}",
		"{at: day 1 08:07, every: 5m, measure: glucose, variant: interstitial, value: [50, 50, 50]}")
	// Output:
	// low raised red, day 1 08:17
}

// Two days in a row count once the second is over.
func Example_rule14() {
	tell(ofRules("up: levels: [{level: yellow, when: {measure: weight, statistic: mean, above: 100 kg, days: 2}}]"),
		"{at: day 1 08:00, every: 1d, measure: weight, value: [101, 102]}",
		"until: day 4")
	// Output:
	// up raised yellow, day 3 00:00
}

// An event is over after ten minutes outside: what comes then is another.
func Example_rule15() {
	tell(ofRules("lows: levels: [{level: red, when: {measure: glucose, variant: interstitial, statistic: events, window: 24h, where: {below: 54 mg/dL}, event: {lasting: 5m, ending: 10m, gap: 15m}, at_least: 2}}]"),
		"{at: day 1 08:00, every: 5m, measure: glucose, variant: interstitial, value: [50, 50, 70, 50, 70, 70, 70, 50, 50]}")
	// Output:
	// lows raised red, day 1 08:40
}

// With until, a low that hovers between 54 and 70 mg/dL is one: only what is back at 70
// for ten minutes ends it.
func Example_rule15_until() {
	tell(ofRules("lows: levels: [{level: red, when: {measure: glucose, variant: interstitial, statistic: events, window: 24h, where: {below: 54 mg/dL}, event: {lasting: 5m, ending: 10m, gap: 15m, until: {at_least: 70 mg/dL}}, at_least: 2}}]"),
		"{at: day 1 08:00, every: 5m, measure: glucose, variant: interstitial, value: [50, 50, 60, 60, 60, 60, 50, 50, 70, 60, 50, 50]}",
		"{at: day 1 09:00, every: 5m, measure: glucose, variant: interstitial, value: [70, 70, 70, 60, 50, 50]}")
	// Output:
	// lows raised red, day 1 09:25
}

// The next reading confirms; when none comes, the time that has run out does.
func Example_rule16() {
	confirmed := ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}, confirm: 30m}]")
	tell(confirmed, "{at: day 1 08:00, measure: weight, value: 101}", "{at: day 1 08:10, measure: weight, value: 101}")
	tell(confirmed, "{at: day 1 08:00, measure: weight, value: 101}", "{at: day 1 08:10, measure: weight, value: 99}")
	tell(confirmed, "{at: day 1 08:00, measure: weight, value: 101}", "until: day 2")
	// Output:
	// up raised yellow, day 1 08:10
	// nothing
	// up raised yellow, day 1 08:30
}

// A reading too soon after the first confirms nothing; one that says no still does.
func Example_rule16_apart() {
	confirmed := ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}, confirm: {within: 30m, apart: 2m}}]")
	tell(confirmed, "{at: day 1 08:00, every: 1m, measure: weight, value: [101, 101, 101]}")
	tell(confirmed, "{at: day 1 08:00, every: 1m, measure: weight, value: [101, 99, 101]}", "until: day 1 08:20")
	tell(confirmed, "{at: day 1 08:00, every: 1m, measure: weight, value: [101, 101]}", "until: day 2")
	// Output:
	// up raised yellow, day 1 08:02
	// nothing
	// up raised yellow, day 1 08:30
}

// Days 2 and 3 are without a weight: the second one raises when it is over, and the
// next weight ends it.
func Example_rule17() {
	tell(ofRules("silent: absence: {measure: weight, missing: [{level: technical, periods: 2}]}"),
		"{at: day 1 08:00, measure: weight, value: 80}",
		"{at: day 4 08:00, measure: weight, value: 80}")
	// Output:
	// silent raised technical, day 4 00:00
	// silent ended technical, day 4 08:00
}

// A session without a weight within two hours of it lacks one, once they are over.
func Example_rule18() {
	tell(ofRules("unweighed: absence: {measure: weight, cadence: {times: 1, per: session, of: dialysis-session, grace: 2h}, missing: [{level: technical, periods: 1}]}"),
		"{at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, weight-end: 70}}",
		"{at: day 1 11:00, measure: weight, value: 70}")
	// Output:
	// unweighed raised technical, day 1 10:00
}

// What was over goes on after all: a late reading shows it.
func Example_rule19() {
	tell(ofRules("many: levels: [{level: yellow, when: {measure: weight, statistic: count, window: 24h, where: {above: 100 kg}, at_least: 1}}]"),
		"{at: day 1 08:00, measure: weight, value: 101}",
		"{at: day 2 10:00, measure: weight, value: 100}",
		"{at: day 1 20:00, received: day 2 11:00, measure: weight, value: 101}")
	// Output:
	// many raised yellow, day 1 08:00
	// many ended yellow, day 2 10:00
	// many again yellow, day 1 20:00
	// many resumed yellow, day 2 10:00
}

// course follows one patient from settings to settings, and from version to version.
type course struct {
	state   *engine.State
	history []*protocols.Reading
	now     time.Time
}

// under goes on with a version and settings, from what has been kept.
func (c *course) under(p *protocols.Protocol, settings protocols.Settings) {
	next, err := planOf(p).For(protocols.Enrolment{ID: "test", Patient: "test", Zone: protocoltest.Paris, From: monday, Settings: settings})
	if err != nil {
		panic(err)
	}
	var kept []byte
	var since time.Time
	if c.state != nil {
		kept = c.state.Snapshot(nil)
		since = next.Since(kept, c.now)
	}
	var history []*protocols.Reading
	for _, r := range c.history {
		if !r.Time.Before(since) {
			history = append(history, r)
		}
	}
	if err := next.Load(kept, history, since); err != nil {
		panic(err)
	}
	c.state = next
}

// weighs takes a weight at eight in the morning of a day.
func (c *course) weighs(day int, kg float64) {
	c.now = monday.AddDate(0, 0, day-1).Add(8 * time.Hour)
	r := &protocols.Reading{ID: strconv.Itoa(day), Device: "scale", Measure: protocols.MeasureByID("weight"), Time: c.now, Values: []protocols.Value{protocoltest.Number(kg)}}
	c.history = append(c.history, r)
	printed(c.state.Add(r, c.now, nil), monday)
}

// A threshold that is made less strict ends nothing by itself: a reading does.
func Example_rule20() {
	p := ofRules("up: levels: [{level: yellow, when: {measure: weight, statistic: rise, window: 3d, above: gain}}]")
	var c course
	c.under(p, nil)
	c.weighs(1, 80)
	c.weighs(2, 83)
	c.under(p, protocols.Settings{"gain": {Value: protocoltest.Number(4), Author: "Dr Aubry", Date: c.now, Reason: "dry weight"}})
	c.weighs(3, 83)
	// Output:
	// nothing
	// up raised yellow, day 2 08:00
	// up ended yellow, day 3 08:00
}

// The next version begins at rest, and raises what is so by its own rules.
func Example_rule21() {
	p := ofRules("up: levels: [{level: yellow, when: {measure: weight, above: 100 kg}}]")
	next := ofRules("high: levels: [{level: orange, when: {measure: weight, above: 100 kg}}]")
	next.Version = "2"
	var c course
	c.under(p, nil)
	c.weighs(1, 101)
	c.under(next, nil)
	c.weighs(2, 99)
	c.weighs(3, 101)
	// Output:
	// up raised yellow, day 1 08:00
	// nothing
	// high raised orange, day 3 08:00
}

// Each rule of the specification has its example, and each example its rule.
func TestEveryRuleOfTheSpecificationHasAnExample(t *testing.T) {
	numbers := func(file, pattern string) (found []string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		return found
	}
	rules, examples := numbers("../doc.go", `(?m)^//\s+(\d+)\. `), numbers("example_test.go", `(?m)^func Example_rule(\d+)\(`)
	if len(rules) == 0 || !slices.Equal(rules, examples) {
		t.Errorf("rules %q, examples %q", rules, examples)
	}
}
