package alerts_test

import (
	"errors"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

func (l *timeline) transfer(to string) error {
	return alerts.Transfer(ctx, l.memory, l.latest().ID, "Dr Payet", to, "suit l'oxygène", storetest.Morning.Add(3*hour))
}

func TestARegistryThatChangesLeavesATransferredAlertWhereItIs(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	if err := l.transfer("team-b"); err != nil {
		t.Fatal(err)
	}
	if moved, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(4*hour)); moved != 0 || err != nil {
		t.Fatalf("%d moved, %v", moved, err)
	}
	if from, to, why := alerts.HandedOver(l.memory.events[len(l.memory.events)-1].Note); from != "team-a" || to != "team-b" || why != "suit l'oxygène" {
		t.Errorf("the event says %q, %q, %q", from, to, why)
	}
}

func TestATransferredAlertComesBackFromATeamThatIsNoMore(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	if err := l.transfer("team-b"); err != nil {
		t.Fatal(err)
	}
	l.latest().Transferred, l.latest().Team = "team-z", "team-z" // as were team-b taken out
	if moved, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(4*hour)); moved != 1 || err != nil {
		t.Fatalf("%d moved, %v", moved, err)
	}
	if a := l.latest(); a.Team != "team-a" || a.Transferred != "" || a.AnswerBy.IsZero() {
		t.Errorf("it is with %q, transferred to %q, due %v", a.Team, a.Transferred, a.AnswerBy)
	}
	if told := l.memory.messages[len(l.memory.messages)-2]; told.Event != alerts.EventHandedOver || told.To != "equipe@example.org" {
		t.Errorf("told %+v", told)
	}
}

// moved has the patient come to team-b.
func (l *timeline) moved(after time.Duration) {
	l.Helper()
	care, team, err := l.directory.care, alerts.Team{}, error(nil)
	if team, err = l.directory.Team("team-b"); err != nil {
		l.Fatal(err)
	}
	care.Team = team
	l.directory.care = care
	if moved, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(after)); moved != 1 || err != nil {
		l.Fatalf("%d moved, %v", moved, err)
	}
}

// Whoever took it on is past the follow-up, and all of the former team were told in vain.
func TestAFollowUpThatRanOutBeginsAgainInTheNewTeam(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.acknowledge(hour)
	for at := range 30 {
		l.pass(time.Duration(at) * day)
	}
	if next := l.latest().Next(); !next.IsZero() {
		t.Fatalf("something is due at %v", next)
	}
	l.moved(30 * day)
	if told := l.pass(60 * day); told == 0 || l.latest().State != alerts.Acknowledged {
		t.Errorf("%d messages, it is %s", told, l.latest().State)
	}
}

func TestASilenceThatAPauseHoldsBackRingsNobodyInTheNewTeam(t *testing.T) {
	l := newTimeline(t)
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Silence: true}}
	l.begin()
	l.directory.care.Pauses = []protocols.Pause{{From: storetest.Morning, Until: storetest.Morning.Add(9 * days), Author: "Dr Payet", Reason: "hôpital"}}
	count := len(l.memory.messages)
	l.moved(2 * hour)
	for _, m := range l.memory.messages[count:] {
		if m.Event != alerts.EventDigest || m.To != "autre@example.org" {
			t.Errorf("told %+v", m)
		}
	}
	if a := l.latest(); a.Team != "team-b" || !a.AnswerBy.IsZero() || a.PausedUntil.IsZero() {
		t.Errorf("it is with %s, due %v, held back until %v", a.Team, a.AnswerBy, a.PausedUntil)
	}
}

func TestWhatBeginsAnewIsThePatientsTeams(t *testing.T) {
	l := newTimeline(t)
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Lapse: 7 * days}}
	l.begin()
	if err := l.transfer("team-b"); err != nil {
		t.Fatal(err)
	}
	l.found(protocols.Risen, "ep-1", protocols.Red, 4*hour, 4*hour, figure(79))
	if a, told := l.latest(), l.memory.messages[len(l.memory.messages)-2]; a.Team != "team-b" || told.To != "autre@example.org" || told.Event != alerts.EventRisen {
		t.Errorf("a rise is with %q, told %+v", a.Team, told)
	}
	l.acknowledge(5 * hour)
	l.found(protocols.Again, "ep-1", protocols.Red, 20*days, 20*days, figure(79))
	if a := l.latest(); len(l.memory.alerts) != 2 || a.Team != "team-a" || a.Transferred != "" {
		t.Errorf("of %d alerts the latest is with %q, transferred to %q", len(l.memory.alerts), a.Team, a.Transferred)
	}
}

func TestATransferIsTransferredBackAndNotUndone(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	if err := l.transfer("team-b"); err != nil {
		t.Fatal(err)
	}
	var refused *alerts.Refused
	if err := alerts.TakeBack(ctx, l.memory, l.latest().ID, "Dr Payet", storetest.Morning.Add(3*hour)); !errors.As(err, &refused) || refused.Code != alerts.TooLateToUndo {
		t.Errorf("got %v", err)
	}
	if err := l.transfer("team-a"); err != nil {
		t.Fatal(err)
	}
	if a := l.latest(); a.Team != "team-a" || a.Transferred != "" {
		t.Errorf("it is with %q, transferred to %q", a.Team, a.Transferred)
	}
	if err := l.transfer("team-x"); !errors.As(err, &refused) || refused.Code != alerts.NoTeam {
		t.Errorf("got %v", err)
	}
}

func TestASilenceThatAPauseHoldsBackRingsNobodyWhereItIsTransferred(t *testing.T) {
	l := newTimeline(t)
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Silence: true}}
	l.begin()
	l.directory.care.Pauses = []protocols.Pause{{From: storetest.Morning, Until: storetest.Morning.Add(9 * days), Author: "Dr Payet", Reason: "hôpital"}}
	l.pass(2 * hour)
	if _, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(2*hour)); err != nil {
		t.Fatal(err)
	}
	count := len(l.memory.messages)
	if err := l.transfer("team-b"); err != nil {
		t.Fatal(err)
	}
	for _, m := range l.memory.messages[count:] {
		if m.Event != alerts.EventDigest || m.To != "autre@example.org" {
			t.Errorf("told %+v", m)
		}
	}
	if a := l.latest(); !a.AnswerBy.IsZero() || a.PausedUntil.IsZero() {
		t.Errorf("due %v, held back until %v", a.AnswerBy, a.PausedUntil)
	}
}
