package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asVigie makes a process of the test program the program itself.
const asVigie = "VIGIE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asVigie) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveProcess is vigie serve as a process that is not started yet.
func serveProcess(t *testing.T, arguments ...string) *exec.Cmd {
	process := exec.Command(os.Args[0], append([]string{"serve", "--data", t.TempDir()}, arguments...)...)
	process.Env = append(os.Environ(), asVigie+"=yes", "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
	return process
}

// serving starts vigie serve as a process and returns the address of its page.
func serving(t *testing.T, arguments ...string) (process *exec.Cmd, page string) {
	t.Helper()
	process = serveProcess(t, arguments...)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	_, page, found := strings.Cut(strings.TrimSpace(line), "http://")
	if err != nil || !found {
		t.Fatalf("it said %q, %v", line, err)
	}
	return process, page
}

// TestALogInJSONHoldsNothingElse has a service that cannot start say why, and one that
// was given the webhook secret of last month say what to change.
func TestALogInJSONHoldsNothingElse(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "vigie.yaml")
	for name, c := range map[string]struct{ text, says string }{
		"a key that there is not":      {"log: {format: json}\nhtpp: {}\n", "vouliez-vous dire « http »"},
		"a file that is not YAML":      {"log: {format: json\n", "vigie.yaml"},
		"a token without a name":       {"http: {tokens: {x: short}}\n", "http.tokens.x"},
		"a folder that cannot be made": {"data: " + filepath.Join(file, "data") + "\nwebhook: {secret: last month}\n", "webhook.secret can be guessed"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		process := exec.CommandContext(t.Context(), os.Args[0], "serve", "--config", file)
		process.Env = append(os.Environ(), asVigie+"=yes", "VIGIE_LOG_FORMAT=json", "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
		out, err := process.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v, and it said %s", name, err, out)
		}
		for line := range bytes.Lines(out) {
			if !json.Valid(line) {
				t.Errorf("%s: a line of the log is no JSON: %s", name, line)
			}
		}
	}
}
