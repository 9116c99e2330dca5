package absence

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// periods are civil days or weeks of the patient.
type periods struct {
	rule        *protocols.Absence
	zone        *time.Location
	from, until moment.Instant
	pauses      []protocols.Pause

	next     protocols.CivilDay // the period to be judged next begins on that day
	deadline moment.Instant     // of that period; farFuture when none is waited for
	counts   []int              // readings in the periods from next on
	judged   int                // readings in the period before, which was judged last
	filled   bool               // the latest reading completes its period
}

func newPeriods(rule *protocols.Absence, e *protocols.Enrolment) *periods {
	return &periods{
		rule: rule, zone: e.Zone, pauses: e.Pauses, deadline: moment.FarFuture,
		from: moment.Of(e.From, moment.FarPast), until: moment.Of(e.Until, moment.FarFuture),
	}
}

// length is that of a period in civil days.
func (p *periods) length() protocols.CivilDay {
	if p.rule.Cadence.Per == protocols.PerWeek {
		return 7
	}
	return 1
}

// of is the first day of the period that a day is in.
func (p *periods) of(day protocols.CivilDay) protocols.CivilDay {
	if p.rule.Cadence.Per == protocols.PerWeek {
		return day.WeekStart()
	}
	return day
}

// first is the first whole period from a moment on.
func (p *periods) first(from moment.Instant) protocols.CivilDay {
	start := p.of(protocols.DateOf(time.Unix(0, from).In(p.zone)))
	if p.start(start) < from {
		start += p.length()
	}
	return start
}

// start is when a period begins.
func (p *periods) start(period protocols.CivilDay) moment.Instant {
	return period.At(p.zone, 0).UnixNano()
}

// deadlineOf is when the readings of a period have to be there.
func (p *periods) deadlineOf(period protocols.CivilDay) moment.Instant {
	end := (period + p.length()).At(p.zone, 0)
	if before := p.rule.Cadence.Before; before > 0 {
		end = (period + p.length() - 1).At(p.zone, before)
	}
	return end.Add(p.rule.Cadence.Grace).UnixNano()
}

// paused reports whether a pause touches a period.
func (p *periods) paused(period protocols.CivilDay) bool {
	return pausedWithin(p.pauses, p.start(period), p.start(period+p.length()))
}

// Restart waits for the first period that is not over, nor began before the
// patient was followed.
func (p *periods) Restart(done moment.Mark, from moment.Instant) {
	p.counts, p.judged = p.counts[:0], 0
	if p.from == moment.FarPast {
		p.deadline = moment.FarFuture // nobody has said since when the patient is followed
		return
	}
	from = max(from, p.from)
	p.next = p.first(from)
	if done.At > from {
		// The deadline may lie some periods after the period it is about.
		late := protocols.CivilDay(p.rule.Cadence.Grace/(24*time.Hour)) + 2*p.length()
		p.next = max(p.next, p.of(protocols.DateOf(time.Unix(0, done.At).In(p.zone))-late))
	}
	for !done.Before(moment.Deadline.At(p.deadlineOf(p.next))) {
		p.next += p.length()
	}
	p.setDeadline()
}

func (p *periods) setDeadline() {
	p.deadline = p.deadlineOf(p.next)
	if p.deadline > p.until {
		p.deadline = moment.FarFuture
	}
}

func (p *periods) Due() moment.Instant { return p.deadline }

// Count counts a reading in its period. What comes after the deadline changes no
// judgement, but may still complete the period.
func (p *periods) Count(r *protocols.Reading, at moment.Instant, calendar *moment.Calendar) {
	p.filled = false
	if p.from == moment.FarPast || !p.rule.Takes(r) {
		return
	}
	place := int((p.of(calendar.DayOf(at)) - p.next) / p.length())
	if place < -1 {
		return // of a period judged before: only history goes back that far
	}
	for len(p.counts) <= place {
		p.counts = append(p.counts, 0)
	}
	count := &p.judged
	if place >= 0 {
		count = &p.counts[place]
	}
	*count++
	p.filled = *count >= p.rule.Cadence.Times
}

func (p *periods) judge() (readings int, paused bool) {
	if len(p.counts) > 0 {
		readings = p.counts[0]
		p.counts = p.counts[:copy(p.counts, p.counts[1:])]
	}
	p.judged, paused = readings, p.paused(p.next)
	p.next += p.length()
	p.setDeadline()
	return readings, paused
}

// Ends reports whether a period has all that is expected of it.
func (p *periods) Ends() bool { return p.filled }

func (p *periods) back(rounds int) moment.Instant {
	period := p.next
	for ; rounds > 0 && p.next-period < protocols.LongestLast; period -= p.length() {
		if !p.paused(period - p.length()) {
			rounds--
		}
	}
	return p.start(period)
}

func (p *periods) span(rounds int) (from, to moment.Instant) {
	return p.start(p.next - protocols.CivilDay(rounds)*p.length()), p.start(p.next)
}
