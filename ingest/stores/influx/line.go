package influx

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// The fields of a point beside the components of its measure: numbers all of them,
// so that a mean over every field of a measurement has no text in its way.
const (
	fieldIDHigh      = "id_high" // the first half of an id that is a UUID
	fieldIDLow       = "id_low"
	fieldShortIDHigh = "short_id_high" // the first eight bytes of an id of up to sixteen
	fieldShortIDLow  = "short_id_low"
	fieldBattery     = "reported_battery"
	fieldDateOnly    = "date_only"
	fieldSubMS       = "sub_ms"
	fieldStruck      = "struck"
)

// words is added to the id of a measure for the measurement of its texts.
const words = ".words"

// The fields of a point of words. In versions before, they stood beside the numbers.
const (
	fieldID      = "id" // one that is no UUID and of more than sixteen bytes
	fieldFlags   = "flags"
	fieldContext = "context"
	fieldLimits  = "limits" // {"value":"below"}: the number is the end of what the device shows
)

// formerDayOnly was fieldDateOnly in versions before.
const formerDayOnly = "day_only"

// ourFields are the names of all fields that Vigie writes or has written.
func ourFields() []string {
	fields := []string{fieldIDHigh, fieldIDLow, fieldShortIDHigh, fieldShortIDLow, fieldBattery, fieldDateOnly, fieldSubMS, fieldStruck, fieldID, fieldFlags, fieldContext, fieldLimits, formerDayOnly}
	for _, m := range protocols.Measures() {
		for _, component := range m.Components {
			if !slices.Contains(fields, component.Name) {
				fields = append(fields, component.Name)
			}
		}
	}
	return fields
}

// appendLines appends a reading in line protocol, without the last end of line: a
// point of its numbers, and one of its words where it has any.
func appendLines(dst []byte, r *protocols.Reading) []byte {
	dst = appendSeries(dst, r, "")
	id := packed(r.ID)
	separator := byte(' ')
	number := func(name string, v protocols.Value) {
		dst = appendNumber(append(dst, separator), name, v)
		separator = ','
	}
	for i, v := range r.Values {
		if v != protocols.Missing {
			shown, _ := r.Shown(i)
			number(r.Measure.Components[i].Name, shown)
		}
	}
	if r.Battery >= 0 {
		number(fieldBattery, protocols.Value(r.Battery)*1000)
	}
	if r.DayOnly {
		number(fieldDateOnly, 1000)
	}
	if r.Struck {
		number(fieldStruck, 1000)
	}
	if sub := r.Time.Nanosecond() % int(time.Millisecond); sub != 0 {
		number(fieldSubMS, protocols.Value(sub)*1000)
	}
	if id.fields != nil {
		dst = appendWhole(append(dst, separator), id.fields[0], id.high)
		dst = appendWhole(append(dst, ','), id.fields[1], id.low)
		separator = ','
	}
	if separator == ' ' { // InfluxDB takes no point without a field
		number(fieldDateOnly, 0)
	}
	dst = appendTime(dst, r)
	if id.fields != nil && len(r.Flags) == 0 && len(r.Context) == 0 && r.Limits == nil {
		return dst
	}
	return appendWords(append(dst, '\n'), r, id.fields != nil)
}

func appendWords(dst []byte, r *protocols.Reading, hasID bool) []byte {
	dst = appendSeries(dst, r, words)
	separator := byte(' ')
	text := func(name, value string) {
		dst = append(append(append(dst, separator), name...), '=')
		dst = appendString(dst, value)
		separator = ','
	}
	if !hasID {
		text(fieldID, r.ID)
	}
	if len(r.Flags) > 0 {
		text(fieldFlags, asJSON(r.Flags))
	}
	if len(r.Context) > 0 {
		text(fieldContext, asJSON(r.Context))
	}
	if r.Limits != nil {
		text(fieldLimits, asJSON(r.Cite().Limits))
	}
	return appendTime(dst, r)
}

// appendSeries appends what comes before the fields.
func appendSeries(dst []byte, r *protocols.Reading, of string) []byte {
	dst = append(append(dst, r.Measure.ID...), of...)
	dst = appendTag(dst, "device", r.Device)
	dst = appendTag(dst, "patient", r.Patient)
	dst = appendTag(dst, "source", r.Source.String())
	if r.Variant > 0 {
		dst = appendTag(dst, "variant", r.Measure.Variants[r.Variant-1])
	}
	return dst
}

func appendTime(dst []byte, r *protocols.Reading) []byte {
	return strconv.AppendInt(append(dst, ' '), pointTime(r), 10)
}

// appendWhole appends a whole number, of which InfluxDB keeps all 64 bits.
func appendWhole(dst []byte, name string, n uint64) []byte {
	dst = append(append(dst, name...), '=')
	return append(strconv.AppendInt(dst, int64(n), 10), 'i')
}

// packedID is an id as two whole numbers, in the fields that tell how; nil where it
// has to be a text.
type packedID struct {
	fields    *[2]string
	high, low uint64
}

var (
	uuidFields  = [2]string{fieldIDHigh, fieldIDLow}
	shortFields = [2]string{fieldShortIDHigh, fieldShortIDLow}
)

// packed packs an id. A text would cost a point of its own, which is a fifth of what
// a reading costs InfluxDB.
func packed(id string) packedID {
	if high, low, ok := halves(id); ok {
		return packedID{&uuidFields, high, low}
	}
	if len(id) == 0 || len(id) > 16 || strings.IndexByte(id, 0) >= 0 {
		return packedID{}
	}
	var bytes [16]byte
	copy(bytes[:], id)
	return packedID{&shortFields, binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:])}
}

// shortID spells the id of up to sixteen bytes that packed has packed.
func shortID(high, low uint64) string {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], high)
	binary.BigEndian.PutUint64(bytes[8:], low)
	return strings.TrimRight(string(bytes[:]), "\x00")
}

// halves are the two numbers that a UUID in its usual spelling stands for.
func halves(id string) (high, low uint64, ok bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return 0, 0, false
	}
	digits := 0
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case i == 8 || i == 13 || i == 18 || i == 23:
			continue
		default:
			return 0, 0, false
		}
		if digits < 16 {
			high = high<<4 | uint64(c)
		} else {
			low = low<<4 | uint64(c)
		}
		digits++
	}
	return high, low, digits == 32
}

// uuid spells what halves has taken apart.
func uuid(high, low uint64) string {
	const digits = "0123456789abcdef"
	var id [36]byte
	at := len(id)
	for i := range 32 {
		if i == 12 || i == 16 || i == 20 || i == 24 {
			at--
			id[at] = '-'
		}
		at--
		id[at] = digits[low&15]
		low = low>>4 | high<<60
		high >>= 4
	}
	return string(id[:])
}

// asJSON writes strings, or a map of them, which always can be written.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("influx: strings that cannot be written as JSON: " + err.Error())
	}
	return string(text)
}

// pointTime is the time of the point of a reading, in nanoseconds.
func pointTime(r *protocols.Reading) int64 {
	place := fnv.New32a()
	place.Write([]byte(r.ID)) // never fails
	return r.Time.Truncate(time.Millisecond).UnixNano() + int64(place.Sum32()%uint32(time.Millisecond))
}

// appendNumber appends a field. A number without the suffix "i" is a float.
func appendNumber(dst []byte, name string, v protocols.Value) []byte {
	dst = append(dst, name...)
	dst = append(dst, '=')
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	dst = strconv.AppendInt(dst, int64(v/1000), 10)
	thousandths := int64(v % 1000)
	if thousandths == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+thousandths/100), byte('0'+thousandths/10%10), byte('0'+thousandths%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendTag(dst []byte, name, value string) []byte {
	dst = append(dst, ',')
	dst = append(dst, name...)
	dst = append(dst, '=')
	if !strings.ContainsAny(value, ", =\\\n") {
		return append(dst, value...)
	}
	return append(dst, tagEscapes.Replace(value)...)
}

// tagEscapes writes what a tag must not hold as it is. A backslash at the end
// would escape what follows the tag, and a line break would end the line, with
// no way to write either: they become a slash and a space.
var tagEscapes = strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`, "\\", "/", "\n", `\ `)

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if strings.ContainsAny(s, `"\`) {
		s = stringEscapes.Replace(s)
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

var stringEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)
