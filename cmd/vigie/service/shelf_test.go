package service

import (
	"context"
	"fmt"
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

// newest is the version in which a protocol ships.
func newest(t *testing.T, id string) string {
	t.Helper()
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	return shelf.Latest(id)
}

// versionLine is how its file says it.
func versionLine(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("version: %q", newest(t, "heart-failure"))
}

// usedAs is a store in which one version was used with that text.
func usedAs(id, version, text string) used {
	return used{versions: []registry.UsedProtocol{{ID: id, Version: version, Text: text, First: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}}}
}

func recalled(t *testing.T, store used, folders ...string) *Shelf {
	t.Helper()
	shelf, err := NewShelf(folders...)
	if err == nil {
		err = shelf.Recall(t.Context(), store)
	}
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

func TestAVersionThatWasUsedNeverChanges(t *testing.T) {
	mine := strings.Replace(shipped(t), versionLine(t), `version: "mine"`, 1)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "mine.yaml"), []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	if shelf := recalled(t, usedAs("heart-failure", "mine", mine), folder); len(shelf.Notes) != 0 {
		t.Errorf("of an unchanged version it said %q", shelf.Notes)
	}
	windows := strings.ReplaceAll(mine, "\n", "\r\n")
	if shelf := recalled(t, usedAs("heart-failure", "mine", windows), folder); len(shelf.Notes) != 0 {
		t.Errorf("of a version with other ends of lines it said %q", shelf.Notes)
	}
	shelf, err := NewShelf(folder)
	if err != nil {
		t.Fatal(err)
	}
	err = shelf.Recall(t.Context(), usedAs("heart-failure", "mine", mine+"# changed\n"))
	if err == nil || !strings.Contains(err.Error(), "version mine of heart-failure has changed since it was first used, on 2026-03-01") {
		t.Errorf("a changed version gave %v", err)
	}
}

func TestAVersionThatShipsChangedStaysAsItWasUsed(t *testing.T) {
	before := strings.Replace(shipped(t), "icd10: I50", "icd10: I51", 1)
	shelf := recalled(t, usedAs("heart-failure", newest(t, "heart-failure"), before))
	if p := shelf.Protocol("heart-failure", newest(t, "heart-failure")); p == nil || p.Pathology.ICD10 != "I51" {
		t.Errorf("followed is %+v, want what was used", p)
	}
	if len(shelf.Notes) != 1 || !strings.Contains(shelf.Notes[0], "stays in force") {
		t.Errorf("the operator is told %q", shelf.Notes)
	}
}

func TestAVersionThatOnlyANewerProgramReadsIsLeftOutAndSaidSo(t *testing.T) {
	newer := strings.Replace(shipped(t), "\nrules:", "\nfrom_the_future: yes\nrules:", 1)
	shelf := recalled(t, usedAs("heart-failure", newest(t, "heart-failure"), newer))
	if p := shelf.Protocol("heart-failure", newest(t, "heart-failure")); p != nil {
		t.Error("it is followed by what this program makes of it")
	}
	if shelf.Protocol("hypertension", newest(t, "hypertension")) == nil {
		t.Error("others are no longer followed")
	}
	if len(shelf.Notes) != 2 || !strings.Contains(shelf.Notes[1], "newer Vigie") || !strings.Contains(shelf.Notes[1], "from_the_future") {
		t.Errorf("the operator is told %q", shelf.Notes)
	}
}

func TestAVersionThatNoFileHoldsAnyMoreComesBackAsItWas(t *testing.T) {
	old := strings.Replace(shipped(t), versionLine(t), `version: "0.9"`, 1)
	shelf := recalled(t, usedAs("heart-failure", "0.9", old))
	if p := shelf.Protocol("heart-failure", "0.9"); p == nil || len(p.Rules) == 0 {
		t.Error("patients under version 0.9 are no longer followed")
	}
}

func TestTwoFilesMayNotGiveTheSameVersion(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "mine.yaml"), []byte(shipped(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewShelf(folder); err == nil || !strings.Contains(err.Error(), "mine.yaml: version "+newest(t, "heart-failure")+" of heart-failure is also in heart-failure.yaml") {
		t.Errorf("two files with the same version gave %v", err)
	}
}
