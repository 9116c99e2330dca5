package influx

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// The fields of a point beside the components of its measure.
const (
	fieldID      = "id"
	fieldBattery = "reported_battery"
	fieldFlags   = "flags"
	fieldContext = "context"
	fieldDayOnly = "day_only"
	fieldSubMS   = "sub_ms"
)

// appendLine appends a reading as one line of line protocol, without its end.
func appendLine(dst []byte, r *protocols.Reading) []byte {
	dst = append(dst, r.Measure.ID...)
	dst = appendTag(dst, "device", r.Device)
	dst = appendTag(dst, "patient", r.Patient)
	dst = appendTag(dst, "source", r.Source.String())
	if r.Variant > 0 {
		dst = appendTag(dst, "variant", r.Measure.Variants[r.Variant-1])
	}
	dst = append(dst, " "+fieldID+"="...)
	dst = appendString(dst, r.ID)
	for i, v := range r.Values {
		if v != protocols.Missing {
			dst = appendNumber(dst, r.Measure.Components[i].Name, v)
		}
	}
	dst = appendQuality(dst, r)
	dst = append(dst, ' ')
	return strconv.AppendInt(dst, pointTime(r), 10)
}

// appendQuality appends what is known of a reading beside its values.
func appendQuality(dst []byte, r *protocols.Reading) []byte {
	if r.Battery >= 0 {
		dst = appendNumber(dst, fieldBattery, protocols.Value(r.Battery)*1000)
	}
	if len(r.Flags) > 0 {
		dst = append(dst, ","+fieldFlags+"="...)
		dst = appendString(dst, asJSON(r.Flags))
	}
	if len(r.Context) > 0 {
		dst = append(dst, ","+fieldContext+"="...)
		dst = appendString(dst, asJSON(r.Context))
	}
	if r.DayOnly {
		dst = append(dst, ","+fieldDayOnly+"=true"...)
	}
	if sub := r.Time.Nanosecond() % int(time.Millisecond); sub != 0 {
		dst = appendNumber(dst, fieldSubMS, protocols.Value(sub)*1000)
	}
	return dst
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
	dst = append(dst, ',')
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
