package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"vigie/alerts"
	"vigie/ingest"
)

// Options are the choices of an operator. The zero Options are sound.
type Options struct {
	// Care makes the directory by which findings reach a care team, out of the
	// registry in the store. Without it findings are dropped, which only a store
	// of readings alone (a replay) wants.
	Care func(*Store) alerts.Directory
	// Connections bounds how many this node opens, one more for leases aside.
	// When zero: what the URL says (pool_max_conns=20), else twice as many as
	// processors and at least eight.
	Connections int
	// Node is the name of this node in leases, different on every node; host
	// name, process and a random part when empty.
	Node string
	// Log is told when this node begins and ceases to lead; slog.Default()
	// when nil.
	Log *slog.Logger
}

// Store is the store of one node. It is safe for concurrent use.
type Store struct {
	pool      *pgxpool.Pool
	leases    *pgxpool.Pool
	node      string
	log       *slog.Logger
	directory alerts.Directory // nil: findings are dropped
	met       met
	layout    layout
	statuses  knownStatuses
}

var _ ingest.Store = (*Store)(nil)

// Open opens the database at url ("postgres://user@host:5432/name?sslmode=verify-full")
// and brings its schema up to date.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	s := &Store{node: options.Node, log: options.Log}
	if options.Care != nil {
		s.directory = options.Care(s)
	}
	if s.node == "" {
		s.node = nodeName()
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.met.log = s.log
	var err error
	if s.pool, err = newPool(ctx, url, options.Connections); err != nil {
		return nil, err
	}
	// Leases have a connection of their own: a node whose connections are all
	// at work is alive.
	if s.leases, err = newPool(ctx, url, 1); err != nil {
		s.pool.Close()
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return unreachable(s.pool.Config().ConnConfig, err)
	}
	if err := s.insistOnWriting(ctx); err != nil {
		return err
	}
	for _, subject := range schema {
		if err := s.Migrate(ctx, subject.name, subject.steps, subject.floor); err != nil {
			return fmt.Errorf("open the database %s: %w", s.pool.Config().ConnConfig.Database, err)
		}
	}
	return s.Write(ctx, func(tx pgx.Tx) error { return s.layout.load(ctx, tx) })
}

// insistOnWriting refuses a server that only reads: a standby, mostly.
func (s *Store) insistOnWriting(ctx context.Context) error {
	var reads string
	if err := s.pool.QueryRow(ctx, "SHOW transaction_read_only").Scan(&reads); err != nil {
		return fmt.Errorf("see whether the database may be written: %w", err)
	}
	if reads != "on" {
		return nil
	}
	config := s.pool.Config().ConnConfig
	return fmt.Errorf("%s: the database %q at %s may only be read: give the address of the server that writes, not of a standby; with several, add target_session_attrs=read-write",
		key, config.Database, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))))
}

// Close waits for what is under way and closes the connections. Closing twice is
// harmless.
func (s *Store) Close() error {
	s.leases.Close()
	s.pool.Close()
	return nil
}

// Write runs work in one transaction and commits it. An error of work leaves
// nothing behind. Work runs again, a few times, when another node was in its way.
func (s *Store) Write(ctx context.Context, work func(pgx.Tx) error) error {
	const attempts = 5
	var err error
	for range attempts {
		err = pgx.BeginFunc(ctx, s.pool, work)
		if err = conflict(err); !errors.Is(err, ingest.ErrConflict) {
			return err
		}
	}
	return err
}

// CanCommit commits a transaction that changes nothing; an error says why no reading
// could be kept now. A server that only reads refuses it.
func (s *Store) CanCommit(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, "UPDATE leases SET term = term WHERE name = (SELECT min(name) FROM leases)"); err != nil {
		return fmt.Errorf("commit nothing, to see whether it can be done: %w", err)
	}
	return nil
}

// Query runs one statement.
func (s *Store) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return s.pool.Query(ctx, sql, args...)
}

// Directory is what Options.Care made; nil without.
func (s *Store) Directory() alerts.Directory { return s.directory }
