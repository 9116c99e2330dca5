package sqlite

import (
	"path/filepath"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// Whatever opens a store, also a connection of its own, has the files synced without the
// time of their last change.
func TestEveryFileOfAStoreIsSyncedByItsData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	open(t, path, Options{})
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := execute(conn, "PRAGMA user_version = 7"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	below.mu.Lock()
	defer below.mu.Unlock()
	if name := libc.GoString(layer(lib.Xsqlite3_vfs_find(tls, 0)).FzName); name != "unix-datasync" {
		t.Errorf("files are opened by the layer %q", name)
	}
	for system, place := range below.methods {
		own, ours := *(**lib.Tsqlite3_io_methods)(unsafe.Pointer(&system)), *(**lib.Tsqlite3_io_methods)(unsafe.Pointer(&place))
		if own.FxSync == ours.FxSync || own.FxWrite != ours.FxWrite {
			t.Error("a file is synced as SQLite does, or written otherwise")
		}
	}
	if len(below.methods) == 0 {
		t.Error("no file was opened so")
	}
}
