package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/erasure"
	"vigie/alerts/trail"
)

var (
	_ erasure.Ageing = (*Store)(nil)
	_ trail.Stripper = (*Trail)(nil)
)

// Aged is part of erasure.Ageing.
func (s *Store) Aged(ctx context.Context, before time.Time) ([]string, error) {
	rows, err := s.pool.Query(ctx, erasure.AgedPatients, nanos(before))
	if err == nil {
		var list []string
		if list, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("list of whom something is old: %w", err)
}

// Age is part of erasure.Ageing.
func (s *Store) Age(ctx context.Context, kept, patient string, before time.Time, dry bool) (count int, err error) {
	err = s.Write(ctx, func(tx pgx.Tx) error {
		e := &erasing{ctx: ctx, tx: tx}
		count = 0
		for _, step := range erasure.Ages(kept, "id") {
			args, n := []any{nanos(before)}, 0
			if strings.Contains(step.Where, "$2") {
				args = append(args, plain(patient))
			}
			work := func() (err error) {
				n, err = e.run(step.Statement(), args...)
				return err
			}
			var err error
			switch {
			case dry:
				err = tx.QueryRow(ctx, step.Counting(), args...).Scan(&n)
			case slices.Contains(onlyAppended, step.Table):
				err = e.unlocked(step.Table, work)
			default:
				err = work()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", step.Table, err)
			}
			if step.Category != "" {
				count += n
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forget what is old of %s: %w", kept, err)
	}
	return count, nil
}

// Strip is part of trail.Stripper.
func (t *Trail) Strip(ctx context.Context, number string, list []trail.Redaction) error {
	err := t.store.Write(ctx, func(tx pgx.Tx) error { return (&erasing{ctx: ctx, tx: tx}).strip(number, list) })
	if err != nil {
		return fmt.Errorf("take what is old out of the trail: %w", err)
	}
	return nil
}

// strip takes out what the trail says, as the trail has said before.
func (e *erasing) strip(number string, list []trail.Redaction) error {
	return e.unlocked("trail", func() error {
		return e.unlocked("trail_beside", func() error {
			for _, r := range list {
				var err error
				if r.Nth < 0 {
					_, err = e.run("UPDATE trail SET body = $1 WHERE chain = $2 AND seq = $3", r.Body, r.Chain, r.Seq)
				} else {
					_, err = e.run("UPDATE trail_beside SET part = 'erased', text = $1, salt = '' WHERE chain = $2 AND seq = $3 AND nth = $4", number, r.Chain, r.Seq, r.Nth)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}
