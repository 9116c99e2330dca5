package sqlite

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/erasure"
	"vigie/ingest"
)

// erasuresSchema is which erasures were made here. cleaned is 1 once the file holds
// nothing any more of what they took out.
const erasuresSchema = `
CREATE TABLE erasures (id TEXT PRIMARY KEY, body TEXT NOT NULL, cleaned INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

var _ erasure.Store = (*Store)(nil)

// readingSteps are the tables of readings that only this store has. Numbers that are
// given again later stand for nothing any more.
var readingSteps = func() []erasure.Step {
	const number = "(SELECT num FROM patient_names WHERE name IN (SELECT id FROM erased WHERE kind = 'patient'))"
	const names = "(SELECT id FROM erased WHERE kind = 'device')"
	const numbers = "(SELECT num FROM device_names WHERE name IN " + names + ")"
	return []erasure.Step{
		{Table: "strikes", Where: "patient IN " + number},
		{Table: "forgotten", Where: "patient IN " + number},
		{Table: "blocks", Where: "patient IN " + number},
		{Table: "seen", Where: "device IN " + numbers},
		{Table: "damaged", Where: "patient IN " + number + " OR device IN " + numbers},
		{Table: "patient_names", Where: "num IN " + number},
		{Table: "device_names", Where: "name IN " + names},
	}
}()

// Erasures is part of erasure.Store.
func (s *Store) Erasures(ctx context.Context) (list []erasure.Record, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT body FROM erasures ORDER BY body ->> 'at', id", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			list = append(list, erasure.Record{})
			return json.Unmarshal(text(row, 0), &list[len(list)-1])
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("read which erasures were made: %w", err)
	}
	return list, nil
}

// Persons is part of erasure.Store.
func (s *Store) Persons(ctx context.Context) (list []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, erasure.Persons+" UNION SELECT name FROM patient_names", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error { list = append(list, row.ColumnText(0)); return nil },
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list whom the store knows: %w", err)
	}
	return list, nil
}

// Subject is part of erasure.Store.
func (s *Store) Subject(ctx context.Context, patient string, now time.Time) (subject *erasure.Subject, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		subject, err = erasure.Find(patient, now, time.Millisecond, func(sql string, args ...string) (rows [][]string, err error) {
			options := &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
				texts := make([]string, row.ColumnCount())
				for i := range texts {
					texts[i] = row.ColumnText(i)
				}
				rows = append(rows, texts)
				return nil
			}}
			for _, arg := range args {
				options.Args = append(options.Args, arg)
			}
			return rows, sqlitex.Execute(conn, sql, options)
		})
		return err
	})
	return subject, err
}

// Alone is part of erasure.Store. Whoever serves the file holds the lock of its folder.
func (s *Store) Alone(context.Context) error { return nil }

// Erase is part of erasure.Store.
func (s *Store) Erase(ctx context.Context, order erasure.Order) (erasure.Result, error) {
	e := &erasing{store: s, order: &order, words: order.Subject.Words(), counts: map[string]int{erasure.Traces: len(order.Trail)}}
	within, steps := s.Write, []func() error{e.name, e.ids, e.journal, e.damaged, e.steps, e.shared, e.setAside, e.merges, e.trail, e.record, e.look}
	if order.DryRun { // beside a service that may be running: nobody waits for it
		within, steps = s.Read, []func() error{e.name, e.ids, e.journal, e.steps, e.setAside}
	}
	err := within(ctx, func(conn *sqlite.Conn) error {
		e.conn = conn
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return erasure.Result{}, fmt.Errorf("erase a patient: %w", err)
	}
	return erasure.Result{Counts: e.counts, Left: e.left}, nil
}

// erasing is one erasure under way.
type erasing struct {
	store  *Store
	conn   *sqlite.Conn
	order  *erasure.Order
	words  *erasure.Words
	number int64              // of the patient
	ours   map[int64]bool     // numbers of devices that others have, too
	keys   map[int64][][]byte // ids of his readings, by device
	counts map[string]int
	left   []erasure.Left
}

func (e *erasing) run(sql string, args ...any) error {
	return sqlitex.Execute(e.conn, sql, &sqlitex.ExecOptions{Args: args})
}

// name writes down what is his, for the statements.
func (e *erasing) name() error {
	if err := sqlitex.ExecuteScript(e.conn, "CREATE TEMP TABLE IF NOT EXISTS erased (kind TEXT NOT NULL, id TEXT NOT NULL); DELETE FROM erased;", nil); err != nil {
		return err
	}
	for kind, ids := range e.order.Subject.Kinds() {
		for _, id := range ids {
			if err := e.run("INSERT INTO erased (kind, id) VALUES (?, ?)", kind, id); err != nil {
				return err
			}
		}
	}
	var err error
	e.number, err = lookUp(e.conn, "SELECT num FROM patient_names WHERE name = ?", e.order.Subject.Patient)
	return err
}

// ids collects those of his readings that are filed, and counts these.
func (e *erasing) ids() error {
	e.keys = map[int64][][]byte{}
	return sqlitex.Execute(e.conn, "SELECT body FROM blocks WHERE patient = ? AND id <= (SELECT block FROM filed)", &sqlitex.ExecOptions{
		Args: []any{e.number}, ResultFunc: func(row *sqlite.Stmt) error {
			count, err := idsOf(columnBytes(row, 0), e.keys)
			e.counts[erasure.Readings] += count
			if errors.Is(err, ingest.ErrDamaged) {
				return nil // it goes all the same
			}
			return err
		},
	})
}

// batch is a row of the journal in which something is his.
type batch struct {
	last, first, at int64
	body            []byte
}

// journal takes his readings out of the rows in which they stand with others': what is
// left keeps its numbers, in a row for each run of them. The number at which a row ended
// stays, since it says where the journal goes on.
func (e *erasing) journal() error {
	filed := int64(0)
	err := sqlitex.Execute(e.conn, "SELECT seq FROM filed", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error { filed = row.ColumnInt64(0); return nil }})
	if err != nil {
		return err
	}
	var batches []batch
	err = sqlitex.Execute(e.conn, "SELECT last, first, at, body FROM journal ORDER BY last", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		b := batch{row.ColumnInt64(0), row.ColumnInt64(1), row.ColumnInt64(2), columnBytes(row, 3)}
		if patients, _ := patientsIn(b.body); patients[e.number] {
			batches = append(batches, b)
		}
		return nil
	}})
	for i := 0; i < len(batches) && err == nil; i++ {
		err = e.batch(&batches[i], filed)
	}
	if err != nil {
		return fmt.Errorf("take readings out of the journal: %w", err)
	}
	return nil
}

func (e *erasing) batch(b *batch, filed int64) error {
	entries, err := unpackEntries(nil, b.first, b.body)
	if err != nil {
		return fmt.Errorf("row %d is damaged: %w", b.last, err)
	}
	put := func(last, first int64, body []byte) error {
		if e.order.DryRun {
			return nil
		}
		return e.run("INSERT OR REPLACE INTO journal (last, first, at, body, sum) VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4))", last, first, b.at, body)
	}
	if err := put(b.last, b.last, []byte{}); err != nil {
		return err
	}
	var run []byte
	var first int64
	for i := range entries {
		entry := &entries[i]
		if entry.patient == e.number {
			if entry.seq > filed {
				e.counts[erasure.Readings]++
			}
			e.keys[entry.device] = append(e.keys[entry.device], entry.key)
			continue
		}
		if len(run) == 0 {
			first = entry.seq
		}
		run = binary.AppendUvarint(run, uint64(entry.patient))
		run = binary.AppendUvarint(run, uint64(entry.measure))
		run = binary.AppendVarint(run, entry.milli)
		run = binary.AppendUvarint(run, uint64(len(entry.body)))
		run = append(run, entry.body...)
		if i+1 == len(entries) || entries[i+1].patient == e.number {
			if err := put(entry.seq, first, run); err != nil {
				return err
			}
			run = nil
		}
	}
	return nil
}

// damaged empties what was set apart and holds, or may hold, readings of his beside
// others': what is missing of the others stays known.
func (e *erasing) damaged() error {
	var rows []int64
	err := sqlitex.Execute(e.conn, "SELECT id, body FROM damaged WHERE source = 'journal'", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		if patients, whole := patientsIn(columnBytes(row, 1)); !whole || patients[e.number] {
			rows = append(rows, row.ColumnInt64(0))
		}
		return nil
	}})
	for _, id := range rows {
		err = errors.Join(err, e.run("UPDATE damaged SET body = NULL WHERE id = ?", id))
	}
	return err
}

// steps deletes what is in tables. The readings themselves are counted elsewhere.
func (e *erasing) steps() error {
	e.ours = map[int64]bool{}
	for device := range e.order.Subject.Shared {
		number, err := lookUp(e.conn, "SELECT num FROM device_names WHERE name = ?", device)
		if err != nil {
			return err
		}
		e.ours[number] = true
	}
	for _, step := range slices.Concat(erasure.Steps("number"), readingSteps) {
		if e.order.DryRun {
			count, err := e.count(step.Counting())
			if err != nil {
				return fmt.Errorf("%s: %w", step.Table, err)
			}
			e.add(step.Category, count)
			continue
		}
		err := unlocked(e.conn, step.Table, func() error { return e.run(step.Statement()) })
		if err != nil {
			return fmt.Errorf("%s: %w", step.Table, err)
		}
		e.add(step.Category, e.conn.Changes())
	}
	return nil
}

func (e *erasing) add(category string, count int) {
	if category != "" {
		e.counts[category] += count
	}
}

func (e *erasing) count(sql string) (count int, err error) {
	err = sqlitex.Execute(e.conn, sql, &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error { count = row.ColumnInt(0); return nil }})
	return count, err
}

// shared takes the ids of his readings from what devices that others have, too, are known
// to have sent, and what those were told of him.
func (e *erasing) shared() error {
	for number, keys := range e.keys {
		if e.ours[number] {
			if err := e.store.writer.forgetKeys(number, keys); err != nil {
				return err
			}
		}
	}
	for device := range e.order.Subject.Shared {
		for _, column := range []string{"low_for", "offline_for"} {
			err := e.run("UPDATE device_status SET "+column+" = NULL WHERE device = ? AND "+column+" IN (SELECT id FROM erased WHERE kind = 'enrolment')", device)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// setAside deletes what was set aside of his devices, or says that it is of him.
func (e *erasing) setAside() error {
	var rows []int64
	err := sqlitex.Execute(e.conn, "SELECT id, device, received, topic, reading, payload, reasons FROM set_aside", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		if e.order.Subject.SetAside(e.words, row.ColumnText(1), columnTime(row, 2), row.ColumnText(3), row.ColumnText(4), string(columnBytes(row, 5)), row.ColumnText(6)) {
			rows = append(rows, row.ColumnInt64(0))
		}
		return nil
	}})
	e.counts[erasure.SetAside] += len(rows)
	for i := 0; i < len(rows) && err == nil && !e.order.DryRun; i++ {
		err = e.run("DELETE FROM set_aside WHERE id = ?", rows[i])
	}
	return err
}

// merges takes his reference out of the records that were merged with his once, and out of
// acts over many patients.
func (e *erasing) merges() error {
	named := e.order.Subject.Named()
	err := e.run("UPDATE wide_acts SET body = "+erasure.WithoutHim+", sum = checksum(id, device, at, done, "+erasure.WithoutHim+") WHERE instr(body, $1) > 0", named)
	if err != nil {
		return fmt.Errorf("take him out of acts over many: %w", err)
	}
	err = e.run("UPDATE registry_patients SET body = replace(body, ?1, ?2), sum = checksum(id, replace(body, ?1, ?2)) WHERE instr(body, ?1) > 0", named, erasure.Nobody)
	if err != nil {
		return err
	}
	return unlocked(e.conn, "registry_history", func() error {
		return e.run(`UPDATE registry_history SET body = replace(body, ?1, ?2), sum = checksum(kind, id, at, author, replace(body, ?1, ?2))
			WHERE kind = 'patient' AND instr(body, ?1) > 0`, named, erasure.Nobody)
	})
}

// trail takes out what the trail says of him, as the trail has said before.
func (e *erasing) trail() error { return stripTrail(e.conn, e.order.Record.ID, e.order.Trail) }

// record writes that it was done, and has the registry read anew.
func (e *erasing) record() error {
	if err := e.run("UPDATE registry_version SET version = version + 1"); err != nil {
		return err
	}
	if e.order.InfluxDB {
		task, err := json.Marshal(ingest.Task{Patient: e.order.Subject.Patient})
		if err != nil {
			return err
		}
		err = e.run(`INSERT INTO errands (kind, after, at, patient, task, reached)
			SELECT ?, max(coalesce((SELECT max(last) FROM journal), 0), coalesce((SELECT max(seq) FROM cursors), 0)), ?, ?, ?, '{}'`,
			string(ingest.Erase), e.order.Record.At.UnixMilli(), e.order.Subject.Patient, string(task))
		if err != nil {
			return err
		}
	}
	return noteErasure(e.conn, &e.order.Record, 0)
}

func noteErasure(conn *sqlite.Conn, record *erasure.Record, cleaned int) error {
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return sqlitex.Execute(conn, "INSERT INTO erasures (id, body, cleaned) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", &sqlitex.ExecOptions{Args: []any{record.ID, string(body), cleaned}})
}

// look counts what still names him: it stands in records of others.
func (e *erasing) look() error {
	tells := &sqlite.FunctionImpl{NArgs: 1, Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		if e.words.Is(args[0].Text()) {
			return sqlite.IntegerValue(1), nil
		}
		return sqlite.IntegerValue(0), nil
	}}
	if err := e.conn.CreateFunction("tells", tells); err != nil {
		return err
	}
	columns := map[string][]string{}
	err := sqlitex.Execute(e.conn, `SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT IN ('blocks', 'journal', 'seen', 'damaged', 'errands') AND c.type IN ('TEXT', 'BLOB')`, &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			columns[row.ColumnText(0)] = append(columns[row.ColumnText(0)], "tells("+row.ColumnText(1)+")")
			return nil
		}})
	if err != nil {
		return err
	}
	for table, tests := range columns {
		rows, err := e.count("SELECT count(*) FROM " + table + " WHERE " + strings.Join(tests, " OR "))
		if err != nil {
			return fmt.Errorf("look for him in %s: %w", table, err)
		}
		if rows > 0 {
			e.left = append(e.left, erasure.Left{Table: table, Rows: rows})
		}
	}
	slices.SortFunc(e.left, func(a, b erasure.Left) int { return strings.Compare(a.Table, b.Table) })
	return nil
}

// Noted is part of erasure.Store.
func (s *Store) Noted(ctx context.Context, record erasure.Record) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error { return noteErasure(conn, &record, 1) })
	if err != nil {
		return fmt.Errorf("note an erasure: %w", err)
	}
	return nil
}

// Clean is part of erasure.Store. It rewrites the whole file, since free pages, and free
// room within pages, still hold what stood there before. Nobody else may have the file
// open. The store stays as it is when that fails, and it is done at the next start.
func (s *Store) Clean(ctx context.Context) error {
	if waiting, err := s.Unclean(ctx); err != nil || !waiting {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := rewrite(ctx, s.path); err != nil {
		return fmt.Errorf("rewrite the store, so that its free room holds nothing of who was erased: %w; close whatever else reads %s, and see that the disk has room for the file twice", err, s.path)
	}
	return nil
}

// Unclean is part of erasure.Store.
func (s *Store) Unclean(ctx context.Context) (waiting bool, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT 1 FROM erasures WHERE cleaned = 0 LIMIT 1", &sqlitex.ExecOptions{
			ResultFunc: func(*sqlite.Stmt) error { waiting = true; return nil }})
	})
	if err != nil {
		return false, fmt.Errorf("see whether an erasure is to be cleaned up after: %w", err)
	}
	return waiting, nil
}

// rewrite rewrites a file that nobody else has open. That it did is noted last: killed
// before, or on a disk that is full, it is done at the next start.
func rewrite(ctx context.Context, path string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	mode := ""
	err = sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = DELETE", &sqlitex.ExecOptions{ // refused while others have it open
		ResultFunc: func(row *sqlite.Stmt) error { mode = row.ColumnText(0); return nil }})
	if err == nil && mode != "delete" {
		err = errors.New("its log is in use")
	}
	for _, statement := range []string{"PRAGMA secure_delete = ON", "VACUUM", "UPDATE erasures SET cleaned = 1", "PRAGMA journal_mode = WAL"} {
		if err == nil {
			err = sqlitex.ExecuteTransient(conn, statement, nil)
		}
	}
	return errors.Join(err, conn.Close())
}

// writeOver is Write for what must not stay behind in the free room of a page, nor in the
// log: what is deleted is overwritten.
func (s *Store) writeOver(ctx context.Context, work func(*sqlite.Conn) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return errClosed
	}
	err := sqlitex.ExecuteTransient(s.conn, "PRAGMA secure_delete = ON", nil)
	if err == nil {
		err = s.write(ctx, work)
	}
	if err == nil {
		err = sqlitex.ExecuteTransient(s.conn, "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	}
	return errors.Join(err, sqlitex.ExecuteTransient(s.conn, "PRAGMA secure_delete = OFF", nil))
}
