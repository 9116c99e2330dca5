package alerts

import (
	"errors"
	"fmt"
	"slices"
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
	// Further are opening hours beside these: days that differ, lunch breaks, nights.
	Further []Hours
	// AlsaceMoselle adds the holidays of Alsace and Moselle; those of overseas
	// France follow from Zone. See Holiday.
	AlsaceMoselle bool
	// OnHolidays keeps the team open on public holidays.
	OnHolidays bool
}

// Hours are opening hours on some days of the week. They end on the next day when
// they close at the time at which they open, or before.
type Hours struct {
	Days   [7]bool       // on which they begin, by time.Weekday
	Opens  time.Duration // local time of day
	Closes time.Duration // local time of day, up to 24 h
}

// searched bounds how many days in a row without an opening are looked through;
// no real calendar is closed that long.
const searched = 400

// Check returns a sentence for hours that cannot be meant.
func (c Calendar) Check() error {
	for _, h := range c.all() {
		if h.Opens < 0 || h.Closes < 0 || h.Opens >= day || h.Closes > day {
			return fmt.Errorf("opening hours from %v to %v: they must lie within one day, such as 08:30 to 18:00; 20:00 to 08:00 is a night, 00:00 to 24:00 all day", h.Opens, h.Closes)
		}
		if h.Opens == h.Closes && h.Days != [7]bool{} {
			return errors.New("opening and closing time are the same: give different ones, or no days at all for a team that is always there")
		}
	}
	return nil
}

// all are the opening hours, those of the calendar itself first.
func (c Calendar) all() []Hours { return append([]Hours{{c.Days, c.Opens, c.Closes}}, c.Further...) }

func (c Calendar) always() bool {
	return !slices.ContainsFunc(c.all(), func(h Hours) bool { return h.Days != [7]bool{} })
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// opening is a time during which the team reads alerts.
type opening struct{ from, until time.Time }

// openings returns when the team opens on a civil day, in order; none on a day on
// which it does not. The last one may end on the next day. The hours are those of the
// clock on the wall: on the two days it is changed, a day that spans the change is an
// hour shorter or longer.
func (c Calendar) openings(year int, month time.Month, date int) []opening {
	noon := time.Date(year, month, date, 12, 0, 0, 0, c.zone())
	if _, is := c.Holiday(noon); is && !c.OnHolidays {
		return nil
	}
	var found []opening
	for _, h := range c.all() {
		if !h.Days[noon.Weekday()] {
			continue
		}
		ends := noon
		if h.Closes <= h.Opens {
			ends = time.Date(year, month, date+1, 12, 0, 0, 0, c.zone())
		}
		if o := (opening{c.at(noon, h.Opens), c.at(ends, h.Closes)}); o.from.Before(o.until) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b opening) int { return a.from.Compare(b.from) })
	return found
}

// walk visits the openings that end after t, in order, until visit returns false or
// the team stays closed for longer than any real one does. Those that overlap are cut
// so that no moment comes twice.
func (c Calendar) walk(t time.Time, visit func(opening) bool) {
	year, month, date := t.In(c.zone()).Date()
	reached := t
	for closed := -1; closed < searched; date, closed = date+1, closed+1 {
		for _, o := range c.openings(year, month, date-1) { // a night began the day before
			if o.from.Before(reached) {
				o.from = reached
			}
			if !o.from.Before(o.until) {
				continue
			}
			if reached = o.until; !visit(o) {
				return
			}
			closed = -1
		}
	}
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
func (c Calendar) Open(t time.Time) bool { return c.Next(t).Equal(t) }

// Next returns the first instant from t on at which the team reads alerts, in UTC.
func (c Calendar) Next(t time.Time) time.Time {
	next := t.UTC()
	if !c.always() {
		c.walk(t, func(o opening) bool {
			next = o.from.UTC()
			return false
		})
	}
	return next
}

// morning is when a team that never closes reads what can wait.
const morning = 8 * time.Hour

// Opening returns the next moment after t at which the team opens, in UTC: for one
// that never closes the next morning.
func (c Calendar) Opening(t time.Time) time.Time {
	if c.always() {
		daily := Calendar{Zone: c.Zone, Days: [7]bool{true, true, true, true, true, true, true}, Opens: morning, Closes: morning + time.Hour, OnHolidays: true}
		return daily.Opening(t)
	}
	opens, closed := t.UTC(), t
	c.walk(t, func(o opening) bool {
		opens, closed = o.from.UTC(), o.until
		return !opens.After(t)
	})
	if !opens.After(t) {
		return closed.UTC()
	}
	return opens
}

// Add returns the instant at which d of opening time has passed since t, in UTC.
func (c Calendar) Add(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t.UTC()
	}
	if c.always() {
		return t.Add(d).UTC()
	}
	at, found := time.Time{}, false
	rest := d
	c.walk(t, func(o opening) bool {
		if open := o.until.Sub(o.from); rest > open {
			rest -= open
			return true
		}
		at, found = o.from.Add(rest).UTC(), true
		return false
	})
	if !found {
		return t.Add(rest).UTC()
	}
	return at
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
	c.walk(from, func(o opening) bool {
		if o.until.After(to) {
			o.until = to
		}
		if o.from.Before(o.until) {
			total += o.until.Sub(o.from)
		}
		return o.until.Before(to)
	})
	return total
}
