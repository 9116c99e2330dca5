package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// crowd are the devices of a ward. Each publishes its life at QoS 1 and counts
// its own acknowledgements; what was not acknowledged on one connection is sent
// again on the next, as a device does.
type crowd struct {
	ward    *ward
	address func() string // where the broker is; it may move
	devices []*device
	acked   atomic.Int64
	done    sync.WaitGroup
	stop    context.CancelFunc
	changed chan struct{} // has one element when there was an acknowledgement

	mu    sync.Mutex
	fault error // that no fault of the service explains
}

// device is one of them.
type device struct {
	crowd  *crowd
	name   string
	topic  string
	life   []publication
	window int

	mu      sync.Mutex
	moved   *sync.Cond
	acked   []time.Time // zero until it is
	next    int         // the first that was never sent
	flying  int         // sent on this connection and not acknowledged
	allowed int         // how many may be sent so far
	broken  error
	online  bool
}

// newCrowd connects nobody yet; nothing is published before allow.
func newCrowd(ctx context.Context, w *ward, window int, address func() string) *crowd {
	c := &crowd{ward: w, address: address, changed: make(chan struct{}, 1)}
	ctx, c.stop = context.WithCancel(ctx)
	for i, name := range w.devices {
		d := &device{crowd: c, name: name, topic: w.topic(name), life: w.life[i], window: window, acked: make([]time.Time, len(w.life[i]))}
		d.moved = sync.NewCond(&d.mu)
		c.devices = append(c.devices, d)
		c.done.Go(func() { d.run(ctx) })
	}
	return c
}

// close disconnects everybody.
func (c *crowd) close() {
	c.stop()
	for _, d := range c.devices {
		d.breaks(context.Canceled)
	}
	c.done.Wait()
}

// allow lets each device publish that share of its life.
func (c *crowd) allow(part, of int) {
	for _, d := range c.devices {
		d.mu.Lock()
		d.allowed = max(d.allowed, len(d.life)*part/of)
		d.moved.Broadcast()
		d.mu.Unlock()
	}
}

// await waits for that many acknowledgements of all devices together.
func (c *crowd) await(ctx context.Context, count int) error {
	for c.acked.Load() < int64(count) {
		select {
		case <-c.changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d readings were acknowledged: %w", c.acked.Load(), count, errors.Join(ctx.Err(), c.failure()))
		}
	}
	return c.failure()
}

func (c *crowd) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil {
		c.fault = err
	}
}

// setWindow says how many messages each device has on the way.
func (c *crowd) setWindow(window int) {
	for _, d := range c.devices {
		d.mu.Lock()
		d.window = window
		d.mu.Unlock()
	}
}

// acknowledged calls yield with each reading that was acknowledged.
func (c *crowd) acknowledged(yield func(device, id string)) {
	for _, d := range c.devices {
		d.mu.Lock()
		for i, acked := range d.acked {
			if !acked.IsZero() {
				yield(d.name, d.life[i].id)
			}
		}
		d.mu.Unlock()
	}
}

// offline reports whether nobody is connected.
func (c *crowd) offline() bool {
	for _, d := range c.devices {
		d.mu.Lock()
		online := d.online
		d.mu.Unlock()
		if online {
			return false
		}
	}
	return true
}

// takeBack forgets the acknowledgements that came after that time, and returns how
// many there were. What they stood for is sent again on the next connection.
func (c *crowd) takeBack(after time.Time) (count int) {
	for _, d := range c.devices {
		d.mu.Lock()
		for i := range d.acked {
			if d.acked[i].After(after) {
				d.acked[i] = time.Time{}
				count++
			}
		}
		d.mu.Unlock()
	}
	c.acked.Add(int64(-count))
	return count
}

// run keeps a device connected until ctx ends.
func (d *device) run(ctx context.Context) {
	const shortest, longest = 10 * time.Millisecond, 300 * time.Millisecond
	for wait := shortest; ctx.Err() == nil; {
		began := time.Now()
		d.connect(ctx)
		if wait = min(2*wait, longest); time.Since(began) > longest {
			wait = shortest
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// connect lives through one connection. How it ended tells nothing: faults are
// what this is about.
func (d *device) connect(ctx context.Context) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", d.crowd.address())
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if d.hello(conn) != nil {
		return
	}
	d.mu.Lock()
	d.broken, d.flying, d.online = nil, 0, true
	again := d.next
	d.mu.Unlock()
	var reading sync.WaitGroup
	reading.Go(func() {
		d.breaks(d.listen(conn))
		conn.Close()
	})
	d.breaks(d.publish(conn, again))
	conn.Close()
	reading.Wait()
	d.mu.Lock()
	d.online = false
	d.mu.Unlock()
}

func (d *device) hello(conn net.Conn) error {
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession = "MQTT", 4, true
	hello.ClientIdentifier, hello.UsernameFlag, hello.Username = d.name, true, d.name
	hello.PasswordFlag, hello.Password = true, []byte(password)
	if err := errors.Join(conn.SetDeadline(time.Now().Add(20*time.Second)), hello.Write(conn)); err != nil {
		return err
	}
	answer, err := packets.ReadPacket(conn)
	if err != nil {
		return err
	}
	connack, ok := answer.(*packets.ConnackPacket)
	if !ok || connack.ReturnCode != packets.Accepted {
		return fmt.Errorf("the broker answers %v", answer)
	}
	return conn.SetDeadline(time.Time{})
}

// publish sends again what was sent before and is not acknowledged, and then what
// is allowed, with so many on the way as the window holds.
func (d *device) publish(conn net.Conn, again int) error {
	for n := 0; ; n++ {
		d.mu.Lock()
		for n < again && !d.acked[n].IsZero() {
			n++
		}
		for d.broken == nil && (d.flying >= d.window || n >= d.allowed) {
			d.moved.Wait()
		}
		broken := d.broken
		d.flying++
		d.next = max(d.next, n+1)
		d.mu.Unlock()
		if broken != nil {
			return broken
		}
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.Qos, p.Dup, p.TopicName, p.MessageID, p.Payload = 1, n < again, d.topic, uint16(n+1), d.life[n].payload
		if err := p.Write(conn); err != nil {
			return err
		}
	}
}

// listen counts acknowledgements. The number of a message is its place in the
// life of the device.
func (d *device) listen(conn net.Conn) error {
	for {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return err
		}
		ack, ok := packet.(*packets.PubackPacket)
		if !ok {
			return fmt.Errorf("the broker sends %s", packet)
		}
		if err := d.settle(int(ack.MessageID) - 1); err != nil {
			d.crowd.fail(err)
			return err
		}
	}
}

func (d *device) settle(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n < 0 || n >= d.next || !d.acked[n].IsZero() {
		return fmt.Errorf("%s: message %d is acknowledged, which is not under way", d.name, n+1)
	}
	d.acked[n] = time.Now()
	d.flying--
	d.moved.Broadcast()
	d.crowd.acked.Add(1)
	select {
	case d.crowd.changed <- struct{}{}:
	default:
	}
	return nil
}

// breaks ends the connection at hand.
func (d *device) breaks(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.broken = err
	}
	d.moved.Broadcast()
}
