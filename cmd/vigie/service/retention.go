package service

import (
	"context"
	"fmt"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
)

// journalKept is how long the journal stays once InfluxDB has what is in it: time
// to notice that it lost something, and to set the cursor back.
const journalKept = 7 * 24 * time.Hour

// forEver is how long sent messages are remembered where that has no end.
const forEver = 100 * 365 * 24 * time.Hour

// prune forgets, once a day, what the configuration no longer wants.
func (s *Service) prune(ctx context.Context) error {
	now := s.Now()
	if !s.pruneIsDue(now) {
		return nil
	}
	retention, err := retentionAt(ctx, s.backend.store, s.Config, now)
	if err != nil {
		return err
	}
	pruned, err := s.backend.store.Prune(ctx, retention)
	if err != nil {
		return err
	}
	if err := s.age(ctx, now); err != nil {
		return err
	}
	if pruned != (ingest.Pruned{}) {
		s.Log.Info("forgot what is older than retention", "journal", pruned.Journal, "set_aside", pruned.SetAsides)
	}
	s.prunedAt = now
	return nil
}

func (s *Service) pruneIsDue(by time.Time) bool {
	const day = 24 * time.Hour
	since := by.Sub(s.prunedAt)
	return since < 0 || since >= day
}

func (s *Service) pruneDue(_ context.Context, by time.Time) (bool, error) {
	return s.pruneIsDue(by), nil
}

func (s *Service) forgetIsDue(by time.Time) bool {
	if forgottenBefore(s.Config, 0, by).IsZero() {
		return false
	}
	return !by.Before(s.forgetAt) || s.forgetAt.Sub(by) > 24*time.Hour
}

func (s *Service) forgetDue(_ context.Context, by time.Time) (bool, error) {
	return s.forgetIsDue(by), nil
}

// retentionAt says what may be forgotten at that time, beside readings. The journal
// stays while InfluxDB has not taken what is in it.
func retentionAt(ctx context.Context, store ingest.Store, c config.Config, now time.Time) (ingest.Retention, error) {
	var r ingest.Retention
	if keep := c.Retention.SetAsides; keep > 0 {
		r.SetAsides = now.Add(-keep)
	}
	if c.Influx.URL == "" {
		return r, nil
	}
	r.Journal = now.Add(-journalKept)
	cursor, err := store.Cursor(ctx, influx.Cursor)
	if err != nil {
		return r, err
	}
	waiting, err := store.ReadingsAfter(ctx, cursor, 1)
	if err != nil {
		return r, fmt.Errorf("see what waits for InfluxDB: %w", err)
	}
	// One that has taken nothing yet, new or never reached, has no cursor that would
	// hold the journal back.
	if len(waiting) > 0 && waiting[0].At.Before(r.Journal) {
		r.Journal = waiting[0].At
	}
	return r, nil
}
