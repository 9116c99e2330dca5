package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/protocols"
)

// ErrNotEmpty is returned for living the past again in a store that has a past.
var ErrNotEmpty = errors.New("the store holds alerts already: the past is lived again in an empty one only")

// Relive enters readings, by device, as if each came at the moment at which it was
// measured, into a store without alerts on which no service is running. Between them the
// silences are found hour by hour, until now. The same alerts come of it as did then, but
// for what people did about them. Nobody is told: every message is given up.
func Relive(ctx context.Context, options Options, byDevice map[string][]protocols.Reading) (sum ingest.Entered, err error) {
	type sent struct {
		device  string
		reading protocols.Reading
	}
	var all []sent
	for device, readings := range byDevice {
		for i := range readings {
			all = append(all, sent{device, readings[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b sent) int { return a.reading.Time.Compare(b.reading.Time) })
	sum.Refused = map[protocols.Code]int{}
	end := options.Now()
	var clock time.Time
	options.Now = func() time.Time { return clock }
	if clock = end; len(all) > 0 {
		clock = all[0].reading.Time
	}
	s := &Service{Options: options}
	s.bare()
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, step := range []func(context.Context) error{s.openShelf, s.openStore, s.openPipeline} {
		if err := step(ctx); err != nil {
			return sum, err
		}
	}
	if last, err := s.backend.alerts.LastSeq(ctx); err != nil || last > 0 {
		return sum, errors.Join(err, ErrNotEmpty)
	}
	until := func(t time.Time) error {
		for clock.Before(t) {
			if clock = clock.Add(time.Hour); clock.After(t) {
				clock = t
			}
			if _, err := s.pipeline.Sweep(ctx); err != nil {
				return fmt.Errorf("look for silences: %w", err)
			}
		}
		return nil
	}
	for i := range all {
		if err := until(all[i].reading.Time); err != nil {
			return sum, err
		}
		entered, err := s.pipeline.Enter(ctx, all[i].device, []protocols.Reading{all[i].reading}, nil)
		if err != nil {
			return sum, err
		}
		sum.New, sum.Known = sum.New+entered.New, sum.Known+entered.Known
		for code, n := range entered.Refused {
			sum.Refused[code] += n
		}
	}
	if err := until(end); err != nil {
		return sum, err
	}
	return sum, s.tellNobody(ctx, end)
}

// tellNobody gives up every message that waits.
func (s *Service) tellNobody(ctx context.Context, now time.Time) error {
	for _, kind := range alerts.Kinds() {
		for {
			waiting, err := s.backend.alerts.Outbox(ctx, kind.Name, now, 1000)
			if err != nil {
				return err
			}
			for i := range waiting {
				if err := s.backend.alerts.Refuse(ctx, waiting[i].ID, now, "it is of the past, which was lived again"); err != nil {
					return err
				}
			}
			if len(waiting) == 0 {
				break
			}
		}
	}
	return nil
}
