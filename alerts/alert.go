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
	Person         string                 `json:"person,omitempty"`  // the record that Patient is merged into, where lists are shown; stores keep none
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
	Life
}

// Whose is the record that the person of an alert goes by; empty for a device that nobody
// is enrolled with.
func (a *Alert) Whose() string {
	if a.Person != "" {
		return a.Person
	}
	return a.Patient
}

// Life is what an alert remembers to stay in front of somebody. Stores keep it as
// one JSON object, so that a further field takes no migration.
type Life struct {
	// Follows is the alert that this one continues: resolved, or no longer measured.
	Follows string `json:"follows,omitempty"`
	// Transferred is the team that a person has transferred the alert to; empty where the
	// team of the patient is in charge of it.
	Transferred string `json:"transferred,omitempty"`
	// RangAt is when people were last called, or would have been, had another alert of
	// the patient not called them already.
	RangAt time.Time `json:"rang_at,omitzero"`
	// Figure is the worst figure that people were told of. Margin is by how much a
	// figure has to be beyond it to count as graver: negative where lower is worse, 0
	// where no figure carries the alert. Signs counts the comparisons that were true.
	Figure protocols.Value `json:"figure,omitempty"`
	Margin protocols.Value `json:"margin,omitempty"`
	Signs  int             `json:"signs,omitempty"`
	// Worse is the graver figure that was found after somebody had taken the alert on.
	Worse *protocols.Value `json:"worse,omitempty"`
	// Flips counts the episodes that began and joined without a ring.
	Flips int `json:"flips,omitempty"`
	// Overdue marks a silence that was there before Vigie could look: it stands on the
	// list with a deadline and rings by itself at its next step.
	Overdue bool `json:"overdue,omitempty"`
	// Step counts the steps of the escalation since the last ring, or since the
	// follow-up ran out. StepAt is when the next one is due.
	Step   int       `json:"step,omitempty"`
	StepAt time.Time `json:"step_at,omitzero"`
	// FollowUpBy is when whoever took the alert on is asked again.
	FollowUpBy time.Time `json:"follow_up_by,omitzero"`
	// CallBackAt is when the patient is to be called again, as CallBackBy has promised. It
	// stands, overdue, until somebody writes what came of it; Reminded says that people
	// were told that the time has come.
	CallBackAt time.Time `json:"call_back_at,omitzero"`
	CallBackBy string    `json:"call_back_by,omitempty"`
	Reminded   bool      `json:"reminded,omitempty"`
	// SnoozedUntil ends a time during which a person wants to hear nothing of it.
	SnoozedUntil time.Time `json:"snoozed_until,omitzero"`
	// PausedUntil is the end of the patient's pause that holds a silence back.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	// BackAt is when a resolved alert comes back without a reading.
	BackAt time.Time `json:"back_at,omitzero"`
	// Outcomes are all that closing named; Outcome is the first of them.
	Outcomes []string `json:"outcomes,omitempty"`
	// Undo is how the latest act is undone, see TakeBack; nil where there is none.
	Undo *Undo `json:"undo,omitempty"`
	// Stood lists the episodes that it stands for, the latest last: what is left should a
	// reading be struck out. Nil on an alert of a version that did not keep them.
	Stood []Stood `json:"stood,omitempty"`
	// StruckAt is when a reading on which it rested was last struck out.
	StruckAt time.Time `json:"struck_at,omitzero"`
	// StruckOn is when a strike last ended an episode of it that went on.
	StruckOn time.Time `json:"struck_on,omitzero"`
	// StoppedAt is when the clock of a silence was stopped because nothing was expected of
	// the patient any more; zero while it runs.
	StoppedAt time.Time `json:"stopped_at,omitzero"`
}

// Stood is one of the episodes that an alert stands for.
type Stood struct {
	Episode string          `json:"episode"`
	At      time.Time       `json:"at"` // measurement time of what began it
	Level   protocols.Level `json:"level"`
}

// Next is when time alone next has something to do with the alert; zero for never.
func (a *Alert) Next() time.Time {
	switch {
	case a.State == Resolved:
		return a.BackAt
	case !a.PausedUntil.IsZero():
		return a.PausedUntil
	case a.State == Acknowledged && !a.SnoozedUntil.IsZero():
		return soonest(a.SnoozedUntil, a.callDue())
	case a.State == Acknowledged && a.Step == 0:
		return soonest(a.FollowUpBy, a.callDue())
	case a.State == Acknowledged:
		return soonest(a.StepAt, a.callDue())
	case a.Step == 0 && a.EscalatedAt.IsZero():
		return soonest(a.AnswerBy, a.StepAt)
	}
	return a.StepAt
}

// callDue is when people are to be reminded of a call; zero for never.
func (a *Alert) callDue() time.Time {
	if a.Reminded {
		return time.Time{}
	}
	return a.CallBackAt
}

// promiseNothing takes back the call that was promised.
func (a *Alert) promiseNothing() { a.CallBackAt, a.CallBackBy, a.Reminded = time.Time{}, "", false }

// soonest is the earliest of the times that are set; zero for none.
func soonest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
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
	EventHandedOver   EventKind = "handed-over"  // another team is in charge, of the patient or by a person's act; the note names both, then why: see HandedOver
	EventEscalated    EventKind = "escalated"    // the answer delay ran out
	EventAcknowledged EventKind = "acknowledged" // by a person
	EventResolved     EventKind = "resolved"     // by a person
	EventUndelivered  EventKind = "undelivered"  // a message about it will never arrive
	EventWorse        EventKind = "worse"        // the figure got worse, the level did not; the note holds both figures
	EventPaused       EventKind = "paused"       // a pause of the patient holds a silence back; the note names who entered it, until when and why
	EventFollowUp     EventKind = "follow-up"    // whoever took it on is asked again
	EventCallBack     EventKind = "call-back"    // the time to call again was set by a person, or has come
	EventReleased     EventKind = "released"     // who had taken it on gave it back
	EventNoted        EventKind = "noted"        // a person wrote a note
	EventAssigned     EventKind = "assigned"     // a person gave it to another
	EventSnoozed      EventKind = "snoozed"      // a person wants to hear nothing of it for a time
	EventWoken        EventKind = "woken"        // that time is over
	EventUndone       EventKind = "undone"       // who acted undid it; the note is the kind of the act
	EventStruck       EventKind = "struck"       // a person has struck out a reading on which it rested; the note holds the reason
	EventDigest       EventKind = "digest"       // messages only: what can wait, told once at the opening
	EventRenewal      EventKind = "renewal"      // messages only: prescriptions that end soon and that nothing renews
	EventUnsubscribed EventKind = "unsubscribed" // messages only: a device takes no messages any more, and its contact was removed
	EventGlass        EventKind = "glass"        // messages only: somebody of another team has opened the record of a patient
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
