package library_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/trial"
)

// danger is a value beyond which nobody may stay unheard, whatever is usual.
type danger struct {
	measure, component string
	variant            string
	value              string
	origin             string
}

// dangers is the table of danger. Numbers are single parameters of NEWS2 that score
// three points (scale 2 where oxygen or ventilation is usual), the consensus on glucose,
// grade 3 of blood pressure, KDIGO; what has no published source says so.
var dangers = []danger{
	{"oxygen-saturation", "", "", "82 %", "NEWS2 scale 2: ≤ 83"},
	{"blood-pressure", "systolic", "", "88 mmHg", "NEWS2: ≤ 90"},
	{"blood-pressure", "systolic", "", "222 mmHg", "NEWS2: ≥ 220"},
	{"blood-pressure", "diastolic", "", "112 mmHg", "grade 3: ≥ 110"},
	{"blood-pressure", "pulse", "", "134 /min", "NEWS2: ≥ 131"},
	{"blood-pressure", "pulse", "", "39 /min", "NEWS2: ≤ 40"},
	{"heart-rate", "", "", "134 /min", "NEWS2: ≥ 131"},
	{"heart-rate", "", "", "39 /min", "NEWS2: ≤ 40"},
	{"respiratory-rate", "", "", "27 /min", "NEWS2: ≥ 25"},
	{"respiratory-rate", "", "", "7 /min", "NEWS2: ≤ 8"},
	{"temperature", "", "", "34.8 Cel", "NEWS2: ≤ 35.0"},
	{"temperature", "", "", "39.4 Cel", "no published source"},
	{"glucose", "", "capillary", "30 mg/dL", "consensus, level 2: < 54; alone below 40: no published source"},
	{"glucose", "", "capillary", "450 mg/dL", "no published source"},
	{"glucose", "", "interstitial", "38 mg/dL", "consensus, level 2: < 54; alone below 40: no published source"},
	{"potassium", "", "", "6.6 mmol/L", "no published source"},
	{"potassium", "", "", "2.4 mmol/L", "no published source"},
	{"symptom", "breathlessness", "", "3", "no published source"},
	{"symptom", "orthopnoea", "", "3", "no published source"},
	{"symptom", "chest-pain", "", "3", "no published source"},
	{"symptom", "oedema", "", "3", "no published source"},
	{"symptom", "dizziness", "", "3", "no published source"},
	{"dialysis-session", "ultrafiltration-rate", "", "3000 mL/h", "AJKD 2016: above 13 mL/kg/h"},
	{"dialysis-session", "venous-pressure", "", "480 mmHg", "no published source"},
	{"dialysis-session", "arterial-pressure", "", "-400 mmHg", "no published source"},
	{"dialysis-session", "systolic-start", "", "205 mmHg", "grade 3: ≥ 180"},
	{"dialysis-session", "systolic-start", "", "85 mmHg", "NEWS2: ≤ 90"},
	{"dialysis-session", "systolic-lowest", "", "85 mmHg", "NEWS2: ≤ 90"},
	{"dialysis-session", "systolic-end", "", "205 mmHg", "grade 3: ≥ 180"},
	{"dialysis-session", "systolic-end", "", "85 mmHg", "NEWS2: ≤ 90"},
	{"dialysis-session", "diastolic-start", "", "112 mmHg", "grade 3: ≥ 110"},
	{"dialysis-session", "diastolic-end", "", "112 mmHg", "grade 3: ≥ 110"},
	{"dialysis-session", "heart-rate-start", "", "134 /min", "NEWS2: ≥ 131"},
	{"dialysis-session", "heart-rate-start", "", "39 /min", "NEWS2: ≤ 40"},
	{"dialysis-session", "heart-rate-end", "", "134 /min", "NEWS2: ≥ 131"},
	{"dialysis-session", "heart-rate-end", "", "39 /min", "NEWS2: ≤ 40"},
	{"implant", "red", "", "1", "the vendor's class"},
	{"implant", "shock", "", "1", "no published source"},
	{"implant", "lead-impedance", "", "2500 Ohm", "no published source"},
}

// beside are the numbers that a reading must hold as well.
var beside = map[string]map[string]string{
	"blood-pressure":   {"systolic": "130", "diastolic": "60"},
	"dialysis-session": {"weight-start": "72", "dry-weight": "70", "weight-end": "70"},
}

// TestNoDangerStaysUnheard holds every protocol of the library against the table: what
// it observes and what is beyond the table becomes an orange or red alert within the
// hour, on the first day of a patient, without any baseline.
func TestNoDangerStaysUnheard(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for id, p := range shipped {
		plan, err := engine.NewPlan(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dangers {
			if !observes(p, d) {
				continue
			}
			tried++
			findings := dangerous(t, p, plan, d)
			if !slices.ContainsFunc(findings, func(f protocols.Finding) bool {
				return f.Level >= protocols.Orange && f.Kind != protocols.Ended && !f.TooLate
			}) {
				t.Errorf("%s: %s %s at %s (%s) rings nothing orange or red within the hour", id, d.measure, d.component, d.value, d.origin)
			}
		}
	}
	if tried < 60 {
		t.Errorf("only %d dangers were tried", tried)
	}
}

func observes(p *protocols.Protocol, d danger) bool {
	return slices.ContainsFunc(p.Observations, func(o protocols.Observation) bool {
		return o.Measure.ID == d.measure && (d.variant == "" || o.Variant == 0 || o.Measure.Variants[o.Variant-1] == d.variant)
	})
}

// dangerous plays a first reading beyond the table, and what follows within the hour.
func dangerous(t *testing.T, p *protocols.Protocol, plan *engine.Plan, d danger) []protocols.Finding {
	t.Helper()
	text := fmt.Sprintf("protocol: %s\ntests:\n  - name: danger\n    readings:\n      - {at: day 1 08:00, measure: %s, %s}\n    until: day 1 09:00\n    expect: []\n", p.ID, d.measure, given(d))
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	timelines, problems := language.ParseTimelines(p, doc)
	if len(timelines) != 1 {
		t.Fatalf("%+v in\n%s", problems, text)
	}
	findings, err := trial.Play(&timelines[0], plan)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// given is the reading of a danger as a test writes it.
func given(d danger) string {
	if d.component == "" {
		if d.variant != "" {
			return "variant: " + d.variant + ", value: " + d.value
		}
		return "value: " + d.value
	}
	values := map[string]string{d.component: d.value}
	for name, value := range beside[d.measure] {
		if _, ok := values[name]; !ok {
			values[name] = value
		}
	}
	var list []string
	for name, value := range values {
		list = append(list, name+": "+value)
	}
	slices.Sort(list)
	return "values: {" + strings.Join(list, ", ") + "}"
}
