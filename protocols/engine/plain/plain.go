// Package plain finds what a protocol finds in a history, the simple way: at every
// moment of evaluation each statistic is computed anew from the readings up to
// then. The engine must equal it, and a person can check it by hand.
//
// It shares the vocabulary and the sentences with the engine, and none of its
// calculations. What it does not know makes it panic: an oracle that guesses
// would agree with whatever it guessed.
package plain

import (
	"cmp"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/words"
)

// Evaluate finds what a protocol finds in a history. The protocol and the
// enrolment must be ones that engine.NewPlan and Plan.For accept.
//
// History may be in any order; now ends it, and is the clock of every finding.
func Evaluate(p *protocols.Protocol, e protocols.Enrolment, history []*protocols.Reading, now time.Time) []protocols.Finding {
	run := newRun(p, &e, history)
	run.now = now
	run.until(mark{now, turnOver})
	return run.found
}

// run goes through a history once.
type run struct {
	protocol  *protocols.Protocol
	enrolment *protocols.Enrolment
	readings  []*protocols.Reading // in canonical order
	twins     map[*protocols.Reading]twin
	gaps      map[*protocols.Reading]protocols.Value // of doubted readings: how far from the usual
	confirmed map[*protocols.Reading]protocols.Value // of readings that confirm the one before: its value
	seen      int                                    // how many of them have been evaluated
	rules     []*rule
	now       time.Time
	found     []protocols.Finding
}

// rule is a rule and where it stands.
type rule struct {
	spec     *protocols.Rule
	levels   []protocols.Level
	heldBy   []*rule
	yieldsTo []*rule
	level    int // −1 for none
	highest  int // in this episode
	start    time.Time
	nth      int                  // among the episodes that began at start, from 0
	waiting  []time.Time          // by level: since when a second reading is waited for
	asked    []*protocols.Measure // of that measure; nil for any
	dayOpen  *protocols.CivilDay  // a day with readings whose end has to be evaluated
	absence  *absence             // of an absence; else nil
}

// mark is a moment, and what comes first at it: a day ends before readings come,
// and readings come before a deadline runs out.
type mark struct {
	at   time.Time
	turn turn
}

type turn int

const (
	turnDayEnd turn = iota
	turnReading
	turnDeadline
	turnOver
)

func (m mark) before(other mark) bool {
	return m.at.Before(other.at) || m.at.Equal(other.at) && m.turn < other.turn
}

func newRun(p *protocols.Protocol, e *protocols.Enrolment, history []*protocols.Reading) *run {
	run := &run{protocol: p, enrolment: e, readings: slices.Clone(history)}
	slices.SortFunc(run.readings, func(a, b *protocols.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Device, b.Device), cmp.Compare(a.ID, b.ID))
	})
	run.findTwins()
	run.findDoubts()
	byID := map[string]*rule{}
	for len(run.rules) < len(p.Rules) {
		for i := range p.Rules {
			spec := &p.Rules[i]
			if byID[spec.ID] != nil || slices.ContainsFunc(spec.Holders(), func(id string) bool { return byID[id] == nil }) {
				continue
			}
			byID[spec.ID] = run.newRule(spec)
			for _, id := range spec.HeldBy {
				byID[spec.ID].heldBy = append(byID[spec.ID].heldBy, byID[id])
			}
			for _, id := range spec.YieldsTo {
				byID[spec.ID].yieldsTo = append(byID[spec.ID].yieldsTo, byID[id])
			}
			run.rules = append(run.rules, byID[spec.ID])
		}
	}
	return run
}

func (run *run) newRule(spec *protocols.Rule) *rule {
	r := &rule{
		spec: spec, levels: spec.Raises(), level: -1,
		waiting: make([]time.Time, len(spec.Levels)), asked: make([]*protocols.Measure, len(spec.Levels)),
	}
	if spec.Absence != nil {
		r.absence = run.newAbsence(spec.Absence)
	}
	return r
}

// until evaluates every moment before limit.
func (run *run) until(limit mark) {
	for {
		next, waits := run.nextDeadline()
		if run.seen < len(run.readings) {
			if m := (mark{run.readings[run.seen].Time, turnReading}); !waits || m.before(next) {
				next, waits = m, true
			}
		}
		if !waits || !next.before(limit) {
			return
		}
		switch next.turn {
		case turnReading:
			run.reading()
		case turnDayEnd:
			run.dayEnd(next.at)
		default:
			run.deadline(next.at)
		}
	}
}

// nextDeadline is the earliest end of a day or deadline that some rule waits for.
func (run *run) nextDeadline() (next mark, waits bool) {
	sooner := func(at time.Time, turn turn) {
		if m := (mark{at, turn}); !waits || m.before(next) {
			next, waits = m, true
		}
	}
	for _, r := range run.rules {
		if r.dayOpen != nil {
			sooner(run.midnight(*r.dayOpen+1), turnDayEnd)
		}
		if r.absence != nil {
			if due, any := run.due(r.absence); any {
				sooner(due, turnDeadline)
			}
		}
		for i, since := range r.waiting {
			if !since.IsZero() {
				sooner(since.Add(r.spec.Levels[i].Confirm), turnDeadline)
			}
		}
	}
	return next, waits
}

// midnight is when a civil day of the patient begins.
func (run *run) midnight(day protocols.CivilDay) time.Time {
	return day.At(run.enrolment.Zone, 0).UTC()
}

// reading evaluates the next reading.
func (run *run) reading() {
	r := run.readings[run.seen]
	run.seen++
	at := run.viewAt(r.Time)
	at.reading = r
	for _, rule := range run.rules {
		if s := rule.absence; s != nil {
			if rule.level >= 0 && !run.twins[r].again && run.ends(s, r) {
				s.missing = 0
				run.move(rule, -1, false, at)
			}
			continue
		}
		used := false
		rule.spec.Comparisons(func(c *protocols.Comparison) {
			if !at.feeds(c, r) {
				return
			}
			used = true
			if c.Daily() {
				rule.dayOpen = &at.today
			}
		})
		if used {
			run.evaluate(rule, at)
		}
	}
}

// dayEnd evaluates the rules that were waiting for the end of a day.
func (run *run) dayEnd(end time.Time) {
	for _, rule := range run.rules {
		if rule.dayOpen == nil || !run.midnight(*rule.dayOpen+1).Equal(end) {
			continue
		}
		at := run.viewAt(end)
		at.today, at.closed = *rule.dayOpen, *rule.dayOpen
		rule.dayOpen = nil
		run.evaluate(rule, at)
	}
}

// deadline evaluates what was waited for until that moment.
func (run *run) deadline(end time.Time) {
	at := run.viewAt(end)
	for _, rule := range run.rules {
		if rule.absence != nil {
			if due, any := run.due(rule.absence); any && due.Equal(end) {
				run.judge(rule, at)
			}
			continue
		}
		level := rule.level
		for i, since := range rule.waiting {
			if since.IsZero() || !since.Add(rule.spec.Levels[i].Confirm).Equal(end) {
				continue
			}
			rule.waiting[i] = time.Time{}
			if !rule.held(i) {
				level = max(level, i)
			}
		}
		run.move(rule, level, false, at)
	}
}

// held reports whether a level is held back.
func (r *rule) held(level int) bool {
	return slices.ContainsFunc(r.heldBy, func(holder *rule) bool { return holder.level >= 0 }) ||
		slices.ContainsFunc(r.yieldsTo, func(holder *rule) bool {
			return holder.level >= 0 && holder.levels[holder.level] >= r.levels[level]
		})
}

// evaluate finds the level of a rule.
func (run *run) evaluate(r *rule, at view) {
	target, holds := -1, false
	for i := range r.spec.Levels {
		is := at.truth(&r.spec.Levels[i].When, entering)
		if i > r.level && r.held(i) {
			is = no
		}
		holds = holds || is == yes
		if i > r.level && r.spec.Levels[i].Confirm > 0 {
			is = r.confirm(i, is, at)
		}
		if is == yes {
			target = i
		}
	}
	level := r.level
	if target >= level || at.truth(&r.spec.Levels[level].When, staying) == no {
		level = target
	}
	run.move(r, level, holds && level >= 0 && !r.held(level) && at.reading != nil, at)
}

// confirm asks for a second reading of the same measure.
func (r *rule) confirm(level int, is truth, at view) truth {
	waits := !r.waiting[level].IsZero()
	switch {
	case is == no:
		r.waiting[level] = time.Time{}
	case is == yes && !waits:
		r.waiting[level], r.asked[level] = at.at, nil
		if at.reading != nil {
			r.asked[level] = at.reading.Measure
		}
	case at.at.Sub(r.waiting[level]) < r.spec.Levels[level].ConfirmApart:
		return unknown
	case is == yes && at.reading != nil && (r.asked[level] == nil || r.asked[level] == at.reading.Measure):
		r.waiting[level] = time.Time{}
		return yes
	}
	return unknown
}

// move moves the rule to a level and says what that means.
func (run *run) move(r *rule, level int, holds bool, at view) {
	before := r.level
	r.level = level
	for i := range r.waiting {
		if i <= level {
			r.waiting[i] = time.Time{}
		}
	}
	switch {
	case before < 0 && level < 0:
	case before < 0:
		r.nth++
		if !r.start.Equal(at.at) {
			r.nth = 0
		}
		r.start, r.highest = at.at, level
		run.tell(protocols.Raised, r, level, at)
	case level < 0:
		run.tell(protocols.Ended, r, r.highest, at)
	case level > r.highest:
		r.highest = level
		run.tell(protocols.Risen, r, level, at)
	case holds:
		run.tell(protocols.Again, r, level, at)
	}
}

// carriedBy is the value of the first comparison that is true, and of how many measures and
// components some are. What only guards counts where there is nothing else.
func carriedBy(why *protocols.Explanation) (figure protocols.Value, signs int) {
	for _, guards := range []bool{false, true} {
		seen := map[[3]string]bool{}
		for i := range why.Comparisons {
			c := &why.Comparisons[i]
			if c.Truth != protocols.True || c.Guards() != guards {
				continue
			}
			if len(seen) == 0 {
				figure = c.Value
			}
			seen[[3]string{c.Measure, c.Component, c.Flag}] = true
		}
		if len(seen) > 0 {
			return figure, len(seen)
		}
	}
	return 0, 0
}

func (run *run) tell(kind protocols.FindingKind, r *rule, level int, at view) {
	f := protocols.Finding{
		Kind: kind, Enrolment: run.enrolment.ID, Patient: run.enrolment.Patient,
		Protocol: run.protocol.ID, Version: run.protocol.Version, Rule: r.spec.ID, Level: r.levels[level],
		Episode: r.spec.EpisodeName(r.start, r.nth), At: at.at, Found: run.now,
		TooLate: run.protocol.TooLate > 0 && run.now.Sub(at.at) > run.protocol.TooLate,
	}
	if kind != protocols.Ended {
		why := run.explain(r, level, at)
		if r.absence == nil {
			f.Figure, f.Signs = carriedBy(why)
		}
		if kind == protocols.Raised || kind == protocols.Risen {
			f.Explanation = why
		}
	}
	run.found = append(run.found, f)
}

func (run *run) explain(r *rule, level int, at view) *protocols.Explanation {
	e := run.protocol.Explanation(r.spec, run.enrolment.Settings, r.levels[level], at.at)
	if s := r.absence; s != nil {
		missing := run.protocol.ComparedPeriods(s.spec, level, run.enrolment.Settings)
		s.last.fill(&missing)
		missing.Sentence = words.Absence(run.protocol, run.enrolment, s.spec, &missing)
		e.Comparisons = []protocols.Compared{missing}
		if r.spec.SaysLast() {
			e.Last = run.lastBefore(s, at.at)
		}
		words.Tell(run.protocol, run.enrolment, r.spec, e)
		return e
	}
	conditions := []*protocols.Condition{&r.spec.Levels[level].When}
	var remarks []*protocols.Remark
	for i := range r.spec.Remarks {
		if remark := &r.spec.Remarks[i]; at.truth(&remark.When, entering) == yes {
			remarks, conditions = append(remarks, remark), append(conditions, &remark.When)
		}
	}
	came, readings := at.compare(conditions...)
	e.Comparisons, e.Readings = came[0], readings
	words.Tell(run.protocol, run.enrolment, r.spec, e)
	for i, remark := range remarks {
		e.Remark(words.Remark(run.protocol, run.enrolment, remark, came[i+1]))
	}
	return e
}
