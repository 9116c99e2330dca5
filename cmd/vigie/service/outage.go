package service

import (
	"context"
	"time"
)

// After an outage the service listens before it says that anything is missing: what
// devices and the broker have kept meanwhile is still on its way.
const (
	// outage is how long the service has to be away for that: a restart is none.
	outage = 2 * time.Minute
	// listening is how long it listens to everybody. All but what is missing or offline
	// goes on meanwhile.
	listening = 10 * time.Minute
	// beat is how often the service notes that it works.
	beat = time.Minute
)

// listen looks, once at the start, how long the service was away.
func (s *Service) listen(ctx context.Context) error {
	now := s.Now()
	away, err := s.away(ctx, now)
	if err != nil || away == 0 {
		return err
	}
	heard := now.Add(listening)
	s.pipeline.Listen(heard, away)
	s.Log.Warn("the service was away; it listens before it says that readings are missing", "since", now.Add(-away), "listens_until", heard)
	return nil
}

// away is how long the service was away; 0 for no longer than a restart takes.
func (s *Service) away(ctx context.Context, now time.Time) (time.Duration, error) {
	last, err := s.backend.alerts.LastAlive(ctx)
	if away := now.Sub(last); err == nil && !last.IsZero() && away >= outage {
		return away, nil
	}
	return 0, err
}

// deadlines looks for what the passing of time brings.
func (s *Service) deadlines(ctx context.Context) error {
	_, err := s.pipeline.Sweep(ctx)
	return err
}

func (s *Service) deadlinesDue(ctx context.Context, by time.Time) (bool, error) {
	return s.pipeline.Due(ctx, by)
}

// alive notes that the service works.
func (s *Service) alive(ctx context.Context) error {
	now := s.Now()
	if since := now.Sub(s.beaten); since >= 0 && since < beat {
		return nil
	}
	if err := s.backend.alerts.NoteAlive(ctx, now); err != nil {
		return err
	}
	s.beaten = now
	return nil
}

// aliveDue never wakes a service whose clock is moved: that it works is noted with
// whatever else there is to do.
func (s *Service) aliveDue(context.Context, time.Time) (bool, error) { return false, nil }
