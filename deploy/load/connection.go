package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// connection is one device of the load: its connection, and what it has sent
// that is not acknowledged yet. One goroutine reads; at a steady rate another
// one sends, too.
type connection struct {
	load   *generator
	place  int // among all devices
	name   string
	secret string
	topic  string
	quota  int64 // messages to send; < 0 for no limit
	reader *bufio.Reader
	buffer []byte // of the packet being read

	mu      sync.Mutex
	conn    net.Conn
	down    bool // the connection is lost and not made again yet
	writer  *writer
	out     []byte      // packets to be written
	json    []byte      // of the message being made
	slots   []slot      // by packet id − 1
	free    []uint16    // ids of empty slots
	sent    int64       // messages, each counted once
	waiting []time.Time // at a steady rate: when messages were to be sent for which there was no slot
	ended   bool        // at a steady rate: nothing more is going to wait
}

// slot is one message under way.
type slot struct {
	busy     bool
	intended time.Time // when it was to be sent
	first    int64     // number of its first reading
	packet   []byte    // kept until it is acknowledged, to be sent again
}

func newConnection(l *generator, place int, name, secret string) (*connection, error) {
	w, err := newWriter(name, l.run, l.options.Measure, l.options.Alarming, l.options.Spell)
	if err != nil {
		return nil, err
	}
	w.alarmed = l.options.Alarmed
	c := &connection{load: l, place: place, name: name, secret: secret, topic: l.options.Prefix + "/" + name + "/readings", writer: w, quota: l.quota(place)}
	c.slots = make([]slot, l.options.InFlight)
	for i := range c.slots {
		c.free = append(c.free, uint16(i+1))
	}
	return c, nil
}

// dial connects, and sends again what was not acknowledged.
func (c *connection) dial(ctx context.Context) error {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", c.load.options.broker(c.place))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.reader = conn, bufio.NewReaderSize(conn, 4096)
	c.out = appendConnect(c.out[:0], c.name, c.name, c.secret, uint16(c.load.options.KeepAlive.Seconds()))
	if err := errors.Join(conn.SetDeadline(time.Now().Add(30*time.Second)), c.flush(), accepted(c.reader, &c.buffer), conn.SetDeadline(time.Time{})); err != nil {
		return fmt.Errorf("connecting %s: %w", c.name, errors.Join(err, conn.Close()))
	}
	if c.load.options.Receipts {
		c.out = appendSubscribe(c.out, c.load.options.Prefix+"/"+c.name+"/receipts")
	}
	for i := range c.slots {
		if c.slots[i].busy {
			c.out = append(c.out, c.slots[i].packet...)
		}
	}
	c.down = false
	return c.flush()
}

// run sends until everything is sent or ctx ends, and then waits for what is
// under way. A lost connection is made again as long as the options want it.
func (c *connection) run(ctx context.Context) error {
	for {
		err := c.exchange(ctx)
		if err == nil {
			return c.conn.Close()
		}
		c.lose()
		if !c.load.options.Reconnect || c.load.over.Err() != nil {
			return fmt.Errorf("%s lost its connection with %d messages under way: %w", c.name, c.underWay(), err)
		}
		c.load.reconnects.Add(1)
		if err := c.redial(); err != nil {
			return err
		}
	}
}

// lose gives up a connection.
func (c *connection) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
	// It is broken: that closing it fails, too, tells nothing.
	_ = c.conn.Close()
}

func (c *connection) redial() error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := c.dial(c.load.over)
		if err == nil {
			return nil
		}
		select {
		case <-c.load.over.Done():
			return fmt.Errorf("%s cannot connect again, %d messages are not acknowledged: %w", c.name, c.underWay(), err)
		case <-time.After(wait):
		}
	}
}

// exchange sends and reads acknowledgements over one connection. It returns nil
// when everything to be sent has been acknowledged.
func (c *connection) exchange(ctx context.Context) error {
	defer context.AfterFunc(c.load.over, c.wake)()
	for {
		done, err := c.refill(ctx)
		if done || err != nil {
			return err
		}
		if err := c.receive(); err != nil {
			return err
		}
	}
}

// wake makes a read that waits return.
func (c *connection) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	// An error means that the connection is already closed, which wakes as well.
	_ = c.conn.SetReadDeadline(time.Unix(1, 0))
}

// refill puts messages into the free slots and sends them. It reports whether
// there is nothing more to send nor to wait for.
func (c *connection) refill(ctx context.Context) (done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	steady := c.load.options.Rate > 0
	now := time.Now()
	for len(c.free) > 0 && steady && len(c.waiting) > 0 {
		c.send(c.waiting[0])
		c.waiting = c.waiting[1:]
	}
	for len(c.free) > 0 && !steady && c.sent != c.quota && ctx.Err() == nil {
		c.send(now)
	}
	if steady {
		done = c.ended && len(c.waiting) == 0
	} else {
		done = c.sent == c.quota || ctx.Err() != nil
	}
	return done && len(c.free) == len(c.slots), c.flush()
}

// due sends a message that was to be sent at the given time, or lets it wait for
// a slot. A connection that breaks on the way is the reader's to see.
func (c *connection) due(intended time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down || len(c.free) == 0 || len(c.waiting) > 0 {
		c.waiting = append(c.waiting, intended)
		return
	}
	c.send(intended)
	if err := c.flush(); err != nil {
		c.down = true
		// The reader finds it closed and says why it was lost.
		_ = c.conn.Close()
	}
}

// ping says that the device is there. A connection that breaks on the way is the reader's
// to see.
func (c *connection) ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return
	}
	c.out = append(c.out, ping...)
	if err := c.flush(); err != nil {
		c.down = true
		// The reader finds it closed and says why it was lost.
		_ = c.conn.Close()
	}
}

// end tells that nothing more is due. A reader that still waits for an
// acknowledgement sees it then; one that waits for nothing is woken.
func (c *connection) end() {
	c.mu.Lock()
	c.ended = true
	idle := len(c.waiting) == 0 && len(c.free) == len(c.slots)
	c.mu.Unlock()
	if idle {
		c.wake()
	}
}

// send puts the next message into a free slot and into what is to be written. Its
// readings were measured when it was to be sent.
func (c *connection) send(intended time.Time) {
	id := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	s := &c.slots[id-1]
	s.busy, s.intended, s.first = true, intended, c.writer.next
	c.json = c.message(c.json[:0], intended)
	s.packet = appendPublish(s.packet[:0], c.topic, c.json, id)
	c.out = append(c.out, s.packet...)
	c.sent++
}

// message appends one reading, or an array of as many as a message holds.
func (c *connection) message(dst []byte, at time.Time) []byte {
	if since := c.load.options.Since; !since.IsZero() {
		at = since.Add(time.Duration(c.writer.next) * c.load.options.Apart)
	}
	if c.load.options.Batch == 1 {
		return c.writer.append(dst, at)
	}
	for i := range c.load.options.Batch {
		dst = append(dst, "[,"[min(i, 1)])
		dst = c.writer.append(dst, at)
	}
	return append(dst, ']')
}

// receive waits for packets and reads those that are at hand, or returns when
// it was woken.
func (c *connection) receive() error {
	if _, err := c.reader.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		return c.load.over.Err() // looked at last, so that it is not slept through
	}
	for more := true; more; more = c.reader.Buffered() > 0 {
		p, err := readPacket(c.reader, &c.buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) && c.load.over.Err() == nil {
			return nil // woken in the middle of a receipt because everything is done
		}
		if err != nil {
			return err
		}
		if err := c.got(p); err != nil {
			return err
		}
	}
	return nil
}

func (c *connection) got(p packet) error {
	switch p.kind {
	case pubackPacket:
		if len(p.body) != 2 {
			return errors.New("the broker sends a PUBACK without a packet id")
		}
		return c.acknowledged(binary.BigEndian.Uint16(p.body))
	case publishPacket:
		_, payload, ok := publishBody(p.body)
		if !ok {
			return errors.New("the broker sends a PUBLISH that cannot be read")
		}
		return c.receipts(payload)
	case subackPacket:
		return nil
	case pongPacket:
		c.load.pongs.Add(1)
		return nil
	}
	return fmt.Errorf("the broker sends a packet of kind %d, which answers nothing", p.kind)
}

func (c *connection) acknowledged(id uint16) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 || int(id) > len(c.slots) || !c.slots[id-1].busy {
		return fmt.Errorf("the broker acknowledges message %d, which is not under way", id)
	}
	s := &c.slots[id-1]
	s.busy = false
	c.free = append(c.free, id)
	c.load.acknowledge(c, s)
	return nil
}

func (c *connection) receipts(payload []byte) error {
	type receipt struct {
		Verdict string `json:"verdict"`
	}
	var several []receipt
	if json.Unmarshal(payload, &several) != nil {
		several = make([]receipt, 1)
		if err := json.Unmarshal(payload, &several[0]); err != nil {
			return fmt.Errorf("a receipt cannot be read: %w", err)
		}
	}
	for _, r := range several {
		c.load.receipt(r.Verdict)
	}
	return nil
}

func (c *connection) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

func (c *connection) underWay() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.slots) - len(c.free)
}
