package replay

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// rang is an alert some hours after Monday that lasted for some hours.
func rang(patient, rule string, level protocols.Level, hour, lasted int) Alert {
	at := monday.Add(time.Duration(hour) * time.Hour)
	return Alert{Time: at, Patient: patient, Rule: rule, Level: level, hour: at.Hour(), over: at.Add(time.Duration(lasted) * time.Hour)}
}

func TestTotalsCountPerHundredPatientDays(t *testing.T) {
	span := Span{From: monday, To: monday.AddDate(0, 0, 10)}
	var o Outcome
	o.Add(Past{}, span, []Alert{rang("a", "low", protocols.Red, 3, 1), rang("a", "low", protocols.Orange, 51, 1)})
	late := protocols.Enrolment{From: monday.AddDate(0, 0, 5)}
	o.Add(Past{Enrolment: late}, span, []Alert{rang("b", "low", protocols.Red, 150, 1), rang("b", "high", protocols.Yellow, 150, 1)})
	totals := o.Totals([]protocols.Rule{{ID: "low"}, {ID: "high"}, {ID: "never"}})
	if o.PatientDays != 15 {
		t.Fatalf("%v patient-days, want 10 and 5", o.PatientDays)
	}
	if totals.Alerts != 4 || totals.Rate < 26.66 || totals.Rate > 26.67 {
		t.Errorf("%d alerts, %v per 100 patient-days", totals.Alerts, totals.Rate)
	}
	low, never := totals.ByRule[0], totals.ByRule[2]
	if low.Alerts != 3 || low.Patients != 2 || low.ByLevel[protocols.Red] != 2 || low.Rate != 20 {
		t.Errorf("the rule counts %+v", low)
	}
	if never.Rule != "never" || never.Alerts != 0 {
		t.Errorf("a rule that never rang is shown as %+v", never)
	}
	if totals.ByHour[3] != 2 || totals.ByHour[6] != 2 {
		t.Errorf("hours are %v", totals.ByHour)
	}
}

func TestRulesThatRingTogetherOverlap(t *testing.T) {
	o := Outcome{Alerts: []Alert{
		rang("a", "weight", protocols.Orange, 0, 1), rang("a", "breath", protocols.Orange, 20, 1),
		rang("a", "weight", protocols.Orange, 100, 1),
		rang("b", "breath", protocols.Orange, 100, 1),
	}}
	for _, got := range overlaps(o.Alerts) {
		if got.Shared != 1 || got.Of != 2 {
			t.Errorf("%s shares %d of %d with %s: another patient, or days later, is not together", got.Rule, got.Shared, got.Of, got.With)
		}
	}
	if n := len(overlaps(o.Alerts)); n != 2 {
		t.Errorf("%d overlaps, want one each way", n)
	}
}

func TestTwoVersionsArePairedByEpisode(t *testing.T) {
	first := &Outcome{Alerts: []Alert{
		rang("a", "weight", protocols.Orange, 0, 1), rang("a", "weight", protocols.Orange, 200, 48), rang("b", "weight", protocols.Red, 0, 1),
	}}
	second := &Outcome{Alerts: []Alert{
		rang("a", "weight", protocols.Red, 6, 1), rang("a", "weight", protocols.Orange, 230, 5), rang("a", "other", protocols.Red, 0, 1),
	}}
	d := Compare(first, second)
	if len(d.Both) != 2 || len(d.OnlyFirst) != 1 || len(d.OnlySecond) != 1 {
		t.Fatalf("both %d, only first %d, only second %d", len(d.Both), len(d.OnlyFirst), len(d.OnlySecond))
	}
	if d.Both[0].Levels != [2]protocols.Level{protocols.Orange, protocols.Red} {
		t.Errorf("levels %v", d.Both[0].Levels)
	}
	if d.OnlyFirst[0].Patient != "b" || d.OnlySecond[0].Rule != "other" {
		t.Errorf("only first %v, only second %v", d.OnlyFirst, d.OnlySecond)
	}
	swapped := Compare(second, first)
	if len(swapped.Both) != 2 || len(swapped.OnlyFirst) != 1 || len(swapped.OnlySecond) != 1 {
		t.Errorf("the other way round: %+v", swapped)
	}
}

func TestAComparisonIsTheSameFromEitherSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *Outcome {
			o := &Outcome{}
			hours := rapid.SliceOfNDistinct(rapid.IntRange(0, 60), 0, 6, rapid.ID[int]).Draw(t, label)
			for _, hour := range hours {
				o.Alerts = append(o.Alerts, rang("a", "weight", protocols.Orange, hour, rapid.IntRange(0, 8).Draw(t, "lasted")))
			}
			o.Sort()
			return o
		}
		first, second := draw("first"), draw("second")
		d, swapped := Compare(first, second), Compare(second, first)
		if len(d.Both) != len(swapped.Both) || !slices.EqualFunc(d.OnlyFirst, swapped.OnlySecond, func(a, b Alert) bool { return a.Time.Equal(b.Time) }) {
			t.Fatalf("%+v\nand from the other side %+v", d, swapped)
		}
		if len(d.Both)+len(d.OnlyFirst) != len(first.Alerts) || len(d.Both)+len(d.OnlySecond) != len(second.Alerts) {
			t.Fatalf("an alert is missing, or counted twice: %+v", d)
		}
	})
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	var done atomic.Int64
	err := Each(context.Background(), 2, 1000, func(i int) error {
		done.Add(1)
		if i == 10 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) || done.Load() == 1000 {
		t.Errorf("ended with %v after %d", err, done.Load())
	}
	if err := Each(context.Background(), 4, 3, func(int) error { return nil }); err != nil {
		t.Error(err)
	}
}
