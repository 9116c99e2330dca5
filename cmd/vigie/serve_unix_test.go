//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ended tells how a process ended.
func ended(t *testing.T, process *exec.Cmd) syscall.WaitStatus {
	t.Helper()
	err := process.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return process.ProcessState.Sys().(syscall.WaitStatus)
}

func TestServiceEndsPolitelyWithItsTerminal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		process, _ := serving(t)
		if err := process.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if how := ended(t, process); !how.Exited() || how.ExitStatus() != 0 {
			t.Errorf("after %v: signaled %v, status %d", signal, how.Signaled(), how.ExitStatus())
		}
	}
}

// What is waited for at the end may hang: a database that answers nobody, or here
// somebody whose request does not come to its end.
func TestSecondSignalEndsTheServiceAtOnce(t *testing.T) {
	process, page := serving(t)
	conn, err := net.Dial("tcp", page)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST /api/v1/alerts/a/acknowledge HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n", page); err != nil {
		t.Fatal(err)
	}
	done := make(chan syscall.WaitStatus, 1)
	go func() { done <- ended(t, process) }()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		if err := process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case how := <-done:
			if !how.Signaled() || how.Signal() != syscall.SIGTERM {
				t.Errorf("it took its time: signaled %v, status %d", how.Signaled(), how.ExitStatus())
			}
			return
		case <-again.C:
		}
	}
}

// Under a supervisor standard output and standard error are one log: whoever reads it as
// JSON must not stumble at a start, nor at a start that fails.
func TestLogInJSONHoldsNothingElse(t *testing.T) {
	for name, change := range map[string][]string{"it starts": nil, "it cannot": {"VIGIE_HTTP_CERT_FILE=/nowhere", "VIGIE_HTTP_KEY_FILE=/nowhere"}} {
		process := exec.Command(os.Args[0], "serve", "--data", t.TempDir())
		process.Env = append(os.Environ(), asVigie+"=yes", "VIGIE_LOG_FORMAT=json", "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
		process.Env = append(process.Env, change...)
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		process.Stdout, process.Stderr = write, write
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		write.Close()
		lines, served := 0, false
		for scanner := bufio.NewScanner(read); scanner.Scan(); lines++ {
			if !json.Valid(scanner.Bytes()) {
				t.Errorf("%s: %s", name, scanner.Text())
			}
			if strings.Contains(scanner.Text(), `"page":"http://`) {
				served = true
				if err := process.Process.Signal(os.Interrupt); err != nil {
					t.Error(err)
				}
			}
		}
		if err := process.Wait(); served != (err == nil) || served != (name == "it starts") || lines == 0 {
			t.Errorf("%s: %v after %d lines", name, err, lines)
		}
	}
}
