package alerts

import (
	"time"

	"vigie/protocols"
)

// tooLate reports whether a finding comes too late to call people. A silence that
// goes on is never too late, and neither is an event of the last days.
func (c *change) tooLate() bool {
	f := c.finding
	switch {
	case !f.TooLate, c.traits.Silence:
		return false
	case c.traits.Event:
		return c.now.Sub(f.At) > eventsRing
	}
	return true
}

// ring calls the team and starts the answer delay. A ring on top of one that
// nobody has answered never grants more time. What the service itself says of a
// device has no protocol, and so no delay.
func (c *change) ring(kind EventKind) {
	a := c.alert
	if c.tooLate() {
		c.digest()
		c.tooLateToRing(kind)
		return
	}
	a.TooLate = false
	c.startClock()
	if c.finding.TooLate && c.traits.Silence {
		a.Overdue = true
		if a.AnswerBy.IsZero() {
			a.StepAt = c.now.Add(silenceBack)
		}
		c.digest()
		return
	}
	quiet := kind == EventRaised && c.flips()
	a.Overdue = false
	a.RangAt = c.now
	if quiet {
		a.RangAt = c.before.Last.RangAt
	}
	if c.returns && a.Level < protocols.Red && !a.AnswerBy.IsZero() {
		// Somebody knows of it: it is on the list, and in the digest, from which its deadline
		// runs. Nobody was called, and so what else is found of the patient rings.
		calendar := c.care.Team.Calendar
		quiet, a.RangAt, a.AnswerBy = true, time.Time{}, calendar.Add(calendar.Opening(c.now), c.care.Answer[a.Level])
		c.digest()
	}
	c.call(kind, c.ringName(kind), quiet)
}

// tooLateToRing marks an alert as news of the past: nobody is called. While it holds it is
// the last that is known of the patient, and has a deadline in opening hours: somebody is
// to look at it. So has one that people answered for and that late readings make graver.
func (c *change) tooLateToRing(kind EventKind) {
	a := c.alert
	waits := kind == EventRaised || kind == EventRisen && !a.TooLate
	if delay, ok := c.care.Answer[a.Level]; ok && waits && a.AnswerBy.IsZero() {
		calendar := c.care.Team.Calendar
		a.AnswerBy = calendar.Add(calendar.Opening(c.now), delay)
	}
	a.TooLate = true
}

// flips reports whether a new episode of what was resolved begins within the rest
// time, no graver: it is on the list with its deadline, and sends no message. A red
// always does.
func (c *change) flips() bool {
	last := c.before.Last
	return last != nil && c.alert.Level < protocols.Red && c.rests(last) && !c.graver(last)
}

// ringName tells apart what an alert may have to say twice.
func (c *change) ringName(kind EventKind) string {
	ring := c.finding.Episode + "/" + c.alert.Level.String()
	if kind != EventRaised && kind != EventRisen || !c.alert.StruckAt.IsZero() { // an end may be undone more than once, and so may a rise
		ring += "/" + c.now.UTC().Format(time.RFC3339Nano)
	}
	return ring
}

// startClock starts the answer delay, in the opening hours of the team, or on the
// wall where somebody on duty is called.
func (c *change) startClock() {
	a := c.alert
	before := a.AnswerBy
	if !a.EscalatedAt.IsZero() {
		before = time.Time{}
	}
	a.EscalatedAt, a.AnswerBy, a.Step, a.StepAt, a.StoppedAt = time.Time{}, time.Time{}, 0, time.Time{}, time.Time{}
	if delay, ok := c.care.Answer[a.Level]; ok && !(a.Level == protocols.Technical && c.finding.Protocol == "") {
		a.AnswerBy = c.care.Team.answer(a.Level, c.callsAt(), delay)
	}
	if !before.IsZero() && (a.AnswerBy.IsZero() || before.Before(a.AnswerBy)) {
		a.AnswerBy = before
	}
}

// callsAt is when people are called: now, or at the opening for an event that is
// older than a day.
func (c *change) callsAt() time.Time {
	if c.traits.Event && c.now.Sub(c.finding.At) > eventsWake {
		return c.care.Team.Calendar.Next(c.now)
	}
	return c.now
}

// answer is when an answer is due that is waited for from a moment on.
func (t Team) answer(level protocols.Level, from time.Time, delay time.Duration) time.Time {
	if t.wakes(level, from) {
		return from.Add(delay).UTC()
	}
	return t.Calendar.Add(from, delay)
}

// wakes reports whether somebody on duty is called for that level at that moment.
func (t Team) wakes(level protocols.Level, at time.Time) bool {
	return t.OutOfHours[level] == OnCall && !t.Calendar.Open(at) && len(t.OnDuty(at)) > 0
}

// call writes the messages of a ring: people are called once for a patient until
// somebody answers, or something graver is found; systems hear of everything.
func (c *change) call(kind EventKind, ring string, quiet bool) {
	a, team := c.alert, c.care.Team
	at := c.callsAt()
	switch {
	case a.Level == protocols.Technical:
		if c.finding.HidesValues {
			c.digest()
		}
		return
	case a.Level == protocols.Yellow:
		c.digest()
		quiet = true
	case c.told():
		quiet = true
	}
	var addresses []string
	notUntil := time.Time{}
	if !quiet {
		addresses, notUntil = team.route(a.Level, at)
	}
	if at.After(c.now) {
		notUntil = at
	}
	c.outgoing = append(c.outgoing, messages(a, kind, ring, addresses, team, notUntil, c.now)...)
}

// route is who is called for a ring at a moment, and when.
func (t Team) route(level protocols.Level, at time.Time) (addresses []string, notUntil time.Time) {
	switch {
	case t.wakes(level, at):
		return t.OnDuty(at), time.Time{}
	case t.OutOfHours[level] == Wait && !t.Calendar.Open(at):
		return t.Contacts, t.Calendar.Next(at)
	}
	return t.Contacts, time.Time{}
}

// told reports whether people were called for the patient, for something as grave
// that nobody has answered, and that call goes on.
func (c *change) told() bool {
	for _, other := range c.before.others(c.alert, c.care) {
		if other.ID != c.alert.ID && other.called(c.alert) && c.goesOnCalling(other) {
			return true
		}
	}
	return false
}

// goesOnCalling reports whether people are still to be told of an alert that nobody has
// answered, or were within the rest time of its level. Once its last step is taken, it
// swallows nothing that is found later.
func (c *change) goesOnCalling(other *Alert) bool {
	goesUp := other.Step < len(c.care.escalation(other.Level)) && !other.Next().IsZero()
	return other.PausedUntil.IsZero() && goesUp || c.now.Before(other.lastCall().Add(c.care.rest(other.Level)))
}

// lastCall is when people were last called for an alert, by a ring or by a step of the
// escalation.
func (a *Alert) lastCall() time.Time {
	if a.EscalatedAt.After(a.RangAt) {
		return a.EscalatedAt
	}
	return a.RangAt
}

// called reports whether people of the team in charge were called for an alert that
// is as grave as another one of the person.
func (a *Alert) called(other *Alert) bool {
	return a.State == Open && a.Team == other.Team && !a.TooLate && !a.Overdue &&
		!a.RangAt.IsZero() && a.Level >= other.Level
}

// digest tells the team, once at its next opening, that something waits on its list.
// The message has no alert of its own: all that waits for one opening share it.
func (c *change) digest() {
	team := c.care.Team
	opening := team.Calendar.Opening(c.now)
	for _, contact := range team.Contacts {
		channel, address := ChannelOf(contact)
		c.outgoing = append(c.outgoing, Outgoing{
			ID:      Reference("digest", team.ID, opening.Format(time.RFC3339), channel, address),
			Channel: channel, To: address, Event: EventDigest, Level: protocols.Yellow, Created: c.now, NotUntil: opening, Team: team.Name,
		})
	}
}

// Notice tells a team of something that is about no alert, once for each key. It leaves at
// the next opening of the team. It carries no name and no reference to a patient.
func Notice(kind EventKind, team Team, key string, now time.Time) (list []Outgoing) {
	opening := team.Calendar.Opening(now)
	for _, contact := range team.Contacts {
		channel, address := ChannelOf(contact)
		list = append(list, Outgoing{
			ID:      Reference(string(kind), team.ID, key, channel, address),
			Channel: channel, To: address, Event: kind, Level: protocols.Yellow, Created: now, NotUntil: opening, Team: team.Name,
		})
	}
	return list
}

// messages writes one message per contact, by its channel, and one to each system. ring
// tells apart what an alert may have to say twice.
func messages(alert *Alert, kind EventKind, ring string, contacts []string, team Team, notUntil, now time.Time) []Outgoing {
	var list []Outgoing
	add := func(contact string, notUntil time.Time) {
		channel, to := ChannelOf(contact)
		list = append(list, Outgoing{
			ID:      Reference(alert.ID, string(kind), ring, channel, to),
			Channel: channel, To: to, Alert: alert.ID, Event: kind, Level: alert.Level, Created: now, NotUntil: notUntil, Team: team.Name,
		})
	}
	for _, contact := range contacts {
		add(contact, notUntil)
	}
	for _, system := range team.Systems {
		add(system, time.Time{})
	}
	return list
}
