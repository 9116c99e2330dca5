package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/disk"
	"vigie/ingest/formats/native"
)

// vigie runs a command line.
func vigie(t testing.TB, args ...string) error {
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
		"explain --patient p-1 --rule no-weight --at 2026-11-21", "replay --protocol heart-failure --patient p-1", "backup b.db", "check --store",
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

func TestAnImportOfAFileThatIsNotThereBeginsNoStore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	err := vigie(t, "registry", "import", "--author", "a test", "--data", folder, "cohort.yalm")
	if err == nil || !strings.Contains(err.Error(), "cohort.yalm") {
		t.Errorf("imported with %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a store was begun")
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

func TestABackupHasANameThatEverySystemTakes(t *testing.T) {
	name := backupName(time.Date(2026, 11, 22, 0, 30, 0, 0, time.FixedZone("Paris", 3600)))
	if err := disk.Portable(name); err != nil || name != "vigie-2026-11-21T233000Z.db" {
		t.Errorf("%q, %v", name, err)
	}
}

// The guide for vendors is tried as it stands.
func TestTheReadingOfTheGuideIsAccepted(t *testing.T) {
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```json\n")
	reading, _, _ := strings.Cut(rest, "```")
	var batch ingest.Batch
	native.Decoder{}.Decode("vigie/v1/bp-1/readings", "bp-1", []byte(reading), &batch)
	if len(batch.Readings) != 1 || len(batch.Refused) != 0 || batch.Readings[0].ID == "" {
		t.Errorf("%s\nbecomes %+v", reading, batch)
	}
	source, err := os.ReadFile("../../protocols/reading.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`\bCode = "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 18 {
		t.Fatalf("only %d codes are declared", len(codes))
	}
	for _, code := range codes {
		if !strings.Contains(string(guide), "| `"+code[1]+"` |") {
			t.Errorf("the guide does not tell what to do about %s", code[1])
		}
	}
}
