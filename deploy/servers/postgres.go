package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// PostgresServer is a running PostgreSQL with one user, "vigie", trusted on loopback.
type PostgresServer struct {
	*Server
	URL string // of the database made at the start

	programs  string // folder of its programs
	databases atomic.Int64
}

// Postgres starts a PostgreSQL for a test, with an empty database. Starting
// takes about two seconds: tests of one package may share a server and take a
// Database each. Further settings are "name=value".
func Postgres(t T, settings ...string) *PostgresServer {
	t.Helper()
	Need(t, "postgres")
	// PostgreSQL refuses to run as root, and a test's own folder is closed to
	// the user it then runs as.
	dir, err := os.MkdirTemp("", "vigie-postgres-")
	if err != nil {
		t.Fatalf("make a folder for PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("remove %s: %v", dir, err)
		}
	})
	s, err := StartPostgres(dir, settings...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	bind(t, s.Server, nil)
	return s
}

// StartPostgres makes a PostgreSQL in dir and starts it. The caller ends it.
// Run by root, it belongs to the user "postgres", who must be able to reach dir.
func StartPostgres(dir string, settings ...string) (*PostgresServer, error) {
	program, err := Find("postgres")
	if err != nil {
		return nil, err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return nil, fmt.Errorf("find the programs beside postgres: %w", err)
	}
	programs := filepath.Dir(program)
	if err := giveToPostgres(dir); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	made := asPostgres(filepath.Join(programs, "initdb"), "--pgdata="+data, "--username=vigie", "--auth=trust",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	made.Dir = dir
	if out, err := made.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	port := 0
	s := &Server{
		Dir: dir, name: "postgres", ready: "database system is ready to accept connections",
		command: func() *exec.Cmd {
			args := []string{"-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir}
			for _, setting := range settings {
				args = append(args, "-c", setting)
			}
			command := asPostgres(program, args...)
			command.Dir = dir
			return command
		},
	}
	if err := start(s, func(free int) error { port = free; return nil }); err != nil {
		return nil, err
	}
	postgres := &PostgresServer{Server: s, programs: programs}
	if postgres.URL, err = postgres.Database(); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	return postgres, nil
}

// Database makes an empty database and returns its URL.
func (s *PostgresServer) Database() (string, error) {
	name := fmt.Sprintf("vigie%d", s.databases.Add(1))
	host, port := s.Dir, s.Address[len("127.0.0.1:"):]
	if err := s.run("createdb", "-h", host, "-p", port, "-U", "vigie", name); err != nil {
		return "", fmt.Errorf("make the database %s: %w", name, err)
	}
	return fmt.Sprintf("postgres://vigie@%s/%s?sslmode=disable", s.Address, name), nil
}

// Restored dumps a database, restores it into a new one, as the guide says, and
// returns the URL of that.
func (s *PostgresServer) Restored(url string) (string, error) {
	dump := filepath.Join(s.Dir, fmt.Sprintf("dump%d", s.databases.Add(1)))
	if err := s.run("pg_dump", "--format=custom", "--file="+dump, url); err != nil {
		return "", err
	}
	empty, err := s.Database()
	if err != nil {
		return "", err
	}
	return empty, s.run("pg_restore", "--exit-on-error", "--no-owner", "--dbname="+empty, dump)
}

// Copied makes another database that holds what one does, to which nobody is connected, and
// returns the URL of that.
func (s *PostgresServer) Copied(url string) (string, error) {
	name := fmt.Sprintf("vigie%d", s.databases.Add(1))
	_, former, _ := strings.Cut(strings.TrimPrefix(url, "postgres://"), "/")
	former, _, _ = strings.Cut(former, "?")
	if err := s.run("createdb", "-h", s.Dir, "-p", s.Address[len("127.0.0.1:"):], "-U", "vigie", "-T", former, name); err != nil {
		return "", fmt.Errorf("copy the database %s: %w", former, err)
	}
	return strings.Replace(url, "/"+former+"?", "/"+name+"?", 1), nil
}

// Dumped is a dump of a database as text.
func (s *PostgresServer) Dumped(url string) ([]byte, error) {
	dump := filepath.Join(s.Dir, fmt.Sprintf("dump%d", s.databases.Add(1)))
	if err := s.run("pg_dump", "--format=plain", "--file="+dump, url); err != nil {
		return nil, err
	}
	return os.ReadFile(dump)
}

// run runs one of the programs of PostgreSQL.
func (s *PostgresServer) run(name string, args ...string) error {
	command := asPostgres(filepath.Join(s.programs, name), args...)
	command.Dir = s.Dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// giveToPostgres lets the user "postgres" own dir when root runs the tests.
func giveToPostgres(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if out, err := exec.Command("chown", "postgres:", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("give %s to the user postgres: %w: %s", dir, err, out)
	}
	return os.Chmod(dir, 0o755)
}

// asPostgres runs a program as the user "postgres" when root runs the tests:
// PostgreSQL refuses to run as root.
func asPostgres(program string, args ...string) *exec.Cmd {
	if os.Geteuid() != 0 {
		return exec.Command(program, args...)
	}
	args = append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", program}, args...)
	return exec.Command("setpriv", args...)
}
