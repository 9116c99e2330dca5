package postgres

import (
	"testing"

	"vigie/ingest"
	"vigie/ingest/stores/storetest"
)

// TestTheDatabaseCeasesToGrow keeps and forgets as a service does that has run
// for longer than its retention: what is written takes the room of what was
// forgotten.
func TestTheDatabaseCeasesToGrow(t *testing.T) {
	const retained, daysMore, devices = 10, 15, 300
	s := open(t, database(t), Options{})
	size := func() (bytes int64) {
		t.Helper()
		// Autovacuum would come by itself, at a moment that a test cannot wait for.
		if _, err := s.pool.Exec(t.Context(), "VACUUM readings, journal, cursors"); err != nil {
			t.Fatal(err)
		}
		err := s.pool.QueryRow(t.Context(), "SELECT sum(pg_total_relation_size(name)) FROM unnest('{readings,journal,cursors}'::regclass[]) AS name").Scan(&bytes)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	var full, end int64
	readingsGone, journalGone, kept := 0, 0, 0
	for day := range retained + daysMore {
		at := noon.AddDate(0, 0, day)
		for batch := range 4 {
			readings := pressures(devices, int64(4*day+batch))
			for _, r := range readings {
				r.Time = at
			}
			err := s.Update(t.Context(), func(tx ingest.Tx) error {
				_, err := tx.Keep(readings, at)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			kept += len(readings)
		}
		if err := s.SetCursor(t.Context(), "influx", int64(kept)); err != nil {
			t.Fatal(err)
		}
		oldest := at.AddDate(0, 0, 1-retained)
		proof, err := ingest.Forget(t.Context(), s, storetest.Mirror{History: s}, oldest)
		if err != nil {
			t.Fatal(err)
		}
		pruned, err := s.Prune(t.Context(), ingest.Retention{Journal: oldest})
		if err != nil {
			t.Fatal(err)
		}
		readingsGone += proof.Forgotten
		journalGone += pruned.Journal
		if end = size(); day == retained {
			full = end
		}
	}
	if want := kept / (retained + daysMore) * daysMore; readingsGone != want || journalGone != want {
		t.Errorf("forgot %d readings and %d of the journal, want %d readings and their journal", readingsGone, journalGone, want)
	}
	t.Logf("%d readings kept, %d forgotten: %d KiB once the retention was full, %d KiB at the end", kept, readingsGone, full/1024, end/1024)
	if end > full*5/4 {
		t.Errorf("the database grew from %d to %d bytes", full, end)
	}
}
