// Package devices follows the technical state of a device: its battery, its
// connection, its clock, its unit, and whether anything of what it sends can be used.
//
// It is pure. A State is what is known; each method takes what a device told, and
// when, and returns what is known since with the episodes that began or ended. The
// caller keeps the state, and tells the team of the episodes.
package devices

import "time"

// State is what is known of a device.
type State struct {
	Device       string
	Online       bool
	Battery      int // per cent; -1 when not told
	Firmware     string
	At           time.Time // when it last spoke of itself
	BatteryAt    time.Time // as of when Battery is known; zero when it is not
	LowSince     time.Time // since when its battery is low; zero when it is not
	LowFor       string    // the enrolment that the low battery was raised for, if any
	OfflineSince time.Time // zero when it is online
	OfflineFor   string    // the enrolment that it was raised for that the device is offline, if any
	Due          time.Time // when to find that it stayed offline; zero once found, or online
	Trouble      Trouble
}

// Trouble is what most devices never have. It is zero for them.
type Trouble struct {
	Clock Clock `json:"clock,omitzero"`
	Aside Aside `json:"aside,omitzero"`
	Unit  Unit  `json:"unit,omitzero"`
}

// Calm reports whether a message of which something could be used, with a lag that is
// not notable, changes nothing: Heard, Sent and Used then need not be asked.
func (s *State) Calm() bool { return s.OfflineSince.IsZero() && s.Trouble == Trouble{} }

// Silent is the state of a device that never said anything of itself: it is taken
// to be online, since it is sending.
func Silent(device string) State {
	return State{Device: device, Online: true, Battery: -1, At: time.Unix(0, 0).UTC()}
}

// Rule is what an episode is about.
type Rule uint8

// The rules that have a beginning and an end.
const (
	LowBattery Rule = iota + 1
	Offline
	WrongClock
	NothingUsed
)

// Episode is one that began or ended.
type Episode struct {
	Rule  Rule
	Ended bool
	Since time.Time // names the episode
	For   string    // the enrolment that an episode which ends was raised for
	At    time.Time
}

// outdated reports whether something is older than what is known. A time that lies
// ahead was written before the clock here was put back: it binds nobody.
func outdated(at, known, now time.Time) bool {
	return at.Before(known) && !known.After(now)
}
