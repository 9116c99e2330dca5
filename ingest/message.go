package ingest

import (
	"time"

	"vigie/protocols"
)

// MaxPayload is how many bytes one message may hold.
const MaxPayload = 1 << 20

// MaxReadings is how many readings one message may hold.
const MaxReadings = 10_000

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
}

// Receipts carries receipts back to a device. A door implements it. Delivery is
// best effort: the device may be gone, and the commit does not depend on it.
type Receipts interface {
	// Wanted reports whether anybody listens to the receipts of that device, so
	// that they need not be written for nobody.
	Wanted(device string) bool
	Send(device string, receipts []Receipt)
}
