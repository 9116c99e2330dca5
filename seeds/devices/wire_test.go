package devices

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
)

// heard is a real broker that remembers how each message came.
type heard struct {
	mqtt.HookBase
	mu   sync.Mutex
	came map[string][]packets.Packet // by payload
}

func (*heard) ID() string { return "heard" }

func (*heard) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck || event == mqtt.OnPublish
}

func (*heard) OnConnectAuthenticate(_ *mqtt.Client, pk packets.Packet) bool {
	return string(pk.Connect.Password) == "right"
}

func (*heard) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

func (h *heard) OnPublish(_ *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.came[string(pk.Payload)] = append(h.came[string(pk.Payload)], pk)
	return pk, nil
}

// A connection breaks within a message, or before its acknowledgement: every message comes,
// and what comes twice says that it does, under the packet id that it had.
func TestAConnectionThatBreaksWhileItPublishes(t *testing.T) {
	h := &heard{came: map[string][]packets.Packet{}}
	_, address := servers.Hooked(t, h, nil)
	acknowledged := 0
	w, err := DialWire(t.Context(), Connection{Broker: "tcp://" + address, Device: "d", Password: "right", Window: 4, Acknowledged: func(int, time.Duration) { acknowledged++ }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const messages = 12
	cuts := []Cut{NoCut, NoCut, Within, NoCut, After, NoCut}
	for i := range messages {
		if err := w.PublishTo(t.Context(), "vigie/v1/d/readings", fmt.Append(nil, i), cuts[i%len(cuts)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if acknowledged != messages || w.Again() < 4 {
		t.Errorf("%d messages were acknowledged, %d sent again", acknowledged, w.Again())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range messages {
		came := h.came[fmt.Sprint(i)]
		cut := cuts[i%len(cuts)]
		if len(came) == 0 || cut == Within && !came[0].FixedHeader.Dup {
			t.Errorf("message %d (%q) came %d times", i, cut, len(came))
		}
		for n, pk := range came[min(1, len(came)):] {
			if !pk.FixedHeader.Dup || pk.PacketID != came[0].PacketID {
				t.Errorf("message %d came again (%d) as %+v", i, n+1, pk.FixedHeader)
			}
		}
	}
}

func TestAWireThatIsRefusedOrHasNoBroker(t *testing.T) {
	_, address := servers.Hooked(t, &heard{came: map[string][]packets.Packet{}}, nil)
	if _, err := DialWire(t.Context(), Connection{Broker: "tcp://" + address, Device: "d", Password: "wrong"}); !errors.Is(err, ErrRefused) {
		t.Errorf("a wrong password: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := DialWire(ctx, Connection{Broker: "tcp://127.0.0.1:1", Device: "d", Trouble: func(error) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("no broker: %v", err)
	}
}
