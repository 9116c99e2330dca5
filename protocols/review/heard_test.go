package review_test

import (
	"strings"
	"testing"

	"vigie/protocols/document"
	"vigie/protocols/protocoltest"
	"vigie/protocols/review"
)

// What nobody would hear is said by check: what no rule looks at, what waits for its
// baseline, and a reading of last week beside one of today. These are warnings, so that
// a protocol in use goes on as it is.
func TestCheckWarnsOfWhatNobodyWouldHear(t *testing.T) {
	const pressure = "  - {measure: blood-pressure}\n"
	const mild = "when: {measure: weight, above: 100 kg}"
	const rise = "when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}"
	for name, c := range map[string]struct {
		changes []string
		code    string
		says    string
	}{
		"a pressure that no rule reads":        {nil, "unheard", "systolic, diastolic, mean, pulse of blood-pressure"},
		"all but the systolic":                 {[]string{mild, "when: {measure: blood-pressure, component: systolic, at_most: 90}"}, "unheard", "no rule looks at diastolic, mean, pulse of"},
		"one that is declared silent":          {[]string{pressure, "  - {measure: blood-pressure, silent: {mean: {fr: suit, en: follows}}}\n"}, "unheard", "looks at systolic, diastolic, pulse of"},
		"silent, and a rule reads it":          {[]string{pressure, "  - {measure: blood-pressure, silent: {systolic: {fr: suit, en: follows}}}\n", mild, "when: {measure: blood-pressure, component: systolic, at_most: 90}"}, "not-silent", "systolic is called silent"},
		"a weight that waits for its usual":    {[]string{mild, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, above: 1 kg}", rise, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, above: gain}"}, "blind-start", "no rule about weight"},
		"a weight that waits and one at once":  {[]string{mild, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, above: 1 kg}"}, "blind-start", ""},
		"a weight whose usual is always set":   {[]string{", default: 2, min: 1, max: 5, origin: here}", ", default: 80, min: 30, max: 200, must_be_set: true, origin: here}", mild, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7, seed: gain}, above: 1 kg}", rise, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7, seed: gain}, above: 2 kg}"}, "blind-start", ""},
		"a pressure of last week":              {[]string{mild, "when: {all: [{measure: weight, window: 24h, above: 100 kg}, {measure: blood-pressure, component: systolic, at_most: 90}]}"}, "stale", "the latest blood-pressure"},
		"a limit that varies with the patient": {[]string{mild, "when: {measure: blood-pressure, component: systolic, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg}, above: 2.5}"}, "no-ceiling", "whose systolic varies much"},
		"a sign among those of others":         {[]string{mild, "when: {all: [{measure: weight, window: 24h, above: 100 kg}, {measure: blood-pressure, component: systolic, window: 24h, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg}, above: 2.5}]}"}, "no-ceiling", ""},
		"one with a ceiling":                   {[]string{mild, "when: {measure: blood-pressure, component: systolic, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg, most: 12 mmHg}, above: 2.5}"}, "no-ceiling", ""},
		"one beside a fixed rule":              {[]string{mild, "when: {any: [{measure: blood-pressure, component: systolic, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg}, above: 2.5}, {measure: blood-pressure, component: systolic, at_least: 180}]}"}, "no-ceiling", ""},
		"one beside a fixed rule of falls":     {[]string{mild, "when: {any: [{measure: blood-pressure, component: systolic, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg}, above: 2.5}, {measure: blood-pressure, component: systolic, statistic: fall, window: 3d, above: 30}]}"}, "no-ceiling", "whose systolic varies much"},
		"a remark of last week":                {[]string{"    levels:\n      - level: yellow\n        " + mild, "    remarks: [{when: {measure: blood-pressure, component: systolic, at_most: 90}, says: {fr: Tension basse., en: Low pressure.}}]\n    levels:\n      - level: yellow\n        " + mild}, "stale", "the latest blood-pressure"},
		"a remark of today":                    {[]string{"    levels:\n      - level: yellow\n        " + mild, "    remarks: [{when: {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}, says: {fr: Tension basse., en: Low pressure.}}]\n    levels:\n      - level: yellow\n        " + mild}, "stale", ""},
		"a remark on the same weight":          {[]string{"    levels:\n      - level: yellow\n        " + mild, "    remarks: [{when: {measure: weight, above: 140 kg}, says: {fr: À vérifier., en: To be checked.}}]\n    levels:\n      - level: yellow\n        " + mild}, "stale", ""},
		"both of today":                        {[]string{mild, "when: {all: [{measure: weight, window: 24h, above: 100 kg}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}"}, "stale", ""},
		"either of them":                       {[]string{mild, "when: {any: [{measure: weight, above: 100 kg}, {measure: blood-pressure, component: systolic, at_most: 90}]}"}, "stale", ""},
		"either of two devices":                {[]string{mild, "when: {any: [{measure: weight, above: 100 kg}, {measure: blood-pressure, component: systolic, at_most: 90}]}"}, "never-ends", "a patient with only weight can raise"},
		"either of two answers":                {[]string{pressure, "  - {measure: symptom}\n", mild, "when: {any: [{measure: symptom, component: oedema, at_least: 2}, {measure: symptom, component: cough, at_least: 2}]}"}, "never-ends", "without symptom cough"},
		"a score or one of its answers":        {[]string{pressure, "  - {measure: heart-failure-burden}\n", mild, "when: {any: [{measure: heart-failure-burden, component: score, at_least: 9}, {measure: heart-failure-burden, component: stairs, at_least: 3}]}"}, "never-ends", "without heart-failure-burden score"},
		"points of another device":             {[]string{mild, "when: {score: [{points: 2, when: {measure: weight, above: 100 kg}}, {points: 2, when: {measure: blood-pressure, component: systolic, at_most: 90}}], at_least: 2}"}, "never-ends", "a patient with only weight can raise"},
		"points of a device while it is used":  {[]string{mild, "when: {score: [{points: 2, when: {all: [{measure: weight, statistic: days-covered, window: 2d, at_least: 1}, {measure: weight, above: 100 kg}]}}, {points: 2, when: {all: [{measure: blood-pressure, component: systolic, statistic: days-covered, window: 2d, at_least: 1}, {measure: blood-pressure, component: systolic, at_most: 90}]}}], at_least: 2}"}, "never-ends", ""},
		"not both of two devices":              {[]string{mild, "when: {not: {all: [{measure: weight, below: 100 kg}, {measure: blood-pressure, component: systolic, above: 90}]}}"}, "never-ends", "only weight"},
		"two numbers of one device":            {[]string{mild, "when: {any: [{measure: blood-pressure, component: systolic, at_most: 90}, {measure: blood-pressure, component: diastolic, at_most: 50}]}"}, "never-ends", ""},
		"a weight with either of two signs":    {[]string{mild, "when: {all: [{measure: weight, window: 24h, above: 100 kg}, {any: [{measure: weight, window: 24h, above: 105 kg}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}]}"}, "never-ends", ""},
		"a number that nobody can set":         {nil, "hard-number", "nobody can set this number"},
		"a number of the table of danger":      {[]string{mild, "when: {measure: blood-pressure, component: systolic, at_most: 90}"}, "hard-number", ""},
		"a number beside the table":            {[]string{mild, "when: {measure: blood-pressure, component: systolic, at_most: 85}"}, "hard-number", "nobody can set"},
		"a line, and the other way round":      {[]string{mild, "when: {measure: blood-pressure, component: systolic, at_least: 90}"}, "hard-number", "nobody can set"},
		"what counts, and no line":             {[]string{mild, "when: {measure: weight, statistic: count, window: 24h, where: {above: 100 kg}, at_least: 2}"}, "hard-number", "nobody can set"},
		"what counts, a line":                  {[]string{mild, "when: {measure: blood-pressure, component: pulse, statistic: count, window: 24h, where: {at_least: 131}, at_least: 2}"}, "hard-number", ""},
		"the gravest grade":                    {[]string{mild, "when: {measure: symptom, component: cough, at_least: 3}", pressure, "  - {measure: symptom}\n"}, "hard-number", ""},
		"a danger that a milder one holds":     {[]string{mild, "when: {measure: blood-pressure, component: systolic, below: 100}", rise + "\n", "when: {measure: blood-pressure, component: systolic, at_most: 90}\n  - id: slow\n    title: {fr: Pouls, en: Pulse}\n    origin: here\n    held_by: [up]\n    levels: [{level: orange, when: {measure: blood-pressure, component: pulse, at_most: 40}}]\n"}, "held-danger", "up can ring at a milder level"},
		"a danger that yields":                 {[]string{mild, "when: {measure: blood-pressure, component: systolic, below: 100}", rise + "\n", "when: {measure: blood-pressure, component: systolic, at_most: 90}\n  - id: slow\n    title: {fr: Pouls, en: Pulse}\n    origin: here\n    yields_to: [up]\n    levels: [{level: orange, when: {measure: blood-pressure, component: pulse, at_most: 40}}]\n"}, "held-danger", ""},
		"a red that a milder one holds":        {[]string{rise + "\n", rise + "\n  - id: heavy\n    title: {fr: Lourd, en: Heavy}\n    origin: here\n    held_by: [up]\n    levels: [{level: red, when: {measure: weight, above: 140 kg}}]\n", "answer: {", "answer: {red: 2h, "}, "held-danger", "up can ring at a milder level"},
		"either variant of last week":          {[]string{pressure, "  - {measure: glucose, variant: capillary}\n", mild, "when: {all: [{measure: glucose, variant: capillary, below: 70}, {measure: glucose, variant: interstitial, window: 24h, below: 70}]}"}, "stale", "the latest glucose capillary"},
		"two answers of one questionnaire":     {[]string{pressure, "  - {measure: symptom}\n", mild, "when: {all: [{measure: symptom, component: oedema, at_least: 3}, {measure: symptom, component: dizziness, window: 24h, at_least: 3}]}"}, "stale", "the latest symptom oedema"},
		"a pulse that may be missing":          {[]string{mild, "when: {all: [{measure: blood-pressure, component: systolic, at_most: 90}, {measure: blood-pressure, component: pulse, at_least: 131}]}"}, "stale", "the latest blood-pressure pulse"},
		"a window of a month":                  {[]string{mild, "when: {all: [{measure: weight, window: 28d, above: 100 kg}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}"}, "stale", "the latest weight counts here for more than fourteen days"},
		"a rise of a month":                    {[]string{mild, "when: {all: [{measure: weight, statistic: rise, window: 28d, above: gain}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}"}, "stale", "the latest weight counts here"},
		"a rise of a month, weighed today":     {[]string{mild, "when: {all: [{measure: weight, statistic: rise, window: 28d, above: gain}, {measure: weight, statistic: days-covered, window: 2d, at_least: 1}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}"}, "stale", ""},
		"a result of a fortnight":              {[]string{mild, "when: {all: [{measure: weight, window: 14d, above: 100 kg}, {measure: blood-pressure, component: systolic, window: 24h, at_most: 90}]}"}, "stale", ""},
		"only how often it is measured":        {[]string{mild, "when: {measure: blood-pressure, component: systolic, statistic: days-covered, window: 7d, below: 1}"}, "unheard", "systolic, diastolic, mean, pulse"},
		"nothing but a guard of nothing":       {[]string{mild, "when: {measure: blood-pressure, component: systolic, statistic: days-covered, window: 7d, below: 1}"}, "never-ends", ""},
		"only the other variant":               {[]string{pressure, "  - {measure: glucose}\n", "  - {measure: glucose, variant: interstitial, cadence: {every: 5m}}\n", "", mild, "when: {measure: glucose, variant: interstitial, below: 70}"}, "unheard", "value (capillary) of glucose"},
		"each variant":                         {[]string{pressure, "  - {measure: glucose}\n", "  - {measure: glucose, variant: interstitial, cadence: {every: 5m}}\n", "", mild, "when: {any: [{measure: glucose, variant: interstitial, below: 70}, {measure: glucose, variant: capillary, below: 70}]}"}, "unheard", ""},
		"only at night":                        {[]string{pressure, "  - {measure: oxygen-saturation}\n", mild, "when: {measure: oxygen-saturation, hours: {from: \"03:00\", to: \"03:30\"}, at_most: 91 %}"}, "unheard", "at some hours or meals only"},
		"at night and at any hour":             {[]string{pressure, "  - {measure: oxygen-saturation}\n", mild, "when: {any: [{measure: oxygen-saturation, hours: {from: \"03:00\", to: \"03:30\"}, at_most: 93 %}, {measure: oxygen-saturation, at_most: 91 %}]}"}, "unheard", "no rule looks at value of glucose"},
		"the answers of a score":               {[]string{pressure, "  - {measure: breathing-burden}\n", "  - {measure: glucose, variant: interstitial, cadence: {every: 5m}}\n", "", mild, "when: {measure: breathing-burden, component: score, at_least: 20}"}, "unheard", ""},
		"one number that waits, another not":   {[]string{mild, "when: {any: [{measure: blood-pressure, component: systolic, minus: {statistic: median, days: 28, ago: 1, at_least: 20}, above: 30}, {measure: blood-pressure, component: diastolic, at_least: 110}]}"}, "blind-start", "about blood-pressure (systolic)"},
		"a technical level beside it":          {[]string{"level: yellow\n        " + mild, "level: technical\n        when: {measure: weight, statistic: days-covered, window: 28d, below: 2}", rise, "when: {measure: weight, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, above: gain}"}, "blind-start", "no rule about weight"},
		"after days in a row":                  {[]string{mild, "when: {measure: blood-pressure, component: systolic, statistic: mean, days: 28, at_least: 135}"}, "blind-start", "about blood-pressure (systolic)"},
		"after hours":                          {[]string{mild, "when: {measure: blood-pressure, component: systolic, lasting: 237h, gap: 300h, at_least: 135}"}, "blind-start", "about blood-pressure (systolic)"},
		"a ceiling that nobody reaches":        {[]string{mild, "when: {any: [{measure: blood-pressure, component: systolic, minus: {statistic: mean, days: 28, ago: 1, at_least: 10, as: deviations, least: 5 mmHg}, above: 2.5}, {measure: blood-pressure, component: systolic, at_least: 290}]}"}, "no-ceiling", "whose systolic varies much"},
		"one weight for everybody":             {[]string{mild, "when: {any: [{measure: weight, minus: {statistic: mean, days: 28, ago: 1, at_least: 5, as: deviations, least: 0.4}, above: 2.5}, {measure: weight, above: 390}]}", rise, "when: {measure: weight, above: 395}"}, "no-ceiling", "whose weight varies much"},
		"a number that admits one value":       {[]string{"min: 1, max: 5,", "min: 2, max: 2,"}, "hard-number", "nobody can set this number, and it is no line of the table of danger; nobody can set"},
		"two numbers of one measure":           {[]string{mild, "when: {all: [{measure: blood-pressure, component: diastolic, at_most: 50}, {measure: blood-pressure, component: systolic, at_most: 90}]}"}, "stale", ""},
	} {
		text := strings.NewReplacer(c.changes...).Replace(protocoltest.Small)
		var said []string
		for _, p := range review.Check(node(t, text)) {
			if p.Severity == document.Error {
				t.Errorf("%s: %+v", name, p)
			}
			if p.Code == c.code {
				said = append(said, p.Message.EN)
			}
		}
		got := strings.Join(said, "; ")
		if (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %s says %q, want %q", name, c.code, got, c.says)
		}
	}
}
