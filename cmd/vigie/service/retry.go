package service

import (
	"context"
	"errors"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// mended are the codes that a correction of the registry may put right.
var mended = []protocols.Code{protocols.UnknownDevice, protocols.NotEnrolled, protocols.DeviceNotEligible}

// retried is which version of the registry the set-aside readings were tried with,
// and when to try once more those that met a fault.
type retried struct {
	version  int64
	failures int // in a row
	next     time.Time
}

// due reports whether there is anything to try.
func (r *retried) due(version int64, now time.Time) bool {
	return version != r.version || r.failures > 0 && !now.Before(r.next)
}

// note records a try. After one in which something failed the next comes a minute
// later, then each time twice as late, up to an hour: what is at fault does not
// mend in a second.
func (r *retried) note(version int64, failed bool, now time.Time) {
	if version != r.version || !failed {
		r.failures = 0
	}
	r.version = version
	if failed {
		r.next = now.Add(min(time.Minute<<min(r.failures, 6), time.Hour))
		r.failures++
	}
}

// retryAfterCorrection tries set-aside readings again whenever the registry has changed.
// The first look, at the start, catches what was corrected while the service
// was stopped.
func (s *Service) retryAfterCorrection(ctx context.Context) error {
	version, err := s.backend.registry.RegistryVersion(ctx)
	if err != nil || !s.retried.due(version, s.Now()) {
		return err
	}
	failed := false
	for _, code := range mended {
		retried, err := s.pipeline.Retry(ctx, ingest.SetAsideFilter{Code: code})
		if err != nil {
			return err
		}
		failed = failed || retried.Failed > 0
		if retried.Tried > 0 {
			s.Log.Info("tried set-aside readings again after a change of the registry", "code", string(code),
				"tried", retried.Tried, "accepted", retried.Accepted, "failed", retried.Failed)
		}
	}
	s.retried.note(version, failed, s.Now())
	return nil
}

func (s *Service) correctionsDue(ctx context.Context, by time.Time) (bool, error) {
	version, err := s.backend.registry.RegistryVersion(ctx)
	return err == nil && s.retried.due(version, by), err
}

// Retry tries set-aside readings again on a store that no service is running on;
// ErrRunning when one is: it does so by itself after each change of the registry.
func Retry(ctx context.Context, options Options, filter ingest.SetAsideFilter) (retried ingest.Retried, err error) {
	err = unattended(ctx, options, func(p *ingest.Pipeline) error {
		retried, err = p.Retry(ctx, filter)
		return err
	})
	return retried, err
}

// Enter keeps readings that a person enters from files, on a store that no service is
// running on; ErrRunning when one is. told may be nil, as for ingest.Pipeline.Enter.
func Enter(ctx context.Context, options Options, device string, readings []protocols.Reading, told func(done, of int)) (entered ingest.Entered, err error) {
	err = unattended(ctx, options, func(p *ingest.Pipeline) error {
		entered, err = p.Enter(ctx, device, readings, told)
		return err
	})
	return entered, err
}

// unattended does work with a pipeline on a store that no service is running on.
func unattended(ctx context.Context, options Options, work func(*ingest.Pipeline) error) error {
	return withPipeline(ctx, options, func(s *Service) error { return work(s.pipeline) })
}

// withPipeline does so with all that it takes to have a pipeline.
func withPipeline(ctx context.Context, options Options, work func(*Service) error) (err error) {
	s := &Service{Options: options}
	s.bare()
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, step := range []func(context.Context) error{s.openShelf, s.openStore, s.openPipeline} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return work(s)
}
