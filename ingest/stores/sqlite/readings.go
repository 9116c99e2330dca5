package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// Keep is ingest.Tx.Keep.
func (w *writer) Keep(readings []*protocols.Reading, at time.Time) ([]ingest.Fate, error) {
	if err := w.findSeq(); err != nil {
		return nil, fmt.Errorf("read the end of the journal: %w", err)
	}
	first := w.seq + 1
	w.fates, w.batch = w.fates[:0], w.batch[:0]
	for _, r := range readings {
		fate, err := w.keep(r)
		if err != nil {
			return nil, fmt.Errorf("keep a reading of device %s: %w", r.Device, err)
		}
		w.fates = append(w.fates, fate)
	}
	if w.seq < first {
		return w.fates, nil
	}
	w.journal.BindInt64(1, w.seq)
	w.journal.BindInt64(2, first)
	w.journal.BindInt64(3, at.UnixMilli())
	w.journal.BindBytes(4, w.batch)
	w.guard = w.guard[:0].Int(w.seq).Int(first).Int(at.UnixMilli()).Bytes(w.batch)
	w.journal.BindInt64(5, w.guard.Sum())
	if err := run(w.journal); err != nil {
		return nil, fmt.Errorf("write the journal: %w", err)
	}
	return w.fates, nil
}

// findSeq reads where the journal ends. The cursors are looked at as well: the
// journal behind them may have been pruned to the last row.
func (w *writer) findSeq() error {
	if w.seqRead {
		return nil
	}
	stmt, err := w.conn.Prepare("SELECT max(coalesce((SELECT max(last) FROM journal), 0), coalesce((SELECT max(seq) FROM cursors), 0))")
	if err != nil {
		return err
	}
	seq, err := sqlitex.ResultInt64(stmt)
	w.seq, w.seqRead = seq, err == nil
	return err
}

// keep takes one reading into the batch unless it is kept already.
func (w *writer) keep(r *protocols.Reading) (fate ingest.Fate, err error) {
	names, recent := &w.store.names, &w.store.recent
	device, err := names.devices.number(w.conn, deviceNames, r.Device)
	if err != nil {
		return 0, err
	}
	fate, who := ingest.Fresh, identity{device, r.ID}
	used, err := w.used(who)
	if err == nil && !used && w.store.apart.lostIDs(device) {
		var known []*protocols.Reading
		known, err = w.alike(r, ingest.Near(r))
		used = len(known) > 0
	}
	if err != nil {
		return 0, err
	}
	if used {
		if fate, err = w.recognise(r); err != nil || !fate.Kept() {
			return fate, err
		}
		who.id = ingest.KeptID(r, fate)
		w.id = appendID(w.id[:0], who.id)
	}
	patient, err := names.patients.number(w.conn, patientNames, r.Patient)
	if err != nil {
		return 0, err
	}
	w.seq++
	measure, milli := w.store.layout.nums[r.Measure.Ordinal()], r.Time.UnixMilli()
	w.body = appendBody(w.body[:0], r, device, w.id) // w.id is who.id, as used left it
	w.batch = binary.AppendUvarint(w.batch, uint64(patient))
	w.batch = binary.AppendUvarint(w.batch, uint64(measure))
	w.batch = binary.AppendVarint(w.batch, milli)
	w.batch = binary.AppendUvarint(w.batch, uint64(len(w.body)))
	w.batch = append(w.batch, w.body...)
	recent.filling.ids[who] = struct{}{}
	e := entry{patient: patient, measure: measure, device: device, milli: milli, seq: w.seq, id: who.id, body: bytes.Clone(w.body)}
	start := uvarintSize(uint64(device))
	e.key = e.body[start : start+len(w.id)]
	w.pending = append(w.pending, e)
	return fate, nil
}

// used reports whether an id of a device is that of a reading that is kept.
func (w *writer) used(who identity) (bool, error) {
	if w.store.recent.holds(who) {
		return true, nil
	}
	return w.wasFiled(who.device, who.id)
}

// recognise says what becomes of a reading whose id was used before.
func (w *writer) recognise(r *protocols.Reading) (ingest.Fate, error) {
	known, err := w.alike(r, ingest.Near(r))
	if err != nil {
		return 0, fmt.Errorf("look for readings of the id of another: %w", err)
	}
	return ingest.Recognise(r, known), nil
}

// alike are the readings of a device and an id that were measured so long before or
// after another one at most. A device may have been other patients' before.
func (w *writer) alike(r *protocols.Reading, within time.Duration) (known []*protocols.Reading, err error) {
	patients, err := fedBy(w.conn, r.Device)
	if err != nil {
		return nil, err
	}
	if r.Patient != "" && !slices.Contains(patients, r.Patient) {
		patients = append(patients, r.Patient)
	}
	for _, patient := range patients {
		num, err := w.store.names.patients.find(w.conn, patientNames, patient)
		if err != nil {
			return nil, err
		}
		h := &history{store: w.store, conn: w.conn, patient: num, name: patient, pending: w.pending}
		if err := h.stretch(r.Time.Add(-within), r.Time.Add(within+1)); err != nil {
			return nil, err
		}
		for _, k := range h.found {
			if k.Device == r.Device && k.ID == r.ID {
				known = append(known, k)
			}
		}
	}
	return known, nil
}

// fedBy are the patients whose enrolments a device feeds, or fed once.
func fedBy(conn *sqlite.Conn, device string) (patients []string, err error) {
	err = sqlitex.Execute(conn, `SELECT DISTINCT patient FROM registry_enrolments WHERE id IN (
			SELECT enrolment FROM registry_feeds WHERE device = ?1 UNION ALL SELECT enrolment FROM registry_fed WHERE device = ?1)`, &sqlitex.ExecOptions{
		Args:       []any{device},
		ResultFunc: func(row *sqlite.Stmt) error { patients = append(patients, row.ColumnText(0)); return nil },
	})
	return patients, err
}

// uvarintSize is how many bytes binary.AppendUvarint appends.
func uvarintSize(u uint64) int {
	size := 1
	for ; u >= 0x80; u >>= 7 {
		size++
	}
	return size
}

// ReadingsAfter is ingest.Store.ReadingsAfter.
func (s *Store) ReadingsAfter(ctx context.Context, seq int64, limit int) ([]ingest.Kept, error) {
	var kept []ingest.Kept
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare("SELECT first, at, body, last, sum FROM journal WHERE last > ? ORDER BY last")
		if err != nil {
			return err
		}
		stmt.BindInt64(1, seq)
		for len(kept) < limit {
			more, err := stmt.Step()
			if err != nil || !more {
				return errors.Join(err, stmt.Reset())
			}
			batch := body{rest: columnBytes(stmt, 2)}
			if !s.intactBatch(stmt, 0, batch.rest) {
				continue
			}
			at := time.UnixMilli(stmt.ColumnInt64(1)).UTC()
			kept, err = s.unpack(conn, batch, ingest.Kept{Seq: stmt.ColumnInt64(0), At: at}, seq, limit, kept)
			if err != nil {
				return errors.Join(err, stmt.Reset())
			}
		}
		return stmt.Reset()
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal after %d: %w", seq, err)
	}
	return kept, nil
}

// intactBatch verifies a row of the journal that was read as first, at, body, last and
// sum, from a column on, and tells of it when it is damaged.
func (s *Store) intactBatch(row *sqlite.Stmt, from int, batch []byte) bool {
	var buf [256]byte
	last := row.ColumnInt64(from + 3)
	sum := ingest.Guard(buf[:0]).Int(last).Int(row.ColumnInt64(from)).Int(row.ColumnInt64(from + 1)).Bytes(batch).Sum()
	if intact(row, from+4, sum) {
		return true
	}
	s.met.tell(ingest.Damage{Table: "journal", Row: strconv.FormatInt(last, 10)})
	return false
}

// unpack appends the readings of a row of the journal that come after seq, up
// to the limit. next is what the first of them starts from.
func (s *Store) unpack(conn *sqlite.Conn, batch body, next ingest.Kept, after int64, limit int, kept []ingest.Kept) ([]ingest.Kept, error) {
	for ; len(batch.rest) > 0 && len(kept) < limit; next.Seq++ {
		patient, measure := int64(batch.uvarint()), s.layout.measures[int64(batch.uvarint())]
		milli := batch.varint()
		one := body{rest: batch.take(batch.uvarint())}
		if batch.bad || measure == nil {
			return nil, errBody
		}
		if next.Seq <= after {
			continue
		}
		r := protocols.Reading{Measure: measure, Time: time.UnixMilli(milli).UTC()}
		device, err := one.read(&r)
		if err != nil {
			return nil, err
		}
		if r.Device, err = s.names.devices.spelled(conn, deviceNames, device); err != nil {
			return nil, err
		}
		if r.Patient, err = s.names.patients.spelled(conn, patientNames, patient); err != nil {
			return nil, err
		}
		kept = append(kept, ingest.Kept{Seq: next.Seq, At: next.At, Reading: r})
	}
	return kept, nil
}

// Cursor is ingest.Store.Cursor.
func (s *Store) Cursor(ctx context.Context, name string) (seq int64, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		seq, err = lookUp(conn, "SELECT seq FROM cursors WHERE name = ?", name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the cursor %s: %w", name, err)
	}
	return seq, nil
}

// SetCursor is ingest.Store.SetCursor.
func (s *Store) SetCursor(ctx context.Context, name string, seq int64) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
			&sqlitex.ExecOptions{Args: []any{name, seq}})
	})
	if err != nil {
		return fmt.Errorf("set the cursor %s: %w", name, err)
	}
	return nil
}

// DueEnrolments is ingest.Store.DueEnrolments.
func (s *Store) DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return s.due(ctx, "SELECT enrolment FROM states WHERE due <= ? ORDER BY due LIMIT ?", now, limit)
}

// DueDevices is ingest.Store.DueDevices.
func (s *Store) DueDevices(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return s.due(ctx, "SELECT device FROM device_status WHERE due <= ? ORDER BY due LIMIT ?", now, limit)
}

func (s *Store) due(ctx context.Context, query string, now time.Time, limit int) (due []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{
			Args:       []any{now.UnixMilli(), limit},
			ResultFunc: func(row *sqlite.Stmt) error { due = append(due, row.ColumnText(0)); return nil },
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	return due, nil
}

// wake makes an enrolment due at once: a new one, whose silence counts from the
// start, or one whose settings or pauses have changed.
func wake(conn *sqlite.Conn, enrolment string) error {
	return sqlitex.Execute(conn, `INSERT INTO states (enrolment, version, due, sum) VALUES (?, 0, 0, checksum(?1, 0, NULL))
		ON CONFLICT (enrolment) DO UPDATE SET due = 0, sum = CASE WHEN sum = checksum(enrolment, due, snapshot) THEN checksum(enrolment, 0, snapshot) ELSE sum END`,
		&sqlitex.ExecOptions{Args: []any{enrolment}})
}
