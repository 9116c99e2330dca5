package alerts_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// What follows is the specification of the package once more, for one rule whose
// readings come in order and one patient, as simple as can be: a list of alerts and a
// list of who is told. Random courses of readings, acts and outages are held to it.

// plain is a rule of a patient.
type plain struct {
	alerts []*plainAlert
	holds  *plainAlert // stands for the episode that goes on; nil when the condition does not hold
	told   []string
	now    time.Time
	care   alerts.Care
}

type plainAlert struct {
	reached            protocols.Level // by the episode that holds
	level              protocols.Level
	state              alerts.State
	on                 bool // the condition holds, as far as anybody has measured
	figure             int  // the worst that people were told of; lower is worse
	by                 string
	last, rang, closed time.Time
	raised, escalated  time.Time // escalated: the latest step, since it last rang
	due                time.Time // when time alone does something next; zero for never
	step               int
	asleep             bool
}

const plainMargin = 2 // below 88, clear 90

func (p *plain) say(what string) { p.told = append(p.told, p.now.Format("02 15:04 ")+what) }

// rest is when what was resolved then may be there again.
func (p *plain) rest(a *plainAlert) time.Time {
	if a.level == protocols.Red {
		return openingTime(p.care.Team.Calendar, a.closed, 4*hour)
	}
	return a.closed.Add(map[protocols.Level]time.Duration{protocols.Orange: day, protocols.Yellow: 7 * day}[a.level])
}

// quiet reports whether an alert rang too recently for a further episode to ring.
func (p *plain) quiet(a *plainAlert) bool {
	return p.now.Before(a.rang.Add(map[protocols.Level]time.Duration{protocols.Red: 4 * hour, protocols.Orange: day, protocols.Yellow: 7 * day}[a.level]))
}

func (a *plainAlert) graver(level protocols.Level, figure int) bool {
	return level > a.level || level == a.level && figure <= a.figure-plainMargin
}

// openingTime is when so much opening time has passed, minute by minute.
func openingTime(c alerts.Calendar, from time.Time, length time.Duration) time.Time {
	at := from
	for length > 0 {
		if c.Open(at) {
			length -= time.Minute
		}
		at = at.Add(time.Minute)
	}
	return at
}

// latest is the alert that is not resolved and was raised last; nil for none.
func (p *plain) latest() *plainAlert {
	for _, a := range slices.Backward(p.alerts) {
		if a.state != alerts.Resolved {
			return a
		}
	}
	return nil
}

// ring calls the team for an alert that is open from now on.
func (p *plain) ring(a *plainAlert, level protocols.Level, figure int) {
	fresh := a.state != alerts.Open || a.step > 0 || a.due.IsZero()
	a.state, a.by, a.asleep = alerts.Open, "", false
	due := openingTime(p.care.Team.Calendar, p.now, p.care.Answer[level])
	if fresh || due.Before(a.due) {
		a.due = due
	}
	a.step, a.level, a.figure, a.rang, a.escalated = 0, level, figure, p.now, time.Time{}
	called := slices.ContainsFunc(p.alerts, func(other *plainAlert) bool {
		goesOn := !other.due.IsZero() || p.quiet(other) || p.quiet(&plainAlert{level: other.level, rang: other.escalated})
		return other != a && other.state == alerts.Open && other.level >= level && !other.rang.IsZero() && goesOn
	})
	if level > protocols.Yellow && !called {
		p.say("equipe")
	}
}

func (p *plain) raise(level protocols.Level, figure int, silent bool, rang time.Time) {
	a := &plainAlert{state: alerts.Open, on: true, last: p.now, raised: p.now, reached: level}
	p.alerts = append(p.alerts, a)
	p.holds = a
	before := len(p.told)
	p.ring(a, level, figure)
	if silent {
		p.told, a.rang = p.told[:before], rang
	}
}

// lastResolved is the alert that was resolved last; nil for none.
func (p *plain) lastResolved() (last *plainAlert) {
	for _, a := range p.alerts {
		if a.state == alerts.Resolved && (last == nil || !a.closed.Before(last.closed)) {
			last = a
		}
	}
	return last
}

// begins is a reading for which the condition holds, after one for which it did not, or
// one that brings back what was resolved.
func (p *plain) begins(level protocols.Level, figure int, returns bool) {
	a := p.latest()
	answered := a != nil && a.state == alerts.Acknowledged
	lapsed := a != nil && a.on && p.now.Sub(a.last) > 7*day
	if a == nil || answered && (lapsed || !a.on && (!p.quiet(a) || a.graver(level, figure))) {
		last := p.lastResolved()
		if returns && level < protocols.Red {
			p.raise(level, figure, true, time.Time{})
			p.holds.due = openingTime(p.care.Team.Calendar, p.care.Team.Calendar.Opening(p.now), p.care.Answer[level])
		} else if last != nil && level < protocols.Red && p.quiet(last) && !last.graver(level, figure) {
			p.raise(level, figure, true, last.rang)
		} else {
			p.raise(level, figure, false, time.Time{})
		}
		return
	}
	wasOn := a.on && !lapsed
	a.on, a.last, a.reached, p.holds = true, p.now, level, a
	switch {
	case level > a.level:
		p.ring(a, level, figure)
	case a.state == alerts.Open && !wasOn && level == a.level && (!p.quiet(a) || a.graver(level, figure)):
		p.ring(a, level, figure)
	}
}

// goesOn is a further reading for which it holds.
func (p *plain) goesOn(level protocols.Level, figure int) {
	a := p.holds
	lapsed := p.now.Sub(a.last) > 7*day
	worse := level >= a.level && figure <= a.figure-plainMargin
	rose := level > a.reached
	a.reached = max(a.reached, level)
	switch {
	case a.state == alerts.Resolved && (level > a.level || lapsed || worse || !p.now.Before(p.rest(a))):
		p.begins(level, figure, level <= a.level && !lapsed && !worse)
		return
	case level > a.level:
		p.ring(a, level, figure)
	case a.state == alerts.Acknowledged && lapsed:
		p.raise(level, figure, false, time.Time{})
		return
	case a.state == alerts.Open && lapsed, a.state == alerts.Acknowledged && worse:
		p.ring(a, a.level, figure)
	case a.state == alerts.Open && rose && level == a.level && !p.quiet(a):
		p.ring(a, level, figure) // its episode began milder, and called nobody
	case a.state == alerts.Open && worse:
		a.figure = figure
	case p.leftAlone(a) && level == a.level:
		p.ring(a, level, figure)
	}
	a.last = p.now
}

// leftAlone reports whether all were told in vain, so long ago that it is said again.
func (p *plain) leftAlone(a *plainAlert) bool {
	after := map[protocols.Level]time.Duration{protocols.Red: day, protocols.Orange: 3 * day}[a.level]
	return after > 0 && a.state != alerts.Resolved && a.due.IsZero() && !a.rang.IsZero() && !p.now.Before(a.rang.Add(after)) && !p.now.Before(a.escalated.Add(after))
}

func (p *plain) ends() {
	p.holds.on = false
	if p.holds.state == alerts.Resolved {
		p.holds.due = time.Time{}
	}
	p.holds = nil
}

// passes does what time alone brings.
func (p *plain) passes() {
	for _, a := range slices.Clone(p.alerts) {
		if a.due.IsZero() || p.now.Before(a.due) {
			continue
		}
		later := openingTime(p.care.Team.Calendar, p.now, p.care.Answer[a.level])
		steps := 1
		if a.level == protocols.Red {
			steps = 2
		}
		switch {
		case a.state == alerts.Resolved:
			a.due = time.Time{}
			if a.on && p.holds == a && p.latest() == nil {
				p.raise(a.level, a.figure, false, time.Time{})
				p.alerts[len(p.alerts)-1].last = a.last
			}
		case a.asleep:
			p.ring(a, a.level, a.figure)
		case a.state == alerts.Acknowledged && a.step == 0:
			a.step, a.due = 1, later
			p.say("equipe")
		default:
			if a.state == alerts.Acknowledged {
				steps++
			}
			a.due = time.Time{}
			if a.step < steps {
				a.step, a.escalated = a.step+1, p.now
				if told := slices.ContainsFunc(p.alerts, func(other *plainAlert) bool {
					return other != a && other.state == alerts.Open && other.level > protocols.Yellow && other.level >= a.level && other.step >= a.step && !other.escalated.Before(a.raised) && !other.escalated.Before(a.rang)
				}); !told {
					p.say("cadre")
				}
				if a.step < steps {
					a.due = later
				}
			}
		}
	}
}

func (p *plain) takesOn(a *plainAlert, by string) {
	if a.state == alerts.Acknowledged {
		return
	}
	if a.step > 0 && a.level > protocols.Yellow {
		p.say("cadre") // who was woken hears of it
	}
	after := map[protocols.Level]time.Duration{protocols.Red: day, protocols.Orange: 3 * day, protocols.Yellow: 14 * day}[a.level]
	a.state, a.by, a.step, a.due = alerts.Acknowledged, by, 0, p.care.Team.Calendar.Next(p.now.Add(after))
}

func (p *plain) resolves(a *plainAlert) {
	if a.state == alerts.Open && a.step > 0 && a.level > protocols.Yellow {
		p.say("cadre")
	}
	a.state, a.closed, a.asleep, a.step, a.due = alerts.Resolved, p.now, false, 0, time.Time{}
	if a.on && a.level == protocols.Red {
		a.due = p.rest(a)
	}
}

// both plays one course to the ledger and to the plain specification.
type both struct {
	*rapid.T
	real    *timeline
	plain   *plain
	now     time.Duration
	episode int
	level   protocols.Level // that holds; 0 for none
	undos   int
	log     []string
}

func (b *both) found(kind protocols.FindingKind, level protocols.Level, value int) {
	b.real.found(kind, fmt.Sprint("ep-", b.episode), level, b.now, b.now, figure(int64(value)))
}

func (b *both) reading() {
	value := rapid.SampledFrom([]int{95, 89, 87, 86, 85, 83, 80, 77, 74}).Draw(b.T, "value")
	level := protocols.Level(0)
	for l, below := range map[protocols.Level]int{protocols.Yellow: 90, protocols.Orange: 88, protocols.Red: 81} {
		if value < below {
			level = max(level, l)
		}
	}
	b.log = append(b.log, fmt.Sprintf("%v measured %d", b.now, value))
	switch {
	case b.level == 0 && level == 0:
	case b.level == 0:
		b.episode++
		b.plain.begins(level, value, false)
		b.found(protocols.Raised, level, value)
		b.level = level
	case level == 0:
		b.plain.ends()
		b.found(protocols.Ended, b.level, value)
		b.level = 0
	case level > b.level:
		b.plain.goesOn(level, value)
		b.found(protocols.Risen, level, value)
		b.level = level
	default: // once risen, an episode keeps its level here
		b.plain.goesOn(b.level, value)
		b.found(protocols.Again, b.level, value)
	}
}

func (b *both) act() {
	if len(b.plain.alerts) == 0 {
		return
	}
	i := rapid.IntRange(0, len(b.plain.alerts)-1).Draw(b.T, "alert")
	a, id := b.plain.alerts[i], b.real.memory.alerts[i].ID
	if a.state == alerts.Resolved {
		return
	}
	now := storetest.Morning.Add(b.now)
	what := rapid.SampledFrom([]string{"take on", "resolve", "release", "snooze"}).Draw(b.T, "act")
	b.log = append(b.log, fmt.Sprintf("%v %s alert %d", b.now, what, i))
	if rapid.IntRange(0, 2).Draw(b.T, "undone") == 0 {
		b.undone(what, id, now)
		return
	}
	var err error
	switch what {
	case "take on":
		b.plain.takesOn(a, "Dr Payet")
		err = alerts.Acknowledge(ctx, b.real.memory, id, "Dr Payet", "", now)
	case "resolve":
		b.plain.resolves(a)
		err = alerts.Resolve(ctx, b.real.memory, id, "Dr Payet", "patient-called", "", now)
	case "release":
		if a.state == alerts.Acknowledged {
			b.plain.ring(a, a.level, a.figure)
		}
		err = alerts.Release(ctx, b.real.memory, id, "Dr Payet", "", now)
	case "snooze":
		b.plain.takesOn(a, "Dr Payet")
		a.asleep, a.due = true, b.plain.now.Add(3*hour)
		err = alerts.Snooze(ctx, b.real.memory, id, "Dr Payet", "", now.Add(3*hour), now)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// undone does an act and undoes it within a minute. The plain specification hears
// nothing of it: it is as if it had not been, but for the messages about it.
func (b *both) undone(what, id string, now time.Time) {
	acts := map[string]func() error{
		"take on": func() error { return alerts.Acknowledge(ctx, b.real.memory, id, "Dr Payet", "note", now) },
		"resolve": func() error {
			return alerts.Close(ctx, b.real.memory, id, "Dr Payet", []string{"patient-called", "appointment"}, "note", now)
		},
		"release": func() error { return alerts.Release(ctx, b.real.memory, id, "Dr Payet", "note", now) },
		"snooze":  func() error { return alerts.Snooze(ctx, b.real.memory, id, "Dr Payet", "note", now.Add(3*hour), now) },
	}
	before, messages, events := *b.real.memory.byID(id), len(b.real.memory.messages), len(b.real.memory.events)
	if err := acts[what](); err != nil {
		b.Fatal(err)
	}
	if len(b.real.memory.events) == events {
		return // it changed nothing
	}
	b.undos++ // no two at one moment
	later := now.Add(time.Duration(b.undos%60) * time.Second)
	if err := alerts.TakeBack(ctx, b.real.memory, id, "Dr Payet", later); err != nil {
		b.Fatal(err)
	}
	b.log = append(b.log, "and undoes it")
	after := *b.real.memory.byID(id)
	before.Undo, after.Undo = nil, nil
	if !reflect.DeepEqual(before, after) {
		b.Fatalf("%s\n%s and undone, an alert went from %+v\nto %+v", strings.Join(b.log, "\n"), what, before, after)
	}
	called, recalled := map[string]bool{}, map[string]bool{}
	for _, m := range b.real.memory.messages[messages:] {
		if m.Event == alerts.EventUndone {
			recalled[m.To] = true
		} else if m.Event != alerts.EventDigest {
			called[m.To] = true
		}
	}
	for to := range called {
		if !recalled[to] && before.Level >= protocols.Orange {
			b.Fatalf("%s\n%s heard of the act, and not that it was undone", strings.Join(b.log, "\n"), to)
		}
	}
	b.real.memory.messages = b.real.memory.messages[:messages]
}

// same holds both to the same alerts and the same people told.
func (b *both) same() {
	var want, got []string
	for _, a := range b.plain.alerts {
		want = append(want, fmt.Sprint(a.state, a.level, a.on, " asleep ", a.asleep, " due ", a.due.UTC().Format(time.RFC3339)))
	}
	for _, a := range b.real.memory.alerts {
		got = append(got, fmt.Sprint(a.State, a.Level, a.Active, " asleep ", !a.SnoozedUntil.IsZero(), " due ", a.Next().UTC().Format(time.RFC3339)))
	}
	var told []string
	for _, m := range b.real.memory.messages {
		if m.Channel == alerts.Mail && m.Event != alerts.EventDigest {
			told = append(told, m.Created.Format("02 15:04 ")+strings.TrimSuffix(m.To, "@example.org"))
		}
	}
	if !slices.Equal(want, got) || !slices.Equal(told, b.plain.told) {
		b.Fatalf("%s\nby the specification %s\n                 it is %s\ntold by the specification %s\n                       it is %s",
			strings.Join(b.log, "\n"), strings.Join(want, " | "), strings.Join(got, " | "), strings.Join(b.plain.told, ", "), strings.Join(told, ", "))
	}
}

// TestTheSpecificationOnceMore lets random readings, acts and outages meet.
func TestTheSpecificationOnceMore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		real := newTimeline(t)
		real.directory.care.Team.Systems = nil
		b := &both{T: rt, real: real, plain: &plain{care: real.directory.care}}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			b.now += time.Duration(rapid.SampledFrom([]int{1, 5, 30, 60, 240, 600, 1440, 2000, 4320, 9000, 11000}).Draw(rt, "minutes")) * time.Minute
			b.plain.now = storetest.Morning.Add(b.now).UTC()
			if !rapid.Bool().Draw(rt, "the service is away") { // then it looks at what is due at the next step only
				b.plain.passes()
				real.pass(b.now)
				b.log = append(b.log, fmt.Sprintf("%v time passes", b.now))
			}
			if rapid.IntRange(0, 2).Draw(rt, "a person") == 0 {
				b.act()
			} else {
				b.reading()
			}
			b.same()
		}
	})
}
