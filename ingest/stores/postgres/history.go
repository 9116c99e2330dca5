package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
)

// querier is a transaction, or the pool where each statement stands alone.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// readingColumns are those that row reads.
const readingColumns = `time, measure, source, variant, battery, dayonly, device, id, patient, amounts, flags, context`

// historyPage reads the next readings of a patient from a place in the canonical
// order on. It takes a page of each measure off the index and puts these in
// order, so that its cost is that of a page however long the history.
const historyPage = `
SELECT ` + readingColumns + ` FROM unnest($2::smallint[]) AS wanted (num) CROSS JOIN LATERAL (
	SELECT ` + readingColumns + ` FROM readings
	WHERE patient = $1 AND measure = wanted.num AND time >= $3 AND time < $4 AND (time, device, id) > ($3, $5, $6)
	ORDER BY time, device, id LIMIT $7) AS page
ORDER BY time, device, id LIMIT $7`

// The sizes of pages, in readings. Most histories fit in the first.
const (
	firstPage = 2_000
	nextPage  = 20_000
)

// History is ingest.Store.History.
func (s *Store) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return s.history(ctx, s.pool, patient, measure, from, to, yield)
}

// History is ingest.Tx.History.
func (t *transaction) History(patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	if known, ok := t.histories[patient]; ok && measure == nil && !from.Before(known.from) {
		known.between(from, to, yield)
		return nil
	}
	return t.store.history(t.ctx, t.tx, patient, measure, from, to, yield)
}

func (s *Store) history(ctx context.Context, db querier, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	measures := s.layout.nums
	if measure != nil {
		measures = measures[measure.Ordinal() : measure.Ordinal()+1]
	}
	at, device, id := nanos(from), "", []byte{}
	for size := firstPage; ; size = nextPage {
		page, last, err := s.page(ctx, db, historyPage, patient, measures, at, nanos(to), device, id, size)
		if err != nil {
			return fmt.Errorf("read the history of patient %s: %w", patient, err)
		}
		for _, r := range page {
			if !yield(r) {
				return nil
			}
		}
		if len(page) < size {
			return nil
		}
		at, device, id = last.time, last.device, last.id
	}
}

// recollection is the history of a patient, of the measures that evaluation uses,
// from a time on.
type recollection struct {
	from     time.Time
	used     []bool // by Measure.Ordinal
	readings []*protocols.Reading
}

func (r *recollection) between(from, to time.Time, yield func(*protocols.Reading) bool) {
	for _, reading := range r.readings {
		if reading.Time.Before(from) {
			continue
		}
		if !reading.Time.Before(to) || !yield(reading) {
			return
		}
	}
}

// recollect reads several of them, each in canonical order. OFFSET 0 has it search
// the index once for each patient and measure, whatever the planner believes of
// their number.
const recollect = `
SELECT page.* FROM unnest($1::text[], $2::bigint[], $3::smallint[]) AS wanted (patient, since, num) CROSS JOIN LATERAL (
	SELECT ` + readingColumns + ` FROM readings
	WHERE readings.patient = wanted.patient AND readings.measure = wanted.num AND readings.time >= wanted.since OFFSET 0) AS page
ORDER BY page.patient, page.time, page.device, page.id`

// Recollect is ingest.Shared.Recollect.
func (t *transaction) Recollect(wanted []ingest.Past) error {
	t.histories = make(map[string]*recollection, len(wanted))
	for i := range wanted {
		t.want(&wanted[i])
	}
	var patients []string
	var since []int64
	var nums []int16
	for patient, known := range t.histories {
		for ordinal, used := range known.used {
			if used {
				patients, since, nums = append(patients, patient), append(since, nanos(known.from)), append(nums, t.store.layout.nums[ordinal])
			}
		}
	}
	readings, _, err := t.store.page(t.ctx, t.tx, recollect, patients, since, nums)
	if err != nil {
		return fmt.Errorf("read the histories of %d patients: %w", len(t.histories), err)
	}
	for _, r := range readings {
		known := t.histories[r.Patient]
		known.readings = append(known.readings, r)
	}
	return nil
}

// want adds what one evaluation looks back on. Several may follow one patient.
func (t *transaction) want(past *ingest.Past) {
	known := t.histories[past.Patient]
	if known == nil {
		known = &recollection{from: past.From, used: make([]bool, len(t.store.layout.nums))}
		t.histories[past.Patient] = known
	}
	if past.From.Before(known.from) {
		known.from = past.From
	}
	for _, m := range protocols.Measures() {
		known.used[m.Ordinal()] = known.used[m.Ordinal()] || past.Uses(m)
	}
}

// page reads readings, and returns the last of them as the database gave it.
func (s *Store) page(ctx context.Context, db querier, sql string, args ...any) (page []*protocols.Reading, row row, err error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, row, err
	}
	_, err = pgx.ForEachRow(rows, row.fields(), func() error {
		r, err := row.reading(s)
		page = append(page, r)
		return err
	})
	return page, row, err
}

// row is one reading as the database gives it.
type row struct {
	time                              int64
	measure, source, variant, battery int16
	dayOnly                           bool
	device, patient                   string
	id                                []byte
	amounts                           string
	flags                             []string
	context                           map[string]string
}

// fields are where the readingColumns go.
func (r *row) fields() []any {
	return []any{&r.time, &r.measure, &r.source, &r.variant, &r.battery, &r.dayOnly, &r.device, &r.id, &r.patient, &r.amounts, &r.flags, &r.context}
}

// reading makes a reading of the row. A newer node beside this one may have
// stored a measure that this program does not know.
func (r *row) reading(s *Store) (*protocols.Reading, error) {
	measure := s.layout.measures[r.measure]
	if measure == nil {
		return nil, fmt.Errorf("a reading has a measure (number %d) that this program does not know: start the newer Vigie that stored it", r.measure)
	}
	values := make([]protocols.Value, len(measure.Components))
	if err := parseAmounts(r.amounts, values); err != nil {
		return nil, err
	}
	made := &protocols.Reading{
		ID: ingest.OwnID(string(r.id)), Device: r.device, Patient: r.patient, Time: fromNanos(r.time), DayOnly: r.dayOnly,
		Measure: measure, Variant: uint8(r.variant), Values: values, Source: protocols.Source(r.source),
		Flags: r.flags, Context: r.context, Battery: int(r.battery),
	}
	r.flags, r.context = nil, nil
	return made, nil
}
