package outside_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/deploy/servers"
)

func TestOperatorIsToldThatTheBrokerForgot(t *testing.T) {
	const complaint = "the broker has forgotten the session"
	for _, c := range []struct {
		name       string
		persistent bool
		remembered int  // sessions that were opened at an earlier start
		restarts   bool // the broker, while the door is open
		forgotten  int64
	}{
		{"first start", true, 0, false, 0},
		{"later start at a broker that was emptied meanwhile", true, 1, false, 1},
		{"broker that keeps nothing", false, 0, true, 1},
		{"broker that keeps sessions", true, 0, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: c.persistent})
			var log servers.Journal
			o := options(broker.Address)
			o.Remembered, o.Log = c.remembered, slog.New(slog.NewTextHandler(&log, nil))
			in := make(inbox, 10)
			door := open(t, o, in.submit)
			if c.restarts {
				restart(t, broker)
			}
			arrives(t, broker.Address, in)
			if got := door.Figures().Forgotten; got != c.forgotten {
				t.Errorf("forgotten %d times, want %d", got, c.forgotten)
			}
			if strings.Contains(log.String(), complaint) != (c.forgotten > 0) {
				t.Errorf("the log says: %s", log.String())
			}
		})
	}
}

func restart(t *testing.T, broker *servers.Server) {
	t.Helper()
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
}

// arrives publishes until something comes: the door may still be on its way back.
func arrives(t *testing.T, address string, in inbox) {
	t.Helper()
	device := connect(t, address, "", "")
	for {
		device.send("vigie/v1/tensio-01/readings", "x")
		device.acknowledged(1)
		select {
		case m := <-in:
			m.Done(nil)
			return
		default:
		}
	}
}

// What is published after a restart of the broker and before Vigie is back waits
// at the broker, as long as the subscription is not shared.
func TestRestartedBrokerKeepsWhatComesBeforeTheDoorIsBack(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: true})
	in := make(inbox, 1000)
	if err := open(t, options(broker.Address), in.submit).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 300
	for range 3 {
		restart(t, broker)
		device := connect(t, broker.Address, "", "")
		for i := range n {
			device.send("vigie/v1/tensio-01/readings", fmt.Sprint(i))
		}
		device.acknowledged(n)
	}
	o := options(broker.Address)
	o.Remembered = 1
	door := open(t, o, in.submit)
	for range 3 * n {
		in.next(t).Done(nil)
	}
	if got := door.Figures().Forgotten; got != 0 {
		t.Errorf("%d sessions forgotten", got)
	}
}

// A device that publishes at QoS 2 is held to once by the broker; it comes here
// at QoS 1, and the ids of its readings hold the rest.
func TestPublishedAtQoS2ComesOnce(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: true})
	in := make(inbox, 10)
	door := open(t, options(broker.Address), in.submit)
	lasting := func(c *packets.ConnectPacket) { c.CleanSession, c.ClientIdentifier = false, "tensio-01" }
	const topic = "vigie/v1/tensio-01/readings"

	device := connect(t, broker.Address, "", "", lasting)
	device.publish(topic, "a", 2, 7, false)
	if _, ok := device.read().(*packets.PubrecPacket); !ok {
		t.Fatal("not received")
	}
	device.conn.Close() // before it has released the message
	device = connect(t, broker.Address, "", "", lasting)
	device.publish(topic, "a", 2, 7, true)
	for {
		if _, ok := device.read().(*packets.PubrecPacket); ok {
			break
		}
	}
	release := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
	release.MessageID = 7
	device.write(release)
	if _, ok := device.read().(*packets.PubcompPacket); !ok {
		t.Fatal("not completed")
	}
	device.publish(topic, "b", 1, 8, false)
	for _, want := range []string{"a", "b"} {
		m := in.next(t)
		if string(m.Payload) != want {
			t.Fatalf("%q came, want %q", m.Payload, want)
		}
		m.Done(nil)
	}
	if got := door.Figures(); got.Received != 2 || got.Done != 2 {
		t.Errorf("figures %+v", got)
	}
}

// QoS 0 is best effort: it comes when Vigie is there, and is not acknowledged.
func TestPublishedAtQoS0IsBestEffort(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	in := make(inbox, 10)
	door := open(t, options(broker.Address), in.submit)
	device := connect(t, broker.Address, "", "")
	const topic = "vigie/v1/tensio-01/readings"
	device.publish(topic, "a", 0, 0, false)
	m := in.next(t)
	if string(m.Payload) != "a" {
		t.Fatalf("%q came", m.Payload)
	}
	m.Done(nil)
	if err := door.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	device.publish(topic, "while away at QoS 0", 0, 0, false)
	device.publish(topic, "while away at QoS 1", 1, 1, false)
	device.acknowledged(1)
	open(t, options(broker.Address), in.submit)
	if m = in.next(t); string(m.Payload) != "while away at QoS 1" {
		t.Errorf("%q came: Mosquitto keeps QoS 0 for nobody", m.Payload)
	}
	m.Done(nil)
}
