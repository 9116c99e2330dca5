package service

import (
	"context"
	"fmt"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/trial"
)

// standing says where a rule of an enrolment stands at a moment, from what is kept of
// the patient: what an alert shows beside what rang.
func (s *Service) standing(ctx context.Context, enrolment, rule string, at time.Time) (*protocols.Account, error) {
	e, err := s.backend.registry.Enrolment(ctx, enrolment)
	if err != nil {
		return nil, fmt.Errorf("find the enrolment: %w", err)
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", e.ID, err)
	}
	p := s.Shelf.Protocol(e.Protocol, e.Version)
	if p == nil {
		return nil, fmt.Errorf("version %s of the protocol %s is not at hand", e.Version, e.Protocol)
	}
	under := protocols.Enrolment{ID: e.ID, Patient: e.Patient, Zone: zone, Settings: e.Settings, From: e.Begins(), Until: e.Ends(), Pauses: e.Pauses}
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, err
	}
	state, err := plan.For(under)
	if err != nil {
		return nil, err
	}
	readings, err := s.evaluated(ctx, e, at.Add(-state.Lookback()), at.Add(1))
	if err != nil {
		return nil, err
	}
	return trial.Explain(p, under, readings, rule, at)
}

// evaluated are the readings of a span by which an enrolment is evaluated, those of its
// past included.
func (s *Service) evaluated(ctx context.Context, e *registry.Enrolment, from, to time.Time) ([]*protocols.Reading, error) {
	return evaluated(ctx, e, from, to, s.backend.registry.EnrolmentsOf, s.History().History)
}

func evaluated(ctx context.Context, e *registry.Enrolment, from, to time.Time, enrolmentsOf func(context.Context, string) ([]registry.Enrolment, error),
	history func(context.Context, string, *protocols.Measure, time.Time, time.Time, func(*protocols.Reading) bool) error,
) (readings []*protocols.Reading, err error) {
	all, err := enrolmentsOf(ctx, e.Patient)
	if err != nil {
		return nil, fmt.Errorf("read the enrolments of the patient: %w", err)
	}
	err = history(ctx, e.Patient, nil, from, to, func(r *protocols.Reading) bool {
		if !r.Struck && (e.Covers(r.Time) || e.Recalls(r.Time, all)) {
			readings = append(readings, r)
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read what was measured: %w", err)
	}
	return readings, nil
}
