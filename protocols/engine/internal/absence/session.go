package absence

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// sessions are those of a measure of which each reading is one session. What a
// session is to have lies within the grace before or after that reading, which a
// device may take at the beginning or at the end of the session; the session is
// judged when the grace is over.
type sessions struct {
	rule        *protocols.Absence
	grace       int64
	from, until moment.Instant
	pauses      []protocols.Pause

	done     moment.Mark      // sessions whose deadline is not after it were judged before history was read
	pending  []moment.Instant // sessions not yet judged, oldest first
	expected []moment.Instant // the latest readings of what is expected, as many as a session needs
	judged   moment.Instant   // the session judged last
}

func newSessions(rule *protocols.Absence, e *protocols.Enrolment) *sessions {
	return &sessions{
		rule: rule, grace: int64(rule.Cadence.Grace), pauses: e.Pauses,
		from: moment.Of(e.From, moment.FarPast), until: moment.Of(e.Until, moment.FarFuture),
	}
}

func (s *sessions) Restart(done moment.Mark, _ moment.Instant) {
	s.done = done
	s.pending, s.expected = s.pending[:0], s.expected[:0]
}

// Count counts a reading. One of which only the day is known is no session and
// belongs to none: a session is finer than a day.
func (s *sessions) Count(r *protocols.Reading, at moment.Instant, _ *moment.Calendar) {
	if r.DayOnly {
		return
	}
	if s.rule.Takes(r) {
		s.expected = append(s.expected, at)
		if len(s.expected) > s.rule.Cadence.Times {
			s.expected = slices.Delete(s.expected, 0, 1)
		}
	}
	followed := s.from <= at && at <= s.until-s.grace
	if r.Measure == s.rule.Cadence.Of && followed && s.done.Before(moment.Deadline.At(at+s.grace)) {
		s.pending = append(s.pending, at)
	}
}

func (s *sessions) Due() moment.Instant {
	if len(s.pending) == 0 {
		return moment.FarFuture
	}
	return s.next() + s.grace
}

// next is the session to be judged next.
func (s *sessions) next() moment.Instant { return s.pending[0] }

// readings is how many the next session has, and at most as many as it needs.
func (s *sessions) readings() int {
	found := 0
	for _, at := range s.expected {
		if at >= s.next()-s.grace {
			found++
		}
	}
	return found
}

func (s *sessions) judge() (readings int, paused bool) {
	readings = s.readings()
	s.judged = s.next()
	s.pending = slices.Delete(s.pending, 0, 1)
	return readings, pausedWithin(s.pauses, s.judged, s.judged+1)
}

// Ends reports whether a session has all that is expected of it.
func (s *sessions) Ends() bool {
	return len(s.pending) > 0 && s.readings() >= s.rule.Cadence.Times
}

func (s *sessions) back(rounds int) moment.Instant {
	from, _ := s.span(rounds)
	return from
}

// span is that of the session judged last alone: there is no calendar that tells
// when those before it were.
func (s *sessions) span(int) (from, to moment.Instant) {
	return s.judged - s.grace, s.judged + s.grace
}
