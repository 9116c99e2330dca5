package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/figures"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/postgres"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// Registry is the part of a store that holds the registry.
type Registry interface {
	registry.Store
	ingest.Directory
}

var _ influx.AlertsTogether = (*postgres.Store)(nil)

// backend is the transactional store in its three roles.
type backend struct {
	store     pruned
	alerts    alerts.Store
	figures   figures.Store
	reviews   reviews.Store
	registry  Registry
	access    access.Store
	trail     traces
	erasure   erasure.Store
	directory alerts.Directory
	leader    leader
}

// traces is the trail with the first looks.
type traces interface {
	trail.Store
	trail.Looks
	trail.Stripper
}

// pruned is a store of readings whose growth is bounded.
type pruned interface {
	ingest.Store
	ingest.Pruner
	ingest.Forgetter
	ingest.Errands
	ingest.WideActs
	ingest.Verifier
	erasure.Ageing
	// CanCommit commits a transaction that changes nothing; an error says why no
	// reading could be kept now.
	CanCommit(ctx context.Context) error
}

// Tools is a store opened for a tool, beside a service that may be running.
type Tools struct {
	Registry
	Shelf  *Shelf
	Store  ingest.Store
	Alerts alerts.Store
	// Reviews is who read through whose record.
	Reviews reviews.Store
	// Kept is the store as it knows what it has forgotten, and what is to be done in
	// InfluxDB.
	Kept interface {
		ingest.Forgetter
		ingest.Errands
		ingest.Pruner
	}
	// Language is that of the operator: fr or en.
	Language string
	access   access.Store
	config   config.Config
	record   *ingest.Record
	verifier ingest.Verifier
	influx   *influx.Client

	whole    *backend
	deed     string // the command, for the trail; nothing is traced when empty
	traces   trail.Store
	opening  sync.Mutex
	trail    *trail.Trail // once something is traced; under opening
	looking  sync.Mutex
	patients map[string]bool // who was read of; under looking
}

// OpenTools opens the store of a configuration without starting the service.
func OpenTools(ctx context.Context, c config.Config) (*Tools, error) {
	shelf, err := NewShelf(c.Protocols.Folders...)
	if err != nil {
		return nil, err
	}
	b, err := openBackend(ctx, c, shelf, slog.Default())
	if err != nil {
		return nil, err
	}
	if err := noneMissed(ctx, c, b); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	client, err := influxOf(c)
	if err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	return &Tools{Registry: b.registry, Shelf: shelf, Store: b.store, Alerts: b.alerts, Reviews: b.reviews, Kept: b.store, whole: b, access: b.access, traces: b.trail, config: c, patients: map[string]bool{}, Language: c.Language, record: recordOf(b.store, client), verifier: b.store, influx: client}, nil
}

// recordOf is the one history of what a store keeps, and what it has forgotten and
// InfluxDB holds. The client may be nil.
func recordOf(store ingest.Remembering, client *influx.Client) *ingest.Record {
	record := &ingest.Record{Store: store}
	if client != nil {
		record.Beyond = client
	}
	return record
}

// Influx is the client of InfluxDB; nil when none is configured.
func (t *Tools) Influx() *influx.Client { return t.influx }

// History is ingest.Record.History, and leaves a trace.
func (t *Tools) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	t.looked(ctx, patient)
	return t.record.History(ctx, patient, measure, from, to, yield)
}

// Verify reads all that the store holds and lists what is damaged.
func (t *Tools) Verify(ctx context.Context) (ingest.DamagedRows, error) {
	return t.verifier.Verify(ctx)
}

// Protocol returns a version of a protocol that enrolments may name, or nil.
func (t *Tools) Protocol(id, version string) *protocols.Protocol {
	return t.Shelf.Protocol(id, version)
}

// Latest is the version of a protocol that came last; empty when there is none.
func (t *Tools) Latest(id string) string { return t.Shelf.Latest(id) }

// Close closes the store.
func (t *Tools) Close() error {
	if t.influx != nil {
		t.influx.Close()
	}
	return t.Store.Close()
}

func openBackend(ctx context.Context, c config.Config, shelf *Shelf, log *slog.Logger) (*backend, error) {
	b, err := openEither(ctx, c, shelf, log)
	if err != nil {
		return nil, err
	}
	if err := shelf.Recall(ctx, b.registry); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	return b, nil
}

func openEither(ctx context.Context, c config.Config, shelf *Shelf, log *slog.Logger) (*backend, error) {
	if url := string(c.Store.Postgres.URL); url != "" {
		return openShared(ctx, url, c.Mail.Administrators, shelf, log)
	}
	return openEmbedded(c.Data, c.Mail.Administrators, shelf)
}

func openShared(ctx context.Context, url string, admin []string, shelf *Shelf, log *slog.Logger) (*backend, error) {
	store, err := postgres.Open(ctx, url, postgres.Options{
		Care: func(s *postgres.Store) alerts.Directory { return &care{registry: s, shelf: shelf, admin: admin} },
		Log:  log,
	})
	if err != nil {
		return nil, err
	}
	return &backend{store: store, alerts: store, figures: store, reviews: store, registry: store, access: store.Access(), trail: store.Trail(), erasure: store, directory: store.Directory(), leader: store}, nil
}

func openEmbedded(folder string, admin []string, shelf *Shelf) (*backend, error) {
	if err := disk.Make(folder); err != nil {
		return nil, fmt.Errorf("make the folder of the store (data): %w", err)
	}
	store, err := sqlite.Open(filepath.Join(folder, storeFile), sqlite.Options{
		Care: func(s *sqlite.Store) alerts.Directory { return &care{registry: s, shelf: shelf, admin: admin} },
	})
	if err != nil {
		return nil, err
	}
	return &backend{store: store, alerts: store, figures: store, reviews: store, registry: store, access: store.Access(), trail: store.Trail(), erasure: store, directory: store.Directory(), leader: alone{}}, nil
}

// group knows which nodes share the messages of a broker outside, each by the client
// ids of its sessions. The store of one node has none.
type group interface {
	Attend(ctx context.Context, group string, sessions []string, subscribed bool) (known int, err error)
	Leave(ctx context.Context, group string, sessions []string, unsubscribe func() error) (left bool, err error)
	Missing(ctx context.Context, group string) ([]string, error)
	Remove(ctx context.Context, group, session string, absent bool, forget func() error) error
}

// leader decides which node does the background work of a name. Lead runs work
// with a context that ends when another node takes over.
type leader interface {
	Lead(ctx context.Context, name string, work func(context.Context))
}

// alone reports whether no other node could lead.
func (b *backend) alone() bool {
	_, is := b.leader.(alone)
	return is
}

// alone leads everything: the embedded store has one node.
type alone struct{}

func (alone) Lead(ctx context.Context, _ string, work func(context.Context)) { work(ctx) }
