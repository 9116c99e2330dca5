package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/ingest"
	"vigie/ingest/devices"
	"vigie/protocols"
)

// Profile is what a device claims of itself.
type Profile struct {
	Measures []string      `json:"measures,omitempty"` // ids of measures; empty for any
	Receipts bool          `json:"receipts"`           // it reads its receipts
	Clock    Clock         `json:"clock"`
	Buffers  bool          `json:"buffers"`            // it keeps what it measures without a network
	Every    time.Duration `json:"every_ns,omitempty"` // it measures so often; zero for whenever it is used

	Claims map[string]Claim `json:"claims,omitempty"` // of single measures, by id
}

// Clock is what a device claims of its clock.
type Clock string

// The clocks.
const (
	OwnClock Clock = "own"  // it is set, and tells the time of each reading
	NoClock  Clock = "none" // there is none: a reading has its age, or comes at once
)

// Options say what is watched, and how.
type Options struct {
	Profile  Profile
	Device   string
	Prefix   string
	Formats  map[string]ingest.Decoder // by topic
	Gateways []ingest.Gateway          // with topics of their own
	Trials   []Trial
}

// Bench watches one device. It is safe for concurrent use.
type Bench struct {
	options Options
	profile Profile
	device  string
	prefix  string

	mu       sync.Mutex
	began    time.Time
	results  []Result // in the order of the plan
	messages int
	readings int
	seen     map[string]protocols.Reading // by id and measure
	named    map[string]string            // id, by what was measured
	refused  map[string]int               // how often, by payload
	measures map[string]bool
	flagged  map[string]bool // flags that came, by measure and word
	attempts []*attempt
	shown    map[Trial]bool // trials of connections that were made
	lines    map[int]*connection
	opened   int
	tried    []time.Time // the last attempts to connect
	client   string      // the last client id
	will     bool
	listened bool // it has subscribed once
	taken    []taken
	history  []Seen
	now      *Seen // the message at work
}

// New begins to watch a device.
func New(o Options, now time.Time) *Bench {
	if o.Profile.Clock == "" {
		o.Profile.Clock = OwnClock
	}
	b := &Bench{options: o, profile: o.Profile, device: o.Device, prefix: o.Prefix, began: now, shown: map[Trial]bool{}, lines: map[int]*connection{},
		seen: map[string]protocols.Reading{}, named: map[string]string{}, refused: map[string]int{}, measures: map[string]bool{}, flagged: map[string]bool{}}
	for i := range plan {
		if plan[i].Part != Measures {
			b.results = append(b.results, Result{Requirement: plan[i].Number, Verdict: Inconclusive})
		}
	}
	for _, id := range o.Profile.Measures {
		if m := protocols.MeasureByID(id); m != nil {
			b.measured(m)
		}
	}
	return b
}

// accepted is how old, and how far ahead, the service takes readings by default.
var accepted = ingest.DefaultLimits()

// Message judges one message of a connection, and says what the service would answer. The
// trial is how its acknowledgement is to be made; empty for as usual.
func (b *Bench) Message(line int, m ingest.Message) (receipts []ingest.Receipt, trial Trial) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages++
	if l := b.lines[line]; l != nil {
		l.messages++
		b.greeted(l)
		b.tried = b.tried[:0] // what was said was not in vain
	}
	b.pass(logsIn)
	b.begin(&m)
	defer func() { b.end(receipts, trial) }()
	gateway := b.gateway(m.Topic)
	device, kind, ok := ingest.ParseTopic(b.prefix, m.Topic)
	kind, _ = ingest.Summed(kind) // one receipt for a message, which a bench tells one by one all the same
	decoder := b.options.Formats[kind]
	wrong := gateway == nil && (!ok || device != b.device || decoder == nil && kind != ingest.StatusTopic)
	switch { // a last will comes without the QoS that it was left with
	case kind == ingest.StatusTopic:
	case m.QoS == 0:
		b.fail(qos, say("un message est venu en QoS 0", "a message came at QoS 0"), m.Topic)
	default:
		b.pass(qos)
	}
	if m.Keep && kind != ingest.StatusTopic {
		b.warn(notKept, say("un message demandait à être retenu", "a message asked to be retained"), m.Topic)
	} else {
		b.pass(notKept)
	}
	switch {
	case wrong:
		b.fail(ownTopic, say("un message est venu sous un autre sujet", "a message came under another topic"), shown(m.Topic))
		return []ingest.Receipt{{Verdict: ingest.SetAside, Reasons: []protocols.Reason{{Code: protocols.WrongTopic, Message: "publish under " + ingest.Topic(b.prefix, b.device, ingest.ReadingsTopic)}}}}, ""
	case gateway == nil && kind == ingest.StatusTopic:
		b.pass(ownTopic)
		b.status(m.Payload)
		return nil, ""
	}
	b.pass(ownTopic)
	if max(len(m.Payload), m.Size) > ingest.MaxPayload {
		b.fail("P4", say("un message dépasse 1 Mio", "a message is larger than 1 MiB"), "")
		return []ingest.Receipt{{Verdict: ingest.SetAside, Reasons: []protocols.Reason{{Code: protocols.TooLarge, Message: "a message holds at most 1 MiB: send several"}}}}, ""
	}
	var batch ingest.Batch
	if gateway != nil {
		gateway.Read(m.Topic, m.Payload, &batch)
	} else {
		decoder.Decode(m.Topic, b.device, m.Payload, &batch)
	}
	return b.payload(line, &m, &batch)
}

// gateway is whose topic it is; nil for nobody's.
func (b *Bench) gateway(topic string) ingest.Gateway {
	for _, g := range b.options.Gateways {
		if g.Owns(topic) {
			return g
		}
	}
	return nil
}

func (b *Bench) status(payload []byte) {
	if !strings.Contains(strings.ReplaceAll(string(payload), " ", ""), `"online":true`) {
		return
	}
	if b.pass(online); b.opened > 0 && !b.will {
		b.warn(online, noWill, "")
	}
}

// payload judges the readings of a message.
func (b *Bench) payload(line int, m *ingest.Message, batch *ingest.Batch) (receipts []ingest.Receipt, trial Trial) {
	for _, a := range batch.Ages {
		batch.Readings[a.Reading].Time, batch.Readings[a.Reading].Reckoned = m.Received.Add(-a.Age), true
	}
	var ids []string
	for i := range batch.Readings {
		r := &batch.Readings[i]
		ids = append(ids, r.ID)
		var warnings []protocols.Reason
		for _, w := range batch.Warnings {
			if w.Reading == i {
				warnings = append(warnings, w.Reason)
			}
		}
		_, known := b.seen[r.ID+"\x00"+r.Measure.ID]
		receipt := b.reading(r, warnings, m.Received)
		if away := b.attempted(Offline); len(batch.Readings) == 1 && !known && receipt.Verdict == ingest.Accepted && (away == nil || away.to.IsZero()) {
			b.took(r, m.Received)
		}
		b.kept(r.Time)
		receipts = append(receipts, receipt)
	}
	for i := range batch.Refused {
		refused := &batch.Refused[i]
		b.refuse(refused.Reasons, &refused.Reading)
		b.repeated(refused.Payload)
		receipts = append(receipts, ingest.Receipt{ID: refused.Reading.ID, Verdict: ingest.SetAside, Reasons: refused.Reasons})
	}
	b.now.read(batch.Readings)
	if len(ids) == 0 {
		return receipts, ""
	}
	if trial = b.follow(line, ids); trial == Refused {
		receipts = nil
		for _, id := range ids {
			receipts = append(receipts, refusal(id))
		}
	}
	// Where others came since, it only repeats it; else it is held up by it.
	if a := b.attempted(Refused); a != nil && a.since > 0 && slices.Contains(ids, a.ids[0]) {
		b.repeated(m.Payload)
	}
	return receipts, trial
}

// reading judges one that the decoder can use, as the service would.
func (b *Bench) reading(r *protocols.Reading, warnings []protocols.Reason, received time.Time) ingest.Receipt {
	b.readings++
	b.measures[r.Measure.ID] = true
	reasons := b.reasons(r, received)
	fate := ingest.Accepted
	if len(reasons) == 0 {
		fate, reasons = b.identity(r)
	}
	if len(reasons) > 0 {
		b.refuse(reasons, r)
		return ingest.Receipt{ID: r.ID, Verdict: ingest.SetAside, Reasons: reasons}
	}
	for i := range plan {
		if plan[i].Part == Payload || plan[i].Number == oneOfAnID || plan[i].Number == "P4" {
			b.pass(plan[i].Number)
		}
	}
	b.judgeMeasure(r)
	for _, w := range warnings {
		b.warn(b.blamed(&w, r.Measure), told(w), r.ID)
	}
	return ingest.Receipt{ID: r.ID, Verdict: fate, Warnings: warnings}
}

// reasons are those of the time and of the profile.
func (b *Bench) reasons(r *protocols.Reading, received time.Time) (reasons []protocols.Reason) {
	add := func(code protocols.Code, path, message string) {
		reasons = append(reasons, protocols.Reason{Code: code, Path: path, Message: message})
	}
	switch {
	case devices.NeverSet(r.Time):
		add(protocols.ClockNotSet, "time", "the clock of the device was never set")
	case r.Time.After(received.Add(accepted.Tolerance)) && !r.DayOnly:
		add(protocols.FutureTime, "time", "this time has not come yet: set the clock of the device")
	case r.Time.Before(received.Add(-accepted.TooOld)):
		add(protocols.TooOld, "time", "readings are accepted for 31 days after they were measured")
	}
	if len(b.profile.Measures) > 0 && !slices.Contains(b.profile.Measures, r.Measure.ID) {
		add(protocols.MeasureMismatch, "measure", "the profile does not claim this measure")
	}
	return reasons
}

// identity holds the id of a reading against those before it.
func (b *Bench) identity(r *protocols.Reading) (ingest.Verdict, []protocols.Reason) {
	name, what := r.ID+"\x00"+r.Measure.ID, fmt.Sprint(r.Measure.ID, r.Time.UnixNano(), r.Values, r.Limits)
	former, met := b.seen[name]
	if met {
		switch ingest.Recognise(r, []*protocols.Reading{&former}) {
		case ingest.Repeated:
			b.pass(oneID)
			return ingest.Duplicate, nil
		case ingest.Reused:
			b.fail(oneOfAnID, say("un id désigne deux mesures de deux moments : un compteur est reparti ?", "one id names two measurements of two moments: did a counter begin again?"), r.ID)
		case ingest.Contradictory:
			return "", []protocols.Reason{{Code: protocols.Contradiction, Path: "id", Message: "this id and moment were told with other values before"}}
		}
	}
	if other, measured := b.named[what]; measured && other != r.ID && !r.Measure.Occurs && !r.Reckoned {
		b.fail(oneID, say("une mesure est venue sous deux id", "one measurement came under two ids"), other+", "+r.ID)
	}
	b.seen[name], b.named[what] = *r, r.ID
	return ingest.Accepted, nil
}

// refuse notes the reasons of one reading: the first in the order of the plan is the
// primary one.
func (b *Bench) refuse(reasons []protocols.Reason, r *protocols.Reading) {
	primary := ""
	for i := range reasons {
		if number := b.blamed(&reasons[i], r.Measure); primary == "" || placeOf(number) < placeOf(primary) {
			primary = number
		}
	}
	for i := range reasons {
		number := b.blamed(&reasons[i], r.Measure)
		if number == primary {
			b.fail(number, told(reasons[i]), r.ID)
			continue
		}
		if result := b.result(number); result.Verdict != Fail || result.Follows != "" {
			b.fail(number, told(reasons[i]), r.ID)
			result.Follows = primary
		}
	}
}

func (b *Bench) repeated(payload []byte) {
	if b.refused[string(payload)]++; b.refused[string(payload)] == 3 {
		b.fail(noRepeat, say("un message refusé est venu trois fois tel quel", "a refused message came three times as it was"), "")
	} else {
		b.pass(noRepeat)
	}
}

// told is what a reason says; the path, which no patient is in, is for the vendor.
func told(r protocols.Reason) protocols.Text {
	text := strings.TrimSpace(string(r.Code)+" "+r.Path) + ": " + r.Message
	return say(text, text)
}

// shown is a topic cut to what a report holds.
func shown(topic string) string {
	if len(topic) > 128 {
		return topic[:128] + "…"
	}
	return topic
}
