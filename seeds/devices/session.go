package devices

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/protocols"
)

// DefaultPrefix is the topic prefix of a Vigie that was not told otherwise.
const DefaultPrefix = "vigie/v1"

// Connection is how a device reaches its broker.
type Connection struct {
	Broker   string // "tcp://127.0.0.1:1883", or tls://
	Prefix   string // of topics; DefaultPrefix when empty
	Device   string
	User     string // the device when empty
	Password string
	Window   int // messages sent and not yet acknowledged, 20 when 0
	Status   Status
	TLS      *tls.Config // of tls://; the system's authorities when nil
	// Receipt is called for each receipt; nil to listen to none.
	Receipt func(Receipt)
	// Acknowledged is called for each acknowledged message with the readings in
	// it and the time the acknowledgement took; may be nil.
	Acknowledged func(readings int, took time.Duration)
	// Trouble is told why a connection was lost or could not be made; may be nil.
	Trouble func(error)
}

// Status is what a device says of itself.
type Status struct {
	Online   bool   `json:"online"`
	Battery  int    `json:"battery,omitempty"` // per cent; 0 for not told
	Firmware string `json:"firmware,omitempty"`
}

// Receipt tells what became of one reading.
type Receipt struct {
	ID      string             `json:"id"`
	Verdict string             `json:"verdict"` // accepted, duplicate, set-aside
	Reasons []protocols.Reason `json:"reasons"`
}

// Session is one device's persistent session with a broker. What Publish was
// given is sent, in order, until the broker has acknowledged it, across as many
// connections as that takes.
type Session struct {
	to     Connection
	client mqtt.Client
	window chan struct{} // holds one token per message under way

	mu         sync.Mutex
	connection int                 // counts connections; acknowledgements of earlier ones mean nothing
	ready      bool                // what was pending has been sent on this connection
	pending    []*message          // in the order of Publish
	byID       map[uint16]*message // those sent on this connection
	settling   int                 // acknowledged, but not yet counted
	empty      chan struct{}       // closed when nothing is under way any longer; nil while nobody waits
	reconnects int
}

// message is one publication that is not acknowledged yet.
type message struct {
	topic    string
	payload  []byte
	readings int
	sent     time.Time
}

// ErrRefused is returned by Dial when the broker does not know the device or
// its password. Trying again is of no use.
var ErrRefused = errors.New("the broker refused the device's name or password")

// Dial connects a device. While the broker cannot be reached it tries again,
// until ctx ends.
func Dial(ctx context.Context, to Connection) (*Session, error) {
	to.defaults()
	s := &Session{to: to, window: make(chan struct{}, to.Window), byID: map[uint16]*message{}}
	s.client = mqtt.NewClient(s.options())
	return s, s.connect(ctx)
}

// defaults fills in what was left out.
func (to *Connection) defaults() {
	if to.Prefix == "" {
		to.Prefix = DefaultPrefix
	}
	if to.User == "" {
		to.User = to.Device
	}
	if to.Window == 0 {
		to.Window = 20
	}
	to.Status.Online = true
}

func (to *Connection) topic(last string) string { return to.Prefix + "/" + to.Device + "/" + last }

func (s *Session) options() *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(s.to.Broker).
		SetClientID(s.to.Device).SetUsername(s.to.User).SetPassword(s.to.Password).
		SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(2*time.Second).
		SetConnectTimeout(10*time.Second).SetKeepAlive(30*time.Second).SetOrderMatters(true).
		SetBinaryWill(s.topic("status"), encode(Status{}), 1, true).
		SetStore(forgetful{}).
		SetCustomOpenConnectionFn(s.open).SetTLSConfig(s.to.TLS).
		SetOnConnectHandler(func(mqtt.Client) { s.connected() }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			s.trouble(fmt.Errorf("the connection to the broker was lost: %w", err))
		})
	return o
}

// connect makes the first connection; the library makes the later ones.
func (s *Session) connect(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		token := s.client.Connect()
		select {
		case <-token.Done():
		case <-ctx.Done():
			s.client.Disconnect(0)
			return ctx.Err()
		}
		err := token.Error()
		if err == nil {
			return nil
		}
		if errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) || errors.Is(err, packets.ErrorRefusedNotAuthorised) {
			return fmt.Errorf("connecting %s to %s: %w", s.to.Device, s.to.Broker, ErrRefused)
		}
		s.trouble(fmt.Errorf("the broker at %s cannot be reached: %w", s.to.Broker, err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("connecting %s to %s: %w", s.to.Device, s.to.Broker, err)
		}
	}
}

// open makes a network connection that counts acknowledgements.
func (s *Session) open(uri *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: o.ConnectTimeout}
	var conn net.Conn
	var err error
	switch uri.Scheme {
	case "tcp", "mqtt":
		conn, err = dialer.Dial("tcp", uri.Host)
	case "tls", "ssl", "mqtts":
		conn, err = tls.DialWithDialer(dialer, "tcp", uri.Host, o.TLSConfig)
	default:
		err = fmt.Errorf("%q is no way to reach a broker: use tcp:// or tls://", uri.Scheme)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connection++
	s.reconnects = s.connection - 1
	s.ready = false
	clear(s.byID)
	mine := s.connection
	return &tap{Conn: conn, acknowledged: func(id uint16) { s.acknowledge(mine, id) }}, nil
}

// connected says what there is to say on a new connection: the status, then
// what the former ones left without acknowledgement.
func (s *Session) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to.Receipt != nil {
		s.client.Subscribe(s.topic("receipts"), 1, func(_ mqtt.Client, m mqtt.Message) { s.receipts(m.Payload()) })
	}
	s.client.Publish(s.topic("status"), 1, true, encode(s.to.Status))
	for _, m := range s.pending {
		s.send(m)
	}
	s.ready = true
}

// send hands a message to the library. When that fails, the next connection
// sends it. The caller holds the lock, so that the acknowledgement finds the
// message under its id however soon it comes.
func (s *Session) send(m *message) {
	token, ok := s.client.Publish(m.topic, 1, false, m.payload).(*mqtt.PublishToken)
	if ok && token.MessageID() != 0 {
		s.byID[token.MessageID()] = m
	}
}

// Publish sends a payload in our own format that holds so many readings. It waits while
// the window is full, not for the acknowledgement; see Flush.
func (s *Session) Publish(ctx context.Context, payload []byte, readings int) error {
	return s.PublishTo(ctx, s.topic("readings"), payload, readings)
}

// PublishTo sends a payload under any topic, as Publish does.
func (s *Session) PublishTo(ctx context.Context, topic string, payload []byte, readings int) error {
	select {
	case s.window <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &message{topic: topic, payload: payload, readings: readings, sent: time.Now()}
	s.pending = append(s.pending, m)
	if s.ready {
		s.send(m)
	}
	return nil
}

// acknowledge counts a message before it lets Flush go on.
func (s *Session) acknowledge(connection int, id uint16) {
	m := s.settle(connection, id)
	if m == nil {
		return
	}
	if s.to.Acknowledged != nil {
		s.to.Acknowledged(m.readings, time.Since(m.sent))
	}
	<-s.window
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settling--
	s.signal()
}

// settle takes the message with that id from those that are pending.
func (s *Session) settle(connection int, id uint16) *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byID[id]
	if connection != s.connection || m == nil {
		return nil
	}
	delete(s.byID, id)
	s.pending = slices.DeleteFunc(s.pending, func(p *message) bool { return p == m })
	s.settling++
	return m
}

// signal lets Flush go on once nothing is under way. The caller holds the lock.
func (s *Session) signal() {
	if len(s.pending)+s.settling == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// Flush waits until everything published has been acknowledged.
func (s *Session) Flush(ctx context.Context) error {
	s.mu.Lock()
	if len(s.pending)+s.settling == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	s.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Reconnects counts the connections after the first.
func (s *Session) Reconnects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reconnects
}

// Close disconnects politely, as a device does that has nothing more to say: its
// last will is not spoken. What was not acknowledged is forgotten: Flush first.
func (s *Session) Close() { s.client.Disconnect(100) }

func (s *Session) receipts(payload []byte) { tellReceipts(&s.to, payload) }

// tellReceipts tells each receipt of a message.
func tellReceipts(to *Connection, payload []byte) {
	var several []Receipt
	if json.Unmarshal(payload, &several) != nil {
		several = make([]Receipt, 1)
		if err := json.Unmarshal(payload, &several[0]); err != nil {
			if to.Trouble != nil {
				to.Trouble(fmt.Errorf("a receipt for %s cannot be read: %w", to.Device, err))
			}
			return
		}
	}
	for _, r := range several {
		to.Receipt(r)
	}
}

func (s *Session) trouble(err error) {
	if s.to.Trouble != nil {
		s.to.Trouble(err)
	}
}

func (s *Session) topic(last string) string { return s.to.topic(last) }

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("devices: what a device says cannot be written as JSON: " + err.Error())
	}
	return text
}

// forgetful keeps no message for the library: the session itself sends again
// what was not acknowledged, and knows when it was.
type forgetful struct{}

func (forgetful) Open()                             {}
func (forgetful) Put(string, packets.ControlPacket) {}
func (forgetful) Get(string) packets.ControlPacket  { return nil }
func (forgetful) All() []string                     { return nil }
func (forgetful) Del(string)                        {}
func (forgetful) Close()                            {}
func (forgetful) Reset()                            {}
