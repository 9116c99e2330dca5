package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

var _ ingest.Beyond = (*Client)(nil)

// hurried is how long a person waits for a sign of life.
const hurried = 2 * time.Second

// errAway is told at once while the server is known to be away.
var errAway = errors.New("it did not answer a moment ago")

// Points is ingest.Beyond.Points. A server that is known to be away is not asked
// for who is in a hurry.
func (c *Client) Points(ctx context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	if asked.Hurried && c.away() {
		return &Fault{Kind: NotReached, Err: errAway}
	}
	ctx, alive, end := watched(ctx, asked.Hurried)
	defer end()
	err := c.points(ctx, asked, alive, yield)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSilent) {
		err = &Fault{Kind: NotReached, Err: errSilent}
	}
	c.note(err)
	return err
}

// errSilent ends what a person waits for.
var errSilent = errors.New("no sign of life for two seconds")

// watched ends what is done for a person once there was no sign of life for two
// seconds; alive gives one.
func watched(ctx context.Context, hurry bool) (_ context.Context, alive, end func()) {
	if !hurry {
		return ctx, func() {}, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(hurried, func() { cancel(errSilent) })
	return ctx, func() { timer.Reset(hurried) }, func() { timer.Stop(); cancel(nil) }
}

func (c *Client) points(ctx context.Context, asked ingest.Asked, alive func(), yield func(ingest.Point) error) error {
	g, err := c.generation(ctx)
	if err != nil {
		return err
	}
	// A point lies somewhere in the millisecond of its reading.
	wide := asked
	wide.From, wide.To = bounded(asked.From).Truncate(time.Millisecond), bounded(asked.To).Add(time.Millisecond-1).Truncate(time.Millisecond)
	if !wide.From.Before(wide.To) || len(asked.Patients) == 0 {
		return nil
	}
	found := gathered{}
	switch g {
	case One:
		err = c.influxRows(ctx, wide, found, alive)
	case Two:
		err = c.fluxRows(ctx, wide, found, alive)
	default:
		err = &Fault{Kind: NotRead}
	}
	if err != nil {
		return err
	}
	for _, of := range found {
		for _, p := range of.points {
			if r := p.reading; p.numbers && r.ID != "" && !r.Time.Before(asked.From) && r.Time.Before(asked.To) {
				p.limit()
				if err := yield(ingest.Point{Reading: r, Struck: p.struck}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// place is a series, whose points are told apart by their times.
type place struct {
	measure                          *protocols.Measure
	patient, device, source, variant string
}

// gathered are points on their way to readings, by their series. The words of a
// reading come into the series of its numbers.
type gathered map[place]*gatheredSeries

type gatheredSeries struct {
	place
	points map[int64]*gathering // by their time, in nanoseconds
	words  bool                 // what comes now are words
}

type gathering struct {
	reading *protocols.Reading
	high    uint64 // halves of the id
	low     uint64
	halves  int
	numbers bool // there is more than words
	struck  bool
	limits  map[string]protocols.Limit // by component
}

// limit puts the values that have a limit below or above the ends that are written.
func (p *gathering) limit() {
	r := p.reading
	for name, limit := range p.limits {
		i := r.Measure.Component(name)
		if i < 0 || r.Values[i] == protocols.Missing {
			continue
		}
		if r.Limits == nil {
			r.Limits = make([]protocols.Limit, len(r.Values))
		}
		r.Limits[i], r.Values[i] = limit, r.Measure.Components[i].Beyond(r.Values[i], limit)
	}
}

// of returns where the points of a measurement go; nil when it is not ours: that is
// left to whoever wrote it.
func (g gathered) of(measurement string, at place) *gatheredSeries {
	name, isWords := strings.CutSuffix(measurement, words)
	if at.measure = protocols.MeasureByID(name); at.measure == nil {
		return nil
	}
	s := g[at]
	if s == nil {
		s = &gatheredSeries{place: at, points: map[int64]*gathering{}}
		g[at] = s
	}
	s.words = isWords
	return s
}

// at returns the point of a time.
func (s *gatheredSeries) at(time int64) *gathering {
	p := s.points[time]
	if p == nil {
		p = &gathering{reading: begin(s.place, time)}
		s.points[time] = p
	}
	p.numbers = p.numbers || !s.words
	return p
}

func begin(at place, nanoseconds int64) *protocols.Reading {
	measure := at.measure
	r := &protocols.Reading{
		Device:  at.device,
		Patient: at.patient,
		Time:    time.Unix(0, nanoseconds).UTC().Truncate(time.Millisecond),
		Measure: measure,
		Variant: uint8(measure.Variant(at.variant)),
		Values:  make([]protocols.Value, len(measure.Components)),
		Battery: -1,
	}
	r.Source, _ = protocols.ParseSource(at.source) // a device's where it is not told
	for i := range r.Values {
		r.Values[i] = protocols.Missing
	}
	return r
}

func (p *gathering) set(field string, value any) error {
	r := p.reading
	if i := r.Measure.Component(field); i >= 0 {
		return setNumber(field, value, func(v protocols.Value) { r.Values[i] = v })
	}
	switch field {
	case fieldBattery:
		return setNumber(field, value, func(v protocols.Value) { r.Battery = int(v / 1000) })
	case fieldSubMS:
		return setNumber(field, value, func(v protocols.Value) { r.Time = r.Time.Add(time.Duration(v / 1000)) })
	case fieldDateOnly:
		return setNumber(field, value, func(v protocols.Value) { r.DayOnly = v != 0 })
	case fieldStruck:
		return setNumber(field, value, func(v protocols.Value) { p.struck = v != 0 })
	case formerDayOnly:
		r.DayOnly = value == true
	case fieldIDHigh, fieldShortIDHigh:
		return p.setHalf(field, value, &p.high)
	case fieldIDLow, fieldShortIDLow:
		return p.setHalf(field, value, &p.low)
	case fieldID:
		return setText(field, value, func(s string) error { r.ID = s; return nil })
	case fieldFlags:
		return setText(field, value, func(s string) error { return json.Unmarshal([]byte(s), &r.Flags) })
	case fieldContext:
		return setText(field, value, func(s string) error { return json.Unmarshal([]byte(s), &r.Context) })
	case fieldLimits:
		return setText(field, value, func(s string) error { return json.Unmarshal([]byte(s), &p.limits) })
	}
	return nil
}

// setHalf takes half of an id.
func (p *gathering) setHalf(field string, value any, half *uint64) error {
	n, ok := value.(int64)
	if text, isText := value.(json.Number); isText {
		var err error
		n, err = text.Int64()
		ok = err == nil
	}
	if !ok {
		return foreign(field, "a whole number")
	}
	*half = uint64(n)
	if p.halves++; p.halves < 2 {
		return nil
	}
	if field == fieldShortIDHigh || field == fieldShortIDLow {
		p.reading.ID = shortID(p.high, p.low)
		return nil
	}
	p.reading.ID = uuid(p.high, p.low)
	return nil
}

func foreign(field, kind string) error {
	return fmt.Errorf("the field %s of a point is not %s that Vigie wrote", field, kind)
}

func setNumber(field string, value any, assign func(protocols.Value)) error {
	number, ok := value.(float64)
	if text, isText := value.(json.Number); isText {
		var err error
		number, err = text.Float64()
		ok = err == nil
	}
	if ok {
		var v protocols.Value
		if v, ok = protocols.Of(number); ok {
			assign(v)
			return nil
		}
	}
	return foreign(field, "a number")
}

func setText(field string, value any, assign func(string) error) error {
	text, ok := value.(string)
	if !ok {
		return foreign(field, "a text")
	}
	if err := assign(text); err != nil {
		return foreign(field, "a text")
	}
	return nil
}

// History calls yield with the readings of a patient (of one measure, or of all when
// measure is nil) measured in [from, to), in canonical order, until yield returns
// false: all that InfluxDB holds, whatever the store does. It is for comparing the
// two; pages and commands read an ingest.Record.
//
// It goes window by window, so that memory stays bounded however long the history
// is. The windows fit themselves to how much there is.
func (c *Client) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	asked := ingest.Asked{Patients: []string{patient}}
	if measure != nil {
		asked.Measures = []*protocols.Measure{measure}
	}
	start, end, err := c.extent(ctx, asked, bounded(from), bounded(to))
	if err != nil {
		return fmt.Errorf("read history from InfluxDB: %w", err)
	}
	const few, many = 5_000, 50_000
	for width := 7 * 24 * time.Hour; start.Before(end); {
		asked.From, asked.To = start, start.Add(width)
		if asked.To.After(end) {
			asked.To = end
		}
		var readings []*protocols.Reading
		err := c.Points(ctx, asked, func(p ingest.Point) error {
			if !p.Struck {
				readings = append(readings, p.Reading)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read history from InfluxDB: %w", err)
		}
		slices.SortFunc(readings, canonical)
		for _, r := range readings {
			if !yield(r) {
				return nil
			}
		}
		start = asked.To
		switch {
		case len(readings) < few:
			width *= 2
		case len(readings) > many:
			width /= 2
		}
	}
	return nil
}

// Patients lists those of whom InfluxDB holds points, in the order of their names. The
// index of 2.x may still name one whose points were deleted.
func (c *Client) Patients(ctx context.Context) (names []string, err error) {
	g, err := c.generation(ctx)
	if err == nil {
		switch g {
		case One:
			names, err = c.influxPatients(ctx)
		case Two:
			names, err = c.fluxPatients(ctx, "")
		default:
			err = &Fault{Kind: NotRead}
		}
	}
	if c.note(err); err != nil {
		return nil, fmt.Errorf("list the patients of InfluxDB: %w", err)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func canonical(a, b *protocols.Reading) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// extent narrows a long time to where there is something.
func (c *Client) extent(ctx context.Context, asked ingest.Asked, from, to time.Time) (start, end time.Time, err error) {
	const direct = 60 * 24 * time.Hour
	if to.Sub(from) <= direct {
		return from, to, nil
	}
	g, err := c.generation(ctx)
	if err != nil {
		return from, from, err
	}
	asked.From, asked.To = from.Truncate(time.Millisecond), to
	var first, last time.Time
	take := func(t time.Time) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	switch g {
	case One:
		err = c.influxEnds(ctx, asked, take)
	case Two:
		err = c.fluxEnds(ctx, asked, take)
	default:
		err = &Fault{Kind: NotRead}
	}
	if err != nil || first.IsZero() {
		return from, from, err
	}
	start, end = first.Truncate(time.Millisecond), last.Truncate(time.Millisecond).Add(time.Millisecond)
	if start.Before(from) {
		start = from
	}
	if end.After(to) {
		end = to
	}
	return start, end, nil
}
