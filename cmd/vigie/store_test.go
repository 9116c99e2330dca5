package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vigie runs a command line.
func vigie(t *testing.T, args ...string) error {
	t.Helper()
	root := rootCommand()
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	root.SetArgs(args)
	return root.ExecuteContext(t.Context())
}

func TestAFolderThatWasMisspeltIsNotTakenForAnEmptyStore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "dta")
	for _, line := range []string{
		"registry export --author a --reason b", "registry history e-1", "readings --patient p-1", "set-aside list", "set-aside retry",
		"explain --patient p-1 --rule no-weight --at 2026-11-21", "replay --protocol heart-failure --patient p-1", "backup b.db",
	} {
		err := vigie(t, append(strings.Fields(line), "--data", folder)...)
		if err == nil || !strings.Contains(err.Error(), "is data the right folder?") {
			t.Errorf("vigie %s: %v", line, err)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Fatalf("vigie %s has made a store", line)
		}
	}
}

func TestTheSampleOfARegistryCanBeImported(t *testing.T) {
	folder := t.TempDir()
	if err := vigie(t, "registry", "import", "--author", "a test", "--passwords", filepath.Join(folder, "new.csv"), "--data", folder, "../../deploy/registry.yaml"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := vigie(t, "backup", "--data", folder, filepath.Join(folder, "backup.db")); err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, filepath.Join(folder, "backup.db")) {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v, %v", file, info.Mode(), err)
		}
	}
}
