package sqlite

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
)

// A transaction files twice as many readings as it keeps, so that a generation
// is filed before the next one is full, and at least a few.
const (
	filedPerKept = 2
	filedAtLeast = 128
	// blockSize is how many readings a block holds at most: about what fits into
	// a page.
	blockSize = 64
)

// file files a share of the generation at hand.
func (w *writer) file() error {
	g := w.store.recent.filing
	w.blocked, w.known, w.finished = 0, 0, false
	if g == nil || !g.ready() {
		return nil
	}
	w.blocked, w.known = g.blocked, g.known
	if w.blocked == 0 {
		if err := w.clearUnfinished(); err != nil {
			return err
		}
	}
	share := max(filedAtLeast, filedPerKept*len(w.pending))
	if err := w.fileBlocks(g, share); err != nil {
		return fmt.Errorf("file readings into blocks: %w", err)
	}
	if err := w.fileIDs(g, share); err != nil {
		return fmt.Errorf("file the ids of readings: %w", err)
	}
	if w.blocked < len(g.entries) || w.known < len(g.entries) {
		return nil
	}
	w.finished = true
	err := sqlitex.Execute(w.conn, "UPDATE filed SET seq = ?1, block = ?2, sum = checksum(?1, ?2)", &sqlitex.ExecOptions{Args: []any{g.last(), w.block}})
	if err != nil {
		return fmt.Errorf("record how far the journal is filed: %w", err)
	}
	return nil
}

// clearUnfinished takes away the blocks of a filing that did not come to its end
// because the service was killed. It waits for the next filing: whoever opens the
// file beside a service that runs must leave alone what that one is filing.
func (w *writer) clearUnfinished() error {
	err := sqlitex.Execute(w.conn, "DELETE FROM blocks WHERE id > ?", &sqlitex.ExecOptions{Args: []any{w.store.recent.complete}})
	if err != nil {
		return fmt.Errorf("clear a filing that was not finished: %w", err)
	}
	return nil
}

// fileBlocks files at least share readings, to the end of a block.
func (w *writer) fileBlocks(g *generation, share int) error {
	for until := w.blocked + share; w.blocked < min(until, len(g.byTime)); {
		first := &g.entries[g.byTime[w.blocked]]
		last := first
		w.body = w.body[:0]
		for count := 0; w.blocked < len(g.byTime) && count < blockSize; count++ {
			e := &g.entries[g.byTime[w.blocked]]
			if e.patient != first.patient || e.measure != first.measure {
				break
			}
			w.body = appendBlock(w.body, e, last.milli)
			last = e
			w.blocked++
		}
		w.block++ // not left to SQLite: a number is never used again, whatever was deleted
		w.blockRow.BindInt64(1, w.block)
		w.blockRow.BindInt64(2, first.patient)
		w.blockRow.BindInt64(3, first.measure)
		w.blockRow.BindInt64(4, first.milli)
		w.blockRow.BindInt64(5, last.milli)
		w.blockRow.BindBytes(6, w.body)
		w.guard = w.guard[:0].Int(w.block).Int(first.patient).Int(first.measure).Int(first.milli).Int(last.milli).Bytes(w.body)
		w.blockRow.BindInt64(7, w.guard.Sum())
		if err := run(w.blockRow); err != nil {
			return err
		}
	}
	return nil
}

// A block is its readings one after another: the milliseconds since the one
// before as a varint (since the block's own since for the first), then the length
// of the body and the body.
func appendBlock(dst []byte, e *entry, before int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(e.milli-before))
	dst = binary.AppendUvarint(dst, uint64(len(e.body)))
	return append(dst, e.body...)
}

// settle notes, after a commit, what the transaction has kept and filed.
func (w *writer) settle() {
	if g := w.store.recent.filing; g != nil {
		switch {
		case w.finished:
			w.store.recent.finish(w.block)
		case w.blocked > 0 || w.known > 0:
			g.blocked, g.known = w.blocked, w.known
		}
	}
	if len(w.pending) > 0 {
		w.store.recent.settle(w.pending)
	}
	w.forgetPending()
}

// discard forgets, after a transaction that failed, what it would have kept.
func (w *writer) discard() {
	for i := range w.pending {
		delete(w.store.recent.filling.ids, identity{w.pending[i].device, w.pending[i].id})
	}
	w.forgetPending()
}

func (w *writer) forgetPending() {
	clear(w.pending)
	w.pending = w.pending[:0]
	w.blocked, w.known, w.finished = 0, 0, false
}

// recover reads back what the journal holds and was not filed. A row that is damaged
// is set apart.
func (s *Store) recover(conn *sqlite.Conn) error {
	s.recent.filling = newGeneration()
	filed, err := s.findFiled(conn)
	if err != nil {
		return err
	}
	var entries []entry
	var damaged []batchRow
	err = sqlitex.Execute(conn, "SELECT first, at, body, last, sum FROM journal WHERE last > ? ORDER BY last", &sqlitex.ExecOptions{
		Args: []any{filed},
		ResultFunc: func(row *sqlite.Stmt) error {
			batch := columnBytes(row, 2)
			if !s.intactBatch(row, 0, batch) {
				damaged = append(damaged, batchRow{row.ColumnInt64(3), row.ColumnInt64(1), batch})
				return nil
			}
			entries, err = unpackEntries(entries, row.ColumnInt64(0), batch)
			return err
		},
	})
	if err != nil {
		return err
	}
	for i := range damaged {
		if err := s.setBatchApart(conn, &damaged[i]); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	for i := range entries {
		s.recent.filling.ids[identity{entries[i].device, entries[i].id}] = struct{}{}
	}
	s.recent.settle(entries)
	return nil
}

// findFiled reads up to where the journal is filed.
func (s *Store) findFiled(conn *sqlite.Conn) (seq int64, err error) {
	fits := false
	err = sqlitex.Execute(conn, "SELECT seq, block, sum FROM filed", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			seq, s.recent.complete = row.ColumnInt64(0), row.ColumnInt64(1)
			fits = intact(row, 2, sumOf(row, 0, 2))
			return nil
		},
	})
	if err == nil && !fits {
		err = fmt.Errorf("how far the journal is filed: %w; restore a backup", ingest.ErrDamaged)
	}
	return seq, err
}

// batchRow is a row of the journal.
type batchRow struct {
	last, at int64
	body     []byte
}

// setBatchApart takes the readings of a damaged row out of the journal: those whose
// patients it seems to hold miss some of their history, and anybody may where it does
// not even tell that. The row stays, empty, because its number says where the journal
// goes on.
func (s *Store) setBatchApart(conn *sqlite.Conn, b *batchRow) error {
	patients, whole := patientsIn(b.body)
	if !whole {
		patients[0] = true
	}
	for patient := range patients {
		if err := s.setApart(conn, "journal", strconv.FormatInt(b.last, 10), patient, 0, b.at, b.body); err != nil {
			return err
		}
	}
	return sqlitex.Execute(conn, "UPDATE journal SET body = x'', sum = checksum(last, first, at, x'') WHERE last = ?", &sqlitex.ExecOptions{Args: []any{b.last}})
}

// unpackEntries appends the readings of one row of the journal.
func unpackEntries(entries []entry, seq int64, row []byte) ([]entry, error) {
	for batch := (body{rest: row}); len(batch.rest) > 0; seq++ {
		e := entry{patient: int64(batch.uvarint()), measure: int64(batch.uvarint()), milli: batch.varint(), seq: seq}
		e.body = batch.take(batch.uvarint())
		if batch.bad || !e.identify() {
			return nil, errBody
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// identify finds the device and the id in the body.
func (e *entry) identify() bool {
	one := body{rest: e.body}
	e.device = int64(one.uvarint())
	e.key = one.rest
	e.id = one.id()
	e.key = e.key[:len(e.key)-len(one.rest)]
	return !one.bad
}
