package devices

import "time"

// Clock is what is known of a device whose readings come late, or early, by a lag.
type Clock struct {
	Lag   time.Duration `json:"lag,omitempty"`  // of a message behind the newest reading in it; negative when the clock is ahead
	At    time.Time     `json:"at,omitzero"`    // when the first message of that lag was received
	Since time.Time     `json:"since,omitzero"` // since when the clock is known to be wrong; zero when it is not
	For   string        `json:"for,omitempty"`  // the enrolment that it was raised for
	// Varied says that a message since At had another lag: what was kept is being sent,
	// or the clock here was put forward, and one lag that comes again shows nothing.
	Varied bool `json:"varied,omitempty"`
}

// A clock is wrong when messages that come hours apart, and all between them, have the
// same lag to the minute: whoever measures and sends later never does so. A lag below notable is what
// the way through a gateway takes.
const (
	apart    = 2 * time.Hour
	sameLag  = time.Minute
	notable  = 20 * time.Minute
	ahead    = 5 * time.Minute
	rightLag = 10 * time.Minute
)

// neverSet is before which year no clock of a device was ever set: they begin in
// 1970, 1980, 2000 or 2010 when their battery was away.
const neverSet = 2015

// Notable reports whether a lag says anything of a clock. live reports that it shows
// a clock that is right.
func Notable(lag time.Duration) (notably, live bool) {
	return lag >= notable || lag < -ahead, lag > -ahead && lag <= rightLag
}

// NeverSet reports whether a time comes from a clock that was never set.
func NeverSet(at time.Time) bool { return at.Year() < neverSet }

// Sent follows the clock: a message received at a time whose newest reading was
// measured at another one, by the clock of the device. Readings of a day alone,
// daily summaries, and what people typed say nothing of a clock.
func (s State) Sent(received, newest time.Time, holder string) (next State, episodes []Episode, changed bool) {
	lag := received.Sub(newest)
	c := s.Trouble.Clock
	notably, live := Notable(lag)
	next = s
	switch {
	case live && !c.Since.IsZero():
		next.Trouble.Clock = Clock{}
		return next, []Episode{{Rule: WrongClock, Ended: true, Since: c.Since, For: c.For, At: received}}, true
	case live && c != Clock{}:
		next.Trouble.Clock = Clock{}
		return next, nil, true
	case !notably, !c.Since.IsZero() && (lag-c.Lag).Abs() <= sameLag:
		return s, nil, false
	}
	same := !c.At.IsZero() && (lag-c.Lag).Abs() <= sameLag
	long := !c.At.IsZero() && received.Sub(c.At) >= apart
	wrong := same && long && !c.Varied || NeverSet(newest)
	switch {
	case wrong && c.Since.IsZero():
		next.Trouble.Clock = Clock{Lag: lag, At: c.At, Since: received, For: holder}
		if !same {
			next.Trouble.Clock.At = received
		}
		return next, []Episode{{Rule: WrongClock, Since: received, At: received}}, true
	case !c.Since.IsZero(), same && !long, c.Varied && !long:
		return s, nil, false
	case !c.At.IsZero() && !long:
		next.Trouble.Clock.Varied = true
		return next, nil, true
	}
	next.Trouble.Clock = Clock{Lag: lag, At: received}
	return next, nil, true
}
