package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/protocols"
)

// HandOver gives every alert that nobody has resolved to the team that is in charge
// now, and returns how many it has moved. An event says who had it before. Of what
// nobody has answered the new team is told, but the answer is due when it was. When
// nobody is in charge any more, the former team keeps it. What fails does not hold
// back the others.
func HandOver(ctx context.Context, store Store, directory Directory, now time.Time) (int, error) {
	filter := Filter{States: []State{Open, Acknowledged}, Limit: MaxLimit}
	moved := 0
	var failures []error
	for {
		list, err := store.Alerts(ctx, filter)
		if err != nil {
			return moved, errors.Join(append(failures, err)...)
		}
		for i := range list {
			done, err := handOver(ctx, store, directory, &list[i], now)
			if err != nil {
				failures = append(failures, fmt.Errorf("hand over alert %s: %w", list[i].ID, err))
			}
			if done {
				moved++
			}
		}
		if len(list) < filter.Limit {
			return moved, errors.Join(failures...)
		}
		filter.After = After(&list[len(list)-1]).String()
	}
}

func handOver(ctx context.Context, store Store, directory Directory, alert *Alert, now time.Time) (moved bool, err error) {
	care, err := CareFor(directory, alert.Enrolment)
	team := care.Team
	if err != nil || team.ID == "" || team.ID == alert.Team {
		return false, err
	}
	err = store.Act(ctx, alert.ID, func(a *Alert) ([]Event, []Outgoing, error) {
		moved = a.State != Resolved && a.Team == alert.Team
		if !moved {
			return nil, nil, nil
		}
		a.Team = team.ID
		event := Event{Alert: a.ID, Kind: EventHandedOver, At: now, Level: a.Level, Author: Service, Note: alert.Team + " → " + team.ID}
		if a.State != Open || a.TooLate && a.AnswerBy.IsZero() || a.Level == protocols.Technical {
			return []Event{event}, nil, nil
		}
		ring := team.ID + "/" + now.UTC().Format(time.RFC3339Nano)
		return []Event{event}, messages(a, EventHandedOver, ring, team.Mail, team.Webhook, now), nil
	})
	return moved && err == nil, err
}
