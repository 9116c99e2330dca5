package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/conformance/relay"
	"vigie/ingest/formats/native"
)

// watched is a bench with its relay before a real broker. Its timers run out when the test
// says so.
type watched struct {
	t       *testing.T
	address string
	bench   *conformance.Bench
	timers  chan chan time.Time
	pool    *x509.CertPool
	mu      sync.Mutex
	behind  string // address of the broker
}

func watch(t *testing.T, secure bool, trials ...conformance.Trial) *watched {
	t.Helper()
	_, behind := servers.Hooked(t, new(auth.AllowHook), nil)
	_, afterwards := servers.Hooked(t, new(auth.AllowHook), nil) // which knows no session
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{t: t, address: listener.Addr().String(), timers: make(chan chan time.Time, 16)}
	w.bench = conformance.New(conformance.Options{
		Profile: conformance.Profile{Receipts: true, Buffers: true}, Device: "d", Prefix: "vigie/v1", Trials: trials,
		Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}},
	}, time.Now())
	w.behind = behind
	o := relay.Options{
		Listener: listener, Bench: w.bench, Status: "vigie/v1/d/status", Receipts: "vigie/v1/d/receipts", Now: time.Now, Acknowledged: func(conformance.Trial) {},
		Away: func(conformance.Trial) { w.mu.Lock(); w.behind = afterwards; w.mu.Unlock() },
		Back: func(conformance.Trial) {},
		Dial: func(ctx context.Context) (net.Conn, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.behind)
		},
		Message: func(line int, m ingest.Message) conformance.Trial {
			_, trial := w.bench.Message(line, m)
			return trial
		},
		After: func(time.Duration) <-chan time.Time {
			timer := make(chan time.Time, 1)
			w.timers <- timer
			return timer
		},
	}
	if secure {
		if o.Certificates, err = relay.NewCertificates([]string{"127.0.0.1"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.pool = x509.NewCertPool()
		w.pool.AppendCertsFromPEM(o.Certificates.Authority())
	}
	r := relay.Open(o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// runOut has the oldest timer run out.
func (w *watched) runOut() { (<-w.timers) <- time.Now() }

// verdict is that of a requirement, once it is no longer open.
func (w *watched) verdict(number string) conformance.Verdict {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		report := w.bench.Report(time.Now())
		at := slices.IndexFunc(report.Results, func(r conformance.Result) bool { return r.Requirement == number })
		if v := report.Results[at].Verdict; v != conformance.Inconclusive || time.Since(begun) > 20*time.Second {
			return v
		}
	}
}

// client is a device that says exactly what it is told to.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (w *watched) dial() *client {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return &client{w.t, conn, bufio.NewReader(conn)}
}

func (c *client) send(pk packets.Packet) {
	c.t.Helper()
	var b bytes.Buffer
	var err error
	pk.ProtocolVersion = 4
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectEncode(&b)
	case packets.Publish:
		err = pk.PublishEncode(&b)
	case packets.Subscribe:
		err = pk.SubscribeEncode(&b)
	case packets.Pingreq:
		err = pk.PingreqEncode(&b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) connect() *client {
	c.t.Helper()
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, Connect: packets.ConnectParams{
		ProtocolName: []byte("MQTT"), ClientIdentifier: "d", Keepalive: 60,
		WillFlag: true, WillTopic: "vigie/v1/d/status", WillPayload: []byte(`{"online":false}`),
	}})
	return c
}

func (c *client) subscribe() {
	c.t.Helper()
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 9, Filters: packets.Subscriptions{{Filter: "vigie/v1/d/receipts", Qos: 1}}})
}

func (c *client) publish(id string) {
	c.t.Helper()
	payload := `{"id":"` + id + `","time":"` + time.Now().Format(time.RFC3339) + `","measure":"weight","values":{"value":8` + id + `},"unit":"kg"}`
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: 7, TopicName: "vigie/v1/d/readings", Payload: []byte(payload)})
}

// next is the kind of the next packet, or 0 when the connection ends.
func (c *client) next() byte {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	first, err := c.r.ReadByte()
	if err != nil {
		return 0
	}
	length, err := c.r.ReadByte() // none here is longer than 127 bytes
	if err != nil {
		return 0
	}
	if _, err := io.CopyN(io.Discard, c.r, int64(length)); err != nil {
		return 0
	}
	return first >> 4
}

func (c *client) expect(kinds ...byte) {
	c.t.Helper()
	for i, want := range kinds {
		if got := c.next(); got != want {
			c.t.Fatalf("packet %d is of kind %d, want %d", i, got, want)
		}
	}
}

func TestWhatIsSaidReachesTheOtherSide(t *testing.T) {
	w := watch(t, false)
	c := w.dial().connect()
	c.expect(packets.Connack)
	c.subscribe()
	c.expect(packets.Suback)
	c.publish("1")
	c.expect(packets.Puback)
	for _, number := range []string{"C1", "C2", "C7", "C8", "P1", "P2", "L1", "B11"} {
		if v := w.verdict(number); v != conformance.Pass {
			t.Errorf("%s: %s", number, v)
		}
	}
	if seen := w.bench.History(); len(seen) != 1 || len(seen[0].Readings) != 1 || seen[0].QoS != 1 {
		t.Errorf("%+v", seen)
	}
}

// Each way to misbehave, with a device that bears it.
func TestABrokerThatMisbehavesOnPurpose(t *testing.T) {
	for trial, c := range map[conformance.Trial]struct {
		number string
		play   func(*watched, *client)
	}{
		conformance.Broken: {"B3", func(w *watched, c *client) {
			c.expect(0)
			c = w.dial().connect()
			c.expect(packets.Connack)
			c.publish("1")
			c.expect(packets.Puback)
		}},
		conformance.LateAck: {"B6", func(w *watched, c *client) {
			w.runOut()
			c.expect(packets.Puback)
			c.publish("2")
			c.expect(packets.Puback)
		}},
		conformance.DoubledAck: {"B7", func(_ *watched, c *client) {
			c.expect(packets.Puback, packets.Puback)
			c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
			c.expect(packets.Pingresp)
		}},
		conformance.WithheldAck: {"B8", func(w *watched, c *client) {
			w.runOut()
			c.expect(0)
			c = w.dial().connect()
			c.expect(packets.Connack)
			c.publish("1")
			c.expect(packets.Puback)
		}},
		conformance.Takeover: {"C12", func(w *watched, c *client) {
			for c.next() != 0 { // the broker itself ends it, some with a word (DISCONNECT)
			}
			c = w.dial().connect()
			c.expect(packets.Connack)
			c.publish("1")
			c.expect(packets.Puback)
		}},
		conformance.Restart: {"C11", func(w *watched, c *client) {
			c.expect(packets.Puback, 0)
			w.dial().expect(0) // nobody is let in
			w.runOut()
			for {
				c = w.dial()
				if c.connect().next() == packets.Connack {
					break
				}
			}
			c.subscribe()
			c.expect(packets.Suback)
		}},
	} {
		t.Run(string(trial), func(t *testing.T) {
			w := watch(t, false, trial)
			d := w.dial().connect()
			d.expect(packets.Connack)
			d.subscribe()
			d.expect(packets.Suback)
			d.publish("1")
			c.play(w, d)
			if v := w.verdict(c.number); v != conformance.Pass {
				t.Errorf("%s: %s", c.number, v)
			}
		})
	}
}

// The second connection is not answered. A device gives it up, or waits.
func TestASilentBroker(t *testing.T) {
	for waits, want := range map[bool]conformance.Verdict{false: conformance.Pass, true: conformance.Fail} {
		w := watch(t, false, conformance.Silent)
		w.dial().connect().expect(packets.Connack)
		c := w.dial().connect()
		timer := <-w.timers
		if waits {
			timer <- time.Now()
			c.expect(0)
		} else if err := c.conn.Close(); err != nil {
			t.Error(err)
		}
		if v := w.verdict("C9"); v != want {
			t.Errorf("waits %v: %s", waits, v)
		}
	}
}

// A CONNACK comes late, or twice, on the second connection: a device that waits publishes
// all the same, and one that does not is told so.
func TestAGreetingThatComesLateOrTwice(t *testing.T) {
	for trial, number := range map[conformance.Trial]string{conformance.LateConnack: "C13", conformance.DoubledConnack: "C14"} {
		for waits, want := range map[bool]conformance.Verdict{true: conformance.Pass, false: conformance.Fail} {
			w := watch(t, false, trial)
			w.dial().connect().expect(packets.Connack)
			c := w.dial().connect()
			if trial == conformance.DoubledConnack {
				c.expect(packets.Connack, packets.Connack)
				want = map[bool]conformance.Verdict{true: conformance.Pass, false: conformance.Warning}[waits]
			}
			if !waits {
				if err := c.conn.Close(); err != nil {
					t.Error(err)
				}
			}
			if waits {
				if trial == conformance.LateConnack {
					w.runOut()
					c.expect(packets.Connack)
				}
				c.publish("1")
				c.expect(packets.Puback)
			}
			if v := w.verdict(number); v != want {
				t.Errorf("%s, waits %v: %s", trial, waits, v)
			}
		}
	}
}

// A device that looks turns away from each bad certificate; one that does not look takes
// all of them.
func TestBadCertificates(t *testing.T) {
	for careless, want := range map[bool]conformance.Verdict{false: conformance.Pass, true: conformance.Fail} {
		w := watch(t, true, conformance.WrongName, conformance.Expired, conformance.UnknownAuthority)
		for range 3 {
			conn, err := tls.Dial("tcp", w.address, &tls.Config{RootCAs: w.pool, InsecureSkipVerify: careless})
			if careless != (err == nil) {
				t.Errorf("careless %v: %v", careless, err)
			}
			if conn != nil {
				conn.Close()
			}
		}
		for _, number := range []string{"C4", "C5", "C6"} {
			if v := w.verdict(number); v != want {
				t.Errorf("careless %v, %s: %s", careless, number, v)
			}
		}
		conn, err := tls.Dial("tcp", w.address, &tls.Config{RootCAs: w.pool})
		if err != nil {
			t.Fatal(err)
		}
		(&client{t, conn, bufio.NewReader(conn)}).connect().expect(packets.Connack)
		conn.Close()
	}
}
