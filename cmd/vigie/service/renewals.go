package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
)

// renewalsBack is how many days a reminder is made up for that a service could not give
// because it was away.
const renewalsBack = 3

// remind tells each team, once a day at most, that prescriptions end soon and that nothing
// renews them.
func (s *Service) remind(ctx context.Context) error {
	now := s.Now()
	if !s.remindIsDue(now) {
		return nil
	}
	days, err := s.renewalDays(ctx, now)
	if err != nil {
		return fmt.Errorf("look for prescriptions that end soon: %w", err)
	}
	var messages []alerts.Outgoing
	for id, marks := range days {
		team, err := s.teamToTell(ctx, id)
		if err != nil {
			return err
		}
		for _, day := range marks {
			messages = append(messages, alerts.Notice(alerts.EventRenewal, team, day, now)...)
		}
	}
	if err := s.backend.alerts.Post(ctx, messages); err != nil {
		return err
	}
	s.remindAt = now.Add(24 * time.Hour)
	return nil
}

// renewalDays are, by team, the civil days up to now on which an enrolment came to one of
// registry.RenewalDays before its end.
func (s *Service) renewalDays(ctx context.Context, now time.Time) (map[string][]string, error) {
	const part = 1_000
	days := map[string][]string{}
	for after := ""; ; {
		list, err := s.backend.registry.Enrolments(ctx, after, part)
		if err != nil {
			return nil, err
		}
		for i := range list {
			e := &list[i]
			after = e.ID
			if left := e.DaysLeft(now); left < 0 || left > registry.RenewalDays[0] || !e.Covers(now) {
				continue
			}
			others, err := s.backend.registry.EnrolmentsOf(ctx, e.Patient)
			if err != nil {
				return nil, err
			}
			for back := range renewalsBack {
				at := now.AddDate(0, 0, -back)
				day := at.UTC().Format(time.DateOnly)
				if slices.Contains(registry.RenewalDays, e.DaysLeft(at)) && e.EndsSoon(now, registry.RenewalDays[0], others) && !slices.Contains(days[e.Team], day) {
					days[e.Team] = append(days[e.Team], day)
				}
			}
		}
		if len(list) < part {
			return days, nil
		}
	}
}

// teamToTell is a team as alerts reach it; one without addresses where nobody knows it.
func (s *Service) teamToTell(ctx context.Context, id string) (alerts.Team, error) {
	team, err := s.backend.registry.Team(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return alerts.Team{}, nil
	}
	if err != nil {
		return alerts.Team{}, fmt.Errorf("read the team %s: %w", id, err)
	}
	return teamOf(team)
}

// tellTeams posts a notice to teams, once for each key.
func (s *Service) tellTeams(ctx context.Context, kind alerts.EventKind, teams []string, key string) error {
	var messages []alerts.Outgoing
	for _, id := range teams {
		team, err := s.teamToTell(ctx, id)
		if err != nil {
			return err
		}
		messages = append(messages, alerts.Notice(kind, team, key, s.Now())...)
	}
	return s.backend.alerts.Post(ctx, messages)
}

func (s *Service) remindIsDue(by time.Time) bool {
	return !by.Before(s.remindAt) || s.remindAt.Sub(by) > 24*time.Hour
}

func (s *Service) remindDue(_ context.Context, by time.Time) (bool, error) {
	return s.remindIsDue(by), nil
}
