package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/protocols"
)

const eventColumns = `alert, kind, at, level, author, note, outcome`

// intactEvent leaves out, and tells, what is damaged.
const intactEvent = `(sum IS checksum(` + eventColumns + `) OR tell('alert_events', seq))`

const eventsOf = `SELECT seq, alert, kind, at, level, author, note, outcome FROM alert_events WHERE alert = ? AND ` + intactEvent + ` ORDER BY seq`

// Events is part of alerts.Store.
func (s *Store) Events(ctx context.Context, alert string) ([]alerts.Event, error) {
	list, err := s.events(ctx, eventsOf, alert)
	if slices.ContainsFunc(list, func(e alerts.Event) bool { return e.Alert != alert }) {
		s.met.tell(ingest.Damage{Table: "alert_events", Row: "an index"})
		list, err = s.events(ctx, strings.Replace(eventsOf, "FROM alert_events", "FROM alert_events NOT INDEXED", 1), alert)
	}
	return list, err
}

// EventsAfter is part of alerts.Store.
func (s *Store) EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error) {
	return s.events(ctx, `SELECT seq, alert, kind, at, level, author, note, outcome FROM alert_events WHERE seq > ? AND `+intactEvent+` ORDER BY seq LIMIT ?`, seq, limit)
}

func (s *Store) events(ctx context.Context, query string, args ...any) ([]alerts.Event, error) {
	list := []alerts.Event{}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			level, err := protocols.ParseLevel(stmt.ColumnText(4))
			if err != nil {
				return err
			}
			list = append(list, alerts.Event{
				Seq: stmt.ColumnInt64(0), Alert: stmt.ColumnText(1), Kind: alerts.EventKind(stmt.ColumnText(2)),
				At: timeOrZero(stmt.ColumnInt64(3)), Level: level, Author: stmt.ColumnText(5), Note: stmt.ColumnText(6), Outcome: stmt.ColumnText(7),
			})
			return nil
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("list events of alerts: %w", err)
	}
	return list, nil
}

// LastSeq is part of alerts.Store.
func (s *Store) LastSeq(ctx context.Context) (int64, error) {
	var seq int64
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT coalesce(max(seq), 0) FROM alert_events`, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			seq = stmt.ColumnInt64(0)
			return nil
		}})
	})
	if err != nil {
		return 0, fmt.Errorf("read the number of the latest event: %w", err)
	}
	return seq, nil
}

func appendEvent(conn *sqlite.Conn, e *alerts.Event) error {
	err := sqlitex.Execute(conn, `INSERT INTO alert_events (`+eventColumns+`, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7))`,
		&sqlitex.ExecOptions{Args: []any{e.Alert, string(e.Kind), nanosOrZero(e.At), e.Level.String(), e.Author, e.Note, e.Outcome}})
	if err != nil {
		return fmt.Errorf("append an event: %w", err)
	}
	return nil
}
