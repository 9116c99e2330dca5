package ingest_test

import (
	"reflect"
	"testing"
	"time"

	"vigie/ingest"
)

func TestTheStoreAndInfluxDBAreComparedDayByDay(t *testing.T) {
	gone := shelf{kilos("a", 1), kilos("b", 2), kilos("c", 30)}
	kept := shelf{kilos("d", 50), kilos("e", 51), kilos("f", 75)}
	changed := heavier(kept[1])
	day := func(n int) time.Time { return spring.AddDate(0, 0, n) }
	for name, c := range map[string]struct {
		there shelf
		want  map[time.Time]*ingest.Compared
	}{
		"both hold the same": {append(append(shelf{}, gone...), kept...), map[time.Time]*ingest.Compared{}},
		"InfluxDB is empty": {nil, map[time.Time]*ingest.Compared{
			day(0): {Day: day(0), Store: 2, Missing: 2}, day(1): {Day: day(1), Store: 1, Missing: 1},
			day(2): {Day: day(2), Store: 2, Missing: 2}, day(3): {Day: day(3), Store: 1, Missing: 1},
		}},
		"a forgotten one is missing, another differs, one is foreign": {
			shelf{gone[0], heavier(gone[2]), kept[0], changed, kept[2], kilos("x", 76)}, map[time.Time]*ingest.Compared{
				day(0): {Day: day(0), Store: 2, Influx: 1, Missing: 1}, day(1): {Day: day(1), Store: 1, Influx: 1, Different: 1},
				day(2): {Day: day(2), Store: 2, Influx: 2, Different: 1}, day(3): {Day: day(3), Store: 1, Influx: 2, Foreign: 1},
			}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[time.Time]*ingest.Compared{}
			err := ingest.Compare(t.Context(), forgetful{shelf: kept, gone: gone}, c.there, "p-1", spring, spring.AddDate(1, 0, 0), got)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				for d, v := range got {
					t.Logf("%s %+v", d.Format(time.DateOnly), *v)
				}
				t.Errorf("it finds that, %v", err)
			}
		})
	}
}
