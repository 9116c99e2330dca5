package engine

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
	"vigie/protocols/engine/internal/series"
)

// recentReadings keeps the latest readings of a measure, at most maxCited, for
// explanations to cite. They are written one after the other, oldest first,
// which takes a tenth of the memory. Each is its length and then:
//
//	moment   8 bytes
//	variant  one byte
//	flags    one byte, of the bits below
//	meal     one byte, the place of the moment among all; only where eaten
//	device   place in the devices of the state, uvarint
//	id       its length, uvarint, and its text; or 0 and the 16 bytes of a UUID
//	limits   how many, and one byte per component; only where limited
//	values   one varint per component
type recentReadings struct {
	written []byte
	count   int
}

// The flags of a reading.
const (
	ofDay   byte = 1 << iota // only the day is known
	limited                  // some value lies below or above what the instrument shows
	doubted
	eaten // it says when by a meal
)

// asDoubted marks a doubted reading among those that can be cited.
var asDoubted = []string{"improbable"}

// mealNames are the moments in the order in which they are written down, and byMeal what a
// reading of each says.
var (
	mealNames = protocols.MealNames()
	byMeal    = func() (contexts []map[string]string) {
		for _, name := range mealNames {
			contexts = append(contexts, map[string]string{protocols.MealContext: name})
		}
		return contexts
	}()
)

// recentStep is by how many bytes the room grows: to size, rather than double.
const recentStep = 128

// keptReading is a reading as it is written down.
type keptReading struct {
	reading *protocols.Reading
	device  int
	doubted bool
	meal    protocols.Meal // empty where no rule asks
}

// add writes a reading down, and drops the oldest of too many and those before first.
func (k *recentReadings) add(kept keptReading, first moment.Instant) {
	r := kept.reading
	var room [192]byte // enough for a dialysis session
	one := binary.LittleEndian.AppendUint64(room[:0], uint64(r.Time.UnixNano()))
	var what byte
	if r.DayOnly {
		what |= ofDay
	}
	if r.Limits != nil {
		what |= limited
	}
	if kept.doubted {
		what |= doubted
	}
	if kept.meal != "" {
		one = append(one, r.Variant, what|eaten, byte(slices.Index(mealNames, string(kept.meal))))
	} else {
		one = append(one, r.Variant, what)
	}
	one = binary.AppendUvarint(one, uint64(kept.device))
	if number, ok := packUUID(r.ID); ok {
		one = append(append(one, 0), number[:]...)
	} else {
		one = append(binary.AppendUvarint(one, uint64(len(r.ID))), r.ID...)
	}
	if r.Limits != nil {
		one = append(one, byte(len(r.Limits)))
		for _, limit := range r.Limits {
			one = append(one, byte(limit))
		}
	}
	for _, v := range r.Values {
		one = binary.AppendVarint(one, int64(v))
	}
	k.drop(first)
	if needed := len(k.written) + binary.MaxVarintLen64 + len(one); needed > cap(k.written) {
		k.written = append(make([]byte, 0, (needed+recentStep-1)/recentStep*recentStep), k.written...)
	}
	k.written = append(binary.AppendUvarint(k.written, uint64(len(one))), one...)
	k.count++
}

// drop makes place for one more.
func (k *recentReadings) drop(first moment.Instant) {
	rest := k.written
	for len(rest) > 0 {
		oldest, size := binary.Uvarint(rest)
		if k.count < maxCited && moment.Instant(binary.LittleEndian.Uint64(rest[size:])) >= first {
			break
		}
		rest = rest[size+int(oldest):]
		k.count--
	}
	k.written = k.written[:copy(k.written, rest)]
}

// citable is the moment before which no reading of a measure lies in a window
// any more.
func (s *State) citable(m *plan.Measure, at moment.Instant) moment.Instant {
	if m.Daily {
		return moment.FarPast
	}
	first := at - m.Reach
	for _, i := range m.Series {
		for _, latest := range []series.Sample{s.series[i].Previous, s.series[i].Last} {
			if latest.At != moment.FarPast {
				first = min(first, latest.At)
			}
		}
	}
	return first
}

func (k *recentReadings) clear() { k.written, k.count = k.written[:0], 0 }

// readings are those kept, oldest first.
func (k *recentReadings) readings(m *protocols.Measure, devices []string) []*protocols.Reading {
	found := make([]*protocols.Reading, 0, k.count)
	for rest := k.written; len(rest) > 0; {
		length, size := binary.Uvarint(rest)
		one := rest[size:][:length]
		rest = rest[size+len(one):]
		r := &protocols.Reading{Measure: m, Time: moment.Time(moment.Instant(binary.LittleEndian.Uint64(one)))}
		what := one[9]
		r.Variant, r.DayOnly = one[8], what&ofDay != 0
		if what&doubted != 0 {
			r.Flags = asDoubted
		}
		one = one[10:]
		if what&eaten != 0 {
			r.Context, one = byMeal[one[0]], one[1:]
		}
		device, size := binary.Uvarint(one)
		r.Device = devices[device]
		one = one[size:]
		length, size = binary.Uvarint(one)
		one = one[size:]
		if length == 0 {
			r.ID, one = spellUUID(one[:16]), one[16:]
		} else {
			r.ID, one = string(one[:length]), one[length:]
		}
		if what&limited != 0 {
			for _, limit := range one[1:][:one[0]] {
				r.Limits = append(r.Limits, protocols.Limit(limit))
			}
			one = one[1+len(r.Limits):]
		}
		for len(one) > 0 {
			v, size := binary.Varint(one)
			r.Values, one = append(r.Values, protocols.Value(v)), one[size:]
		}
		found = append(found, r)
	}
	return found
}

// deviceNumber is the place of a device in the devices of the state.
func (s *State) deviceNumber(name string) int {
	if i := slices.Index(s.devices, name); i >= 0 {
		return i
	}
	s.devices = append(s.devices, name)
	return len(s.devices) - 1
}

// uuidParts are the lengths of the parts of a UUID, between hyphens:
// "018f6f2c-0000-7000-8000-000000000001".
var uuidParts = [...]int{8, 4, 4, 4, 12}

// hexDigits is the number that a small hexadecimal digit stands for, or 16 and more.
var hexDigits = func() (numbers [256]byte) {
	for c := range numbers {
		numbers[c] = 0xff
	}
	for n, c := range "0123456789abcdef" {
		numbers[c] = byte(n)
	}
	return numbers
}()

// packUUID is the number that an id spells, if the id is exactly what spellUUID
// makes of it.
func packUUID(id string) (number [16]byte, ok bool) {
	if len(id) != 36 {
		return number, false
	}
	wrong, at := byte(0), 0
	for i := range number {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			wrong |= id[at] ^ '-'
			at++
		}
		high, low := hexDigits[id[at]], hexDigits[id[at+1]]
		wrong |= (high | low) & 0xf0
		number[i] = high<<4 | low
		at += 2
	}
	return number, wrong == 0
}

func spellUUID(number []byte) string {
	digits := hex.AppendEncode(make([]byte, 0, 32), number)
	id := make([]byte, 0, 36)
	for _, part := range uuidParts {
		if len(id) > 0 {
			id = append(id, '-')
		}
		id, digits = append(id, digits[:part]...), digits[part:]
	}
	return string(id)
}
