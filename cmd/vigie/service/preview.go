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

// preview says which alerts each form of an enrolment would have raised in a span: forms
// differ by their settings or the version of their protocol.
func (s *Service) preview(ctx context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error) {
	return foresee(ctx, s.Shelf, forms, span, s.evaluated)
}

// Foresee says which alerts each form of an enrolment would have raised in a span, as a
// preview of the service does.
func (t *Tools) Foresee(ctx context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error) {
	return foresee(ctx, t.Shelf, forms, span, func(ctx context.Context, e *registry.Enrolment, from, to time.Time) ([]*protocols.Reading, error) {
		return evaluated(ctx, e, from, to, t.EnrolmentsOf, t.History)
	})
}

// foresee replays what is kept of the patient. The history is read once.
func foresee(ctx context.Context, shelf *Shelf, forms []registry.Enrolment, span replay.Span, read func(context.Context, *registry.Enrolment, time.Time, time.Time) ([]*protocols.Reading, error)) (found [][]replay.Alert, err error) {
	e := &forms[0]
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", e.ID, err)
	}
	past := replay.Past{Enrolment: protocols.Enrolment{ID: e.ID, Patient: e.Patient, Zone: zone, From: e.Begins(), Until: e.Ends(), Pauses: e.Pauses}}
	plans, back := map[string]*engine.Plan{}, time.Duration(0)
	for i := range forms {
		form := &forms[i]
		if plans[form.Version] == nil {
			p := shelf.Protocol(form.Protocol, form.Version)
			if p == nil {
				return nil, fmt.Errorf("version %s of the protocol %s is not at hand", form.Version, form.Protocol)
			}
			if plans[form.Version], err = engine.NewPlan(p); err != nil {
				return nil, err
			}
		}
		past.Enrolment.Settings = form.Settings
		state, err := plans[form.Version].For(past.Enrolment)
		if err != nil {
			return nil, err
		}
		back = max(back, state.Lookback())
	}
	if past.Readings, err = read(ctx, e, span.From.Add(-back), span.To); err != nil {
		return nil, err
	}
	for i := range forms {
		plan := plans[forms[i].Version]
		past.Enrolment.Settings = forms[i].Settings
		alerts, err := replay.Alerts(func(e protocols.Enrolment) (protocols.Evaluator, error) { return plan.For(e) }, past, span, nil)
		if err != nil {
			return nil, err
		}
		found = append(found, alerts)
	}
	return found, ctx.Err()
}
