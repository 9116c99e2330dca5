// Package gatt decodes characteristics of Bluetooth's health profiles, as a box at home
// passes them on: the bytes as they were notified, in a small JSON object.
//
//	{"characteristic":"2A35","value":"1e8e005b006b00ea070b15070211480001","zone":"Europe/Paris","user":1}
//
// The device's clock has no zone: "zone" says it. A characteristic without a time takes
// "time", with its offset, of the box. Where the value names one of several users, "user"
// says whose measurements this device's name stands for; those of the others are refused.
//
// Source of the layouts: Bluetooth SIG, GATT Specification Supplement; of the numbers:
// IEEE 11073-20601.
package gatt

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Topic is what boxes publish characteristics under.
const Topic = "gatt"

// maxValue is how many bytes an attribute may have (Core Specification, part F, 3.2.9).
const maxValue = 512

// Decoder is an ingest.Decoder.
type Decoder struct{}

var _ ingest.Decoder = Decoder{}

// message is one characteristic as it is passed on.
type message struct {
	Characteristic string `json:"characteristic"`
	Value          string `json:"value"`
	Zone           string `json:"zone"`
	Time           string `json:"time"`
	User           *int   `json:"user"`
	ID             string `json:"id"`
	Session        string `json:"session"` // value of 2AAA, for 2AA7
	Context        string `json:"context"` // value of 2A34, for 2A18
}

// Decode implements ingest.Decoder.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	d := decoding{values.Parts{Device: device, Batch: batch}}
	d.Each(payload, "characteristics", d.one)
}

// decoding is one payload at work.
type decoding struct{ values.Parts }

func (d *decoding) one(part []byte) {
	r := protocols.Reading{Device: d.Device, Battery: -1}
	var m message
	if err := document.ReadJSON(part, &m, true); err != nil {
		d.Refuse(protocols.Malformed, values.Where(err), "this is no characteristic: "+err.Error())
		d.End(r)
		return
	}
	key := strings.ToUpper(strings.TrimPrefix(strings.ToLower(m.Characteristic), "0x"))
	read, known := characteristics[key]
	if !known {
		d.Refuse(protocols.UnknownMeasure, "characteristic", "the characteristics that are read: "+strings.Join(slices.Sorted(maps.Keys(characteristics)), ", "))
		d.End(r)
		return
	}
	value, err := hex.DecodeString(m.Value)
	if err != nil || len(value) == 0 || len(value) > maxValue {
		d.Refuse(protocols.Malformed, "value", "the value is 1 to 512 bytes in hexadecimal digits")
		d.End(r)
		return
	}
	number := "" // of a record behind the first
	for c := (cursor{rest: value}); ; {
		record, r := c.rest, r
		f := read(&c)
		if c.short || len(c.rest) > 0 && !several[key] {
			d.Refuse(protocols.Malformed, "value", lengthOf(&c))
			d.End(r)
			return
		}
		d.reading(&m, &f, &r)
		r.ID = idOf(&m, record[:len(record)-len(c.rest)], number)
		d.End(r)
		if len(c.rest) == 0 {
			return
		}
		number += "+"
	}
}

func lengthOf(c *cursor) string {
	if c.short {
		return errShort.Error()
	}
	return "the value is longer than its flags say"
}

// reading resolves what a frame says.
func (d *decoding) reading(m *message, f *frame, r *protocols.Reading) {
	if f.wrong != "" {
		d.Refuse(protocols.NotANumber, "value", f.wrong)
		return
	}
	if f.user >= 0 && (m.User == nil || *m.User != f.user) {
		d.Refuse(protocols.Inconsistent, "user", `the value is that of one user of several: "user" says whose measurements this device's are`)
	}
	r.Measure = protocols.MeasureByID(f.measure)
	r.Variant, r.Flags = uint8(max(0, r.Measure.Variant(f.specimen))), f.flags
	if m.Context != "" {
		var wrong string
		if r.Context, wrong = contextOf(m.Context, f); wrong != "" {
			d.Refuse(protocols.Inconsistent, "context", wrong)
		}
	}
	d.time(m, f, r)
	d.Resolve(r, f.given, &values.Units{Object: true, Each: f.units}, nil)
}

// time reads the clock of the device in its zone, or the time of the box.
func (d *decoding) time(m *message, f *frame, r *protocols.Reading) {
	if f.session {
		begun, offset, zoned, ok := sessionOf(m.Session)
		if !ok {
			d.Refuse(protocols.MissingValue, "session", "this value tells minutes since its session began: \"session\" is the value of 2AAA, with a clock that is set")
			return
		}
		if zoned {
			r.Time = begun.Add(f.since - offset)
			return
		}
		f.wall, f.clocked = begun, true
	}
	if !f.clocked {
		at, err := time.Parse(time.RFC3339, m.Time)
		if err != nil {
			d.Refuse(protocols.MissingValue, "time", "this value has no time of its own: 2026-11-21T07:02:11+01:00")
			return
		}
		r.Time = at.UTC()
		return
	}
	if f.unset {
		d.Refuse(protocols.ClockNotSet, "value", "the clock of the device is not set")
		return
	}
	zone, err := values.Zone(m.Zone)
	if err != nil {
		d.Refuse(protocols.NoTimeZone, "zone", "the clock of the device has no zone: write where it stands, Europe/Paris")
		return
	}
	at, ways := values.Instants(f.wall, zone)
	if ways != 1 {
		d.Refuse(protocols.NoTimeZone, "value", "the clock is changed at this local time: it names no moment, or two")
		return
	}
	r.Time = at.UTC().Add(f.since)
}

// idOf is what the box calls the measurement, or what follows from its bytes: the same
// notification is one reading however often it is passed on.
func idOf(m *message, value []byte, number string) string {
	if m.ID != "" && len(m.ID)+len(number) <= 128 {
		return m.ID + number
	}
	sum := sha256.Sum256([]byte(strings.ToUpper(m.Characteristic) + "\x00" + m.Time + m.Session + "\x00" + string(value)))
	return hex.EncodeToString(sum[:12])
}
