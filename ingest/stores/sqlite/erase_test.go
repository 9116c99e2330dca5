package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/alerts/erasure"
	"vigie/ingest/stores/storetest"
)

func TestErasureContract(t *testing.T) {
	storetest.RunErasure(t, func(t *testing.T) storetest.Erasable {
		folder := t.TempDir()
		var erasable func() storetest.Erasable
		erasable = func() storetest.Erasable {
			s := open(t, filepath.Join(folder, "vigie.db"), Options{Generation: 8, Care: func(*Store) alerts.Directory { return everyone{} }})
			return storetest.Erasable{
				Whole: s, Trail: s.Trail(), Access: s.Access(),
				Again: func() storetest.Erasable {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					return erasable()
				},
				Scan: func() []byte { return filesOf(t, folder) },
			}
		}
		return erasable()
	})
}

// TestAFileThatCannotBeRewrittenIsRewrittenLater has the rewriting fail, as on a disk that
// is full: until it is done, the file holds in its free room what was erased.
func TestAFileThatCannotBeRewrittenIsRewrittenLater(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vigie.db")
	change := func(statements ...string) {
		t.Helper()
		conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		err = conn.CreateFunction("absent", &sqlite.FunctionImpl{NArgs: 1, Deterministic: true, AllowIndirect: true,
			Scalar: func(sqlite.Context, []sqlite.Value) (sqlite.Value, error) { return sqlite.IntegerValue(1), nil }})
		for _, statement := range statements {
			err = errors.Join(err, sqlitex.ExecuteTransient(conn, statement, nil))
		}
		if err = errors.Join(err, conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	// unclean opens the store, tries, and says whether it is still to be done.
	unclean := func(tried string) bool {
		t.Helper()
		s := open(t, file, Options{})
		err := s.Clean(t.Context())
		if got := fmt.Sprint(err); !strings.Contains(got, tried) {
			t.Errorf("cleaning: %s, want %s", got, tried)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, file, Options{})
		waiting, err := s.Unclean(t.Context())
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		return waiting
	}
	if err := open(t, file, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	// Nothing but rewriting has to do with the function of this index.
	change("INSERT INTO erasures (id, body, cleaned) VALUES ('1', '{}', 0)", "CREATE TABLE hindrance (x)", "CREATE INDEX hinders ON hindrance (absent(x))")
	if !unclean("rewrite the store") {
		t.Error("a file that could not be rewritten is taken for rewritten")
	}
	change("DROP TABLE hindrance")
	if unclean("<nil>") {
		t.Error("it was rewritten, and is to be once more")
	}
}

// filesOf is all that the files of a folder hold.
func filesOf(t *testing.T, folder string) []byte {
	t.Helper()
	var all bytes.Buffer
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.Bytes()
}

// TestEveryTableIsErasedOrSaysNothing walks the schema: a new table stands in the steps of
// an erasure, or here with the reason why it does not.
func TestEveryTableIsErasedOrSaysNothing(t *testing.T) {
	excepted := map[string]string{
		"journal": "rewritten", "set_aside": "what tells of him, by what it says", "trail": "by its plan", "trail_beside": "by its plan",
		"erasures": "a digest", "measure_names": "of nobody", "cursors": "of nobody", "filed": "of nobody", "forgotten_unrecorded": "of nobody", "alive": "of nobody",
		"schema_versions": "of nobody", "registry_version": "of nobody", "registry_teams": "of nobody", "registry_protocols": "of nobody",
		"access_accounts": "of who works here", "access_sessions": "of who works here", "access_passkeys": "of who works here",
		"access_challenges": "digests", "access_challenge_key": "of nobody",
	}
	erased := map[string]bool{}
	for _, step := range slices.Concat(erasure.Steps("id"), readingSteps) {
		erased[step.Table] = true
	}
	s := open(t, newFile(t), Options{})
	err := s.Read(t.Context(), func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			if name := row.ColumnText(0); erased[name] == (excepted[name] != "") {
				t.Errorf("the table %s is erased: %v (%s)", name, erased[name], excepted[name])
			}
			return nil
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
}
