//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

func TestServiceEndsPolitelyWhenItIsToldTo(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		process, _ := serving(t)
		if err := process.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if how := ended(t, process); !how.Exited() || how.ExitStatus() != 0 {
			t.Errorf("after %v: signaled %v, status %d", signal, how.Signaled(), how.ExitStatus())
		}
	}
}

// A token that is revoked stops at once, and SIGHUP ends nobody's service.
func TestTokensOfARunningServiceAreReadAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, configuration := filepath.Join(folder, "token"), filepath.Join(folder, "vigie.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "the-first-long-token")
	write(configuration, "http: {tokens: {ward_file: "+file+"}}\n")
	process, page := serving(t, "--config", configuration)
	answers := func(token string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+page+"/api/v1/alerts", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		return got.StatusCode
	}
	if got := answers("the-first-long-token"); got != http.StatusOK {
		t.Fatalf("the first token: %d", got)
	}
	write(file, "another-long-token")
	for deadline := time.Now().Add(20 * time.Second); answers("another-long-token") != http.StatusOK; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a token whose file has changed is not known")
		}
	}
	if got := answers("the-first-long-token"); got == http.StatusOK {
		t.Error("a token that was revoked still lets in")
	}
	write(configuration, "http: {tokens: {ward_file: "+file+", night: a-third-long-token}}\n")
	for range 3 {
		if err := process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	for deadline := time.Now().Add(20 * time.Second); answers("a-third-long-token") != http.StatusOK; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a token of the configuration that was read again is not known")
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
	if _, err := fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", page); err != nil {
		t.Fatal(err)
	}
	// It has begun to read the form, of which nothing comes.
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("it answered %q, %v", line, err)
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
