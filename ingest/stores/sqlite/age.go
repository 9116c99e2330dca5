package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/erasure"
	"vigie/alerts/trail"
	"vigie/ingest"
)

var (
	_ erasure.Ageing = (*Store)(nil)
	_ trail.Stripper = (*Trail)(nil)
)

// Aged is part of erasure.Ageing.
func (s *Store) Aged(ctx context.Context, before time.Time) (list []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, erasure.AgedPatients, &sqlitex.ExecOptions{
			Args: []any{ingest.Nanos(before)}, ResultFunc: func(row *sqlite.Stmt) error { list = append(list, row.ColumnText(0)); return nil }})
	})
	if err != nil {
		return nil, fmt.Errorf("list of whom something is old: %w", err)
	}
	return list, nil
}

// Age is part of erasure.Ageing.
func (s *Store) Age(ctx context.Context, kept, patient string, before time.Time, dry bool) (count int, err error) {
	within := s.Write
	if dry {
		within = s.Read
	}
	err = within(ctx, func(conn *sqlite.Conn) error {
		for _, step := range erasure.Ages(kept, "number") {
			n := 0
			options := &sqlitex.ExecOptions{Args: []any{before.UnixMilli()}, ResultFunc: func(row *sqlite.Stmt) error { n = row.ColumnInt(0); return nil }}
			if step.Nanos {
				options.Args[0] = ingest.Nanos(before)
			}
			if strings.Contains(step.Where, "$2") {
				options.Args = append(options.Args, patient)
			}
			if dry {
				err = sqlitex.Execute(conn, step.Counting(), options)
			} else if err = unlocked(conn, step.Table, func() error { return sqlitex.Execute(conn, step.Statement(), options) }); err == nil {
				n = conn.Changes()
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
	err := t.store.Write(ctx, func(conn *sqlite.Conn) error { return stripTrail(conn, number, list) })
	if err != nil {
		return fmt.Errorf("take what is old out of the trail: %w", err)
	}
	return nil
}

// stripTrail takes out what the trail says, as the trail has said before.
func stripTrail(conn *sqlite.Conn, number string, list []trail.Redaction) error {
	run := func(sql string, args ...any) error {
		return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args})
	}
	return unlocked(conn, "trail", func() error {
		return unlocked(conn, "trail_beside", func() error {
			for _, r := range list {
				var err error
				if r.Nth < 0 {
					err = run("UPDATE trail SET body = ? WHERE chain = ? AND seq = ?", r.Body, r.Chain, r.Seq)
				} else {
					err = run("UPDATE trail_beside SET part = 'erased', text = ?, salt = '' WHERE chain = ? AND seq = ? AND nth = ?", number, r.Chain, r.Seq, r.Nth)
				}
				if err != nil {
					return fmt.Errorf("take out what the trail says: %w", err)
				}
			}
			return nil
		})
	})
}
