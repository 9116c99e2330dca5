package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vigie/protocols"
)

// counted is a noun in the plural behind a count that may be one.
var counted = regexp.MustCompile(`FR:\s*(?:fmt\.Sprintf\()?"[^"]*%d [\p{Ll}]+s\b`)

// never are sentences whose number is never one: a limit, or what is said of several.
var never = []string{"octets ; %d au plus", "plus de %d clés", "l'issue tiennent en %d caractères", "%d patients sur %d ont", "%d autres alertes ne sont pas listées",
	"sur %d jours pour juger", "moins que %d jours", "%d accès du", "%d des deux côtés"}

// Whatever a command counts agrees with its number: "1 ligne", "2 lignes".
func TestWhatIsCountedAgreesWithItsNumber(t *testing.T) {
	for _, root := range []string{"cmd", "ingest", "alerts", "protocols", "seeds"} {
		err := filepath.WalkDir(filepath.Join("..", "..", root), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i, line := range strings.Split(string(text), "\n") {
				known := false
				for _, words := range never {
					known = known || strings.Contains(line, words)
				}
				if counted.MatchString(line) && !known {
					t.Errorf("%s:%d: with 1 this is wrong; write [ligne|lignes], see written.Sentence: %s", path, i+1, strings.TrimSpace(line))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text := protocols.Text{FR: "%s : %d [ligne laissée|lignes laissées], %d [vue|vues] [a] 5 %%", EN: "%s: %d [line|lines], %d seen"}
	for _, c := range []struct {
		in   tongue
		a, b int
		want string
	}{
		{"fr", 1, 2, "f : 1 ligne laissée, 2 vues [a] 5 %"}, {"fr", 2, 0, "f : 2 lignes laissées, 0 vue [a] 5 %"}, {"en", 0, 1, "f: 0 lines, 1 seen"}, {"en", 1, 1, "f: 1 line, 1 seen"},
	} {
		if said := c.in.say(text, "f", c.a, c.b); said != c.want {
			t.Errorf("says %q, want %q", said, c.want)
		}
	}
}
