package series

import (
	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// listing keeps what counts in a window one by one: when each was, and the gravest value of
// those that count as one.
type listing struct {
	counted queue[Sample]
	low     bool // the lowest value is the gravest
}

func (l *listing) graver(a, b protocols.Value) protocols.Value {
	if l.low {
		return min(a, b)
	}
	return max(a, b)
}

// join lets a further value count as one with the latest.
func (l *listing) join(v protocols.Value) {
	if l.counted.length() > 0 {
		latest := l.counted.at(l.counted.tail - 1)
		latest.value = l.graver(latest.value, v)
	}
}

// leave drops what was before a moment; moments only grow.
func (l *listing) leave(start moment.Instant) {
	for l.counted.length() > 0 && l.counted.at(l.counted.head).At < start {
		l.counted.drop()
	}
}

// list takes a reading: within the bounds or not.
func (g *Gauge) list(now Sample, within bool) {
	l := g.listed
	l.leave(g.start(now.At))
	switch c := g.spec.comparison; {
	case c.Statistic == protocols.Streak && !within:
		l.counted.clear()
	case c.Statistic == protocols.Sum && now.value <= 0:
	case within:
		l.counted.push(now)
	}
}

// start is the first moment of the window at a moment.
func (g *Gauge) start(at moment.Instant) moment.Instant {
	if g.days != nil {
		return g.days.start
	}
	return at - g.spec.length + 1
}

// Each is what counts at a moment, in order of time, the latest of too many; nil where it is
// not kept.
func (g *Gauge) Each(at moment.Instant) (told []protocols.Counted) {
	var l *listing
	switch {
	case !g.spec.each:
		return nil
	case g.bouts != nil:
		l = &g.bouts.begun
	case g.apart != nil:
		g.apart.leave(g.start(at))
		l = g.apart.listing(g.spec.comparison.Where.Lower())
	default:
		l = g.listed
	}
	l.leave(g.start(at))
	first := l.counted.head
	if n := l.counted.length(); n > protocols.MostCited {
		first += uint64(n - protocols.MostCited)
	}
	for ; first < l.counted.tail; first++ {
		one := l.counted.at(first)
		told = append(told, protocols.Counted{Time: moment.Time(one.At), Value: one.value})
	}
	return told
}
