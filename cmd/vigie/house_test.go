package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigie/ingest/disk"
)

// listed is what `go list` says of one package.
type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "vigie/...")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// part is the first folder of a package of this module: "ingest".
func part(path string) string {
	rest, ok := strings.CutPrefix(path, "vigie/")
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != "vigie"
}

func TestDependenciesPointOneWay(t *testing.T) {
	allowed := map[string][]string{
		"protocols": {"protocols"},
		"ingest":    {"ingest", "protocols"},
		"alerts":    {"alerts", "protocols"},
		"seeds":     {"seeds", "ingest", "protocols"},
		"deploy":    {"deploy", "seeds", "ingest", "alerts", "protocols"},
		"cmd":       {"cmd", "ingest", "alerts", "protocols", "seeds", "deploy"},
	}
	for _, p := range packages(t) {
		may := allowed[part(p.ImportPath)]
		if strings.HasPrefix(p.ImportPath, "vigie/ingest/stores/") { // one package a technology keeps all that is kept
			may = append(slices.Clone(may), "alerts")
		}
		for _, imported := range p.Imports {
			if roomOfWorkspace(p.ImportPath) && slices.Contains([]string{"vigie/ingest", "vigie/ingest/registry"}, imported) {
				continue // it shows patients and devices, and keeps no copy of either
			}
			if roomOfWorkspace(imported) && !roomOfWorkspace(p.ImportPath) && part(p.ImportPath) != "cmd" {
				t.Errorf("%s imports %s: nothing but cmd imports the workspace", p.ImportPath, imported)
			}
			if to := part(imported); to != "" && !slices.Contains(may, to) {
				t.Errorf("%s imports %s: dependencies point cmd → ingest → protocols ← alerts, and ingest/stores → alerts", p.ImportPath, imported)
			}
		}
	}
}

// roomOfWorkspace reports whether a package is a room of the workspace.
func roomOfWorkspace(path string) bool {
	return path == "vigie/alerts/workspace" || strings.HasPrefix(path, "vigie/alerts/workspace/")
}

func TestProtocolsArePure(t *testing.T) {
	forbidden := []string{"os", "net", "net/http", "io/ioutil", "os/exec", "syscall", "log", "log/slog", "database/sql"}
	for _, p := range packages(t) {
		if part(p.ImportPath) != "protocols" {
			continue
		}
		for _, imported := range p.Imports {
			if !standard(imported) && part(imported) != "protocols" {
				t.Errorf("%s imports %s: protocols use the standard library only", p.ImportPath, imported)
			}
			if slices.Contains(forbidden, imported) {
				t.Errorf("%s imports %s: protocols do no input or output", p.ImportPath, imported)
			}
		}
	}
}

// TestTheRoomsOfProtocolsPointOneWay holds who in protocols may know whom: what is
// written and how it is evaluated do not.
func TestTheRoomsOfProtocolsPointOneWay(t *testing.T) {
	const root = "vigie/protocols"
	allowed := map[string][]string{
		"":             {},
		"document":     {""},
		"written":      {},
		"chart":        {""},
		"cbor":         {},
		"danger":       {""},
		"words":        {"", "written", "danger"},
		"language":     {"", "document", "danger"},
		"review":       {"", "document", "danger", "language"},
		"nomenclature": {"", "document"},
		"engine":       {"", "words", "engine/internal/moment", "engine/internal/series", "engine/internal/absence", "engine/internal/plan"},
		"engine/plain": {"", "words"},

		"engine/internal/moment":  {""},
		"engine/internal/series":  {"", "engine/internal/moment"},
		"engine/internal/absence": {"", "engine/internal/moment"},
		"engine/internal/plan":    {"", "engine/internal/moment", "engine/internal/series"},

		"trial":          {"", "document", "danger", "words", "language", "review", "engine", "engine/plain"},
		"library":        {"", "document", "language"},
		"protocoltest":   {"", "danger"},
		"replay":         {"", "words"},
		"replay/figures": {"", "written", "chart", "words", "replay"},
	}
	for _, p := range packages(t) {
		if part(p.ImportPath) != "protocols" {
			continue
		}
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, root), "/")
		known, listed := allowed[room]
		if !listed {
			t.Errorf("%s is a room that this test does not know", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if part(imported) == "protocols" && !slices.Contains(known, strings.TrimPrefix(strings.TrimPrefix(imported, root), "/")) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

// TestAdaptersDoNotKnowEachOther holds the doors, formats, stores, channels and
// the workspace apart: only cmd ties them together.
func TestAdaptersDoNotKnowEachOther(t *testing.T) {
	adapter := func(path string) string {
		if path == "vigie/ingest/formats/values" { // what every format ends with
			return ""
		}
		for _, kind := range []string{"vigie/ingest/doors/", "vigie/ingest/formats/", "vigie/ingest/stores/", "vigie/alerts/channels/"} {
			if name, ok := strings.CutPrefix(path, kind); ok {
				first, _, _ := strings.Cut(name, "/")
				return kind + first
			}
		}
		if strings.HasPrefix(path, "vigie/alerts/workspace") {
			return "vigie/alerts/workspace"
		}
		return ""
	}
	for _, p := range packages(t) {
		from := adapter(p.ImportPath)
		if from == "" {
			continue
		}
		for _, imported := range p.Imports {
			if to := adapter(imported); to != "" && to != from {
				t.Errorf("%s imports %s: an adapter never imports another", p.ImportPath, imported)
			}
		}
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	known := []string{"cmd", "ingest", "alerts", "protocols", "seeds", "deploy", "go.mod", "go.sum", "README.md", "LICENSE",
		"vigie", "simulator"} // programs that were built as the guide says, which are not kept
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("%s stands at the top level, outside the house", e.Name())
		}
	}
}

func TestNamesAreThoseOfTheField(t *testing.T) {
	for _, p := range packages(t) {
		for _, vague := range []string{"utils", "util", "common", "types", "models", "helpers"} {
			if slices.Contains(strings.Split(p.ImportPath, "/"), vague) {
				t.Errorf("%s: %q says nothing about what is inside", p.ImportPath, vague)
			}
		}
	}
}

// TestClockIsPassedIn keeps evaluation and alerts free of a clock of their own.
func TestClockIsPassedIn(t *testing.T) {
	for _, folder := range []string{"../../protocols", "../../alerts"} {
		files, err := exec.Command("grep", "-rlE", `time\.(Now|Since|Until)\(`, "--include=*.go", "--exclude=*_test.go", folder).Output()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
			t.Fatal(err)
		}
		for name := range strings.FieldsSeq(string(files)) {
			t.Errorf("%s reads the clock: time is passed in", name)
		}
	}
}

// TestFlushingAndRenamingAreTheDisksOwn keeps in one place what Windows refuses: to
// flush a file that was opened for reading, and to rename one that is open.
func TestFlushingAndRenamingAreTheDisksOwn(t *testing.T) {
	call := regexp.MustCompile(`\bos\.Rename\(|\.Sync\(\)`)
	for _, folder := range []string{"cmd", "ingest", "alerts", "seeds"} {
		for name, text := range sources(t, "../../"+folder) {
			if !strings.Contains(filepath.ToSlash(name), "/ingest/disk/") && call.MatchString(text) {
				t.Errorf("%s flushes or renames a file: leave that to ingest/disk", name)
			}
		}
	}
}

// sources are the program's files in a folder, without its tests.
func sources(t *testing.T, folder string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestEverySystemCanHoldTheRepository finds names that Windows forbids, and names
// that differ in case alone: neither Windows nor macOS tells those apart.
func TestEverySystemCanHoldTheRepository(t *testing.T) {
	seen := map[string]string{}
	for _, folder := range []string{"cmd", "ingest", "alerts", "protocols", "seeds", "deploy"} {
		err := filepath.WalkDir("../../"+folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.Name() == ".cache" {
				return filepath.SkipDir
			}
			if err := disk.Portable(entry.Name()); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if other, taken := seen[strings.ToLower(path)]; taken {
				t.Errorf("%s and %s are one file where case does not count", path, other)
			}
			seen[strings.ToLower(path)] = path
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestARoomIsReadInOneSitting keeps each package of protocols short enough for it.
func TestARoomIsReadInOneSitting(t *testing.T) {
	const sitting = 3500 // lines, without tests and what is generated
	lines := map[string]int{}
	for name, text := range sources(t, "../../protocols") {
		if strings.HasPrefix(text, "// Code generated") {
			continue
		}
		lines[filepath.Dir(name)] += strings.Count(text, "\n")
	}
	for room, n := range lines {
		if n > sitting {
			t.Errorf("%s has %d lines, more than one reads in a sitting: part it by what it holds", room, n)
		}
	}
}
