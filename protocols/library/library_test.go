package library_test

import (
	"testing"

	"vigie/ingest/document"
	"vigie/protocols"
	"vigie/protocols/library"
)

func TestEveryShippedProtocolCanBeRead(t *testing.T) {
	shipped, err := library.Library(document.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range library.Names() {
		p := shipped[id+"@1"]
		if p == nil {
			t.Errorf("%s.yaml does not hold version 1 of the protocol of that name", id)
			continue
		}
		if p.Status != "example" {
			t.Errorf("%s has status %q; nobody has validated it: it must say example", id, p.Status)
		}
	}
}

// TestEveryShippedProtocolStandsReview holds the library to what vigie protocols
// check asks of anybody's protocol, warnings included: every number has an
// origin, every rule is raised by a test at every level.
func TestEveryShippedProtocolStandsReview(t *testing.T) {
	for _, id := range library.Names() {
		for _, p := range protocols.Check(read(t, id+".yaml"), read(t, id+".test.yaml")) {
			file := id + ".yaml"
			if p.File == protocols.TestsFile {
				file = id + ".test.yaml"
			}
			t.Errorf("%s:%d:%d: %s: %s", file, p.Line, p.Column, p.Code, p.Message)
		}
	}
}

func TestEveryShippedProtocolPassesItsTests(t *testing.T) {
	for _, id := range library.Names() {
		p, _ := protocols.Parse(read(t, id+".yaml"))
		results, problems := protocols.RunTests(p, read(t, id+".test.yaml"))
		for _, problem := range problems {
			t.Errorf("%s.test.yaml:%d:%d: %s", id, problem.Line, problem.Column, problem.Message)
		}
		for _, result := range results {
			t.Run(id+"/"+result.Name, func(t *testing.T) {
				for _, difference := range result.Differences {
					t.Errorf("%s.test.yaml:%d: %s", id, result.Line, difference)
				}
			})
		}
	}
}

func read(t *testing.T, file string) *protocols.Node {
	t.Helper()
	data, err := library.FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := document.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc
}
