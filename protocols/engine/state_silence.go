package engine

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/series"
)

// receive ends the silence.
func (s *State) receive(r *ruleState, o *occasion) {
	if !r.active() || !r.absence.Ends() {
		return
	}
	before := r.standing
	r.run = 0
	s.reach(r, before, -1, false, o)
}

// judgeRound decides on the round whose deadline has come.
func (s *State) judgeRound(r *ruleState, o *occasion) {
	a := r.absence
	before := r.standing
	level := int(r.level)
	if a.Judge() {
		r.run = 0
	} else {
		r.run++
		for target := a.Level(int(r.run), level); target > level; target-- {
			if !s.held(r, target) {
				level = target
			}
		}
	}
	s.reach(r, before, level, false, o)
}

// Listen is Advance while something is on its way.
func (s *State) Listen(now time.Time, coming protocols.OnItsWay, found []protocols.Finding) ([]protocols.Finding, time.Time) {
	s.now, s.found = now, found
	waits, again := false, moment.FarFuture
	for i := range s.clusters {
		c := &s.clusters[i]
		next := s.listen(c, now.UnixNano(), &coming)
		waits, again = waits || next != c.due.At, min(again, next)
	}
	if !waits {
		again = moment.FarFuture
	}
	return s.handOver(), moment.Time(again)
}

// listen goes through what is due in a cluster and not waited for, and returns when
// something is to be done next.
func (s *State) listen(c *cluster, now moment.Instant, coming *protocols.OnItsWay) moment.Instant {
	for c.due.Before(moment.Over.At(now)) {
		if until := s.listens(c, coming); until > now {
			return until
		}
		s.pass(c, c.due.Next())
	}
	return c.due.At
}

// listens is until when the service listens before it judges what is next due in a
// cluster; farPast where nothing of that is on its way.
func (s *State) listens(c *cluster, coming *protocols.OnItsWay) moment.Instant {
	until := moment.FarPast
	if last := moment.Of(coming.Last, moment.FarPast); c.done.At <= last && last < c.due.At && s.looksAtOne(c, coming.Parts) {
		until = moment.Of(coming.Until, moment.FarPast)
	}
	for _, i := range c.plan.Rules {
		if a := s.rules[i].absence; a != nil && c.due.Turn == moment.Deadline && a.Due() == c.due.At {
			until = max(until, moment.Of(coming.Heard, moment.FarPast)+int64(min(a.Interval(), coming.Away)))
		}
	}
	return until
}

// looksAtOne reports whether a cluster looks at one of these measures.
func (s *State) looksAtOne(c *cluster, measures []*protocols.Measure) bool {
	return slices.ContainsFunc(measures, func(m *protocols.Measure) bool {
		place := s.plan.Places[m.Ordinal()]
		return place >= 0 && &s.clusters[s.plan.Measures[place].Cluster] == c
	})
}

// roundsMissing tells the silence of a rule as a comparison: the rounds in a row up to
// the one judged last.
func (r *ruleState) roundsMissing() outcome {
	out := outcome{figure: series.Counted(int64(r.run)), truth: yes, from: moment.FarPast, to: moment.FarPast}
	if r.run > 0 {
		out.from, out.to, out.count = r.absence.Missing(int(r.run))
	}
	return out
}
