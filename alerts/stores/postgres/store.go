// Package postgres keeps alerts, their events and the outbox in the PostgreSQL
// database that several nodes share with the readings, so that what a reading
// raises is committed with it.
//
// Nodes are kept apart by the database. What findings do to the alerts of an
// enrolment is serialised by whoever writes the findings, who holds the
// enrolment's state; technical findings, which may concern a device alone, wait
// for each other by device. An act of a person waits on the alert's row. Events
// get their numbers last, under a lock that ends with the commit, so that they
// are numbered in the order of commits and a reader that follows them misses
// none. A message is claimed by the node that is about to send it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/protocols"
)

// Database is the open database, as the store of readings owns it.
type Database interface {
	// Write runs work in one transaction at READ COMMITTED and commits it, or
	// leaves nothing behind when work returns an error. Work runs again when
	// another node was in its way.
	Write(ctx context.Context, work func(pgx.Tx) error) error
	// Query runs one statement.
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	// Migrate applies those steps of the named schema that have not been applied
	// yet, in order. Programs that know fewer than floor of them are refused
	// from then on.
	Migrate(ctx context.Context, name string, steps []string, floor int) error
	// Node is the name of this node, another one on every node.
	Node() string
}

// Store is an alerts.Store on PostgreSQL.
type Store struct {
	db        Database
	directory alerts.Directory
}

// New brings the schema of alerts in db up to date and returns the store.
func New(ctx context.Context, db Database, directory alerts.Directory) (*Store, error) {
	if err := db.Migrate(ctx, "alerts", migrations, floor); err != nil {
		return nil, fmt.Errorf("bring the schema of alerts up to date: %w", err)
	}
	return &Store{db: db, directory: directory}, nil
}

var _ alerts.Store = (*Store)(nil)

// Act is part of alerts.Store.
func (s *Store) Act(ctx context.Context, id string, change func(*alerts.Alert) ([]alerts.Event, []alerts.Outgoing, error)) error {
	return s.db.Write(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+columns+` FROM alerts WHERE id = $1 FOR UPDATE`, clean(id))
		if err != nil {
			return fmt.Errorf("read an alert: %w", err)
		}
		found, err := collect(rows)
		if err != nil {
			return fmt.Errorf("read an alert: %w", err)
		}
		if len(found) == 0 {
			return alerts.ErrNotFound
		}
		events, outgoing, err := change(&found[0].alert)
		if err != nil {
			return err
		}
		writes := &pgx.Batch{}
		if err := queueUpdate(writes, &found[0].alert); err != nil {
			return err
		}
		queueFollow(writes, events, outgoing)
		if err := tx.SendBatch(ctx, writes).Close(); err != nil {
			return fmt.Errorf("write an act: %w", err)
		}
		return nil
	})
}

// Alert is part of alerts.Store.
func (s *Store) Alert(ctx context.Context, id string) (*alerts.Alert, error) {
	rows, err := s.db.Query(ctx, `SELECT `+columns+`, body FROM alerts LEFT JOIN alert_explanations ON alert = id WHERE id = $1`, clean(id))
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (*alerts.Alert, error) {
		var r record
		var explanation *protocols.Explanation
		err := row.Scan(append(r.fields(), &explanation)...)
		alert := r.alert()
		alert.Explanation = explanation
		return &alert, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, alerts.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	return found, nil
}

// Summary is part of alerts.Store. One statement, so that its numbers go
// together.
func (s *Store) Summary(ctx context.Context, team string) (alerts.Summary, error) {
	summary := alerts.Summary{Unresolved: map[alerts.State]map[protocols.Level]int{
		alerts.Open: {}, alerts.Acknowledged: {},
	}}
	rows, err := s.db.Query(ctx, `
		SELECT 'alerts', state, urgency::bigint, count(*) FROM alerts WHERE state <> 'resolved' AND ($1 = '' OR team IN ($1, '')) GROUP BY state, urgency
		UNION ALL SELECT 'waiting', '', coalesce(min(created), 0), count(*) FROM outbox WHERE sent_at = 0 AND given_up = 0
		UNION ALL SELECT 'undelivered', '', 0, count(*) FROM outbox WHERE given_up <> 0
			AND EXISTS (SELECT 1 FROM alerts WHERE id = outbox.alert AND state <> 'resolved')`, clean(team))
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
			summary.Waiting, summary.OldestWaiting = count, fromNanos(number)
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

// clean makes text of what people wrote: PostgreSQL's text holds neither zero
// bytes nor what is not UTF-8.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
