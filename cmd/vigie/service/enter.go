package service

import (
	"context"
	"fmt"
	"time"

	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

// enter keeps readings that a person enters into the service that runs.
func (s *Service) enter(ctx context.Context, about workspace.Entering) (entered workspace.Entered, err error) {
	zone, err := s.zoneOf(ctx, about.Patient)
	if err != nil {
		return entered, err
	}
	var batch ingest.Batch
	for _, text := range about.Readings {
		native.Decoder{}.Decode("", about.Device, text, &batch)
	}
	if entered.Batch = about.Batch; entered.Batch == "" {
		entered.Batch = ingest.BatchName(s.Now())
	}
	origin := &protocols.Origin{Batch: entered.Batch}
	for i := range batch.Readings {
		r := &batch.Readings[i]
		r.Patient, r.Origin = about.Patient, origin
		if r.DayOnly {
			r.Time = time.Date(r.Time.Year(), r.Time.Month(), r.Time.Day(), 12, 0, 0, 0, zone).UTC()
		}
	}
	switch {
	case about.More:
		entered.Entered, err = s.pipeline.EnterPart(ctx, about.Device, batch.Readings)
	case about.Batch != "":
		entered.Entered, err = s.pipeline.EnterLast(ctx, about.Device, batch.Readings)
	default:
		entered.Entered, err = s.pipeline.Enter(ctx, about.Device, batch.Readings, nil)
	}
	entered.Unreadable(batch.Refused)
	return entered, err
}

// zoneOf is where a patient lives, by the latest enrolment; UTC for who has none.
func (s *Service) zoneOf(ctx context.Context, patient string) (*time.Location, error) {
	enrolments, err := s.backend.registry.EnrolmentsOf(ctx, patient)
	if err != nil || len(enrolments) == 0 {
		return time.UTC, err
	}
	last := &enrolments[len(enrolments)-1]
	zone, err := time.LoadLocation(last.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", last.ID, err)
	}
	return zone, nil
}
