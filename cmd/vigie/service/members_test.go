package service

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/jackc/pgx/v5"

	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/doors/outside"
)

// shared is a broker and a database that nodes share.
type shared struct {
	broker   *servers.Server
	database *servers.PostgresServer
	sent     int
}

func (w *shared) node(t *testing.T, client string) *Service {
	t.Helper()
	c := config.Default()
	c.Data, c.Store.Postgres.URL = t.TempDir(), config.Secret(w.database.URL)
	c.Broker.Inside.Enabled, c.HTTP.Listen = false, "127.0.0.1:0"
	c.Broker.Outside.URL, c.Broker.Outside.ClientID, c.Broker.Outside.SharedGroup = "mqtt://"+w.broker.Address, client, "vigie"
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	within(t, client+" counts as one of the group", func() bool { return w.members(t, "client = '"+client+"' AND subscribed") == 1 })
	return s
}

func (w *shared) members(t *testing.T, which string) (count int) {
	t.Helper()
	w.query(t, "SELECT count(*) FROM members WHERE "+which, &count)
	return count
}

func (w *shared) query(t *testing.T, sql string, into ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if len(into) == 0 {
		_, err = conn.Exec(t.Context(), sql)
	} else {
		err = conn.QueryRow(t.Context(), sql).Scan(into...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// publish publishes messages of as many devices, each acknowledged by the broker.
func (w *shared) publish(t *testing.T, count int) {
	t.Helper()
	conn, err := net.Dial("tcp", w.broker.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession, hello.ClientIdentifier = "MQTT", 4, true, "devices"
	in := bufio.NewReader(conn)
	say := func(c packets.ControlPacket) {
		if err := c.Write(conn); err != nil {
			t.Fatal(err)
		}
		if _, err := packets.ReadPacket(in); err != nil {
			t.Fatal(err)
		}
	}
	say(hello)
	for range count {
		w.sent++
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Payload, p.Qos, p.MessageID = fmt.Sprintf("vigie/v1/scale-%d/readings", w.sent), []byte("{}"), 1, 1
		say(p)
	}
}

// kept waits until something of every device is in the store.
func (w *shared) kept(t *testing.T) {
	t.Helper()
	kept := 0
	within(t, "everything that was acknowledged is kept", func() bool {
		w.query(t, "SELECT count(DISTINCT device) FROM set_aside", &kept)
		return kept == w.sent
	}, func() any { return fmt.Sprintf("%d of %d", kept, w.sent) })
}

func within(t *testing.T, what string, holds func() bool, say ...func() any) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, f := range say {
				t.Log(f())
			}
			t.Fatal("after a minute it does not hold that " + what)
		}
	}
}

// TestANodeThatIsGoneKeepsNothingOfWhatWasAcknowledged has nodes of a shared group stop
// and vanish, behind a broker that keeps for every member its share.
func TestANodeThatIsGoneKeepsNothingOfWhatWasAcknowledged(t *testing.T) {
	w := &shared{broker: servers.Mosquitto(t, servers.MosquittoConf{}), database: servers.Postgres(t)}
	one, other := w.node(t, "one"), w.node(t, "other")

	w.publish(t, 100)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, "one of two has left", func() bool { return w.members(t, "true") == 1 })
	w.publish(t, 100)
	w.kept(t)

	// A member that was killed: it took messages, and finished none.
	o := outside.Options{URL: "mqtt://" + w.broker.Address, ClientID: "killed", Group: "vigie", Prefix: one.Config.Topics.Prefix}
	killed, err := outside.Open(t.Context(), o, func(context.Context, ingest.Message) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.members.group.Attend(t.Context(), one.members.name, []string{"killed"}, true); err != nil {
		t.Fatal(err)
	}
	w.publish(t, 50)
	at, cancel := context.WithCancel(t.Context())
	cancel()
	_ = killed.Close(at)
	w.publish(t, 50) // its share waits for it
	w.query(t, "UPDATE members SET expires = now() - interval '1 second' WHERE client = 'killed'")
	w.kept(t)
	within(t, "the session that was emptied is no member any more", func() bool { return w.members(t, "true") == 1 })
	w.publish(t, 50)
	w.kept(t)

	// The last one stays a member: what is published now waits for it.
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	w.publish(t, 50)
	w.node(t, "one")
	w.kept(t)
}
