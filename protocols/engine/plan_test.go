package engine

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

func TestPlanSaysWhatCannotBeEvaluated(t *testing.T) {
	weight := func(change func(*protocols.Comparison)) protocols.Rule {
		c := of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 100)
		change(c)
		return rule("poids", level(protocols.Orange, c))
	}
	held := func(id string, by ...string) protocols.Rule {
		r := rule(id, level(protocols.Orange, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 100)))
		r.HeldBy = by
		return r
	}
	for _, c := range []struct {
		rules []protocols.Rule
		want  string
	}{
		{[]protocols.Rule{held("a"), held("a")}, `two rules "a"`},
		{[]protocols.Rule{held("a", "b")}, `held back by "b", which is no rule`},
		{[]protocols.Rule{held("a", "b"), held("b", "c"), held("c", "b")}, "in a circle: b, c, b"},
		{[]protocols.Rule{held("a", "a")}, "in a circle: a, a"},
		{[]protocols.Rule{{ID: "vide"}}, "either levels or an absence"},
		{[]protocols.Rule{rule("ordre", level(protocols.Red, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 1)), level(protocols.Orange, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 2)))}, "orange does not come after red"},
		{[]protocols.Rule{{ID: "deux", Levels: []protocols.RuleLevel{{Level: protocols.Red, When: protocols.Condition{}}}}}, "one comparison, or one of"},
		{[]protocols.Rule{{ID: "rien", Levels: []protocols.RuleLevel{{Level: protocols.Red, When: protocols.Condition{All: []protocols.Condition{}}}}}}, "needs conditions"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Statistic = "mode" })}, "no such statistic"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Statistic = protocols.Mean })}, "needs a window"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Statistic, c.Window.Length = protocols.Slope, time.Hour })}, "window of civil days"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Statistic, c.Window.Length = protocols.Share, time.Hour })}, "which readings count"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Window = protocols.Window{Length: time.Hour, Days: 1} })}, "a duration or a number of civil days"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Threshold = protocols.Operand{Parameter: "prise"} })}, `no parameter "prise"`},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Window.Days, c.Floor = 3, v(70) })}, "how many readings of weight are expected"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Component = 4 })}, "no such component"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Operator = "near" })}, `no operator "near"`},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Days, c.Lasting = literal(2), time.Hour })}, "lasting and days"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Minus = &protocols.Baseline{Statistic: protocols.Mean} })}, "at least one day long"},
		{[]protocols.Rule{weight(func(c *protocols.Comparison) { c.Minus = &protocols.Baseline{Statistic: protocols.Sum, Days: 2} })}, `cannot be "sum"`},
		{[]protocols.Rule{{ID: "s", Absence: &protocols.Absence{Measure: protocols.MeasureByID("weight"), Missing: []protocols.MissingLevel{{Level: protocols.Orange}}}}}, "how many readings are expected"},
		{[]protocols.Rule{{ID: "s", Absence: &protocols.Absence{Measure: protocols.MeasureByID("weight"), Cadence: protocols.Cadence{Times: 1, Per: "month"}}}}, "per day, per week or per session"},
		{[]protocols.Rule{{ID: "s", Absence: &protocols.Absence{Measure: protocols.MeasureByID("weight"), Cadence: protocols.Cadence{Times: 1, Per: protocols.PerSession, Of: protocols.MeasureByID("weight")}}}}, "each reading is a session"},
		{[]protocols.Rule{{ID: "s", Absence: &protocols.Absence{Measure: protocols.MeasureByID("weight"), Cadence: protocols.Cadence{Times: 1, Per: protocols.PerSession, Of: protocols.MeasureByID("dialysis-session")}}}}, "a grace of up to a day"},
		{[]protocols.Rule{{ID: "s", Absence: &protocols.Absence{Measure: protocols.MeasureByID("weight"), Components: []int{7}, Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay}}}}, "no such component"},
	} {
		if _, err := NewPlan(protocolOf(c.rules...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected something about %q", err, c.want)
		}
	}
}

func TestSettingsOutsideTheProtocolAreRefused(t *testing.T) {
	p := protocolOf(rule("poids", level(protocols.Orange, of("weight", "value", protocols.Rise, protocols.Window{Days: 3}, protocols.Above, 2))))
	p.Parameters = []protocols.Parameter{{Name: "prise", Unit: "kg", Default: v(2), Min: v(1), Max: v(5)}}
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*protocols.Enrolment)
		want   string
	}{
		{func(e *protocols.Enrolment) { e.Settings = protocols.Settings{"pris": {Value: v(2)}} }, `"pris" is no parameter of protocol essai; its parameters are prise`},
		{func(e *protocols.Enrolment) { e.Settings = protocols.Settings{"prise": {Value: v(5.1)}} }, "prise = 5.1 is outside its bounds: from 1 to 5 kg"},
		{func(e *protocols.Enrolment) { e.Zone = nil }, "no time zone"},
		{func(e *protocols.Enrolment) { e.Settings = protocols.Settings{"prise": {Value: v(5)}} }, ""},
	} {
		e := enrolled()
		c.change(&e)
		_, err := plan.For(e)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
}

func TestRunOfHalfADayIsRefused(t *testing.T) {
	c := of("weight", "value", protocols.Mean, protocols.Window{}, protocols.Above, 100)
	c.Days = literal(1.5)
	plan, err := NewPlan(protocolOf(rule("poids", level(protocols.Orange, c))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.For(enrolled()); err == nil || !strings.Contains(err.Error(), "1.5 is not a number of periods") {
		t.Error(err)
	}
}
