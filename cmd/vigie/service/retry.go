package service

import (
	"context"
	"errors"

	"vigie/ingest"
	"vigie/protocols"
)

// mended are the codes that a correction of the registry may put right.
var mended = []protocols.Code{protocols.UnknownDevice, protocols.NotEnrolled, protocols.DeviceNotEligible}

// retryAfterCorrection tries set-aside readings again whenever the registry has changed.
// The first look, at the start, catches what was corrected while the service
// was stopped.
func (s *Service) retryAfterCorrection(ctx context.Context) error {
	version, err := s.backend.registry.RegistryVersion(ctx)
	if err != nil || version == s.retriedAt {
		return err
	}
	for _, code := range mended {
		retried, err := s.pipeline.Retry(ctx, ingest.SetAsideFilter{Code: code})
		if err != nil {
			return err
		}
		if retried.Tried > 0 {
			s.Log.Info("tried set-aside readings again after a change of the registry", "code", string(code), "tried", retried.Tried, "accepted", retried.Accepted)
		}
	}
	s.retriedAt = version
	return nil
}

// Retry tries set-aside readings again on a store that no service is running on;
// ErrRunning when one is: it does so by itself after each change of the registry.
func Retry(ctx context.Context, options Options, filter ingest.SetAsideFilter) (retried ingest.Retried, err error) {
	s := &Service{Options: options}
	s.bare()
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, step := range []func(context.Context) error{s.openShelf, s.openStore, s.openPipeline} {
		if err := step(ctx); err != nil {
			return retried, err
		}
	}
	return s.pipeline.Retry(ctx, filter)
}
