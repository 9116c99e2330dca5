package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vigie/deploy/load"
	"vigie/deploy/usage"
)

// pace is a rate that does not wait for the service, and what is wanted of Vigie at it.
type pace struct {
	rate, devices int
	goal          goal
}

// goal is what a figure is to be at most; 0 where none is set.
type goal struct {
	p50, p99  float64 // ms until an alert is committed
	processor float64 // µs a reading
	memory    float64 // MiB
}

// paces are those of a service that many people use: two readings a second of each
// device.
var paces = []pace{
	{5_000, 2_500, goal{3, 8, 35, 100}},
	{10_000, 5_000, goal{0, 15, 30, 0}},
}

// Alarming readings come in pairs: the second confirms what the first showed, and
// raises an alert.
const (
	steadyAlarming = 0.02
	steadySpell    = 2
	steadyRule     = "blood-pressure-high"
	afterwards     = 10 * time.Second // until what memory was only for the load is given back
)

// steadily is what one side was seen to do at a pace.
type steadily struct {
	alerts       int64
	p50, p99     float64 // ms until an alert was committed
	server       float64 // µs of processor a reading
	broker       float64 // and of Mosquitto
	database     float64 // of server, what PostgreSQL takes
	batch        float64 // readings in a commit
	peak, after  float64 // MiB, while the load was on and a while after
	acknowledged load.Latency
	rate         float64
	readings     int64
}

// contender is a side in a steady trial.
type contender struct {
	side
	program string // of Vigie
}

// contenders are the sides that a steady rate is tried on. A former program is tried
// beside the present one where there is one.
func (b *bench) contenders() (all []contender) {
	for _, side := range slices.Concat(sides, shared, b.alerting()) {
		switch {
		case !side.influx, b.Side != "" && b.Side != side.name:
			continue
		case side.peer == &telegraf: // it tells of nothing
			continue
		}
		all = append(all, contender{side, b.Vigie})
		if side.peer != nil {
			continue
		}
		if b.Former != "" {
			side.name, side.way = side.name+"0", side.way+", former"
			all = append(all, contender{side, b.Former})
		}
	}
	return all
}

// steady measures, at rates that do not wait for the service, how soon alerts are
// committed, and what a reading costs.
func (b *bench) steady(ctx context.Context) error {
	for _, p := range paces {
		if b.Devices > 0 && p.devices != b.Devices {
			continue
		}
		rounds := map[string][]steadily{}
		all := b.contenders()
		for round := range b.Rounds {
			for _, c := range all {
				got, err := b.keepPace(ctx, p, c)
				if err != nil {
					return fmt.Errorf("%s at %d readings/s: %w", c.name, p.rate, err)
				}
				rounds[c.name] = append(rounds[c.name], got)
				fmt.Fprintf(b.Out, "round %d  %-2s  %s\n", round+1, c.name, got)
			}
		}
		p.print(b.Out, all, rounds, b.SteadyFor)
	}
	for _, part := range []func(context.Context) error{b.rest, b.backlog, b.killed} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// String is one measurement in a line.
func (s steadily) String() string {
	return fmt.Sprintf("alerts p50 %.1f p99 %.1f ms, acknowledged p50 %.1f p99 %.1f ms, %.1f µs (%.1f of them PostgreSQL), %.0f readings a commit, %.0f MiB, then %.0f",
		s.p50, s.p99, s.acknowledged.P50, s.acknowledged.P99, s.server, s.database, s.batch, s.peak, s.after)
}

// keepPace measures one side once.
func (b *bench) keepPace(ctx context.Context, p pace, c contender) (got steadily, err error) {
	s := &stage{bench: b, side: c.side, enrolled: p.devices, program: c.program}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return got, fmt.Errorf("prepare: %w", err)
	}
	if s.vigie != nil {
		if err := settled(ctx, s.place()); err != nil {
			return got, err
		}
	}
	offer := load.Options{Broker: s.address, Others: s.otherBrokers(), Devices: publishers(p.devices), Measure: measure, InFlight: inFlight,
		Rate: float64(p.rate), Alarming: steadyAlarming, Spell: steadySpell}
	// Everybody sends twice first, so that what is measured is not their first readings.
	warm := offer
	warm.Alarming, warm.Count = 0, int64(2*p.devices)
	if _, err := s.load(ctx, warm); err != nil {
		return got, fmt.Errorf("warm up: %w", err)
	}
	offer.Duration = b.SteadyFor
	return s.watched(ctx, offer)
}

// load makes a load, all of which has to be acknowledged.
func (s *stage) load(ctx context.Context, offer load.Options) (load.Result, error) {
	result, err := load.Run(ctx, offer)
	if err != nil {
		return result, err
	}
	if result.Acknowledged != result.Published || result.Failed > 0 {
		return result, fmt.Errorf("%d of %d readings were acknowledged: %s", result.Acknowledged, result.Published, strings.Join(result.Errors, "; "))
	}
	s.written += result.Acknowledged
	return result, s.arrived(ctx)
}

// arrived waits until InfluxDB holds every reading. That points were written does not
// tell it: alerts are points as well.
func (s *stage) arrived(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		got, err := s.bench.influx.Count(s.database, measure, "systolic")
		if err == nil && got == s.written {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("InfluxDB holds %d readings of %d: %w", got, s.written, ctx.Err()), err)
		}
	}
}

// watched makes a load and looks at the server meanwhile. What a reading costs is
// counted while all are connected and send: connecting costs what it does at any rate.
func (s *stage) watched(ctx context.Context, offer load.Options) (got steadily, err error) {
	var failed error
	var before, last [4]time.Duration
	var sent int64
	offer.Connected = func() (err error) {
		before, err = s.processorTimes()
		return err
	}
	offer.Progress = func(acknowledged int64, elapsed time.Duration) {
		now, err := s.memory()
		got.peak, failed = max(got.peak, mebibytes(now)), errors.Join(failed, err)
		if elapsed < offer.Duration {
			last, err = s.processorTimes()
			sent, failed = acknowledged, errors.Join(failed, err)
		}
	}
	commits, err := s.commits(ctx)
	if err != nil {
		return got, err
	}
	w, err := s.watch(ctx)
	if err != nil {
		return got, err
	}
	result, err := s.load(ctx, offer)
	s.watching = 0
	took, _, unseen := w.close(ctx)
	since, unknown := s.commits(ctx)
	if err := errors.Join(err, failed, unseen, unknown); err != nil {
		return got, err
	}
	if s.vigie != nil {
		if err := accepted(ctx, s.nodes(), s.written); err != nil {
			return got, err
		}
		got.batch = float64(result.Acknowledged) / float64(since-commits)
	}
	ms := func(quantile float64) float64 { return float64(took.ValueAtQuantile(quantile)) / 1000 }
	got.alerts, got.p50, got.p99 = took.TotalCount(), ms(50), ms(99)
	got.readings, got.rate, got.acknowledged = result.Acknowledged, result.Rate, result.Latency
	each := func(place int) float64 { return microseconds(last[place]-before[place], sent) }
	got.server, got.broker, got.database = each(0), each(1), each(3)
	select {
	case <-time.After(afterwards):
	case <-ctx.Done():
	}
	now, err := s.memory()
	got.after = mebibytes(now)
	return got, err
}

// memory is how many bytes the server under test has, of all its nodes.
func (s *stage) memory() (sum int64, err error) {
	pids := []int{s.server.command.Process.Pid}
	for _, other := range s.others {
		pids = append(pids, other.command.Process.Pid)
	}
	for _, pid := range pids {
		now, err := usage.Memory(pid)
		if err != nil {
			return 0, err
		}
		sum += now
	}
	return sum, nil
}

// commits is how many transactions of readings Vigie has committed; 0 for a peer.
func (s *stage) commits(ctx context.Context) (int64, error) {
	return counted(ctx, s.nodes(), "vigie_commit_readings_count")
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// print prints what the sides did at a pace, and what is wanted of Vigie.
func (p pace) print(out io.Writer, all []contender, rounds map[string][]steadily, long time.Duration) {
	over := func(name string, figure func(steadily) float64) (s spread) {
		for _, got := range rounds[name] {
			s = append(s, figure(got))
		}
		return s
	}
	fmt.Fprintf(out, "\n%d readings/s from %d devices over %v, %.0f %% alarming; times in ms from when a reading was to be sent; median (lowest–highest) of %d rounds\n\n",
		p.rate, p.devices, long, steadyAlarming*100, len(rounds[all[0].name]))
	columns := []struct {
		title  string
		figure func(steadily) float64
		goal   float64
	}{
		{"alert p50", func(s steadily) float64 { return s.p50 }, p.goal.p50},
		{"alert p99", func(s steadily) float64 { return s.p99 }, p.goal.p99},
		{"µs a reading", func(s steadily) float64 { return s.server }, p.goal.processor},
		{"MiB at most", func(s steadily) float64 { return s.peak }, p.goal.memory},
		{"MiB after", func(s steadily) float64 { return s.after }, 0},
		{"a commit", func(s steadily) float64 { return s.batch }, 0},
	}
	line := func(name, way string, cell func(int) string) {
		fmt.Fprintf(out, "%-3s %-41s", name, way)
		for i := range columns {
			fmt.Fprintf(out, " %20s", cell(i))
		}
		fmt.Fprintln(out)
	}
	line("", "", func(i int) string { return columns[i].title })
	line("", "goal", func(i int) string {
		if columns[i].goal == 0 {
			return ""
		}
		return fmt.Sprintf("≤ %.0f", columns[i].goal)
	})
	for _, c := range all {
		line(c.name, c.way, func(i int) string { return over(c.name, columns[i].figure).tenths() })
	}
	fmt.Fprintln(out)
}
