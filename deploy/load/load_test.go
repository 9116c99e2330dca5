package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
)

// broker is a real MQTT broker that remembers what it acknowledged.
type broker struct {
	mqtt.HookBase
	server  *mqtt.Server
	address string

	mu       sync.Mutex
	kept     map[string]int // by device and id
	messages int
	cut      func(n int) bool // drop the connection in the place of the n-th acknowledgement
	stall    func(n int)      // called before each acknowledgement
	payloads [][]byte
}

func startBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{kept: map[string]int{}}
	b.server, b.address = servers.Hooked(t, b, nil)
	return b
}

func (b *broker) ID() string { return "test" }

func (b *broker) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck || event == mqtt.OnPublish
}

func (b *broker) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	return string(pk.Connect.Password) == "secret of "+string(pk.Connect.Username)
}

func (b *broker) OnACLCheck(cl *mqtt.Client, topic string, _ bool) bool {
	return strings.HasPrefix(topic, "vigie/v1/"+cl.ID+"/")
}

func (b *broker) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if !strings.HasSuffix(pk.TopicName, "/readings") {
		return pk, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages++
	if b.stall != nil {
		b.stall(b.messages)
	}
	if b.cut != nil && b.cut(b.messages) {
		cl.Stop(io.ErrUnexpectedEOF)
		return pk, packets.ErrRejectPacket
	}
	b.payloads = append(b.payloads, slices.Clone(pk.Payload))
	var verdicts []map[string]string
	for _, id := range ids(pk.Payload) {
		b.kept[cl.ID+" "+id]++
		verdicts = append(verdicts, map[string]string{"id": id, "verdict": "accepted"})
	}
	receipts, err := json.Marshal(verdicts)
	if err != nil {
		return pk, err
	}
	go b.server.Publish("vigie/v1/"+cl.ID+"/receipts", receipts, false, 0)
	return pk, nil
}

// ids lists the ids of the readings in a payload, one or several.
func ids(payload []byte) (list []string) {
	type reading struct{ ID string }
	var several []reading
	if json.Unmarshal(payload, &several) != nil {
		var one reading
		if json.Unmarshal(payload, &one) != nil {
			return []string{"unreadable"}
		}
		several = []reading{one}
	}
	for _, r := range several {
		list = append(list, r.ID)
	}
	return list
}

func fleet(n int) (devices []Credential) {
	for i := range n {
		name := fmt.Sprintf("load-%04d", i)
		devices = append(devices, Credential{name, "secret of " + name})
	}
	return devices
}

// witness remembers what the generator says was acknowledged.
type witness struct {
	mu   sync.Mutex
	seen map[string]int
}

func (w *witness) acknowledged(device, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[device+" "+id]++
}

func run(t *testing.T, b *broker, o Options) (Result, *witness) {
	t.Helper()
	w := &witness{seen: map[string]int{}}
	o.Broker, o.Acknowledged = b.address, w.acknowledged
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func TestEveryReadingIsPublishedOnceAndCounted(t *testing.T) {
	for name, o := range map[string]Options{
		"as fast as it goes": {Devices: fleet(7), Count: 1000, InFlight: 5},
		"at a steady rate":   {Devices: fleet(3), Count: 300, Rate: 2000},
		"several a message":  {Devices: fleet(4), Count: 1000, Batch: 50, Receipts: true},
		"for a while":        {Devices: fleet(2), Duration: 50 * time.Millisecond, InFlight: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t)
			r, w := run(t, b, o)
			if o.Count > 0 && r.Acknowledged != o.Count {
				t.Errorf("%d readings acknowledged, want %d", r.Acknowledged, o.Count)
			}
			if r.Acknowledged == 0 || r.Published != r.Acknowledged || r.Failed != 0 || r.Reconnects != 0 {
				t.Errorf("%+v", r)
			}
			if len(w.seen) != int(r.Acknowledged) || len(b.kept) != len(w.seen) {
				t.Errorf("%d counted, %d told, %d kept by the broker", r.Acknowledged, len(w.seen), len(b.kept))
			}
			for id, n := range b.kept {
				if n != 1 || w.seen[id] != 1 {
					t.Errorf("%s: sent %d times, acknowledged %d times", id, n, w.seen[id])
				}
			}
			if r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P99 || r.Rate <= 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestLostConnectionsLoseNothing(t *testing.T) {
	b := startBroker(t)
	b.cut = func(n int) bool { return n%37 == 0 }
	r, w := run(t, b, Options{Devices: fleet(3), Count: 600, InFlight: 8, Reconnect: true})
	if r.Acknowledged != 600 || len(w.seen) != 600 || r.Reconnects == 0 {
		t.Errorf("%+v, %d told", r, len(w.seen))
	}
	for id := range w.seen {
		if b.kept[id] == 0 {
			t.Errorf("%s is counted, but the broker never acknowledged it", id)
		}
	}
}

func TestLostConnectionsAreToldWithoutReconnecting(t *testing.T) {
	b := startBroker(t)
	b.cut = func(n int) bool { return n == 20 }
	r, w := run(t, b, Options{Devices: fleet(2), Count: 400, InFlight: 4})
	if r.Failed != 1 || len(r.Errors) != 1 || r.Acknowledged >= 400 || int(r.Acknowledged) != len(w.seen) {
		t.Errorf("%+v, %d told", r, len(w.seen))
	}
}

// TestStallIsNotHidden is about coordinated omission: while the broker stalls,
// the messages that were to be sent keep waiting, and their wait counts.
func TestStallIsNotHidden(t *testing.T) {
	b := startBroker(t)
	held := make(chan struct{})
	b.stall = func(n int) {
		if n == 100 {
			time.AfterFunc(300*time.Millisecond, func() { close(held) })
			<-held
		}
	}
	r, _ := run(t, b, Options{Devices: fleet(1), Count: 500, Rate: 1000, InFlight: 1})
	// 300 of the 500 messages were to be sent during the stall; half of them
	// waited 150 ms or more. A generator that waits for the service would have
	// seen a single slow message.
	if r.Latency.P50 < 20 || r.Latency.P90 < 150 {
		t.Errorf("a stall of 300 ms at 1,000 messages a second shows as %+v", r.Latency)
	}
}

func TestWrongPasswordIsSaid(t *testing.T) {
	b := startBroker(t)
	_, err := Run(t.Context(), Options{Broker: b.address, Devices: []Credential{{"load-0", "wrong"}}, Count: 1})
	if err == nil || !strings.Contains(err.Error(), "user name or password") {
		t.Errorf("got %v", err)
	}
}

func TestCancelledLoadEndsSoon(t *testing.T) {
	b := startBroker(t)
	ctx, cancel := context.WithCancel(t.Context())
	enough := make(chan struct{})
	var once sync.Once
	b.stall = func(n int) {
		if n == 50 {
			once.Do(func() { close(enough) })
		}
	}
	go func() { <-enough; cancel() }()
	r, err := Run(ctx, Options{Broker: b.address, Devices: fleet(3), Count: 1 << 40, Rate: 3000})
	if err != nil || r.Acknowledged < 40 || r.Failed != 0 || r.Published != r.Acknowledged {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestReadingsAreThoseOfTheFormat(t *testing.T) {
	at := time.Date(2026, 11, 21, 7, 2, 11, 45e6, time.UTC)
	for measure, s := range shapes {
		w, err := newWriter("load-1", "run", measure, 0.5, 1)
		if err != nil {
			t.Fatal(err)
		}
		alarming := 0
		for i := range 200 {
			var r struct {
				ID, Time, Measure, Unit, Source string
				Values                          map[string]float64
				Context                         map[string]string
				Battery                         int
			}
			text := w.append(nil, at)
			decoder := json.NewDecoder(strings.NewReader(string(text)))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&r); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			// Asked for one and the same time, each is a millisecond later.
			if want := at.Add(time.Duration(i) * time.Millisecond).Format("2006-01-02T15:04:05.000Z"); r.Time != want || r.Measure != measure || len(r.Values) != len(s.components) {
				t.Fatalf("%s", text)
			}
			first := s.components[0]
			v := r.Values[first.name] * 10
			if int(v+0.5)/10 == first.alarming/10 {
				alarming++
			} else if v < float64(first.from-10) || v > float64(first.to) {
				t.Errorf("%s: %s is neither quiet nor alarming", measure, text)
			}
		}
		if alarming < 60 || alarming > 140 {
			t.Errorf("%s: %d of 200 readings are alarming, want about half", measure, alarming)
		}
	}
}

func TestAlarmingReadingsComeInSpells(t *testing.T) {
	const readings, spell = 20_000, 2
	w, err := newWriter("load-1", "run", "blood-pressure", 0.02, spell)
	if err != nil {
		t.Fatal(err)
	}
	alarming, row := 0, 0
	for range readings {
		if strings.Contains(string(w.append(nil, time.Unix(0, 0))), `"systolic":231`) {
			alarming++
			row++
			continue
		}
		if row%spell != 0 {
			t.Fatalf("%d alarming readings stand in a row, want spells of %d", row, spell)
		}
		row = 0
	}
	if alarming < readings/100 || alarming > readings*3/100 {
		t.Errorf("%d of %d readings are alarming, want about 2 %%", alarming, readings)
	}
}

// BenchmarkGenerator shows what the generator itself costs for each reading.
func BenchmarkGenerator(b *testing.B) {
	w, err := newWriter("load-1", "0123456789ab", "blood-pressure", 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	at := time.Now()
	var payload, out []byte
	b.ReportAllocs()
	for b.Loop() {
		payload = w.append(payload[:0], at)
		out = appendPublish(out[:0], "vigie/v1/load-1/readings", payload, 7)
	}
	b.SetBytes(int64(len(out)))
}

func TestADeviceStaysAtItsNode(t *testing.T) {
	nodes := []*broker{startBroker(t), startBroker(t), startBroker(t)}
	r, _ := run(t, nodes[0], Options{Devices: fleet(6), Others: []string{nodes[1].address, nodes[2].address}, Count: 600})
	at := map[string]int{}
	for n, b := range nodes {
		for name := range b.kept {
			device, _, _ := strings.Cut(name, " ")
			if other, known := at[device]; known && other != n {
				t.Errorf("%s is at two nodes", device)
			}
			at[device] = n
		}
		if len(b.kept) == 0 {
			t.Errorf("node %d has no device", n)
		}
	}
	if r.Acknowledged != 600 || len(at) != 6 {
		t.Errorf("%d acknowledged, %d devices seen", r.Acknowledged, len(at))
	}
}
