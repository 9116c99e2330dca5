package trial_test

import (
	"strings"
	"testing"

	"vigie/protocols/document"
	"vigie/protocols/protocoltest"
	"vigie/protocols/trial"
)

// Whatever a clinician's own protocol observes, a value beyond the table of danger rings
// within the hour, or check says that it does not: a warning in a draft, an error in what
// somebody has signed.
func TestCheckPlaysTheTableOfDanger(t *testing.T) {
	const observed = "  - {measure: blood-pressure}\n"
	const signed = "status: validated\nvalidated_by: Dr Aubry\nvalidated_on: 2026-01-31"
	for name, c := range map[string]struct {
		observes string
		when     string // of a rule of its own, at the level orange
		heard    bool
		says     string
	}{
		"a saturation that no rule reads":      {"{measure: oxygen-saturation}", "", false, "oxygen-saturation at 91 % measured at 08:00"},
		"one on the line":                      {"{measure: oxygen-saturation}", "{measure: oxygen-saturation, at_most: 91 %}", true, ""},
		"one far below the line":               {"{measure: oxygen-saturation}", "{measure: oxygen-saturation, at_most: 72 %}", false, "at 91 % measured at 08:00"},
		"one in a bracket":                     {"{measure: oxygen-saturation}", "{all: [{measure: oxygen-saturation, at_most: 91 %}, {measure: oxygen-saturation, above: 85 %}]}", false, "at 40 %"},
		"one by day only":                      {"{measure: oxygen-saturation}", `{measure: oxygen-saturation, hours: {from: "06:00", to: "22:00"}, at_most: 91 %}`, false, "measured at 03:00"},
		"one that must last":                   {"{measure: temperature}", "{any: [{measure: temperature, at_least: 39 Cel, lasting: 72h, gap: 24h}, {measure: temperature, at_most: 35 Cel}]}", false, "temperature at 39 Cel"},
		"one that waits for the usual":         {"{measure: oxygen-saturation}", "{measure: oxygen-saturation, minus: {statistic: median, days: 14, ago: 1, at_least: 7}, at_most: -4 %}", false, "at 91 %"},
		"one that asks for another measure":    {"{measure: oxygen-saturation}", "{all: [{measure: oxygen-saturation, at_most: 91 %}, {measure: weight, window: 24h, above: 100 kg}]}", false, "at 91 %"},
		"a sensor alone where both measure":    {"{measure: glucose, variant: capillary}", "{any: [{measure: glucose, variant: interstitial, below: 40}, {measure: glucose, variant: capillary, at_least: 400}]}", false, "glucose capillary at 39"},
		"what it takes, and its opposite":      {"{measure: heart-rate}", "{any: [{measure: heart-rate, at_least: 131}, {measure: heart-rate, at_most: 40}]}", true, ""},
		"the gravest answer":                   {"{measure: vomiting}", "{measure: vomiting, at_least: 3}", true, ""},
		"a line that is left out for a reason": {"{measure: oxygen-saturation, silent: {saturation-1: {fr: scope sur place, en: monitored on the spot}}}", "", true, ""},
		"a component that is left out":         {"{measure: vomiting, silent: {value: {fr: vu à la visite, en: seen at the visit}}}", "", true, ""},
	} {
		text := strings.Replace(protocoltest.Small, observed, "  - "+c.observes+"\n", 1)
		text = strings.Replace(text, "  - {measure: glucose, variant: interstitial, cadence: {every: 5m}}\n", "", 1)
		if strings.Contains(c.when, "interstitial") {
			text = strings.Replace(text, "parameters:", "  - {measure: glucose, variant: interstitial}\nparameters:", 1)
		}
		if c.when != "" {
			text = strings.Replace(text, "answer:", "  - id: own\n    title: {fr: Propre, en: Own}\n    origin: here\n    levels: [{level: orange, when: "+c.when+"}]\nanswer:", 1)
		}
		for status, severity := range map[string]document.Severity{"status: example": document.Warning, signed: document.Error} {
			var said []string
			for _, p := range trial.Check(node(t, strings.Replace(text, "status: example", status, 1))) {
				switch {
				case p.Code == "unheard-danger" && p.Severity != severity:
					t.Errorf("%s: %s is said as %s", name, p.Code, p.Severity)
				case p.Code == "unheard-danger":
					said = append(said, p.Message.EN)
				case p.Severity == document.Error:
					t.Errorf("%s: %+v", name, p)
				}
			}
			got := strings.Join(said, "; ")
			if c.heard != (got == "") || !strings.Contains(got, c.says) {
				t.Errorf("%s: says %q, want %q", name, got, c.says)
			}
		}
	}
}

// A level of yellow tells of a danger to nobody in time, and one of technical neither.
func TestADangerIsNotHeardByAMildLevel(t *testing.T) {
	text := strings.Replace(protocoltest.Small, "when: {measure: weight, above: 100 kg}", "when: {measure: blood-pressure, component: pulse, at_least: 131}", 1)
	for _, p := range trial.Check(node(t, text)) {
		if p.Code == "unheard-danger" && strings.Contains(p.Message.EN, "pulse-fast") {
			if want := "add a rule at the level orange with this condition alone: {measure: blood-pressure, component: pulse, at_least: 131}; or say why nothing rings: silent: {pulse-fast: {fr: …, en: …}}"; p.Suggestion.EN != want {
				t.Errorf("says %q, want %q", p.Suggestion.EN, want)
			}
			return
		}
	}
	t.Error("a pulse of 131 that only a yellow level hears is not told")
}
