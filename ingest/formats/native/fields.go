package native

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/ingest"
	"vigie/ingest/formats/values"
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
		d.measured = append(d.measured, values.Given{Name: key})
		if !d.component(&d.measured[len(d.measured)-1]) {
			return false
		}
		if another, ok := d.more('}'); !ok || !another {
			return ok
		}
	}
}

// component reads one number, or an end of what the device shows. The number is NaN
// when it is none. Some libraries write NaN and Infinity as bare words: that is not
// JSON, but it is clear what is meant.
func (d *decoding) component(given *values.Given) bool {
	switch c := d.space(); {
	case c == '-' || c-'0' <= 9:
		if c == '-' && d.literal("-Infinity") {
			break
		}
		number, ok := d.number()
		if !ok {
			return false
		}
		if !math.IsInf(number, 0) {
			given.Number = number
			return true
		}
	case c == '{':
		return d.limit(given)
	case c == '"':
		text, ok := d.text()
		given.Number, given.Word = math.NaN(), values.LimitWord(string(text))
		return ok
	case d.literal("NaN"), d.literal("Infinity"):
	default:
		if !d.skip(3) {
			return false
		}
	}
	given.Number = math.NaN()
	return true
}

// limit reads {"below": 40} or {"above": 400}: the device shows no number, but says
// beyond which the value lies. The number is NaN for any other object.
func (d *decoding) limit(given *values.Given) bool {
	start := d.i
	d.i++
	if word, ok := d.text(); ok && d.next(':') {
		limit, known := protocols.LimitOf(string(word))
		if number, ok := d.number(); ok && known && d.next('}') && !math.IsInf(number, 0) {
			given.Number, given.Limit = number, limit
			return true
		}
	}
	d.i = start
	given.Number = math.NaN()
	return d.skip(3)
}

func (d *decoding) unitOrUnits() bool {
	if d.space() != '{' {
		text, given, ok := d.stringOf("unit")
		if given {
			d.units.All = text
		}
		return ok
	}
	d.units.Object = true
	d.i++
	if d.next('}') {
		return true
	}
	for {
		key, ok := d.text()
		if !ok || !d.next(':') {
			return false
		}
		text, given, ok := d.stringOf("unit." + values.Shown(key))
		if !ok {
			return false
		}
		if given {
			d.units.Each = append(d.units.Each, values.Unit{Component: key, Unit: text})
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

// recalled reads a part that is mostly the same from one reading to the next: what
// was read from its JSON without a complaint is known, and not read again.
func recalled[T any](d *decoding, known map[string]T, read func(*decoding) T) (part T, ok bool) {
	d.space()
	start, told := d.i, len(d.reasons)
	if !d.skip(2) {
		return part, false
	}
	written := d.b[start:d.i]
	if part, ok = known[string(written)]; ok {
		return part, true
	}
	d.i = start
	part = read(d)
	if len(d.reasons) == told && len(written) <= maxRememberedSize && len(known) < maxRemembered {
		known[string(written)] = part
	}
	return part, true
}

func (d *decoding) context(r *protocols.Reading) (ok bool) {
	around, ok := recalled(d, d.contexts, (*decoding).readSurroundings)
	r.Context, d.meals = around.words, around.warnings
	return ok
}

// surroundings are the context of one reading, as the device words it.
type surroundings struct {
	words    map[string]string
	warnings []protocols.Reason
}

// readSurroundings reads a context that is known to be JSON. A meal in words that say no
// moment is kept, and no rule takes it for one: the device is told.
func (d *decoding) readSurroundings() (found surroundings) {
	found.words = d.readContext()
	meal, said := found.words[protocols.MealContext]
	if said && meal != "casual" && protocols.MealOf(meal) == "" {
		found.warnings = []protocols.Reason{{Code: protocols.UnknownWord, Path: "context." + protocols.MealContext,
			Message: "no moment by a meal has this word; they are " + strings.Join(protocols.MealNames(), ", ")}}
	}
	return found
}

func (d *decoding) flags(r *protocols.Reading) (ok bool) {
	list, ok := recalled(d, d.flagLists, (*decoding).readFlags)
	r.Flags, d.words = list.words, list.warnings
	return ok
}

// flagList is the flags of one reading, in the words of the vocabulary.
type flagList struct {
	words    []string
	warnings []protocols.Reason
}

// add takes a flag as the device writes it. A word that the vocabulary does not have
// stays as it is, and never counts for one that it has.
func (l *flagList) add(written string, place int) {
	path := "flags[" + strconv.Itoa(place) + "]"
	flag := protocols.FlagOf(written)
	switch {
	case flag == nil:
		l.warnings = append(l.warnings, protocols.Reason{Code: protocols.UnknownWord, Path: path,
			Message: "no flag has this word; they are " + strings.Join(protocols.FlagWords(), ", ")})
	case flag.Word != written:
		l.warnings = append(l.warnings, protocols.Reason{Code: protocols.OtherSpelling, Path: path, Message: "this flag is written " + flag.Word})
		written = flag.Word
	}
	l.words = append(l.words, written)
}

// readContext reads a context that is known to be JSON.
func (d *decoding) readContext() map[string]string {
	if d.space() != '{' {
		d.refuse(protocols.Malformed, "context", "this has to be an object of words")
		d.skip(2)
		return nil
	}
	d.i++
	if d.next('}') {
		return nil
	}
	context := map[string]string{}
	for count, another := 1, true; another; count++ {
		key, _ := d.text()
		d.next(':')
		if text, given, _ := d.stringOf("context." + values.Shown(key)); given {
			d.contextEntry(context, key, text, count)
		}
		another, _ = d.more('}')
	}
	return context
}

func (d *decoding) contextEntry(context map[string]string, key, text []byte, count int) {
	_, twice := context[string(key)]
	switch {
	case twice:
		d.refuse(protocols.Malformed, "context."+values.Shown(key), "this key is given twice")
	case count > maxContext:
		if count == maxContext+1 {
			d.refuse(protocols.Malformed, "context", "a context has at most 32 entries")
		}
	case !printable(key, maxWord) || (len(text) > 0 && !printable(text, maxWord)):
		d.refuse(protocols.Malformed, "context."+values.Shown(key), "a key and its word have at most 256 printable characters each")
	default:
		context[string(key)] = string(text)
	}
}

// readFlags reads flags that are known to be JSON.
func (d *decoding) readFlags() (flags flagList) {
	if d.space() != '[' {
		d.refuse(protocols.Malformed, "flags", "this has to be an array of words")
		d.skip(2)
		return flags
	}
	d.i++
	if d.next(']') {
		return flags
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
			flags.add(string(text), count-1)
		}
		another, _ = d.more(']')
	}
	flags.words = slices.Clip(flags.words)
	return flags
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

// ageOf reads how many seconds ago a device without a clock has measured.
func (d *decoding) ageOf() bool {
	if c := d.space(); c != '-' && c-'0' > 9 {
		d.refuse(protocols.NotANumber, "age", "this has to be a number of seconds")
		return d.skip(2)
	}
	seconds, ok := d.number()
	if !ok {
		return false
	}
	if seconds < 0 || seconds > ingest.MaxAge.Seconds() {
		d.refuse(protocols.Implausible, "age", "an age is 0 to 31622400 seconds, 366 days")
		return true
	}
	d.age = time.Duration(math.Round(seconds*1000)) * time.Millisecond
	return true
}
