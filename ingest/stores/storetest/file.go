package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// begun is a file as a store begins it.
var begun struct {
	sync.Mutex
	content []byte
}

// File returns the path of a store's file in a folder of the test's own, just begun by
// begin. It is begun once and copied from then on: under the race detector its tables
// take a second to make.
func File(t testing.TB, begin func(path string) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vigie.db")
	begun.Lock()
	defer begun.Unlock()
	if begun.content == nil {
		if err := begin(path); err != nil {
			t.Fatal(err)
		}
		var err error
		if begun.content, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.WriteFile(path, begun.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
