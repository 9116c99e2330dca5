package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
)

// literal is a broker that takes a shared subscription for one to a topic of that name,
// as some do: it acknowledges what devices publish, and delivers it to nobody.
type literal struct{ mqtt.HookBase }

func (*literal) ID() string { return "literal" }

func (*literal) Provides(what byte) bool {
	return what == mqtt.OnSubscribe || what == mqtt.OnConnectAuthenticate || what == mqtt.OnACLCheck
}

func (*literal) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (*literal) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

func (*literal) OnSubscribe(_ *mqtt.Client, pk packets.Packet) packets.Packet {
	for i := range pk.Filters {
		pk.Filters[i].Filter = strings.Replace(pk.Filters[i].Filter, "$share/", "literally/", 1)
	}
	return pk
}

func startLiteral() (broker *mqtt.Server, address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	broker = mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	err = errors.Join(broker.AddHook(new(literal), nil), broker.AddListener(listeners.NewNet("literal", listener)))
	if err == nil {
		err = broker.Serve() // returns once it listens
	}
	return broker, listener.Addr().String(), err
}

// sharesUnknown lets the service find a broker that does not know shared groups. It is not
// ready and says why, so that nobody sends devices there; without a group all is well.
func sharesUnknown(b *bench, ctx context.Context) (r row, err error) {
	broker, address, err := startLiteral()
	if err != nil {
		return r, err
	}
	w := b.wardFor(3)
	t, err := b.newTrial(ctx, w, "VIGIE_BROKER_INSIDE_ENABLED=false", "VIGIE_BROKER_OUTSIDE_URL=mqtt://"+address,
		"VIGIE_BROKER_OUTSIDE_CLIENT_ID=vigie", "VIGIE_BROKER_OUTSIDE_SHARED_GROUP=vigie")
	if err != nil {
		return r, errors.Join(err, broker.Close())
	}
	t.crowd.close()
	t.crowd = newCrowd(ctx, w, window, func() string { return address })
	defer func() { err = errors.Join(err, t.close(), broker.Close()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	if err := pause(ctx, 3*time.Second); err != nil { // a few of its own messages do not come back
		return r, err
	}
	ready := false
	err = until(ctx, "the service to say that nothing comes back from the broker", func() bool {
		ready = t.isReady(ctx)
		return ready || said(t.said(), "brings nothing back")
	})
	switch {
	case ready:
		return r, errors.New("the service is ready, and would hear nothing")
	case err != nil:
		return r, fmt.Errorf("%w; it says %s", err, lastLines(t.said(), 5))
	}
	if err := t.node.stop(); err != nil {
		return r, err
	}
	t.node.env = append(t.node.env, "VIGIE_BROKER_OUTSIDE_SHARED_GROUP=")
	if err := t.node.start(); err != nil {
		return r, err
	}
	if err := t.awaitReady(ctx); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: 1, note: j.atStake() + ", not ready as long as nothing came back"}, nil
}

// memberGone kills one of two nodes of a shared group for good. Mosquitto keeps its share
// for it; the other node takes that in its name. It comes late and out of order, which
// hides no alert.
func memberGone(b *bench, ctx context.Context) (r row, err error) {
	w := b.wardFor(3)
	t, broker, err := b.outside(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close(), broker.Stop()) }()
	store, end, err := b.sharedStore(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, end()) }()

	t.node.env = append(t.node.env, "VIGIE_STORE_POSTGRES_URL="+store.url, "VIGIE_BROKER_OUTSIDE_SHARED_GROUP=vigie")
	page, err := servers.FreeAddress()
	if err != nil {
		return r, err
	}
	gone := &node{command: t.node.command, page: page, env: append(append([]string{}, t.node.env...),
		"VIGIE_DATA="+filepath.Join(t.folder, "gone"), "VIGIE_HTTP_LISTEN="+page, "VIGIE_BROKER_OUTSIDE_CLIENT_ID=gone")}
	defer func() { err = errors.Join(err, gone.end()) }()
	for _, n := range []*node{t.node, gone} {
		if err := n.start(); err != nil {
			return r, err
		}
		if err := until(ctx, "both nodes to be ready", func() bool { return answers(ctx, "http://"+n.page+"/readyz") }); err != nil {
			return r, err
		}
	}
	t.crowd.allow(1, 2)
	if err := t.await(ctx, w.readings()/4); err != nil {
		return r, err
	}
	if err := gone.kill(); err != nil {
		return r, err
	}
	b.people.killed()
	t.crowd.allow(1, 1)
	if err := t.await(ctx, w.readings()); err != nil {
		return r, err
	}
	var got *record
	err = until(ctx, "what waited for the node that is gone", func() bool {
		got, err = recordOf(ctx, w, store)
		return err == nil && got.kept() >= w.readings()
	})
	if got == nil {
		return r, err // otherwise it is counted below
	}
	want, err := b.undisturbed(ctx, w)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.readings(t.crowd, got)
	j.rang(got, want)
	return row{counts: j.counts, times: 1, note: fmt.Sprintf("%d rules rang, two nodes, one killed for good", j.alarms)}, j.meant()
}
