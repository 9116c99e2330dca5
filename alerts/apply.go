package alerts

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"vigie/protocols"
)

// Apply says what one finding does. It is pure: the same arguments give the same
// answer, down to the ids.
//
// standing is the alert that stands for the finding's episode, nil when none
// does yet. current is the latest alert of the same enrolment, rule and device
// that nobody has resolved, nil when there is none; often it is the same one.
// now is Finding.Found. A nil next means that nothing changes; otherwise next is
// to be stored, and stands for the episode from then on.
//
//   - An episode that begins raises an alert. While an alert of the same rule is
//     open, or is acknowledged and its condition still holds, the episode joins
//     it instead. Once an acknowledged alert's condition has ended, what rings
//     again must be seen again: it gets an alert of its own. So does what another
//     version of the protocol finds: nobody will note the end of the former.
//   - A level only rises. A rise rings again, and opens again what was
//     acknowledged. A rise above a resolved alert raises a new one.
//   - The end of a condition is noted and closes nothing: only people acknowledge
//     and resolve.
//   - When late readings show that a condition had not ended, its alert says that it
//     goes on, and does not ring: in order, nothing would have ended. One that was
//     resolved when its condition seemed over opens again, with the team in charge now,
//     and rings, unless another alert as grave stands for the rule: the episode joins
//     that one then. Another version of the protocol knows nothing of an end: under it,
//     a later reading for which the condition holds says the same.
//   - A finding that was made before changes nothing: a reading counts as an
//     occurrence when it is later than all that were counted. No order of readings
//     hides an alert. How many occurrences one has, and which episode is the latest
//     that joined it, is exact for readings that come in order. Of those that come
//     late some are not counted, and an episode that they show to be part of another
//     stays counted.
//   - What was found too late to act, a rise as well as a beginning, is shown and does
//     not ring: no message, no answer delay, no escalation. When the same episode is
//     found to go on afterwards, it rings then, and opens again when it was resolved as
//     past.
//   - A technical alert sends no message when it is raised: it is about a device
//     or a transmission, and people are not to be called away from patients for
//     it. Where its protocol gives technical alerts an answer delay, as for
//     missing readings, it escalates like any other when nobody answers.
func Apply(standing, current *Alert, f protocols.Finding, care Care, now time.Time) (next *Alert, events []Event, outgoing []Outgoing) {
	c := change{finding: f, care: care, now: now}
	switch {
	case standing == nil:
		c.begin(current)
	case standing.State == Resolved:
		c.follow(standing, current)
	default:
		c.carryOn(standing)
	}
	return c.alert, c.events, c.outgoing
}

// change is one finding at work. alert stays nil as long as nothing changes.
type change struct {
	finding  protocols.Finding
	over, on bool // its episode is known to have ended, or to go on
	care     Care
	now      time.Time
	alert    *Alert
	events   []Event
	outgoing []Outgoing
}

// begin handles an episode that no alert stands for. Whatever the finding calls
// it, the condition holds and nobody knows: it is raised. Only an end has
// nothing to end.
func (c *change) begin(current *Alert) {
	if c.finding.Kind == protocols.Ended {
		return
	}
	if c.joins(current) {
		c.recur(current)
		return
	}
	c.raise(Reference(c.finding.Enrolment, c.finding.Device, c.finding.Rule, c.finding.Episode))
}

// joins reports whether a further episode joins an alert.
func (c *change) joins(current *Alert) bool {
	if current == nil {
		return false
	}
	same := current.Protocol == c.finding.Protocol && current.Version == c.finding.Version
	return current.State == Open || current.Active && same
}

// follow handles an episode whose alert was resolved: it is noted there without
// a word, unless it got worse than what was resolved, or what was found too late
// and settled as past goes on.
func (c *change) follow(resolved, current *Alert) {
	f := c.finding
	switch {
	case c.undoes(resolved) && !c.worsens(resolved):
		c.followOn(resolved, current)
	case f.Kind == protocols.Resumed:
		c.resume(resolved)
		c.goOn(resolved)
	case (f.Kind == protocols.Again || f.Kind == protocols.Risen && f.Level <= resolved.Level) && f.At.After(resolved.LastAt):
		c.take(resolved)
		c.count()
		c.goOn(resolved)
	case f.Kind == protocols.Risen && f.Level <= resolved.Level && resolved.Active && resolved.TooLate && !f.TooLate:
		c.take(resolved)
		c.goOn(resolved)
	case f.Kind == protocols.Ended && c.ends(resolved) && (resolved.Active || !f.At.After(resolved.ResolvedAt)):
		c.take(resolved)
		c.end()
	case f.Level <= resolved.Level || (f.Kind != protocols.Raised && f.Kind != protocols.Risen):
		return
	default:
		c.worsen(resolved, current)
	}
}

// worsen handles an episode that got worse than what was resolved.
func (c *change) worsen(resolved, current *Alert) {
	f := c.finding
	known := f.Episode == resolved.Episode
	c.over, c.on = c.isOver(resolved), known && resolved.Active && f.Version == resolved.Version
	if c.joins(current) {
		c.recur(current)
	} else {
		c.raise(Reference(f.Enrolment, f.Device, f.Rule, f.Episode, f.Level.String()))
	}
	if known && c.alert.Episode == f.Episode {
		c.alert.EpisodeAt = resolved.EpisodeAt
	}
}

// goOn opens again what was found too late and settled as past, when it goes on.
func (c *change) goOn(resolved *Alert) {
	if c.alert != nil && resolved.TooLate && !c.finding.TooLate {
		c.reopen()
		c.catchUp()
	}
}

// isOver reports whether what a finding is about was over, by what was found before:
// its episode had ended, or another one had begun since. Were it to go on after all,
// that would be found as well.
func (c *change) isOver(alert *Alert) bool {
	f := c.finding
	return f.Version == alert.Version && (!alert.Active || f.Episode != alert.Episode)
}

// undoes reports whether a finding shows that what an alert shows as over goes on: it
// says so, or is a later reading under another version of the protocol, which knows
// nothing of that end.
func (c *change) undoes(alert *Alert) bool {
	f := c.finding
	switch f.Kind {
	case protocols.Resumed:
		return !alert.Active
	case protocols.Again, protocols.Risen:
		return !alert.Active && f.At.After(alert.EndedAt) && f.Version != alert.Version
	}
	return false
}

// worsens reports whether a finding is a rise above the level of an alert.
func (c *change) worsens(alert *Alert) bool {
	return c.finding.Kind == protocols.Risen && c.finding.Level > alert.Level
}

// goesOn has the alert go on with the episode of the finding.
func (c *change) goesOn() {
	c.alert.Active, c.alert.EndedAt, c.alert.Episode = true, time.Time{}, c.finding.Episode
}

// followOn handles an episode that goes on after all, whose alert was resolved. Who
// settled it before its end knew that it went on; who did so after took it for over.
func (c *change) followOn(resolved, current *Alert) {
	if c.joins(current) && current.Level >= resolved.Level {
		c.recur(current)
		return
	}
	c.resume(resolved)
	if !resolved.EndedAt.After(resolved.ResolvedAt) || resolved.TooLate && !c.finding.TooLate {
		c.reopen()
		c.ring(EventResumed)
	}
}

// resume notes that an alert goes on, with the episode of the finding.
func (c *change) resume(alert *Alert) {
	f := c.finding
	newer := f.At.After(alert.LastAt)
	if alert.Active && alert.Episode == f.Episode && !newer {
		return
	}
	c.take(alert)
	if newer {
		c.count()
	}
	c.goesOn()
	if !alert.Active {
		c.note(EventResumed)
	}
	c.catchUp()
}

// carryOn handles an episode whose alert is open or acknowledged.
func (c *change) carryOn(standing *Alert) {
	f := c.finding
	switch {
	case f.Kind == protocols.Ended:
		if c.ends(standing) {
			c.take(standing)
			c.end()
			if standing.Active {
				c.note(EventEnded)
			}
		}
	case f.Kind == protocols.Resumed, c.undoes(standing) && !c.worsens(standing):
		c.resume(standing)
	case f.Kind == protocols.Again:
		if f.At.After(standing.LastAt) {
			c.take(standing)
			c.count()
			c.catchUp()
		}
	case f.Level > standing.Level:
		c.take(standing)
		c.count()
		if c.undoes(standing) {
			c.goesOn()
		}
		c.rise()
	case standing.State == Open && standing.TooLate && !f.TooLate:
		c.take(standing)
		c.catchUp()
	}
}

// take starts to change a copy of an alert.
func (c *change) take(alert *Alert) {
	copied := *alert
	c.alert = &copied
}

// raise makes a new alert.
func (c *change) raise(id string) {
	f := c.finding
	c.alert = &Alert{
		ID: id, Enrolment: f.Enrolment, Patient: f.Patient, Device: f.Device, Team: c.care.Team.ID,
		Protocol: f.Protocol, Version: f.Version, Rule: f.Rule, Episode: f.Episode, EpisodeAt: f.At,
		Level: f.Level, State: Open, Active: true, Occurrences: 1,
		At: f.At, LastAt: f.At, RaisedAt: c.now, TooLate: f.TooLate,
	}
	if c.over {
		c.end()
	}
	c.explain()
	c.note(EventRaised)
	c.ring(EventRaised)
}

// recur lets a further episode join an alert. One that began before the episode
// the alert knows was found late: it counts, and says nothing about now, unless it
// is found to go on.
func (c *change) recur(current *Alert) {
	f := c.finding
	c.take(current)
	c.alert.Occurrences++
	after := !f.At.Before(c.alert.EpisodeAt) || !c.alert.Active && !f.At.Before(c.alert.EndedAt)
	newer := after && !c.over
	if newer {
		c.alert.EpisodeAt = f.At
	}
	if newer || c.on || f.Kind == protocols.Resumed {
		c.goesOn()
		if f.Level == c.alert.Level {
			c.explain()
		}
	}
	c.spread()
	c.note(EventRecurred)
	if f.Level > c.alert.Level {
		c.rise()
		return
	}
	if c.alert.TooLate && !f.TooLate && c.alert.State == Open {
		c.ring(EventRecurred)
	}
}

// rise lifts the level and rings.
func (c *change) rise() {
	c.alert.Level = c.finding.Level
	c.explain()
	if c.alert.State == Acknowledged {
		c.reopen()
	}
	c.note(EventRisen)
	c.ring(EventRisen)
}

// reopen asks people to look again: those who are in charge now. What others have
// done stays in the events.
func (c *change) reopen() {
	if team := c.care.Team.ID; team != "" && team != c.alert.Team {
		c.note(EventHandedOver)
		c.events[len(c.events)-1].Note = c.alert.Team + " → " + team
		c.alert.Team = team
	}
	c.alert.State, c.alert.AnswerBy = Open, time.Time{}
	c.alert.AcknowledgedBy, c.alert.AcknowledgedAt = "", time.Time{}
	c.alert.ResolvedBy, c.alert.ResolvedAt, c.alert.Outcome = "", time.Time{}, ""
}

// catchUp rings for an alert that was found too late at first and goes on now.
func (c *change) catchUp() {
	if c.alert.TooLate && !c.finding.TooLate && c.alert.State == Open {
		c.note(EventRecurred)
		c.ring(EventRecurred)
	}
}

// count adds one reading to an alert.
func (c *change) count() {
	c.alert.Occurrences++
	c.spread()
}

// spread widens the time an alert covers to that of the finding.
func (c *change) spread() {
	if c.finding.At.Before(c.alert.At) {
		c.alert.At = c.finding.At
	}
	if c.finding.At.After(c.alert.LastAt) {
		c.alert.LastAt = c.finding.At
	}
}

// ends reports whether an end is that of what an alert stands for: late readings may
// move it on.
func (c *change) ends(alert *Alert) bool {
	return c.finding.Episode == alert.Episode && (alert.Active || c.finding.At.After(alert.EndedAt))
}

func (c *change) end() {
	c.alert.Active, c.alert.EndedAt = false, c.finding.At
}

// explain keeps the finding's explanation.
func (c *change) explain() {
	explanation := c.finding.Explanation
	if explanation == nil {
		return
	}
	c.alert.Explanation = explanation
	c.alert.Title, c.alert.Summary = explanation.Title, explanation.Summary
}

func (c *change) note(kind EventKind) {
	c.events = append(c.events, Event{Alert: c.alert.ID, Kind: kind, At: c.now, Level: c.alert.Level, Author: Service})
}

// ring tells the team and starts the answer delay. A ring on top of one that
// nobody has answered never grants more time. What the service itself says of a
// device has no protocol, and so no delay.
func (c *change) ring(kind EventKind) {
	if c.finding.TooLate {
		c.alert.TooLate = true
		return
	}
	technical := c.alert.Level == protocols.Technical
	c.alert.TooLate = false
	before := c.alert.AnswerBy
	if !c.alert.EscalatedAt.IsZero() {
		before = time.Time{}
	}
	c.alert.EscalatedAt, c.alert.AnswerBy = time.Time{}, time.Time{}
	if delay, ok := c.care.Answer[c.alert.Level]; ok && !(technical && c.finding.Protocol == "") {
		c.alert.AnswerBy = c.care.Team.Calendar.Add(c.now, delay)
	}
	if !before.IsZero() && (c.alert.AnswerBy.IsZero() || before.Before(c.alert.AnswerBy)) {
		c.alert.AnswerBy = before
	}
	if technical {
		return
	}
	ring := c.finding.Episode + "/" + c.alert.Level.String()
	if kind == EventResumed || kind == EventRecurred { // an end may be undone more than once
		ring += "/" + c.now.UTC().Format(time.RFC3339Nano)
	}
	c.outgoing = append(c.outgoing, messages(c.alert, kind, ring, c.care.Team.Mail, c.care.Team.Webhook, c.now)...)
}

// messages writes one message per address and one to the webhook. ring tells
// apart what an alert may have to say twice.
func messages(alert *Alert, kind EventKind, ring string, addresses []string, webhook string, now time.Time) []Outgoing {
	var list []Outgoing
	add := func(channel, to string) {
		list = append(list, Outgoing{
			ID:      Reference(alert.ID, string(kind), ring, channel, to),
			Channel: channel, To: to, Alert: alert.ID, Event: kind, Level: alert.Level, Created: now,
		})
	}
	for _, address := range addresses {
		add(Mail, address)
	}
	if webhook != "" {
		add(Webhook, webhook)
	}
	return list
}

// Reference makes a short id out of what it identifies: 16 letters and digits of
// a hash, which is 80 bits, so that a billion of them meet once in two million
// times.
func Reference(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}
