package devices

import (
	"encoding/binary"
	"net"
)

// tap reads along on a connection and reports every PUBACK that really came.
//
// The library's own tokens cannot be trusted with that: after a reconnection a
// token may report success for a message that nobody has acknowledged yet.
type tap struct {
	net.Conn
	acknowledged func(id uint16)
	frames       frames
}

// Read reads from the connection.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.frames.read(b[:n], t.acknowledged)
	return n, err
}

// frames follows a stream of MQTT packets, whatever pieces it comes in.
type frames struct {
	state  frameState
	kind   byte
	left   int // bytes of the packet that are still to come
	shift  int
	id     [2]byte
	idRead int
}

type frameState uint8

const (
	atHeader frameState = iota
	atLength
	inBody
)

const puback = 4 // packet type, MQTT 3.1.1 section 2.2.1

func (f *frames) read(b []byte, acknowledged func(id uint16)) {
	for len(b) > 0 {
		switch f.state {
		case atHeader:
			f.kind, f.state, f.left, f.shift, f.idRead = b[0]>>4, atLength, 0, 0, 0
			b = b[1:]
		case atLength:
			f.left |= int(b[0]&0x7f) << f.shift
			f.shift += 7
			if b[0]&0x80 == 0 {
				f.state = inBody
			}
			b = b[1:]
		case inBody:
			n := min(f.left, len(b))
			f.idRead += copy(f.id[f.idRead:], b[:n])
			f.left -= n
			b = b[n:]
		}
		if f.state == inBody && f.left == 0 {
			if f.kind == puback && f.idRead == 2 {
				acknowledged(binary.BigEndian.Uint16(f.id[:]))
			}
			f.state = atHeader
		}
	}
}
