package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/deploy/servers"
	"vigie/deploy/usage"
	"vigie/ingest/registry"
	"vigie/ingest/stores/postgres"
	"vigie/ingest/stores/sqlite"
)

// store is what the bench reads and prepares in a store of the service, beside it.
type store interface {
	Import(ctx context.Context, reg *registry.Registry, author string, at time.Time) (registry.Changes, error)
	DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error)
	LastSeq(ctx context.Context) (int64, error)
	EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error)
	Alert(ctx context.Context, id string) (*alerts.Alert, error)
	Close() error
}

// openStore opens the store at a place: the URL of a database, or the folder of a file.
func openStore(ctx context.Context, place string) (store, error) {
	if !strings.HasPrefix(place, "postgres://") {
		return sqlite.Open(filepath.Join(place, "vigie.db"), sqlite.Options{})
	}
	return postgres.Open(ctx, place, postgres.Options{Connections: 1})
}

// startPostgres starts a database in a folder that its own user reaches.
func startPostgres() (*servers.PostgresServer, error) {
	folder, err := os.MkdirTemp("", "vigie-bench-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	server, err := servers.StartPostgres(folder, "max_connections=200")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return server, nil
}

// place is where the store of the service stands, for openStore.
func (s *stage) place() string {
	if s.postgres != nil {
		return s.postgres.URL
	}
	return s.dir
}

// nodes are all Vigies of the side; none for a peer.
func (s *stage) nodes() []*vigie {
	if s.vigie == nil {
		return nil
	}
	return append([]*vigie{s.vigie}, s.others...)
}

// otherBrokers are the brokers of the further nodes.
func (s *stage) otherBrokers() (addresses []string) {
	for _, other := range s.others {
		addresses = append(addresses, other.broker)
	}
	return addresses
}

// beside is the processor time of what works beside the first process of the server
// under test: further nodes, and the database, without the session by which the bench
// watches it. Sessions that have ended do not count.
func (s *stage) beside() (nodes, database time.Duration, err error) {
	for _, other := range s.others {
		used, err := usage.Processor(other.command.Process.Pid)
		if err != nil {
			return 0, 0, err
		}
		nodes += used
	}
	if s.postgres == nil {
		return nodes, 0, nil
	}
	own, err := usage.Processor(s.postgres.Pid())
	if err != nil {
		return 0, 0, err
	}
	sessions, err := usage.Children(s.postgres.Pid())
	if err != nil || s.watching == 0 {
		return nodes, own + sessions, err
	}
	watching, err := usage.Processor(s.watching)
	return nodes, own + sessions - watching, err
}

// session is the process that serves a store of one connection on a database.
func session(ctx context.Context, database *postgres.Store) (pid int, err error) {
	rows, err := database.Query(ctx, "SELECT pg_backend_pid()")
	if err != nil {
		return 0, fmt.Errorf("ask which process serves a connection: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
}
