package library_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/library"
)

//go:generate go test . -run ^TestAReleasedVersionNeverChanges$ -update

// edition is one line of released.txt.
type edition struct {
	id      string
	version int
	digest  string
}

func (e edition) String() string { return fmt.Sprintf("%s %d %s", e.id, e.version, e.digest) }

const released = "released.txt"

// TestAReleasedVersionNeverChanges holds the text of every protocol that ships against
// the table of what was released: an installation keeps the text that it used under a
// version, so that whoever is followed under it would never get what changed.
func TestAReleasedVersionNeverChanges(t *testing.T) {
	table, known := releasedEditions(t)
	for _, e := range shippedEditions(t) {
		complaint, fresh := complaintOf(known, e)
		switch {
		case fresh && *update:
			table += e.String() + "\n"
		case complaint != "":
			t.Error(complaint)
		}
	}
	if *update {
		if err := os.WriteFile(released, []byte(sortedLines(table)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const generate = "run go generate ./protocols/library"

// complaintOf is what is wrong with the text of a protocol; empty when it is a version as
// it was released, and the last one. A fresh one lacks its line and nothing else.
func complaintOf(known []edition, e edition) (complaint string, fresh bool) {
	var texts []string
	last := 0
	for _, k := range known {
		if k.id != e.id {
			continue
		}
		if last = max(last, k.version); k.version == e.version {
			texts = append(texts, k.digest)
		}
	}
	switch {
	case e.version < last:
		return fmt.Sprintf("%s.yaml: version %d was released, and the file says %d: give it version %d", e.id, last, e.version, last+1), false
	case len(texts) == 0 && e.version == last+1:
		return fmt.Sprintf("%s.yaml: version %d is not in %s: %s", e.id, e.version, released, generate), true
	case len(texts) == 0:
		return fmt.Sprintf("%s.yaml: version %d comes after %d: give it version %d", e.id, e.version, last, last+1), false
	case len(texts) > 1 || texts[0] != e.digest:
		return fmt.Sprintf("%s.yaml: the text of version %d is not what was released. Whoever is followed under it keeps the former text: give this one version %d, and %s", e.id, e.version, e.version+1, generate), false
	}
	return "", false
}

func TestWhatIsWrongWithAVersionIsSaid(t *testing.T) {
	known := []edition{{"copd", 1, "a"}, {"copd", 2, "b"}, {"copd", 2, "c"}, {"heart-failure", 7, "d"}}
	for _, c := range []struct {
		of    edition
		want  string
		fresh bool
	}{
		{edition{"heart-failure", 7, "d"}, "", false},
		{edition{"heart-failure", 7, "e"}, "give this one version 8, and " + generate, false},
		{edition{"heart-failure", 8, "e"}, "version 8 is not in released.txt: " + generate, true},
		{edition{"heart-failure", 9, "e"}, "give it version 8", false},
		{edition{"heart-failure", 6, "d"}, "give it version 8", false},
		{edition{"copd", 2, "c"}, "give this one version 3", false},
		{edition{"copd", 3, "f"}, "not in released.txt", true},
		{edition{"new", 1, "g"}, "not in released.txt", true},
	} {
		said, fresh := complaintOf(known, c.of)
		if !strings.Contains(said, c.want) || (c.want == "") != (said == "") || fresh != c.fresh {
			t.Errorf("of %v it says %q, fresh %v, want %q", c.of, said, fresh, c.want)
		}
	}
}

// releasedEditions reads the table.
func releasedEditions(t *testing.T) (table string, list []edition) {
	t.Helper()
	data, err := os.ReadFile(released)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var e edition
		if _, err := fmt.Sscanf(line, "%s %d %s\n", &e.id, &e.version, &e.digest); err != nil || len(e.digest) != 2*sha256.Size {
			t.Fatalf("%s: %q is no line of the table: %v", released, line, err)
		}
		list = append(list, e)
	}
	return string(data), list
}

// shippedEditions are the protocols as their files are now.
func shippedEditions(t *testing.T) (list []edition) {
	t.Helper()
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range shipped {
		text, err := library.FS.ReadFile(p.ID + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		version, err := strconv.Atoi(p.Version)
		if err != nil {
			t.Fatalf("%s.yaml: a version that ships is a whole number: %v", p.ID, err)
		}
		sum := sha256.Sum256(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))) // as Windows checks out
		list = append(list, edition{p.ID, version, hex.EncodeToString(sum[:])})
	}
	slices.SortFunc(list, func(a, b edition) int { return strings.Compare(a.id, b.id) })
	return list
}

// sortedLines puts the lines of the table in order, below its head.
func sortedLines(table string) string {
	var head, lines []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			head = append(head, line)
		} else {
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		// by protocol, then version: texts of one version stay in the order in which they came
		return strings.Compare(a[:strings.LastIndex(a, " ")], b[:strings.LastIndex(b, " ")])
	})
	return strings.Join(head, "") + strings.Join(lines, "")
}
