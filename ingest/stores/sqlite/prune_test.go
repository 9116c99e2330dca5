package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// filled is a store with so many daily weights of two patients, all of them
// filed but the last ones.
func filled(t *testing.T, path string, count int) *Store {
	t.Helper()
	s := open(t, path, Options{Generation: 10})
	for day := range count {
		at := noon.AddDate(0, 0, day)
		keep(t, s, weight(fmt.Sprint("a", day), "scale-1", "p1", at), weight(fmt.Sprintf("018f6f2c-5b1e-4cc3-9d2f-%012d", day*7919%1000), "scale-2", "p2", at))
		if g := s.recent.filing; g != nil {
			<-g.sorted
		}
	}
	return s
}

func count(t *testing.T, s *Store, patient string) (n int) {
	t.Helper()
	err := s.History(t.Context(), patient, nil, time.Time{}, noon.AddDate(9, 0, 0), func(*protocols.Reading) bool { n++; return true })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func number(t *testing.T, s *Store, sql string) (n int64) {
	t.Helper()
	err := s.Read(t.Context(), func(conn *sqlite.Conn) (err error) {
		stmt, err := conn.Prepare(sql)
		if err != nil {
			return err
		}
		n, err = sqlitex.ResultInt64(stmt)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOldReadingsAreForgottenWithTheirIDs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := filled(t, path, 200)
	before := number(t, s, "SELECT sum(length(ids)) FROM seen")
	pruned, err := s.Prune(t.Context(), ingest.Retention{Readings: noon.AddDate(0, 0, 100)})
	if err != nil {
		t.Fatal(err)
	}
	for _, patient := range []string{"p1", "p2"} {
		if left := count(t, s, patient); left < 100 || left > 110 {
			t.Errorf("%d readings of %s are left, want the 100 that are young enough and the rest of a block", left, patient)
		}
	}
	if left := count(t, s, "p1") + count(t, s, "p2"); left+pruned.Readings != 400 {
		t.Errorf("%d are left and %d were forgotten, want 400 together", left, pruned.Readings)
	}
	if after := number(t, s, "SELECT sum(length(ids)) FROM seen"); after > before*6/10 {
		t.Errorf("ids take %d bytes after the pruning, %d before it", after, before)
	}
	if free := number(t, s, "PRAGMA freelist_count"); free != 0 {
		t.Errorf("%d pages were not given back", free)
	}
	fresh := keep(t, s, weight("a150", "scale-1", "p1", noon), weight("a10", "scale-1", "p1", noon), weight("018f6f2c-5b1e-4cc3-9d2f-000000000850", "scale-2", "p2", noon))
	if fmt.Sprint(fresh) != "[false true false]" {
		t.Errorf("fresh %v: what is kept is known, what was forgotten is new", fresh)
	}
	again, err := s.Prune(t.Context(), ingest.Retention{})
	if err != nil || again != (ingest.Pruned{}) {
		t.Errorf("pruning without limits forgot %+v (%v)", again, err)
	}
}

func TestJournalIsPrunedBehindItsReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := filled(t, path, 100)
	late := ingest.Retention{Journal: noon.Add(time.Hour)}
	if err := s.SetCursor(t.Context(), "influx", 50); err != nil {
		t.Fatal(err)
	}
	pruned, err := s.Prune(t.Context(), late)
	if err != nil || pruned.Journal != 50 {
		t.Fatalf("forgot %+v (%v), want the 50 that the reader has passed", pruned, err)
	}
	kept, err := s.ReadingsAfter(t.Context(), 50, 1000)
	if err != nil || len(kept) != 150 || kept[0].Seq != 51 {
		t.Fatalf("the reader finds %d readings (%v)", len(kept), err)
	}
	if err := s.SetCursor(t.Context(), "influx", 200); err != nil {
		t.Fatal(err)
	}
	if pruned, err = s.Prune(t.Context(), ingest.Retention{Journal: noon}); err != nil || pruned.Journal != 0 {
		t.Errorf("forgot %+v of what is young (%v)", pruned, err)
	}
	if _, err = s.Prune(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{Generation: 10})
	if got := count(t, s, "p1") + count(t, s, "p2"); got != 200 {
		t.Errorf("%d readings after a restart, want 200: what is not filed must stay in the journal", got)
	}
	keep(t, s, weight("next", "scale-1", "p1", noon))
	kept, err = s.ReadingsAfter(t.Context(), 200, 10)
	if err != nil || len(kept) != 1 || kept[0].Seq != 201 {
		t.Errorf("the journal goes on with %+v (%v), want 201", kept, err)
	}
}

func TestOldSetAsidesAreForgotten(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "vigie.db"), Options{})
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		var records []ingest.SetAsideRecord
		for day := range 10 {
			records = append(records, ingest.SetAsideRecord{Device: "d", Received: noon.AddDate(0, 0, day), Payload: []byte(fmt.Sprint(day)),
				Reasons: []protocols.Reason{{Code: protocols.Malformed}}})
		}
		_, err := tx.SetAside(records)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pruned, err := s.Prune(t.Context(), ingest.Retention{SetAsides: noon.AddDate(0, 0, 4)})
	if err != nil || pruned.SetAsides != 4 {
		t.Errorf("forgot %+v (%v), want 4", pruned, err)
	}
	left, err := s.SetAsides(t.Context(), ingest.SetAsideFilter{})
	if err != nil || len(left) != 6 {
		t.Errorf("%d are left (%v)", len(left), err)
	}
}

func TestBackupHoldsWhatWasCommitted(t *testing.T) {
	folder := t.TempDir()
	s := filled(t, filepath.Join(folder, "vigie.db"), 60)
	backup := filepath.Join(folder, "backup.db")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	keep(t, s, weight("later", "scale-1", "p1", noon))
	if err := s.Backup(t.Context(), backup); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a backup over another: %v", err)
	}
	restored := filepath.Join(folder, "restored.db")
	if err := Restore(backup, restored); err != nil {
		t.Fatal(err)
	}
	if err := Restore(backup, restored); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a restore over a store: %v", err)
	}
	r := open(t, restored, Options{Generation: 10})
	if got := count(t, r, "p1") + count(t, r, "p2"); got != 120 {
		t.Errorf("%d readings were restored, want 120", got)
	}
	fresh := keep(t, r, weight("a5", "scale-1", "p1", noon), weight("later", "scale-1", "p1", noon))
	if fmt.Sprint(fresh) != "[false true]" {
		t.Errorf("fresh in the restored store: %v", fresh)
	}
}

func TestDamagedBackupIsRefused(t *testing.T) {
	folder := t.TempDir()
	s := filled(t, filepath.Join(folder, "vigie.db"), 60)
	backup := filepath.Join(folder, "backup.db")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i += 64 {
		data[i] ^= 0xff
	}
	if err := os.WriteFile(backup, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Restore(backup, filepath.Join(folder, "restored.db")); err == nil {
		t.Error("a damaged backup was restored")
	}
	if _, err := os.Stat(filepath.Join(folder, "restored.db")); err == nil {
		t.Error("something was left behind")
	}
}
