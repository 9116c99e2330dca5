package rehearsal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Schema makes a schema of its own for one story in a PostgreSQL database, and
// returns the URL under which it is all there is, and how to remove it.
func Schema(ctx context.Context, database string) (own string, remove func() error, err error) {
	name := "rehearsal_" + strings.ToLower(rand.Text())
	do := func(statement string) error {
		conn, err := pgx.Connect(ctx, database)
		if err != nil {
			return fmt.Errorf("connect to PostgreSQL: %w", err)
		}
		_, err = conn.Exec(ctx, statement)
		return errors.Join(err, conn.Close(ctx))
	}
	address, err := url.Parse(database)
	if err != nil {
		return "", nil, errors.New("the address of the database is no URL: write postgres://user@host/database")
	}
	if err := do("CREATE SCHEMA " + name); err != nil {
		return "", nil, fmt.Errorf("make a schema for the story: %w", err)
	}
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	return address.String(), func() error { return do("DROP SCHEMA " + name + " CASCADE") }, nil
}
