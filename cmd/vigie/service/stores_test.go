package service

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryStoreIsHeldToTheWholeContract walks the folders of the stores: each that keeps
// readings calls every part of the contract in its tests, and can be opened.
func TestEveryStoreIsHeldToTheWholeContract(t *testing.T) {
	const stores = "../../../ingest/stores"
	read := func(pattern string) string {
		files, err := filepath.Glob(filepath.Join(stores, pattern))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		return all.String()
	}
	var parts []string
	for _, m := range regexp.MustCompile(`(?m)^func (Run\w*)\(`).FindAllStringSubmatch(read("storetest/*.go"), -1) {
		parts = append(parts, m[1])
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "RunLastDay" }) // of stores that had an older version
	slices.Sort(parts)
	opened, err := os.ReadFile("backend.go")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(stores)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, folder := range folders {
		name := folder.Name()
		if !strings.Contains(read(name+"/*.go"), ") Update(ctx context.Context, work func(") || name == "storetest" {
			continue // it keeps no readings of its own
		}
		held++
		tests := read(name + "/*_test.go")
		for _, part := range parts {
			if !strings.Contains(tests, "storetest."+part+"(") {
				t.Errorf("%s: no test calls storetest.%s", name, part)
			}
		}
		if !strings.Contains(string(opened), name+".Open(") {
			t.Errorf("%s: nothing in backend.go opens it", name)
		}
	}
	if held < 2 || len(parts) < 6 {
		t.Errorf("%d stores and %d parts of the contract were found", held, len(parts))
	}
}
