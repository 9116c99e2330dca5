package inside

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"strings"
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
	socket *socket      // below Conn, where a poller watches it; nil elsewhere
	peer   *mqtt.Client // what the library knows of it
	opened time.Time
	closed sync.Once
	ending atomic.Bool // it was given up

	// Of the goroutine that reads.
	device      string // that it has proved to be; written under the lock of the door, as are its client id and will
	client      string
	will        mqtt.Will
	claim       claim               // who it says it is, under the same lock
	version     byte                // of MQTT
	largest     uint32              // packet that the device takes, in bytes; 0 for any
	trusted     bool                // its password is right
	established bool                // the session is, and publications are taken
	buf         []byte              // nil while nothing was read
	r, w        int                 // what was read and not used is buf[r:w]
	ahead       []byte              // of the packet at hand, once it has been looked at
	passing     int                 // bytes of the packet at hand that go to the broker
	alive       time.Duration       // silence after which the connection is given up; 0 for none
	begun       time.Time           // when the large publication at hand was; zero when there is none
	arrived     int                 // bytes that have come since then
	open        map[uint16]struct{} // ids of QoS 2 that were not released, of MQTT 5

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
	topic       string
	id          uint16
	keep        bool // it asks to be retained
	qos         byte
	payload     []byte
	size        int    // of the payload when it is larger than what is kept of it
	correlation []byte // given by the sender (MQTT 5)
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

// fault is a packet that breaks the rules, by its reason code of MQTT 5.
type fault struct{ packets.Code }

// Unwrap makes it an errProtocol.
func (fault) Unwrap() error { return errProtocol }

// Read gives the broker what is not a publication.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.read(p)
	var broken fault
	if errors.As(err, &broken) && c.version == 5 { // 3.1.1 has no way to say why
		const disconnect = packets.Disconnect << 4
		_, failed := c.Write([]byte{disconnect, 1, broken.Code.Code})
		err = errors.Join(err, failed)
	}
	return n, err
}

func (c *connection) read(p []byte) (int, error) {
	for c.passing == 0 {
		if c.r == c.w {
			if err := c.idle(); err != nil {
				return 0, err
			}
		}
		first, length, header, err := c.header()
		if err != nil {
			return 0, err
		}
		kind := first >> 4
		if screened(kind) && length <= largestPacket {
			if err := c.look(kind, header, length); err != nil {
				return 0, err
			}
		}
		if kind != packets.Publish && kind != packets.Pubrel || !c.established {
			c.passing = header + length
			break
		}
		c.r += header
		if kind == packets.Pubrel {
			err = c.released(first, length)
		} else {
			err = c.publication(first, length)
		}
		if err != nil {
			return 0, err
		}
	}
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead, c.passing = c.ahead[n:], c.passing-n
		return n, nil
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

// look reads a packet for the broker ahead, and returns a fault that it has.
func (c *connection) look(kind byte, header, length int) error {
	c.ahead = make([]byte, header+length)
	if err := c.readFull(c.ahead); err != nil {
		return err
	}
	return screen(kind, c.ahead[header:], c.version)
}

// fill reads until there are at least so many bytes, which fit into buf.
func (c *connection) fill(least int) error {
	c.takeBuffer(least)
	if c.r > 0 {
		c.w = copy(c.buf, c.buf[c.r:c.w])
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
			return 0, 0, 0, fault{packets.ErrMalformedPacket}
		}
	}
}

// Whoever has room for a large publication has to use it: the bytes come without a long
// silence, and on the whole no slower than a poor mobile link brings them.
const (
	largeFrom    = 16 << 10
	largeSilence = 2 * time.Minute
	largeRate    = 512 // bytes a second: a full MiB takes 36 min at most, where nobody waits
)

var errHoldsRoom = errors.New("its large message has held for minutes the room that others wait for")

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
	var room *holding
	if keep > largeFrom {
		var err error
		if room, err = c.door.large.take(c.door.ctx, c, keep); err != nil {
			return err
		}
	}
	p, err := c.receive(first, keep, length)
	p.size = size
	if err != nil || c.door.stopping.Load() { // what is not acknowledged comes again
		c.door.large.give(room)
		return err
	}
	if room != nil {
		c.door.large.came(room)
	}
	c.door.receive(c, p, func(err error) {
		c.door.large.give(room)
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
	p, err := parsePublication(first, body, c.version)
	if err == nil && p.qos == 2 && c.version == 5 {
		err = c.unreleased(p.id)
	}
	return p, err
}

// unreleased counts publications of QoS 2 that the device has not released: it may
// have as many as were announced to it (MQTT 5.0, section 3.3.4). Of QoS 1 there are
// never so many, as no more are read than the pipeline gives a device.
func (c *connection) unreleased(id uint16) error {
	if c.open == nil {
		c.open = map[uint16]struct{}{}
	}
	if c.open[id] = struct{}{}; len(c.open) > receiveMaximum {
		return fault{packets.ErrReceiveMaximum}
	}
	return nil
}

// released answers a PUBREL. Nothing has to be remembered for it: that a
// publication of QoS 2 counts once is held by the ids of its readings, also over
// a restart.
func (c *connection) released(first byte, length int) error {
	const flags = 2 // MQTT 3.1.1, section 3.6.1
	if first&0xf != flags || length < 2 || length > bufferSize || c.version < 5 && length != 2 {
		return fault{packets.ErrMalformedPacket}
	}
	body := make([]byte, length)
	if err := c.readFull(body); err != nil {
		return err
	}
	id := binary.BigEndian.Uint16(body)
	if id == 0 {
		return fault{packets.ErrProtocolViolationNoPacketID}
	}
	delete(c.open, id)
	c.answer(packets.Pubcomp, id)
	return nil
}

func (c *connection) readFull(body []byte) error {
	n := copy(body, c.buf[c.r:c.w])
	c.r += n
	if n == len(body) {
		return nil
	}
	if len(body)-n >= bufferSize {
		return c.readLong(body[n:])
	}
	if err := c.fill(len(body) - n); err != nil {
		return err
	}
	copy(body[n:], c.buf)
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
func parsePublication(first byte, body []byte, version byte) (p publication, err error) {
	p.qos, p.keep = first>>1&3, first&1 == 1
	if p.qos > 2 || len(body) < 2 {
		return p, fault{packets.ErrMalformedPacket}
	}
	length := int(binary.BigEndian.Uint16(body))
	if body = body[2:]; length > len(body) || !utf8.Valid(body[:length]) {
		return p, fault{packets.ErrMalformedPacket}
	}
	p.topic, body = string(body[:length]), body[length:]
	if p.qos > 0 {
		if len(body) < 2 {
			return p, fault{packets.ErrMalformedPacket}
		}
		p.id, body = binary.BigEndian.Uint16(body), body[2:]
		if p.id == 0 {
			return p, fault{packets.ErrProtocolViolationNoPacketID}
		}
	}
	if version == 5 {
		if p.correlation, body, err = publishProperties(body); err != nil {
			return p, err
		}
	}
	if p.topic == "" || strings.ContainsAny(p.topic, "+#\x00") {
		return p, fault{packets.ErrTopicNameInvalid}
	}
	p.payload = body
	return p, nil
}

// largestCorrelation is how much correlation data is given back, in bytes.
const largestCorrelation = 256

// publishProperties reads those of a PUBLISH, and returns the correlation data among them and
// what follows. Hardly any device sends some.
func publishProperties(body []byte) (correlation, rest []byte, err error) {
	size, n := binary.Uvarint(body)
	if n <= 0 || n > 4 || size > uint64(len(body)-n) {
		return nil, nil, fault{packets.ErrMalformedPacket}
	}
	if size == 0 {
		return nil, body[n:], nil
	}
	var given packets.Properties
	_, err = given.Decode(packets.Publish, bytes.NewBuffer(body[:n+int(size)]))
	switch {
	case err != nil:
		return nil, nil, fault{packets.ErrMalformedPacket}
	case given.TopicAliasFlag: // none was offered
		return nil, nil, fault{packets.ErrTopicAliasInvalid}
	case len(given.SubscriptionIdentifier) > 0, strings.ContainsAny(given.ResponseTopic, "+#\x00"):
		return nil, nil, fault{packets.ErrProtocolViolation}
	}
	if len(given.CorrelationData) <= largestCorrelation {
		correlation = bytes.Clone(given.CorrelationData)
	}
	return correlation, body[n+int(size):], nil
}

// receive submits a publication, and waits as long as the pipeline has no room:
// nothing more is read from the connection meanwhile.
func (d *Door) receive(c *connection, p publication, done func(error)) {
	d.counters.received.Add(1)
	d.submit(d.ctx, d.message(c, p, done))
}

// message is a publication as the pipeline takes it.
func (d *Door) message(c *connection, p publication, done func(error)) ingest.Message {
	device, _, _ := ingest.ParseTopic(d.options.Prefix, p.topic)
	return ingest.Message{
		Topic: p.topic, Device: device, Client: c.device, Payload: p.payload, Size: p.size, Received: d.options.Now(),
		QoS: p.qos, Keep: p.keep, Correlation: p.correlation, Done: done,
	}
}
