package access

import (
	"time"

	"vigie/alerts/access/openid"
)

// Session is one login of an account. ID is a digest of what the browser keeps, so
// that who reads the store cannot use it.
type Session struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // to the minute: not every page view is a write
	Address string    `json:"address,omitempty"`
	Browser string    `json:"browser,omitempty"` // cut short
	// Proved says that the second factor was shown. Until then the session leads to
	// the page that asks for it and nowhere else.
	Proved bool      `json:"proved"`
	Shown  time.Time `json:"shown,omitzero"` // when both factors were shown again, see Fresh
	// Provider is the issuer who said who this is; empty for a password or a passkey.
	Provider string `json:"provider,omitempty"`
	// Authenticated is when the person signed in there; zero where it did not say.
	Authenticated time.Time     `json:"authenticated,omitzero"`
	Place         *openid.Place `json:"place,omitempty"` // where the person practises in this session
	// Places are those to choose from. Until then the session leads to that choice and
	// nowhere else.
	Places []openid.Place `json:"places,omitempty"`
}

// Choosing reports whether the person still has to say where they practise.
func (s *Session) Choosing() bool { return len(s.Places) > 0 }

// Limits say how long a login lasts.
type Limits struct {
	Idle     time.Duration // without a request; 30 min when zero
	Absolute time.Duration // whatever happens; 12 h when zero
}

func (l Limits) orDefault() Limits {
	if l.Idle == 0 {
		l.Idle = 30 * time.Minute
	}
	if l.Absolute == 0 {
		l.Absolute = 12 * time.Hour
	}
	return l
}

// Ends is when a session ends unless there is another request.
func (s *Session) Ends(l Limits) time.Time {
	l = l.orDefault()
	idle, absolute := s.Seen.Add(l.Idle), s.Created.Add(l.Absolute)
	if idle.Before(absolute) {
		return idle
	}
	return absolute
}

// proving is how long somebody may take to show the second factor.
const proving = 10 * time.Minute

func (s *Session) holds(l Limits, now time.Time) bool {
	if !s.Proved {
		return now.Before(s.Created.Add(proving))
	}
	return now.Before(s.Ends(l))
}

// seenEvery is how exactly Seen is kept.
const seenEvery = time.Minute

// longestBrowser bounds what is kept of a User-Agent.
const longestBrowser = 120
