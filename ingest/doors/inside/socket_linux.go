package inside

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a TCP connection that a poller watches, so that nobody has to wait at it: Go
// itself lets a connection be waited for by a goroutine alone, whose stack is most of what
// an idle connection takes, and which has to be woken for each packet.
type socket struct {
	poller        *poller
	local, remote net.Addr
	readUntil     deadline
	writeUntil    deadline
	readable      chan struct{} // has an element when there may be something to read, for a goroutine that waits
	writable      chan struct{}
	gone          chan struct{} // closed with the socket
	impatient     bool          // Read does not wait; of the goroutine that reads

	use    sync.RWMutex // read-locked while the descriptor is in use, so that nobody else has it by then
	fd     int
	closed bool

	mu     sync.Mutex  // guards what follows
	parked *connection // nobody reads; nil when somebody does
	missed bool        // something came while somebody read
}

// deadline is in nanoseconds since the poller was opened; 0 for none.
type deadline struct{ atomic.Int64 }

// passed reports whether it is over at a time since the poller was opened.
func (d *deadline) passed(now time.Duration) bool {
	end := d.Load()
	return end != 0 && now >= time.Duration(end)
}

// errNothing is what Read returns when there is nothing to read and it does not wait. It
// is temporary: TLS goes on where it was.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read" }
func (nothing) Timeout() bool   { return false }
func (nothing) Temporary() bool { return true }

// Read is part of net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	for {
		n, err := s.try(read, p)
		switch {
		case err == nil && n == 0 && len(p) > 0:
			return 0, io.EOF
		case err != unix.EAGAIN:
			return max(n, 0), s.wrap("read", err)
		case s.overdue(&s.readUntil):
			return 0, s.wrap("read", os.ErrDeadlineExceeded)
		case s.impatient:
			return 0, errNothing
		}
		if err := s.wait(s.readable, &s.readUntil); err != nil {
			return 0, s.wrap("read", err)
		}
	}
}

// Write is part of net.Conn.
func (s *socket) Write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := s.try(write, p[written:])
		written += max(n, 0)
		switch {
		case err == nil:
			continue
		case err != unix.EAGAIN:
			return written, s.wrap("write", err)
		case s.overdue(&s.writeUntil):
			return written, s.wrap("write", os.ErrDeadlineExceeded)
		}
		if err := s.wait(s.writable, &s.writeUntil); err != nil {
			return written, s.wrap("write", err)
		}
	}
	return written, nil
}

// plain reports whether what is written to a connection goes to the system as it is, and
// need not wait.
func (c *connection) plain() bool { return c.socket != nil && c.Conn == net.Conn(c.socket) }

// writeNow writes as much as goes without waiting, perhaps nothing.
func (s *socket) writeNow(p []byte) (int, error) {
	n, err := s.try(write, p)
	if err == unix.EAGAIN {
		err = nil
	}
	return max(n, 0), s.wrap("write", err)
}

// Neither call waits, so that Go need not know of it: telling it costs as much as the
// call takes to find that there is nothing, and has the processor taken away from whoever
// is at it for some microseconds.
func read(fd int, p []byte) (int, error)  { return call(unix.SYS_READ, fd, p) }
func write(fd int, p []byte) (int, error) { return call(unix.SYS_WRITE, fd, p) }

func call(number uintptr, fd int, p []byte) (int, error) {
	n, _, err := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}

// try does one call of the system that does not wait.
func (s *socket) try(call func(int, []byte) (int, error), p []byte) (n int, err error) {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	for {
		if n, err = call(s.fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

func (s *socket) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		err = os.NewSyscallError(op, err)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.local, Addr: s.remote, Err: err}
}

// wait waits for a signal of the poller, no longer than until a deadline, which may be
// set meanwhile.
func (s *socket) wait(signal <-chan struct{}, until *deadline) error {
	const look = time.Second // a deadline that is set meanwhile is seen so late
	for {
		rest := look
		if end := until.Load(); end != 0 {
			rest = min(rest, time.Duration(end)-s.poller.now())
		}
		if rest <= 0 {
			return os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(rest)
		select {
		case <-signal:
			timer.Stop()
			return nil
		case <-s.gone:
			timer.Stop()
			return net.ErrClosed
		case <-timer.C:
		}
	}
}

func (s *socket) overdue(until *deadline) bool { return until.passed(s.poller.now()) }

// Close is part of net.Conn.
func (s *socket) Close() error {
	s.use.Lock()
	if s.closed {
		s.use.Unlock()
		return net.ErrClosed
	}
	s.closed = true
	err := unix.Close(s.fd)
	s.use.Unlock()
	close(s.gone)
	s.poller.forget(s)
	s.unpark()
	return err
}

// unpark lets the connection be read again if nobody does: whoever reads sees why.
func (s *socket) unpark() {
	s.mu.Lock()
	c := s.parked
	s.parked, s.missed = nil, true
	s.mu.Unlock()
	if c != nil {
		c.resume(nil, nil)
	}
}

// LocalAddr is part of net.Conn.
func (s *socket) LocalAddr() net.Addr { return s.local }

// RemoteAddr is part of net.Conn.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// SetDeadline is part of net.Conn.
func (s *socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline is part of net.Conn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.deadline(&s.readUntil, t) }

// SetWriteDeadline is part of net.Conn.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.deadline(&s.writeUntil, t) }

func (s *socket) deadline(until *deadline, t time.Time) error {
	if t.IsZero() {
		until.Store(0)
		return nil
	}
	until.Store(max(1, int64(t.Sub(s.poller.opened))))
	return nil
}
