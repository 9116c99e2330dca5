package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// typed runs a command line of vigie on a data folder.
func typed(t *testing.T, folder string, line ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(line, "--data", folder))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func typedWell(t *testing.T, folder string, line ...string) string {
	t.Helper()
	out, err := typed(t, folder, line...)
	if err != nil {
		t.Fatalf("vigie %s: %v\n%s", strings.Join(line, " "), err, out)
	}
	return out
}

func TestCommandsLeaveTracesThatAreFoundAndVerified(t *testing.T) {
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	typedWell(t, folder, "readings", "--patient", "p-1", "--measure", "weight")
	typedWell(t, folder, "readings", "--patient", "p-2")
	found := typedWell(t, folder, "audit", "search", "--patient", "p-1")
	if lines := strings.Split(strings.TrimSpace(found), "\n"); len(lines) != 1 || !strings.Contains(lines[0], "vigie readings") || !strings.Contains(lines[0], "command line") {
		t.Errorf("the trace of vigie readings:\n%s", found)
	}
	whole := typedWell(t, folder, "audit", "verify", "--language", "en")
	head := regexp.MustCompile(`--head (\S+)`).FindStringSubmatch(whole)
	if head == nil || !strings.Contains(whole, "The trail is whole.") {
		t.Fatalf("vigie audit verify:\n%s", whole)
	}
	export := filepath.Join(t.TempDir(), "trail.jsonl")
	if err := os.WriteFile(export, []byte(typedWell(t, folder, "audit", "export")), 0o600); err != nil {
		t.Fatal(err)
	}
	typedWell(t, t.TempDir(), "audit", "verify", "--file", export, "--head", head[1])

	// Somebody cuts the last entry off, in the store.
	conn, err := sqlite.OpenConn(filepath.Join(folder, "vigie.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteScript(conn, "DROP TRIGGER trail_kept; DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)", nil)
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	cut, err := typed(t, folder, "audit", "verify", "--language", "en")
	var status exitStatus
	if !errors.As(err, &status) || status != 1 || !strings.Contains(cut, "cut-tail") || !strings.Contains(cut, "not whole") {
		t.Errorf("a cut tail: %v\n%s", err, cut)
	}
}

// TestTheGuideToTheTrailCanBeTyped runs the commands that the guide gives.
// A first day and an ordinary week of an operator are typed as the guide has them.
func TestTheGuideToAWeekCanBeTyped(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(guide), "### A first day and an ordinary week")
	section, _, _ = strings.Cut(section, "\n### ")
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	folder := t.TempDir()
	team, _, _ := strings.Cut(oneWard, "patients:")
	write(t, folder, "teams.yaml", team)
	lines := regexp.MustCompile(`(?m)^\./vigie (.*)$`).FindAllStringSubmatch(section, -1)
	if len(lines) < 15 {
		t.Errorf("%d commands", len(lines))
	}
	for _, line := range lines {
		words := strings.Fields(strings.NewReplacer("TOMORROW", day(2), "NEXT-SPRING", day(100), "NEXT-YEAR", day(300)).Replace(line[1]))
		for i, word := range words {
			if ext := filepath.Ext(word); ext == ".yaml" || ext == ".csv" || ext == ".zip" {
				words[i] = filepath.Join(folder, word)
			}
		}
		said := typedWell(t, folder, words...)
		for command, want := range map[string]string{"patient list": "p-0101", "device list": "scale-0101", "enrolment list": "e-0101", "audit search": "vigie patient export"} {
			if strings.HasPrefix(line[1], command) && !strings.Contains(said, want) {
				t.Errorf("vigie %s says nothing of %s:\n%s", line[1], want, said)
			}
		}
	}
}

func TestTheGuideToTheTrailCanBeTyped(t *testing.T) {
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(guide), "### Who looked at whom")
	section, _, ended := strings.Cut(section, "\n### ")
	if !found || !ended {
		t.Fatal("the guide has no section on the trail")
	}
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	lines := regexp.MustCompile(`(?m)^\./vigie (.*)$`).FindAllStringSubmatch(section, -1)
	if len(lines) != 3 {
		t.Errorf("%d commands", len(lines))
	}
	for _, line := range lines {
		command, _, _ := strings.Cut(line[1], " > ")
		typedWell(t, folder, strings.Fields(command)...)
	}
}
