package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The packets of MQTT 3.1.1 that a publisher needs, section 2.2.1.
const (
	connackPacket = 2
	publishPacket = 3
	pubackPacket  = 4
	subackPacket  = 9
	pongPacket    = 13
)

// maxPacket bounds what is read from a broker.
const maxPacket = 16 << 20

// ping is a PINGREQ.
var ping = []byte{0xC0, 0}

// appendConnect appends a CONNECT with a clean session. The keep-alive is in seconds; 0 for none.
func appendConnect(dst []byte, client, user, password string, keepAlive uint16) []byte {
	const flags = 1<<7 | 1<<6 | 1<<1 // user name, password, clean session
	body := 10 + 2 + len(client) + 2 + len(user) + 2 + len(password)
	dst = appendLength(append(dst, 0x10), body)
	dst = appendString(dst, "MQTT")
	dst = binary.BigEndian.AppendUint16(append(dst, 4, flags), keepAlive)
	dst = appendString(dst, client)
	dst = appendString(dst, user)
	return appendString(dst, password)
}

// appendPublish appends a PUBLISH of QoS 1. Its packet id stands at the returned
// offset, so that the packet can be built once and sent under any id.
func appendPublish(dst []byte, topic string, payload []byte, id uint16) []byte {
	dst = appendLength(append(dst, 0x32), 2+len(topic)+2+len(payload))
	dst = appendString(dst, topic)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return append(dst, payload...)
}

// appendSubscribe appends a SUBSCRIBE of QoS 0 to one topic.
func appendSubscribe(dst []byte, topic string) []byte {
	dst = appendLength(append(dst, 0x82), 2+2+len(topic)+1)
	dst = append(dst, 0, 1)
	return append(appendString(dst, topic), 0)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// packet is one packet from the broker. Its body is valid until the next one.
type packet struct {
	kind byte
	body []byte
}

// readPacket reads one packet into buffer, which it may replace by a larger one.
func readPacket(r *bufio.Reader, buffer *[]byte) (packet, error) {
	header, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	length, err := binary.ReadUvarint(r) // the remaining length is written the same way
	if err != nil {
		return packet{}, err
	}
	if length > maxPacket {
		return packet{}, fmt.Errorf("the broker sends a packet of %d bytes", length)
	}
	if int(length) > cap(*buffer) {
		*buffer = make([]byte, length)
	}
	body := (*buffer)[:length]
	_, err = io.ReadFull(r, body)
	return packet{header >> 4, body}, err
}

// errNoConnack and the others say what is wrong with a broker's answer.
var errNoConnack = errors.New("the broker answers a connection with something else than CONNACK")

// refusals are the return codes of CONNACK, section 3.2.2.3.
var refusals = []string{"", "it does not speak MQTT 3.1.1", "it does not want this client id", "it is not available", "user name or password are malformed", "user name or password are wrong"}

// accepted reads the answer to a CONNECT.
func accepted(r *bufio.Reader, buffer *[]byte) error {
	p, err := readPacket(r, buffer)
	if err != nil {
		return fmt.Errorf("waiting for the broker's answer: %w", err)
	}
	if p.kind != connackPacket || len(p.body) != 2 {
		return errNoConnack
	}
	if code := int(p.body[1]); code != 0 {
		if code < len(refusals) {
			return fmt.Errorf("the broker refuses the connection: %s", refusals[code])
		}
		return fmt.Errorf("the broker refuses the connection with code %d", code)
	}
	return nil
}

// publishBody splits the body of a QoS 0 PUBLISH.
func publishBody(body []byte) (topic string, payload []byte, ok bool) {
	if len(body) < 2 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body) < 2+n {
		return "", nil, false
	}
	return string(body[2 : 2+n]), body[2+n:], true
}
