package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestReadingsAreStruckOutOnTheCommandLine strikes readings out on the store of a service
// that is stopped, and takes that back.
func TestReadingsAreStruckOutOnTheCommandLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	marked := func() int {
		t.Helper()
		text, err := readingsLine(t, "--data", folder, "--patient", "p-1", "--format", "json")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(text, `"struck":true`)
	}
	signed := []string{"--data", folder, "--patient", "p-1", "--reason", "son mari", "--author", "Mme Hoarau"}
	for _, step := range []struct {
		args   []string
		says   string
		marked int
	}{
		{[]string{"strike", "--at", "2026-03-02T07:30:00+01:00", "--measure", "weight"}, "2026-03-02T06:30:00Z weight scale-1 w1: struck out", 1},
		{[]string{"strike", "--from", "2026-03-03", "--to", "2026-03-04", "--device", "tensio-1"}, "t3: struck out", 3},
		{[]string{"strike", "--at", "2026-03-02T07:30:00+01:00", "--measure", "weight"}, "struck out already", 3},
		{[]string{"unstrike", "--at", "2026-03-02T07:30:00+01:00"}, "w1: counts again", 2},
		{[]string{"strike", "--at", "2027-03-02T07:30:00+01:00"}, "No reading that is kept fits", 2},
		{[]string{"strike"}, "--at", 2},
		{[]string{"strike", "--at", "2026-03-02T07:30:00+01:00", "--measure", "love"}, "love", 2},
	} {
		said, err := readingsLine(t, append(step.args, signed...)...)
		if err != nil {
			said += err.Error()
		}
		if !strings.Contains(said, step.says) {
			t.Errorf("%v says:\n%s\nwant %q", step.args, said, step.says)
		}
		if got := marked(); got != step.marked {
			t.Errorf("after %v %d readings are marked, want %d", step.args, got, step.marked)
		}
	}
	if _, err := readingsLine(t, "strike", "--data", folder, "--patient", "p-1", "--at", "2026-03-02T07:30:00+01:00"); err == nil {
		t.Error("readings are struck out without a reason or a name")
	}
}

// A whole import is struck out of all whom its device measured, and taken back.
func TestAWholeImportIsStruckOutOnTheCommandLine(t *testing.T) {
	t.Parallel()
	folder, file := followedWithAFile(t)
	out, err := readingsLine(t, "import", file, "--data", folder, "--measure", "weight", "--column", "Poids (kg)", "--time-column", "when", "--format", "json", "--device", "scale-1")
	var report importReport
	if err != nil || json.Unmarshal([]byte(out), &report) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	of := func(batch string) []string {
		return []string{"--data", folder, "--device", "scale-1", "--batch", batch, "--reason", "le fichier d'un autre", "--author", "Mme Hoarau"}
	}
	for _, step := range []struct {
		args   []string
		says   string
		marked int
	}{
		{append([]string{"strike", "--dry-run"}, of(report.Batch)...), "p-0001: 60 readings", 0},
		{append([]string{"strike"}, of("import 2020-01-01T00:00:00Z")...), "No reading that is kept fits", 0},
		{append([]string{"strike"}, of(report.Batch)...), "struck out", 60},
		{append([]string{"strike"}, of(report.Batch)...), "p-0001: These readings are struck out already", 60},
		{append([]string{"unstrike"}, of(report.Batch)...), "counts again", 0},
		{append(append([]string{"strike", "--patient", "p-0001"}, of(report.Batch)...), "--reason", "son mari"), "struck out", 60},
		{append([]string{"unstrike"}, of(report.Batch)...), "p-0001: These readings are not struck out", 60}, // that has its own reason
	} {
		said, err := readingsLine(t, step.args...)
		if err != nil || !strings.Contains(said, step.says) {
			t.Errorf("%v says:\n%s\n%v, want %q", step.args, said, err, step.says)
		}
		kept, err := readingsLine(t, "--data", folder, "--patient", "p-0001", "--format", "json")
		if got := strings.Count(kept, `"struck":true`); err != nil || got != step.marked {
			t.Errorf("after %v %d readings are marked, want %d (%v)", step.args, got, step.marked, err)
		}
	}
}
