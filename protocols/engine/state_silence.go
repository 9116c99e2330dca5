package engine

import (
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

// Listen is Advance after an outage.
func (s *State) Listen(now, heard time.Time, away time.Duration, found []protocols.Finding) ([]protocols.Finding, time.Time) {
	s.now, s.found = now, found
	again := moment.FarFuture
	for i := range s.clusters {
		c := &s.clusters[i]
		for c.due.Before(moment.Over.At(now.UnixNano())) {
			if until := s.listens(c, heard, away); until > now.UnixNano() {
				again = min(again, until)
				break
			}
			s.pass(c, c.due.Next())
		}
	}
	return s.handOver(), moment.Time(again)
}

// listens is until when the service listens before it judges what is next due in a
// cluster; farPast where that is no missing reading.
func (s *State) listens(c *cluster, heard time.Time, away time.Duration) moment.Instant {
	until := moment.FarPast
	for _, i := range c.plan.Rules {
		if a := s.rules[i].absence; a != nil && c.due.Turn == moment.Deadline && a.Due() == c.due.At {
			until = max(until, moment.Of(heard, moment.FarPast)+int64(min(a.Interval(), away)))
		}
	}
	return until
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
