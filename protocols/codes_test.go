package protocols_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigie/protocols"
)

func TestEveryCodeIsListed(t *testing.T) {
	source, err := os.ReadFile("reading.go")
	if err != nil {
		t.Fatal(err)
	}
	asides, _, _ := strings.Cut(string(source), "// The codes of warnings alone")
	found := regexp.MustCompile(`(?m)^\t\w+\s+Code = "([a-z-]+)"`).FindAllStringSubmatch(asides, -1)
	if len(found) < 10 {
		t.Fatalf("only %d codes found", len(found))
	}
	for _, code := range found {
		if !slices.Contains(protocols.Codes(), protocols.Code(code[1])) {
			t.Errorf("%s is not in Codes: its metric would not exist from the start", code[1])
		}
	}
}
