package senml

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"vigie/ingest"
	"vigie/protocols/cbor"
)

// decimalFraction is the one tag that SenML has (RFC 8428, section 6): [exponent, mantissa].
const decimalFraction = 4

// deepest is how deep lists and maps may be nested.
const deepest = 8

// The reasons why bytes are not CBOR of a pack.
var (
	errForm    = errors.New("a form of CBOR in it is not one that SenML has")
	errTwice   = errors.New("a field is given twice")
	errUTF8    = errors.New("a text in it is not UTF-8")
	errMany    = errors.New("it holds more than " + strconv.Itoa(ingest.MaxReadings) + " records")
	errMore    = errors.New("there is more than one value")
	errLabel   = errors.New("a field has neither a label of SenML nor a name")
	errDecimal = errors.New("a decimal fraction in it is none")
)

func readCBOR(payload []byte) ([]fields, *fault) {
	r := reader{cbor.Reader{Rest: payload}}
	whole, err := r.item(0)
	if err == nil && len(r.Rest) > 0 {
		err = errMore
	}
	if err != nil {
		return nil, malformed("", "the payload is not CBOR that can be read: "+err.Error())
	}
	return listed(whole)
}

// reader reads CBOR from its beginning.
type reader struct{ cbor.Reader }

// item reads one data item: a float64 for any number, a string, a []byte, a bool, an []any
// or a map[string]any.
func (r *reader) item(depth int) (any, error) {
	if depth > deepest {
		return nil, cbor.ErrDeep
	}
	head, err := r.Head()
	if err != nil {
		return nil, err
	}
	major, argument, endless := head.Major, head.Argument, head.Endless()
	switch {
	case endless && major != cbor.List && major != cbor.Map:
		return nil, errForm
	case major == cbor.Unsigned:
		return float64(argument), nil
	case major == cbor.Negative:
		return -1 - float64(argument), nil
	case major == cbor.Bytes:
		return r.Next(argument)
	case major == cbor.Text:
		text, err := r.Next(argument)
		if err == nil && !utf8.Valid(text) {
			err = errUTF8
		}
		return string(text), err
	case major == cbor.List:
		return r.list(argument, endless, depth)
	case major == cbor.Map:
		return r.fields(argument, endless, depth)
	case major == cbor.Tagged:
		return r.tagged(argument, depth)
	}
	return simple(head.Info, argument)
}

// ends reports whether a list or a map is over, and takes its end.
func (r *reader) ends(read int, length uint64, endless bool) bool {
	if !endless {
		return uint64(read) == length
	}
	if len(r.Rest) > 0 && r.Rest[0] == 0xff {
		r.Rest = r.Rest[1:]
		return true
	}
	return false
}

func (r *reader) list(length uint64, endless bool, depth int) (any, error) {
	list := []any{}
	for !r.ends(len(list), length, endless) {
		if len(list) == ingest.MaxReadings {
			return nil, errMany
		}
		item, err := r.item(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

func (r *reader) fields(length uint64, endless bool, depth int) (any, error) {
	fields := map[string]any{}
	for !r.ends(len(fields), length, endless) {
		name, err := r.label(depth)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice {
			return nil, errTwice
		}
		if fields[name], err = r.item(depth + 1); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// label reads the name of a field, or the number that stands for it.
func (r *reader) label(depth int) (string, error) {
	if len(r.Rest) == 0 {
		return "", cbor.ErrCut
	}
	major := r.Rest[0] >> 5
	item, err := r.item(depth + 1)
	if err != nil {
		return "", err
	}
	name, ok := item.(string)
	if number, isNumber := item.(float64); isNumber && major <= cbor.Negative {
		name, ok = labels[number]
	}
	if !ok {
		return "", errLabel
	}
	return name, nil
}

// cbor.Tagged reads a decimal fraction.
func (r *reader) tagged(tag uint64, depth int) (any, error) {
	if tag != decimalFraction {
		return nil, errForm
	}
	item, err := r.item(depth + 1)
	if err != nil {
		return nil, err
	}
	pair, ok := item.([]any)
	if !ok || len(pair) != 2 {
		return nil, errDecimal
	}
	exponent, whole := pair[0].(float64)
	mantissa, too := pair[1].(float64)
	if !whole || !too || exponent != math.Trunc(exponent) || mantissa != math.Trunc(mantissa) || math.Abs(exponent) > 308 {
		return nil, errDecimal
	}
	// By its digits, so that 821 and −1 are 82.1.
	number, err := strconv.ParseFloat(strconv.FormatFloat(mantissa, 'f', -1, 64)+"e"+strconv.Itoa(int(exponent)), 64)
	if err != nil {
		return nil, errDecimal
	}
	return number, nil
}

// simple reads a truth value or a floating-point number.
func simple(info byte, argument uint64) (any, error) {
	switch info {
	case 20, 21:
		return info == 21, nil
	case 25:
		return half(uint16(argument)), nil
	case 26:
		return float64(math.Float32frombits(uint32(argument))), nil
	case 27:
		return math.Float64frombits(argument), nil
	}
	return nil, errForm
}

// half is a number of 16 bits (RFC 8949, appendix D).
func half(bits uint16) float64 {
	exponent, mantissa := int(bits>>10&31), float64(bits&1023)
	var number float64
	switch exponent {
	case 0:
		number = math.Ldexp(mantissa, -24)
	case 31:
		number = math.Inf(1)
		if mantissa != 0 {
			number = math.NaN()
		}
	default:
		number = math.Ldexp(mantissa+1024, exponent-25)
	}
	if bits&0x8000 != 0 {
		return -number
	}
	return number
}

// writeCBOR writes records as a pack without base fields.
func writeCBOR(records []record) []byte {
	pack := begin(nil, cbor.List, uint64(len(records)))
	for _, r := range records {
		pack = begin(pack, cbor.Map, 4)
		pack = text(append(pack, 0), r.name)
		pack = text(append(pack, 1), r.unit)
		pack = float(append(pack, 6), r.time)
		if r.wrong != nil {
			pack = text(append(pack, 3), r.said)
		} else {
			pack = float(append(pack, 2), r.value)
		}
	}
	return pack
}

func text(to []byte, text string) []byte {
	return append(begin(to, cbor.Text, uint64(len(text))), text...)
}

// begin appends the head of a data item.
func begin(to []byte, major byte, argument uint64) []byte {
	if argument < 24 {
		return append(to, major<<5|byte(argument))
	}
	return binary.BigEndian.AppendUint32(append(to, major<<5|26), uint32(argument))
}

func float(to []byte, number float64) []byte {
	return binary.BigEndian.AppendUint64(append(to, cbor.Other<<5|27), math.Float64bits(number))
}
