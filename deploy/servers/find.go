package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrMissing is returned by Find for a program that this machine does not have.
var ErrMissing = errors.New("not installed")

// Find returns the path of a program: from the environment variable
// VIGIE_TEST_<NAME>, from PATH, or from where Debian, Go and deploy/test put it.
// It returns ErrMissing when there is none, and another error when the
// environment names a file that is not there.
func Find(name string) (string, error) {
	variable := "VIGIE_TEST_" + strings.ToUpper(name)
	if path := os.Getenv(variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s names a program that is not there: %w", variable, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range usualPlaces(name) {
		found, err := filepath.Glob(pattern)
		if err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s: %w; deploy/test installs it, or give its path in %s", name, ErrMissing, variable)
}

func usualPlaces(name string) []string {
	places := []string{
		filepath.Join("/usr/sbin", name),
		filepath.Join("/usr/lib/postgresql/*/bin", name),
	}
	if home, err := os.UserHomeDir(); err == nil {
		places = append(places, filepath.Join(home, "go/bin", name))
	}
	if root, err := moduleRoot(); err == nil {
		places = append(places, filepath.Join(root, "deploy/.cache/bin", name))
	}
	return places
}

// moduleRoot walks up from the working directory to the folder of go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}

// Need skips the test where a program is missing, and fails it where the
// environment names one that is not there.
func Need(t T, name string) {
	t.Helper()
	_, err := Find(name)
	if errors.Is(err, ErrMissing) {
		t.Skipf("needs a real server: %v", err)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
}
