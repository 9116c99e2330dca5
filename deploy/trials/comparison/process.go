package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds how long anything but the load itself may take.
const patience = time.Minute

// process is a server under test.
type process struct {
	name    string
	command *exec.Cmd
	said    said
	ended   chan struct{}
}

// startProcess starts a server and waits until its output holds ready.
func startProcess(name, ready string, environment []string, program string, arguments ...string) (*process, error) {
	p := &process{name: name, command: exec.Command(program, arguments...), said: said{ready: ready, seen: make(chan struct{})}, ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stdout, p.command.Stderr = &p.said, &p.said
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		// How it ended shows in what it said.
		_ = p.command.Wait()
		close(p.ended)
	}()
	select {
	case <-p.said.seen:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%s ended at once: %s", name, p.said.String())
	case <-time.After(patience):
		return nil, errors.Join(fmt.Errorf("%s does not get ready: %s", name, p.said.String()), p.stop())
	}
}

// stop asks the server to end, and waits until it has.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s does not stop: %s", p.name, p.said.String()), p.command.Process.Kill())
	}
}

// word returns what the server said after a word at the beginning of a line.
func (p *process) word(before string) string {
	for line := range strings.Lines(p.said.String()) {
		if rest, ok := strings.CutPrefix(line, before); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// said keeps what a process writes, and notices when it is ready.
type said struct {
	ready string
	seen  chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
	done bool
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.text.Write(p)
	if !s.done && bytes.Contains(s.text.Bytes(), []byte(s.ready)) {
		s.done = true
		close(s.seen)
	}
	return n, err
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
