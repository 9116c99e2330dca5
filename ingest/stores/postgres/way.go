package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// way is the connection of one transaction. Each message there and back wakes this
// program and the database, which takes longer than most statements do: what need not
// be answered at once waits, and goes ahead of the next statement in the same message.
type way struct {
	conn    *pgx.Conn
	waiting *pgx.Batch
	asking  bool // an answer to what waits decides whether to commit
}

// begin returns the way of a transaction, which begins with its first statement.
func begin(conn *pgx.Conn) *way {
	w := &way{conn: conn, waiting: &pgx.Batch{}}
	w.waiting.Queue("BEGIN")
	return w
}

// Queue has a statement wait for the next.
func (w *way) Queue(sql string, args ...any) *pgx.QueuedQuery { return w.waiting.Queue(sql, args...) }

// flush sends what waits, and nothing else.
func (w *way) flush(ctx context.Context) error {
	if w.waiting.Len() == 0 {
		return nil
	}
	return w.SendBatch(ctx, &pgx.Batch{}).Close()
}

// SendBatch sends statements behind what waits. Reading the results of the batch is left
// to its statements.
func (w *way) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	all := w.waiting
	all.QueuedQueries = append(all.QueuedQueries, batch.QueuedQueries...)
	w.waiting, w.asking = &pgx.Batch{}, false
	return w.conn.SendBatch(ctx, all)
}

// Query runs a statement after what waits.
func (w *way) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := w.flush(ctx); err != nil {
		return nil, err
	}
	return w.conn.Query(ctx, sql, args...)
}

// QueryRow is Query for one row.
func (w *way) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := w.flush(ctx); err != nil {
		return noRow{err}
	}
	return w.conn.QueryRow(ctx, sql, args...)
}

type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

// Exec runs a statement after what waits.
func (w *way) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := w.flush(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return w.conn.Exec(ctx, sql, args...)
}

// commit sends what is last behind what waits, and commits in the same message.
func (w *way) commit(ctx context.Context, last *pgx.Batch) error {
	if w.asking {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	last.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errors.New("the database rolled the transaction back")
		}
		return nil
	})
	return w.SendBatch(ctx, last).Close()
}

// rollback ends a transaction that failed, unless it ended with its connection.
// The context may be over, which must not cost the connection.
func (w *way) rollback() error {
	if w.conn.IsClosed() || w.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := w.conn.Exec(ctx, "ROLLBACK")
	return err
}
