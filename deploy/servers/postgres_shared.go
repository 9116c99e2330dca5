package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// SharedPostgres is one PostgreSQL for all tests of a package, started by the
// first that asks. Each test takes a schema of its own, which is made much faster
// than a database. In TestMain: os.Exit(shared.Run(m)).
type SharedPostgres struct {
	// Settings are further ones of the server, "name=value".
	Settings []string

	once    sync.Once
	dir     string
	server  *PostgresServer
	err     error
	schemas atomic.Int64
}

// Run runs the tests of a package, then ends the server, and returns the status
// to exit with.
func (s *SharedPostgres) Run(tests interface{ Run() int }) int {
	code := tests.Run()
	if s.server == nil {
		return code
	}
	if err := errors.Join(s.server.Kill(), os.RemoveAll(s.dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Server returns the server.
func (s *SharedPostgres) Server(t T) *PostgresServer {
	t.Helper()
	Need(t, "postgres")
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "vigie-postgres-"); s.err == nil {
			s.server, s.err = StartPostgres(s.dir, s.Settings...)
		}
	})
	if s.err != nil {
		t.Fatalf("%v", s.err)
	}
	return s.server
}

// Schema returns the URL of what is as good as a new, empty database.
func (s *SharedPostgres) Schema(t T) string {
	t.Helper()
	url := s.Server(t).URL
	schema := fmt.Sprintf("test%d", s.schemas.Add(1))
	if err := makeSchema(url, schema); err != nil {
		t.Fatalf("make the schema %s: %v", schema, err)
	}
	return url + "&search_path=" + schema
}

func makeSchema(url, schema string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE SCHEMA "+schema)
	return errors.Join(err, conn.Close(ctx))
}
