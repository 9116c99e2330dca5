package alerts

import (
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// Pass says what the passing of time does to one alert: an answer that did not come,
// a follow-up, a call that is due, a snooze or pause that ends, a resolved alert that
// comes back. It is pure, and changes nothing when nothing is due.
func Pass(on On, now time.Time) Change {
	a := on.Alert
	p := passing{change: change{
		before: on.Before, care: on.Care, home: on.Care.Team, traits: on.Care.traits(a.Rule), now: now.UTC(),
		finding: protocols.Finding{
			Kind: protocols.Again, Enrolment: a.Enrolment, Patient: a.Patient, Device: a.Device, Protocol: a.Protocol, Version: a.Version,
			Rule: a.Rule, Level: a.Level, Episode: a.Episode, At: now.UTC(), Found: now.UTC(),
		},
	}}
	p.edit(&a)
	if p.pass() {
		return Change{Next: p.alert, Added: p.added, Events: p.events, Outgoing: p.outgoing}
	}
	return Change{}
}

// passing is one alert at work while time passes. added is what comes back in the
// place of it.
type passing struct {
	change
	added *Alert
}

// pass reports whether something was due.
func (p *passing) pass() bool {
	a := p.alert
	if a.State == Resolved {
		return p.passed(a.BackAt) && p.back()
	}
	if p.traits.Silence && a.Active {
		if p.hold() {
			return true
		}
		if p.care.over(p.now) {
			return false
		}
	}
	switch {
	case !a.StoppedAt.IsZero() && !p.care.over(p.now): // the end was moved
		return p.unpause()
	case !a.PausedUntil.IsZero():
		return p.passed(a.PausedUntil) && p.unpause()
	case a.State == Open:
		return p.overdue()
	case !a.SnoozedUntil.IsZero() && p.passed(a.SnoozedUntil):
		return p.wake()
	case p.passed(a.callDue()):
		return p.callBack()
	case !a.SnoozedUntil.IsZero():
		return false
	case a.FollowUpBy.IsZero(): // taken on before Vigie kept this clock
		a.FollowUpBy = p.care.followUp(a.Level, p.now)
		return true
	case a.Step == 0:
		return p.passed(a.FollowUpBy) && p.followUp()
	}
	return p.passed(a.StepAt) && p.escalate()
}

func (p *passing) passed(t time.Time) bool { return !t.IsZero() && !p.now.Before(t) }

// back raises what was resolved, still holds and was not measured since, neither by its
// own readings nor by those of another alert of its rule.
func (p *passing) back() bool {
	resolved := p.alert
	pause, paused := p.care.paused(p.now)
	switch {
	case !resolved.Active, p.care.dropped(resolved), p.before.Current != nil, p.before.Newest != nil && p.before.Newest.ID != resolved.ID, p.traits.Silence && p.care.over(p.now):
		resolved.BackAt = time.Time{}
		return true
	case p.traits.Silence && paused:
		resolved.BackAt = pause.Until.UTC()
		return true
	}
	resolved.BackAt = time.Time{}
	p.finding.At = resolved.LastAt
	p.raise(nextOf(resolved, resolved.ID, "back"))
	p.continues(resolved)
	p.added, p.alert = p.alert, resolved
	return true
}

// hold keeps a silence quiet while the patient is away, and for good once nothing is
// expected of the patient any more. It stays on the list.
func (p *passing) hold() bool {
	a := p.alert
	pause, on := p.care.paused(p.now)
	switch {
	case p.care.over(p.now):
		if a.Next().IsZero() {
			return false
		}
		a.stopClock()
		a.StoppedAt = p.now
		p.note(EventPaused)
		p.events[len(p.events)-1].Note = p.care.Until.UTC().Format(time.RFC3339)
		return true
	case !on && p.now.Before(a.PausedUntil):
		return p.unpause() // somebody has taken the pause back
	case !on, a.PausedUntil.Equal(pause.Until):
		return false
	}
	a.stopClock()
	a.PausedUntil = pause.Until.UTC()
	p.note(EventPaused)
	event := &p.events[len(p.events)-1]
	event.Author, event.Note = pause.Author, pause.Until.UTC().Format(time.RFC3339)+" "+pause.Reason
	return true
}

// stopClock takes back every deadline.
func (a *Alert) stopClock() {
	a.AnswerBy, a.EscalatedAt, a.Step, a.StepAt = time.Time{}, time.Time{}, 0, time.Time{}
	a.FollowUpBy, a.SnoozedUntil, a.PausedUntil = time.Time{}, time.Time{}, time.Time{}
	a.promiseNothing()
	a.StoppedAt = time.Time{}
}

// unpause starts the clock anew when a pause has ended and the silence goes on, or when
// something is expected of the patient after all.
func (p *passing) unpause() bool {
	a := p.alert
	a.PausedUntil, a.StoppedAt = time.Time{}, time.Time{}
	if a.State == Acknowledged {
		a.FollowUpBy = p.care.followUp(a.Level, p.now)
		return true
	}
	p.startClock()
	return true
}

// overdue tells the next people about what nobody has answered.
func (p *passing) overdue() bool {
	a := p.alert
	switch {
	case a.Step == 0 && a.EscalatedAt.IsZero():
		return (p.passed(a.AnswerBy) || p.passed(a.StepAt)) && p.escalate()
	case a.Step == 0: // told of once, before Vigie kept this clock
		a.Step, a.StepAt = 1, p.later()
		return true
	}
	return p.passed(a.StepAt) && p.escalate()
}

// escalation is who is told, step by step, about what nobody has answered: the chain
// of the team, each step again as often as the level asks for. Yellow and technical
// alerts are told of once.
func (t Team) escalation(level protocols.Level) [][]string {
	first := t.Escalate
	if len(first) == 0 {
		first = t.Contacts
	}
	if level < protocols.Orange {
		return [][]string{first}
	}
	var steps [][]string
	for _, step := range slices.Concat([][]string{first}, t.Chain) {
		for range 1 + repeats[level] {
			steps = append(steps, step)
		}
	}
	return steps
}

// escalation is that of the team, and the administrator of the service at its end.
func (c Care) escalation(level protocols.Level) [][]string {
	steps := c.Team.escalation(level)
	if len(c.Admin) > 0 && level >= protocols.Orange {
		steps = append(steps, c.Admin)
	}
	return steps
}

// escalate takes the next step.
func (p *passing) escalate() bool {
	a, steps := p.alert, p.care.escalation(p.alert.Level)
	if a.State == Acknowledged {
		steps = slices.Insert(steps, 0, nil) // the first was to ask whoever took it on
	}
	if a.Step >= len(steps) {
		return p.callAnew()
	}
	due, addresses := soonest(a.AnswerBy, a.FollowUpBy), steps[a.Step]
	a.Step++
	a.EscalatedAt, a.StepAt, a.Overdue = p.now, time.Time{}, false
	switch {
	case a.Step < len(steps):
		a.StepAt = p.later()
	case p.unheard():
		a.StepAt = p.now.Add(silenceBack)
	}
	p.note(EventEscalated)
	if p.escalated() {
		addresses = nil
	}
	ring := due.UTC().Format(time.RFC3339Nano)
	if a.Step > 1 || !a.StruckAt.IsZero() { // a strike may bring back a deadline that has been told of
		ring += "/" + p.now.Format(time.RFC3339Nano)
	}
	p.outgoing = append(p.outgoing, messages(a, EventEscalated, ring, addresses, p.care.Team, time.Time{}, p.now)...)
	return true
}

// unheard reports whether nothing is measured of a patient from whom it has to be: no
// reading will ever say so again.
func (p *passing) unheard() bool {
	return p.traits.Silence && p.alert.Active && p.alert.Level >= protocols.Orange
}

// callAnew calls the team again, once everybody was told of a silence in vain and a week
// has passed.
func (p *passing) callAnew() bool {
	p.alert.StepAt = time.Time{}
	if !p.unheard() {
		return true
	}
	if p.alert.State == Acknowledged {
		p.reopen()
	}
	p.note(EventRecurred)
	p.ring(EventRecurred)
	return true
}

// NextTold says whom the service tells next of an alert that nobody answers, and when: at
// a step of the escalation, or whoever took the alert on, who is asked what became of it.
// The zero time where it tells nobody.
func (c Care) NextTold(a *Alert) (contacts []string, at time.Time) {
	steps := c.escalation(a.Level)
	switch {
	case !a.PausedUntil.IsZero():
		return nil, time.Time{}
	case a.State == Acknowledged && a.Step == 0:
		return c.Team.addressesOf(a.AcknowledgedBy), a.FollowUpBy
	case a.State == Acknowledged:
		steps = slices.Insert(steps, 0, nil)
		at = a.StepAt
	case a.State == Open && a.Step == 0:
		at = soonest(a.AnswerBy, a.StepAt)
	case a.State == Open:
		at = a.StepAt
	}
	switch {
	case at.IsZero(), a.Step >= len(steps) && !c.traits(a.Rule).Silence:
		return nil, time.Time{}
	case a.Step >= len(steps):
		return c.Team.Contacts, at
	}
	return steps[a.Step], at
}

// later is when the step after one that is taken now is due.
func (p *passing) later() time.Time {
	delay := or(p.care.Answer[p.alert.Level], day)
	return p.care.Team.answer(p.alert.Level, p.now, delay)
}

// escalated reports whether the same people were told already for another alert of
// the patient that is as grave, since this one is there.
func (p *passing) escalated() bool {
	since := p.alert.RaisedAt
	if p.alert.RangAt.After(since) {
		since = p.alert.RangAt
	}
	for _, other := range p.before.others(p.alert, p.care) {
		if other.ID != p.alert.ID && other.Team == p.alert.Team && other.Step >= p.alert.Step && other.Level >= p.alert.Level && other.Level >= protocols.Orange && !other.EscalatedAt.Before(since) {
			return true
		}
	}
	return false
}

// wake ends a snooze: the alert is there again.
func (p *passing) wake() bool {
	p.reopen()
	p.note(EventWoken)
	p.ring(EventWoken)
	return true
}

// callBack tells whoever promised to call, and whoever took the alert on, that the time
// has come.
func (p *passing) callBack() bool {
	a := p.alert
	a.Reminded = true
	people := []string{a.AcknowledgedBy}
	if a.CallBackBy != "" && a.CallBackBy != a.AcknowledgedBy {
		people = []string{a.CallBackBy, a.AcknowledgedBy}
	}
	p.remind(EventCallBack, people...)
	return true
}

// followUp asks whoever took the alert on what became of it. Without a word the
// escalation goes on from there.
func (p *passing) followUp() bool {
	p.remind(EventFollowUp, p.alert.AcknowledgedBy)
	p.alert.Step, p.alert.StepAt = 1, p.later()
	return true
}

// remind sends a message to people who have the alert in hand.
func (p *passing) remind(kind EventKind, people ...string) {
	a, team := p.alert, p.care.Team
	p.note(kind)
	p.events[len(p.events)-1].Note = strings.Join(people, ", ")
	var addresses []string
	for _, person := range people {
		for _, address := range team.addressesOf(person) {
			if !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	p.outgoing = append(p.outgoing, messages(a, kind, p.now.Format(time.RFC3339Nano), addresses, team, time.Time{}, p.now)...)
}

// addressesOf are those of a person of the team, or of the team when it does not know
// how to reach the person.
func (t Team) addressesOf(name string) []string {
	for id, person := range t.Rota.People {
		if (id == name || person.Name == name) && len(person.Contacts) > 0 {
			return person.Contacts
		}
	}
	return t.Contacts
}
