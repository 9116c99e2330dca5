package protocols

import (
	"cmp"
	"slices"
	"time"
)

// stretch is a time during which a rule holds by all the readings known: what
// in-order delivery would have made an episode.
type stretch struct {
	start, end instant // end is farFuture while it goes on
	level      int8    // the highest
	rises      []rise
	again      []instant // late readings for which it holds
	latest     instant   // the latest reading for which it holds
}

// rise is a new highest level within a stretch.
type rise struct {
	at    instant
	level int8
	why   *Explanation
}

// Recompute evaluates again from the earliest of the late readings on.
//
// Where each rule stands is found anew; then it is held against what was
// reported. A reported episode stands for one stretch that it overlaps. A
// stretch without one is raised now, one that went higher has risen, one that
// is over has ended. What was reported and should not have been stays reported.
func (s *State) Recompute(late, history []*Reading, now time.Time, found []Finding) []Finding {
	s.now, s.found = now, found
	before := len(found)
	s.late = make(map[identity]bool, len(late))
	since := make([]instant, len(s.clusters))
	for i := range since {
		since[i] = farFuture
	}
	for _, r := range late {
		if place := s.plan.places[r.Measure.Ordinal()]; place >= 0 {
			s.late[identityOf(r)] = true
			cluster := s.plan.measures[place].cluster
			since[cluster] = min(since[cluster], r.Time.UnixNano())
		}
	}
	for i := range s.clusters {
		if since[i] != farFuture {
			s.evaluateAgain(&s.clusters[i], since[i], history)
		}
	}
	s.late = nil
	for i := range s.clusters {
		if since[i] != farFuture {
			s.reconcile(&s.clusters[i], since[i])
		}
	}
	slices.SortStableFunc(s.found[before:], func(a, b Finding) int { return a.At.Compare(b.At) })
	return s.told()
}

// evaluateAgain goes back to where the cluster stood before a moment and
// evaluates from there, as far as it had come.
func (s *State) evaluateAgain(c *cluster, since instant, history []*Reading) {
	reached := c.done
	s.empty(c)
	for _, i := range c.plan.rules {
		s.rules[i].goBack(since)
	}
	c.done = mark{since, turnDayEnd}
	s.await(c, farPast)
	rest := s.feedUntil(c, since, history)
	s.closeBefore(c, mark{since, turnDayEnd})
	s.schedule(c)
	for _, r := range rest {
		if place := s.placeIn(c, r); place >= 0 {
			s.addTo(c, place, r)
		}
	}
	s.pass(c, mark{reached.at, reached.turn + 1})
	if c.done.before(reached) {
		c.done = reached
	}
	c.from = min(c.from, since)
	s.dirty = true
}

// placeIn is the place of a reading's measure when it belongs to the cluster,
// else −1.
func (s *State) placeIn(c *cluster, r *Reading) int {
	place := s.plan.places[r.Measure.Ordinal()]
	if place < 0 || &s.clusters[s.plan.measures[place].cluster] != c {
		return -1
	}
	return place
}

// feedUntil lets the readings before a moment into the windows and returns the
// others.
func (s *State) feedUntil(c *cluster, until instant, history []*Reading) []*Reading {
	done := c.done
	for i, r := range history {
		if r.Time.UnixNano() >= until {
			history = history[i:]
			c.done = done
			return history
		}
		if place := s.placeIn(c, r); place >= 0 {
			s.take(c, place, r)
		}
	}
	c.done = done
	return nil
}

// closeBefore closes the current day if it ended before limit.
func (s *State) closeBefore(c *cluster, limit mark) {
	if c.dayOpen && (mark{c.calendar.startOf(c.day + 1), turnDayEnd}).before(limit) {
		s.closeDay(c)
	}
}

// goBack puts the rule where it stood before a moment.
func (r *ruleState) goBack(since instant) {
	kept := 0
	for kept < len(r.log) && r.log[kept].at < since {
		kept++
	}
	r.standing = r.stood(since)
	r.log = r.log[:kept]
	r.retold = stretchesOf(r.log)
}

// stretchesOf reads from a log when the rule held.
func stretchesOf(log []change) []stretch {
	var found []stretch
	on := false
	for _, now := range log {
		switch {
		case now.level >= 0 && !on:
			found = append(found, stretch{start: now.at, end: farFuture, level: now.level, latest: now.at})
		case now.level >= 0:
			found[len(found)-1].level = max(found[len(found)-1].level, now.level)
		case on:
			found[len(found)-1].end = now.at
		}
		on = now.level >= 0
	}
	return found
}

// record follows a rule while the past is evaluated once more.
func (s *State) record(r *ruleState, before int8, holds bool, o *occasion) {
	if before < 0 {
		if r.level >= 0 {
			r.retold = append(r.retold, stretch{
				start: o.at, end: farFuture, level: r.level, latest: o.at,
				rises: []rise{{o.at, r.level, s.explain(r, o)}},
			})
		}
		return
	}
	now := &r.retold[len(r.retold)-1]
	switch {
	case r.level < 0:
		now.end = o.at
	case r.level > now.level:
		now.level, now.latest = r.level, o.at
		now.rises = append(now.rises, rise{o.at, r.level, s.explain(r, o)})
	case holds && o.reading != nil:
		now.latest = o.at
		if s.late[identityOf(o.reading)] {
			now.again = append(now.again, o.at)
		}
	}
}

// reconcile reports the difference between where the rules of a cluster stand
// and what was reported.
func (s *State) reconcile(c *cluster, since instant) {
	for _, i := range c.plan.rules {
		r := &s.rules[i]
		var fresh []episode
		next := 0 // stretches and episodes both are in order, and each episode is used once
		for j := range r.retold {
			t := &r.retold[j]
			for next < len(r.episodes) && r.episodes[next].start < t.start && !r.episodes[next].overlaps(t) {
				s.overtaken(r, &r.episodes[next], c)
				next++
			}
			switch {
			case next < len(r.episodes) && r.episodes[next].overlaps(t):
				s.amend(r, &r.episodes[next], t)
				next++
			case t.end >= since && t.end >= c.done.at-s.memory():
				fresh = append(fresh, s.announce(r, t))
			}
		}
		for ; next < len(r.episodes); next++ {
			s.overtaken(r, &r.episodes[next], c)
		}
		r.episodes = append(r.episodes, fresh...)
		r.sortEpisodes()
		r.retold = nil
	}
}

// overlaps reports whether an episode and a stretch have a moment in common.
func (e *episode) overlaps(t *stretch) bool {
	return e.start < t.end && t.start < e.end || e.start == t.start
}

// announce reports a stretch that nobody has heard of.
func (s *State) announce(r *ruleState, t *stretch) episode {
	r.name = r.episodeName(t.start)
	for i, up := range t.rises {
		kind := Risen
		if i == 0 {
			kind = Raised
		}
		s.tell(kind, r, up.level, up.at, up.why)
	}
	for _, at := range t.again {
		s.tell(Again, r, t.level, at, nil)
	}
	if t.end != farFuture {
		s.tell(Ended, r, t.level, t.end, nil)
	}
	return episode{start: t.start, end: t.end, level: t.level}
}

// amend reports what a stretch has that its reported episode has not.
func (s *State) amend(r *ruleState, e *episode, t *stretch) {
	r.name = r.episodeName(e.start)
	for _, up := range t.rises {
		if up.level > e.level {
			e.level = up.level
			s.tell(Risen, r, up.level, up.at, up.why)
		}
	}
	for _, at := range t.again {
		s.tell(Again, r, t.level, at, nil)
	}
	switch {
	case t.end == farFuture && e.end != farFuture:
		if len(t.again) == 0 {
			s.tell(Again, r, t.level, t.latest, nil)
		}
		e.end = farFuture
	case t.end != farFuture && (e.end == farFuture || t.end > e.end):
		s.tell(Ended, r, e.level, t.end, nil)
		e.end = t.end
	}
}

// overtaken ends an episode for which, by what is known now, there was no
// reason. It stays reported.
func (s *State) overtaken(r *ruleState, e *episode, c *cluster) {
	if e.end != farFuture {
		return
	}
	e.end = max(e.start, c.done.at)
	r.name = r.episodeName(e.start)
	s.tell(Ended, r, e.level, e.end, nil)
}

// sortEpisodes puts the episodes in order and finds the one that goes on.
func (r *ruleState) sortEpisodes() {
	slices.SortStableFunc(r.episodes, func(a, b episode) int { return cmp.Compare(a.start, b.start) })
	r.open = -1
	if !r.active() {
		return
	}
	for i := range r.episodes {
		if r.episodes[i].end == farFuture {
			r.open, r.name = i, r.episodeName(r.episodes[i].start)
		}
	}
}
