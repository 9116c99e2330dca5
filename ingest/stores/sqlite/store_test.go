package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

func open(t testing.TB, path string, options Options) *Store {
	t.Helper()
	s, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newFile is the file of a store just begun.
func newFile(t testing.TB) string {
	t.Helper()
	return storetest.File(t, begin)
}

func begin(path string) error {
	s, err := Open(path, Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) ingest.Store {
		return open(t, newFile(t), Options{})
	})
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func weight(id, device, patient string, at time.Time) *protocols.Reading {
	return &protocols.Reading{ID: id, Device: device, Patient: patient, Time: at, Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82100}}
}

func keep(t testing.TB, s *Store, readings ...*protocols.Reading) (fresh []bool) {
	t.Helper()
	err := s.Update(t.Context(), func(tx ingest.Tx) (err error) {
		fates, err := tx.Keep(readings, noon)
		for _, fate := range fates {
			fresh = append(fresh, fate.Kept())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestWhatWasCommittedIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := open(t, path, Options{})
	keep(t, s, weight("a", "scale-1", "p1", noon), weight("b", "scale-2", "p2", noon))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	if fresh := keep(t, s, weight("a", "scale-1", "p1", noon), weight("c", "scale-1", "p1", noon)); fresh[0] || !fresh[1] {
		t.Errorf("fresh after reopening: %v, want the first known and the second new", fresh)
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 10)
	if err != nil || len(kept) != 3 || kept[2].Seq != 3 || kept[2].Reading.Device != "scale-1" || kept[1].Reading.Patient != "p2" {
		t.Errorf("journal after reopening: %+v, %v", kept, err)
	}
}

func TestNewerFileIsRefusedWithASentence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := open(t, path, Options{})
	if err := s.Migrate(t.Context(), "readings", append(schema()[0].steps, "CREATE TABLE later (x)")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{})
	if err == nil || !strings.Contains(err.Error(), "newer Vigie") || !strings.Contains(err.Error(), path) {
		t.Errorf("Open of a newer file returned %v, want a sentence with the way out", err)
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	s := open(t, newFile(t), Options{})
	if err := s.Migrate(t.Context(), "other", []string{"CREATE TABLE one (x)", "CREATE NONSENSE"}); err == nil {
		t.Fatal("a script that is not SQL was accepted")
	}
	if err := s.Migrate(t.Context(), "other", []string{"CREATE TABLE one (x)"}); err != nil {
		t.Errorf("the first step, tried again: %v", err)
	}
}

func TestFileThatCannotBeOpenedNamesTheWayOut(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "absent", "vigie.db"), Options{})
	if err == nil || !strings.Contains(err.Error(), "check that its folder exists") {
		t.Errorf("Open in an absent folder returned %v", err)
	}
}

// TestADamagedHeaderIsToldAsDamage flips bytes of the first page of a store.
func TestADamagedHeaderIsToldAsDamage(t *testing.T) {
	for name, damage := range map[string]func(file []byte){
		"its name":          func(file []byte) { copy(file, "not a store") },
		"its page size":     func(file []byte) { file[16], file[17] = 0x33, 0x33 },
		"its first table":   func(file []byte) { copy(file[100:], "\xff\xff\xff\xff\xff\xff\xff\xff") },
		"all of the header": func(file []byte) { clear(file[:100]) },
	} {
		path := filepath.Join(t.TempDir(), "vigie.db")
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damage(file)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "vigie restore") || strings.Contains(err.Error(), "room") {
			t.Errorf("%s: Open returned %v", name, err)
		}
	}
}

// refusing is a directory that fails, where it has something to say.
type refusing struct{ fail error }

func (r *refusing) Care(string) (alerts.Care, error) { return storetest.Care(), r.fail }

func TestFindingsJoinTheTransaction(t *testing.T) {
	directory := &refusing{fail: context.DeadlineExceeded}
	s := open(t, newFile(t), Options{Care: func(*Store) alerts.Directory { return directory }})
	found := func() int {
		list, err := s.Alerts(t.Context(), alerts.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	work := func(tx ingest.Tx) error {
		if _, err := tx.Keep([]*protocols.Reading{weight("a", "scale-1", "p1", noon)}, noon); err != nil {
			return err
		}
		return tx.Apply([]protocols.Finding{{Kind: protocols.Raised, Rule: "r"}})
	}
	if err := s.Update(t.Context(), work); err == nil {
		t.Fatal("Update succeeded although nobody knew who is in charge")
	}
	if n := found(); n != 0 {
		t.Errorf("%d alerts after a failed transaction, want none", n)
	}
	directory.fail = nil
	if err := s.Update(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	if n := found(); n != 1 {
		t.Errorf("%d alerts, want 1", n)
	}
	if fresh := keep(t, s, weight("a", "scale-1", "p1", noon)); fresh[0] {
		t.Error("the reading was not kept with its finding")
	}
}

// TestCanCommitWrites holds that the question whether something can be committed is
// put to the disk: another connection sees that there was a commit.
func TestCanCommitWrites(t *testing.T) {
	s := open(t, newFile(t), Options{})
	other, err := sqlite.OpenConn(s.path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	seen := func() (version int64) {
		err := sqlitex.ExecuteTransient(other, "PRAGMA data_version", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error { version = row.ColumnInt64(0); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return version
	}
	for range 3 {
		before := seen()
		if err := s.CanCommit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if seen() == before {
			t.Error("nothing was committed")
		}
	}
}
