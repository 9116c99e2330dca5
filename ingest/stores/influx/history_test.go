package influx_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
)

// Whatever is kept comes back equal, in canonical order.
func TestHistoryGivesBackWhatWasKept(t *testing.T) {
	c := bucket(t)
	const patient = "P1"
	var readings []*protocols.Reading
	known := map[string]bool{}
	for seed, generator := 0, anyReading(patient); len(readings) < 2000; seed++ {
		r := generator.Example(seed)
		if key := r.Device + "|" + r.ID; !known[key] {
			known[key] = true
			readings = append(readings, r)
		}
	}
	send(t, c, readings...)
	same(t, history(t, c, patient, nil, morning.AddDate(-3, 0, 0), ever), inOrder(readings))

	for _, first := range readings[:20] {
		from, to := first.Time, first.Time.AddDate(0, 0, 30).Add(time.Nanosecond)
		var within []*protocols.Reading
		for _, r := range readings {
			if r.Measure == first.Measure && !r.Time.Before(from) && r.Time.Before(to) {
				within = append(within, r)
			}
		}
		same(t, history(t, c, patient, first.Measure, from, to), inOrder(within))
	}
}

func anyReading(patient string) *rapid.Generator[*protocols.Reading] {
	text := rapid.OneOf(rapid.StringMatching(`[a-z "\\,=éñ中\n'{}$#]{1,12}`), rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}`))
	return rapid.Custom(func(rt *rapid.T) *protocols.Reading {
		measure := rapid.SampledFrom(protocols.Measures()).Draw(rt, "measure")
		r := &protocols.Reading{
			ID:      text.Draw(rt, "id"),
			Device:  rapid.SampledFrom([]string{"tensio-01", "balance, cuisine", "a=b"}).Draw(rt, "device"),
			Patient: patient,
			Time:    morning.AddDate(0, 0, -rapid.IntRange(0, 100).Draw(rt, "days")),
			DayOnly: rapid.Bool().Draw(rt, "day only"),
			Measure: measure,
			Variant: uint8(rapid.IntRange(0, len(measure.Variants)).Draw(rt, "variant")),
			Values:  make([]protocols.Value, len(measure.Components)),
			Source:  protocols.Source(rapid.IntRange(0, 2).Draw(rt, "source")),
			Battery: rapid.IntRange(-1, 100).Draw(rt, "battery"),
		}
		r.Time = r.Time.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Millisecond, time.Microsecond, 1, 999_999}).Draw(rt, "sub"))
		for i, c := range measure.Components {
			if r.Values[i] = protocols.Missing; !c.Optional || rapid.Bool().Draw(rt, "present") {
				r.Values[i] = protocols.Value(rapid.Int64Range(int64(c.Low), int64(c.High)).Draw(rt, c.Name))
			}
		}
		if i := rapid.IntRange(0, 4*len(r.Values)).Draw(rt, "limited"); i < len(r.Values) && r.Values[i] != protocols.Missing {
			r.Limits = make([]protocols.Limit, len(r.Values))
			r.Limits[i] = rapid.SampledFrom([]protocols.Limit{protocols.LessThan, protocols.MoreThan}).Draw(rt, "limit")
		}
		r.Flags = rapid.SliceOfN(text, 0, 2).Draw(rt, "flags")
		if len(r.Flags) == 0 {
			r.Flags = nil
		}
		if rapid.Bool().Draw(rt, "with context") {
			r.Context = rapid.MapOfN(text, text, 1, 3).Draw(rt, "context")
		}
		return r
	})
}

func TestHistoryStopsWhereAsked(t *testing.T) {
	c := bucket(t)
	var readings []*protocols.Reading
	for i := range 50 {
		readings = append(readings, weighing(fmt.Sprint("w", i), i*24*30, 80)) // four years
	}
	send(t, c, readings...)
	var got []*protocols.Reading
	err := c.History(t.Context(), "P1", nil, time.Time{}, ever, func(r *protocols.Reading) bool {
		got = append(got, r)
		return len(got) < 10
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, readings[:10])
	same(t, history(t, c, "P1", readings[0].Measure, readings[20].Time, readings[30].Time), readings[20:30])
	same(t, history(t, c, "nobody", nil, time.Time{}, ever), nil)
	same(t, history(t, c, `P1" or r.patient == "P1`, nil, time.Time{}, ever), nil)
	same(t, history(t, c, "${P1}", nil, time.Time{}, ever), nil)
	same(t, history(t, c, "P1", nil, ever, morning), nil)
}

func TestHistoryLeavesForeignPointsAlone(t *testing.T) {
	c := bucket(t)
	r := weighing("a", 0, 82.1)
	send(t, c, r)
	foreign := fmt.Sprintf("weight,patient=P1 value=70 %d\nsteps,patient=P1 count=4000 %d", morning.UnixNano(), morning.UnixNano())
	if err := c.Write(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	same(t, history(t, c, "P1", nil, morning, ever), []*protocols.Reading{r})
}

func BenchmarkHistory(b *testing.B) {
	c := bucket(b)
	const n = 20_000 // ten weeks of glucose every five minutes
	readings := make([]*protocols.Reading, n)
	for i := range readings {
		readings[i] = weighing(fmt.Sprintf("018f6f2c-5b1e-7cc3-9d2f-%012x", i), 0, 80)
		readings[i].Time = morning.Add(time.Duration(i) * 5 * time.Minute)
	}
	send(b, c, readings...)
	for b.Loop() {
		if got := history(b, c, "P1", readings[0].Measure, time.Time{}, ever); len(got) != n {
			b.Fatalf("%d readings", len(got))
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
}
