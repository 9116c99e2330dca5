package library_test

import (
	"testing"

	"vigie/ingest/document"
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
