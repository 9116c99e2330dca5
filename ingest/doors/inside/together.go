package inside

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// On systems that have a poller, nobody waits at a connection on which nothing comes: it
// is parked. The poller reads what comes on all of them and takes the publications off. A
// connection gets a goroutine for everything else: another packet, one that has come in
// part, a large one, a queue without room, its end.

// bufferSize is what is read at once by the goroutine of a connection, in bytes.
const bufferSize = 4096

// buffers are those that no connection has at the moment.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// errIdle ends the reading of a connection on which nothing comes, so that it can be
// parked.
var errIdle = errors.New("nothing comes on the connection")

// idle waits for the next packet, where no poller does.
func (c *connection) idle() error {
	if c.socket == nil || !c.established {
		return nil
	}
	c.socket.impatient = true
	err := c.fill(1)
	c.socket.impatient = false
	if errors.Is(err, errNothing) {
		c.giveBuffer()
		return errIdle
	}
	return err
}

// takeBuffer gives a connection something to read into.
func (c *connection) takeBuffer(least int) {
	if least > bufferSize {
		c.buf = make([]byte, least)
	} else if c.buf == nil {
		c.buf = buffers.Get().(*[bufferSize]byte)[:]
	}
}

func (c *connection) giveBuffer() {
	if len(c.buf) == bufferSize {
		buffers.Put((*[bufferSize]byte)(c.buf))
	}
	c.buf, c.r, c.w = nil, 0, 0
}

// resume gives a connection that was parked a goroutine, which goes on with what was read
// of it. Before that it waits, if there is something to be waited for.
func (c *connection) resume(rest []byte, wait func(context.Context)) {
	if len(rest) > 0 {
		c.takeBuffer(len(rest))
		c.r, c.w = 0, copy(c.buf, rest)
	}
	go func() {
		c.door.leave(c, c.door.guarded(c, func(c *connection) error {
			if wait != nil {
				wait(c.door.ctx)
			}
			return c.door.converse(c)
		}))
	}()
}

// takeOff is taken for the poller, which goes on whatever comes. What cannot be borne ends
// the connection that it came by, and nothing else: it is returned as the fault.
func (c *connection) takeOff(read []byte) (rest []byte, wait func(context.Context), fault any) {
	defer func() {
		if fault = recover(); fault != nil {
			c.door.tellFault(c, fault)
		}
	}()
	rest, wait = c.taken(read)
	return rest, wait, nil
}

// pingRequest is a PINGREQ: MQTT 3.1.1, section 3.12.
var pingRequest = []byte{packets.Pingreq << 4, 0}

// taken submits the publications that stand whole at the beginning of what was read, and
// answers signs of life among them. It returns what follows them, and how to wait for the last
// publication when there is no room for it.
func (c *connection) taken(read []byte) (rest []byte, wait func(context.Context)) {
	if c.expect() != nil {
		return read, nil
	}
	for rest = read; wait == nil; {
		if bytes.HasPrefix(rest, pingRequest) {
			rest = rest[len(pingRequest):]
			c.pong()
			continue
		}
		header, length := wholePublication(rest, c.version)
		if header == 0 {
			break
		}
		p, err := parsePublication(rest[0], bytes.Clone(rest[header:header+length]), c.version)
		if err != nil {
			break // who reads it again tells the device
		}
		rest = rest[header+length:]
		if !c.door.stopping.Load() { // what is not acknowledged comes again
			c.door.counters.received.Add(1)
			wait = c.door.options.Offer(c.door.message(c, p, func(err error) { c.done(p.qos, p.id, err) }))
		}
	}
	return rest, wait
}

// wholePublication finds a PUBLISH that asks nothing out of the ordinary and stands whole at
// the beginning of what was read. It returns the lengths of its header and of what follows
// that; zeros when there is none.
func wholePublication(read []byte, version byte) (header, length int) {
	if len(read) < 2 || read[0]>>4 != packets.Publish || read[0]>>1&3 > 1 {
		return 0, 0
	}
	size, n := binary.Uvarint(read[1:min(len(read), 4)])
	if n <= 0 || size > uint64(len(read)-1-n) {
		return 0, 0
	}
	header, length = 1+n, int(size)
	if version == 5 && hasProperties(read[0], read[header:header+length]) {
		return 0, 0
	}
	return header, length
}

// hasProperties reports whether a PUBLISH of MQTT 5 has some: the library, which reads
// them, cannot bear all of them.
func hasProperties(first byte, body []byte) bool {
	at := 2
	if len(body) >= 2 {
		at += int(binary.BigEndian.Uint16(body))
	}
	if first>>1&3 > 0 {
		at += 2
	}
	return at >= len(body) || body[at] != 0
}

// due are connections to which something is to be written, one after another by one
// goroutine: each commit acknowledges what came by many of them.
type due struct {
	filled chan struct{} // has an element when some may wait
	mu     sync.Mutex
	list   []*connection
}

func newDue() *due { return &due{filled: make(chan struct{}, 1)} }

func (d *due) add(c *connection) {
	d.mu.Lock()
	d.list = append(d.list, c)
	d.mu.Unlock()
	select {
	case d.filled <- struct{}{}:
	default:
	}
}

// swap takes those that wait, and gives a list to be filled.
func (d *due) swap(empty []*connection) []*connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.list
	d.list = empty
	return list
}

// acknowledge writes to the connections that are due until it is over.
func (d *Door) acknowledge(over <-chan struct{}) {
	var list []*connection
	for {
		select {
		case <-d.due.filled:
		case <-over:
			return
		}
		list = d.due.swap(list[:0])
		for _, c := range list {
			c.flushNow()
		}
		clear(list)
	}
}

// silentEvery is how often parked connections are looked for that have kept silent for
// longer than they may.
const silentEvery = time.Second

// silent ends such connections until the door is closed.
func (d *Door) silent() {
	tick := time.NewTicker(silentEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.poller.expire()
		case <-d.ctx.Done():
			return
		}
	}
}
