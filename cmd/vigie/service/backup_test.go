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
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
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
