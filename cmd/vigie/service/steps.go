package service

import (
	"context"
	"fmt"
	"time"
)

// sweep is work that follows from the passing of time, or from what was committed
// meanwhile.
type sweep struct {
	name string
	run  func(context.Context) error
	// due reports whether run would find something to do by then, were nothing else
	// to happen before. True for one moment, it is true for every later one.
	due func(ctx context.Context, by time.Time) (bool, error)
}

// sweeps lists every sweep, in the order in which one follows from another.
func (s *Service) sweeps() []sweep {
	return []sweep{
		{"corrections", s.retryAfterCorrection, s.correctionsDue},
		{"handover", s.handOver, s.handOverDue},
		{"deadlines", s.deadlines, s.deadlinesDue},
		{"escalate", func(ctx context.Context) error {
			_, err := s.escalator.Escalate(ctx, s.Now())
			return err
		}, s.escalator.Due},
		{"dispatch", func(ctx context.Context) error {
			_, err := s.dispatch.Dispatch(ctx, s.Now())
			return err
		}, s.dispatch.Due},
		{"strikes", s.carryOn, s.carryOnDue},
		{"renewals", s.remind, s.remindDue},
		{"retention", s.prune, s.pruneDue},
		{"forgetting", s.forget, s.forgetDue},
		{"protocols", s.keepUsed, s.keepUsedDue},
		{"members", s.drain, s.drainDue},
		{"alive", s.alive, s.aliveDue},
	}
}

// rounds bounds how often the sweeps run at one moment: one may bring about work for
// another. What is due all the same is tried again a second later, as ever: a
// channel that is away keeps its messages due.
const rounds = 5

// Step does everything that is due by the service's clock, in a fixed order. It is
// for Options.Stepped, and fails when a sweep does.
func (s *Service) Step(ctx context.Context) error {
	if in := s.doors.inside.Load(); in != nil {
		if err := in.Recheck(ctx); err != nil {
			return fmt.Errorf("hold the devices against the registry: %w", err)
		}
	}
	for range rounds {
		for _, sweep := range s.sweeps() {
			if err := sweep.run(ctx); err != nil {
				return fmt.Errorf("sweep %s: %w", sweep.name, err)
			}
		}
		if still, err := s.anyDue(ctx, s.Now()); err != nil || !still {
			return err
		}
	}
	return nil
}

// Due returns when the next sweep has something to do: the earliest whole second
// after now and not after until; zero when there is none.
func (s *Service) Due(ctx context.Context, until time.Time) (time.Time, error) {
	now := s.Now().Truncate(everySecond)
	seconds := int(until.Sub(now) / everySecond)
	found := seconds + 1
	for _, sweep := range s.sweeps() {
		var err error
		if found, err = earliest(found, func(n int) (bool, error) { return sweep.due(ctx, now.Add(time.Duration(n)*everySecond)) }); err != nil {
			return time.Time{}, fmt.Errorf("see when the sweep %s has something to do: %w", sweep.name, err)
		}
	}
	if found > seconds {
		return time.Time{}, nil
	}
	return now.Add(time.Duration(found) * everySecond), nil
}

// earliest is the smallest number of seconds below found for which something is due;
// found when there is none.
func earliest(found int, due func(seconds int) (bool, error)) (int, error) {
	if found <= 1 {
		return found, nil
	}
	if is, err := due(found - 1); err != nil || !is {
		return found, err
	}
	not, is := 0, found-1
	for is-not > 1 {
		middle := not + (is-not)/2
		so, err := due(middle)
		if err != nil {
			return found, err
		}
		if so {
			is = middle
		} else {
			not = middle
		}
	}
	return is, nil
}

// anyDue reports whether a sweep has something to do by then.
func (s *Service) anyDue(ctx context.Context, by time.Time) (bool, error) {
	for _, sweep := range s.sweeps() {
		if is, err := sweep.due(ctx, by); err != nil || is {
			return err == nil, err
		}
	}
	return false, nil
}
