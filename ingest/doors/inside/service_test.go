package inside_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
	"vigie/ingest/doors/inside"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// A service is the broker with the pipeline and a real store behind it.
type service struct {
	t        testing.TB
	path     string
	store    *gate
	pipeline *ingest.Pipeline
	door     *inside.Door
	addr     string
	post     *post
	now      func() time.Time
	limits   ingest.Limits
	told     func(ingest.Commit)
}

// start is the time at which the tests stand still.
var start = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

func begin(t testing.TB) *service {
	t.Helper()
	s := &service{t: t, path: storetest.File(t, newStore), now: func() time.Time { return start }, limits: ingest.DefaultLimits()}
	s.open()
	s.enter()
	t.Cleanup(s.stop)
	return s
}

// newStore begins a store's file.
func newStore(path string) error {
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

func (s *service) open() {
	s.t.Helper()
	store, err := sqlite.Open(s.path, sqlite.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.store, s.post = &gate{Store: store}, &post{}
	s.pipeline, err = ingest.New(ingest.Config{
		Store: s.store, Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Prefix: "vigie/v1",
		Plans: ingest.Plans(find), Receipts: s.post, Now: s.now, Limits: s.limits, Committed: s.told,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	listener, err := inside.Listen("127.0.0.1:0", false)
	if err != nil {
		s.t.Fatal(err)
	}
	door, err := inside.Open(inside.Options{
		Listener: listener, Prefix: "vigie/v1", Now: s.now, Useful: s.pipeline.Reasons,
		Authenticate: func(ctx context.Context, device, password string) (bool, error) {
			if device == "stranger" {
				return password == "secret", nil
			}
			return inside.Credentials(s.store)(ctx, device, password)
		},
		Offer: s.pipeline.Offer,
	}, s.pipeline.Submit)
	if err != nil {
		s.t.Fatal(err)
	}
	s.door, s.addr = door, door.Addr().String()
	s.post.door.Store(door)
}

func (s *service) stop() {
	for _, err := range []error{s.door.Stop(), func() error { s.pipeline.Close(); return nil }(), s.door.Close(), s.store.Close()} {
		if err != nil {
			s.t.Error(err)
		}
	}
}

func (s *service) restart() {
	s.t.Helper()
	s.stop()
	s.open()
}

// post carries receipts to a door that is opened after the pipeline.
type post struct{ door atomic.Pointer[inside.Door] }

func (p *post) Wanted(device string) bool {
	door := p.door.Load()
	return door != nil && door.Wanted(device)
}

func (p *post) Send(device string, receipts []ingest.Receipt) { p.door.Load().Send(device, receipts) }

// gate is a store whose commits a test can hold up or fail.
type gate struct {
	*sqlite.Store
	shut  atomic.Pointer[chan struct{}]
	fault atomic.Pointer[error]
}

func (g *gate) Update(ctx context.Context, work func(ingest.Tx) error) error {
	if shut := g.shut.Load(); shut != nil {
		<-*shut
	}
	if fault := g.fault.Load(); fault != nil {
		return *fault
	}
	return g.Store.Update(ctx, work)
}

func (g *gate) Device(ctx context.Context, name string) (*registry.Assignment, error) {
	if fault := g.fault.Load(); fault != nil {
		return nil, *fault
	}
	return g.Store.Device(ctx, name)
}

// hold keeps commits from happening until release is called.
func (g *gate) hold() (release func()) {
	shut := make(chan struct{})
	g.shut.Store(&shut)
	return func() { g.shut.Store(nil); close(shut) }
}

func find(id, version string) *protocols.Protocol {
	if id != "heart-failure" || version != "1" {
		return nil
	}
	return &protocols.Protocol{ID: id, Version: version, Eligibility: protocols.Eligibility{Devices: []protocols.DeviceClass{{Kind: "scale"}}},
		Rules: []protocols.Rule{{ID: "weight-high", Levels: []protocols.RuleLevel{{Level: protocols.Orange, When: protocols.Condition{Compare: &protocols.Comparison{
			Measure: protocols.MeasureByID("weight"), Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Value: 100_000},
		}}}}}}}
}

// enter registers the devices that the tests speak as. The password of each is
// "password-of-" and its name.
func (s *service) enter() {
	s.t.Helper()
	var reg registry.Registry
	enrol := func(id, patient string, consent registry.Consent, devices ...string) {
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: id, Patient: patient, Protocol: "heart-failure", Version: "1", Zone: "Europe/Paris",
			Devices: devices, Consent: consent, From: start.AddDate(0, 0, -20), Prescription: start.AddDate(0, 11, 0)})
	}
	given := registry.Consent{Given: true, Date: start.AddDate(0, 0, -20), Scope: "télésurveillance"}
	enrol("e1", "p1", given, "scale-1", "toaster-1")
	enrol("e2", "p2", given, "scale-2")
	enrol("e3", "p3", registry.Consent{Date: start.AddDate(0, 0, -20)}, "scale-3")
	for _, name := range []string{"scale-1", "scale-2", "scale-3", "spare-1", "toaster-1"} {
		kind, _, _ := strings.Cut(name, "-")
		reg.Devices = append(reg.Devices, registry.Device{Name: name, Kind: kind, Secret: registry.HashSecret("password-of-" + name)})
	}
	if _, err := s.store.Import(context.Background(), &reg, "a nurse", start); err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) history(patient string) (ids []string) {
	s.t.Helper()
	err := s.store.History(context.Background(), patient, nil, time.Time{}, start.AddDate(5, 0, 0), func(r *protocols.Reading) bool {
		ids = append(ids, r.ID)
		return true
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func weight(id string, at time.Time, kg float64) string {
	return fmt.Sprintf(`{"id":%q,"time":%q,"measure":"weight","values":{"value":%v},"unit":"kg"}`, id, at.Format(time.RFC3339Nano), kg)
}

func expect[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// eventually waits for what other goroutines are about to bring.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		case <-tick.C:
		}
	}
}

// A device is a client as vendors use it.
type device struct {
	t        testing.TB
	name     string
	client   mqtt.Client
	receipts chan ingest.Receipt
	lost     chan error
}

// connect opens the connection of a device; it listens to its receipts.
func (s *service) connect(name string, options ...func(*mqtt.ClientOptions)) *device {
	s.t.Helper()
	d := &device{t: s.t, name: name, receipts: make(chan ingest.Receipt, 1000), lost: make(chan error, 10)}
	password := "password-of-" + name
	if name == "stranger" {
		password = "secret"
	}
	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID(name).SetUsername(name).SetPassword(password).
		SetAutoReconnect(false).SetConnectionLostHandler(func(_ mqtt.Client, err error) { d.lost <- err })
	for _, option := range options {
		option(o)
	}
	d.client = mqtt.NewClient(o)
	wait(s.t, "connect", d.client.Connect())
	wait(s.t, "subscribe", d.client.Subscribe("vigie/v1/"+name+"/receipts", 1, func(_ mqtt.Client, m mqtt.Message) {
		var receipt ingest.Receipt
		if err := json.Unmarshal(m.Payload(), &receipt); err != nil {
			s.t.Errorf("the receipt %s: %v", m.Payload(), err)
		}
		d.receipts <- receipt
	}))
	s.t.Cleanup(func() { d.client.Disconnect(0) })
	return d
}

func wait(t testing.TB, what string, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) {
		t.Fatalf("%s: no answer", what)
	}
	if err := token.Error(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (d *device) publish(qos byte, payload string) mqtt.Token {
	return d.client.Publish("vigie/v1/"+d.name+"/readings", qos, false, payload)
}

// send publishes and waits for the acknowledgement.
func (d *device) send(payload string) {
	d.t.Helper()
	wait(d.t, "publish "+payload, d.publish(1, payload))
}

// receipt waits for the next receipt, as "id verdict code".
func (d *device) receipt() string {
	d.t.Helper()
	select {
	case r := <-d.receipts:
		words := []string{r.ID, string(r.Verdict)}
		for _, reason := range r.Reasons {
			words = append(words, string(reason.Code))
		}
		return strings.TrimSpace(strings.Join(words, " "))
	case <-time.After(patience):
		d.t.Fatal("no receipt came")
		return ""
	}
}

// raw is a connection on which a test writes and reads packet by packet.
type raw struct {
	t    testing.TB
	conn net.Conn
}

func (s *service) dial() *raw {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &raw{s.t, conn}
}

// login connects as a device.
func (s *service) login(name string, change ...func(*packets.ConnectPacket)) *raw {
	s.t.Helper()
	r := s.dial()
	s.greet(r, name, change...)
	return r
}

// greet has a device say who it is.
func (s *service) greet(r *raw, name string, change ...func(*packets.ConnectPacket)) {
	s.t.Helper()
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.Keepalive = "MQTT", 4, true, 60
	connect.ClientIdentifier, connect.UsernameFlag, connect.PasswordFlag = name, true, true
	connect.Username, connect.Password = name, []byte("password-of-"+name)
	for _, c := range change {
		c(connect)
	}
	r.write(connect)
	if ack, ok := r.read().(*packets.ConnackPacket); !ok || ack.ReturnCode != 0 {
		s.t.Fatalf("the connection was refused: %+v", ack)
	}
}

func (r *raw) write(p packets.ControlPacket) {
	r.t.Helper()
	if err := p.Write(r.conn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) read() packets.ControlPacket {
	r.t.Helper()
	p, err := r.next()
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *raw) next() (packets.ControlPacket, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	return packets.ReadPacket(r.conn)
}

func (r *raw) publish(device string, qos byte, id uint16, payload string) {
	r.t.Helper()
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID, p.Payload = "vigie/v1/"+device+"/readings", qos, id, []byte(payload)
	r.write(p)
}

// ended waits until the other side has closed the connection.
func (r *raw) ended() error {
	for {
		if _, err := r.next(); err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				return fmt.Errorf("the connection is still open")
			}
			return nil
		}
	}
}
