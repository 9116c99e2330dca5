package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/seeds"
)

// steadyPatients each have a device; they take turns.
const steadyPatients = 5_000

// BenchmarkSteady commits the readings of many devices, a fifth of them alarming,
// so many at a time: what a reading costs the pipeline, the embedded store and the
// alerts at a steady load, without the network.
func BenchmarkSteady(b *testing.B) {
	for _, batch := range []int{30, 100, 300} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) { benchmarkSteady(b, batch) })
	}
}

func benchmarkSteady(b *testing.B, batch int) {
	load := beginSteady(b)
	for load.sent < 2*steadyPatients { // everybody is in memory
		load.commit(500)
	}
	b.ReportAllocs()
	before := usage.Own()
	b.ResetTimer()
	for sent := 0; sent < b.N; sent += batch {
		load.commit(batch)
	}
	b.StopTimer()
	b.ReportMetric(float64(usage.Own()-before)/float64(b.N), "cpu-ns/op")
}

// steady is a load of which the bench says what comes into one commit.
type steady struct {
	pipeline *ingest.Pipeline
	gate     chan struct{}
	now      time.Time
	random   *rand.Rand
	sent     int
}

// gated holds each commit up until the readings of the next one are queued.
type gated struct {
	ingest.Store
	gate chan struct{}
}

func (g gated) Update(ctx context.Context, work func(ingest.Tx) error) error {
	<-g.gate
	return g.Store.Update(ctx, work)
}

func beginSteady(b *testing.B) *steady {
	b.Helper()
	s := &steady{gate: make(chan struct{}, 1), now: time.Now().Truncate(time.Minute), random: rand.New(rand.NewPCG(1, 2))}
	shelf, err := NewShelf()
	if err != nil {
		b.Fatal(err)
	}
	backend, err := openEmbedded(b.TempDir(), nil, shelf)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { backend.store.Close() })
	crowd, err := seeds.Crowd(steadyPatients, s.now.AddDate(0, 0, 30), "blood-pressure", "secret")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := backend.registry.Import(b.Context(), &crowd, "bench", s.now); err != nil {
		b.Fatal(err)
	}
	limits := ingest.DefaultLimits()
	limits.Rate, limits.Linger = 0, 0
	s.pipeline, err = ingest.New(ingest.Config{
		Store: gated{backend.store, s.gate}, Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Prefix: "vigie/v1",
		Plans: ingest.Plans(shelf.Protocol), Now: func() time.Time { return s.now }, Limits: limits,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { close(s.gate); s.pipeline.Close() })
	return s
}

// commit queues so many readings and lets those before them be committed.
func (s *steady) commit(count int) {
	for range count {
		device := seeds.CrowdDevice(s.sent % steadyPatients)
		s.pipeline.Submit(context.Background(), ingest.Message{
			Topic: ingest.Topic("vigie/v1", device, ingest.ReadingsTopic), Device: device, Client: device, Payload: s.reading(), Received: s.now,
			Done: func(err error) {
				if err != nil {
					panic(err) // of the goroutine that commits: the bench is worth nothing
				}
			},
		})
		s.sent++
	}
	s.gate <- struct{}{}
}

// reading is the next blood pressure, half a second after the device's last one.
func (s *steady) reading() []byte {
	round := s.sent / steadyPatients
	systolic, diastolic := 111+s.random.IntN(19), 65+s.random.IntN(15)
	if s.random.IntN(5) == 0 {
		systolic, diastolic = 231, 119
	}
	at := s.now.Add(time.Duration(round) * time.Second / 2).UTC().Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(nil, `{"id":"a1b2c3d4e5f6-%d","time":"%s","measure":"blood-pressure","values":{"systolic":%d,"diastolic":%d,"pulse":72},`+
		`"unit":"mmHg","source":"device","battery":87}`, round, at, systolic, diastolic)
}
