package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// undoTime is how long an act may be undone.
const undoTime = time.Minute

// Undo is how the latest act on an alert is undone.
type Undo struct {
	Act EventKind `json:"act"`
	By  string    `json:"by"`
	At  time.Time `json:"at"`
	Was Acted     `json:"was"`
	// Made is a digest of what the act made of the alert, so that nobody undoes what
	// somebody or something else has changed since.
	Made string `json:"made"`
	// Cut is the end that the act set, in place of one that a clock which is ahead had
	// given: see deed.resolve. Zero for none.
	Cut time.Time `json:"cut,omitzero"`
	// Ended is the end that Cut took the place of.
	Ended time.Time `json:"ended,omitzero"`
}

// String shows what is undone, and not where it stands in memory.
func (u *Undo) String() string { return fmt.Sprintf("%+v", *u) }

// Acted are the fields of an alert that acts of people change.
type Acted struct {
	State          State            `json:"state"`
	Team           string           `json:"team"`
	Transferred    string           `json:"transferred,omitempty"`
	AnswerBy       time.Time        `json:"answer_by,omitzero"`
	EscalatedAt    time.Time        `json:"escalated_at,omitzero"`
	AcknowledgedBy string           `json:"acknowledged_by,omitempty"`
	AcknowledgedAt time.Time        `json:"acknowledged_at,omitzero"`
	ResolvedBy     string           `json:"resolved_by,omitempty"`
	ResolvedAt     time.Time        `json:"resolved_at,omitzero"`
	Outcome        string           `json:"outcome,omitempty"`
	Outcomes       []string         `json:"outcomes,omitempty"`
	Note           string           `json:"note,omitempty"`
	Overdue        bool             `json:"overdue,omitempty"`
	Step           int              `json:"step,omitempty"`
	StepAt         time.Time        `json:"step_at,omitzero"`
	RangAt         time.Time        `json:"rang_at,omitzero"`
	FollowUpBy     time.Time        `json:"follow_up_by,omitzero"`
	CallBackAt     time.Time        `json:"call_back_at,omitzero"`
	CallBackBy     string           `json:"call_back_by,omitempty"`
	Reminded       bool             `json:"reminded,omitempty"`
	SnoozedUntil   time.Time        `json:"snoozed_until,omitzero"`
	PausedUntil    time.Time        `json:"paused_until,omitzero"`
	BackAt         time.Time        `json:"back_at,omitzero"`
	Worse          *protocols.Value `json:"worse,omitempty"`
	StoppedAt      time.Time        `json:"stopped_at,omitzero"`
}

// acted reads them from an alert; put writes them back.
func (a *Alert) acted() Acted {
	return Acted{
		a.State, a.Team, a.Transferred, a.AnswerBy, a.EscalatedAt, a.AcknowledgedBy, a.AcknowledgedAt, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Outcomes, a.Note,
		a.Overdue, a.Step, a.StepAt, a.RangAt, a.FollowUpBy, a.CallBackAt, a.CallBackBy, a.Reminded, a.SnoozedUntil, a.PausedUntil, a.BackAt, a.Worse, a.StoppedAt,
	}
}

func (was Acted) put(a *Alert) {
	a.State, a.Team, a.Transferred, a.AnswerBy, a.EscalatedAt, a.AcknowledgedBy, a.AcknowledgedAt = was.State, was.Team, was.Transferred, was.AnswerBy, was.EscalatedAt, was.AcknowledgedBy, was.AcknowledgedAt
	a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Outcomes, a.Note = was.ResolvedBy, was.ResolvedAt, was.Outcome, was.Outcomes, was.Note
	a.Overdue, a.Step, a.StepAt, a.RangAt = was.Overdue, was.Step, was.StepAt, was.RangAt
	a.FollowUpBy, a.CallBackAt, a.CallBackBy, a.Reminded = was.FollowUpBy, was.CallBackAt, was.CallBackBy, was.Reminded
	a.SnoozedUntil, a.PausedUntil, a.BackAt, a.Worse, a.StoppedAt = was.SnoozedUntil, was.PausedUntil, was.BackAt, was.Worse, was.StoppedAt
}

// made is a digest of what acts change of an alert, the same before and after a store
// has kept it. A further reading counts where it may have rung without the act: for what
// is shown without a call, and for what was closed as over.
func (a *Alert) made() string {
	was, last := a.acted(), ""
	if a.TooLate || a.State == Resolved && !a.Active {
		last = a.LastAt.UTC().Truncate(time.Millisecond).String()
	}
	for _, t := range []*time.Time{
		&was.AnswerBy, &was.EscalatedAt, &was.AcknowledgedAt, &was.ResolvedAt, &was.StepAt, &was.RangAt,
		&was.FollowUpBy, &was.CallBackAt, &was.SnoozedUntil, &was.PausedUntil, &was.BackAt, &was.StoppedAt,
	} {
		*t = t.UTC().Truncate(time.Millisecond) // stores keep less than a clock gives
	}
	text, err := json.Marshal(was)
	if err != nil {
		return ""
	}
	return Reference(string(text), last)
}

// remember keeps how the act that was just done is undone.
func (p *deed) remember(kind EventKind) {
	a := p.alert
	a.Undo = &Undo{Act: kind, By: p.author, At: p.now, Was: p.was.acted(), Made: a.made()}
	if !a.EndedAt.Equal(p.was.EndedAt) {
		a.Undo.Cut, a.Undo.Ended = a.EndedAt, p.was.EndedAt
	}
}

// CanUndo reports whether author may undo the latest act on an alert: it is theirs, at
// most a minute old, and nothing else has changed what it made of the alert.
func (a *Alert) CanUndo(author string, now time.Time) bool {
	u := a.Undo
	return u != nil && u.Act != EventUndone && u.By == author && !now.After(u.At.Add(undoTime)) && u.Made == a.made()
}

// undone reports whether author has just undone the latest act: a second click changes
// nothing.
func (a *Alert) undone(author string) bool {
	u := a.Undo
	return u != nil && u.Act == EventUndone && u.By == author && u.Made == a.made()
}

// TakeBack undoes the latest act on an alert, for its author and for a minute. The alert
// is what it would be without the act, deadline included; the events keep both. Whoever
// had been told of the act is told of its end. Errors are of type *Refused when it is
// too late, somebody else has acted since, or another alert of the rule has been raised.
func TakeBack(ctx context.Context, store Store, id, author string, now time.Time) error {
	author = strings.TrimSpace(author)
	if err := checkWords(author, "", ""); err != nil {
		return err
	}
	return act(ctx, store, id, "undo the latest act on", func(on On) (Change, error) {
		if on.Alert.undone(author) {
			return Change{}, nil
		}
		if !on.Alert.CanUndo(author, now) || on.followed() {
			return Change{}, &Refused{TooLateToUndo, protocols.Text{
				FR: "Cet acte ne peut plus être annulé : seul son auteur le peut, pendant une minute, tant que rien d'autre n'a changé l'alerte.",
				EN: "This act can no longer be undone: only its author can, for a minute, as long as nothing else has changed the alert.",
			}}
		}
		p := acting(on, author, "", now)
		return p.takeBack(), nil
	})
}

// followed reports whether another alert of the rule was raised since the latest act,
// which might not have been without, or another team is in charge.
func (on *On) followed() bool {
	other, team := on.Before.Current, on.Before.inCharge(&on.Alert, on.Care.Team).ID
	return other != nil && other.ID != on.Alert.ID && !other.RaisedAt.Before(on.Alert.Undo.At) || team != "" && team != on.Alert.Team
}

func (p *deed) takeBack() Change {
	a, undo := p.alert, *p.alert.Undo
	told := p.toldOf(undo.Act)
	undo.Was.put(a)
	if !undo.Cut.IsZero() && a.EndedAt.Equal(undo.Cut) {
		a.EndedAt = undo.Ended
	}
	if !a.Active {
		p.dropDeadline() // its end came meanwhile
	}
	if a.State == Open && undo.Act != EventReleased {
		told = append(told, p.woken()...)
	}
	a.Undo = &Undo{Act: EventUndone, By: p.author, At: p.now, Made: a.made()}
	slices.Sort(told)
	if told = slices.Compact(told); a.Level >= protocols.Orange {
		p.tellUndone(undo.Act, told)
	}
	p.events = append(p.events, Event{Alert: a.ID, Kind: EventUndone, At: p.now, Level: a.Level, Author: p.author, Note: string(undo.Act)})
	return Change{Next: a, Events: p.events, Outgoing: p.outgoing}
}

// toldOf is who else was told of an act, before it is undone: the person whom an alert
// was given to, and those who were called when it was given back.
func (p *deed) toldOf(act EventKind) []string {
	a, team := p.alert, p.care.Team
	switch act {
	case EventAssigned:
		return slices.Clone(team.addressesOf(a.AcknowledgedBy))
	case EventReleased:
		addresses, _ := team.route(a.Level, p.now)
		return slices.Clone(addresses)
	}
	return nil
}

// tellUndone tells people that what they were told has been undone. Systems hear of it
// where they heard of the act.
func (p *deed) tellUndone(act EventKind, addresses []string) {
	team := p.care.Team
	if act != EventReleased {
		team.Systems = nil
	}
	p.outgoing = append(p.outgoing, messages(p.alert, EventUndone, p.now.Format(time.RFC3339Nano), addresses, team, time.Time{}, p.now)...)
}
