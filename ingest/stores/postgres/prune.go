package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
)

// prunedRows is how many rows one transaction of a pruning looks at, so that
// others wait for milliseconds only.
const prunedRows = 1000

var _ ingest.Pruner = (*Store)(nil)

// Prune is ingest.Pruner.Prune. Nodes that prune at once take turns. The room of
// what was deleted is used again once autovacuum has passed, which is why the
// database ceases to grow rather than shrinks.
func (s *Store) Prune(ctx context.Context, retention ingest.Retention) (pruned ingest.Pruned, err error) {
	passed, err := s.passed(ctx)
	if err != nil {
		return pruned, fmt.Errorf("prune: %w", err)
	}
	readings := oldReadings{before: nanos(retention.Readings), passed: passed}
	for _, step := range []struct {
		what   string
		before time.Time
		count  *int
		forget func(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error)
	}{
		{"readings", retention.Readings, &pruned.Readings, readings.forget},
		{"the journal", retention.Journal, &pruned.Journal, forgetJournal(nanos(retention.Journal), passed)},
		{"set-aside records", retention.SetAsides, &pruned.SetAsides, forgetSetAsides(nanos(retention.SetAsides))},
	} {
		if step.before.IsZero() {
			continue
		}
		for more := true; more; {
			forgotten := 0
			err := s.Write(ctx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockPrune))
				if err != nil {
					return err
				}
				forgotten, more, err = step.forget(ctx, tx)
				return err
			})
			if err != nil {
				return pruned, fmt.Errorf("prune %s: %w", step.what, err)
			}
			*step.count += forgotten
		}
	}
	return pruned, nil
}

// passed is what every reader of the journal has read.
func (s *Store) passed(ctx context.Context) (seq int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT coalesce(min(seq), $1) FROM cursors", int64(math.MaxInt64)).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("see how far the readers of the journal are: %w", err)
	}
	return seq, nil
}

// oldReadings goes through the readings in the order in which they came, which
// is nearly that of their age, and stops where it finds nothing old. What came
// late goes when what it came with does. No index is needed but that of the
// journal, and none has to be kept for this alone.
//
// What a reader of the journal has not read yet stays, however old: the journal
// refers to it.
type oldReadings struct {
	before, passed int64
	batch          int64 // the last one that was looked at
}

const (
	someBatches = `
SELECT coalesce(max(batch), 0), count(*) FROM (SELECT batch FROM readings WHERE batch > $1 ORDER BY batch LIMIT $2) AS next`
	deleteReadings = `
DELETE FROM readings WHERE batch > $1 AND batch <= $2 AND time < $3
	AND NOT EXISTS (SELECT FROM journal WHERE journal.batch = readings.batch AND journal.last > $4)`
)

func (o *oldReadings) forget(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error) {
	var last int64
	var rows int
	if err := tx.QueryRow(ctx, someBatches, o.batch, prunedRows).Scan(&last, &rows); err != nil || rows == 0 {
		return 0, false, err
	}
	deleted, err := tx.Exec(ctx, deleteReadings, o.batch, last, o.before, o.passed)
	if err != nil {
		return 0, false, err
	}
	o.batch = last
	forgotten = int(deleted.RowsAffected())
	return forgotten, forgotten > 0, nil
}

// forgetJournal deletes what every reader has passed. The last row stays: it says
// where the journal goes on.
func forgetJournal(before, passed int64) func(context.Context, pgx.Tx) (int, bool, error) {
	return func(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error) {
		rows := 0
		err = tx.QueryRow(ctx, `WITH gone AS (
			DELETE FROM journal WHERE last IN (SELECT last FROM journal
				WHERE last <= $1 AND at < $2 AND last < (SELECT max(last) FROM journal) ORDER BY last LIMIT $3)
			RETURNING last - first + 1 AS readings)
			SELECT count(*), coalesce(sum(readings), 0)::bigint FROM gone`, passed, before, prunedRows).Scan(&rows, &forgotten)
		return forgotten, rows == prunedRows, err
	}
}

func forgetSetAsides(before int64) func(context.Context, pgx.Tx) (int, bool, error) {
	return func(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error) {
		deleted, err := tx.Exec(ctx, `DELETE FROM set_aside
			WHERE id IN (SELECT id FROM set_aside WHERE received < $1 ORDER BY received LIMIT $2)`, before, prunedRows)
		forgotten = int(deleted.RowsAffected())
		return forgotten, forgotten == prunedRows, err
	}
}
