package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/erasure"
	"vigie/ingest"
)

// erasuresSchema is which erasures were made here. cleaned is true once the room of what
// they took out was given back.
const erasuresSchema = `
CREATE TABLE erasures (id text COLLATE "C" PRIMARY KEY, body json NOT NULL, cleaned boolean NOT NULL);
`

var _ erasure.Store = (*Store)(nil)

// readingSteps are the tables of readings.
var readingSteps = []erasure.Step{
	{Category: erasure.Readings, Table: "readings", Where: "patient IN (SELECT id FROM erased WHERE kind = 'patient')"},
	{Table: "strikes", Where: "patient IN (SELECT id FROM erased WHERE kind = 'patient')"},
	{Table: "forgotten", Where: "patient IN (SELECT id FROM erased WHERE kind = 'patient')"},
}

// Erasures is part of erasure.Store.
func (s *Store) Erasures(ctx context.Context) ([]erasure.Record, error) {
	rows, err := s.pool.Query(ctx, "SELECT body FROM erasures ORDER BY body ->> 'at', id")
	if err != nil {
		return nil, fmt.Errorf("read which erasures were made: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[erasure.Record])
	if err != nil {
		return nil, fmt.Errorf("read which erasures were made: %w", err)
	}
	return list, nil
}

// Persons is part of erasure.Store.
func (s *Store) Persons(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, erasure.Persons)
	if err != nil {
		return nil, fmt.Errorf("list whom the store knows: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list whom the store knows: %w", err)
	}
	for behind := ""; ; {
		const many = 1000
		more, err := s.Patients(ctx, behind, many)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
		if len(more) < many {
			slices.Sort(list)
			return slices.Compact(list), nil
		}
		behind = more[many-1]
	}
}

// Subject is part of erasure.Store.
func (s *Store) Subject(ctx context.Context, patient string, now time.Time) (*erasure.Subject, error) {
	return erasure.Find(patient, now, time.Nanosecond, func(sql string, args ...string) ([][]string, error) {
		asked := []any{pgx.QueryExecModeSimpleProtocol} // every answer is a text
		for _, arg := range args {
			asked = append(asked, arg)
		}
		rows, err := s.pool.Query(ctx, sql, asked...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
			var texts []string
			for _, value := range row.RawValues() {
				texts = append(texts, string(value))
			}
			return texts, nil
		})
	})
}

// Alone is part of erasure.Store.
func (s *Store) Alone(ctx context.Context) error {
	return s.Write(ctx, func(tx pgx.Tx) error { return (&erasing{ctx: ctx, tx: tx}).lone() })
}

// errMade ends a transaction in which nothing is left to do.
var errMade = errors.New("made already")

// Erase is part of erasure.Store.
func (s *Store) Erase(ctx context.Context, order erasure.Order) (result erasure.Result, err error) {
	err = s.Write(ctx, func(tx pgx.Tx) error {
		e := &erasing{ctx: ctx, tx: tx, order: &order, words: order.Subject.Words(), counts: map[string]int{erasure.Traces: len(order.Trail)}}
		steps := []func() error{e.alone, e.name, e.steps, e.setAside, e.shared, e.trail, e.record, e.look}
		if order.DryRun { // beside nodes that may be running: nobody waits for it
			steps = []func() error{e.name, e.steps, e.setAside}
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		result = erasure.Result{Counts: e.counts, Left: e.left}
		return nil
	})
	if err != nil && !errors.Is(err, errMade) {
		return erasure.Result{}, fmt.Errorf("erase a patient: %w", err)
	}
	return result, nil
}

// erasing is one erasure under way.
type erasing struct {
	ctx    context.Context
	tx     pgx.Tx
	order  *erasure.Order
	words  *erasure.Words
	counts map[string]int
	left   []erasure.Left
}

func (e *erasing) run(sql string, args ...any) (int, error) {
	tag, err := e.tx.Exec(e.ctx, sql, args...)
	return int(tag.RowsAffected()), err
}

// alone waits for another node that begins at the same time, and ends where that one has
// made the erasure.
func (e *erasing) alone() error {
	if _, err := e.run("SELECT pg_advisory_xact_lock($1)", int64(lockSchema)); err != nil {
		return err
	}
	var made bool
	if err := e.tx.QueryRow(e.ctx, "SELECT EXISTS (SELECT FROM erasures WHERE id = $1)", e.order.Record.ID).Scan(&made); err != nil {
		return err
	}
	if made {
		return errMade
	}
	return e.lone()
}

// lone refuses while a node works on the database: what it has in memory would come back.
func (e *erasing) lone() error {
	var holder string
	err := e.tx.QueryRow(e.ctx, "SELECT holder FROM leases WHERE expires > now() LIMIT 1").Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("the node %s works on this database: stop every node first, it takes a few seconds until that is known", holder)
}

// name writes down what is his, for the statements.
func (e *erasing) name() error {
	if _, err := e.run("CREATE TEMP TABLE erased (kind text NOT NULL, id text NOT NULL) ON COMMIT DROP"); err != nil {
		return err
	}
	for kind, ids := range e.order.Subject.Kinds() {
		for _, id := range ids {
			if _, err := e.run("INSERT INTO erased (kind, id) VALUES ($1, $2)", kind, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlocked does work while the triggers that keep a table as it is are off.
func (e *erasing) unlocked(table string, work func() error) error {
	_, err := e.run("ALTER TABLE " + table + " DISABLE TRIGGER USER")
	if err == nil {
		err = work()
	}
	if err == nil {
		_, err = e.run("ALTER TABLE " + table + " ENABLE TRIGGER USER")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// onlyAppended are the tables that a trigger keeps as they are.
var onlyAppended = []string{"registry_history", "identity_accesses", "alert_events", "trail", "trail_beside"}

func (e *erasing) steps() error {
	for _, step := range slices.Concat(erasure.Steps("id"), readingSteps) {
		count := 0
		work := func() (err error) {
			count, err = e.run(step.Statement())
			return err
		}
		var err error
		switch {
		case e.order.DryRun:
			err = e.tx.QueryRow(e.ctx, step.Counting()).Scan(&count)
		case slices.Contains(onlyAppended, step.Table):
			err = e.unlocked(step.Table, work)
		default:
			err = work()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.Table, err)
		}
		if step.Category != "" {
			e.counts[step.Category] += count
		}
	}
	return nil
}

// setAside deletes what was set aside of his devices, or says that it is of him.
func (e *erasing) setAside() error {
	rows, err := e.tx.Query(e.ctx, "SELECT id, device, received, topic, reading, coalesce(payload, ''), reasons::text FROM set_aside")
	if err != nil {
		return err
	}
	var gone []int64
	var id, received int64
	var device, topic, reasons string
	var reading, payload []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &device, &received, &topic, &reading, &payload, &reasons}, func() error {
		if e.order.Subject.SetAside(e.words, device, fromNanos(received), topic, string(reading), string(payload), reasons) {
			gone = append(gone, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if e.counts[erasure.SetAside] = len(gone); e.order.DryRun {
		return nil
	}
	_, err = e.run("DELETE FROM set_aside WHERE id = ANY($1)", gone)
	return err
}

// shared takes from devices that others have, too, what they were told of him, and his
// reference out of the records that were merged with his once.
func (e *erasing) shared() error {
	devices := slices.Collect(maps.Keys(e.order.Subject.Shared))
	for _, column := range []string{"low_for", "offline_for"} {
		if _, err := e.run("UPDATE device_status SET "+column+" = NULL WHERE device = ANY($1) AND "+column+" IN (SELECT id FROM erased WHERE kind = 'enrolment')", devices); err != nil {
			return err
		}
	}
	const replaced = " SET body = replace(body::text, $1, $2)::json WHERE strpos(body::text, $1) > 0"
	named := e.order.Subject.Named()
	if _, err := e.run("UPDATE wide_acts SET body = ("+erasure.WithoutHim+")::json WHERE strpos(body::text, $1) > 0", named); err != nil {
		return fmt.Errorf("take him out of acts over many: %w", err)
	}
	if _, err := e.run("UPDATE registry_patients"+replaced, named, erasure.Nobody); err != nil {
		return err
	}
	return e.unlocked("registry_history", func() error {
		_, err := e.run("UPDATE registry_history"+replaced+" AND kind = 'patient'", named, erasure.Nobody)
		return err
	})
}

// trail takes out what the trail says of him, as the trail has said before.
func (e *erasing) trail() error { return e.strip(e.order.Record.ID, e.order.Trail) }

// record writes that it was done, and has the registry read anew.
func (e *erasing) record() error {
	if _, err := e.run("UPDATE registry_version SET version = version + 1"); err != nil {
		return err
	}
	if e.order.InfluxDB {
		patient := e.order.Subject.Patient
		_, err := e.run(`INSERT INTO errands (kind, after, at, patient, task, reached)
			VALUES ($1, greatest((SELECT max(last) FROM journal), (SELECT max(seq) FROM cursors), 0), $2, $3, $4, '{}')`,
			string(ingest.Erase), nanos(e.order.Record.At), patient, ingest.Task{Patient: patient})
		if err != nil {
			return err
		}
	}
	return e.note(&e.order.Record, false)
}

func (e *erasing) note(record *erasure.Record, cleaned bool) error {
	body, err := json.Marshal(record)
	if err == nil {
		_, err = e.run("INSERT INTO erasures (id, body, cleaned) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", record.ID, string(body), cleaned)
	}
	return err
}

// look counts what still names him: it stands in records of others. Readings and errands
// are found by a column, not by words.
func (e *erasing) look() error {
	tables, err := tablesIn(e.ctx, e.tx)
	for i := 0; i < len(tables) && err == nil; i++ {
		left := erasure.Left{Table: tables[i]}
		if slices.Contains([]string{"readings", "journal", "errands"}, left.Table) {
			continue
		}
		err = e.tx.QueryRow(e.ctx, "SELECT count(*) FROM "+pgx.Identifier{left.Table}.Sanitize()+" k WHERE k::text ~ $1", e.words.Pattern).Scan(&left.Rows)
		if left.Rows > 0 {
			e.left = append(e.left, left)
		}
	}
	if err != nil {
		return fmt.Errorf("look for what still names him: %w", err)
	}
	return nil
}

// tablesIn lists the tables of the store.
func tablesIn(ctx context.Context, db querier) ([]string, error) {
	rows, err := db.Query(ctx, "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Noted is part of erasure.Store.
func (s *Store) Noted(ctx context.Context, record erasure.Record) error {
	err := s.Write(ctx, func(tx pgx.Tx) error { return (&erasing{ctx: ctx, tx: tx}).note(&record, true) })
	if err != nil {
		return fmt.Errorf("note an erasure: %w", err)
	}
	return nil
}

// Clean is part of erasure.Store. The database gives the room of deleted rows back; its
// files and its own log are its administrator's, see the guide.
func (s *Store) Clean(ctx context.Context) error {
	if waiting, err := s.Unclean(ctx); err != nil || !waiting {
		return err
	}
	tables, err := tablesIn(ctx, s.pool)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for i := range tables {
		tables[i] = pgx.Identifier{tables[i]}.Sanitize()
	}
	for _, statement := range []string{"VACUUM " + strings.Join(tables, ", "), "UPDATE erasures SET cleaned = true WHERE NOT cleaned"} {
		if _, err := s.pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("give the room of who was erased back: %w", err)
		}
	}
	return nil
}

// Unclean is part of erasure.Store.
func (s *Store) Unclean(ctx context.Context) (waiting bool, err error) {
	if err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM erasures WHERE NOT cleaned)").Scan(&waiting); err != nil {
		return false, fmt.Errorf("see whether an erasure is to be cleaned up after: %w", err)
	}
	return waiting, nil
}
