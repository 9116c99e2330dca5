//go:build unix

package disk

import (
	"os"
	"testing"
)

// expose lets others on this machine read a file or folder.
func expose(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, info.Mode().Perm()|0o055); err != nil {
		t.Fatal(err)
	}
}

// access says who may do what with a file or folder.
func access(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().String()
}
