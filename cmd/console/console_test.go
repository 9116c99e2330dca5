package console

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asBrowser makes the test program a browser, which notes what it is asked.
const asBrowser = "VIGIE_TEST_BROWSER_NOTES"

func TestMain(m *testing.M) {
	if notes := os.Getenv(asBrowser); notes != "" {
		if err := os.WriteFile(notes, []byte(strings.Join(os.Args[1:], " ")), 0o600); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTheBrowserIsAskedForThePage(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes")
	t.Setenv(asBrowser, notes)
	t.Setenv("BROWSER", os.Args[0])
	if err := Browse(t.Context(), "http://127.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	if asked, err := os.ReadFile(notes); err != nil || string(asked) != "http://127.0.0.1:8080" {
		t.Errorf("it was asked %q, %v", asked, err)
	}
}

func TestWithoutABrowserThePageIsNamed(t *testing.T) {
	t.Setenv("BROWSER", filepath.Join(t.TempDir(), "nothing"))
	if err := Browse(context.Background(), "http://127.0.0.1:8080"); err == nil || !strings.Contains(err.Error(), "open http://127.0.0.1:8080 yourself") {
		t.Errorf("it says %v", err)
	}
}

func TestEverySystemHasItsWayToABrowser(t *testing.T) {
	for system, want := range map[string]string{"windows": "rundll32 url.dll,FileProtocolHandler", "darwin": "open", "linux": "xdg-open", "freebsd": "xdg-open"} {
		if got := strings.Join(browser(system, ""), " "); got != want {
			t.Errorf("%s: %q, want %q", system, got, want)
		}
	}
	if got := strings.Join(browser("darwin", "firefox"), " "); got != "firefox" {
		t.Errorf("the chosen one: %q", got)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if Lively(file) || Lively(&strings.Builder{}) {
		t.Error("escape sequences would be written into a file")
	}
}
