package plain

import (
	"math/big"
	"slices"
	"time"

	"vigie/protocols"
)

// absence is an absence, and where it stands.
type absence struct {
	spec    *protocols.Absence
	needs   []int              // missing rounds in a row for each level
	missing int                // rounds in a row
	judged  int                // sessions that have been judged
	next    protocols.CivilDay // first day of the civil period that is judged next
	last    outcome            // of the round judged last
}

func (run *run) newAbsence(spec *protocols.Absence) *absence {
	s := &absence{spec: spec}
	for i := range spec.Missing {
		s.needs = append(s.needs, int(run.protocol.Value(&spec.Missing[i].Periods, run.enrolment.Settings)/1000))
	}
	if from := run.enrolment.From; s.civil() && !from.IsZero() {
		s.next = s.period(protocols.DateOf(from.In(run.enrolment.Zone)))
		if run.midnight(s.next).Before(from) {
			s.next += s.length()
		}
	}
	return s
}

// civil reports whether the rounds are civil days or weeks, and not sessions.
func (s *absence) civil() bool { return s.spec.Cadence.Per != protocols.PerSession }

// length is that of a civil period, in days.
func (s *absence) length() protocols.CivilDay {
	if s.spec.Cadence.Per == protocols.PerWeek {
		return 7
	}
	return 1
}

// period is the first day of the civil period that a day is in.
func (s *absence) period(day protocols.CivilDay) protocols.CivilDay {
	if s.spec.Cadence.Per == protocols.PerWeek {
		return day.WeekStart()
	}
	return day
}

// due is when the next civil period or session is judged; any is false for never.
func (run *run) due(s *absence) (at time.Time, any bool) {
	if s.civil() {
		at = run.deadlineOf(s)
		until := run.enrolment.Until
		return at, !run.enrolment.From.IsZero() && (until.IsZero() || !at.After(until))
	}
	if waiting := run.sessions(s)[s.judged:]; len(waiting) > 0 {
		return waiting[0].Add(s.spec.Cadence.Grace), true
	}
	return time.Time{}, false
}

// deadlineOf is when the readings of the next civil period have to be there.
func (run *run) deadlineOf(s *absence) time.Time {
	cadence := &s.spec.Cadence
	end := run.midnight(s.next + s.length())
	if cadence.Before > 0 {
		end = (s.next + s.length() - 1).At(run.enrolment.Zone, cadence.Before)
	}
	return end.Add(cadence.Grace).UTC()
}

// sessions are those seen so far, while the patient was followed.
func (run *run) sessions(s *absence) []time.Time {
	var found []time.Time
	e := run.enrolment
	for _, r := range run.received() {
		whole := !r.Time.Before(e.From) && (e.Until.IsZero() || !r.Time.Add(s.spec.Cadence.Grace).After(e.Until))
		if r.Measure == s.spec.Cadence.Of && !r.DayOnly && whole {
			found = append(found, r.Time)
		}
	}
	return found
}

// around counts the readings seen so far that belong to a session.
func (run *run) around(s *absence, session time.Time) int {
	count := 0
	for _, r := range run.received() {
		if s.spec.Takes(r) && !r.DayOnly && r.Time.Sub(session).Abs() <= s.spec.Cadence.Grace {
			count++
		}
	}
	return count
}

// ends reports whether a reading ends the silence: one with which its period or
// its session has all that is expected.
func (run *run) ends(s *absence, r *protocols.Reading) bool {
	if s.civil() {
		period := s.period(protocols.DateOf(r.Time.In(run.enrolment.Zone)))
		return !run.enrolment.From.IsZero() && s.spec.Takes(r) && run.within(s, period, r.Time) >= s.spec.Cadence.Times
	}
	for _, session := range run.sessions(s)[s.judged:] {
		if run.around(s, session) >= s.spec.Cadence.Times {
			return true
		}
	}
	return false
}

// judge decides whether the civil period or session is missing of which the
// deadline has come.
func (run *run) judge(rule *rule, at view) {
	s := rule.absence
	enough := false
	if s.civil() {
		enough = run.judgePeriod(s)
	} else {
		enough = run.judgeSession(s)
	}
	level := rule.level
	if enough {
		s.missing = 0
	} else {
		s.missing++
		for i, needed := range s.needs {
			if s.missing >= needed && !rule.held(i) {
				level = max(level, i)
			}
		}
	}
	s.last.number, s.last.truth = big.NewRat(1000*int64(s.missing), 1), yes
	run.move(rule, level, false, at)
}

func (run *run) judgeSession(s *absence) bool {
	session := run.sessions(s)[s.judged]
	s.judged++
	grace := s.spec.Cadence.Grace
	s.last = outcome{count: run.around(s, session), from: session.Add(-grace), to: session.Add(grace)}
	for _, p := range run.enrolment.Pauses {
		if !session.Before(p.From) && session.Before(p.Until) {
			return true
		}
	}
	return s.last.count >= s.spec.Cadence.Times
}

// within counts the readings seen so far that were measured in a period by a
// moment.
func (run *run) within(s *absence, period protocols.CivilDay, by time.Time) int {
	start, end := run.midnight(period), run.midnight(period+s.length())
	count := 0
	for _, r := range run.received() {
		if s.spec.Takes(r) && !r.Time.Before(start) && r.Time.Before(end) && !r.Time.After(by) {
			count++
		}
	}
	return count
}

// lastBefore is the last reading that was waited for, up to a moment, of the rounds that
// reach the gravest level and the one before them, leaving out those in a pause.
func (run *run) lastBefore(s *absence, at time.Time) (last *protocols.Latest) {
	rounds := 1
	for _, needed := range s.needs {
		rounds = max(rounds, needed+1)
	}
	day := s.next
	for rounds > 0 && s.next-day < protocols.LongestLast {
		day -= s.length()
		if !run.paused(day, day+s.length()) {
			rounds--
		}
	}
	from := run.midnight(day)
	for _, r := range run.received() {
		if s.spec.Takes(r) && !r.Time.Before(from) && !r.Time.After(at) {
			last = r.Latest()
		}
	}
	return last
}

func (run *run) judgePeriod(s *absence) bool {
	end := run.midnight(s.next + s.length())
	s.last = outcome{
		count: run.within(s, s.next, run.deadlineOf(s)),
		from:  run.midnight(s.next - protocols.CivilDay(s.missing)*s.length()), to: end,
	}
	s.next += s.length()
	return run.paused(s.next-s.length(), s.next) || s.last.count >= s.spec.Cadence.Times
}

// paused reports whether a pause touches some civil days.
func (run *run) paused(first, next protocols.CivilDay) bool {
	start, end := run.midnight(first), run.midnight(next)
	return slices.ContainsFunc(run.enrolment.Pauses, func(p protocols.Pause) bool { return p.From.Before(end) && start.Before(p.Until) })
}
