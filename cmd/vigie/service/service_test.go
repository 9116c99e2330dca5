package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/cmd/edition"
	"vigie/cmd/vigie/config"
)

// started starts a service on loopback, with what change does to its configuration,
// and returns why it did not start.
func started(t *testing.T, change func(*config.Config)) error {
	t.Helper()
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	change(&c)
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return s.Close()
}

// A service without its pages would take readings and show nobody an alert.
func TestPagesThatCannotBeServedStopTheStart(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, change := range map[string]func(*config.Config){
		"http: cert_file and key_file":          func(c *config.Config) { c.HTTP.CertFile, c.HTTP.KeyFile = missing, missing },
		"broker.inside: cert_file and key_file": func(c *config.Config) { c.Broker.Inside.CertFile, c.Broker.Inside.KeyFile = missing, missing },
		"remove that file": func(c *config.Config) {
			if err := os.WriteFile(filepath.Join(c.Data, "token"), []byte("\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if err := started(t, change); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("started with %v, want %q", err, name)
		}
	}
}

func TestAFaultThatLastsIsToldOnceAndItsEndToo(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var f faults
	away := errors.New("the database is away")
	for range 50 {
		f.note(log, "deadlines", away)
		f.note(log, "dispatch", nil)
	}
	f.note(log, "escalate", away)
	f.note(log, "deadlines", nil)
	f.note(log, "deadlines", nil)
	f.note(log, "deadlines", away)
	said := out.String()
	for what, want := range map[string]int{"sweep=deadlines error": 2, "sweep=escalate error": 1, "works again": 1, "sweep=dispatch": 0} {
		if got := strings.Count(said, what); got != want {
			t.Errorf("%q is said %d times, want %d:\n%s", what, got, want, said)
		}
	}
}

// TestReadyMeansThatAReadingCanBeCommitted holds that a service whose store answers
// questions, and commits nothing, is not ready.
func TestReadyMeansThatAReadingCanBeCommitted(t *testing.T) {
	s, c := running(t)
	ready := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		s.commits.last.Store(0)
		return s.checks()[0].Ready(ctx)
	}
	if err := ready(); err != nil {
		t.Fatalf("a service that works: %v", err)
	}
	other, err := zombiezen.OpenConn(filepath.Join(c.Data, storeFile), zombiezen.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := sqlitex.ExecuteTransient(other, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Registry().RegistryVersion(t.Context()); err != nil {
		t.Fatalf("the store answers nothing: %v", err)
	}
	if err := ready(); err == nil {
		t.Error("a service that cannot commit says that it is ready")
	}
	if err := sqlitex.ExecuteTransient(other, "ROLLBACK", nil); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ready() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("it is not ready again")
		}
	}
}

func TestLinkInAMessageOpensThePage(t *testing.T) {
	for want, c := range map[string]config.HTTP{
		"http://10.0.0.1:8080":      {Listen: "10.0.0.1:8080"},
		"https://10.0.0.1:8443":     {Listen: "10.0.0.1:8443", CertFile: "a.pem", KeyFile: "b.pem"},
		"https://vigie.example.org": {Listen: "10.0.0.1:8080", PublicURL: "https://vigie.example.org"},
	} {
		if got := linkOf(c); got != want {
			t.Errorf("it points to %s, want %s", got, want)
		}
	}
}

func TestPagesAndMetricsSayWhichVigieThisIs(t *testing.T) {
	s, _ := running(t)
	this := edition.Current()
	for path, want := range map[string]string{
		"/login":   "Vigie " + template.HTMLEscapeString(this.String()),
		"/metrics": fmt.Sprintf(`vigie_build_info{commit=%q,go=%q,modified="%v",system=%q,version=%q} 1`, this.Commit, this.Go, this.Modified, this.System, this.Version),
	} {
		answer, err := http.Get(s.Page() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q (%v):\n%s", path, want, err, text)
		}
	}
}
