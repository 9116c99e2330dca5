package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/ingest"
	"vigie/protocols"
)

// History is ingest.Store.History.
func (s *Store) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return s.Read(ctx, func(conn *sqlite.Conn) error {
		return s.history(conn, nil, patient, measure, from, to, yield)
	})
}

// History is ingest.Tx.History.
func (w *writer) History(patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return w.store.history(w.conn, w.pending, patient, measure, from, to, yield)
}

// history reads back. pending is what the transaction under way has kept.
func (s *Store) history(conn *sqlite.Conn, pending []entry, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	num, err := s.names.patients.find(conn, patientNames, patient)
	if err != nil || num == 0 {
		return err
	}
	h := &history{store: s, conn: conn, patient: num, name: patient, pending: pending}
	if measure != nil {
		h.measure = s.layout.nums[measure.Ordinal()]
	}
	err = h.read(from, to, yield)
	if err == nil && !h.stopped && (h.damaged || s.apart.misses(num, from)) {
		err = ingest.ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("read the history of patient %s: %w", patient, err)
	}
	return nil
}

// history is one reading-back of a patient's readings.
type history struct {
	store   *Store
	conn    *sqlite.Conn
	patient int64
	name    string
	measure int64 // 0 for all
	pending []entry
	found   []*protocols.Reading
	buf     []byte
	guard   ingest.Guard
	damaged bool // some of it was left out
	stopped bool // before the end

	struckRead bool
	struck     map[struckName]bool // what people have struck out
}

// stretch is how much time is put in order at once: history may be long, and
// memory is not.
const stretch = 31 * 24 * time.Hour

func (h *history) read(from, to time.Time, yield func(*protocols.Reading) bool) error {
	since, until, err := h.bounds()
	if err != nil || since > until {
		return err
	}
	if first := time.UnixMilli(since); first.After(from) {
		from = first
	}
	if end := time.UnixMilli(until + 1); end.Before(to) {
		to = end
	}
	for ; from.Before(to); from = from.Add(stretch) {
		end := from.Add(stretch)
		if end.After(to) {
			end = to
		}
		if err := h.stretch(from, end); err != nil {
			return err
		}
		for _, r := range h.found {
			if !yield(r) {
				h.stopped = true
				return nil
			}
		}
	}
	return nil
}

// bounds returns the first and the last millisecond of which there is anything;
// the first is after the last when there is nothing.
func (h *history) bounds() (since, until int64, err error) {
	since, until = h.store.recent.bounds(h.patient, math.MaxInt64, math.MinInt64)
	for i := range h.pending {
		if e := &h.pending[i]; e.patient == h.patient {
			since, until = min(since, e.milli), max(until, e.milli)
		}
	}
	stmt, err := h.conn.Prepare("SELECT min(since), max(until) FROM blocks WHERE patient = ?")
	if err != nil {
		return 0, 0, err
	}
	stmt.BindInt64(1, h.patient)
	found, err := stmt.Step()
	if found && !stmt.ColumnIsNull(0) {
		since, until = min(since, stmt.ColumnInt64(0)), max(until, stmt.ColumnInt64(1))
	}
	return since, until, errors.Join(err, stmt.Reset())
}

// stretch finds the readings of [from, to), in canonical order. What is not filed
// yet comes first: while it is read, more may be filed, and is then in both.
func (h *history) stretch(from, to time.Time) error {
	if err := h.loadStruck(); err != nil {
		return err
	}
	h.found = h.found[:0]
	first, last := from.UnixMilli(), to.UnixMilli()
	entries, complete := h.store.recent.of(h.patient, h.measure, first, last)
	for i := range h.pending {
		e := &h.pending[i] // an import may have kept a million
		if e.patient == h.patient && e.milli >= first && e.milli <= last && (h.measure == 0 || e.measure == h.measure) {
			entries = append(entries, *e)
		}
	}
	for i := range entries {
		if err := h.add(entries[i].measure, entries[i].milli, entries[i].body); err != nil {
			return err
		}
	}
	if err := h.blocks(first, last, complete); err != nil {
		return err
	}
	h.found = slices.DeleteFunc(h.found, func(r *protocols.Reading) bool { return r.Time.Before(from) || !r.Time.Before(to) })
	slices.SortFunc(h.found, canonical)
	return nil
}

// blocks adds what is filed in [first, last], by milliseconds.
func (h *history) blocks(first, last, complete int64) error {
	sql := "SELECT id, patient, measure, since, until, body, sum FROM blocks WHERE patient = ?1 AND measure = ?5 AND until >= ?2 AND since <= ?3 AND id <= ?4"
	if h.measure == 0 {
		sql = "SELECT id, patient, measure, since, until, body, sum FROM blocks WHERE patient = ?1 AND until >= ?2 AND since <= ?3 AND id <= ?4"
	}
	stmt, err := h.conn.Prepare(sql)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, h.patient)
	stmt.BindInt64(2, first)
	stmt.BindInt64(3, last)
	stmt.BindInt64(4, complete)
	if h.measure != 0 {
		stmt.BindInt64(5, h.measure)
	}
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return errors.Join(err, stmt.Reset())
		}
		if !h.load(stmt) {
			continue
		}
		if err := h.block(stmt.ColumnInt64(2), stmt.ColumnInt64(3), first, last); err != nil {
			return errors.Join(err, stmt.Reset())
		}
	}
}

// load reads the body of a block (id, patient, measure, since, until, body, sum) into
// buf, and reports whether it is what was written.
func (h *history) load(row *sqlite.Stmt) bool {
	h.guard = h.guard[:0].Int(row.ColumnInt64(0)).Int(h.patient) // whose it is: its index can lead to another's
	for i := 2; i < 5; i++ {
		h.guard = h.guard.Int(row.ColumnInt64(i))
	}
	h.buf = slices.Grow(h.buf[:0], row.ColumnLen(5))[:row.ColumnLen(5)]
	row.ColumnBytes(5, h.buf)
	h.guard = h.guard.Bytes(h.buf)
	if intact(row, 6, h.guard.Sum()) {
		return true
	}
	h.damaged = true
	h.store.met.tell(ingest.Damage{
		Table: "blocks", Row: strconv.FormatInt(row.ColumnInt64(0), 10), Patient: h.name, From: columnTime(row, 3), To: columnTime(row, 4),
	})
	return false
}

// block adds the readings of one block, in buf.
func (h *history) block(measure, milli, first, last int64) error {
	for block := (body{rest: h.buf}); len(block.rest) > 0; {
		milli += int64(block.uvarint())
		one := block.take(block.uvarint())
		if block.bad {
			return errBody
		}
		if milli < first {
			continue
		}
		if milli > last {
			return nil
		}
		if err := h.add(measure, milli, one); err != nil {
			return err
		}
	}
	return nil
}

// add decodes one reading.
func (h *history) add(measure, milli int64, encoded []byte) error {
	r := &protocols.Reading{Patient: h.name, Measure: h.store.layout.measures[measure], Time: time.UnixMilli(milli).UTC()}
	if r.Measure == nil {
		return errBody
	}
	device, err := (&body{rest: encoded}).read(r)
	if err != nil {
		return err
	}
	r.Struck = r.Struck || h.isStruck(r, measure, device)
	r.Device, err = h.store.names.devices.spelled(h.conn, deviceNames, device)
	h.found = append(h.found, r)
	return err
}
