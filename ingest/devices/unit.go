package devices

import "time"

// Unit is what is known of a device that seems to name another unit than it measures in.
type Unit struct {
	Measure string    `json:"measure,omitempty"`
	Fits    string    `json:"fits,omitempty"` // the unit in which its impossible values would be possible
	At      time.Time `json:"at,omitzero"`    // when the last of them was received
}

// unitLasts is how long one value that fits another unit only puts the next ones in doubt.
const unitLasts = 30 * 24 * time.Hour

// unitStep is the time after which another such value is worth writing down.
const unitStep = 24 * time.Hour

// Misfit notes that a value was impossible in the unit that the device named, and would
// be possible in another one.
func (s State) Misfit(measure, fits string, received time.Time) (next State, changed bool) {
	u := Unit{measure, fits, received}
	if was := s.Trouble.Unit; was.Measure == measure && was.Fits == fits && received.Sub(was.At).Abs() < unitStep {
		return s, false
	}
	s.Trouble.Unit = u
	return s, true
}

// Doubted is the unit in which a value of the measure may be meant; empty for the one
// that the device names.
func (s *State) Doubted(measure string, received time.Time) string {
	if u := s.Trouble.Unit; u.Measure == measure && received.Sub(u.At) < unitLasts {
		return u.Fits
	}
	return ""
}

// Fitted notes that a value is possible in the unit that the device names alone.
func (s State) Fitted() (next State) {
	s.Trouble.Unit = Unit{}
	return s
}
