package engine

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/series"
)

// absence waits for readings, one round after the other.
type absence struct {
	rule  *protocols.Absence
	needs []int // missing rounds in a row for each level
	rounds
	found int // readings in the round that was judged last
}

// rounds are what an absence judges one after the other, each once: civil
// periods or sessions.
type rounds interface {
	// restart forgets the readings and waits for the first round that comes after
	// what is done, as far back as history tells.
	restart(done moment.Mark, from moment.Instant)
	// count counts a reading of a measure that the absence looks at.
	count(r *protocols.Reading, at moment.Instant, calendar *moment.Calendar)
	// due is the deadline of the round to be judged next; farFuture for none.
	due() moment.Instant
	// judge tells how many readings that round has, and whether a pause takes it
	// out; then it goes on to the next.
	judge() (readings int, paused bool)
	// ends reports whether the reading that was just taken ends the silence: with
	// it, a round has all that is expected of it.
	ends() bool
	// span is that of so many rounds up to the one judged last.
	span(rounds int) (from, to moment.Instant)
}

func newAbsence(p *protocols.Protocol, rule *protocols.Absence, e *protocols.Enrolment) (*absence, error) {
	a := &absence{rule: rule, rounds: newPeriods(rule, e)}
	if rule.Cadence.Per == protocols.PerSession {
		a.rounds = newSessions(rule, e)
	}
	for i := range rule.Missing {
		periods, err := countOf(p, &rule.Missing[i].Periods, e.Settings)
		if err != nil {
			return nil, err
		}
		a.needs = append(a.needs, periods)
	}
	return a, nil
}

// reach is how much history it takes to count the readings of the rounds not
// yet judged.
func reachOfAbsence(a *protocols.Absence) time.Duration {
	switch a.Cadence.Per {
	case protocols.PerSession:
		return 2 * a.Cadence.Grace
	case protocols.PerWeek:
		return moment.Days(7) + a.Cadence.Grace
	}
	return moment.Days(1) + a.Cadence.Grace
}

// receive ends the silence.
func (s *State) receive(r *ruleState, o *occasion) {
	if !r.active() || !r.absence.ends() {
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
	readings, paused := a.judge()
	a.found = readings
	level := int(r.level)
	if readings >= a.rule.Cadence.Times || paused {
		r.run = 0
	} else {
		r.run++
		level = max(level, a.level(int(r.run), s.held(r), level))
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
	for _, i := range c.plan.rules {
		if a := s.rules[i].absence; a != nil && c.due.Turn == moment.Deadline && a.due() == c.due.At {
			until = max(until, moment.Of(heard, moment.FarPast)+int64(min(a.interval(), away)))
		}
	}
	return until
}

// interval is the usual time from one reading to the next; 0 where sessions say when.
func (a *absence) interval() time.Duration {
	cadence := a.rule.Cadence
	switch {
	case cadence.Per == protocols.PerSession || cadence.Times == 0:
		return cadence.Every
	case cadence.Per == protocols.PerWeek:
		return 7 * 24 * time.Hour / time.Duration(cadence.Times)
	}
	return 24 * time.Hour / time.Duration(cadence.Times)
}

// level is the gravest for that many missing rounds in a row.
func (a *absence) level(run int, held bool, level int) int {
	if held {
		return level
	}
	for i, needed := range a.needs {
		if run >= needed {
			level = max(level, i)
		}
	}
	return level
}

// outcome tells the silence as a comparison: the rounds in a row up to the one
// judged last.
func (a *absence) outcome(run int) outcome {
	out := outcome{figure: series.Counted(int64(run)), truth: yes, from: moment.FarPast, to: moment.FarPast}
	if run > 0 {
		out.count = a.found
		out.from, out.to = a.span(run)
	}
	return out
}

// pausedWithin reports whether a pause touches a stretch of time, its end not
// included.
func pausedWithin(pauses []protocols.Pause, start, end moment.Instant) bool {
	return slices.ContainsFunc(pauses, func(p protocols.Pause) bool { return p.From.UnixNano() < end && start < p.Until.UnixNano() })
}
