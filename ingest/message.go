package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"vigie/protocols"
)

// MaxPayload is how many bytes one message may hold.
const MaxPayload = 1 << 20

// MaxReadings is how many readings one message may hold.
const MaxReadings = 10_000

// MaxAge is the greatest age that a device without a clock may give: a day more than a year.
const MaxAge = 366 * 24 * time.Hour

// Message is one MQTT publication as a door received it.
type Message struct {
	Topic    string
	Device   string // from the topic
	Client   string // the device the connection proved to be; empty where an outside broker checks that
	Payload  []byte // owned by the receiver
	Size     int    // of the whole payload, where Payload holds only its start; 0 otherwise
	Received time.Time
	// Retained tells that a broker had kept the message for whoever subscribes:
	// nobody knows how old it is.
	Retained bool
	// Rivals tells that connections of Client throw one another out under one client id;
	// the message holds nothing else.
	Rivals bool
	QoS    byte // of the publication; 0 also where nobody knows
	Keep   bool // the sender asks the broker to retain it
	// Correlation is what the sender gave to recognise an answer by (MQTT 5.0, section
	// 3.3.2.3.6); nil for nothing.
	Correlation []byte
	// Done is called exactly once: with nil after what the message holds is
	// committed (the door acknowledges), or with an error when it is not (the
	// door must not acknowledge, and drops the connection so that the device
	// sends again). It must not block.
	Done func(error)
}

// Batch is what a decoder found in one payload.
type Batch struct {
	// Readings lack their Patient. Flags and Context may be shared between
	// readings: nobody changes them.
	Readings []protocols.Reading
	// Parts are the parts of the payload that the readings were in, beside them.
	Parts   [][]byte
	Refused []Refusal
	// Warnings are about some of the readings, in their order.
	Warnings []Warning
	// Ages are of the readings whose sender has no clock, in their order. Their Time is
	// reckoned from when the message was received.
	Ages []Age
}

// Age is how long ago one reading was measured.
type Age struct {
	Reading int // place in Batch.Readings
	Age     time.Duration
}

// reckon gives the readings without a time of their own theirs.
func (b *Batch) reckon(received time.Time) {
	for _, a := range b.Ages {
		r := &b.Readings[a.Reading]
		r.Time, r.Reckoned = received.Add(-a.Age).UTC(), true
	}
}

// Warning tells the sender about one reading that is used: what was left out of it,
// or read otherwise. It never changes what becomes of the reading.
type Warning struct {
	Reading int // place in Batch.Readings
	Reason  protocols.Reason
}

// Refusal is one thing that could not be used, with every reason.
type Refusal struct {
	Reading protocols.Reading // as far as it could be read: any field may be empty
	Payload []byte            // the part of the payload it was in
	Reasons []protocols.Reason
}

// Decoder turns a payload into readings or reasons. One per format, each in its
// own folder, recognised by its topic. It never fails otherwise, never guesses,
// and keeps nothing of the payload.
type Decoder interface {
	// Decode appends to batch what the payload of that topic and device holds.
	// Readings come in the payload's order. A reading of which only the day is
	// known has noon in UTC as its time.
	Decode(topic, device string, payload []byte, batch *Batch)
}

// Gateway is a format of gateways: they publish under topics of their own, each for the
// devices that the registry entrusts to it.
type Gateway interface {
	// Filter is the topics, as one subscribes to them.
	Filter() string
	// Owns reports whether a topic is one of them.
	Owns(topic string) bool
	// Read appends to batch what a payload holds, as Decode does. The Device of each reading
	// and refusal has measured it: Connection for who has logged in, an empty one where the
	// message does not say. A part of the payload can be read again alone.
	Read(topic string, payload []byte, batch *Batch)
}

// Connection stands for the device that has logged in.
const Connection = "connection"

// Verdict is what became of one reading.
type Verdict string

// The verdicts.
const (
	Accepted  Verdict = "accepted"
	Duplicate Verdict = "duplicate"
	SetAside  Verdict = "set-aside"
)

// Receipt tells a device what became of one reading.
type Receipt struct {
	ID       string             `json:"id"`
	Verdict  Verdict            `json:"verdict"`
	Reasons  []protocols.Reason `json:"reasons,omitempty"`  // for which it is set aside
	Warnings []protocols.Reason `json:"warnings,omitempty"` // about one that is used
	// Of what has no id that could be read: how its sender recognises it.
	Payload     *Fingerprint `json:"payload,omitempty"`
	Correlation []byte       `json:"correlation,omitempty"` // in base 64, as the sender gave it
	// Summary is there where the receipt is for a message as a whole. The verdict is then
	// that of the worst of its readings.
	Summary *Summary `json:"summary,omitempty"`
}

// Summary counts what became of the readings of one message.
type Summary struct {
	Readings  int `json:"readings"`
	Accepted  int `json:"accepted"`
	Duplicate int `json:"duplicate"`
	SetAside  int `json:"set-aside"`
	// Told are the receipts that have reasons or warnings, the first maxTold.
	Told []Receipt `json:"told,omitempty"`
}

// maxTold is how many receipts a Summary repeats.
const maxTold = 100

// summarise makes one receipt of those of a message.
func summarise(m *Message, receipts []Receipt) Receipt {
	s := &Summary{Readings: len(receipts)}
	for _, r := range receipts {
		switch r.Verdict {
		case Accepted:
			s.Accepted++
		case Duplicate:
			s.Duplicate++
		default:
			s.SetAside++
		}
		if len(s.Told) < maxTold && len(r.Reasons)+len(r.Warnings) > 0 {
			s.Told = append(s.Told, r)
		}
	}
	whole := Receipt{Verdict: Accepted, Payload: fingerprint(m.Payload), Correlation: m.Correlation, Summary: s}
	switch {
	case s.SetAside > 0:
		whole.Verdict = SetAside
	case s.Accepted == 0:
		whole.Verdict = Duplicate
	}
	return whole
}

// Fingerprint tells a payload from others without repeating it.
type Fingerprint struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal digits
	Begins string `json:"begins"` // the first of it; what is no UTF-8 is U+FFFD
}

// beginning is how many bytes of a payload a Fingerprint shows.
const beginning = 32

// fingerprint is that of a payload; nil for none.
func fingerprint(payload []byte) *Fingerprint {
	if len(payload) == 0 {
		return nil
	}
	sum := sha256.Sum256(payload)
	return &Fingerprint{
		Bytes: len(payload), SHA256: hex.EncodeToString(sum[:]),
		Begins: strings.ToValidUTF8(string(payload[:min(len(payload), beginning)]), "\ufffd"),
	}
}

// Receipts carries receipts back to a device. A door implements it. Delivery is
// best effort: the device may be gone, and the commit does not depend on it.
type Receipts interface {
	// Wanted reports whether anybody listens to the receipts of that device, so
	// that they need not be written for nobody.
	Wanted(device string) bool
	Send(device string, receipts []Receipt)
}
