// Package sqlite keeps alerts, their events and the outbox in a SQLite database
// that it shares with the readings, so that what a reading raises is committed
// with it.
package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

// Database is the open database, as the store of readings owns it.
type Database interface {
	// Write runs work in one transaction and commits it, or leaves nothing
	// behind when work returns an error. Calls are serialised.
	Write(ctx context.Context, work func(*sqlite.Conn) error) error
	// Read runs work on a consistent view.
	Read(ctx context.Context, work func(*sqlite.Conn) error) error
	// Migrate applies those steps of the named schema that have not been
	// applied yet, in order.
	Migrate(ctx context.Context, name string, steps []string) error
}

// Store is an alerts.Store on SQLite.
type Store struct {
	db        Database
	directory alerts.Directory
}

// New brings the schema of alerts in db up to date and returns the store.
func New(ctx context.Context, db Database, directory alerts.Directory) (*Store, error) {
	if err := db.Migrate(ctx, "alerts", migrations); err != nil {
		return nil, fmt.Errorf("bring the schema of alerts up to date: %w", err)
	}
	return &Store{db: db, directory: directory}, nil
}

var _ alerts.Store = (*Store)(nil)

// Act is part of alerts.Store.
func (s *Store) Act(ctx context.Context, id string, change func(*alerts.Alert) ([]alerts.Event, []alerts.Outgoing, error)) error {
	return s.db.Write(ctx, func(conn *sqlite.Conn) error {
		row, err := byID(conn, id)
		if err != nil {
			return err
		}
		if row == nil {
			return alerts.ErrNotFound
		}
		events, outgoing, err := change(&row.alert)
		if err != nil {
			return err
		}
		if err := update(conn, row); err != nil {
			return err
		}
		return follow(conn, events, outgoing)
	})
}

// follow writes what follows from a change.
func follow(conn *sqlite.Conn, events []alerts.Event, outgoing []alerts.Outgoing) error {
	for i := range events {
		if err := appendEvent(conn, &events[i]); err != nil {
			return err
		}
	}
	for i := range outgoing {
		if err := post(conn, &outgoing[i]); err != nil {
			return err
		}
	}
	return nil
}

// Alert is part of alerts.Store.
func (s *Store) Alert(ctx context.Context, id string) (*alerts.Alert, error) {
	var found *row
	err := s.db.Read(ctx, func(conn *sqlite.Conn) (err error) {
		if found, err = byID(conn, id); err != nil || found == nil {
			return err
		}
		found.alert.Explanation, err = explanation(conn, found.number)
		return err
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, alerts.ErrNotFound
	}
	return &found.alert, nil
}

// Summary is part of alerts.Store.
func (s *Store) Summary(ctx context.Context, team string) (alerts.Summary, error) {
	summary := alerts.Summary{Unresolved: map[alerts.State]map[protocols.Level]int{
		alerts.Open: {}, alerts.Acknowledged: {},
	}}
	err := s.db.Read(ctx, func(conn *sqlite.Conn) error {
		query, args := `SELECT state, urgency, count(*) FROM alerts WHERE state <> 'resolved' GROUP BY state, urgency`, []any(nil)
		if team != "" {
			query = `SELECT state, urgency, count(*) FROM alerts WHERE state <> 'resolved' AND team IN (?, '') GROUP BY state, urgency`
			args = []any{team}
		}
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
	err := sqlitex.Execute(conn, `SELECT body FROM alert_explanations WHERE alert = ?`, &sqlitex.ExecOptions{
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

func explain(conn *sqlite.Conn, number int64, explanation *protocols.Explanation) error {
	body, err := json.Marshal(explanation)
	if err != nil {
		return fmt.Errorf("write the explanation of an alert: %w", err)
	}
	return sqlitex.Execute(conn, `INSERT INTO alert_explanations (alert, body) VALUES (?, ?)
		ON CONFLICT (alert) DO UPDATE SET body = excluded.body`, &sqlitex.ExecOptions{Args: []any{number, string(body)}})
}

// urgency is the place of a level in a worklist, gravest first.
func urgency(level protocols.Level) int { return int(protocols.Red) - int(level) }

func levelOf(urgency int) protocols.Level { return protocols.Level(int(protocols.Red) - urgency) }

// nanos is a time as it is stored.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
