package ingest

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// A reading is named by its device, its id, what is measured and the moment. An id
// alone is not enough: counters begin anew after a change of battery, and gateways
// send the address of a device as id.

// named is that name, of what is measured by one device at one moment.
type named struct {
	device, id string
	measure    *protocols.Measure
	moment     int64 // nanoseconds since 1970
}

func nameOf(r *protocols.Reading) named {
	return named{r.Device, r.ID, r.Measure, r.Time.UnixNano()}
}

// Fate is what became of a reading that a store was given to keep.
type Fate uint8

// The fates.
const (
	Fresh         Fate = iota + 1 // it is new
	Reused                        // it is new, and its device used the id for another moment before
	Repeated                      // it is kept already, perhaps struck out
	Contradictory                 // one of the same name is kept, with other values
	Replacing                     // it is new, and comes in the place of one that was struck out
)

var fateNames = [...]string{"", "fresh", "reused", "repeated", "contradictory", "replacing"}

// String names a fate for people who test.
func (f Fate) String() string { return fateNames[f] }

// Kept reports whether the store keeps the reading since.
func (f Fate) Kept() bool { return f == Fresh || f == Reused || f == Replacing }

// SameMeasurement is within which time the same values under the same id are one
// measurement: devices without a clock are given the time when they are heard, and
// it is another one when they send again.
const SameMeasurement = 2 * time.Minute

// SameReceipt takes its place where the time was reckoned from when a message was
// received: the message may have come more than once.
const SameReceipt = 10 * time.Minute

// Near is within which time of a reading the same values under the same id are one
// measurement.
func Near(r *protocols.Reading) time.Duration {
	if r.Reckoned {
		return SameReceipt
	}
	return SameMeasurement
}

// Recognise says what becomes of a reading whose id its device has used before.
// known are the readings that are kept of that device and id, at least those
// measured Near it.
func Recognise(r *protocols.Reading, known []*protocols.Reading) Fate {
	fate, struck := Reused, 0
	for _, k := range known {
		apart := k.Time.Sub(r.Time).Abs()
		switch {
		case k.Measure != r.Measure:
			if apart == 0 && fate == Reused { // two measures of one moment are told under one id
				fate = Fresh
			}
		case apart <= Near(r) && slices.Equal(k.Values, r.Values):
			return Repeated // a person who has struck it out meant it
		case apart == 0 && k.Struck:
			struck++
		case apart == 0:
			fate = Contradictory
		}
	}
	switch {
	case struck == 1 && fate != Contradictory:
		return Replacing
	case struck > 1: // it was replaced once
		return Contradictory
	}
	return fate
}

// IsKept reports whether a reading is one of those that are known of its device and
// id: Recognise would find it Repeated.
func IsKept(r *protocols.Reading, known []*protocols.Reading) bool {
	for _, k := range known {
		if k.Measure == r.Measure && slices.Equal(k.Values, r.Values) && k.DayOnly == r.DayOnly && k.Time.Sub(r.Time).Abs() <= max(Near(r), SameDay(r)) {
			return true
		}
	}
	return false
}

// SameDay is how far two noons of one civil day lie apart at most, where only the
// day of a reading is known and perhaps not where: zero for others.
func SameDay(r *protocols.Reading) time.Duration {
	if r.DayOnly {
		return 12 * time.Hour
	}
	return 0
}

// FurtherID is the id under which a store keeps a reading whose own id stands for
// another reading of the device. Behind the id and a zero byte, which no id holds,
// come time and measure: further readings of one id lie in the order of time, and
// the first needs nothing more than its id.
func FurtherID(r *protocols.Reading) string {
	return string(append(furtherFrom(r.ID, r.Time), r.Measure.ID...))
}

// KeptID is the id under which a store keeps a reading whose id was used before, by its
// fate. What replaces a reading that was struck out stands beside it, a nanosecond on.
func KeptID(r *protocols.Reading, fate Fate) string {
	if fate != Replacing {
		return FurtherID(r)
	}
	return string(append(furtherFrom(r.ID, r.Time.Add(1)), r.Measure.ID...))
}

// KeptIDs are all ids under which a store may keep a reading.
func KeptIDs(r *protocols.Reading) []string {
	return []string{r.ID, FurtherID(r), KeptID(r, Replacing)}
}

// FurtherIDs bounds the ids under which further readings of one id are kept that
// were measured in [from, to].
func FurtherIDs(id string, from, to time.Time) (first, last string) {
	return string(furtherFrom(id, from)), string(append(furtherFrom(id, to), 0xff))
}

func furtherFrom(id string, at time.Time) []byte {
	const sign = 1 << 63 // so that times before 1970 come first
	return binary.BigEndian.AppendUint64(append([]byte(id), 0), uint64(at.UnixNano())^sign)
}

// OwnID is the id that the device gave, of one under which a store keeps a reading.
func OwnID(kept string) string {
	for end := strings.IndexByte(kept, 0); end >= 0 && end+furtherLength < len(kept); {
		if protocols.MeasureByID(kept[end+furtherLength:]) != nil {
			return kept[:end]
		}
		next := strings.IndexByte(kept[end+1:], 0)
		if next < 0 {
			break
		}
		end += 1 + next
	}
	return kept
}

// furtherLength is the length of the zero byte and the time.
const furtherLength = 1 + 8
