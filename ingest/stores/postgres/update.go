package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Update runs work in one transaction, see ingest.Store. Transactions of several
// goroutines run side by side.
func (s *Store) Update(ctx context.Context, work func(ingest.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unreachable(s.pool.Config().ConnConfig, err)
	}
	defer conn.Release()
	t := &transaction{ctx: ctx, store: s, tx: begin(conn.Conn())}
	if err = work(t); err == nil {
		err = t.commit()
	}
	if err == nil {
		return nil
	}
	if undone := t.tx.rollback(); undone != nil {
		err = errors.Join(err, fmt.Errorf("roll back: %w", undone))
	}
	return conflict(err)
}

// transaction is one open transaction. What can wait until the commit does: it
// goes out together then, in the one order in which locks are taken.
type transaction struct {
	ctx   context.Context
	store *Store
	tx    *way

	expected   *int64                         // version of the registry; nil for any
	held       map[string]state               // states as they were claimed
	histories  map[string]*recollection       // of patients, as they were recollected
	batches    []batch                        // of readings, without their numbers yet
	enrolments map[string]*registry.Enrolment // that findings are about, and the directory did not know
	findings   []protocols.Finding            // in the order in which they came
	errands    []ingest.Errand
	statuses   statuses
	foreseen   foreseen
}

var (
	_ ingest.Tx       = (*transaction)(nil)
	_ ingest.Shared   = (*transaction)(nil)
	_ ingest.Expecter = (*transaction)(nil)
)

// commit writes what has waited and commits. The numbers in the journal and the
// commit leave in one message.
func (t *transaction) commit() error {
	if err := t.writeStatuses(); err != nil {
		return fmt.Errorf("record the status of devices: %w", err)
	}
	if err := t.apply(); err != nil {
		return err
	}
	last := &pgx.Batch{}
	t.queueJournal(last)
	t.queueErrands(last)
	if err := t.tx.commit(t.ctx, last); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Apply is ingest.Tx.Apply. Findings are applied at the end of the transaction,
// when the states of their enrolments are held. A store without a
// directory drops them.
func (t *transaction) Apply(findings []protocols.Finding) error {
	t.findings = append(t.findings, findings...)
	return nil
}
