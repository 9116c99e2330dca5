package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/alerts"
	"vigie/ingest/stores/postgres"
)

// watcher notes when it first sees each alert.
type watcher interface {
	// close ends it and returns how long each alert took, in microseconds, from when the
	// reading that raised it was to be sent, and how often each was told.
	close(ctx context.Context) (took *hdrhistogram.Histogram, told map[string]int, err error)
}

// watch begins to watch the alerts of a side.
func (s *stage) watch(ctx context.Context) (watcher, error) {
	if s.side.peer != nil {
		return listen(s.broker.Address)
	}
	w, err := watchAlerts(ctx, s.place())
	if err != nil {
		return nil, err
	}
	if database, is := w.store.(*postgres.Store); is {
		if s.watching, err = session(ctx, database); err != nil {
			_, _, failed := w.close(ctx)
			return nil, errors.Join(err, failed)
		}
	}
	return w, nil
}

// watch looks at a store beside the service, as another process does, and notes
// when it first sees each alert.
type watch struct {
	store  store
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

func watchAlerts(ctx context.Context, place string) (*watch, error) {
	store, err := openStore(ctx, place)
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

// close is watcher.close. A reading bears the time at which it was to be sent, and an
// alert that of the reading that raised it.
func (w *watch) close(ctx context.Context) (took *hdrhistogram.Histogram, told map[string]int, err error) {
	w.stop()
	w.done.Wait()
	defer func() { err = errors.Join(err, w.failed, w.store.Close()) }()
	took, told = newHistogram(), map[string]int{}
	for _, seen := range w.raised {
		alert, err := w.store.Alert(ctx, seen.alert)
		if err != nil {
			return nil, nil, err
		}
		if alert.Rule != steadyRule {
			continue
		}
		told[alert.Patient]++
		if err := took.RecordValue(seen.at.Sub(alert.At).Microseconds()); err != nil {
			return nil, nil, fmt.Errorf("an alert took longer than can be noted: %w", err)
		}
	}
	return took, told, nil
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Hour.Microseconds(), 3)
}

// listener hears what a peer tells through the broker.
type listener struct {
	client mqtt.Client

	mu     sync.Mutex
	took   *hdrhistogram.Histogram
	told   map[string]int
	failed error
}

func listen(address string) (*listener, error) {
	const atLeastOnce = 1
	l := &listener{took: newHistogram(), told: map[string]int{}}
	l.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("bench-alerts"))
	if token := l.client.Connect(); token.Wait() && token.Error() != nil {
		return nil, token.Error()
	}
	token := l.client.Subscribe("alerts/#", atLeastOnce, func(_ mqtt.Client, m mqtt.Message) { l.heard(m) })
	token.Wait()
	return l, token.Error()
}

func (l *listener) heard(m mqtt.Message) {
	now := time.Now()
	var alert struct{ Timestamp int64 }
	err := json.Unmarshal(m.Payload(), &alert)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told[fmt.Sprint(m.Topic(), alert.Timestamp)]++
	// The time stands there in whole milliseconds: half of one is missing on average.
	took := now.Sub(time.UnixMilli(alert.Timestamp)) - time.Millisecond/2
	l.failed = errors.Join(l.failed, err, l.took.RecordValue(max(1, took.Microseconds())))
}

// close is watcher.close.
func (l *listener) close(context.Context) (*hdrhistogram.Histogram, map[string]int, error) {
	l.client.Disconnect(250)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.took, l.told, l.failed
}
