package engine

import (
	"errors"
	"fmt"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/absence"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
	"vigie/protocols/engine/internal/series"
)

// State is the evaluation of one patient under one protocol version. It
// satisfies Evaluator.
//
// Numbers flow one way: a reading goes to the series that take it, from there to
// the gauges that compute statistics, to the leaves that compare them, to the
// rules, which rise and fall between levels.
type State struct {
	plan      *plan.Plan
	enrolment protocols.Enrolment
	fit       *plan.Fitted
	lookback  time.Duration

	series    []series.Series
	gauges    []series.Gauge
	stretches []series.Stretch
	memories  []leafMemory // by Memory of a plan.Leaf
	rules     []ruleState
	clusters  []cluster
	recent    []recentReadings // by place in plan.measures
	heard     []heard          // likewise
	guards    []*series.Guard  // likewise; nil where nothing is doubted
	devices   []string         // that readings came from

	dirty   bool
	keptDue moment.Instant // Due as of the last snapshot

	// While a call lasts: the clock it was given, and what it has found.
	now   time.Time
	found []protocols.Finding
	late  map[identity]bool // the late readings, while the past is evaluated once more; else nil
}

var _ protocols.Evaluator = (*State)(nil)

// cluster is how far a set of connected rules has come.
type cluster struct {
	plan     *plan.Cluster
	calendar moment.Calendar
	ready    bool // its windows have their room
	started  bool
	day      protocols.CivilDay // that goes on; meaningful once started
	dayOpen  bool               // a daily comparison has readings of this day and waits for its end
	several  bool               // the latest moment has told more than one measurement
	number   uint64             // of the latest occasion
	done     moment.Mark        // up to here everything is evaluated
	latest   identity           // of the latest reading
	from     moment.Instant     // from here on, what was loaded fills every window
	due      moment.Mark        // the next end of a day or deadline
	stale    bool               // due has to be computed again
}

// identity tells readings of one moment apart, in canonical order.
type identity struct {
	at         moment.Instant
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

// newState makes the state of one enrolment under a plan.
func newState(p *plan.Plan, e protocols.Enrolment) (*State, error) {
	if e.Zone == nil {
		return nil, errors.New("the enrolment has no time zone: without one, nobody knows when the patient's days begin")
	}
	fit, err := p.Fitting(e.Settings)
	if err != nil {
		return nil, err
	}
	s := &State{
		plan: p, enrolment: e, fit: fit, lookback: fit.Lookback, keptDue: moment.FarFuture,
		series: make([]series.Series, len(p.Series)), gauges: make([]series.Gauge, len(p.Gauges)), stretches: make([]series.Stretch, len(p.Stretches)), memories: make([]leafMemory, p.Memories),
		rules: make([]ruleState, len(p.Rules)), clusters: make([]cluster, len(p.Clusters)), recent: make([]recentReadings, len(p.Measures)), heard: make([]heard, len(p.Measures)), guards: make([]*series.Guard, len(p.Measures)),
	}
	for i := range s.guards {
		if fit.Guards[i] != nil {
			s.guards[i] = series.NewGuard(fit.Guards[i], e.Zone)
		}
	}
	for i := range s.series {
		s.series[i] = series.New(&p.Series[i], &fit.Series[i])
	}
	for i := range s.gauges {
		g, spec := &s.gauges[i], &p.Gauges[i]
		*g = series.NewGauge(spec, &fit.Gauges[i], s.series, s.stretches)
	}
	for i := range s.stretches {
		s.stretches[i] = series.NewStretch(&p.Stretches[i], s.series, s.gauges)
	}
	for i := range s.rules {
		if err := s.newRule(i); err != nil {
			return nil, err
		}
	}
	for i := range s.clusters {
		c := &s.clusters[i]
		c.plan, c.calendar.Zone = &p.Clusters[i], e.Zone
		c.done, c.from = moment.DayEnd.At(moment.FarPast), moment.FarPast
		s.empty(c)
		s.await(c, moment.FarPast)
		s.schedule(c)
	}
	return s, nil
}

// newRule makes rule i ready for an enrolment.
func (s *State) newRule(i int) error {
	r := &s.rules[i]
	r.plan, r.standing, r.open = &s.plan.Rules[i], atRest, -1
	if r.plan.Rule.Absence == nil {
		return nil
	}
	needs, err := s.plan.PeriodsMissing(r.plan.Rule.Absence, s.enrolment.Settings)
	if err != nil {
		return fmt.Errorf("rule %s: %w", r.plan.Rule.ID, err)
	}
	r.absence = absence.New(r.plan.Rule.Absence, &s.enrolment, needs)
	if r.plan.Rule.SaysLast() {
		r.absence.Remember()
	}
	s.lookback = max(s.lookback, r.absence.Reach())
	return nil
}

// Uses reports whether any rule looks at the measure.
func (s *State) Uses(m *protocols.Measure) bool { return s.plan.Places[m.Ordinal()] >= 0 }

// InOrder reports whether Add may take r.
func (s *State) InOrder(r *protocols.Reading) bool {
	place := s.plan.Places[r.Measure.Ordinal()]
	if place < 0 {
		return true
	}
	c := &s.clusters[s.plan.Measures[place].Cluster]
	at := moment.Reading.At(r.Time.UnixNano())
	switch {
	case at.At < c.from || at.Before(c.done):
		return false
	case at == c.done:
		return c.latest.before(identityOf(r)) || !c.several && s.repeats(r, place, at.At)
	}
	return true
}

// Add evaluates one reading and appends what it found.
func (s *State) Add(r *protocols.Reading, now time.Time, found []protocols.Finding) []protocols.Finding {
	place := s.plan.Places[r.Measure.Ordinal()]
	if place < 0 {
		return found
	}
	s.now, s.found = now, found
	s.addTo(&s.clusters[s.plan.Measures[place].Cluster], place, r)
	return s.handOver()
}

// Advance finds what the passing of time alone has brought.
func (s *State) Advance(now time.Time, found []protocols.Finding) []protocols.Finding {
	s.now, s.found = now, found
	for i := range s.clusters {
		s.pass(&s.clusters[i], moment.Over.At(now.UnixNano()))
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
func (s *State) Due() time.Time { return moment.Time(s.due()) }

func (s *State) due() moment.Instant {
	due := moment.FarFuture
	for i := range s.clusters {
		due = min(due, s.clusters[i].due.At)
	}
	return due
}

// Dirty reports whether Snapshot would differ from the last one taken.
func (s *State) Dirty() bool { return s.dirty || s.due() != s.keptDue }

// addTo evaluates one reading of a measure of the cluster.
func (s *State) addTo(c *cluster, place int, r *protocols.Reading) {
	at := r.Time.UnixNano()
	s.pass(c, moment.Reading.At(at))
	o := s.admit(c, place, r)
	for _, i := range s.plan.Measures[place].Rules {
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
	if rule.plan.Feeds&o.touched == 0 || len(s.series) <= plan.Bits {
		return rule.plan.Feeds&o.touched != 0
	}
	for _, i := range rule.plan.Series {
		if s.series[i].Touched == o.number {
			return true
		}
	}
	return false
}

// admit lets a reading into the windows, without evaluating any rule.
func (s *State) admit(c *cluster, place int, r *protocols.Reading) occasion {
	o := s.occasion(c, r.Time.UnixNano())
	o.reading, o.measure = r, place
	m := &s.plan.Measures[place]
	ignored := m.Ignores(r)
	again, counted, told := s.heard[place].before(r, o.at)
	said := m.Says(r)
	c.several = c.latest.at == o.at && (c.several || !again || said != told)
	if id, now := identityOf(r), moment.Reading.At(o.at); c.done != now || c.latest.before(id) {
		c.done, c.latest = now, id
	}
	if !again {
		s.expect(c, m, r, &o)
	}
	if o.again = again; !again || !ignored && (!counted || said&^told != 0) {
		s.heard[place].hear(r, o.at, ignored, said)
	}
	if ignored || counted && said&^told == 0 {
		return o
	}
	says := series.Trusted
	if !counted {
		says = s.judge(place, r, o.at)
	}
	for _, i := range m.Series {
		if !counted || m.LooksAt(s.series[i].Spec, said&^told) {
			s.feed(c, i, r, says, &o)
		}
	}
	for _, i := range c.plan.Lasting {
		if l := s.leaf(i); l.gauge.Series.Touched == o.number {
			l.observe(&o)
		}
	}
	if counted {
		return o
	}
	kept := keptReading{reading: r, device: s.deviceNumber(r.Device), doubted: says.Gap != 0}
	if m.Meals {
		kept.meal = r.Meal()
	}
	s.recent[place].add(kept, s.citable(m, o.at))
	return o
}

// expect lets the absences count a reading. Flags do not matter: the device did
// transmit.
func (s *State) expect(c *cluster, m *plan.Measure, r *protocols.Reading, o *occasion) {
	for _, i := range m.Rules {
		if a := s.rules[i].absence; a != nil {
			due := a.Due()
			a.Count(r, o.at, &c.calendar)
			c.stale = c.stale || a.Due() != due
		}
	}
}

// feed lets a series take a reading. A doubted one goes to those series alone that tell
// of doubts; one that confirms the reading before lets that one count first.
func (s *State) feed(c *cluster, series int, r *protocols.Reading, says series.Verdict, o *occasion) {
	to := &s.series[series]
	v, takes := to.Spec.Pick(r, s.enrolment.Zone)
	switch {
	case !takes:
		return
	case to.Spec.Doubted:
		to.Read, v = v, says.Gap
	case says.Gap != 0:
		return
	case says.Confirmed != protocols.Missing:
		s.push(series, o.at, says.Confirmed)
	}
	s.push(series, o.at, v)
	to.Touched = o.number
	o.touched |= plan.BitOf(series)
	to.Forget(o.at)
	if to.Fit.Closes && !c.dayOpen {
		c.dayOpen, c.stale = true, true
	}
}

// push adds a number to a series and to what looks at it.
func (s *State) push(series int, at moment.Instant, v protocols.Value) {
	to := &s.series[series]
	to.Add(at, v)
	looking := &s.plan.Looking[series]
	for _, i := range looking.Gauges {
		s.gauges[i].Add(to.Last)
	}
	for _, i := range looking.Stretches {
		s.stretches[i].Add(to.Last)
	}
}

// occasion begins a new moment of evaluation.
func (s *State) occasion(c *cluster, at moment.Instant) occasion {
	if day := c.calendar.DayOf(at); !c.started || day != c.day {
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
	for _, i := range c.plan.Series {
		s.series[i].Enter(day)
	}
	for _, i := range c.plan.Gauges {
		s.gauges[i].Enter(day, &c.calendar)
	}
}

// prepare makes the room for the windows of a cluster: a patient who never sends
// a measure takes no memory for it.
func (s *State) prepare(c *cluster) {
	c.ready = true
	for _, i := range c.plan.Series {
		s.series[i].Prepare()
	}
	for _, i := range c.plan.Gauges {
		s.gauges[i].Prepare(s.enrolment.Zone)
	}
}

// closeDay takes into account that the current day is over.
func (s *State) closeDay(c *cluster) occasion {
	c.number++
	o := occasion{at: c.calendar.StartOf(c.day + 1), number: c.number, closed: c.day, measure: -1}
	for _, i := range c.plan.Daily {
		if l := s.leaf(i); l.gauge.Series.Today() {
			l.closeDay(&o)
		}
	}
	c.dayOpen, c.stale = false, true
	return o
}

// pass goes through the ends of days and the deadlines that come before limit.
func (s *State) pass(c *cluster, limit moment.Mark) {
	for c.due.Before(limit) {
		c.done = c.due
		if c.due.Turn == moment.DayEnd {
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
	for _, i := range c.plan.Rules {
		rule := &s.rules[i]
		for _, l := range rule.plan.Leaves {
			if leaf := s.leaf(l); leaf.Wanted > 0 && leaf.day == o.closed {
				rule.came = o.at
				s.evaluate(rule, &o)
				break
			}
		}
	}
}

// runOut goes through the deadlines of the moment.
func (s *State) runOut(c *cluster) {
	o := s.occasion(c, c.due.At)
	for _, i := range c.plan.Rules {
		rule := &s.rules[i]
		if rule.deadline() != o.at {
			continue
		}
		rule.came = o.at
		switch {
		case rule.absence != nil:
			s.judgeRound(rule, &o)
		case rule.plan.Confirms:
			s.giveUpWaiting(rule, &o)
		}
	}
}

// schedule computes when the next day ends or deadline runs out.
func (s *State) schedule(c *cluster) {
	c.stale = false
	c.due = moment.DayEnd.At(moment.FarFuture)
	if c.dayOpen {
		c.due.At = c.calendar.StartOf(c.day + 1)
	}
	for _, i := range c.plan.Rules {
		if at := s.rules[i].deadline(); at < c.due.At {
			c.due = moment.Deadline.At(at)
		}
	}
}

// empty forgets every reading of a cluster.
func (s *State) empty(c *cluster) {
	for _, i := range c.plan.Series {
		s.series[i].Reset()
	}
	for _, i := range c.plan.Gauges {
		s.gauges[i].Reset()
	}
	for _, i := range c.plan.Stretches {
		s.stretches[i].Reset()
	}
	for _, i := range c.plan.Measures {
		s.recent[i].clear()
		s.heard[i].clear()
		if g := s.guards[i]; g != nil {
			g.Reset()
		}
	}
	for _, i := range c.plan.Rules {
		for _, l := range s.rules[i].plan.Leaves {
			if leaf := s.leaf(l); leaf.leafMemory != nil {
				leaf.reset()
			}
		}
	}
	c.started, c.dayOpen, c.several, c.latest = false, false, false, identity{}
}

// await makes the absences of a cluster wait for what is due after what is
// done, as far as history tells.
func (s *State) await(c *cluster, from moment.Instant) {
	for _, i := range c.plan.Rules {
		if a := s.rules[i].absence; a != nil {
			a.Restart(c.done, from)
		}
	}
}

// judge is what the guard of a measure says of a reading.
func (s *State) judge(place int, r *protocols.Reading, at moment.Instant) series.Verdict {
	g := s.guards[place]
	if g == nil || r.DayOnly || len(r.Values) == 0 || r.Values[0] == protocols.Missing {
		return series.Trusted
	}
	return g.Judge(at, r.Values[0], r.Source == protocols.FromProfessional)
}
