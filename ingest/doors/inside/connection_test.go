package inside

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf8"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func TestPublicationsOfMQTT5HaveProperties(t *testing.T) {
	body := []byte("\x00\x01a\x00\x07\x02\x01\x01payload") // two bytes of properties
	for version, want := range map[byte]string{4: "\x02\x01\x01payload", 5: "payload"} {
		p, err := parsePublication(0x32, body, version)
		if err != nil || p.topic != "a" || p.id != 7 || p.qos != 1 || string(p.payload) != want {
			t.Errorf("version %d: %+v, %v", version, p, err)
		}
	}
	const correlated = "\x00\x01a\x00\x07\x06\x09\x00\x03m-7payload"
	if p, err := parsePublication(0x32, []byte(correlated), 5); err != nil || string(p.correlation) != "m-7" || string(p.payload) != "payload" {
		t.Errorf("with correlation data: %+v, %v", p, err)
	}
	for _, broken := range []string{"\x00\x01a\x00\x07", "\x00\x01a\x00\x07\x05ab", "\x00\x01a\x00\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if _, err := parsePublication(0x32, []byte(broken), 5); err == nil {
			t.Errorf("%q was taken for a publication", broken)
		}
	}
}

// What is taken off many connections together is what a library reads there.
func FuzzWholePublication(f *testing.F) {
	f.Add([]byte("\x32\x0c\x00\x01a\x00\x07payload\x30"), byte(4))
	f.Add([]byte("\x30\x08\x00\x01apay"), byte(4))
	f.Add([]byte("\x32\x0d\x00\x01a\x00\x07\x00payload"), byte(5))
	f.Add([]byte("\x30\x80\x80\x80\x01"), byte(5))
	f.Fuzz(func(t *testing.T, read []byte, version byte) {
		header, length := wholePublication(read, version)
		if header == 0 {
			return
		}
		p, err := parsePublication(read[0], read[header:header+length], version)
		if err != nil || version == 5 {
			return // who reads it again says why; the library does not speak MQTT 5
		}
		packet, err := packets.ReadPacket(bytes.NewReader(read))
		theirs, is := packet.(*packets.PublishPacket)
		if err != nil || !is {
			t.Fatalf("%x was taken off as %+v; the library: %v", read, p, err)
		}
		if p.topic != theirs.TopicName || p.qos != theirs.Qos || p.id != theirs.MessageID || !bytes.Equal(p.payload, theirs.Payload) {
			t.Fatalf("%x was taken off as %+v; the library reads %+v", read, p, theirs)
		}
	})
}

// FuzzPublication holds that whatever a device writes behind the header of a
// PUBLISH is refused or read exactly.
func FuzzPublication(f *testing.F) {
	f.Add(byte(0x32), []byte("\x00\x01a\x00\x07payload"), byte(4))
	f.Add(byte(0x30), []byte("\x00\x01apayload"), byte(4))
	f.Add(byte(0x35), []byte("\x00\x03a/b\x00\x07\x02\x01\x01payload"), byte(5))
	f.Add(byte(0x36), []byte{}, byte(5))
	f.Fuzz(func(t *testing.T, first byte, body []byte, version byte) {
		p, err := parsePublication(first, body, version)
		if err != nil {
			return
		}
		if p.qos > 2 || (p.qos > 0) != (p.id != 0) || !utf8.ValidString(p.topic) {
			t.Fatalf("read %+v", p)
		}
		if version == 5 {
			return // where the payload begins is up to the properties
		}
		again := binary.BigEndian.AppendUint16(nil, uint16(len(p.topic)))
		again = append(again, p.topic...)
		if p.qos > 0 {
			again = binary.BigEndian.AppendUint16(again, p.id)
		}
		if again = append(again, p.payload...); !bytes.Equal(again, body) {
			t.Fatalf("%q was read as %+v", body, p)
		}
	})
}
