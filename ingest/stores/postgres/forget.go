package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
)

// forgottenSchema records what the store no longer holds.
const forgottenSchema = `
-- What was forgotten, by day since 1970 in UTC: how many readings, and the sum of
-- their digests (see ingest.Sum).
CREATE TABLE forgotten (
	patient  text COLLATE "C" NOT NULL,
	measure  smallint NOT NULL,
	day      integer NOT NULL,
	readings integer NOT NULL,
	digest   bytea NOT NULL,
	PRIMARY KEY (patient, measure, day)
);

-- Until when a version that did not record it may have forgotten readings: it kept
-- 60 days at least, and did so only behind a journal that it had pruned. An older
-- node beside this one may go on doing so for some time: nothing it forgets is younger.
CREATE TABLE forgotten_unrecorded (one boolean PRIMARY KEY DEFAULT true CHECK (one), before bigint NOT NULL);
INSERT INTO forgotten_unrecorded (before)
	SELECT max(at) - 60 * 86400 * 1000000000::bigint FROM journal HAVING min(first) > 1;
`

var _ ingest.Forgetter = (*Store)(nil)

// The readings that came with some batches, in the order in which they came, which
// is nearly that of their age. No index is needed but that of the journal. What a
// reader of the journal has not read yet stays, however old: the journal refers to
// it.
const (
	someBatches = `
SELECT coalesce(max(batch), 0), count(*), count(*) FILTER (WHERE time < $3)
FROM (SELECT batch, time FROM readings WHERE batch > $1 ORDER BY batch LIMIT $2) AS next`
	oldOnes = `
SELECT batch, ` + readingColumns + ` FROM readings WHERE batch > $1 AND batch <= $2 AND time < $3
	AND NOT EXISTS (SELECT FROM journal WHERE journal.batch = readings.batch AND journal.last > $4)
ORDER BY batch, patient, measure`
)

// Forgettable is ingest.Forgetter.Forgettable. A part is what one batch brought of
// one patient and measure. It stops where nothing is old any more: what came late
// goes when what it came with does.
func (s *Store) Forgettable(ctx context.Context, before time.Time, after int64) (parts []ingest.Part, next int64, err error) {
	passed, err := s.passed(ctx)
	if err != nil {
		return nil, 0, err
	}
	var last int64
	var rows, old int
	if err := s.pool.QueryRow(ctx, someBatches, after, prunedRows, nanos(before)).Scan(&last, &rows, &old); err != nil || old == 0 {
		return nil, 0, err
	}
	parts, err = s.parts(ctx, s.pool, oldOnes, after, last, nanos(before), passed)
	if err != nil {
		return nil, 0, fmt.Errorf("list what may be forgotten: %w", err)
	}
	return parts, last, nil
}

// parts groups readings that come by batch, patient and measure.
func (s *Store) parts(ctx context.Context, db querier, sql string, args ...any) (parts []ingest.Part, err error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	var batch int64
	var row row
	_, err = pgx.ForEachRow(rows, append([]any{&batch}, row.fields()...), func() error {
		if !row.intact() { // it stays, for whoever can still make something of it
			s.met.tell(row.damage())
			row.forget()
			return nil
		}
		r, err := row.reading(s)
		if err != nil {
			return err
		}
		if n := len(parts); n == 0 || parts[n-1].Place != batch || parts[n-1].Patient != r.Patient || parts[n-1].Measure != r.Measure {
			parts = append(parts, ingest.Part{Place: batch, Patient: r.Patient, Measure: r.Measure})
		}
		parts[len(parts)-1].Readings = append(parts[len(parts)-1].Readings, r)
		return nil
	})
	return parts, err
}

// partOf names a part.
type partOf struct {
	place   int64
	patient string
	measure *protocols.Measure
}

// oldHeld are those of oldOnes that came with some batches, held until the commit.
const oldHeld = `
SELECT batch, ` + readingColumns + ` FROM readings WHERE batch = ANY ($1) AND time < $2
	AND NOT EXISTS (SELECT FROM journal WHERE journal.batch = readings.batch AND journal.last > $3)
ORDER BY batch, patient, measure FOR UPDATE`

// Forget is ingest.Forgetter.Forget.
func (s *Store) Forget(ctx context.Context, before time.Time, proven []ingest.Proven) (forgotten int, err error) {
	passed, err := s.passed(ctx)
	if err != nil {
		return 0, err
	}
	wanted := map[partOf]*ingest.Proven{}
	var batches []int64
	for i := range proven {
		p := &proven[i]
		wanted[partOf{p.Place, p.Patient, p.Measure}] = p
		batches = append(batches, p.Place)
	}
	slices.Sort(batches)
	err = s.Write(ctx, func(tx pgx.Tx) error {
		forgotten = 0
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockPrune)); err != nil {
			return err
		}
		parts, err := s.parts(ctx, tx, oldHeld, slices.Compact(batches), nanos(before), passed)
		if err != nil {
			return err
		}
		var going []*protocols.Reading
		for _, p := range parts {
			if of := wanted[partOf{p.Place, p.Patient, p.Measure}]; of != nil && of.Sum == ingest.SumOf(p.Readings) {
				going = append(going, of.Recorded(p.Readings)...)
			}
		}
		forgotten = len(going)
		return s.forget(ctx, tx, going)
	})
	if err != nil {
		return 0, fmt.Errorf("forget readings: %w", err)
	}
	return forgotten, nil
}

const (
	deleteReadings = `
DELETE FROM readings USING unnest($1::text[], $2::bytea[], $3::bigint[], $4::smallint[]) AS going (device, id, time, measure)
WHERE readings.device = going.device AND readings.id = going.id AND readings.time = going.time AND readings.measure = going.measure`
	forgottenBefore = `
SELECT patient, measure, day, readings, digest FROM forgotten JOIN unnest($1::text[], $2::smallint[], $3::int[]) AS wanted (patient, measure, day)
	USING (patient, measure, day) FOR UPDATE OF forgotten`
	setForgotten = `
INSERT INTO forgotten (patient, measure, day, readings, digest) SELECT * FROM unnest($1::text[], $2::smallint[], $3::int[], $4::int[], $5::bytea[])
	ON CONFLICT (patient, measure, day) DO UPDATE SET readings = excluded.readings, digest = excluded.digest`
)

// dayOf is a day of a patient's measure.
type dayOf struct {
	patient string
	measure int16
	day     int32
}

// forget deletes readings and adds their sums to what was forgotten. What one of them
// replaced goes with it.
func (s *Store) forget(ctx context.Context, tx pgx.Tx, going []*protocols.Reading) error {
	var devices []string
	var ids [][]byte
	var times []int64
	var nums []int16
	days := map[dayOf]ingest.Sum{}
	for _, r := range going {
		num := s.layout.nums[r.Measure.Ordinal()]
		for _, id := range ingest.KeptIDs(r) { // whichever it is kept under
			devices, ids, times, nums = append(devices, r.Device), append(ids, []byte(id)), append(times, nanos(r.Time)), append(nums, num)
		}
		at := dayOf{r.Patient, num, dayNumber(r.Time)}
		sum := days[at]
		sum.Add(r)
		days[at] = sum
	}
	if _, err := tx.Exec(ctx, deleteReadings, devices, ids, times, nums); err != nil {
		return err
	}
	return recordForgotten(ctx, tx, days)
}

// recordForgotten adds sums to what was forgotten. The transaction holds lockPrune.
func recordForgotten(ctx context.Context, tx pgx.Tx, days map[dayOf]ingest.Sum) error {
	var patients []string
	var measures []int16
	var numbers []int32
	order := slices.SortedFunc(maps.Keys(days), func(a, b dayOf) int {
		return cmp.Or(cmp.Compare(a.patient, b.patient), cmp.Compare(a.measure, b.measure), cmp.Compare(a.day, b.day))
	})
	for _, at := range order {
		patients, measures, numbers = append(patients, at.patient), append(measures, at.measure), append(numbers, at.day)
	}
	rows, err := tx.Query(ctx, forgottenBefore, patients, measures, numbers)
	if err != nil {
		return err
	}
	var at dayOf
	var count int
	var digest []byte
	_, err = pgx.ForEachRow(rows, []any{&at.patient, &at.measure, &at.day, &count, &digest}, func() error {
		sum := days[at]
		sum.Merge(sumOf(count, digest))
		days[at] = sum
		return nil
	})
	if err != nil {
		return err
	}
	var counts []int32
	var digests [][]byte
	for _, at := range order {
		sum := days[at]
		counts, digests = append(counts, int32(sum.Readings)), append(digests, slices.Clone(sum.Digest[:]))
	}
	_, err = tx.Exec(ctx, setForgotten, patients, measures, numbers, counts, digests)
	return err
}

// Corrected is ingest.Errands.Corrected.
func (s *Store) Corrected(ctx context.Context, e ingest.Errand, was, is *protocols.Reading) error {
	err := s.Write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockPrune)); err != nil {
			return err
		}
		if err := s.moveForgotten(ctx, tx, was, is); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, setErrand, reachedBy(e)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("record the correction of a reading that was forgotten (errand %d): %w", e.ID, err)
	}
	return nil
}

func (s *Store) moveForgotten(ctx context.Context, tx pgx.Tx, was, is *protocols.Reading) error {
	at := dayOf{was.Patient, s.layout.nums[was.Measure.Ordinal()], dayNumber(was.Time)}
	var count int
	var digest []byte
	err := tx.QueryRow(ctx, "DELETE FROM forgotten WHERE patient = $1 AND measure = $2 AND day = $3 RETURNING readings, digest", at.patient, at.measure, at.day).Scan(&count, &digest)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	left := sumOf(count, digest)
	left.Remove(ingest.SumOf([]*protocols.Reading{was}))
	days := map[dayOf]ingest.Sum{at: left}
	if is != nil {
		to := dayOf{is.Patient, s.layout.nums[is.Measure.Ordinal()], dayNumber(is.Time)}
		sum := days[to]
		sum.Add(is)
		days[to] = sum
	}
	maps.DeleteFunc(days, func(_ dayOf, sum ingest.Sum) bool { return sum.Readings == 0 })
	return recordForgotten(ctx, tx, days)
}

func sumOf(count int, digest []byte) ingest.Sum {
	sum := ingest.Sum{Readings: count}
	copy(sum.Digest[:], digest)
	return sum
}

// dayNumber counts the days since 1970 in UTC. Times beyond what a reading can have
// are the nearest it can.
func dayNumber(t time.Time) int32 {
	return int32(ingest.DayOf(fromNanos(nanos(t))).Unix() / 86400)
}

// Forgotten is ingest.Forgetter.Forgotten.
func (s *Store) Forgotten(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) (f ingest.Forgotten, err error) {
	measures := s.layout.nums
	if measure != nil {
		measures = measures[measure.Ordinal() : measure.Ordinal()+1]
	}
	rows, err := s.pool.Query(ctx, `
		SELECT 0::bigint, measure, day, readings, digest FROM forgotten WHERE patient = $1 AND measure = ANY ($2) AND day BETWEEN $3 AND $4
		UNION ALL SELECT before, 0, 0, 0, '' FROM forgotten_unrecorded
		WHERE NOT EXISTS (SELECT FROM errands WHERE kind = 'erase' AND patient = $1)
		ORDER BY day, measure`, plain(patient), measures, dayNumber(from), dayNumber(to))
	if err != nil {
		return f, fmt.Errorf("see what was forgotten of patient %s: %w", patient, err)
	}
	var before int64
	var num int16
	var day int32
	var count int
	var digest []byte
	_, err = pgx.ForEachRow(rows, []any{&before, &num, &day, &count, &digest}, func() error {
		if num == 0 {
			f.Unrecorded = fromNanos(before)
			return nil
		}
		f.Days = append(f.Days, ingest.ForgottenDay{Measure: s.layout.measures[num], Day: time.Unix(int64(day)*86400, 0).UTC(), Sum: sumOf(count, digest)})
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("see what was forgotten of patient %s: %w", patient, err)
	}
	return f, nil
}

// Ended is ingest.Forgetter.Ended.
func (s *Store) Ended(ctx context.Context, before time.Time) error {
	if _, err := s.pool.Exec(ctx, "DELETE FROM forgotten WHERE day < $1", dayNumber(before)); err != nil {
		return fmt.Errorf("drop what ended in InfluxDB: %w", err)
	}
	return nil
}
