package postgres

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
)

// keepReadings stores a batch in one round trip. Its rows come ordered by device
// and id, so that two nodes that received the same readings wait for each other
// in one order; of two with the same id the first is kept.
const keepReadings = `
WITH new AS MATERIALIZED (SELECT nextval('reading_batches') AS batch)
INSERT INTO readings (device, id, place, patient, measure, time, source, variant, battery, dayonly, amounts, flags, context, more, sum, batch)
SELECT device, id, place, patient, measure, time, source, variant, battery, dayonly,
	amounts, nullif(flags, '')::json, nullif(context, '')::json, nullif(more, '')::json, sum, new.batch
FROM new, unnest($1::text[], $2::bytea[], $3::int[], $4::text[], $5::smallint[], $6::bigint[],
	$7::smallint[], $8::smallint[], $9::smallint[], $10::boolean[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[])
	AS given (device, id, place, patient, measure, time, source, variant, battery, dayonly, amounts, flags, context, more, sum)
ON CONFLICT (device, id) DO NOTHING
RETURNING batch, place`

// batch is one call of Keep, whose readings await their numbers in the journal.
type batch struct {
	number int64
	places int64 // how many numbers it needs
	at     int64
}

// Keep is ingest.Tx.Keep. Ids that are new, as nearly all are, take one statement.
func (t *transaction) Keep(readings []*protocols.Reading, at time.Time) ([]ingest.Fate, error) {
	fates := make([]ingest.Fate, len(readings))
	if len(readings) == 0 {
		return fates, nil
	}
	t.histories = nil
	places := byName(readings)
	err := t.insert(readings, places, func(r *protocols.Reading) string { return r.ID }, at, func(place int32) { fates[place] = ingest.Fresh })
	if err == nil {
		places = slices.DeleteFunc(places, func(place int32) bool { return fates[place] != 0 })
		err = t.keepFurther(readings, places, at, fates)
	}
	if err != nil {
		return nil, fmt.Errorf("keep %d readings: %w", len(readings), err)
	}
	return fates, nil
}

// insert stores the readings at some places, and tells those that no other of the
// same id kept from it.
func (t *transaction) insert(readings []*protocols.Reading, places []int32, id func(*protocols.Reading) string, at time.Time, stored func(place int32)) error {
	kept := batch{at: nanos(at)}
	keep := &pgx.Batch{}
	keep.Queue(keepReadings, t.store.columns(readings, places, id).args()...).Query(func(rows pgx.Rows) error {
		var place int32
		_, err := pgx.ForEachRow(rows, []any{&kept.number, &place}, func() error {
			stored(place)
			kept.places = max(kept.places, int64(place)+1)
			return nil
		})
		return err
	})
	err := t.tx.SendBatch(t.ctx, keep).Close()
	if kept.places > 0 {
		t.batches = append(t.batches, kept)
	}
	return err
}

// keepFurther stores those of some readings, whose ids were used before, that are
// further readings.
func (t *transaction) keepFurther(readings []*protocols.Reading, places []int32, at time.Time, fates []ingest.Fate) error {
	if len(places) == 0 {
		return nil
	}
	known, err := t.alike(readings, places)
	if err != nil {
		return fmt.Errorf("look for readings of the ids of others: %w", err)
	}
	var further []int32
	kept := map[*protocols.Reading]string{}
	for _, place := range places {
		r := readings[place]
		name := named{r.Device, r.ID}
		if fates[place] = ingest.Recognise(r, known[name]); fates[place].Kept() {
			known[name] = append(known[name], r)
			further = append(further, place)
			kept[r] = ingest.KeptID(r, fates[place])
		}
	}
	if len(further) == 0 {
		return nil
	}
	stored := 0
	err = t.insert(readings, further, func(r *protocols.Reading) string { return kept[r] }, at, func(int32) { stored++ })
	if err == nil && stored < len(further) {
		return ingest.ErrConflict // the first of that id was forgotten just now
	}
	return err
}

// named is what a device calls a reading.
type named struct{ device, id string }

// heldNames holds the first readings of some ids, in the order of their names: who
// else keeps further readings of one of them waits for the end of this transaction.
// The next statement then sees all that are kept.
const (
	heldNames = `SELECT FROM readings JOIN unnest($1::text[], $2::bytea[]) AS wanted (device, id) USING (device, id)
ORDER BY readings.device, readings.id FOR NO KEY UPDATE OF readings`
	alikeReadings = `
SELECT page.* FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[]) AS given (device, id, first, last)) AS wanted
CROSS JOIN LATERAL (
	SELECT ` + readingColumns + ` FROM readings WHERE readings.device = wanted.device AND readings.id = wanted.id
	UNION ALL
	SELECT ` + readingColumns + ` FROM readings WHERE readings.device = wanted.device AND readings.id >= wanted.first AND readings.id <= wanted.last) AS page`
)

// alike are the readings that are kept of the ids of some readings, at least those
// measured near them.
func (t *transaction) alike(readings []*protocols.Reading, places []int32) (map[named][]*protocols.Reading, error) {
	var devices []string
	var ids, first, last [][]byte
	for _, place := range places {
		r := readings[place]
		within := max(ingest.Near(r), ingest.SameDay(r))
		from, to := ingest.FurtherIDs(r.ID, r.Time.Add(-within), r.Time.Add(within))
		devices, ids, first, last = append(devices, r.Device), append(ids, []byte(r.ID)), append(first, []byte(from)), append(last, []byte(to))
	}
	if _, err := t.tx.Exec(t.ctx, heldNames, devices, ids); err != nil {
		return nil, err
	}
	found, err := t.store.page(t.ctx, t.tx, alikeReadings, devices, ids, first, last)
	if err != nil {
		return nil, err
	}
	known := map[named][]*protocols.Reading{}
	for _, r := range found.readings {
		known[named{r.Device, r.ID}] = append(known[named{r.Device, r.ID}], r)
	}
	return known, nil
}

// columns is a batch of readings as keepReadings takes it.
type columns struct {
	device, patient, amounts, flags, context, more []string
	id                                             [][]byte
	place                                          []int32
	measure, source, variant, battery              []int16
	time, sum                                      []int64
	dayOnly                                        []bool

	guard ingest.Guard
}

func (c *columns) args() []any {
	return []any{c.device, c.id, c.place, c.patient, c.measure, c.time, c.source, c.variant, c.battery, c.dayOnly, c.amounts, c.flags, c.context, c.more, c.sum}
}

// byName are the places of readings, ordered by device and id.
func byName(readings []*protocols.Reading) []int32 {
	places := make([]int32, len(readings))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortStableFunc(places, func(a, b int32) int {
		x, y := readings[a], readings[b]
		return cmp.Or(cmp.Compare(x.Device, y.Device), cmp.Compare(x.ID, y.ID))
	})
	return places
}

// columns lays out the readings at some places, under the ids under which they are
// kept.
func (s *Store) columns(readings []*protocols.Reading, places []int32, id func(*protocols.Reading) string) *columns {
	var c columns
	for _, place := range places {
		r := readings[place]
		c.add(r, []byte(id(r)), place, s.layout.nums[r.Measure.Ordinal()])
	}
	return &c
}

func (c *columns) add(r *protocols.Reading, id []byte, place int32, measure int16) {
	c.id = append(c.id, id)
	c.device = append(c.device, r.Device)
	c.place = append(c.place, place)
	c.patient = append(c.patient, r.Patient)
	c.measure = append(c.measure, measure)
	c.time = append(c.time, nanos(r.Time))
	c.source = append(c.source, int16(r.Source))
	c.variant = append(c.variant, int16(r.Variant))
	c.battery = append(c.battery, int16(r.Battery))
	c.dayOnly = append(c.dayOnly, r.DayOnly)
	c.amounts = append(c.amounts, ingest.Amounts(r.Values))
	c.flags = append(c.flags, asJSON(r.Flags, len(r.Flags)))
	c.context = append(c.context, asJSON(r.Context, len(r.Context)))
	c.more = append(c.more, rareOf(r))
	last := len(c.id) - 1
	c.guard = readingGuard(c.guard, id, &row{
		time: c.time[last], measure: measure, source: c.source[last], variant: c.variant[last], battery: c.battery[last], dayOnly: r.DayOnly,
		device: r.Device, patient: r.Patient, amounts: c.amounts[last],
	}, c.flags[last], c.context[last], c.more[last])
	c.sum = append(c.sum, c.guard.Sum())
}

// asJSON writes strings, or nothing when there are none.
func asJSON(v any, length int) string {
	if length == 0 {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("postgres: strings can always be written as JSON: " + err.Error())
	}
	return string(text)
}

// nanos is a time as it is stored.
func nanos(t time.Time) int64 { return ingest.Nanos(t) }

func fromNanos(n int64) time.Time { return time.Unix(0, n).UTC() }

// plain makes text of what came from outside: PostgreSQL's text holds neither
// zero bytes nor what is not UTF-8.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// plainAll is plain for a list, never nil.
func plainAll(list []string) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = plain(s)
	}
	return all
}
