package sqlite

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// cohortDay keeps one day of 1,000 patients: 100 with a glucose sensor (a reading
// every 5 minutes), 900 who measure themselves five times. That is 33,300
// readings, kept as they would come, in batches.
func cohortDay(b *testing.B, s *Store, day int) int {
	var batch []*protocols.Reading
	total := 0
	flush := func() {
		err := s.Update(b.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep(batch, noon.AddDate(0, 0, day))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		total += len(batch)
		batch = batch[:0]
	}
	pressure, glucose := protocols.MeasureByID("blood-pressure"), protocols.MeasureByID("glucose")
	for step := range 288 {
		at := noon.AddDate(0, 0, day).Add(time.Duration(step) * 5 * time.Minute)
		for patient := range 1000 {
			r := &protocols.Reading{ID: uuid7(at), Patient: fmt.Sprint("patient-", patient), Device: fmt.Sprint("device-", patient), Time: at.Add(time.Duration(patient) * 200 * time.Millisecond), Battery: 80}
			switch {
			case patient < 100:
				r.Measure, r.Variant, r.Values = glucose, 2, []protocols.Value{protocols.Value(80_000 + step*300)}
			case step%57 == patient%57 && step < 285:
				r.Measure, r.Values = pressure, []protocols.Value{142_000, 91_000, protocols.Missing, 72_000}
			default:
				continue
			}
			batch = append(batch, r)
		}
		if len(batch) >= 1000 {
			flush()
		}
	}
	flush()
	return total
}

// uuid7 is an id as most devices make them.
func uuid7(at time.Time) string {
	var id [16]byte
	rand.Read(id[:])
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|7<<12|uint64(id[7]))
	return spellUUID(id[:])
}

// BenchmarkSize keeps thirty days of 1,000 patients and reports what a reading
// takes on the disk, once with the journal and once when it was pruned.
func BenchmarkSize(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "vigie.db")
		s := open(b, path, Options{})
		total := 0
		for day := range 30 {
			total += cohortDay(b, s, day)
		}
		size := func() float64 {
			if err := execute(s.conn, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			return float64(info.Size())
		}
		b.ReportMetric(size()/float64(total), "B/reading")
		if _, err := s.Prune(b.Context(), ingest.Retention{Journal: noon.AddDate(1, 0, 0)}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(size()/float64(total), "B/reading-without-journal")
		b.ReportMetric(float64(total), "readings")
	}
}

// BenchmarkHistory reads back two weeks of a glucose sensor: what it takes to
// bring the evaluation of a diabetic patient into memory.
func BenchmarkHistory(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "vigie.db"), Options{})
	for day := range 14 {
		cohortDay(b, s, day)
	}
	b.ResetTimer()
	count := 0
	for b.Loop() {
		count = 0
		err := s.History(b.Context(), "patient-7", nil, noon, noon.AddDate(0, 0, 14), func(*protocols.Reading) bool { count++; return true })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count), "readings/op")
}
