package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/deploy/load"
)

// Many devices that were away for a week bring what they have measured meanwhile, as
// fast as it is acknowledged, while the others go on sending.
const (
	backlogDevices = 1_000
	backlogLong    = 7 * 24 * time.Hour
	backlogApart   = 30 * time.Minute // between two readings of a device
)

// backlog measures how soon alerts of those who go on sending are committed meanwhile.
func (b *bench) backlog(ctx context.Context) (err error) {
	p, readings := paces[0], int64(backlogDevices*(backlogLong/backlogApart))
	fmt.Fprintf(b.Out, "%d devices bring a week, %d readings, beside %d readings/s from %d others\n\n", backlogDevices, readings, p.rate, p.devices)
	for _, c := range b.contenders() {
		if c.peer != nil {
			continue
		}
		if err := b.catchUp(ctx, p, c, readings); err != nil {
			return fmt.Errorf("a backlog on %s: %w", c.name, err)
		}
	}
	fmt.Fprintln(b.Out)
	return nil
}

func (b *bench) catchUp(ctx context.Context, p pace, c contender, readings int64) (err error) {
	s := &stage{bench: b, side: c.side, enrolled: p.devices + backlogDevices, followed: 8, program: c.program}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if err := settled(ctx, s.place()); err != nil {
		return err
	}
	all := publishers(p.devices + backlogDevices)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	came := make(chan load.Result, 1)
	var failed error
	live := load.Options{Broker: s.address, Others: s.otherBrokers(), Devices: all[:p.devices], Measure: measure, InFlight: inFlight, Rate: float64(p.rate), Count: int64(2 * p.devices)}
	if _, err := load.Run(ctx, live); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	w, err := s.watch(ctx)
	if err != nil {
		return err
	}
	living, ended := context.WithCancel(ctx)
	live.Count, live.Duration, live.Alarming, live.Spell = 0, 2*patience, steadyAlarming, steadySpell
	go func() {
		var result load.Result
		result, failed = load.Run(living, live)
		came <- result
	}()
	late, err := load.Run(ctx, load.Options{Broker: s.address, Others: s.otherBrokers(), Devices: all[p.devices:], Measure: measure, InFlight: inFlight, Count: readings,
		Since: time.Now().Add(-backlogLong), Apart: backlogApart})
	ended()
	result := <-came
	if err = errors.Join(err, failed); err == nil {
		err = reached(ctx, s.nodes(), int64(2*p.devices)+result.Acknowledged+late.Acknowledged)
	}
	took, _, unseen := w.close(ctx)
	if err := errors.Join(err, unseen); err != nil {
		return err
	}
	ms := func(quantile float64) float64 { return float64(took.ValueAtQuantile(quantile)) / 1000 }
	_, err = fmt.Fprintf(b.Out, "%-3s %-41s brought in %5.1f s; alerts of the others p50 %.1f p99 %.1f ms, of %d\n", c.name, c.way, late.Seconds, ms(50), ms(99), took.TotalCount())
	return err
}
