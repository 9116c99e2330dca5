package ingest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/protocols"
)

// shelf is a list of readings that can be read as a history.
type shelf []*protocols.Reading

func (s shelf) History(_ context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	sorted := slices.Clone(s)
	slices.SortFunc(sorted, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	for _, r := range sorted {
		if r.Patient == patient && (measure == nil || r.Measure == measure) && !r.Time.Before(from) && r.Time.Before(to) && !yield(r) {
			return nil
		}
	}
	return nil
}

// forgetful is a store that has forgotten some of what it kept.
type forgetful struct {
	shelf
	gone       shelf
	unrecorded time.Time
}

func (f forgetful) Forgotten(_ context.Context, patient string, measure *protocols.Measure, _, _ time.Time) (ingest.Forgotten, error) {
	days := map[string]*ingest.ForgottenDay{}
	for _, r := range f.gone {
		if r.Patient != patient || measure != nil && r.Measure != measure {
			continue
		}
		key := ingest.DayOf(r.Time).Format(time.RFC3339) + r.Measure.ID
		if days[key] == nil {
			days[key] = &ingest.ForgottenDay{Measure: r.Measure, Day: ingest.DayOf(r.Time)}
		}
		days[key].Sum.Add(r)
	}
	forgotten := ingest.Forgotten{Unrecorded: f.unrecorded}
	for _, d := range days {
		forgotten.Days = append(forgotten.Days, *d)
	}
	slices.SortFunc(forgotten.Days, func(a, b ingest.ForgottenDay) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Measure.ID, b.Measure.ID))
	})
	return forgotten, nil
}

// elsewhere is an InfluxDB; asked counts how often it is asked.
type elsewhere struct {
	points []ingest.Point
	err    error
	asked  *int
}

func (e elsewhere) Points(_ context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	*e.asked++
	if e.err != nil {
		return e.err
	}
	for _, p := range e.points {
		if slices.Contains(asked.Patients, p.Reading.Patient) && (asked.Measures == nil || slices.Contains(asked.Measures, p.Reading.Measure)) &&
			!p.Reading.Time.Before(asked.From) && p.Reading.Time.Before(asked.To) {
			if err := yield(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func holding(asked *int, all ...shelf) elsewhere {
	e := elsewhere{asked: asked}
	for _, s := range all {
		for _, r := range s {
			e.points = append(e.points, ingest.Point{Reading: r})
		}
	}
	return e
}

var spring = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func kilos(id string, hours int) *protocols.Reading {
	return &protocols.Reading{ID: id, Device: "scale-1", Patient: "p-1", Time: spring.Add(time.Duration(hours) * time.Hour), Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{80_000}, Battery: -1}
}

// ids are what a record gives, and how it ends.
func given(record *ingest.Record, measure *protocols.Measure, from, to time.Time) (ids []string, err error) {
	ids = []string{}
	err = record.History(context.Background(), "p-1", measure, from, to, func(r *protocols.Reading) bool {
		ids = append(ids, r.ID)
		return true
	})
	return ids, err
}

func TestTheRecordIsReadFromTheStoreAlone(t *testing.T) {
	asked := 0
	record := ingest.Record{Store: forgetful{shelf: shelf{kilos("a", 1), kilos("b", 30)}}, Beyond: elsewhere{asked: &asked, err: errors.New("away")}}
	ids, err := given(&record, nil, spring, spring.AddDate(1, 0, 0))
	if err != nil || !slices.Equal(ids, []string{"a", "b"}) || asked != 0 {
		t.Errorf("%v, %v, and InfluxDB was asked %d times", ids, err, asked)
	}
}

func TestWhatTheStoreHasForgottenIsReadFromInfluxDB(t *testing.T) {
	asked := 0
	gone := shelf{kilos("a", 1), kilos("c", 40)}
	kept := shelf{kilos("b", 30), kilos("d", 2000)}
	foreign := kilos("foreign", 1990) // on a day of which nothing was forgotten
	struck := kilos("a", 1)
	for name, c := range map[string]struct {
		beyond   elsewhere
		want     []string
		from     time.Time // from which all is there; zero for a whole answer
		because  error
		withOnly *protocols.Measure
	}{
		"both hold what they should":    {beyond: holding(&asked, gone, kept, shelf{foreign}), want: []string{"a", "b", "c", "d"}},
		"a point is missing":            {beyond: holding(&asked, gone[:1]), want: []string{"a", "b", "d"}, from: spring.AddDate(0, 0, 2), because: ingest.ErrDiffers},
		"a point has another value":     {beyond: holding(&asked, gone[:1], shelf{heavier(gone[1])}), want: []string{"a", "b", "c", "d"}, from: spring.AddDate(0, 0, 2), because: ingest.ErrDiffers},
		"a point was struck out":        {beyond: elsewhere{asked: &asked, points: []ingest.Point{{Reading: struck, Struck: true}, {Reading: gone[1]}}}, want: []string{"b", "c", "d"}},
		"InfluxDB does not answer":      {beyond: elsewhere{asked: &asked, err: errAway}, want: []string{"b", "d"}, from: spring.AddDate(0, 0, 2), because: errAway},
		"nothing was forgotten of that": {beyond: elsewhere{asked: &asked, err: errAway}, want: []string{}, withOnly: protocols.MeasureByID("glucose")},
	} {
		t.Run(name, func(t *testing.T) {
			record := ingest.Record{Store: forgetful{shelf: kept, gone: gone}, Beyond: c.beyond}
			ids, err := given(&record, c.withOnly, spring, spring.AddDate(1, 0, 0))
			if !slices.Equal(ids, c.want) {
				t.Errorf("got %v, want %v", ids, c.want)
			}
			whole := record.Whole(t.Context(), "p-1", c.withOnly, spring, spring.AddDate(1, 0, 0))
			for _, err := range []error{err, whole} {
				var partial *ingest.NotWholeError
				switch {
				case c.from.IsZero():
					if err != nil {
						t.Errorf("a whole answer ends in %v", err)
					}
				case !errors.As(err, &partial) || !partial.From.Equal(c.from) || !errors.Is(err, c.because):
					t.Errorf("it ends in %v, want that all is there from %v on", err, c.from)
				}
			}
		})
	}
}

var errAway = errors.New("away")

func heavier(r *protocols.Reading) *protocols.Reading {
	other := *r
	other.Values = []protocols.Value{r.Values[0] + 100}
	return &other
}

func TestWithoutInfluxDBWhatWasForgottenIsMissed(t *testing.T) {
	record := ingest.Record{Store: forgetful{shelf: shelf{kilos("b", 30)}, gone: shelf{kilos("a", 1)}}}
	ids, err := given(&record, nil, spring, spring.AddDate(1, 0, 0))
	if !errors.Is(err, ingest.ErrNowhereElse) || !slices.Equal(ids, []string{"b"}) {
		t.Errorf("%v, %v", ids, err)
	}
	if ids, err := given(&record, nil, spring.AddDate(0, 0, 1), spring.AddDate(1, 0, 0)); err != nil || len(ids) != 1 {
		t.Errorf("what was forgotten was not asked for: %v, %v", ids, err)
	}
}

func TestWhatWasForgottenUnrecordedIsReadFromInfluxDBToo(t *testing.T) {
	asked := 0
	store := forgetful{shelf: shelf{kilos("b", 30)}, unrecorded: spring.Add(20 * time.Hour)}
	record := ingest.Record{Store: store, Beyond: holding(&asked, shelf{kilos("a", 1), kilos("x", 25), kilos("b", 30)})}
	if ids, err := given(&record, nil, time.Unix(0, 0), spring.AddDate(100, 0, 0)); err != nil || !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("%v, %v", ids, err)
	}
}

// Whatever part of a history is forgotten, and whatever of it is asked for, the
// answer is that of a store that forgets nothing.
func TestTheRecordIsTheSameHoweverMuchIsForgotten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all, kept, gone shelf
		for i := range rapid.IntRange(0, 30).Draw(rt, "readings") {
			r := kilos(fmt.Sprint("r", i), rapid.IntRange(0, 24*120).Draw(rt, "hour"))
			r.Measure = rapid.SampledFrom([]*protocols.Measure{protocols.MeasureByID("weight"), protocols.MeasureByID("temperature")}).Draw(rt, "measure")
			all = append(all, r)
			if rapid.Bool().Draw(rt, "forgotten") {
				gone = append(gone, r)
			} else {
				kept = append(kept, r)
			}
		}
		asked := 0
		beyond := holding(&asked, gone)
		for _, r := range kept {
			if rapid.Bool().Draw(rt, "there too") {
				beyond.points = append(beyond.points, ingest.Point{Reading: r})
			}
		}
		var measure *protocols.Measure
		if rapid.Bool().Draw(rt, "one measure") {
			measure = protocols.MeasureByID("weight")
		}
		from := spring.Add(time.Duration(rapid.IntRange(-50, 3000).Draw(rt, "from")) * time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "for")) * time.Hour)
		want := []string{}
		if err := all.History(context.Background(), "p-1", measure, from, to, func(r *protocols.Reading) bool { want = append(want, r.ID); return true }); err != nil {
			rt.Fatal(err)
		}
		record := ingest.Record{Store: forgetful{shelf: kept, gone: gone}, Beyond: beyond}
		got, err := given(&record, measure, from, to)
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %v, %v\nwant %v", got, err, want)
		}
	})
}

// waiting is an InfluxDB that tells which parts it is asked for.
type waiting struct {
	elsewhere
	parts chan ingest.Asked
}

func (w waiting) Points(ctx context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	w.parts <- asked
	return w.elsewhere.Points(ctx, asked, yield)
}

// While one part of the past is written, InfluxDB already looks for the next, and for
// no more than that: a year would not fit into the memory of a small machine.
func TestTheNextPartIsAskedForWhileOneIsGiven(t *testing.T) {
	gone := shelf{kilos("a", 0), kilos("b", 2000), kilos("c", 4000), kilos("d", 6000)}
	asked := 0
	beyond := waiting{elsewhere: holding(&asked, gone), parts: make(chan ingest.Asked, len(gone))}
	record := ingest.Record{Store: forgetful{gone: gone}, Beyond: beyond}
	var ids []string
	err := record.History(t.Context(), "p-1", nil, spring, spring.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		if ids = append(ids, r.ID); len(ids) > 1 {
			return true
		}
		for range 2 {
			select {
			case <-beyond.parts:
			case <-time.After(10 * time.Second):
				t.Error("the next part is not asked for before this one is written")
				return false
			}
		}
		if len(beyond.parts) > 0 {
			t.Error("more than one part is read ahead")
		}
		return true
	})
	if err != nil || !slices.Equal(ids, []string{"a", "b", "c", "d"}) {
		t.Errorf("%v, %v", ids, err)
	}
}
