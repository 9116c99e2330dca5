package ingest_test

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest"
)

// Whoever takes one import back takes back no other of the same second.
func TestTwoImportsOfASecondHaveTheirOwnNames(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	one, other := ingest.BatchName(at), ingest.BatchName(at)
	if one == other || !strings.HasPrefix(one, "import 2026-11-23T09:00:00Z ") {
		t.Errorf("they are called %q and %q", one, other)
	}
}
