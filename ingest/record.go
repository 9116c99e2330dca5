package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// History gives the readings of a patient, of one measure or of all when measure
// is nil, measured in [from, to), in canonical order, until yield returns false.
type History interface {
	History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
}

// Forgotten is what a store no longer holds of a patient.
type Forgotten struct {
	Days []ForgottenDay // ordered by day, then measure
	// Unrecorded is until when readings may have been forgotten that are not in
	// Days: a version that did not record it yet has been at work. Zero when none has.
	Unrecorded time.Time
}

// ForgottenDay stands for readings of one measure and one day in UTC.
type ForgottenDay struct {
	Measure *protocols.Measure
	Day     time.Time // its beginning
	Sum     Sum       // of what InfluxDB was proven to hold
}

// DayOf is the day in UTC to which a time belongs.
func DayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Point is a reading as it stands in InfluxDB.
type Point struct {
	Reading *protocols.Reading
	Struck  bool // marked as not usable: no reading, but there
}

// Asked is what is asked of InfluxDB: the points of some patients.
type Asked struct {
	Patients []string
	Measures []*protocols.Measure // all when nil
	From, To time.Time            // [From, To)
	Hurried  bool                 // a person waits: two seconds without a sign of life are enough
}

// Beyond is where readings also go, and stay once the store has forgotten them:
// InfluxDB.
type Beyond interface {
	// Points calls yield with what is asked for, in no order. An error of yield ends
	// it and is returned.
	Points(ctx context.Context, asked Asked, yield func(Point) error) error
}

// NotWholeError is returned with an answer in which some of the past is missing.
type NotWholeError struct {
	From time.Time // from this instant on, everything is there
	Err  error     // why
}

// Error says in a sentence what is missing.
func (e *NotWholeError) Error() string {
	return fmt.Sprintf("what was measured before %s is in InfluxDB, which cannot be read whole: %v", e.From.UTC().Format(time.RFC3339), e.Err)
}

// Unwrap returns the cause.
func (e *NotWholeError) Unwrap() error { return e.Err }

// Differs reports whether InfluxDB does answer, but does not hold all that it held.
func (e *NotWholeError) Differs() bool { return errors.Is(e.Err, ErrDiffers) }

// WholeFrom is the instant from which everything is there.
func (e *NotWholeError) WholeFrom() time.Time { return e.From }

// Why a past is not whole, when InfluxDB does answer.
var (
	ErrNowhereElse = errors.New("no InfluxDB that could be read is configured (influx.url)")
	ErrDiffers     = errors.New("InfluxDB no longer holds what it held when the store forgot it; vigie influx compare says which days")
)

// Remembering is a store that knows what it has forgotten.
type Remembering interface {
	History
	// Forgotten returns what the store no longer holds of a patient, of one measure
	// or of all when measure is nil, measured on the days of [from, to).
	Forgotten(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) (Forgotten, error)
}

// Record is the one history of what was kept. It is read from the store; InfluxDB is
// read as well where the store has forgotten something, and only there.
type Record struct {
	Store  Remembering
	Beyond Beyond // nil where readings go nowhere else
}

var _ History = (*Record)(nil)

// History is History.History. With a *NotWholeError it has given what there is.
func (r *Record) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	forgotten, err := r.Store.Forgotten(ctx, patient, measure, from, to)
	if err != nil {
		return fmt.Errorf("see what the store has forgotten: %w", err)
	}
	p := past{record: r, patient: patient, measure: measure, yield: yield}
	if err := p.all(ctx, windows(forgotten, from, to)); err != nil || p.ended {
		return err
	}
	if p.why != nil {
		return p.broken()
	}
	return r.unchanged(ctx, forgotten, patient, measure, from, to)
}

// errMeanwhile is why a past is not whole of which something was forgotten while it
// was read.
var errMeanwhile = errors.New("the store forgot some of it while it was read; ask again")

// unchanged sees whether what the store had forgotten before it was read is what it
// has forgotten now.
func (r *Record) unchanged(ctx context.Context, before Forgotten, patient string, measure *protocols.Measure, from, to time.Time) error {
	now, err := r.Store.Forgotten(ctx, patient, measure, from, to)
	if err != nil {
		return fmt.Errorf("see what the store has forgotten: %w", err)
	}
	if slices.EqualFunc(before.Days, now.Days, func(a, b ForgottenDay) bool { return a.Measure == b.Measure && a.Day.Equal(b.Day) && a.Sum == b.Sum }) {
		return nil
	}
	return &NotWholeError{From: lastOf(before, now), Err: errMeanwhile}
}

// Whole returns nil when History would give everything, and the same
// *NotWholeError as History otherwise. It reads only what the store has forgotten.
func (r *Record) Whole(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) error {
	forgotten, err := r.Store.Forgotten(ctx, patient, measure, from, to)
	if err != nil {
		return fmt.Errorf("see what the store has forgotten: %w", err)
	}
	p := past{record: r, patient: patient, measure: measure, yield: func(*protocols.Reading) bool { return true }}
	beyond := slices.DeleteFunc(windows(forgotten, from, to), func(w window) bool { return !w.beyond })
	if err := p.all(ctx, beyond); err != nil {
		return err
	}
	return p.broken()
}

// lastOf is the end of the last day of which something was forgotten.
func lastOf(all ...Forgotten) (end time.Time) {
	for _, f := range all {
		for _, d := range f.Days {
			end = latest(end, d.Day.Add(24*time.Hour))
		}
	}
	return end
}

// window is a part of the time asked for.
type window struct {
	from, to time.Time
	beyond   bool // InfluxDB is read as well
	days     []ForgottenDay
	before   time.Time // of Forgotten.Unrecorded
}

// measures are those of which something was forgotten; nil where that is not recorded.
func (w *window) measures() (all []*protocols.Measure) {
	if w.from.Before(w.before) {
		return nil
	}
	for _, d := range w.days {
		if !slices.Contains(all, d.Measure) {
			all = append(all, d.Measure)
		}
	}
	return all
}

// A window that is read from InfluxDB holds about so many readings, and goes over
// so long a time in which nothing was forgotten.
const (
	windowReadings = 10_000
	windowGap      = 31 * 24 * time.Hour
)

// windows cuts [from, to) where the store alone has to be read, and where InfluxDB
// does too.
func windows(f Forgotten, from, to time.Time) (all []window) {
	const day = 24 * time.Hour
	at := from
	add := func(w window) {
		w.from, w.to = latest(w.from, at), earliest(w.to, to)
		if !w.from.Before(w.to) {
			return
		}
		w.days = slices.DeleteFunc(slices.Clone(w.days), func(d ForgottenDay) bool {
			return !d.Day.Before(w.to) || !d.Day.Add(day).After(w.from)
		})
		if w.from.After(at) {
			all = append(all, window{from: at, to: w.from})
		}
		all, at = append(all, w), w.to
	}
	for rest := f.Days; len(rest) > 0; {
		n, count := 1, rest[0].Sum.Readings
		for n < len(rest) && (rest[n].Day.Equal(rest[n-1].Day) ||
			count+rest[n].Sum.Readings <= windowReadings && rest[n].Day.Sub(rest[n-1].Day) <= windowGap) {
			count += rest[n].Sum.Readings
			n++
		}
		add(window{from: rest[0].Day, to: rest[n-1].Day.Add(day), beyond: true, days: rest[:n]})
		rest = rest[n:]
	}
	add(window{from: at, to: to})
	return unrecorded(all, f.Unrecorded)
}

// unrecorded has InfluxDB read as well for what was measured before a time.
func unrecorded(all []window, before time.Time) (cut []window) {
	for _, w := range all {
		if !w.from.Before(before) {
			cut = append(cut, w)
			continue
		}
		if !w.beyond && before.Before(w.to) {
			cut = append(cut, window{from: w.from, to: before, beyond: true, before: before}, window{from: before, to: w.to})
			continue
		}
		w.beyond, w.before = true, before
		cut = append(cut, w)
	}
	return cut
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// past is one reading-back.
type past struct {
	record  *Record
	patient string
	measure *protocols.Measure
	yield   func(*protocols.Reading) bool

	ended     bool      // yield wants no more
	why       error     // why something is missing
	wholeFrom time.Time // the end of the last window in which something is missing
}

func (p *past) broken() error {
	if p.why == nil {
		return nil
	}
	return &NotWholeError{From: p.wholeFrom, Err: p.why}
}

// all gives windows, one after the other. While one that InfluxDB was asked for is
// given, the next such one is read, and no more than that: memory stays bounded.
func (p *past) all(ctx context.Context, windows []window) error {
	ctx, cancel := context.WithCancel(ctx)
	ahead := make(chan whole)
	go func() {
		defer close(ahead)
		p.readAhead(ctx, windows, ahead)
	}()
	defer func() {
		cancel()
		for range ahead { // until it has ended
		}
	}()
	for _, w := range windows {
		if err := p.window(ctx, w, ahead); err != nil || p.ended {
			return err
		}
	}
	return nil
}

// whole is what store and InfluxDB hold of a window.
type whole struct {
	readings []*protocols.Reading // in canonical order
	why      error                // why something is missing; what there is is there
	err      error                // of the store
}

func (p *past) window(ctx context.Context, w window, ahead <-chan whole) error {
	if !w.beyond {
		return p.record.Store.History(ctx, p.patient, p.measure, w.from, w.to, p.give)
	}
	read, ok := <-ahead
	if !ok {
		return ctx.Err()
	}
	if read.err != nil {
		return read.err
	}
	if read.why != nil {
		p.why, p.wholeFrom = read.why, w.to
	}
	for _, r := range read.readings {
		if r.Time.Before(w.from) || !r.Time.Before(w.to) {
			continue
		}
		if !p.give(r) {
			return nil
		}
	}
	return nil
}

// readAhead reads the windows for which InfluxDB is asked, until one cannot be read
// from the store. An InfluxDB that has not answered is not asked again.
func (p *past) readAhead(ctx context.Context, windows []window, to chan<- whole) {
	var away error
	for _, w := range windows {
		if !w.beyond {
			continue
		}
		read := p.read(ctx, w, &away)
		select {
		case to <- read:
		case <-ctx.Done():
			return
		}
		if read.err != nil {
			return
		}
	}
}

func (p *past) read(ctx context.Context, w window, away *error) (read whole) {
	// Whole days: what was proven is a day's.
	known := map[moment]bool{}
	read.err = p.record.Store.History(ctx, p.patient, p.measure, DayOf(w.from), DayOf(w.to.Add(-1)).Add(24*time.Hour), func(r *protocols.Reading) bool {
		read.readings, known[momentOf(r)] = append(read.readings, r), true
		return true
	})
	if read.err != nil {
		return read
	}
	more, err := p.beyond(ctx, w, known, away)
	if read.err = ctx.Err(); read.err != nil {
		return read
	}
	read.why = err
	read.readings = append(read.readings, more...)
	slices.SortFunc(read.readings, canonical)
	return read
}

func (p *past) give(r *protocols.Reading) bool {
	p.ended = p.ended || !p.yield(r)
	return !p.ended
}

// measureDay is what a sum was proven of.
type measureDay struct {
	measure int // Measure.Ordinal
	day     int64
}

func measureDayOf(r *protocols.Reading) measureDay {
	return measureDay{r.Measure.Ordinal(), DayOf(r.Time).Unix()}
}

// beyond reads from InfluxDB what the store has forgotten, and holds it against
// what was proven then. It returns what there is in any case.
func (p *past) beyond(ctx context.Context, w window, known map[moment]bool, away *error) (more []*protocols.Reading, err error) {
	if p.record.Beyond == nil {
		return nil, ErrNowhereElse
	}
	if *away != nil {
		return nil, *away
	}
	want, got := map[measureDay]Sum{}, map[measureDay]Sum{}
	for _, d := range w.days {
		want[measureDay{d.Measure.Ordinal(), d.Day.Unix()}] = d.Sum
	}
	asked := Asked{Patients: []string{p.patient}, From: DayOf(w.from), To: DayOf(w.to.Add(-1)).Add(24 * time.Hour), Hurried: true}
	asked.Measures = w.measures()
	if p.measure != nil {
		asked.Measures = []*protocols.Measure{p.measure}
	}
	err = p.record.Beyond.Points(ctx, asked, func(point Point) error {
		r := point.Reading
		at := measureDayOf(r)
		_, forgotten := want[at]
		if known[momentOf(r)] || !forgotten && !r.Time.Before(w.before) {
			return nil
		}
		if forgotten {
			sum := got[at]
			sum.Add(r)
			got[at] = sum
		}
		if !point.Struck {
			more = append(more, r)
		}
		return nil
	})
	if err != nil {
		*away = err
		return nil, err
	}
	for at, sum := range want {
		if got[at] != sum {
			return more, ErrDiffers
		}
	}
	return more, nil
}

// moment is what names a reading.
type moment struct {
	device, id string
	measure    int
	time       int64
}

func momentOf(r *protocols.Reading) moment {
	return moment{r.Device, r.ID, r.Measure.Ordinal(), r.Time.UnixNano()}
}

// canonical is the order of protocols.Reading.Before for sorting.
func canonical(a, b *protocols.Reading) int {
	if a.Before(b) {
		return -1
	}
	if b.Before(a) {
		return 1
	}
	return 0
}
