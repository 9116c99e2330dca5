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

// Reading down to the standard library takes seconds, so one table shows it all.
func TestAFaultOfOneSystemShowsInItsRowAlone(t *testing.T) {
	module(t, map[string]string{
		"cmd/vigie/more_linux.go":        "package main\n\nvar _ int = 1 << 40 // more than 32 bits hold\n",
		"cmd/vigie/more_windows_test.go": "package main\n\nvar _ int = size // a function\n",
	})
	var table strings.Builder
	err := run(true, "linux-armv7,windows-arm64", &table)
	if err == nil || !strings.Contains(err.Error(), "linux-armv7: ") || !strings.Contains(err.Error(), "windows-arm64: ") {
		t.Errorf("it fails with %v", err)
	}
	rows := strings.Split(strings.TrimSpace(table.String()), "\n")
	if len(rows) != 3 {
		t.Fatalf("the table is\n%s", table.String())
	}
	for i, want := range []string{"linux-armv7 FAIL FAIL", "windows-arm64 types hold FAIL"} {
		row := strings.Join(strings.Fields(rows[i+1]), " ")
		if !strings.HasPrefix(row, want+" ") || !strings.Contains(row, string(systems.Apart)) {
			t.Errorf("%q, want %q and how tests run", row, want)
		}
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

func TestAProgramThatIsTooHeavyIsNotBuilt(t *testing.T) {
	folder := t.TempDir()
	s := systems.System{OS: "linux", Arch: "amd64"}
	for i, size := range []int64{1 << 20, systems.Heaviest} {
		if err := errors.Join(os.WriteFile(filepath.Join(folder, systems.Programs[i]), nil, 0o755), os.Truncate(filepath.Join(folder, systems.Programs[i]), size)); err != nil {
			t.Fatal(err)
		}
	}
	if got := built(s, folder, nil); got.String() != "built, 32.0 MiB" {
		t.Errorf("%q, %v", got, got.err)
	}
	if err := os.Truncate(filepath.Join(folder, systems.Programs[0]), systems.Heaviest+1); err != nil {
		t.Fatal(err)
	}
	if got := built(s, folder, nil); got.err == nil || !strings.Contains(got.err.Error(), "linux-amd64: vigie weighs 33554433 bytes") {
		t.Errorf("%q, %v", got, got.err)
	}
}
