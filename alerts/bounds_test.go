package alerts_test

import (
	"slices"
	"testing"
	"time"

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

// A red that was resolved while it held calls people when it comes back with a reading,
// though the reading is no graver.
func TestARedThatComesBackWithAReadingRings(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(75))
	l.resolve(hour)
	l.found(protocols.Again, "ep-1", protocols.Red, 7*hour, 7*hour, figure(75))
	l.alerts(2)
	mail := func(m alerts.Outgoing) bool {
		return m.Channel == alerts.Mail && m.Alert == l.latest().ID && m.Event == alerts.EventRaised
	}
	if !slices.ContainsFunc(l.memory.messages, mail) {
		t.Error("no person is called")
	}
}

// Where higher is worse, a figure that is beyond the one people were told of by the margin,
// and no more, is graver.
func TestAFigureHigherByTheMarginIsGraver(t *testing.T) {
	above := func(value int64) func(*protocols.Finding) {
		return func(f *protocols.Finding) {
			figure(value)(f)
			if f.Explanation != nil {
				f.Explanation.Comparisons[0].Operator = protocols.Above
				f.Explanation.Comparisons[0].Threshold, f.Explanation.Comparisons[0].Clear = 180_000, 170_000
			}
		}
	}
	for value, graver := range map[int64]bool{199: false, 200: true} {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, above(190))
		l.acknowledge(hour)
		l.rings(graver, l.found(protocols.Again, "ep-1", protocols.Orange, 2*hour, 2*hour, above(value)))
	}
}

// The messages of an alert that is raised have the same ids whenever it is found: told a
// second time, they are known.
func TestARaisedAlertIsToldUnderOneNameWheneverItIsFound(t *testing.T) {
	var ids []string
	for _, found := range []time.Duration{0, hour} {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, found, figure(86))
		ids = append(ids, l.memory.messages[0].ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("found later it is told as %s, not %s", ids[1], ids[0])
	}
}

// A further episode of the same level that joins an alert is what the alert says.
func TestAnAlertSaysItsLatestEpisode(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(85))
	if got := l.latest().Explanation.Comparisons[0].Value; got != 85_000 {
		t.Errorf("it says %s", got)
	}
}

// Who has taken an alert on may say so again: a word more is kept, and no word changes
// nothing.
func TestWhatIsSaidOnTakingOnTwiceIsKept(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.acknowledge(hour)
	for _, note := range []string{"a rappelé", ""} {
		if err := alerts.Acknowledge(ctx, l.memory, l.latest().ID, "Dr Payet", note, storetest.Morning.Add(2*hour)); err != nil {
			t.Fatal(err)
		}
		if a := l.latest(); a.Note != "a rappelé" {
			t.Errorf("the note is %q", a.Note)
		}
	}
	if n := len(l.kinds()); n != 3 {
		t.Errorf("%d things have happened, want 3", n)
	}
}
