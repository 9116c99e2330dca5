package postgres

import (
	"slices"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/erasure"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
)

func TestErasureContract(t *testing.T) {
	storetest.RunErasure(t, func(t *testing.T) storetest.Erasable {
		server := shared.Server(t)
		url, err := server.Database()
		if err != nil {
			t.Fatal(err)
		}
		var erasable func() storetest.Erasable
		erasable = func() storetest.Erasable {
			s := open(t, url, Options{Care: func(*Store) alerts.Directory { return everyone{} }})
			return storetest.Erasable{
				Whole: s, Trail: s.Trail(), Access: s.Access(),
				Again: func() storetest.Erasable {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					return erasable()
				},
				Scan: func() []byte {
					dump, err := server.Dumped(url)
					if err != nil {
						t.Fatal(err)
					}
					return dump
				},
			}
		}
		return erasable()
	})
}

// TestEveryTableIsErasedOrSaysNothing walks the schema: a new table stands in the steps of
// an erasure, or here with the reason why it does not.
func TestEveryTableIsErasedOrSaysNothing(t *testing.T) {
	excepted := map[string]string{
		"journal": "places of readings", "set_aside": "what tells of him, by what it says", "trail": "by its plan", "trail_beside": "by its plan",
		"erasures": "a digest", "measures": "of nobody", "cursors": "of nobody", "leases": "of nobody", "members": "of nobody", "forgotten_unrecorded": "of nobody", "alive": "of nobody",
		"schema_versions": "of nobody", "registry_version": "of nobody", "registry_teams": "of nobody", "registry_protocols": "of nobody",
		"access_accounts": "of who works here", "access_sessions": "of who works here", "access_passkeys": "of who works here",
		"access_challenges": "digests", "access_challenge_key": "of nobody",
	}
	erased := map[string]bool{}
	for _, step := range slices.Concat(erasure.Steps("id"), readingSteps) {
		erased[step.Table] = true
	}
	s := open(t, database(t), Options{})
	tables, err := tablesIn(t.Context(), s.pool)
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, name := range tables {
		if erased[name] == (excepted[name] != "") {
			t.Errorf("the table %s is erased: %v (%s)", name, erased[name], excepted[name])
		}
	}
}

// TestNobodyIsErasedUnderANodeThatWorks refuses while a node holds a lease, and once more
// does nothing.
func TestNobodyIsErasedUnderANodeThatWorks(t *testing.T) {
	s := open(t, database(t), Options{})
	if _, err := s.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-1"}}}, "a nurse", noon); err != nil {
		t.Fatal(err)
	}
	subject, err := s.Subject(t.Context(), "p-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	order := erasure.Order{Subject: subject, Record: erasure.NewRecord("p-1", "Ida", "asked for", noon)}
	lease := func(ends string) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), "DELETE FROM leases; INSERT INTO leases VALUES ('sweeps', 'node-b', 1, now() + interval '"+ends+"')"); err != nil {
			t.Fatal(err)
		}
	}
	lease("1 hour")
	if err := s.Alone(t.Context()); err == nil || !strings.Contains(err.Error(), "node-b") {
		t.Errorf("it is alone: %v", err)
	}
	if _, err := s.Erase(t.Context(), order); err == nil || !strings.Contains(err.Error(), "node-b") {
		t.Errorf("erased under a node: %v", err)
	}
	lease("-1 hour")
	if _, err := s.Erase(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	lease("1 hour")
	if result, err := s.Erase(t.Context(), order); err != nil || len(result.Counts) > 0 {
		t.Errorf("a node that begins at the same time: %v, %v", result, err)
	}
}
