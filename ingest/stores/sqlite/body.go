package sqlite

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// The body of a reading, as stored:
//
//	device number        uvarint
//	id                   as it is kept, see ingest.FurtherID and appendID
//	bits                 one byte: what follows and how
//	more                 one byte, when the source of bits is extended: the source, and what else follows
//	variant              one byte, when hasVariant
//	nanoseconds          uvarint, beyond the millisecond, when hasNanos
//	battery              one byte, when hasBattery
//	flags                count, then each with its length, when hasFlags
//	context              count, then key and value each with its length, in the order of keys, when hasContext
//	origin               unit, time and batch as received, each with its length, as far as more says
//	limits               count, then one byte per component, when hasLimits
//	values               one uvarint per component to the end: 0 when missing, else zigzag + 1
const (
	sourceBits = 0b11
	dayOnly    = 1 << (iota + 1)
	hasVariant
	hasNanos
	hasBattery
	hasFlags
	hasContext
)

// What few readings have costs those nothing that have it not: it is told in a second
// byte, which is there when the source is the one that no reading has.
const (
	extended  = 0b11
	hasStrike = 1 << (iota + 1)
	hasLimits
	hasUnit
	hasTime
	hasBatch
)

// appendBody appends the body of r to dst; key is its id as appendID writes it.
func appendBody(dst []byte, r *protocols.Reading, device int64, key []byte) []byte {
	nanos := r.Time.Nanosecond() % int(time.Millisecond)
	bits := byte(r.Source) & sourceBits
	set := func(bit byte, on bool) {
		if on {
			bits |= bit
		}
	}
	set(dayOnly, r.DayOnly)
	set(hasVariant, r.Variant != 0)
	set(hasNanos, nanos != 0)
	set(hasBattery, r.Battery >= 0)
	set(hasFlags, len(r.Flags) > 0)
	set(hasContext, len(r.Context) > 0)

	dst = binary.AppendUvarint(dst, uint64(device))
	dst = append(dst, key...)
	more := moreOf(r)
	if more != 0 {
		dst = append(dst, bits|extended, more|byte(r.Source)&sourceBits)
	} else {
		dst = append(dst, bits)
	}
	if bits&hasVariant != 0 {
		dst = append(dst, r.Variant)
	}
	if bits&hasNanos != 0 {
		dst = binary.AppendUvarint(dst, uint64(nanos))
	}
	if bits&hasBattery != 0 {
		dst = append(dst, byte(r.Battery))
	}
	if bits&hasFlags != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(r.Flags)))
		for _, flag := range r.Flags {
			dst = appendString(dst, flag)
		}
	}
	if bits&hasContext != 0 {
		dst = appendContext(dst, r.Context)
	}
	if more != 0 {
		dst = appendMore(dst, r, more)
	}
	for _, v := range r.Values {
		dst = binary.AppendUvarint(dst, packValue(v))
	}
	return dst
}

// moreOf says what of the rare things a reading has.
func moreOf(r *protocols.Reading) (more byte) {
	if r.Struck {
		more |= hasStrike
	}
	if r.Limits != nil {
		more |= hasLimits
	}
	if o := r.Origin; o != nil {
		for _, said := range []struct {
			bit  byte
			text string
		}{{hasUnit, o.Unit}, {hasTime, o.Time}, {hasBatch, o.Batch}} {
			if said.text != "" {
				more |= said.bit
			}
		}
	}
	return more
}

func appendMore(dst []byte, r *protocols.Reading, more byte) []byte {
	if more&hasUnit != 0 {
		dst = appendString(dst, r.Origin.Unit)
	}
	if more&hasTime != 0 {
		dst = appendString(dst, r.Origin.Time)
	}
	if more&hasBatch != 0 {
		dst = appendString(dst, r.Origin.Batch)
	}
	if more&hasLimits != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(r.Limits)))
		for _, limit := range r.Limits {
			dst = append(dst, byte(limit))
		}
	}
	return dst
}

// more reads what appendMore wrote.
func (b *body) more(r *protocols.Reading, more byte) {
	r.Struck = more&hasStrike != 0
	if more&(hasUnit|hasTime|hasBatch) != 0 {
		r.Origin = &protocols.Origin{}
	}
	if more&hasUnit != 0 {
		r.Origin.Unit = b.string()
	}
	if more&hasTime != 0 {
		r.Origin.Time = b.string()
	}
	if more&hasBatch != 0 {
		r.Origin.Batch = b.string()
	}
	if more&hasLimits != 0 {
		r.Limits = make([]protocols.Limit, len(r.Measure.Components))
		for i, limit := range b.take(b.uvarint()) {
			if i < len(r.Limits) {
				r.Limits[i] = protocols.Limit(limit)
			}
		}
	}
}

func appendContext(dst []byte, context map[string]string) []byte {
	keys := make([]string, 0, len(context))
	for key := range context {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, key := range keys {
		dst = appendString(appendString(dst, key), context[key])
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func packValue(v protocols.Value) uint64 {
	if v == protocols.Missing {
		return 0
	}
	return uint64((v<<1)^(v>>63)) + 1
}

func unpackValue(u uint64) protocols.Value {
	if u == 0 {
		return protocols.Missing
	}
	u--
	return protocols.Value(u>>1) ^ -protocols.Value(u&1)
}

// errBody is met only when the file is damaged.
var errBody = fmt.Errorf("a stored reading cannot be read: %w", ingest.ErrDamaged)

// body reads what appendBody wrote, from front to back. The first thing that
// does not fit makes it bad, and everything after it zero.
type body struct {
	rest []byte
	bad  bool
}

func (b *body) uvarint() uint64 {
	v, n := binary.Uvarint(b.rest)
	if n <= 0 {
		b.bad, b.rest = true, nil
		return 0
	}
	b.rest = b.rest[n:]
	return v
}

func (b *body) varint() int64 {
	u := b.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (b *body) take(n uint64) []byte {
	if n > uint64(len(b.rest)) {
		b.bad, b.rest = true, nil
		return nil
	}
	taken := b.rest[:n]
	b.rest = b.rest[n:]
	return taken
}

func (b *body) byte() byte {
	if one := b.take(1); one != nil {
		return one[0]
	}
	return 0
}

func (b *body) string() string { return string(b.take(b.uvarint())) }

// read fills r, whose Measure and Time (to the millisecond) the caller has set,
// and returns the device's number.
func (b *body) read(r *protocols.Reading) (device int64, err error) {
	device = int64(b.uvarint())
	r.ID = ingest.OwnID(b.id())
	bits := b.byte()
	var more byte
	r.Source = protocols.Source(bits & sourceBits)
	if r.Source == extended {
		more = b.byte()
		r.Source = protocols.Source(more & sourceBits)
	}
	r.DayOnly = bits&dayOnly != 0
	r.Battery = -1
	if bits&hasVariant != 0 {
		r.Variant = b.byte()
	}
	if bits&hasNanos != 0 {
		r.Time = r.Time.Add(time.Duration(b.uvarint()))
	}
	if bits&hasBattery != 0 {
		r.Battery = int(b.byte())
	}
	if bits&hasFlags != 0 {
		for n := b.uvarint(); n > 0 && !b.bad; n-- {
			r.Flags = append(r.Flags, b.string())
		}
	}
	if bits&hasContext != 0 {
		r.Context = map[string]string{}
		for n := b.uvarint(); n > 0 && !b.bad; n-- {
			key := b.string()
			r.Context[key] = b.string()
		}
	}
	if more != 0 {
		b.more(r, more)
	}
	r.Values = make([]protocols.Value, len(r.Measure.Components))
	for i := range r.Values {
		r.Values[i] = protocols.Missing
	}
	for i := 0; len(b.rest) > 0; i++ {
		v := unpackValue(b.uvarint())
		if i >= len(r.Values) {
			b.bad = true
			break
		}
		r.Values[i] = v
	}
	if b.bad {
		return 0, errBody
	}
	return device, nil
}

// An id is its length and its text, but for the usual kind, a UUID in lower
// case: that one is the length 0 and its 16 bytes, instead of 37.
const uuidLength = 36

func appendID(dst []byte, id string) []byte {
	if isUUID(id) {
		return appendUUID(append(dst, 0), id)
	}
	return appendString(dst, id)
}

func (b *body) id() string {
	n := b.uvarint()
	if n != 0 {
		return string(b.take(n))
	}
	return spellUUID(b.take(16))
}

// isUUID reports whether id is spelled exactly as spellUUID spells.
func isUUID(id string) bool {
	if len(id) != uuidLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// hyphenated are the places of the pairs of digits in a UUID.
var hyphenated = [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

func appendUUID(dst []byte, id string) []byte {
	for _, at := range hyphenated {
		dst = append(dst, digit(id[at])<<4|digit(id[at+1]))
	}
	return dst
}

func digit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}

func spellUUID(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	var text [uuidLength]byte
	hex.Encode(text[0:8], b[0:4])
	text[8] = '-'
	hex.Encode(text[9:13], b[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], b[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], b[8:10])
	text[23] = '-'
	hex.Encode(text[24:36], b[10:16])
	return string(text[:])
}
