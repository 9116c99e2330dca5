package conformance

import (
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// Check is how one requirement came out in one message.
type Check struct {
	Requirement string
	Verdict     Verdict
	Why         protocols.Text
}

// Seen is one message as it was received, read and judged.
type Seen struct {
	Number   int
	Received time.Time
	Topic    string
	QoS      byte
	Payload  []byte // the beginning of it
	Size     int
	Readings []protocols.Reading
	Receipts []ingest.Receipt
	Checks   []Check // in the order of the plan
	Trial    Trial   // which it began
}

// How much of the past is kept.
const (
	keptMessages = 100
	keptPayload  = 4 << 10
	keptReadings = 50
)

// begin opens the record of a message.
func (b *Bench) begin(m *ingest.Message) {
	b.now = &Seen{Number: b.messages, Received: m.Received, Topic: shown(m.Topic), QoS: m.QoS,
		Payload: slices.Clone(m.Payload[:min(len(m.Payload), keptPayload)]), Size: max(len(m.Payload), m.Size)}
}

// end closes it.
func (b *Bench) end(receipts []ingest.Receipt, trial Trial) {
	b.now.Receipts, b.now.Trial = receipts[:min(len(receipts), keptReadings)], trial
	slices.SortStableFunc(b.now.Checks, func(a, b Check) int { return placeOf(a.Requirement) - placeOf(b.Requirement) })
	if len(b.history) >= keptMessages {
		b.history = slices.Delete(b.history, 0, 1)
	}
	b.history = append(b.history, *b.now)
	b.now = nil
}

func (s *Seen) read(readings []protocols.Reading) {
	s.Readings = slices.Clone(readings[:min(len(readings), keptReadings)])
}

// check notes how a requirement came out; the worst of one message stays.
func (s *Seen) check(number string, verdict Verdict, why protocols.Text) {
	if s == nil { // no message is at work
		return
	}
	grave := []Verdict{Pass, Warning, Fail}
	for i := range s.Checks {
		if c := &s.Checks[i]; c.Requirement == number {
			if slices.Index(grave, verdict) > slices.Index(grave, c.Verdict) {
				c.Verdict, c.Why = verdict, why
			}
			return
		}
	}
	s.Checks = append(s.Checks, Check{number, verdict, why})
}

// History is the last messages, newest first.
func (b *Bench) History() []Seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.history)
	slices.Reverse(all)
	return all
}

// RequirementNamed is the requirement of a number, in the words of the measure that stands
// behind it; nil for none.
func RequirementNamed(number string) *Requirement {
	at := placeOf(number)
	if at < 0 {
		return nil
	}
	q := plan[at]
	if _, id, _ := strings.Cut(number, "/"); id != "" {
		if m := protocols.MeasureByID(id); m != nil {
			q = q.of(m)
		}
	}
	return &q
}

// Text is the payload as a page may show it: what is no text becomes hexadecimal digits.
func (s *Seen) Text() string {
	text := string(s.Payload)
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == '\uFFFD' }) {
		return hexadecimal(s.Payload)
	}
	return text
}

func hexadecimal(b []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for i, c := range b {
		if i > 0 && i%2 == 0 {
			text.WriteByte(' ')
		}
		text.WriteByte(digits[c>>4])
		text.WriteByte(digits[c&15])
	}
	return text.String()
}
