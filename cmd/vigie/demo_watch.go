package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// demoWatch tells what happens to alerts as it happens, and keeps count.
type demoWatch struct {
	demo *demo
	seq  int64
	seen map[string]alerts.Alert // by id, as last told
	kind map[alerts.EventKind]int
}

// run follows the events of alerts until ctx ends.
func (w *demoWatch) run(ctx context.Context) error {
	w.kind = map[alerts.EventKind]int{}
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
		}
		if err := w.follow(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		w.demo.report.progress(w.demo.clock.Now(), w.demo.service.Summary().Accepted, w.open())
	}
}

// follow tells the events since the last time.
func (w *demoWatch) follow(ctx context.Context) error {
	store := w.demo.service.Alerts()
	for {
		events, err := store.EventsAfter(ctx, w.seq, 100)
		if err != nil {
			return fmt.Errorf("follow the alerts: %w", err)
		}
		for _, event := range events {
			alert, err := store.Alert(ctx, event.Alert)
			if errors.Is(err, alerts.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read an alert: %w", err)
			}
			w.seq = event.Seq
			w.tell(event, alert)
		}
		if len(events) < 100 {
			return nil
		}
	}
}

func (w *demoWatch) tell(event alerts.Event, alert *alerts.Alert) {
	w.kind[event.Kind]++
	w.seen[alert.ID] = *alert
	told := demoAlert{
		Kind: event.Kind, ID: alert.ID, Time: event.At, At: alert.At, Level: event.Level, Protocol: alert.Protocol, Version: alert.Version, Rule: alert.Rule,
		Patient: alert.Patient, Device: alert.Device, Late: alert.TooLate,
	}
	if alert.Explanation != nil {
		told.Sentence = alert.Explanation.Summary.In(w.demo.flags.language)
	}
	w.demo.report.alert(told)
}

func (w *demoWatch) open() int {
	open := 0
	for _, alert := range w.seen {
		if alert.State == alerts.Open {
			open++
		}
	}
	return open
}

// sumUp tells the events that came last, then the summary.
func (w *demoWatch) sumUp() error {
	if err := w.follow(context.Background()); err != nil { // the demonstration's own context has ended
		return err
	}
	d := w.demo
	summary, fleet := d.service.Summary(), d.fleet.Counts()
	s := demoSummary{
		Accepted: summary.Accepted, Duplicates: summary.Duplicates, SetAside: summary.SetAside,
		AlertsByLevel: map[string]int{}, AlertsByRule: map[string]int{}, EventsByKind: w.kind, Messages: d.post.sent.Load(),
		Patients: len(d.registry.Patients), Devices: d.fleet.Devices(), Simulated: d.clock.Now().Sub(d.start).Round(time.Minute).String(),
		Response: demoResponse{P50: milliseconds(fleet.P50), P99: milliseconds(fleet.P99), Max: milliseconds(fleet.Max)},
	}
	for _, level := range []protocols.Level{protocols.Technical, protocols.Yellow, protocols.Orange, protocols.Red} {
		s.AlertsByLevel[level.String()] = 0
	}
	for _, alert := range w.seen {
		s.AlertsByLevel[alert.Level.String()]++
		s.AlertsByRule[alert.Rule]++
	}
	d.report.summary(s)
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
