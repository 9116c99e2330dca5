package devices

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Cut is how the connection of a device breaks while it publishes.
type Cut string

// The ways. NoCut is none.
const (
	NoCut  Cut = ""
	Within Cut = "within" // in the middle of the message: the broker has half of it
	After  Cut = "after"  // behind the message: the broker may have it, and its acknowledgement is lost
)

// How a Wire waits.
const (
	wireKeepAlive = 60 * time.Second
	wireAnswer    = 20 * time.Second // for an acknowledgement, before the connection is given up
	wireConnect   = 10 * time.Second // for a connection and its CONNACK
	firstPause    = 200 * time.Millisecond
	longestPause  = 5 * time.Second
)

// Wire is one device's persistent session with a broker (MQTT 3.1.1), packet by packet, so
// that its connection can break anywhere. What was not acknowledged is sent again on the
// next connection, in order, with its packet id and DUP. It is used by one goroutine.
type Wire struct {
	to      Connection
	conn    net.Conn
	writing sync.Mutex // a PINGREQ comes in between
	flying  []*packets.PublishPacket
	sent    map[uint16]time.Time
	last    uint16 // the last packet id
	used    bool   // it was connected once
	again   int
	close   func() // ends the pings of this connection
}

// DialWire connects a device. While the broker cannot be reached it tries again, until ctx
// ends. Status, User, Window and Prefix are as for Dial.
func DialWire(ctx context.Context, to Connection) (*Wire, error) {
	to.defaults()
	w := &Wire{to: to, sent: map[uint16]time.Time{}, close: func() {}}
	return w, w.reconnect(ctx)
}

// Again is how many messages were sent once more, with DUP.
func (w *Wire) Again() int { return w.again }

// reconnect opens a connection, and sends again what flies. The pause between two attempts
// doubles.
func (w *Wire) reconnect(ctx context.Context) error {
	w.hangUp()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := w.connect(ctx)
		if err == nil {
			err = w.resend()
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrRefused):
			return err
		case w.to.Trouble != nil:
			w.to.Trouble(err)
		}
		w.hangUp()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("connecting %s to %s: %w", w.to.Device, w.to.Broker, errors.Join(ctx.Err(), err))
		}
	}
}

// hangUp ends the connection, without a word.
func (w *Wire) hangUp() {
	w.close()
	w.close = func() {}
	if w.conn != nil {
		_ = w.conn.Close()
		w.use(nil)
	}
}

// use makes a connection the one that packets go to, or none.
func (w *Wire) use(conn net.Conn) {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.conn = conn
}

// connect opens a connection and the session.
func (w *Wire) connect(ctx context.Context) (err error) {
	conn, err := w.dial(ctx)
	if err != nil {
		return err
	}
	w.use(conn)
	if err := w.conn.SetDeadline(time.Now().Add(wireConnect)); err != nil {
		return err
	}
	if err := w.write(w.hello()); err != nil {
		return err
	}
	answer, err := packets.ReadPacket(w.conn)
	if err != nil {
		return fmt.Errorf("wait for the broker at %s: %w", w.to.Broker, err)
	}
	connack, ok := answer.(*packets.ConnackPacket)
	if !ok {
		return fmt.Errorf("the broker at %s answers %s", w.to.Broker, answer)
	}
	switch connack.ReturnCode {
	case packets.Accepted:
	case packets.ErrRefusedBadUsernameOrPassword, packets.ErrRefusedNotAuthorised:
		return fmt.Errorf("connecting %s to %s: %w", w.to.Device, w.to.Broker, ErrRefused)
	default:
		return fmt.Errorf("the broker at %s refuses: %w", w.to.Broker, packets.ConnErrors[connack.ReturnCode])
	}
	if err := w.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	w.ping()
	return w.introduce()
}

func (w *Wire) dial(ctx context.Context) (net.Conn, error) {
	at, err := url.Parse(w.to.Broker)
	if err != nil {
		return nil, fmt.Errorf("read the broker's address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, wireConnect)
	defer cancel()
	switch at.Scheme {
	case "tcp", "mqtt":
		return (&net.Dialer{}).DialContext(ctx, "tcp", at.Host)
	case "tls", "ssl", "mqtts":
		return (&tls.Dialer{Config: w.to.TLS}).DialContext(ctx, "tcp", at.Host)
	}
	return nil, fmt.Errorf("%q is no way to reach a broker: use tcp:// or tls://", at.Scheme)
}

func (w *Wire) hello() packets.ControlPacket {
	c := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	c.ProtocolName, c.ProtocolVersion, c.ClientIdentifier = "MQTT", 4, w.to.Device
	c.UsernameFlag, c.Username, c.PasswordFlag, c.Password = true, w.to.User, w.to.Password != "", []byte(w.to.Password)
	c.WillFlag, c.WillRetain, c.WillQos, c.WillTopic, c.WillMessage = true, true, 1, w.to.topic("status"), encode(Status{})
	c.Keepalive = uint16(wireKeepAlive / time.Second)
	return c
}

// ping gives a sign of life on this connection, and on no later one, while nothing else is
// said.
func (w *Wire) ping() {
	conn := w.conn
	ended := make(chan struct{})
	w.close = sync.OnceFunc(func() { close(ended) })
	go func() {
		ticks := time.NewTicker(wireKeepAlive / 2)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				w.writing.Lock()
				_ = packets.NewControlPacket(packets.Pingreq).Write(conn) // who publishes next sees that the connection is gone
				w.writing.Unlock()
			case <-ended:
				return
			}
		}
	}()
}

// introduce subscribes to the receipts, and says that the device is online.
func (w *Wire) introduce() error {
	if w.to.Receipt != nil {
		s := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
		s.MessageID, s.Topics, s.Qoss = w.id(), []string{w.to.topic("receipts")}, []byte{1}
		if err := w.write(s); err != nil {
			return err
		}
	}
	if !w.used {
		w.used = true
		status := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		status.TopicName, status.Payload, status.Qos, status.Retain, status.MessageID = w.to.topic("status"), encode(w.to.Status), 1, true, w.id()
		w.flying = slices.Insert(w.flying, 0, status)
	}
	return nil
}

// id is one that no message flies under.
func (w *Wire) id() uint16 {
	for {
		if w.last++; w.last != 0 && !slices.ContainsFunc(w.flying, func(p *packets.PublishPacket) bool { return p.MessageID == w.last }) {
			return w.last
		}
	}
}

// resend says what flies once more.
func (w *Wire) resend() error {
	for _, p := range w.flying {
		if p.Dup = !w.sent[p.MessageID].IsZero(); p.Dup {
			w.again++
		}
		if err := w.say(p); err != nil {
			return err
		}
	}
	return nil
}

// say writes a message that flies.
func (w *Wire) say(p *packets.PublishPacket) error {
	if w.sent[p.MessageID].IsZero() {
		w.sent[p.MessageID] = time.Now()
	}
	return w.write(p)
}

func (w *Wire) write(p packets.ControlPacket) error {
	var whole bytes.Buffer
	if err := p.Write(&whole); err != nil {
		return fmt.Errorf("write a packet: %w", err)
	}
	return w.send(whole.Bytes())
}

func (w *Wire) send(b []byte) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.conn == nil {
		return net.ErrClosed
	}
	_, err := w.conn.Write(b)
	return err
}

// PublishTo sends a payload under any topic, and waits while the window is full. With a cut
// the connection breaks there; the message is sent again on the next one.
func (w *Wire) PublishTo(ctx context.Context, topic string, payload []byte, cut Cut) error {
	if err := w.wait(ctx, w.to.Window-1); err != nil {
		return err
	}
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID = topic, payload, 1, w.id()
	w.flying = append(w.flying, p)
	if cut == NoCut {
		if w.say(p) == nil {
			return nil
		}
		return w.reconnect(ctx)
	}
	if err := w.broken(p, cut); err != nil && w.to.Trouble != nil {
		w.to.Trouble(err)
	}
	return w.reconnect(ctx)
}

// broken writes a message, or the half of it, and breaks the connection.
func (w *Wire) broken(p *packets.PublishPacket, cut Cut) error {
	var whole bytes.Buffer
	if err := p.Write(&whole); err != nil {
		return fmt.Errorf("write a packet: %w", err)
	}
	b := whole.Bytes()
	if cut == Within {
		b = b[:len(b)/2]
	}
	w.sent[p.MessageID] = time.Now()
	return w.send(b)
}

// Flush waits until everything published has been acknowledged.
func (w *Wire) Flush(ctx context.Context) error { return w.wait(ctx, 0) }

// Listen reads what the broker still says, until it has been silent for so long. It reports
// whether anything came.
func (w *Wire) Listen(ctx context.Context, silent time.Duration) bool {
	return w.hear(ctx, silent) == nil
}

// wait reads until at most so many messages fly.
func (w *Wire) wait(ctx context.Context, most int) error {
	for len(w.flying) > most {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.hear(ctx, wireAnswer); err != nil {
			if w.to.Trouble != nil {
				w.to.Trouble(fmt.Errorf("the connection to the broker was lost: %w", err))
			}
			if err := w.reconnect(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear takes what the broker says next, within a time.
func (w *Wire) hear(ctx context.Context, within time.Duration) error {
	if w.conn == nil {
		return net.ErrClosed
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, w.interrupt(w.conn))
	defer stop()
	said, err := packets.ReadPacket(w.conn)
	if err != nil {
		return err
	}
	switch p := said.(type) {
	case *packets.PubackPacket:
		w.acknowledged(p.MessageID)
	case *packets.PublishPacket:
		if w.to.Receipt != nil {
			tellReceipts(&w.to, p.Payload)
		}
		if p.Qos > 0 {
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = p.MessageID
			return w.write(ack)
		}
	}
	return nil
}

// interrupt ends a read that waits.
func (w *Wire) interrupt(conn net.Conn) func() {
	return func() { _ = conn.SetReadDeadline(time.Now()) }
}

// acknowledged takes a message from those that fly; one that does not is of no matter.
func (w *Wire) acknowledged(id uint16) {
	at := slices.IndexFunc(w.flying, func(p *packets.PublishPacket) bool { return p.MessageID == id })
	if at < 0 {
		return
	}
	reading := w.flying[at].TopicName != w.to.topic("status")
	w.flying = slices.Delete(w.flying, at, at+1)
	if reading && w.to.Acknowledged != nil {
		w.to.Acknowledged(1, time.Since(w.sent[id]))
	}
	delete(w.sent, id)
}

// Close disconnects politely: the last will is not spoken. What was not acknowledged is
// forgotten: Flush first.
func (w *Wire) Close() {
	if w.conn != nil {
		_ = w.write(packets.NewControlPacket(packets.Disconnect)) // the broker sees the end of it all the same
	}
	w.hangUp()
}
