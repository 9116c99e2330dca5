package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// What one transaction of a pruning forgets at most, so that commits wait for it
// for milliseconds only.
const (
	prunedBlocks = 500
	prunedRows   = 1000
	vacuumPages  = 1000
)

var _ ingest.Pruner = (*Store)(nil)

// Prune is ingest.Pruner.Prune.
func (s *Store) Prune(ctx context.Context, retention ingest.Retention) (pruned ingest.Pruned, err error) {
	for _, step := range []struct {
		what   string
		before time.Time
		count  *int
		forget func(conn *sqlite.Conn, before int64) (forgotten int, more bool, err error)
	}{
		{"the journal", retention.Journal, &pruned.Journal, forgetJournal},
		{"set-aside records", retention.SetAsides, &pruned.SetAsides, s.forgetSetAsides},
	} {
		if step.before.IsZero() {
			continue
		}
		for more := true; more; {
			err := s.Write(ctx, func(conn *sqlite.Conn) error {
				var forgotten int
				var err error
				forgotten, more, err = step.forget(conn, step.before.UnixMilli())
				*step.count += forgotten
				return err
			})
			if err != nil {
				return pruned, fmt.Errorf("prune %s: %w", step.what, err)
			}
		}
	}
	return pruned, s.vacuum(ctx)
}

// idsOf collects the ids of a block by device.
func idsOf(block []byte, ids map[int64][][]byte) (count int, err error) {
	for rest := (body{rest: block}); len(rest.rest) > 0; count++ {
		rest.uvarint()
		e := entry{body: rest.take(rest.uvarint())}
		if rest.bad || !e.identify() {
			return 0, errBody
		}
		ids[e.device] = append(ids[e.device], e.key)
	}
	return count, nil
}

// forgetKeys takes ids out of the rows of their device.
func (w *writer) forgetKeys(device int64, keys [][]byte) error {
	slices.SortFunc(keys, bytes.Compare)
	delete(w.tops, device)
	for len(keys) > 0 {
		row, found, err := w.seenOf(w.seen, device, keys[0])
		if err != nil {
			return err
		}
		if !found {
			return nil
		}
		n := 1
		for n < len(keys) && bytes.Compare(keys[n], row.upto) <= 0 {
			n++
		}
		left := slices.DeleteFunc(row.keys(), func(key []byte) bool {
			_, forgotten := slices.BinarySearchFunc(keys[:n], key, bytes.Compare)
			return forgotten
		})
		if len(left) > 0 {
			err = w.replace(device, row, left)
		} else {
			err = w.deleteSeen(device, row)
		}
		if err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// forgetJournal deletes what was filed and what every reader has passed.
func forgetJournal(conn *sqlite.Conn, before int64) (forgotten int, more bool, err error) {
	passed := int64(math.MaxInt64)
	err = sqlitex.Execute(conn, "SELECT min(seq) FROM (SELECT seq FROM filed UNION ALL SELECT seq FROM cursors)", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error { passed = row.ColumnInt64(0); return nil },
	})
	if err != nil {
		return 0, false, err
	}
	// The last row stays: it says where the journal goes on.
	rows := 0
	err = sqlitex.Execute(conn, `DELETE FROM journal WHERE last IN (
			SELECT last FROM journal WHERE last <= ? AND at < ? AND last < (SELECT max(last) FROM journal) ORDER BY last LIMIT ?)
		RETURNING last - first + 1`, &sqlitex.ExecOptions{
		Args:       []any{passed, before, prunedRows},
		ResultFunc: func(row *sqlite.Stmt) error { forgotten += row.ColumnInt(0); rows++; return nil },
	})
	return forgotten, rows == prunedRows, err
}

// forgetSetAsides deletes old records. What InfluxDB refused stays while the store
// holds the reading: that goes only once InfluxDB is proven to have it.
func (s *Store) forgetSetAsides(conn *sqlite.Conn, before int64) (forgotten int, more bool, err error) {
	const refused = " " + string(ingest.RefusedByInflux) + " "
	err = sqlitex.Execute(conn, "DELETE FROM set_aside WHERE id IN (SELECT id FROM set_aside WHERE received < ? AND instr(codes, ?) = 0 LIMIT ?)",
		&sqlitex.ExecOptions{Args: []any{before, refused, prunedRows}})
	if forgotten = conn.Changes(); err != nil || forgotten == prunedRows {
		return forgotten, true, err
	}
	var gone []int64
	err = sqlitex.Execute(conn, "SELECT id, device, reading FROM set_aside WHERE received < ? AND instr(codes, ?) > 0", &sqlitex.ExecOptions{
		Args: []any{before, refused},
		ResultFunc: func(row *sqlite.Stmt) error {
			device, err := s.names.devices.find(conn, deviceNames, row.ColumnText(1))
			if err != nil {
				return err
			}
			held, err := s.writer.used(identity{device, row.ColumnText(2)})
			if !held && len(gone) < prunedRows {
				gone = append(gone, row.ColumnInt64(0))
			}
			return err
		},
	})
	if err != nil {
		return forgotten, false, err
	}
	for _, id := range gone {
		if err := sqlitex.Execute(conn, "DELETE FROM set_aside WHERE id = ?", &sqlitex.ExecOptions{Args: []any{id}}); err != nil {
			return forgotten, false, err
		}
	}
	return forgotten + len(gone), len(gone) == prunedRows, nil
}

// DeleteSetAsides is ingest.Pruner.DeleteSetAsides.
func (s *Store) DeleteSetAsides(ctx context.Context, code protocols.Code, before time.Time) (deleted int, err error) {
	for more := true; more; {
		err := s.Write(ctx, func(conn *sqlite.Conn) error {
			err := sqlitex.Execute(conn, "DELETE FROM set_aside WHERE id IN (SELECT id FROM set_aside WHERE received < ? AND instr(codes, ?) > 0 AND instr(codes, ?) = 0 LIMIT ?)",
				&sqlitex.ExecOptions{Args: []any{before.UnixMilli(), " " + string(code) + " ", " " + string(ingest.RefusedByInflux) + " ", prunedRows}})
			more = conn.Changes() == prunedRows
			deleted += conn.Changes()
			return err
		})
		if err != nil {
			return deleted, fmt.Errorf("delete what was set aside as %s: %w", code, err)
		}
	}
	return deleted, s.vacuum(ctx)
}

// vacuum gives free pages back, some at a time.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		free, err := s.vacuumSome(ctx)
		if err != nil {
			return fmt.Errorf("give the room of what was pruned back: %w", err)
		}
		if free < vacuumPages {
			return nil
		}
	}
}

// vacuumSome gives back some pages and returns how many were free before.
func (s *Store) vacuumSome(ctx context.Context) (free int64, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return 0, errClosed
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	stmt, err := s.conn.Prepare("PRAGMA freelist_count")
	if err != nil {
		return 0, err
	}
	if free, err = sqlitex.ResultInt64(stmt); err != nil || free == 0 {
		return free, err
	}
	stmt, _, err = s.conn.PrepareTransient(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages))
	if err != nil {
		return 0, err
	}
	for more := true; more && err == nil; { // a step gives back one page
		more, err = stmt.Step()
	}
	return free, errors.Join(err, stmt.Finalize())
}
