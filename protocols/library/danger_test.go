package library_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/trial"
)

// TestNoDangerStaysUnheard holds every protocol of the library against the table of
// danger: what lies beyond a line becomes an orange or red alert within the hour, on the
// first day of a patient, without any baseline. None of them leaves a line out.
func TestNoDangerStaysUnheard(t *testing.T) {
	tried := 0
	eachProtocol(t, func(p *protocols.Protocol, _ *engine.Plan) {
		unheard, err := trial.Unheard(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range unheard {
			t.Errorf("%s: %s at %s, %s, rings nothing orange or red within the hour", p.ID, u.Line.Name, u.Value, u.At.Format("15:04"))
		}
		tried += len(danger.Of(p))
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
	eachDanger(t, func(p *protocols.Protocol, plan *engine.Plan, l *danger.Line) {
		for _, f := range play(t, plan, l, nil) {
			for _, id := range p.Rule(f.Rule).Holders() {
				mildest := p.Rule(id).Raises()[0]
				if mildest >= f.Level {
					continue // what holds it back is as urgent
				}
				tried++
				standing := planOf(t, standing(p, id))
				if !stands(t, standing, id, mildest) {
					t.Errorf("%s: %s does not stand at %s before the reading of %s: nothing is tried", p.ID, id, mildest, l.Measure)
				}
				if len(play(t, standing, l, nil, steps)) == 0 {
					t.Errorf("%s: %s at %s rings nothing orange or red while %s stands at %s", p.ID, l.Measure, l.First(), id, mildest)
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

// steps are what raises it, an hour before the danger.
var steps = protocols.Reading{ID: "steps", Device: "steps", Time: morning.Add(-time.Hour), Measure: protocols.MeasureByID("steps"), Values: []protocols.Value{1000}, Battery: -1}

// stands reports whether the reading of steps raises a rule at a level.
func stands(t *testing.T, plan *engine.Plan, rule string, level protocols.Level) bool {
	t.Helper()
	findings, err := trial.Play(&language.Timeline{Zone: time.UTC, Start: morning.Add(-8 * time.Hour), Readings: []language.Delivery{{Reading: steps, Received: steps.Time}}, Until: morning}, plan)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(findings, func(f protocols.Finding) bool {
		return f.Rule == rule && f.Level == level && f.Kind == protocols.Raised
	})
}

// TestNoSettingSilencesADangerUnsaid tries both bounds of every parameter: a setting
// either leaves every danger heard, or is refused until its reason names the line.
func TestNoSettingSilencesADangerUnsaid(t *testing.T) {
	refused := 0
	eachDanger(t, func(p *protocols.Protocol, plan *engine.Plan, l *danger.Line) {
		for i := range p.Parameters {
			parameter := &p.Parameters[i]
			if !reads(p, parameter.Name, l.Measure) {
				continue
			}
			for _, value := range []protocols.Value{parameter.Min, parameter.Max} {
				setting := protocols.Setting{Value: value, Author: "Dr Aubry", Date: time.Unix(0, 0), Reason: "habituel"}
				if len(play(t, plan, l, protocols.Settings{parameter.Name: setting})) > 0 {
					continue
				}
				refused++
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

func eachProtocol(t *testing.T, visit func(*protocols.Protocol, *engine.Plan)) {
	t.Helper()
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(shipped)) {
		visit(shipped[id], planOf(t, shipped[id]))
	}
}

func eachDanger(t *testing.T, visit func(*protocols.Protocol, *engine.Plan, *danger.Line)) {
	t.Helper()
	eachProtocol(t, func(p *protocols.Protocol, plan *engine.Plan) {
		for _, l := range danger.Of(p) {
			visit(p, plan, l)
		}
	})
}

func planOf(t *testing.T, p *protocols.Protocol) *engine.Plan {
	t.Helper()
	plan, err := engine.NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// morning is when dangers are measured, on the first day of a patient.
var morning = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// play plays a reading of the first value beyond a line, after those before it, and returns
// what that raises orange or red within the hour.
func play(t *testing.T, plan *engine.Plan, l *danger.Line, settings protocols.Settings, before ...protocols.Reading) []protocols.Finding {
	t.Helper()
	m := protocols.MeasureByID(l.Measure)
	variant := min(1, len(m.Variants))
	if l.Variant != "" {
		variant = m.Variant(l.Variant)
	}
	findings, err := trial.PlayDanger(plan, settings, append(before, l.Reading(l.First(), uint8(variant), morning))...)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}
