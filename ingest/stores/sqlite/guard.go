package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
)

// A row on which a decision rests carries a checksum of its columns (ingest.Guard)
// in its last one, sum. It is computed where the row is written, here or by
// checksum() in SQL, and compared where the row is read and when the whole file is
// looked at. What does not fit is left out and told.

// guardsSchema adds the checksums, which seal fills in.
const guardsSchema = `
ALTER TABLE device_names  ADD COLUMN sum INTEGER;
ALTER TABLE patient_names ADD COLUMN sum INTEGER;
ALTER TABLE measure_names ADD COLUMN sum INTEGER;
ALTER TABLE blocks  ADD COLUMN sum INTEGER;
ALTER TABLE filed   ADD COLUMN sum INTEGER;
ALTER TABLE seen    ADD COLUMN sum INTEGER;
ALTER TABLE journal ADD COLUMN sum INTEGER;
ALTER TABLE states  ADD COLUMN sum INTEGER;

-- A service of an older version that is still running beside a newer program stops
-- keeping here: what it would write carries no checksum, and would be taken for damaged.
-- What it does not acknowledge its devices send again.
CREATE TRIGGER journal_checked BEFORE INSERT ON journal WHEN NEW.sum IS NULL
	BEGIN SELECT RAISE(ABORT, 'a newer Vigie has brought this store up to date: start the service again, in that version'); END;

-- What was found damaged and had to be taken out of its table. patient is 0 where it
-- can be anybody's; readings in it were measured until that time at the latest.
CREATE TABLE damaged (
	id      INTEGER PRIMARY KEY,
	source  TEXT NOT NULL,
	row     TEXT NOT NULL,
	patient INTEGER NOT NULL,
	device  INTEGER NOT NULL,
	until   INTEGER NOT NULL,
	body    BLOB
);
`

// guarded is one table whose rows carry a checksum.
type guarded struct {
	table   string
	key     string // what tells its rows apart
	columns string // what the checksum covers
	patient string // in SQL, the name of whom a row is about; empty where it is about nobody
}

// guardedTables are all of them. A test walks the schema: every other table is named
// there with the reason why nothing is decided by it.
var guardedTables = []guarded{
	{"device_names", "num", "num, name", ""},
	{"patient_names", "num", "num, name", "name"},
	{"measure_names", "num", "num, name, components, variants", ""},
	{"blocks", "id", "id, patient, measure, since, until, body", "(SELECT name FROM patient_names WHERE num = patient)"},
	{"filed", "one", "seq, block", ""},
	{"seen", "device || ' ' || hex(upto)", "device, upto, ids", ""},
	{"journal", "last", "last, first, at, body", ""},
	{"strikes", "id", strikeColumns, "(SELECT name FROM patient_names WHERE num = patient)"},
	{"wide_acts", "id", wideColumns, ""},
	{"registry_teams", "id", "id, body", ""},
	{"registry_patients", "id", "id, body", "id"},
	{"registry_devices", "id", "id, body", ""},
	{"registry_enrolments", "id", "id, body, patient", "patient"},
	{"registry_feeds", "device || ' ' || enrolment", "device, enrolment, since", "(SELECT patient FROM registry_enrolments WHERE id = enrolment)"},
	{"registry_fed", "device || ' ' || enrolment", "device, enrolment, until", "(SELECT patient FROM registry_enrolments WHERE id = enrolment)"},
	{"registry_history", "seq", "kind, id, at, author, body", ""},
	{"registry_protocols", "id || ' ' || version", "id, version, text, first", ""},
	{"identities", "id", "id, body", "id"},
	{"identity_history", "seq", "id, at, author, body", "id"},
	{"identity_accesses", "seq", "id, at, author, reason", "id"},
	{"alerts", "id", alertColumns, "patient"},
	{"alert_episodes", "enrolment || ' ' || device || ' ' || rule || ' ' || episode", episodeColumns, "(SELECT patient FROM alerts WHERE number = alert)"},
	{"alert_explanations", "alert", "alert, body", "(SELECT patient FROM alerts WHERE number = alert)"},
	{"alert_events", "seq", eventColumns, "(SELECT patient FROM alerts WHERE id = alert)"},
	{"states", "enrolment", "enrolment, due, snapshot", "(SELECT patient FROM registry_enrolments WHERE id = enrolment)"},
}

// sumOf is the checksum of the columns of a row from a place on.
func sumOf(row *sqlite.Stmt, from, to int) int64 {
	var buf [512]byte
	g := ingest.Guard(buf[:0])
	for i := from; i < to; i++ {
		switch row.ColumnType(i) {
		case sqlite.TypeInteger:
			g = g.Int(row.ColumnInt64(i))
		case sqlite.TypeNull:
			g = g.Null()
		default:
			g = g.Bytes(text(row, i))
		}
	}
	return g.Sum()
}

// intact reports whether a column holds this checksum.
func intact(row *sqlite.Stmt, column int, sum int64) bool {
	return row.ColumnInt64(column) == sum && !row.ColumnIsNull(column)
}

// checksum is that of its arguments, in SQL.
var checksum = sqlite.FunctionImpl{NArgs: -1, Deterministic: true, Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
	var buf [512]byte
	g := ingest.Guard(buf[:0])
	for _, arg := range args {
		switch arg.Type() {
		case sqlite.TypeInteger:
			g = g.Int(arg.Int64())
		case sqlite.TypeNull:
			g = g.Null()
		default:
			g = g.Bytes(arg.Blob())
		}
	}
	return sqlite.IntegerValue(g.Sum()), nil
}}

// checksums is the subject under which it is kept how many tables are sealed.
const checksums = "checksums"

// sealedRows is how many rows of an older version get their checksum in one
// transaction.
const sealedRows = 20_000

// seal gives the rows of an older version, which carry none, their checksum: what
// stands there is taken for what was written. It goes on where it was interrupted.
func (s *Store) seal(ctx context.Context) error {
	sealed := 0
	err := s.Write(ctx, func(conn *sqlite.Conn) (err error) {
		sealed, err = schemaVersion(conn, checksums)
		return err
	})
	if err != nil || sealed >= len(guardedTables) {
		return err
	}
	for _, g := range guardedTables {
		for more := true; more; {
			err := s.Write(ctx, func(conn *sqlite.Conn) error {
				more = false
				return g.sealSome(conn, &more)
			})
			if err != nil {
				return fmt.Errorf("give the rows of %s their checksums: %w", g.table, err)
			}
		}
	}
	return s.Write(ctx, func(conn *sqlite.Conn) error { return setSchemaVersion(conn, checksums, len(guardedTables)) })
}

func (g *guarded) sealSome(conn *sqlite.Conn, more *bool) error {
	set := fmt.Sprintf("UPDATE %s SET sum = checksum(%s) WHERE sum IS NULL", g.table, g.columns)
	if !g.hasRowID() {
		return unlocked(conn, g.table, func() error { return sqlitex.Execute(conn, set, nil) })
	}
	err := sqlitex.Execute(conn, fmt.Sprintf("%s AND rowid IN (SELECT rowid FROM %s WHERE sum IS NULL LIMIT %d)", set, g.table, sealedRows), nil)
	*more = conn.Changes() == sealedRows
	return err
}

// unlocked does work while the triggers that keep a table as it is are away.
func unlocked(conn *sqlite.Conn, table string, work func() error) error {
	var names, triggers []string
	err := sqlitex.Execute(conn, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", &sqlitex.ExecOptions{
		Args: []any{table},
		ResultFunc: func(row *sqlite.Stmt) error {
			names, triggers = append(names, row.ColumnText(0)), append(triggers, row.ColumnText(1))
			return nil
		},
	})
	for i := 0; i < len(names) && err == nil; i++ {
		err = sqlitex.ExecuteTransient(conn, "DROP TRIGGER "+names[i], nil)
	}
	if err == nil {
		err = work()
	}
	for i := 0; i < len(triggers) && err == nil; i++ {
		err = sqlitex.ExecuteTransient(conn, triggers[i], nil)
	}
	return err
}

// hasRowID reports whether the table is one that grows without bounds: those are
// ordered by a number of their own.
func (g *guarded) hasRowID() bool { return g.table == "blocks" || g.table == "journal" }

// met remembers what was found damaged, and tells of each row once.
type met struct {
	log  *slog.Logger
	mu   sync.Mutex
	rows map[ingest.Damage]bool
}

func (m *met) tell(d ingest.Damage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[d] {
		return
	}
	if m.rows == nil {
		m.rows = map[ingest.Damage]bool{}
	}
	m.rows[d] = true
	log := m.log
	if log == nil {
		log = slog.Default()
	}
	log.Error("a row of the store is damaged and left out; restore a backup, and see vigie check --store", "table", d.Table, "row", d.Row, "patient", d.Patient)
}

// functions gives a connection checksum(column, …), and tell(table, row), which tells
// that a row is damaged and is null.
func (m *met) functions(conn *sqlite.Conn) error {
	if err := conn.CreateFunction("checksum", &checksum); err != nil {
		return err
	}
	if err := conn.CreateFunction("with_last_day", &withLastDay); err != nil {
		return err
	}
	return conn.CreateFunction("tell", &sqlite.FunctionImpl{NArgs: 2, Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		if args[1].Type() == sqlite.TypeNull {
			return sqlite.Value{}, nil // no row was joined
		}
		m.tell(ingest.Damage{Table: args[0].Text(), Row: args[1].Text()})
		return sqlite.Value{}, nil
	}})
}

// Damaged is ingest.Verifier.Damaged.
func (s *Store) Damaged() []ingest.Damage {
	s.met.mu.Lock()
	defer s.met.mu.Unlock()
	list := make([]ingest.Damage, 0, len(s.met.rows))
	for d := range s.met.rows {
		list = append(list, d)
	}
	return list
}

// Verify is ingest.Verifier.Verify.
func (s *Store) Verify(ctx context.Context) (list ingest.DamagedRows, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		if err := sound(conn); err != nil {
			return err
		}
		list, err = damages(conn)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the store %s: %w", s.path, err)
	}
	return list, nil
}

var _ ingest.Verifier = (*Store)(nil)

// damages lists every row of a file that is not what was written.
func damages(conn *sqlite.Conn) (list ingest.DamagedRows, err error) {
	yield := func(d ingest.Damage) { list = append(list, d) }
	for _, g := range guardedTables {
		if err := g.verify(conn, yield); err != nil {
			return nil, fmt.Errorf("read %s: %w", g.table, err)
		}
	}
	err = sqlitex.Execute(conn, "SELECT source, row, (SELECT name FROM patient_names WHERE num = patient), until FROM damaged ORDER BY id", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			yield(ingest.Damage{Table: row.ColumnText(0), Row: row.ColumnText(1), Patient: row.ColumnText(2), To: columnTime(row, 3)})
			return nil
		},
	})
	return list, err
}

func (g *guarded) verify(conn *sqlite.Conn, yield func(ingest.Damage)) error {
	patient := g.patient
	if patient == "" {
		patient = "NULL"
	}
	covered := strings.Count(g.columns, ",") + 1
	sql := fmt.Sprintf("SELECT %s, sum, %s, %s FROM %s NOT INDEXED", g.columns, g.key, patient, g.table)
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		if intact(row, covered, sumOf(row, 0, covered)) {
			return nil
		}
		d := ingest.Damage{Table: g.table, Row: row.ColumnText(covered + 1), Patient: row.ColumnText(covered + 2)}
		switch g.table {
		case "blocks":
			d.From, d.To = columnTime(row, 3), columnTime(row, 4)
		case "journal":
			return tellJournal(conn, d, text(row, 3), yield)
		}
		yield(d)
		return nil
	}})
}

// tellJournal tells of a damaged row of the journal once for each patient whose
// readings it seems to hold.
func tellJournal(conn *sqlite.Conn, d ingest.Damage, batch []byte, yield func(ingest.Damage)) error {
	patients, whole := patientsIn(batch)
	if !whole {
		yield(d)
	}
	for num := range patients {
		err := sqlitex.Execute(conn, "SELECT name FROM patient_names WHERE num = ?", &sqlitex.ExecOptions{
			Args: []any{num}, ResultFunc: func(row *sqlite.Stmt) error { d.Patient = row.ColumnText(0); yield(d); return nil },
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// patientsIn lists the numbers of patients that a damaged row of the journal still
// tells, and whether it seems to be read to its end.
func patientsIn(batch []byte) (patients map[int64]bool, whole bool) {
	patients = map[int64]bool{}
	for b := (body{rest: batch}); len(b.rest) > 0; {
		patient := int64(b.uvarint())
		b.uvarint()
		b.varint()
		b.take(b.uvarint())
		if b.bad {
			return patients, false
		}
		patients[patient] = true
	}
	return patients, true
}

// apart is what was taken out of its table because it was damaged, as history and
// the look for repetitions have to know it.
type apart struct {
	mu      sync.RWMutex
	until   map[int64]int64 // by patient, 0 for anybody: milliseconds
	devices map[int64]bool  // some of whose ids are lost
}

// setApart takes a damaged row out of what is served. The caller deletes it.
func (s *Store) setApart(conn *sqlite.Conn, source, row string, patient, device, until int64, body []byte) error {
	err := sqlitex.Execute(conn, "INSERT INTO damaged (source, row, patient, device, until, body) VALUES (?, ?, ?, ?, ?, ?)",
		&sqlitex.ExecOptions{Args: []any{source, row, patient, device, until, body}})
	if err != nil {
		return fmt.Errorf("set what is damaged apart: %w", err)
	}
	return s.loadApart(conn)
}

// loadApart reads what is set apart.
func (s *Store) loadApart(conn *sqlite.Conn) error {
	until, devices := map[int64]int64{}, map[int64]bool{}
	err := sqlitex.Execute(conn, "SELECT patient, device, until FROM damaged", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		if device := row.ColumnInt64(1); device != 0 {
			devices[device] = true
			return nil
		}
		patient := row.ColumnInt64(0)
		until[patient] = max(until[patient], row.ColumnInt64(2))
		return nil
	}})
	if err != nil {
		return fmt.Errorf("read what is set apart: %w", err)
	}
	s.apart.mu.Lock()
	s.apart.until, s.apart.devices = until, devices
	s.apart.mu.Unlock()
	return nil
}

// misses reports whether readings of a patient from a time on may be among what was
// set apart.
func (a *apart) misses(patient int64, from time.Time) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, whose := range []int64{patient, 0} {
		if until, ok := a.until[whose]; ok && until >= from.UnixMilli() {
			return true
		}
	}
	return false
}

// lostIDs reports whether ids of a device are among what was set apart.
func (a *apart) lostIDs(device int64) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.devices[device]
}
