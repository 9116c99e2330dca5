package postgres

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
INSERT INTO readings (device, id, place, patient, measure, time, source, variant, battery, dayonly, amounts, flags, context, batch)
SELECT device, id, place, patient, measure, time, source, variant, battery, dayonly,
	amounts, nullif(flags, '')::json, nullif(context, '')::json, new.batch
FROM new, unnest($1::text[], $2::bytea[], $3::int[], $4::text[], $5::smallint[], $6::bigint[],
	$7::smallint[], $8::smallint[], $9::smallint[], $10::boolean[], $11::text[], $12::text[], $13::text[])
	AS given (device, id, place, patient, measure, time, source, variant, battery, dayonly, amounts, flags, context)
ON CONFLICT (device, id) DO NOTHING
RETURNING batch, place`

// batch is one call of Keep, whose readings await their numbers in the journal.
type batch struct {
	number int64
	places int64 // how many numbers it needs
	at     int64
}

// Keep is ingest.Tx.Keep.
func (t *transaction) Keep(readings []*protocols.Reading, at time.Time) ([]bool, error) {
	fresh := make([]bool, len(readings))
	if len(readings) == 0 {
		return fresh, nil
	}
	t.histories = nil
	rows, err := t.tx.Query(t.ctx, keepReadings, t.store.columns(readings).args()...)
	if err != nil {
		return nil, fmt.Errorf("keep %d readings: %w", len(readings), err)
	}
	kept := batch{at: nanos(at)}
	var place int32
	_, err = pgx.ForEachRow(rows, []any{&kept.number, &place}, func() error {
		fresh[place] = true
		kept.places = max(kept.places, int64(place)+1)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep %d readings: %w", len(readings), err)
	}
	if kept.places > 0 {
		t.batches = append(t.batches, kept)
	}
	return fresh, nil
}

// columns is a batch of readings as keepReadings takes it.
type columns struct {
	device, patient, amounts, flags, context []string
	id                                       [][]byte
	place                                    []int32
	measure, source, variant, battery        []int16
	time                                     []int64
	dayOnly                                  []bool
}

func (c *columns) args() []any {
	return []any{c.device, c.id, c.place, c.patient, c.measure, c.time, c.source, c.variant, c.battery, c.dayOnly, c.amounts, c.flags, c.context}
}

// columns lays readings out, ordered by device and id.
func (s *Store) columns(readings []*protocols.Reading) *columns {
	order := make([]int32, len(readings))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		x, y := readings[a], readings[b]
		return cmp.Or(cmp.Compare(x.Device, y.Device), cmp.Compare(x.ID, y.ID))
	})
	var c columns
	for _, place := range order {
		c.add(readings[place], place, s.layout.nums[readings[place].Measure.Ordinal()])
	}
	return &c
}

func (c *columns) add(r *protocols.Reading, place int32, measure int16) {
	c.device = append(c.device, r.Device)
	c.id = append(c.id, []byte(r.ID))
	c.place = append(c.place, place)
	c.patient = append(c.patient, r.Patient)
	c.measure = append(c.measure, measure)
	c.time = append(c.time, nanos(r.Time))
	c.source = append(c.source, int16(r.Source))
	c.variant = append(c.variant, int16(r.Variant))
	c.battery = append(c.battery, int16(r.Battery))
	c.dayOnly = append(c.dayOnly, r.DayOnly)
	c.amounts = append(c.amounts, amounts(r.Values))
	c.flags = append(c.flags, asJSON(r.Flags, len(r.Flags)))
	c.context = append(c.context, asJSON(r.Context, len(r.Context)))
}

// amounts writes values: "142000 91000 - 72000".
func amounts(values []protocols.Value) string {
	var buf [128]byte
	text := buf[:0]
	for i, v := range values {
		if i > 0 {
			text = append(text, ' ')
		}
		if v == protocols.Missing {
			text = append(text, '-')
		} else {
			text = strconv.AppendInt(text, int64(v), 10)
		}
	}
	return string(text)
}

// parseAmounts reads what amounts wrote into values. A newer node may have
// written more components than this program knows, an older one fewer.
func parseAmounts(text string, values []protocols.Value) error {
	for i := range values {
		values[i] = protocols.Missing
		var amount string
		amount, text, _ = strings.Cut(text, " ")
		if amount == "" || amount == "-" {
			continue
		}
		v, err := strconv.ParseInt(amount, 10, 64)
		if err != nil {
			return fmt.Errorf("the amounts of a stored reading cannot be read: %w", err)
		}
		values[i] = protocols.Value(v)
	}
	return nil
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
