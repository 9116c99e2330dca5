package conformance

import (
	"fmt"
	"time"

	"vigie/protocols"
)

// Hello is what a device says as it connects (CONNECT).
type Hello struct {
	Client    string // its client id
	KeepAlive time.Duration
	Clean     bool // it throws its session away
	Will      bool // it leaves a last will under its status
}

// connection is one of the device.
type connection struct {
	hello      Hello
	last       time.Time // when the device sent something
	greeting   Trial     // how its CONNACK is made; empty for as usual
	answered   bool      // it has come
	forgotten  bool      // the broker knew no session
	subscribed bool
	messages   int
	doubled    bool // the last acknowledgement came twice, and nothing since
}

// The most attempts to connect within a time.
const (
	mostAttempts = 10
	attemptsIn   = 10 * time.Second
)

// Opened counts an attempt to connect.
func (b *Bench) Opened(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried = append(b.tried, now)
	for len(b.tried) > 0 && now.Sub(b.tried[0]) > attemptsIn {
		b.tried = b.tried[1:]
	}
	if len(b.tried) > mostAttempts {
		b.fail(pauses, say("plus de dix essais de connexion en dix secondes", "more than ten attempts to connect within ten seconds"), "")
	}
	if b.opened++; b.opened > 1 {
		b.pass(pauses)
	}
}

// longestKeepAlive is how long a device may be silent before it is taken for dead.
const longestKeepAlive = 30 * time.Minute

// Hello judges what a device says as it connects, and returns how its CONNACK is to be made:
// empty for as usual. The number names the connection in what follows.
func (b *Bench) Hello(number int, h Hello, now time.Time) Trial {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &connection{hello: h, last: now}
	b.lines[number] = l
	switch {
	case h.KeepAlive <= 0:
		b.fail(keepAlive, say("le keep-alive est à 0 : une connexion morte ne se voit pas", "the keep-alive is 0: a dead connection is not seen"), h.Client)
	case h.KeepAlive > longestKeepAlive:
		b.fail(keepAlive, both("le keep-alive est de %s", "the keep-alive is %s", h.KeepAlive), h.Client)
	default:
		b.pass(keepAlive)
	}
	b.session(h)
	if b.will = b.will || h.Will; b.result(online).Verdict == Pass && !b.will {
		b.warn(online, noWill, "")
	}
	for _, t := range []Trial{Silent, LateConnack, DoubledConnack} {
		if b.opened > 1 && l.greeting == "" && b.wants(t) && !b.shown[t] {
			b.shown[t], l.greeting = true, t
		}
	}
	return l.greeting
}

// greeted notes that a device publishes, whatever CONNACK it had.
func (b *Bench) greeted(l *connection) {
	switch l.greeting {
	case LateConnack:
		b.pass(lateHello)
	case DoubledConnack:
		b.pass(twiceHello)
	}
}

var noWill = say("l'appareil ne laisse pas de testament : sa perte ne se verra que tard", "the device leaves no last will: its loss will be seen late")

func (b *Bench) session(h Hello) {
	switch {
	case b.client != "" && b.client != h.Client || h.Client == "":
		b.fail(session, say("le client id change d'une connexion à l'autre, ou manque : l'ancienne n'est pas reprise", "the client id changes from one connection to the next, or is missing: the former is not taken over"), h.Client)
	case h.Clean:
		b.warn(session, say("la session est jetée à chaque connexion : des accusés se perdent", "the session is thrown away with every connection: receipts are lost"), h.Client)
	default:
		b.pass(session)
	}
	b.client = h.Client
}

// Answered notes the CONNACK of a broker, and whether it knew the session.
func (b *Bench) Answered(number int, accepted, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !accepted {
		if b.result(logsIn).Verdict != Pass {
			b.fail(logsIn, say("nom ou mot de passe erroné", "wrong name or password"), "")
		}
		return
	}
	*b.result(logsIn) = Result{Requirement: logsIn, Verdict: Pass}
	if l := b.lines[number]; l != nil {
		l.answered, l.forgotten = true, !known && b.listened
	}
}

// Subscribed notes that the device has subscribed to its receipts.
func (b *Bench) Subscribed(number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pass(listens)
	b.listened = true
	if l := b.lines[number]; l != nil {
		l.subscribed = true
		if l.forgotten {
			b.pass(subscribes)
		}
	}
}

// Alive notes that the device has sent something.
func (b *Bench) Alive(number int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[number]
	if l == nil {
		return
	}
	b.silence(l, now)
	if l.doubled {
		l.doubled = false
		b.pass(doubledAck)
	}
	l.last = now
}

// silence holds the time since a device has sent something against what it promised.
func (b *Bench) silence(l *connection, now time.Time) {
	if most := l.hello.KeepAlive; most > 0 && now.Sub(l.last) > most*3/2 && l.greeting != Silent {
		b.fail(keepAlive, both("rien n'est venu pendant %s", "nothing came for %s", now.Sub(l.last).Round(time.Second)), l.hello.Client)
	}
}

// Twice notes that an acknowledgement was sent twice.
func (b *Bench) Twice(number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lines[number]; l != nil {
		l.doubled = true
	}
}

// Waited notes that a device still waits for the CONNACK that is withheld.
func (b *Bench) Waited(number int, patience time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lines[number]; l != nil && l.greeting == Silent {
		b.fail(unanswered, both("l'appareil attend encore après %s", "the device still waits after %s", patience), "")
	}
}

// Closed notes that a connection has ended: by the device, or by others; politely
// (DISCONNECT), or not.
func (b *Bench) Closed(number int, byDevice, politely bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[number]
	if l == nil {
		return
	}
	delete(b.lines, number)
	b.silence(l, now)
	switch {
	case l.greeting == Silent && byDevice:
		b.pass(unanswered)
	case l.greeting == LateConnack && byDevice && !l.answered:
		b.fail(lateHello, say("l'appareil n'attend pas le CONNACK tardif : par un réseau lent il ne se connectera jamais", "the device does not wait for the late CONNACK: over a slow network it will never connect"), "")
	case l.greeting == DoubledConnack && byDevice && !politely && l.messages == 0:
		b.warn(twiceHello, say("l'appareil ferme la connexion : sa mesure attend la suivante", "the device closes the connection: its reading waits for the next"), "")
	case l.doubled && byDevice && !politely:
		b.fail(doubledAck, say("l'appareil ferme la connexion après un acquittement venu deux fois", "the device closes the connection after an acknowledgement that came twice"), "")
	}
	b.resubscribed(l)
}

// resubscribed judges a connection to a broker that had forgotten the session.
func (b *Bench) resubscribed(l *connection) {
	if l.forgotten && !l.subscribed && l.messages > 0 {
		b.fail(subscribes, say("le broker avait oublié la session, et l'appareil a publié sans se réabonner", "the broker had forgotten the session, and the device published without subscribing again"), l.hello.Client)
	}
}

func both(fr, en string, args ...any) protocols.Text {
	return say(fmt.Sprintf(fr, args...), fmt.Sprintf(en, args...))
}
