package service

import (
	"context"
	"slices"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// beside adds to a message about to leave until when its alert is to be answered, or how
// many alerts of its team wait. Of what cannot be read now it says nothing.
func (s *Service) beside(ctx context.Context, m *alerts.Outgoing) {
	teams := s.teams()
	at := slices.IndexFunc(teams, func(t workspace.Team) bool { return t.Name == m.Team })
	if at < 0 {
		return
	}
	if m.Alert != "" {
		a, err := s.backend.alerts.Alert(ctx, m.Alert)
		if err == nil && a.State == alerts.Open && !a.AnswerBy.IsZero() {
			m.AnswerBy = a.AnswerBy.In(teams[at].Zone)
		}
		return
	}
	if m.Event != alerts.EventDigest {
		return
	}
	waits, err := s.backend.alerts.Summary(ctx, alerts.Filter{Team: teams[at].ID})
	if err == nil {
		m.Waiting, m.Urgent = waits.Count(alerts.Open), waits.Unresolved[alerts.Open][protocols.Red]
	}
}
