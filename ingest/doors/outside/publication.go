package outside

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// publishPacket is the type of a PUBLISH, MQTT 3.1.1, section 2.2.1.
const publishPacket = 3

// publication is what a PUBLISH packet carries.
type publication struct {
	topic    string
	id       uint16 // 0 at QoS 0
	qos      byte
	retained bool
	payload  []byte
}

var errMalformed = errors.New("the broker sends what is not MQTT")

// parsePublication reads a PUBLISH behind its fixed header, MQTT 3.1.1, section 3.3.
func parsePublication(first byte, body []byte) (p publication, err error) {
	p.qos, p.retained = first>>1&3, first&1 != 0
	if len(body) < 2 || p.qos > 2 {
		return p, errMalformed
	}
	length := int(binary.BigEndian.Uint16(body))
	if body = body[2:]; length > len(body) {
		return p, errMalformed
	}
	p.topic, body = string(body[:length]), body[length:]
	if p.qos > 0 {
		if len(body) < 2 {
			return p, errMalformed
		}
		p.id, body = binary.BigEndian.Uint16(body), body[2:]
	}
	p.payload = body
	return p, nil
}

// gatherer reads from a busy connection seldom, and much at a time. A read costs more
// than all that is done with a reading, and a broker writes each publication by itself:
// whoever waits for a millisecond finds several. Where little comes, nothing waits.
type gatherer struct {
	io.Reader
	last   time.Time // when the last read returned
	stream bool      // it returned soon after the one before, and took all that was there
}

const (
	gatherFor  = time.Millisecond
	gatherFrom = 4 * gatherFor // reads that come so soon one after another tell of a stream
)

func (g *gatherer) Read(p []byte) (int, error) {
	if g.stream {
		time.Sleep(gatherFor)
	}
	n, err := g.Reader.Read(p)
	now := time.Now()
	g.stream = now.Sub(g.last) < gatherFrom && n < len(p)
	g.last = now
	return n, err
}
