package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/deploy/load"
	"vigie/deploy/usage"
)

// pressures are trials of what the service does with more than it can take.
var pressures = []fault{
	{"store stalled: devices wait, memory does not grow", true, stalled},
	{"one device floods: the others do not wait", true, flooded},
	{"10,000 devices connected", true, crowded},
	{"10,000 devices come back at once after a SIGKILL", true, storm},
	{"a year of 1,000 patients", true, year},
}

// memory is what the process holds, in MiB.
func (n *node) memory() (float64, error) {
	bytes, err := usage.Resident(n.running.Process.Pid)
	return float64(bytes) / (1 << 20), err
}

// stalled holds the lock of the store, so that nothing can be committed, while
// devices send all they have.
func stalled(b *bench, ctx context.Context) (r row, err error) {
	w := newWard(400, 300, time.Now().Add(-15*time.Minute), b.people.hook.URL)
	t, err := b.newTrial(ctx, w, "VIGIE_LIMITS_QUEUE=5000")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	t.crowd.setWindow(300)
	if err := t.node.start(); err != nil {
		return r, err
	}
	t.crowd.allow(1, 10)
	if err := t.await(ctx, w.readings()/10); err != nil {
		return r, err
	}
	release, err := hold(filepath.Join(t.folder, "vigie.db"))
	if err != nil {
		return r, err
	}
	t.crowd.allow(1, 1)
	var held [3]float64
	for i := range held {
		if err := pause(ctx, 2*time.Second); err != nil {
			return r, errors.Join(err, release())
		}
		if held[i], err = t.node.memory(); err != nil {
			return r, errors.Join(err, release())
		}
	}
	waiting := w.readings() - int(t.crowd.acked.Load())
	if err := release(); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	// Generous: it is without a bound that this would be hundreds of MiB.
	if grown := held[2] - held[0]; grown > 64 {
		return r, fmt.Errorf("memory grew by %.0f MiB in four seconds while the store was stalled", grown)
	}
	return row{counts: j.counts, times: 1, note: fmt.Sprintf("%d readings waited at 400 devices; memory after 2, 4, 6 s: %.0f, %.0f, %.0f MiB", waiting, held[0], held[1], held[2])}, nil
}

// hold takes the lock of a store and returns what gives it back.
func hold(file string) (release func() error, err error) {
	conn, err := zombiezen.OpenConn(file, zombiezen.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open the store to stall it: %w", err)
	}
	conn.SetBlockOnBusy()
	if err := sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("stall the store: %w", err), conn.Close())
	}
	return func() error {
		return errors.Join(sqlitex.ExecuteTransient(conn, "ROLLBACK", nil), conn.Close())
	}, nil
}

// loaded is a trial of load: what is published has the time it is sent at.
type loaded struct {
	*trial
	mu    sync.Mutex
	acked map[string]bool // by device and id
}

func (b *bench) newLoaded(ctx context.Context, devices int, environment ...string) (*loaded, error) {
	t, err := b.newTrial(ctx, newWard(devices, 0, time.Now(), ""), environment...)
	if err != nil {
		return nil, err
	}
	t.crowd.close() // these devices have measured nothing
	return &loaded{trial: t, acked: map[string]bool{}}, t.node.start()
}

// publish makes load from some of the devices.
func (l *loaded) publish(ctx context.Context, from, to int, o load.Options) (load.Result, error) {
	o.Broker, o.Measure, o.Reconnect = l.crowd.address(), "oxygen-saturation", true
	for _, name := range l.ward.devices[from:to] {
		o.Devices = append(o.Devices, load.Credential{Device: name, Password: password})
	}
	o.Acknowledged = func(device, id string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.acked[device+"/"+id] = true
	}
	result, err := load.Run(ctx, o)
	if err == nil && result.Failed > 0 {
		err = fmt.Errorf("%d devices gave up: %s", result.Failed, strings.Join(result.Errors, "; "))
	}
	return result, err
}

// count looks for what was acknowledged.
func (l *loaded) count(ctx context.Context) (c counts, err error) {
	got, err := l.look(ctx)
	if err != nil {
		return c, err
	}
	c.acknowledged = len(l.acked)
	for key := range l.acked {
		if got.readings[key] == 0 {
			c.lost++
		}
	}
	for _, times := range got.readings {
		if times > 1 {
			c.doubled++
		}
	}
	return c, nil
}

// flooded lets one device send as fast as it can beside others that send little,
// and compares how long these wait with and without it.
func flooded(b *bench, ctx context.Context) (r row, err error) {
	l, err := b.newLoaded(ctx, 101, "VIGIE_LIMITS_DEVICE_RATE=1000")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	quiet, err := l.publish(ctx, 0, 100, load.Options{Rate: 200, Duration: 5 * time.Second})
	if err != nil {
		return r, err
	}
	flooding, stop := context.WithCancel(ctx)
	defer stop()
	var flood load.Result
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		flood, failed = l.publish(flooding, 100, 101, load.Options{InFlight: 5000, Duration: time.Minute})
	})
	// More than a device may send at once, so that its rate counts.
	if err := until(ctx, "the device to flood", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.acked) > 21_000 }); err != nil {
		return r, err
	}
	beside, err := l.publish(ctx, 0, 100, load.Options{Rate: 200, Duration: 5 * time.Second})
	stop()
	done.Wait()
	if err := errors.Join(err, failed); err != nil {
		return r, err
	}
	c, err := l.count(ctx)
	if err != nil {
		return r, err
	}
	got, err := l.look(ctx)
	if err != nil {
		return r, err
	}
	if !said(strings.Join(lines(got.alerts), "\n"), "device-flooding") {
		return r, errors.New("no technical alert says that a device floods")
	}
	return row{counts: c, times: 1, note: fmt.Sprintf("the flood: %d readings, %.0f/s; the others wait p50 %.1f ms, p99 %.1f ms (without it %.1f, %.1f); technical alert raised",
		flood.Acknowledged, flood.Rate, beside.Latency.P50, beside.Latency.P99, quiet.Latency.P50, quiet.Latency.P99)}, nil
}

func lines(of map[string]string) (all []string) {
	for _, line := range of {
		all = append(all, line)
	}
	return all
}

// many is how many devices one node is to hold.
const many = 10_000

// crowded connects many devices and lets them publish.
func crowded(b *bench, ctx context.Context) (r row, err error) {
	l, err := b.newLoaded(ctx, many)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	before, err := l.node.memory()
	if err != nil {
		return r, err
	}
	result, err := l.publish(ctx, 0, many, load.Options{Rate: 1000, Duration: 15 * time.Second})
	if err != nil {
		return r, err
	}
	after, err := l.node.memory()
	if err != nil {
		return r, err
	}
	c, err := l.count(ctx)
	return row{counts: c, times: 1, note: fmt.Sprintf("all connected after %.1f s; 1,000 readings/s: p50 %.1f ms, p99 %.1f ms; memory %.0f MiB, %.0f before",
		result.ConnectSeconds, result.Latency.P50, result.Latency.P99, after, before)}, err
}

// storm kills a service with many devices and sees them come back.
func storm(b *bench, ctx context.Context) (r row, err error) {
	l, err := b.newLoaded(ctx, many)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	publishing, stop := context.WithCancel(ctx)
	defer stop()
	var result load.Result
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		result, failed = l.publish(publishing, 0, many, load.Options{Rate: 500, Duration: 5 * time.Minute, Grace: patience})
	})
	if _, err := l.connected(ctx, many); err != nil {
		return r, err
	}
	if err := l.kill(); err != nil {
		return r, err
	}
	if err := l.node.start(); err != nil {
		return r, err
	}
	took, err := l.connected(ctx, many)
	if err != nil {
		return r, err
	}
	held, err := l.node.memory()
	if err != nil {
		return r, err
	}
	if err := pause(ctx, 3*time.Second); err != nil {
		return r, err
	}
	stop()
	done.Wait()
	if failed != nil {
		return r, failed
	}
	c, err := l.count(ctx)
	return row{counts: c, times: 1, note: fmt.Sprintf("all back after %.1f s, %d connections made again; memory %.0f MiB", took.Seconds(), result.Reconnects, held)}, err
}

// connected waits until so many devices are connected.
func (l *loaded) connected(ctx context.Context, count int) (took time.Duration, err error) {
	began := time.Now()
	open := 0.0
	err = until(ctx, "devices to connect", func() bool {
		open, _ = l.figure(ctx, "vigie_inside_connections") // a service that does not answer yet has none
		return int(open) >= count
	})
	if err != nil {
		return 0, fmt.Errorf("%w: %.0f of %d; the service said: %s", err, open, count, lastLines(l.said(), 3))
	}
	return time.Since(began), nil
}

// figure reads one metric of the service.
func (l *loaded) figure(ctx context.Context, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.node.page+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer a token that is long enough for anybody")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	for metrics := bufio.NewScanner(answer.Body); metrics.Scan(); {
		if value, ok := strings.CutPrefix(metrics.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("the service has no figure %s", name)
}
