package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func measureOf(t *testing.T, arguments ...string) *measured {
	t.Helper()
	out, err := run(t, measureCommand(), append(arguments, "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestMeasureScoresEveryProtocolThatHasPatients(t *testing.T) {
	m := measureOf(t, "--patients", "40", "--days", "60")
	if !m.Simulation || len(m.Protocols) < 5 {
		t.Fatalf("measured %d protocols", len(m.Protocols))
	}
	for _, p := range m.Protocols {
		for _, k := range append(p.Clinical.Kinds, p.Silence.Kinds...) {
			if k.Caught > k.Events || k.Sensitivity < 0 || k.Sensitivity > 100 {
				t.Errorf("%s: %+v", p.Protocol, k)
			}
		}
		if p.Clinical.False > p.Clinical.Alerts {
			t.Errorf("%s: %d false of %d alerts", p.Protocol, p.Clinical.False, p.Clinical.Alerts)
		}
	}
}

// The individualised rule is in the library because it sees more than 2 kg in 3
// days and rings for nothing less often.
func TestTheSlowWeightRuleSeesMoreThanTwoKilogramsInThreeDays(t *testing.T) {
	m := measureOf(t, "--protocol", "heart-failure")
	rules := map[string]measuredRule{}
	for _, r := range m.Protocols[0].Rules {
		rules[r.Rule] = r
	}
	fast, slow := rules["weight-gain-fast"], rules["weight-gain-slow"]
	if slow.Kinds[0].Sensitivity <= fast.Kinds[0].Sensitivity || slow.FalseRate >= fast.FalseRate {
		t.Errorf("slow: %v %% seen, %v false; fast: %v %% seen, %v false",
			slow.Kinds[0].Sensitivity, slow.FalseRate, fast.Kinds[0].Sensitivity, fast.FalseRate)
	}
}

func TestMeasureSaysThatItIsASimulation(t *testing.T) {
	out, err := run(t, measureCommand(), "--patients", "20", "--days", "40")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"SIMULATION", "ne prouvent rien", "21 %", "82 %", "13 647"} {
		if !strings.Contains(out, words) {
			t.Errorf("the table does not say %q", words)
		}
	}
}

func TestEveryGoalIsHeldAgainstWhatWasMeasured(t *testing.T) {
	m := measureOf(t, "--patients", "75", "--days", "60", "--protocol", "heart-failure", "--protocol", "copd", "--protocol", "diabetes")
	found := 0
	for _, p := range m.Protocols {
		found += len(p.Goals)
		for _, g := range p.Goals {
			if better := g.Measured >= g.Wanted; g.Measured != g.Wanted && (better == (g.Kind != "")) != g.Reached {
				t.Errorf("%s: %+v", p.Protocol, g)
			}
			if goalSentences[g.Figure].FR == "" {
				t.Errorf("nothing says %s", g.Figure)
			}
		}
	}
	if found != len(goals) {
		t.Errorf("%d goals were measured, of %d", found, len(goals))
	}
}

func TestMeasureSpeaksEnglish(t *testing.T) {
	out, err := run(t, measureCommand(), "--patients", "20", "--days", "40", "--protocol", "heart-failure", "--language", "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"prove nothing about patients", "heart failure: ", "clinical alerts", "13,647", "confidence interval of 95 %", "goal: at most 1 false clinical alert"} {
		if !strings.Contains(out, words) {
			t.Errorf("the table does not say %q", words)
		}
	}
	if strings.Contains(out, "mesures") || strings.Contains(out, "décompensation") {
		t.Errorf("there is French in\n%s", out)
	}
}

func TestMeasureRefusesSettingsForSeveralProtocols(t *testing.T) {
	_, err := run(t, measureCommand(), "--settings", "fast-gain=1")
	if err == nil || !strings.Contains(err.Error(), "exactly one --protocol") {
		t.Errorf("got %v", err)
	}
}
