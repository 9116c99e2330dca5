package outside

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
)

const (
	connectTimeout       = 10 * time.Second
	maxReconnectInterval = 5 * time.Second
	retryFirst           = time.Second // until the first connection
	disconnectTimeout    = 2 * time.Second
)

// session is one persistent session with the broker.
type session struct {
	door    *Door
	name    string // the client id
	client  mqtt.Client
	link    atomic.Pointer[link] // the present connection
	first   chan struct{}        // gets one when the first attempt has gone well or failed
	started atomic.Bool          // it has subscribed once
	busy    sync.WaitGroup       // messages handed over and not done with
	last    atomic.Pointer[mark] // what ends an emptying; nil before
	gone    chan struct{}        // a session of another node: closed when the connection is lost; else nil
	kept    atomic.Bool          // the broker has this session, unless it forgets

	// Of whoever connects, which is one goroutine at a time.
	password string // the last that could be read
	trouble  string // why the last attempt failed; empty once one has not
}

func newSession(d *Door, number int) *session {
	s := &session{door: d, first: make(chan struct{}, 1), name: d.options.Sessions()[number]}
	s.kept.Store(number < d.options.Remembered)
	client := s.clientOptions()
	client.SetAutoReconnect(true).SetMaxReconnectInterval(maxReconnectInterval)
	client.SetConnectRetry(true).SetConnectRetryInterval(retryFirst)
	client.SetOnConnectHandler(s.connected)
	client.SetConnectionLostHandler(s.lost)
	client.SetConnectionNotificationHandler(s.notice)
	s.client = mqtt.NewClient(client)
	return s
}

// Sessions are the client ids of the sessions.
func (o Options) Sessions() []string {
	names := []string{o.ClientID}
	for number := 2; number <= o.Connections; number++ {
		names = append(names, o.ClientID+"-"+strconv.Itoa(number))
	}
	return names
}

// clientOptions are what every session has in common.
func (s *session) clientOptions() *mqtt.ClientOptions {
	o := &s.door.options
	client := mqtt.NewClientOptions()
	client.AddBroker(o.URL).SetClientID(s.name).SetCredentialsProvider(s.credentials)
	client.SetProtocolVersion(4).SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true)
	client.SetKeepAlive(o.KeepAlive).SetConnectTimeout(connectTimeout)
	client.SetStore(nothing{})
	client.SetCustomOpenConnectionFn(s.dial)
	return client
}

// tried waits until the first attempt has gone well or failed: a service whose broker
// is there starts with it.
func (s *session) tried(ctx context.Context) {
	select {
	case <-s.first:
	case <-ctx.Done():
	}
}

func (s *session) hasTried() {
	select {
	case s.first <- struct{}{}:
	default:
	}
}

// advise adds the way out to the client's own words.
func advise(err error) error {
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return fmt.Errorf("%w; check user and password, and that the broker knows them", err)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return fmt.Errorf("%w; choose another client_id", err)
	case errors.Is(err, packets.ErrorNetworkError):
		return fmt.Errorf("%w; check url, and that a broker runs there and can be reached from here", err)
	}
	return err
}

// credentials are what to connect with now.
func (s *session) credentials() (user, password string) {
	now, err := s.door.options.password()
	if err != nil {
		s.door.options.Log.Error("the broker gets the password that was read before", "error", err)
		return s.door.options.User, s.password
	}
	s.password = now
	return s.door.options.User, now
}

// notice says why a connection cannot be made again, once for each reason: it is
// tried without end, and may need a person.
func (s *session) notice(_ mqtt.Client, n mqtt.ConnectionNotification) {
	if attempt, is := n.(mqtt.ConnectionNotificationConnecting); is && attempt.Attempt == 0 {
		s.trouble = ""
	}
	failed, is := n.(mqtt.ConnectionNotificationFailed)
	if !is || s.door.ctx.Err() != nil {
		return
	}
	s.complain("the broker cannot be reached or does not let this client in, it will be tried again", advise(failed.Reason))
	s.hasTried()
}

// complain logs what is wrong, once for each reason.
func (s *session) complain(sentence string, why error) {
	if why.Error() == s.trouble {
		return
	}
	s.trouble = why.Error()
	s.door.options.Log.Error(sentence, "client", s.name, "error", why)
}

// dial opens a connection for the client.
func (s *session) dial(address *url.URL, options mqtt.ClientOptions) (net.Conn, error) {
	if s.gone == nil && s.door.aside.Load() {
		return nil, errAside
	}
	conn, err := dial(s.door.ctx, address, s.door.options.TLS, options.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	var l *link
	l = newLink(conn, s.greeted, func(p publication) { s.receive(l, p) })
	s.link.Store(l)
	return l, nil
}

// greeted compares what the broker says of the session with what it must know.
func (s *session) greeted(remembered bool) {
	log := s.door.options.Log
	switch {
	case remembered, s.gone != nil:
	case s.kept.Load():
		s.door.counters.forgotten.Add(1)
		log.Error("the broker has forgotten the session of this client: what it acknowledged to devices and had not passed on is lost. "+
			"See that it keeps sessions and messages on disk", "client", s.name)
	default:
		log.Info("the broker opens a new session: it keeps messages for it from now on", "client", s.name)
	}
}

// connected subscribes, at every connection: the broker may have lost the session.
func (s *session) connected(client mqtt.Client) {
	if s.door.left.Load() {
		return // what waits comes all the same
	}
	err := subscribe(client, s.door.options.filters(), s.door.options.former())
	if err != nil {
		if s.door.ctx.Err() == nil {
			s.door.options.Log.Error("the broker does not take the subscription, it will be tried again", "client", s.name, "error", err)
			s.link.Load().drop(err)
		}
		s.hasTried()
		return
	}
	s.kept.Store(true)
	if s.started.CompareAndSwap(false, true) {
		s.door.hasOpened()
		s.hasTried()
		return
	}
	s.door.options.Log.Info("connected to the broker again")
}

// subscribe subscribes to filters, and then unsubscribes from the former ones: no
// message falls between the two.
func subscribe(client mqtt.Client, filters map[string]byte, former []string) error {
	const refused = 0x80
	token := client.SubscribeMultiple(filters, nil)
	token.Wait() // ends with the connection at the latest
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for filter, code := range token.(*mqtt.SubscribeToken).Result() {
		if code == refused {
			return fmt.Errorf("the broker refuses the subscription to %s: allow it to this user", filter)
		}
	}
	gone := client.Unsubscribe(former...)
	gone.Wait()
	if err := gone.Error(); err != nil {
		return fmt.Errorf("end the subscriptions of earlier versions: %w", err)
	}
	return nil
}

func (s *session) lost(_ mqtt.Client, err error) {
	s.door.counters.reconnects.Add(1)
	s.door.options.Log.Warn("the connection to the broker is lost, it will be tried again", "error", err)
}

// receive hands one message over that came by a link. It runs where the client reads,
// so that waiting for room makes the broker wait.
func (s *session) receive(from *link, p publication) {
	d := s.door
	// The device is empty for a topic of another shape, which a session kept from an
	// older configuration may bring.
	device, kind, _ := ingest.ParseTopic(d.options.Prefix, p.topic)
	if device == canaryName {
		if !s.ends(p) {
			d.heard(kind)
		}
		if p.qos > 0 {
			from.acknowledge(p.id)
		}
		return
	}
	if kind == ingest.ReceiptsTopic { // written by a node, or by nobody who is listened to
		if p.qos > 0 {
			from.acknowledge(p.id)
		}
		return
	}
	size := len(p.payload)
	if !d.room.take(size) {
		return // closing: the broker keeps what is not acknowledged
	}
	d.counters.received.Add(1)
	s.busy.Add(1)
	d.submit(d.ctx, ingest.Message{
		Topic:    p.topic,
		Device:   device,
		Payload:  p.payload,
		Received: d.options.Now(),
		Retained: p.retained,
		Done: func(err error) {
			switch {
			case err != nil:
				d.counters.failed.Add(1)
				if d.ctx.Err() == nil { // closing, the others are still to be acknowledged
					from.drop(fmt.Errorf("a message could not be kept, the broker shall send it again: %w", err))
				}
			case p.qos > 0:
				from.acknowledge(p.id)
				d.counters.done.Add(1)
			default:
				d.counters.done.Add(1)
			}
			d.room.give(size)
			s.busy.Done()
		},
	})
}

func (s *session) close() {
	s.client.Disconnect(uint(disconnectTimeout / time.Millisecond))
	if l := s.link.Load(); l != nil {
		l.drop(errClosed)
	}
}

var errClosed = errors.New("the door is closed")
