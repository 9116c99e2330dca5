package postgres

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"vigie/ingest"
)

// key is where the operator wrote the address of the database.
const key = "store.postgres.url"

// parameters are set on every connection, unless the URL sets them. A node that
// stopped inside a transaction, or whose network is gone, must not hold others
// back for longer than seconds: the server ends its session.
var parameters = map[string]string{
	"application_name":                    "vigie",
	"idle_in_transaction_session_timeout": "15s",
	"tcp_keepalives_idle":                 "5",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "10s",

	// The planner takes what stands by for a damaged row into account, which is never
	// executed, and would compile the statement for longer than it runs.
	"jit": "off",
}

// gone is how soon a connection ends at whose other end there is nothing any more, a
// machine that lost its power or a network that was cut, while an answer is waited
// for. giveUpUnheard does the same while something is to be sent: by themselves,
// systems try for a quarter of an hour.
var gone = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

func newPool(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read as the address of a database: write postgres://user:password@host:5432/database (%w)", key, err)
	}
	switch {
	case connections > 0:
		config.MaxConns = int32(connections)
	case !strings.Contains(url, "pool_max_conns"):
		config.MaxConns = int32(max(8, 2*runtime.GOMAXPROCS(0)))
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	config.ConnConfig.DialFunc = (&net.Dialer{Timeout: config.ConnConfig.ConnectTimeout, KeepAliveConfig: gone, Control: giveUpUnheard}).DialContext
	for name, value := range parameters {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.AfterConnect = insistOnDisk
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unreachable(config.ConnConfig, err)
	}
	return pool, nil
}

// insistOnDisk makes a commit wait for the disk where the database says that it
// need not: a device is told that its reading is kept.
func insistOnDisk(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// unreachable says in one sentence what is wrong with the address of a database
// or with the way to it, and what to do. The address is written without its
// password.
func unreachable(config *pgx.ConnConfig, err error) error {
	wayOut := "check that PostgreSQL runs there and that the address is right"
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01", "28000":
			wayOut = "check user and password, and pg_hba.conf"
		case "3D000":
			wayOut = fmt.Sprintf("make it: createdb %s", config.Database)
		case "53300":
			wayOut = "raise max_connections of the server, or bound those of this node: add pool_max_conns=4 to the address"
		}
	}
	return &noConnection{cause: err, sentence: fmt.Sprintf("%s: no connection to the database %q at %s as %q (%s); %s",
		key, config.Database, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), config.User, reason(err), wayOut)}
}

// Away reports whether an error says that the database cannot be reached, or does not
// let anybody in yet. It may be there in a moment; a wrong password or name stays wrong.
func Away(err error) bool {
	var none *noConnection
	if !errors.As(err, &none) {
		return false
	}
	var refused *pgconn.PgError
	if !errors.As(none.cause, &refused) {
		return true
	}
	switch refused.Code {
	case "57P03", "57P01", "57P02", "53300": // it starts, stops, or has no connection left
		return true
	}
	return false
}

// noConnection is a sentence for people, with the errors below it for programs.
type noConnection struct {
	sentence string
	cause    error
}

func (e *noConnection) Error() string { return e.sentence }
func (e *noConnection) Unwrap() error { return e.cause }

// reason is why there is no connection. What pgx says is a list of everything it
// tried; the innermost error of the first that tells is enough.
func reason(err error) string {
	var refused *pgconn.PgError
	var name *net.DNSError
	var system syscall.Errno
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		return refused.Message
	case errors.As(err, &certificate):
		return certificate.Error()
	case errors.As(err, &name):
		return name.Err
	case errors.As(err, &system):
		return system.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// conflict turns what PostgreSQL says when two transactions cannot both go on
// into ingest.ErrConflict.
func conflict(err error) error {
	var failed *pgconn.PgError
	if errors.As(err, &failed) && (failed.Code == "40001" || failed.Code == "40P01") {
		return fmt.Errorf("%w (%w)", ingest.ErrConflict, err)
	}
	return err
}

func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
