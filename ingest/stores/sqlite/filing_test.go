package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

func TestContractWhenFiledAtOnce(t *testing.T) {
	for _, size := range []int{1, 3} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) ingest.Store {
				return open(t, newFile(t), Options{Generation: size})
			})
		})
	}
}

// model is what a store should hold, kept the plain way.
type model struct{ readings []*protocols.Reading }

func (m *model) keep(batch []*protocols.Reading) (fates []string) {
	for _, r := range batch {
		fate := m.fate(r)
		fates = append(fates, fate)
		if fate == "fresh" || fate == "reused" {
			m.readings = append(m.readings, r)
		}
	}
	return fates
}

func (m *model) fate(r *protocols.Reading) string {
	used, beside, other := false, false, false
	for _, k := range m.readings {
		if k.Device != r.Device || k.ID != r.ID {
			continue
		}
		used = true
		moment, near := k.Time.Equal(r.Time), k.Time.Sub(r.Time) <= 2*time.Minute && r.Time.Sub(k.Time) <= 2*time.Minute
		if k.Measure == r.Measure && k.Values[0] == r.Values[0] && near {
			return "repeated"
		}
		other = other || moment && k.Measure == r.Measure
		beside = beside || moment && k.Measure != r.Measure
	}
	switch {
	case other:
		return "contradictory"
	case used && !beside:
		return "reused"
	}
	return "fresh"
}

func (m *model) history(patient string, measure *protocols.Measure, from, to time.Time) (list []string) {
	var found []*protocols.Reading
	for _, r := range m.readings {
		if r.Patient == patient && (measure == nil || r.Measure == measure) && !r.Time.Before(from) && r.Time.Before(to) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, canonical)
	for _, r := range found {
		list = append(list, r.Device+" "+r.ID)
	}
	return list
}

// crash copies the files as they are, as a kill leaves them, and opens the copy.
func crash(t testing.TB, path string) string {
	next := filepath.Join(t.TempDir(), "vigie.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.WriteFile(next+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return next
}

// TestFilingNeitherLosesNorDoubles holds the store to the model through batches,
// repetitions, transactions that fail, and kills, while readings wander from the
// journal into blocks.
func TestFilingNeitherLosesNorDoubles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		options := Options{Generation: rapid.IntRange(1, 40).Draw(r, "generation")}
		path := newFile(t)
		s, err := Open(path, options)
		if err != nil {
			r.Fatal(err)
		}
		defer func() { s.Close() }()
		var want model
		measures := []*protocols.Measure{protocols.MeasureByID("weight"), protocols.MeasureByID("temperature")}
		batch := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) *protocols.Reading {
			patient := rapid.IntRange(1, 3).Draw(r, "patient")
			return &protocols.Reading{
				ID: fmt.Sprint(rapid.OneOf(rapid.IntRange(1, 150), rapid.IntRange(1, 3)).Draw(r, "id")), Device: fmt.Sprint("d", patient), Patient: fmt.Sprint("p", patient), Battery: -1,
				Measure: rapid.SampledFrom(measures).Draw(r, "measure"), Values: []protocols.Value{rapid.SampledFrom([]protocols.Value{37000, 38000}).Draw(r, "value")},
				Time: noon.Add(time.Duration(rapid.IntRange(0, 50).Draw(r, "hours"))*time.Hour + time.Duration(rapid.IntRange(0, 3).Draw(r, "minutes"))*time.Minute +
					time.Duration(rapid.IntRange(0, 1).Draw(r, "nanos"))),
			}
		}), 1, 60)
		steps := rapid.IntRange(1, 15).Draw(r, "steps")
		for range steps {
			readings := batch.Draw(r, "batch")
			switch rapid.SampledFrom([]string{"keep", "keep", "keep", "fail", "kill"}).Draw(r, "what") {
			case "fail":
				if err := s.Update(t.Context(), func(tx ingest.Tx) error {
					_, err := tx.Keep(readings, noon)
					return errors.Join(err, errors.New("on purpose"))
				}); err == nil {
					r.Fatal("the transaction succeeded")
				}
			case "kill":
				path = crash(t, path)
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				if s, err = Open(path, options); err != nil {
					r.Fatal(err)
				}
			default:
				var fates []string
				err := s.Update(t.Context(), func(tx ingest.Tx) error {
					kept, err := tx.Keep(readings, noon)
					for _, fate := range kept {
						fates = append(fates, fate.String())
					}
					return err
				})
				if expected := want.keep(readings); err != nil || !slices.Equal(fates, expected) {
					r.Fatalf("the readings are %v, want %v (%v)", fates, expected, err)
				}
			}
			if g := s.recent.filing; g != nil {
				<-g.sorted // so that what happens does not depend on the machine
			}
			compare(r, t, s, &want, measures)
		}
	})
}

func compare(r *rapid.T, t *testing.T, s *Store, want *model, measures []*protocols.Measure) {
	from := noon.Add(time.Duration(rapid.IntRange(-1, 50).Draw(r, "from")) * time.Hour)
	for patient := range 4 {
		for _, measure := range append(measures, nil) {
			for _, end := range []time.Time{from.Add(5 * time.Hour), noon.AddDate(1, 0, 0)} {
				name := fmt.Sprint("p", patient)
				var got []string
				err := s.History(t.Context(), name, measure, from, end, func(r *protocols.Reading) bool {
					got = append(got, r.Device+" "+r.ID)
					return true
				})
				if expected := want.history(name, measure, from, end); err != nil || !slices.Equal(got, expected) {
					r.Fatalf("history of %s: %v, want %v (%v)", name, got, expected, err)
				}
			}
		}
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 100_000)
	if err != nil || len(kept) != len(want.readings) {
		r.Fatalf("the journal holds %d readings, want %d (%v)", len(kept), len(want.readings), err)
	}
}

func TestNumbersOfBlocksAreNotUsedAgain(t *testing.T) {
	s := open(t, newFile(t), Options{Generation: 1})
	fill := func(id string) {
		t.Helper()
		for i := range largestTimes {
			keep(t, s, weight(fmt.Sprint(id, i), "scale-1", "p1", noon))
		}
		if g := s.recent.filing; g != nil {
			<-g.sorted
		}
		if err := s.Update(t.Context(), func(ingest.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	fill("a")
	err := s.Write(t.Context(), func(conn *sqlite.Conn) error { return sqlitex.Execute(conn, "DELETE FROM blocks", nil) })
	if err != nil {
		t.Fatal(err)
	}
	fill("b")
	var block int64
	err = s.Read(t.Context(), func(conn *sqlite.Conn) (err error) {
		block, err = sqlitex.ResultInt64(conn.Prep("SELECT max(id) FROM blocks"))
		return err
	})
	if err != nil || block != 2 {
		t.Errorf("the second block has the number %d (%v)", block, err)
	}
}
