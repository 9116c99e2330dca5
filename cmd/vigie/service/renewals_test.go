package service

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
)

// endingRegistry is a registry of some enrolments of one team.
type endingRegistry struct {
	Registry
	list []registry.Enrolment
}

func (r *endingRegistry) Enrolments(_ context.Context, after string, _ int) ([]registry.Enrolment, error) {
	if after != "" {
		return nil, nil
	}
	return r.list, nil
}

func (r *endingRegistry) EnrolmentsOf(_ context.Context, patient string) (of []registry.Enrolment, err error) {
	for _, e := range r.list {
		if e.Patient == patient {
			of = append(of, e)
		}
	}
	return of, nil
}

func (r *endingRegistry) Team(context.Context, string) (*registry.Team, error) {
	return &registry.Team{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Mail: []string{"equipe@example.org"},
		Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday"}}, nil
}

// postbox keeps each message once.
type postbox struct {
	alerts.Store
	sent    []alerts.Outgoing
	waiting []alerts.Outgoing // what the outbox holds
	refused []string          // ids of what was given up
}

func (p *postbox) Post(_ context.Context, messages []alerts.Outgoing) error {
	for _, m := range messages {
		if !slices.ContainsFunc(p.sent, func(s alerts.Outgoing) bool { return s.ID == m.ID }) {
			p.sent = append(p.sent, m)
		}
	}
	return nil
}

// A team hears of a prescription that ends in 30, 7 and 1 days, until it is renewed; once
// a day at most, whoever else is near the end, and whatever was missed while away.
func TestATeamIsRemindedOfPrescriptionsThatEnd(t *testing.T) {
	end := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC) // the 31st is the last day
	one := registry.Enrolment{ID: "e-1", Patient: "p-1", Protocol: "icc", Team: "cardio", Zone: "Europe/Paris", From: end.AddDate(0, -6, 0), Prescription: end, Consent: registry.Consent{Given: true, Date: end.AddDate(0, -6, 0)}}
	two := one
	two.ID, two.Patient = "e-2", "p-2"
	reg, box := &endingRegistry{list: []registry.Enrolment{one, two}}, &postbox{}
	var now time.Time
	s := &Service{
		Options: Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)},
		backend: &backend{registry: reg, alerts: box},
	}
	days := func(from, to time.Time) {
		t.Helper()
		for now = from; now.Before(to); now = now.Add(6 * time.Hour) {
			if err := s.remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	days(end.AddDate(0, 0, -60), end.AddDate(0, 0, -20))
	if len(box.sent) != 1 || box.sent[0].Event != alerts.EventRenewal || box.sent[0].To != "equipe@example.org" || box.sent[0].Alert != "" {
		t.Fatalf("30 days before: %+v", box.sent)
	}
	if at := box.sent[0].NotUntil.In(time.UTC); at.Weekday() == time.Sunday || at.Weekday() == time.Saturday {
		t.Errorf("it leaves while the team is closed: %v", at)
	}
	// The service is away on the day, and one of the two is renewed.
	next := two.Renewed("e-3", end.AddDate(0, 6, 0))
	reg.list = append(reg.list, next)
	s.remindAt = time.Time{}
	days(end.AddDate(0, 0, -6), end.AddDate(0, 0, -3))
	if len(box.sent) != 2 {
		t.Fatalf("a week before, a day late: %+v", box.sent)
	}
	next = one.Renewed("e-4", end.AddDate(0, 6, 0))
	reg.list = append(reg.list, next)
	days(end.AddDate(0, 0, -3), end.AddDate(0, 0, 5))
	if len(box.sent) != 2 {
		t.Errorf("what is renewed is to be renewed: %+v", box.sent)
	}
}
