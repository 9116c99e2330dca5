package service

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols/library"
)

// used is a store in which these versions were used before.
type used struct {
	registry.Store
	versions []registry.UsedProtocol
}

func (u used) UsedProtocols(context.Context) ([]registry.UsedProtocol, error) { return u.versions, nil }

func shipped(t *testing.T) string {
	t.Helper()
	text, err := library.FS.ReadFile("heart-failure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAVersionThatWasUsedNeverChanges(t *testing.T) {
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	same := used{versions: []registry.UsedProtocol{{ID: "heart-failure", Version: "1", Text: shipped(t), First: day}}}
	if err := shelf.Recall(t.Context(), same); err != nil {
		t.Errorf("an unchanged version was refused: %v", err)
	}
	other := used{versions: []registry.UsedProtocol{{ID: "heart-failure", Version: "1", Text: shipped(t) + "# changed\n", First: day}}}
	if err := shelf.Recall(t.Context(), other); err == nil || !strings.Contains(err.Error(), "version 1 of heart-failure has changed since it was first used, on 2026-03-01") {
		t.Errorf("a changed version gave %v", err)
	}
}

func TestAVersionThatNoFileHoldsAnyMoreComesBackAsItWas(t *testing.T) {
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Replace(shipped(t), `version: "1"`, `version: "0.9"`, 1)
	if err := shelf.Recall(t.Context(), used{versions: []registry.UsedProtocol{{ID: "heart-failure", Version: "0.9", Text: old}}}); err != nil {
		t.Fatal(err)
	}
	if p := shelf.Protocol("heart-failure", "0.9"); p == nil || len(p.Rules) == 0 {
		t.Error("patients under version 0.9 are no longer followed")
	}
}

func TestTwoFilesMayNotGiveTheSameVersion(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "mine.yaml"), []byte(shipped(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewShelf(folder); err == nil || !strings.Contains(err.Error(), "mine.yaml: version 1 of heart-failure is also in heart-failure.yaml") {
		t.Errorf("two files with the same version gave %v", err)
	}
}
