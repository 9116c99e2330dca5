package service

import (
	"context"
	"testing"
	"time"

	"vigie/alerts"
)

// heart is a store that remembers when the service last worked.
type heart struct {
	alerts.Store
	at time.Time
}

func (h *heart) LastAlive(context.Context) (time.Time, error) { return h.at, nil }

func (h *heart) NoteAlive(_ context.Context, at time.Time) error {
	h.at = at
	return nil
}

func TestARestartIsNoOutage(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ since, away time.Duration }{
		"a restart":         {time.Minute, 0},
		"two minutes":       {2 * time.Minute, 2 * time.Minute},
		"a night":           {9 * time.Hour, 9 * time.Hour},
		"a clock put back":  {-time.Hour, 0},
		"started for once":  {0, 0},
		"a minute and more": {119 * time.Second, 0},
	} {
		h := &heart{}
		if c.since != 0 {
			h.at = now.Add(-c.since)
		}
		s := &Service{backend: &backend{alerts: h}}
		if away, err := s.away(t.Context(), now); err != nil || away != c.away {
			t.Errorf("%s: it was away for %v, want %v (%v)", name, away, c.away, err)
		}
	}
}

func TestThatTheServiceWorksIsNotedEveryMinute(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	h := &heart{}
	s := &Service{Options: Options{Now: func() time.Time { return now }}, backend: &backend{alerts: h}}
	for range 150 {
		if err := s.alive(t.Context()); err != nil {
			t.Fatal(err)
		}
		if since := now.Sub(h.at); since < 0 || since >= time.Minute {
			t.Fatalf("it was noted %v ago", since)
		}
		now = now.Add(time.Second)
	}
}
