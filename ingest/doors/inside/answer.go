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
		c.write([]byte{packets.Puback << 4, 2, byte(id >> 8), byte(id)}, mostPending)
	case 2:
		c.write([]byte{packets.Pubrec << 4, 2, byte(id >> 8), byte(id)}, mostPending)
	}
}

// A device that does not read what is written to it loses receipts first, and
// then its connection.
const (
	mostReceipts = 64 << 10
	mostPending  = 512 << 10
	writeTime    = 30 * time.Second
)

// write appends to what is to be written, and starts to write it. It reports
// whether there was room.
func (c *connection) write(packet []byte, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending)+len(packet) > most {
		if most == mostPending {
			c.giveUp(io.ErrShortWrite)
		}
		return false
	}
	c.pending = append(c.pending, packet...)
	if !c.writer && c.door.startWriter() {
		c.writer = true
		go c.flush()
	}
	return true
}

// flush writes until nothing is pending. Many acknowledgements of one commit go
// out in one write.
func (c *connection) flush() {
	defer c.door.writers.Done()
	for {
		c.mu.Lock()
		packets := c.pending
		c.pending, c.spare = c.spare[:0], nil
		if len(packets) == 0 {
			c.writer = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if _, err := c.Write(packets); err != nil {
			c.giveUp(err)
		}
		c.mu.Lock()
		c.spare = packets
		c.mu.Unlock()
	}
}

// Write is part of net.Conn. The broker writes whole packets, and so does flush.
func (c *connection) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
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
		if !c.write(c.publish(topic, payload), mostReceipts) {
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
