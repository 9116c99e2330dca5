// Package relay stands between a device and a broker, hears what they say, and misbehaves
// where it is told to: it shows a bad certificate, withholds, delays or doubles an
// acknowledgement, breaks connections, has another take one over, and lets nobody in for a
// time.
package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/ingest"
	"vigie/ingest/conformance"
)

// Options say between whom the relay stands.
type Options struct {
	Listener net.Listener
	// Dial connects to the broker behind.
	Dial func(context.Context) (net.Conn, error)
	// Certificates are those that devices are shown; nil for connections without TLS.
	Certificates *Certificates
	Bench        *conformance.Bench
	// Message is told of each publication before the broker gets it, and returns how its
	// acknowledgement is to be made.
	Message func(line int, m ingest.Message) conformance.Trial
	// Acknowledged is called once the device has got an acknowledgement, with how it was made.
	Acknowledged func(conformance.Trial)
	// Away is called when nobody is let in any longer, and Back when that is over.
	Away, Back func(conformance.Trial)
	Status     string // topic of the device's status, under which its last will is
	Receipts   string // topic of its receipts

	Patience time.Duration                        // how long a withheld acknowledgement is withheld
	Late     time.Duration                        // how late a late one is
	Gone     time.Duration                        // how long a broker that restarts is away
	Offline  time.Duration                        // how long the network is away
	Now      func() time.Time                     // as the bench counts time
	After    func(time.Duration) <-chan time.Time // time.After when nil
}

// Relay lets devices through to a broker. It is safe for concurrent use.
type Relay struct {
	o       Options
	ctx     context.Context
	cancel  context.CancelFunc
	serving sync.WaitGroup

	mu    sync.Mutex
	count int
	away  bool
	lines map[*line]struct{}
}

// Open lets devices in.
func Open(o Options) *Relay {
	if o.After == nil {
		o.After = time.After
	}
	r := &Relay{o: o, lines: map[*line]struct{}{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.serving.Go(r.accept)
	return r
}

// mostDrain is how long Close waits for what the broker behind has said to reach devices.
const mostDrain = 500 * time.Millisecond

// Close ends every connection, those last that the broker behind has closed.
func (r *Relay) Close() error {
	for begun := time.Now(); r.open() > 0 && time.Since(begun) < mostDrain; {
		time.Sleep(time.Millisecond)
	}
	r.cancel()
	err := r.o.Listener.Close()
	r.hangUp()
	r.serving.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Finish takes no more connections. The broker behind is closed next, so that all that it
// has said still reaches the device.
func (r *Relay) Finish() error {
	if err := r.o.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// open is how many connections there are.
func (r *Relay) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

func (r *Relay) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.lines {
		l.end()
	}
}

func (r *Relay) accept() {
	for {
		conn, err := r.o.Listener.Accept()
		if err != nil {
			return
		}
		r.serving.Go(func() { r.serve(conn) })
	}
}

// later waits on the clock of the relay; false when it is closed first.
func (r *Relay) later(d time.Duration) bool {
	select {
	case <-r.o.After(d):
		return true
	case <-r.ctx.Done():
		return false
	}
}

// leave lets nobody in for a time.
func (r *Relay) leave(t conformance.Trial, lasts time.Duration) {
	r.mu.Lock()
	r.away = true
	r.mu.Unlock()
	r.o.Away(t)
	r.hangUp()
	r.serving.Go(func() {
		if !r.later(lasts) {
			return
		}
		r.o.Back(t)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.away = false
	})
}

// serve is one connection of a device.
func (r *Relay) serve(conn net.Conn) {
	r.mu.Lock()
	away := r.away
	r.count++
	number := r.count
	r.mu.Unlock()
	r.o.Bench.Opened(r.o.Now())
	if away || r.ctx.Err() != nil {
		_ = conn.Close() // as a host without a broker does
		return
	}
	conn, ok := r.secured(conn)
	if !ok {
		return
	}
	behind, err := r.o.Dial(r.ctx)
	if err != nil {
		_ = conn.Close() // the broker behind is away: the device tries again
		return
	}
	l := &line{relay: r, number: number, device: conn, broker: behind, ended: make(chan struct{}), waiting: map[uint16]conformance.Trial{}}
	r.mu.Lock()
	r.lines[l] = struct{}{}
	r.mu.Unlock()
	var both sync.WaitGroup
	both.Go(l.fromDevice)
	both.Go(l.fromBroker)
	both.Wait()
	r.mu.Lock()
	delete(r.lines, l)
	r.mu.Unlock()
	r.o.Bench.Closed(number, l.left, l.politely, r.o.Now())
}

// secured makes the TLS connection, with the certificate whose turn it is.
func (r *Relay) secured(conn net.Conn) (net.Conn, bool) {
	if r.o.Certificates == nil {
		return conn, true
	}
	trial := r.o.Bench.Certificate()
	secure := tls.Server(conn, r.o.Certificates.config(trial))
	ctx, cancel := context.WithTimeout(r.ctx, handshake)
	defer cancel()
	err := secure.HandshakeContext(ctx)
	if trial != "" {
		r.o.Bench.Judged(trial, err == nil)
	}
	if trial != "" || err != nil {
		_ = conn.Close() // no more is said under a bad certificate
		return nil, false
	}
	return secure, true
}

// handshake is how long one may take.
const handshake = 20 * time.Second

// line is a connection of a device and the one to the broker behind.
type line struct {
	relay          *Relay
	number         int
	device, broker net.Conn
	once           sync.Once
	ended          chan struct{}
	version        byte   // of MQTT, of the goroutine that hears the device
	hello          []byte // its CONNECT

	mu       sync.Mutex
	writing  sync.Mutex
	greeting conformance.Trial // how CONNACK is made
	ours     bool              // the relay has ended it
	left     bool              // the device has
	politely bool
	waiting  map[uint16]conformance.Trial // how a message's acknowledgement is made, by its packet id
}

// end closes both sides.
func (l *line) end() {
	l.mu.Lock()
	l.ours = l.ours || !l.left
	l.mu.Unlock()
	l.once.Do(func() {
		close(l.ended)
		_ = l.device.Close()
		_ = l.broker.Close()
	})
}

// departed notes that the device has hung up, unless the relay has.
func (l *line) departed() {
	l.mu.Lock()
	l.left = !l.ours
	l.mu.Unlock()
	l.end()
}

// largest is the longest packet that is looked at, in bytes; longer ones end the line, as
// nothing here may be as long.
const largest = 4 << 20

// packet is one MQTT packet as it came.
type packet struct {
	first byte
	body  []byte
	whole []byte
}

func (p *packet) kind() byte { return p.first >> 4 }

var errTooLong = errors.New("a packet is longer than anything here may be")

// next reads one packet.
func next(r *bufio.Reader) (*packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	length, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if length > largest {
		return nil, errTooLong
	}
	whole := binary.AppendUvarint([]byte{first}, length)
	header := len(whole)
	whole = append(whole, make([]byte, length)...)
	_, err = io.ReadFull(r, whole[header:])
	return &packet{first, whole[header:], whole}, err
}

// fromDevice hears what the device says, and passes it on.
func (l *line) fromDevice() {
	defer l.departed()
	r := bufio.NewReader(l.device)
	for {
		p, err := next(r)
		if err != nil {
			return
		}
		if err := l.hear(p); err != nil {
			return
		}
		if _, err := l.broker.Write(p.whole); err != nil {
			return
		}
	}
}

// hear looks at a packet of the device. The library panics at some that are cut.
func (l *line) hear(p *packet) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("read a packet: %v", broken)
		}
	}()
	now := l.relay.o.Now()
	if p.kind() != packets.Connect {
		l.relay.o.Bench.Alive(l.number, now)
	}
	pk := packets.Packet{ProtocolVersion: l.version, FixedHeader: packets.FixedHeader{Type: p.kind(), Qos: p.first >> 1 & 3, Retain: p.first&1 == 1, Remaining: len(p.body)}}
	switch p.kind() {
	case packets.Connect:
		if err := pk.ConnectDecode(p.body); err != nil {
			return fmt.Errorf("read CONNECT: %w", err)
		}
		l.mu.Lock()
		l.hello = p.whole
		l.mu.Unlock()
		l.connect(&pk, now)
	case packets.Subscribe:
		if err := pk.SubscribeDecode(p.body); err != nil {
			return fmt.Errorf("read SUBSCRIBE: %w", err)
		}
		if slices.ContainsFunc(pk.Filters, func(s packets.Subscription) bool { return s.Filter == l.relay.o.Receipts }) {
			l.relay.o.Bench.Subscribed(l.number)
		}
	case packets.Publish:
		if err := pk.PublishDecode(p.body); err != nil {
			return fmt.Errorf("read PUBLISH: %w", err)
		}
		l.publish(&pk, now)
	case packets.Disconnect:
		l.mu.Lock()
		l.politely = true
		l.mu.Unlock()
	}
	return nil
}

func (l *line) connect(pk *packets.Packet, now time.Time) {
	l.version = pk.ProtocolVersion
	hello := conformance.Hello{
		Client: pk.Connect.ClientIdentifier, KeepAlive: time.Duration(pk.Connect.Keepalive) * time.Second, Clean: pk.Connect.Clean,
		Will: pk.Connect.WillFlag && pk.Connect.WillTopic == l.relay.o.Status,
	}
	if l.version == 5 {
		hello.Clean = pk.Connect.Clean || !pk.Properties.SessionExpiryIntervalFlag || pk.Properties.SessionExpiryInterval == 0
	}
	greeting := l.relay.o.Bench.Hello(l.number, hello, now)
	l.mu.Lock()
	l.greeting = greeting
	l.mu.Unlock()
	if greeting != conformance.Silent {
		return
	}
	l.relay.serving.Go(func() {
		if l.relay.later(l.relay.o.Patience) {
			l.relay.o.Bench.Waited(l.number, l.relay.o.Patience)
		}
		l.end()
	})
}

func (l *line) publish(pk *packets.Packet, now time.Time) {
	trial := l.relay.o.Message(l.number, ingest.Message{Topic: pk.TopicName, Payload: slices.Clone(pk.Payload), Received: now, QoS: pk.FixedHeader.Qos, Keep: pk.FixedHeader.Retain})
	if trial == "" || pk.FixedHeader.Qos == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[pk.PacketID] = trial
}

// fromBroker passes on what the broker says, or misbehaves in its place.
func (l *line) fromBroker() {
	defer l.end()
	r := bufio.NewReader(l.broker)
	for {
		p, err := next(r)
		if err != nil {
			return
		}
		if err := l.answer(p); err != nil {
			return
		}
	}
}

var errEnds = errors.New("the relay ends this connection")

func (l *line) answer(p *packet) error {
	switch p.kind() {
	case packets.Connack:
		return l.greet(p)
	case packets.Puback, packets.Pubrec:
		if len(p.body) >= 2 {
			return l.acknowledge(p, l.trial(binary.BigEndian.Uint16(p.body)))
		}
	}
	return l.say(p)
}

// greet passes a CONNACK on as the trial wants it.
func (l *line) greet(p *packet) error {
	l.mu.Lock()
	greeting := l.greeting
	l.mu.Unlock()
	if greeting == conformance.LateConnack {
		select {
		case <-l.relay.o.After(l.relay.o.Late):
		case <-l.ended: // the device has not waited
			return errEnds
		}
	}
	if len(p.body) >= 2 {
		l.relay.o.Bench.Answered(l.number, p.body[1] == 0, p.body[0]&1 == 1)
	}
	switch greeting {
	case conformance.Silent:
		return nil
	case conformance.DoubledConnack:
		if err := l.say(p); err != nil {
			return err
		}
	}
	return l.say(p)
}

// trial takes how a message is to be acknowledged.
func (l *line) trial(id uint16) conformance.Trial {
	l.mu.Lock()
	defer l.mu.Unlock()
	trial := l.waiting[id]
	delete(l.waiting, id)
	return trial
}

// acknowledge passes an acknowledgement on as the trial wants it.
func (l *line) acknowledge(p *packet, trial conformance.Trial) error {
	switch trial {
	case conformance.Broken:
		return errEnds
	case conformance.LateAck:
		l.relay.serving.Go(func() {
			if l.relay.later(l.relay.o.Late) && l.say(p) == nil { // else the line has ended: the device sends again
				l.relay.o.Acknowledged(trial)
			}
		})
		return nil
	case conformance.DoubledAck:
		if err := l.say(p); err != nil {
			return err
		}
		l.relay.o.Bench.Twice(l.number)
	case conformance.WithheldAck:
		l.relay.serving.Go(func() {
			l.relay.later(l.relay.o.Patience)
			l.end()
		})
		return nil
	case conformance.Takeover:
		l.relay.serving.Go(l.takeOver)
		return nil
	case conformance.Restart, conformance.Offline:
		err := l.say(p)
		l.relay.o.Acknowledged(trial)
		lasts := l.relay.o.Gone
		if trial == conformance.Offline {
			lasts = l.relay.o.Offline
		}
		l.relay.leave(trial, lasts)
		return err
	}
	err := l.say(p)
	l.relay.o.Acknowledged(trial)
	return err
}

// takeOver connects to the broker with what the device said of itself. The broker ends the
// former connection, as MQTT has it, and this one once the device is back.
func (l *line) takeOver() {
	l.mu.Lock()
	hello := l.hello
	l.mu.Unlock()
	other, err := l.relay.o.Dial(l.relay.ctx)
	if err != nil {
		l.end() // the broker is gone: so is the device's connection
		return
	}
	defer other.Close()
	stop := context.AfterFunc(l.relay.ctx, func() { _ = other.Close() })
	defer stop()
	if _, err := other.Write(hello); err != nil {
		l.end()
		return
	}
	r := bufio.NewReader(other)
	if _, err := next(r); err != nil { // CONNACK
		l.end()
		return
	}
	for err == nil {
		_, err = next(r)
	}
}

// say writes a packet to the device.
func (l *line) say(p *packet) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := l.device.Write(p.whole)
	return err
}
