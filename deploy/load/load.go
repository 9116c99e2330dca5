// Package load makes load: many devices in one process that publish real
// readings over MQTT and count their own acknowledgements.
//
// It speaks just enough MQTT 3.1.1 itself to publish at QoS 1, because it shares
// the machine with what it measures: a general client would take more processor
// time than the service under test. What is counted as acknowledged was named in
// a PUBACK. At a steady rate, latencies count from the moment at which a message
// was to be sent. So a service that stalls cannot hide it by holding the generator up
// (no coordinated omission).
package load

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"vigie/deploy/usage"
)

// Credential is what one device connects with.
type Credential struct {
	Device   string
	Password string
}

// Options say what load to make.
type Options struct {
	Broker   string       // host:port
	Others   []string     // further nodes beside it; a device is always at the same one
	Prefix   string       // of topics; "vigie/v1" when empty
	Devices  []Credential // one connection each
	Measure  string       // "blood-pressure" when empty
	Alarming float64      // share of readings with values that raise alerts
	Spell    int          // alarming readings of a device in a row; 1 when 0
	// Since is when the first reading of each device was measured, and Apart how long it
	// took until its next: a backlog. Readings are of the present when zero.
	Since time.Time
	Apart time.Duration
	// Alarmed is called with the device of each spell that is made whole, from many
	// goroutines at once; may be nil.
	Alarmed  func(device string)
	InFlight int           // messages of one device not yet acknowledged; 20 when 0
	Batch    int           // readings in a message; 1 when 0
	Rate     float64       // readings a second of all devices together; 0 for as fast as they are acknowledged
	Count    int64         // readings in all; 0 for no limit
	Duration time.Duration // 0 for no limit
	Grace    time.Duration // how long to wait for the last acknowledgements; 30 s when 0
	// KeepAlive is how often each device says that it is there, in whole seconds; 0 for never.
	KeepAlive time.Duration
	// Reconnect makes lost connections again and sends what was not acknowledged.
	Reconnect bool
	// Receipts also listens to the receipts and counts their verdicts.
	Receipts bool
	// Acknowledged is called with each reading that was acknowledged, from many
	// goroutines at once; may be nil.
	Acknowledged func(device, id string)
	// Connected is called once, when all devices are connected and before any sends; may be
	// nil.
	Connected func() error
	// Progress is called about every half second; may be nil.
	Progress func(acknowledged int64, elapsed time.Duration)
}

// Result is what came of it.
type Result struct {
	Began          time.Time        `json:"began"` // when the first message was sent
	Devices        int              `json:"devices"`
	Published      int64            `json:"published"` // readings, each counted once however often it was sent
	Acknowledged   int64            `json:"acknowledged"`
	Seconds        float64          `json:"seconds"` // from the first message to the last acknowledgement
	Rate           float64          `json:"rate"`    // acknowledged readings a second
	Latency        Latency          `json:"latency_ms"`
	Reconnects     int64            `json:"reconnects"`
	Pongs          int64            `json:"pongs,omitempty"`   // answers to signs of life
	ConnectSeconds float64          `json:"connect_seconds"`   // until all were connected
	Processor      float64          `json:"processor_seconds"` // user and system time of this process while it ran
	PerReading     float64          `json:"processor_us_per_reading"`
	Receipts       map[string]int64 `json:"receipts,omitempty"` // by verdict
	Errors         []string         `json:"errors,omitempty"`   // the first few
	Failed         int              `json:"failed"`             // devices that gave up
}

// Latency is the time from when a message was to be sent to its acknowledgement,
// in milliseconds.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// generator is one run.
type generator struct {
	options Options
	run     string
	over    context.Context // ends when the last acknowledgements are not waited for any longer
	start   time.Time

	acknowledgedReadings atomic.Int64
	lastAcknowledged     atomic.Int64 // nanoseconds after start
	reconnects           atomic.Int64
	pongs                atomic.Int64
	shards               [16]shard

	mu       sync.Mutex
	receipts map[string]int64
	failures []error
}

// shard spreads the recording of latencies over several locks.
type shard struct {
	mu      sync.Mutex
	latency *hdrhistogram.Histogram // microseconds
}

// maxLatency is the longest latency that is told apart.
const maxLatency = 10 * time.Minute

// Run connects all devices, makes the load and returns what came of it. An
// error tells that no device could be connected; what went wrong later is in
// the result.
func Run(ctx context.Context, options Options) (Result, error) {
	g, err := prepare(options)
	if err != nil {
		return Result{}, err
	}
	over, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g.over = over
	connections, connecting, err := g.connect(ctx)
	if err != nil {
		return Result{}, err
	}
	if options.Connected != nil {
		if err := options.Connected(); err != nil {
			return Result{}, err
		}
	}
	if g.options.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.options.Duration)
		defer cancel()
	}
	// Once sending has ended, the last acknowledgements have so long to come.
	context.AfterFunc(ctx, func() { time.AfterFunc(g.options.Grace, stop) })

	before := usage.Own()
	g.start = time.Now()
	g.send(ctx, connections)
	return g.result(connections, connecting, usage.Own()-before), nil
}

// broker is the node of a device, by its place among the devices: a balancer that keeps
// devices at their nodes would lead it there.
func (o Options) broker(place int) string {
	at := place % (1 + len(o.Others))
	if at == 0 {
		return o.Broker
	}
	return o.Others[at-1]
}

func prepare(o Options) (*generator, error) {
	if len(o.Devices) == 0 {
		return nil, errors.New("load needs at least one device")
	}
	if o.Count == 0 && o.Duration == 0 {
		return nil, errors.New("load needs an end: a count of readings or a duration")
	}
	if o.Prefix == "" {
		o.Prefix = "vigie/v1"
	}
	if o.Measure == "" {
		o.Measure = "blood-pressure"
	}
	if o.InFlight == 0 {
		o.InFlight = 20
	}
	if o.InFlight < 1 || o.InFlight > 65535 {
		return nil, fmt.Errorf("%d messages in flight are not possible: 1 to 65535 are", o.InFlight)
	}
	o.Batch = max(o.Batch, 1)
	o.Spell = max(o.Spell, 1)
	if o.Grace == 0 {
		o.Grace = 30 * time.Second
	}
	var random [4]byte // so that an id is as short as those of devices that count
	rand.Read(random[:])
	g := &generator{options: o, run: hex.EncodeToString(random[:]), receipts: map[string]int64{}}
	for i := range g.shards {
		g.shards[i].latency = hdrhistogram.New(1, maxLatency.Microseconds(), 3)
	}
	return g, nil
}

// connect makes every connection, a hundred at a time.
func (g *generator) connect(ctx context.Context) ([]*connection, time.Duration, error) {
	began := time.Now()
	connections := make([]*connection, len(g.options.Devices))
	errs := make([]error, len(connections))
	var wait sync.WaitGroup
	turn := make(chan struct{}, 100)
	for i, d := range g.options.Devices {
		c, err := newConnection(g, i, d.Device, d.Password)
		if err != nil {
			return nil, 0, err
		}
		connections[i] = c
		turn <- struct{}{}
		wait.Go(func() {
			errs[i] = c.dial(ctx)
			<-turn
		})
	}
	wait.Wait()
	var made []*connection
	for i, err := range errs {
		if err == nil {
			made = append(made, connections[i])
			continue
		}
		g.failures = append(g.failures, err)
	}
	if len(made) == 0 {
		return nil, 0, fmt.Errorf("no device could connect to %s: %w", g.options.Broker, errs[0])
	}
	return made, time.Since(began), nil
}

func (g *generator) send(ctx context.Context, connections []*connection) {
	done := make(chan struct{})
	var reporting sync.WaitGroup
	if g.options.Progress != nil {
		reporting.Go(func() { g.report(done) })
	}
	var wait sync.WaitGroup
	for _, c := range connections {
		wait.Go(func() {
			if err := c.run(ctx); err != nil {
				g.mu.Lock()
				g.failures = append(g.failures, err)
				g.mu.Unlock()
			}
		})
	}
	if g.options.Rate > 0 {
		for first := range min(pacers, len(connections)) {
			wait.Go(func() { g.pace(ctx, connections, first) })
		}
	}
	if g.options.KeepAlive > 0 {
		reporting.Go(func() { g.ping(done, connections) })
	}
	wait.Wait()
	close(done)
	reporting.Wait()
}

// ping has the devices say one after another that they are there, at even distances.
func (g *generator) ping(done <-chan struct{}, connections []*connection) {
	tick := time.NewTicker(max(1, g.options.KeepAlive/time.Duration(len(connections))))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			connections[i%len(connections)].ping()
		case <-done:
			return
		}
	}
}

func (g *generator) report(done <-chan struct{}) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.options.Progress(g.acknowledgedReadings.Load(), time.Since(g.start))
		case <-done:
			g.options.Progress(g.acknowledgedReadings.Load(), time.Since(g.start))
			return
		}
	}
}

// quota is how many messages the device at that place sends.
func (g *generator) quota(place int) int64 {
	if g.options.Count == 0 {
		return -1
	}
	messages := (g.options.Count + int64(g.options.Batch) - 1) / int64(g.options.Batch)
	share, rest := messages/int64(len(g.options.Devices)), messages%int64(len(g.options.Devices))
	if int64(place) < rest {
		share++
	}
	return share
}

// pace sends the messages of some connections when they are due, at even
// distances: the devices take turns. Every pacers-th connection is its own.
func (g *generator) pace(ctx context.Context, connections []*connection, first int) {
	var mine []*connection
	for i := first; i < len(connections); i += pacers {
		mine = append(mine, connections[i])
	}
	defer func() {
		for _, c := range mine {
			c.end()
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for round := int64(0); ; round++ {
		more := false
		for i, c := range mine {
			if round == c.quota {
				continue
			}
			more = true
			turn := float64(round)*float64(len(connections)) + float64(first+i*pacers)
			at := g.start.Add(time.Duration(turn * float64(g.options.Batch) / g.options.Rate * float64(time.Second)))
			if wait := time.Until(at); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
					return
				}
			} else if ctx.Err() != nil {
				return
			}
			c.due(at)
		}
		if !more {
			return
		}
	}
}

// pacers is how many goroutines send at a steady rate, so that one connection
// that does not take what is written to it does not hold up all others.
const pacers = 4

func (g *generator) acknowledge(c *connection, s *slot) {
	now := time.Now()
	g.acknowledgedReadings.Add(int64(g.options.Batch))
	g.lastAcknowledged.Store(int64(now.Sub(g.start)))
	sh := &g.shards[c.place%len(g.shards)]
	sh.mu.Lock()
	// The histogram refuses only what is beyond its range.
	_ = sh.latency.RecordValue(min(now.Sub(s.intended), maxLatency).Microseconds())
	sh.mu.Unlock()
	if g.options.Acknowledged == nil {
		return
	}
	for i := range int64(g.options.Batch) {
		g.options.Acknowledged(c.name, g.run+"-"+strconv.FormatInt(s.first+i, 10))
	}
}

func (g *generator) receipt(verdict string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.receipts[verdict]++
}

func (g *generator) result(connections []*connection, connecting, processor time.Duration) Result {
	all := g.shards[0].latency
	for i := range g.shards[1:] {
		all.Merge(g.shards[i+1].latency)
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	r := Result{
		Began: g.start, Devices: len(connections), Acknowledged: g.acknowledgedReadings.Load(), Seconds: time.Duration(g.lastAcknowledged.Load()).Seconds(),
		Latency: Latency{Mean: all.Mean() / 1000, P50: ms(all.ValueAtQuantile(50)), P90: ms(all.ValueAtQuantile(90)), P99: ms(all.ValueAtQuantile(99)),
			P999: ms(all.ValueAtQuantile(99.9)), Max: ms(all.Max())},
		Reconnects: g.reconnects.Load(), Pongs: g.pongs.Load(), ConnectSeconds: connecting.Seconds(), Processor: processor.Seconds(), Failed: len(g.failures),
	}
	for _, c := range connections {
		r.Published += c.sent * int64(g.options.Batch)
	}
	if r.Acknowledged > 0 {
		r.Rate = float64(r.Acknowledged) / r.Seconds
		r.PerReading = processor.Seconds() * 1e6 / float64(r.Acknowledged)
	}
	if len(g.receipts) > 0 {
		r.Receipts = g.receipts
	}
	for _, err := range g.failures[:min(len(g.failures), 5)] {
		r.Errors = append(r.Errors, err.Error())
	}
	return r
}
