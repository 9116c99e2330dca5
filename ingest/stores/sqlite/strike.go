package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// strikesSchema is what people have struck out. The readings stay as they are: history
// lays the marks over them.
const strikesSchema = `
CREATE TABLE strikes (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	patient INTEGER NOT NULL,
	measure INTEGER NOT NULL,
	device  INTEGER NOT NULL,
	reading TEXT NOT NULL,    -- the id that the device gave
	moment  INTEGER NOT NULL, -- nanoseconds since 1970
	amounts TEXT NOT NULL,    -- of its values, see ingest.Amounts
	source  INTEGER NOT NULL,
	variant INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	author  TEXT NOT NULL,
	reason  TEXT NOT NULL,
	undone        INTEGER NOT NULL DEFAULT 0, -- when; 0 while it stands
	undone_by     TEXT NOT NULL DEFAULT '',
	undone_reason TEXT NOT NULL DEFAULT '',
	sum     INTEGER
);
CREATE INDEX strikes_patient ON strikes (patient, moment);
`

// strikeColumns are what the checksum of a mark covers.
const strikeColumns = "id, patient, measure, device, reading, moment, amounts, source, variant, at, author, reason, undone, undone_by, undone_reason"

// struckName is what a mark is found by: a reading that replaces one has other values.
type struckName struct {
	measure, device, moment int64
	id, amounts             string
}

// Strike is ingest.Tx.Strike.
func (w *writer) Strike(readings []*protocols.Reading, author, reason string, at time.Time) error {
	w.store.struck.Store(true)
	for _, r := range readings {
		patient, err := w.store.names.patients.number(w.conn, patientNames, r.Patient)
		if err != nil {
			return err
		}
		name, err := w.struckName(r)
		if err != nil {
			return err
		}
		err = sqlitex.Execute(w.conn, `INSERT INTO strikes (patient, measure, device, reading, moment, amounts, source, variant, at, author, reason)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, &sqlitex.ExecOptions{
			Args: []any{patient, name.measure, name.device, name.id, name.moment, name.amounts, int(r.Source), int(r.Variant), at.UnixMilli(), author, reason},
		})
		if err == nil {
			err = sealMark(w.conn, w.conn.LastInsertRowID())
		}
		if err != nil {
			return fmt.Errorf("mark a reading of patient %s as struck out: %w", r.Patient, err)
		}
	}
	return nil
}

func sealMark(conn *sqlite.Conn, id int64) error {
	return sqlitex.Execute(conn, "UPDATE strikes SET sum = checksum("+strikeColumns+") WHERE id = ?", &sqlitex.ExecOptions{Args: []any{id}})
}

func (w *writer) struckName(r *protocols.Reading) (struckName, error) {
	device, err := w.store.names.devices.number(w.conn, deviceNames, r.Device)
	return struckName{
		measure: w.store.layout.nums[r.Measure.Ordinal()], device: device, moment: r.Time.UnixNano(), id: r.ID, amounts: ingest.Amounts(r.Values),
	}, err
}

// Unstrike is ingest.Tx.Unstrike.
func (w *writer) Unstrike(readings []*protocols.Reading, author, reason string, at time.Time) error {
	for _, r := range readings {
		name, err := w.struckName(r)
		if err != nil {
			return err
		}
		var marks []int64
		err = sqlitex.Execute(w.conn, `SELECT id FROM strikes WHERE patient = (SELECT num FROM patient_names WHERE name = ?) AND moment = ? AND measure = ?
			AND device = ? AND reading = ? AND amounts = ? AND undone = 0`, &sqlitex.ExecOptions{
			Args:       []any{r.Patient, name.moment, name.measure, name.device, name.id, name.amounts},
			ResultFunc: func(row *sqlite.Stmt) error { marks = append(marks, row.ColumnInt64(0)); return nil },
		})
		for _, id := range marks {
			if err == nil {
				err = sqlitex.Execute(w.conn, "UPDATE strikes SET undone = ?, undone_by = ?, undone_reason = ? WHERE id = ?", &sqlitex.ExecOptions{
					Args: []any{at.UnixMilli(), author, reason, id},
				})
			}
			if err == nil {
				err = sealMark(w.conn, id)
			}
		}
		if err != nil {
			return fmt.Errorf("take back that a reading of patient %s is struck out: %w", r.Patient, err)
		}
	}
	return nil
}

// loadStruck reads whether anything is struck out.
func (s *Store) loadStruck(conn *sqlite.Conn) error {
	return sqlitex.Execute(conn, "SELECT 1 FROM strikes WHERE undone = 0 LIMIT 1", &sqlitex.ExecOptions{
		ResultFunc: func(*sqlite.Stmt) error { s.struck.Store(true); return nil },
	})
}

// loadStruck reads what is struck out of the patient whose history is read. Where nothing
// ever was, it asks nothing. A damaged mark counts as none, and is told.
func (h *history) loadStruck() error {
	if h.struckRead || !h.store.struck.Load() {
		return nil
	}
	h.struckRead = true
	return sqlitex.Execute(h.conn, "SELECT "+strikeColumns+", sum FROM strikes WHERE patient = ? AND undone = 0", &sqlitex.ExecOptions{
		Args: []any{h.patient},
		ResultFunc: func(row *sqlite.Stmt) error {
			if !h.store.intactMark(row) {
				return nil
			}
			if h.struck == nil {
				h.struck = map[struckName]bool{}
			}
			h.struck[struckName{
				measure: row.ColumnInt64(2), device: row.ColumnInt64(3), id: row.ColumnText(4), moment: row.ColumnInt64(5), amounts: row.ColumnText(6),
			}] = true
			return nil
		},
	})
}

// intactMark verifies a row that was read as strikeColumns and sum, and tells of it when
// it is damaged.
func (s *Store) intactMark(row *sqlite.Stmt) bool {
	const covered = 15
	if intact(row, covered, sumOf(row, 0, covered)) {
		return true
	}
	s.met.tell(ingest.Damage{Table: "strikes", Row: strconv.FormatInt(row.ColumnInt64(0), 10)})
	return false
}

// isStruck reports whether a reading is struck out.
func (h *history) isStruck(r *protocols.Reading, measure, device int64) bool {
	return len(h.struck) > 0 && h.struck[struckName{measure: measure, device: device, moment: r.Time.UnixNano(), id: r.ID, amounts: ingest.Amounts(r.Values)}]
}

// Marks is ingest.Store.Marks.
func (s *Store) Marks(ctx context.Context, patient string, from, to time.Time) (marks []ingest.Mark, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT "+strikeColumns+`, sum FROM strikes
			WHERE patient = (SELECT num FROM patient_names WHERE name = ?) AND moment >= ? AND moment < ? ORDER BY id`, &sqlitex.ExecOptions{
			Args: []any{patient, ingest.Nanos(from), ingest.Nanos(to)},
			ResultFunc: func(row *sqlite.Stmt) error {
				measure := s.layout.measures[row.ColumnInt64(2)]
				if !s.intactMark(row) || measure == nil {
					return nil
				}
				device, err := s.names.devices.spelled(conn, deviceNames, row.ColumnInt64(3))
				if err != nil {
					return err
				}
				m := ingest.Mark{
					Reading: ingest.Name{Patient: patient, Device: device, ID: row.ColumnText(4), Measure: measure.ID, Time: time.Unix(0, row.ColumnInt64(5)).UTC(),
						Source: protocols.Source(row.ColumnInt(7)), Variant: uint8(row.ColumnInt(8))},
					Values: make([]protocols.Value, len(measure.Components)),
					At:     columnTime(row, 9), Author: row.ColumnText(10), Reason: row.ColumnText(11), UndoneBy: row.ColumnText(13), UndoneReason: row.ColumnText(14),
				}
				if row.ColumnInt64(12) != 0 {
					m.Undone = columnTime(row, 12)
				}
				err = ingest.ParseAmounts(row.ColumnText(6), m.Values)
				marks = append(marks, m)
				return err
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list what was struck out of patient %s: %w", patient, err)
	}
	return marks, nil
}
