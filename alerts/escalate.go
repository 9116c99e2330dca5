package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Escalator does what time alone brings: it tells further people about alerts that
// nobody has answered, asks again, and brings back. See Pass.
type Escalator struct {
	Store   Store
	Metrics *Metrics // may be nil
}

// swept is how many alerts that are due are taken at a time.
const swept = 500

// Escalate looks once for what is due and returns how many alerts it has changed.
// What fails stays due and does not hold back the others.
func (e *Escalator) Escalate(ctx context.Context, now time.Time) (int, error) {
	done := 0
	for {
		due, err := e.Store.Due(ctx, now, swept)
		if err != nil {
			return done, fmt.Errorf("look for alerts that are due: %w", err)
		}
		changed, err := e.all(ctx, due, now)
		done += changed
		if err != nil || len(due) < swept || changed == 0 {
			return done, err
		}
	}
}

// Due reports whether Escalate would find something due by then, were nobody to
// answer before.
func (e *Escalator) Due(ctx context.Context, by time.Time) (bool, error) {
	due, err := e.Store.Due(ctx, by, 1)
	return len(due) > 0, err
}

func (e *Escalator) all(ctx context.Context, due []Alert, now time.Time) (int, error) {
	done := 0
	var failures []error
	for i := range due {
		changed, err := e.one(ctx, &due[i], now)
		if err != nil {
			failures = append(failures, fmt.Errorf("look at alert %s, which is due: %w", due[i].ID, err))
		}
		if changed {
			done++
		}
	}
	return done, errors.Join(failures...)
}

// one does what time alone has brought for an alert, unless somebody was faster.
func (e *Escalator) one(ctx context.Context, due *Alert, now time.Time) (bool, error) {
	escalated, changed := false, false
	err := e.Store.Act(ctx, due.ID, func(on On) (Change, error) {
		change := Pass(on, now)
		changed = change.Next != nil
		escalated = slices.ContainsFunc(change.Events, func(event Event) bool { return event.Kind == EventEscalated })
		return change, nil
	})
	if err != nil {
		return false, err
	}
	if escalated {
		e.Metrics.escalated()
	}
	return changed, nil
}
