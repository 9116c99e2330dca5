package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/ingest"
)

// Update runs work in one transaction, see ingest.Store.
func (s *Store) Update(ctx context.Context, work func(ingest.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.writer.begin()
	s.riders.company.Store(true)
	return s.write(ctx, func(conn *sqlite.Conn) error {
		version, err := registryVersion(conn)
		if err != nil {
			return err
		}
		s.held.Store(&version)
		defer s.held.Store(nil)
		if err := work(s.writer); err != nil {
			return err
		}
		return s.writer.file()
	})
}

// writer is the open transaction. There is one, used by one transaction after
// another, because its prepared statements and buffers belong to the connection
// that writes.
type writer struct {
	store *Store
	conn  *sqlite.Conn

	seen       *sqlite.Stmt
	seenLast   *sqlite.Stmt
	seenPut    *sqlite.Stmt
	seenDelete *sqlite.Stmt
	blockRow   *sqlite.Stmt
	journal    *sqlite.Stmt
	stateOnly  *sqlite.Stmt // of one that is due when it was before
	state      *sqlite.Stmt

	seq     int64 // of the last reading kept, those of the transaction under way included
	seqRead bool  // it has been, in this transaction

	pending []entry          // kept in the transaction under way
	tops    map[int64]string // the highest id in seen, by device

	// How far the generation at hand is filed, the transaction under way included.
	blocked, known int
	finished       bool
	block          int64 // the last one written

	fates []ingest.Fate
	keys  [][]byte
	body  []byte
	id    []byte
	batch []byte
	guard ingest.Guard
}

var _ ingest.Tx = (*writer)(nil)

func newWriter(s *Store) (*writer, error) {
	w := &writer{store: s, conn: s.conn, tops: map[int64]string{}, block: s.recent.complete}
	for _, p := range []struct {
		stmt **sqlite.Stmt
		sql  string
	}{
		{&w.seen, "SELECT upto, ids, sum FROM seen WHERE device = ? AND upto >= ? ORDER BY upto LIMIT 1"},
		{&w.seenLast, "SELECT upto, ids, sum FROM seen WHERE device = ? ORDER BY upto DESC LIMIT 1"},
		{&w.seenPut, "INSERT OR REPLACE INTO seen (device, upto, ids, sum) VALUES (?, ?, ?, ?)"},
		{&w.seenDelete, "DELETE FROM seen WHERE device = ? AND upto = ?"},
		{&w.blockRow, "INSERT INTO blocks (id, patient, measure, since, until, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&w.journal, "INSERT INTO journal (last, first, at, body, sum) VALUES (?, ?, ?, ?, ?)"},
		{&w.stateOnly, "UPDATE states SET version = ?2, snapshot = ?4, sum = ?5 WHERE enrolment = ?1 AND due IS ?3"},
		{&w.state, `INSERT INTO states (enrolment, version, due, snapshot, sum) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (enrolment) DO UPDATE SET version = excluded.version, due = excluded.due, snapshot = excluded.snapshot, sum = excluded.sum`},
	} {
		stmt, err := s.conn.Prepare(p.sql)
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", p.sql, err)
		}
		*p.stmt = stmt
	}
	return w, nil
}

// begin forgets what was known of the transaction before, which may have failed.
func (w *writer) begin() { w.seqRead = false }

// run executes a prepared statement that gives no rows.
func run(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	if reset := stmt.Reset(); err == nil {
		err = reset
	}
	return err
}

// LoadState is ingest.Tx.LoadState.
func (w *writer) LoadState(enrolment string) (snapshot []byte, version int64, err error) {
	stmt, err := w.conn.Prepare("SELECT version, snapshot, due, sum FROM states WHERE enrolment = ?")
	if err != nil {
		return nil, 0, err
	}
	stmt.BindText(1, enrolment)
	found, err := stmt.Step()
	if found {
		version = stmt.ColumnInt64(0)
		snapshot = columnBytes(stmt, 1)
		w.guard = stateGuard(w.guard, enrolment, snapshot, stmt.ColumnInt64(2), stmt.ColumnIsNull(2), stmt.ColumnIsNull(1))
		if !intact(stmt, 3, w.guard.Sum()) {
			w.store.met.tell(ingest.Damage{Table: "states", Row: enrolment})
			err = ingest.ErrDamaged
		}
	}
	if err := errors.Join(err, stmt.Reset()); err != nil {
		if errors.Is(err, ingest.ErrDamaged) {
			return nil, version, fmt.Errorf("the state of enrolment %s: %w", enrolment, err)
		}
		return nil, 0, fmt.Errorf("load the state of enrolment %s: %w", enrolment, err)
	}
	return snapshot, version, nil
}

// SaveStates is ingest.Tx.SaveStates. This file has one writer: nobody else
// moves a version.
func (w *writer) SaveStates(states []ingest.StateRecord) error {
	for i := range states {
		if err := w.saveState(&states[i]); err != nil {
			return fmt.Errorf("save the state of enrolment %s: %w", states[i].Enrolment, err)
		}
	}
	return nil
}

// saveState leaves alone when an enrolment is due where that stays as it was, as it
// mostly does: setting it would write its index anew.
func (w *writer) saveState(s *ingest.StateRecord) error {
	if s.Snapshot == nil {
		return nil // a version is only there to tell another node
	}
	due := int64(0)
	if !s.Due.IsZero() {
		due = ceilMilli(s.Due)
	}
	w.guard = stateGuard(w.guard, s.Enrolment, s.Snapshot, due, s.Due.IsZero(), false)
	sum := w.guard.Sum()
	for _, stmt := range []*sqlite.Stmt{w.stateOnly, w.state} {
		stmt.BindText(1, s.Enrolment)
		stmt.BindInt64(2, s.Version+1)
		if s.Due.IsZero() {
			stmt.BindNull(3)
		} else {
			stmt.BindInt64(3, due)
		}
		stmt.BindBytes(4, s.Snapshot)
		stmt.BindInt64(5, sum)
		if err := run(stmt); err != nil || w.conn.Changes() > 0 {
			return err
		}
	}
	return nil
}

// stateGuard is what the checksum of a state covers.
func stateGuard(g ingest.Guard, enrolment string, snapshot []byte, due int64, never, none bool) ingest.Guard {
	g = g[:0].Text(enrolment)
	if never {
		g = g.Null()
	} else {
		g = g.Int(due)
	}
	if none {
		return g.Null()
	}
	return g.Bytes(snapshot)
}

// ceilMilli rounds up, so that what is due is not looked for too early.
func ceilMilli(t time.Time) int64 {
	return t.Add(time.Millisecond - 1).UnixMilli()
}

// DeviceStatus is ingest.Tx.DeviceStatus.
func (w *writer) DeviceStatus(device string) (status ingest.DeviceStatus, known bool, err error) {
	return deviceStatus(w.conn, device)
}

// DeviceStatuses is ingest.Store.DeviceStatuses.
func (s *Store) DeviceStatuses(ctx context.Context, devices []string) (list []ingest.DeviceStatus, err error) {
	asked := slices.Compact(slices.Sorted(slices.Values(devices)))
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		for _, device := range asked {
			status, known, err := deviceStatus(conn, device)
			if err != nil {
				return err
			}
			if known {
				list = append(list, status)
			}
		}
		return nil
	})
	return list, err
}

func deviceStatus(conn *sqlite.Conn, device string) (status ingest.DeviceStatus, known bool, err error) {
	stmt, err := conn.Prepare("SELECT online, battery, firmware, at, low_since, offline_since, battery_at, due, low_for, offline_for, trouble FROM device_status WHERE device = ?")
	if err != nil {
		return status, false, err
	}
	stmt.BindText(1, device)
	known, err = stmt.Step()
	if known {
		status = ingest.DeviceStatus{
			Device:       device,
			Online:       stmt.ColumnBool(0),
			Battery:      stmt.ColumnInt(1),
			Firmware:     stmt.ColumnText(2),
			At:           columnTime(stmt, 3),
			LowSince:     columnTime(stmt, 4),
			OfflineSince: columnTime(stmt, 5),
			BatteryAt:    columnTime(stmt, 6),
			Due:          columnTime(stmt, 7),
			LowFor:       stmt.ColumnText(8),
			OfflineFor:   stmt.ColumnText(9),
		}
		if text := stmt.ColumnText(10); text != "" {
			err = json.Unmarshal([]byte(text), &status.Trouble)
		}
	}
	if err := errors.Join(err, stmt.Reset()); err != nil {
		return status, false, fmt.Errorf("read the status of device %s: %w", device, err)
	}
	return status, known, nil
}

// SetDeviceStatus is ingest.Tx.SetDeviceStatus.
func (w *writer) SetDeviceStatus(status ingest.DeviceStatus) error {
	stmt, err := w.conn.Prepare(`INSERT INTO device_status (device, online, battery, firmware, at, low_since, offline_since, battery_at, due, low_for, offline_for, trouble)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device) DO UPDATE SET online = excluded.online, battery = excluded.battery, firmware = excluded.firmware,
			at = excluded.at, low_since = excluded.low_since, offline_since = excluded.offline_since,
			battery_at = excluded.battery_at, due = excluded.due, low_for = excluded.low_for, offline_for = excluded.offline_for, trouble = excluded.trouble`)
	if err != nil {
		return err
	}
	stmt.BindText(1, status.Device)
	stmt.BindBool(2, status.Online)
	stmt.BindInt64(3, int64(status.Battery))
	stmt.BindText(4, status.Firmware)
	bindTime(stmt, 5, status.At)
	bindTime(stmt, 6, status.LowSince)
	bindTime(stmt, 7, status.OfflineSince)
	bindTime(stmt, 8, status.BatteryAt)
	bindTime(stmt, 9, status.Due)
	stmt.BindText(10, status.LowFor)
	stmt.BindText(11, status.OfflineFor)
	stmt.BindNull(12)
	if status.Trouble != (ingest.DeviceTrouble{}) {
		trouble, err := json.Marshal(status.Trouble)
		if err != nil {
			return fmt.Errorf("record the trouble of device %s: %w", status.Device, err)
		}
		stmt.BindText(12, string(trouble))
	}
	if err := run(stmt); err != nil {
		return fmt.Errorf("record the status of device %s: %w", status.Device, err)
	}
	return nil
}

// columnTime reads a time; zero when it is null.
func columnTime(stmt *sqlite.Stmt, col int) time.Time {
	if stmt.ColumnIsNull(col) {
		return time.Time{}
	}
	return time.UnixMilli(stmt.ColumnInt64(col)).UTC()
}

func bindTime(stmt *sqlite.Stmt, param int, t time.Time) {
	if t.IsZero() {
		stmt.BindNull(param)
		return
	}
	stmt.BindInt64(param, t.UnixMilli())
}

// columnBytes copies a blob; nil when it is null or empty.
func columnBytes(stmt *sqlite.Stmt, col int) []byte {
	n := stmt.ColumnLen(col)
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	stmt.ColumnBytes(col, b)
	return b
}
