package engine

import (
	"math"
	"slices"

	"vigie/protocols"
)

// waits reads, from the rest of a snapshot of another version, since when levels
// wait for a second reading. Whose they are is not told there.
func (d *decoder) waits() (since []instant) {
	for range d.count(math.MaxInt16) {
		d.moment()
		d.count(int(turnDeadline))
	}
	for range d.count(math.MaxInt16) {
		now := atRest
		for range d.count(maxChanges) {
			d.moment()
			now = d.standing(maxLevels)
		}
		for range d.count(math.MaxInt16) {
			d.moment()
			d.moment()
			d.count(maxLevels)
		}
		for _, at := range now.waiting {
			if at != 0 {
				since = append(since, at)
			}
		}
	}
	if d.err != nil {
		return nil
	}
	return since
}

// takeOver lets the levels wait that waited under another version and do so by
// this one as well, since the same moments: the patient may fall silent. This
// version evaluates from the first of them on; all else that it finds there, the
// other one has judged.
func (s *State) takeOver(since []instant, history []*protocols.Reading) {
	first, last := slices.Min(since), slices.Max(since)
	for i := range s.clusters {
		c := &s.clusters[i]
		s.empty(c)
		c.done = mark{first, turnDayEnd}
		s.await(c, farPast)
		rest := s.feedUntil(c, first, history)
		s.closeBefore(c, c.done)
		s.schedule(c)
		for _, r := range rest {
			if place := s.placeIn(c, r); place >= 0 {
				s.addTo(c, place, r)
			}
		}
		for c.due.before(mark{last, turnReading}) && !s.givesUp(c) {
			s.pass(c, mark{c.due.at, c.due.turn + 1})
		}
		for _, i := range c.plan.rules {
			s.rules[i].onlyWait(since)
		}
	}
	s.found = nil
}

// givesUp reports whether the next deadline of a cluster is one by which a second
// reading had to come.
func (s *State) givesUp(c *cluster) bool {
	return c.due.turn == turnDeadline && slices.ContainsFunc(c.plan.rules, func(i int) bool {
		return s.rules[i].plan.confirms && s.rules[i].deadline() == c.due.at
	})
}

// onlyWait leaves of where a rule stands nothing but what waits since one of these
// moments.
func (r *ruleState) onlyWait(since []instant) {
	for i := range r.log {
		now := &r.log[i]
		now.level, now.run = -1, 0
		for j, at := range now.waiting {
			if !slices.Contains(since, at) {
				now.waiting[j], now.asked[j] = 0, 0
			}
		}
	}
	r.standing = r.stood(farFuture)
	if r.standing == atRest {
		r.log = r.log[:0]
	}
	r.episodes, r.open, r.name = r.episodes[:0], -1, ""
}
