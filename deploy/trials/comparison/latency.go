package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"vigie/alerts"
	"vigie/deploy/load"
	"vigie/deploy/usage"
	"vigie/ingest/stores/sqlite"
)

// The steady load under which latency is measured: every device publishes twice
// a second, and about every one has two alarming readings in a row, of which the
// second confirms what the first showed and raises an alert.
const (
	steadyRate     = 10_000 // readings a second
	steadyDevices  = 5_000
	steadyDuration = 30 * time.Second
	steadyAlarming = 0.2
	steadyRule     = "blood-pressure-high"
)

// latency measures, at a steady rate that does not wait for the service, the time
// from when a reading was to be sent until the alert that it raises is committed.
func (b *bench) latency(ctx context.Context) (err error) {
	dir, err := b.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := enrol(ctx, dir, steadyDevices); err != nil {
		return err
	}
	v, err := b.startVigie(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	w, err := watchAlerts(ctx, dir)
	if err != nil {
		return err
	}
	before, unread := usage.Processor(v.command.Process.Pid)
	result, err := load.Run(ctx, load.Options{Broker: v.broker, Devices: publishers(steadyDevices), Measure: measure, InFlight: inFlight,
		Rate: steadyRate, Duration: steadyDuration, Alarming: steadyAlarming})
	after, gone := usage.Processor(v.command.Process.Pid)
	took, failed := w.close(ctx)
	commits, unknown := v.counter(ctx, "vigie_commit_readings_count")
	if err := errors.Join(err, unread, gone, failed, unknown); err != nil {
		return err
	}
	if result.Failed > 0 || result.Acknowledged != result.Published {
		return fmt.Errorf("%d of %d readings were acknowledged, %d devices gave up", result.Acknowledged, result.Published, result.Failed)
	}
	ms := func(quantile float64) float64 { return float64(took.ValueAtQuantile(quantile)) / 1000 }
	fmt.Fprintf(b.Out, "\n%.0f readings/s from %d devices over %v, broker inside, times from when a reading was to be sent, in ms\n\n", result.Rate, steadyDevices, steadyDuration)
	fmt.Fprintf(b.Out, "acknowledged     p50 %6.1f   p99 %6.1f   p99.9 %6.1f   max %6.1f   of %d readings\n",
		result.Latency.P50, result.Latency.P99, result.Latency.P999, result.Latency.Max, result.Acknowledged)
	fmt.Fprintf(b.Out, "alert committed  p50 %6.1f   p99 %6.1f   p99.9 %6.1f   max %6.1f   of %d alerts\n", ms(50), ms(99), ms(99.9), ms(100), took.TotalCount())
	fmt.Fprintf(b.Out, "processor time   %.1f µs a reading, %.0f readings in a commit\n",
		microseconds(after-before, result.Acknowledged), float64(result.Acknowledged)/float64(commits))
	return nil
}

// watch looks at a store beside the service, as another process does, and notes
// when it first sees each alert.
type watch struct {
	store  *sqlite.Store
	seq    int64
	raised []sight
	failed error

	stop context.CancelFunc
	done sync.WaitGroup
}

// sight is when an alert was first seen.
type sight struct {
	alert string
	at    time.Time
}

// between is how often a watch looks: what it tells is late by that at most.
const between = time.Millisecond

func watchAlerts(ctx context.Context, data string) (*watch, error) {
	store, err := sqlite.Open(filepath.Join(data, "vigie.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	w := &watch{store: store}
	if w.seq, err = w.store.LastSeq(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.done.Go(func() { w.run(ctx) })
	return w, nil
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(between)
	defer tick.Stop()
	for w.failed == nil {
		select {
		case <-tick.C:
			w.failed = w.look(context.WithoutCancel(ctx))
		case <-ctx.Done():
			return
		}
	}
}

// look notes the alerts that have come since.
func (w *watch) look(ctx context.Context) error {
	events, err := w.store.EventsAfter(ctx, w.seq, 10_000)
	now := time.Now()
	for _, e := range events {
		w.seq = e.Seq
		if e.Kind == alerts.EventRaised {
			w.raised = append(w.raised, sight{e.Alert, now})
		}
	}
	return err
}

// close ends the watch and returns how long each alert took, in microseconds. A
// reading bears the time at which it was to be sent, and an alert that of the
// reading that began it.
func (w *watch) close(ctx context.Context) (_ *hdrhistogram.Histogram, err error) {
	w.stop()
	w.done.Wait()
	defer func() { err = errors.Join(err, w.failed, w.store.Close()) }()
	took := hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	for _, seen := range w.raised {
		alert, err := w.store.Alert(ctx, seen.alert)
		if err != nil {
			return nil, err
		}
		if alert.Rule != steadyRule {
			continue
		}
		if err := took.RecordValue(seen.at.Sub(alert.At).Microseconds()); err != nil {
			return nil, fmt.Errorf("an alert took longer than can be noted: %w", err)
		}
	}
	return took, nil
}
