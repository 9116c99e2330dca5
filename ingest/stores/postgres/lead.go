package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a lease lasts by the clock of the database, how much earlier its
// holder gives it up by its own, how often it is renewed, and how often the
// others ask for it. What a node did that dies goes on elsewhere after at most
// leaseLasts + leaseAsk.
const (
	leaseLasts  = 5 * time.Second
	leaseMargin = time.Second
	leaseRenew  = 1500 * time.Millisecond
	leaseAsk    = time.Second
)

// Lead runs work while this node, alone among those on the same database, holds
// the lease of that name, and returns when ctx is over and work has returned.
// Work gets a context that ends when the lease is lost, and must return then; it
// is run again when the lease comes back. When work returns by itself, the lease
// is offered to all again.
//
// A lease is a row with an end, renewed while the node lives: a node that is
// killed, hangs or is cut off loses it within seconds, and gives it up by its own
// clock before another one can take it. Only a node that was stopped between
// looking at its context and acting could act once more; hence what leads writes
// is safe on its own as well: states by their version, alerts under their row's
// lock, the journal's cursor because sending again changes nothing.
func (s *Store) Lead(ctx context.Context, name string, work func(context.Context)) {
	failing := false
	for ctx.Err() == nil {
		held, err := s.takeLease(ctx, name)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("no lease to be had: the database does not answer", "work", name, "error", err)
		}
		failing = err != nil
		if held != nil {
			s.lead(ctx, held, work)
		}
		pause(ctx, leaseAsk)
	}
}

func (s *Store) lead(ctx context.Context, held *lease, work func(context.Context)) {
	s.log.Info("this node leads", "work", held.name, "term", held.term)
	working, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(working)
	}()
	lost := held.keep(ctx, done)
	stop()
	<-done
	if lost != nil {
		s.log.Warn("this node no longer leads", "work", held.name, "term", held.term, "error", lost)
		return
	}
	if err := held.release(); err != nil {
		s.log.Warn("the lease could not be given back: others wait until it ends", "work", held.name, "error", err)
	}
}

// lease is what this node leads.
type lease struct {
	store *Store
	name  string
	term  int64
	until time.Time // by this node's clock
}

// takeLease returns the lease of that name, nil while another node holds it.
func (s *Store) takeLease(ctx context.Context, name string) (*lease, error) {
	held := &lease{store: s, name: name, until: time.Now().Add(leaseLasts - leaseMargin)}
	ctx, cancel := context.WithTimeout(ctx, leaseLasts)
	defer cancel()
	err := s.leases.QueryRow(ctx, `INSERT INTO leases (name, holder, term, expires) VALUES ($1, $2, 1, clock_timestamp() + $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, term = leases.term + 1, expires = excluded.expires
		WHERE leases.expires < clock_timestamp() RETURNING term`, name, s.node, leaseLasts).Scan(&held.term)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for the lease of %s: %w", name, err)
	}
	return held, nil
}

// keep renews the lease until ctx is over or work is done; an error says that it
// was lost before.
func (l *lease) keep(ctx context.Context, done <-chan struct{}) error {
	next := time.NewTimer(leaseRenew)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			return nil
		case <-next.C:
		}
		err := l.renew(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errTaken):
			return err
		case err != nil && !time.Now().Before(l.until):
			return fmt.Errorf("the lease could not be renewed in time: %w", err)
		case err != nil:
			next.Reset(leaseRenew / 10)
		default:
			next.Reset(leaseRenew)
		}
	}
}

var errTaken = errors.New("another node has taken the lease")

func (l *lease) renew(ctx context.Context) error {
	until := time.Now().Add(leaseLasts - leaseMargin)
	ctx, cancel := context.WithDeadline(ctx, l.until)
	defer cancel()
	renewed, err := l.store.leases.Exec(ctx, "UPDATE leases SET expires = clock_timestamp() + $4 WHERE name = $1 AND holder = $2 AND term = $3",
		l.name, l.store.node, l.term, leaseLasts)
	if err != nil {
		return err
	}
	if renewed.RowsAffected() == 0 {
		return errTaken
	}
	l.until = until
	return nil
}

// release lets others have the lease at once.
func (l *lease) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaseLasts)
	defer cancel()
	_, err := l.store.leases.Exec(ctx, "UPDATE leases SET expires = '-infinity' WHERE name = $1 AND holder = $2 AND term = $3",
		l.name, l.store.node, l.term)
	return err
}

// pause waits, or less when ctx is over.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
