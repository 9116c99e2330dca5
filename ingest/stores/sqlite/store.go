package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest/disk"
)

// Options are the choices of an operator. The zero Options are sound.
type Options struct {
	// Care makes the directory by which findings reach a care team, out of the
	// registry in the store. Without it findings are dropped, which only a store
	// of readings alone (a replay) wants.
	Care func(*Store) alerts.Directory
	// Log is told what is damaged; slog.Default() when nil.
	Log *slog.Logger
	// Readers is how many connections read beside the writer; as many as
	// processors, and at least four, when zero.
	Readers int
	// CacheMiB bounds the pages that the writer keeps in memory; 64 when zero.
	CacheMiB int
	// Generation is how many readings are filed together, at least, and an
	// eighth of how many at most; 65,536 when zero. More are filed with less
	// work, and take memory (about 300 bytes each) and time to read back at a
	// start (about a microsecond each).
	Generation int
}

// Store is the embedded store. It is safe for concurrent use.
type Store struct {
	path      string
	directory alerts.Directory // nil: findings are dropped

	writing sync.Mutex // held for the length of a write transaction
	conn    *sqlite.Conn
	writer  *writer // statements of conn
	closed  bool
	held    atomic.Pointer[int64] // the version of the registry while a batch is committed

	readers *sqlitex.Pool
	names   names
	layout  layout
	recent  recent
	apart   apart
	met     met
	riders  riders
	struck  atomic.Bool // something is struck out, or was
}

// Open opens the store in the file at path, creates it when it does not exist,
// and brings its schema up to date.
func Open(path string, options Options) (*Store, error) {
	conn, err := openWriter(path, options)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w; %s", path, err, wayOut(err))
	}
	s := &Store{path: path, conn: conn}
	s.met.log = options.Log
	if err := s.met.functions(conn); err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, errors.Join(err, conn.Close()))
	}
	if options.Care != nil {
		s.directory = options.Care(s)
	}
	s.recent.size = options.Generation
	if s.recent.size == 0 {
		s.recent.size = 1 << 16
	}
	if err := s.prepare(options); err != nil {
		err = errors.Join(err, s.Close())
		if damaged(err) {
			return nil, fmt.Errorf("open the store %s: %w; %s", path, err, wayOut(err))
		}
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	return s, nil
}

// wayOut says what to do about a file that cannot be opened.
func wayOut(err error) string {
	switch {
	case damaged(err):
		return "the file is damaged, or is no store: keep it aside, with those beside it, and restore the last backup into a new folder (vigie restore)"
	case sqlite.ErrCode(err).ToPrimary() == sqlite.ResultFull:
		return "the disk is full: make room there"
	}
	return "check that its folder exists, may be written and has room"
}

// damaged reports whether an error says that the file is no store, or not whole.
func damaged(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return code == sqlite.ResultNotADB || code == sqlite.ResultCorrupt
}

// mapped has pages read where the system keeps them, as far into the file as
// SQLite can, rather than copied one call at a time: with a million patients, a
// reading of one of whom nothing is in memory takes half the processor time. The
// system counts those pages as this process's, and takes them back when it likes.
// Only the connection that writes does so: another maps the file anew after each
// commit, which costs more than the few pages that are looked at between two.
const mapped = "PRAGMA mmap_size = 2147418112"

// openWriter opens the one connection that writes. Its settings that stay with
// the file (page layout, log) only take effect when the file is new.
func openWriter(path string, options Options) (*sqlite.Conn, error) {
	// Identities are in the file. Its log gets the same permissions from SQLite.
	if err := disk.Begin(path); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	cache := options.CacheMiB
	if cache == 0 {
		cache = 64
	}
	for _, pragma := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL",
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA wal_autocheckpoint = 4000",
		"PRAGMA journal_size_limit = 67108864",
		"PRAGMA temp_store = MEMORY",
		"PRAGMA busy_timeout = 10000",
		mapped,
		fmt.Sprintf("PRAGMA cache_size = -%d", cache*1024),
	} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", pragma, err), conn.Close())
		}
	}
	return conn, nil
}

// prepare migrates, reads what numbers stand for, and opens the readers.
func (s *Store) prepare(options Options) error {
	ctx := context.Background()
	for _, subject := range schema() {
		if err := s.Migrate(ctx, subject.name, subject.steps); err != nil {
			return err
		}
	}
	if err := s.seal(ctx); err != nil {
		return err
	}
	if err := s.Write(ctx, s.layout.load); err != nil {
		return err
	}
	if err := s.Write(ctx, s.loadApart); err != nil {
		return err
	}
	if err := s.Write(ctx, s.loadStruck); err != nil {
		return fmt.Errorf("see whether anything is struck out: %w", err)
	}
	if err := s.Write(ctx, s.recover); err != nil {
		return fmt.Errorf("read back what was kept last: %w", err)
	}
	writer, err := newWriter(s)
	if err != nil {
		return err
	}
	s.writer = writer
	readers := options.Readers
	if readers == 0 {
		readers = max(4, runtime.GOMAXPROCS(0))
	}
	s.readers, err = sqlitex.NewPool(s.path, sqlitex.PoolOptions{
		Flags:    sqlite.OpenReadOnly,
		PoolSize: readers,
		PrepareConn: func(conn *sqlite.Conn) error {
			if err := s.met.functions(conn); err != nil {
				return err
			}
			return sqlitex.ExecuteScript(conn, "PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;", nil)
		},
	})
	return err
}

// Close waits for the transaction under way and closes the file. Closing twice
// is harmless.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.readers != nil {
		err = s.readers.Close()
	}
	return errors.Join(err, s.conn.Close())
}

// Directory is what Options.Care made; nil without.
func (s *Store) Directory() alerts.Directory { return s.directory }

// errClosed is what a closed store answers.
var errClosed = errors.New("the store is closed")

// Write runs work in one write transaction on the connection that writes. An
// error of work leaves nothing behind.
func (s *Store) Write(ctx context.Context, work func(*sqlite.Conn) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.write(ctx, work)
}

// CanCommit commits a transaction that changes nothing but a number of the file that
// nobody reads; an error says why no reading could be kept now. To write what is
// there already would write nothing.
func (s *Store) CanCommit(ctx context.Context) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		number := 0
		err := sqlitex.ExecuteTransient(conn, "PRAGMA user_version", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error { number = row.ColumnInt(0); return nil },
		})
		if err != nil {
			return err
		}
		return sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA user_version = %d", 1-number&1), nil)
	})
	if err != nil {
		return fmt.Errorf("commit nothing, to see whether it can be done: %w", err)
	}
	return nil
}

// write is Write for a holder of the lock.
func (s *Store) write(ctx context.Context, work func(*sqlite.Conn) error) (err error) {
	if s.closed {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := execute(s.conn, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, s.rollback())
		}
	}()
	if err := work(s.conn); err != nil {
		return s.explain(err)
	}
	riders, err := s.board()
	defer func() { arrive(riders, committed, err) }()
	if err != nil {
		return s.explain(err)
	}
	if err := execute(s.conn, "COMMIT"); err != nil {
		return s.explain(fmt.Errorf("commit: %w", err))
	}
	committed = true
	s.names.settle()
	if s.writer != nil {
		s.writer.settle()
	}
	return nil
}

// explain says what to do about a disk that is full.
func (s *Store) explain(err error) error {
	if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultFull {
		return err
	}
	return fmt.Errorf("the disk is full, make room where %s is; what was acknowledged is kept, and devices send the rest again: %w", s.path, err)
}

// rollback undoes an open transaction, also one that SQLite has already undone
// by itself because the disk was full, and forgets names it gave numbers to.
func (s *Store) rollback() error {
	s.names.forget()
	if s.writer != nil {
		s.writer.discard()
	}
	if s.conn.AutocommitEnabled() {
		return nil
	}
	return execute(s.conn, "ROLLBACK")
}

// Read runs work on a connection that sees the last commit and cannot write.
func (s *Store) Read(ctx context.Context, work func(*sqlite.Conn) error) error {
	conn, err := s.readers.Take(ctx)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer s.readers.Put(conn)
	return work(conn)
}

// near reads on the connection that writes where that is free, else as Read does.
// The pages that a reader has in memory are out of date after every commit;
// looking up one row among a million costs several times as much there.
func (s *Store) near(ctx context.Context, work func(*sqlite.Conn) error) error {
	if !s.writing.TryLock() {
		return s.Read(ctx, work)
	}
	defer s.writing.Unlock()
	if s.closed {
		return errClosed
	}
	return work(s.conn)
}

// execute runs a statement that takes and gives nothing.
func execute(conn *sqlite.Conn, sql string) error {
	stmt, err := conn.Prepare(sql)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return errors.Join(err, stmt.Reset())
}
