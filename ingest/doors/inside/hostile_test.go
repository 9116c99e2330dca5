package inside_test

import (
	"encoding/binary"
	"io"

	"testing"
	"time"
)

// hand writes the bytes of packets by hand, for what no client library would send.
type hand struct{ *raw }

// text is a string of MQTT: its length, then its bytes.
func text(s string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s }

// packet puts a first byte and a length in front of a body.
func packet(first byte, body string) string {
	return string(binary.AppendUvarint([]byte{first}, uint64(len(body)))) + body
}

// connect5 is a CONNECT of MQTT 5 with those properties, and a last will where
// there is one.
func connect5(name, client, properties, will string) string {
	flags := byte(0xc2)
	if will != "" {
		flags |= 4
		will = "\x00" + text("vigie/v1/"+name+"/status") + text(will)
	}
	return packet(0x10, text("MQTT")+string([]byte{5, flags, 0, 60})+properties+text(client)+will+text(name)+text("password-of-"+name))
}

// send writes bytes as they are.
func (h hand) send(bytes string) {
	h.t.Helper()
	if _, err := io.WriteString(h.conn, bytes); err != nil {
		h.t.Fatal(err)
	}
}

// take reads so many bytes.
func (h hand) take(n int) string {
	h.t.Helper()
	got := make([]byte, n)
	if err := h.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	if n, err := io.ReadFull(h.conn, got); err != nil {
		h.t.Fatalf("after %x: %v", got[:n], err)
	}
	return string(got)
}

// packet reads one packet.
func (h hand) packet() (first byte, body string) {
	h.t.Helper()
	first = h.take(1)[0]
	length, shift := 0, 0
	for {
		b := h.take(1)[0]
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			return first, h.take(length)
		}
		shift += 7
	}
}

// login5 connects as a device over MQTT 5.
func (s *service) login5(name, client, properties, will string) hand {
	s.t.Helper()
	h := hand{s.dial()}
	h.send(connect5(name, client, properties, will))
	if first, body := h.packet(); first != 0x20 || body[1] != 0 {
		s.t.Fatalf("the connection was refused: %x %x", first, body)
	}
	return h
}

// The decoder of the broker reads beyond the end of some packets. Nobody but their
// sender may notice.
func TestPacketCutShortEndsItsOwnConnectionOnly(t *testing.T) {
	s := begin(t)
	bystander := s.connect("scale-2")
	for name, rest := range map[string]string{
		"a subscription without options":    packet(0x82, "\x00\x01\x00"+text("vigie/v1/scale-1/receipts")),
		"a subscription of nothing":         packet(0x82, "\x00\x01\x00"),
		"properties beyond the end":         packet(0x82, "\x00\x01\x7f"),
		"an end of subscription without id": packet(0xa2, "\x00"),
	} {
		h := s.login5("scale-1", "x", "\x00", `{"online":false}`)
		h.send(rest)
		if err := h.ended(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	eventually(t, "the last will counts", func() bool { status, known := s.status("scale-1"); return known && !status.Online })
	bystander.send(weight("b", start, 82))
	expect(t, "receipt of the other", bystander.receipt(), "b accepted")
	s.connect("scale-1").send(weight("a", start, 82))
}
