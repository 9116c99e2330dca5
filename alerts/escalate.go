package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Escalator tells further people about alerts that nobody has answered within
// the delay. Each ring of an alert escalates once.
type Escalator struct {
	Store     Store
	Directory Directory
	Metrics   *Metrics // may be nil
}

// swept is how many overdue alerts are taken at a time.
const swept = 500

// Escalate looks once for what is overdue and returns how many alerts it has
// escalated. What fails stays due and does not hold back the others.
func (e *Escalator) Escalate(ctx context.Context, now time.Time) (int, error) {
	done := 0
	for {
		due, err := e.Store.Overdue(ctx, now, swept)
		if err != nil {
			return done, fmt.Errorf("look for overdue alerts: %w", err)
		}
		escalated, err := e.all(ctx, due, now)
		done += escalated
		if err != nil || len(due) < swept {
			return done, err
		}
	}
}

// Due reports whether Escalate would find something overdue by then, were nobody to
// answer before.
func (e *Escalator) Due(ctx context.Context, by time.Time) (bool, error) {
	due, err := e.Store.Overdue(ctx, by, 1)
	return len(due) > 0, err
}

func (e *Escalator) all(ctx context.Context, due []Alert, now time.Time) (int, error) {
	done := 0
	var failures []error
	for i := range due {
		escalated, err := e.one(ctx, &due[i], now)
		if err != nil {
			failures = append(failures, fmt.Errorf("escalate alert %s: %w", due[i].ID, err))
		}
		if escalated {
			done++
		}
	}
	return done, errors.Join(failures...)
}

// one escalates an alert, unless somebody has answered meanwhile. The people
// named for escalation are told, or the team again where there are none.
func (e *Escalator) one(ctx context.Context, overdue *Alert, now time.Time) (bool, error) {
	care, err := CareFor(e.Directory, overdue.Enrolment)
	if err != nil {
		return false, err
	}
	addresses := care.Team.Escalate
	if len(addresses) == 0 {
		addresses = care.Team.Mail
	}
	escalated := false
	err = e.Store.Act(ctx, overdue.ID, func(a *Alert) ([]Event, []Outgoing, error) {
		escalated = a.State == Open && a.EscalatedAt.IsZero() && !a.AnswerBy.IsZero() && !a.AnswerBy.After(now)
		if !escalated {
			return nil, nil, nil
		}
		a.EscalatedAt = now
		ring := a.AnswerBy.UTC().Format(time.RFC3339Nano)
		event := Event{Alert: a.ID, Kind: EventEscalated, At: now, Level: a.Level, Author: Service}
		return []Event{event}, messages(a, EventEscalated, ring, addresses, care.Team.Webhook, now), nil
	})
	if err != nil {
		return false, err
	}
	if escalated {
		e.Metrics.escalated()
	}
	return escalated, nil
}
