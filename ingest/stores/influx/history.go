package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"vigie/ingest"
	"vigie/protocols"
)

// History calls yield with the readings of a patient (of one measure, or of all
// when measure is nil) measured in [from, to), in canonical order, until yield
// returns false. It gives what the transactional store would, as soon as that
// has been forwarded.
func (c *Client) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	h := history{client: c, patient: patient, measure: measure, from: from, to: to}
	if strings.Contains(patient, "${") {
		return nil // to the server's language this is no name, and nobody has it
	}
	err := h.run(ctx, yield)
	if err != nil {
		return fmt.Errorf("read history from InfluxDB: %w", inShort(err))
	}
	return nil
}

// Points is ingest.Beyond.Points.
func (c *Client) Points(ctx context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	for _, patient := range asked.Patients {
		measures := asked.Measures
		if measures == nil {
			measures = []*protocols.Measure{nil}
		}
		for _, m := range measures {
			var failed error
			err := c.History(ctx, patient, m, asked.From, asked.To, func(r *protocols.Reading) bool {
				failed = yield(ingest.Point{Reading: r})
				return failed == nil
			})
			if err := errors.Join(failed, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// What InfluxDB can hold.
var (
	earliest = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

type history struct {
	client   *Client
	patient  string
	measure  *protocols.Measure
	from, to time.Time
}

// run reads window after window, so that memory stays bounded however long the
// history is. The windows fit themselves to how much there is.
func (h *history) run(ctx context.Context, yield func(*protocols.Reading) bool) error {
	start, end, err := h.extent(ctx)
	if err != nil {
		return err
	}
	const few, many = 5_000, 50_000
	for width := 7 * 24 * time.Hour; start.Before(end); {
		stop := start.Add(width)
		if stop.After(end) {
			stop = end
		}
		readings, err := h.window(ctx, start, stop)
		if err != nil {
			return err
		}
		for _, r := range readings {
			if !yield(r) {
				return nil
			}
		}
		start = stop
		switch {
		case len(readings) < few:
			width *= 2
		case len(readings) > many:
			width /= 2
		}
	}
	return nil
}

// extent narrows what was asked for to where there is something, on whole
// milliseconds: a point lies somewhere in the millisecond of its reading.
func (h *history) extent(ctx context.Context) (start, end time.Time, err error) {
	start, end = h.from.UTC().Truncate(time.Millisecond), h.to.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
	if start.Before(earliest) {
		start = earliest
	}
	if end.After(latest) {
		end = latest
	}
	const direct = 60 * 24 * time.Hour
	if end.Sub(start) <= direct {
		return start, end, nil
	}
	first, last, err := h.ends(ctx, start, end)
	if err != nil || first.IsZero() {
		return start, start, err
	}
	return first.Truncate(time.Millisecond), last.Truncate(time.Millisecond).Add(time.Millisecond), nil
}

// ends finds the first and the last point; zero times when there is none.
func (h *history) ends(ctx context.Context, start, end time.Time) (first, last time.Time, err error) {
	only := ` |> filter(fn: (r) => r._field == "` + fieldID + `")`
	for _, end := range []struct {
		function string
		take     func(time.Time)
	}{
		{"first()", func(t time.Time) {
			if first.IsZero() || t.Before(first) {
				first = t
			}
		}},
		{"last()", func(t time.Time) {
			if t.After(last) {
				last = t
			}
		}},
	} {
		text := h.text(start, latest) + only + " |> " + end.function
		err := h.client.rows(ctx, text, func(row *query.FluxRecord) error { end.take(row.Time()); return nil })
		if err != nil {
			return first, last, err
		}
	}
	if end.Before(last) {
		last = end.Add(-time.Millisecond)
	}
	if first.After(last) {
		return time.Time{}, time.Time{}, nil
	}
	return first, last, nil
}

func (h *history) text(start, stop time.Time) string {
	which := "r.patient == " + quote(h.patient)
	if h.measure != nil {
		which += " and r._measurement == " + quote(h.measure.ID)
	}
	return fmt.Sprintf("from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => %s)",
		quote(h.client.bucket), start.Format(time.RFC3339Nano), stop.Format(time.RFC3339Nano), which)
}

// place is what tells points apart.
type place struct {
	measure                 *protocols.Measure
	device, source, variant string
	time                    int64
}

// window reads the points of [start, stop) and makes readings of them.
func (h *history) window(ctx context.Context, start, stop time.Time) ([]*protocols.Reading, error) {
	found := map[place]*protocols.Reading{}
	text := h.text(start, stop) + ` |> drop(columns: ["_start", "_stop"])`
	err := h.client.rows(ctx, text, func(row *query.FluxRecord) error {
		at := placeOf(row)
		if at.measure == nil {
			return nil // somebody else's, in the same bucket
		}
		r := found[at]
		if r == nil {
			r = h.begin(at)
			found[at] = r
		}
		return set(r, row.Field(), row.Value())
	})
	if err != nil {
		return nil, err
	}
	readings := make([]*protocols.Reading, 0, len(found))
	for _, r := range found {
		if r.ID != "" && !r.Time.Before(h.from) && r.Time.Before(h.to) {
			readings = append(readings, r)
		}
	}
	slices.SortFunc(readings, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return readings, nil
}

func placeOf(row *query.FluxRecord) place {
	tag := func(name string) string {
		value, ok := row.ValueByKey(name).(string)
		if !ok {
			return ""
		}
		return value
	}
	return place{
		measure: protocols.MeasureByID(row.Measurement()),
		device:  tag("device"), source: tag("source"), variant: tag("variant"),
		time: row.Time().UnixNano(),
	}
}

func (h *history) begin(at place) *protocols.Reading {
	r := &protocols.Reading{
		Device:  at.device,
		Patient: h.patient,
		Time:    time.Unix(0, at.time).UTC().Truncate(time.Millisecond),
		Measure: at.measure,
		Variant: uint8(at.measure.Variant(at.variant)),
		Values:  make([]protocols.Value, len(at.measure.Components)),
		Battery: -1,
	}
	r.Source, _ = protocols.ParseSource(at.source) // a device's where it is not told
	for i := range r.Values {
		r.Values[i] = protocols.Missing
	}
	return r
}

// set puts one field of a point into its reading. Fields that are not known
// are left to whoever wrote them.
func set(r *protocols.Reading, field string, value any) error {
	if i := r.Measure.Component(field); i >= 0 {
		return setNumber(field, value, func(v protocols.Value) { r.Values[i] = v })
	}
	switch field {
	case fieldBattery:
		return setNumber(field, value, func(v protocols.Value) { r.Battery = int(v / 1000) })
	case fieldSubMS:
		return setNumber(field, value, func(v protocols.Value) { r.Time = r.Time.Add(time.Duration(v / 1000)) })
	case fieldDayOnly:
		r.DayOnly = value == true
	case fieldID:
		return setText(field, value, func(s string) error { r.ID = s; return nil })
	case fieldFlags:
		return setText(field, value, func(s string) error { return json.Unmarshal([]byte(s), &r.Flags) })
	case fieldContext:
		return setText(field, value, func(s string) error { return json.Unmarshal([]byte(s), &r.Context) })
	}
	return nil
}

func setNumber(field string, value any, assign func(protocols.Value)) error {
	number, ok := value.(float64)
	if ok {
		var v protocols.Value
		if v, ok = protocols.Of(number); ok {
			assign(v)
			return nil
		}
	}
	return fmt.Errorf("the field %s of a point is not a number that Vigie wrote", field)
}

func setText(field string, value any, assign func(string) error) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("the field %s of a point is not a text that Vigie wrote", field)
	}
	return assign(text)
}

// rows runs a query and calls each with every row of its answer.
func (c *Client) rows(ctx context.Context, text string, each func(*query.FluxRecord) error) error {
	answer, err := c.query.Query(ctx, text)
	if err != nil {
		return err
	}
	for answer.Next() {
		if err := each(answer.Record()); err != nil {
			return errors.Join(err, answer.Close())
		}
	}
	return errors.Join(answer.Err(), answer.Close())
}

// quote writes a string of Flux.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}
