package protocols

import (
	"math"
	"time"
)

// civilDay counts a patient's days: the number of days from 1 January 1970 to
// the date that a calendar on the patient's wall shows.
type civilDay int64

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

// dateOf is the date that t has where it is.
func dateOf(t time.Time) civilDay {
	year, month, day := t.Date()
	return civilDay(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// at is the moment at which the wall clock shows that time of day; the clock's
// own rules decide on the two days a year when an hour is missing or comes
// twice.
func (d civilDay) at(zone *time.Location, clock time.Duration) time.Time {
	year, month, day := time.Unix(int64(d)*24*60*60, 0).UTC().Date()
	seconds := int(clock / time.Second)
	return time.Date(year, month, day, 0, 0, seconds, int(clock%time.Second), zone)
}

// weekStart is the Monday of the week that d is in. 1 January 1970 was a
// Thursday.
func (d civilDay) weekStart() civilDay {
	weekday := ((d+3)%7 + 7) % 7
	return d - weekday
}

// wallCalendar tells the civil day of moments in one zone. It remembers the
// day it was last asked about: readings come day by day.
type wallCalendar struct {
	zone       *time.Location
	day        civilDay
	start, end instant // of day; start equals end before the first question
}

// dayOf is the civil day of a moment.
func (c *wallCalendar) dayOf(at instant) civilDay {
	if at < c.start || at >= c.end {
		c.day = dateOf(time.Unix(0, at).In(c.zone))
		c.start, c.end = c.startOf(c.day), c.startOf(c.day+1)
	}
	return c.day
}

// startOf is local midnight, with which the day begins.
func (c *wallCalendar) startOf(d civilDay) instant { return d.at(c.zone, 0).UnixNano() }
