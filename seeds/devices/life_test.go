package devices

import (
	"reflect"
	"testing"
	"time"

	"vigie/seeds"
)

var start = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func scale() []seeds.Habit {
	return []seeds.Habit{{Measure: "weight", Unit: "kg", At: []string{"07:10"}, Within: 25 * time.Minute,
		Values: map[string]seeds.Wave{"value": {Base: 76.4, Noise: 0.15, Decimals: 1}}}}
}

// first returns the readings of a life up to the given time.
func readings(t *testing.T, habits []seeds.Habit, story seeds.Story, from, until time.Time, seed uint64) []taken {
	t.Helper()
	l, err := newLife("scale-0001", habits, story, start, from, paris(t), seed)
	if err != nil {
		t.Fatal(err)
	}
	var all []taken
	for r, more := l.next(); more && r.at.Before(until); r, more = l.next() {
		all = append(all, r)
	}
	return all
}

func TestSameSeedSameLife(t *testing.T) {
	from, until := start.AddDate(0, 0, -10), start.AddDate(0, 0, 3)
	once := readings(t, scale(), seeds.Story{}, from, until, 7)
	if again := readings(t, scale(), seeds.Story{}, from, until, 7); !reflect.DeepEqual(once, again) {
		t.Error("the same seed gave two lives")
	}
	if other := readings(t, scale(), seeds.Story{}, from, until, 8); reflect.DeepEqual(once, other) {
		t.Error("another seed gave the same life")
	}
}

func TestOneWeightADayAcrossTheChangeOfClock(t *testing.T) {
	from := time.Date(2026, 10, 20, 0, 0, 0, 0, paris(t))
	days := map[string]int{}
	for _, r := range readings(t, scale(), seeds.Story{}, from, from.AddDate(0, 0, 10), 7) {
		local := r.at.In(paris(t))
		days[local.Format(time.DateOnly)]++
		if local.Hour() != 7 {
			t.Errorf("weighed at %s, not after seven in the morning", local)
		}
	}
	if len(days) != 10 {
		t.Errorf("weighed on %d days, want 10: %v", len(days), days)
	}
	for day, n := range days {
		if n != 1 {
			t.Errorf("weighed %d times on %s", n, day)
		}
	}
}

func TestStoriesShiftSilenceAndAdd(t *testing.T) {
	var from, until, once seeds.Moment
	for m, text := range map[*seeds.Moment]string{&from: "-4d", &until: "-2d", &once: "+40m"} {
		if err := m.UnmarshalYAML([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	story := seeds.Story{
		Shifts: []seeds.Shift{{Measure: "weight", From: from, Until: until, By: 5}},
		Silent: []seeds.Span{{From: from, Until: until}},
		Once:   []seeds.Reading{{At: once, Measure: "weight", Unit: "kg", Values: map[string]float64{"value": 84.4}}},
	}
	all := readings(t, scale(), story, start.AddDate(0, 0, -6), start.AddDate(0, 0, 2), 7)
	days := map[string]float64{}
	for i, r := range all {
		if i > 0 && r.at.Before(all[i-1].at) {
			t.Errorf("reading %d comes before the one before it", i)
		}
		days[r.at.In(paris(t)).Format("01-02 15h")] = r.values["value"]
	}
	for _, day := range []string{"11-17 07h", "11-18 07h"} {
		if _, there := days[day]; there {
			t.Errorf("weighed on %s, in the silence", day)
		}
	}
	if w := days["11-16 07h"]; w < 75 || w > 78 {
		t.Errorf("%.1f kg before the gain", w)
	}
	if w := days["11-20 07h"]; w < 80.5 || w > 82.5 {
		t.Errorf("%.1f kg after it", w)
	}
	found := false
	for _, r := range all {
		found = found || r.at.Equal(start.Add(40*time.Minute)) && r.values["value"] == 84.4
	}
	if !found {
		t.Error("the reading beside the habit is missing")
	}
}

func TestFramesFindEveryAcknowledgementInAnyPieces(t *testing.T) {
	stream := []byte{
		0x20, 2, 0, 0, // CONNACK
		0x40, 2, 0x12, 0x34, // PUBACK 0x1234
		0x30, 0x83, 0x01, // PUBLISH of 131 bytes that look like acknowledgements
	}
	for i := range 131 {
		stream = append(stream, []byte{0x40, 2, 9, 9}[i%4])
	}
	stream = append(stream, 0xd0, 0, 0x40, 2, 0, 7) // PINGRESP, PUBACK 7
	for size := 1; size <= len(stream); size++ {
		var f frames
		var got []uint16
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			f.read(rest[:min(size, len(rest))], func(id uint16) { got = append(got, id) })
		}
		if !reflect.DeepEqual(got, []uint16{0x1234, 7}) {
			t.Fatalf("in pieces of %d bytes: %x", size, got)
		}
	}
}
