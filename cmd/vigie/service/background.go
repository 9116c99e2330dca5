package service

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
)

// openChannels prepares what tells people.
func (s *Service) openChannels(ctx context.Context) error {
	if err := s.endLostSubscriptions(ctx); err != nil {
		return err
	}
	channels := s.Channels
	if channels == nil {
		var err error
		if channels, err = s.configuredChannels(); err != nil {
			return err
		}
	}
	metrics := alerts.NewMetrics(s.Metrics)
	remember := s.Config.Retention.Messages
	if remember == 0 {
		remember = forEver
	}
	s.dispatch = &alerts.Dispatcher{Store: s.backend.alerts, Channels: channels, Metrics: metrics, Log: s.Log, Keep: remember}
	s.dispatch.Gone, s.dispatch.Beside = s.contactGone, s.beside
	if s.Stepped {
		s.dispatch.Jitter = func() float64 { return 0 }
	}
	s.escalator = &alerts.Escalator{Store: s.backend.alerts, Metrics: metrics}
	return nil
}

// linkOf is where messages to people point.
func linkOf(c config.HTTP) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	return scheme(c) + "://" + c.Listen
}

// startBackground wakes the sweeps. The wake-ups are frequent and mean nothing
// by themselves: each sweep asks the store what is due by the service's clock,
// so that a missed or doubled wake-up, a change of the clocks or a restart
// changes nothing.
func (s *Service) startBackground(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if s.Stepped {
		return nil
	}
	s.background.Go(func() {
		// Whichever node leads: what an older one beside it has set aside, since it
		// could not evaluate it, is evaluated once a newer one takes its place.
		s.sweep(ctx, "corrections", s.retryAfterCorrection)
		s.backend.leader.Lead(ctx, sweepsWork, s.leading(sweepsWork, s.stepDown(s.runSweeps)))
	})
	s.background.Go(func() { s.recheckDevices(ctx) })
	s.background.Go(func() { s.keepMosquitto(ctx) })
	s.background.Go(func() { s.tellStrangers(ctx) })
	s.startAttending(ctx)
	if s.forwarder != nil {
		s.background.Go(func() { s.backend.leader.Lead(ctx, influxWork, s.leading(influxWork, s.forwarder.Run)) })
	}
	return nil
}

// tellStrangers says at the end of each minute, and of the service, what was counted of
// strangers.
func (s *Service) tellStrangers(ctx context.Context) {
	wake := time.NewTicker(everySecond)
	defer wake.Stop()
	for {
		select {
		case <-wake.C:
			s.strangers.Flush(ctx)
		case <-ctx.Done():
			s.strangers.End(context.WithoutCancel(ctx))
			return
		}
	}
}

// runSweeps looks for what is due every second until ctx ends.
func (s *Service) runSweeps(ctx context.Context) {
	if s.Caught != nil {
		select {
		case <-s.Caught:
		case <-ctx.Done():
			return
		}
	}
	logger := cronLog{s.Log}
	wake := cron.New(cron.WithLocation(utc), cron.WithLogger(logger), cron.WithChain(cron.Recover(logger), cron.SkipIfStillRunning(logger)))
	for _, sweep := range s.sweeps() {
		wake.Schedule(cron.Every(everySecond), cron.FuncJob(func() { s.sweep(ctx, sweep.name, sweep.run) }))
	}
	wake.Start()
	<-ctx.Done()
	<-wake.Stop().Done()
}

// handMore is how long after a change of the registry alerts are looked through once
// more: what was being committed by the registry as it was before may come after the
// first look.
const handMore = time.Minute

// handOver lets alerts follow their patients whenever the registry has changed.
func (s *Service) handOver(ctx context.Context) error {
	version, err := s.backend.registry.RegistryVersion(ctx)
	if err != nil {
		return err
	}
	now, changed := s.Now(), version != s.handedAt
	if !s.handOverIsDue(version, now) {
		return nil
	}
	moved, err := alerts.HandOver(ctx, s.backend.alerts, s.backend.directory, now)
	if moved > 0 {
		s.Log.Info("handed alerts over to the teams in charge now", "alerts", moved)
	}
	if err != nil {
		return err
	}
	s.handedAt, s.handAgain = version, time.Time{}
	if changed {
		s.handAgain = now.Add(handMore)
	}
	return nil
}

func (s *Service) handOverIsDue(version int64, by time.Time) bool {
	return version != s.handedAt || !s.handAgain.IsZero() && !by.Before(s.handAgain)
}

func (s *Service) handOverDue(ctx context.Context, by time.Time) (bool, error) {
	version, err := s.backend.registry.RegistryVersion(ctx)
	return err == nil && s.handOverIsDue(version, by), err
}

// sweep runs one sweep. What fails is due again at the next wake-up.
func (s *Service) sweep(ctx context.Context, name string, work func(context.Context) error) {
	if err := work(ctx); ctx.Err() == nil {
		s.faults.note(s.Log, name, err)
	}
}

// faults are the sweeps that fail, each with when it is told again: a database that
// is away for a night does not fill the log.
type faults struct {
	mu    sync.Mutex
	again map[string]time.Time
	since map[string]time.Time // when each began to fail, by the machine's clock
}

// failing lists the sweeps that have failed for so long, in the order of their names.
func (f *faults) failing(least time.Duration) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for name, since := range f.since {
		if time.Since(since) >= least {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// forget begins anew: another node may do better.
func (f *faults) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.since)
}

// toldEvery is how often a fault that lasts is told, by the machine's clock.
const toldEvery = time.Minute

func (f *faults) note(log *slog.Logger, sweep string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	again, failing := f.again[sweep]
	if f.since == nil {
		f.since = map[string]time.Time{}
	}
	if err == nil {
		delete(f.since, sweep)
	} else if _, known := f.since[sweep]; !known {
		f.since[sweep] = time.Now()
	}
	switch {
	case err == nil && failing:
		delete(f.again, sweep)
		log.Info("a sweep that failed works again", "sweep", sweep)
	case err != nil && (!failing || time.Now().After(again)):
		if f.again == nil {
			f.again = map[string]time.Time{}
		}
		f.again[sweep] = time.Now().Add(toldEvery)
		log.Error("a sweep failed and is tried again every second", "sweep", sweep, "error", err)
	}
}
