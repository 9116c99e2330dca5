package native

import (
	"math"
	"slices"
	"unicode"
	"unicode/utf8"

	"vigie/protocols"
)

// A method of this file reads the value of one field, and reports false only
// where the payload is no JSON. What is wrong otherwise goes into reasons.

// stringOf reads the value of a field that has to be a string.
func (d *decoding) stringOf(field string) (text []byte, given, ok bool) {
	if d.space() == '"' {
		text, ok = d.text()
		return text, ok, ok
	}
	d.refuse(protocols.Malformed, field, "this has to be a string")
	return nil, false, d.skip(2)
}

func (d *decoding) id(r *protocols.Reading) bool {
	text, given, ok := d.stringOf("id")
	if !given {
		return ok
	}
	if !printable(text, maxID) {
		d.refuse(protocols.Malformed, "id", "an id has 1 to 128 printable characters")
		return true
	}
	r.ID = string(text)
	return true
}

// printable reports whether text has 1 to most characters, all of them visible
// or spaces.
func printable(text []byte, most int) bool {
	if len(text) == 0 {
		return false
	}
	count := 0
	for i := 0; i < len(text); count++ {
		c := text[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !unicode.IsPrint(r) {
			return false
		}
		i += size
	}
	return count <= most
}

func (d *decoding) time(r *protocols.Reading) bool {
	text, given, ok := d.stringOf("time")
	if !given {
		return ok
	}
	at, kind := parseTime(text)
	switch kind {
	case badTime:
		d.refuse(protocols.Malformed, "time", `a time is written "2026-11-21T07:02:11+01:00", a day "2026-11-21"`)
	case zonelessTime:
		d.refuse(protocols.NoTimeZone, "time", `a time needs its offset: "+01:00", or "Z" for UTC`)
	default:
		r.Time, r.DayOnly = at, kind == dayAlone
	}
	return true
}

func (d *decoding) measure(r *protocols.Reading) bool {
	text, given, ok := d.stringOf("measure")
	if !given {
		return ok
	}
	if r.Measure = protocols.MeasureByID(string(text)); r.Measure == nil {
		d.refuse(protocols.UnknownMeasure, "measure", "there is no measure of this name")
	}
	return true
}

func (d *decoding) source(r *protocols.Reading) bool {
	text, given, ok := d.stringOf("source")
	if !given {
		return ok
	}
	source, known := protocols.ParseSource(string(text))
	if !known {
		d.refuse(protocols.Malformed, "source", "a source is device, patient or professional")
	}
	r.Source = source
	return true
}

// values reads the components. Which of them the measure has is settled once
// the whole reading was read: the fields come in any order.
func (d *decoding) values() bool {
	if d.space() != '{' {
		d.noValues = true
		d.refuse(protocols.Malformed, "values", "this has to be an object of component to number")
		return d.skip(2)
	}
	d.i++
	if d.next('}') {
		return true
	}
	for {
		key, ok := d.text()
		if !ok || !d.next(':') {
			return false
		}
		number, ok := d.component(key)
		if !ok {
			return false
		}
		d.measured = append(d.measured, given{key, number})
		if another, ok := d.more('}'); !ok || !another {
			return ok
		}
	}
}

// component reads one number; NaN when it is none. Some libraries write NaN and
// Infinity as bare words: that is not JSON, but it is clear what is meant.
func (d *decoding) component(key []byte) (number float64, ok bool) {
	switch c := d.space(); {
	case c == '-' || c-'0' <= 9:
		if c == '-' && d.literal("-Infinity") {
			break
		}
		number, ok = d.number()
		if !ok {
			return 0, false
		}
		if !math.IsInf(number, 0) {
			return number, true
		}
	case d.literal("NaN"), d.literal("Infinity"):
	default:
		if !d.skip(3) {
			return 0, false
		}
	}
	d.refuse(protocols.NotANumber, "values."+shown(key), "this has to be a finite number")
	return math.NaN(), true
}

func (d *decoding) unitOrUnits() bool {
	if d.space() != '{' {
		text, given, ok := d.stringOf("unit")
		if given {
			d.unit = text
		}
		return ok
	}
	d.unitObject = true
	d.i++
	if d.next('}') {
		return true
	}
	for {
		key, ok := d.text()
		if !ok || !d.next(':') {
			return false
		}
		text, given, ok := d.stringOf("unit." + shown(key))
		if !ok {
			return false
		}
		if given {
			d.units = append(d.units, unitFor{key, text})
		}
		if another, ok := d.more('}'); !ok || !another {
			return ok
		}
	}
}

// What surrounds the numbers is the same in most readings of a device
// ("sitting", "irregular-pulse"), so what an earlier payload held is shared
// rather than built again.
const (
	maxRemembered     = 256 // of each
	maxRememberedSize = 128 // bytes of JSON
)

// remember notes under its JSON what was read without a complaint.
func remember[T any](known map[string]T, written []byte, read T, complaints int) {
	if complaints == 0 && len(written) <= maxRememberedSize && len(known) < maxRemembered {
		known[string(written)] = read
	}
}

func (d *decoding) context(r *protocols.Reading) bool {
	d.space()
	start, told := d.i, len(d.reasons)
	if !d.skip(2) {
		return false
	}
	written := d.b[start:d.i]
	if known, ok := d.contexts[string(written)]; ok {
		r.Context = known
		return true
	}
	d.i = start
	d.readContext(r)
	remember(d.contexts, written, r.Context, len(d.reasons)-told)
	return true
}

// readContext reads a context that is known to be JSON.
func (d *decoding) readContext(r *protocols.Reading) {
	if d.space() != '{' {
		d.refuse(protocols.Malformed, "context", "this has to be an object of words")
		d.skip(2)
		return
	}
	d.i++
	if d.next('}') {
		return
	}
	r.Context = map[string]string{}
	for count, another := 1, true; another; count++ {
		key, _ := d.text()
		d.next(':')
		if text, given, _ := d.stringOf("context." + shown(key)); given {
			d.contextEntry(r, key, text, count)
		}
		another, _ = d.more('}')
	}
}

func (d *decoding) contextEntry(r *protocols.Reading, key, text []byte, count int) {
	_, twice := r.Context[string(key)]
	switch {
	case twice:
		d.refuse(protocols.Malformed, "context."+shown(key), "this key is given twice")
	case count > maxContext:
		if count == maxContext+1 {
			d.refuse(protocols.Malformed, "context", "a context has at most 32 entries")
		}
	case !printable(key, maxWord) || (len(text) > 0 && !printable(text, maxWord)):
		d.refuse(protocols.Malformed, "context."+shown(key), "a key and its word have at most 256 printable characters each")
	default:
		r.Context[string(key)] = string(text)
	}
}

func (d *decoding) flags(r *protocols.Reading) bool {
	d.space()
	start, told := d.i, len(d.reasons)
	if !d.skip(2) {
		return false
	}
	written := d.b[start:d.i]
	if known, ok := d.flagLists[string(written)]; ok {
		r.Flags = known
		return true
	}
	d.i = start
	d.readFlags(r)
	remember(d.flagLists, written, r.Flags, len(d.reasons)-told)
	return true
}

// readFlags reads flags that are known to be JSON.
func (d *decoding) readFlags(r *protocols.Reading) {
	if d.space() != '[' {
		d.refuse(protocols.Malformed, "flags", "this has to be an array of words")
		d.skip(2)
		return
	}
	d.i++
	if d.next(']') {
		return
	}
	for count, another := 1, true; another; count++ {
		text, given, _ := d.stringOf("flags")
		switch {
		case !given:
		case count > maxFlags:
			if count == maxFlags+1 {
				d.refuse(protocols.Malformed, "flags", "a reading has at most 32 flags")
			}
		case !printable(text, maxWord):
			d.refuse(protocols.Malformed, "flags", "a flag has 1 to 256 printable characters")
		default:
			r.Flags = append(r.Flags, string(text))
		}
		another, _ = d.more(']')
	}
	r.Flags = slices.Clip(r.Flags)
}

func (d *decoding) battery(r *protocols.Reading) bool {
	if c := d.space(); c != '-' && c-'0' > 9 {
		d.refuse(protocols.NotANumber, "battery", "this has to be a number, in per cent")
		return d.skip(2)
	}
	level, ok := d.number()
	if !ok {
		return false
	}
	if level < 0 || level > 100 {
		d.refuse(protocols.Implausible, "battery", "a battery holds 0 to 100 per cent")
		return true
	}
	r.Battery = int(math.Round(level))
	return true
}
