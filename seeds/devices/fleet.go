// Package devices simulates medical devices at patients' homes. Each connects
// over MQTT with its own credentials, uploads what it has measured before, and
// then lives on at the given clock.
package devices

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/seeds"
)

// Plan is what a fleet is made of.
type Plan struct {
	Registry  registry.Registry
	Passwords map[string]string // by device
	Scenarios seeds.Scenarios
	Broker    string
	Prefix    string        // of topics; DefaultPrefix when empty
	Clock     Clock         // what it shows when the fleet is made is the start of the scenarios
	History   time.Duration // how far back the devices have measured; never before the enrolment
	Seed      uint64
	Trouble   func(device string, err error) // told of lost connections; may be nil
}

// Fleet is all devices of a cohort. It is safe for concurrent use.
type Fleet struct {
	plan     Plan
	devices  []*device
	uploaded chan struct{}
	mu       sync.Mutex
	counts   Counts
	latency  *hdrhistogram.Histogram // in microseconds
}

// Counts is what became of what a fleet published. Readings are counted when
// the broker has acknowledged them, verdicts when their receipts came, which is
// best effort: a device that is slow to read misses some.
type Counts struct {
	Published    int64                    `json:"published"` // readings, repetitions included
	Acknowledged int64                    `json:"acknowledged"`
	Accepted     int64                    `json:"accepted"`
	Duplicate    int64                    `json:"duplicate"`
	SetAside     map[protocols.Code]int64 `json:"set_aside"` // by the first reason
	Reconnects   int                      `json:"reconnects"`
	P50          time.Duration            `json:"p50"` // from publication to acknowledgement
	P99          time.Duration            `json:"p99"`
	Max          time.Duration            `json:"max"`
}

// NewFleet makes the devices of the cohort that feed an enrolment.
func NewFleet(plan Plan) (*Fleet, error) {
	f := &Fleet{plan: plan, uploaded: make(chan struct{}), latency: hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3),
		counts: Counts{SetAside: map[protocols.Code]int64{}}}
	kinds := map[string]string{}
	for _, d := range plan.Registry.Devices {
		kinds[d.Name] = d.Kind
	}
	start := plan.Clock.Now()
	made := map[string]bool{} // a device may feed two enrolments of its patient
	for _, e := range plan.Registry.Enrolments {
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			return nil, fmt.Errorf("the enrolment %s: %w", e.ID, err)
		}
		from := start.Add(-plan.History)
		if e.From.After(from) {
			from = e.From
		}
		for _, name := range e.Devices {
			if made[name] {
				continue
			}
			made[name] = true
			story := plan.Scenarios.Devices[name]
			l, err := newLife(name, plan.Scenarios.Habits[kinds[name]], story, start, from, zone, plan.Seed)
			if err != nil {
				return nil, err
			}
			f.devices = append(f.devices, &device{fleet: f, name: name, zone: zone, life: l, start: start, battery: battery(story)})
		}
	}
	return f, nil
}

func battery(story seeds.Story) int {
	if story.Battery == 0 {
		return 80
	}
	return story.Battery
}

// Devices is how many there are.
func (f *Fleet) Devices() int { return len(f.devices) }

// Uploaded is closed once every device has uploaded what it had measured before
// the start, and all of it has been acknowledged.
func (f *Fleet) Uploaded() <-chan struct{} { return f.uploaded }

// Run connects the devices and lets them live until ctx ends. It returns nil
// then, and an error when a device was refused or could not be connected.
func (f *Fleet) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var living, uploading sync.WaitGroup
	for _, d := range f.devices {
		uploading.Add(1)
		living.Go(func() {
			err := d.live(ctx, uploading.Done)
			if err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	go func() {
		uploading.Wait()
		close(f.uploaded)
	}()
	living.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// Counts returns what has become of the readings so far.
func (f *Fleet) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counts
	c.SetAside = maps.Clone(c.SetAside)
	for _, d := range f.devices {
		c.Reconnects += d.reconnects()
	}
	c.P50, c.P99, c.Max = f.quantile(50), f.quantile(99), f.quantile(100)
	return c
}

func (f *Fleet) quantile(q float64) time.Duration {
	return time.Duration(f.latency.ValueAtQuantile(q)) * time.Microsecond
}

func (f *Fleet) published(readings int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Published += int64(readings)
}

func (f *Fleet) acknowledged(readings int, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Acknowledged += int64(readings)
	took = min(took, time.Minute)
	// The histogram refuses only what is beyond its range, which took is not.
	_ = f.latency.RecordValue(took.Microseconds())
}

func (f *Fleet) receipt(r Receipt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.Verdict {
	case "accepted":
		f.counts.Accepted++
	case "duplicate":
		f.counts.Duplicate++
	default:
		code := protocols.Code("unknown")
		if len(r.Reasons) > 0 {
			code = r.Reasons[0].Code
		}
		f.counts.SetAside[code]++
	}
}

// device is one simulated device.
type device struct {
	fleet   *Fleet
	name    string
	zone    *time.Location
	life    *life
	start   time.Time
	battery int
	mu      sync.Mutex
	session *Session
}

// A device that uploads what it has measured before puts so many readings into
// one message, and has so many messages under way: no more than it can read the
// receipts of.
const (
	uploadSize   = 100
	uploadWindow = 2
)

// live is the whole life of a device. It calls uploaded once the past is
// acknowledged, or cannot be.
func (d *device) live(ctx context.Context, uploaded func()) error {
	once := sync.OnceFunc(uploaded)
	defer once()
	s, err := Dial(ctx, Connection{
		Broker: d.fleet.plan.Broker, Prefix: d.fleet.plan.Prefix, Device: d.name, Password: d.fleet.plan.Passwords[d.name], Window: uploadWindow,
		Status:  Status{Battery: d.battery, Firmware: "1.4.2"},
		Receipt: d.fleet.receipt, Acknowledged: d.fleet.acknowledged, Trouble: d.trouble,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	d.mu.Lock()
	d.session = s
	d.mu.Unlock()
	next, more, err := d.upload(ctx, s)
	if err != nil {
		return err
	}
	once()
	for ; more; next, more = d.life.next() {
		if err := d.fleet.plan.Clock.Until(ctx, next.at); err != nil {
			return err
		}
		if err := d.publish(ctx, s, []taken{next}); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// upload sends everything measured until the start and returns the first
// reading after it.
func (d *device) upload(ctx context.Context, s *Session) (next taken, more bool, err error) {
	var past []taken
	for next, more = d.life.next(); more && !next.at.After(d.start); next, more = d.life.next() {
		past = append(past, next)
	}
	for part := range slices.Chunk(past, uploadSize) {
		if err := d.publish(ctx, s, part); err != nil {
			return next, more, err
		}
	}
	return next, more, s.Flush(ctx)
}

// publish sends one message with those readings, and again where one is to be
// repeated.
func (d *device) publish(ctx context.Context, s *Session, part []taken) error {
	var readings []Reading
	for _, t := range part {
		r := t.reading(d.name, d.zone, d.battery)
		readings = append(readings, r)
		if t.twice {
			readings = append(readings, r)
		}
	}
	payload := encode(readings)
	if len(readings) == 1 {
		payload = encode(readings[0])
	}
	d.fleet.published(len(readings))
	return s.Publish(ctx, payload, len(readings))
}

func (d *device) trouble(err error) {
	if d.fleet.plan.Trouble != nil {
		d.fleet.plan.Trouble(d.name, err)
	}
}

func (d *device) reconnects() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == nil {
		return 0
	}
	return d.session.Reconnects()
}
