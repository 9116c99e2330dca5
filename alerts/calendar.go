package alerts

import (
	"errors"
	"fmt"
	"time"
)

// Calendar is when a care team reads alerts. Telemonitoring is no emergency
// service: answer delays run in opening hours only.
//
// A calendar without any day, such as the zero one, is always open: a team that
// forgot its hours gets its escalations too early rather than never.
type Calendar struct {
	Zone   *time.Location // UTC when nil
	Opens  time.Duration  // local time of day
	Closes time.Duration  // local time of day, up to 24 h
	Days   [7]bool        // by time.Weekday
	// AlsaceMoselle adds the holidays of Alsace and Moselle; those of overseas
	// France follow from Zone. See Holiday.
	AlsaceMoselle bool
	// OnHolidays keeps the team open on public holidays.
	OnHolidays bool
}

// searched bounds how many days in a row without an opening are looked through;
// no real calendar is closed that long.
const searched = 400

// Check returns a sentence for hours that cannot be meant.
func (c Calendar) Check() error {
	if c.Opens < 0 || c.Closes > 24*time.Hour || c.Opens > c.Closes {
		return fmt.Errorf("opening hours from %v to %v: they must lie within one day, such as 08:30 to 18:00; 00:00 to 24:00 is all day", c.Opens, c.Closes)
	}
	if c.always() {
		return nil
	}
	if c.Opens == c.Closes {
		return errors.New("opening and closing time are the same: give different ones, or no days at all for a team that is always there")
	}
	return nil
}

func (c Calendar) always() bool { return c.Days == [7]bool{} }

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// hours returns the opening and the closing instant of the civil day; both are
// the same when the team does not open. The hours are those of the clock on the
// wall: on the two days it is changed, a day that spans the change is an hour
// shorter or longer.
func (c Calendar) hours(year int, month time.Month, day int) (opens, closes time.Time) {
	noon := time.Date(year, month, day, 12, 0, 0, 0, c.zone())
	opens = c.at(noon, c.Opens)
	if !c.Days[noon.Weekday()] {
		return opens, opens
	}
	if !c.OnHolidays {
		if _, is := c.Holiday(noon); is {
			return opens, opens
		}
	}
	closes = c.at(noon, c.Closes)
	if closes.Before(opens) {
		return opens, opens
	}
	return opens, closes
}

// at is the instant at which the clock shows that time of day, or jumps over it when
// it is put forward.
func (c Calendar) at(day time.Time, clock time.Duration) time.Time {
	year, month, date := day.Date()
	seconds, nanos := int(clock/time.Second), int(clock%time.Second)
	t := time.Date(year, month, date, 0, 0, seconds, nanos, c.zone())
	meant := time.Date(year, month, date, 0, 0, seconds, nanos, time.UTC)
	_, offset := t.Zone()
	shown := t.Add(time.Duration(offset) * time.Second)
	before, after := t.ZoneBounds()
	switch {
	case shown.Before(meant):
		return after
	case shown.After(meant):
		return before
	}
	return t
}

// Open reports whether the team reads alerts at t.
func (c Calendar) Open(t time.Time) bool {
	if c.always() {
		return true
	}
	opens, closes := c.hours(t.In(c.zone()).Date())
	return !t.Before(opens) && t.Before(closes)
}

// Add returns the instant at which d of opening time has passed since t, in UTC.
func (c Calendar) Add(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t.UTC()
	}
	if c.always() {
		return t.Add(d).UTC()
	}
	year, month, day := t.In(c.zone()).Date()
	for closed := 0; closed < searched; day++ {
		from, until := c.hours(year, month, day)
		if from.Before(t) {
			from = t
		}
		open := until.Sub(from)
		if open <= 0 {
			closed++
			continue
		}
		if d <= open {
			return from.Add(d).UTC()
		}
		d -= open
		closed = 0
	}
	return t.Add(d).UTC()
}

// Between returns how much opening time lies in [from, to).
func (c Calendar) Between(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	if c.always() {
		return to.Sub(from)
	}
	total := time.Duration(0)
	year, month, day := from.In(c.zone()).Date()
	for ; ; day++ {
		opens, closes := c.hours(year, month, day)
		if !opens.Before(to) {
			return total
		}
		if opens.Before(from) {
			opens = from
		}
		if closes.After(to) {
			closes = to
		}
		if opens.Before(closes) {
			total += closes.Sub(opens)
		}
	}
}
