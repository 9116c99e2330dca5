// Package senml decodes Sensor Measurement Lists, in JSON and in CBOR, each under a topic of
// its own.
//
// SenML has no vocabulary of measures: the name of a record says it. It ends in a measure,
// "urn:dev:mac:0024befffe804ff1:weight", and for a measure of several components in one of
// them, "blood-pressure/systolic". What stands before names the sensor. The records of one
// sensor, measure and moment are one reading.
//
// A time below 2^28 is relative to when the message is received, as the RFC has it, and so
// is none at all. A text, a truth value and bytes are no measurement.
//
// Sources: RFC 8428 (SenML), RFC 8798 (further units), RFC 8949 (CBOR).
package senml

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// The topics that devices publish packs under.
const (
	Topic     = "senml"
	CBORTopic = "senml-cbor"
)

// Decoder is an ingest.Decoder of packs in JSON.
type Decoder struct{}

// CBORDecoder is an ingest.Decoder of packs in CBOR.
type CBORDecoder struct{}

var _, _ ingest.Decoder = Decoder{}, CBORDecoder{}

// Decode implements ingest.Decoder.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	decode(encodings[Topic], device, payload, batch)
}

// Decode implements ingest.Decoder.
func (CBORDecoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	decode(encodings[CBORTopic], device, payload, batch)
}

// encoding is how a pack is written.
type encoding struct {
	read  func(payload []byte) ([]fields, *fault)
	write func([]record) []byte
}

var encodings = map[string]encoding{Topic: {readJSON, writeJSON}, CBORTopic: {readCBOR, writeCBOR}}

// fault is why a pack as a whole cannot be read.
type fault struct {
	code          protocols.Code
	path, message string
}

func malformed(path, message string) *fault { return &fault{protocols.Malformed, path, message} }

func decode(e encoding, device string, payload []byte, batch *ingest.Batch) {
	d := decoding{Parts: values.Parts{Device: device, Batch: batch}}
	list, wrong := e.read(payload)
	var records []record
	if wrong == nil {
		records, wrong = resolve(list)
	}
	if wrong != nil {
		d.At(payload, "")
		d.Refuse(wrong.code, wrong.path, wrong.message)
		d.End(protocols.Reading{Device: device, Battery: -1})
		return
	}
	groups := together(records)
	for _, g := range groups {
		part := payload
		if len(groups) > 1 {
			part = e.write(g.records)
		}
		d.At(part, "")
		d.reading(&g)
	}
}

// group is the records of one sensor, measure and moment.
type group struct {
	name
	records []record
}

// together groups records, in the order of the first of each.
func together(records []record) (groups []group) {
	type key struct {
		sensor, measure string
		variant         uint8
		time            float64
	}
	place := map[key]int{}
	for _, r := range records {
		n := named(r.name)
		if n.measure == nil || r.wrong != nil {
			groups = append(groups, group{n, []record{r}})
			continue
		}
		k := key{n.sensor, n.measure.ID, n.variant, r.time}
		at, known := place[k]
		if !known {
			at = len(groups)
			place[k] = at
			groups = append(groups, group{name: n})
		}
		groups[at].records = append(groups[at].records, r)
	}
	return groups
}

// name is what the name of a record says.
type name struct {
	sensor    string
	measure   *protocols.Measure // nil where no measure stands at its end
	variant   uint8
	component int
}

func named(text string) name {
	before, last := cut(text)
	sensor, measure := cut(before)
	if m := protocols.MeasureByID(measure); m != nil {
		if at := m.Component(last); at >= 0 {
			return name{sensor: sensor, measure: m, component: at}
		}
		if variant := m.Variant(last); variant > 0 && len(m.Components) == 1 {
			return name{sensor: sensor, measure: m, variant: uint8(variant)}
		}
	}
	if m := protocols.MeasureByID(last); m != nil && len(m.Components) == 1 {
		return name{sensor: before, measure: m}
	}
	return name{sensor: text}
}

// cut parts a name at its last separator.
func cut(text string) (before, last string) {
	at := strings.LastIndexAny(text, ":/")
	return text[:max(at, 0)], text[at+1:]
}

// decoding is one pack at work.
type decoding struct{ values.Parts }

// reading reads one group.
func (d *decoding) reading(g *group) {
	r := protocols.Reading{Device: d.Device, Battery: -1, Measure: g.measure, Variant: g.variant}
	first := g.records[0]
	if first.wrong != nil {
		d.Refuse(first.wrong.code, first.wrong.path, first.wrong.message)
		d.End(r)
		return
	}
	if r.Measure == nil {
		d.Refuse(protocols.UnknownMeasure, first.path("n"), "a name ends in a measure, or in a measure and its component: urn:dev:mac:0024befffe804ff1:blood-pressure/systolic")
		d.End(r)
		return
	}
	age, relative := d.time(&first, &r)
	d.values(g, &r)
	r.ID = idOf(g, &r, relative)
	before := len(d.Batch.Readings)
	d.End(r)
	if relative && len(d.Batch.Readings) > before {
		d.Batch.Ages = append(d.Batch.Ages, ingest.Age{Reading: before, Age: age})
	}
}

// relativeBelow is the time below which it counts from now (RFC 8428, section 4.5.3), in
// seconds.
const relativeBelow = 1 << 28

// latest is the greatest time that is read: the last second of the year 9999.
const latest = 253402300799

// time reads a moment, or how long ago it was.
func (d *decoding) time(first *record, r *protocols.Reading) (age time.Duration, relative bool) {
	t := first.time
	switch {
	case t >= relativeBelow && t <= latest:
		r.Time = time.UnixMilli(int64(math.Round(t * 1000))).UTC()
	case t >= relativeBelow:
		d.Refuse(protocols.Malformed, first.path("t"), "a time is in seconds since 1970")
	case t > 0:
		d.Refuse(protocols.FutureTime, first.path("t"), "a time below 268435456 counts from now, and this one has not come yet: set the clock of the device")
	case -t > ingest.MaxAge.Seconds():
		d.Refuse(protocols.Implausible, first.path("t"), "a time that counts from now goes back 366 days at most")
	default:
		return time.Duration(math.Round(-t*1000)) * time.Millisecond, true
	}
	return 0, false
}

// unit is how a unit of SenML stands here.
type unit struct {
	ucum  string
	scale float64
}

// units are the units of SenML that are no UCUM, or that no measure is given in.
var units = map[string]unit{
	"beat/min": {"/min", 1}, "/": {"%", 100}, "/100": {"%", 1}, "Pa": {"kPa", 0.001}, "hPa": {"kPa", 0.1},
}

// values reads the numbers of a group, each with its unit.
func (d *decoding) values(g *group, r *protocols.Reading) {
	var given []values.Given
	u := values.Units{Object: true}
	paths := map[string]*record{}
	for i := range g.records {
		rec := &g.records[i]
		component := r.Measure.Components[named(rec.name).component].Name
		as, known := units[rec.unit]
		if !known {
			as = unit{rec.unit, 1}
		}
		if paths[component] == nil && as.ucum != "" {
			u.Each = append(u.Each, values.Unit{Component: []byte(component), Unit: []byte(as.ucum)})
		}
		paths[component] = rec
		given = append(given, values.Given{Name: []byte(component), Number: rec.value * as.scale})
	}
	d.Resolve(r, given, &u, func(path string) string {
		field, component, _ := strings.Cut(path, ".")
		switch rec := paths[component]; {
		case rec == nil:
			return path // of a component that is not there
		case field == "unit":
			return rec.path("u")
		default:
			return rec.path("v")
		}
	})
}

// idOf is what follows from the sensor, the measure and the moment: a record has no id.
// Without a moment of its own, the values are in it.
func idOf(g *group, r *protocols.Reading, relative bool) string {
	text := fmt.Appendf(nil, "%s\x00%s\x00%d\x00%v", g.sensor, g.measure.ID, g.variant, g.records[0].time)
	if relative {
		text = fmt.Appendf(text, "\x00%v\x00%v", r.Values, r.Limits)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}
