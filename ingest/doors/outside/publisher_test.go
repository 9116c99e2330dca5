package outside_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// publisher is a device that counts its own acknowledgements, which no client
// library does honestly across reconnections.
type publisher struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	next uint16
}

func connect(t testing.TB, address, user, password string, change ...func(*packets.ConnectPacket)) *publisher {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &publisher{t: t, conn: conn, in: bufio.NewReader(conn)}
	c := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	c.ProtocolName, c.ProtocolVersion, c.CleanSession, c.ClientIdentifier = "MQTT", 4, true, fmt.Sprintf("test-%p", p)
	c.UsernameFlag, c.Username, c.PasswordFlag, c.Password = user != "", user, user != "", []byte(password)
	for _, f := range change {
		f(c)
	}
	p.write(c)
	if ack := p.read().(*packets.ConnackPacket); ack.ReturnCode != 0 {
		t.Fatalf("the broker refuses the connection: %d", ack.ReturnCode)
	}
	return p
}

func (p *publisher) write(c packets.ControlPacket) {
	p.t.Helper()
	if err := c.Write(p.conn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *publisher) read() packets.ControlPacket {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	c, err := packets.ReadPacket(p.in)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// send publishes at QoS 1 without waiting.
func (p *publisher) send(topic, payload string) {
	p.t.Helper()
	p.next = p.next%60000 + 1 // 0 is not a packet id
	c := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	c.TopicName, c.Payload, c.Qos, c.MessageID = topic, []byte(payload), 1, p.next
	p.write(c)
}

// publish publishes once, in one of the ways there are.
func (p *publisher) publish(topic, payload string, qos byte, id uint16, again bool) {
	p.t.Helper()
	c := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	c.TopicName, c.Payload, c.Qos, c.MessageID, c.Dup = topic, []byte(payload), qos, id, again
	p.write(c)
}

// acknowledged waits for n acknowledgements.
func (p *publisher) acknowledged(n int) {
	p.t.Helper()
	for range n {
		if _, ok := p.read().(*packets.PubackPacket); !ok {
			p.t.Fatal("not an acknowledgement")
		}
	}
}

func (p *publisher) subscribe(filter string) {
	p.t.Helper()
	c := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	c.MessageID, c.Topics, c.Qoss = 1, []string{filter}, []byte{1}
	p.write(c)
	if ack := p.read().(*packets.SubackPacket); ack.ReturnCodes[0] > 2 {
		p.t.Fatalf("the broker refuses the subscription to %s", filter)
	}
}
