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
	// listening is how long it listens. Messages and escalation go on meanwhile.
	listening = 10 * time.Minute
	// beat is how often the service notes that it works.
	beat = time.Minute
)

// listen looks, once at the start, how long the service was away.
func (s *Service) listen(ctx context.Context) error {
	last, err := s.backend.alerts.LastAlive(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	if last.IsZero() || now.Sub(last) < outage {
		return nil
	}
	s.listensUntil = now.Add(listening)
	s.Log.Warn("the service was away; it listens before it says that readings are missing", "since", last, "listens_until", s.listensUntil)
	return nil
}

// deadlines looks for what the passing of time brings, once the service has listened.
func (s *Service) deadlines(ctx context.Context) error {
	if s.Now().Before(s.listensUntil) {
		return nil
	}
	_, err := s.pipeline.Sweep(ctx)
	return err
}

func (s *Service) deadlinesDue(ctx context.Context, by time.Time) (bool, error) {
	if by.Before(s.listensUntil) {
		return false, nil
	}
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
