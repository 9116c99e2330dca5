package engine

import (
	"cmp"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// stretch is a time during which a rule holds by all the readings known: what
// in-order delivery would have made an episode.
type stretch struct {
	start, end moment.Instant // end is farFuture while it goes on
	level      int8           // the highest
	steps      []step         // its rises, the first one being its beginning, and the late readings
	latest     step           // the latest reading for which it holds
}

// step is a reading, the end of a day or a deadline within a stretch.
type step struct {
	at    moment.Instant
	level int8
	late  bool                   // it is a late reading
	why   *protocols.Explanation // set when it reached a new highest level
	by    carried
}

// Recompute evaluates again from the earliest of the late readings on.
//
// Where each rule stands is found anew; then it is held against what was
// reported. A reported episode stands for one stretch that it overlaps. A
// stretch without one is raised now, one that went higher has risen, one that
// is over has ended, one that is not and was reported to be has resumed. What was reported and should not have been stays reported.
func (s *State) Recompute(late, history []*protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	return s.evaluateSince(s.backTo(late), s.news(late, history), history, now, found)
}

// Recall evaluates again from the beginning of the enrolment on: what was measured before
// it has come, and fills the windows of what was measured since.
func (s *State) Recall(past, history []*protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	begins := min(moment.Of(s.enrolment.From, moment.FarPast), now.UnixNano())
	since := s.backTo(past)
	for i := range since {
		if since[i] != moment.FarFuture {
			since[i] = s.beforeUnnamed(&s.clusters[i], max(since[i], begins))
		}
	}
	return s.evaluateSince(since, map[identity]bool{}, history, now, found)
}

// evaluateSince evaluates each cluster again from a moment on, and reports the difference;
// from the far future on, not at all. Of the readings, the late ones are told as such.
func (s *State) evaluateSince(since []moment.Instant, late map[identity]bool, history []*protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	s.now, s.found = now, found
	before := len(found)
	for i := range s.clusters {
		if since[i] != moment.FarFuture {
			s.pass(&s.clusters[i], moment.DayEnd.At(since[i]))
		}
	}
	s.late = late
	for i := range s.clusters {
		if since[i] != moment.FarFuture {
			s.evaluateAgain(&s.clusters[i], since[i], history)
		}
	}
	s.late = nil
	for i := range s.clusters {
		if since[i] != moment.FarFuture {
			s.reconcile(&s.clusters[i], since[i])
		}
	}
	slices.SortStableFunc(s.found[before:], func(a, b protocols.Finding) int { return a.At.Compare(b.At) })
	return s.handOver()
}

// Reach tells from when on Recompute needs history.
func (s *State) Reach(late []*protocols.Reading) time.Time {
	return moment.Time(slices.Min(append(s.backTo(late), moment.FarFuture-1))).Add(-s.lookback)
}

// backTo is, for each cluster, the moment from which late readings make it
// evaluate again; farFuture for one that they do not concern.
func (s *State) backTo(late []*protocols.Reading) []moment.Instant {
	since := make([]moment.Instant, len(s.clusters))
	for i := range since {
		since[i] = moment.FarFuture
	}
	for _, r := range late {
		if place := s.plan.Places[r.Measure.Ordinal()]; place >= 0 {
			cluster := s.plan.Measures[place].Cluster
			since[cluster] = min(since[cluster], r.Time.UnixNano())
		}
	}
	for i := range since {
		if since[i] != moment.FarFuture {
			since[i] = s.beforeUnnamed(&s.clusters[i], since[i])
		}
	}
	return since
}

// beforeUnnamed goes back to before the stretches that go on at a moment and
// that no episode was named after: should they turn out to be episodes of their
// own, it takes an evaluation of their beginning to explain them.
func (s *State) beforeUnnamed(c *cluster, since moment.Instant) moment.Instant {
	for again := true; again; {
		again = false
		for _, i := range c.plan.Rules {
			r := &s.rules[i]
			stretches := stretchesOf(r.before(since))
			if len(stretches) == 0 {
				continue
			}
			if t := &stretches[len(stretches)-1]; t.end == moment.FarFuture && !r.named(stretches) {
				since, again = t.start, true
			}
		}
	}
	return since
}

// named reports whether an episode was reported to begin with the last of the
// stretches, and at its level. The first stretch of a log may have begun before the
// log does; others may have begun at the same moment.
func (r *ruleState) named(stretches []stretch) bool {
	t, nth := &stretches[len(stretches)-1], int16(0)
	for i := range stretches[:len(stretches)-1] {
		if stretches[i].start == t.start {
			nth++
		}
	}
	return slices.ContainsFunc(r.episodes, func(e episode) bool {
		begun := e.names(t) && e.nth >= nth || t.start == r.log[0].at && e.start < t.start && t.start < e.end
		return begun && e.level >= t.level
	})
}

// before is the log up to a moment.
func (r *ruleState) before(since moment.Instant) []change {
	kept := 0
	for kept < len(r.log) && r.log[kept].at < since {
		kept++
	}
	return r.log[:kept]
}

// evaluateAgain goes back to where the cluster stood before a moment and
// evaluates from there, as far as it had come.
func (s *State) evaluateAgain(c *cluster, since moment.Instant, history []*protocols.Reading) {
	reached := c.done
	s.empty(c)
	for _, i := range c.plan.Rules {
		s.rules[i].goBack(since)
	}
	c.done = moment.DayEnd.At(since)
	s.await(c, moment.FarPast)
	rest := s.feedUntil(c, since, history)
	s.closeBefore(c, moment.DayEnd.At(since))
	s.schedule(c)
	for _, r := range rest {
		if place := s.placeIn(c, r); place >= 0 {
			s.addTo(c, place, r)
		}
	}
	s.pass(c, reached.Next())
	if c.done.Before(reached) {
		c.done = reached
	}
	c.from = min(c.from, since)
	s.dirty = true
}

// placeIn is the place of a reading's measure when it belongs to the cluster,
// else −1.
func (s *State) placeIn(c *cluster, r *protocols.Reading) int {
	place := s.plan.Places[r.Measure.Ordinal()]
	if place < 0 || &s.clusters[s.plan.Measures[place].Cluster] != c {
		return -1
	}
	return place
}

// feedUntil lets the readings before a moment into the windows and returns the
// others.
func (s *State) feedUntil(c *cluster, until moment.Instant, history []*protocols.Reading) []*protocols.Reading {
	done := c.done
	for i, r := range history {
		if r.Time.UnixNano() >= until {
			history = history[i:]
			c.done = done
			return history
		}
		if place := s.placeIn(c, r); place >= 0 {
			s.admit(c, place, r)
		}
	}
	c.done = done
	return nil
}

// closeBefore closes the current day if it ended before limit.
func (s *State) closeBefore(c *cluster, limit moment.Mark) {
	if c.dayOpen && moment.DayEnd.At(c.calendar.StartOf(c.day+1)).Before(limit) {
		s.closeDay(c)
	}
}

// goBack puts the rule where it stood before a moment.
func (r *ruleState) goBack(since moment.Instant) {
	r.standing, r.came = r.stood(since), since
	r.log = r.before(since)
	r.retold = stretchesOf(r.log)
}

// stretchesOf reads from a log when the rule held.
func stretchesOf(log []change) []stretch {
	var found []stretch
	on := false
	for _, now := range log {
		switch {
		case now.level >= 0 && !on:
			found = append(found, stretch{start: now.at, end: moment.FarFuture, level: now.level, latest: step{at: now.at, level: now.level}})
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
	if before < 0 && r.level < 0 {
		return
	}
	if before < 0 {
		r.retold = append(r.retold, stretch{start: o.at, end: moment.FarFuture, level: -1})
	}
	t := &r.retold[len(r.retold)-1]
	now := step{at: o.at, level: r.level, late: o.reading != nil && s.late[identityOf(o.reading)], by: s.carried(r, o)}
	switch {
	case r.level < 0:
		t.end = o.at
	case r.level > t.level:
		now.why = s.explain(r, o)
		t.level, t.latest, t.steps = r.level, now, append(t.steps, now)
	case holds && o.reading != nil:
		t.latest = now
		if now.late {
			t.steps = append(t.steps, now)
		}
	}
}

// reconcile reports the difference between where the rules of a cluster stand
// and what was reported.
func (s *State) reconcile(c *cluster, since moment.Instant) {
	for _, i := range c.plan.Rules {
		r := &s.rules[i]
		told := make([]bool, len(r.episodes))
		var fresh []episode
		for j, k := range r.match() {
			t := &r.retold[j]
			if k >= 0 {
				told[k] = true
				s.amend(r, &r.episodes[k], t)
			} else if len(t.steps) > 0 && t.steps[0].why != nil && t.end >= since {
				nth := beganAt(fresh, t.start)
				for _, e := range r.episodes {
					if e.start == t.start {
						nth++
					}
				}
				fresh = append(fresh, s.announce(r, t, nth))
			}
		}
		for k := range told {
			if !told[k] {
				s.overtake(r, &r.episodes[k])
			}
		}
		r.episodes = append(r.episodes, fresh...)
		r.sortEpisodes()
		r.retold = nil
	}
}

// match finds for each stretch the reported episode that stands for it, or −1:
// the one named after it, or else one that overlaps it and stands for no other.
// Among those it takes the one that ends first: stretches come in order, and so
// as many as possible find one. The last stretch, when it goes on, takes the one
// that ends last: an episode that goes on needs no other to resume in its place.
func (r *ruleState) match() []int {
	found := make([]int, len(r.retold))
	for j := range found {
		found[j] = -1
	}
	taken := make([]bool, len(r.episodes))
	for _, fits := range []func(*episode, *stretch) bool{(*episode).names, (*episode).overlaps} {
		for j := range r.retold {
			if found[j] >= 0 {
				continue
			}
			for k := range r.episodes {
				if !taken[k] && fits(&r.episodes[k], &r.retold[j]) && (found[j] < 0 || r.retold[j].prefers(&r.episodes[k], &r.episodes[found[j]])) {
					found[j] = k
				}
			}
			if found[j] >= 0 {
				taken[found[j]] = true
			}
		}
	}
	return found
}

func (t *stretch) prefers(e, other *episode) bool {
	if t.end == moment.FarFuture {
		return e.end > other.end
	}
	return e.end < other.end
}

// names reports whether an episode has the name that a stretch would have.
func (e *episode) names(t *stretch) bool { return e.start == t.start }

// overlaps reports whether an episode and a stretch have a moment in common. The
// end is no part of either, unless it is all of it.
func (e *episode) overlaps(t *stretch) bool {
	if e.start == e.end || t.start == t.end {
		return e.start <= t.end && t.start <= e.end
	}
	return e.start < t.end && t.start < e.end
}

// announce reports a stretch that nobody has heard of.
func (s *State) announce(r *ruleState, t *stretch, nth int16) episode {
	e := episode{start: t.start, end: t.end, level: t.level, nth: nth}
	r.name = r.episodeName(&e)
	for i, now := range t.steps {
		kind := protocols.Again
		switch {
		case i == 0:
			kind = protocols.Raised
		case now.why != nil:
			kind = protocols.Risen
		}
		s.tell(kind, r, now.level, now.at, now.by, now.why)
	}
	if t.end != moment.FarFuture {
		s.tell(protocols.Ended, r, t.level, t.end, carried{}, nil)
	}
	return e
}

// amend reports what a stretch has that its reported episode has not.
func (s *State) amend(r *ruleState, e *episode, t *stretch) {
	r.name = r.episodeName(e)
	risen := false
	for _, now := range t.steps {
		switch {
		case now.level > e.level:
			e.level, risen = now.level, true
			s.tell(protocols.Risen, r, now.level, now.at, now.by, now.why)
		case now.late:
			s.tell(protocols.Again, r, now.level, now.at, now.by, nil)
		}
	}
	switch {
	case t.end == moment.FarFuture && e.end != moment.FarFuture:
		s.tell(protocols.Resumed, r, t.latest.level, t.latest.at, t.latest.by, nil)
		e.end = moment.FarFuture
	case t.end != moment.FarFuture && (e.end == moment.FarFuture || t.end > e.end):
		s.tell(protocols.Ended, r, e.level, t.end, carried{}, nil)
		e.end = t.end
	case t.end != moment.FarFuture && risen:
		s.tell(protocols.Ended, r, e.level, e.end, carried{}, nil) // whoever hears of the rise only now is not to take it for going on
	}
}

// overtake ends an episode for which, by what is known now, there was no
// reason. It stays reported. The end is how far the rule itself has come: what
// other rules wait for does not move it.
func (s *State) overtake(r *ruleState, e *episode) {
	if e.end != moment.FarFuture {
		return
	}
	e.end = max(e.start, r.came)
	r.name = r.episodeName(e)
	s.tell(protocols.Ended, r, e.level, e.end, carried{}, nil)
}

// Forget forgets that episodes which are over were reported.
func (s *State) Forget(untold func(rule, episode string) bool) {
	for i := range s.rules {
		r := &s.rules[i]
		before := len(r.episodes)
		r.episodes = slices.DeleteFunc(r.episodes, func(e episode) bool {
			return e.end != moment.FarFuture && untold(r.plan.Rule.ID, r.episodeName(&e))
		})
		if len(r.episodes) != before {
			r.sortEpisodes()
			s.dirty = true
		}
	}
}

// sortEpisodes puts the episodes in order and finds the one that goes on.
func (r *ruleState) sortEpisodes() {
	slices.SortStableFunc(r.episodes, func(a, b episode) int { return cmp.Compare(a.start, b.start) })
	r.open = -1
	if !r.active() {
		return
	}
	for i := range r.episodes {
		if r.episodes[i].end == moment.FarFuture {
			r.open, r.name = i, r.episodeName(&r.episodes[i])
		}
	}
}
