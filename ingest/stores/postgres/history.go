package postgres

import (
	"context"
	"encoding/json"
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
const readingColumns = `time, measure, source, variant, battery, dayonly, device, id, patient, amounts, flags, context, more, sum`

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
		if known.damaged {
			return fmt.Errorf("read the history of patient %s: %w", patient, ingest.ErrDamaged)
		}
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
	damaged := false
	for size := firstPage; ; size = nextPage {
		page, err := s.page(ctx, db, historyPage, plain(patient), measures, at, nanos(to), device, id, size)
		if err != nil {
			return fmt.Errorf("read the history of patient %s: %w", patient, err)
		}
		for _, r := range page.readings {
			if !yield(r) {
				return nil
			}
		}
		damaged = damaged || len(page.damaged) > 0
		if page.rows < size {
			break
		}
		at, device, id = page.last.time, page.last.device, page.last.id
	}
	if damaged {
		return fmt.Errorf("read the history of patient %s: %w", patient, ingest.ErrDamaged)
	}
	return nil
}

// recollection is the history of a patient, of the measures that evaluation uses,
// from a time on.
type recollection struct {
	from     time.Time
	used     []bool // by Measure.Ordinal
	readings []*protocols.Reading
	damaged  bool // some of it was left out
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
	page, err := t.store.page(t.ctx, t.tx, recollect, patients, since, nums)
	if err != nil {
		return fmt.Errorf("read the histories of %d patients: %w", len(t.histories), err)
	}
	for _, r := range page.readings {
		known := t.histories[r.Patient]
		known.readings = append(known.readings, r)
	}
	for _, d := range page.damaged {
		if known := t.histories[d.Patient]; known != nil {
			known.damaged = true
		}
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

// page is some readings as they were read, without those that are damaged.
type page struct {
	readings []*protocols.Reading
	damaged  []ingest.Damage
	rows     int // damaged ones included
	last     row
}

func (s *Store) page(ctx context.Context, db querier, sql string, args ...any) (p page, err error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return p, err
	}
	_, err = pgx.ForEachRow(rows, p.last.fields(), func() error {
		p.rows++
		if !p.last.intact() {
			p.damaged = append(p.damaged, p.last.damage())
			s.met.tell(p.last.damage())
			p.last.forget()
			return nil
		}
		r, err := p.last.reading(s)
		p.readings = append(p.readings, r)
		return err
	})
	return p, err
}

// row is one reading as the database gives it.
type row struct {
	time                              int64
	measure, source, variant, battery int16
	dayOnly                           bool
	device, patient                   string
	id                                []byte
	amounts                           string
	flags, context, more              []byte // JSON
	sum                               *int64 // nil for one from before there were checksums
	guard                             ingest.Guard
}

// intact reports whether the row is what was written.
func (r *row) intact() bool {
	if r.sum == nil {
		return true
	}
	r.guard = readingGuard(r.guard, r.id, r, string(r.flags), string(r.context), string(r.more))
	return r.guard.Sum() == *r.sum
}

// forget makes room for the next row: what is null there is not written over.
func (r *row) forget() { r.flags, r.context, r.more, r.sum = nil, nil, nil, nil }

// fields are where the readingColumns go.
func (r *row) fields() []any {
	return []any{&r.time, &r.measure, &r.source, &r.variant, &r.battery, &r.dayOnly, &r.device, &r.id, &r.patient, &r.amounts, &r.flags, &r.context, &r.more, &r.sum}
}

// reading makes a reading of the row. A newer node beside this one may have
// stored a measure that this program does not know.
func (r *row) reading(s *Store) (*protocols.Reading, error) {
	measure := s.layout.measures[r.measure]
	if measure == nil {
		return nil, fmt.Errorf("a reading has a measure (number %d) that this program does not know: start the newer Vigie that stored it", r.measure)
	}
	values := make([]protocols.Value, len(measure.Components))
	if err := ingest.ParseAmounts(r.amounts, values); err != nil {
		return nil, err
	}
	made := &protocols.Reading{
		ID: ingest.OwnID(string(r.id)), Device: r.device, Patient: r.patient, Time: fromNanos(r.time), DayOnly: r.dayOnly,
		Measure: measure, Variant: uint8(r.variant), Values: values, Source: protocols.Source(r.source),
		Battery: int(r.battery),
	}
	defer r.forget()
	var more rare
	for _, part := range []struct {
		text []byte
		into any
	}{{r.flags, &made.Flags}, {r.context, &made.Context}, {r.more, &more}} {
		if part.text == nil {
			continue
		}
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return nil, fmt.Errorf("a stored reading cannot be read: %w", err)
		}
	}
	if r.more != nil {
		more.into(made)
	}
	return made, nil
}
