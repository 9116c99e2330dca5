package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/trail"
)

// Trail returns the part of the store that keeps who looked at whom.
func (s *Store) Trail() *Trail { return &Trail{s} }

// Trail is a trail.Store on PostgreSQL.
type Trail struct{ store *Store }

var _ trail.Store = (*Trail)(nil)

// Append is part of trail.Store. Whoever adds to the same chain waits; readings do not.
func (t *Trail) Append(ctx context.Context, chain string, next func(last trail.Head) ([]trail.Row, error)) error {
	err := t.store.Write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashtext($2))", lockTrail, plain(chain)); err != nil {
			return fmt.Errorf("wait for whoever writes to the same chain: %w", err)
		}
		last := trail.Head{Chain: chain}
		err := tx.QueryRow(ctx, "SELECT seq, hash FROM trail WHERE chain = $1 ORDER BY seq DESC LIMIT 1", plain(chain)).Scan(&last.Seq, &last.Hash)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		rows, err := next(last)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		for _, r := range rows {
			batch.Queue("INSERT INTO trail (chain, seq, at, account, body, hash, signature) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				r.Chain, r.Seq, nanos(r.At), plain(r.Account), r.Body, r.Hash, r.Signature)
			for i, d := range r.Beside {
				batch.Queue("INSERT INTO trail_beside (chain, seq, nth, part, text, salt) VALUES ($1, $2, $3, $4, $5, $6)",
					r.Chain, r.Seq, i, string(d.Part), plain(d.Text), d.Salt)
			}
		}
		return tx.SendBatch(ctx, &batch).Close()
	})
	if err != nil {
		return fmt.Errorf("write the trail: %w", err)
	}
	return nil
}

// Heads is part of trail.Store.
func (t *Trail) Heads(ctx context.Context) ([]trail.Row, error) {
	return t.rows(ctx, trail.AtTheHeads)
}

// Rows is part of trail.Store.
func (t *Trail) Rows(ctx context.Context, chain string, after int64, limit int) ([]trail.Row, error) {
	return t.rows(ctx, "WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3", plain(chain), after, limit)
}

// Find is part of trail.Store.
func (t *Trail) Find(ctx context.Context, f trail.Filter) ([]trail.Row, error) {
	where, args := []string{"true"}, []any{}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if f.Patient != "" {
		add("(chain, seq) IN (SELECT chain, seq FROM trail_beside WHERE part = 'patient' AND text = $%d)", plain(f.Patient))
	}
	if f.Account != "" {
		add("account = $%d", plain(f.Account))
	}
	if !f.From.IsZero() {
		add("at >= $%d", nanos(f.From))
	}
	if !f.To.IsZero() {
		add("at < $%d", nanos(f.To))
	}
	which := "WHERE " + strings.Join(where, " AND ") + " ORDER BY at DESC, chain, seq DESC"
	if f.Limit > 0 {
		args = append(args, f.Limit)
		which += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	return t.rows(ctx, which, args...)
}

func (t *Trail) rows(ctx context.Context, which string, args ...any) ([]trail.Row, error) {
	found, err := t.store.pool.Query(ctx, `SELECT chain, seq, at, account, body, hash, signature, coalesce((
		SELECT json_agg(json_build_object('part', part, 'text', text, 'salt', salt) ORDER BY nth)
		FROM trail_beside b WHERE b.chain = trail.chain AND b.seq = trail.seq), '[]') FROM trail `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (r trail.Row, err error) {
		var at int64
		err = row.Scan(&r.Chain, &r.Seq, &at, &r.Account, &r.Body, &r.Hash, &r.Signature, &r.Beside)
		r.At = time.Unix(0, at).UTC()
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	return list, nil
}
