package service

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// TestEveryFormatHasItsTopic walks the folders of the formats. A decoder that no topic
// leads to would be written and never called.
func TestEveryFormatHasItsTopic(t *testing.T) {
	called := map[string]bool{}
	for _, decoder := range formats {
		kind := reflect.TypeOf(decoder)
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		called[kind.PkgPath()+"."+kind.Name()] = true
	}
	files, err := filepath.Glob("../../../ingest/formats/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	decodes := regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?(\w+)\) Decode\([^)]*\*ingest\.Batch\)`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range decodes.FindAllStringSubmatch(string(source), -1) {
			found++
			folder := filepath.Base(filepath.Dir(file))
			if !called["vigie/ingest/formats/"+folder+"."+match[1]] {
				t.Errorf("%s: %s decodes, and no topic in formats.go leads to it", file, match[1])
			}
		}
	}
	if found == 0 {
		t.Error("no decoder was found: the test looks in the wrong place")
	}
}
