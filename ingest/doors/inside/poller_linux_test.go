package inside_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
	"vigie/ingest/doors/inside"
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

// Signs of life are answered wherever they stand among publications, and a device that asks
// without end and reads no answer loses its connection, not the service its memory.
func TestSignsOfLifeAreAnsweredAmongPublications(t *testing.T) {
	s := begin(t)
	before := runtime.NumGoroutine()
	d := s.login("scale-1")
	eventually(t, "nobody waits at it", func() bool { return runtime.NumGoroutine() <= before })
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID, p.Payload = "vigie/v1/scale-1/readings", 1, 7, []byte(weight("1", start, 82))
	ping := packets.NewControlPacket(packets.Pingreq)
	var all bytes.Buffer
	for _, packet := range []packets.ControlPacket{ping, p, ping, ping} {
		if err := packet.Write(&all); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.conn.Write(all.Bytes()); err != nil {
		t.Fatal(err)
	}
	pongs, acknowledged := 0, 0
	for range 4 {
		switch d.read().(type) {
		case *packets.PingrespPacket:
			pongs++
		case *packets.PubackPacket:
			acknowledged++
		}
	}
	if pongs != 3 || acknowledged != 1 {
		t.Errorf("%d of 3 signs of life and %d of 1 publication answered", pongs, acknowledged)
	}
	flood := bytes.Repeat([]byte{packets.Pingreq << 4, 0}, 32<<10)
	for range 1000 { // 64 MiB of answers
		if _, err := d.conn.Write(flood); err != nil {
			return
		}
	}
	t.Error("who reads no answer may ask without end")
}

// What goes over TLS comes in records of its own, and nobody waits for them either.
func TestNobodyWaitsAtAnIdleConnectionWithTLS(t *testing.T) {
	s := begin(t)
	s.openAnother(inside.Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, Offer: s.pipeline.Offer})
	before := runtime.NumGoroutine()
	d := s.dial()
	d.conn = tls.Client(d.conn, &tls.Config{InsecureSkipVerify: true})
	s.greet(d, "scale-1")
	for id := range uint16(3) {
		eventually(t, "nobody waits at it", func() bool { return runtime.NumGoroutine() <= before })
		d.publish("scale-1", 1, id+1, weight(fmt.Sprint(id), start.Add(time.Duration(id)*time.Minute), 82)+strings.Repeat(" ", int(id)*20_000))
		if ack, ok := d.read().(*packets.PubackPacket); !ok || ack.MessageID != id+1 {
			t.Errorf("publication %d: %+v", id+1, ack)
		}
	}
}

// openAnother opens one more door and has devices come by it.
func (s *service) openAnother(o inside.Options) {
	s.t.Helper()
	listener, err := inside.Listen("127.0.0.1:0", false)
	if err != nil {
		s.t.Fatal(err)
	}
	o.Listener, o.Prefix, o.Now, o.Authenticate = listener, "vigie/v1", s.now, inside.Credentials(s.store)
	door, err := inside.Open(o, s.pipeline.Submit)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := door.Close(); err != nil {
			s.t.Error(err)
		}
	})
	s.addr = door.Addr().String()
}

// A publication that its reader cannot bear ends the connection that it came by. The
// devices beside it are heard.
func TestWhatCannotBeBorneEndsOneConnection(t *testing.T) {
	s := begin(t)
	s.openAnother(inside.Options{Offer: func(m ingest.Message) func(context.Context) {
		if string(m.Payload) == "unbearable" {
			panic("a decoder has a fault")
		}
		return s.pipeline.Offer(m)
	}})
	before := runtime.NumGoroutine()
	as := func(id string) func(*packets.ConnectPacket) {
		return func(c *packets.ConnectPacket) { c.ClientIdentifier = id }
	}
	hostile, other := s.login("scale-1", as("hostile")), s.login("scale-1", as("other"))
	eventually(t, "nobody waits at them", func() bool { return runtime.NumGoroutine() <= before })
	hostile.publish("scale-1", 1, 1, "unbearable")
	if err := hostile.ended(); err != nil {
		t.Errorf("the connection that it came by: %v", err)
	}
	other.publish("scale-1", 1, 2, weight("1", start, 82))
	if ack, ok := other.read().(*packets.PubackPacket); !ok || ack.MessageID != 2 {
		t.Errorf("beside it: %+v", ack)
	}
}

// certificate is one that nobody trusts.
func certificate(t *testing.T) tls.Certificate {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
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
