package engine

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Strike evaluates again as if readings had never been.
//
// The past is evaluated twice, with them and without. A reported episode that had a
// reason with them, and has none in what is left, is withdrawn; should they come back,
// it is raised anew. One that keeps a reason is revised: to its level, its beginning and
// its explanation without them. What they had ended has resumed, and what they had
// masked is raised. What was reported without a reason before stays reported.
func (s *State) Strike(struck, history []*protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	s.now, s.found = now, found
	first := len(found)
	since := s.backToStruck(struck)
	left := without(history, struck)
	with := make([][]stretch, len(s.rules))
	s.late = map[identity]bool{}
	s.again(since, history)
	for i := range s.rules {
		with[i], s.rules[i].retold = s.rules[i].retold, nil
	}
	s.again(since, left)
	s.late = nil
	for i := range s.clusters {
		if since[i] == moment.FarFuture {
			continue
		}
		for _, rule := range s.clusters[i].plan.Rules {
			s.revise(&revision{ruleState: &s.rules[rule], with: with[rule], since: since[i], horizon: s.clusters[i].done.At - s.memory(), struck: struck})
		}
	}
	slices.SortStableFunc(s.found[first:], func(a, b protocols.Finding) int { return a.At.Compare(b.At) })
	return s.handOver()
}

// without is a history without some of its readings.
func without(history, struck []*protocols.Reading) []*protocols.Reading {
	type name struct {
		identity
		measure *protocols.Measure
	}
	gone := make(map[name]bool, len(struck))
	for _, r := range struck {
		gone[name{identityOf(r), r.Measure}] = true
	}
	return slices.DeleteFunc(slices.Clone(history), func(r *protocols.Reading) bool { return gone[name{identityOf(r), r.Measure}] })
}

// again evaluates each cluster once more from a moment on; from farFuture on, not at all.
func (s *State) again(since []moment.Instant, history []*protocols.Reading) {
	for i := range s.clusters {
		if since[i] != moment.FarFuture {
			s.evaluateAgain(&s.clusters[i], since[i], history)
		}
	}
}

// ReachStruck tells from when on Strike needs history.
func (s *State) ReachStruck(struck []*protocols.Reading) time.Time {
	return moment.Time(slices.Min(append(s.backToStruck(struck), moment.FarFuture-1))).Add(-s.lookback)
}

// backToStruck is, for each cluster, the moment from which readings that are struck out
// make it evaluate again; farFuture for one that they do not concern. It goes back to the
// beginning of the episodes around them, so as to explain those that stay. Beyond what
// the rules remember, it goes back to the beginning of the follow-up.
func (s *State) backToStruck(struck []*protocols.Reading) []moment.Instant {
	since := s.backTo(struck)
	for i := range since {
		if since[i] == moment.FarFuture {
			continue
		}
		c := &s.clusters[i]
		from := since[i]
		for _, rule := range c.plan.Rules {
			for _, e := range s.rules[rule].episodes {
				if e.start < from && (e.end >= from || from-e.start <= int64(lateness)) {
					since[i] = min(since[i], e.start)
				}
			}
		}
		since[i] = s.beforeUnnamed(c, since[i])
		if s.forgotten(c, since[i]) {
			since[i] = min(since[i], moment.Of(s.enrolment.From, moment.FarPast))
		}
	}
	return since
}

// forgotten reports whether a rule of the cluster may no longer know where it stood at a
// moment.
func (s *State) forgotten(c *cluster, at moment.Instant) bool {
	return at < c.done.At-s.memory() || slices.ContainsFunc(c.plan.Rules, func(rule int) bool {
		log := s.rules[rule].log
		return len(log) >= maxChanges && at < log[0].at
	})
}

// revision is a rule of which readings were struck out. Its retold are the stretches
// without them.
type revision struct {
	*ruleState
	with    []stretch // the stretches with them
	since   moment.Instant
	horizon moment.Instant // episodes that ended before it are no longer known
	struck  []*protocols.Reading
	// recalled are the episodes that are known again for as long as this takes.
	recalled []episode
	told     []bool // by episode: a stretch stands for it
	changed  []bool // by episode: it is to be said again
}

// revise reports what was reported and is otherwise without the readings.
func (s *State) revise(r *revision) {
	r.remember()
	r.told, r.changed = make([]bool, len(r.episodes)), make([]bool, len(r.episodes))
	of := make([]*stretch, len(r.episodes))
	var fresh []episode
	for j, k := range r.match() {
		t := &r.retold[j]
		switch {
		case k >= 0:
			r.told[k], of[k] = true, t
			r.changed[k] = s.feeds(r, &r.episodes[k])
			s.amend(r.ruleState, &r.episodes[k], t)
		case t.explained() && t.end >= r.since:
			fresh = append(fresh, s.announce(r.ruleState, t, r.nthAt(fresh, t.start)))
		}
	}
	gone := s.withdraw(r)
	for k := range r.episodes {
		if of[k] != nil {
			s.retell(r, k, of[k])
		}
	}
	r.episodes = slices.DeleteFunc(r.episodes, func(e episode) bool {
		return slices.Contains(gone, e) || e.end < r.horizon && slices.ContainsFunc(r.recalled, func(old episode) bool { return old.start == e.start && old.nth == e.nth })
	})
	r.episodes = append(r.episodes, fresh...)
	r.sortEpisodes()
	r.retold = nil
	s.dirty = true
}

// explained reports whether its beginning was evaluated and can be explained.
func (t *stretch) explained() bool { return len(t.steps) > 0 && t.steps[0].why != nil }

// nthAt is the number of an episode among those that began at a moment.
func (r *ruleState) nthAt(fresh []episode, start moment.Instant) int16 {
	nth := beganAt(fresh, start)
	for _, e := range r.episodes {
		if e.start == start {
			nth++
		}
	}
	return nth
}

// remember takes the episodes up again that ended so long ago that they are no longer known:
// each was reported under the name of its beginning, and what is left of it, or follows on it
// without the readings, is told under that name.
func (r *revision) remember() {
	var before []episode
	for i := range r.with {
		w := &r.with[i]
		e := episode{start: w.start, end: w.end, level: max(w.level, 0), nth: beganAt(before, w.start)}
		before = append(before, e)
		if w.end < r.horizon && !slices.ContainsFunc(r.episodes, func(k episode) bool { return k.names(w) || k.overlaps(w) }) {
			r.recalled = append(r.recalled, e)
		}
	}
	r.episodes = append(r.episodes, r.recalled...)
	r.sortEpisodes()
}

// feeds reports whether one of the readings was measured while an episode lasted.
func (s *State) feeds(r *revision, e *episode) bool {
	return slices.ContainsFunc(r.struck, func(struck *protocols.Reading) bool {
		place, at := s.plan.Places[struck.Measure.Ordinal()], struck.Time.UnixNano()
		return place >= 0 && e.start <= at && at <= e.end && slices.ContainsFunc(s.plan.Measures[place].Rules, func(i int) bool { return &s.rules[i] == r.ruleState })
	})
}

// withdraw reports the episodes for which the readings were the reason, and ends those
// for which there was none anyway. What still holds there is told of by another.
func (s *State) withdraw(r *revision) (gone []episode) {
	for k := range r.episodes {
		e := &r.episodes[k]
		switch {
		case r.told[k]:
		case backed(r.with, e) && !backed(r.retold, e):
			r.name = r.episodeName(e)
			s.tell(protocols.Withdrawn, r.ruleState, e.level, e.start, carried{}, nil)
			r.sayAgainBefore(k)
			if r.numbered(k) {
				e.end = e.start // it stays, so that those that began with it keep their names
				continue
			}
			gone = append(gone, *e)
		default:
			s.overtake(r.ruleState, e)
		}
	}
	return gone
}

// numbered reports whether a later episode began at the same moment.
func (r *ruleState) numbered(k int) bool {
	return k+1 < len(r.episodes) && r.episodes[k+1].start == r.episodes[k].start
}

// sayAgainBefore has the latest episode before one said again: people may have been told
// of it in the words of that one.
func (r *revision) sayAgainBefore(k int) {
	for k--; k >= 0; k-- {
		if r.told[k] {
			r.changed[k] = true
			return
		}
	}
}

// backed reports whether there was a reason for an episode, and for its level.
func backed(stretches []stretch, e *episode) bool {
	return slices.ContainsFunc(stretches, func(t stretch) bool { return e.overlaps(&t) && t.level >= e.level })
}

// retell says of an episode that stays what is otherwise without the readings.
func (s *State) retell(r *revision, k int, t *stretch) {
	e := &r.episodes[k]
	if t.level < e.level && backed(r.with, e) {
		e.level, r.changed[k] = t.level, true
	}
	if !r.changed[k] {
		return
	}
	is := step{at: t.start, by: t.latest.by}
	for _, step := range t.steps {
		if step.why != nil {
			is = step
		}
	}
	r.name = r.episodeName(e)
	s.tell(protocols.Revised, r.ruleState, e.level, t.start, is.by, is.why)
}
