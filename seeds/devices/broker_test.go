package devices

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/seeds"
)

// broker is a real MQTT broker that remembers what it acknowledged and answers
// with receipts.
type broker struct {
	mqtt.HookBase
	server  *mqtt.Server
	address string

	mu        sync.Mutex
	passwords map[string]string
	kept      map[string]int // readings acknowledged, by id
	messages  int
	// cut says, of the n-th message, whether the connection is to be dropped
	// in the place of an acknowledgement.
	cut func(n int) bool
}

func startBroker(t *testing.T, passwords map[string]string) *broker {
	t.Helper()
	b := &broker{passwords: passwords, kept: map[string]int{}}
	server, address := servers.Hooked(t, b, nil)
	b.server, b.address = server, "tcp://"+address
	return b
}

func (b *broker) ID() string { return "test" }

func (b *broker) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck || event == mqtt.OnPublish
}

func (b *broker) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	want, known := b.passwords[string(pk.Connect.Username)]
	return known && want == string(pk.Connect.Password)
}

func (b *broker) OnACLCheck(cl *mqtt.Client, topic string, _ bool) bool {
	return strings.HasPrefix(topic, DefaultPrefix+"/"+cl.ID+"/")
}

func (b *broker) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if !strings.HasSuffix(pk.TopicName, "/readings") {
		return pk, nil
	}
	var several []Reading
	if json.Unmarshal(pk.Payload, &several) != nil {
		several = make([]Reading, 1)
		if err := json.Unmarshal(pk.Payload, &several[0]); err != nil {
			return pk, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages++
	if b.cut != nil && b.cut(b.messages) {
		cl.Stop(io.ErrUnexpectedEOF)
		return pk, packets.ErrRejectPacket
	}
	var receipts []Receipt
	for _, r := range several {
		receipt := Receipt{ID: r.ID, Verdict: "accepted"}
		if b.kept[r.ID] > 0 {
			receipt.Verdict = "duplicate"
		}
		if r.Values["value"].Number > 400 {
			receipt.Verdict, receipt.Reasons = "set-aside", []protocols.Reason{{Code: protocols.Implausible}}
		}
		b.kept[r.ID]++
		receipts = append(receipts, receipt)
	}
	topic := strings.TrimSuffix(pk.TopicName, "readings") + "receipts"
	go b.server.Publish(topic, encode(receipts), false, 1)
	return pk, nil
}

func (b *broker) keptReadings() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.kept)
}

// wards is a registry of so many patients with a scale each.
func wards(n int) (registry.Registry, map[string]string) {
	var reg registry.Registry
	passwords := map[string]string{}
	for i := range n {
		name := fmt.Sprintf("scale-%04d", i+1)
		passwords[name] = registry.NewPassword()
		reg.Devices = append(reg.Devices, registry.Device{Name: name, Kind: "scale"})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: fmt.Sprint("e-", i), Zone: "Europe/Paris", Devices: []string{name}, From: start.AddDate(0, 0, -20)})
	}
	return reg, passwords
}

// eventually waits for a condition, which is looked at again after every change
// of the counts.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func plan(b *broker, reg registry.Registry, passwords map[string]string, clock Clock) Plan {
	return Plan{Registry: reg, Passwords: passwords, Broker: b.address, Clock: clock, History: 28 * 24 * time.Hour, Seed: 7,
		Scenarios: seeds.Scenarios{Habits: map[string][]seeds.Habit{"scale": scale()}}}
}

// run lets a fleet live until the returned function is called.
func run(t *testing.T, f *Fleet) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestFleetUploadsThePastThenLives(t *testing.T) {
	reg, passwords := wards(5)
	b := startBroker(t, passwords)
	clock := NewAccelerated(start, 86400) // a day a second
	p := plan(b, reg, passwords, clock)
	var at seeds.Moment
	if err := at.UnmarshalYAML([]byte("-2d 12:00")); err != nil {
		t.Fatal(err)
	}
	p.Scenarios.Devices = map[string]seeds.Story{"scale-0002": {Once: []seeds.Reading{
		{At: at, Measure: "weight", Unit: "kg", Values: map[string]float64{"value": 760}, Twice: true}}}}
	f, err := NewFleet(p)
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, f)
	<-f.Uploaded()
	const past = 5*20 + 1 // since the enrolment, not for 28 days
	if got := b.keptReadings(); got != past {
		t.Errorf("%d readings uploaded, want %d", got, past)
	}
	clock.Start()
	eventually(t, "two more days of five scales", func() bool { return f.Counts().Accepted >= past-1+10 })
	stop()
	c := f.Counts()
	t.Logf("%+v", c)
	if c.SetAside[protocols.Implausible] != 2 {
		t.Errorf("set aside %v, want the implausible weight twice", c.SetAside)
	}
	if c.Acknowledged > c.Published || c.P50 == 0 || c.Max < c.P50 {
		t.Errorf("counts do not hold together: %+v", c)
	}
}

func TestNothingIsCountedThatTheBrokerDidNotAcknowledge(t *testing.T) {
	reg, passwords := wards(3)
	b := startBroker(t, passwords)
	b.cut = func(n int) bool { return n == 2 || n == 9 || n == 13 }
	s := make([]*Session, 3)
	var mu sync.Mutex
	acknowledged := 0
	for i := range s {
		name := reg.Devices[i].Name
		var err error
		s[i], err = Dial(t.Context(), Connection{Broker: b.address, Device: name, Password: passwords[name], Window: 4,
			Acknowledged: func(n int, _ time.Duration) { mu.Lock(); acknowledged += n; mu.Unlock() }})
		if err != nil {
			t.Fatal(err)
		}
		defer s[i].Close()
	}
	const each = 10
	var wait sync.WaitGroup
	for i := range s {
		wait.Go(func() {
			for n := range each {
				r := Reading{ID: fmt.Sprint(i, "-", n), Measure: "weight", Unit: "kg", Values: map[string]Given{"value": {Number: 70}}}
				if err := s[i].Publish(t.Context(), encode(r), 1); err != nil {
					t.Error(err)
				}
			}
			if err := s[i].Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if b.keptReadings() != 3*each || acknowledged != 3*each {
		t.Errorf("the broker acknowledged %d readings and the devices counted %d; both should be %d", b.keptReadings(), acknowledged, 3*each)
	}
	if s[0].Reconnects()+s[1].Reconnects()+s[2].Reconnects() == 0 {
		t.Error("no connection was lost: the test proves nothing")
	}
}

func TestWrongPasswordIsSaidAtOnce(t *testing.T) {
	reg, passwords := wards(2)
	b := startBroker(t, passwords)
	passwords = map[string]string{"scale-0001": passwords["scale-0001"], "scale-0002": "wrong"}
	f, err := NewFleet(plan(b, reg, passwords, NewAccelerated(start, 1)))
	if err != nil {
		t.Fatal(err)
	}
	err = f.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "scale-0002") || !strings.Contains(err.Error(), ErrRefused.Error()) {
		t.Errorf("got %v, want the device that was refused", err)
	}
}
