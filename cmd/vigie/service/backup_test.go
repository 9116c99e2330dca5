package service

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/cmd/vigie/config"
	"vigie/ingest/registry"
)

// running starts a service on a store with one patient in it.
func running(t *testing.T) (*Service, config.Config) {
	t.Helper()
	return runningIn(t, t.TempDir())
}

// still is a service that sweeps only when a test has it do so.
func still(t *testing.T) *Service {
	t.Helper()
	s, _ := startedIn(t, t.TempDir(), true)
	return s
}

func runningIn(t *testing.T, folder string) (*Service, config.Config) {
	t.Helper()
	return startedIn(t, folder, false)
}

func startedIn(t *testing.T, folder string, stepped bool) (*Service, config.Config) {
	t.Helper()
	c := config.Default()
	c.Data = folder
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler), Stepped: stepped})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Registry().Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-1"}}}, "a nurse", time.Now()); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func in(folder string) config.Config {
	c := config.Default()
	c.Data = folder
	return c
}

func TestBackupIsMadeWhileTheServiceRunsAndRestoredElsewhere(t *testing.T) {
	_, c := running(t)
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), c, file); err != nil {
		t.Fatal(err)
	}
	elsewhere := in(t.TempDir())
	if err := Restore(t.Context(), elsewhere, file); err != nil {
		t.Fatal(err)
	}
	tools, err := OpenTools(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	reg, err := tools.Export(t.Context(), registry.Access{Author: "a test", Reason: "to compare", At: time.Now()})
	if err != nil || len(reg.Patients) != 1 || reg.Patients[0].ID != "p-1" {
		t.Errorf("restored: %+v, %v", reg, err)
	}
	if err := Restore(t.Context(), elsewhere, file); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a store was to be overwritten: %v", err)
	}
	if err := Restore(t.Context(), c, file); !errors.Is(err, ErrRunning) {
		t.Errorf("a service runs there: %v", err)
	}
}

// A folder on a desk has spaces and accents in its name, and may lie deeper than the 260
// characters that Windows took for granted.
func TestTheFolderOfTheStoreMayHaveAnyName(t *testing.T) {
	folder := t.TempDir()
	for len(folder) < 300 {
		folder = filepath.Join(folder, "Télésurveillance à domicile, 100 % #1 & l’essai")
	}
	s, c := runningIn(t, folder)
	if _, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second service starts there: %v", err)
	}
	file := filepath.Join(folder, "sauvegarde d’aujourd’hui.db")
	if err := Backup(t.Context(), c, file); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := in(filepath.Join(folder, "à côté"))
	if err := Restore(t.Context(), elsewhere, file); err != nil {
		t.Fatal(err)
	}
	tools, err := OpenTools(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	if there, err := tools.HasPatient(t.Context(), "p-1"); err != nil || !there {
		t.Errorf("the patient is not in the restored store: %v", err)
	}
}

func TestBackupOfANewerVigieIsRefused(t *testing.T) {
	_, c := running(t)
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), c, file); err != nil {
		t.Fatal(err)
	}
	conn, err := zombiezen.OpenConn(file, zombiezen.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteTransient(conn, "UPDATE schema_versions SET version = 999", nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	elsewhere := in(t.TempDir())
	if err := Restore(t.Context(), elsewhere, file); err == nil || !strings.Contains(err.Error(), "newer Vigie") {
		t.Errorf("restored from the future: %v", err)
	}
	if _, err := os.Stat(filepath.Join(elsewhere.Data, "vigie.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was refused is still there: %v", err)
	}
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	_, c := running(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), c, backup); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	if err := execute(other, "CREATE TABLE schema_versions (name TEXT, version INTEGER); CREATE TABLE contacts (name TEXT)"); err != nil {
		t.Fatal(err)
	}
	others, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": nil, "a text": []byte("bonjour"), "another program's": others, "cut short": whole[:len(whole)/2], "cut at a page": whole[:len(whole)/8192*4096],
	} {
		file, elsewhere := filepath.Join(t.TempDir(), "backup.db"), in(t.TempDir())
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Restore(t.Context(), elsewhere, file); err == nil || !strings.Contains(err.Error(), "no backup of Vigie") {
			t.Errorf("%s: restored with %v", name, err)
		}
		if there(filepath.Join(elsewhere.Data, storeFile)) {
			t.Errorf("%s: a store was left behind", name)
		}
	}
}

// TestABackupChangesNothing holds that the tool of a newer Vigie backs up the store
// of an older one that runs: it does not bring it up to date under its feet, and
// with it the only way back.
func TestABackupChangesNothing(t *testing.T) {
	s, c := running(t)
	store := filepath.Join(c.Data, storeFile)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := execute(store, "UPDATE schema_versions SET version = version - 1 WHERE name = 'alerts'; DELETE FROM schema_versions WHERE name = 'registry'"); err != nil {
		t.Fatal(err)
	}
	before := versions(t, store)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), c, backup); err != nil {
		t.Fatal(err)
	}
	if got := versions(t, store); got != before {
		t.Errorf("the store was at %s and is at %s", before, got)
	}
	if got := versions(t, backup); got != before {
		t.Errorf("the store was at %s, the backup is at %s", before, got)
	}
}

// execute runs a script in the database in a file.
func execute(file, script string) error {
	conn, err := zombiezen.OpenConn(file, zombiezen.OpenReadWrite, zombiezen.OpenCreate)
	if err != nil {
		return err
	}
	return errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close())
}

// versions tells the schema of a store.
func versions(t *testing.T, file string) (list string) {
	t.Helper()
	conn, err := zombiezen.OpenConn(file, zombiezen.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteTransient(conn, "SELECT name || ' ' || version FROM schema_versions ORDER BY name", &sqlitex.ExecOptions{
		ResultFunc: func(row *zombiezen.Stmt) error { list += row.ColumnText(0) + ", "; return nil },
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	return list
}
