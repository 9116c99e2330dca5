package series

import "vigie/protocols/engine/internal/moment"

// apart counts how many of the readings that satisfy where lie so far apart: the first of
// the window, and each that is far enough from the one counted before it. No other choice
// counts more.
type apart struct {
	least   int64 // nanoseconds
	within  queue[Sample]
	from    uint64         // the place of the first of those that follow
	next    uint64         // the place of the first one not yet looked at
	counted int64          // of those before it
	latest  moment.Instant // that was counted; meaningful once one was
}

func (a *apart) reset() {
	a.within.clear()
	a.from, a.next, a.counted = 0, 0, 0
}

// leave drops what was before a moment; moments only grow.
func (a *apart) leave(start moment.Instant) {
	for a.within.length() > 0 && a.within.at(a.within.head).At < start {
		a.within.drop()
	}
}

// since counts those at or after a moment.
func (a *apart) since(start moment.Instant) int64 {
	a.leave(start)
	if a.from != a.within.head {
		a.from, a.next, a.counted = a.within.head, a.within.head, 0
	}
	for ; a.next < a.within.tail; a.next++ {
		if at := a.within.at(a.next).At; a.counted == 0 || at-a.latest >= a.least {
			a.counted, a.latest = a.counted+1, at
		}
	}
	return a.counted
}

// listing lists those that count, each with the gravest value up to the next.
func (a *apart) listing(low bool) *listing {
	l := &listing{low: low}
	for place := a.within.head; place < a.within.tail; place++ {
		one := a.within.at(place)
		if n := l.counted.tail; n == 0 || one.At-l.counted.at(n-1).At >= a.least {
			l.counted.push(*one)
		} else {
			l.join(one.value)
		}
	}
	return l
}
