package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/ingest/stores/storetest"
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

func TestTheRoomOfOldReadingsAndTheirIDsIsGivenBack(t *testing.T) {
	s := filled(t, newFile(t), 200)
	before := number(t, s, "SELECT sum(length(ids)) FROM seen")
	if _, err := ingest.Forget(t.Context(), s, storetest.Mirror{History: s}, noon.AddDate(0, 0, 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), ingest.Retention{}); err != nil {
		t.Fatal(err)
	}
	if after := number(t, s, "SELECT sum(length(ids)) FROM seen"); after > before*6/10 {
		t.Errorf("ids take %d bytes after the pruning, %d before it", after, before)
	}
	if free := number(t, s, "PRAGMA freelist_count"); free != 0 {
		t.Errorf("%d pages were not given back", free)
	}
}

// filing is a store that files what it has kept as soon as it may.
type filing struct{ *Store }

func (f filing) Update(ctx context.Context, work func(ingest.Tx) error) error {
	err := f.Store.Update(ctx, work)
	if g := f.recent.filing; g != nil {
		<-g.sorted
	}
	return err
}

func TestPruningContract(t *testing.T) {
	storetest.RunPruning(t, func(t *testing.T) storetest.Pruned {
		return filing{open(t, newFile(t), Options{Generation: 10})}
	})
}

func TestWhatIsNotFiledStaysInTheJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := filled(t, path, 100)
	if _, err := s.Prune(t.Context(), ingest.Retention{Journal: noon.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{Generation: 10})
	if got := count(t, s, "p1") + count(t, s, "p2"); got != 200 {
		t.Errorf("%d readings after a restart, want 200", got)
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
	fresh := keep(t, r, weight("a5", "scale-1", "p1", noon.AddDate(0, 0, 5)), weight("later", "scale-1", "p1", noon))
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
