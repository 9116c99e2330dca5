package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// membersSchema keeps the sessions of a shared group at a broker outside. A row is
// written before its session is opened, and removed once the broker has forgotten the
// session. leaving is true from the moment at which the subscription may have ended.
const membersSchema = `
CREATE TABLE members (
	club       text NOT NULL, -- which group at which broker
	client     text NOT NULL, -- the client id of the session
	subscribed boolean NOT NULL,
	leaving    boolean NOT NULL,
	expires    timestamptz NOT NULL,
	PRIMARY KEY (club, client)
);
`

// MemberLasts is how long a session counts as one of a node that lives, by the clock
// of the database, after the last Attend.
const MemberLasts = 15 * time.Second

// Attend says that this node lives and has these sessions of the group, or is about to
// open them. It returns how many of them the group knew already. While another node
// removes one, Attend waits for it.
func (s *Store) Attend(ctx context.Context, group string, sessions []string, subscribed bool) (known int, err error) {
	ctx, cancel := context.WithTimeout(ctx, MemberLasts)
	defer cancel()
	rows, err := s.pool.Query(ctx, `INSERT INTO members (club, client, subscribed, leaving, expires)
		SELECT $1, client, $3, false, clock_timestamp() + $4 FROM unnest($2::text[]) AS client ORDER BY client
		ON CONFLICT (club, client) DO UPDATE SET subscribed = excluded.subscribed, leaving = false, expires = excluded.expires
		RETURNING xmax <> 0`, group, sessions, subscribed, MemberLasts)
	if err != nil {
		return 0, fmt.Errorf("say that this node is one of the group %s: %w", group, err)
	}
	were, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return 0, fmt.Errorf("say that this node is one of the group %s: %w", group, err)
	}
	for _, was := range were {
		if was {
			known++
		}
	}
	return known, nil
}

// Leave ends the subscriptions of sessions by unsubscribe, in one transaction in which
// a session of another node is seen that is subscribed and lives. It reports false, and
// unsubscribe is not called, when there is none: what is published afterwards would
// be acknowledged and lost. After an error the caller must subscribe again.
func (s *Store) Leave(ctx context.Context, group string, sessions []string, unsubscribe func() error) (left bool, err error) {
	var doubt error
	err = s.Write(ctx, func(tx pgx.Tx) error {
		left, doubt = false, nil
		rows, err := tx.Query(ctx, `SELECT client, subscribed AND NOT leaving AND expires > clock_timestamp() AND client <> ALL ($2)
			FROM members WHERE club = $1 ORDER BY client FOR UPDATE`, group, sessions)
		if err != nil {
			return err
		}
		var client string
		var other, lives bool
		if _, err := pgx.ForEachRow(rows, []any{&client, &lives}, func() error { other = other || lives; return nil }); err != nil {
			return err
		}
		if !other {
			return nil
		}
		if _, err := tx.Exec(ctx, "UPDATE members SET leaving = true WHERE club = $1 AND client = ANY ($2)", group, sessions); err != nil {
			return err
		}
		left = true
		doubt = unsubscribe() // kept as leaving all the same: nobody else may count on it
		return nil
	})
	if err = errors.Join(err, doubt); err != nil {
		return false, fmt.Errorf("leave the group %s: %w", group, err)
	}
	return left, nil
}

// Missing lists the sessions of the group whose node has not attended for MemberLasts.
func (s *Store) Missing(ctx context.Context, group string) ([]string, error) {
	rows, err := s.pool.Query(ctx, "SELECT client FROM members WHERE club = $1 AND expires <= clock_timestamp() ORDER BY client", group)
	if err != nil {
		return nil, fmt.Errorf("look for missing members of the group %s: %w", group, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Remove calls forget, which has the broker forget a session, and forgets it too. A
// session that has not left is not removed. Absent is true for the session of another
// node, which is not removed either once that node is back.
func (s *Store) Remove(ctx context.Context, group, session string, absent bool, forget func() error) error {
	err := s.Write(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT client FROM members WHERE club = $1 AND client = $2
			AND leaving AND (NOT $3 OR expires <= clock_timestamp()) FOR UPDATE`, group, session, absent)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(found) == 0 {
			return err
		}
		if err := forget(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM members WHERE club = $1 AND client = $2", group, session)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove the session %s from the group %s: %w", session, group, err)
	}
	return nil
}
