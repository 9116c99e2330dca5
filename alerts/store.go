package alerts

import (
	"context"
	"errors"
	"slices"
	"time"

	"vigie/protocols"
)

// Store keeps alerts, their events and the messages to people. Every
// implementation passes the same contract tests (ingest/stores/storetest).
//
// What findings do to alerts is written in the transaction that keeps the
// readings: the store opens a Ledger, lets the findings work on it, and writes what
// has changed.
type Store interface {
	// Alert returns one alert with its explanation; ErrNotFound when there is none.
	Alert(ctx context.Context, id string) (*Alert, error)
	// Alerts lists alerts without their explanation, gravest and oldest first, or
	// newest first when the filter asks for that.
	Alerts(ctx context.Context, filter Filter) ([]Alert, error)
	// Events lists the events of one alert, oldest first.
	Events(ctx context.Context, alert string) ([]Event, error)
	// EventsAfter lists up to limit events of all alerts after seq, oldest first.
	EventsAfter(ctx context.Context, seq int64, limit int) ([]Event, error)
	// LastSeq is the sequence number of the latest event.
	LastSeq(ctx context.Context) (int64, error)
	// Act changes one alert in a transaction of its own: change gets it as it
	// is and returns what follows, see Ledger.Act. An error of change leaves all as it
	// was and is returned.
	Act(ctx context.Context, id string, change func(On) (Change, error)) error
	// Due lists up to limit alerts whose Next has come, soonest first.
	Due(ctx context.Context, now time.Time, limit int) ([]Alert, error)
	// Post puts messages that are about no alert into the outbox, see Notice. One that is
	// there already stays as it is.
	Post(ctx context.Context, messages []Outgoing) error
	// Outbox lists up to limit messages that are to be sent through a channel by
	// now, oldest first.
	Outbox(ctx context.Context, channel string, now time.Time, limit int) ([]Outgoing, error)
	// Sent records that the channel has confirmed a message.
	Sent(ctx context.Context, id string, at time.Time) error
	// Retry records a failed attempt and when to try again. The first of these times stays
	// known as Outgoing.Again.
	Retry(ctx context.Context, id string, at time.Time, reason string) error
	// Refuse gives a message up for good, with the reason, and appends an
	// EventUndelivered to its alert.
	Refuse(ctx context.Context, id string, now time.Time, reason string) error
	// Undelivered lists up to limit messages that were given up, newest first.
	Undelivered(ctx context.Context, limit int) ([]Outgoing, error)
	// Told lists up to limit messages about an alert, or to a team by its name where no
	// alert is named, the latest written first, whatever became of them.
	Told(ctx context.Context, alert, team string, limit int) ([]Outgoing, error)
	// ForgetSent forgets messages that were sent before that time and returns how
	// many there were. It never forgets one that still waits.
	ForgetSent(ctx context.Context, sentBefore time.Time) (int, error)
	// NoteAlive records that the service works, and LastAlive is the latest time that
	// was recorded; zero before the first.
	NoteAlive(ctx context.Context, at time.Time) error
	LastAlive(ctx context.Context) (time.Time, error)
	// Summary counts the unresolved alerts, of the filter's Team, with those that no
	// team is in charge of, or of all when it is empty, as far as Within allows, and
	// the messages that wait. Nothing else of the filter is looked at.
	Summary(ctx context.Context, filter Filter) (Summary, error)
}

// Summary is the state of the worklist in numbers.
type Summary struct {
	Unresolved    map[State]map[protocols.Level]int // without Resolved
	Waiting       int                               // messages not sent yet
	OldestWaiting time.Time                         // when the oldest of them was written; zero when none waits
	Undelivered   int                               // messages given up, about alerts that nobody has resolved yet
}

// Count returns the number of unresolved alerts in that state, of all levels.
func (s Summary) Count(state State) int {
	total := 0
	for _, n := range s.Unresolved[state] {
		total += n
	}
	return total
}

// ErrNotFound is returned for an alert that does not exist.
var ErrNotFound = errors.New("no such alert")

// Filter narrows a list of alerts. Zero fields do not narrow.
type Filter struct {
	States   []State
	Levels   []protocols.Level
	Within   []string // only what these teams, or no team, are in charge of, even when empty; nil for all
	Team     string   // in charge; where Resolved is not asked for, also what no team is in charge of
	Patient  string
	Protocol string
	Rule     string
	From     time.Time // raised at or after
	To       time.Time // raised before
	// StruckSince narrows to what was closed at that time or after because its readings
	// were struck out.
	StruckSince time.Time
	After       string // cursor from the last alert of the page before, see Cursor
	Limit       int    // DefaultLimit when zero, at most MaxLimit
	Newest      bool   // latest raised first, whatever the level
	Due         bool   // as ByDue; stores do not look at it, see Unresolved
}

// How many alerts one page holds.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// ShowsUnassigned reports whether a list of one team holds also what no team is in
// charge of: as long as it is not resolved, every team sees it.
func (f Filter) ShowsUnassigned() bool {
	return f.Team != "" && len(f.States) > 0 && !slices.Contains(f.States, Resolved)
}

// Covers reports whether an alert is about whom a filter asks for, and the concern of
// the teams it asks for.
func (f Filter) Covers(a *Alert) bool {
	switch {
	case f.Patient != "" && a.Patient != f.Patient:
		return false
	case f.Within != nil && a.Team != "" && !slices.Contains(f.Within, a.Team):
		return false
	}
	return f.Team == "" || a.Team == f.Team || a.Team == "" && f.ShowsUnassigned()
}

// PageSize is the limit that holds for a filter.
func (f Filter) PageSize() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}

// Outgoing is one message to a person or a system, waiting to be sent. It
// carries a reference and a link: never a value, never a name. One that is held back
// takes the place of a former one, as grave or less, about the same alert to the same
// recipient, held back until the same moment: who reads at the opening is told once.
type Outgoing struct {
	ID       string // from alert, event and recipient: writing it again changes nothing
	Channel  string // the name of a Kind: "mail"
	To       string // address or URL
	Alert    string // empty for a message about a list: EventDigest, and those of Notice
	Event    EventKind
	Team     string // name of the team
	Level    protocols.Level
	Created  time.Time
	NotUntil time.Time // do not send before; zero for at once, whatever the clock says
	Attempts int
	Again    time.Time // when it was first to be tried again: its patience counts from then; zero before the first failure
	SentAt   time.Time
	GivenUp  time.Time // refused for good, or too old: it will never be sent
	Error    string    // of the last attempt

	// AnswerBy is when an answer is due, on the team's clock, and Waiting how many alerts of
	// the team nobody has answered, Urgent how many of them are red. They are those of the
	// moment of sending, see Dispatcher.Beside, and are not kept.
	AnswerBy        time.Time
	Waiting, Urgent int
}

// Replaces lists the levels of the former messages whose place this one takes. It is
// empty for a message that is not held back, or is about no alert.
func (m *Outgoing) Replaces() (levels []string) {
	if m.Alert == "" || m.NotUntil.IsZero() {
		return nil
	}
	for level := protocols.Technical; level <= m.Level; level++ {
		levels = append(levels, level.String())
	}
	return levels
}

// Care is what alerts need to know of an enrolment: whose it is and how soon an
// answer is expected.
type Care struct {
	Team     Team
	Answer   map[protocols.Level]time.Duration // in the team's opening hours
	Rest     map[protocols.Level]time.Duration // Vigie's own where it is not set, see restTimes
	FollowUp map[protocols.Level]time.Duration // Vigie's own where it is not set, see followUps
	Rules    map[string]Traits                 // by rule
	Pauses   []protocols.Pause
	Admin    []string  // of the service, told once the chain of the team is at its end
	Same     []string  // the other records of the person, where two are merged
	Until    time.Time // nothing is expected of the patient from then on; zero for never
}

// Team is who is told.
type Team struct {
	ID         string
	Name       string
	Calendar   Calendar
	Contacts   []string   // those that are told first, each written by Contact
	Escalate   []string   // the first step of the escalation; Contacts when empty
	Chain      [][]string // the further steps, in order
	Systems    []string   // contacts that hear of everything at once
	OutOfHours map[protocols.Level]OutOfHours
	Rota       Rota
}

// OutOfHours is what a team has chosen for what rings while it is closed.
type OutOfHours string

// The choices. The zero one is Tell.
const (
	Tell   OutOfHours = "tell"    // into the team's box at once; the answer waits for the opening
	Wait   OutOfHours = "wait"    // nothing before the opening
	OnCall OutOfHours = "on-call" // to whoever is on duty at once; the answer delay runs on the wall
)

// Directory finds the care around an enrolment. The empty enrolment stands for
// technical alerts about devices nobody is enrolled with. It returns ErrNoCare
// when nobody is in charge; any other error is taken for a passing failure.
type Directory interface {
	Care(enrolment string) (Care, error)
}

// Teams is what a Directory also implements where alerts may be transferred to another
// team. It returns the zero Team for one that does not exist.
type Teams interface {
	Team(id string) (Team, error)
}

// teamIn asks a directory for a team; the zero one where it knows none.
func teamIn(directory Directory, id string) (Team, error) {
	teams, ok := directory.(Teams)
	if !ok || id == "" {
		return Team{}, nil
	}
	return teams.Team(id)
}

// ErrNoCare is returned for an enrolment that no care team is in charge of.
var ErrNoCare = errors.New("no care team is in charge")

// CareFor asks a directory for the care around an enrolment. Nobody in charge
// must not hide an alert: the care of the empty enrolment takes its place, and
// failing that the alert is kept without a team, where every team sees it.
func CareFor(directory Directory, enrolment string) (Care, error) {
	care, err := directory.Care(enrolment)
	if errors.Is(err, ErrNoCare) && enrolment != "" {
		care, err = directory.Care("")
	}
	if errors.Is(err, ErrNoCare) {
		return Care{}, nil
	}
	return care, err
}

// CareOf is the care around an alert: its team is the one that a person transferred it to,
// as long as there is such a team.
func CareOf(directory Directory, a *Alert) (Care, error) {
	care, err := CareFor(directory, a.Enrolment)
	if err != nil {
		return Care{}, err
	}
	team, err := teamIn(directory, a.Transferred)
	if team.ID != "" {
		care.Team = team
	}
	return care, err
}
