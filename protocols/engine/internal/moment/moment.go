// Package moment tells the time of the engine: moments as integers, the civil day that
// each lies in, and what comes first at one moment.
package moment

import (
	"math"
	"time"

	"vigie/protocols"
)

// Instant is a moment in nanoseconds since 1970 in UTC. The hot path compares
// and subtracts moments; integers do that without a time zone in tow.
type Instant = int64

// FarFuture is later than every moment, and FarPast earlier.
const (
	FarFuture Instant = math.MaxInt64
	FarPast   Instant = math.MinInt64
)

// Time turns an instant back into a time in UTC; FarFuture and FarPast give the
// zero time.
func Time(at Instant) time.Time {
	if at == FarFuture || at == FarPast {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// Of turns t into an instant; a zero time gives otherwise.
func Of(t time.Time, otherwise Instant) Instant {
	if t.IsZero() {
		return otherwise
	}
	return t.UnixNano()
}

// Calendar tells the civil day of moments in one zone. It remembers the
// day it was last asked about: readings come day by day.
type Calendar struct {
	Zone       *time.Location
	day        protocols.CivilDay
	start, end Instant // of day; start equals end before the first question
}

// DayOf is the civil day of a moment.
func (c *Calendar) DayOf(at Instant) protocols.CivilDay {
	if at < c.start || at >= c.end {
		c.day = protocols.DateOf(time.Unix(0, at).In(c.Zone))
		c.start, c.end = c.StartOf(c.day), c.StartOf(c.day+1)
	}
	return c.day
}

// StartOf is local midnight, with which the day begins.
func (c *Calendar) StartOf(d protocols.CivilDay) Instant { return d.At(c.Zone, 0).UnixNano() }

// Days is how long that many civil days can last, with a change of the clock
// and a day already begun.
func Days(n int) time.Duration { return time.Duration(n+1)*24*time.Hour + 2*time.Hour }

// Mark is a point on a way through time. At one moment, a day ends before readings
// come, and readings come before a deadline runs out.
type Mark struct {
	At   Instant
	Turn Turn
}

// Turn is what comes when at one moment.
type Turn uint8

// The turns of a moment, in their order.
const (
	DayEnd Turn = iota
	Reading
	Deadline
	Over // nothing comes after it
)

// At is the mark of a turn at a moment.
func (t Turn) At(at Instant) Mark { return Mark{at, t} }

// Next is the mark just after m.
func (m Mark) Next() Mark { return Mark{m.At, m.Turn + 1} }

// Before reports whether m comes before another mark.
func (m Mark) Before(other Mark) bool {
	return m.At < other.At || m.At == other.At && m.Turn < other.Turn
}
