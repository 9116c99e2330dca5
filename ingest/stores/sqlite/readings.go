package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// Keep is ingest.Tx.Keep.
func (w *writer) Keep(readings []*protocols.Reading, at time.Time) ([]bool, error) {
	if err := w.findSeq(); err != nil {
		return nil, fmt.Errorf("read the end of the journal: %w", err)
	}
	first := w.seq + 1
	w.fresh, w.batch = w.fresh[:0], w.batch[:0]
	for _, r := range readings {
		fresh, err := w.keep(r)
		if err != nil {
			return nil, fmt.Errorf("keep a reading of device %s: %w", r.Device, err)
		}
		w.fresh = append(w.fresh, fresh)
	}
	if w.seq < first {
		return w.fresh, nil
	}
	w.journal.BindInt64(1, w.seq)
	w.journal.BindInt64(2, first)
	w.journal.BindInt64(3, at.UnixMilli())
	w.journal.BindBytes(4, w.batch)
	if err := run(w.journal); err != nil {
		return nil, fmt.Errorf("write the journal: %w", err)
	}
	return w.fresh, nil
}

// findSeq reads where the journal ends. The cursors are looked at as well: the
// journal behind them may have been pruned to the last row.
func (w *writer) findSeq() error {
	if w.known {
		return nil
	}
	stmt, err := w.conn.Prepare("SELECT max(coalesce((SELECT max(last) FROM journal), 0), coalesce((SELECT max(seq) FROM cursors), 0))")
	if err != nil {
		return err
	}
	seq, err := sqlitex.ResultInt64(stmt)
	w.seq, w.known = seq, err == nil
	return err
}

// keep stores one reading unless its id was seen before.
func (w *writer) keep(r *protocols.Reading) (fresh bool, err error) {
	names := &w.store.names
	device, err := names.devices.number(w.conn, deviceNames, r.Device)
	if err != nil {
		return false, err
	}
	w.id = appendID(w.id[:0], r.ID)
	w.seen.BindInt64(1, device)
	w.seen.BindBytes(2, w.id)
	if err := run(w.seen); err != nil {
		return false, err
	}
	if w.conn.Changes() == 0 {
		return false, nil
	}
	patient, err := names.patients.number(w.conn, patientNames, r.Patient)
	if err != nil {
		return false, err
	}
	w.seq++
	measure, milli := w.store.layout.nums[r.Measure.Ordinal()], r.Time.UnixMilli()
	w.body = appendBody(w.body[:0], r, device)
	w.reading.BindInt64(1, patient)
	w.reading.BindInt64(2, measure)
	w.reading.BindInt64(3, milli)
	w.reading.BindInt64(4, w.seq)
	w.reading.BindBytes(5, w.body)
	if err := run(w.reading); err != nil {
		return false, err
	}
	w.batch = binary.AppendUvarint(w.batch, uint64(patient))
	w.batch = binary.AppendUvarint(w.batch, uint64(measure))
	w.batch = binary.AppendVarint(w.batch, milli)
	w.batch = binary.AppendUvarint(w.batch, uint64(len(w.body)))
	w.batch = append(w.batch, w.body...)
	return true, nil
}

// History is ingest.Store.History.
func (s *Store) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return s.Read(ctx, func(conn *sqlite.Conn) error {
		return s.history(conn, patient, measure, from, to, yield)
	})
}

// History is ingest.Tx.History.
func (w *writer) History(patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return w.store.history(w.conn, patient, measure, from, to, yield)
}

func (s *Store) history(conn *sqlite.Conn, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	num, err := s.names.patients.find(conn, patientNames, patient)
	if err != nil || num == 0 {
		return err
	}
	h := &history{store: s, conn: conn, patient: num, name: patient, from: from, to: to}
	if measure != nil {
		err = h.one(measure, yield)
	} else {
		err = h.all(yield)
	}
	if err != nil {
		return fmt.Errorf("read the history of patient %s: %w", patient, err)
	}
	return nil
}

// history is one reading-back of a patient's readings.
type history struct {
	store    *Store
	conn     *sqlite.Conn
	patient  int64
	name     string
	from, to time.Time
	buf      []byte
}

// one yields the readings of one measure. The file holds them by millisecond;
// those of one millisecond are put in canonical order here.
func (h *history) one(measure *protocols.Measure, yield func(*protocols.Reading) bool) error {
	var tied []*protocols.Reading
	flush := func() bool {
		slices.SortStableFunc(tied, canonical)
		for _, r := range tied {
			if !yield(r) {
				return false
			}
		}
		tied = tied[:0]
		return true
	}
	stopped := false
	err := h.scan(measure, h.from, h.to, func(r *protocols.Reading) bool {
		if len(tied) > 0 && tied[0].Time.UnixMilli() != r.Time.UnixMilli() {
			stopped = !flush()
		}
		tied = append(tied, r)
		return !stopped
	})
	if err == nil && !stopped {
		flush()
	}
	return err
}

// stretch is how much time all puts in order at once: history may be long, and
// memory is not.
const stretch = 31 * 24 * time.Hour

// all yields the readings of all measures, one stretch after another.
func (h *history) all(yield func(*protocols.Reading) bool) error {
	from, to, err := h.bounds()
	if err != nil {
		return err
	}
	var readings []*protocols.Reading
	for ; from.Before(to); from = from.Add(stretch) {
		end := from.Add(stretch)
		if end.After(to) {
			end = to
		}
		readings = readings[:0]
		for _, m := range protocols.Measures() {
			err := h.scan(m, from, end, func(r *protocols.Reading) bool { readings = append(readings, r); return true })
			if err != nil {
				return err
			}
		}
		slices.SortStableFunc(readings, canonical)
		for _, r := range readings {
			if !yield(r) {
				return nil
			}
		}
	}
	return nil
}

// bounds narrows what was asked for to what there is.
func (h *history) bounds() (from, to time.Time, err error) {
	stmt, err := h.conn.Prepare(`SELECT min(time), max(time) FROM (
		SELECT (SELECT min(time) FROM readings WHERE patient = ?1 AND measure = num) AS time FROM measure_names
		UNION ALL
		SELECT (SELECT max(time) FROM readings WHERE patient = ?1 AND measure = num) FROM measure_names)`)
	if err != nil {
		return from, to, err
	}
	stmt.BindInt64(1, h.patient)
	found, err := stmt.Step()
	if found && !stmt.ColumnIsNull(0) {
		from = time.UnixMilli(stmt.ColumnInt64(0)).UTC()
		to = time.UnixMilli(stmt.ColumnInt64(1) + 1).UTC()
	}
	if h.from.After(from) {
		from = h.from
	}
	if h.to.Before(to) {
		to = h.to
	}
	return from, to, errors.Join(err, stmt.Reset())
}

// scan calls add with the readings of a measure in [from, to), by millisecond.
func (h *history) scan(measure *protocols.Measure, from, to time.Time, add func(*protocols.Reading) bool) error {
	stmt, err := h.conn.Prepare("SELECT time, body FROM readings WHERE patient = ? AND measure = ? AND time BETWEEN ? AND ? ORDER BY time, seq")
	if err != nil {
		return err
	}
	stmt.BindInt64(1, h.patient)
	stmt.BindInt64(2, h.store.layout.nums[measure.Ordinal()])
	stmt.BindInt64(3, from.UnixMilli())
	stmt.BindInt64(4, to.UnixMilli())
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return errors.Join(err, stmt.Reset())
		}
		r, err := h.row(stmt, measure)
		if err != nil {
			return errors.Join(err, stmt.Reset())
		}
		if r.Time.Before(from) || !r.Time.Before(to) {
			continue
		}
		if !add(r) {
			return stmt.Reset()
		}
	}
}

func (h *history) row(stmt *sqlite.Stmt, measure *protocols.Measure) (*protocols.Reading, error) {
	h.buf = slices.Grow(h.buf[:0], stmt.ColumnLen(1))[:stmt.ColumnLen(1)]
	stmt.ColumnBytes(1, h.buf)
	r := &protocols.Reading{Patient: h.name, Measure: measure, Time: time.UnixMilli(stmt.ColumnInt64(0)).UTC()}
	device, err := (&body{rest: h.buf}).read(r)
	if err != nil {
		return nil, err
	}
	r.Device, err = h.store.names.devices.spelled(h.conn, deviceNames, device)
	return r, err
}

func canonical(a, b *protocols.Reading) int {
	if a.Before(b) {
		return -1
	}
	if b.Before(a) {
		return 1
	}
	return 0
}

// ReadingsAfter is ingest.Store.ReadingsAfter.
func (s *Store) ReadingsAfter(ctx context.Context, seq int64, limit int) ([]ingest.Kept, error) {
	var kept []ingest.Kept
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare("SELECT first, at, body FROM journal WHERE last > ? ORDER BY last")
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
func (s *Store) DueEnrolments(ctx context.Context, now time.Time, limit int) (due []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT enrolment FROM states WHERE due <= ? ORDER BY due LIMIT ?", &sqlitex.ExecOptions{
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
	return sqlitex.Execute(conn, `INSERT INTO states (enrolment, version, due) VALUES (?, 0, 0)
		ON CONFLICT (enrolment) DO UPDATE SET due = 0`, &sqlitex.ExecOptions{Args: []any{enrolment}})
}
