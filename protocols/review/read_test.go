package review_test

import (
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

func node(t *testing.T, text string) *document.Node {
	t.Helper()
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// parsed reads a protocol that must be right.
func parsed(t *testing.T, text string) *protocols.Protocol {
	t.Helper()
	p, problems := language.Parse(node(t, text))
	if p == nil {
		t.Fatalf("the protocol is not read: %v", problems)
	}
	return p
}
