package sqlite

import (
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A commit that makes the log long does not copy it: that is done beside the commits, and
// the log begins anew behind it.
func TestTheLogIsCopiedBesideTheCommits(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "vigie.db"), Options{})
	write := func(bytes int) {
		t.Helper()
		err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
			return sqlitex.Execute(conn, "INSERT INTO cursors (name, seq) VALUES (hex(randomblob(?)), 0)", &sqlitex.ExecOptions{Args: []any{bytes / 2}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	left := func() int {
		t.Helper()
		pages, err := s.checkpoints.left()
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	const page = 4096
	write((logPages + 100) * page)
	if got := left(); got < logPages {
		t.Errorf("after a commit of %d pages, %d are left to be copied", logPages+100, got)
	}
	if err := s.copyLog(); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != 0 {
		t.Errorf("once the log was copied, %d pages are left", got)
	}
	write(10)
	if got := left(); got > 100 {
		t.Errorf("after that, a small commit leaves %d pages to be copied", got)
	}
}
