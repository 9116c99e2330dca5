package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// BenchmarkReadingsOfAYear is `vigie readings` of a glucose sensor that has been worn
// for a year: once out of the store, and once forgotten there and read back from
// InfluxDB, held against what was proven.
func BenchmarkReadingsOfAYear(b *testing.B) {
	server := servers.Influx(b)
	client := influx.New(influx.Options{URL: server.URL, Org: server.Org, Token: server.Token, Bucket: server.Bucket})
	defer client.Close()
	folder := b.TempDir()
	program := filepath.Join(folder, "vigie")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	file := write(b, folder, "influx.yaml", fmt.Sprintf("data: %s\ninflux: {url: %q, org: %q, token: %q, bucket: %s}\n", folder, server.URL, server.Org, server.Token, server.Bucket))
	const year = 365 * 288
	store := aYear(b, folder, begin, year, client)
	run := func(b *testing.B) {
		var most int
		var processor time.Duration
		best := time.Hour // what else runs on a machine is in the mean
		for b.Loop() {
			command := exec.CommandContext(b.Context(), program, "readings", "--patient", "p-1", "--config", file)
			var out, aside bytes.Buffer
			command.Stdout, command.Stderr = &out, &aside
			begun := time.Now()
			if err := command.Start(); err != nil {
				b.Fatal(err)
			}
			most = max(most, watch(command.Process.Pid))
			if err := command.Wait(); err != nil {
				b.Fatalf("%v: %s", err, &aside)
			}
			best = min(best, time.Since(begun))
			if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != 1+year {
				b.Fatalf("%d lines", lines)
			}
			processor += command.ProcessState.UserTime() + command.ProcessState.SystemTime()
		}
		b.ReportMetric(float64(most)/1024, "MiB")
		b.ReportMetric(float64(best.Milliseconds()), "best-ms")
		b.ReportMetric(float64(processor.Milliseconds())/float64(b.N), "cpu-ms/op")
	}
	b.Run("kept", run)
	proof, err := ingest.Forget(b.Context(), store, client, begin.AddDate(1, 0, 1))
	if err != nil || proof.Forgotten < year || len(proof.Differing) > 0 {
		b.Fatalf("forgot %d, %v, %v", proof.Forgotten, proof.Differing, err)
	}
	b.Run("forgotten", run)
}

// watch returns how much memory a process has had, in KiB, where the system tells; 0
// elsewhere. Other figures of the system count what the parent of the process had.
func watch(pid int) (most int) {
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return most
		}
		_, rest, found := strings.Cut(string(status), "VmHWM:")
		if !found { // it has ended
			return most
		}
		kib := 0
		if _, err := fmt.Sscan(rest, &kib); err == nil {
			most = max(most, kib)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// aYear keeps the readings of a sensor, files them and forwards them.
func aYear(b *testing.B, folder string, begin time.Time, count int, client *influx.Client) *sqlite.Store {
	b.Helper()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{Generation: 1000})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	glucose := protocols.MeasureByID("glucose")
	const more = 30_000 // later ones, so that all of the year is filed
	for i := 0; i < count+more; i += 100 {
		var batch []*protocols.Reading
		for j := i; j < i+100; j++ {
			r := &protocols.Reading{
				ID: fmt.Sprintf("018f6f2c-5b1e-7cc3-9d2f-%012x", j), Device: "cgm-1", Patient: "p-1", Time: begin.Add(time.Duration(j) * 5 * time.Minute),
				Measure: glucose, Variant: 2, Values: []protocols.Value{protocols.Value(70+j%130) * 1000}, Battery: -1,
			}
			if j >= count {
				r.Patient, r.Device = "p-2", "cgm-2"
			}
			batch = append(batch, r)
		}
		if err := store.Update(b.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep(batch, begin.AddDate(1, 0, 0))
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	forwarder := influx.NewForwarder(client, influx.FromStore(store, time.Now), slog.New(slog.DiscardHandler), influx.Pace{Poll: time.Millisecond})
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); forwarder.Run(ctx) }()
	for deadline := time.Now().Add(2 * time.Minute); forwarder.Figures().Sent < int64(count+more); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not forwarded: %+v", forwarder.Figures())
		}
	}
	stop()
	<-done
	return store
}
