package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/alerts/trail"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
	"vigie/protocols/document"
)

func TestWhatADeviceWritesMovesNoCursor(t *testing.T) {
	var out bytes.Buffer
	err := writeSetAsides(&out, []ingest.SetAsideRecord{{
		ID: 7, Device: "bp-é\x1b[2J", Received: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Reasons: []protocols.Reason{{Code: protocols.UnknownField, Path: "values.\x1b]0;x\x07\u202edlot", Message: "this measure has no such component"}},
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.ContainsAny(got, "\x1b\x07\u202e") || !strings.Contains(got, `bp-é\x1b[2J`) || !strings.Contains(got, `\u202e`) {
		t.Errorf("printed %q", got)
	}
}

// TestNoCommandPrintsWhatDrivesATerminal has words that a device or a person chose come
// out of the commands that print them.
func TestNoCommandPrintsWhatDrivesATerminal(t *testing.T) {
	const bad = "bp-1\x1b[2J\u202edlot\a"
	zone := time.UTC
	signed := protocols.Settings{"fast-gain": {Value: 1500, Author: bad, Reason: bad}}
	for name, print := range map[string]func(out *bytes.Buffer) error{
		"audit search": func(out *bytes.Buffer) error {
			body := `{"kind":"read","name":"bp-1\u001b[2J","deed":"look","about":"\u202edlot","from":"\u001b[2J","reason":"\u0007"}`
			return writeEntries(out, []trail.Row{{Body: body, Beside: []trail.Detail{{Part: trail.OfPatient, Text: bad}}}}, zone)
		},
		"check --store": func(out *bytes.Buffer) error {
			_, err := out.WriteString(tongue("fr").damages(ingest.DamagedRows{{Table: "seen", Row: bad, Patient: bad}}))
			return err
		},
		"registry import": func(out *bytes.Buffer) error {
			return errors.Join(listDifferences(out, []registry.Difference{{Item: "device bp-1", Field: "serial", Before: bad, After: bad}}),
				listProblems(out, "fr", []document.Problem{{Path: bad, Message: protocols.Text{FR: bad}, Suggestion: protocols.Text{FR: bad}}}))
		},
		"registry history": func(out *bytes.Buffer) error {
			return writeVersions(out, []registry.Version{{Author: bad, Enrolment: registry.Enrolment{Zone: "Europe/Paris", Settings: signed}}})
		},
		"what went wrong": func(out *bytes.Buffer) error {
			statusOf(errors.New("no device "+bad), out)
			return nil
		},
	} {
		var out bytes.Buffer
		if err := print(&out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := out.String(); strings.ContainsAny(got, "\x1b\a\u202e") || !strings.Contains(got, `\x1b[2J`) {
			t.Errorf("%s prints %q", name, got)
		}
	}
}

// TestWhatWasSetAsideIsDeletedByCodeAndAge deletes what came more than a day ago and was
// malformed, and finds the act in the trail.
func TestWhatWasSetAsideIsDeletedByCodeAndAge(t *testing.T) {
	folder := t.TempDir()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = store.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.SetAside([]ingest.SetAsideRecord{
			{Device: "scale-1", Reading: "old", Received: now.Add(-48 * time.Hour), Reasons: []protocols.Reason{{Code: protocols.Malformed}}},
			{Device: "scale-1", Reading: "new", Received: now.Add(-time.Hour), Reasons: []protocols.Reason{{Code: protocols.Malformed}}},
			{Device: "scale-1", Reading: "other", Received: now.Add(-48 * time.Hour), Reasons: []protocols.Reason{{Code: protocols.UnknownUnit}}},
		})
		return err
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	line := func(args ...string) (string, error) {
		command := rootCommand()
		var out bytes.Buffer
		command.SetOut(&out)
		command.SetArgs(append(args, "--data", folder))
		err := command.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, wrong := range [][]string{{"--code", "malformed"}, {"--older-than", "1d"}, {"--code", "bad", "--older-than", "1d"}, {"--code", "malformed", "--older-than", "yesterday"}} {
		if said, err := line(append([]string{"set-aside", "delete"}, wrong...)...); err == nil {
			t.Errorf("%v: %s", wrong, said)
		}
	}
	if said, err := line("set-aside", "delete", "--code", "malformed", "--older-than", "1d"); err != nil || said != "1 deleted\n" {
		t.Errorf("%v: it said %q", err, said)
	}
	if said, err := line("set-aside", "list", "--json"); err != nil || strings.Contains(said, `"old"`) || !strings.Contains(said, `"new"`) || !strings.Contains(said, `"other"`) {
		t.Errorf("%v: left is %s", err, said)
	}
	if said, err := line("audit", "search"); err != nil || !strings.Contains(said, "set-aside delete") || !strings.Contains(said, "malformed, before ") || !strings.Contains(said, ": 1") {
		t.Errorf("%v: the trail says %s", err, said)
	}
}
