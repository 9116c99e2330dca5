package service

import (
	"context"
	"log/slog"
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

// TestTheServiceListensAfterAnOutage has it be away for a while, and see how long it
// waits before it says that readings are missing.
func TestTheServiceListensAfterAnOutage(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ away, listens time.Duration }{
		"a restart":         {time.Minute, 0},
		"two minutes":       {2 * time.Minute, 10 * time.Minute},
		"a night":           {9 * time.Hour, 10 * time.Minute},
		"a clock put back":  {-time.Hour, 0},
		"started for once":  {0, 0},
		"a minute and more": {119 * time.Second, 0},
	} {
		h := &heart{}
		if c.away != 0 {
			h.at = now.Add(-c.away)
		}
		s := &Service{Options: Options{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}, backend: &backend{alerts: h}}
		if err := s.listen(t.Context()); err != nil {
			t.Fatal(err)
		}
		until := time.Time{}
		if c.listens > 0 {
			until = now.Add(c.listens)
		}
		if !s.listensUntil.Equal(until) {
			t.Errorf("after %s it listens until %v, want %v", name, s.listensUntil, until)
		}
		if c.listens == 0 {
			continue
		}
		if err := s.deadlines(t.Context()); err != nil { // without a pipeline it would panic
			t.Fatal(err)
		}
		if due, err := s.deadlinesDue(t.Context(), until.Add(-1)); err != nil || due {
			t.Errorf("after %s something is due while it listens: %v", name, err)
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
