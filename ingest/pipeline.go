package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"vigie/protocols"
)

// Config is what a Pipeline works with.
type Config struct {
	Store   Store
	Formats map[string]Decoder // by what follows the device in the topic: "readings"
	// Gateways read what comes under topics of their own; no topic is of two of them.
	Gateways []Gateway
	Prefix   string // of the topics: "vigie/v1"
	// Plans finds the plan of a protocol version, as the function of that name
	// does. It is called for each enrolment; an error of it sets the readings
	// aside as not-enrolled.
	Plans    func(protocol, version string) (Plan, error)
	Receipts Receipts         // nil for none
	Now      func() time.Time // the domain's clock
	Logger   *slog.Logger
	Limits   Limits
	// Committed is told of every batch, from the goroutine that commits: it
	// must be quick, and must keep nothing of what it is given. Nil for nobody.
	Committed func(Commit)
}

// Limits are what an operator may choose.
type Limits struct {
	TooOld time.Duration // readings measured longer ago than this are set aside

	// How much of a device and day is set aside in which nothing can be read, see junk.
	JunkRecords, JunkBytes int

	Tolerance time.Duration // by which a device's clock may be ahead

	Queue     int           // readings waiting, over all devices; beyond it devices wait
	PerDevice int           // messages of one device in flight; beyond it that device waits
	Rate      float64       // readings a second that one device may send for long; 0 for no limit
	Burst     int           // readings that it may send at once before the rate counts
	Batch     int           // readings in one transaction
	Linger    time.Duration // how long a batch waits for more at most, see rhythm; 0 for not at all
	States    int           // enrolments whose evaluation is kept in memory

	OfflineGrace time.Duration // how long a device may stay offline before its team is told
}

// DefaultLimits are sound for a service of any size.
func DefaultLimits() Limits {
	return Limits{
		TooOld: 31 * 24 * time.Hour,

		JunkRecords: 1000, JunkBytes: 10 << 20,

		Tolerance: 5 * time.Minute,
		Queue:     16_384,
		PerDevice: 256,
		Rate:      1_000,
		Burst:     20_000, // two months of a glucose sensor
		Batch:     4_096,
		Linger:    4 * time.Millisecond,
		States:    20_000,

		OfflineGrace: OfflineGrace,
	}
}

// Commit tells of one batch that was committed.
type Commit struct {
	Messages   int
	Accepted   int
	Duplicates int
	SetAside   []SetAsideRecord
	Counted    int // of SetAside, what was counted and not kept: junk beyond the quota
	Findings   []protocols.Finding
	Took       time.Duration // by the machine's clock, from the first look at the batch to its commit
	Waited     time.Duration // by the domain's clock, since the oldest of its messages was received
}

// Pipeline takes messages to committed, evaluated readings.
//
// Submit decodes in the goroutine of its caller, many at once. One goroutine
// commits: it takes what is waiting, resolves devices and enrolments, and in one
// transaction keeps the readings, evaluates those that are new, and keeps what
// follows. The messages of a device are acknowledged in the order in which they were
// submitted, once the transaction is on disk; so are all those of an outside broker.
type Pipeline struct {
	config    Config
	queue     *queue
	directory *directory
	committer *committer
	jobs      chan func()
	closing   chan struct{}
	close     sync.Once
	done      chan struct{}
}

// ErrClosed is what a message gets that comes when the pipeline is closing.
var ErrClosed = errors.New("the service is stopping")

// New starts a pipeline. Close ends it.
func New(config Config) (*Pipeline, error) {
	switch {
	case config.Store == nil, config.Plans == nil, config.Now == nil, config.Prefix == "":
		return nil, errors.New("start the pipeline: it needs a store, plans, a clock and a prefix of topics")
	case config.Limits.Queue <= 0, config.Limits.PerDevice <= 0, config.Limits.Batch <= 0, config.Limits.States <= 0:
		return nil, errors.New("start the pipeline: the limits of queue, device, batch and states have to be above 0; DefaultLimits are sound")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Pipeline{
		config:  config,
		queue:   newQueue(config.Limits),
		jobs:    make(chan func()),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	p.directory = newDirectory(config)
	p.committer = newCommitter(config, p.directory, p.queue)
	go p.run()
	return p, nil
}

// Submit takes a message and returns once it is queued, which takes as long as
// there is no room for it. Its Done is called in any case, with an error when
// ctx ends first.
func (p *Pipeline) Submit(ctx context.Context, m Message) {
	if wait := p.Offer(m); wait != nil {
		wait(ctx)
	}
}

// Offer is Submit for who cannot wait. Where there is no room for the message yet it
// returns what waits for it; before that has returned, nothing else of the same sender
// is to be submitted.
func (p *Pipeline) Offer(m Message) (wait func(context.Context)) {
	items, err := p.decode(m)
	if err != nil {
		m.Done(err)
	}
	for i, it := range items {
		var room func(context.Context) error
		if err == nil {
			room, err = p.queue.offer(it)
		}
		if err != nil {
			it.message.Done(err)
		}
		if room != nil {
			return func(ctx context.Context) { p.await(ctx, room, items[i:]) }
		}
	}
	return nil
}

// await waits for room for the first of items, and queues the others.
func (p *Pipeline) await(ctx context.Context, room func(context.Context) error, items []*item) {
	err := room(ctx)
	for i, it := range items {
		if i > 0 && err == nil {
			err = p.queue.put(ctx, it)
		}
		if err != nil {
			it.message.Done(err)
		}
	}
}

// Waiting is how many readings wait to be committed.
func (p *Pipeline) Waiting() int { return p.queue.waiting() }

// Close commits what is queued and ends. Messages submitted afterwards get
// ErrClosed. Closing twice is harmless.
func (p *Pipeline) Close() {
	p.close.Do(func() {
		p.queue.close()
		close(p.closing)
	})
	<-p.done
}

// run is the goroutine that commits.
func (p *Pipeline) run() {
	defer close(p.done)
	ctx := context.Background() // what was queued is committed also when the service stops
	rhythm := newRhythm(p.config.Limits.Linger)
	batch := func() {
		rhythm.rest(p.closing)
		items := p.queue.take(p.config.Limits.Batch)
		rhythm.begin(time.Now(), items)
		p.committer.commit(ctx, items)
		p.queue.release(items)
	}
	for {
		select {
		case <-p.queue.filled:
			batch()
		case job := <-p.jobs:
			job()
			select { // what came meanwhile goes before the next job
			case <-p.queue.filled:
				batch()
			default:
			}
		case <-p.closing:
			p.drain(ctx)
			return
		}
	}
}

func (p *Pipeline) drain(ctx context.Context) {
	for {
		items := p.queue.take(p.config.Limits.Batch)
		if len(items) == 0 {
			return
		}
		p.committer.commit(ctx, items)
		p.queue.release(items)
	}
}

// do runs work in the goroutine that commits, where evaluation lives.
func (p *Pipeline) do(ctx context.Context, work func() error) error {
	result := make(chan error, 1)
	select {
	case p.jobs <- func() { result <- work() }:
		return <-result
	case <-p.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// item is one message on its way.
type item struct {
	message Message
	sender  string // the device it is counted as
	summed  bool   // one receipt is wanted for all that it holds
	by      string // the device that a gateway has read; empty where that is the sender
	batch   Batch
	status  *DeviceStatus
	weight  int // readings it counts for
	share   *share
	ahead   bool               // it is counted in the room of live devices
	settle  int64              // the set-aside record that is tried again; 0 for a new message
	entered *Entered           // by a person, from files; nil for a message
	told    func(done, of int) // of an import that somebody watches; nil for others
	more    bool               // of the same import follows

	device              *device // as the directory has it, when it was resolved
	civil               bool    // readings of a day alone were put at noon where the patient lives
	readings            int     // place of the first of them in the work at hand
	kept                int     // how many follow it there
	records, recordsEnd int     // places of what is set aside
	repeats, repeatsEnd int     // places of what would be, and is kept already
}

// decode reads a message in the goroutine of the door that received it: one item, or one
// for each device of a gateway. An error is a fault of the decoder.
func (p *Pipeline) decode(m Message) (items []*item, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.config.Logger.Error("a decoder failed", "topic", m.Topic, "fault", fault)
			items, err = nil, fmt.Errorf("decode a message of %s: %v", m.Topic, fault)
		}
	}()
	it := &item{message: m, sender: m.Device, weight: 1}
	items = []*item{it}
	if m.Client != "" {
		it.sender = m.Client
	}
	device, kind, ok := ParseTopic(p.config.Prefix, m.Topic)
	kind, it.summed = Summed(kind)
	decoder, gateway := p.config.Formats[kind], p.gateway(m.Topic, ok)
	switch {
	case m.Rivals: // nothing was published
	case gateway != nil && max(len(m.Payload), m.Size) <= MaxPayload:
		items = it.through(gateway)
	case m.Client != "" && m.Client != device, !ok:
		it.refuse(protocols.WrongTopic, "", "a device publishes under its own name: "+Topic(p.config.Prefix, it.sender, ReadingsTopic))
	case max(len(m.Payload), m.Size) > MaxPayload:
		it.message.Payload = m.Payload[:min(len(m.Payload), KeptOfTooLarge)]
		it.refuse(protocols.TooLarge, "", "a message holds at most 1 MiB: send several")
	case kind == StatusTopic && !it.summed:
		it.status = decodeStatus(device, m, &it.batch)
	case decoder == nil:
		it.refuse(protocols.WrongTopic, "", "no format is known under this topic: publish readings under "+Topic(p.config.Prefix, it.sender, ReadingsTopic))
	default:
		decoder.Decode(m.Topic, device, m.Payload, &it.batch)
		it.batch.reckon(m.Received)
	}
	for _, it := range items {
		it.weight = max(1, len(it.batch.Readings)+len(it.batch.Refused), len(m.Payload)/len(items)/bytesPerReading)
	}
	return items, nil
}

// gateway finds whose topic it is, of those that are not under the prefix; nil for
// nobody's.
func (p *Pipeline) gateway(topic string, ours bool) Gateway {
	if ours {
		return nil
	}
	for _, g := range p.config.Gateways {
		if g.Owns(topic) {
			return g
		}
	}
	return nil
}

// through reads what a gateway has published: an item for each device that has measured
// something of it.
func (it *item) through(g Gateway) (items []*item) {
	m := &it.message
	var read Batch
	g.Read(m.Topic, m.Payload, &read)
	read.reckon(m.Received)
	of := map[string]*item{}
	by := func(device string) *item {
		if of[device] == nil {
			of[device] = &item{message: *m, sender: it.sender, weight: 1}
			items = append(items, of[device])
		}
		return of[device]
	}
	for i, r := range read.Readings {
		b := &by(r.Device).batch
		for _, w := range read.Warnings {
			if w.Reading == i {
				b.Warnings = append(b.Warnings, Warning{Reading: len(b.Readings), Reason: w.Reason})
			}
		}
		b.Readings, b.Parts = append(b.Readings, r), append(b.Parts, read.Parts[i])
	}
	for _, refused := range read.Refused {
		b := &by(refused.Reading.Device).batch
		b.Refused = append(b.Refused, refused)
	}
	for device, it := range of {
		it.measured(device)
	}
	if len(items) == 0 {
		return []*item{it} // which is acknowledged
	}
	done := whenAll(len(items), m.Done)
	for _, it := range items {
		it.message.Done = done
	}
	return items
}

// measured says which device has measured what an item holds, as its gateway names it.
func (it *item) measured(device string) {
	if device == Connection {
		device = it.sender
		for i := range it.batch.Readings {
			it.batch.Readings[i].Device = device
		}
	}
	if it.sender == "" { // an outside broker has checked who it is
		it.sender = device
	}
	if device == "" {
		it.batch = Batch{}
		it.refuse(protocols.UnknownDevice, "", "the message does not say which device has measured this")
	}
	if device != it.sender {
		it.by = device
	}
}

// whenAll returns a function that calls done once it was called n times, with the first
// error of them.
func whenAll(n int, done func(error)) func(error) {
	if n == 1 {
		return done
	}
	var mutex sync.Mutex
	var failed error
	return func(err error) {
		mutex.Lock()
		if failed == nil {
			failed = err
		}
		n--
		last, err := n == 0, failed
		mutex.Unlock()
		if last {
			done(err)
		}
	}
}

// Reasons returns why nothing of a message could be used, as far as the message alone
// tells; nothing when something could.
func (p *Pipeline) Reasons(m Message) []protocols.Reason {
	items, err := p.decode(m)
	if err != nil {
		return []protocols.Reason{{Code: protocols.Malformed, Message: "this cannot be read"}}
	}
	it := items[0]
	if len(items) > 1 || it.status != nil || len(it.batch.Readings) > 0 || len(it.batch.Refused) == 0 {
		return nil
	}
	return it.batch.Refused[0].Reasons
}

// bytesPerReading is how many bytes of payload count as a reading where there
// are fewer in them: the queue bounds memory as well.
const bytesPerReading = 1024

// KeptOfTooLarge is how much is kept of a payload that is too large: enough to
// see what it was.
const KeptOfTooLarge = 4096

// refuse sets the whole message aside.
func (it *item) refuse(code protocols.Code, path, message string) {
	it.batch.Refused = append(it.batch.Refused, Refusal{
		Reading: protocols.Reading{Device: it.sender, Battery: -1},
		Payload: it.message.Payload,
		Reasons: []protocols.Reason{{Code: code, Path: path, Message: message}},
	})
}
