package library_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/protocoltest"
	"vigie/protocols/trial"
)

// TestNoDangerStaysUnheard holds every protocol of the library against the table of
// danger: the first value on a line becomes an orange or red alert within the hour, on
// the first day of a patient, without any baseline.
func TestNoDangerStaysUnheard(t *testing.T) {
	tried := 0
	eachDanger(t, func(p *protocols.Protocol, plan *engine.Plan, l *protocols.Line) {
		tried++
		if !rings(t, p, plan, l, "") {
			t.Errorf("%s: %s %s at %s (%s) rings nothing orange or red within the hour", p.ID, l.Measure, l.Component, protocoltest.Beyond(l), l.Origin.EN)
		}
	})
	if tried < 60 {
		t.Errorf("only %d dangers were tried", tried)
	}
}

// TestAResultOfALaboratoryRingsThoughItComesLate asks of each rule of a graft that hears a
// laboratory alone that it is an event: a Friday's potassium that comes on Monday is as
// much a danger, and laboratories send days late.
func TestAResultOfALaboratoryRingsThoughItComesLate(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, rule := range newest(shipped, "kidney-failure-graft").Rules {
		ofLaboratory, urgent := !slices.Contains(rule.Raises(), protocols.Technical), false
		for _, level := range rule.Levels {
			urgent = urgent || level.Level >= protocols.Orange
			level.When.Comparisons(func(c *protocols.Comparison) {
				ofLaboratory = ofLaboratory && protocols.KindByID("laboratory").Takes(c.Measure)
			})
		}
		if !ofLaboratory || !urgent {
			continue
		}
		tried++
		if !rule.Event {
			t.Errorf("%s of a late result rings nobody: it is no event", rule.ID)
		}
	}
	if tried < 5 {
		t.Errorf("only %d rules hear a laboratory", tried)
	}
}

// TestNoMilderAlertHoldsADangerBack plays every danger again while a rule that may hold
// the answer back stands at its mildest level: a yellow of last week, of another device,
// which nothing ended.
func TestNoMilderAlertHoldsADangerBack(t *testing.T) {
	tried := 0
	eachDanger(t, func(p *protocols.Protocol, plan *engine.Plan, l *protocols.Line) {
		for _, f := range urgent(play(t, p, plan, l, "", "")) {
			for _, id := range p.Rule(f.Rule).Holders() {
				mildest := p.Rule(id).Raises()[0]
				if mildest >= f.Level {
					continue // what holds it back is as urgent
				}
				tried++
				findings := play(t, standing(p, id), nil, l, "", "      - {at: day 1 07:00, measure: steps, value: 1}\n")
				if !stands(findings, id, mildest, f.At) {
					t.Errorf("%s: %s does not stand at %s before the reading of %s: nothing is tried", p.ID, id, mildest, l.Measure)
				}
				if len(urgent(findings)) == 0 {
					t.Errorf("%s: %s at %s rings nothing orange or red while %s stands at %s", p.ID, l.Measure, protocoltest.Beyond(l), id, mildest)
				}
			}
		}
	})
	if tried == 0 {
		t.Error("no rule that answers a danger yields to a milder one: nothing was tried")
	}
}

// standing is p in which a reading of steps, and nothing else, raises a rule at its
// mildest level.
func standing(p *protocols.Protocol, id string) *protocols.Protocol {
	changed := *p
	changed.Observations = append(slices.Clone(p.Observations), protocols.Observation{Measure: protocols.MeasureByID("steps")})
	changed.Rules = slices.Clone(p.Rules)
	rule := changed.Rule(id)
	rule.Remarks, rule.Levels = nil, []protocols.RuleLevel{{Level: rule.Raises()[0], When: protocols.Condition{Compare: &protocols.Comparison{
		Measure: protocols.MeasureByID("steps"), MinusComponent: -1, PerComponent: -1, Statistic: protocols.Last, Operator: protocols.AtLeast, Threshold: protocols.Operand{Value: 1000},
	}}}}
	return &changed
}

// stands reports whether a rule is raised at a level before the danger, and not over when
// that comes.
func stands(findings []protocols.Finding, rule string, level protocols.Level, danger time.Time) (so bool) {
	for _, f := range findings {
		if f.Rule == rule && f.At.Before(danger) {
			so = f.Kind != protocols.Ended && f.Level == level
		}
	}
	return so
}

// urgent are the findings that raise orange or red in time.
func urgent(findings []protocols.Finding) []protocols.Finding {
	return slices.DeleteFunc(findings, func(f protocols.Finding) bool {
		return f.Level < protocols.Orange || f.Kind == protocols.Ended || f.TooLate
	})
}

// TestNoSettingSilencesADangerUnsaid tries both bounds of every parameter: a setting
// either leaves every danger heard, or is refused until its reason names the line.
func TestNoSettingSilencesADangerUnsaid(t *testing.T) {
	refused := 0
	eachDanger(t, func(p *protocols.Protocol, plan *engine.Plan, l *protocols.Line) {
		for i := range p.Parameters {
			parameter := &p.Parameters[i]
			if !reads(p, parameter.Name, l.Measure) {
				continue
			}
			for _, value := range []protocols.Value{parameter.Min, parameter.Max} {
				if rings(t, p, plan, l, fmt.Sprintf("%s: %s", parameter.Name, value)) {
					continue
				}
				refused++
				setting := protocols.Setting{Value: value, Author: "Dr Aubry", Date: time.Unix(0, 0), Reason: "habituel"}
				if code := codes(p, parameter.Name, setting); !slices.Contains(code, "past-danger") {
					t.Errorf("%s: %s at %s silences %s, and is refused with %v only", p.ID, parameter.Name, value, l.Name, code)
				}
				setting.Reason = "habituel, ligne " + l.Name + " vue"
				if code := codes(p, parameter.Name, setting); slices.Contains(code, "past-danger") {
					t.Errorf("%s: %s at %s is refused though its reason names %s", p.ID, parameter.Name, value, l.Name)
				}
			}
		}
	})
	if refused == 0 {
		t.Error("no setting passes any line: nothing was tried")
	}
}

func codes(p *protocols.Protocol, name string, s protocols.Setting) (list []string) {
	for _, problem := range language.CheckSettings(p, protocols.Settings{name: s}) {
		list = append(list, problem.Code)
	}
	return list
}

// reads reports whether a rule compares a measure with a parameter.
func reads(p *protocols.Protocol, parameter, measure string) (so bool) {
	for i := range p.Rules {
		p.Rules[i].Comparisons(func(c *protocols.Comparison) {
			for _, o := range c.Operands() {
				so = so || c.Measure.ID == measure && o.Parameter == parameter
			}
		})
	}
	return so
}

func eachDanger(t *testing.T, visit func(*protocols.Protocol, *engine.Plan, *protocols.Line)) {
	t.Helper()
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(shipped)) {
		plan, err := engine.NewPlan(shipped[id])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range shipped[id].Dangers() {
			visit(shipped[id], plan, l)
		}
	}
}

// rings reports whether a first reading beyond a line, under one setting, is answered.
func rings(t *testing.T, p *protocols.Protocol, plan *engine.Plan, l *protocols.Line, settings string) bool {
	t.Helper()
	return len(urgent(play(t, p, plan, l, settings, ""))) > 0
}

// play plays a reading beyond a line, after those before it, and what follows within the
// hour. plan is that of p; nil for one of its own.
func play(t *testing.T, p *protocols.Protocol, plan *engine.Plan, l *protocols.Line, settings, before string) []protocols.Finding {
	t.Helper()
	text := fmt.Sprintf("protocol: %s\ntests:\n  - name: danger\n    settings: {%s}\n    readings:\n%s      - {at: day 1 08:00, measure: %s, %s}\n    until: day 1 09:00\n    expect: []\n", p.ID, settings, before, l.Measure, protocoltest.ReadingBeyond(l))
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	timelines, problems := language.ParseTimelines(p, doc)
	if len(timelines) != 1 {
		t.Fatalf("%+v in\n%s", problems, text)
	}
	if plan == nil {
		if plan, err = engine.NewPlan(p); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := trial.Play(&timelines[0], plan)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}
