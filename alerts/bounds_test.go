package alerts_test

import (
	"testing"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// What is allowed is allowed to the last moment of it.

func TestASnoozeOfTheLongestTimeIsAllowed(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	if err := l.does(alerts.Snooze, hour+3*days, hour); err != nil {
		t.Error(err)
	}
}

func TestABackfillFromAsFarAsTheRuleLooksBackMovesTheBeginning(t *testing.T) {
	l := newTimeline(t)
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Lapse: 7 * days}}
	l.begin()
	l.found(protocols.Again, "ep-1", protocols.Orange, -7*days, hour, figure(86))
	if a := l.latest(); !a.At.Equal(storetest.Morning.Add(-7 * days)) {
		t.Errorf("it begins at %s", a.At)
	}
}

// Nobody is on duty for a team without a rota and without a first step.
func TestNobodyIsOnDutyWhereNobodyIsNamed(t *testing.T) {
	team := storetest.Care().Team
	team.Escalate = nil
	if d := team.Duty(storetest.Morning); d.OnDuty != nil {
		t.Errorf("on duty is %+v", d.OnDuty)
	}
}

// A reading is struck out of an alert that was given back: at the same level, it is due
// when it was.
func TestAStrikeThatLeavesTheLevelLeavesTheDeadline(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.acknowledge(hour)
	if err := alerts.Release(ctx, l.memory, l.latest().ID, "Dr Payet", "", storetest.Morning.Add(3*hour)); err != nil {
		t.Fatal(err)
	}
	due := l.latest().AnswerBy
	l.found(protocols.Revised, "ep-1", protocols.Orange, 0, 4*hour, figure(87), byMmeHoarau)
	if got := l.latest().AnswerBy; !got.Equal(due) {
		t.Errorf("it is due by %s, want %s", got, due)
	}
}

// A condition that must not hold looks back as far as it says, within "not" as anywhere.
func TestWhatMustNotHoldLooksBack(t *testing.T) {
	p := pulse("1", 0)
	inner := pulseAbove(protocols.Red, protocols.Mean, 30*days, 100, 0).When
	p.Rules[0].Levels[0].When = protocols.Condition{Not: &inner}
	if got := alerts.TraitsOf(p)["fast"].Lapse; got != 30*days {
		t.Errorf("it lapses after %s, want 30 days", got)
	}
}
