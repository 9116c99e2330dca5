package service

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	mqtt "github.com/mochi-mqtt/server/v2"
	broker "github.com/mochi-mqtt/server/v2/packets"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest/formats/gateway"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/seeds/devices"
)

// speaker is a device that says readings in one format, the n-th of them a minute behind the
// one before. Each is reason enough for the alert of everyOne.
type speaker struct {
	format   string
	device   string
	topic    string
	kind     string
	say      func(n int) []byte
	nameless bool // its topic does not name it: a broker outside does not tell who has published
}

// everyOne rings whatever is measured, once it is high.
const everyOne = `id: every-one
version: "1"
status: example
title: {fr: Tous, en: Every one}
pathology: {icd10: I50, title: {fr: Essai, en: Trial}}
origin: this test
eligibility:
  patient: {fr: Tous, en: All}
  devices: [{kind: scale}, {kind: cgm}, {kind: blood-pressure-monitor}]
observations:
  - {measure: weight, cadence: {times: 1, per: day}}
  - {measure: glucose, cadence: {times: 1, per: day}}
  - {measure: blood-pressure, cadence: {times: 1, per: day}}
rules:
  - id: high
    title: {fr: Haut, en: High}
    origin: this test
    levels:
      - level: red
        when:
          any:
            - {measure: weight, at_least: 110 kg}
            - {measure: glucose, at_least: 300 mg/dL}
            - {measure: blood-pressure, component: systolic, at_least: "180 mm[Hg]"}
answer: {red: 1h, orange: 8h, yellow: 24h, technical: 24h}
too_late: 24h
patient: {fr: Bonjour, en: Hello}
`

// speakers are one of each format that has a topic, and of each gateway that ships.
func speakers(t testing.TB, now time.Time) (list []speaker) {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	through := map[string]struct {
		topic string // of a device
		say   func(device string, at time.Time, n int) string
	}{
		"esphome":        {"esphome/%s/sensor/scale_weight_kg/state", func(_ string, _ time.Time, n int) string { return fmt.Sprint(120 + n%50) }},
		"home-assistant": {"homeassistant/sensor/%s/state", func(_ string, _ time.Time, n int) string { return fmt.Sprint(120 + n%50) }},
		"omron-bridge": {"omron/blood_pressure/%s", func(_ string, at time.Time, n int) string {
			return fmt.Sprintf(`{"timestamp":%q,"systolic":%d,"diastolic":91,"pulse":72}`, at.In(paris).Format("2006-01-02T15:04:05"), 190+n%50)
		}},
		"theengs": {"home/hub/BTtoMQTT/%s", func(_ string, _ time.Time, n int) string {
			return fmt.Sprintf(`{"weighing_mode":"person","unit":"kg","weight":%d}`, 120+n%50)
		}},
		"thingsboard": {"v1/devices/me/telemetry", func(_ string, at time.Time, n int) string {
			return fmt.Sprintf(`{"ts":%d,"values":{"weight_kg":%d}}`, at.UnixMilli(), 120+n%50)
		}},
		"thingsboard-gateway": {"v1/gateway/telemetry", func(device string, at time.Time, n int) string {
			return fmt.Sprintf(`{%q:[{"ts":%d,"values":{"weight_kg":%d}}]}`, device, at.UnixMilli(), 120+n%50)
		}},
	}
	when := func(n int) time.Time { return now.Add(time.Duration(n-10) * time.Minute) }
	for _, id := range gateway.IDs() {
		g, known := through[id]
		if !known {
			t.Fatalf("nobody here speaks as %s does", id)
		}
		s := speaker{format: id, device: id + "-weight_kg", kind: "scale", nameless: id == "thingsboard"}
		if id == "omron-bridge" {
			s.kind = "blood-pressure-monitor"
		}
		s.topic = strings.Replace(g.topic, "%s", s.device, 1)
		s.say = func(n int) []byte { return []byte(g.say(s.device, when(n), n)) }
		list = append(list, s)
	}
	for topic := range formats {
		at := slices.IndexFunc(devices.Speeches, func(s devices.Speech) bool { return s.Kind == topic })
		if at < 0 {
			t.Fatalf("no simulated device speaks %s", topic)
		}
		s := speaker{format: topic, device: topic + "-1", kind: "scale", topic: "vigie/v1/" + topic + "-1/" + topic}
		measure, unit, first, context := "weight", "kg", 120, map[string]string(nil)
		if topic == "nightscout" { // sensors of glucose are all that it knows
			s.kind, measure, unit, first, context = "cgm", "glucose", "mg/dL", 320, map[string]string{"specimen": "interstitial"}
		}
		s.say = func(n int) []byte {
			r := devices.Reading{ID: fmt.Sprint("r", n), Time: when(n).Format(time.RFC3339), Measure: measure, Unit: unit, Context: context,
				Values: map[string]devices.Given{"value": {Number: float64(first + n%50), Limit: protocols.Measured}}}
			payload, able := devices.Speeches[at].Say(r)
			if !able {
				t.Fatalf("%s cannot say %+v", topic, r)
			}
			return payload
		}
		list = append(list, s)
	}
	return list
}

// rung counts what was sent to people.
type rung struct{ sent atomic.Int64 }

func (c *rung) Send(context.Context, alerts.Outgoing) error { c.sent.Add(1); return nil }

// ward is a service whose patients have a speaker each.
type ward struct {
	*Service
	t        *testing.T
	config   config.Config
	now      time.Time
	rung     rung
	speakers []speaker
}

func wardOf(t *testing.T, change func(*config.Config)) *ward {
	t.Helper()
	w := &ward{t: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), config: config.Default()} // a Monday
	w.speakers = speakers(t, w.now)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "every-one.yaml"), []byte(everyOne), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &w.config
	c.Data, c.Broker.Inside.Listen, c.HTTP.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.Protocols.Folders, c.Topics.Gateways, c.Topics.GatewayZone = []string{folder}, gateway.IDs(), "Europe/Paris"
	c.Limits.DeviceRate = 100_000 // a storm is what is looked at here, and not how it is held back
	change(c)
	w.open()
	t.Cleanup(func() { w.close() })
	reg := registry.Registry{Teams: []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00",
		Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday"}, Mail: []string{"equipe@chu.example"}}}}
	for _, s := range w.speakers {
		reg.Patients = append(reg.Patients, registry.Patient{ID: "p-" + s.format})
		reg.Devices = append(reg.Devices, registry.Device{Name: s.device, Kind: s.kind, Secret: registry.HashSecret("secret")})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: "e-" + s.format, Patient: "p-" + s.format, Protocol: "every-one", Version: "1", Zone: "Europe/Paris", Team: "cardio",
			Devices: []string{s.device}, From: w.now.AddDate(0, 0, -1), Prescription: w.now.AddDate(0, 5, 0), Consent: registry.Consent{Given: true, Date: w.now.AddDate(0, 0, -1), Scope: "tout"}})
	}
	if _, err := w.Registry().Import(t.Context(), &reg, "a nurse", w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *ward) open() {
	w.t.Helper()
	var err error
	now := w.now
	w.Service, err = Start(w.t.Context(), Options{Config: w.config, Now: func() time.Time { return now }, Log: quiet, Stepped: true, Channels: map[string]alerts.Channel{alerts.Mail: &w.rung}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *ward) close() {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Error(err)
	}
}

// expect holds the readings that were kept of a speaker's patient, and that one alert was
// raised of them.
func (w *ward) expect(s *speaker, kept int) {
	w.t.Helper()
	got := 0
	err := w.Store().History(w.t.Context(), "p-"+s.format, nil, time.Time{}, w.now.Add(time.Hour), func(*protocols.Reading) bool { got++; return true })
	if err != nil || got != kept {
		w.t.Errorf("%s: %d readings are kept, want %d: %v", s.format, got, kept, err)
	}
	list, err := w.Alerts().Alerts(w.t.Context(), alerts.Filter{Patient: "p-" + s.format, Rule: "high"})
	if err != nil || len(list) != min(1, kept) {
		w.t.Errorf("%s: %d alerts, %v", s.format, len(list), err)
	}
}

// line is one connection, packet by packet.
type line struct {
	t    *testing.T
	conn net.Conn
	in   io.Reader
}

func dial(t *testing.T, address, device string) *line {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t, conn, bufio.NewReader(conn)}
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession, hello.Keepalive, hello.ClientIdentifier = "MQTT", 4, true, 60, device
	hello.UsernameFlag, hello.PasswordFlag, hello.Username, hello.Password = true, true, device, []byte("secret")
	if ack, ok := l.ask(hello).(*packets.ConnackPacket); !ok || ack.ReturnCode != 0 {
		t.Fatalf("%s is not let in: %v", device, ack)
	}
	return l
}

func (l *line) say(p packets.ControlPacket) {
	l.t.Helper()
	if err := p.Write(l.conn); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) ask(p packets.ControlPacket) packets.ControlPacket {
	l.t.Helper()
	l.say(p)
	return l.hear()
}

func (l *line) hear() packets.ControlPacket {
	l.t.Helper()
	if err := l.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		l.t.Fatal(err)
	}
	answer, err := packets.ReadPacket(l.in)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer
}

func publication(s *speaker, n int, qos byte, change ...func(*packets.PublishPacket)) *packets.PublishPacket {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID = s.topic, s.say(n), qos, uint16(n+1)
	for _, c := range change {
		c(p)
	}
	return p
}

func dup(p *packets.PublishPacket)    { p.Dup = true }
func retain(p *packets.PublishPacket) { p.Retain = true }

// delivers holds that a publication is acknowledged as its quality of service says.
func (l *line) delivers(p *packets.PublishPacket) {
	l.t.Helper()
	switch p.Qos {
	case 0:
		l.say(p)
		l.ask(packets.NewControlPacket(packets.Pingreq)) // what comes before it has been read
	case 1:
		if ack, ok := l.ask(p).(*packets.PubackPacket); !ok || ack.MessageID != p.MessageID {
			l.t.Fatalf("%s at QoS 1 was answered with %v", p.TopicName, ack)
		}
	case 2:
		for range 2 { // PUBREC was lost, or so it seems to the device
			if ack, ok := l.ask(p).(*packets.PubrecPacket); !ok || ack.MessageID != p.MessageID {
				l.t.Fatalf("%s at QoS 2 was answered with %v", p.TopicName, ack)
			}
			p.Dup = true
		}
		release := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
		release.MessageID = p.MessageID
		if ack, ok := l.ask(release).(*packets.PubcompPacket); !ok || ack.MessageID != p.MessageID {
			l.t.Fatalf("PUBREL of %s was answered with %v", p.TopicName, ack)
		}
	}
}

// A device of each format, and one behind each gateway that ships, publishes at every quality
// of service, retained, and again with DUP. Then fifty of its connections break. Each reading
// is one, and one alert rings.
func TestEveryFormatIsDeliveredAsOurOwn(t *testing.T) {
	t.Parallel()
	w := wardOf(t, func(*config.Config) {})
	const readings, reconnections = 3, 50
	var all sync.WaitGroup
	for i := range w.speakers {
		all.Go(func() {
			s := &w.speakers[i]
			l := dial(t, w.Broker(), s.device)
			for n := range readings {
				l.delivers(publication(s, n, byte(n)))
			}
			l.delivers(publication(s, 1, 1, dup))
			l.delivers(publication(s, 1, 1, retain))
			l.conn.Close()
			for range reconnections {
				l := dial(t, w.Broker(), s.device)
				for n := range readings {
					l.say(publication(s, n, 1, dup)) // all in flight, as after a loss
				}
				for n := range readings {
					if ack, ok := l.hear().(*packets.PubackPacket); !ok || int(ack.MessageID) != n+1 {
						t.Errorf("%s was answered with %v", s.topic, ack)
					}
				}
				l.delivers(publication(s, 0, 2, dup, func(p *packets.PublishPacket) { p.MessageID = 9 }))
				l.conn.Close()
			}
		})
	}
	all.Wait()
	if err := w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range w.speakers {
		w.expect(&w.speakers[i], readings)
	}
	if got := w.rung.sent.Load(); got != int64(len(w.speakers)) {
		t.Errorf("%d alerts rang, of %d patients", got, len(w.speakers))
	}
}

// postOffice is a broker outside that counts what Vigie has acknowledged.
type postOffice struct {
	mqtt.HookBase
	acknowledged atomic.Int64
}

func (*postOffice) ID() string { return "post-office" }
func (*postOffice) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck || event == mqtt.OnPacketRead
}
func (*postOffice) OnConnectAuthenticate(*mqtt.Client, broker.Packet) bool { return true }
func (*postOffice) OnACLCheck(*mqtt.Client, string, bool) bool             { return true }
func (p *postOffice) OnPacketRead(_ *mqtt.Client, packet broker.Packet) (broker.Packet, error) {
	if packet.FixedHeader.Type == broker.Puback {
		p.acknowledged.Add(1)
	}
	return packet, nil
}

// TestWhatABrokerHasRetainedIsNoNewReading: a broker outside gives it again to whoever
// subscribes, however much later.
func TestWhatABrokerHasRetainedIsNoNewReading(t *testing.T) {
	t.Parallel()
	office := &postOffice{}
	_, address := servers.Hooked(t, office, nil)
	w := wardOf(t, func(c *config.Config) { c.Broker.Outside.URL = "mqtt://" + address })
	acknowledges := func(what string, count int) {
		t.Helper()
		within(t, what, func() bool { return office.acknowledged.Load() >= int64(count) }, func() any { return office.acknowledged.Load() })
	}
	l := dial(t, address, "a bridge")
	for i := range w.speakers {
		l.delivers(publication(&w.speakers[i], 1, 1, retain))
	}
	acknowledges("all of them are acknowledged", len(w.speakers))
	for range 2 {
		w.close()
		w.now = w.now.Add(20 * time.Minute) // behind the ten in which a gateway's messages are one, before anybody has to answer
		before := int(office.acknowledged.Load())
		w.open()
		acknowledges("what was retained is acknowledged", before+len(w.speakers))
	}
	if err := w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := 0
	for i := range w.speakers {
		if s := &w.speakers[i]; s.nameless {
			w.expect(s, 0)
		} else {
			w.expect(s, 1)
			want++
		}
	}
	if got := w.rung.sent.Load(); got != int64(want) {
		t.Errorf("%d alerts rang, want %d", got, want)
	}
}
