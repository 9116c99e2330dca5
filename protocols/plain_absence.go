package protocols

import "time"

// plainAbsence is an absence, and where it stands.
type plainAbsence struct {
	rule    *Absence
	needs   []int // missing rounds in a row for each level
	missing int   // rounds in a row
	periods *periods
	judged  int     // sessions that have been judged
	last    outcome // of the round judged last
}

func (run *plainRun) newAbsence(rule *Absence) (*plainAbsence, error) {
	a, err := newAbsence(run.protocol, rule, run.enrolment)
	if err != nil {
		return nil, err
	}
	s := &plainAbsence{rule: rule, needs: a.needs, periods: newPeriods(rule, run.enrolment)}
	s.periods.restart(mark{farPast, turnDayEnd}, farPast)
	return s, nil
}

// due is when the next civil period or session is judged; farFuture for never.
func (run *plainRun) due(s *plainAbsence) instant {
	if s.rule.Cadence.Per != PerSession {
		return s.periods.due()
	}
	if waiting := run.sessions(s)[s.judged:]; len(waiting) > 0 {
		return waiting[0].Add(s.rule.Cadence.Grace).UnixNano()
	}
	return farFuture
}

// sessions are those seen so far, while the patient was followed.
func (run *plainRun) sessions(s *plainAbsence) []time.Time {
	var found []time.Time
	e := run.enrolment
	for _, r := range run.readings[:run.seen] {
		whole := !r.Time.Before(e.From) && (e.Until.IsZero() || !r.Time.Add(s.rule.Cadence.Grace).After(e.Until))
		if r.Measure == s.rule.Cadence.Of && !r.DayOnly && whole {
			found = append(found, r.Time)
		}
	}
	return found
}

// around counts the readings seen so far that belong to a session.
func (run *plainRun) around(s *plainAbsence, session time.Time) int {
	count := 0
	for _, r := range run.readings[:run.seen] {
		if s.rule.takes(r) && !r.DayOnly && r.Time.Sub(session).Abs() <= s.rule.Cadence.Grace {
			count++
		}
	}
	return count
}

// ends reports whether a reading ends the silence: one with which its period or
// its session has all that is expected.
func (run *plainRun) ends(s *plainAbsence, r *Reading) bool {
	if s.rule.Cadence.Per != PerSession {
		period := s.periods.of(dateOf(r.Time.In(run.enrolment.Zone)))
		return s.rule.takes(r) && run.within(s, period, farFuture) >= s.rule.Cadence.Times
	}
	for _, session := range run.sessions(s)[s.judged:] {
		if run.around(s, session) >= s.rule.Cadence.Times {
			return true
		}
	}
	return false
}

// judge decides whether the civil period or session is missing of which the
// deadline has come.
func (run *plainRun) judge(rule *plainRule, at view) {
	s := rule.absence
	var enough bool
	if s.rule.Cadence.Per == PerSession {
		enough = run.judgeSession(s)
	} else {
		enough = run.judgePeriod(s)
	}
	level := rule.level
	if enough {
		s.missing = 0
	} else {
		s.missing++
		for i, needed := range s.needs {
			if s.missing >= needed && !rule.held() {
				level = max(level, i)
			}
		}
	}
	s.last.figure, s.last.truth = counted(int64(s.missing)), yes
	run.settle(rule, level, false, at)
}

func (run *plainRun) judgeSession(s *plainAbsence) bool {
	session := run.sessions(s)[s.judged]
	s.judged++
	grace := s.rule.Cadence.Grace
	s.last = outcome{count: run.around(s, session), from: session.Add(-grace).UnixNano(), to: session.Add(grace).UnixNano()}
	for _, p := range run.enrolment.Pauses {
		if !session.Before(p.From) && session.Before(p.Until) {
			return true
		}
	}
	return s.last.count >= s.rule.Cadence.Times
}

// within counts the readings seen so far that were measured in a period by a
// moment.
func (run *plainRun) within(s *plainAbsence, period civilDay, by instant) int {
	start, end := s.periods.start(period), s.periods.start(period+s.periods.length())
	count := 0
	for _, r := range run.readings[:run.seen] {
		if t := r.Time.UnixNano(); s.rule.takes(r) && start <= t && t < end && t <= by {
			count++
		}
	}
	return count
}

func (run *plainRun) judgePeriod(s *plainAbsence) bool {
	p := s.periods
	s.last = outcome{count: run.within(s, p.next, p.deadline), from: p.start(p.next - civilDay(s.missing)*p.length()), to: p.start(p.next + p.length())}
	paused := p.paused(p.next)
	p.judge()
	return paused || s.last.count >= s.rule.Cadence.Times
}
