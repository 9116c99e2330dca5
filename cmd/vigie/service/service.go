// Package service ties the parts together: doors, pipeline, store, alerts,
// channels, InfluxDB and HTTP. The command, the demonstration and the tests
// start it the same way, each with a clock.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/meter"
	"vigie/alerts/trail"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/disk"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// Options start a service. Now and Log are required.
type Options struct {
	Config config.Config
	Now    func() time.Time
	Log    *slog.Logger
	// NextPort lets the listeners take the next free port when theirs is taken.
	NextPort bool
	// Channels, when not nil, take the place of the configuration's.
	Channels map[string]alerts.Channel
	// Caught, when not nil, holds back everything that follows from silence until
	// it is closed: past readings are still on their way.
	Caught <-chan struct{}
	// Stepped keeps the sweeps from running by themselves: whoever moves the clock
	// asks Due when there is something to do, and calls Step then.
	Stepped bool
	// Again, when not nil, asks whoever runs the service to close it and to start it anew.
	// It returns at once.
	Again func()
}

// Service is a running Vigie. Close ends it politely.
type Service struct {
	Options
	Metrics *meter.Meter
	Shelf   *Shelf

	backend   *backend
	accounts  *access.Accounts
	persons   persons // which records of patients are merged
	trail     *trail.Trail
	pipeline  *ingest.Pipeline
	gateways  []ingest.Gateway
	doors     doors
	members   members
	influx    *influx.Client
	former    *influx.Client // that was fed before; nil for none
	forwarder *influx.Forwarder
	escalator *alerts.Escalator
	dispatch  *alerts.Dispatcher
	workspace *workspace.Workspace
	server    *http.Server
	page      net.Addr
	counts    *counts
	readers   readers
	strangers *strangers
	lock      *flock.Flock
	retried   retried
	faults    faults
	commits   commits
	handedAt  int64     // version of the registry
	handAgain time.Time // zero once that is not needed
	beaten    time.Time // when it was last noted that the service works

	prunedAt  time.Time                      // zero before the first time
	aged      map[string]int64               // how far each chain of the trail was aged
	remindAt  time.Time                      // when teams are to be reminded of renewals next
	forgetAt  time.Time                      // when readings are to be forgotten next
	whyKept   atomic.Pointer[protocols.Text] // why nothing is forgotten in the store; empty when it may be
	differing atomic.Int64                   // readings that InfluxDB does not hold as the store does
	watched

	background sync.WaitGroup
	stop       context.CancelFunc
}

// Start opens everything, in the order in which a reading meets it backwards:
// what is needed to commit stands before the first device can connect.
func Start(ctx context.Context, options Options) (*Service, error) {
	s := &Service{Options: options}
	s.bare()
	for _, step := range []func(context.Context) error{
		s.openShelf, s.openStore, s.openInflux, s.openChannels, s.openPipeline, s.openTrail, s.openAccounts, s.openWorkspace, s.inviteFirst, s.openDoors, s.openFigures, s.listen, s.startBackground,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// bare makes what every step relies on.
func (s *Service) bare() {
	s.Metrics = meter.New()
	s.strangers = newStrangers(s.Log.Handler(), time.Now)
	s.Log = slog.New(s.strangers)
}

func (s *Service) openShelf(context.Context) (err error) {
	s.Shelf, err = NewShelf(s.Config.Protocols.Folders...)
	return err
}

func (s *Service) openStore(ctx context.Context) (err error) {
	if s.Config.Store.Postgres.URL == "" {
		if err := disk.Make(s.Config.Data); err != nil {
			return fmt.Errorf("make the folder of the store (data): %w", err)
		}
		if s.lock, err = lockFolder(s.Config.Data); err != nil {
			return err
		}
		s.encloseStore()
	}
	open := func() (*backend, error) { return openBackend(ctx, s.Config, s.Shelf, s.Log) }
	err = s.untilThere(ctx, func() (err error) {
		s.backend, err = open()
		return err
	})
	if err != nil {
		return err
	}
	if err := dueErasures(ctx, s.Config, s.backend, s.Now()); err != nil {
		return fmt.Errorf("see whom the configuration keeps no longer: %w", err)
	}
	if s.backend, err = afterErasures(ctx, s.Config, s.backend, open, s.Log); err != nil {
		return err
	}
	s.commits.one = s.backend.store.CanCommit
	for _, note := range s.Shelf.Notes {
		s.Log.Warn(note)
	}
	return nil
}

// encloseStore leaves the files of the embedded store to their owner: an older version
// made them readable for others.
func (s *Service) encloseStore() {
	for _, beside := range []string{"", "-wal", "-shm"} {
		changed, err := disk.Enclose(filepath.Join(s.Config.Data, storeFile+beside))
		if err != nil {
			s.Log.Warn("the store is not for its owner alone", "error", err)
		}
		if changed && err == nil {
			s.Log.Info("others on this machine could read the store of an older version; it is for its owner alone now", "file", storeFile+beside)
		}
	}
}

// History returns where past readings are read.
func (s *Service) History() *ingest.Record { return recordOf(s.backend.store, s.influx) }

// Store returns the transactional store, for tools that run beside the service.
func (s *Service) Store() ingest.Store { return s.backend.store }

// Alerts returns the store of alerts.
func (s *Service) Alerts() alerts.Store { return s.backend.alerts }

// Registry returns the registry.
func (s *Service) Registry() Registry { return s.backend.registry }

// Pipeline returns the pipeline.
func (s *Service) Pipeline() *ingest.Pipeline { return s.pipeline }

// Page is the address of the pages and the interface for programs.
func (s *Service) Page() string {
	return fmt.Sprintf("%s://%s", scheme(s.Config.HTTP), s.page)
}

func scheme(c config.HTTP) string {
	if c.CertFile != "" {
		return "https"
	}
	return "http"
}

// Broker is the address of the broker inside; empty when that door is closed.
func (s *Service) Broker() string { return s.doors.address() }

// Close stops taking messages, commits those that were taken, acknowledges them,
// and closes the store. Closing what never opened is harmless.
func (s *Service) Close() error {
	var failed []error
	failed = append(failed, s.stopDoors())
	if s.pipeline != nil {
		s.pipeline.Close()
	}
	failed = append(failed, s.doors.close(), s.closePages())
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	for _, client := range []*influx.Client{s.influx, s.former} {
		if client != nil {
			client.Close()
		}
	}
	if s.backend != nil && s.pipeline != nil {
		// Without it the next start takes the last minute for an outage at most.
		_ = s.backend.alerts.NoteAlive(context.Background(), s.Now())
	}
	if s.trail != nil {
		failed = append(failed, s.trail.Close(context.Background()))
	}
	if s.backend != nil {
		failed = append(failed, s.backend.store.Close())
	}
	if s.lock != nil {
		failed = append(failed, s.lock.Close())
	}
	return errors.Join(failed...)
}
