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
	"time"
)

// connection is one device of the load: its connection, and what it has sent
// that is not acknowledged yet.
type connection struct {
	load   *generator
	place  int // among all devices
	name   string
	secret string
	topic  string
	writer *writer

	conn   net.Conn
	reader *bufio.Reader
	buffer []byte // of the packet being read
	out    []byte // packets to be written
	json   []byte // of the message being made

	slots []slot   // by packet id − 1
	free  []uint16 // ids of empty slots
	sent  int64    // messages, each counted once
	quota int64    // messages to send; < 0 for no limit
}

// slot is one message under way.
type slot struct {
	busy     bool
	intended time.Time // when it was to be sent
	first    int64     // number of its first reading
	packet   []byte    // kept until it is acknowledged, to be sent again
}

func newConnection(l *generator, place int, name, secret string) (*connection, error) {
	w, err := newWriter(name, l.run, l.options.Measure, l.options.Alarming)
	if err != nil {
		return nil, err
	}
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
	conn, err := dialer.DialContext(ctx, "tcp", c.load.options.Broker)
	if err != nil {
		return err
	}
	c.conn, c.reader = conn, bufio.NewReaderSize(conn, 4096)
	c.out = appendConnect(c.out[:0], c.name, c.name, c.secret)
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
	return c.flush()
}

// run sends until the quota is used up or ctx ends, and then waits for what is
// under way. A lost connection is made again as long as the options want it.
func (c *connection) run(ctx context.Context) error {
	for {
		err := c.exchange(ctx)
		if err == nil {
			return c.conn.Close()
		}
		// The connection is broken: that closing it fails, too, tells nothing.
		_ = c.conn.Close()
		if !c.load.options.Reconnect || c.load.over.Err() != nil {
			return fmt.Errorf("%s lost its connection with %d messages under way: %w", c.name, c.underWay(), err)
		}
		c.load.reconnects.Add(1)
		if err := c.redial(); err != nil {
			return err
		}
	}
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
	wake := func() {
		// An error means that the connection is already closed, which wakes as well.
		_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	}
	defer context.AfterFunc(ctx, wake)()
	defer context.AfterFunc(c.load.over, wake)()
	for {
		wait, err := c.send(ctx)
		if err != nil {
			return err
		}
		if c.underWay() == 0 && wait <= 0 {
			return nil
		}
		if err := c.receive(ctx, wait); err != nil {
			return err
		}
	}
}

// send sends what is due and returns how long it is until the next message is;
// 0 when acknowledgements have to come first, or nothing is left.
func (c *connection) send(ctx context.Context) (wait time.Duration, err error) {
	c.out = c.out[:0]
	for len(c.free) > 0 && c.sent != c.quota && ctx.Err() == nil {
		now := time.Now()
		intended := now
		if c.load.options.Rate > 0 {
			if intended = c.load.intended(c); intended.After(now) {
				wait = intended.Sub(now)
				break
			}
		}
		c.take(intended, now)
	}
	return wait, c.flush()
}

// take puts the next message into a free slot and into what is to be written.
func (c *connection) take(intended, now time.Time) {
	id := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	s := &c.slots[id-1]
	s.busy, s.intended, s.first = true, intended, c.writer.next
	c.json = c.message(c.json[:0], now)
	s.packet = appendPublish(s.packet[:0], c.topic, c.json, id)
	c.out = append(c.out, s.packet...)
	c.sent++
}

// message appends one reading, or an array of as many as a message holds.
func (c *connection) message(dst []byte, now time.Time) []byte {
	if c.load.options.Batch == 1 {
		return c.writer.append(dst, now)
	}
	for i := range c.load.options.Batch {
		dst = append(dst, "[,"[min(i, 1)])
		dst = c.writer.append(dst, now)
	}
	return append(dst, ']')
}

// receive reads until something has come and nothing more is at hand, or until
// the wait is over; 0 waits for ever. The end of ctx wakes it.
func (c *connection) receive(ctx context.Context, wait time.Duration) error {
	limit := time.Time{}
	if wait > 0 {
		limit = time.Now().Add(wait)
	}
	if err := c.conn.SetReadDeadline(limit); err != nil {
		return err
	}
	// Whoever ended meanwhile has set a deadline that was just overwritten.
	if c.load.over.Err() != nil {
		return c.load.over.Err()
	}
	if wait > 0 && ctx.Err() != nil {
		return nil
	}
	for more := true; more; more = c.reader.Buffered() > 0 {
		if _, err := c.reader.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) && c.load.over.Err() == nil {
			return nil
		}
		p, err := c.packet()
		if err != nil {
			return err
		}
		if err := c.got(p); err != nil {
			return err
		}
	}
	return nil
}

// packet reads a packet that has begun to come. It comes whole, whatever the
// deadline for its beginning was.
func (c *connection) packet() (packet, error) {
	if c.reader.Buffered() < 4 { // longer than any acknowledgement
		if err := c.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return packet{}, err
		}
	}
	return readPacket(c.reader, &c.buffer)
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
	}
	return fmt.Errorf("the broker sends a packet of kind %d, which answers nothing", p.kind)
}

func (c *connection) acknowledged(id uint16) error {
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

func (c *connection) underWay() int { return len(c.slots) - len(c.free) }
