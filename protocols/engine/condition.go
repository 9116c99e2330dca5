package engine

import (
	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
	"vigie/protocols/engine/internal/series"
)

// truth is the outcome of a condition inside the engine. Its order is that of
// Kleene's logic: "all" is the lowest of its parts, "any" the highest, "not"
// the opposite.
type truth int8

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

// public is the truth as an explanation shows it.
func (t truth) public() protocols.Truth {
	return [...]protocols.Truth{protocols.False, protocols.NotEnough, protocols.True}[t+1]
}

func truthOf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// mode says what a condition is asked: whether it is so (to start or rise), or
// whether it is still so (to stay), with the clear thresholds.
type mode bool

const (
	raising mode = false
	holding mode = true
)

// occasion is one moment at which rules are evaluated.
type occasion struct {
	at      moment.Instant
	number  uint64             // grows with every occasion of a cluster: what was computed for one holds within it
	closed  protocols.CivilDay // the latest day that is over
	reading *protocols.Reading // what caused it; nil for the end of a day or a deadline
	measure int                // of the reading, in Plan.measures
	again   bool               // the reading tells a measurement that was told before
	touched uint64             // a bit for each series that took the reading, see bitOf
}

func (s *State) truth(n *plan.Node, m mode, o *occasion) truth {
	switch n.Kind {
	case plan.Compare:
		return s.compare(n, m, o)
	case plan.Not:
		return -s.truth(&n.Kids[0], !m, o)
	case plan.All:
		result := yes
		for i := range n.Kids {
			if result = min(result, s.part(&n.Kids[i], m, o)); result == no {
				break
			}
		}
		return result
	case plan.Any:
		result := no
		for i := range n.Kids {
			if result = max(result, s.part(&n.Kids[i], m, o)); result == yes {
				break
			}
		}
		return result
	case plan.Of:
		return s.some(n, m, o)
	}
	return s.score(n, m, o)
}

// part is the truth of a part: most are comparisons, and go straight there.
func (s *State) part(n *plan.Node, m mode, o *occasion) truth {
	if n.Kind == plan.Compare {
		return s.compare(n, m, o)
	}
	return s.truth(n, m, o)
}

// compare is what a comparison comes to. One that remembers nothing is its gauge and its
// limits alone.
func (s *State) compare(n *plan.Node, m mode, o *occasion) truth {
	if n.Gauge < 0 {
		l := s.leaf(n.Leaf)
		if m == holding {
			return l.holds(o)
		}
		return l.raises(o)
	}
	limits, f := &s.fit.Leaves[n.Leaf].Limits, s.gauges[n.Gauge].Read(o.at, o.number)
	if m == holding {
		return keeps(limits, f)
	}
	return reaches(limits, f)
}

// some is yes when enough kids are, and no when no longer enough can be.
func (s *State) some(n *plan.Node, m mode, o *occasion) truth {
	so, open := 0, 0
	for i := range n.Kids {
		switch s.truth(&n.Kids[i], m, o) {
		case yes:
			so++
		case unknown:
			open++
		}
	}
	switch {
	case so >= n.Many:
		return yes
	case so+open < n.Many:
		return no
	}
	return unknown
}

// score is yes when the parts that are true have enough points, and no when no longer
// enough can come together.
func (s *State) score(n *plan.Node, m mode, o *occasion) truth {
	score, takes := s.plan.Scores[n.Leaf], s.fit.Scores[n.Leaf].Enter
	if m == holding {
		takes = s.fit.Scores[n.Leaf].Stay
	}
	sum, open := protocols.Value(0), protocols.Value(0)
	for i := range n.Kids {
		switch s.truth(&n.Kids[i], m, o) {
		case yes:
			sum += score.Parts[i].Points
		case unknown:
			open += score.Parts[i].Points
		}
	}
	switch {
	case sum >= takes:
		return yes
	case sum+open < takes:
		return no
	}
	return unknown
}

// leaf is one comparison at work.
type leaf struct {
	spec *plan.Leaf
	*plan.LeafFit
	gauge       *series.Gauge
	*leafMemory // nil when the windows are enough
}

// reaches compares with the threshold.
func reaches(l *plan.Limits, f series.Figure) truth {
	if !f.Known() {
		return unknown
	}
	side := f.Compare(l.Threshold)
	switch l.Operator {
	case protocols.Above:
		return truthOf(side > 0)
	case protocols.AtLeast:
		return truthOf(side >= 0)
	case protocols.Below:
		return truthOf(side < 0)
	}
	return truthOf(side <= 0)
}

// keeps compares with the clear threshold, which has to be passed to leave: with
// "above 60, clear 50", 50 is still in and 49.9 is out.
func keeps(l *plan.Limits, f series.Figure) truth {
	if l.Clear == protocols.Missing {
		return reaches(l, f)
	}
	if !f.Known() {
		return unknown
	}
	side := f.Compare(l.Clear)
	if l.Operator == protocols.Above || l.Operator == protocols.AtLeast {
		return truthOf(side >= 0)
	}
	return truthOf(side <= 0)
}

// leaf puts comparison i together.
func (s *State) leaf(i int) leaf {
	spec := &s.plan.Leaves[i]
	l := leaf{spec: spec, LeafFit: &s.fit.Leaves[i], gauge: &s.gauges[spec.Gauge]}
	if spec.Memory >= 0 {
		l.leafMemory = &s.memories[spec.Memory]
	}
	return l
}

// leafMemory is what a comparison remembers beside the windows.
type leafMemory struct {
	// With Lasting: the stretch of readings for which it has held.
	begun, latest moment.Instant // farPast when the latest reading said no

	// With Days: what the days that are over have said.
	day         protocols.CivilDay // the latest of them with readings
	lastNo      protocols.CivilDay // the latest day that said no
	lastUnknown protocols.CivilDay // the latest day that could not tell
	stillThen   truth              // what day said with the clear threshold
	figureThen  series.Figure      // of day
}

// longAgo is before every civil day that a reading can have.
const longAgo protocols.CivilDay = -1 << 40

func (l *leafMemory) reset() {
	l.begun, l.latest = moment.FarPast, moment.FarPast
	l.day, l.lastNo, l.lastUnknown, l.stillThen, l.figureThen = longAgo, longAgo, longAgo, unknown, series.Figure{}
}

func (l *leaf) raises(o *occasion) truth {
	if l.Wanted > 0 {
		return l.raisesDaily(o)
	}
	now := reaches(&l.Limits, l.gauge.Read(o.at, o.number))
	if l.spec.Lasting == 0 || now != yes {
		return now
	}
	if l.latest == moment.FarPast || o.at-l.latest > l.spec.Gap {
		return unknown
	}
	return truthOf(l.latest-l.begun >= l.spec.Lasting)
}

func (l *leaf) holds(o *occasion) truth {
	if l.Wanted == 0 {
		return keeps(&l.Limits, l.gauge.Read(o.at, o.number))
	}
	if l.day < o.closed {
		return unknown
	}
	return l.stillThen
}

// observe follows a stretch through each reading; only with Lasting.
func (l *leaf) observe(o *occasion) {
	switch reaches(&l.Limits, l.gauge.Read(o.at, o.number)) {
	case no:
		l.begun, l.latest = moment.FarPast, moment.FarPast
	case yes:
		if l.latest == moment.FarPast || o.at-l.latest > l.spec.Gap {
			l.begun = o.at
		}
		l.latest = o.at
	}
}

// raisesDaily is the "all" of the last days: one no is enough for a no, and a
// day without readings leaves it open.
func (l *leaf) raisesDaily(o *occasion) truth {
	first := o.closed - l.Wanted + 1
	switch {
	case l.lastNo >= first:
		return no
	case l.day < o.closed || l.lastUnknown >= first:
		return unknown
	}
	return yes
}

// closeDay takes what a day with readings has said; only with Days.
func (l *leaf) closeDay(o *occasion) {
	if l.day < o.closed-1 {
		l.lastUnknown = o.closed - 1
	}
	f := l.gauge.Read(o.at, o.number)
	l.day, l.stillThen, l.figureThen = o.closed, keeps(&l.Limits, f), f
	switch reaches(&l.Limits, f) {
	case no:
		l.lastNo = o.closed
	case unknown:
		l.lastUnknown = o.closed
	}
}
