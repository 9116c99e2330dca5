package senml

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// fields are those of a record, by their names in JSON: a float64, a string, a bool, or
// anything else that no field may be.
type fields map[string]any

// record is one measurement with what its base fields add to it.
type record struct {
	at          int // place in the pack
	name, unit  string
	value, time float64
	wrong       *fault // why it is no measurement
	said        string // in the place of a value
}

// path is where a field of the record stands.
func (r *record) path(field string) string { return place(r.at, field) }

func place(at int, field string) string { return "[" + strconv.Itoa(at) + "]." + field }

// version is that of SenML which is read (RFC 8428, section 4.4).
const version = 10

// texts and numbers are the fields of either kind; labels says the number of each in CBOR.
var (
	texts   = []string{"bn", "bu", "n", "u", "vs", "vd"}
	numbers = []string{"bver", "bt", "bv", "bs", "v", "s", "t", "ut"}
	labels  = map[float64]string{
		-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
		0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
	}
)

// check says what is wrong with the fields of a record. One that is not known may be ignored
// unless it ends in "_" (RFC 8428, section 4.4).
func (f fields) check(at int) *fault {
	for field, value := range f {
		_, text := value.(string)
		number, isNumber := value.(float64)
		switch {
		case slices.Contains(texts, field) && !text:
			return malformed(place(at, field), "this has to be a text")
		case slices.Contains(numbers, field) && (!isNumber || math.IsNaN(number) || math.IsInf(number, 0)):
			return &fault{protocols.NotANumber, place(at, field), "this has to be a finite number"}
		case field == "bver" && (number < 1 || number > version || number != math.Trunc(number)):
			return malformed(place(at, field), "version 10 of SenML is read")
		case strings.HasSuffix(field, "_"):
			return &fault{protocols.UnknownField, place(at, values.Shown([]byte(field))), "this field has to be understood, and is not known"}
		}
	}
	return nil
}

// resolve adds the base fields to the records that follow them. A record of base fields
// alone is none itself.
func resolve(list []fields) ([]record, *fault) {
	if len(list) == 0 || len(list) > ingest.MaxReadings {
		return nil, malformed("", "the payload is no list of 1 to "+strconv.Itoa(ingest.MaxReadings)+" records")
	}
	var records []record
	var name, unit string
	var at, value float64
	for i, f := range list {
		if wrong := f.check(i); wrong != nil {
			return nil, wrong
		}
		name, unit = f.text("bn", name), f.text("bu", unit)
		at, value = f.number("bt", at), f.number("bv", value)
		if f.isBase() {
			continue
		}
		r := record{at: i, name: name + f.text("n", ""), unit: f.text("u", unit), value: value + f.number("v", 0), time: at + f.number("t", 0)}
		switch {
		case math.IsInf(r.value, 0), math.IsInf(r.time, 0):
			return nil, &fault{protocols.NotANumber, r.path("v"), "this has to be a finite number"}
		case f["v"] == nil:
			r.wrong, r.said = f.without(i)
		case !properly(r.name):
			r.wrong = malformed(r.path("n"), "a name begins with a letter or a digit, and has none but letters, digits and -:./_")
		}
		records = append(records, r)
	}
	if records == nil {
		return nil, &fault{protocols.MissingValue, "", "the pack holds no measurement"}
	}
	return records, nil
}

func (f fields) text(field, otherwise string) string {
	if text, ok := f[field].(string); ok {
		return text
	}
	return otherwise
}

func (f fields) number(field string, otherwise float64) float64 {
	if number, ok := f[field].(float64); ok {
		return number
	}
	return otherwise
}

// isBase reports whether a record has base fields and no other.
func (f fields) isBase() bool {
	for field := range f {
		if !strings.HasPrefix(field, "b") {
			return false
		}
	}
	return len(f) > 0
}

// without says what is wrong with a record that has no number, and what it has.
func (f fields) without(at int) (wrong *fault, said string) {
	for _, other := range []string{"vs", "vb", "vd"} {
		if f[other] != nil {
			return &fault{protocols.NotANumber, place(at, other), "a measurement is a number, in v"}, fmt.Sprint(f[other])
		}
	}
	return &fault{protocols.MissingValue, place(at, "v"), "this field is required"}, ""
}

// maxName is how many bytes a name may have.
const maxName = 256

// properly reports whether a name is one (RFC 8428, section 4.5.1).
func properly(name string) bool {
	if name == "" || len(name) > maxName || strings.IndexByte("-:./_", name[0]) >= 0 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("-:./_", c) < 0 {
			return false
		}
	}
	return true
}

func readJSON(payload []byte) ([]fields, *fault) {
	var whole any
	if err := document.ReadJSON(payload, &whole, false); err != nil {
		return nil, malformed(values.Where(err), "the payload is not JSON that can be read: "+err.Error())
	}
	return listed(whole)
}

// listed takes a value that was read for a list of records.
func listed(whole any) ([]fields, *fault) {
	items, isList := whole.([]any)
	if !isList {
		return nil, malformed("", "a pack is a list of records")
	}
	list := make([]fields, len(items))
	for i, item := range items {
		f, isMap := item.(map[string]any)
		if !isMap {
			return nil, malformed("["+strconv.Itoa(i)+"]", "a record is a map of fields")
		}
		for field, value := range f {
			if digits, ok := value.(json.Number); ok {
				number, err := digits.Float64()
				if err != nil {
					number = math.NaN()
				}
				f[field] = number
			}
		}
		list[i] = f
	}
	return list, nil
}

// writeJSON writes records as a pack without base fields.
func writeJSON(records []record) []byte {
	list := make([]map[string]any, len(records))
	for i, r := range records {
		list[i] = map[string]any{"n": r.name, "u": r.unit, "t": r.time}
		if r.wrong != nil {
			list[i]["vs"] = r.said
		} else {
			list[i]["v"] = r.value
		}
	}
	pack, err := json.Marshal(list)
	if err != nil {
		panic("senml: texts and finite numbers cannot be written: " + err.Error())
	}
	return pack
}
