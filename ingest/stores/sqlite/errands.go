package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
)

// errandsSchema is the work for whoever feeds InfluxDB.
const errandsSchema = `
CREATE TABLE errands (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	kind    TEXT NOT NULL,
	after   INTEGER NOT NULL, -- the last reading of the journal before it
	at      INTEGER NOT NULL,
	patient TEXT NOT NULL,    -- of whom; empty where it is about more than one
	task    TEXT NOT NULL,    -- JSON
	reached TEXT NOT NULL,    -- JSON
	carried INTEGER,
	done    INTEGER
);
CREATE INDEX errands_open ON errands (id) WHERE done IS NULL;
CREATE INDEX errands_erased ON errands (patient) WHERE kind = 'erase';
`

var _ ingest.Errands = (*Store)(nil)

// Send is ingest.Tx.Send.
func (w *writer) Send(e ingest.Errand) error {
	err := w.findSeq()
	if err == nil {
		var task []byte
		if task, err = json.Marshal(e.Task); err == nil {
			err = sqlitex.Execute(w.conn, "INSERT INTO errands (kind, after, at, patient, task, reached) VALUES (?, ?, ?, ?, ?, '{}')", &sqlitex.ExecOptions{
				Args: []any{string(e.Kind), w.seq, e.At.UnixMilli(), e.Task.Patient, string(task)},
			})
		}
	}
	if err == nil && e.Kind == ingest.Erase {
		// Nothing of that patient is looked for in InfluxDB any more.
		err = sqlitex.Execute(w.conn, "DELETE FROM forgotten WHERE patient = (SELECT num FROM patient_names WHERE name = ?)", &sqlitex.ExecOptions{Args: []any{e.Task.Patient}})
	}
	if err != nil {
		return fmt.Errorf("keep an errand (%s): %w", e.Kind, err)
	}
	return nil
}

const errandColumns = "SELECT id, kind, after, at, task, reached, carried, done FROM errands "

// OpenErrands is ingest.Errands.OpenErrands.
func (s *Store) OpenErrands(ctx context.Context) ([]ingest.Errand, error) {
	return s.errands(ctx, "WHERE done IS NULL ORDER BY id")
}

// Errand is ingest.Errands.Errand.
func (s *Store) Errand(ctx context.Context, id int64) (ingest.Errand, error) {
	found, err := s.errands(ctx, "WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no errand %d", id)
	}
	if err != nil {
		return ingest.Errand{}, err
	}
	return found[0], nil
}

func (s *Store) errands(ctx context.Context, which string, args ...any) (found []ingest.Errand, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, errandColumns+which, &sqlitex.ExecOptions{
			Args: args,
			ResultFunc: func(row *sqlite.Stmt) error {
				e := ingest.Errand{
					ID: row.ColumnInt64(0), Kind: ingest.ErrandKind(row.ColumnText(1)), After: row.ColumnInt64(2), At: time.UnixMilli(row.ColumnInt64(3)).UTC(),
					Carried: columnTime(row, 6), Done: columnTime(row, 7),
				}
				err := errors.Join(json.Unmarshal([]byte(row.ColumnText(4)), &e.Task), json.Unmarshal([]byte(row.ColumnText(5)), &e.Reached))
				found = append(found, e)
				return err
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list errands: %w", err)
	}
	return found, nil
}

// SetErrand is ingest.Errands.SetErrand.
func (s *Store) SetErrand(ctx context.Context, e ingest.Errand) error {
	write := s.Write
	if e.Kind == ingest.Erase && !e.Done.IsZero() {
		write = s.writeOver
	}
	if err := write(ctx, func(conn *sqlite.Conn) error { return setErrand(conn, e) }); err != nil {
		return fmt.Errorf("record how far the errand %d has come: %w", e.ID, err)
	}
	return nil
}

func setErrand(conn *sqlite.Conn, e ingest.Errand) error {
	reached, err := json.Marshal(e.Reached)
	if err != nil {
		return err
	}
	if e.Kind == ingest.Erase && !e.Done.IsZero() { // nothing is left that says of whom
		err = sqlitex.Execute(conn, "UPDATE errands SET patient = '', task = '{}' WHERE id = ?", &sqlitex.ExecOptions{Args: []any{e.ID}})
	}
	if err != nil {
		return err
	}
	return sqlitex.Execute(conn, "UPDATE errands SET reached = ?, carried = ?, done = ? WHERE id = ?", &sqlitex.ExecOptions{
		Args: []any{string(reached), perhapsMilli(e.Carried), perhapsMilli(e.Done), e.ID},
	})
}

func perhapsMilli(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// Erased is ingest.Errands.Erased.
func (s *Store) Erased(ctx context.Context) (map[string]ingest.Erasure, error) {
	erased := map[string]ingest.Erasure{}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT patient, max(after), max(at) FROM errands WHERE kind = 'erase' AND patient <> '' GROUP BY patient", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error {
				erased[row.ColumnText(0)] = ingest.Erasure{After: row.ColumnInt64(1), At: time.UnixMilli(row.ColumnInt64(2)).UTC()}
				return nil
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list who was erased: %w", err)
	}
	return erased, nil
}

// Patients is ingest.Errands.Patients.
func (s *Store) Patients(ctx context.Context, behind string, limit int) (patients []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT name FROM patient_names WHERE name > ? ORDER BY name LIMIT ?", &sqlitex.ExecOptions{
			Args:       []any{behind, limit},
			ResultFunc: func(row *sqlite.Stmt) error { patients = append(patients, row.ColumnText(0)); return nil },
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the patients of the store: %w", err)
	}
	return patients, nil
}
