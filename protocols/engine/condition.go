package engine

import (
	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
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

// node is a condition ready to be evaluated.
type node struct {
	kind nodeKind
	leaf int // in State.leaves, of a comparison
	kids []node
	many int // with nodeOf: how many of them it takes
}

type nodeKind uint8

const (
	nodeCompare nodeKind = iota
	nodeAll
	nodeAny
	nodeNot
	nodeOf
)

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

// bitOf is the bit of a series in a set of up to 64; beyond that some share one, so that
// a set that has no bit in common with another has no series in common with it.
func bitOf(series int) uint64 { return 1 << (series % 64) }

func (s *State) truth(n *node, m mode, o *occasion) truth {
	switch n.kind {
	case nodeNot:
		return -s.truth(&n.kids[0], !m, o)
	case nodeAll:
		result := yes
		for i := range n.kids {
			if result = min(result, s.truth(&n.kids[i], m, o)); result == no {
				break
			}
		}
		return result
	case nodeAny:
		result := no
		for i := range n.kids {
			if result = max(result, s.truth(&n.kids[i], m, o)); result == yes {
				break
			}
		}
		return result
	case nodeOf:
		return s.some(n, m, o)
	}
	l := s.leaf(n.leaf)
	if m == holding {
		return l.holds(o)
	}
	return l.raises(o)
}

// some is yes when enough kids are, and no when no longer enough can be.
func (s *State) some(n *node, m mode, o *occasion) truth {
	so, open := 0, 0
	for i := range n.kids {
		switch s.truth(&n.kids[i], m, o) {
		case yes:
			so++
		case unknown:
			open++
		}
	}
	switch {
	case so >= n.many:
		return yes
	case so+open < n.many:
		return no
	}
	return unknown
}

// limits are the numbers that a comparison compares with, in place.
type limits struct {
	operator  protocols.Operator
	threshold protocols.Value
	clear     protocols.Value // Missing when leaving takes no more than the threshold
}

// reached compares with the threshold.
func (l *limits) reached(f series.Figure) truth {
	if !f.Known() {
		return unknown
	}
	side := f.Compare(l.threshold)
	switch l.operator {
	case protocols.Above:
		return truthOf(side > 0)
	case protocols.AtLeast:
		return truthOf(side >= 0)
	case protocols.Below:
		return truthOf(side < 0)
	}
	return truthOf(side <= 0)
}

// kept compares with the clear threshold, which has to be passed to leave: with
// "above 60, clear 50", 50 is still in and 49.9 is out.
func (l *limits) kept(f series.Figure) truth {
	if l.clear == protocols.Missing {
		return l.reached(f)
	}
	if !f.Known() {
		return unknown
	}
	side := f.Compare(l.clear)
	if l.operator == protocols.Above || l.operator == protocols.AtLeast {
		return truthOf(side >= 0)
	}
	return truthOf(side <= 0)
}

// leaf is one comparison at work.
type leaf struct {
	spec *leafSpec
	*leafFit
	gauge       *series.Gauge
	*leafMemory // nil when the windows are enough
}

// leaf puts comparison i together.
func (s *State) leaf(i int) leaf {
	spec := &s.plan.leaves[i]
	l := leaf{spec: spec, leafFit: &s.fit.leaves[i], gauge: &s.gauges[spec.gauge]}
	if spec.memory >= 0 {
		l.leafMemory = &s.memories[spec.memory]
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
	if l.wanted > 0 {
		return l.raisesDaily(o)
	}
	now := l.reached(l.gauge.Read(o.at, o.number))
	if l.spec.lasting == 0 || now != yes {
		return now
	}
	if l.latest == moment.FarPast || o.at-l.latest > l.spec.gap {
		return unknown
	}
	return truthOf(l.latest-l.begun >= l.spec.lasting)
}

func (l *leaf) holds(o *occasion) truth {
	if l.wanted == 0 {
		return l.kept(l.gauge.Read(o.at, o.number))
	}
	if l.day < o.closed {
		return unknown
	}
	return l.stillThen
}

// observe follows a stretch through each reading; only with Lasting.
func (l *leaf) observe(o *occasion) {
	switch l.reached(l.gauge.Read(o.at, o.number)) {
	case no:
		l.begun, l.latest = moment.FarPast, moment.FarPast
	case yes:
		if l.latest == moment.FarPast || o.at-l.latest > l.spec.gap {
			l.begun = o.at
		}
		l.latest = o.at
	}
}

// raisesDaily is the "all" of the last days: one no is enough for a no, and a
// day without readings leaves it open.
func (l *leaf) raisesDaily(o *occasion) truth {
	first := o.closed - l.wanted + 1
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
	l.day, l.stillThen, l.figureThen = o.closed, l.kept(f), f
	switch l.reached(f) {
	case no:
		l.lastNo = o.closed
	case unknown:
		l.lastUnknown = o.closed
	}
}
