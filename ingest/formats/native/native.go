package native

import (
	"strconv"
	"sync"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// Decoder reads the payloads of the topic {prefix}/{device}/readings. It has no
// state and is safe for concurrent use.
type Decoder struct{}

var _ ingest.Decoder = Decoder{}

// Bounds on what surrounds the numbers of a reading.
const (
	maxID      = 128 // characters
	maxFlags   = 32
	maxContext = 32  // entries
	maxWord    = 256 // characters of a flag, or of a key or value of the context
	maxReasons = 32  // for which a reading is refused
)

// Decode is ingest.Decoder.Decode.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	readings, refused, warnings, ages := len(batch.Readings), len(batch.Refused), len(batch.Warnings), len(batch.Ages)
	d := decodings.Get().(*decoding)
	defer d.release()
	d.scanner, d.device, d.batch, d.place = scanner{b: payload}, device, batch, -1
	reason, ok := d.payload()
	if ok {
		return
	}
	batch.Readings, batch.Parts = batch.Readings[:readings], batch.Parts[:readings]
	batch.Refused, batch.Warnings, batch.Ages = batch.Refused[:refused], batch.Warnings[:warnings], batch.Ages[:ages]
	batch.Refused = append(batch.Refused, ingest.Refusal{
		Reading: protocols.Reading{Device: device, Battery: -1},
		Payload: payload,
		Reasons: []protocols.Reason{reason},
	})
}

// decoding is one payload being decoded.
type decoding struct {
	scanner
	device string
	batch  *ingest.Batch
	place  int // of the reading in the array; -1 for a lone object

	// Of the reading at hand.
	seen     fields
	reasons  []protocols.Reason
	measured []values.Given // in the order of the payload
	noValues bool           // they were not an object
	units    values.Units
	resolver values.Resolver
	words    []protocols.Reason // warnings about its flags
	meals    []protocols.Reason // and about its context
	age      time.Duration

	// What earlier payloads held, by its JSON; see remember.
	contexts  map[string]surroundings
	flagLists map[string]flagList
}

// decodings are reused for what they have allocated.
var decodings = sync.Pool{New: func() any {
	return &decoding{contexts: map[string]surroundings{}, flagLists: map[string]flagList{}}
}}

// release keeps the buffers, and nothing of the payload.
func (d *decoding) release() {
	measured, each := d.measured[:cap(d.measured)], d.units.Each[:cap(d.units.Each)]
	clear(measured)
	clear(each)
	*d = decoding{measured: measured[:0], units: values.Units{Each: each[:0]}, contexts: d.contexts, flagLists: d.flagLists, resolver: d.resolver}
	decodings.Put(d)
}

// fields is the set of those that a reading has shown.
type fields uint16

const (
	idField fields = 1 << iota
	timeField
	measureField
	valuesField
	unitField
	sourceField
	contextField
	flagsField
	batteryField
	ageField
)

// payload decodes all of it. When it reports false nothing of it can be used,
// for that reason.
func (d *decoding) payload() (protocols.Reason, bool) {
	ok := false
	switch d.space() {
	case '{':
		ok = d.object()
	case '[':
		var reason protocols.Reason
		if reason, ok = d.array(); !ok && reason.Code != "" {
			return reason, false
		}
	default:
		if d.skip(0) && d.space() == 0 && d.i == len(d.b) {
			return malformed("", "a reading is an object, several are an array of objects"), false
		}
	}
	if !ok || d.space() != 0 || d.i < len(d.b) {
		return malformed("", "this is not JSON from byte "+strconv.Itoa(d.i)+" on"), false
	}
	return protocols.Reason{}, true
}

func malformed(path, message string) protocols.Reason {
	return protocols.Reason{Code: protocols.Malformed, Path: path, Message: message}
}

// array decodes an array of readings.
func (d *decoding) array() (protocols.Reason, bool) {
	d.i++
	if d.space() == ']' {
		d.i++
		return malformed("", "the array holds no reading"), false
	}
	for d.place = 0; ; d.place++ {
		if d.place == ingest.MaxReadings {
			return protocols.Reason{Code: protocols.TooLarge, Message: "a message may hold " + strconv.Itoa(ingest.MaxReadings) + " readings: send several"}, false
		}
		if d.space() == '{' {
			if !d.object() {
				return protocols.Reason{}, false
			}
		} else if !d.notAnObject() {
			return protocols.Reason{}, false
		}
		if another, ok := d.more(']'); !ok || !another {
			return protocols.Reason{}, ok
		}
	}
}

// notAnObject refuses an item of the array that is something else.
func (d *decoding) notAnObject() bool {
	start := d.i
	if !d.skip(1) {
		return false
	}
	d.batch.Refused = append(d.batch.Refused, ingest.Refusal{
		Reading: protocols.Reading{Device: d.device, Battery: -1},
		Payload: d.b[start:d.i],
		Reasons: []protocols.Reason{malformed(d.path(""), "a reading is an object")},
	})
	return true
}

// path is where a field is in the payload: "[3].values.systolic".
func (d *decoding) path(field string) string {
	if d.place < 0 {
		return field
	}
	place := "[" + strconv.Itoa(d.place) + "]"
	if field == "" {
		return place
	}
	return place + "." + field
}

// refuse tells what is wrong with the reading at hand, up to a number: a payload can
// hold a hundred thousand faults, and nobody would read as many, nor take them as a
// receipt.
func (d *decoding) refuse(code protocols.Code, field, message string) {
	d.refuseFor(protocols.Reason{Code: code, Path: field, Message: message})
}

func (d *decoding) refuseFor(reason protocols.Reason) {
	if len(d.reasons) == maxReasons {
		return
	}
	if len(d.reasons) == maxReasons-1 {
		reason = malformed("", "more is wrong with this reading than is told")
	}
	reason.Path = d.path(reason.Path)
	d.reasons = append(d.reasons, reason)
}

// object decodes one reading and adds it to the batch, as a reading or as a
// refusal.
func (d *decoding) object() bool {
	start := d.i
	d.seen, d.reasons, d.words, d.meals = 0, nil, nil, nil
	d.measured, d.noValues = d.measured[:0], false
	d.units = values.Units{Each: d.units.Each[:0]}
	r := protocols.Reading{Device: d.device, Battery: -1}
	if !d.members(&r) {
		return false
	}
	d.complete()
	d.resolve(&r)
	if len(d.reasons) == 0 {
		d.warn()
		if d.seen&ageField != 0 {
			d.batch.Ages = append(d.batch.Ages, ingest.Age{Reading: len(d.batch.Readings), Age: d.age})
		}
		d.batch.Readings = append(d.batch.Readings, r)
		d.batch.Parts = append(d.batch.Parts, d.b[start:d.i])
		return true
	}
	d.batch.Refused = append(d.batch.Refused, ingest.Refusal{Reading: r, Payload: d.b[start:d.i], Reasons: d.reasons})
	return true
}

func (d *decoding) members(r *protocols.Reading) bool {
	d.i++
	if d.next('}') {
		return true
	}
	for {
		key, ok := d.text()
		if !ok || !d.next(':') || !d.member(key, r) {
			return false
		}
		if another, ok := d.more('}'); !ok || !another {
			return ok
		}
	}
}

// member reads the value of one field.
func (d *decoding) member(key []byte, r *protocols.Reading) bool {
	switch string(key) {
	case "id":
		d.once(idField, "id")
		return d.id(r)
	case "time":
		d.once(timeField, "time")
		return d.time(r)
	case "measure":
		d.once(measureField, "measure")
		return d.measure(r)
	case "values":
		d.once(valuesField, "values")
		return d.values()
	case "unit":
		d.once(unitField, "unit")
		return d.unitOrUnits()
	case "source":
		d.once(sourceField, "source")
		return d.source(r)
	case "context":
		d.once(contextField, "context")
		return d.context(r)
	case "flags":
		d.once(flagsField, "flags")
		return d.flags(r)
	case "battery":
		d.once(batteryField, "battery")
		return d.battery(r)
	case "age":
		d.once(ageField, "age")
		return d.ageOf()
	}
	d.refuse(protocols.UnknownField, values.Shown(key), "no reading has this field")
	return d.skip(2)
}

// once notes that a field was seen. JSON leaves open which of two counts, so
// neither does.
func (d *decoding) once(field fields, name string) {
	if d.seen&field != 0 {
		d.refuse(protocols.Malformed, name, "this field is given twice")
	}
	d.seen |= field
}

// complete names the required fields that were not seen.
func (d *decoding) complete() {
	const required = idField | timeField | measureField | valuesField | unitField
	if d.seen&(required|ageField) == required {
		return
	}
	if d.seen&ageField != 0 {
		if d.seen&timeField != 0 {
			d.refuse(protocols.Malformed, "age", "a reading has a time or an age, not both")
		}
		d.seen |= timeField
	}
	for _, f := range [...]struct {
		field fields
		name  string
	}{{idField, "id"}, {timeField, "time"}, {measureField, "measure"}, {valuesField, "values"}, {unitField, "unit"}} {
		if d.seen&f.field == 0 {
			d.refuse(protocols.MissingValue, f.name, "this field is required")
		}
	}
}
