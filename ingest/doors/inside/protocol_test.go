package inside_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
	"vigie/protocols"
)

func TestPayloadOfAnySizeIsAnswered(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	for _, size := range []int{1, 100, 4093, 4096, 5000, 70_000, ingest.MaxPayload, ingest.MaxPayload + 1, 3 << 20, 20 << 20} {
		d.send(strings.Repeat("x", size))
		want := "set-aside malformed"
		if size > ingest.MaxPayload {
			want = "set-aside too-large"
		}
		expect(t, fmt.Sprint(size, " bytes"), d.receipt(), want)
	}
	d.send(weight("a", start, 82))
	expect(t, "what comes after it", d.receipt(), "a accepted")
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{Code: "too-large"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if len(r.Payload) > ingest.KeptOfTooLarge {
			t.Errorf("%d bytes were kept of what is too large", len(r.Payload))
		}
	}
}

func TestOneDeviceCannotTakeAllConnections(t *testing.T) {
	s := begin(t)
	var all []*raw
	for i := range 8 {
		all = append(all, s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = fmt.Sprint(i) }))
	}
	const unavailable = 3 // it may come again; "not authorized" it may take for good
	ninth := s.dial()
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.ClientIdentifier = "MQTT", 4, true, "ninth"
	connect.UsernameFlag, connect.PasswordFlag, connect.Username, connect.Password = true, true, "scale-1", []byte("password-of-scale-1")
	ninth.write(connect)
	if ack, ok := ninth.read().(*packets.ConnackPacket); !ok || ack.ReturnCode != unavailable {
		t.Errorf("a ninth connection of one device: %+v", ack)
	}
	const quotaExceeded = 0x97
	h := hand{s.dial()}
	h.send(connect5("scale-1", "ninth", "\x00", ""))
	if first, body := h.packet(); first != 0x20 || body[1] != quotaExceeded {
		t.Errorf("a ninth connection of MQTT 5: %x %x", first, body)
	}
	back := s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = "0" })
	if err := all[0].ended(); err != nil {
		t.Errorf("the connection that was taken over: %v", err)
	}
	back.publish("scale-1", 1, 1, weight("a", start, 82))
	if _, ok := back.read().(*packets.PubackPacket); !ok {
		t.Error("a device that comes back under its client id is not let in")
	}
	s.login("scale-2")
}

// Two devices with one name and one client id throw each other out.
func TestTwoDevicesUnderOneClientIDAreTold(t *testing.T) {
	s := begin(t)
	found := make(chan protocols.Finding, 100)
	s.told = func(c ingest.Commit) {
		for _, f := range c.Findings {
			found <- f
		}
	}
	s.restart()
	for range 4 {
		s.login("scale-1")
	}
	s.login("scale-1").publish("scale-1", 1, 1, weight("a", start, 82))
	eventually(t, "it is kept", func() bool { return len(s.history("p1")) == 1 })
	if len(found) != 0 {
		t.Fatalf("after four connections: %+v", <-found)
	}
	s.login("scale-1")
	select {
	case f := <-found:
		if f.Rule != ingest.RuleRivals || f.Device != "scale-1" || f.Enrolment != "e1" || f.Level != protocols.Technical {
			t.Errorf("found %+v", f)
		}
	case <-time.After(patience):
		t.Error("nobody is told")
	}
}

func TestWhatIsNotMQTTEndsTheConnection(t *testing.T) {
	s := begin(t)
	for name, bytes := range map[string]string{
		"HTTP":                    "GET / HTTP/1.1\r\n\r\n",
		"an endless length":       "\x30\xff\xff\xff\xff\xff",
		"QoS 3":                   "\x36\x05\x00\x01a\x00\x01",
		"a topic beyond the end":  "\x30\x03\x00\x09a",
		"no packet id":            "\x32\x03\x00\x01a",
		"packet id 0":             "\x32\x05\x00\x01a\x00\x00",
		"a topic that is no text": "\x30\x03\x00\x01\xff",
	} {
		t.Run(name, func(t *testing.T) {
			r := s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = name })
			r.t = t
			if _, err := io.WriteString(r.conn, bytes); err != nil {
				t.Fatal(err)
			}
			if err := r.ended(); err != nil {
				t.Error(err)
			}
		})
	}
	s.connect("scale-1").send(weight("a", start, 82))
}

func TestPublicationsKeepAConnectionAlive(t *testing.T) {
	s := begin(t)
	r := s.login("scale-1", func(c *packets.ConnectPacket) { c.Keepalive = 1 })
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for i := range 12 { // longer than 1.5 times the keep-alive
		<-tick.C
		r.publish("scale-1", 1, uint16(i+1), weight(fmt.Sprint(i), start, 82))
		if _, ok := r.read().(*packets.PubackPacket); !ok {
			t.Fatal("the connection was given up")
		}
	}
	if err := r.ended(); err != nil {
		t.Errorf("a device that fell silent is still connected: %v", err)
	}
}

func TestMQTT5(t *testing.T) {
	s := begin(t)
	r := s.dial()
	exchange := func(what, sent, want string) {
		t.Helper()
		if _, err := io.WriteString(r.conn, sent); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if err := r.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r.conn, got); err != nil || string(got) != want {
			t.Fatalf("%s: got %x, want %x (%v)", what, got, want, err)
		}
	}
	connect := "\x00\x04MQTT\x05\xc2\x00\x3c\x00" + "\x00\x01x" + "\x00\x07scale-1" + "\x00\x13password-of-scale-1"
	exchange("connect", "\x10"+string(rune(len(connect)))+connect, "\x20\x0c\x00\x00\x09\x21\x04\x00\x28\x00\x29\x00\x2a\x00")
	filter := "vigie/v1/scale-1/receipts"
	exchange("subscribe", "\x82"+string(rune(2+1+2+len(filter)+1))+"\x00\x01\x00\x00"+string(rune(len(filter)))+filter+"\x01", "\x90\x04\x00\x01\x00\x01")
	topic := "vigie/v1/scale-1/readings"
	body := "\x00" + string(rune(len(topic))) + topic + "\x00\x07" + "\x02\x01\x01" + weight("a", start, 82) // with a payload format
	receipt := "\x00" + string(rune(len(filter))) + filter + "\x00" + `{"id":"a","verdict":"accepted"}`
	length := string([]byte{byte(len(body)&0x7f | 0x80), byte(len(body) >> 7)})
	exchange("publish", "\x32"+length+body, "\x40\x02\x00\x07"+"\x30"+string(rune(len(receipt)))+receipt)
	exchange("publish at QoS 2", "\x34"+length+body, "\x50\x02\x00\x07")
	duplicate := strings.Replace(receipt, "accepted", "duplicate", 1)
	exchange("its receipt", "", "\x30"+string(rune(len(duplicate)))+duplicate)
	exchange("release", "\x62\x02\x00\x07", "\x70\x02\x00\x07")
	expect(t, "kept", s.history("p1"), []string{"a"})
}

func TestPublicationRightBehindConnect(t *testing.T) {
	s := begin(t)
	var together bytes.Buffer
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.ClientIdentifier = "MQTT", 4, true, "x"
	connect.UsernameFlag, connect.PasswordFlag, connect.Username, connect.Password = true, true, "scale-1", []byte("password-of-scale-1")
	publish := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	publish.TopicName, publish.Qos, publish.MessageID, publish.Payload = "vigie/v1/scale-1/readings", 1, 1, []byte(weight("a", start, 82))
	for _, p := range []packets.ControlPacket{connect, publish, packets.NewControlPacket(packets.Pingreq)} {
		if err := p.Write(&together); err != nil {
			t.Fatal(err)
		}
	}
	for name, chunk := range map[string]int{"at once": together.Len(), "byte by byte": 1} {
		r := s.dial()
		for rest := together.Bytes(); len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
			if _, err := r.conn.Write(rest[:min(chunk, len(rest))]); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]bool{}
		for range 3 {
			got[fmt.Sprintf("%T", r.read())] = true
		}
		expect(t, name, got, map[string]bool{"*packets.ConnackPacket": true, "*packets.PubackPacket": true, "*packets.PingrespPacket": true})
	}
	expect(t, "kept", s.history("p1"), []string{"a"})
}

func TestNothingIsTakenBeforeTheDeviceIsKnown(t *testing.T) {
	s := begin(t)
	r := s.dial()
	r.publish("scale-1", 1, 1, weight("a", start, 82))
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	expect(t, "received", s.door.Figures().Received, int64(0))
}
