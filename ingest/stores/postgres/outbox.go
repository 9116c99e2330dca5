package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/protocols"
)

// claimed is how long a message belongs to the node that has read it from the
// outbox, by the clock of the database. One node sends at a time; when it lost
// that office without noticing, because it was stopped or cut off, this is what
// keeps its successor from sending what it may just be sending.
const claimed = 15 * time.Second

const messageColumns = `id, channel, recipient, alert, event, level, created, not_until, attempts, sent_at, given_up, error, team, again`

// Outbox is part of alerts.Store. What is listed belongs to this node for a
// while: the outbox of another one does not list it meanwhile, so that no two
// send the same message.
func (s *Store) Outbox(ctx context.Context, channel string, now time.Time, limit int) ([]alerts.Outgoing, error) {
	list, err := s.messages(ctx, `UPDATE outbox SET claimed_by = $4, claimed_until = clock_timestamp() + $5
		WHERE id IN (SELECT id FROM outbox
			WHERE sent_at = 0 AND given_up = 0 AND channel = $1 AND not_until <= $2
				AND (claimed_by = $4 OR claimed_until < clock_timestamp())
			ORDER BY not_until, created, id LIMIT $3 FOR UPDATE SKIP LOCKED)
		RETURNING `+messageColumns, channel, nanosOrZero(now), limit, s.node, claimed)
	slices.SortFunc(list, func(a, b alerts.Outgoing) int {
		return cmp.Or(a.NotUntil.Compare(b.NotUntil), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// Undelivered is part of alerts.Store.
func (s *Store) Undelivered(ctx context.Context, limit int) ([]alerts.Outgoing, error) {
	return s.messages(ctx, `SELECT `+messageColumns+` FROM outbox WHERE given_up <> 0 ORDER BY given_up DESC, id LIMIT $1`, limit)
}

// Told is part of alerts.Store.
func (s *Store) Told(ctx context.Context, alert, team string, limit int) ([]alerts.Outgoing, error) {
	where, of := "alert = $1", alert
	if alert == "" {
		where, of = "team = $1", team
	}
	return s.messages(ctx, `SELECT `+messageColumns+` FROM outbox WHERE `+where+` ORDER BY created DESC, id COLLATE "C" LIMIT $2`, plain(of), limit)
}

func (s *Store) messages(ctx context.Context, query string, args ...any) ([]alerts.Outgoing, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanMessage)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return list, nil
}

func scanMessage(row pgx.CollectableRow) (m alerts.Outgoing, err error) {
	var level string
	var created, notUntil, sentAt, givenUp, again int64
	err = row.Scan(&m.ID, &m.Channel, &m.To, &m.Alert, &m.Event, &level, &created, &notUntil, &m.Attempts, &sentAt, &givenUp, &m.Error, &m.Team, &again)
	if err != nil {
		return m, err
	}
	m.Created, m.NotUntil, m.SentAt, m.GivenUp, m.Again = timeOrZero(created), timeOrZero(notUntil), timeOrZero(sentAt), timeOrZero(givenUp), timeOrZero(again)
	m.Level, err = protocols.ParseLevel(level)
	return m, err
}

// Post is part of alerts.Store.
func (s *Store) Post(ctx context.Context, messages []alerts.Outgoing) error {
	if len(messages) == 0 {
		return nil
	}
	err := s.Write(ctx, func(tx pgx.Tx) error {
		writes := &pgx.Batch{}
		for i := range messages {
			queueMessage(writes, &messages[i])
		}
		return tx.SendBatch(ctx, writes).Close()
	})
	if err != nil {
		return fmt.Errorf("put messages into the outbox: %w", err)
	}
	return nil
}

// queueMessage puts a message into the outbox. One that is there already stays as
// it is.
func queueMessage(writes *pgx.Batch, m *alerts.Outgoing) {
	writes.Queue(`INSERT INTO outbox (`+messageColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, '', $9, 0) ON CONFLICT (id) DO NOTHING`,
		m.ID, m.Channel, plain(m.To), m.Alert, m.Event, m.Level.String(), nanosOrZero(m.Created), nanosOrZero(m.NotUntil), plain(m.Team))
	levels := m.Replaces()
	if len(levels) == 0 {
		return
	}
	writes.Queue(`DELETE FROM outbox WHERE sent_at = 0 AND given_up = 0 AND attempts = 0 AND channel = $1 AND not_until = $2 AND alert = $3
		AND recipient = $4 AND id <> $5 AND created <= $6 AND level = ANY($7) AND claimed_until < clock_timestamp()`,
		m.Channel, nanosOrZero(m.NotUntil), m.Alert, plain(m.To), m.ID, nanosOrZero(m.Created), levels)
}

// Sent is part of alerts.Store.
func (s *Store) Sent(ctx context.Context, id string, at time.Time) error {
	return s.note(ctx, `UPDATE outbox SET sent_at = $2, attempts = attempts + 1, error = '' WHERE id = $1 AND sent_at = 0`, id, nanosOrZero(at))
}

// Retry is part of alerts.Store.
func (s *Store) Retry(ctx context.Context, id string, at time.Time, reason string) error {
	return s.note(ctx, `UPDATE outbox SET not_until = $2, again = CASE WHEN again = 0 THEN $2 ELSE again END, attempts = attempts + 1, error = $3 WHERE id = $1 AND sent_at = 0`, id, nanosOrZero(at), plain(reason))
}

func (s *Store) note(ctx context.Context, query string, args ...any) error {
	err := s.Write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what became of a message: %w", err)
	}
	return nil
}

// Refuse is part of alerts.Store.
func (s *Store) Refuse(ctx context.Context, id string, now time.Time, reason string) error {
	err := s.Write(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE outbox SET given_up = $2, attempts = attempts + 1, error = $3
			WHERE id = $1 AND sent_at = 0 AND given_up = 0 RETURNING `+messageColumns, id, nanosOrZero(now), plain(reason))
		if err != nil {
			return err
		}
		refused, err := pgx.CollectRows(rows, scanMessage)
		if err != nil || len(refused) == 0 || refused[0].Alert == "" {
			return err // a digest is about no alert of its own
		}
		m := &refused[0]
		writes := &pgx.Batch{}
		queueFollow(writes, []alerts.Event{{
			Alert: m.Alert, Kind: alerts.EventUndelivered, At: now, Level: m.Level, Author: alerts.Service, Note: m.Channel + " → " + m.Recipient(),
		}}, nil)
		return tx.SendBatch(ctx, writes).Close()
	})
	if err != nil {
		return fmt.Errorf("give a message up: %w", err)
	}
	return nil
}

// forgottenAtOnce is how many messages one transaction of ForgetSent forgets.
const forgottenAtOnce = 1000

// ForgetSent is part of alerts.Store. It goes in small transactions, between which
// others come.
func (s *Store) ForgetSent(ctx context.Context, sentBefore time.Time) (forgotten int, err error) {
	for more := true; more; {
		var some int
		err := s.Write(ctx, func(tx pgx.Tx) error {
			deleted, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id IN (
				SELECT id FROM outbox WHERE sent_at <> 0 AND sent_at < $1 ORDER BY sent_at LIMIT $2)`, nanosOrZero(sentBefore), forgottenAtOnce)
			some = int(deleted.RowsAffected())
			return err
		})
		if err != nil {
			return forgotten, fmt.Errorf("forget messages that were sent: %w", err)
		}
		forgotten += some
		more = some == forgottenAtOnce
	}
	return forgotten, nil
}
