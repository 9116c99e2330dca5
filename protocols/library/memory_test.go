package library_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/library"
)

// BenchmarkStateInMemory tells what one followed patient takes in memory: one
// who has sent nothing yet, and one who has sent readings for four weeks.
func BenchmarkStateInMemory(b *testing.B) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		b.Fatal(err)
	}
	for _, id := range library.Names() {
		p := newest(shipped, id)
		plan, err := engine.NewPlan(p)
		if err != nil {
			b.Fatal(err)
		}
		for name, days := range map[string]int{"new": 0, "4-weeks": 28} {
			b.Run(id+"/"+name, func(b *testing.B) { stateInMemory(b, plan, p, days) })
		}
	}
}

// BenchmarkDiabetes is the cost of one reading of a sensor for the diabetes protocol
// that ships, once its windows are full.
func BenchmarkDiabetes(b *testing.B) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		b.Fatal(err)
	}
	p := newest(shipped, "diabetes")
	plan, err := engine.NewPlan(p)
	if err != nil {
		b.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, zone)
	s, err := plan.For(protocols.Enrolment{ID: "e", Patient: "p", Zone: zone, From: start})
	if err != nil {
		b.Fatal(err)
	}
	glucose := protocols.MeasureByID("glucose")
	r := protocols.Reading{Device: "sensor", Measure: glucose, Variant: uint8(glucose.Variant("interstitial")), Values: make([]protocols.Value, 1), Battery: -1}
	ids := make([]string, 1<<16)
	for i := range ids {
		ids[i] = fmt.Sprintf("018f6f2c-0000-7000-8000-%012x", i)
	}
	next := 0
	add := func() {
		r.ID, r.Time = ids[next%len(ids)], start.Add(time.Duration(next)*5*time.Minute).UTC()
		r.Values[0] = protocols.Value(75+next*7%101) * 1000 // between 75 and 175 mg/dL: an uneventful day
		next++
		s.Add(&r, r.Time, nil)
	}
	for range 28 * 24 * 12 {
		add()
	}
	b.ReportAllocs()
	for b.Loop() {
		add()
	}
}

// newest is the protocol of that id in the version that ships.
func newest(shipped map[string]*protocols.Protocol, id string) *protocols.Protocol {
	for _, p := range shipped {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func stateInMemory(b *testing.B, plan *engine.Plan, p *protocols.Protocol, days int) {
	const patients = 50
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, zone)
	for b.Loop() {
		before := inUse()
		var states []*engine.State
		for i := range patients {
			s, err := plan.For(protocols.Enrolment{ID: fmt.Sprint("e", i), Patient: fmt.Sprint("p", i), Zone: zone, From: start})
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range weeks(p, start, days) {
				s.Add(r, r.Time, nil)
			}
			s.Snapshot(nil)
			states = append(states, s)
		}
		b.ReportMetric(float64(inUse()-before)/patients, "B/patient")
		runtime.KeepAlive(states)
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// weeks are quiet days of everything that a protocol observes: glucose from a
// sensor every 5 minutes, all the rest once a day.
func weeks(p *protocols.Protocol, start time.Time, days int) (readings []*protocols.Reading) {
	id := 0
	add := func(m *protocols.Measure, at time.Time, variant uint8) {
		id++
		values := make([]protocols.Value, len(m.Components))
		for i := range values {
			values[i] = (3*m.Components[i].Low + m.Components[i].High) / 4
		}
		readings = append(readings, &protocols.Reading{ID: fmt.Sprintf("018f6f2c-0000-7000-8000-%012x", id), Device: "device",
			Time: at.UTC(), Measure: m, Variant: variant, Values: values, Battery: -1})
	}
	for day := range days {
		morning := start.AddDate(0, 0, day)
		seen := map[*protocols.Measure]bool{}
		for i := range p.Observations {
			m := p.Observations[i].Measure
			if seen[m] {
				continue
			}
			seen[m] = true
			if m.ID != "glucose" {
				add(m, morning.Add(time.Duration(i)*time.Second), 0)
				continue
			}
			for n := range 24 * 12 {
				add(m, morning.Add(time.Duration(n)*5*time.Minute), uint8(m.Variant("interstitial")))
			}
		}
	}
	return readings
}
