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
	Measures []string `json:"measures,omitempty"` // ids of measures; empty for any
	Receipts bool     `json:"receipts"`           // it reads its receipts
}

// Bench watches one device. It is safe for concurrent use.
type Bench struct {
	profile Profile
	device  string
	prefix  string
	decoder ingest.Decoder

	mu       sync.Mutex
	began    time.Time
	results  []Result // in the order of the plan
	messages int
	readings int
	seen     map[string]protocols.Reading // by id and measure
	named    map[string]string            // id, by what was measured
	refused  map[string]int               // how often, by payload
	measures map[string]bool
	broken   *broken
}

// broken is the message whose connection was broken on purpose.
type broken struct {
	ids   []string
	back  bool // it came again
	since int  // messages since
}

// New begins to watch a device.
func New(profile Profile, device, prefix string, decoder ingest.Decoder, now time.Time) *Bench {
	b := &Bench{profile: profile, device: device, prefix: prefix, decoder: decoder, began: now,
		seen: map[string]protocols.Reading{}, named: map[string]string{}, refused: map[string]int{}, measures: map[string]bool{}}
	for i := range plan {
		b.results = append(b.results, Result{Requirement: plan[i].Number, Verdict: Inconclusive})
	}
	return b
}

// accepted is how old, and how far ahead, the service takes readings by default.
var accepted = ingest.DefaultLimits()

// Message judges one message, and says what the service would answer. With drop, the
// first message with a reading is to be dropped: its sender is not acknowledged, and the
// connection is broken.
func (b *Bench) Message(m ingest.Message, drop bool) (receipts []ingest.Receipt, dropped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages++
	b.pass(logsIn)
	if b.broken != nil {
		b.broken.since++
	}
	device, kind, ok := ingest.ParseTopic(b.prefix, m.Topic)
	wrong := !ok || device != b.device || kind != ingest.ReadingsTopic && kind != ingest.StatusTopic
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
		return nil, false
	case kind == ingest.StatusTopic:
		b.pass(ownTopic)
		b.status(m.Payload)
		return nil, false
	}
	b.pass(ownTopic)
	if max(len(m.Payload), m.Size) > ingest.MaxPayload {
		b.fail("P4", say("un message dépasse 1 Mio", "a message is larger than 1 MiB"), "")
		return []ingest.Receipt{{Verdict: ingest.SetAside, Reasons: []protocols.Reason{{Code: protocols.TooLarge, Message: "a message holds at most 1 MiB: send several"}}}}, false
	}
	return b.payload(m, drop)
}

func (b *Bench) status(payload []byte) {
	if strings.Contains(strings.ReplaceAll(string(payload), " ", ""), `"online":true`) {
		b.pass(online)
	}
}

// payload judges the readings of a message.
func (b *Bench) payload(m ingest.Message, drop bool) (receipts []ingest.Receipt, dropped bool) {
	var batch ingest.Batch
	b.decoder.Decode(m.Topic, b.device, m.Payload, &batch)
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
		receipt := b.reading(r, warnings, m.Received)
		receipts = append(receipts, receipt)
	}
	for i := range batch.Refused {
		refused := &batch.Refused[i]
		b.refuse(refused.Reasons, refused.Reading.ID)
		b.repeated(refused.Payload)
		receipts = append(receipts, ingest.Receipt{ID: refused.Reading.ID, Verdict: ingest.SetAside, Reasons: refused.Reasons})
	}
	b.resent(ids)
	if drop && len(ids) > 0 && b.broken == nil {
		b.broken, dropped = &broken{ids: ids}, true
	}
	return receipts, dropped
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
		b.refuse(reasons, r.ID)
		return ingest.Receipt{ID: r.ID, Verdict: ingest.SetAside, Reasons: reasons}
	}
	for i := range plan {
		if plan[i].Part == Payload || plan[i].Number == oneOfAnID || plan[i].Number == "P4" {
			b.pass(plan[i].Number)
		}
	}
	for _, w := range warnings {
		b.warn(showing(w.Code), told(w), r.ID)
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
func (b *Bench) refuse(reasons []protocols.Reason, id string) {
	primary := ""
	for _, reason := range reasons {
		if number := showing(reason.Code); primary == "" || placeOf(number) < placeOf(primary) {
			primary = number
		}
	}
	for _, reason := range reasons {
		number := showing(reason.Code)
		if number == primary {
			b.fail(number, told(reason), id)
			continue
		}
		if result := b.result(number); result.Verdict != Fail || result.Follows != "" {
			b.fail(number, told(reason), id)
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

// resent looks whether what was not acknowledged has come again.
func (b *Bench) resent(ids []string) {
	if b.broken == nil || b.broken.back || b.broken.since == 0 {
		return
	}
	for _, id := range ids {
		if slices.Contains(b.broken.ids, id) {
			b.broken.back = true
			b.pass(again)
			b.pass(oneID)
			return
		}
	}
}

// Refused notes that a connection gave a wrong name or password.
func (b *Bench) Refused() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.result(logsIn).Verdict != Pass {
		b.fail(logsIn, say("nom ou mot de passe erroné", "wrong name or password"), "")
	}
}

// LoggedIn notes that the device is connected.
func (b *Bench) LoggedIn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.result(logsIn) = Result{Requirement: logsIn, Verdict: Pass}
}

// Listens notes that the device has subscribed to its receipts.
func (b *Bench) Listens() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pass(listens)
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
