package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/access"
)

// Access returns the part of the store that keeps who may get in.
func (s *Store) Access() *Access { return &Access{s} }

// Access is an access.Store on SQLite.
type Access struct{ store *Store }

var _ access.Store = (*Access)(nil)

// Accounts is part of access.Store.
func (a *Access) Accounts(ctx context.Context) ([]access.Account, error) {
	return a.accounts(ctx, "SELECT body, version FROM access_accounts ORDER BY login")
}

// Account is part of access.Store.
func (a *Access) Account(ctx context.Context, id string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE id = ?", id))
}

// AccountByLogin is part of access.Store.
func (a *Access) AccountByLogin(ctx context.Context, login string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE login = ?", login))
}

// AccountByLink is part of access.Store.
func (a *Access) AccountByLink(ctx context.Context, digest string) (*access.Account, error) {
	return single(a.accounts(ctx, "SELECT body, version FROM access_accounts WHERE link = ?", digest))
}

func (a *Access) accounts(ctx context.Context, query string, args ...any) (list []access.Account, err error) {
	err = a.store.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
			account := access.Account{Version: row.ColumnInt64(1)}
			list = append(list, account)
			return json.Unmarshal(text(row, 0), &list[len(list)-1])
		}})
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
	var link any
	if account.Link != nil {
		link = account.Link.Digest
	}
	err = a.store.Write(ctx, func(conn *sqlite.Conn) error {
		taken, err := counted(conn, "SELECT count(*) FROM access_accounts WHERE login = ? AND id <> ?", account.Login, account.ID)
		if err != nil {
			return err
		}
		if taken > 0 {
			return access.ErrTaken
		}
		kept, err := counted(conn, "SELECT coalesce(max(version), 0) FROM access_accounts WHERE id = ?", account.ID)
		if err != nil {
			return err
		}
		if kept != account.Version {
			return access.ErrConflict
		}
		return sqlitex.Execute(conn, `INSERT INTO access_accounts (id, login, link, version, body) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET login = excluded.login, link = excluded.link, version = excluded.version, body = excluded.body`,
			&sqlitex.ExecOptions{Args: []any{account.ID, account.Login, link, account.Version + 1, string(body)}})
	})
	if err != nil {
		return fmt.Errorf("save an account: %w", err)
	}
	account.Version++
	return nil
}

func counted(conn *sqlite.Conn, query string, args ...any) (n int64, err error) {
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		n = row.ColumnInt64(0)
		return nil
	}})
	return n, err
}

// SaveSession is part of access.Store.
func (a *Access) SaveSession(ctx context.Context, session *access.Session) error {
	return a.save(ctx, "a session", session, `INSERT INTO access_sessions (id, account, created, seen, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET created = excluded.created, seen = excluded.seen, body = excluded.body`,
		session.ID, session.Account, session.Created.UnixMilli(), session.Seen.UnixMilli())
}

// save writes the JSON of an item behind the arguments.
func (a *Access) save(ctx context.Context, what string, item any, query string, args ...any) error {
	body, err := json.Marshal(item)
	if err == nil {
		err = a.store.Write(ctx, func(conn *sqlite.Conn) error {
			return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: append(args, string(body))})
		})
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", what, err)
	}
	return nil
}

// listed reads items out of their JSON.
func listed[T any](ctx context.Context, a *Access, what, query string, args ...any) (list []T, err error) {
	err = a.store.Read(ctx, func(conn *sqlite.Conn) error {
		list, err = items[T](conn, what, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %ss: %w", what, err)
	}
	return list, nil
}

// Session is part of access.Store.
func (a *Access) Session(ctx context.Context, id string) (*access.Session, error) {
	return single(listed[access.Session](ctx, a, "session", "SELECT body FROM access_sessions WHERE id = ?", id))
}

// Sessions is part of access.Store.
func (a *Access) Sessions(ctx context.Context, account string) ([]access.Session, error) {
	return listed[access.Session](ctx, a, "session", "SELECT body FROM access_sessions WHERE account = ? ORDER BY created DESC, id", account)
}

// EndSession is part of access.Store.
func (a *Access) EndSession(ctx context.Context, id string) error {
	_, err := a.forget(ctx, "DELETE FROM access_sessions WHERE id = ?", id)
	return err
}

// EndSessions is part of access.Store.
func (a *Access) EndSessions(ctx context.Context, account, except string) error {
	_, err := a.forget(ctx, "DELETE FROM access_sessions WHERE account = ? AND id <> ?", account, except)
	return err
}

func (a *Access) forget(ctx context.Context, query string, args ...any) (n int, err error) {
	err = a.store.Write(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
		n = conn.Changes()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

// keptToken is a token with what its own JSON leaves out.
type keptToken struct {
	access.Token
	Digest string `json:"digest"`
}

// SaveToken is part of access.Store.
func (a *Access) SaveToken(ctx context.Context, token *access.Token) error {
	return a.save(ctx, "a token", keptToken{*token, token.Digest}, `INSERT INTO access_tokens (id, digest, created, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, body = excluded.body`, token.ID, token.Digest, token.Created.UnixMilli())
}

// TokenByDigest is part of access.Store.
func (a *Access) TokenByDigest(ctx context.Context, digest string) (*access.Token, error) {
	return single(a.tokens(ctx, "SELECT body FROM access_tokens WHERE digest = ?", digest))
}

// Tokens is part of access.Store.
func (a *Access) Tokens(ctx context.Context) ([]access.Token, error) {
	return a.tokens(ctx, "SELECT body FROM access_tokens ORDER BY created DESC, id")
}

func (a *Access) tokens(ctx context.Context, query string, args ...any) ([]access.Token, error) {
	kept, err := listed[keptToken](ctx, a, "token", query, args...)
	list := make([]access.Token, len(kept))
	for i, k := range kept {
		list[i] = k.Token
		list[i].Digest = k.Digest
	}
	return list, err
}

// SaveGrant is part of access.Store.
func (a *Access) SaveGrant(ctx context.Context, grant *access.Grant) error {
	return a.save(ctx, "a grant", grant, `INSERT INTO access_grants (id, account, until, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET until = excluded.until, body = excluded.body`, grant.ID, grant.Account, grant.Until.UnixMilli())
}

// Grants is part of access.Store.
func (a *Access) Grants(ctx context.Context, account string, now time.Time) ([]access.Grant, error) {
	return listed[access.Grant](ctx, a, "grant", "SELECT body FROM access_grants WHERE account = ? AND until > ? ORDER BY until, id", account, now.UnixMilli())
}

// GrantsSince is part of access.Store.
func (a *Access) GrantsSince(ctx context.Context, ended time.Time) ([]access.Grant, error) {
	return listed[access.Grant](ctx, a, "grant", "SELECT body FROM access_grants WHERE until > ? ORDER BY until DESC, id", ended.UnixMilli())
}
