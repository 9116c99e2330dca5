package sqlite

import (
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// What is committed stands in the log first, and is copied into the file now and then.
// SQLite does so amid a commit, which then takes tens of milliseconds, and whose readings
// wait for it. Here a connection of its own copies nearly all of it beside the commits, and
// the few pages that came meanwhile between two of them, so that the log can begin anew.
type checkpointer struct {
	conn *sqlite.Conn
	due  chan struct{} // has an element when something was committed
	stop chan struct{}
	once sync.Once
	over sync.WaitGroup

	copying sync.Mutex // held while the log is copied; behind Store.writing
}

const (
	// logPages is from how many pages on the log is copied. The more of them, the fewer
	// are copied that have changed again by then.
	logPages = 4000
	// lookEvery is after how many commits it is seen how many there are.
	lookEvery = 16
	// rounds is how often at most the log is copied beside the commits until, once, nothing
	// is committed meanwhile: then SQLite has the file synced as well.
	rounds = 8
)

// openCheckpointer begins to copy the log of the store.
func (s *Store) openCheckpointer() (err error) {
	c := &s.checkpoints
	if c.conn, err = sqlite.OpenConn(s.path, sqlite.OpenReadWrite); err != nil {
		return err
	}
	c.due, c.stop = make(chan struct{}, 1), make(chan struct{})
	if err := sqlitex.ExecuteScript(c.conn, "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;", nil); err != nil {
		return err
	}
	// Should this connection not come to it, the one that commits does, far beyond that.
	if err := sqlitex.ExecuteTransient(s.conn, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", 8*logPages), nil); err != nil {
		return err
	}
	c.over.Go(s.checkpoint)
	return nil
}

// close ends it. It comes before the connection that commits is closed.
func (c *checkpointer) close() (err error) {
	c.once.Do(func() {
		if c.conn == nil {
			return
		}
		close(c.stop)
		c.over.Wait()
		err = c.conn.Close()
	})
	return err
}

// committed notes a commit.
func (c *checkpointer) committed() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// checkpoint copies the log whenever it has grown, until the store is closed.
func (s *Store) checkpoint() {
	c, commits, failed := &s.checkpoints, 0, false
	for {
		select {
		case <-c.due:
		case <-c.stop:
			return
		}
		if commits++; commits%lookEvery != 0 {
			continue
		}
		err := s.copyLog()
		if err != nil && !failed { // a full disk is told by what cannot be committed
			s.met.logger().Warn("the log of the store cannot be copied into its file; it grows until it can", "error", s.explain(err))
		}
		failed = err != nil
	}
}

// copyLog copies the log into the file when it is long.
func (s *Store) copyLog() error {
	c := &s.checkpoints
	left, err := c.left()
	if err != nil || left < logPages {
		return err
	}
	for round := 0; err == nil && left > 0 && round < rounds; round++ {
		left, err = c.copy()
	}
	if err == nil { // what came while the file was synced
		_, err = c.copy()
	}
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err = c.copy()
	return err
}

// copy copies what is in the log, and returns how many pages are left that were committed
// meanwhile.
func (c *checkpointer) copy() (left int, err error) {
	c.copying.Lock()
	defer c.copying.Unlock()
	if err := sqlitex.Execute(c.conn, "PRAGMA wal_checkpoint(PASSIVE)", nil); err != nil {
		return 0, err
	}
	return c.left()
}

// left is how many pages of the log are not in the file.
func (c *checkpointer) left() (pages int, err error) {
	err = sqlitex.Execute(c.conn, "PRAGMA wal_checkpoint(NOOP)", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		pages = row.ColumnInt(1) - row.ColumnInt(2)
		return nil
	}})
	return pages, err
}
