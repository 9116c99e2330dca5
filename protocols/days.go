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

// At is the moment at which the wall clock shows that time of day; the clock's
// own rules decide on the two days a year when an hour is missing or comes
// twice.
func (d CivilDay) At(zone *time.Location, clock time.Duration) time.Time {
	year, month, day := time.Unix(int64(d)*24*60*60, 0).UTC().Date()
	seconds := int(clock / time.Second)
	return time.Date(year, month, day, 0, 0, seconds, int(clock%time.Second), zone)
}

// WeekStart is the Monday of the week that d is in. 1 January 1970 was a
// Thursday.
func (d CivilDay) WeekStart() CivilDay {
	weekday := ((d+3)%7 + 7) % 7
	return d - weekday
}
