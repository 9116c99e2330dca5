package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/protocols"
)

// queueFollow writes what follows from changes: messages first, then events,
// whose numbers have to be the last thing before the commit.
func queueFollow(writes *pgx.Batch, events []alerts.Event, outgoing []alerts.Outgoing) {
	for i := range outgoing {
		queueMessage(writes, &outgoing[i])
	}
	if len(events) == 0 {
		return
	}
	var ids, kinds, levels, authors, notes, outcomes []string
	var ats []int64
	for i := range events {
		e := &events[i]
		ids, kinds, levels = append(ids, e.Alert), append(kinds, string(e.Kind)), append(levels, e.Level.String())
		authors, notes, outcomes = append(authors, plain(e.Author)), append(notes, plain(e.Note)), append(outcomes, plain(e.Outcome))
		ats = append(ats, nanosOrZero(e.At))
	}
	writes.Queue(`SELECT pg_advisory_xact_lock($1)`, int64(lockEvents))
	writes.Queue(`INSERT INTO alert_events (seq, alert, kind, at, level, author, note, outcome)
		SELECT ended.seq + place, alert, kind, at, level, author, note, outcome
		FROM (SELECT coalesce(max(seq), 0) AS seq FROM alert_events) AS ended,
			unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
			WITH ORDINALITY AS given (alert, kind, at, level, author, note, outcome, place)`,
		ids, kinds, ats, levels, authors, notes, outcomes)
}

const eventColumns = `seq, alert, kind, at, level, author, note, outcome`

// Events is part of alerts.Store.
func (s *Store) Events(ctx context.Context, alert string) ([]alerts.Event, error) {
	return s.events(ctx, `SELECT `+eventColumns+` FROM alert_events v WHERE alert = $1 AND `+intact("alert_events", "v")+` ORDER BY seq`, plain(alert))
}

// EventsAfter is part of alerts.Store.
func (s *Store) EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error) {
	return s.events(ctx, `SELECT `+eventColumns+` FROM alert_events v WHERE seq > $1 AND `+intact("alert_events", "v")+` ORDER BY seq LIMIT $2`, seq, limit)
}

func (s *Store) events(ctx context.Context, query string, args ...any) ([]alerts.Event, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list events of alerts: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list events of alerts: %w", err)
	}
	return list, nil
}

func scanEvent(row pgx.CollectableRow) (e alerts.Event, err error) {
	var at int64
	var level string
	if err = row.Scan(&e.Seq, &e.Alert, &e.Kind, &at, &level, &e.Author, &e.Note, &e.Outcome); err != nil {
		return e, err
	}
	e.At = timeOrZero(at)
	e.Level, err = protocols.ParseLevel(level)
	return e, err
}

// AlertsWithEvents is influx.AlertsTogether.AlertsWithEvents.
func (s *Store) AlertsWithEvents(ctx context.Context, ids []string) (found []alerts.Alert, events []alerts.Event, err error) {
	reads := &pgx.Batch{}
	reads.Queue(`SELECT found.* FROM unnest($1::text[]) AS wanted (alert)
		CROSS JOIN LATERAL (SELECT `+alertRow+` FROM alerts WHERE id = wanted.alert OFFSET 0) AS found`, ids).Query(func(rows pgx.Rows) error {
		entries, err := s.met.collect(rows)
		for _, entry := range entries {
			found = append(found, entry.Alert)
		}
		return err
	})
	reads.Queue(`SELECT found.* FROM unnest($1::text[]) AS wanted (alert)
		CROSS JOIN LATERAL (SELECT `+eventColumns+` FROM alert_events v WHERE alert = wanted.alert AND `+intact("alert_events", "v")+` ORDER BY seq) AS found`, ids).Query(func(rows pgx.Rows) (err error) {
		events, err = pgx.CollectRows(rows, scanEvent)
		return err
	})
	if err := s.pool.SendBatch(ctx, reads).Close(); err != nil {
		return nil, nil, fmt.Errorf("read %d alerts with their events: %w", len(ids), err)
	}
	return found, events, nil
}

// LastSeq is part of alerts.Store.
func (s *Store) LastSeq(ctx context.Context) (int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT coalesce(max(seq), 0) FROM alert_events`)
	if err != nil {
		return 0, fmt.Errorf("read the number of the latest event: %w", err)
	}
	seq, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, fmt.Errorf("read the number of the latest event: %w", err)
	}
	return seq, nil
}
