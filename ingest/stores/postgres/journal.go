package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
)

// The end of the journal, under its lock. The cursors are looked at as well: the
// journal behind them may have been pruned to the last row.
const (
	holdJournal   = `SELECT pg_advisory_xact_lock($1)`
	appendJournal = `
INSERT INTO journal (last, first, batch, at)
SELECT ended.seq + $2, ended.seq + 1, $1, $3
FROM (SELECT greatest((SELECT max(last) FROM journal), (SELECT max(seq) FROM cursors), 0) AS seq) AS ended`
)

// queueJournal gives the readings that were kept their numbers.
func (t *transaction) queueJournal(last *pgx.Batch) {
	if len(t.batches) == 0 {
		return
	}
	last.Queue(holdJournal, int64(lockJournal))
	for _, b := range t.batches {
		last.Queue(appendJournal, b.number, b.places, b.at)
	}
}

// ReadingsAfter is ingest.Store.ReadingsAfter.
func (s *Store) ReadingsAfter(ctx context.Context, seq int64, limit int) ([]ingest.Kept, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT journal.first + place, journal.at, `+readingColumns+`
		FROM (SELECT last, first, batch, at FROM journal) AS journal JOIN readings USING (batch)
		WHERE journal.last > $1 AND journal.first + place > $1
		ORDER BY journal.last, place LIMIT $2`, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("read the journal after %d: %w", seq, err)
	}
	var kept []ingest.Kept
	var number, at int64
	var row row
	_, err = pgx.ForEachRow(rows, append([]any{&number, &at}, row.fields()...), func() error {
		if !row.intact() {
			s.met.tell(row.damage())
			row.forget()
			return nil
		}
		r, err := row.reading(s)
		if err != nil {
			return err
		}
		kept = append(kept, ingest.Kept{Seq: number, At: fromNanos(at), Reading: *r})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal after %d: %w", seq, err)
	}
	return kept, nil
}

// Cursor is ingest.Store.Cursor.
func (s *Store) Cursor(ctx context.Context, name string) (int64, error) {
	var seq int64
	err := s.pool.QueryRow(ctx, "SELECT seq FROM cursors WHERE name = $1", name).Scan(&seq)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("read the cursor %s: %w", name, err)
	}
	return seq, nil
}

// SetCursor is ingest.Store.SetCursor.
func (s *Store) SetCursor(ctx context.Context, name string, seq int64) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO cursors (name, seq) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, name, seq)
	if err != nil {
		return fmt.Errorf("record the cursor %s: %w", name, err)
	}
	return nil
}
