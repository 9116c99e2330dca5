package alerts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// hold lets a pause, or an end of what is expected of the patient, that was entered,
// changed or taken back hold, or let go of, a silence at once. An alert is only looked at
// again when there is something to do.
func hold(ctx context.Context, store Store, directory Directory, alert *Alert, now time.Time) error {
	care, err := CareFor(directory, alert.Enrolment)
	if err != nil || !care.traits(alert.Rule).Silence {
		return err
	}
	if _, on := care.paused(now); !on && alert.PausedUntil.IsZero() && alert.StoppedAt.IsZero() && !care.over(now) {
		return nil
	}
	return store.Act(ctx, alert.ID, func(on On) (Change, error) { return Pass(on, now), nil })
}

// HandOver gives every alert that nobody has resolved to the team that is in charge
// now, and returns how many it has moved. One that a person transferred stays where it is,
// as long as there is that team. An event says who had it before. For what nobody has
// answered the new team is called by its own hours and chain; an answer that was waited
// for is due no later. When nobody is in charge any more, the former team keeps it. What
// fails does not hold back the others.
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
			if err := hold(ctx, store, directory, &list[i], now); err != nil {
				failures = append(failures, fmt.Errorf("look at alert %s of a patient who may be away: %w", list[i].ID, err))
			}
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

// handedTo stands between the two teams in the note of an EventHandedOver.
const handedTo = " → "

// HandedOver reads the note of an EventHandedOver: the two teams, and why a person
// transferred the alert; empty where the patient came to another team.
func HandedOver(note string) (from, to, why string) {
	from, to, _ = strings.Cut(note, handedTo)
	to, why, _ = strings.Cut(to, " ")
	return from, to, why
}

// TeamAt returns the team that was in charge of an alert when the event seq of it was
// written. events are all that happened to the alert, in their order.
func TeamAt(alert *Alert, events []Event, seq int64) string {
	for _, e := range events {
		if from, to, _ := HandedOver(e.Note); e.Kind == EventHandedOver && e.Seq > seq && to != "" {
			return from
		}
	}
	return alert.Team
}

func handOver(ctx context.Context, store Store, directory Directory, alert *Alert, now time.Time) (moved bool, err error) {
	care, err := CareFor(directory, alert.Enrolment)
	team := care.Team
	if err != nil || team.ID == "" || team.ID == alert.Team {
		return false, err
	}
	if elsewhere, err := teamIn(directory, alert.Transferred); err != nil || elsewhere.ID != "" {
		return false, err
	}
	err = store.Act(ctx, alert.ID, func(on On) (Change, error) {
		moved = on.Alert.State != Resolved && on.Alert.Team == alert.Team
		if !moved {
			return Change{}, nil
		}
		return acting(on, Service, "", now).handOver(team), nil
	})
	return moved && err == nil, err
}

// handOver gives an alert to the team that the patient has come to. Nobody there was called
// yet: what nobody has answered is called for, and the steps of the former team count no
// more. Whoever took it on keeps it; where they are past their follow-up it begins again.
func (p *deed) handOver(team Team) Change {
	a := p.alert
	if former := p.before.team(a.Team); former.ID != "" {
		p.care.Team = former
		p.relieve(EventAcknowledged) // whoever was woken need not act any more
	}
	teams := a.Team + handedTo + team.ID
	a.Team, a.Transferred, p.care.Team = team.ID, "", team
	p.note(EventHandedOver)
	p.events[len(p.events)-1].Note = teams
	switch {
	case a.State == Open && !(a.TooLate && a.AnswerBy.IsZero()):
		p.askAnew()
	case a.State == Acknowledged && a.Step > 0:
		a.EscalatedAt, a.Step, a.StepAt = time.Time{}, 0, time.Time{}
		a.FollowUpBy = p.care.followUp(a.Level, p.now)
	}
	return Change{Next: a, Events: p.events, Outgoing: p.outgoing}
}
