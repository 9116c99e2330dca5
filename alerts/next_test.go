package alerts_test

import (
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// Whom the service says it tells next is whom it tells then, step by step to the end.
func TestWhoIsToldNextIsToldThen(t *testing.T) {
	care := storetest.Care()
	care.Team.Chain, care.Admin = [][]string{{"astreinte@example.org"}, {"chef@example.org"}}, []string{"admin@example.org"}
	care.Team.Systems = nil
	care.Team.Rota.People = map[string]alerts.Person{"lea": {Name: "Léa", Contacts: []string{"lea@example.org"}}}
	at := storetest.Morning.Add(time.Hour)
	for _, c := range []struct {
		alert alerts.Alert
		told  []string // in order
	}{
		{alerts.Alert{State: alerts.Open, Level: protocols.Red, AnswerBy: at}, []string{"cadre@", "cadre@", "astreinte@", "astreinte@", "chef@", "chef@", "admin@"}},
		{alerts.Alert{State: alerts.Open, Level: protocols.Orange, AnswerBy: at}, []string{"cadre@", "astreinte@", "chef@", "admin@"}},
		{alerts.Alert{State: alerts.Open, Level: protocols.Yellow, AnswerBy: at}, []string{"cadre@"}},
		{alerts.Alert{State: alerts.Acknowledged, AcknowledgedBy: "Léa", Level: protocols.Orange, Life: alerts.Life{FollowUpBy: at}}, []string{"lea@", "cadre@", "astreinte@", "chef@", "admin@"}},
		{alerts.Alert{State: alerts.Resolved, Level: protocols.Red}, nil},
		{alerts.Alert{State: alerts.Open, Level: protocols.Red, AnswerBy: at, Life: alerts.Life{PausedUntil: at}}, nil},
	} {
		a, told := c.alert, []string(nil)
		for {
			contacts, next := care.NextTold(&a)
			if next.IsZero() {
				break
			}
			if early := alerts.Pass(alerts.On{Alert: a, Care: care}, next.Add(-time.Second)); early.Next != nil {
				t.Errorf("%v: something happens before %v", c.alert.Level, next)
			}
			then := alerts.Pass(alerts.On{Alert: a, Care: care}, next)
			var reached []string
			for _, m := range then.Outgoing {
				reached = append(reached, m.To)
			}
			if then.Next == nil || !slices.Equal(reached, contacts) {
				t.Fatalf("%v, step %d: %v are told, %v were said", c.alert.Level, a.Step, reached, contacts)
			}
			for _, contact := range contacts {
				told = append(told, contact[:len(contact)-len("example.org")])
			}
			a = *then.Next
		}
		if !slices.Equal(told, c.told) {
			t.Errorf("%v, %v: told are %v, want %v", c.alert.State, c.alert.Level, told, c.told)
		}
	}
}

// Once everybody was told of a silence in vain, the team is told again a week later, and the
// service says so.
func TestASilenceThatNobodyAnswersIsToldAgain(t *testing.T) {
	care := storetest.Care()
	care.Team.Systems = nil
	care.Rules = map[string]alerts.Traits{"no-weight": {Silence: true}}
	at := storetest.Morning.Add(time.Hour)
	a := alerts.Alert{ID: "a1", Rule: "no-weight", State: alerts.Open, Active: true, Level: protocols.Orange, AnswerBy: at}
	last := at
	for range len(care.Team.Chain) + 1 {
		_, last = care.NextTold(&a)
		a = *alerts.Pass(alerts.On{Alert: a, Care: care}, last).Next
	}
	contacts, next := care.NextTold(&a)
	if !slices.Equal(contacts, care.Team.Contacts) || !next.Equal(last.Add(7*day)) {
		t.Fatalf("%v are told at %v", contacts, next)
	}
	then := alerts.Pass(alerts.On{Alert: a, Care: care}, next)
	if len(then.Outgoing) != len(contacts) || then.Outgoing[0].Event != alerts.EventRecurred || then.Next.AnswerBy.IsZero() {
		t.Errorf("then %+v", then)
	}
	a.Active = false // a reading has come
	if over := alerts.Pass(alerts.On{Alert: a, Care: care}, next); len(over.Outgoing) != 0 || !over.Next.Next().IsZero() {
		t.Errorf("over, then %+v", over)
	}
}

// The patient went on to a version without the rule: what is closed comes back no more, as
// no reading could ever end it. As long as the rule is there, it does.
func TestARuleThatAVersionDroppedBringsNothingBack(t *testing.T) {
	at := storetest.Morning.Add(5 * time.Hour)
	resolved := alerts.Alert{
		ID: "a1", Rule: "deep-low", Protocol: "diabetes", Enrolment: "e-1", Patient: "p-1", Level: protocols.Red,
		State: alerts.Resolved, Active: true, Life: alerts.Life{BackAt: at},
	}
	for rule, back := range map[string]bool{"deep-low": true, "long-low": false} {
		care := storetest.Care()
		care.Rules = map[string]alerts.Traits{rule: {}}
		then := alerts.Pass(alerts.On{Alert: resolved, Care: care}, at)
		if (then.Added != nil) != back || then.Next == nil || !then.Next.BackAt.IsZero() {
			t.Errorf("with %s, it comes back: %v", rule, then.Added != nil)
		}
	}
}
