package alerts

import (
	"time"

	"vigie/protocols"
)

// State is how far people have come with an alert.
type State string

// The states, in order. Only a person moves an alert forward; a rise of its
// level moves it back to Open, and so do readings which show that what was found
// too late to act, or was resolved as over, goes on.
const (
	Open         State = "open"         // nobody has read it
	Acknowledged State = "acknowledged" // somebody has taken it on
	Resolved     State = "resolved"     // settled, with an outcome
)

// Alert is one episode of one rule for one patient, in front of a care team.
type Alert struct {
	ID             string                 `json:"id"` // from enrolment, rule and episode: the same findings give the same id
	Enrolment      string                 `json:"enrolment,omitempty"`
	Patient        string                 `json:"patient,omitempty"` // pseudonymous
	Device         string                 `json:"device,omitempty"`
	Team           string                 `json:"team"` // in charge of the patient, and once resolved, then
	Protocol       string                 `json:"protocol,omitempty"`
	Version        string                 `json:"version,omitempty"`
	Rule           string                 `json:"rule"`
	Title          protocols.Text         `json:"title"`      // of the rule, as it was when it rang
	Summary        protocols.Text         `json:"summary"`    // of the explanation, one sentence
	Episode        string                 `json:"episode"`    // the latest one it stands for
	EpisodeAt      time.Time              `json:"episode_at"` // measurement time of what began that one
	Level          protocols.Level        `json:"level"`
	State          State                  `json:"state"`
	Active         bool                   `json:"active"`      // the condition still holds, as far as readings say
	Occurrences    int                    `json:"occurrences"` // readings, and episodes while it was open, that it stands for, see Apply
	At             time.Time              `json:"at"`          // measurement time of what began it
	LastAt         time.Time              `json:"last_at"`     // measurement time of the latest occurrence
	RaisedAt       time.Time              `json:"raised_at"`   // when it was found
	EndedAt        time.Time              `json:"ended_at,omitzero"`
	TooLate        bool                   `json:"too_late"`              // its latest news was found too late to act: shown, not rung
	AnswerBy       time.Time              `json:"answer_by,omitzero"`    // on the team's calendar; zero: nobody is waited for
	EscalatedAt    time.Time              `json:"escalated_at,omitzero"` // of the latest ring
	AcknowledgedBy string                 `json:"acknowledged_by,omitempty"`
	AcknowledgedAt time.Time              `json:"acknowledged_at,omitzero"`
	ResolvedBy     string                 `json:"resolved_by,omitempty"`
	ResolvedAt     time.Time              `json:"resolved_at,omitzero"`
	Outcome        string                 `json:"outcome,omitempty"`
	Note           string                 `json:"note,omitempty"`
	Explanation    *protocols.Explanation `json:"explanation,omitempty"`
}

// EventKind says what happened to an alert.
type EventKind string

// The events of an alert. They are only ever appended.
const (
	EventRaised       EventKind = "raised"
	EventRisen        EventKind = "risen"        // its level rose
	EventRecurred     EventKind = "recurred"     // a new episode while it was still open
	EventEnded        EventKind = "ended"        // the condition ended; the alert stays
	EventResumed      EventKind = "resumed"      // late readings show that the condition had not ended
	EventHandedOver   EventKind = "handed-over"  // another team is in charge of the patient; the note names both
	EventEscalated    EventKind = "escalated"    // the answer delay ran out
	EventAcknowledged EventKind = "acknowledged" // by a person
	EventResolved     EventKind = "resolved"     // by a person
	EventUndelivered  EventKind = "undelivered"  // a message about it will never arrive
)

// Service is the author of what Vigie does itself.
const Service = "vigie"

// Event is one thing that happened to an alert.
type Event struct {
	Seq    int64           `json:"seq"` // grows over all alerts, in the order of commits
	Alert  string          `json:"alert"`
	Kind   EventKind       `json:"kind"`
	At     time.Time       `json:"at"` // when it was written
	Level  protocols.Level `json:"level"`
	Author string          `json:"author"` // Service for what no person did
	Note   string          `json:"note,omitempty"`
	// Outcome is set on EventResolved.
	Outcome string `json:"outcome,omitempty"`
}
