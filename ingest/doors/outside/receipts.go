package outside

import (
	"bytes"
	"encoding/json"
	"math"
	"sync/atomic"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
)

// Wanted reports whether receipts are published at all: a broker outside does
// not tell who listens.
func (d *Door) Wanted(string) bool { return !d.options.NoReceipts }

// Send publishes receipts to a device, one message each, at QoS 0. It does not
// wait: receipts that the broker does not take at once are counted and given up.
func (d *Door) Send(device string, receipts []ingest.Receipt) {
	if d.options.NoReceipts || len(receipts) == 0 {
		return
	}
	topic := ingest.Topic(d.options.Prefix, device, ingest.ReceiptsTopic)
	if len(topic) > math.MaxUint16 { // what came under "status" may have had the longest there is
		d.counters.receiptsLost.Add(int64(len(receipts)))
		return
	}
	var written bytes.Buffer
	for i := range receipts {
		payload, err := json.Marshal(&receipts[i])
		if err != nil {
			d.options.Log.Error("a receipt cannot be written", "device", device, "error", err)
			return
		}
		publication := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		publication.TopicName = topic
		publication.Payload = payload
		if err := publication.Write(&written); err != nil {
			d.options.Log.Error("a receipt cannot be written", "device", device, "error", err)
			return
		}
	}
	if !d.sessions[0].link.Load().offer(written.Bytes()) {
		d.counters.receiptsLost.Add(int64(len(receipts)))
	}
}

type counters struct {
	received, done, failed, reconnects, forgotten, receiptsLost atomic.Int64
}

// Figures count what went through the door since it was opened.
type Figures struct {
	Received     int64 // messages, those sent again included
	Done         int64 // acknowledged
	Failed       int64 // not kept; the broker sends them again
	InFlight     int   // received and not done with
	Reconnects   int64
	Forgotten    int64 // times the broker had lost a session that it should have kept
	ReceiptsLost int64 // not taken by the broker
	Canaries     int64 // sent, to see whether the broker delivers
}

// Figures returns the present counts.
func (d *Door) Figures() Figures {
	return Figures{
		Received:     d.counters.received.Load(),
		Done:         d.counters.done.Load(),
		Failed:       d.counters.failed.Load(),
		InFlight:     d.room.inside(),
		Reconnects:   d.counters.reconnects.Load(),
		Forgotten:    d.counters.forgotten.Load(),
		ReceiptsLost: d.counters.receiptsLost.Load(),
		Canaries:     d.sung.Load(),
	}
}
