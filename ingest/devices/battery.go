package devices

import "time"

// A battery is low at batteryLow per cent, and no longer above batteryFine: between
// them nothing changes, so that an alert does not come and go.
const (
	batteryLow  = 15
	batteryFine = 20
	batteryStep = 5 // change worth writing down
)

// BatteryTold follows the battery as a reading tells it. holder is the enrolment of
// whoever has the device then. changed reports whether the state is worth keeping. A
// reading older than what is known says nothing.
func (s State) BatteryTold(at time.Time, level int, holder string, now time.Time) (next State, episodes []Episode, changed bool) {
	if at.After(now) {
		at = now
	}
	if outdated(at, s.BatteryAt, now) {
		return s, nil, false
	}
	next = s
	next.BatteryAt, next.Battery = at, level
	episodes = next.judgeBattery(s, holder)
	step := level - s.Battery
	same := s.Battery >= 0 && step < batteryStep && step > -batteryStep
	return next, episodes, len(episodes) > 0 || !same
}

// judgeBattery finds that a battery has become low, is no longer, or is low for
// somebody else: whoever has the device now has to be told as well.
func (s *State) judgeBattery(before State, holder string) (episodes []Episode) {
	low := !before.LowSince.IsZero()
	switch {
	case low && s.Battery > batteryFine:
		episodes = append(episodes, Episode{Rule: LowBattery, Ended: true, Since: before.LowSince, For: before.LowFor, At: s.BatteryAt})
		s.LowSince, s.LowFor = time.Time{}, ""
	case low && holder != "" && holder != before.LowFor:
		episodes = append(episodes, Episode{Rule: LowBattery, Ended: true, Since: before.LowSince, For: before.LowFor, At: s.BatteryAt})
		fallthrough
	case !low && s.Battery >= 0 && s.Battery <= batteryLow:
		s.LowSince, s.LowFor = s.BatteryAt, holder
		episodes = append(episodes, Episode{Rule: LowBattery, Since: s.LowSince, At: s.BatteryAt})
	}
	return episodes
}
