package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/protocols"
)

// pressures are n new readings of as many devices, as they come from the field.
func pressures(n int, batch int64) []*protocols.Reading {
	readings := make([]*protocols.Reading, n)
	for i := range readings {
		readings[i] = &protocols.Reading{
			ID: fmt.Sprintf("018f6f2c-5b1e-7cc3-%04x-%012x", i, batch), Device: fmt.Sprintf("tensio-%05d", i), Patient: fmt.Sprintf("p-%05d", i),
			Time: noon.Add(time.Duration(batch) * time.Minute), Measure: protocols.MeasureByID("blood-pressure"),
			Values: []protocols.Value{142000, 91000, protocols.Missing, 72000}, Battery: 87,
		}
	}
	return readings
}

// BenchmarkKeep commits batches of new readings, from one node or several at
// once, and with each reading the state of its enrolment.
func BenchmarkKeep(b *testing.B) {
	for _, c := range []struct {
		nodes, size int
		states      bool
	}{{1, 1, false}, {1, 100, false}, {1, 1_000, false}, {1, 4_000, false}, {1, 4_000, true}, {3, 4_000, false}, {3, 4_000, true}} {
		b.Run(fmt.Sprintf("nodes=%d/batch=%d/states=%v", c.nodes, c.size, c.states), func(b *testing.B) {
			all := nodes(b, c.nodes)
			batches := make(chan []*protocols.Reading, b.N)
			for i := range b.N {
				batches <- pressures(c.size, int64(i))
			}
			close(batches)
			var done sync.WaitGroup
			b.ResetTimer()
			for n, s := range all {
				done.Go(func() {
					version := int64(0)
					for readings := range batches {
						if err := commit(s, n, readings, c.states, version); err != nil {
							b.Error(err)
							return
						}
						version++
					}
				})
			}
			done.Wait()
			b.ReportMetric(float64(b.N*c.size)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

func commit(s *Store, node int, readings []*protocols.Reading, states bool, version int64) error {
	return s.Update(context.Background(), func(tx ingest.Tx) error {
		if _, err := tx.Keep(readings, noon); err != nil || !states {
			return err
		}
		records := make([]ingest.StateRecord, len(readings))
		for i, r := range readings {
			records[i] = ingest.StateRecord{Enrolment: fmt.Sprintf("%d-%s", node, r.Patient), Version: version, Snapshot: make([]byte, 60), Due: noon}
		}
		return tx.SaveStates(records)
	})
}

// processor reports what operations cost in processor time, apart for this
// program and for PostgreSQL. Where the system does not tell, it reports nothing.
func processor(b *testing.B) (report func()) {
	b.Helper()
	ours, theirs := usage.Own(), ofDatabase(b)
	return func() {
		b.ReportMetric(float64((usage.Own()-ours).Microseconds())/float64(b.N), "vigie-µs/op")
		b.ReportMetric(float64((ofDatabase(b)-theirs).Microseconds())/float64(b.N), "postgres-µs/op")
	}
}

// ofDatabase is the processor time of PostgreSQL's processes; 0 where the system
// does not tell.
func ofDatabase(b *testing.B) time.Duration {
	b.Helper()
	spent, err := usage.Children(shared.Server(b).Pid())
	if err != nil && !errors.Is(err, usage.ErrUnknown) {
		b.Fatal(err)
	}
	return spent
}

// BenchmarkCommit commits what comes of so many devices within milliseconds, one reading
// each: what a commit costs in itself, and what each reading adds.
func BenchmarkCommit(b *testing.B) {
	for _, together := range []int{1, 8, 32, 128} {
		b.Run(fmt.Sprintf("readings=%d", together), func(b *testing.B) { benchmarkCommit(b, together) })
	}
}

func benchmarkCommit(b *testing.B, together int) {
	const patients = 256
	c := newCluster(b, 1, respiratory(patients))
	c.store.directory = everyone{}
	at := noon
	batch := func(n int) {
		c.set(at)
		round := make([]publication, together)
		for i := range round {
			p := (n*together + i) % patients
			if p == 0 {
				at = at.Add(time.Minute)
			}
			round[i] = publication{fmt.Sprintf("oximeter-%d", p), ingest.ReadingsTopic, fmt.Sprintf(
				`{"id":"s%d","time":%q,"measure":"oxygen-saturation","values":{"value":%d},"unit":"%%","battery":80}`, n, at.Format(time.RFC3339), 94+n%4)}
		}
		var acknowledged sync.WaitGroup
		acknowledged.Add(together)
		for _, p := range round {
			c.nodes[0].Submit(b.Context(), ingest.Message{
				Topic: "vigie/v1/" + p.device + "/" + p.kind, Device: p.device, Client: p.device, Payload: []byte(p.payload), Received: at,
				Done: func(err error) {
					if err != nil {
						b.Error(err)
					}
					acknowledged.Done()
				},
			})
		}
		acknowledged.Wait()
	}
	for n := range 2 * patients / together {
		batch(n)
	}
	report := processor(b)
	b.ResetTimer()
	for n := range b.N {
		batch(2*patients/together + n)
	}
	report()
}
