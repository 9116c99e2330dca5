package outside

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// schemes are those an address may have, and whether they mean TLS.
var schemes = map[string]bool{"mqtt": false, "tcp": false, "mqtts": true, "ssl": true, "tls": true}

// dial opens the network connection to a broker.
func dial(ctx context.Context, address *url.URL, config *tls.Config, timeout time.Duration) (net.Conn, error) {
	secure := schemes[address.Scheme]
	port := address.Port()
	if port == "" {
		port = map[bool]string{false: "1883", true: "8883"}[secure]
	}
	host := net.JoinHostPort(address.Hostname(), port)
	dialer := &net.Dialer{Timeout: timeout}
	if !secure {
		return dialer.DialContext(ctx, "tcp", host)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", host)
}

// link is a connection that reads ahead and writes together what was written
// in short order: a packet of MQTT is a few bytes, and a call to the system for
// each would cost more than handling it.
//
// The client sees every packet that comes, but for publications: it would pass each
// through four goroutines, which costs as much as all that the pipeline does with a
// reading at a steady rate. The link takes them off in front of it.
type link struct {
	net.Conn
	in      *bufio.Reader
	greeted func(remembered bool) // called once, with what the broker answers
	publish func(publication)     // called with each, where the client reads
	passing int                   // bytes of the packet at hand that the client still reads

	mu      sync.Mutex
	changed sync.Cond
	open    bool   // the broker has accepted the connection
	out     []byte // to be written
	reason  error  // why nothing is written any more
	flushed chan struct{}
}

// maxWaiting bounds what Write takes while the broker reads nothing.
const maxWaiting = 1 << 20

// lastWords bounds how long a closing link waits for the broker to read.
const lastWords = 2 * time.Second

func newLink(conn net.Conn, greeted func(remembered bool), publish func(publication)) *link {
	l := &link{Conn: conn, in: bufio.NewReaderSize(&gatherer{Reader: conn}, 64<<10), greeted: greeted, publish: publish, flushed: make(chan struct{})}
	l.changed.L = &l.mu
	go l.flush()
	return l
}

// listen reads the answer to the connection ahead of the client, which keeps to
// itself, when it connects again, whether the broker still has the session:
// "session present" in MQTT 3.1.1, section 3.2.2.2.
func (l *link) listen() {
	const connack, sessionPresent, accepted = 0x20, 1, 0
	answer, err := l.in.Peek(4)
	if err != nil || answer[0] != connack || answer[3] != accepted {
		return // the client says what is wrong
	}
	l.mu.Lock()
	l.open = true
	l.mu.Unlock()
	l.greeted(answer[2]&sessionPresent != 0)
}

// Read returns what the broker sent, but for publications; after drop, its reason.
func (l *link) Read(p []byte) (int, error) {
	if l.greeted != nil {
		l.listen()
		l.greeted = nil
	}
	n, err := l.read(p)
	if err == nil {
		return n, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != nil {
		// The client takes the system's own "use of closed network connection"
		// for a wish of its own, and would not connect again.
		err = l.reason
	}
	return n, err
}

func (l *link) read(p []byte) (int, error) {
	for l.passing == 0 {
		first, header, length, err := l.header()
		switch {
		case err != nil:
			return 0, err
		case first>>4 != publishPacket:
			l.passing = header + length
			continue
		}
		if _, err := l.in.Discard(header); err != nil {
			return 0, err
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(l.in, body); err != nil {
			return 0, err
		}
		came, err := parsePublication(first, body)
		if err != nil {
			return 0, err
		}
		l.publish(came)
	}
	n, err := l.in.Read(p[:min(len(p), l.passing)])
	l.passing -= n
	return n, err
}

// header looks at the fixed header of the next packet: its first byte, the length of
// the header, and that of what follows it.
func (l *link) header() (first byte, header, length int, err error) {
	const longest = 5
	for header = 2; header <= longest; header++ {
		start, err := l.in.Peek(header)
		if err != nil {
			return 0, 0, 0, err
		}
		b := start[header-1]
		length |= int(b&0x7f) << (7 * (header - 2))
		if b < 0x80 {
			return start[0], header, length, nil
		}
	}
	return 0, 0, 0, errMalformed
}

// Write takes p, to be sent soon.
func (l *link) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.reason == nil && len(l.out) > maxWaiting {
		l.changed.Wait()
	}
	if l.reason != nil {
		return 0, l.reason
	}
	l.out = append(l.out, p...)
	l.changed.Broadcast()
	return len(p), nil
}

// acknowledge sends the PUBACK of a packet, without waiting. It goes out on the
// connection that the packet came in by, or not at all: the broker that has
// lost that connection sends the packet again by the next.
func (l *link) acknowledge(packet uint16) {
	const puback, length = 0x40, 2
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		l.out = append(l.out, puback, length, byte(packet>>8), byte(packet))
		l.changed.Broadcast()
	}
}

// offer takes packets to be sent, without waiting, and reports whether they will
// be. Before the broker has answered, nothing may be published.
func (l *link) offer(packets []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open || l.reason != nil || len(l.out) > maxWaiting {
		return false
	}
	l.out = append(l.out, packets...)
	l.changed.Broadcast()
	return true
}

// flush writes what has gathered until the link ends.
func (l *link) flush() {
	defer close(l.flushed)
	var writing []byte
	for {
		l.mu.Lock()
		for l.reason == nil && len(l.out) == 0 {
			l.changed.Wait()
		}
		writing, l.out = l.out, writing[:0]
		l.changed.Broadcast() // there is room
		l.mu.Unlock()
		if len(writing) == 0 {
			return
		}
		if _, err := l.Conn.Write(writing); err != nil {
			l.drop(fmt.Errorf("write to the broker: %w", err))
			return
		}
	}
}

// drop ends the link at once, for a reason that its user is told.
func (l *link) drop(reason error) {
	l.end(reason)
	// Whoever reads is told the reason, which matters more than this error.
	_ = l.Conn.Close()
}

// end lets nothing more be written, and keeps the first reason.
func (l *link) end(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		l.reason = reason
	}
	l.changed.Broadcast()
}

// Close sends what has gathered, and closes once the broker has read it.
func (l *link) Close() error {
	if err := l.SetDeadline(time.Now().Add(lastWords)); err != nil {
		return l.Conn.Close()
	}
	l.end(net.ErrClosed)
	<-l.flushed
	// Closing with something unread resets the connection, and the broker may
	// lose the last acknowledgements: it has to hang up first.
	if half, ok := l.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		// Whatever ends the reading, nothing more is to come.
		_, _ = io.Copy(io.Discard, l.Conn)
	}
	return l.Conn.Close()
}
