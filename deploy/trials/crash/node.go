package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is a `vigie serve` that can be killed and started again at the same
// address, over the same data.
type node struct {
	command []string // the program and its arguments
	page    string   // host:port
	env     []string

	running *exec.Cmd
	ready   chan struct{} // closed once it says that it answers
	ended   chan struct{} // closed once it is gone

	mu   sync.Mutex
	said bytes.Buffer // the end of what it said since the first start
}

// patience is how long something may take that has to come: the machine may be
// busy with something else.
const patience = 2 * time.Minute

// launch starts the process and does not wait.
func (n *node) launch() error {
	n.running = exec.Command(n.command[0], n.command[1:]...)
	n.running.Env = append(os.Environ(), n.env...)
	// The log has a pipe of its own, so that the last words of a killed process
	// are read to their end.
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	n.running.Stdout, n.running.Stderr = writer, writer
	if err := n.running.Start(); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	writer.Close()
	n.ready, n.ended = make(chan struct{}), make(chan struct{})
	go n.follow(reader, n.running, n.ready, n.ended)
	return nil
}

func (n *node) follow(reader io.ReadCloser, process *exec.Cmd, ready, ended chan struct{}) {
	defer close(ended)
	defer reader.Close()
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	seen := false
	for lines.Scan() {
		n.note(lines.Text())
		if !seen && strings.HasPrefix(lines.Text(), "page") {
			seen = true
			close(ready)
		}
	}
	// How it ended is told by its state.
	_ = process.Wait()
}

func (n *node) note(line string) {
	const kept = 1 << 20
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said.Len() > kept {
		n.said.Next(kept / 2)
	}
	n.said.WriteString(line + "\n")
}

// log returns what the process said.
func (n *node) log() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.said.String()
}

// start starts the process and returns once it answers.
func (n *node) start() error {
	if err := n.launch(); err != nil {
		return err
	}
	return n.answers()
}

// answers waits until the process that was launched answers.
func (n *node) answers() error {
	select {
	case <-n.ready:
		return nil
	case <-n.ended:
		return fmt.Errorf("the service ended as it started: %s", lastLines(n.log(), 5))
	case <-time.After(patience):
		return fmt.Errorf("the service does not answer: %s", lastLines(n.log(), 5))
	}
}

// kill ends the process as a power cut would.
func (n *node) kill() error {
	if err := n.running.Process.Kill(); err != nil {
		return fmt.Errorf("kill the service: %w", err)
	}
	return n.gone()
}

// stop asks the process to end, and holds it to doing so politely.
func (n *node) stop() error {
	if err := n.running.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	if err := n.gone(); err != nil {
		return err
	}
	if code := n.running.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the service was stopped and ended with status %d: %s", code, lastLines(n.log(), 5))
	}
	return nil
}

func (n *node) gone() error {
	select {
	case <-n.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the service does not end: %s", lastLines(n.log(), 5))
	}
}

// end kills what still runs.
func (n *node) end() error {
	if n.running == nil {
		return nil
	}
	select {
	case <-n.ended:
		return nil
	default:
		return n.kill()
	}
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
