package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Windows flushes no file that was opened for reading.
func TestAFileIsFlushedThroughAHandleThatMayWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(path, []byte("a reading"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := openToFlush(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("b"); err != nil {
		t.Errorf("the handle that flushes may not write: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "b reading" {
		t.Errorf("opening to flush left %q, %v", got, err)
	}
}

// held are the files of a folder that this process has open.
func held(t *testing.T, folder string) (names []string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not tell which files are open")
	}
	for _, entry := range open {
		name, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && filepath.Dir(name) == folder {
			names = append(names, filepath.Base(name))
		}
	}
	return names
}

// Windows neither renames an open file nor renames over one.
func TestNoOpenFileIsRenamedNorRenamedOver(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "token")
	renamed := 0
	rename = func(from, to string) error {
		renamed++
		if open := held(t, folder); len(open) > 0 {
			t.Errorf("%s is renamed to %s while %v are open", from, to, open)
		}
		return move(from, to)
	}
	t.Cleanup(func() { rename = move })
	for _, content := range []string{"first", "second"} {
		if err := Write(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("wrote %q and read %q, %v", content, got, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 || renamed != 2 {
		t.Errorf("%d files are left after %d renames, %v", len(left), renamed, err)
	}
}

func TestWhatCannotBeNamedLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "token")
	rename = func(string, string) error { return errors.New("no") }
	t.Cleanup(func() { rename = move })
	if err := Write(path, []byte("secret")); err == nil {
		t.Error("a failed rename was not told")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "à côté", "données")
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	created, err := Create(filepath.Join(folder, "passwords"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Finish(created), Begin(filepath.Join(folder, "store")), Write(filepath.Join(folder, "token"), []byte("x"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"passwords", "store", "token"} {
		if err := Exposed(filepath.Join(folder, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Create(created.Name()); !errors.Is(err, os.ErrExist) {
		t.Errorf("creating a file that is there: %v", err)
	}
	if err := Exposed(filepath.Join(folder, "nothing")); err == nil || errors.Is(err, ErrExposed) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAFileThatOthersMayReadIsSaidToBeSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	expose(t, path)
	if err := Exposed(path); !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Errorf("it says %v", err)
	}
}

func TestAFileOfAnOlderVersionIsTakenFromOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if changed, err := Enclose(path); changed || err != nil {
		t.Errorf("a file that is not there: %v %v", changed, err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	expose(t, path)
	for _, want := range []bool{true, false} {
		if changed, err := Enclose(path); changed != want || err != nil {
			t.Errorf("changed %v, %v, want %v", changed, err, want)
		}
	}
	if err := Exposed(path); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatIsThereStaysAsItsOwnerSetIt(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "other"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	expose(t, folder)
	before := access(t, folder)
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	if after := access(t, folder); after != before {
		t.Errorf("its access was %s and is %s", before, after)
	}
}

// A path may be longer than the 260 characters that Windows took for granted.
func TestALongPathWithSpacesAndAccentsHoldsFiles(t *testing.T) {
	folder := t.TempDir()
	for len(folder) < 400 {
		folder = filepath.Join(folder, "télésurveillance à domicile, données du service")
	}
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "jeton d’accès")
	for range 2 {
		if err := Write(path, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := Exposed(path); err != nil {
		t.Error(err)
	}
}

func TestNamesThatSomeSystemForbids(t *testing.T) {
	for _, name := range []string{"vigie.db", "vigie-2026-11-21T230000Z.db", "jeton d’accès", ".gitignore", "console", "com", "com10", "comment.md", "nul-part"} {
		if err := Portable(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "2026-11-21T23:00", "a/b", `a\b`, "quoi?", "a*", "<a>", "a|b", `"a"`, "a\x01", "aux", "AUX.go", "nul.tar.gz", "com1", "COM¹.txt", "lpt0", "con .txt", "CONIN$", "point.", "space "} {
		if err := Portable(name); err == nil {
			t.Errorf("%q may be a name", name)
		}
	}
}
