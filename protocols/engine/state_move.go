package engine

import (
	"math"
	"slices"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
)

// waits reads, from the rest of a snapshot of another version, since when levels
// wait for a second reading. Whose they are is not told there.
func (d *decoder) waits() (since []moment.Instant) {
	for range d.count(math.MaxInt16) {
		d.moment()
		d.count(int(moment.Deadline))
	}
	for range d.count(math.MaxInt16) {
		now := atRest
		for range d.count(maxChanges) {
			d.moment()
			now = d.standing(plan.MaxLevels)
		}
		for range d.count(math.MaxInt16) {
			d.moment()
			d.moment()
			d.count(plan.MaxLevels)
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
// other one has judged. What it holds confirmed, and the other one did not, for rules
// were held back there, waits on: it was told to nobody.
func (s *State) takeOver(since []moment.Instant, history []*protocols.Reading) {
	first, last := slices.Min(since), slices.Max(since)
	confirmed := make([][plan.MaxLevels]change, len(s.rules))
	for i := range s.clusters {
		c := &s.clusters[i]
		s.empty(c)
		c.done = moment.DayEnd.At(first)
		s.await(c, moment.FarPast)
		rest := s.feedUntil(c, first, history)
		s.closeBefore(c, c.done)
		s.schedule(c)
		for _, r := range rest {
			if place := s.placeIn(c, r); place >= 0 {
				s.addTo(c, place, r)
			}
		}
		for c.due.Before(moment.Reading.At(last)) && !s.givesUp(c) {
			s.pass(c, c.due.Next())
		}
		for _, i := range c.plan.Rules {
			confirmed[i] = s.rules[i].confirmedSince(since)
			s.rules[i].onlyWait(since)
		}
	}
	for _, at := range since {
		if !s.waitsSince(at) {
			for i := range s.rules {
				s.rules[i].waitOn(at, &confirmed[i])
			}
		}
	}
	s.found = nil
}

func (s *State) waitsSince(at moment.Instant) bool {
	return slices.ContainsFunc(s.rules, func(r ruleState) bool { return slices.Contains(r.waiting[:], at) })
}

// confirmedSince is, for each level, where the rule stood when the level waited since one
// of these moments, before it was raised; a zero change for one that was not.
func (r *ruleState) confirmedSince(since []moment.Instant) (was [plan.MaxLevels]change) {
	for i := 1; i < len(r.log); i++ {
		before, now := &r.log[i-1], &r.log[i]
		for j, at := range before.waiting {
			if at != 0 && now.waiting[j] == 0 && int(now.level) >= j && slices.Contains(since, at) {
				was[j] = *before
			}
		}
	}
	return was
}

// waitOn lets levels wait again that did since a moment.
func (r *ruleState) waitOn(at moment.Instant, was *[plan.MaxLevels]change) {
	for j := range was {
		if was[j].waiting[j] != at {
			continue
		}
		r.waiting[j], r.asked[j] = at, was[j].asked[j]
		if n := len(r.log); n > 0 && r.log[n-1].at >= was[j].at {
			r.log[n-1].standing = r.standing
		} else {
			r.log = append(r.log, change{was[j].at, r.standing})
		}
	}
}

// givesUp reports whether the next deadline of a cluster is one by which a second
// reading had to come.
func (s *State) givesUp(c *cluster) bool {
	return c.due.Turn == moment.Deadline && slices.ContainsFunc(c.plan.Rules, func(i int) bool {
		return s.rules[i].plan.Confirms && s.rules[i].deadline() == c.due.At
	})
}

// onlyWait leaves of where a rule stands nothing but what waits since one of these
// moments.
func (r *ruleState) onlyWait(since []moment.Instant) {
	for i := range r.log {
		now := &r.log[i]
		now.level, now.run = -1, 0
		for j, at := range now.waiting {
			if !slices.Contains(since, at) {
				now.waiting[j], now.asked[j] = 0, 0
			}
		}
	}
	r.standing = r.stood(moment.FarFuture)
	if r.standing == atRest {
		r.log = r.log[:0]
	}
	r.episodes, r.open, r.name = r.episodes[:0], -1, ""
}
