package devices

import "time"

// A device that said that it is offline, and has not said since that it is online,
// is offline once nothing has come from it for the whole grace. Only StillOffline
// raises; its word, and whatever it sends, ends that at once. A device that sends
// without a word may be gone again at any time: its grace begins anew with what was
// heard.

// heardStep is the share of the grace by which what is heard has to put off the
// moment to be worth writing down: one write an hour by default, and none for a
// device that says when it is online.
const heardStep = 30

// Told follows what a device says of itself. What it said before what is known
// already, and came later, says nothing. What a broker had retained is of unknown
// age: it ends nothing.
func (s State) Told(told State, retained bool, holder string, grace time.Duration, now time.Time) (next State, episodes []Episode, changed bool) {
	if outdated(told.At, s.At, now) || retained && told.Online && !s.OfflineSince.IsZero() {
		return s, nil, false
	}
	if retained && !s.BatteryAt.IsZero() {
		told.Battery = -1
	}
	next = s
	next.Online, next.At = told.Online, told.At
	if told.Firmware != "" {
		next.Firmware = told.Firmware
	}
	if told.Battery >= 0 && !outdated(told.At, s.BatteryAt, now) {
		next.Battery, next.BatteryAt = told.Battery, told.At
		episodes = next.judgeBattery(s, holder)
	}
	switch {
	case !told.Online && s.OfflineSince.IsZero():
		next.OfflineSince, next.Due = told.At, told.At.Add(grace)
	case told.Online && !s.OfflineSince.IsZero():
		if s.Due.IsZero() {
			episodes = append(episodes, Episode{Rule: Offline, Ended: true, Since: s.OfflineSince, For: s.OfflineFor, At: told.At})
		}
		next.OfflineSince, next.OfflineFor, next.Due = time.Time{}, "", time.Time{}
	}
	return next, episodes, true
}

// Heard follows a device that sends though it was said to be offline. What counts is
// when a message was received, not when what is in it was measured.
func (s State) Heard(at time.Time, grace time.Duration, now time.Time) (next State, episodes []Episode, changed bool) {
	if s.OfflineSince.IsZero() {
		return s, nil, false
	}
	if at.After(now) {
		at = now
	}
	next = s
	next.Due = at.Add(grace)
	switch raised := s.Due.IsZero(); {
	case raised:
		episodes = append(episodes, Episode{Rule: Offline, Ended: true, Since: s.OfflineSince, For: s.OfflineFor, At: at})
		next.OfflineSince, next.OfflineFor = at, ""
	case next.Due.Before(s.Due.Add(grace / heardStep)):
		return s, nil, false
	}
	return next, episodes, true
}

// StillOffline finds that a device stayed offline: nothing came of it for the whole
// grace. measured is when it last measured something since: that shows that it
// lives, in whichever order the messages came, and puts off the moment. holder is
// the enrolment of whoever had the device when it went, empty for nobody.
func (s State) StillOffline(measured time.Time, holder string, grace time.Duration, now time.Time) (next State, episodes []Episode) {
	next = s
	if until := measured.Add(grace); until.After(now) {
		next.Due = until
		return next, nil
	}
	next.Due = time.Time{}
	if !s.OfflineSince.IsZero() {
		episodes = append(episodes, Episode{Rule: Offline, Since: s.OfflineSince, At: s.Due})
		next.OfflineFor = holder
	}
	return next, episodes
}
