package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vigie/ingest"
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
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	t := &transaction{ctx: ctx, store: s, tx: tx}
	if err := work(t); err != nil {
		return conflict(errors.Join(err, rollback(tx)))
	}
	if err := t.commit(conn.Conn()); err != nil {
		return conflict(errors.Join(err, rollback(tx)))
	}
	return nil
}

// rollback ends a transaction that failed, unless it ended with its connection.
// The context may be over, which must not cost the connection.
func rollback(tx pgx.Tx) error {
	if conn := tx.Conn(); conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := tx.Rollback(ctx); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// transaction is one open transaction. What can wait until the commit does: it
// goes out together then, in the one order in which locks are taken.
type transaction struct {
	ctx   context.Context
	store *Store
	tx    pgx.Tx

	held      map[string]state         // states as they were claimed
	histories map[string]*recollection // of patients, as they were recollected
	batches   []batch                  // of readings, without their numbers yet
	findings  []protocols.Finding      // in the order in which they came
	errands   []ingest.Errand
	statuses  statuses
}

var (
	_ ingest.Tx     = (*transaction)(nil)
	_ ingest.Shared = (*transaction)(nil)
)

// commit writes what has waited and commits. The numbers in the journal and the
// commit leave in one message.
func (t *transaction) commit(conn *pgx.Conn) error {
	if err := t.writeStatuses(); err != nil {
		return fmt.Errorf("record the status of devices: %w", err)
	}
	if t.store.directory != nil {
		if err := t.store.apply(t.ctx, t.tx, t.findings); err != nil {
			return err
		}
	}
	last := &pgx.Batch{}
	t.queueJournal(last)
	t.queueErrands(last)
	last.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errors.New("the database rolled the transaction back")
		}
		return nil
	})
	if err := conn.SendBatch(t.ctx, last).Close(); err != nil {
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
