//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
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
