package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vigie/alerts/access"
)

// Access returns the part of the store that keeps who may get in.
func (s *Store) Access() *Access { return &Access{s} }

// Access is an access.Store on PostgreSQL.
type Access struct{ store *Store }

var _ access.Store = (*Access)(nil)

// Accounts is part of access.Store.
func (a *Access) Accounts(ctx context.Context) ([]access.Account, error) {
	return a.accounts(ctx, "SELECT body, version FROM access_accounts ORDER BY login")
}

// Account is part of access.Store.
func (a *Access) Account(ctx context.Context, id string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE id = $1", plain(id)))
}

// AccountByLogin is part of access.Store.
func (a *Access) AccountByLogin(ctx context.Context, login string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE login = $1", plain(login)))
}

// AccountByLink is part of access.Store.
func (a *Access) AccountByLink(ctx context.Context, digest string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE link = $1", plain(digest)))
}

func (a *Access) accounts(ctx context.Context, query string, args ...any) ([]access.Account, error) {
	rows, err := a.store.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (account access.Account, err error) {
		var version int64
		err = row.Scan(&account, &version)
		account.Version = version
		return account, err
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return list, nil
}

// single is the only item of a list, or access.ErrNotFound.
func single[T any](list []T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, access.ErrNotFound
	}
	return &list[0], nil
}

// SaveAccount is part of access.Store.
func (a *Access) SaveAccount(ctx context.Context, account *access.Account) error {
	body, err := json.Marshal(account)
	if err != nil {
		return fmt.Errorf("write an account: %w", err)
	}
	var link *string
	if account.Link != nil {
		link = &account.Link.Digest
	}
	query, args := `UPDATE access_accounts SET login = $2, link = $3, version = $4, body = $5 WHERE id = $1 AND version = $4 - 1`,
		[]any{account.ID, account.Login, link, account.Version + 1, body}
	if account.Version == 0 {
		query = `INSERT INTO access_accounts (id, login, link, version, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`
	}
	done, err := a.store.pool.Exec(ctx, query, args...)
	switch {
	case violates(err, "access_accounts_login_key"):
		err = access.ErrTaken
	case err == nil && done.RowsAffected() == 0:
		err = access.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("save an account: %w", err)
	}
	account.Version++
	return nil
}

// violates reports whether an error is that a constraint does not hold.
func violates(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint
}

// SaveSession is part of access.Store.
func (a *Access) SaveSession(ctx context.Context, session *access.Session) error {
	return a.save(ctx, "a session", session, `INSERT INTO access_sessions (id, account, created, seen, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET created = excluded.created, seen = excluded.seen, body = excluded.body`,
		session.ID, session.Account, nanos(session.Created), nanos(session.Seen))
}

// save writes the JSON of an item behind the arguments.
func (a *Access) save(ctx context.Context, what string, item any, query string, args ...any) error {
	body, err := json.Marshal(item)
	if err == nil {
		_, err = a.store.pool.Exec(ctx, query, append(args, body)...)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", what, err)
	}
	return nil
}

// Session is part of access.Store.
func (a *Access) Session(ctx context.Context, id string) (*access.Session, error) {
	return single(items[access.Session](ctx, a.store.pool, "session", "SELECT body FROM access_sessions WHERE id = $1", plain(id)))
}

// Sessions is part of access.Store.
func (a *Access) Sessions(ctx context.Context, account string) ([]access.Session, error) {
	return items[access.Session](ctx, a.store.pool, "sessions", "SELECT body FROM access_sessions WHERE account = $1 ORDER BY created DESC, id", account)
}

// EndSession is part of access.Store.
func (a *Access) EndSession(ctx context.Context, id string) error {
	_, err := a.forget(ctx, "DELETE FROM access_sessions WHERE id = $1", plain(id))
	return err
}

// EndSessions is part of access.Store.
func (a *Access) EndSessions(ctx context.Context, account, except string) error {
	_, err := a.forget(ctx, "DELETE FROM access_sessions WHERE account = $1 AND id <> $2", account, except)
	return err
}

func (a *Access) forget(ctx context.Context, query string, args ...any) (int, error) {
	done, err := a.store.pool.Exec(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return int(done.RowsAffected()), nil
}

// keptToken is a token with what its own JSON leaves out.
type keptToken struct {
	access.Token
	Digest string `json:"digest"`
}

// SaveToken is part of access.Store.
func (a *Access) SaveToken(ctx context.Context, token *access.Token) error {
	return a.save(ctx, "a token", keptToken{*token, token.Digest}, `INSERT INTO access_tokens (id, digest, created, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, body = excluded.body`, token.ID, token.Digest, nanos(token.Created))
}

// TokenByDigest is part of access.Store.
func (a *Access) TokenByDigest(ctx context.Context, digest string) (*access.Token, error) {
	return single(a.tokens(ctx, "SELECT body FROM access_tokens WHERE digest = $1", plain(digest)))
}

// Tokens is part of access.Store.
func (a *Access) Tokens(ctx context.Context) ([]access.Token, error) {
	return a.tokens(ctx, "SELECT body FROM access_tokens ORDER BY created DESC, id")
}

func (a *Access) tokens(ctx context.Context, query string, args ...any) ([]access.Token, error) {
	kept, err := items[keptToken](ctx, a.store.pool, "tokens", query, args...)
	list := make([]access.Token, len(kept))
	for i, k := range kept {
		list[i] = k.Token
		list[i].Digest = k.Digest
	}
	return list, err
}

// SaveGrant is part of access.Store.
func (a *Access) SaveGrant(ctx context.Context, grant *access.Grant) error {
	return a.save(ctx, "a grant", grant, `INSERT INTO access_grants (id, account, until, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET until = excluded.until, body = excluded.body`, grant.ID, grant.Account, nanos(grant.Until))
}

// Grants is part of access.Store.
func (a *Access) Grants(ctx context.Context, account string, now time.Time) ([]access.Grant, error) {
	return items[access.Grant](ctx, a.store.pool, "grants", "SELECT body FROM access_grants WHERE account = $1 AND until > $2 ORDER BY until, id", account, nanos(now))
}

// GrantsSince is part of access.Store.
func (a *Access) GrantsSince(ctx context.Context, ended time.Time) ([]access.Grant, error) {
	return items[access.Grant](ctx, a.store.pool, "grants", "SELECT body FROM access_grants WHERE until > $1 ORDER BY until DESC, id", nanos(ended))
}
