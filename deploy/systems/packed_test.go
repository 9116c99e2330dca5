package systems_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/deploy/systems"
	"vigie/protocols/document"
)

// TestAReleaseBringsTheProtocolsPackedAsTheyAre: what the toolchain embeds in the place of a
// protocol reads as the file of the checkout, and all take a third of the room at most.
func TestAReleaseBringsTheProtocolsPackedAsTheyAre(t *testing.T) {
	t.Chdir("../..")
	folder := t.TempDir()
	flag, err := systems.Packed(folder)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(strings.TrimPrefix(flag, "-overlay="))
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(list, &overlay); err != nil {
		t.Fatal(err)
	}
	shipped, err := filepath.Glob("protocols/library/*.yaml")
	if err != nil || len(shipped) == 0 || len(overlay.Replace) != len(shipped) {
		t.Fatalf("%d files ship, %d are packed, %v", len(shipped), len(overlay.Replace), err)
	}
	packed := document.Packed{Folder: os.DirFS(folder).(fs.ReadFileFS)}
	before, after := 0, int64(0)
	for _, name := range shipped {
		was, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(overlay.Replace[name])
		if err != nil {
			t.Fatal(err)
		}
		read, err := packed.ReadFile(filepath.Base(overlay.Replace[name]))
		if err != nil || string(read) != string(was) {
			t.Errorf("%s reads otherwise once it is packed: %v", name, err)
		}
		before, after = before+len(was), after+info.Size()
	}
	if after*3 > int64(before) {
		t.Errorf("%d bytes are packed into %d", before, after)
	}
}
