package service

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"vigie/alerts"
)

// changedRegistry is one whose version can be set.
type changedRegistry struct {
	Registry
	version int64
}

func (r *changedRegistry) RegistryVersion(context.Context) (int64, error) { return r.version, nil }

// oneAlert is a store with an alert of team-a that is not committed yet.
type oneAlert struct {
	alerts.Store
	alert     alerts.Alert
	committed bool
	looks     int
}

func (o *oneAlert) Alerts(context.Context, alerts.Filter) ([]alerts.Alert, error) {
	o.looks++
	if !o.committed {
		return nil, nil
	}
	return []alerts.Alert{o.alert}, nil
}

func (o *oneAlert) Act(_ context.Context, _ string, act func(alerts.On) (alerts.Change, error)) error {
	change, err := act(alerts.On{Alert: o.alert})
	if change.Next != nil {
		o.alert = *change.Next
	}
	return err
}

type teamB struct{}

func (teamB) Care(string) (alerts.Care, error) {
	return alerts.Care{Team: alerts.Team{ID: "team-b"}}, nil
}

// TestAnAlertThatWasBeingCommittedFollowsItsPatientToo has a node raise an alert by the
// registry as it was, and commit it after the change was looked at.
func TestAnAlertThatWasBeingCommittedFollowsItsPatientToo(t *testing.T) {
	registry, store := &changedRegistry{version: 7}, &oneAlert{alert: alerts.Alert{ID: "a-1", Enrolment: "e-1", Team: "team-a", State: alerts.Open}}
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	s := &Service{
		Options: Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)},
		backend: &backend{registry: registry, alerts: store, directory: teamB{}},
	}
	look := func() {
		t.Helper()
		if err := s.handOver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	store.committed = true
	for range 120 {
		now = now.Add(time.Second)
		look()
	}
	if store.alert.Team != "team-b" || store.looks != 2 {
		t.Errorf("after %d looks the alert is of %s, want 2 and team-b", store.looks, store.alert.Team)
	}
}
