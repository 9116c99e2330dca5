package inside_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/doors/inside"
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

// A week of a glucose sensor in one message is answered to its end.
func TestEveryReadingOfALargeMessageIsAnswered(t *testing.T) {
	s := begin(t)
	d := s.connect("scale-1")
	const count = 2016
	readings := make([]string, count)
	for i := range readings {
		readings[i] = weight(fmt.Sprintf("018f6f2c-5b1e-7cc3-9d2f-%012d", i), start.Add(-time.Duration(i)*5*time.Minute), 82)
	}
	readings[count-1] = weight("the last", start, 820)
	d.send("[" + strings.Join(readings, ",") + "]")
	for i := range count - 1 {
		if got, want := d.receipt(), fmt.Sprintf("018f6f2c-5b1e-7cc3-9d2f-%012d accepted", i); got != want {
			t.Fatalf("receipt %d is %q, want %q", i+1, got, want)
		}
	}
	expect(t, "what is refused", d.receipt(), "the last set-aside implausible")
	expect(t, "receipts lost", s.door.Figures().ReceiptsLost, int64(0))
}

// MQTT 5 lets a device say how much it takes; it hangs up on more.
func TestReceiptsAreNoLargerThanTheDeviceTakes(t *testing.T) {
	s := begin(t)
	h := s.login5("scale-1", "x", "\x05\x27\x00\x00\x00\x64", "") // 100 bytes
	h.send(packet(0x82, "\x00\x01\x00"+text("vigie/v1/scale-1/receipts")+"\x00"))
	h.packet()
	for i, kg := range []float64{820, 82} { // the first is answered at length
		h.send(packet(0x32, text("vigie/v1/scale-1/readings")+"\x00"+string(rune('\x01'+i))+"\x00"+weight(fmt.Sprint(i), start, kg)))
		if first, _ := h.packet(); first != 0x40 {
			t.Fatalf("a publication was answered with %x", first)
		}
	}
	if first, body := h.packet(); first != 0x30 || !strings.Contains(body, `{"id":"1","verdict":"accepted"}`) {
		t.Errorf("got %x %q", first, body)
	}
	expect(t, "receipts lost", s.door.Figures().ReceiptsLost, int64(1))
}

// A device that comes under another name each time, and wants each to be kept,
// would fill the memory.
func TestSessionsOfADeviceAreBounded(t *testing.T) {
	s := begin(t)
	s.visit("first")
	if !s.visit("first") {
		t.Error("a session is not kept")
	}
	// One that has just ended counts until the broker has noticed.
	eventually(t, "the oldest session is forgotten", func() bool {
		for i := range 20 {
			s.visit(fmt.Sprint(i))
		}
		if !s.visit("19") || !s.visit("15") {
			t.Error("the last sessions are not kept")
		}
		return !s.visit("first")
	})
}

func TestASessionEndsWhenNobodyComesBackForAnHour(t *testing.T) {
	s := begin(t)
	s.visit("first")
	s.door.EndSessions(time.Now().Add(59 * time.Minute))
	if !s.visit("first") {
		t.Error("a session is not kept for an hour")
	}
	// One that has just ended counts until the broker has noticed.
	eventually(t, "the session is forgotten after an hour", func() bool {
		s.door.EndSessions(time.Now().Add(61 * time.Minute))
		return !s.visit("first")
	})
}

// visit connects scale-1 for a moment under a client id whose session is to be kept, and
// returns whether there was one.
func (s *service) visit(client string) (present bool) {
	s.t.Helper()
	h := hand{s.dial()}
	h.send(packet(0x10, text("MQTT")+"\x04\xc0\x00\x3c"+text(client)+text("scale-1")+text("password-of-scale-1")))
	_, body := h.packet()
	h.send("\xe0\x00")
	if err := h.ended(); err != nil {
		s.t.Error(err)
	}
	eventually(s.t, "the connection is gone", func() bool { return s.door.Figures().Connections == 0 })
	return body[0] == 1
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

// Whoever opens connections and says nothing takes up no room that a device needs.
func TestSilentConnectionsKeepNoDeviceOut(t *testing.T) {
	listener, err := inside.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	const most = 4
	door, err := inside.Open(inside.Options{
		Listener: listener, Prefix: "vigie/v1", Connections: most,
		Authenticate: func(context.Context, string, string) (bool, error) { return true, nil },
	}, func(_ context.Context, m ingest.Message) { m.Done(nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	s := &service{t: t, addr: door.Addr().String()}
	for range most {
		s.dial()
	}
	eventually(t, "all places are taken", func() bool { return door.Figures().Connections == most })
	soon := time.Now().Add(10 * time.Second) // half of what anybody may take to say who it is
	for i := range most {
		eventually(t, "a device is let in", func() bool {
			if time.Now().After(soon) {
				t.Fatal("devices wait until the silent connections have timed out")
			}
			device := s.dial()
			if _, err := io.WriteString(device.conn, connect5(fmt.Sprint("scale-", i), "x", "\x00", "")); err != nil {
				return false
			}
			_, err := device.next()
			return err == nil
		})
	}
	if _, err := s.dial().next(); err == nil {
		t.Error("a stranger took the place of a device")
	}
}
