package protocols

import (
	"cmp"
	"slices"
	"time"
)

// Plain finds what a protocol finds in a history, the simple way: at every
// moment of evaluation each statistic is computed anew from the readings up to
// then. It is what State must equal, and what a person can check by hand.
//
// History may be in any order; now ends it, and is the clock of every finding.
func Plain(p *Protocol, e Enrolment, history []*Reading, now time.Time) ([]Finding, error) {
	run, err := newPlainRun(p, e, history)
	if err != nil {
		return nil, err
	}
	run.now = now
	run.until(mark{now.UnixNano(), turnOver})
	return run.found, nil
}

// plainRun goes through a history once.
type plainRun struct {
	protocol  *Protocol
	enrolment *Enrolment
	readings  []*Reading // in canonical order
	seen      int        // how many of them have been evaluated
	rules     []*plainRule
	now       time.Time
	found     []Finding
}

// plainRule is a rule and where it stands.
type plainRule struct {
	rule    *Rule
	levels  []Level
	heldBy  []*plainRule
	level   int // −1 for none
	highest int // in this episode
	start   time.Time
	nth     int           // among the episodes that began at start, from 0
	waiting []time.Time   // by level: since when a second reading is waited for
	asked   []*Measure    // of that measure; nil for any
	dayOpen *civilDay     // a day with readings whose end has to be evaluated
	absence *plainAbsence // of an absence; else nil
}

func newPlainRun(p *Protocol, e Enrolment, history []*Reading) (*plainRun, error) {
	plan, err := NewPlan(p)
	if err != nil {
		return nil, err
	}
	if _, err := plan.For(e); err != nil {
		return nil, err
	}
	run := &plainRun{protocol: p, enrolment: &e, readings: slices.Clone(history)}
	slices.SortFunc(run.readings, func(a, b *Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Device, b.Device), cmp.Compare(a.ID, b.ID))
	})
	byID := map[string]*plainRule{}
	for len(run.rules) < len(p.Rules) {
		for i := range p.Rules {
			rule := &p.Rules[i]
			if byID[rule.ID] != nil || slices.ContainsFunc(rule.HeldBy, func(id string) bool { return byID[id] == nil }) {
				continue
			}
			if byID[rule.ID], err = run.newRule(rule); err != nil {
				return nil, err
			}
			for _, id := range rule.HeldBy {
				byID[rule.ID].heldBy = append(byID[rule.ID].heldBy, byID[id])
			}
			run.rules = append(run.rules, byID[rule.ID])
		}
	}
	return run, nil
}

func (run *plainRun) newRule(rule *Rule) (*plainRule, error) {
	r := &plainRule{rule: rule, levels: rule.levels(), level: -1}
	r.waiting = make([]time.Time, len(rule.Levels))
	r.asked = make([]*Measure, len(rule.Levels))
	if rule.Absence == nil {
		return r, nil
	}
	var err error
	r.absence, err = run.newAbsence(rule.Absence)
	return r, err
}

// until evaluates every moment before limit.
func (run *plainRun) until(limit mark) {
	for {
		next := run.nextDeadline()
		if run.seen < len(run.readings) {
			if m := (mark{run.readings[run.seen].Time.UnixNano(), turnReading}); m.before(next) {
				next = m
			}
		}
		if !next.before(limit) {
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
func (run *plainRun) nextDeadline() mark {
	next := mark{farFuture, turnDayEnd}
	sooner := func(m mark) {
		if m.before(next) {
			next = m
		}
	}
	for _, r := range run.rules {
		if r.dayOpen != nil {
			sooner(mark{(*r.dayOpen + 1).at(run.enrolment.Zone, 0).UnixNano(), turnDayEnd})
		}
		if r.absence != nil {
			sooner(mark{run.due(r.absence), turnDeadline})
		}
		for i, since := range r.waiting {
			if !since.IsZero() {
				sooner(mark{since.Add(r.rule.Levels[i].Confirm).UnixNano(), turnDeadline})
			}
		}
	}
	return next
}

// reading evaluates the next reading.
func (run *plainRun) reading() {
	r := run.readings[run.seen]
	run.seen++
	at := run.viewAt(r.Time)
	at.reading = r
	for _, rule := range run.rules {
		if s := rule.absence; s != nil {
			if rule.level >= 0 && run.ends(s, r) {
				s.missing = 0
				run.settle(rule, -1, false, at)
			}
			continue
		}
		used := false
		for i := range rule.rule.Levels {
			rule.rule.Levels[i].When.each(func(c *Comparison) {
				if !at.feeds(c, r) {
					return
				}
				used = true
				if c.daily() {
					rule.dayOpen = &at.today
				}
			})
		}
		if used {
			run.evaluate(rule, at)
		}
	}
}

// each visits the comparisons of a condition as they are written.
func (c *Condition) each(visit func(*Comparison)) {
	switch {
	case c.Compare != nil:
		visit(c.Compare)
	case c.Not != nil:
		c.Not.each(visit)
	}
	for _, list := range [][]Condition{c.All, c.Any} {
		for i := range list {
			list[i].each(visit)
		}
	}
}

// dayEnd evaluates the rules that were waiting for the end of a day.
func (run *plainRun) dayEnd(end instant) {
	for _, rule := range run.rules {
		if rule.dayOpen == nil || (*rule.dayOpen+1).at(run.enrolment.Zone, 0).UnixNano() != end {
			continue
		}
		at := run.viewAt(moment(end))
		at.today, at.closed = *rule.dayOpen, *rule.dayOpen
		rule.dayOpen = nil
		run.evaluate(rule, at)
	}
}

// deadline evaluates what was waited for until that moment.
func (run *plainRun) deadline(end instant) {
	at := run.viewAt(moment(end))
	for _, rule := range run.rules {
		if rule.absence != nil && run.due(rule.absence) == end {
			run.judge(rule, at)
			continue
		}
		level := rule.level
		for i, since := range rule.waiting {
			if since.IsZero() || since.Add(rule.rule.Levels[i].Confirm).UnixNano() != end {
				continue
			}
			rule.waiting[i] = time.Time{}
			if !rule.held() {
				level = max(level, i)
			}
		}
		run.settle(rule, level, false, at)
	}
}

func (r *plainRule) held() bool {
	return slices.ContainsFunc(r.heldBy, func(holder *plainRule) bool { return holder.level >= 0 })
}

// evaluate finds the level of a rule, as State does.
func (run *plainRun) evaluate(r *plainRule, at view) {
	target, holds := -1, false
	for i := range r.rule.Levels {
		is := at.truth(&r.rule.Levels[i].When, raising)
		if i > r.level && r.held() {
			is = no
		}
		holds = holds || is == yes
		if i > r.level && r.rule.Levels[i].Confirm > 0 {
			is = r.confirm(i, is, at)
		}
		if is == yes {
			target = i
		}
	}
	level := r.level
	if target >= level || at.truth(&r.rule.Levels[level].When, holding) == no {
		level = target
	}
	run.settle(r, level, holds && !r.held() && at.reading != nil, at)
}

// confirm asks for a second reading of the same measure.
func (r *plainRule) confirm(level int, is truth, at view) truth {
	waits := !r.waiting[level].IsZero()
	switch {
	case is == no:
		r.waiting[level] = time.Time{}
	case is == yes && !waits:
		r.waiting[level], r.asked[level] = at.at, nil
		if at.reading != nil {
			r.asked[level] = at.reading.Measure
		}
	case is == yes && at.reading != nil && (r.asked[level] == nil || r.asked[level] == at.reading.Measure):
		r.waiting[level] = time.Time{}
		return yes
	}
	return unknown
}

// settle moves the rule to a level and says what that means.
func (run *plainRun) settle(r *plainRule, level int, holds bool, at view) {
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
		run.tell(Raised, r, level, at)
	case level < 0:
		run.tell(Ended, r, r.highest, at)
	case level > r.highest:
		r.highest = level
		run.tell(Risen, r, level, at)
	case holds:
		run.tell(Again, r, level, at)
	}
}

func (run *plainRun) tell(kind FindingKind, r *plainRule, level int, at view) {
	f := Finding{
		Kind: kind, Enrolment: run.enrolment.ID, Patient: run.enrolment.Patient,
		Protocol: run.protocol.ID, Version: run.protocol.Version, Rule: r.rule.ID, Level: r.levels[level],
		Episode: r.rule.episodeName(r.start, r.nth), At: at.at, Found: run.now,
		TooLate: run.protocol.TooLate > 0 && run.now.Sub(at.at) > run.protocol.TooLate,
	}
	if kind == Raised || kind == Risen {
		f.Explanation = run.explain(r, level, at)
	}
	run.found = append(run.found, f)
}

func (run *plainRun) explain(r *plainRule, level int, at view) *Explanation {
	e := run.protocol.explanation(r.rule, r.levels[level], at.at.UnixNano())
	t := teller{run.protocol, run.enrolment}
	if s := r.absence; s != nil {
		e.Comparisons = []Compared{t.missing(s.rule, level, s.last)}
		e.Summary = summary(e, []Truth{True})
	} else {
		when := &r.rule.Levels[level].When
		e.Comparisons, e.Readings = at.compare(when)
		e.Summary = summary(e, when.speaks(True, False, nil))
	}
	return e
}
