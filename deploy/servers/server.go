package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// patience bounds how long a server may take to start or to stop.
const patience = time.Minute

// Server is one server process. It can be killed and started again over the
// same data and at the same address.
type Server struct {
	Address string // host:port on loopback
	Dir     string // where it keeps its data

	name    string
	ready   string // what its log says once it answers
	command func() *exec.Cmd
	process *exec.Cmd
	output  *output
	exited  chan struct{}
}

// start chooses a free port and starts the server there. Another process may
// take the port in between, so it tries a few.
func start(s *Server, configure func(port int) error) error {
	const attempts = 5
	var err error
	for range attempts {
		var port int
		if port, err = freePort(); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
		s.Address = fmt.Sprintf("127.0.0.1:%d", port)
		if err = configure(port); err != nil {
			return fmt.Errorf("configure %s: %w", s.name, err)
		}
		if err = s.Start(); err == nil || !strings.Contains(strings.ToLower(err.Error()), "address already in use") {
			return err
		}
	}
	return err
}

// FreeAddress is an address of this machine where nobody listens, and none that the
// system gives to a connection going out: a server that ends finds it free when it
// comes back.
func FreeAddress() (string, error) {
	port, err := freePort()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}

// Ports from 32768 (Linux) or 49152 (others) are those of connections going out.
const lowestPort, portsBelow = 20_000, 32_768

// given are the ports that this process has given out, which is before anybody listens there.
var given sync.Map

func freePort() (int, error) {
	const attempts = 50
	var err error
	for range attempts {
		port := lowestPort + rand.IntN(portsBelow-lowestPort)
		if _, given := given.LoadOrStore(port, true); given {
			continue
		}
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

// Start starts a server that has been stopped or killed, and returns once it
// answers.
func (s *Server) Start() error {
	s.process = s.command()
	s.output = &output{wanted: s.ready, seen: make(chan struct{})}
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.process.Stdout, s.process.Stderr = writer, writer
	if err := s.process.Start(); err != nil {
		reader.Close()
		writer.Close()
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	writer.Close()
	s.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan struct{}) {
		// The log ends with the last process that writes to it: the children of
		// a killed PostgreSQL hold its data until then.
		s.output.read(reader)
		// How it ended is told by its log; a killed server always ends in error.
		_ = process.Wait()
		close(exited)
	}(s.process, s.exited)

	select {
	case <-s.output.seen:
		return nil
	case <-s.exited:
		return fmt.Errorf("%s ended as it started; it said:\n%s", s.name, s.Log())
	case <-time.After(patience):
		err := fmt.Errorf("%s did not answer within %s; it said:\n%s", s.name, patience, s.Log())
		return errors.Join(err, s.Kill())
	}
}

// Pid is the number of the server's process.
func (s *Server) Pid() int { return s.process.Process.Pid }

// Kill ends the server with SIGKILL, as a power cut would, and waits until it is gone.
func (s *Server) Kill() error { return s.end(os.Kill) }

// Stop asks the server to end, and waits until it has.
func (s *Server) Stop() error { return s.end(os.Interrupt) }

// Halt makes the server hang until Resume.
func (s *Server) Halt() error { return Halt(s.process.Process) }

// Resume lets the server go on.
func (s *Server) Resume() error { return Resume(s.process.Process) }

// Signal sends a signal to the server.
func (s *Server) Signal(signal os.Signal) error { return s.process.Process.Signal(signal) }

func (s *Server) end(signal os.Signal) error {
	if s.process == nil || s.process.Process == nil {
		return nil
	}
	select {
	case <-s.exited:
		return nil
	default:
	}
	if err := s.process.Process.Signal(signal); err != nil && err != os.ErrProcessDone {
		return fmt.Errorf("end %s: %w", s.name, err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s did not end within %s", s.name, patience)
	}
}

// Log returns the last lines that the server wrote.
func (s *Server) Log() string { return s.output.String() }

// bind ends the server with the test, and shows its log if the test failed.
func bind(t T, s *Server, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Logf("%v", err)
		}
		if t.Failed() {
			t.Logf("the log of %s:\n%s", s.name, s.Log())
		}
	})
}

// output keeps the last lines of a log and notices the wanted one.
type output struct {
	wanted string
	seen   chan struct{}

	mu    sync.Mutex
	lines []string
	found bool
}

func (o *output) read(r io.ReadCloser) {
	defer r.Close()
	const kept = 60
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			o.mu.Lock()
			o.lines = append(o.lines, strings.TrimRight(line, "\n"))
			if len(o.lines) > kept {
				o.lines = o.lines[1:]
			}
			if !o.found && strings.Contains(line, o.wanted) {
				o.found = true
				close(o.seen)
			}
			o.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
