package ingest_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// BenchmarkPipeline takes blood pressures from their JSON to a synced commit:
// decoding, registry, validation, all rules of the heart-failure protocol, store.
// It reports the processor time beside the time that went by.
func BenchmarkPipeline(b *testing.B) {
	for _, patients := range []int{50, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("patients=%d", patients), func(b *testing.B) { benchmarkPipeline(b, patients, 7) })
	}
	b.Run("patients=1000,random-ids", func(b *testing.B) { benchmarkPipeline(b, 1_000, 4) })
}

// benchmarkPipeline sends readings whose ids are UUIDs of that version: 7 grows
// with time, as the ids of most devices do; 4 is random.
func benchmarkPipeline(b *testing.B, patients, version int) {
	var batches, took atomic.Int64
	pipeline, stop := benchPipeline(b, patients, start.AddDate(0, 0, -20), 1_000_000, func(c ingest.Commit) { batches.Add(1); took.Add(int64(c.Took)) })
	defer stop()

	const senders, inFlight = 50, 40
	var failed atomic.Int64
	var sent [senders]int64
	// Each sender is the devices of its own share of the patients, in turn.
	send := func(count int) {
		var all sync.WaitGroup
		for sender := range senders {
			all.Go(func() {
				slots := make(chan struct{}, inFlight)
				share := int64(patients / senders)
				for range count / senders {
					n := sent[sender]
					sent[sender]++
					slots <- struct{}{}
					device := fmt.Sprintf("bp-%d", int64(sender)+senders*(n%share))
					pipeline.Submit(context.Background(), ingest.Message{
						Topic: "vigie/v1/" + device + "/readings", Device: device, Client: device, Payload: pressure(n/share, version), Received: start,
						Done: func(err error) {
							if err != nil {
								failed.Add(1)
							}
							<-slots
						},
					})
				}
				for range inFlight {
					slots <- struct{}{}
				}
			})
		}
		all.Wait()
	}
	send(patients) // every patient is in memory
	batches.Store(0)
	took.Store(0)
	b.ReportAllocs()
	before := usage.Own()
	b.ResetTimer()
	send(b.N)
	b.StopTimer()
	b.ReportMetric(float64(usage.Own()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/float64(batches.Load()), "readings/commit")
	b.ReportMetric(float64(took.Load())/float64(b.N), "commit-ns/op")
	if failed.Load() > 0 {
		b.Errorf("%d failed", failed.Load())
	}
}

// benchPipeline starts a pipeline with so many patients, enrolled since some
// time, of whom so many can be in memory.
func benchPipeline(b *testing.B, patients int, since time.Time, states int, committed ...func(ingest.Commit)) (*ingest.Pipeline, func()) {
	store, err := sqlite.Open(filepath.Join(b.TempDir(), "vigie.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Import(context.Background(), manyPatients(patients, since), "bench", start); err != nil {
		b.Fatal(err)
	}
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		b.Fatal(err)
	}
	config := ingest.Config{
		Store: store, Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Prefix: "vigie/v1",
		Plans: ingest.Plans(func(id, version string) *protocols.Protocol { return shipped[id+"@"+version] }),
		Now:   func() time.Time { return start }, Limits: ingest.DefaultLimits(), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	config.Limits.Rate, config.Limits.States = 0, states
	for _, f := range committed {
		config.Committed = f
	}
	pipeline, err := ingest.New(config)
	if err != nil {
		b.Fatal(err)
	}
	return pipeline, func() {
		pipeline.Close()
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}
}

// pressure is the n-th blood pressure of a patient.
func pressure(n int64, version int) []byte {
	at := start.Add(-24*time.Hour + time.Duration(n)*time.Second)
	var id [16]byte
	rand.Read(id[:])
	if version == 7 {
		binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|uint64(id[6])<<8|uint64(id[7]))
	}
	id[6] = byte(version)<<4 | id[6]&0x0f
	return fmt.Appendf(nil, `{"id":"%x-%x-%x-%x-%x","time":"%s","measure":"blood-pressure","values":{"systolic":%d,"diastolic":81,"pulse":72},"unit":"mmHg","source":"device","context":{"posture":"sitting"},"battery":87}`,
		id[:4], id[4:6], id[6:8], id[8:10], id[10:], at.Format(time.RFC3339Nano), 118+n%7)
}

// manyPatients are patients enrolled since some time.
func manyPatients(count int, since time.Time) *registry.Registry {
	var reg registry.Registry
	for i := range count {
		patient, device := fmt.Sprintf("p%d", i), fmt.Sprintf("bp-%d", i)
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient})
		reg.Devices = append(reg.Devices, registry.Device{Name: device, Kind: "blood-pressure-monitor", Secret: "x"})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: "e" + patient, Patient: patient, Protocol: "heart-failure", Version: "11", Zone: "Europe/Paris",
			Devices: []string{device}, Consent: registry.Consent{Given: true, Date: since, Scope: "all"},
			From: since, Prescription: since.AddDate(0, 11, 0)})
	}
	return &reg
}

// BenchmarkFirstReading is the processor time of the first reading of a patient,
// of whom nothing is in memory, among more and more patients.
func BenchmarkFirstReading(b *testing.B) {
	for _, patients := range []int{20_000, 200_000} {
		b.Run(fmt.Sprintf("patients=%d", patients), func(b *testing.B) {
			const asked, inFlight = 20_000, 500
			pipeline, stop := benchPipeline(b, patients, start.Add(-25*time.Hour), 50_000)
			defer stop()
			if _, err := pipeline.Sweep(context.Background()); err != nil {
				b.Fatal(err)
			}
			slots := make(chan error, inFlight)
			for range inFlight {
				slots <- nil
			}
			sent := 0
			before := usage.Own()
			for b.Loop() {
				for range asked {
					if err := <-slots; err != nil {
						b.Fatal(err)
					}
					device := fmt.Sprintf("bp-%d", sent*(patients/asked)%patients)
					pipeline.Submit(context.Background(), ingest.Message{
						Topic: "vigie/v1/" + device + "/readings", Device: device, Client: device, Payload: pressure(0, 7), Received: start,
						Done: func(err error) { slots <- err },
					})
					sent++
				}
			}
			for range inFlight {
				<-slots
			}
			b.ReportMetric(float64(usage.Own()-before)/float64(sent), "cpu-ns/reading")
		})
	}
}

// BenchmarkFirstSweep looks at patients who are all new, as after an import,
// while one device sends a reading every 5 ms. It reports the processor time of
// one patient, and how long the device waited for its acknowledgements.
func BenchmarkFirstSweep(b *testing.B) {
	for _, patients := range []int{20_000, 200_000} {
		b.Run(fmt.Sprintf("patients=%d", patients), func(b *testing.B) {
			for b.Loop() {
				benchmarkFirstSweep(b, patients)
			}
		})
	}
}

func benchmarkFirstSweep(b *testing.B, patients int) {
	b.StopTimer()
	pipeline, stop := benchPipeline(b, patients, start.Add(-25*time.Hour), 50_000)
	defer stop()
	waits := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	swept := make(chan error)
	b.StartTimer()
	before := usage.Own()
	go func() {
		_, err := pipeline.Sweep(context.Background())
		swept <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := int64(0); ; n++ {
		select {
		case err := <-swept:
			if err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(usage.Own()-before)/float64(patients), "cpu-ns/patient")
			for name, quantile := range map[string]float64{"p50-ms": 50, "p99-ms": 99, "max-ms": 100} {
				b.ReportMetric(float64(waits.ValueAtQuantile(quantile))/1000, name)
			}
			return
		case sent := <-tick.C:
			done := make(chan error)
			pipeline.Submit(context.Background(), ingest.Message{
				Topic: "vigie/v1/bp-7/readings", Device: "bp-7", Client: "bp-7", Payload: pressure(n, 7), Received: start, Done: func(err error) { done <- err },
			})
			if err := <-done; err != nil {
				b.Error(err)
			}
			if err := waits.RecordValue(max(1, time.Since(sent).Microseconds())); err != nil {
				b.Error(err)
			}
		}
	}
}
