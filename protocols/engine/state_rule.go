package engine

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/absence"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
)

// standing is where a rule stands. It is decided by the readings alone, and so
// is the same in whatever order they came.
type standing struct {
	waiting [plan.MaxLevels]moment.Instant // levels that wait for a second reading: since when; 0 for none
	asked   [plan.MaxLevels]int8           // of them: the measure that is to confirm, −1 for any
	run     int16                          // of absence: missing rounds in a row
	level   int8                           // place in the rule's levels; −1 when nothing holds
}

// atRest is where a rule stands before anything has happened.
var atRest = standing{level: -1}

// change is where a rule stood from a moment on.
type change struct {
	at moment.Instant
	standing
}

// episode is a time during which a rule was reported to hold.
type episode struct {
	start, end moment.Instant // end is farFuture while it goes on
	level      int8           // the highest reported
	nth        int16          // among those that began at the same moment, from 0
}

// ruleState is one rule at work. What it has reported can differ from where it
// stands once late readings have changed the past: what was reported is never
// taken back.
type ruleState struct {
	plan    *plan.Rule
	absence *absence.Absence
	standing
	log      []change       // of the standing, oldest first
	episodes []episode      // reported, oldest first
	open     int            // the episode that goes on, or −1
	name     string         // of it
	retold   []stretch      // while the past is evaluated once more
	came     moment.Instant // how far the rule has come by then: the last moment that was its own
}

func (r *ruleState) active() bool { return r.level >= 0 }

// deadline is when the rule next has something to decide without a reading.
func (r *ruleState) deadline() moment.Instant {
	if r.absence != nil {
		return r.absence.Due()
	}
	at := moment.FarFuture
	if r.plan.Confirms {
		for i, since := range r.waiting {
			if since != 0 {
				at = min(at, since+r.plan.Confirm[i])
			}
		}
	}
	return at
}

// held reports whether another rule holds a level of r back.
func (s *State) held(r *ruleState, level int) bool {
	for _, i := range r.plan.HeldBy {
		if s.rules[i].active() {
			return true
		}
	}
	for _, i := range r.plan.YieldsTo {
		if h := &s.rules[i]; h.active() && h.plan.Names[h.level] >= r.plan.Names[level] {
			return true
		}
	}
	return false
}

// evaluate finds the level of a rule on an occasion.
//
// The highest level whose condition is true wins when it is not below the
// current one. Otherwise the current level stays, unless its condition, with
// the clear thresholds, has become false; then the highest level that is true
// takes over, or none.
func (s *State) evaluate(r *ruleState, o *occasion) {
	before := r.standing
	target, holds := -1, false
	for i := len(r.plan.Levels) - 1; i >= 0; i-- {
		above := i > int(r.level)
		is := s.truth(&r.plan.Levels[i], raising, o)
		if above && is != no && s.held(r, i) {
			is = no
		}
		holds = holds || is == yes
		if above && r.plan.Confirm[i] > 0 {
			is = r.confirmed(i, is, o)
		}
		if is == yes {
			target = max(target, i)
			if !r.plan.Confirms {
				break
			}
		}
	}
	level := int(before.level)
	if target >= level || s.truth(&r.plan.Levels[level], holding, o) == no {
		level = target
	}
	if level < 0 && before.level < 0 && s.late == nil && (!r.plan.Confirms || r.waiting == before.waiting) {
		return // at rest, as before
	}
	s.reach(r, before, level, holds && level >= 0 && !s.held(r, level), o)
}

// confirmed asks for a second reading. What is true for the first time begins to wait.
// The next reading of the measure, far enough from the first, confirms or drops it.
func (r *ruleState) confirmed(level int, is truth, o *occasion) truth {
	switch {
	case is == no:
		r.waiting[level] = 0
	case is == yes && r.waiting[level] == 0:
		r.waiting[level], r.asked[level] = o.at, int8(o.measure)
	case is == yes && o.reading != nil && (r.asked[level] < 0 || int(r.asked[level]) == o.measure) && o.at-r.waiting[level] >= r.plan.ConfirmApart[level]:
		r.waiting[level] = 0
		return yes
	}
	return unknown
}

// giveUpWaiting raises the levels for which no second reading has come in time:
// silence resolves nothing.
func (s *State) giveUpWaiting(r *ruleState, o *occasion) {
	before := r.standing
	level := int(r.level)
	for i, since := range r.waiting {
		if since == 0 || since+r.plan.Confirm[i] != o.at {
			continue
		}
		r.waiting[i] = 0
		if !s.held(r, i) {
			level = max(level, i)
		}
	}
	s.reach(r, before, level, false, o)
}

// reach moves the rule to a level and reports what that means.
func (s *State) reach(r *ruleState, before standing, level int, holds bool, o *occasion) {
	if level != int(before.level) || r.plan.Confirms || r.absence != nil {
		s.stand(r, before, level, o.at)
	}
	if s.late != nil {
		s.record(r, before.level, holds, o)
		return
	}
	s.report(r, before.level, holds, o)
}

// stand notes where the rule stands from a moment on, when that is new.
func (s *State) stand(r *ruleState, before standing, level int, at moment.Instant) {
	r.level = int8(level)
	for i := range r.waiting {
		if i <= level {
			r.waiting[i] = 0
		}
		if r.waiting[i] == 0 {
			r.asked[i] = 0
		}
	}
	if r.standing != before {
		r.note(at, s.memory())
		s.dirty = true
		s.clusters[r.plan.Cluster].stale = true
	}
}

// report appends the finding, if there is one.
func (s *State) report(r *ruleState, before int8, holds bool, o *occasion) {
	switch {
	case before < 0 && r.level < 0:
	case before < 0:
		r.begin(o.at, r.level, s.memory())
		s.tell(protocols.Raised, r, r.level, o.at, s.carried(r, o), s.explain(r, o))
	case r.level < 0:
		level := r.episodes[r.open].level
		r.finish(o.at)
		s.tell(protocols.Ended, r, level, o.at, carried{}, nil)
	case r.level > r.episodes[r.open].level:
		r.episodes[r.open].level = r.level
		s.dirty = true
		s.tell(protocols.Risen, r, r.level, o.at, s.carried(r, o), s.explain(r, o))
	case holds && o.reading != nil:
		s.tell(protocols.Again, r, r.level, o.at, s.carried(r, o), nil)
	}
}

// begin opens an episode.
func (r *ruleState) begin(at moment.Instant, level int8, memory int64) {
	r.forgetEpisodes(at - memory)
	e := episode{start: at, end: moment.FarFuture, level: level, nth: beganAt(r.episodes, at)}
	r.episodes = append(r.episodes, e)
	r.open = len(r.episodes) - 1
	r.name = r.episodeName(&e)
}

// finish closes the episode that goes on; its name stays for the finding.
func (r *ruleState) finish(at moment.Instant) {
	r.episodes[r.open].end = at
	r.open = -1
}

// episodeName names an episode after its beginning, as it is known at the time.
func (r *ruleState) episodeName(e *episode) string {
	return r.plan.Rule.EpisodeName(moment.Time(e.start), int(e.nth))
}

// beganAt counts the last episodes that began at a moment.
func beganAt(episodes []episode, at moment.Instant) int16 {
	n := int16(0)
	for _, e := range slices.Backward(episodes) {
		if e.start != at {
			break
		}
		n++
	}
	return n
}

func (s *State) tell(kind protocols.FindingKind, r *ruleState, level int8, at moment.Instant, by carried, why *protocols.Explanation) {
	p := s.plan.Protocol
	when := moment.Time(at)
	s.found = append(s.found, protocols.Finding{
		Kind: kind, Enrolment: s.enrolment.ID, Patient: s.enrolment.Patient,
		Protocol: p.ID, Version: p.Version, Rule: r.plan.Rule.ID, Level: r.plan.Names[level],
		Episode: r.name, At: when, Found: s.now,
		TooLate: p.TooLate > 0 && s.now.Sub(when) > p.TooLate, Figure: by.figure, Signs: by.signs, Explanation: why,
	})
}

// The log goes back as far as late readings are likely to, and no further than
// a rule that never rests can fill.
const (
	lateness   = 35 * 24 * time.Hour
	maxChanges = 512
)

// memory is how long changes and episodes are kept.
func (s *State) memory() int64 { return int64(s.lookback + lateness) }

// note writes down where the rule stands from now on.
func (r *ruleState) note(at moment.Instant, memory int64) {
	dropped := 0
	for rest := r.log; len(rest) > 0; dropped, rest = dropped+1, rest[1:] {
		// One change before the horizon stays, to say where the rule stood
		// there; it need not say that the rule was at rest.
		outdated := len(rest) > 1 && rest[1].at < at-memory
		if !outdated && len(rest) < maxChanges && rest[0].standing != atRest {
			break
		}
	}
	r.log = r.log[:copy(r.log, r.log[dropped:])]
	r.log = append(r.log, change{at, r.standing})
}

// stood is where the rule stood just before a moment.
func (r *ruleState) stood(before moment.Instant) standing {
	for i := len(r.log) - 1; i >= 0; i-- {
		if r.log[i].at < before {
			return r.log[i].standing
		}
	}
	return atRest
}

// forgetEpisodes drops what ended too long ago to be touched by late readings,
// and the oldest of too many.
func (r *ruleState) forgetEpisodes(horizon moment.Instant) {
	dropped := 0
	for dropped < len(r.episodes) && dropped != r.open && (r.episodes[dropped].end < horizon || len(r.episodes)-dropped >= maxChanges) {
		dropped++
	}
	for dropped > 0 && dropped < len(r.episodes) && r.episodes[dropped].nth > 0 {
		dropped-- // those of one moment go together: they are told apart by their number
	}
	r.episodes = r.episodes[:copy(r.episodes, r.episodes[dropped:])]
	if r.open >= 0 {
		r.open -= dropped
	}
}
