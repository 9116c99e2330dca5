package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/alerts/listing"
	"vigie/ingest"
	"vigie/protocols"
)

var _ alerts.Store = (*Store)(nil)

// Act is part of alerts.Store.
func (s *Store) Act(ctx context.Context, id string, change func(alerts.On) (alerts.Change, error)) error {
	return s.Write(ctx, func(tx pgx.Tx) error {
		changes, err := alerts.NewLedger(&pages{ctx: ctx, tx: tx, met: &s.met}, s.directory).Act(id, change)
		if err != nil {
			return err
		}
		return saveChanges(ctx, tx, changes)
	})
}

// Alert is part of alerts.Store.
func (s *Store) Alert(ctx context.Context, id string) (*alerts.Alert, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+alertRow+`, x.body FROM alerts LEFT JOIN alert_explanations x ON x.alert = id AND `+intact("alert_explanations", "x")+` WHERE id = $1`, plain(id))
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (*alerts.Alert, error) {
		var r record
		var explanation *protocols.Explanation
		if err := row.Scan(append(r.fields(), &explanation)...); err != nil {
			return nil, err
		}
		entry, err := s.met.entry(&r)
		if err != nil {
			return nil, err
		}
		entry.Alert.Explanation = explanation
		return &entry.Alert, nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, alerts.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	return found, nil
}

// NoteAlive is part of alerts.Store.
func (s *Store) NoteAlive(ctx context.Context, at time.Time) error {
	err := s.Write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO alive (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at`, nanosOrZero(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("note that the service works: %w", err)
	}
	return nil
}

// LastAlive is part of alerts.Store.
func (s *Store) LastAlive(ctx context.Context) (time.Time, error) {
	rows, err := s.pool.Query(ctx, `SELECT coalesce(max(at), 0) FROM alive`)
	if err != nil {
		return time.Time{}, fmt.Errorf("see when the service last worked: %w", err)
	}
	at, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return time.Time{}, fmt.Errorf("see when the service last worked: %w", err)
	}
	return timeOrZero(at), nil
}

// Summary is part of alerts.Store. One statement, so that its numbers go
// together.
func (s *Store) Summary(ctx context.Context, f alerts.Filter) (alerts.Summary, error) {
	summary := alerts.Summary{Unresolved: map[alerts.State]map[protocols.Level]int{
		alerts.Open: {}, alerts.Acknowledged: {},
	}}
	rows, err := s.pool.Query(ctx, `
		SELECT 'alerts', state, urgency::bigint, count(*) FROM alerts WHERE state <> 'resolved' AND ($1 = '' OR team IN ($1, '')) AND (NOT $2 OR team = '' OR team = ANY ($3)) GROUP BY state, urgency
		UNION ALL SELECT 'waiting', '', coalesce(min(created), 0), count(*) FROM outbox WHERE sent_at = 0 AND given_up = 0
		UNION ALL SELECT 'undelivered', '', 0, count(*) FROM outbox WHERE given_up <> 0
			AND EXISTS (SELECT 1 FROM alerts WHERE id = outbox.alert AND state <> 'resolved')`, plain(f.Team), f.Within != nil, plainAll(f.Within))
	if err != nil {
		return alerts.Summary{}, fmt.Errorf("count what is left to do: %w", err)
	}
	var what, state string
	var number int64
	var count int
	_, err = pgx.ForEachRow(rows, []any{&what, &state, &number, &count}, func() error {
		switch what {
		case "alerts":
			summary.Unresolved[alerts.State(state)][levelOf(int(number))] = count
		case "waiting":
			summary.Waiting, summary.OldestWaiting = count, timeOrZero(number)
		case "undelivered":
			summary.Undelivered = count
		}
		return nil
	})
	if err != nil {
		return alerts.Summary{}, fmt.Errorf("count what is left to do: %w", err)
	}
	return summary, nil
}

// A level is kept by its urgency.
var urgency, levelOf = listing.Urgency, listing.LevelOf

// nanosOrZero is a time as alerts keep it: 0 for none.
func nanosOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return ingest.Nanos(t)
}

func timeOrZero(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
