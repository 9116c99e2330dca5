package gatt

import (
	"encoding/hex"
	"errors"
	"math"
	"time"
)

// errShort says that a value ends before its flags say so.
var errShort = errors.New("the value is shorter than its flags say")

// cursor takes fields off the beginning of a value, least significant byte first, as the
// Bluetooth Core Specification has it (5.4, volume 3, part G, 2.4).
type cursor struct {
	rest  []byte
	short bool // a field was asked for that is not there
}

func (c *cursor) take(n int) uint32 {
	if c.short || len(c.rest) < n {
		c.short = true
		return 0
	}
	var value uint32
	for i := range n {
		value |= uint32(c.rest[i]) << (8 * i)
	}
	c.rest = c.rest[n:]
	return value
}

// sfloat reads an IEEE 11073-20601 SFLOAT: a mantissa of 12 bits and an exponent of 4,
// both signed. The five values that are no number give NaN: NaN, NRes, ±INFINITY and the
// reserved one, whose exponent is 0 (11073-20601, annex F.8). With another exponent their
// mantissa is a number: 204.6 mg/dL.
func (c *cursor) sfloat() float64 {
	raw := c.take(2)
	mantissa, exponent := int32(raw&0x0fff), int32(raw>>12)
	if raw >= 0x07fe && raw <= 0x0802 {
		return math.NaN()
	}
	return decimal(extended(mantissa, 12), extended(exponent, 4))
}

// float reads a FLOAT: 24 bits and 8.
func (c *cursor) float() float64 {
	raw := c.take(4)
	mantissa, exponent := int32(raw&0x00ffffff), int32(raw>>24)
	if raw >= 0x007ffffe && raw <= 0x00800002 {
		return math.NaN()
	}
	return decimal(extended(mantissa, 24), extended(exponent, 8))
}

// extended gives a number of so many bits its sign.
func extended(value int32, bits uint) int32 { return value << (32 - bits) >> (32 - bits) }

// decimal is mantissa·10^exponent, as the nearest number to what is written: 365·10⁻¹ is
// 36.5.
func decimal(mantissa, exponent int32) float64 {
	if exponent < 0 {
		return float64(mantissa) / math.Pow10(int(-exponent))
	}
	return float64(mantissa) * math.Pow10(int(exponent))
}

// clock reads a Date Time (0x2A08). It reports false where the year, the month or the day
// is not known, which is written as 0, or where there is no such time.
func (c *cursor) clock() (wall time.Time, ok bool) {
	year, month, day := int(c.take(2)), int(c.take(1)), int(c.take(1))
	hour, minute, second := int(c.take(1)), int(c.take(1)), int(c.take(1))
	if year == 0 || month == 0 || day == 0 {
		return wall, false
	}
	wall = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return wall, wall.Year() == year && int(wall.Month()) == month && wall.Day() == day && hour < 24 && minute < 60 && second < 60
}

// The numbers of a session's start that say that nobody knows: of a Time Zone (0x2A0E) and
// of a DST Offset (0x2A0D).
const (
	noZone = -128
	noDST  = 255
)

// sessionOf reads a CGM Session Start Time (0x2AAA): a clock, and how far it is ahead of
// UTC where the sensor knows that. It reports false where the clock is not set.
func sessionOf(text string) (begun time.Time, offset time.Duration, zoned, ok bool) {
	value, err := hex.DecodeString(text)
	if err != nil || len(value) != 9 && len(value) != 11 { // with a CRC
		return begun, 0, false, false
	}
	c := cursor{rest: value}
	begun, ok = c.clock()
	zone, dst := int8(c.take(1)), int(c.take(1))
	quarters := time.Duration(int(zone) + dst)
	return begun, quarters * 15 * time.Minute, zone != noZone && dst != noDST, ok
}
