package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// Trial is one way in which the bench's server misbehaves on purpose, once.
type Trial string

// The trials, in the order in which they are made. The first six need a connection, the
// others a message with a reading.
const (
	WrongName        Trial = "wrong-name"        // a certificate in another name
	Expired          Trial = "expired"           // one that has expired
	UnknownAuthority Trial = "unknown-authority" // one of another authority
	Silent           Trial = "silent"            // CONNACK is withheld
	LateConnack      Trial = "late-connack"      // CONNACK comes late
	DoubledConnack   Trial = "doubled-connack"   // CONNACK comes twice
	Broken           Trial = "broken"            // the connection breaks before PUBACK
	LateAck          Trial = "late"              // PUBACK comes late
	DoubledAck       Trial = "doubled"           // PUBACK comes twice
	WithheldAck      Trial = "withheld"          // PUBACK does not come
	Refused          Trial = "refused"           // a good reading is set aside
	Takeover         Trial = "takeover"          // another connects under the device's client id, before PUBACK
	Restart          Trial = "restart"           // the broker is away, and forgets the session
	Offline          Trial = "offline"           // the network is away, and much time passes
)

// trials says, in order, which requirement each one shows.
var trials = []struct {
	trial  Trial
	number string
}{
	{WrongName, rightName}, {Expired, notExpired}, {UnknownAuthority, authority}, {Silent, unanswered},
	{LateConnack, lateHello}, {DoubledConnack, twiceHello},
	{Broken, again}, {LateAck, lateAck}, {DoubledAck, doubledAck}, {WithheldAck, withheldAck},
	{Refused, goesOn}, {Takeover, takenOver}, {Restart, subscribes}, {Offline, buffers},
}

// Trials lists them, in order.
func Trials() (all []Trial) {
	for _, t := range trials {
		all = append(all, t.trial)
	}
	return all
}

// TrialsNamed reads names: "all", "none", or some of them.
func TrialsNamed(names []string) ([]Trial, error) {
	var chosen []Trial
	for _, name := range names {
		switch {
		case name == "all":
			chosen = append(chosen, Trials()...)
		case name == "none":
		case slices.Contains(Trials(), Trial(name)):
			chosen = append(chosen, Trial(name))
		default:
			var known []string
			for _, t := range Trials() {
				known = append(known, string(t))
			}
			return nil, fmt.Errorf("there is no trial %q: use all, none or some of %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// ofConnections is how many of the trials need no message.
const ofConnections = 6

// shows is the trial that shows a requirement; empty for none.
func shows(number string) Trial {
	for _, t := range trials {
		if t.number == number {
			return t.trial
		}
	}
	return ""
}

// attempt is one trial under way: a message, and what the device did since.
type attempt struct {
	trial    Trial
	line     int
	ids      []string
	from, to time.Time // while the network is away, by the clock of the device
	back     bool      // the message came again
	times    int       // how often
	since    int       // other messages since
}

// over reports whether the next trial may begin.
func (a *attempt) over() bool {
	switch a.trial {
	case Broken, WithheldAck, Takeover:
		return a.back || a.since >= 5
	default:
		return a.since > 0
	}
}

// next is the trial that a message begins; empty for none.
func (b *Bench) next() Trial {
	if n := len(b.attempts); n > 0 && !b.attempts[n-1].over() {
		return ""
	}
	for _, t := range trials[ofConnections:] {
		if b.wants(t.trial) && !slices.ContainsFunc(b.attempts, func(a *attempt) bool { return a.trial == t.trial }) {
			return t.trial
		}
	}
	return ""
}

// wants reports whether a trial is to be made, and can be.
func (b *Bench) wants(t Trial) bool {
	switch {
	case t == Refused && !b.profile.Receipts, t == Offline && !b.profile.Buffers:
		return false
	}
	return slices.Contains(b.options.Trials, t)
}

// attempted is the attempt of a trial; nil for none.
func (b *Bench) attempted(t Trial) *attempt {
	for _, a := range b.attempts {
		if a.trial == t {
			return a
		}
	}
	return nil
}

// follow holds a message with readings against the trials under way, and begins the next.
func (b *Bench) follow(line int, ids []string) Trial {
	fresh := true
	for _, a := range b.attempts {
		if slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(a.ids, id) }) {
			fresh = false
			b.cameAgain(a)
			continue
		}
		a.since++
		b.wentOn(a, line)
	}
	trial := Trial("")
	if fresh {
		trial = b.next()
	}
	if trial != "" {
		b.attempts = append(b.attempts, &attempt{trial: trial, line: line, ids: ids})
	}
	return trial
}

// mostRepeats is how often a message may come while its acknowledgement is late.
const mostRepeats = 3

func (b *Bench) cameAgain(a *attempt) {
	a.back = true
	a.times++
	b.pass(oneID)
	switch a.trial {
	case Broken:
		b.pass(again)
	case WithheldAck:
		b.pass(withheldAck)
	case Takeover:
		b.pass(takenOver)
	case LateAck:
		if a.times > mostRepeats && a.since == 0 {
			b.fail(lateAck, say("un message est venu plus de trois fois pendant que son acquittement tardait", "a message came more than three times while its acknowledgement was late"), a.ids[0])
		}
	}
}

func (b *Bench) wentOn(a *attempt, line int) {
	switch {
	case a.trial == LateAck:
		b.pass(lateAck)
	case a.trial == DoubledAck && a.line == line:
		b.pass(doubledAck)
	case a.trial == Refused:
		b.pass(goesOn)
	}
}

// refusal is the receipt of a good reading that is refused on purpose.
func refusal(id string) ingest.Receipt {
	return ingest.Receipt{ID: id, Verdict: ingest.SetAside, Reasons: []protocols.Reason{{Code: protocols.Implausible, Path: "values",
		Message: "the bench refuses this reading on purpose: it is of no use to send it again as it is"}}}
}

// Certificate is the trial by which the next connection is shown a bad certificate; empty
// for the right one.
func (b *Bench) Certificate() Trial {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range trials[:3] {
		if b.wants(t.trial) && !b.shown[t.trial] {
			b.shown[t.trial] = true
			return t.trial
		}
	}
	return ""
}

// Judged notes whether the device took the bad certificate that it was shown.
func (b *Bench) Judged(t Trial, taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, known := range trials[:3] {
		switch {
		case known.trial != t:
		case taken:
			b.fail(known.number, say("l'appareil a accepté ce certificat : n'importe qui peut lire son mot de passe", "the device took this certificate: anybody can read its password"), "")
		default:
			b.pass(known.number)
		}
	}
}

// Away notes that the network is away, or back. The moments are those of the device's
// clock.
func (b *Bench) Away(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.attempted(Offline); a != nil {
		a.from = now
	}
}

// Back notes that the network is there again.
func (b *Bench) Back(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.attempted(Offline); a != nil {
		a.to = now
	}
}

// kept looks whether a reading was measured while the network was away.
func (b *Bench) kept(at time.Time) {
	a := b.attempted(Offline)
	if a == nil || a.to.IsZero() {
		return
	}
	const second = time.Second // clocks of devices know whole seconds
	if !at.Before(a.from.Add(-second)) && !at.After(a.to.Add(second)) {
		b.pass(buffers)
	}
}

// does says what the bench does on purpose, by trial.
var does = map[Trial]protocols.Text{
	Broken:      protocols.Say("la connexion est coupée exprès : le message doit revenir", "the connection is broken on purpose: the message has to come again"),
	LateAck:     protocols.Say("l'acquittement tarde exprès", "the acknowledgement is late on purpose"),
	DoubledAck:  protocols.Say("l'acquittement vient deux fois exprès", "the acknowledgement comes twice on purpose"),
	WithheldAck: protocols.Say("l'acquittement ne vient pas, exprès : le message doit revenir", "the acknowledgement does not come, on purpose: the message has to come again"),
	Refused:     protocols.Say("la mesure est refusée exprès : l'appareil doit passer aux suivantes", "the reading is refused on purpose: the device has to go on to the next"),
	Takeover:    protocols.Say("une autre connexion prend exprès celle de l'appareil : le message doit revenir", "another connection takes over that of the device on purpose: the message has to come again"),
	Restart:     protocols.Say("le broker redémarre exprès", "the broker restarts on purpose"),
	Offline:     protocols.Say("le réseau est coupé exprès : mesurez maintenant, l'appareil enverra au retour", "the network is away on purpose: measure now, the device will send when it is back"),
}

// Does says what the bench does on purpose in the trial, once a message has come; empty for
// one that is made before.
func (t Trial) Does() protocols.Text { return does[t] }
