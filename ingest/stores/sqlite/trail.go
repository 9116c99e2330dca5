package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/trail"
	"vigie/ingest"
)

// Trail returns the part of the store that keeps who looked at whom.
func (s *Store) Trail() *Trail { return &Trail{s} }

// Trail is a trail.Store on SQLite.
type Trail struct{ store *Store }

var _ trail.Store = (*Trail)(nil)

// riders are entries of the trail that share the commit of whatever is written next,
// readings mostly: a commit of their own would cost a flush of the disk each.
type riders struct {
	mu      sync.Mutex
	waiting []*rider
	company atomic.Bool // readings were committed since riders last went alone
}

// rider is what one call of Append adds.
type rider struct {
	work    func(*sqlite.Conn) error
	arrived chan struct{} // closed once it is written, or has failed
	err     error         // then
}

func (r *rider) done() bool {
	select {
	case <-r.arrived:
		return true
	default:
		return false
	}
}

// rideWait is how long entries of the trail wait for the next readings to be committed
// with, where readings have been coming.
const rideWait = 10 * time.Millisecond

// Append is part of trail.Store. It shares the commit that is next. Where no readings came
// since it last made one itself, it makes one at once.
func (t *Trail) Append(ctx context.Context, chain string, next func(last trail.Head) ([]trail.Row, error)) error {
	r := &rider{work: func(conn *sqlite.Conn) error { return appendTrail(conn, chain, next) }, arrived: make(chan struct{})}
	s := t.store
	s.riders.mu.Lock()
	s.riders.waiting = append(s.riders.waiting, r)
	s.riders.mu.Unlock()
	if s.riders.company.Load() {
		select {
		case <-r.arrived:
			return r.err
		case <-time.After(rideWait):
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if r.done() {
		return r.err
	}
	s.riders.company.Store(false)
	err := s.write(ctx, func(*sqlite.Conn) error { return nil })
	if r.done() {
		return r.err
	}
	s.riders.leave(r)
	return err
}

// leave takes one out that nobody took along.
func (r *riders) leave(one *rider) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, waiting := range r.waiting {
		if waiting == one {
			r.waiting = append(r.waiting[:i:i], r.waiting[i+1:]...)
			return
		}
	}
}

// board writes what the riders add, each in a savepoint: one that fails takes nothing
// away from the others, nor from the transaction. An error means that the transaction
// is over.
func (s *Store) board() (list []*rider, err error) {
	s.riders.mu.Lock()
	list, s.riders.waiting = s.riders.waiting, nil
	s.riders.mu.Unlock()
	for _, r := range list {
		func() {
			defer sqlitex.Save(s.conn)(&r.err)
			r.err = r.work(s.conn)
		}()
		if s.conn.AutocommitEnabled() {
			return list, fmt.Errorf("write the trail: %w", r.err)
		}
	}
	return list, nil
}

// arrive tells the riders how it went.
func arrive(list []*rider, committed bool, err error) {
	for _, r := range list {
		if !committed && r.err == nil {
			r.err = errors.Join(errNotCommitted, err)
		}
		close(r.arrived)
	}
}

var errNotCommitted = errors.New("the transaction that it shared was not committed")

func appendTrail(conn *sqlite.Conn, chain string, next func(last trail.Head) ([]trail.Row, error)) error {
	last := trail.Head{Chain: chain}
	err := sqlitex.Execute(conn, "SELECT seq, hash FROM trail WHERE chain = ? ORDER BY seq DESC LIMIT 1", &sqlitex.ExecOptions{
		Args: []any{chain}, ResultFunc: func(row *sqlite.Stmt) error {
			last.Seq, last.Hash = row.ColumnInt64(0), row.ColumnText(1)
			return nil
		},
	})
	if err != nil {
		return err
	}
	rows, err := next(last)
	if err != nil {
		return err
	}
	for _, r := range rows {
		err := sqlitex.Execute(conn, "INSERT INTO trail (chain, seq, at, account, body, hash, signature) VALUES (?, ?, ?, ?, ?, ?, ?)",
			&sqlitex.ExecOptions{Args: []any{chain, r.Seq, r.At.UnixNano(), r.Account, r.Body, r.Hash, r.Signature}})
		if err != nil {
			return err
		}
		for i, d := range r.Beside {
			err := sqlitex.Execute(conn, "INSERT INTO trail_beside (chain, seq, nth, part, text, salt) VALUES (?, ?, ?, ?, ?, ?)",
				&sqlitex.ExecOptions{Args: []any{chain, r.Seq, i, string(d.Part), d.Text, d.Salt}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Heads is part of trail.Store.
func (t *Trail) Heads(ctx context.Context) ([]trail.Row, error) {
	return t.rows(ctx, trail.AtTheHeads)
}

// Rows is part of trail.Store.
func (t *Trail) Rows(ctx context.Context, chain string, after int64, limit int) ([]trail.Row, error) {
	return t.rows(ctx, "WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?", chain, after, limit)
}

// Find is part of trail.Store.
func (t *Trail) Find(ctx context.Context, f trail.Filter) ([]trail.Row, error) {
	where, args := []string{"1"}, []any{}
	add := func(condition string, arg any) { where, args = append(where, condition), append(args, arg) }
	if f.Patient != "" {
		add("(chain, seq) IN (SELECT chain, seq FROM trail_beside WHERE part = 'patient' AND text = ?)", f.Patient)
	}
	if f.Account != "" {
		add("account = ?", f.Account)
	}
	if !f.From.IsZero() {
		add("at >= ?", ingest.Nanos(f.From))
	}
	if !f.To.IsZero() {
		add("at < ?", ingest.Nanos(f.To))
	}
	limit := f.Limit
	if limit == 0 {
		limit = -1
	}
	return t.rows(ctx, "WHERE "+strings.Join(where, " AND ")+" ORDER BY at DESC, chain, seq DESC LIMIT ?", append(args, limit)...)
}

func (t *Trail) rows(ctx context.Context, which string, args ...any) (list []trail.Row, err error) {
	err = t.store.Read(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, "SELECT chain, seq, at, account, body, hash, signature FROM trail "+which, &sqlitex.ExecOptions{
			Args: args, ResultFunc: func(row *sqlite.Stmt) error {
				list = append(list, trail.Row{
					Chain: row.ColumnText(0), Seq: row.ColumnInt64(1), At: time.Unix(0, row.ColumnInt64(2)).UTC(), Account: row.ColumnText(3),
					Body: row.ColumnText(4), Hash: row.ColumnText(5), Signature: row.ColumnText(6),
				})
				return nil
			},
		})
		for i := 0; err == nil && i < len(list); i++ {
			err = readBeside(conn, &list[i])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	return list, nil
}

func readBeside(conn *sqlite.Conn, r *trail.Row) error {
	return sqlitex.Execute(conn, "SELECT part, text, salt FROM trail_beside WHERE chain = ? AND seq = ? ORDER BY nth", &sqlitex.ExecOptions{
		Args: []any{r.Chain, r.Seq}, ResultFunc: func(row *sqlite.Stmt) error {
			r.Beside = append(r.Beside, trail.Detail{Part: trail.Part(row.ColumnText(0)), Text: row.ColumnText(1), Salt: row.ColumnText(2)})
			return nil
		},
	})
}
