package service

import (
	"context"
	"fmt"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/replay"
)

// preview says which alerts an enrolment would have raised in a span under each of some
// settings, from what is kept of the patient. The history is read once.
func (s *Service) preview(ctx context.Context, e *registry.Enrolment, settings []protocols.Settings, span replay.Span) (found [][]replay.Alert, err error) {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", e.ID, err)
	}
	p := s.Shelf.Protocol(e.Protocol, e.Version)
	if p == nil {
		return nil, fmt.Errorf("version %s of the protocol %s is not at hand", e.Version, e.Protocol)
	}
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, err
	}
	past := replay.Past{Enrolment: protocols.Enrolment{ID: e.ID, Patient: e.Patient, Zone: zone, From: e.Begins(), Until: e.Ends(), Pauses: e.Pauses}}
	back := time.Duration(0)
	for i := range settings {
		past.Enrolment.Settings = settings[i]
		state, err := plan.For(past.Enrolment)
		if err != nil {
			return nil, err
		}
		back = max(back, state.Lookback())
	}
	if past.Readings, err = s.evaluated(ctx, e, span.From.Add(-back), span.To); err != nil {
		return nil, err
	}
	start := func(e protocols.Enrolment) (protocols.Evaluator, error) { return plan.For(e) }
	for i := range settings {
		past.Enrolment.Settings = settings[i]
		alerts, err := replay.Alerts(start, past, span, nil)
		if err != nil {
			return nil, err
		}
		found = append(found, alerts)
	}
	return found, ctx.Err()
}
