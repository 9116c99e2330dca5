package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/alerts/stores/sqlite"
	"vigie/alerts/stores/storetest"
	"vigie/protocols"
)

// file is a database file as the store of readings would own it.
type file struct {
	mu    sync.Mutex
	write *zombiezen.Conn
	read  *sqlitex.Pool
}

func openFile(t testing.TB) *file {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vigie.db")
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite|zombiezen.OpenCreate|zombiezen.OpenWAL)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(conn, `PRAGMA cache_size = -65536`, nil); err != nil {
		t.Fatal(err)
	}
	pool, err := sqlitex.NewPool(path, sqlitex.PoolOptions{Flags: zombiezen.OpenReadWrite | zombiezen.OpenWAL, PoolSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(pool.Close(), conn.Close()); err != nil {
			t.Error(err)
		}
	})
	return &file{write: conn, read: pool}
}

func (f *file) Write(_ context.Context, work func(*zombiezen.Conn) error) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end, err := sqlitex.ImmediateTransaction(f.write)
	if err != nil {
		return err
	}
	defer end(&err)
	return work(f.write)
}

func (f *file) Read(ctx context.Context, work func(*zombiezen.Conn) error) error {
	conn, err := f.read.Take(ctx)
	if err != nil {
		return err
	}
	defer f.read.Put(conn)
	return work(conn)
}

func (f *file) Migrate(ctx context.Context, _ string, steps []string) error {
	return f.Write(ctx, func(conn *zombiezen.Conn) error {
		return sqlitex.ExecuteScript(conn, strings.Join(steps, ";\n"), nil)
	})
}

func open(t testing.TB, directory alerts.Directory) (*file, *sqlite.Store, func([]protocols.Finding) error) {
	db := openFile(t)
	store, err := sqlite.New(context.Background(), db, directory)
	if err != nil {
		t.Fatal(err)
	}
	return db, store, func(findings []protocols.Finding) error {
		return db.Write(context.Background(), func(conn *zombiezen.Conn) error { return store.Find(conn, findings) })
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, directory alerts.Directory) (alerts.Store, func([]protocols.Finding) error) {
		_, store, find := open(t, directory)
		return store, find
	})
}

type everyone struct{}

func (everyone) Care(string) (alerts.Care, error) { return storetest.Care(), nil }

func TestEventsAreOnlyAppended(t *testing.T) {
	db, _, find := open(t, everyone{})
	if err := find([]protocols.Finding{storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0)}); err != nil {
		t.Fatal(err)
	}
	for _, forgery := range []string{`DELETE FROM alert_events`, `UPDATE alert_events SET author = 'somebody else'`} {
		err := db.Write(context.Background(), func(conn *zombiezen.Conn) error { return sqlitex.Execute(conn, forgery, nil) })
		if err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: got %v, want a refusal", forgery, err)
		}
	}
}
