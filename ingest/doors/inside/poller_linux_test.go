package inside_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Whoever only stays connected needs no goroutine, and is heard all the same.
func TestNobodyWaitsAtAnIdleConnection(t *testing.T) {
	s := begin(t)
	const many = 8 // of one device
	before := runtime.NumGoroutine()
	var all []*raw
	for i := range many {
		all = append(all, s.login("scale-1", func(c *packets.ConnectPacket) { c.ClientIdentifier = fmt.Sprint(i) }))
	}
	eventually(t, "nobody waits at them", func() bool { return runtime.NumGoroutine() <= before })
	for i, d := range all {
		d.publish("scale-1", 1, uint16(i+1), weight(fmt.Sprint(i), start.Add(time.Duration(i)*time.Minute), 82))
		if ack, ok := d.read().(*packets.PubackPacket); !ok || ack.MessageID != uint16(i+1) {
			t.Errorf("connection %d: %+v", i, ack)
		}
		d.write(packets.NewControlPacket(packets.Pingreq))
		if _, ok := d.read().(*packets.PingrespPacket); !ok {
			t.Errorf("connection %d: no answer to a PINGREQ", i)
		}
	}
	eventually(t, "nobody waits at them again", func() bool { return runtime.NumGoroutine() <= before })
}

// A publication may come in pieces, and together with those before and behind it.
func TestAPublicationMayComeInPieces(t *testing.T) {
	s := begin(t)
	d := s.login("scale-1")
	var bytes bytes.Buffer
	for id := range uint16(4) {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Qos, p.MessageID, p.Payload = "vigie/v1/scale-1/readings", 1, id+1, []byte(weight(fmt.Sprint(id), start.Add(time.Duration(id)*time.Minute), 82))
		if err := p.Write(&bytes); err != nil {
			t.Fatal(err)
		}
	}
	each := bytes.Len() / 4
	for id, more := range []int{1, 2, each / 2, 0} { // bytes of the next, which are read before it is sent on
		if _, err := d.conn.Write(bytes.Next(bytes.Len() - (3-id)*each + more)); err != nil {
			t.Fatal(err)
		}
		if ack, ok := d.read().(*packets.PubackPacket); !ok || int(ack.MessageID) != id+1 {
			t.Errorf("publication %d: %+v", id+1, ack)
		}
	}
}
