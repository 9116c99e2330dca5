// Package conformance holds a broker to MQTT 3.1.1 and 5.0 with raw bytes: what no
// client library sends, and what the standards say becomes of it.
package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Broker is where to connect to, and as whom.
type Broker struct {
	Address          string // host:port
	Device, Password string
	Prefix           string // of its topics: "vigie/v1"
}

// Case is something sent, and what has to come back.
type Case struct {
	Name    string
	Version byte     // of MQTT, of the login before it: 4 or 5; 0 for no login
	Send    string   // raw bytes
	Want    []string // each a possible answer, as the bytes in hexadecimal begin; "" for none
	Open    bool     // whether the connection stays open afterwards
}

// Differs is a case that went otherwise.
type Differs struct {
	Case
	Got  string // bytes in hexadecimal
	Open bool
}

// String is one line about it.
func (d Differs) String() string {
	return fmt.Sprintf("%s: got %q, open %v; want %q, open %v", d.Name, d.Got, d.Open, d.Want, d.Case.Open)
}

// patience is how long an answer may take, and quiet how long nothing more has to come
// for an answer to be complete.
const (
	patience = 10 * time.Second
	quiet    = 50 * time.Millisecond
)

// Run tries every case on a connection of its own, and returns those that went
// otherwise. An error is about the broker as a whole: it cannot be reached.
func Run(b Broker) (tried int, differs []Differs, err error) {
	for i, c := range b.Cases() {
		got, open, err := b.try(c, fmt.Sprintf("raw-%d", i%4))
		if err != nil {
			return tried, differs, fmt.Errorf("%s: %w", c.Name, err)
		}
		tried++
		if !c.allows(got, open) {
			differs = append(differs, Differs{c, got, open})
		}
	}
	return tried, differs, nil
}

func (c Case) allows(got string, open bool) bool {
	if open != c.Open {
		return false
	}
	for _, want := range c.Want {
		if want == got || want != "" && strings.HasPrefix(got, want) {
			return true
		}
	}
	return false
}

// try sends one case and returns what came back.
func (b Broker) try(c Case, client string) (got string, open bool, err error) {
	conn, err := net.DialTimeout("tcp", b.Address, patience)
	if err != nil {
		return "", false, err
	}
	defer conn.Close()
	if c.Version != 0 {
		if _, err := io.WriteString(conn, b.Connect(c.Version, client)); err != nil {
			return "", false, err
		}
		if first, body, err := readPacket(conn); err != nil || first != 0x20 || body[1] != 0 {
			return "", false, fmt.Errorf("the login was answered %x %x: %w", first, body, err)
		}
	}
	if _, err := io.WriteString(conn, c.Send); err != nil {
		return "", false, nil // it hung up in the middle
	}
	return answer(conn, c)
}

// answer reads until the connection is closed, or stays quiet once enough has come.
func answer(conn net.Conn, c Case) (got string, open bool, err error) {
	var all []byte
	buffer := make([]byte, 4096)
	for {
		wait := patience
		if hex := fmt.Sprintf("%x", all); c.Open && c.allows(hex, true) {
			wait = quiet
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return "", false, err
		}
		n, err := conn.Read(buffer)
		all = append(all, buffer[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Sprintf("%x", all), true, nil
		}
		if err != nil {
			return fmt.Sprintf("%x", all), false, nil
		}
	}
}

func readPacket(conn net.Conn) (first byte, body []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	var head [2]byte // no answer to a login is longer than 127 bytes
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, head[1])
	_, err = io.ReadFull(conn, body)
	return head[0], body, err
}

// text is a string of MQTT: its length, then its bytes.
func text(s string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s }

// packet puts a first byte and a length in front of a body.
func packet(first byte, body string) string {
	return string(binary.AppendUvarint([]byte{first}, uint64(len(body)))) + body
}

// Connect is the login of the device.
func (b Broker) Connect(version byte, client string) string {
	return b.connect(version, 0xc2, "", client, "")
}

func (b Broker) connect(version, flags byte, properties, client, will string) string {
	body := text("MQTT") + string([]byte{version, flags, 0, 60})
	if version == 5 {
		body += packet5(properties)
	}
	return packet(0x10, body+text(client)+will+text(b.Device)+text(b.Password))
}

// packet5 is a list of properties with its length.
func packet5(properties string) string {
	return string(binary.AppendUvarint(nil, uint64(len(properties)))) + properties
}

// Topic is where the device publishes.
func (b Broker) Topic(kind string) string { return b.Prefix + "/" + b.Device + "/" + kind }

// Publish is a publication at QoS 1 of MQTT 3.1.1, with the packet id 1.
func Publish(topic, payload string) string { return packet(0x32, text(topic)+"\x00\x01"+payload) }
