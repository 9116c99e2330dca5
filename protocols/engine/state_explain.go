package engine

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
	"vigie/protocols/engine/internal/series"
	"vigie/protocols/words"
)

const maxCited = protocols.MostCited

// outcome is how one comparison came out.
type outcome struct {
	figure   series.Figure
	count    int            // readings in the window
	from, to moment.Instant // the window, as it is shown; farPast when there is none
	cites    series.Span    // the readings in it
	truth    truth
	moved    *protocols.Moved
	each     []protocols.Counted
}

// fill puts how it came out into an explanation.
func (o *outcome) fill(c *protocols.Compared) {
	c.From, c.To, c.Count, c.Value, c.Truth = moment.Time(o.from), moment.Time(o.to), o.count, o.figure.Value(), o.truth.public()
	c.Moved, c.Each = o.moved, o.each
}

// explain says why a rule has just reached its level.
func (s *State) explain(r *ruleState, o *occasion) *protocols.Explanation {
	e := s.plan.Protocol.Explanation(r.plan.Rule, s.enrolment.Settings, r.plan.Names[r.level], moment.Time(o.at))
	if a := r.absence; a != nil {
		e.Comparisons = []protocols.Compared{s.missing(r, int(r.level), r.roundsMissing())}
		e.Last = a.Last()
		words.Tell(s.plan.Protocol, &s.enrolment, r.plan.Rule, e)
		return e
	}
	leaves := leavesOf(&r.plan.Levels[r.level], nil)
	own, remarks := len(leaves), s.remarks(r, o)
	for _, i := range remarks {
		leaves = leavesOf(&r.plan.Remarks[i], leaves)
	}
	outs, windows := make([]outcome, len(leaves)), make([]window, 0, len(leaves))
	for i, leaf := range leaves {
		l := s.leaf(leaf)
		outs[i] = l.outcome(o, s)
		windows = append(windows, window{l.gauge.Series.Spec, outs[i].cites, s.enrolment.Zone})
		if other, at := l.gauge.Other(); other != nil {
			windows = append(windows, window{other, at, s.enrolment.Zone})
		}
	}
	e.Readings = s.cite(windows, o)
	came := make([]protocols.Compared, len(leaves))
	for i, leaf := range leaves {
		came[i] = s.compared(s.leaf(leaf).spec.Comparison, outs[i], e.Readings)
	}
	e.Comparisons = came[:own:own]
	words.Tell(s.plan.Protocol, &s.enrolment, r.plan.Rule, e)
	for _, i := range remarks {
		looked := len(leavesOf(&r.plan.Remarks[i], nil))
		e.Remark(words.Remark(s.plan.Protocol, &s.enrolment, &r.plan.Rule.Remarks[i], came[own:own+looked]))
		own += looked
	}
	return e
}

// remarks are those of a rule that are true.
func (s *State) remarks(r *ruleState, o *occasion) (list []int) {
	for i := range r.plan.Remarks {
		if s.truth(&r.plan.Remarks[i], raising, o) == yes {
			list = append(list, i)
		}
	}
	return list
}

// compared is a comparison with how it came out, and the readings behind it.
func (s *State) compared(c *protocols.Comparison, out outcome, readings []protocols.Cited) protocols.Compared {
	p := s.plan.Protocol
	shown := p.Compared(c, s.enrolment.Settings)
	out.fill(&shown)
	shown.LimitBy(readings)
	shown.Sentence = words.Comparison(p, &s.enrolment, c, &shown)
	return shown
}

// missing is how many periods in a row lack a reading, for one level.
func (s *State) missing(r *ruleState, level int, out outcome) protocols.Compared {
	p := s.plan.Protocol
	shown := p.ComparedPeriods(r.absence.Rule, level, s.enrolment.Settings)
	out.fill(&shown)
	shown.Sentence = words.Absence(p, &s.enrolment, r.absence.Rule, &shown)
	return shown
}

// Standing is where one rule stands.
type Standing struct {
	Level    protocols.Level      // NoLevel at rest
	Since    time.Time            // when the episode that goes on began; zero for none
	HeldBy   []string             // rules that hold it back
	YieldsTo []Holder             // rules that hold back what is not graver than they stand
	Asked    []time.Time          // by level: since when a second reading is waited for; zero for none
	Missing  []protocols.Compared // by level of an absence: the rounds in a row that lack a reading
}

// Holder is a rule that another one yields to, and the level at which it stands.
type Holder struct {
	Rule  string
	Level protocols.Level
}

// Standing tells where a rule stands, by its place in the protocol.
func (s *State) Standing(rule int) Standing {
	r := &s.rules[rule]
	var now Standing
	if r.active() {
		now.Level = r.plan.Names[r.level]
	}
	if r.open >= 0 {
		now.Since = moment.Time(r.episodes[r.open].start)
	}
	for _, i := range r.plan.HeldBy {
		if s.rules[i].active() {
			now.HeldBy = append(now.HeldBy, s.rules[i].plan.Rule.ID)
		}
	}
	for _, i := range r.plan.YieldsTo {
		if h := &s.rules[i]; h.active() {
			now.YieldsTo = append(now.YieldsTo, Holder{h.plan.Rule.ID, h.plan.Names[h.level]})
		}
	}
	for i := range r.plan.Names {
		if a := r.absence; a != nil {
			out := r.roundsMissing()
			out.truth = truthOf(a.Reaches(i, int(r.run)))
			now.Missing = append(now.Missing, s.missing(r, i, out))
			continue
		}
		asked := time.Time{}
		if r.waiting[i] != 0 {
			asked = moment.Time(r.waiting[i])
		}
		now.Asked = append(now.Asked, asked)
	}
	return now
}

// carried is what carries a level: the figure of the first sign, and how many there are.
// A sign is a measure, or one of its components, that a comparison which is true is about;
// what only guards is one where there is no other. The zero value is "no figure at hand".
type carried struct {
	figure protocols.Value
	signs  int
}

// carried finds what carries the level at which a rule now stands.
func (s *State) carried(r *ruleState, o *occasion) carried {
	var by carrying
	if r.absence != nil || r.level < 0 {
		return by.carried
	}
	if s.carry(&r.plan.Levels[r.level], o, &by); by.signs == 0 {
		by.guards = true
		s.carry(&r.plan.Levels[r.level], o, &by)
	}
	return by.carried
}

// carrying is what was found so far.
type carrying struct {
	carried
	guards bool // look at what guards
	of     [12]sign
}

type sign struct {
	measure   *protocols.Measure
	component int
	flag      string
}

func (s *State) carry(n *plan.Node, o *occasion, by *carrying) {
	if n.Kind != plan.Compare {
		for i := range n.Kids {
			s.carry(&n.Kids[i], o, by)
		}
		return
	}
	l := s.leaf(n.Leaf)
	c := l.spec.Comparison
	if c.Guards() != by.guards || l.raises(o) != yes {
		return
	}
	is := sign{c.Measure, c.Component, c.Flag}
	if slices.Contains(by.of[:min(by.signs, len(by.of))], is) {
		return
	}
	if by.signs < len(by.of) {
		by.of[by.signs] = is
	}
	if by.signs++; by.signs > 1 {
		return
	}
	if l.Wanted > 0 {
		by.figure = l.figureThen.Value()
		return
	}
	by.figure = l.gauge.Read(o.at, o.number).Value()
}

// leavesOf lists the comparisons of a condition as they are written.
func leavesOf(n *plan.Node, found []int) []int {
	if n.Kind == plan.Compare {
		return append(found, n.Leaf)
	}
	for i := range n.Kids {
		found = leavesOf(&n.Kids[i], found)
	}
	return found
}

// outcome is how a comparison comes out on an occasion.
func (l *leaf) outcome(o *occasion, s *State) outcome {
	out := outcome{truth: l.raises(o)}
	calendar := &s.clusters[s.plan.Rules[l.spec.Rule].Cluster].calendar
	g := l.gauge
	if l.Wanted > 0 {
		if l.day == o.closed {
			out.figure = l.figureThen
		}
		for day := o.closed - l.Wanted + 1; day <= o.closed; day++ {
			out.count += g.Series.OnDay(day)
		}
		out.from, out.to = calendar.StartOf(o.closed-l.Wanted+1), calendar.StartOf(o.closed+1)
		out.cites = series.Span{First: out.from, Last: out.to - 1}
		return out
	}
	out.figure = g.Read(o.at, o.number)
	out.moved = g.Moved(o.at)
	if l.spec.Comparison.Each && out.figure.Known() {
		out.each = g.Each(o.at)
	}
	out.count = int(g.Count)
	out.from, out.to, out.cites = g.Window(o.at)
	return out
}

// window is what an explanation rests on: the readings of a series in a span.
type window struct {
	series *series.Spec
	span   series.Span
	zone   *time.Location // where the patient lives
}

func (w window) holds(r *protocols.Reading) bool {
	at := r.Time.UnixNano()
	_, takes := w.series.Pick(r, w.zone)
	takes = takes && (w.series.Doubted || len(r.Flags) == 0)
	return takes && w.span.First <= at && at <= w.span.Last
}

// cite copies the latest readings that lie in one of the windows.
func (s *State) cite(windows []window, o *occasion) []protocols.Cited {
	var places []int
	for i := range windows {
		if !slices.Contains(places, windows[i].series.Place) {
			places = append(places, windows[i].series.Place)
		}
	}
	var found []*protocols.Reading
	for _, place := range places {
		found = append(found, s.recent[place].readings(s.plan.Measures[place].Measure, s.devices)...)
	}
	return cited(found, windows)
}

// cited shows the latest of the readings that lie in one of the windows, in
// canonical order.
func cited(readings []*protocols.Reading, windows []window) []protocols.Cited {
	inside := slices.DeleteFunc(readings, func(r *protocols.Reading) bool {
		return !slices.ContainsFunc(windows, func(w window) bool { return w.holds(r) })
	})
	slices.SortFunc(inside, (*protocols.Reading).Compare)
	if len(inside) > maxCited {
		inside = inside[len(inside)-maxCited:]
	}
	shown := make([]protocols.Cited, len(inside))
	for i, r := range inside {
		shown[i] = r.Cite()
	}
	return shown
}
