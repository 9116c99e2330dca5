package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
	ours, theirs := spent(), spentBy(shared.Server(b).Pid())
	return func() {
		b.ReportMetric(float64((spent()-ours).Microseconds())/float64(b.N), "vigie-µs/op")
		b.ReportMetric(float64((spentBy(shared.Server(b).Pid())-theirs).Microseconds())/float64(b.N), "postgres-µs/op")
	}
}

func spent() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// spentBy is what the living children of a process have spent.
func spentBy(parent int) (total time.Duration) {
	const tick = 10 * time.Millisecond
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	for _, name := range processes {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // from the third on, see proc(5)
		if len(fields) < 13 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		for _, ticks := range fields[11:13] {
			n, err := strconv.Atoi(ticks)
			if err == nil {
				total += time.Duration(n) * tick
			}
		}
	}
	return total
}
