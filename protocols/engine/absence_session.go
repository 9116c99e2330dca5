package engine

import "vigie/protocols"

// sessions are those of a measure of which each reading is one session. What a
// session is to have lies within the grace before or after that reading, which a
// device may take at the beginning or at the end of the session; the session is
// judged when the grace is over.
type sessions struct {
	rule        *protocols.Absence
	grace       int64
	from, until instant
	pauses      []protocols.Pause

	done     mark           // sessions whose deadline is not after it were judged before history was read
	pending  queue[instant] // sessions not yet judged
	expected queue[instant] // the latest readings of what is expected, as many as a session needs
	judged   instant        // the session judged last
}

func newSessions(rule *protocols.Absence, e *protocols.Enrolment) *sessions {
	return &sessions{
		rule: rule, grace: int64(rule.Cadence.Grace), pauses: e.Pauses,
		from: instantOf(e.From, farPast), until: instantOf(e.Until, farFuture),
	}
}

func (s *sessions) restart(done mark, _ instant) {
	s.done = done
	s.pending.clear()
	s.expected.clear()
}

// count counts a reading. One of which only the day is known is no session and
// belongs to none: a session is finer than a day.
func (s *sessions) count(r *protocols.Reading, at instant, _ *wallCalendar) {
	if r.DayOnly {
		return
	}
	if s.rule.Takes(r) {
		s.expected.push(at)
		if s.expected.length() > s.rule.Cadence.Times {
			s.expected.drop()
		}
	}
	followed := s.from <= at && at <= s.until-s.grace
	if r.Measure == s.rule.Cadence.Of && followed && s.done.before(mark{at + s.grace, turnDeadline}) {
		s.pending.push(at)
	}
}

func (s *sessions) due() instant {
	if s.pending.length() == 0 {
		return farFuture
	}
	return s.next() + s.grace
}

// next is the session to be judged next.
func (s *sessions) next() instant { return *s.pending.at(s.pending.head) }

// readings is how many the next session has, and at most as many as it needs.
func (s *sessions) readings() int {
	found := 0
	for place := s.expected.head; place < s.expected.tail; place++ {
		if *s.expected.at(place) >= s.next()-s.grace {
			found++
		}
	}
	return found
}

func (s *sessions) judge() (readings int, paused bool) {
	readings = s.readings()
	s.judged = s.next()
	s.pending.drop()
	return readings, pausedWithin(s.pauses, s.judged, s.judged+1)
}

// ends reports whether a session has all that is expected of it.
func (s *sessions) ends() bool {
	return s.pending.length() > 0 && s.readings() >= s.rule.Cadence.Times
}

// span is that of the session judged last alone: there is no calendar that tells
// when those before it were.
func (s *sessions) span(int) (from, to instant) {
	return s.judged - s.grace, s.judged + s.grace
}
