package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/alerts/listing"
	"vigie/ingest"
	"vigie/protocols"
)

var _ alerts.Store = (*Store)(nil)

// Act is part of alerts.Store.
func (s *Store) Act(ctx context.Context, id string, change func(alerts.On) (alerts.Change, error)) error {
	return s.Write(ctx, func(conn *sqlite.Conn) error {
		changes, err := alerts.NewLedger(pages{conn, &s.met}, s.directory).Act(id, change)
		if err != nil {
			return err
		}
		return saveChanges(conn, changes)
	})
}

// saveFollowing writes what follows from a change.
func saveFollowing(conn *sqlite.Conn, events []alerts.Event, outgoing []alerts.Outgoing) error {
	for i := range events {
		if err := appendEvent(conn, &events[i]); err != nil {
			return err
		}
	}
	for i := range outgoing {
		if err := postMessage(conn, &outgoing[i]); err != nil {
			return err
		}
	}
	return nil
}

// Alert is part of alerts.Store.
func (s *Store) Alert(ctx context.Context, id string) (*alerts.Alert, error) {
	var found *alerts.Entry
	err := s.Read(ctx, func(conn *sqlite.Conn) (err error) {
		found, err = pages{conn, &s.met}.ByID(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, alerts.ErrNotFound
	}
	return &found.Alert, nil
}

// NoteAlive is part of alerts.Store.
func (s *Store) NoteAlive(ctx context.Context, at time.Time) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `INSERT INTO alive (one, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at`,
			&sqlitex.ExecOptions{Args: []any{nanosOrZero(at)}})
	})
	if err != nil {
		return fmt.Errorf("note that the service works: %w", err)
	}
	return nil
}

// LastAlive is part of alerts.Store.
func (s *Store) LastAlive(ctx context.Context) (at time.Time, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT at FROM alive`, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			at = timeOrZero(stmt.ColumnInt64(0))
			return nil
		}})
	})
	if err != nil {
		return at, fmt.Errorf("see when the service last worked: %w", err)
	}
	return at, nil
}

// Summary is part of alerts.Store.
func (s *Store) Summary(ctx context.Context, f alerts.Filter) (alerts.Summary, error) {
	summary := alerts.Summary{Unresolved: map[alerts.State]map[protocols.Level]int{
		alerts.Open: {}, alerts.Acknowledged: {},
	}}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		query, args := `SELECT state, urgency, count(*) FROM alerts WHERE state <> 'resolved'`, []any(nil)
		if f.Team != "" {
			query += ` AND team IN (?, '')`
			args = append(args, f.Team)
		}
		if f.Within != nil {
			query += ` AND team IN (` + marks(len(f.Within)+1) + `)`
			args = append(args, each(append([]string{""}, f.Within...), func(t string) any { return t })...)
		}
		query += ` GROUP BY state, urgency`
		err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			summary.Unresolved[alerts.State(stmt.ColumnText(0))][levelOf(stmt.ColumnInt(1))] = stmt.ColumnInt(2)
			return nil
		}})
		if err != nil {
			return err
		}
		return outboxSummary(conn, &summary)
	})
	return summary, err
}

// explanation reads the explanation of an alert, nil when it has none.
func explanation(conn *sqlite.Conn, number int64) (*protocols.Explanation, error) {
	var found *protocols.Explanation
	err := sqlitex.Execute(conn, `SELECT body FROM alert_explanations WHERE alert = ? AND (sum IS checksum(alert, body) OR tell('alert_explanations', alert))`, &sqlitex.ExecOptions{
		Args: []any{number},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found = new(protocols.Explanation)
			return json.Unmarshal([]byte(stmt.ColumnText(0)), found)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read the explanation of an alert: %w", err)
	}
	return found, nil
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
