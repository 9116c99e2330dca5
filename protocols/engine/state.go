package engine

import (
	"errors"
	"time"

	"vigie/protocols"
)

// State is the evaluation of one patient under one protocol version. It
// satisfies Evaluator.
//
// Numbers flow one way: a reading goes to the series that take it, from there to
// the gauges that compute statistics, to the leaves that compare them, to the
// rules, which rise and fall between levels.
type State struct {
	plan      *Plan
	enrolment protocols.Enrolment
	fit       *fitted
	lookback  time.Duration

	series   []series
	gauges   []gauge
	memories []leafMemory // by leafSpec.memory
	rules    []ruleState
	clusters []cluster
	recent   []recentReadings // by place in plan.measures
	heard    []heard          // likewise
	guards   []*guard         // likewise; nil where nothing is doubted
	devices  []string         // that readings came from

	dirty   bool
	keptDue instant // Due as of the last snapshot

	// While a call lasts: the clock it was given, and what it has found.
	now   time.Time
	found []protocols.Finding
	late  map[identity]bool // the late readings, while the past is evaluated once more; else nil
}

var _ protocols.Evaluator = (*State)(nil)

// cluster is how far a set of connected rules has come.
type cluster struct {
	plan     *clusterPlan
	calendar wallCalendar
	ready    bool // its windows have their room
	started  bool
	day      protocols.CivilDay // that goes on; meaningful once started
	dayOpen  bool               // a daily comparison has readings of this day and waits for its end
	number   uint64             // of the latest occasion
	done     mark               // up to here everything is evaluated
	latest   identity           // of the latest reading
	from     instant            // from here on, what was loaded fills every window
	due      mark               // the next end of a day or deadline
	stale    bool               // due has to be computed again
}

// identity tells readings of one moment apart, in canonical order.
type identity struct {
	at         instant
	device, id string
}

func identityOf(r *protocols.Reading) identity { return identity{r.Time.UnixNano(), r.Device, r.ID} }

func (i identity) before(other identity) bool {
	if i.at != other.at {
		return i.at < other.at
	}
	if i.device != other.device {
		return i.device < other.device
	}
	return i.id < other.id
}

// mark is a point on a cluster's way through time. At one moment, a day ends
// before readings come, and readings come before a deadline runs out.
type mark struct {
	at   instant
	turn turn
}

type turn uint8

const (
	turnDayEnd turn = iota
	turnReading
	turnDeadline
	turnOver
)

func (m mark) before(other mark) bool {
	return m.at < other.at || m.at == other.at && m.turn < other.turn
}

// For makes the state of one enrolment. Its error says which setting, or what
// else of the enrolment, cannot be used.
func (p *Plan) For(e protocols.Enrolment) (*State, error) {
	if e.Zone == nil {
		return nil, errors.New("the enrolment has no time zone: without one, nobody knows when the patient's days begin")
	}
	fit, err := p.fitting(e.Settings)
	if err != nil {
		return nil, err
	}
	s := &State{
		plan: p, enrolment: e, fit: fit, lookback: fit.lookback, keptDue: farFuture,
		series: make([]series, len(p.series)), gauges: make([]gauge, len(p.gauges)), memories: make([]leafMemory, p.memories),
		rules: make([]ruleState, len(p.rules)), clusters: make([]cluster, len(p.clusters)), recent: make([]recentReadings, len(p.measures)), heard: make([]heard, len(p.measures)), guards: make([]*guard, len(p.measures)),
	}
	for i := range s.guards {
		if fit.guards[i] != nil {
			s.guards[i] = &guard{guardFit: fit.guards[i]}
		}
	}
	for i := range s.series {
		s.series[i].spec, s.series[i].fit = &p.series[i], &fit.series[i]
	}
	for i := range s.gauges {
		g, spec := &s.gauges[i], &p.gauges[i]
		g.spec, g.fit, g.series = spec, &fit.gauges[i], &s.series[spec.series]
		if spec.base >= 0 {
			g.base = &s.series[spec.base]
		}
	}
	for i := range s.rules {
		if err := s.newRule(i); err != nil {
			return nil, err
		}
	}
	for i := range s.clusters {
		c := &s.clusters[i]
		c.plan, c.calendar.zone = &p.clusters[i], e.Zone
		c.done, c.from = mark{farPast, turnDayEnd}, farPast
		s.empty(c)
		s.await(c, farPast)
		s.schedule(c)
	}
	return s, nil
}

// Uses reports whether any rule looks at the measure.
func (s *State) Uses(m *protocols.Measure) bool { return s.plan.places[m.Ordinal()] >= 0 }

// InOrder reports whether Add may take r.
func (s *State) InOrder(r *protocols.Reading) bool {
	place := s.plan.places[r.Measure.Ordinal()]
	if place < 0 {
		return true
	}
	c := &s.clusters[s.plan.measures[place].cluster]
	at := mark{r.Time.UnixNano(), turnReading}
	switch {
	case at.at < c.from || at.before(c.done):
		return false
	case at == c.done:
		return c.latest.before(identityOf(r)) || s.repeats(r, place, at.at)
	}
	return true
}

// Add evaluates one reading and appends what it found.
func (s *State) Add(r *protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	place := s.plan.places[r.Measure.Ordinal()]
	if place < 0 {
		return found
	}
	s.now, s.found = now, found
	s.addTo(&s.clusters[s.plan.measures[place].cluster], place, r)
	return s.handOver()
}

// Advance finds what the passing of time alone has brought.
func (s *State) Advance(now time.Time, found []protocols.Finding) []protocols.Finding {
	s.now, s.found = now, found
	for i := range s.clusters {
		s.pass(&s.clusters[i], mark{now.UnixNano(), turnOver})
	}
	return s.handOver()
}

// handOver returns what a call has found.
func (s *State) handOver() []protocols.Finding {
	found := s.found
	s.found = nil
	return found
}

// Due is the next moment at which Advance may find something.
func (s *State) Due() time.Time { return moment(s.due()) }

func (s *State) due() instant {
	due := farFuture
	for i := range s.clusters {
		due = min(due, s.clusters[i].due.at)
	}
	return due
}

// Dirty reports whether Snapshot would differ from the last one taken.
func (s *State) Dirty() bool { return s.dirty || s.due() != s.keptDue }

// addTo evaluates one reading of a measure of the cluster.
func (s *State) addTo(c *cluster, place int, r *protocols.Reading) {
	at := r.Time.UnixNano()
	s.pass(c, mark{at, turnReading})
	o := s.admit(c, place, r)
	for _, i := range s.plan.measures[place].rules {
		rule := &s.rules[i]
		rule.came = at
		switch {
		case rule.absence != nil:
			if !o.again {
				s.receive(rule, &o)
			}
		case s.touched(rule, &o):
			s.evaluate(rule, &o)
		}
	}
	if c.stale {
		s.schedule(c)
	}
}

// touched reports whether the reading at hand feeds one of the rule's
// comparisons.
func (s *State) touched(rule *ruleState, o *occasion) bool {
	if rule.plan.feeds&o.touched == 0 {
		return false
	}
	for _, i := range rule.plan.series {
		if s.series[i].touched == o.number {
			return true
		}
	}
	return false
}

// admit lets a reading into the windows, without evaluating any rule.
func (s *State) admit(c *cluster, place int, r *protocols.Reading) occasion {
	o := s.occasion(c, r.Time.UnixNano())
	o.reading, o.measure = r, place
	if id, now := identityOf(r), (mark{o.at, turnReading}); c.done != now || c.latest.before(id) {
		c.done, c.latest = now, id
	}
	m := &s.plan.measures[place]
	ignored := m.ignores(r)
	again, counted := s.heard[place].before(r, o.at)
	if !again {
		s.expect(c, m, r, &o)
	}
	if o.again = again; !again || !counted && !ignored {
		s.heard[place].hear(r, o.at, ignored)
	}
	if ignored || counted {
		return o
	}
	says := s.judge(place, r, o.at)
	for _, i := range m.series {
		s.feed(c, i, r, says, &o)
	}
	for _, i := range c.plan.lasting {
		if l := s.leaf(i); l.gauge.series.touched == o.number {
			l.observe(&o)
		}
	}
	s.recent[place].add(r, s.deviceNumber(r.Device), s.citable(m, o.at), says.gap != 0)
	return o
}

// expect lets the absences count a reading. Flags do not matter: the device did
// transmit.
func (s *State) expect(c *cluster, m *measurePlan, r *protocols.Reading, o *occasion) {
	for _, i := range m.rules {
		if a := s.rules[i].absence; a != nil {
			due := a.due()
			a.count(r, o.at, &c.calendar)
			c.stale = c.stale || a.due() != due
		}
	}
}

// feed lets a series take a reading. A doubted one goes to those series alone that tell
// of doubts; one that confirms the reading before lets that one count first.
func (s *State) feed(c *cluster, series int, r *protocols.Reading, says verdict, o *occasion) {
	to := &s.series[series]
	v, takes := to.spec.pick(r)
	switch {
	case !takes:
		return
	case to.spec.doubted:
		to.read, v = v, says.gap
	case says.gap != 0:
		return
	case says.confirmed != protocols.Missing:
		s.push(series, o.at, says.confirmed)
	}
	s.push(series, o.at, v)
	to.touched = o.number
	o.touched |= bitOf(series)
	to.forget(o.at)
	if to.fit.closes && !c.dayOpen {
		c.dayOpen, c.stale = true, true
	}
}

// push adds a number to a series and to what looks at it.
func (s *State) push(series int, at instant, v protocols.Value) {
	to := &s.series[series]
	to.add(at, v)
	for _, i := range s.plan.looking[series] {
		s.gauges[i].add(to.last)
	}
}

// occasion begins a new moment of evaluation.
func (s *State) occasion(c *cluster, at instant) occasion {
	if day := c.calendar.dayOf(at); !c.started || day != c.day {
		s.enter(c, day)
	}
	c.number++
	return occasion{at: at, number: c.number, closed: c.day - 1, measure: -1}
}

// enter begins a civil day.
func (s *State) enter(c *cluster, day protocols.CivilDay) {
	if c.dayOpen {
		s.closeDay(c)
	}
	if !c.ready {
		s.prepare(c)
	}
	c.started, c.day = true, day
	for _, i := range c.plan.series {
		s.series[i].enter(day)
	}
	for _, i := range c.plan.gauges {
		s.gauges[i].enter(day, &c.calendar)
	}
}

// prepare makes the room for the windows of a cluster: a patient who never sends
// a measure takes no memory for it.
func (s *State) prepare(c *cluster) {
	c.ready = true
	for _, i := range c.plan.series {
		s.series[i].prepare()
	}
	for _, i := range c.plan.gauges {
		s.gauges[i].prepare()
	}
}

// closeDay takes into account that the current day is over.
func (s *State) closeDay(c *cluster) occasion {
	c.number++
	o := occasion{at: c.calendar.startOf(c.day + 1), number: c.number, closed: c.day, measure: -1}
	for _, i := range c.plan.daily {
		if l := s.leaf(i); l.gauge.series.days.today.count > 0 {
			l.closeDay(&o)
		}
	}
	c.dayOpen, c.stale = false, true
	return o
}

// pass goes through the ends of days and the deadlines that come before limit.
func (s *State) pass(c *cluster, limit mark) {
	for c.due.before(limit) {
		c.done = c.due
		if c.due.turn == turnDayEnd {
			s.endDay(c)
		} else {
			s.runOut(c)
		}
		s.schedule(c)
	}
}

// endDay evaluates the rules whose daily comparisons got readings on the day
// that is over. A day without readings is silence, and says nothing.
func (s *State) endDay(c *cluster) {
	o := s.closeDay(c)
	for _, i := range c.plan.rules {
		rule := &s.rules[i]
		for _, l := range rule.plan.leaves {
			if leaf := s.leaf(l); leaf.wanted > 0 && leaf.day == o.closed {
				rule.came = o.at
				s.evaluate(rule, &o)
				break
			}
		}
	}
}

// runOut goes through the deadlines of the moment.
func (s *State) runOut(c *cluster) {
	o := s.occasion(c, c.due.at)
	for _, i := range c.plan.rules {
		rule := &s.rules[i]
		if rule.deadline() != o.at {
			continue
		}
		rule.came = o.at
		switch {
		case rule.absence != nil:
			s.judgeRound(rule, &o)
		case rule.plan.confirms:
			s.giveUpWaiting(rule, &o)
		}
	}
}

// schedule computes when the next day ends or deadline runs out.
func (s *State) schedule(c *cluster) {
	c.stale = false
	c.due = mark{farFuture, turnDayEnd}
	if c.dayOpen {
		c.due.at = c.calendar.startOf(c.day + 1)
	}
	for _, i := range c.plan.rules {
		if at := s.rules[i].deadline(); at < c.due.at {
			c.due = mark{at, turnDeadline}
		}
	}
}

// empty forgets every reading of a cluster.
func (s *State) empty(c *cluster) {
	for _, i := range c.plan.series {
		s.series[i].reset()
	}
	for _, i := range c.plan.gauges {
		s.gauges[i].reset()
	}
	for _, i := range c.plan.measures {
		s.recent[i].clear()
		s.heard[i].clear()
		if g := s.guards[i]; g != nil {
			g.reset()
		}
	}
	for _, i := range c.plan.rules {
		for _, l := range s.rules[i].plan.leaves {
			if leaf := s.leaf(l); leaf.leafMemory != nil {
				leaf.reset()
			}
		}
	}
	c.started, c.dayOpen, c.latest = false, false, identity{}
}

// await makes the absences of a cluster wait for what is due after what is
// done, as far as history tells.
func (s *State) await(c *cluster, from instant) {
	for _, i := range c.plan.rules {
		if a := s.rules[i].absence; a != nil {
			a.restart(c.done, from)
		}
	}
}
