package protocols

import (
	"strings"
	"testing"
	"time"
)

func TestPlanSaysWhatCannotBeEvaluated(t *testing.T) {
	weight := func(change func(*Comparison)) Rule {
		c := of("weight", "value", Last, Window{}, Above, 100)
		change(c)
		return rule("poids", level(Orange, c))
	}
	held := func(id string, by ...string) Rule {
		r := rule(id, level(Orange, of("weight", "value", Last, Window{}, Above, 100)))
		r.HeldBy = by
		return r
	}
	for _, c := range []struct {
		rules []Rule
		want  string
	}{
		{[]Rule{held("a"), held("a")}, `two rules "a"`},
		{[]Rule{held("a", "b")}, `held back by "b", which is no rule`},
		{[]Rule{held("a", "b"), held("b", "c"), held("c", "b")}, "in a circle: b, c, b"},
		{[]Rule{held("a", "a")}, "in a circle: a, a"},
		{[]Rule{{ID: "vide"}}, "either levels or an absence"},
		{[]Rule{rule("ordre", level(Red, of("weight", "value", Last, Window{}, Above, 1)), level(Orange, of("weight", "value", Last, Window{}, Above, 2)))}, "orange does not come after red"},
		{[]Rule{{ID: "deux", Levels: []RuleLevel{{Level: Red, When: Condition{}}}}}, "one comparison, or one of"},
		{[]Rule{{ID: "rien", Levels: []RuleLevel{{Level: Red, When: Condition{All: []Condition{}}}}}}, "needs conditions"},
		{[]Rule{weight(func(c *Comparison) { c.Statistic = "mode" })}, "no such statistic"},
		{[]Rule{weight(func(c *Comparison) { c.Statistic = Mean })}, "needs a window"},
		{[]Rule{weight(func(c *Comparison) { c.Statistic, c.Window.Length = Slope, time.Hour })}, "window of civil days"},
		{[]Rule{weight(func(c *Comparison) { c.Statistic, c.Window.Length = Share, time.Hour })}, "which readings count"},
		{[]Rule{weight(func(c *Comparison) { c.Window = Window{Length: time.Hour, Days: 1} })}, "a duration or a number of civil days"},
		{[]Rule{weight(func(c *Comparison) { c.Threshold = Operand{Parameter: "prise"} })}, `no parameter "prise"`},
		{[]Rule{weight(func(c *Comparison) { c.Window.Days, c.Floor = 3, v(70) })}, "how many readings of weight are expected"},
		{[]Rule{weight(func(c *Comparison) { c.Component = 4 })}, "no such component"},
		{[]Rule{weight(func(c *Comparison) { c.Operator = "near" })}, `no operator "near"`},
		{[]Rule{weight(func(c *Comparison) { c.Days, c.Lasting = literal(2), time.Hour })}, "lasting and days"},
		{[]Rule{weight(func(c *Comparison) { c.Minus = &Baseline{Statistic: Mean} })}, "at least one day long"},
		{[]Rule{weight(func(c *Comparison) { c.Minus = &Baseline{Statistic: Sum, Days: 2} })}, `cannot be "sum"`},
		{[]Rule{{ID: "s", Absence: &Absence{Measure: MeasureByID("weight"), Missing: []MissingLevel{{Level: Orange}}}}}, "how many readings are expected"},
		{[]Rule{{ID: "s", Absence: &Absence{Measure: MeasureByID("weight"), Cadence: Cadence{Times: 1, Per: "month"}}}}, "per day, per week or per session"},
		{[]Rule{{ID: "s", Absence: &Absence{Measure: MeasureByID("weight"), Cadence: Cadence{Times: 1, Per: PerSession, Of: MeasureByID("weight")}}}}, "each reading is a session"},
		{[]Rule{{ID: "s", Absence: &Absence{Measure: MeasureByID("weight"), Cadence: Cadence{Times: 1, Per: PerSession, Of: MeasureByID("dialysis-session")}}}}, "a grace of up to a day"},
		{[]Rule{{ID: "s", Absence: &Absence{Measure: MeasureByID("weight"), Components: []int{7}, Cadence: Cadence{Times: 1, Per: PerDay}}}}, "no such component"},
	} {
		if _, err := NewPlan(protocolOf(c.rules...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected something about %q", err, c.want)
		}
	}
}

func TestSettingsOutsideTheProtocolAreRefused(t *testing.T) {
	p := protocolOf(rule("poids", level(Orange, of("weight", "value", Rise, Window{Days: 3}, Above, 2))))
	p.Parameters = []Parameter{{Name: "prise", Unit: "kg", Default: v(2), Min: v(1), Max: v(5)}}
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Enrolment)
		want   string
	}{
		{func(e *Enrolment) { e.Settings = Settings{"pris": {Value: v(2)}} }, `"pris" is no parameter of protocol essai; its parameters are prise`},
		{func(e *Enrolment) { e.Settings = Settings{"prise": {Value: v(5.1)}} }, "prise = 5.1 is outside its bounds: from 1 to 5 kg"},
		{func(e *Enrolment) { e.Zone = nil }, "no time zone"},
		{func(e *Enrolment) { e.Settings = Settings{"prise": {Value: v(5)}} }, ""},
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
	c := of("weight", "value", Mean, Window{}, Above, 100)
	c.Days = literal(1.5)
	plan, err := NewPlan(protocolOf(rule("poids", level(Orange, c))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.For(enrolled()); err == nil || !strings.Contains(err.Error(), "1.5 is not a number of periods") {
		t.Error(err)
	}
}
