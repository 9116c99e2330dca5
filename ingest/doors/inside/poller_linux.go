package inside

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// poller reads the connections at which nobody waits: what has come on many of them is
// read by one goroutine, one after another.
type poller struct {
	opened time.Time
	file   *os.File // of epoll

	mu      sync.Mutex
	sockets map[int32]*socket // by file descriptor
}

// burst is of how many connections the system tells at once.
const burst = 256

func openPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch connections together: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that Go waits at it as at a connection
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &poller{opened: time.Now(), file: os.NewFile(uintptr(fd), "epoll"), sockets: map[int32]*socket{}}, nil
}

func (p *poller) now() time.Duration { return time.Since(p.opened) }

func (p *poller) close() error { return p.file.Close() }

// adopt takes a TCP connection over. Others are returned as they are.
func (p *poller) adopt(conn net.Conn) (net.Conn, error) {
	tcp, is := conn.(*net.TCPConn)
	if !is {
		return conn, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn, err
	}
	s := &socket{poller: p, local: conn.LocalAddr(), remote: conn.RemoteAddr(), fd: -1,
		readable: make(chan struct{}, 1), writable: make(chan struct{}, 1), gone: make(chan struct{})}
	var failed error
	// Of its own: Go would be told of all that comes as well, and wake up for it.
	err = raw.Control(func(fd uintptr) { s.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, failed); err != nil {
		return conn, err
	}
	if err := errors.Join(tcp.Close(), p.watch(s)); err != nil {
		return s, errors.Join(err, s.Close())
	}
	return s, nil
}

// watch has the poller told of a socket, once for all that happens to it.
func (p *poller) watch(s *socket) error {
	p.mu.Lock()
	p.sockets[int32(s.fd)] = s
	p.mu.Unlock()
	return p.control(func(epoll int) error {
		return unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Fd: int32(s.fd), Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET})
	})
}

func (p *poller) control(do func(epoll int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	return errors.Join(raw.Control(func(fd uintptr) { failed = do(int(fd)) }), failed)
}

// forget is called when a socket has been closed: the system forgets it by itself, and
// may have given its number to another.
func (p *poller) forget(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sockets[int32(s.fd)] == s {
		delete(p.sockets, int32(s.fd))
	}
}

// run reads what comes until the poller is closed.
func (p *poller) run() {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return // it is closed
	}
	events, found := make([]unix.EpollEvent, burst), make([]*socket, 0, burst)
	buffer := make([]byte, 4*bufferSize)
	var rhythm rhythm
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		found = found[:0]
		p.mu.Lock()
		for i := range n {
			found = append(found, p.sockets[events[i].Fd])
		}
		p.mu.Unlock()
		began := time.Now()
		for i, s := range found {
			if s != nil {
				s.happened(events[i].Events, buffer)
			}
		}
		time.Sleep(rhythm.wait(found, began, time.Now()))
		clear(found)
	}
}

// rhythm says how long the poller lets more come before it looks again. What comes now
// and then is read at once. Of a stream, what came on many connections is read together:
// to be woken for each packet costs more than to read it.
type rhythm struct {
	last  *socket   // on which something happened
	began time.Time // when it last looked
}

const (
	gather     = time.Millisecond       // from one look to the next; the commit waits longer
	streamGap  = 4 * time.Millisecond   // looks that are further apart are of no stream
	enoughWork = 300 * time.Microsecond // after so much of it there is a batch already
)

// wait is how long the next look is put off, after one in which something happened on
// some sockets. A device that alone sends is not made to wait.
func (r *rhythm) wait(found []*socket, began, now time.Time) time.Duration {
	if len(found) == 0 {
		return 0
	}
	since, alone := began.Sub(r.began), len(found) == 1 && found[0] == r.last
	r.began, r.last = began, found[len(found)-1]
	if alone || since > streamGap || now.Sub(began) > enoughWork {
		return 0
	}
	return gather - now.Sub(began)
}

// happened tells who waits at a socket, or reads it where nobody does.
func (s *socket) happened(events uint32, buffer []byte) {
	if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		signal(s.writable)
	}
	const ends = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if events&(unix.EPOLLIN|ends) == 0 {
		return
	}
	s.mu.Lock()
	c := s.parked
	if c == nil {
		s.missed = true
		signal(s.readable)
	}
	s.parked = nil
	s.mu.Unlock()
	if c == nil {
		return
	}
	if events&ends != 0 || !c.plain() { // TLS is spoken over it
		c.resume(nil, nil)
		return
	}
	s.glance(c, buffer)
}

func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// glance reads what has come on a connection and parks it again, or leaves it to a
// goroutine of its own when that has to wait, or for what is no publication.
func (s *socket) glance(c *connection, buffer []byte) {
	for {
		n, err := s.try(read, buffer)
		if err == unix.EAGAIN && s.park(c) {
			return
		}
		if err == unix.EAGAIN {
			continue
		}
		if err != nil || n == 0 {
			c.resume(nil, nil)
			return
		}
		rest, wait, fault := c.takeOff(buffer[:n])
		if fault != nil {
			go func() { c.door.leave(c, c.door.broken(c, fault)) }()
			return
		}
		if len(rest) > 0 || wait != nil {
			c.resume(rest, wait)
			return
		}
		// As less has come than there was room for, the next will be told.
		if n < len(buffer) && s.park(c) {
			return
		}
	}
}

// park notes that nobody reads a connection now, unless something may have come since it
// was last looked at.
func (s *socket) park(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missed {
		s.missed = false
		select {
		case <-s.readable:
		default:
		}
		return false
	}
	s.parked = c
	return true
}

// expire wakes the connections that have kept silent for too long.
func (p *poller) expire() {
	now := p.now()
	p.mu.Lock()
	var late []*socket
	for _, s := range p.sockets {
		if s.readUntil.passed(now) {
			late = append(late, s)
		}
	}
	p.mu.Unlock()
	for _, s := range late {
		s.unpark()
	}
}

// socketOf is the socket that a connection is, if it is one.
func socketOf(conn net.Conn) *socket {
	s, _ := conn.(*socket)
	return s
}

// late reports whether a connection has kept silent for longer than it may.
func (s *socket) late() bool { return s.overdue(&s.readUntil) }
