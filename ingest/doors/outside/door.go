// Package outside receives messages from any MQTT 3.1.1 broker.
//
// The session at the broker is persistent: what is published while Vigie is
// away waits there, and comes when it is back. A message is acknowledged only
// when it is done with, so the broker sends again whatever a crash left
// undone; handling the same message twice is harmless, because a reading is
// known by its device and id.
//
// Who may publish under which device's name is the broker's affair: a message
// comes without Client. The door subscribes to everything under the prefix, so that
// a topic no format owns is set aside and told, and a new format needs nothing here.
// For Mosquitto, the acl_file says
//
//	pattern write vigie/v1/%u/#
//	pattern read vigie/v1/%u/receipts
//
//	user vigie
//	topic readwrite vigie/v1/#
//
// Mosquitto grants any subscription, and then delivers nothing that may not be read.
// A broker sends the door's own receipts back to it: the door drops them.
//
// Mosquitto keeps sessions only with "persistence true", drops in silence
// beyond "max_queued_messages" (1,000 by default, 0 for no limit), and sends
// "max_inflight_messages" (20 by default) before it waits for
// acknowledgements: with 1,000, a commit carries more and Vigie is much faster.
// It never keeps a shared subscription over a restart.
//
// A broker that has lost the session has lost what it acknowledged to devices and
// had not passed on. The door says so in its log and its Figures.
package outside

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"vigie/ingest"
)

// Options say which broker to connect to, and how.
type Options struct {
	// URL is mqtt://host:1883, or mqtts://host:8883 for TLS.
	URL string
	// ClientID names the session at the broker. It must stay the same from one
	// start to the next, and differ between nodes.
	ClientID string
	// Group shares the messages among the nodes that give the same name; every
	// node receives everything when it is empty.
	Group string
	// Connections is how many sessions to open; more than one needs a Group.
	// They help where the broker limits what is in flight per connection, and
	// lose the order of messages. 1 when zero.
	Connections int
	// Opened is called once the broker has every session. May be nil.
	Opened func()
	// Remembered is how many of these sessions were opened at this broker at an
	// earlier start: it must still have them, and Figures tell when it does not.
	Remembered int

	User, Password string
	// PasswordFile holds the password in its place. It is read at every connection,
	// so that a password that changes needs no restart.
	PasswordFile string
	TLS          *tls.Config // for mqtts; the system's authorities when nil

	// Aside has the door open without a connection, see StandAside.
	Aside bool

	// Prefix is the first levels of every topic: "vigie/v1".
	Prefix string
	// Gateways are the filters of the topics under which gateways publish.
	Gateways []string
	// NoReceipts keeps receipts from being published.
	NoReceipts bool

	// InFlight bounds the messages, and InFlightBytes their payloads, that are
	// not done with. The door stops reading at the bound, and the broker keeps
	// the rest. 2,000 and 64 MiB when zero.
	InFlight      int
	InFlightBytes int

	KeepAlive time.Duration // 30 s when zero
	Now       func() time.Time
	Log       *slog.Logger
}

// Submit takes a message. It may wait for room, until ctx ends; the message's
// Done is called all the same.
type Submit func(ctx context.Context, message ingest.Message)

// Door is the connection to a broker. It is an ingest.Receipts.
type Door struct {
	options  Options
	submit   Submit
	sessions []*session
	room     *room
	counters counters
	back     atomic.Int64  // when a canary last came back, in nanoseconds; 0 before the first
	sung     atomic.Int64  // canaries sent
	opened   atomic.Int64  // sessions that have subscribed
	silent   chan struct{} // closed once no more canaries are sent
	aside    atomic.Bool   // no connection is made, see StandAside
	left     atomic.Bool   // the subscriptions have ended, see Unsubscribe

	ctx    context.Context // ends when the door closes
	cancel context.CancelFunc
}

var errAway = errors.New("the broker outside is not connected (broker.outside.url)")

var _ ingest.Receipts = (*Door)(nil)

// Open connects to the broker and subscribes; messages arrive from then on. A broker
// that cannot be reached, or refuses, is tried again without end, at the start as
// later: Ready and the log say why. An error is about the options.
func Open(ctx context.Context, options Options, submit Submit) (*Door, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	d := &Door{options: options, submit: submit, room: newRoom(options.InFlight, options.InFlightBytes), silent: make(chan struct{})}
	d.aside.Store(options.Aside)
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for i := range options.Connections {
		d.sessions = append(d.sessions, newSession(d, i))
	}
	for _, s := range d.sessions {
		s.client.Connect()
	}
	for _, s := range d.sessions {
		s.tried(ctx)
	}
	go d.sing()
	return d, nil
}

// hasOpened notes that one more session has subscribed for the first time.
func (d *Door) hasOpened() {
	if d.opened.Add(1) == int64(len(d.sessions)) && d.options.Opened != nil {
		d.options.Opened()
	}
}

func (o Options) complete() (Options, error) {
	address, err := url.Parse(o.URL)
	if err != nil {
		return o, fmt.Errorf("read the address of the broker: %w", err)
	}
	if _, ok := schemes[address.Scheme]; !ok || address.Host == "" {
		return o, fmt.Errorf("%q is no address of a broker: write mqtt://host:1883, or mqtts://host:8883 for TLS", o.URL)
	}
	if o.ClientID == "" {
		return o, errors.New("a persistent session needs a client id that stays the same")
	}
	if o.Connections > 1 && o.Group == "" {
		return o, errors.New("several connections to a broker need a shared group, or each would receive everything")
	}
	if _, err := o.password(); err != nil {
		return o, err
	}
	o.Prefix = strings.Trim(o.Prefix, "/")
	o.Connections = max(o.Connections, 1)
	o.InFlight = orDefault(o.InFlight, 2000)
	o.InFlightBytes = orDefault(o.InFlightBytes, 64<<20)
	o.KeepAlive = orDefault(o.KeepAlive, 30*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// password is the one to connect with now.
func (o *Options) password() (string, error) {
	if o.PasswordFile == "" {
		return o.Password, nil
	}
	text, err := os.ReadFile(o.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the password of the broker: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// filter is the subscription to everything that devices publish under their names.
func (o *Options) filter() string { return o.shared(o.Prefix + "/+/#") }

// filters are all subscriptions. In a group, each node listens alone to what tells it
// that another has taken its canary.
func (o *Options) filters() map[string]byte {
	const atMostOnce, atLeastOnce = 0, 1
	filters := map[string]byte{o.filter(): atLeastOnce}
	for _, gateway := range o.Gateways {
		filters[o.shared(gateway)] = atLeastOnce
	}
	if o.Group != "" {
		filters[o.canaryTopic(canaryBack)] = atMostOnce
	}
	return filters
}

// former are the subscriptions of earlier versions. A kept session still has them,
// and the broker would deliver each message twice.
func (o *Options) former() []string {
	return []string{o.shared(ingest.Topic(o.Prefix, "+", ingest.ReadingsTopic)), o.shared(ingest.Topic(o.Prefix, "+", ingest.StatusTopic))}
}

// shared is a filter as the nodes of the group subscribe to it.
func (o *Options) shared(filter string) string {
	if o.Group == "" {
		return filter
	}
	return "$share/" + o.Group + "/" + filter
}

// Close stops taking messages, waits until those taken are done with or ctx
// ends, and disconnects. The session stays at the broker, with what was not
// acknowledged.
func (d *Door) Close(ctx context.Context) error {
	d.cancel()
	<-d.silent
	d.room.close()
	err := d.room.empty(ctx)
	for _, s := range d.sessions {
		s.close()
	}
	if err != nil {
		return fmt.Errorf("close the connection to the broker: messages are not done with, the broker will send them again: %w", err)
	}
	return nil
}

// Connected reports whether every session with the broker is up.
func (d *Door) Connected() bool {
	for _, s := range d.sessions {
		if !s.client.IsConnectionOpen() {
			return false
		}
	}
	return true
}
