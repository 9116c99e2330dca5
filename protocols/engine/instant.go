package engine

import (
	"math"
	"time"

	"vigie/protocols"
)

// instant is a moment in nanoseconds since 1970 in UTC. The hot path compares
// and subtracts moments; integers do that without a time zone in tow.
type instant = int64

// farFuture is later than every moment, and farPast earlier.
const (
	farFuture instant = math.MaxInt64
	farPast   instant = math.MinInt64
)

// moment turns an instant back into a time in UTC; farFuture and farPast give the
// zero time.
func moment(at instant) time.Time {
	if at == farFuture || at == farPast {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// instantOf turns t into an instant; a zero time gives otherwise.
func instantOf(t time.Time, otherwise instant) instant {
	if t.IsZero() {
		return otherwise
	}
	return t.UnixNano()
}

// wallCalendar tells the civil day of moments in one zone. It remembers the
// day it was last asked about: readings come day by day.
type wallCalendar struct {
	zone       *time.Location
	day        protocols.CivilDay
	start, end instant // of day; start equals end before the first question
}

// dayOf is the civil day of a moment.
func (c *wallCalendar) dayOf(at instant) protocols.CivilDay {
	if at < c.start || at >= c.end {
		c.day = protocols.DateOf(time.Unix(0, at).In(c.zone))
		c.start, c.end = c.startOf(c.day), c.startOf(c.day+1)
	}
	return c.day
}

// startOf is local midnight, with which the day begins.
func (c *wallCalendar) startOf(d protocols.CivilDay) instant { return d.At(c.zone, 0).UnixNano() }
