package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

	// No member is missed before an hour is over: who goes sooner has left by itself.
	w.query(t, `CREATE FUNCTION patient() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.expires := now() + interval '1 hour'; RETURN NEW; END $$;
		CREATE TRIGGER patient BEFORE INSERT OR UPDATE ON members FOR EACH ROW EXECUTE FUNCTION patient(); UPDATE members SET leaving = leaving`)
	w.publish(t, 100)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if left := w.members(t, "client = 'other'"); left != 0 {
		t.Fatal("a node that stopped politely is still a member of the group")
	}
	w.query(t, "DROP TRIGGER patient ON members")
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

// absent is a database that can be away: it refuses, or it hangs.
type absent struct {
	group
	away, hangs atomic.Bool
	attended    atomic.Int64 // when it last said yes
}

func (a *absent) Attend(ctx context.Context, _ string, _ []string, _ bool) (int, error) {
	switch {
	case a.away.Load() && a.hangs.Load():
		<-ctx.Done()
		return 0, ctx.Err()
	case a.away.Load():
		return 0, errors.New("no database")
	}
	a.attended.Store(time.Now().UnixNano())
	return 1, nil
}

// aloof are the sessions of a node, which it uses or leaves alone.
type aloof struct{ aside atomic.Bool }

func (a *aloof) Subscribed() bool      { return true }
func (a *aloof) StandAside(aside bool) { a.aside.Store(aside) }

// The others count a node as gone 15 s after it last said that it lives, and take what
// waits for it. It leaves the broker alone before that.
func TestANodeWithoutItsDatabaseStandsAside(t *testing.T) {
	for name, hangs := range map[string]bool{"that refuses": false, "that hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				database, door := &absent{}, &aloof{}
				database.hangs.Store(hangs)
				s := &Service{Options: Options{Log: slog.New(slog.DiscardHandler)}, members: members{group: database}}
				ctx, cancel := context.WithCancel(t.Context())
				s.members.attending.Go(func() { s.attend(ctx, door) })
				defer s.members.attending.Wait()
				defer cancel()
				at := func(what string, after time.Duration, aside bool) {
					t.Helper()
					time.Sleep(time.Until(time.Unix(0, database.attended.Load()).Add(after)))
					synctest.Wait()
					if door.aside.Load() != aside {
						t.Errorf("%s: stands aside: %v, want %v", what, !aside, aside)
					}
				}
				time.Sleep(time.Minute)
				at("with its database", time.Second, false)
				database.away.Store(true)
				at("a blink", 9*time.Second, false)
				at("too long", 14*time.Second, true)
				at("an hour", time.Hour, true)
				database.away.Store(false)
				time.Sleep(4 * time.Second)
				at("once it is back", time.Second, false)
			})
		})
	}
}
