package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"vigie/alerts"
	"vigie/ingest/stores/sqlite"
)

// watch looks at a store beside the service, as another process does, and notes
// when it first sees each alert.
type watch struct {
	store  ledger
	seq    int64
	raised []sight
	failed error

	stop context.CancelFunc
	done sync.WaitGroup
}

// ledger is what a watch reads of a store.
type ledger interface {
	LastSeq(ctx context.Context) (int64, error)
	EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error)
	Alert(ctx context.Context, id string) (*alerts.Alert, error)
	Close() error
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
// reading that raised it.
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
