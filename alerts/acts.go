package alerts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/protocols"
)

// Code names one reason for which an act is refused. Codes are stable: programs
// act on them.
type Code string

// The codes.
const (
	Unknown             Code = "unknown-alert"
	NoAuthor            Code = "no-author"
	NoOutcome           Code = "no-outcome"
	TooLong             Code = "too-long"
	AlreadyAcknowledged Code = "already-acknowledged"
	AlreadyResolved     Code = "already-resolved"
	WorseSince          Code = "worse-since"
)

// Refused is an act that cannot be done, in a sentence for the person who tried.
type Refused struct {
	Code Code
	Text protocols.Text
}

// Error returns the English sentence.
func (r *Refused) Error() string { return r.Text.In("en") }

// How long what people write may be, in characters.
const (
	longestName = 200
	longestNote = 4000
)

// Acknowledge notes that somebody has taken an alert on. The same author may say
// so twice, and what is noted then is kept as well. Errors are of type *Refused when
// the act is not possible.
func Acknowledge(ctx context.Context, store Store, id, author, note string, now time.Time) error {
	author, note = strings.TrimSpace(author), strings.TrimSpace(note)
	if err := checkWords(author, "", note); err != nil {
		return err
	}
	return act(ctx, store, id, "acknowledge", func(a *Alert) ([]Event, []Outgoing, error) {
		switch {
		case a.State == Resolved:
			return nil, nil, alreadyResolved(a)
		case a.State == Acknowledged && a.AcknowledgedBy == author:
			if note == "" || note == a.Note {
				return nil, nil, nil
			}
			a.Note = note
			return []Event{{Alert: a.ID, Kind: EventAcknowledged, At: now, Level: a.Level, Author: author, Note: note}}, nil, nil
		case a.State == Acknowledged:
			return nil, nil, &Refused{AlreadyAcknowledged, protocols.Text{
				FR: fmt.Sprintf("Cette alerte est déjà prise en charge par %s.", a.AcknowledgedBy),
				EN: fmt.Sprintf("This alert is already acknowledged by %s.", a.AcknowledgedBy),
			}}
		}
		a.State, a.AcknowledgedBy, a.AcknowledgedAt = Acknowledged, author, now
		a.AnswerBy = time.Time{}
		if note != "" {
			a.Note = note
		}
		return []Event{{Alert: a.ID, Kind: EventAcknowledged, At: now, Level: a.Level, Author: author, Note: note}}, nil, nil
	})
}

// Resolve notes that an alert is settled, and how: outcome is one of Outcomes or
// words of one's own. Resolving an alert nobody has acknowledged acknowledges it
// as well. The same author may say the same twice. Errors are of type *Refused when
// the act is not possible.
func Resolve(ctx context.Context, store Store, id, author, outcome, note string, now time.Time) error {
	author, outcome, note = strings.TrimSpace(author), strings.TrimSpace(outcome), strings.TrimSpace(note)
	if err := checkWords(author, outcome, note); err != nil {
		return err
	}
	if outcome == "" {
		return &Refused{NoOutcome, protocols.Text{
			FR: "Indiquez l'issue : ce qui a été fait, ou pourquoi rien ne l'a été.",
			EN: "Give the outcome: what was done, or why nothing was.",
		}}
	}
	return act(ctx, store, id, "resolve", func(a *Alert) ([]Event, []Outgoing, error) {
		if a.State == Resolved && a.ResolvedBy == author && a.Outcome == outcome && (note == "" || note == a.Note) {
			return nil, nil, nil
		}
		if a.State == Resolved {
			return nil, nil, alreadyResolved(a)
		}
		if a.State == Open {
			a.AcknowledgedBy, a.AcknowledgedAt = author, now
		}
		if !a.Active && a.EndedAt.After(now) {
			a.EndedAt = now // by a clock that is ahead; who resolves it has seen its end
		}
		a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome = Resolved, author, now, outcome
		a.AnswerBy = time.Time{}
		if note != "" {
			a.Note = note
		}
		return []Event{{Alert: a.ID, Kind: EventResolved, At: now, Level: a.Level, Author: author, Note: note, Outcome: outcome}}, nil, nil
	})
}

// Seen is an alert as somebody had it before them when they decided what to do.
type Seen struct {
	Level  protocols.Level `json:"level"`
	Active bool            `json:"active"`
}

// In is that store for the act of somebody who saw an alert so. It refuses the act
// when the alert has got worse since: its level rose, or the condition that was
// over goes on. Nobody takes on, or settles, what they have not read.
func (s Seen) In(store Store) Store { return seenStore{store, s} }

type seenStore struct {
	Store
	seen Seen
}

// Act is part of Store.
func (s seenStore) Act(ctx context.Context, id string, change func(*Alert) ([]Event, []Outgoing, error)) error {
	return s.Store.Act(ctx, id, func(a *Alert) ([]Event, []Outgoing, error) {
		if a.State != Resolved && (a.Level > s.seen.Level || a.Active && !s.seen.Active) {
			return nil, nil, &Refused{WorseSince, protocols.Text{
				FR: "Cette alerte s'est aggravée depuis que vous l'avez affichée : relisez-la, puis agissez de nouveau.",
				EN: "This alert has got worse since you opened it: read it again, then act again.",
			}}
		}
		return change(a)
	})
}

// act changes an alert, and says in a sentence when there is none.
func act(ctx context.Context, store Store, id, what string, change func(*Alert) ([]Event, []Outgoing, error)) error {
	err := store.Act(ctx, id, change)
	var refused *Refused
	switch {
	case err == nil, errors.As(err, &refused):
		return err
	case errors.Is(err, ErrNotFound):
		return &Refused{Unknown, protocols.Text{
			FR: "Aucune alerte ne porte cette référence.",
			EN: "There is no alert with this reference.",
		}}
	}
	return fmt.Errorf("%s alert %s: %w", what, id, err)
}

func alreadyResolved(a *Alert) error {
	return &Refused{AlreadyResolved, protocols.Text{
		FR: fmt.Sprintf("Cette alerte est déjà close par %s.", a.ResolvedBy),
		EN: fmt.Sprintf("This alert is already resolved by %s.", a.ResolvedBy),
	}}
}

// CheckAuthor returns why a name cannot sign an act, nil when it can.
func CheckAuthor(author string) *Refused {
	var refused *Refused
	errors.As(checkWords(strings.TrimSpace(author), "", ""), &refused)
	return refused
}

func checkWords(author, outcome, note string) error {
	if author == "" {
		return &Refused{NoAuthor, protocols.Text{
			FR: "Indiquez qui agit : chaque acte a un auteur.",
			EN: "Say who acts: every act has an author.",
		}}
	}
	if utf8.RuneCountInString(author) > longestName || utf8.RuneCountInString(outcome) > longestName || utf8.RuneCountInString(note) > longestNote {
		return &Refused{TooLong, protocols.Text{
			FR: fmt.Sprintf("Trop long : l'auteur et l'issue tiennent en %d caractères, la note en %d.", longestName, longestNote),
			EN: fmt.Sprintf("Too long: author and outcome hold %d characters, the note %d.", longestName, longestNote),
		}}
	}
	return nil
}

// Outcome is one way in which an alert is often settled.
type Outcome struct {
	ID    string
	Title protocols.Text
}

// Outcomes are those a page offers.
func Outcomes() []Outcome { return outcomes }

var outcomes = []Outcome{
	{"patient-called", protocols.Text{FR: "patient contacté", EN: "patient contacted"}},
	{"treatment-changed", protocols.Text{FR: "traitement adapté", EN: "treatment changed"}},
	{"appointment", protocols.Text{FR: "consultation ou visite programmée", EN: "appointment or visit arranged"}},
	{"referred", protocols.Text{FR: "adressé à un confrère ou aux urgences", EN: "referred to a colleague or to emergency care"}},
	{"measured-again", protocols.Text{FR: "nouvelle mesure rassurante", EN: "measured again, reassuring"}},
	{"device-fixed", protocols.Text{FR: "problème de matériel réglé", EN: "device problem fixed"}},
	{"no-action", protocols.Text{FR: "aucune action nécessaire", EN: "no action needed"}},
}

// OutcomeText is the title of an outcome; words of one's own come back as they
// are.
func OutcomeText(outcome string) protocols.Text {
	for _, known := range outcomes {
		if known.ID == outcome {
			return known.Title
		}
	}
	return protocols.Text{FR: outcome, EN: outcome}
}

// LevelText is a level as a clinician reads it.
func LevelText(level protocols.Level) protocols.Text {
	switch level {
	case protocols.Red:
		return protocols.Text{FR: "à traiter en priorité", EN: "to handle first"}
	case protocols.Orange:
		return protocols.Text{FR: "à traiter", EN: "to handle"}
	case protocols.Yellow:
		return protocols.Text{FR: "à surveiller", EN: "to watch"}
	case protocols.Technical:
		return protocols.Text{FR: "technique", EN: "technical"}
	}
	return protocols.Text{}
}
