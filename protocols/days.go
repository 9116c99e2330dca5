package protocols

import (
	"time"
)

// CivilDay counts a patient's days: the number of days from 1 January 1970 to
// the date that a calendar on the patient's wall shows.
type CivilDay int64

// DateOf is the date that t has where it is.
func DateOf(t time.Time) CivilDay {
	year, month, day := t.Date()
	return CivilDay(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// At is the moment at which the wall clock shows that time of day. On the day on which
// the clock jumps over it, that is the moment of the jump; on the day on which it comes
// twice, Go's rules decide which of the two.
func (d CivilDay) At(zone *time.Location, clock time.Duration) time.Time {
	year, month, day := time.Unix(int64(d)*24*60*60, 0).UTC().Date()
	seconds, nanos := int(clock/time.Second), int(clock%time.Second)
	t := time.Date(year, month, day, 0, 0, seconds, nanos, zone)
	meant := time.Date(year, month, day, 0, 0, seconds, nanos, time.UTC)
	_, offset := t.Zone()
	shown := t.Add(time.Duration(offset) * time.Second)
	if shown.Equal(meant) {
		return t
	}
	// The clock jumps over that time of day: it is the moment of the jump, east and west
	// of Greenwich.
	before, after := t.ZoneBounds()
	if shown.Before(meant) {
		return after.In(zone)
	}
	return before.In(zone)
}

// WeekStart is the Monday of the week that d is in. 1 January 1970 was a
// Thursday.
func (d CivilDay) WeekStart() CivilDay {
	weekday := ((d+3)%7 + 7) % 7
	return d - weekday
}
