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
	const day = 24 * time.Hour
	now := s.Now()
	if since := now.Sub(s.prunedAt); since >= 0 && since < day {
		return nil
	}
	lookback, err := s.Shelf.Lookback()
	if err != nil {
		return err
	}
	retention, err := retentionAt(ctx, s.backend.store, s.Config, lookback, now)
	if err != nil {
		return err
	}
	pruned, err := s.backend.store.Prune(ctx, retention)
	if err != nil {
		return err
	}
	if pruned != (ingest.Pruned{}) {
		s.Log.Info("forgot what is older than retention", "readings", pruned.Readings, "journal", pruned.Journal, "set_aside", pruned.SetAsides)
	}
	s.prunedAt = now
	return nil
}

// retentionAt says what may be forgotten at that time. Without InfluxDB the store
// is the only place of the readings, and nothing of them is forgotten. With it,
// what it does not have yet, or has refused, stays, and so does what protocols look
// back on, counted from the oldest reading that may still come.
func retentionAt(ctx context.Context, store ingest.Store, c config.Config, lookback time.Duration, now time.Time) (ingest.Retention, error) {
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
	if c.Retention.Readings == 0 {
		return r, nil
	}
	r.Readings = now.Add(-max(c.Retention.Readings, lookback+c.Limits.TooOld))
	missing, err := longestRefused(ctx, store)
	if err != nil {
		return r, fmt.Errorf("see what InfluxDB refused: %w", err)
	}
	if !missing.IsZero() && missing.Before(r.SetAsides) {
		r.SetAsides = missing
	}
	if len(waiting) > 0 && (missing.IsZero() || waiting[0].At.Before(missing)) {
		missing = waiting[0].At
	}
	// What was kept then may have been measured that much earlier, not more.
	if oldest := missing.Add(-c.Limits.TooOld); !missing.IsZero() && oldest.Before(r.Readings) {
		r.Readings = oldest
	}
	return r, nil
}

// longestRefused is when the reading was kept that InfluxDB has refused for longest;
// zero when it has taken everything.
func longestRefused(ctx context.Context, store ingest.Store) (longest time.Time, err error) {
	filter := ingest.SetAsideFilter{Code: influx.RefusedByInflux, Open: true, Limit: 1000}
	for {
		refused, err := store.SetAsides(ctx, filter)
		if err != nil || len(refused) == 0 {
			return longest, err
		}
		for _, r := range refused {
			if longest.IsZero() || r.Received.Before(longest) {
				longest = r.Received
			}
		}
		filter.Before = refused[len(refused)-1].ID
	}
}
