package alerts_test

import (
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// A message says until when an answer is due and how many alerts wait, and nothing of a
// patient.
func TestAMessageSaysHowSoonAndHowMany(t *testing.T) {
	due := time.Date(2026, 11, 24, 10, 40, 0, 0, time.FixedZone("CET", 3600))
	for _, c := range []struct {
		m      alerts.Outgoing
		fr, en string
	}{
		{alerts.Outgoing{Event: alerts.EventRaised}, "Nouvelle alerte", "New alert"},
		{alerts.Outgoing{Event: alerts.EventRaised, AnswerBy: due}, "Nouvelle alerte, réponse attendue avant 10:40", "New alert, answer expected by 10:40"},
		{alerts.Outgoing{Event: alerts.EventDigest}, "À lire à l'ouverture : la liste a du nouveau", "To read at opening time: new alerts on the list"},
		{alerts.Outgoing{Event: alerts.EventDigest, Waiting: 1}, "À lire à l'ouverture : 1 alerte attend", "To read at opening time: 1 alert waits"},
		{alerts.Outgoing{Event: alerts.EventDigest, Waiting: 3, Urgent: 1}, "À lire à l'ouverture : 3 alertes attendent, dont 1 à traiter en priorité", "To read at opening time: 3 alerts wait, 1 to deal with first"},
	} {
		if got := c.m.Said(); got != (protocols.Text{FR: c.fr, EN: c.en}) {
			t.Errorf("it says %q, %q, not %q, %q", got.FR, got.EN, c.fr, c.en)
		}
	}
	m := alerts.Outgoing{AnswerBy: due}
	if got, want := m.Answer(), (protocols.Text{FR: "Réponse attendue avant le 24 nov. à 10:40 CET", EN: "Answer expected by 24 Nov at 10:40 CET"}); got != want {
		t.Errorf("the answer is due %q", got)
	}
}
