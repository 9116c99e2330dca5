package plan

import (
	"errors"
	"fmt"
	"slices"

	"vigie/protocols"
)

// checkRule returns why a rule cannot be evaluated. A parsed protocol has been
// checked with lines and columns before; this holds for whatever was built
// otherwise.
func checkRule(p *protocols.Protocol, rule *protocols.Rule) error {
	if (rule.Absence != nil) == (len(rule.Levels) > 0) {
		return errors.New("a rule has either levels or an absence")
	}
	if rule.Absence != nil && len(rule.Remarks) > 0 {
		return errors.New("an absence has no remarks")
	}
	if rule.Absence != nil {
		return checkAbsence(p, rule.Absence)
	}
	for i := range rule.Remarks {
		if err := checkRemark(p, &rule.Remarks[i]); err != nil {
			return fmt.Errorf("remark %d: %w", i+1, err)
		}
	}
	for i := range rule.Levels {
		level := &rule.Levels[i]
		if i > 0 && level.Level <= rule.Levels[i-1].Level {
			return fmt.Errorf("level %s does not come after %s", level.Level, rule.Levels[i-1].Level)
		}
		if err := checkCondition(p, &level.When); err != nil {
			return fmt.Errorf("level %s: %w", level.Level, err)
		}
	}
	return nil
}

func checkRemark(p *protocols.Protocol, remark *protocols.Remark) error {
	if err := checkCondition(p, &remark.When); err != nil {
		return err
	}
	slow := false
	remark.When.Comparisons(func(c *protocols.Comparison) { slow = slow || c.Lasting > 0 || c.Daily() })
	if slow {
		return errors.New("it is of one moment: lasting and days say nothing of it")
	}
	return nil
}

// checkPlausible returns why the guard of an observation cannot be used.
func checkPlausible(p *protocols.Protocol, o *protocols.Observation) error {
	g := o.Plausible
	switch {
	case g == nil:
		return nil
	case o.Measure.ID != "weight":
		return fmt.Errorf("%s is never doubted: only a weight is", o.Measure.ID)
	case g.Days < 1 || g.AtLeast < 1:
		return errors.New("what is plausible takes a number of days, and of readings")
	}
	for _, operand := range []*protocols.Operand{&g.Within, &g.Agree, &g.Seed} {
		if err := checkOperand(p, operand); err != nil {
			return err
		}
	}
	return nil
}

func checkAbsence(p *protocols.Protocol, a *protocols.Absence) error {
	switch {
	case a.Measure == nil:
		return errors.New("an absence needs a measure")
	case a.Cadence.Times < 1:
		return errors.New("an absence needs to know how many readings are expected")
	case slices.ContainsFunc(a.Components, func(i int) bool { return i < 0 || i >= len(a.Measure.Components) }):
		return errors.New("there is no such component")
	}
	if err := checkPeriod(&a.Cadence); err != nil {
		return err
	}
	if len(a.Missing) == 0 {
		return errors.New("an absence needs a number of missing periods")
	}
	for i := range a.Missing {
		if i > 0 && a.Missing[i].Level <= a.Missing[i-1].Level {
			return fmt.Errorf("level %s does not come after %s", a.Missing[i].Level, a.Missing[i-1].Level)
		}
		if err := checkOperand(p, &a.Missing[i].Periods); err != nil {
			return err
		}
	}
	return nil
}

func checkPeriod(c *protocols.Cadence) error {
	switch {
	case c.Per == protocols.PerDay || c.Per == protocols.PerWeek:
		return nil
	case c.Per != protocols.PerSession:
		return fmt.Errorf("a cadence is per day, per week or per session, not per %q", c.Per)
	case c.Of == nil || !c.Of.Sessions:
		return errors.New("a cadence per session needs a measure of which each reading is a session")
	case c.Before > 0 || c.Grace <= 0 || c.Grace > protocols.MaxSessionGrace:
		return errors.New("a cadence per session has no time of day, and a grace of up to a day")
	}
	return nil
}

func checkCondition(p *protocols.Protocol, c *protocols.Condition) error {
	parts := 0
	for _, set := range []bool{c.All != nil, c.Any != nil, c.Of != nil, c.Score != nil, c.Not != nil, c.Compare != nil} {
		if set {
			parts++
		}
	}
	switch {
	case parts != 1:
		return errors.New("a condition is one comparison, or one of all, any, of, score and not")
	case c.Compare != nil:
		return checkComparison(p, c.Compare)
	case c.Not != nil:
		return checkCondition(p, c.Not)
	case c.Score != nil:
		return checkScore(p, c.Score)
	case len(c.All)+len(c.Any)+len(c.Of) == 0:
		return errors.New("a combination needs conditions")
	case c.Of != nil && (c.AtLeast < 1 || c.AtLeast > len(c.Of)):
		return fmt.Errorf("%d of %d conditions can never be so", c.AtLeast, len(c.Of))
	}
	for _, list := range [][]protocols.Condition{c.All, c.Any, c.Of} {
		for i := range list {
			if err := checkCondition(p, &list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkScore(p *protocols.Protocol, s *protocols.Score) error {
	if len(s.Parts) == 0 || s.Margin < 0 {
		return errors.New("a score needs parts, and a margin is a distance")
	}
	for i := range s.Parts {
		if s.Parts[i].Points <= 0 {
			return errors.New("a part of a score adds points, above 0")
		}
		if err := checkCondition(p, &s.Parts[i].When); err != nil {
			return err
		}
	}
	return checkOperand(p, &s.From)
}

func checkComparison(p *protocols.Protocol, c *protocols.Comparison) error {
	if c.Measure == nil {
		return errors.New("a comparison needs a measure")
	}
	if err := checkShape(p, c); err != nil {
		return fmt.Errorf("%s of %s: %w", c.Statistic, c.Measure.ID, err)
	}
	for _, o := range c.Operands() {
		if err := checkOperand(p, o); err != nil {
			return err
		}
	}
	return nil
}

// checkShape returns what does not go together in a comparison.
func checkShape(p *protocols.Protocol, c *protocols.Comparison) error {
	windowless := c.Window == protocols.Window{} && !c.Daily()
	components := len(c.Measure.Components)
	row := c.Statistic.Row()
	switch {
	case row == nil:
		return errors.New("there is no such statistic")
	case row.Doubts && !p.Doubts(c.Measure):
		return errors.New("no observation says what is plausible")
	case row.Window == protocols.Never && c.Window != protocols.Window{}:
		return errors.New("this has no window")
	case c.Apart < 0 || c.Apart > 0 && (c.Statistic != protocols.Count || c.Where == nil):
		return errors.New("a least distance goes with a count of some readings")
	case c.Beside != nil && !besideFits(c):
		return errors.New("another reading is subtracted from the latest one alone")
	case c.Flag != "" && (protocols.FlagOf(c.Flag) == nil || c.MinusComponent >= 0 || c.PerComponent >= 0 || row.Doubts || row.Only != ""):
		return fmt.Errorf("%q is no flag that can be looked at", c.Flag)
	case c.Hours != protocols.Hours{} && (c.Floor > 0 || row.Expected):
		return errors.New("how many readings are expected at some hours of the day is not known")
	case c.Meal != "" && (c.Meal.Title() == protocols.Text{} || c.Floor > 0 || row.Expected):
		return errors.New("there is no such moment by a meal, or how many readings are expected at it is not known")
	case row.Only != "" && row.Only != c.Measure.ID:
		return fmt.Errorf("this is about %s", row.Only)
	case !slices.Contains(protocols.Operators(), c.Operator):
		return fmt.Errorf("there is no operator %q", c.Operator)
	case c.Component < 0 || c.Component >= components || c.MinusComponent >= components || c.PerComponent >= components:
		return errors.New("there is no such component")
	case c.Window.Length < 0 || c.Window.Days < 0 || c.Window.Length > 0 && c.Window.Days > 0:
		return errors.New("a window is a duration or a number of civil days")
	case c.Daily() && c.Window != protocols.Window{} && c.Window != protocols.Window{Days: 1}:
		return errors.New("with days, the statistic is taken within each day: it has no window")
	case c.Daily() && !row.Daily:
		return errors.New("this is no aggregate of a day")
	case c.Daily() && c.Lasting > 0:
		return errors.New("lasting and days cannot be combined")
	case windowless && row.Window == protocols.Always:
		return errors.New("this needs a window")
	case !c.Daily() && c.Window.Days == 0 && row.Days:
		return errors.New("this needs a window of civil days")
	case c.Where == nil && row.Where == protocols.Always:
		return errors.New("this needs to know which readings count")
	case c.Where != nil && row.Where == protocols.Never:
		return errors.New("this takes every reading")
	case row.Event != (c.Event != nil):
		return errors.New("events and the shape of an event go together")
	case c.Until != nil && c.Event == nil:
		return errors.New("until says when an event is over")
	case c.Event != nil && c.Event.Lasting == 0 && c.Event.Ending == 0 && c.Event.Gap == 0:
		return errors.New("an event needs how long it lasts, after how long it ends, or the longest silence in it")
	}
	return checkExpectations(p, c, windowless)
}

// besideFits reports whether another reading can be subtracted from what c looks at.
func besideFits(c *protocols.Comparison) bool {
	b := c.Beside
	return c.Statistic == protocols.Last && c.Window.Days == 0 && !c.Daily() && c.Minus == nil && c.Lasting == 0 && c.Floor == 0 && c.Flag == "" &&
		b.Component >= 0 && b.Component < len(b.Measure.Components) && b.Within > 0 && (b.As == protocols.InUnits || b.As == protocols.InPercent)
}

func checkExpectations(p *protocols.Protocol, c *protocols.Comparison, windowless bool) error {
	switch b := c.Minus; {
	case b == nil:
	case !c.Statistic.Row().Baseline:
		return errors.New("a baseline cannot be subtracted from this")
	case b.Statistic.Row() == nil || !b.Statistic.Row().Baseline:
		return fmt.Errorf("a baseline cannot be %q", b.Statistic)
	case b.Days < 1 || b.Ago < 0:
		return errors.New("a baseline is at least one day long, and not in the future")
	case b.As != protocols.InUnits && b.As != protocols.InPercent && b.As != protocols.InDeviations:
		return fmt.Errorf("the distance from a baseline is not counted in %q", b.As)
	case b.As == protocols.InDeviations && b.AtLeast < protocols.LeastDays:
		return fmt.Errorf("a deviation takes %d days", protocols.LeastDays)
	}
	switch {
	case c.Floor == 0 && !c.Statistic.Row().Expected:
		return nil
	case windowless:
		return errors.New("a floor needs a window")
	case p.UsualStep(c.Measure, c.Variant, nil) <= 0:
		return fmt.Errorf("nothing says how many readings of %s are expected", c.Measure.ID)
	}
	return nil
}

func checkOperand(p *protocols.Protocol, o *protocols.Operand) error {
	if o.Parameter != "" && p.Parameter(o.Parameter) == nil {
		return fmt.Errorf("there is no parameter %q", o.Parameter)
	}
	return nil
}
