package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
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
	for _, step := range []struct {
		what   string
		before time.Time
		count  *int
		forget func(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error)
	}{
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

// forgetSetAsides deletes old records. What InfluxDB refused stays while the store
// holds the reading: that goes only once InfluxDB is proven to have it.
func forgetSetAsides(before int64) func(context.Context, pgx.Tx) (int, bool, error) {
	return func(ctx context.Context, tx pgx.Tx) (forgotten int, more bool, err error) {
		deleted, err := tx.Exec(ctx, `DELETE FROM set_aside
			WHERE id IN (SELECT id FROM set_aside WHERE received < $1 AND NOT ($3 = ANY (codes)
				AND EXISTS (SELECT FROM readings WHERE readings.device = set_aside.device AND readings.id = set_aside.reading))
			ORDER BY received LIMIT $2)`, before, prunedRows, string(ingest.RefusedByInflux))
		forgotten = int(deleted.RowsAffected())
		return forgotten, forgotten == prunedRows, err
	}
}

// DeleteSetAsides is ingest.Pruner.DeleteSetAsides.
func (s *Store) DeleteSetAsides(ctx context.Context, code protocols.Code, before time.Time) (deleted int, err error) {
	for more := true; more; {
		err := s.Write(ctx, func(tx pgx.Tx) error {
			done, err := tx.Exec(ctx, `DELETE FROM set_aside WHERE id IN (SELECT id FROM set_aside
				WHERE received < $1 AND $2 = ANY (codes) AND NOT ($3 = ANY (codes)) ORDER BY id LIMIT $4)`, nanos(before), plain(string(code)), string(ingest.RefusedByInflux), prunedRows)
			more = done.RowsAffected() == prunedRows
			deleted += int(done.RowsAffected())
			return err
		})
		if err != nil {
			return deleted, fmt.Errorf("delete what was set aside as %s: %w", code, err)
		}
	}
	return deleted, nil
}
