package outside_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	mqttserver "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	serverpackets "github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/doors/outside"
)

// inbox is where a door of these tests delivers to.
type inbox chan ingest.Message

func (in inbox) submit(ctx context.Context, m ingest.Message) {
	select {
	case in <- m:
	case <-ctx.Done():
		m.Done(ctx.Err())
	}
}

func (in inbox) next(t *testing.T) ingest.Message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message came")
		return ingest.Message{}
	}
}

// payloads acknowledges messages until each of the wanted payloads has come at least once.
func (in inbox) payloads(t *testing.T, want int) {
	t.Helper()
	seen := map[string]bool{}
	for len(seen) < want {
		m := in.next(t)
		seen[string(m.Payload)] = true
		m.Done(nil)
	}
}

func options(address string) outside.Options {
	return outside.Options{
		URL: "mqtt://" + address, ClientID: "vigie", Prefix: "vigie/v1",
	}
}

func tryOpen(t *testing.T, o outside.Options, submit outside.Submit) (*outside.Door, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return outside.Open(ctx, o, submit)
}

func open(t *testing.T, o outside.Options, submit outside.Submit) *outside.Door {
	t.Helper()
	d, err := tryOpen(t, o, submit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What a test leaves undone is the broker's to keep: no waiting for it.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = d.Close(ctx)
	})
	return d
}

func TestMessageArrivesWithItsDevice(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	received := time.Date(2026, 11, 21, 7, 2, 11, 0, time.UTC)
	o := options(broker.Address)
	o.Now = func() time.Time { return received }
	door := open(t, o, in.submit)

	device := connect(t, broker.Address, "", "")
	device.send("vigie/v1/tensio-01/readings", `{"id":"a"}`)
	device.send("vigie/v1/tensio-01/status", `{"online":true}`)
	device.acknowledged(2)

	m := in.next(t)
	if m.Topic != "vigie/v1/tensio-01/readings" || m.Device != "tensio-01" || m.Client != "" ||
		string(m.Payload) != `{"id":"a"}` || !m.Received.Equal(received) {
		t.Errorf("got %+v", m)
	}
	m.Done(nil)
	if m = in.next(t); m.Topic != "vigie/v1/tensio-01/status" || m.Device != "tensio-01" {
		t.Errorf("got %+v", m)
	}
	m.Done(nil)
	if got := door.Figures(); got.Received != 2 || got.Done != 2 || got.InFlight != 0 || !door.Connected() {
		t.Errorf("figures %+v, connected %v", got, door.Connected())
	}
}

func TestWhatTheBrokerHadRetainedIsKnownForIt(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	device := connect(t, broker.Address, "", "")
	say := func(id uint16, payload string) {
		c := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		c.TopicName, c.Payload, c.Qos, c.MessageID, c.Retain = "vigie/v1/tensio-01/status", []byte(payload), 1, id, true
		device.write(c)
		device.acknowledged(1)
	}
	say(1, `{"online":false}`)
	in := make(inbox, 10)
	open(t, options(broker.Address), in.submit)
	m := in.next(t)
	if !m.Retained || string(m.Payload) != `{"online":false}` {
		t.Errorf("got %+v", m)
	}
	m.Done(nil)
	say(2, `{"online":true}`)
	if m = in.next(t); m.Retained || string(m.Payload) != `{"online":true}` {
		t.Errorf("got %+v", m)
	}
	m.Done(nil)
}

func TestWhatWasPublishedWhileAwayComesLater(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	door := open(t, options(broker.Address), in.submit)
	if err := door.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 2500 // more than Mosquitto queues by default
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	come := make(chan string, n)
	open(t, options(broker.Address), func(_ context.Context, m ingest.Message) {
		come <- string(m.Payload)
		m.Done(nil)
	})
	for i := range n {
		if got := <-come; got != fmt.Sprint(i) {
			t.Fatalf("%s came in place %d", got, i)
		}
	}
}

func TestKilledBrokerLosesNothingItHadPersisted(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: true})
	in := make(inbox, 1000)
	door := open(t, options(broker.Address), in.submit)
	const n = 200
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	first := in.next(t) // some are on their way, none is done with
	saved := connect(t, broker.Address, "", "")
	if err := servers.Save(broker); err != nil {
		t.Fatal(err)
	}
	saved.subscribe("after/the/signal") // Mosquitto writes before it goes on
	saved.send("after/the/signal", "x")
	saved.read()
	if err := broker.Kill(); err != nil {
		t.Fatal(err)
	}
	first.Done(nil) // too late: it has to come again
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	in.payloads(t, n)
	if got := door.Figures().Reconnects; got == 0 {
		t.Error("the door has not noticed that the broker was gone")
	}
}

func TestStalledStoreMakesTheBrokerWait(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Extra: "max_inflight_messages 0\n"})
	const room, n = 10, 300
	o := options(broker.Address)
	o.InFlight = room
	in := make(inbox, n)
	door := open(t, o, in.submit)
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n) // by the broker, which keeps them

	var held []ingest.Message
	for range room {
		held = append(held, in.next(t))
	}
	for i := range n - room {
		held[i].Done(nil) // room for exactly one more
		held = append(held, in.next(t))
		if got := door.Figures().InFlight; got > room {
			t.Fatalf("%d in flight, at most %d are allowed", got, room)
		}
		if extra := len(in); extra > 0 {
			t.Fatalf("%d more came than there is room for", extra)
		}
	}
	for i, m := range held {
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("%q came in place %d", m.Payload, i)
		}
	}
}

func TestLargePayloadsAreBoundedTogether(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	o := options(broker.Address)
	o.InFlightBytes = 1000
	in := make(inbox, 10)
	door := open(t, o, in.submit)
	device := connect(t, broker.Address, "", "")
	for range 3 {
		device.send("vigie/v1/tensio-01/readings", strings.Repeat("x", 600))
	}
	device.acknowledged(3)
	for range 3 {
		m := in.next(t)
		if got := door.Figures().InFlight; got != 1 {
			t.Fatalf("%d in flight, only one of them fits", got)
		}
		m.Done(nil)
	}
}

func TestWhatCouldNotBeKeptComesAgain(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	device.send("vigie/v1/tensio-01/readings", "a")
	device.acknowledged(1)
	in.next(t).Done(errors.New("disk full"))
	again := in.next(t)
	if string(again.Payload) != "a" {
		t.Fatalf("%q came", again.Payload)
	}
	again.Done(nil)
	device.send("vigie/v1/tensio-01/readings", "b")
	if m := in.next(t); string(m.Payload) != "b" {
		t.Errorf("%q came, what was done with must not come again", m.Payload)
	}
}

func TestUndoneMessagesGoToTheNextProcess(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 100)
	first := open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	const n = 50
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	held := in.next(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Close(ctx); err == nil {
		t.Error("closing says nothing of the messages that are not done with")
	}
	held.Done(nil) // the connection is gone, and so is this acknowledgement
	for len(in) > 0 {
		<-in
	}
	open(t, options(broker.Address), in.submit)
	in.payloads(t, n)
}

func TestPoliteCloseAcknowledgesWhatWasTaken(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	const taken, n = 5, 12
	in := make(inbox, taken) // the next one waits for room
	first := open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	var held []ingest.Message
	for range taken {
		held = append(held, in.next(t))
	}
	for first.Figures().Received < 2*taken+1 { // five more are taken, and one waits
		runtime.Gosched()
	}
	closed := make(chan error)
	go func() { closed <- first.Close(t.Context()) }()
	for first.Figures().Failed == 0 { // the one that waited has been told
		runtime.Gosched()
	}
	for range taken {
		held = append(held, in.next(t))
	}
	for _, m := range held {
		m.Done(nil)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	again := make(inbox, n)
	open(t, options(broker.Address), again.submit)
	for i := 2 * taken; i < n; i++ {
		m := again.next(t)
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("%q came again, want %d", m.Payload, i)
		}
		m.Done(nil)
	}
}

func TestNodesShareMessages(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	const n = 400
	in := make(inbox, n)
	var doors []*outside.Door
	for _, node := range []string{"node-1", "node-2"} {
		o := options(broker.Address)
		o.ClientID, o.Group, o.Connections = node, "vigie", 2
		doors = append(doors, open(t, o, in.submit))
	}
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	times := map[string]int{}
	for range n {
		m := in.next(t)
		times[string(m.Payload)]++
		m.Done(nil)
	}
	if len(times) != n {
		t.Errorf("%d different messages, want %d: some came twice", len(times), n)
	}
	for i, d := range doors {
		if d.Figures().Received == 0 {
			t.Errorf("node %d had no share", i+1)
		}
	}
}

// A node that stands aside holds no connection and makes none: another one may be taking
// what waits in its sessions. Afterwards it takes what is left.
func TestANodeThatStandsAsideLeavesTheBrokerAlone(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	o := options(broker.Address)
	o.Group = "vigie"
	in := make(inbox, 10)
	door := open(t, o, in.submit)
	device := connect(t, broker.Address, "", "")
	device.send("vigie/v1/tensio-01/readings", "before")
	device.acknowledged(1)
	in.payloads(t, 1)

	door.StandAside(true)
	eventually(t, "it has no connection", func() bool { return !door.Connected() })
	device.send("vigie/v1/tensio-01/readings", "meanwhile")
	device.acknowledged(1)
	other := make(inbox, 10)
	leader := o
	leader.ClientID = "leader"
	guest, err := open(t, leader, other.submit).TakeOver(t.Context(), o.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	other.payloads(t, 1) // nobody throws the guest out
	guest.Close()
	if door.Connected() || door.Figures().Received != 1 {
		t.Errorf("connected: %v, %+v", door.Connected(), door.Figures())
	}

	door.StandAside(false)
	device.send("vigie/v1/tensio-01/readings", "after")
	device.acknowledged(1)
	select {
	case m := <-in:
		m.Done(nil)
	case m := <-other: // it is one of two
		m.Done(nil)
	case <-time.After(30 * time.Second):
		t.Fatal("nobody takes what comes afterwards")
	}
	eventually(t, "it is connected again", door.Connected)
}

func TestReceiptsReachTheDevice(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	door := open(t, options(broker.Address), make(inbox).submit)
	device := connect(t, broker.Address, "", "")
	device.subscribe("vigie/v1/tensio-01/receipts")
	if !door.Wanted("tensio-01") {
		t.Error("receipts are not wanted")
	}
	sent := []ingest.Receipt{{ID: "a", Verdict: ingest.Accepted}, {ID: "b", Verdict: ingest.Duplicate}}
	door.Send("tensio-01", sent)
	for _, want := range sent {
		got := device.read().(*packets.PublishPacket)
		var receipt ingest.Receipt
		if err := json.Unmarshal(got.Payload, &receipt); err != nil {
			t.Fatal(err)
		}
		if receipt.ID != want.ID || receipt.Verdict != want.Verdict {
			t.Errorf("got %s", got.Payload)
		}
	}
}

// A format needs no word here, and a topic that no format owns is told to its device.
func TestEverythingUnderADevicesNameComes(t *testing.T) {
	for _, group := range []string{"", "nodes"} {
		broker := servers.Mosquitto(t, servers.MosquittoConf{})
		in := make(inbox, 10)
		o := options(broker.Address)
		o.Group = group
		open(t, o, in.submit)
		device := connect(t, broker.Address, "", "")
		for _, kind := range []string{"readings", "status", "a-format-of-tomorrow", "reeadings", "readings/1"} {
			device.send("vigie/v1/tensio-01/"+kind, kind)
			device.acknowledged(1)
			m := in.next(t)
			if m.Device != "tensio-01" || string(m.Payload) != kind {
				t.Errorf("%s of %s came, want %s of tensio-01", m.Payload, m.Device, kind)
			}
			m.Done(nil)
		}
	}
}

func TestReceiptsOfTheDoorDoNotComeBackAsMessages(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	door := open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	device.subscribe("vigie/v1/tensio-01/receipts")
	door.Send("tensio-01", []ingest.Receipt{{ID: "a", Verdict: ingest.Accepted}})
	device.read()
	device.send("vigie/v1/tensio-01/receipts", "a device answers itself") // nobody is told, and it is acknowledged
	device.send("vigie/v1/tensio-01/readings", "{}")
	for acknowledged := 0; acknowledged < 2; {
		if _, is := device.read().(*packets.PubackPacket); is {
			acknowledged++
		}
	}
	m := in.next(t)
	m.Done(nil)
	if got := door.Figures().Received; m.Topic != "vigie/v1/tensio-01/readings" || got != 1 {
		t.Errorf("%s came, one of %d messages, want the readings alone", m.Topic, got)
	}
}

// A session that an earlier version left at the broker has its subscriptions: two nodes
// would get each message once by those, and once by the new one.
func TestSubscriptionsOfAnEarlierVersionEnd(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	const n = 100
	in := make(inbox, 10)
	for _, node := range []string{"node-2", "node-1"} {
		older := connect(t, broker.Address, "", "", func(c *packets.ConnectPacket) { c.CleanSession, c.ClientIdentifier = false, node })
		older.subscribe("$share/nodes/vigie/v1/+/readings")
		older.subscribe("$share/nodes/vigie/v1/+/status")
		older.write(packets.NewControlPacket(packets.Disconnect))
	}
	for _, node := range []string{"node-1", "node-2"} {
		o := options(broker.Address)
		o.ClientID, o.Group = node, "nodes"
		open(t, o, in.submit)
	}
	device := connect(t, broker.Address, "", "")
	for i := range n {
		device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
	}
	device.acknowledged(n)
	device.send("vigie/v1/tensio-01/status", "the last")
	device.acknowledged(1)
	times := map[string]int{}
	for len(times) <= n {
		m := in.next(t)
		if times[string(m.Payload)]++; times[string(m.Payload)] > 1 {
			t.Fatalf("%s came again", m.Payload)
		}
		m.Done(nil)
	}
}

// Nobody can be answered under a topic longer than there are, and the others shall
// not lose the connection by it.
func TestReceiptUnderATopicThatCannotBeHarmsNobody(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	door := open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	device.subscribe("vigie/v1/tensio-01/receipts")
	name := strings.Repeat("x", 65535-len("vigie/v1//status"))
	device.publish("vigie/v1/"+name+"/status", "{}", 1, 1, false)
	device.acknowledged(1)
	m := in.next(t)
	m.Done(nil)
	door.Send(m.Device, []ingest.Receipt{{Verdict: ingest.SetAside}})
	door.Send("tensio-01", []ingest.Receipt{{ID: "a", Verdict: ingest.Accepted}})
	if got := device.read().(*packets.PublishPacket); got.TopicName != "vigie/v1/tensio-01/receipts" {
		t.Errorf("got %s", got.TopicName)
	}
	if got := door.Figures(); got.Reconnects != 0 || got.ReceiptsLost != 1 {
		t.Errorf("figures %+v", got)
	}
}

// The access list is the one that the package's documentation gives.
func TestMosquittoKeepsDevicesToTheirName(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{
		Users: map[string]string{"vigie": "s1", "tensio-01": "s2"},
		ACL: `pattern write vigie/v1/%u/#
pattern read vigie/v1/%u/receipts

user vigie
topic readwrite vigie/v1/#
`,
	})
	in := make(inbox, 10)
	o := options(broker.Address)
	o.User, o.Password = "vigie", "s1"
	door := open(t, o, in.submit)
	liar := connect(t, broker.Address, "tensio-01", "s2")
	liar.send("vigie/v1/tensio-02/readings", "under another's name")
	// Mosquitto hangs up, or acknowledges and drops; either way it has decided.
	_, _ = packets.ReadPacket(liar.in)
	device := connect(t, broker.Address, "tensio-01", "s2")
	device.subscribe("vigie/v1/tensio-01/receipts")
	device.send("vigie/v1/tensio-01/readings", "under its own name")
	device.send("vigie/v1/tensio-01/reeadings", "misspelt")
	device.acknowledged(2)
	for _, want := range []string{"under its own name", "misspelt"} {
		m := in.next(t)
		if string(m.Payload) != want {
			t.Errorf("%q came, want %q", m.Payload, want)
		}
		m.Done(nil)
	}
	door.Send("tensio-01", []ingest.Receipt{{ID: "a", Verdict: ingest.Accepted}})
	if got := device.read().(*packets.PublishPacket); got.TopicName != "vigie/v1/tensio-01/receipts" {
		t.Errorf("got %s", got.TopicName)
	}
}

func TestOptionsThatCannotBeMeantAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*outside.Options)
		want   string
	}{
		"no address":        {func(o *outside.Options) { o.URL = "broker:1883" }, "mqtt://host:1883"},
		"no session name":   {func(o *outside.Options) { o.ClientID = "" }, "client id"},
		"everything thrice": {func(o *outside.Options) { o.Connections = 3 }, "shared group"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("127.0.0.1:1")
			c.change(&o)
			if _, err := tryOpen(t, o, make(inbox).submit); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something about %q", err, c.want)
			}
		})
	}
}

// A broker that is not there, or does not let us in, may be mended while the service
// runs: it says why it is not ready, and goes on trying.
func TestBrokerThatCannotBeUsedIsToldAndTriedAgain(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Users: map[string]string{"vigie": "right"}})
	for name, c := range map[string]struct {
		change func(*outside.Options)
		want   string
	}{
		"nobody there":   {func(o *outside.Options) { o.URL = "mqtt://127.0.0.1:1" }, "connection refused; check url"},
		"wrong password": {func(o *outside.Options) { o.Password = "wrong" }, "check user and password"},
		"not allowed":    {func(o *outside.Options) { o.URL = "mqtt://" + unwilling(t) }, "refuses the subscription"},
	} {
		t.Run(name, func(t *testing.T) {
			var log servers.Journal
			o := options(broker.Address)
			o.User, o.Password, o.Log = "vigie", "right", slog.New(slog.NewTextHandler(&log, nil))
			c.change(&o)
			door := open(t, o, make(inbox).submit)
			if err := door.Ready(); err == nil || !strings.Contains(log.String(), c.want) {
				t.Errorf("ready: %v; the log says %s, want something about %q", err, log.String(), c.want)
			}
		})
	}
}

func TestDoorOpensBeforeItsBroker(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	if err := broker.Kill(); err != nil { // it has nothing to tell yet
		t.Fatal(err)
	}
	in, opened := make(inbox, 10), make(chan bool, 1)
	o := options(broker.Address)
	o.Opened = func() { opened <- true }
	door := open(t, o, in.submit)
	if err := door.Ready(); err == nil || len(opened) > 0 {
		t.Errorf("ready without a broker: %v", err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready", func() bool { return door.Ready() == nil })
	arrives(t, broker.Address, in)
	if len(opened) != 1 {
		t.Error("nobody is told that the broker has the session")
	}
}

// ignorant is a broker that takes a shared subscription for one to a topic of that name.
type ignorant struct{ mqttserver.HookBase }

func (*ignorant) ID() string { return "ignorant" }

func (*ignorant) Provides(what byte) bool {
	return what == mqttserver.OnSubscribe || what == mqttserver.OnConnectAuthenticate || what == mqttserver.OnACLCheck
}

func (*ignorant) OnConnectAuthenticate(*mqttserver.Client, serverpackets.Packet) bool { return true }

func (*ignorant) OnACLCheck(*mqttserver.Client, string, bool) bool { return true }

func (*ignorant) OnSubscribe(_ *mqttserver.Client, pk serverpackets.Packet) serverpackets.Packet {
	for i := range pk.Filters {
		pk.Filters[i].Filter = strings.Replace(pk.Filters[i].Filter, "$share/", "literally/", 1)
	}
	return pk
}

// A broker that takes the subscription and delivers nothing would take readings from
// devices, and acknowledge them, for nobody.
func TestBrokerThatDeliversNothingIsNotReady(t *testing.T) {
	_, unshared := servers.Hooked(t, new(ignorant), nil)
	closed := servers.Mosquitto(t, servers.MosquittoConf{Users: map[string]string{"vigie": "s1"}, ACL: "pattern write vigie/v1/%u/#\n"})
	for name, address := range map[string]string{"one without $share": unshared, "an access list without Vigie's part": closed.Address} {
		t.Run(name, func(t *testing.T) {
			o := options(address)
			o.Group, o.User, o.Password = "nodes", "vigie", "s1"
			door := open(t, o, make(inbox).submit)
			eventually(t, "it says that nothing comes back", func() bool {
				err := door.Ready()
				return err != nil && strings.Contains(err.Error(), "brings nothing back") && door.Figures().Canaries >= 3
			})
		})
	}
}

func TestCanaryThatAnotherNodeTakesCountsAsBack(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	for _, group := range []string{"", "nodes"} {
		var doors []*outside.Door
		for i := range 3 {
			o := options(broker.Address)
			o.ClientID, o.Group = fmt.Sprintf("node/%d+%s", i, group), group
			doors = append(doors, open(t, o, make(inbox).submit))
		}
		for _, d := range doors {
			eventually(t, "each node is ready", func() bool { return d.Ready() == nil })
			if received := d.Figures().Received; received != 0 {
				t.Errorf("%d canaries were taken for messages", received)
			}
		}
	}
}

// unwilling starts a broker that lets nobody subscribe. Mosquitto is not one:
// it grants every subscription, and then delivers what may be read.
func unwilling(t *testing.T) string {
	t.Helper()
	_, address := servers.Hooked(t, new(auth.Hook), &auth.Options{Ledger: &auth.Ledger{
		Auth: auth.AuthRules{{Allow: true}},
		ACL:  auth.ACLRules{{Filters: auth.Filters{"#": auth.Deny}}},
	}})
	return address
}

// BenchmarkReceive measures what one session takes from a real Mosquitto, each
// message acknowledged by another goroutine, as a group commit does.
func BenchmarkReceive(b *testing.B) {
	for _, inflight := range []int{20, 1000} {
		b.Run(fmt.Sprintf("inflight=%d", inflight), func(b *testing.B) {
			broker := servers.Mosquitto(b, servers.MosquittoConf{Extra: fmt.Sprintf("max_inflight_messages %d\n", inflight)})
			var done atomic.Int64
			var all sync.WaitGroup
			messages := make(chan ingest.Message, 5000)
			go func() {
				for m := range messages {
					m.Done(nil)
					done.Add(1)
					all.Done()
				}
			}()
			ctx := context.Background()
			door, err := outside.Open(ctx, options(broker.Address), func(_ context.Context, m ingest.Message) { messages <- m })
			if err != nil {
				b.Fatal(err)
			}
			payload := `{"id":"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101","time":"2026-11-21T07:02:11+01:00","measure":"blood-pressure",` +
				`"values":{"systolic":142,"diastolic":91,"pulse":72},"unit":"mmHg","source":"device"}`
			device := connect(b, broker.Address, "", "")
			if err := door.Close(ctx); err != nil { // let the broker queue them first
				b.Fatal(err)
			}
			all.Add(b.N)
			const window = 1000
			for i := range b.N {
				device.send("vigie/v1/tensio-01/readings", payload)
				if i >= window {
					device.acknowledged(1)
				}
			}
			device.acknowledged(min(b.N, window))
			b.ResetTimer()
			if door, err = outside.Open(ctx, options(broker.Address), func(_ context.Context, m ingest.Message) { messages <- m }); err != nil {
				b.Fatal(err)
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			if err := door.Close(ctx); err != nil {
				b.Fatal(err)
			}
			close(messages)
		})
	}
}
