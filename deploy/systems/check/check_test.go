package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/deploy/systems"
)

// module writes a module with two programs into a folder of its own, and goes there.
func module(t *testing.T, more map[string]string) {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{"go.mod": "module tiny\n\ngo 1.26\n", "cmd/vigie/main.go": "package main\n\nfunc main() { println(size()) }\n", "cmd/simulator/main.go": "package main\n\nfunc main() {}\n",
		"cmd/vigie/size.go": "package main\n\nfunc size() int { return 1 }\n", "cmd/vigie/main_test.go": "package main\n\nvar _ = size\n"}
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
}

func TestAFaultOfOneSystemShowsInItsRow(t *testing.T) {
	for what, c := range map[string]struct {
		file, text      string
		programs, tests string
	}{
		"nothing":                   {"cmd/vigie/more.go", "package main", "types hold", "types hold"},
		"a program does not build":  {"cmd/vigie/more_windows.go", "package main\n\nvar _ int = `text`\n", "FAIL", "FAIL"},
		"a test does not compile":   {"cmd/vigie/more_windows_test.go", "package main\n\nvar _ int = size\n", "types hold", "FAIL"},
		"32 bits are too few":       {"cmd/vigie/more.go", "package main\n\nvar _ int = 1 << 40\n", "types hold", "types hold"},
		"another system's own file": {"cmd/vigie/more_linux.go", "package main\n\nvar _ int = `text`\n", "types hold", "types hold"},
	} {
		t.Run(what, func(t *testing.T) {
			module(t, map[string]string{c.file: c.text})
			programs, tests := typeCheck(systems.System{OS: "windows", Arch: "amd64"})
			if programs.String() != c.programs || tests.String() != c.tests {
				t.Errorf("programs: %v (%v), tests: %v (%v)", programs, programs.err, tests, tests.err)
			}
		})
	}
	module(t, map[string]string{"cmd/vigie/more.go": "package main\n\nvar _ int = 1 << 40\n"})
	if programs, _ := typeCheck(systems.System{OS: "linux", Arch: "386"}); programs.err == nil {
		t.Error("a number that 32 bits do not hold goes unseen")
	}
}

func TestTheTableHasARowForEachSystemAndFailsWithOneOfThem(t *testing.T) {
	module(t, map[string]string{"cmd/vigie/size_freebsd.go": "package main\n\nfunc size() int { return 2 }\n"})
	var table strings.Builder
	err := run(true, "freebsd-amd64,windows-arm64", &table)
	if err == nil || !strings.Contains(err.Error(), "freebsd-amd64") || strings.Contains(err.Error(), "windows") {
		t.Errorf("it fails with %v", err)
	}
	rows := strings.Split(strings.TrimSpace(table.String()), "\n")
	if len(rows) != 3 || !strings.Contains(rows[1], "FAIL") || strings.Contains(rows[2], "FAIL") || !strings.Contains(rows[2], string(systems.Apart)) {
		t.Errorf("the table is\n%s", table.String())
	}
}

func TestCodeIsMadeForThisMachine(t *testing.T) {
	module(t, nil)
	if programs, tests := compile(systems.System{Tests: systems.Native}); programs.err != nil || tests.err != nil {
		t.Errorf("%v, %v", programs.err, tests.err)
	}
	module(t, map[string]string{"cmd/vigie/size_test.go": "package main\n\nvar _ int = size\n"})
	if programs, tests := compile(systems.System{Tests: systems.Native}); programs.err != nil || tests.err == nil {
		t.Errorf("%v, %v", programs.err, tests.err)
	}
}
