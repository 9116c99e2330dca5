package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

const messageColumns = `id, channel, recipient, alert, event, level, created, not_until, attempts, sent_at, given_up, error, team, again`

// Outbox is part of alerts.Store.
func (s *Store) Outbox(ctx context.Context, channel string, now time.Time, limit int) ([]alerts.Outgoing, error) {
	return s.messages(ctx, `SELECT `+messageColumns+` FROM outbox
		WHERE sent_at = 0 AND given_up = 0 AND channel = ? AND not_until <= ? ORDER BY not_until, created, id LIMIT ?`, channel, nanosOrZero(now), limit)
}

// Undelivered is part of alerts.Store.
func (s *Store) Undelivered(ctx context.Context, limit int) ([]alerts.Outgoing, error) {
	return s.messages(ctx, `SELECT `+messageColumns+` FROM outbox
		WHERE given_up <> 0 ORDER BY given_up DESC, id LIMIT ?`, limit)
}

// Told is part of alerts.Store.
func (s *Store) Told(ctx context.Context, alert, team string, limit int) ([]alerts.Outgoing, error) {
	where, of := "alert = ?", alert
	if alert == "" {
		where, of = "team = ?", team
	}
	return s.messages(ctx, `SELECT `+messageColumns+` FROM outbox WHERE `+where+` ORDER BY created DESC, id LIMIT ?`, of, limit)
}

func (s *Store) messages(ctx context.Context, query string, args ...any) ([]alerts.Outgoing, error) {
	list := []alerts.Outgoing{}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
			message, err := scanMessage(stmt)
			list = append(list, message)
			return err
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return list, nil
}

func scanMessage(stmt *sqlite.Stmt) (alerts.Outgoing, error) {
	level, err := protocols.ParseLevel(stmt.ColumnText(5))
	return alerts.Outgoing{
		ID: stmt.ColumnText(0), Channel: stmt.ColumnText(1), To: stmt.ColumnText(2), Alert: stmt.ColumnText(3),
		Event: alerts.EventKind(stmt.ColumnText(4)), Level: level,
		Created: timeOrZero(stmt.ColumnInt64(6)), NotUntil: timeOrZero(stmt.ColumnInt64(7)), Attempts: stmt.ColumnInt(8),
		SentAt: timeOrZero(stmt.ColumnInt64(9)), GivenUp: timeOrZero(stmt.ColumnInt64(10)), Error: stmt.ColumnText(11), Team: stmt.ColumnText(12),
		Again: timeOrZero(stmt.ColumnInt64(13)),
	}, err
}

// Post is part of alerts.Store.
func (s *Store) Post(ctx context.Context, messages []alerts.Outgoing) error {
	return s.Write(ctx, func(conn *sqlite.Conn) error {
		for i := range messages {
			if err := postMessage(conn, &messages[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// postMessage puts a message into the outbox. One that is there already stays as it is.
func postMessage(conn *sqlite.Conn, m *alerts.Outgoing) error {
	err := sqlitex.Execute(conn, `INSERT INTO outbox (`+messageColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', ?, 0)
		ON CONFLICT DO NOTHING`, &sqlitex.ExecOptions{Args: []any{
		m.ID, m.Channel, m.To, m.Alert, string(m.Event), m.Level.String(), nanosOrZero(m.Created), nanosOrZero(m.NotUntil), m.Team,
	}})
	if err != nil {
		return fmt.Errorf("put a message into the outbox: %w", err)
	}
	return replace(conn, m)
}

// replace drops what a message that is held back takes the place of, see
// alerts.Outgoing.
func replace(conn *sqlite.Conn, m *alerts.Outgoing) error {
	levels := m.Replaces()
	if len(levels) == 0 {
		return nil
	}
	err := sqlitex.Execute(conn, `DELETE FROM outbox
		WHERE sent_at = 0 AND given_up = 0 AND attempts = 0 AND channel = ? AND not_until = ? AND alert = ? AND recipient = ? AND id <> ? AND created <= ?
			AND level IN (`+marks(len(levels))+`)`, &sqlitex.ExecOptions{
		Args: append([]any{m.Channel, nanosOrZero(m.NotUntil), m.Alert, m.To, m.ID, nanosOrZero(m.Created)}, each(levels, func(l string) any { return l })...),
	})
	if err != nil {
		return fmt.Errorf("put a message in the place of a former one: %w", err)
	}
	return nil
}

// Sent is part of alerts.Store.
func (s *Store) Sent(ctx context.Context, id string, at time.Time) error {
	return s.note(ctx, `UPDATE outbox SET sent_at = ?, attempts = attempts + 1, error = '' WHERE id = ? AND sent_at = 0`, nanosOrZero(at), id)
}

// Retry is part of alerts.Store.
func (s *Store) Retry(ctx context.Context, id string, at time.Time, reason string) error {
	return s.note(ctx, `UPDATE outbox SET not_until = ?1, again = iif(again = 0, ?1, again), attempts = attempts + 1, error = ?2 WHERE id = ?3 AND sent_at = 0`, nanosOrZero(at), reason, id)
}

func (s *Store) note(ctx context.Context, query string, args ...any) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
	})
	if err != nil {
		return fmt.Errorf("note what became of a message: %w", err)
	}
	return nil
}

// Refuse is part of alerts.Store.
func (s *Store) Refuse(ctx context.Context, id string, now time.Time, reason string) error {
	return s.Write(ctx, func(conn *sqlite.Conn) error {
		var event *alerts.Event
		err := sqlitex.Execute(conn, `UPDATE outbox SET given_up = ?, attempts = attempts + 1, error = ?
			WHERE id = ? AND sent_at = 0 AND given_up = 0 RETURNING alert, level, channel, recipient`, &sqlitex.ExecOptions{
			Args: []any{nanosOrZero(now), reason, id},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				level, err := protocols.ParseLevel(stmt.ColumnText(1))
				m := alerts.Outgoing{Channel: stmt.ColumnText(2), To: stmt.ColumnText(3)}
				event = &alerts.Event{
					Alert: stmt.ColumnText(0), Kind: alerts.EventUndelivered, At: now, Level: level, Author: alerts.Service,
					Note: m.Channel + " → " + m.Recipient(),
				}
				return err
			},
		})
		if err != nil {
			return fmt.Errorf("give a message up: %w", err)
		}
		if event == nil || event.Alert == "" {
			return nil // a digest is about no alert of its own
		}
		return appendEvent(conn, event)
	})
}

// ForgetSent is part of alerts.Store.
func (s *Store) ForgetSent(ctx context.Context, sentBefore time.Time) (int, error) {
	forgotten := 0
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, `DELETE FROM outbox WHERE sent_at <> 0 AND sent_at < ?`, &sqlitex.ExecOptions{Args: []any{nanosOrZero(sentBefore)}})
		forgotten = conn.Changes()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget messages that were sent: %w", err)
	}
	return forgotten, nil
}

func outboxSummary(conn *sqlite.Conn, summary *alerts.Summary) error {
	err := sqlitex.Execute(conn, `SELECT count(*), coalesce(min(created), 0) FROM outbox WHERE sent_at = 0 AND given_up = 0`, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		summary.Waiting, summary.OldestWaiting = stmt.ColumnInt(0), timeOrZero(stmt.ColumnInt64(1))
		return nil
	}})
	if err != nil {
		return err
	}
	return sqlitex.Execute(conn, `SELECT count(*) FROM outbox WHERE given_up <> 0
		AND EXISTS (SELECT 1 FROM alerts WHERE id = outbox.alert AND state <> 'resolved')`, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		summary.Undelivered = stmt.ColumnInt(0)
		return nil
	}})
}
