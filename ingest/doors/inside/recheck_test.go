package inside_test

import (
	"context"
	"errors"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest/registry"
)

// A password that is given anew, since the device was lost, or taken over by somebody,
// is of no use to whoever is connected with the former one.
func TestADeviceWhosePasswordIsNoLongerRightIsDisconnected(t *testing.T) {
	s := begin(t)
	former, second, bystander := s.login("scale-1"), s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = "second" }), s.login("scale-2")
	if err := s.door.Recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	former.publish("scale-1", 1, 1, weight("a", start, 82))
	former.read() // nothing has changed

	reissued := registry.Registry{Devices: []registry.Device{{Name: "scale-1", Kind: "scale", Password: "another-password-of-scale-1"}}}
	if _, err := s.store.Import(context.Background(), &reissued, "a nurse", start); err != nil {
		t.Fatal(err)
	}
	away := errors.New("the database is away")
	s.store.fault.Store(&away)
	if err := s.door.Recheck(t.Context()); !errors.Is(err, away) || s.door.Figures().Connections != 3 {
		t.Errorf("while nobody can tell: %v, and %d connections, want all 3", err, s.door.Figures().Connections)
	}
	s.store.fault.Store(nil)
	if err := s.door.Recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*raw{former, second} {
		if err := r.ended(); err != nil {
			t.Error(err)
		}
	}
	bystander.publish("scale-2", 1, 1, weight("b", start, 82))
	bystander.read()
}
