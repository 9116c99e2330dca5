package main

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// place is how the README names what stands in a file or a folder: `Name` in `path`.
var place = regexp.MustCompile("`([A-Za-z]+)` in\\s+`([^`]+)`")

// somewhere is a path of this repository, as the README writes it.
var somewhere = regexp.MustCompile("`((?:cmd|ingest|alerts|protocols|seeds|deploy)/[^` ]+)`")

// TestNamesInTheREADMEStand keeps its walks and recipes true: what they name stands
// where they say.
func TestNamesInTheREADMEStand(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, found := range somewhere.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(found[1]))); err != nil {
			t.Errorf("the README names %s: %v", found[1], err)
		}
	}
	names := place.FindAllStringSubmatch(text, -1)
	if len(names) < 20 {
		t.Errorf("the README names %d things by their place", len(names))
	}
	for _, found := range names {
		name, where := found[1], found[2]
		if !slices.ContainsFunc(texts(t, where), declares(name)) {
			t.Errorf("the README says that %s stands in %s", name, where)
		}
	}
}

// texts are the program's files at a path of the repository.
func texts(t *testing.T, where string) []string {
	t.Helper()
	name := filepath.Join("../..", filepath.FromSlash(where))
	if path.Ext(where) != ".go" {
		return slices.Collect(maps.Values(sources(t, name)))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil // which is told by itself
	}
	return []string{string(text)}
}

// declares reports whether a file declares a name.
func declares(name string) func(text string) bool {
	declaration := regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type |var |const |\t)` + name + `\b *([(\[={]|func|interface|struct|[a-z]+ =)`)
	return declaration.MatchString
}

// A walk that takes longer than ten steps is not one.
func TestNamesInTheREADMEAreFewToAWalk(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walks, told := strings.Cut(string(data), "\n## Three walks\n")
	walks, _, _ = strings.Cut(walks, "\n## ")
	if steps := regexp.MustCompile(`(?m)^\d+\. `).FindAllString(walks, -1); !told || len(steps) == 0 || slices.Contains(steps, "11. ") {
		t.Errorf("the walks take %d steps: %q", len(steps), steps)
	}
}
