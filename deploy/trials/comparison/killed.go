package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"vigie/deploy/load"
)

// A server is killed amid a steady load, and started again.
const (
	killedAfter = 4 * time.Second
	killedLoad  = 8 * time.Second
	drained     = 3 * time.Second // without anything new, all that comes has come
)

// toll is what killing a server amid its work has cost. A reading that the broker has
// acknowledged and InfluxDB does not hold is lost. Of Vigie, an alert is lost when a
// device had two alarming readings in a row and none stands for it, and told twice when
// a second one does; of a peer, every such pair is to be told once.
type toll struct {
	readings, lost      int64
	pairs, silent, over int
}

// killed kills each side behind Mosquitto once, and prints what that has cost.
func (b *bench) killed(ctx context.Context) error {
	fmt.Fprintf(b.Out, "Killed amid %d readings/s, and started again\n\n%-45s %10s %8s %10s %8s %10s\n", paces[0].rate, "", "readings", "lost", "alerts", "lost", "told twice")
	for _, c := range b.contenders() {
		if !c.outside {
			continue
		}
		t, err := b.kill(ctx, paces[0], c)
		if err != nil {
			return fmt.Errorf("kill %s: %w", c.name, err)
		}
		fmt.Fprintf(b.Out, "%-3s %-41s %10d %8d %10d %8d %10d\n", c.name, c.way, t.readings, t.lost, t.pairs, t.silent, t.over)
	}
	fmt.Fprintf(b.Out, "\nWhat the peers do not do:\n  Telegraf with starlark: %s.\n  Node-RED: %s.\n\n", starlark.without, nodeRED.without)
	return nil
}

func (b *bench) kill(ctx context.Context, p pace, c contender) (t toll, err error) {
	s := &stage{bench: b, side: c.side, enrolled: p.devices, program: c.program}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return t, fmt.Errorf("prepare: %w", err)
	}
	w, err := s.watch(ctx)
	if err != nil {
		return t, err
	}
	var mu sync.Mutex
	pairs := map[string]int{}
	offer := load.Options{Broker: s.address, Devices: publishers(p.devices), Measure: measure, InFlight: inFlight,
		Rate: float64(p.rate), Alarming: steadyAlarming, Spell: steadySpell, Duration: killedLoad,
		Alarmed: func(device string) {
			mu.Lock()
			defer mu.Unlock()
			pairs[device]++
		}}
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		time.Sleep(killedAfter)
		failed = s.server.command.Process.Signal(syscall.SIGKILL)
		<-s.server.ended
		failed = errors.Join(failed, s.start())
	})
	result, err := load.Run(ctx, offer)
	done.Wait()
	if err := errors.Join(err, failed); err != nil {
		return t, err
	}
	present, err := s.drain(ctx)
	if err != nil {
		return t, err
	}
	_, told, err := w.close(ctx)
	t.readings, t.lost = result.Acknowledged, result.Acknowledged-present
	t.count(pairs, told, s.side.peer == nil)
	return t, err
}

// drain waits until nothing more comes, and returns how many readings InfluxDB holds.
func (s *stage) drain(ctx context.Context) (present int64, err error) {
	for still := time.Now(); time.Since(still) < drained; {
		got, err := s.bench.influx.Count(s.database, measure, "systolic")
		if err != nil {
			return present, err
		}
		if got != present {
			present, still = got, time.Now()
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return present, ctx.Err()
		}
	}
	return present, nil
}

// count compares the alerts that were to be told, by device, with how often each was.
func (t *toll) count(pairs, told map[string]int, episodes bool) {
	for _, n := range pairs {
		if episodes {
			n = min(n, 1)
		}
		t.pairs += n
	}
	for _, n := range told {
		t.over += n - 1
	}
	t.silent = t.pairs - len(told)
}
