package gatt

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// layout is a characteristic as the GATT Specification Supplement tables it. It builds
// values, and says what is right for them, without reading one.
type layout struct {
	name    string
	fields  func(on bits) string // behind the flags
	clock   int                  // the bit of the device's own time; always and never for what is so in every value
	user    int                  // the bit of the user's index
	unset   int                  // the bit that says that the clock is not set
	says    func(on bits) string
	flagged func(on bits) string
	wrong   func(on bits) bool
	list    int // the bit of a list at the end, which is whole when it is shorter by some items of two bytes
	items   int
}

// bits tells which bits of the flags are set.
type bits func(bit int) bool

func (on bits) then(bit int, text string) string { return either(on(bit), text, "") }

const (
	always = -1
	never  = -2
)

func (l *layout) value(flags int) string {
	return strings.ReplaceAll(fmt.Sprintf("%02x", flags)+l.fields(func(bit int) bool { return flags>>bit&1 == 1 }), " ", "")
}

// told is whose measurement a message says that it is, and what it says of when.
type told struct {
	user       int
	zone, time bool
}

func (l *layout) payload(value string, by told) string {
	more := fmt.Sprintf(`,"user":%d`, by.user)
	if by.zone {
		more += paris
	}
	if by.time {
		more += `,"time":"2026-11-21T08:30:00+01:00"`
	}
	return of(l.name, value, more)
}

// right is what a value with these flags gives.
func (l *layout) right(flags int, by told) string {
	on := func(bit int) bool { return bit == always || bit >= 0 && flags>>bit&1 == 1 }
	if l.wrong != nil && l.wrong(on) {
		return "refused not-a-number value"
	}
	at, refused := "", ""
	if on(l.user) && by.user != 2 {
		refused += " inconsistent user"
	}
	switch {
	case !on(l.clock) && by.time:
		at = "2026-11-21T07:30:00Z"
	case !on(l.clock):
		refused += " missing-value time"
	case on(l.unset):
		refused += " clock-not-set value"
	case !by.zone:
		refused += " no-time-zone zone"
	case l.name == "2A18" && on(0): // half an hour earlier
		at = "2026-11-21T05:32:17Z"
	default:
		at = "2026-11-21T06:02:17Z"
	}
	if refused != "" {
		return "refused" + refused
	}
	text := l.says(on) + " " + at
	if l.flagged != nil {
		text += l.flagged(on)
	}
	return text
}

// either says one of two texts.
func either(first bool, one, other string) string {
	if first {
		return one
	}
	return other
}

var layouts = []layout{
	{name: "2A35", clock: 1, user: 3, unset: never, list: never,
		fields: func(on bits) string {
			return either(on(0), "bdf0 79f0 8ef0", "8e00 5b00 6b00") + on.then(1, clock) + on.then(2, "4800") + on.then(3, "02") + on.then(4, "0700")
		},
		says: func(on bits) string {
			return "blood-pressure " + either(on(0), "systolic=141.762 diastolic=90.757 mean=106.509", "systolic=142 diastolic=91 mean=107") + on.then(2, " pulse=72")
		},
		flagged: func(on bits) string { return on.then(4, " motion cuff-fit irregular-pulse") }},
	{name: "2A9D", clock: 1, user: 2, unset: never, list: never,
		fields: func(on bits) string {
			return either(on(0), "8043", "2440") + on.then(1, clock) + on.then(2, "02") + on.then(3, "fa00 d606")
		},
		says: func(on bits) string { return "weight " + either(on(0), "value=78.381", "value=82.1") }},
	{name: "2A1C", clock: 1, user: never, unset: never, list: never,
		fields: func(on bits) string {
			return either(on(0), "da0300ff", "6d0100ff") + on.then(1, clock) + on.then(2, "02")
		},
		says: func(on bits) string { return "temperature " + either(on(0), "value=37", "value=36.5") }},
	{name: "2A5E", clock: 0, user: never, unset: 4, list: never,
		fields: func(on bits) string {
			return "6100 4800" + on.then(0, clock) + on.then(1, "8001") + on.then(2, "200000") + on.then(3, "14f0")
		},
		says:    func(bits) string { return "oxygen-saturation value=97" },
		flagged: func(on bits) string { return on.then(2, " low-perfusion") }},
	{name: "2A5F", clock: never, user: never, unset: never, list: never,
		fields: func(on bits) string {
			return "6100 4800" + on.then(0, "6000 4900") + on.then(1, "5f00 4a00") + on.then(2, "2000") + on.then(3, "200800") + on.then(4, "14f0")
		},
		says:    func(bits) string { return "oxygen-saturation value=97" },
		flagged: func(on bits) string { return on.then(3, " low-perfusion poor-contact") }},
	{name: "2A18", clock: always, user: never, unset: never, list: never,
		fields: func(on bits) string {
			return "0700" + clock + on.then(0, "e2ff") + on.then(1, either(on(2), "33c0", "70b0")+"11") + on.then(3, "0200")
		},
		says:    func(on bits) string { return "glucose/capillary " + either(on(2), "value=91.88", "value=112") },
		wrong:   func(on bits) bool { return !on(1) },
		flagged: func(on bits) string { return on.then(3, " sensor-error") }},
	{name: "2A37", clock: never, user: never, unset: never, list: 4, items: 2,
		fields: func(on bits) string {
			return either(on(0), "4800", "48") + on.then(3, "1000") + on.then(4, "0003 1003")
		},
		says:    func(bits) string { return "heart-rate value=72" },
		flagged: func(on bits) string { return either(on(2) && !on(1), " poor-contact", "") }},
}

// TestEveryCombinationOfFlags builds each characteristic with each of the 256 values of its
// flags, the reserved ones with them, and tells it in each way: with a zone, with the time of
// the box, of the user it is of or of another. Cut short or with a byte too many it is no value.
func TestEveryCombinationOfFlags(t *testing.T) {
	for i := range layouts {
		l := &layouts[i]
		for flags := range 256 {
			value := l.value(flags)
			for way := range 8 {
				by := told{user: 1 + way&1, zone: way&2 != 0, time: way&4 != 0}
				if got, want := said(l.payload(value, by)), l.right(flags, by); got != want {
					t.Fatalf("%s with the flags %02x, %+v: %s\nvalue %s\nwant  %s", l.name, flags, by, got, value, want)
				}
			}
			all := told{user: 2, zone: true, time: true}
			for cut := 2; cut < len(value); cut += 2 {
				if missing := len(value) - cut; l.list != never && flags>>l.list&1 == 1 && missing%4 == 0 && missing <= 4*l.items {
					continue
				}
				if got := said(l.payload(value[:cut], all)); got != "refused malformed value" {
					t.Fatalf("%s with the flags %02x, cut to %s: %s", l.name, flags, value[:cut], got)
				}
			}
			if got := said(l.payload(value+"00", all)); got != "refused malformed value" {
				t.Fatalf("%s with the flags %02x and a byte too many: %s", l.name, flags, got)
			}
		}
	}
}

// TestEveryCombinationOfASensor does the same for the records of 2AA7, with and without a
// CRC, and for the sessions that they are counted from.
func TestEveryCombinationOfASensor(t *testing.T) {
	sessions := map[string]string{
		begun: "2026-11-21T06:05:00Z", begunHere: "2026-11-21T06:05:00Z", begun + paris: "2026-11-21T06:05:00Z",
		`,"session":"ea070b15070000040aabcd"`: "2026-11-21T03:35:00Z", // two quarters and a half of daylight saving, and a CRC
		`,"session":"ea070b1507000080ff"`:     "", `,"session":"ea070b150700008004"`: "", `,"session":"ea070b1507000004ff"`: "",
	}
	for flags := range 256 {
		for _, crc := range []string{"", "abcd"} {
			record := fmt.Sprintf("%02x76000500", flags)
			on := bits(func(bit int) bool { return flags>>bit&1 == 1 })
			record += on.then(7, "08") + on.then(6, "10") + on.then(5, "3f") + on.then(0, "0100") + on.then(1, "6400") + crc
			value := fmt.Sprintf("%02x", len(record)/2+1) + record
			for session, at := range sessions {
				want := "refused no-time-zone zone"
				if at != "" {
					want = "glucose/interstitial value=118 " + at + either(flags&0xc0 != 0, " sensor-error", "")
				}
				if got := said(of("2AA7", value, session)); got != want {
					t.Fatalf("%s, session %s: %s\nwant %s", value, session, got, want)
				}
			}
			if crc != "" {
				continue // without it, two bytes less are a whole record
			}
			for cut := 2; cut < len(value); cut += 2 {
				short := fmt.Sprintf("%02x", cut/2) + value[2:cut]
				for _, v := range []string{value[:cut], short, value + "00", fmt.Sprintf("%02x", len(value)/2+1) + value[2:] + "00"} {
					if got := said(of("2AA7", v, begun)); !strings.HasSuffix(got, "refused malformed value") {
						t.Fatalf("flags %02x, %s: %s", flags, v, got)
					}
				}
			}
		}
	}
}

// TestEveryCombinationOfAContext: what 2A34 tells beside the meal is stepped over.
func TestEveryCombinationOfAContext(t *testing.T) {
	words := map[int]string{1: "before a meal", 2: "after a meal", 3: "fasting", 4: "casual", 5: "bedtime"}
	tell := func(context string) string {
		return said(of("2A18", "02 0700"+clock+" 70b0 11", paris+`,"context":"`+context+`"`))
	}
	const measured = "glucose/capillary value=112 2026-11-21T06:02:17Z"
	for flags := range 256 {
		for meal := range 7 {
			context := fmt.Sprintf("%02x0700", flags)
			on := bits(func(bit int) bool { return flags>>bit&1 == 1 })
			context += on.then(7, "00") + on.then(0, "01204e") + on.then(1, fmt.Sprintf("%02x", meal)) + on.then(2, "11") + on.then(3, "100e32") + on.then(4, "0512b0") + on.then(6, "4b00")
			want := measured
			if word := words[meal]; word != "" && flags&2 != 0 {
				want += " meal:" + word
			}
			if got := tell(context); got != want {
				t.Fatalf("%s: %s\nwant %s", context, got, want)
			}
			for _, other := range []string{context[:len(context)-2], context + "00", context[:2] + "0800" + context[6:]} {
				if got := tell(other); got != "refused inconsistent context" {
					t.Fatalf("%s: %s", other, got)
				}
			}
		}
	}
}

// TestEveryStatusIsHeard goes through the bits of each status.
func TestEveryStatusIsHeard(t *testing.T) {
	any := func(status int, bits ...int) bool {
		for _, bit := range bits {
			if status>>bit&1 == 1 {
				return true
			}
		}
		return false
	}
	const box = `,"time":"2026-11-21T08:30:00+01:00"`
	hold := func(what string, status int, got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s, status %x: %s\nwant %s", what, status, got, want)
		}
	}
	for status := range 1 << 6 {
		want := "blood-pressure systolic=142 diastolic=91 2026-11-21T07:30:00Z" + either(any(status, 0), " motion", "") + either(any(status, 1), " cuff-fit", "") + either(any(status, 2), " irregular-pulse", "")
		hold("pressure", status, said(of("2A35", fmt.Sprintf("10 8e00 5b00 ff07 %02x00", status), box)), want)
	}
	for status := range 1 << 16 {
		if status&0x1f != 0 {
			continue // reserved
		}
		want := "oxygen-saturation value=97 2026-11-21T07:30:00Z"
		if any(status, 10, 11, 13, 15) { // demonstration, testing, unavailable, invalid
			want = "refused not-a-number value"
		}
		bytes := fmt.Sprintf("%02x%02x", status&0xff, status>>8)
		hold("oximeter", status, said(of("2A5E", "02 6100 4800"+bytes, box)), want)
		hold("oximeter, continuous", status, said(of("2A5F", "04 6100 4800"+bytes, box)), want)
	}
	for one := range 16 {
		for other := range 16 {
			status := 1<<one | 1<<other
			want := "oxygen-saturation value=97 2026-11-21T07:30:00Z" + either(any(status, 1, 14, 15), " sensor-error", "") + either(any(status, 5), " low-perfusion", "") + either(any(status, 11, 13), " poor-contact", "")
			bytes := fmt.Sprintf("%02x%02x00", status&0xff, status>>8)
			hold("the oximeter's device", status, inOrder(said(of("2A5E", "04 6100 4800"+bytes, box))), inOrder(want))
			hold("the oximeter's device, continuous", status, inOrder(said(of("2A5F", "08 6100 4800"+bytes, box))), inOrder(want))
		}
	}
	for status := range 1 << 12 {
		want := "glucose/capillary value=" + either(any(status, 5), ">112", "") + either(any(status, 6), "<112", "") + either(any(status, 5, 6), "", "112") + " 2026-11-21T06:02:17Z" + either(any(status, 1, 2, 3, 4, 7, 8, 9, 10), " sensor-error", "")
		switch {
		case any(status, 5) && any(status, 6):
			want = "refused not-a-number value"
		case any(status, 11): // time fault
			want = "refused clock-not-set value"
		}
		hold("a meter", status, said(of("2A18", "0a 0700"+clock+" 70b0 11"+fmt.Sprintf("%02x%02x", status&0xff, status>>8), paris)), want)
	}
	for status := range 1 << 8 {
		hold("a sensor", status, said(of("2AA7", fmt.Sprintf("07 80 7600 0500 %02x", status), begun)), "glucose/interstitial value=118 2026-11-21T06:05:00Z"+either(any(status, 2, 3, 5), " sensor-error", ""))
		hold("a sensor's temperature", status, said(of("2AA7", fmt.Sprintf("07 40 7600 0500 %02x", status), begun)), "glucose/interstitial value=118 2026-11-21T06:05:00Z"+either(any(status, 4, 5), " sensor-error", ""))
		want := "glucose/interstitial value=" + either(any(status, 7), ">118", "") + either(any(status, 6), "<118", "") + either(any(status, 6, 7), "", "118") + " 2026-11-21T06:05:00Z"
		if any(status, 6) && any(status, 7) {
			want = "refused not-a-number value"
		}
		hold("a sensor's warning", status, said(of("2AA7", fmt.Sprintf("07 20 7600 0500 %02x", status), begun)), want)
	}
}

// inOrder sorts the flags behind the time, whose order says nothing.
func inOrder(text string) string {
	head, flags, _ := strings.Cut(text+" ", "Z ")
	words := strings.Fields(flags)
	for i := range words {
		for j := range i {
			if words[i] < words[j] {
				words[i], words[j] = words[j], words[i]
			}
		}
	}
	return head + "Z " + strings.Join(words, " ")
}

// TestEverySpecialValueIsNoNumber puts each special value into each number. Beside it, the
// mantissa of one with an exponent is a number like any other: 2046 tenths.
func TestEverySpecialValueIsNoNumber(t *testing.T) {
	const box = `,"time":"2026-11-21T08:30:00+01:00"`
	const at = " 2026-11-21T07:30:00Z"
	for _, special := range []string{"ff07", "0008", "fe07", "0208", "0108"} {
		for value, want := range map[string]string{
			"2A35 04 # 5b00 6b00 4800":          "refused not-a-number values.systolic",
			"2A35 05 bdf0 # 8ef0 4800":          "refused not-a-number values.diastolic",
			"2A35 04 8e00 5b00 # 4800":          "blood-pressure systolic=142 diastolic=91 pulse=72" + at,
			"2A35 04 8e00 5b00 6b00 #":          "blood-pressure systolic=142 diastolic=91 mean=107" + at,
			"2A5E 00 # 4800":                    "refused not-a-number values.value",
			"2A5E 00 6100 #":                    "oxygen-saturation value=97" + at,
			"2A5E 08 6100 4800 #":               "oxygen-saturation value=97" + at,
			"2A5F 00 # 4800":                    "refused not-a-number values.value",
			"2A5F 13 6100 # # # # # #":          "oxygen-saturation value=97" + at,
			"2A18 02 0700" + clock + "#11":      "refused not-a-number values.value",
			"2A18 06 0700" + clock + "#11":      "refused not-a-number values.value",
			"2A18 0a 0700" + clock + "#11 2000": "refused not-a-number value",
			"2AA7 06 00 # 0500":                 "refused not-a-number values.value",
			"2AA7 07 20 # 0500 40":              "refused not-a-number value",
			"2AA7 0a 03 7600 0500 # #":          "glucose/interstitial value=118 2026-11-21T06:05:00Z",
		} {
			name, digits, _ := strings.Cut(strings.ReplaceAll(value, "#", special), " ")
			more := box + paris
			if name == "2AA7" {
				more = begun
			}
			if got := said(of(name, digits, more)); got != want {
				t.Errorf("%s with %s: %s\nwant %s", value, special, got, want)
			}
		}
	}
	for _, special := range []string{"ffff7f00", "00008000", "feff7f00", "02008000", "01008000"} {
		for _, flags := range []string{"00", "01"} {
			if got := said(of("2A1C", flags+special, box)); got != "refused not-a-number values.value" {
				t.Errorf("2A1C %s %s: %s", flags, special, got)
			}
		}
	}
	for value, want := range map[string]string{"fef7": "204.6", "fff7": "204.7", "3c00": "60", "58f2": "60"} {
		if got := said(of("2AA7", "06 00"+value+"0500", begun)); got != "glucose/interstitial value="+want+" 2026-11-21T06:05:00Z" {
			t.Errorf("2AA7 of %s: %s", value, got)
		}
	}
}

// TestEveryExponentOfAFloat holds FLOAT to a plain reading of its definition.
func TestEveryExponentOfAFloat(t *testing.T) {
	special := map[int]bool{0x7fffff: true, 0x800000: true, 0x7ffffe: true, 0x800002: true, 0x800001: true}
	for exponent := -128; exponent < 128; exponent++ {
		for _, raw := range []int{0, 1, 2, 365, 986, 0x7ffffd, 0x7ffffe, 0x7fffff, 0x800000, 0x800001, 0x800002, 0x800003, 0xfffffe, 0xffffff} {
			mantissa := raw
			if raw >= 0x800000 {
				mantissa -= 0x1000000
			}
			got := (&cursor{rest: []byte{byte(raw), byte(raw >> 8), byte(raw >> 16), byte(exponent)}}).float()
			want := float64(mantissa) * math.Pow(10, float64(exponent))
			if special[raw] && exponent == 0 {
				if !math.IsNaN(got) {
					t.Fatalf("%06x is read as %v", raw, got)
				}
			} else if math.Abs(got-want) > 1e-12*math.Abs(want) {
				t.Fatalf("%06x with the exponent %d is read as %v, want %v", raw, exponent, got, want)
			}
		}
	}
}
