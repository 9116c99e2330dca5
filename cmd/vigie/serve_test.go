package main

import (
	"bufio"
	"os"
	"os/exec"
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

// serving starts vigie serve as a process and returns the address of its page.
func serving(t *testing.T, arguments ...string) (process *exec.Cmd, page string) {
	t.Helper()
	process = exec.Command(os.Args[0], append([]string{"serve", "--data", t.TempDir()}, arguments...)...)
	process.Env = append(os.Environ(), asVigie+"=yes", "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
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
