package protocols

import "time"

// MissingPeriods is what an absence compares: civil days or weeks in a row
// without enough readings. It appears in explanations only.
const MissingPeriods Statistic = "missing-periods"

// absence waits for readings, one civil day or week of the patient after the
// other. Each period is judged once, at its deadline.
type absence struct {
	rule    *Absence
	periods schedule
	needs   []int // missing periods in a row for each level
	next    civilDay
	due     instant // deadline of the period that begins on next
	counts  []int   // readings in the periods from next on
}

// schedule says when the periods of an absence begin, when they are judged and
// which of them count.
type schedule struct {
	cadence     Cadence
	zone        *time.Location
	from, until instant
	pauses      []Pause
}

// length is that of a period in civil days.
func (p *schedule) length() civilDay {
	if p.cadence.Per == PerWeek {
		return 7
	}
	return 1
}

// of is the first day of the period that a day is in.
func (p *schedule) of(day civilDay) civilDay {
	if p.cadence.Per == PerWeek {
		return day.weekStart()
	}
	return day
}

// first is the first whole period from a moment on.
func (p *schedule) first(from instant) civilDay {
	start := p.of(dateOf(time.Unix(0, from).In(p.zone)))
	if p.start(start) < from {
		start += p.length()
	}
	return start
}

// start is when a period begins.
func (p *schedule) start(period civilDay) instant { return period.at(p.zone, 0).UnixNano() }

// deadline is when the readings of a period have to be there.
func (p *schedule) deadline(period civilDay) instant {
	end := (period + p.length()).at(p.zone, 0)
	if p.cadence.Before > 0 {
		end = (period + p.length() - 1).at(p.zone, p.cadence.Before)
	}
	return end.Add(p.cadence.Grace).UnixNano()
}

// paused reports whether a pause touches a period.
func (p *schedule) paused(period civilDay) bool {
	start, end := p.start(period), p.start(period+p.length())
	for i := range p.pauses {
		if p.pauses[i].From.UnixNano() < end && start < p.pauses[i].Until.UnixNano() {
			return true
		}
	}
	return false
}

func newAbsence(p *Protocol, rule *Absence, e *Enrolment) (*absence, error) {
	a := &absence{rule: rule, periods: schedule{
		cadence: rule.Cadence, zone: e.Zone, pauses: e.Pauses,
		from: instantOf(e.From, farPast), until: instantOf(e.Until, farFuture),
	}}
	for i := range rule.Missing {
		periods, err := p.count(&rule.Missing[i].Periods, e.Settings)
		if err != nil {
			return nil, err
		}
		a.needs = append(a.needs, periods)
	}
	a.due = farFuture
	return a, nil
}

// takes reports whether a reading is one that was waited for. Flags do not
// matter: the device did transmit.
func (a *Absence) takes(r *Reading) bool {
	return r.Measure == a.Measure && (a.Variant == 0 || a.Variant == r.Variant)
}

// reach is how much history it takes to count the readings of the periods not
// yet judged.
func (a *absence) reach() time.Duration {
	return days(int(a.periods.length())) + a.rule.Cadence.Grace
}

// restart makes the first period that is not over at a moment, nor began before
// the patient was followed, the next to be judged.
func (a *absence) restart(done mark, from instant) {
	a.counts = a.counts[:0]
	if a.periods.from == farPast {
		a.due = farFuture // nobody has said since when the patient is followed
		return
	}
	from = max(from, a.periods.from)
	a.next = a.periods.first(from)
	if done.at > from {
		// The deadline may lie some periods after the period it is about.
		late := civilDay(a.rule.Cadence.Grace/(24*time.Hour)) + 2*a.periods.length()
		a.next = max(a.next, a.periods.of(dateOf(time.Unix(0, done.at).In(a.periods.zone))-late))
	}
	for !done.before(mark{a.periods.deadline(a.next), turnDeadline}) {
		a.next += a.periods.length()
	}
	a.setDue()
}

func (a *absence) setDue() {
	a.due = a.periods.deadline(a.next)
	if a.due > a.periods.until {
		a.due = farFuture
	}
}

// count counts a reading in its period, unless it comes after the deadline.
func (a *absence) count(r *Reading, at instant, c *cluster) {
	if a.due == farFuture || !a.rule.takes(r) {
		return
	}
	period := a.periods.of(c.calendar.dayOf(at))
	place := int((period - a.next) / a.periods.length())
	if period < a.next {
		return // judged already: what comes after the deadline changes nothing
	}
	for len(a.counts) <= place {
		a.counts = append(a.counts, 0)
	}
	a.counts[place]++
}

// receive ends the silence.
func (s *State) receive(r *ruleState, o *occasion) {
	if !r.active() || !r.absence.rule.takes(o.reading) {
		return
	}
	before := r.standing
	r.run = 0
	s.settle(r, before, -1, false, o)
}

// judgePeriod decides on the period whose deadline has come.
func (s *State) judgePeriod(r *ruleState, o *occasion) {
	a := r.absence
	before := r.standing
	readings := a.counted()
	level := int(r.level)
	if readings >= a.rule.Cadence.Times || a.periods.paused(a.next) {
		r.run = 0
	} else {
		r.run++
		level = max(level, a.level(int(r.run), s.held(r), level))
	}
	s.settle(r, before, level, false, o)
	a.advance()
}

// counted is how many readings the period to be judged has.
func (a *absence) counted() int {
	if len(a.counts) == 0 {
		return 0
	}
	return a.counts[0]
}

// advance goes on to the next period.
func (a *absence) advance() {
	if len(a.counts) > 0 {
		a.counts = a.counts[:copy(a.counts, a.counts[1:])]
	}
	a.next += a.periods.length()
	a.setDue()
}

// level is the gravest for that many missing periods in a row.
func (a *absence) level(run int, held bool, level int) int {
	if held {
		return level
	}
	for i, needed := range a.needs {
		if run >= needed {
			level = max(level, i)
		}
	}
	return level
}

// outcome tells the silence as a comparison: the periods in a row up to the one
// being judged.
func (a *absence) outcome(run int) outcome {
	length := a.periods.length()
	first := a.next - civilDay(max(run, 1)-1)*length
	return outcome{
		figure: counted(int64(run)), count: a.counted(), truth: yes,
		from: a.periods.start(first), to: a.periods.start(a.next + length),
	}
}
