package inside

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/ingest"
)

// connection is one connection of a device. What it reads goes to the broker,
// packet by packet, but for the publications: those go to the pipeline, and all
// that is to be answered to them is written here.
//
// The broker would copy each publication four times, look for subscribers, and
// keep books for what it is to deliver: measured, that is more than all that the
// pipeline does with a reading.
type connection struct {
	net.Conn
	door   *Door
	opened time.Time
	closed sync.Once
	ending atomic.Bool // it was given up

	// Of the goroutine that reads.
	device      string // that it has proved to be; written under the lock of the door, as is its will
	will        mqtt.Will
	claim       claim  // who it says it is, under the same lock
	version     byte   // of MQTT
	largest     uint32 // packet that the device takes, in bytes; 0 for any
	trusted     bool   // its password is right
	established bool   // the session is, and publications are taken
	buf         [4096]byte
	r, w        int           // what was read and not used is buf[r:w]
	passing     int           // bytes of the packet at hand that go to the broker
	alive       time.Duration // silence after which the connection is given up; 0 for none
	begun       time.Time     // when the large publication at hand was; zero when there is none
	arrived     int           // bytes that have come since then

	listens atomic.Bool // to its receipts

	writing  sync.Mutex // held for one write, guards patience
	patience time.Time  // how long writes may take, as last set
	mu       sync.Mutex // guards what follows
	pending  []byte     // to be written
	receipts int        // how many bytes of it are receipts
	spare    []byte
	writer   bool // a goroutine is writing
}

// claim is who a connection says it is, kept so that it can be held against the
// registry again.
type claim struct{ device, password string }

// publication is what a PUBLISH packet carries.
type publication struct {
	topic   string
	id      uint16
	qos     byte
	payload []byte
	size    int // of the payload when it is larger than what is kept of it
}

func newConnection(d *Door, conn net.Conn) *connection {
	return &connection{Conn: conn, door: d, opened: time.Now()}
}

// Close is part of net.Conn. The broker and the listener both call it.
func (c *connection) Close() (err error) {
	c.closed.Do(func() {
		c.listen(false)
		c.door.forget(c)
		err = c.Conn.Close()
	})
	return err
}

// giveUp closes a connection without waiting for it: with TLS that takes time,
// and whoever commits has none.
func (c *connection) giveUp(why error) {
	if c.ending.Swap(true) {
		return
	}
	go func() {
		c.door.options.Log.Debug("a connection is given up", "from", c.RemoteAddr(), "error", why)
		if err := c.Close(); err != nil {
			c.door.options.Log.Debug("a connection could not be closed", "from", c.RemoteAddr(), "error", err)
		}
	}()
}

// hurry shortens the time that a write under way may take.
func (c *connection) hurry() {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
		c.giveUp(err)
	}
}

// SetDeadline is how the broker says how long it waits for the next packet. It
// does not see publications, so the time is counted again with every read.
func (c *connection) SetDeadline(t time.Time) error {
	c.alive = 0
	if !t.IsZero() {
		c.alive = time.Until(t)
	}
	return c.Conn.SetReadDeadline(t)
}

// listen notes whether the device has subscribed to its receipts.
func (c *connection) listen(on bool) {
	if c.listens.Swap(on) == on {
		return
	}
	if on {
		c.door.counters.listening.Add(1)
	} else {
		c.door.counters.listening.Add(-1)
	}
}

var errProtocol = errors.New("this is not MQTT")

// Read gives the broker what is not a publication.
func (c *connection) Read(p []byte) (int, error) {
	for c.passing == 0 {
		first, length, header, err := c.header()
		if err != nil {
			return 0, err
		}
		kind := first >> 4
		if kind != packets.Publish && kind != packets.Pubrel || !c.established {
			c.passing = header + length
			break
		}
		c.r += header
		if kind == packets.Pubrel {
			err = c.released(length)
		} else {
			err = c.publication(first, length)
		}
		if err != nil {
			return 0, err
		}
	}
	if c.r == c.w {
		if err := c.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.r:min(c.w, c.r+c.passing)])
	c.r += n
	c.passing -= n
	return n, nil
}

// fill reads until there are at least so many bytes, which fit into buf.
func (c *connection) fill(least int) error {
	if c.r > 0 {
		c.w = copy(c.buf[:], c.buf[c.r:c.w])
		c.r = 0
	}
	for c.w < least {
		n, err := c.receiveSome(c.buf[c.w:])
		c.w += n
		if err != nil && c.w < least {
			return err
		}
	}
	return nil
}

// receiveSome waits for bytes, no longer than it may.
func (c *connection) receiveSome(into []byte) (int, error) {
	if err := c.expect(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(into)
	c.arrived += n
	return n, err
}

// expect says how long the next read may take: until the device would have to
// give a sign of life, or, amid a large publication, as long as that gets on.
func (c *connection) expect() error {
	if !c.begun.IsZero() {
		return c.Conn.SetReadDeadline(largeUntil(c.begun, time.Now(), c.arrived))
	}
	if c.alive > 0 {
		return c.Conn.SetReadDeadline(time.Now().Add(c.alive))
	}
	return nil
}

// header looks at the fixed header of the next packet: its first byte, the
// length of what follows the header, and that of the header.
func (c *connection) header() (first byte, length, header int, err error) {
	for header = 2; ; header++ {
		if c.w-c.r < header {
			if err := c.fill(header); err != nil {
				return 0, 0, 0, err
			}
		}
		b := c.buf[c.r+header-1]
		length |= int(b&0x7f) << (7 * (header - 2))
		if b < 0x80 {
			return c.buf[c.r], length, header, nil
		}
		if header == 5 {
			return 0, 0, 0, errProtocol
		}
	}
}

// Large publications share room, so that memory is bounded however many devices
// send them at once. Whoever has room has to use it: the bytes come without a long
// silence, and on the whole no slower than a poor mobile link brings them.
const (
	largeFrom    = 16 << 10
	largeBytes   = 64 << 20
	largeSilence = 2 * time.Minute
	largeRate    = 512 // bytes a second: a full MiB takes 36 min at most
)

// largeUntil is when the next bytes of a large publication have to be there, when so
// many have come since it was begun.
func largeUntil(begun, now time.Time, arrived int) time.Time {
	slowest := begun.Add(largeSilence + time.Duration(arrived)*time.Second/largeRate)
	if silent := now.Add(largeSilence); silent.Before(slowest) {
		return silent
	}
	return slowest
}

// publication reads a PUBLISH packet behind its header and submits it.
func (c *connection) publication(first byte, length int) error {
	keep, size := length, 0
	if most := 1<<16 + ingest.MaxPayload + 1<<10; length > most { // topic, payload and properties
		keep, size = 1<<16+ingest.KeptOfTooLarge, length
	}
	taken := 0
	if keep > largeFrom {
		if err := c.door.large.Acquire(c.door.ctx, int64(keep)); err != nil {
			return err
		}
		taken = keep
	}
	p, err := c.receive(first, keep, length)
	p.size = size
	if err != nil || c.door.stopping.Load() { // what is not acknowledged comes again
		c.door.large.Release(int64(taken))
		return err
	}
	c.door.take(c, p, func(err error) {
		c.door.large.Release(int64(taken))
		c.done(p.qos, p.id, err)
	})
	return nil
}

// receive reads what is kept of a PUBLISH packet, and passes over the rest.
func (c *connection) receive(first byte, keep, length int) (publication, error) {
	body := make([]byte, keep)
	if keep > largeFrom {
		c.begun, c.arrived = time.Now(), 0
	}
	err := c.readFull(body)
	if err == nil {
		err = c.discard(length - keep)
	}
	if keep > largeFrom {
		c.begun = time.Time{}
		err = errors.Join(err, c.Conn.SetReadDeadline(time.Time{}))
	}
	if err != nil {
		return publication{}, err
	}
	p, ok := parsePublication(first, body, c.version)
	if !ok {
		return publication{}, errProtocol
	}
	return p, nil
}

// released answers a PUBREL. Nothing has to be remembered for it: that a
// publication of QoS 2 counts once is held by the ids of its readings, also over
// a restart.
func (c *connection) released(length int) error {
	if length < 2 || length > len(c.buf) {
		return errProtocol
	}
	body := make([]byte, length)
	if err := c.readFull(body); err != nil {
		return err
	}
	c.answer(packets.Pubcomp, binary.BigEndian.Uint16(body))
	return nil
}

func (c *connection) readFull(body []byte) error {
	n := copy(body, c.buf[c.r:c.w])
	c.r += n
	if n == len(body) {
		return nil
	}
	if len(body)-n >= len(c.buf) {
		return c.readLong(body[n:])
	}
	if err := c.fill(len(body) - n); err != nil {
		return err
	}
	copy(body[n:], c.buf[:])
	c.r = len(body) - n
	return nil
}

// readLong reads what does not fit into buf.
func (c *connection) readLong(body []byte) error {
	for len(body) > 0 {
		n, err := c.receiveSome(body)
		body = body[n:]
		if err != nil && len(body) > 0 {
			return err
		}
	}
	return nil
}

// discard reads over so many bytes.
func (c *connection) discard(n int) error {
	for n > 0 {
		if c.r == c.w {
			if err := c.fill(1); err != nil {
				return err
			}
		}
		used := min(n, c.w-c.r)
		c.r += used
		n -= used
	}
	return nil
}

// parsePublication reads the variable header and the payload of a PUBLISH.
func parsePublication(first byte, body []byte, version byte) (p publication, ok bool) {
	p.qos = first >> 1 & 3
	if p.qos > 2 || len(body) < 2 {
		return p, false
	}
	length := int(binary.BigEndian.Uint16(body))
	if body = body[2:]; length > len(body) || !utf8.Valid(body[:length]) {
		return p, false
	}
	p.topic, body = string(body[:length]), body[length:]
	if p.qos > 0 {
		if len(body) < 2 {
			return p, false
		}
		p.id, body = binary.BigEndian.Uint16(body), body[2:]
		if p.id == 0 {
			return p, false
		}
	}
	if version == 5 {
		properties, n := binary.Uvarint(body)
		if n <= 0 || properties > uint64(len(body)-n) {
			return p, false
		}
		body = body[n+int(properties):]
	}
	p.payload = body
	return p, true
}

// take submits a publication, and waits as long as the pipeline has no room:
// nothing more is read from the connection meanwhile.
func (d *Door) take(c *connection, p publication, done func(error)) {
	d.counters.received.Add(1)
	device, _, _ := ingest.ParseTopic(d.options.Prefix, p.topic)
	d.submit(d.ctx, ingest.Message{
		Topic: p.topic, Device: device, Client: c.device, Payload: p.payload, Size: p.size, Received: d.options.Now(),
		Done: done,
	})
}
