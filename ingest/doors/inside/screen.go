package inside

import (
	"encoding/binary"

	"github.com/mochi-mqtt/server/v2/packets"
)

// screened reports whether a packet that goes to the broker is looked at before: the
// library takes some for good that the standards refuse.
func screened(kind byte) bool {
	return kind == packets.Connect || kind == packets.Subscribe || kind == packets.Unsubscribe
}

// screen returns a fault for what the library would not refuse in the body of a packet.
// What cannot be read at all is left to the library.
func screen(kind byte, body []byte, version byte) error {
	r := reader{body, nil}
	if kind == packets.Connect {
		return screenConnect(&r)
	}
	r.take(2) // the packet id
	if version != 5 || r.broken != nil {
		return nil
	}
	if err := r.properties(kind); err != nil || kind != packets.Subscribe {
		return err
	}
	for r.broken == nil && len(r.rest) > 0 {
		r.text()
		const reserved, retainHandling = 0xc0, 0x30 // MQTT 5.0, section 3.8.3.1
		if options := r.byte(); r.broken == nil && (options&reserved != 0 || options&retainHandling == retainHandling) {
			return fault{packets.ErrProtocolViolation}
		}
	}
	return r.broken
}

func screenConnect(r *reader) error {
	r.text() // the name of the protocol
	version, flags := r.byte(), r.byte()
	r.take(2) // the keep-alive
	const will, willQoS, password, user = 0x04, 0x18, 0x40, 0x80
	if r.broken != nil || version != 4 && version != 5 {
		return nil // the library refuses it, and says that it does not know the version
	}
	if flags&will == 0 && flags&willQoS != 0 {
		return fault{packets.ErrMalformedFlags}
	}
	if version == 5 {
		if err := r.properties(packets.Connect); err != nil {
			return err
		}
	}
	r.text() // the client id
	if flags&will != 0 {
		if version == 5 {
			if err := r.properties(packets.WillProperties); err != nil {
				return err
			}
		}
		r.text()
		r.text()
	}
	for _, flag := range []byte{user, password} {
		if flags&flag != 0 {
			r.text()
		}
	}
	if r.broken == nil && len(r.rest) > 0 {
		return fault{packets.ErrMalformedPacket}
	}
	return r.broken
}

// reader takes a packet apart. The first thing that is not there breaks it.
type reader struct {
	rest   []byte
	broken error
}

func (r *reader) take(n int) []byte {
	if r.broken != nil || n > len(r.rest) {
		r.broken = fault{packets.ErrMalformedPacket}
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if taken := r.take(1); taken != nil {
		return taken[0]
	}
	return 0
}

// text is a string, or bytes, with its length in front.
func (r *reader) text() []byte {
	length := r.take(2)
	if length == nil {
		return nil
	}
	return r.take(int(binary.BigEndian.Uint16(length)))
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || size > 4 {
		r.broken = fault{packets.ErrMalformedPacket}
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// shape is how the value of a property is written.
type shape byte

const (
	aByte shape = iota
	twoBytes
	fourBytes
	aNumber
	aText
	aPair
)

// property is one of MQTT 5 that a device may send in what is screened (section 2.2.2.2).
type property struct {
	shape   shape
	in      string // the packets that may have it
	many    bool   // it may come more than once
	notZero bool
	yesNo   bool
}

const (
	inConnect     = string(packets.Connect)
	inWill        = string(packets.WillProperties)
	inSubscribe   = string(packets.Subscribe)
	inUnsubscribe = string(packets.Unsubscribe)
)

var properties = map[byte]property{
	packets.PropPayloadFormat:          {shape: aByte, in: inWill, yesNo: true},
	packets.PropMessageExpiryInterval:  {shape: fourBytes, in: inWill},
	packets.PropContentType:            {shape: aText, in: inWill},
	packets.PropResponseTopic:          {shape: aText, in: inWill},
	packets.PropCorrelationData:        {shape: aText, in: inWill},
	packets.PropWillDelayInterval:      {shape: fourBytes, in: inWill},
	packets.PropSubscriptionIdentifier: {shape: aNumber, in: inSubscribe, notZero: true},
	packets.PropSessionExpiryInterval:  {shape: fourBytes, in: inConnect},
	packets.PropAuthenticationMethod:   {shape: aText, in: inConnect},
	packets.PropAuthenticationData:     {shape: aText, in: inConnect},
	packets.PropRequestProblemInfo:     {shape: aByte, in: inConnect, yesNo: true},
	packets.PropRequestResponseInfo:    {shape: aByte, in: inConnect, yesNo: true},
	packets.PropReceiveMaximum:         {shape: twoBytes, in: inConnect, notZero: true},
	packets.PropTopicAliasMaximum:      {shape: twoBytes, in: inConnect},
	packets.PropMaximumPacketSize:      {shape: fourBytes, in: inConnect, notZero: true},
	packets.PropUser:                   {shape: aPair, in: inConnect + inWill + inSubscribe + inUnsubscribe, many: true},
}

// properties reads over the properties of a packet.
func (r *reader) properties(kind byte) error {
	list := reader{r.take(int(r.number())), r.broken}
	var seen [256]bool
	for list.broken == nil && len(list.rest) > 0 {
		id := list.byte()
		p, known := properties[id]
		switch {
		case !known, !contains(p.in, kind):
			return fault{packets.ErrMalformedPacket}
		case seen[id] && !p.many:
			return fault{packets.ErrProtocolViolation}
		}
		seen[id] = true
		value := list.value(p.shape)
		if list.broken == nil && (p.notZero && value == 0 || p.yesNo && value > 1) {
			return fault{packets.ErrProtocolViolation}
		}
	}
	return list.broken
}

func contains(kinds string, kind byte) bool {
	for i := range len(kinds) {
		if kinds[i] == kind {
			return true
		}
	}
	return false
}

// value reads over the value of a property, and returns it where it is a number.
func (r *reader) value(s shape) uint64 {
	switch s {
	case aByte:
		return uint64(r.byte())
	case twoBytes:
		if taken := r.take(2); taken != nil {
			return uint64(binary.BigEndian.Uint16(taken))
		}
	case fourBytes:
		if taken := r.take(4); taken != nil {
			return uint64(binary.BigEndian.Uint32(taken))
		}
	case aNumber:
		return r.number()
	case aPair:
		r.text()
		r.text()
	case aText:
		r.text()
	}
	return 0
}
