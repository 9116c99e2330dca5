package service

import (
	"context"
	"fmt"
	"time"

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
	var readings []*protocols.Reading
	err = s.History().History(ctx, e.Patient, nil, at.Add(-state.Lookback()), at.Add(1), func(r *protocols.Reading) bool {
		if (e.Covers(r.Time) || e.Remembers(r.Time)) && !r.Struck {
			readings = append(readings, r)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read what was measured: %w", err)
	}
	return trial.Explain(p, under, readings, rule, at)
}
