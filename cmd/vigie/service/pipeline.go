package service

import (
	"context"

	"vigie/ingest"
)

// openPipeline starts what takes messages to committed readings.
func (s *Service) openPipeline(ctx context.Context) (err error) {
	s.counts = newCounts(s.Metrics)
	c := s.Config.Limits
	limits := ingest.DefaultLimits()
	limits.TooOld, limits.Tolerance = c.TooOld, c.FutureTolerance
	limits.Queue, limits.PerDevice, limits.Rate = c.Queue, c.DeviceInFlight, c.DeviceRate
	limits.OfflineGrace = s.Config.Technical.OfflineGrace
	limits.Batch, limits.Linger, limits.States = c.Batch, c.Linger, c.States
	if s.gateways, err = Gateways(s.Config.Topics); err != nil {
		return err
	}
	s.pipeline, err = ingest.New(ingest.Config{
		Gateways:  s.gateways,
		Store:     s.backend.store,
		Formats:   formats,
		Prefix:    s.Config.Topics.Prefix,
		Plans:     s.plans(),
		Receipts:  &s.doors,
		Now:       s.Now,
		Logger:    s.Log,
		Limits:    limits,
		Committed: s.committed,
	})
	if err != nil {
		return err
	}
	return s.keepUsed(ctx) // the operator's measures, before a reading of one is kept
}

// committed is told of every batch by the pipeline.
func (s *Service) committed(c ingest.Commit) {
	s.counts.committed(c)
	if s.forwarder != nil && c.Accepted > 0 {
		s.forwarder.Notify()
	}
}
