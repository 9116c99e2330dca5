package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest/registry"
)

// A record of a patient that is damaged hides none of the merges of others.
func TestMergesAreReadBesideADamagedRecord(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "vigie.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = s.Write(t.Context(), func(conn *sqlite.Conn) error {
		return (&importing{conn: conn, author: "Op", at: 1}).run(`INSERT INTO registry_patients (id, body, sum) SELECT id, body, CASE WHEN id <> 'p-3' THEN checksum(id, body) ELSE 7 END FROM (
			SELECT 'p-1' AS id, '{"id":"p-1"}' AS body UNION ALL SELECT 'p-3', '{"id":' UNION ALL SELECT 'p-4', '{"id":"p-4","merged":{"into":"p-1"}} ' UNION ALL SELECT 'p-2', '{"id":"p-2","merged":{"from":"p-2","into":"p-1","author":"Mme Hoarau","reason":"x","at":"2026-11-23T09:00:00Z"}}')`)
	})
	if err != nil {
		t.Fatal(err)
	}
	merges, err := s.Merges(t.Context())
	if persons := registry.PersonsOf(merges); err != nil || persons.Person("p-2") != "p-1" {
		t.Errorf("merges %+v, %v", merges, err)
	}
}

// Which records are merged is asked in front of a commit: it may not take as long as there
// are patients.
func TestMergesAreReadByTheirIndex(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "vigie.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var plan []string
	err = s.Read(t.Context(), func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "EXPLAIN QUERY PLAN "+mergedPatients, &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error { plan = append(plan, row.ColumnText(3)); return nil },
		})
	})
	if err != nil || len(plan) == 0 || !strings.Contains(plan[0], "registry_patients_merged") {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}
