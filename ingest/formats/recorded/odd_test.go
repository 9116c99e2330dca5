package recorded_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
)

func TestWhatLooksOddInAFileIsSaid(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	each := func(hour int) (readings []protocols.Reading) {
		for i := range 20 {
			readings = append(readings, protocols.Reading{Time: time.Date(2026, 11, 1+i, hour, 0, 0, 0, zone).UTC(), Values: []protocols.Value{80_000}})
		}
		return readings
	}
	days := each(2)
	for i := range days {
		days[i].DayOnly = true
	}
	var sensor []protocols.Reading
	for i := range 60 {
		sensor = append(sensor, protocols.Reading{Time: time.Date(2026, 11, 3, 0, 5*i, 0, 0, zone).UTC(), Values: []protocols.Value{100_000}})
	}
	for name, c := range map[string]struct {
		readings []protocols.Reading
		want     string
		count    int
	}{
		"every morning":                        {each(8), "", 0},
		"none":                                 {nil, "", 0},
		"two values of one moment":             {append(each(8), protocols.Reading{Time: time.Date(2026, 11, 3, 8, 0, 0, 0, zone).UTC(), Values: []protocols.Value{81_000}}), "moment of another", 1},
		"a month where the day should stand":   {append(each(8), protocols.Reading{Time: now.AddDate(0, 0, 300), Values: []protocols.Value{80_000}}), "later than now", 1},
		"every morning, in the zone of others": {each(2), "time zone", 20},
		"days alone":                           {days, "", 0},
		"a sensor in the night":                {sensor, "", 0},
		"too few":                              {each(2)[:5], "", 0},
	} {
		series := recorded.Series{Readings: slices.Clone(c.readings)}
		odd := series.Odd(zone, now)
		if c.want == "" && len(odd) == 0 {
			continue
		}
		if len(odd) != 1 || odd[0].Count != c.count || !strings.Contains(odd[0].What.EN, c.want) || odd[0].What.FR == "" {
			t.Errorf("%s: %+v, want %d and %q", name, odd, c.count, c.want)
		}
	}
}
