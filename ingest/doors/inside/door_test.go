package inside_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
	"vigie/ingest/doors/inside"
)

func TestReadingIsKeptAndAnswered(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	d.send(weight("a", start, 82))
	expect(t, "kept", s.history("p1"), []string{"a"})
	expect(t, "receipt", d.receipt(), "a accepted")
	d.send(weight("a", start, 82))
	expect(t, "receipt", d.receipt(), "a duplicate")
	d.send("[" + weight("b", start, 82) + "," + weight("c", start, 820) + "]")
	expect(t, "receipt", d.receipt(), "b accepted")
	expect(t, "receipt", d.receipt(), "c set-aside implausible")
	expect(t, "kept", s.history("p1"), []string{"a", "b"})
}

// TestEveryCodeIsTold holds that a device hears over MQTT why something of it is
// set aside, whatever the reason.
func TestEveryCodeIsTold(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(weight("a", start, 82), old, new, 1) }
	pressure := `{"id":"a","time":"2026-11-21T06:00:00Z","measure":"blood-pressure","values":{"systolic":80,"diastolic":120},"unit":"mmHg"}`
	for _, c := range []struct{ code, device, payload string }{
		{"malformed", "scale-1", "hello"},
		{"unknown-field", "scale-1", replace(`"unit"`, `"colour":"red","unit"`)},
		{"unknown-device", "stranger", weight("a", start, 82)},
		{"unknown-measure", "scale-1", replace("weight", "mood")},
		{"unknown-unit", "scale-1", replace("kg", "stone")},
		{"unit-mismatch", "scale-1", replace("kg", "mmHg")},
		{"missing-value", "scale-1", replace(`{"value":82}`, `{}`)},
		{"not-a-number", "scale-1", replace("82", `"82"`)},
		{"implausible", "scale-1", weight("a", start, 820)},
		{"inconsistent", "scale-1", pressure},
		{"future-time", "scale-1", weight("a", start.Add(time.Hour), 82)},
		{"too-old", "scale-1", weight("a", start.AddDate(0, 0, -32), 82)},
		{"no-time-zone", "scale-1", replace("00Z", "00")},
		{"not-enrolled", "spare-1", weight("a", start, 82)},
		{"no-consent", "scale-3", weight("a", start, 82)},
		{"device-not-eligible", "toaster-1", weight("a", start, 82)},
		{"too-large", "scale-1", "[" + strings.Repeat(" ", ingest.MaxPayload) + "]"},
	} {
		t.Run(c.code, func(t *testing.T) {
			s := begin(t)
			s.t = t
			d := s.connect(c.device)
			d.send(c.payload)
			if got := d.receipt(); !strings.Contains(got, "set-aside "+c.code) {
				t.Errorf("receipt: %s", got)
			}
			records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{})
			if err != nil || len(records) != 1 || records[0].Device != c.device {
				t.Errorf("set aside: %+v, %v", records, err)
			}
		})
	}
	t.Run("wrong-topic", func(t *testing.T) {
		s := begin(t)
		s.t = t
		d := s.connect("scale-1")
		for _, topic := range []string{"vigie/v1/scale-2/readings", "vigie/v1/scale-1/poems", "elsewhere", "$SYS/broker"} {
			d.raw(t, s, topic)
		}
		for range 4 {
			expect(t, "receipt", d.receipt(), "set-aside wrong-topic")
		}
		expect(t, "kept for the other", len(s.history("p2")), 0)
	})
}

// raw publishes under any topic, also one that paho would not let pass, on a
// connection of its own.
func (d *device) raw(t *testing.T, s *service, topic string) {
	t.Helper()
	r := s.login(d.name, func(c *packets.ConnectPacket) { c.ClientIdentifier = "other" })
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID, p.Payload = topic, 1, 7, []byte(weight("a", start, 82)+strings.Repeat(" ", len(topic)))
	r.write(p)
	if ack, ok := r.read().(*packets.PubackPacket); !ok || ack.MessageID != 7 {
		t.Errorf("a publication under %s was answered with %v", topic, ack)
	}
	r.write(packets.NewControlPacket(packets.Disconnect))
}

func TestAcknowledgementFollowsTheCommit(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	release := s.store.hold()
	var tokens []mqtt.Token
	for i := range 20 {
		tokens = append(tokens, d.publish(1, weight(fmt.Sprint(i), start, 82)))
	}
	eventually(t, "all have been received", func() bool { return s.door.Figures().Received == 20 })
	for i, token := range tokens {
		if token.WaitTimeout(0) {
			t.Fatalf("publication %d was acknowledged before it was committed", i)
		}
	}
	expect(t, "kept", len(s.history("p1")), 0)
	release()
	for _, token := range tokens {
		wait(t, "publish", token)
	}
	expect(t, "kept", len(s.history("p1")), 20)
}

func TestAcknowledgementsComeInTheOrderOfPublications(t *testing.T) {
	s := begin(t)
	r := s.login("scale-1")
	const count = 2000
	go func() {
		for i := range count {
			kg := 82.0
			if i%7 == 0 {
				kg = 820 // what is set aside is no faster
			}
			r.publish("scale-1", 1, uint16(i+1), weight(fmt.Sprint(i), start, kg))
		}
	}()
	for i := range count {
		ack, ok := r.read().(*packets.PubackPacket)
		if !ok || ack.MessageID != uint16(i+1) {
			t.Fatalf("acknowledgement %d is %v", i+1, ack)
		}
	}
}

func TestExactlyOnceAtQoS2(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	wait(t, "publish", d.publish(2, weight("a", start, 82)))
	expect(t, "receipt", d.receipt(), "a accepted")

	r := s.login("scale-2")
	release := s.store.hold()
	r.publish("scale-2", 2, 9, weight("b", start, 82))
	eventually(t, "it has been received", func() bool { return s.door.Figures().Received == 2 })
	expect(t, "kept before the commit", len(s.history("p2")), 0)
	release()
	if ack, ok := r.read().(*packets.PubrecPacket); !ok || ack.MessageID != 9 {
		t.Fatalf("answered with %v, want PUBREC", ack)
	}
	r.publish("scale-2", 2, 9, weight("b", start, 82)) // PUBREC did not arrive
	if ack, ok := r.read().(*packets.PubrecPacket); !ok || ack.MessageID != 9 {
		t.Fatalf("the repetition was answered with %v, want PUBREC", ack)
	}
	for range 2 {
		release := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
		release.MessageID = 9
		r.write(release)
		if ack, ok := r.read().(*packets.PubcompPacket); !ok || ack.MessageID != 9 {
			t.Fatalf("PUBREL was answered with %v, want PUBCOMP", ack)
		}
	}
	expect(t, "kept", s.history("p2"), []string{"b"})
}

func TestQoS0IsBestEffort(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	wait(t, "publish", d.publish(0, weight("a", start, 82)))
	expect(t, "receipt", d.receipt(), "a accepted")
	expect(t, "kept", s.history("p1"), []string{"a"})
}

func TestWrongPasswordIsRefused(t *testing.T) {
	s := begin(t)
	for name, password := range map[string]string{"scale-1": "password-of-scale-2", "nobody": "password-of-nobody", "": "", "scale-2": ""} {
		o := mqtt.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID("x").SetUsername(name).SetPassword(password).SetAutoReconnect(false).SetProtocolVersion(4)
		token := mqtt.NewClient(o).Connect()
		if !token.WaitTimeout(patience) || token.Error() == nil {
			t.Errorf("%q was let in with the password %q", name, password)
		}
	}
	eventually(t, "the connections are gone", func() bool { return s.door.Figures().Connections == 0 })
	expect(t, "refused", s.door.Figures().Refused, int64(4))
}

// TestRightPasswordIsNotCalledWrongWhileNobodyCanTell holds that a device which comes
// while the registry cannot be read is told to come again: one that is told that its
// password is wrong may give up.
func TestRightPasswordIsNotCalledWrongWhileNobodyCanTell(t *testing.T) {
	s := begin(t)
	away := errors.New("the database is away")
	s.store.fault.Store(&away)
	connect := func() error {
		o := mqtt.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID("x").SetUsername("scale-1").SetPassword("password-of-scale-1").SetAutoReconnect(false).SetProtocolVersion(4)
		client := mqtt.NewClient(o)
		token := client.Connect()
		if !token.WaitTimeout(patience) {
			t.Fatal("the broker did not answer")
		}
		client.Disconnect(0)
		return token.Error()
	}
	if err := connect(); !errors.Is(err, packets.ErrorRefusedServerUnavailable) {
		t.Errorf("told that %v, want that the server is unavailable", err)
	}
	s.store.fault.Store(nil)
	if err := connect(); err != nil {
		t.Errorf("once it is back: %v", err)
	}
}

func TestDeviceHearsItsOwnReceiptsOnly(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	for _, filter := range []string{"vigie/v1/scale-2/receipts", "vigie/v1/+/receipts", "#", "vigie/v1/scale-1/readings", "$SYS/#", "$share/x/vigie/v1/scale-1/receipts"} {
		token := d.client.Subscribe(filter, 1, nil).(*mqtt.SubscribeToken)
		refused := token.WaitTimeout(patience) && len(token.Result()) == 1
		for _, code := range token.Result() {
			refused = refused && code == 0x80
		}
		if !refused {
			t.Errorf("a device could subscribe to %s: %v", filter, token.Result())
		}
	}
	s.connect("scale-2").send(weight("b", start, 82))
	d.send(weight("a", start, 82))
	expect(t, "first receipt", d.receipt(), "a accepted")
}

func TestReceiptsEndWithTheSubscription(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1", func(o *mqtt.ClientOptions) { o.SetCleanSession(false) })
	if !s.door.Wanted("scale-1") || s.door.Wanted("scale-2") {
		t.Error("receipts are wanted by whom has subscribed, and nobody else")
	}
	d.client.Disconnect(100)
	eventually(t, "nobody listens any more", func() bool { return !s.door.Wanted("scale-1") })
	again := s.login("scale-1", func(c *packets.ConnectPacket) { c.CleanSession = false })
	eventually(t, "the session goes on with its subscription", func() bool { return s.door.Wanted("scale-1") })
	unsubscribe := packets.NewControlPacket(packets.Unsubscribe).(*packets.UnsubscribePacket)
	unsubscribe.MessageID, unsubscribe.Topics = 3, []string{"vigie/v1/scale-1/receipts"}
	again.write(unsubscribe)
	if _, ok := again.read().(*packets.UnsubackPacket); !ok || s.door.Wanted("scale-1") {
		t.Error("receipts are still wanted after the subscription has ended")
	}
}

func TestDevicesWithTheSameClientIDDoNotDisturbEachOther(t *testing.T) {
	s := begin(t)
	same := func(o *mqtt.ClientOptions) { o.SetClientID("same") }
	one, two := s.connect("scale-1", same), s.connect("scale-2", same)
	one.send(weight("a", start, 82))
	two.send(weight("b", start, 82))
	expect(t, "receipt of one", one.receipt(), "a accepted")
	expect(t, "receipt of two", two.receipt(), "b accepted")
}

func TestWhatCannotBeCommittedIsNotAcknowledged(t *testing.T) {
	s := begin(t)
	r, bystander := s.login("scale-1"), s.login("scale-2")
	fault := errors.New("the disk is full")
	s.store.fault.Store(&fault)
	r.publish("scale-1", 1, 1, weight("a", start, 82))
	if p, err := r.next(); err == nil {
		t.Fatalf("answered with %v, want the end of the connection", p)
	}
	s.store.fault.Store(nil)
	bystander.publish("scale-2", 1, 1, weight("b", start, 82))
	if _, ok := bystander.read().(*packets.PubackPacket); !ok {
		t.Error("another connection was closed as well")
	}
	again := s.login("scale-1")
	again.publish("scale-1", 1, 1, weight("a", start, 82))
	if _, ok := again.read().(*packets.PubackPacket); !ok {
		t.Error("what is sent again is not acknowledged")
	}
	expect(t, "kept", s.history("p1"), []string{"a"})
}

func TestRestartLosesAndDoublesNothing(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	for i := range 20 {
		d.send(weight(fmt.Sprint(i+10), start, 82))
	}
	s.restart()
	select {
	case <-d.lost:
	case <-time.After(patience):
		t.Fatal("the device was not told that the connection is gone")
	}
	d = s.connect("scale-1")
	for i := range 30 {
		d.send(weight(fmt.Sprint(i+10), start, 82))
	}
	for i := range 30 {
		verdict := "duplicate"
		if i >= 20 {
			verdict = "accepted"
		}
		expect(t, "receipt", d.receipt(), fmt.Sprint(i+10, " ", verdict))
	}
	expect(t, "kept", len(s.history("p1")), 30)
}

func TestStopAcknowledgesWhatWasTaken(t *testing.T) {
	s := begin(t)
	r := s.login("scale-1")
	release := s.store.hold()
	for i := range 50 {
		r.publish("scale-1", 1, uint16(i+1), weight(fmt.Sprint(i), start, 82))
	}
	eventually(t, "all have been received", func() bool { return s.door.Figures().Received == 50 })
	if err := s.door.Stop(); err != nil {
		t.Fatal(err)
	}
	r.publish("scale-1", 1, 99, weight("late", start, 82))
	if _, err := net.Dial("tcp", s.addr); err == nil {
		t.Error("a new connection was accepted")
	}
	release()
	s.pipeline.Close()
	if err := s.door.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for {
		p, err := r.next()
		if err != nil {
			break
		}
		if ack, ok := p.(*packets.PubackPacket); ok && ack.MessageID <= 50 {
			acknowledged++
		}
	}
	expect(t, "acknowledged", acknowledged, 50)
	expect(t, "kept", len(s.history("p1")), 50)
}

func (s *service) status(device string) (status ingest.DeviceStatus, known bool) {
	s.t.Helper()
	err := s.store.Store.Update(s.t.Context(), func(tx ingest.Tx) (err error) {
		status, known, err = tx.DeviceStatus(device)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return status, known
}

func TestStatusAndLastWill(t *testing.T) {
	s := begin(t)
	will := func(c *packets.ConnectPacket) {
		c.WillFlag, c.WillRetain, c.WillQos, c.WillTopic, c.WillMessage = true, true, 1, "vigie/v1/scale-1/status", []byte(`{"online":false}`)
	}
	r := s.login("scale-1", will)
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.Retain, p.MessageID, p.Payload = "vigie/v1/scale-1/status", 1, true, 1, []byte(`{"online":true,"battery":87,"firmware":"1.4.2"}`)
	r.write(p)
	if _, ok := r.read().(*packets.PubackPacket); !ok {
		t.Fatal("a status is not acknowledged")
	}
	status, _ := s.status("scale-1")
	expect(t, "status", status, ingest.DeviceStatus{Device: "scale-1", Online: true, Battery: 87, Firmware: "1.4.2", At: start, BatteryAt: start})

	again := s.login("scale-1", will) // takes the session over: the device is not gone
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	again.write(packets.NewControlPacket(packets.Disconnect)) // leaves politely
	if err := again.ended(); err != nil {
		t.Error(err)
	}
	eventually(t, "the connections are gone", func() bool { return s.door.Figures().Connections == 0 })
	status, _ = s.status("scale-1")
	expect(t, "online after a polite end", status.Online, true)

	s.login("scale-1", will).conn.Close() // breaks off
	eventually(t, "the last will counts", func() bool { status, _ := s.status("scale-1"); return !status.Online })
}

// A device may have a second connection, for its receipts, and a tool may listen in
// its name: neither shows that the device is still there.
func TestLastWillCountsBesideAnotherConnection(t *testing.T) {
	s := begin(t)
	s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = "receipts" })
	s.login("scale-1", func(c *packets.ConnectPacket) {
		c.WillFlag, c.WillTopic, c.WillMessage = true, "vigie/v1/scale-1/status", []byte(`{"online":false}`)
	}).conn.Close()
	eventually(t, "the last will counts", func() bool { status, known := s.status("scale-1"); return known && !status.Online })
}

// A device learns that its last will is of no use when it connects, not when it is gone.
func TestLastWillThatCouldNeverBeUsedIsRefused(t *testing.T) {
	s := begin(t)
	victim := s.connect("scale-2")
	for topic, will := range map[string]string{
		"vigie/v1/scale-2/receipts": `{"id":"forged","verdict":"accepted"}`, "vigie/v1/scale-2/status": `{"online":false}`,
		"vigie/v1/scale-1/stattus": `{"online":false}`, "vigie/v1/scale-1/status": "gone",
	} {
		r := s.dial()
		connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
		connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.Keepalive = "MQTT", 4, true, 60
		connect.ClientIdentifier, connect.UsernameFlag, connect.PasswordFlag = "x", true, true
		connect.Username, connect.Password = "scale-1", []byte("password-of-scale-1")
		connect.WillFlag, connect.WillTopic, connect.WillMessage = true, topic, []byte(will)
		r.write(connect)
		if ack, ok := r.read().(*packets.ConnackPacket); !ok || ack.ReturnCode != 5 {
			t.Errorf("a last will %s under %s: %+v", will, topic, ack)
		}
	}
	s.login("scale-1", func(c *packets.ConnectPacket) {
		c.WillFlag, c.WillTopic, c.WillMessage = true, "vigie/v1/scale-1/status", []byte(`{"online":false}`)
	})
	victim.send(weight("a", start, 82))
	expect(t, "first receipt", victim.receipt(), "a accepted")
}

func TestPortThatIsTaken(t *testing.T) {
	first, err := inside.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := inside.Listen(first.Addr().String(), false); err == nil {
		t.Error("a port that is taken was given out again")
	}
	second, err := inside.Listen(first.Addr().String(), true)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}
