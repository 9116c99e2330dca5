package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// forgottenSchema records what the store no longer holds.
const forgottenSchema = `
-- What was forgotten, by day since 1970 in UTC: how many readings, and the sum of
-- their digests (see ingest.Sum).
CREATE TABLE forgotten (
	patient  INTEGER NOT NULL,
	measure  INTEGER NOT NULL,
	day      INTEGER NOT NULL,
	readings INTEGER NOT NULL,
	digest   BLOB NOT NULL,
	PRIMARY KEY (patient, measure, day)
) WITHOUT ROWID;

-- Until when a version that did not record it may have forgotten readings: it kept
-- 60 days at least, and did so only behind a journal that it had pruned.
CREATE TABLE forgotten_unrecorded (one INTEGER PRIMARY KEY CHECK (one = 1), before INTEGER NOT NULL);
INSERT INTO forgotten_unrecorded (one, before)
	SELECT 1, max(at) - 60 * 86400000 FROM journal HAVING min(first) > 1;
`

var _ ingest.Forgetter = (*Store)(nil)

// Forgettable is ingest.Forgetter.Forgettable. A part is a block.
func (s *Store) Forgettable(ctx context.Context, before time.Time, after int64) (parts []ingest.Part, next int64, err error) {
	s.recent.mu.RLock()
	complete := s.recent.complete
	s.recent.mu.RUnlock()
	rows := 0
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT id, patient, measure, since, until, body, sum FROM blocks WHERE id > ? AND id <= ? AND until < ? ORDER BY id LIMIT ?", &sqlitex.ExecOptions{
			Args: []any{after, complete, before.UnixMilli(), prunedBlocks},
			ResultFunc: func(row *sqlite.Stmt) error {
				next = row.ColumnInt64(0)
				rows++
				readings, err := s.blockReadings(conn, row)
				if errors.Is(err, ingest.ErrDamaged) {
					return nil // it stays, for whoever can still make something of it
				}
				if err != nil {
					return err
				}
				parts = append(parts, ingest.Part{Place: next, Patient: readings[0].Patient, Measure: readings[0].Measure, Readings: readings})
				return nil
			},
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list what may be forgotten: %w", err)
	}
	if rows < prunedBlocks {
		next = 0
	}
	return parts, next, nil
}

// blockReadings decodes a row of blocks: id, patient, measure, since, until, body, sum.
func (s *Store) blockReadings(conn *sqlite.Conn, row *sqlite.Stmt) ([]*protocols.Reading, error) {
	patient, err := s.names.patients.spelled(conn, patientNames, row.ColumnInt64(1))
	if err != nil {
		return nil, err
	}
	h := &history{store: s, conn: conn, patient: row.ColumnInt64(1), name: patient}
	if err := h.loadStruck(); err != nil {
		return nil, err
	}
	if !h.load(row) {
		return nil, errBody
	}
	if err := h.block(row.ColumnInt64(2), row.ColumnInt64(3), math.MinInt64, math.MaxInt64); err != nil {
		return nil, err
	}
	if len(h.found) == 0 {
		return nil, errBody
	}
	return h.found, nil
}

// Forget is ingest.Forgetter.Forget.
func (s *Store) Forget(ctx context.Context, before time.Time, parts []ingest.Proven) (forgotten int, err error) {
	err = s.Write(ctx, func(conn *sqlite.Conn) error {
		forgotten = 0
		for i := range parts {
			count, err := s.forgetBlock(conn, before.UnixMilli(), &parts[i])
			if err != nil {
				return err
			}
			forgotten += count
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forget %d blocks of readings: %w", len(parts), err)
	}
	return forgotten, nil
}

// forgetBlock deletes a block with its ids and records its sums, unless it is
// another one than was proven.
func (s *Store) forgetBlock(conn *sqlite.Conn, before int64, part *ingest.Proven) (forgotten int, err error) {
	var readings []*protocols.Reading
	var patient, measure int64
	ids := map[int64][][]byte{} // by device
	err = sqlitex.Execute(conn, "SELECT id, patient, measure, since, until, body, sum FROM blocks WHERE id = ? AND until < ?", &sqlitex.ExecOptions{
		Args: []any{part.Place, before},
		ResultFunc: func(row *sqlite.Stmt) (err error) {
			patient, measure = row.ColumnInt64(1), row.ColumnInt64(2)
			if readings, err = s.blockReadings(conn, row); err != nil {
				return err
			}
			_, err = idsOf(columnBytes(row, 5), ids)
			return err
		},
	})
	if err != nil || len(readings) == 0 || ingest.SumOf(readings) != part.Sum {
		return 0, err
	}
	for device, keys := range ids {
		if err := s.writer.forgetKeys(device, keys); err != nil {
			return 0, err
		}
	}
	if err := sqlitex.Execute(conn, "DELETE FROM blocks WHERE id = ?", &sqlitex.ExecOptions{Args: []any{part.Place}}); err != nil {
		return 0, err
	}
	readings = part.Recorded(readings)
	return len(readings), recordForgotten(conn, patient, measure, readings)
}

// recordForgotten adds readings of one patient and measure to what was forgotten.
func recordForgotten(conn *sqlite.Conn, patient, measure int64, readings []*protocols.Reading) error {
	days := map[int64]ingest.Sum{}
	for _, r := range readings {
		day := dayNumber(r.Time)
		sum := days[day]
		sum.Add(r)
		days[day] = sum
	}
	for day, sum := range days {
		before, err := forgottenOf(conn, patient, measure, day)
		if err != nil {
			return err
		}
		sum.Merge(before)
		if err := setForgotten(conn, patient, measure, day, sum); err != nil {
			return err
		}
	}
	return nil
}

// forgottenOf returns what is recorded of a day.
func forgottenOf(conn *sqlite.Conn, patient, measure, day int64) (sum ingest.Sum, err error) {
	err = sqlitex.Execute(conn, "SELECT readings, digest FROM forgotten WHERE patient = ? AND measure = ? AND day = ?", &sqlitex.ExecOptions{
		Args:       []any{patient, measure, day},
		ResultFunc: func(row *sqlite.Stmt) error { sum = columnSum(row, 0); return nil },
	})
	return sum, err
}

// setForgotten records what was forgotten of a day.
func setForgotten(conn *sqlite.Conn, patient, measure, day int64, sum ingest.Sum) error {
	if sum.Readings == 0 {
		return sqlitex.Execute(conn, "DELETE FROM forgotten WHERE patient = ? AND measure = ? AND day = ?", &sqlitex.ExecOptions{Args: []any{patient, measure, day}})
	}
	return sqlitex.Execute(conn, "INSERT OR REPLACE INTO forgotten (patient, measure, day, readings, digest) VALUES (?, ?, ?, ?, ?)",
		&sqlitex.ExecOptions{Args: []any{patient, measure, day, sum.Readings, sum.Digest[:]}})
}

// Corrected is ingest.Errands.Corrected.
func (s *Store) Corrected(ctx context.Context, e ingest.Errand, was, is *protocols.Reading) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		if err := s.moveForgotten(conn, was, is); err != nil {
			return err
		}
		return setErrand(conn, e)
	})
	if err != nil {
		return fmt.Errorf("record the correction of a reading that was forgotten (errand %d): %w", e.ID, err)
	}
	return nil
}

func (s *Store) moveForgotten(conn *sqlite.Conn, was, is *protocols.Reading) error {
	patient, err := s.names.patients.find(conn, patientNames, was.Patient)
	if err != nil {
		return err
	}
	measure, day := s.layout.nums[was.Measure.Ordinal()], dayNumber(was.Time)
	sum, err := forgottenOf(conn, patient, measure, day)
	if err != nil || sum.Readings == 0 {
		return err
	}
	sum.Remove(ingest.SumOf([]*protocols.Reading{was}))
	if err := setForgotten(conn, patient, measure, day, sum); err != nil || is == nil {
		return err
	}
	if patient, err = s.names.patients.number(conn, patientNames, is.Patient); err != nil {
		return err
	}
	return recordForgotten(conn, patient, s.layout.nums[is.Measure.Ordinal()], []*protocols.Reading{is})
}

// columnSum reads a sum from two columns: readings and digest.
func columnSum(row *sqlite.Stmt, i int) ingest.Sum {
	sum := ingest.Sum{Readings: row.ColumnInt(i)}
	row.ColumnBytes(i+1, sum.Digest[:])
	return sum
}

// dayNumber counts the days since 1970 in UTC.
func dayNumber(t time.Time) int64 { return ingest.DayOf(t).Unix() / 86400 }

// Forgotten is ingest.Forgetter.Forgotten.
func (s *Store) Forgotten(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) (f ingest.Forgotten, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		num, err := s.names.patients.find(conn, patientNames, patient)
		if err != nil {
			return err
		}
		err = sqlitex.Execute(conn, "SELECT before FROM forgotten_unrecorded WHERE NOT EXISTS (SELECT 1 FROM errands WHERE kind = 'erase' AND patient = ?)", &sqlitex.ExecOptions{
			Args: []any{patient},
			ResultFunc: func(row *sqlite.Stmt) error {
				f.Unrecorded = time.UnixMilli(row.ColumnInt64(0)).UTC()
				return nil
			},
		})
		if err != nil || num == 0 {
			return err
		}
		return s.forgottenDays(conn, num, measure, from, to, &f)
	})
	if err != nil {
		return f, fmt.Errorf("see what was forgotten of patient %s: %w", patient, err)
	}
	return f, nil
}

func (s *Store) forgottenDays(conn *sqlite.Conn, patient int64, measure *protocols.Measure, from, to time.Time, f *ingest.Forgotten) error {
	wanted := int64(0)
	if measure != nil {
		wanted = s.layout.nums[measure.Ordinal()]
	}
	return sqlitex.Execute(conn, `SELECT measure, day, readings, digest FROM forgotten
		WHERE patient = ?1 AND (?2 = 0 OR measure = ?2) AND day BETWEEN ?3 AND ?4 ORDER BY day, measure`, &sqlitex.ExecOptions{
		Args: []any{patient, wanted, dayNumber(from), dayNumber(to)},
		ResultFunc: func(row *sqlite.Stmt) error {
			m := s.layout.measures[row.ColumnInt64(0)]
			if m == nil {
				return errors.New("a measure in it is not known to this program; start the newer Vigie that wrote it")
			}
			f.Days = append(f.Days, ingest.ForgottenDay{Measure: m, Day: time.Unix(row.ColumnInt64(1)*86400, 0).UTC(), Sum: columnSum(row, 2)})
			return nil
		},
	})
}

// Ended is ingest.Forgetter.Ended.
func (s *Store) Ended(ctx context.Context, before time.Time) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "DELETE FROM forgotten WHERE day < ?", &sqlitex.ExecOptions{Args: []any{dayNumber(before)}})
	})
	if err != nil {
		return fmt.Errorf("drop what ended in InfluxDB: %w", err)
	}
	return nil
}
