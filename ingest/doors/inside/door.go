// Package inside is the MQTT broker inside Vigie: devices connect to it over
// TCP, with their own name and generated password.
//
// The broker itself (sessions, subscriptions, keep-alive, MQTT 3.1.1 and 5) is
// mochi. Publications do not go through it: they are taken off each connection
// in front of it (see connection), because nothing that a broker does with them
// is wanted. Nobody subscribes to readings; they go into the pipeline, and are
// acknowledged when they are committed.
//
//   - QoS 1: PUBACK is written after the commit, in the order of the
//     publications, with as many in flight as the pipeline gives a device.
//   - QoS 2: PUBREC is written after the commit. A publication that comes twice
//     is a duplicate by the id of its readings, so it counts once.
//   - QoS 0: best effort.
//   - What cannot be committed is not acknowledged: the connection is closed, and
//     the device sends again.
//
// A device may publish under its own name only; what it publishes elsewhere is
// set aside as wrong-topic. It may subscribe to its own receipts and to nothing
// else. Its last will counts as a publication of its own.
package inside

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/pires/go-proxyproto"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Options say where and for whom the broker is.
type Options struct {
	// Listener accepts the connections; see Listen. The door closes it.
	Listener net.Listener
	// TLS makes connections encrypted; nil for plain ones.
	TLS *tls.Config
	// Prefix is the first levels of every topic: "vigie/v1".
	Prefix string
	// Authenticate reports whether this is the password of that device; an error
	// says that nobody can tell now. It is asked once per connection, by many at
	// once, and again by Recheck.
	Authenticate func(ctx context.Context, device, password string) (bool, error)
	// Useful returns why a message could not be used; nothing when it could, as far as
	// that can be told from the message alone. Last wills are refused by it. Nil takes all.
	Useful func(ingest.Message) []protocols.Reason
	// Offer is a Submit that does not wait: where there is no room yet it returns how to
	// wait for it. With it, systems that can read many connections together do.
	Offer func(ingest.Message) (wait func(context.Context))
	// Connections is how many may be open; 20,000 when zero.
	Connections int

	Now func() time.Time // time.Now when nil
	Log *slog.Logger     // nothing is logged when nil
}

// Submit takes a message. It may wait for room, until ctx ends; the message's
// Done is called all the same.
type Submit func(ctx context.Context, message ingest.Message)

// Door is the broker. It is an ingest.Receipts.
type Door struct {
	options Options
	submit  Submit
	server  *mqtt.Server

	large    *largeRoom      // of large publications on their way
	ctx      context.Context // ends when the door is closed
	cancel   context.CancelFunc
	stopping atomic.Bool
	writers  sync.WaitGroup // goroutines that write acknowledgements
	serving  sync.WaitGroup // connections that are served, parked ones included
	poller   *poller        // reads the parked ones; nil where there is none
	polling  sync.WaitGroup
	due      *due          // connections to be written to, where there is a poller
	written  chan struct{} // closed once nothing is left to be written

	mu          sync.RWMutex
	closing     bool // no more writers are started, no connections served
	connections map[*connection]struct{}
	devices     map[string]map[*connection]struct{} // those that have proved to be the device
	sessions    map[string][]*mqtt.Client           // of the device, oldest first, those it is not connected with included

	receipts                    atomic.Int64 // bytes of them that are still to be written
	counters                    counters
	thrown                      map[[2]string]thrown // by device and client id
	unsure, unaccepted, crowded seldom
}

var _ ingest.Receipts = (*Door)(nil)

// Open lets devices in.
func Open(options Options, submit Submit) (*Door, error) {
	if options.Listener == nil || options.Authenticate == nil || options.Prefix == "" {
		return nil, errors.New("open the broker: it needs a listener, a way to authenticate and a prefix of topics")
	}
	if options.Connections == 0 {
		options.Connections = 20_000
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	d := &Door{options: options, submit: submit, large: newLargeRoom(largeBytes), due: newDue(), written: make(chan struct{}), connections: map[*connection]struct{}{}, devices: map[string]map[*connection]struct{}{}, sessions: map[string][]*mqtt.Client{}, thrown: map[[2]string]thrown{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.server = newBroker()
	if err := d.server.AddHook(&hook{door: d}, nil); err != nil {
		return nil, fmt.Errorf("open the broker: %w", err)
	}
	if options.Offer != nil {
		var err error
		if d.poller, err = openPoller(); err != nil {
			return nil, fmt.Errorf("open the broker: %w", err)
		}
	}
	if d.poller != nil {
		d.polling.Go(d.poller.run)
		d.polling.Go(func() { d.acknowledge(d.written) })
		d.serving.Go(d.silent)
	}
	// The broker's own Serve would look at every client twice a second, for what it is not
	// given to keep.
	d.serving.Go(d.accept)
	d.serving.Go(d.tidy)
	return d, nil
}

// receiveMaximum is how many publications a device may have in flight, as it is told.
const receiveMaximum = 1024

// largestPacket is what goes through the broker at most, in bytes: publications do not.
const largestPacket = 64 << 10

// sessionKept is how long a session is kept at most, in seconds.
const sessionKept = 3600

// newBroker is mochi with what it keeps for each connection cut to what a device
// needs: it writes nothing but answers.
func newBroker() *mqtt.Server {
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumClientWritesPending = 8
	capabilities.MaximumPacketSize = largestPacket
	capabilities.MaximumInflight = receiveMaximum
	capabilities.ReceiveMaximum = receiveMaximum
	capabilities.MaximumSessionExpiryInterval = sessionKept
	capabilities.TopicAliasMaximum = 0
	capabilities.SharedSubAvailable = 0
	capabilities.WildcardSubAvailable = 0
	return mqtt.New(&mqtt.Options{
		Capabilities:             capabilities,
		ClientNetReadBufferSize:  256,
		ClientNetWriteBufferSize: 256,
		SysTopicResendInterval:   3600,
		Logger:                   slog.New(slog.DiscardHandler), // it would log payloads
	})
}

// Listen opens a TCP listener on addr. When next is true and the port is taken,
// one of the hundred ports after it is used instead.
func Listen(addr string, next bool) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil || !next {
		return l, err
	}
	host, port, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, err
	}
	first, lookErr := net.LookupPort("tcp", port)
	if lookErr != nil {
		return nil, err
	}
	for p := first + 1; p <= first+100 && p < 1<<16; p++ {
		if l, nextErr := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(p))); nextErr == nil {
			return l, nil
		}
	}
	return nil, err
}

// headerTime is how long a balancer may take to say whom it has a connection from.
const headerTime = 5 * time.Second

// Behind makes a listener believe connections from these networks when they say, in
// the PROXY protocol, whose they are. From elsewhere such words are not MQTT.
func Behind(listener net.Listener, balancers []netip.Prefix) net.Listener {
	if len(balancers) == 0 {
		return listener
	}
	return &proxyproto.Listener{
		Listener: listener, ReadHeaderTimeout: headerTime,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			from, err := netip.ParseAddrPort(o.Upstream.String())
			if err == nil && slices.ContainsFunc(balancers, func(n netip.Prefix) bool { return n.Contains(from.Addr().Unmap()) }) {
				return proxyproto.USE, nil
			}
			return proxyproto.SKIP, nil
		},
	}
}

// Credentials checks passwords against the registry.
func Credentials(directory ingest.Directory) func(ctx context.Context, device, password string) (bool, error) {
	return func(ctx context.Context, device, password string) (bool, error) {
		known, err := directory.Device(ctx, device)
		if errors.Is(err, registry.ErrNotFound) {
			return false, nil
		}
		return err == nil && registry.CheckSecret(known.Device.Secret, password), err
	}
}

// Addr is where devices connect to.
func (d *Door) Addr() net.Addr { return d.options.Listener.Addr() }

// Encrypted reports whether devices have to speak TLS.
func (d *Door) Encrypted() bool { return d.options.TLS != nil }

// Stop takes no more connections and no more messages. What was taken is still
// acknowledged until Close.
func (d *Door) Stop() error {
	if d.stopping.Swap(true) {
		return nil
	}
	return d.options.Listener.Close()
}

// Close writes the acknowledgements that are due and disconnects everybody. The
// pipeline is closed before, so that there is nothing left to acknowledge.
// Closing twice is harmless.
func (d *Door) Close() error {
	err := d.Stop()
	if d.ctx.Err() != nil {
		return err
	}
	d.cancel()
	d.mu.Lock()
	d.closing = true
	open := slices.Collect(maps.Keys(d.connections))
	d.mu.Unlock()
	for _, c := range open {
		c.hurry()
	}
	d.writers.Wait()
	close(d.written)
	for _, c := range open {
		c.giveUp(ingest.ErrClosed)
	}
	d.serving.Wait() // the broker must not meet a new connection while it waits for the last
	if d.poller != nil {
		err = errors.Join(err, d.poller.close())
	}
	d.polling.Wait()
	return errors.Join(err, d.server.Close())
}

// perDevice is how many connections one device may have, and how many sessions: the
// present one, those that nobody has missed yet, and a tool or two.
const perDevice = 8

// proved notes that a connection belongs to a device, unless it has too many. One under
// the client id of another takes its place: the library hangs up on the other.
func (d *Door) proved(c *connection, device, client string, will mqtt.Will) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.devices[device]
	var former *connection
	for other := range all {
		if other.client == client {
			former = other
		}
	}
	if _, open := d.connections[c]; !open || len(all) >= perDevice && former == nil {
		return false
	}
	if former != nil {
		d.rivals(former, device, client)
		delete(all, former)
	}
	c.device, c.client, c.will = device, client, will
	if all == nil {
		all = map[*connection]struct{}{}
		d.devices[device] = all
	}
	all[c] = struct{}{}
	return true
}

// sessionBegins notes a session of a device, and returns those that have to go for
// it: the device may give each connection a new name, and come back to none.
func (d *Door) sessionBegins(device string, cl *mqtt.Client) (gone []*mqtt.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.DeleteFunc(d.sessions[device], func(other *mqtt.Client) bool { return other.ID == cl.ID })
	all = append(all, cl)
	for i := 0; i < len(all) && len(all) > perDevice; {
		if !all[i].Closed() {
			i++
			continue
		}
		gone = append(gone, all[i])
		all = slices.Delete(all, i, i+1)
	}
	d.sessions[device] = all
	return gone
}

// sessionEnds notes that a session is no longer kept.
func (d *Door) sessionEnds(device string, cl *mqtt.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.DeleteFunc(d.sessions[device], func(other *mqtt.Client) bool { return other == cl })
	if len(all) == 0 {
		delete(d.sessions, device)
		return
	}
	d.sessions[device] = all
}

// tidyEvery is how often sessions are looked for that nobody came back to in time.
const tidyEvery = 5 * time.Second

// tidy ends such sessions until the door is closed.
func (d *Door) tidy() {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.EndSessions(time.Now())
		case <-d.ctx.Done():
			return
		}
	}
}

// EndSessions ends the sessions to which nobody came back until now for as long as they
// are kept.
func (d *Door) EndSessions(now time.Time) {
	for device, gone := range d.left(now) {
		for _, cl := range gone {
			if present, ok := d.server.Clients.Get(cl.ID); ok && present == cl { // else it came back
				d.server.UnsubscribeClient(cl)
				d.server.Clients.Delete(cl.ID)
			}
			d.sessionEnds(device, cl)
		}
	}
}

// left are the sessions that are over, by device.
func (d *Door) left(now time.Time) map[string][]*mqtt.Client {
	d.mu.RLock()
	defer d.mu.RUnlock()
	gone := map[string][]*mqtt.Client{}
	for device, all := range d.sessions {
		for _, cl := range all {
			if since := cl.StopTime(); since != 0 && since+kept(cl) < now.Unix() {
				gone[device] = append(gone[device], cl)
			}
		}
	}
	return gone
}

// kept is how long a session is kept for a device that is away, in seconds.
func kept(cl *mqtt.Client) int64 {
	if p := &cl.Properties; p.ProtocolVersion == 5 && p.Props.SessionExpiryIntervalFlag {
		return int64(min(p.Props.SessionExpiryInterval, sessionKept))
	}
	return sessionKept
}

// startWriter counts a goroutine that is to write, unless the door is closing.
func (d *Door) startWriter() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closing {
		return false
	}
	d.writers.Add(1)
	return true
}

// admit counts a new connection. Where there are too many, it takes the place of one
// that has not said who it is: whoever opens connections and keeps silent shall not
// keep devices out.
func (d *Door) admit(c *connection) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing || d.stopping.Load() || len(d.connections) >= d.options.Connections && !d.dropStranger() {
		return false
	}
	d.connections[c] = struct{}{}
	d.serving.Add(1)
	return true
}

// introduction is how long a connection may take to say who it is where others wait
// for its place. A device needs a moment, also when all come at once.
const introduction = 2 * time.Second

// dropStranger gives up the connection that has kept silent for longest, if there is
// one, under the lock.
func (d *Door) dropStranger() bool {
	var oldest *connection
	for c := range d.connections {
		if c.device == "" && (oldest == nil || c.opened.Before(oldest.opened)) {
			oldest = c
		}
	}
	if oldest == nil || time.Since(oldest.opened) < introduction {
		return false
	}
	delete(d.connections, oldest)
	d.counters.refused.Add(1)
	oldest.giveUp(errSilent)
	return true
}

var errSilent = errors.New("it did not say who it is, and there are too many connections")

// forget is called when a connection has been closed.
func (d *Door) forget(c *connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.connections, c)
	all := d.devices[c.device]
	delete(all, c)
	if len(all) == 0 {
		delete(d.devices, c.device)
	}
}

// elsewhere reports whether a device has another connection than this one that
// speaks for it: one without a last will is a tool that reads receipts, or so.
func (d *Door) elsewhere(c *connection) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for other := range d.devices[c.device] {
		if other != c && other.will.Flag != 0 {
			return true
		}
	}
	return false
}

// Wanted reports whether a device listens to its receipts.
func (d *Door) Wanted(device string) bool {
	if d.counters.listening.Load() == 0 {
		return false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for c := range d.devices[device] {
		if c.listens.Load() {
			return true
		}
	}
	return false
}

// Send publishes receipts to a device, one message each, at QoS 0. It does not
// wait: a device that does not read them in time misses some.
func (d *Door) Send(device string, receipts []ingest.Receipt) {
	d.mu.RLock()
	var to []*connection
	for c := range d.devices[device] {
		if c.listens.Load() {
			to = append(to, c)
		}
	}
	d.mu.RUnlock()
	for _, c := range to {
		if err := c.sendReceipts(ingest.Topic(d.options.Prefix, device, ingest.ReceiptsTopic), receipts); err != nil {
			d.options.Log.Error("a receipt cannot be written", "device", device, "error", err)
		}
	}
}

type counters struct {
	received, done, failed, refused, receiptsLost, faults atomic.Int64
	listening                                             atomic.Int64 // connections that have subscribed to receipts
}

// Figures count what went through the door since it was opened.
type Figures struct {
	Connections  int   // open now
	Received     int64 // messages
	Done         int64 // committed
	Failed       int64 // not committed; the device sends them again
	Refused      int64 // connections turned away
	Faults       int64 // packets that the broker library could not bear
	ReceiptsLost int64 // that a device did not read in time
}

// Figures returns the present counts.
func (d *Door) Figures() Figures {
	d.mu.RLock()
	open := len(d.connections)
	d.mu.RUnlock()
	return Figures{
		Connections:  open,
		Received:     d.counters.received.Load(),
		Done:         d.counters.done.Load(),
		Failed:       d.counters.failed.Load(),
		Refused:      d.counters.refused.Load(),
		Faults:       d.counters.faults.Load(),
		ReceiptsLost: d.counters.receiptsLost.Load(),
	}
}
