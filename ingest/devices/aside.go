package devices

import "time"

// Aside is what is known of a device of which nothing could be used for some time.
type Aside struct {
	Since time.Time `json:"since,omitzero"` // when the first message came since the last that could be used
	Told  time.Time `json:"told,omitzero"`  // when the team was told; zero when it was not
	For   string    `json:"for,omitempty"`
}

// asideFor is for how long everything that a device sends may be set aside before
// its team is told.
const asideFor = 24 * time.Hour

// Used notes that something of a message could be used.
func (s State) Used(received time.Time) (next State, episodes []Episode, changed bool) {
	a := s.Trouble.Aside
	if a == (Aside{}) {
		return s, nil, false
	}
	if !a.Told.IsZero() {
		episodes = append(episodes, Episode{Rule: NothingUsed, Ended: true, Since: a.Told, For: a.For, At: received})
	}
	next = s
	next.Trouble.Aside = Aside{}
	return next, episodes, true
}

// NothingUsed notes that nothing of a message could be used.
func (s State) NothingUsed(received time.Time, holder string) (next State, episodes []Episode, changed bool) {
	a := s.Trouble.Aside
	next = s
	switch {
	case a.Since.IsZero() || received.Before(a.Since):
		next.Trouble.Aside.Since = received
		return next, nil, true
	case a.Told.IsZero() && received.Sub(a.Since) >= asideFor:
		next.Trouble.Aside.Told, next.Trouble.Aside.For = received, holder
		return next, []Episode{{Rule: NothingUsed, Since: received, At: received}}, true
	}
	return s, nil, false
}
