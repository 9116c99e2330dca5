package protocols

import "slices"

// maxCited is how many readings an explanation shows at most.
const maxCited = 20

// outcome is how one comparison came out.
type outcome struct {
	figure   figure
	count    int     // readings in the window
	from, to instant // the window, as it is shown; farPast when there is none
	cites    span    // the readings in it
	truth    truth
}

// span is a stretch of time, both ends included.
type span struct{ first, last instant }

// explain says why a rule has just reached its level.
func (s *State) explain(r *ruleState, o *occasion) *Explanation {
	e := s.plan.protocol.explanation(r.plan.rule, r.plan.names[r.level], o.at)
	t := teller{s.plan.protocol, &s.enrolment}
	if a := r.absence; a != nil {
		e.Comparisons = []Compared{t.missing(a.rule, int(r.level), a.outcome(int(r.run)))}
		e.Summary = summary(e, []Truth{True})
	} else {
		var windows []window
		for _, i := range leavesOf(&r.plan.levels[r.level], nil) {
			l := s.leaf(i)
			out := l.outcome(o, s)
			e.Comparisons = append(e.Comparisons, t.compared(l.spec.comparison, out))
			windows = append(windows, window{l.gauge.series.spec, out.cites})
		}
		e.Readings = s.cite(windows, o)
		e.Summary = summary(e, r.plan.rule.Levels[r.level].When.speaks(True, False, nil))
	}
	return e
}

// leavesOf lists the comparisons of a condition as they are written.
func leavesOf(n *node, found []int) []int {
	if n.kind == nodeCompare {
		return append(found, n.leaf)
	}
	for i := range n.kids {
		found = leavesOf(&n.kids[i], found)
	}
	return found
}

// outcome is how a comparison comes out on an occasion.
func (l *leaf) outcome(o *occasion, s *State) outcome {
	out := outcome{truth: l.raises(o)}
	calendar := &s.clusters[s.plan.rules[l.spec.rule].cluster].calendar
	g := l.gauge
	if l.wanted > 0 {
		if l.day == o.closed {
			out.figure = l.figureThen
		}
		for day := o.closed - l.wanted + 1; day <= o.closed; day++ {
			out.count += int(g.series.days.on(day).count)
		}
		out.from, out.to = calendar.startOf(o.closed-l.wanted+1), calendar.startOf(o.closed+1)
		out.cites = span{out.from, out.to - 1}
		return out
	}
	out.figure = g.read(o.at, o.number)
	out.count = int(g.count)
	out.from, out.to, out.cites = g.window(o.at)
	return out
}

// window is where the gauge looked: of the latest reading alone, the moment of
// that reading.
func (g *gauge) window(at instant) (from, to instant, cites span) {
	switch {
	case g.days != nil:
		return g.days.start, at, span{g.days.start, at}
	case !g.spec.single:
		return at - g.spec.length, at, span{at - g.spec.length + 1, at}
	case g.count == 0:
		return farPast, farPast, span{0, -1}
	case g.count == 2:
		from = g.series.previous.at
	default:
		from = g.series.last.at
	}
	return from, g.series.last.at, span{from, g.series.last.at}
}

// window is what an explanation rests on: the readings of a series in a span.
type window struct {
	series *seriesSpec
	span   span
}

func (w window) holds(r *Reading) bool {
	at := r.Time.UnixNano()
	_, takes := w.series.pick(r)
	return takes && w.span.first <= at && at <= w.span.last
}

// cite copies the latest readings that lie in one of the windows.
func (s *State) cite(windows []window, o *occasion) []Cited {
	var places []int
	for i := range windows {
		if !slices.Contains(places, windows[i].series.place) {
			places = append(places, windows[i].series.place)
		}
	}
	var found []*Reading
	for _, place := range places {
		found = append(found, s.recent[place].readings(s.plan.measures[place].measure, s.devices)...)
	}
	return cited(found, windows)
}

// cited shows the latest of the readings that lie in one of the windows, in
// canonical order.
func cited(readings []*Reading, windows []window) []Cited {
	inside := slices.DeleteFunc(readings, func(r *Reading) bool {
		return !slices.ContainsFunc(windows, func(w window) bool { return w.holds(r) })
	})
	slices.SortFunc(inside, func(a, b *Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	if len(inside) > maxCited {
		inside = inside[len(inside)-maxCited:]
	}
	shown := make([]Cited, len(inside))
	for i, r := range inside {
		shown[i] = r.cited()
	}
	return shown
}

func (r *Reading) cited() Cited {
	return Cited{ID: r.ID, Device: r.Device, Time: r.Time.UTC(), Measure: r.Measure.ID, Values: namedValues(r)}
}

func namedValues(r *Reading) map[string]Value {
	named := make(map[string]Value, len(r.Values))
	for i, v := range r.Values {
		if v != Missing {
			named[r.Measure.Components[i].Name] = v
		}
	}
	return named
}

// explanation begins an explanation with what the rule says of itself.
func (p *Protocol) explanation(rule *Rule, level Level, at instant) *Explanation {
	return &Explanation{
		Protocol: p.ID, Version: p.Version, Rule: rule.ID, Title: rule.Title, Origin: rule.Origin,
		Level: level, At: moment(at),
	}
}
