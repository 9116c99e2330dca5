// Package nightscout decodes sensor glucose values as Nightscout has them, alone or in a
// list: the entries of type "sgv" that an uploader posts.
//
// An sgv is in mg/dL, whatever the site shows. date is in milliseconds since 1970; where it
// is absent, dateString says the moment with its offset. A blood glucose of a meter ("mbg")
// and a calibration ("cal") are of another device, and are refused.
//
// Source: github.com/nightscout/cgm-remote-monitor, lib/server/swagger.yaml (Entry).
package nightscout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Topic is what uploaders publish entries under.
const Topic = "nightscout"

// maxID is how many bytes the id of a reading may have.
const maxID = 128

// Decoder is an ingest.Decoder.
type Decoder struct{}

var _ ingest.Decoder = Decoder{}

// entry is what is read of one.
type entry struct {
	ID         json.RawMessage `json:"_id"`        // a text, or an object of the database
	Identifier string          `json:"identifier"` // as version 3 of the API calls it
	Type       string          `json:"type"`
	Device     string          `json:"device"`
	Date       json.Number     `json:"date"`
	DateString string          `json:"dateString"`
	SGV        json.RawMessage `json:"sgv"`
}

// Decode implements ingest.Decoder.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	d := decoding{values.Parts{Device: device, Batch: batch}}
	d.Each(payload, "entries", d.one)
}

// decoding is one payload at work.
type decoding struct{ values.Parts }

func (d *decoding) one(part []byte) {
	r := protocols.Reading{Device: d.Device, Battery: -1}
	var e entry
	if err := document.ReadJSON(part, &e, false); err != nil {
		d.Refuse(protocols.Malformed, values.Where(err), "this is no entry: "+err.Error())
		d.End(r)
		return
	}
	if e.Type != "sgv" {
		d.Refuse(protocols.UnknownMeasure, "type", `entries of the type "sgv" are read`)
		d.End(r)
		return
	}
	r.Measure = protocols.MeasureByID("glucose")
	r.Variant = uint8(r.Measure.Variant("interstitial"))
	d.time(&e, &r)
	d.value(&e, &r)
	r.ID = e.id(&r)
	d.End(r)
}

// latest is the greatest date that is read, in milliseconds: the end of the year 9999.
const latest = 253402300799999

// time reads the moment. Where it is told twice, both have to be the same second.
func (d *decoding) time(e *entry, r *protocols.Reading) {
	var told time.Time
	if e.DateString != "" {
		at, err := time.Parse(time.RFC3339, e.DateString)
		if err != nil {
			at, err = time.Parse("2006-01-02T15:04:05.999Z0700", e.DateString) // as xDrip writes it
		}
		if err != nil && e.Date == "" {
			d.Refuse(protocols.Malformed, "dateString", `a time is written "2026-11-21T07:02:11.000+01:00"`)
			return
		}
		told = at.UTC()
	}
	if e.Date == "" {
		if told.IsZero() {
			d.Refuse(protocols.MissingValue, "date", "an entry has its moment, in milliseconds since 1970")
		}
		r.Time = told
		return
	}
	ms, err := e.Date.Float64()
	if err != nil || ms < 0 || ms > latest {
		d.Refuse(protocols.Malformed, "date", "a moment is in milliseconds since 1970")
		return
	}
	r.Time = time.UnixMilli(int64(ms)).UTC()
	if apart := r.Time.Sub(told).Abs(); !told.IsZero() && apart >= time.Second {
		d.Refuse(protocols.Inconsistent, "dateString", "date and dateString are two moments")
	}
}

// value reads the number, or what stands for one.
func (d *decoding) value(e *entry, r *protocols.Reading) {
	var given []values.Given
	u := values.Units{All: []byte("mg/dL")}
	if e.SGV != nil {
		var number json.Number
		if json.Unmarshal(e.SGV, &number) != nil {
			number = "" // a list, a truth value
		}
		value, err := number.Float64()
		if err != nil {
			value = math.NaN()
		}
		shown, limit := values.SGV(value, e.Device)
		if math.IsNaN(shown) && !math.IsNaN(value) {
			d.Refuse(protocols.NotANumber, "sgv", "a value below 39 is an error code of the sensor")
			return
		}
		given = append(given, values.Given{Name: []byte("value"), Number: shown, Limit: limit})
	}
	d.Resolve(r, given, &u, func(string) string { return "sgv" })
}

// id is what the entry is called, or what follows from who told it and when.
func (e *entry) id(r *protocols.Reading) string {
	var own string
	if json.Unmarshal(e.ID, &own) != nil || own == "" {
		own = e.Identifier
	}
	if own != "" && len(own) <= maxID {
		return own
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", e.Device, r.Time.UnixMilli()))
	return hex.EncodeToString(sum[:12])
}
