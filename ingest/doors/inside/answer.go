package inside

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/ingest"
)

// done acknowledges a publication that is committed, and gives the connection up
// for one that is not.
func (c *connection) done(qos byte, id uint16, err error) {
	if err != nil {
		c.door.counters.failed.Add(1)
		if qos > 0 {
			c.giveUp(err)
		}
		return
	}
	c.door.counters.done.Add(1)
	switch qos {
	case 1:
		c.answer(packets.Puback, id)
	case 2:
		c.answer(packets.Pubrec, id)
	}
}

// A device that does not read what is written to it loses receipts first, and
// then its connection. What answers one large message has room all the same, as
// long as not too many devices are slow to read at once.
const (
	fewReceipts  = 64 << 10  // of a connection
	mostReceipts = 4 << 20   // of a connection, out of what all share
	allReceipts  = 64 << 20  // of all connections, those within the few included
	mostAnswers  = 512 << 10 // other than receipts
	writeTime    = 30 * time.Second
	writeSize    = 16 << 10 // that may take that long
	keptBuffer   = 16 << 10 // by an idle connection
)

// answer writes an acknowledgement.
func (c *connection) answer(kind byte, id uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has(4) {
		c.write([]byte{kind << 4, 2, byte(id >> 8), byte(id)})
	}
}

// has reports whether there is room for a packet of that size, other than a receipt. The
// connection is given up where there is none.
func (c *connection) has(size int) bool {
	if len(c.pending)-c.receipts+size <= mostAnswers {
		return true
	}
	c.giveUp(io.ErrShortWrite)
	return false
}

// pong answers a PINGREQ, and writes that itself: to wake somebody for it costs more than
// all the rest.
func (c *connection) pong() {
	c.mu.Lock()
	if !c.has(2) {
		c.mu.Unlock()
		return
	}
	c.pending = append(c.pending, packets.Pingresp<<4, 0)
	mine := !c.writer && c.door.startWriter()
	c.writer = c.writer || mine
	c.mu.Unlock()
	if mine {
		c.flushNow()
	}
}

// receipt writes one, and reports whether there was room.
func (c *connection) receipt(packet []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	size, pending := int64(len(packet)), c.receipts+len(packet)
	if pending > mostReceipts || pending > fewReceipts && c.door.receipts.Load()+size > allReceipts {
		return false
	}
	c.receipts += len(packet)
	c.door.receipts.Add(size)
	c.write(packet)
	return true
}

// write appends to what is to be written, under the lock, and starts to write it.
func (c *connection) write(packet []byte) {
	c.pending = append(c.pending, packet...)
	if c.writer || !c.door.startWriter() {
		return
	}
	c.writer = true
	if c.plain() {
		c.door.due.add(c)
		return
	}
	go c.flush()
}

// flush writes until nothing is pending. Many acknowledgements of one commit go
// out in one write.
func (c *connection) flush() {
	for packets, receipts := c.next(); len(packets) > 0; packets, receipts = c.next() {
		_, err := c.Write(packets)
		c.wrote(packets, receipts, err)
	}
	c.door.writers.Done()
}

// flushNow is flush for who cannot wait: a goroutine goes on where something has to.
func (c *connection) flushNow() {
	for packets, receipts := c.next(); len(packets) > 0; packets, receipts = c.next() {
		n, err, free := 0, error(nil), c.writing.TryLock()
		if free {
			n, err = c.socket.writeNow(packets)
		}
		if err == nil && n < len(packets) {
			go c.flushRest(packets, n, receipts, free)
			return
		}
		c.writing.Unlock()
		c.wrote(packets, receipts, err)
	}
	c.door.writers.Done()
}

// flushRest writes what is left of packets, of which the first n bytes are written, and
// then what is pending. Where it is held, the lock of writing has been since then.
func (c *connection) flushRest(packets []byte, n, receipts int, held bool) {
	if !held {
		c.writing.Lock()
	}
	_, err := c.writeAll(packets[n:])
	c.writing.Unlock()
	c.wrote(packets, receipts, err)
	c.flush()
}

// next takes what is pending, and how much of it are receipts. Where nothing is, nobody
// writes any more.
func (c *connection) next() (packets []byte, receipts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	packets, receipts = c.pending, c.receipts
	c.pending, c.spare, c.receipts = c.spare[:0], nil, 0
	if len(packets) == 0 {
		c.writer = false
		c.pending, c.spare = small(c.pending), small(packets)
	}
	return packets, receipts
}

// wrote notes what became of what next has given.
func (c *connection) wrote(packets []byte, receipts int, err error) {
	if err != nil {
		c.giveUp(err)
	}
	c.door.receipts.Add(-int64(receipts))
	c.mu.Lock()
	c.spare = packets
	c.mu.Unlock()
}

// small is a buffer that is worth keeping, or none.
func small(buffer []byte) []byte {
	if cap(buffer) > keptBuffer {
		return nil
	}
	return buffer
}

// Write is part of net.Conn. The broker writes whole packets, and so does flush. To
// devices of MQTT 3.1.1 it would write DISCONNECT, which they do not expect (section 3.14).
func (c *connection) Write(p []byte) (written int, err error) {
	if c.version != 5 && len(p) > 0 && p[0]>>4 == packets.Disconnect {
		return len(p), nil
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeAll(p)
}

// writeAll writes whole packets, or what is left of some, under the lock of writing.
func (c *connection) writeAll(p []byte) (written int, err error) {
	for err == nil && written < len(p) {
		var n int
		n, err = c.writeSome(p[written:min(len(p), written+writeSize)])
		written += n
	}
	return written, err
}

// writeSome writes what a slow device may take its time for.
func (c *connection) writeSome(p []byte) (int, error) {
	// What is left of an earlier deadline will do as long as it is half of it:
	// setting one with every write costs a twentieth of the write.
	if now := time.Now(); c.patience.Sub(now) < writeTime/2 {
		c.patience = now.Add(writeTime)
		if err := c.Conn.SetWriteDeadline(c.patience); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// sendReceipts publishes each receipt at QoS 0.
func (c *connection) sendReceipts(topic string, receipts []ingest.Receipt) error {
	for i := range receipts {
		payload, err := json.Marshal(&receipts[i])
		if err != nil {
			return err
		}
		packet := c.publish(topic, payload)
		if c.largest > 0 && len(packet) > int(c.largest) { // a device hangs up on it: MQTT 5.0, section 3.1.2.11.4
			c.door.counters.receiptsLost.Add(1)
			continue
		}
		if !c.receipt(packet) {
			c.door.counters.receiptsLost.Add(int64(len(receipts) - i))
			return nil
		}
	}
	return nil
}

// publish writes a PUBLISH packet at QoS 0.
func (c *connection) publish(topic string, payload []byte) []byte {
	length := 2 + len(topic) + len(payload)
	if c.version == 5 {
		length++
	}
	packet := make([]byte, 0, length+5)
	packet = append(packet, packets.Publish<<4)
	packet = binary.AppendUvarint(packet, uint64(length))
	packet = binary.BigEndian.AppendUint16(packet, uint16(len(topic)))
	packet = append(packet, topic...)
	if c.version == 5 {
		packet = append(packet, 0) // no properties
	}
	return append(packet, payload...)
}
