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

// SavePasskey is part of access.Store.
func (a *Access) SavePasskey(ctx context.Context, passkey *access.Passkey) error {
	body, err := json.Marshal(passkey)
	if err == nil {
		err = a.store.Write(ctx, func(conn *sqlite.Conn) error {
			kept, err := counted(conn, "SELECT coalesce(max(version), 0) FROM access_passkeys WHERE id = ?", passkey.ID)
			if err != nil {
				return err
			}
			if kept != passkey.Version {
				return access.ErrConflict
			}
			return sqlitex.Execute(conn, `INSERT INTO access_passkeys (id, account, created, version, body) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body`,
				&sqlitex.ExecOptions{Args: []any{passkey.ID, passkey.Account, passkey.Created.UnixMilli(), passkey.Version + 1, string(body)}})
		})
	}
	if err != nil {
		return fmt.Errorf("save a passkey: %w", err)
	}
	passkey.Version++
	return nil
}

// Passkey is part of access.Store.
func (a *Access) Passkey(ctx context.Context, id string) (*access.Passkey, error) {
	return single(a.passkeys(ctx, "SELECT body, version FROM access_passkeys WHERE id = ?", id))
}

// Passkeys is part of access.Store.
func (a *Access) Passkeys(ctx context.Context, account string) ([]access.Passkey, error) {
	return a.passkeys(ctx, "SELECT body, version FROM access_passkeys WHERE account = ?1 OR ?1 = '' ORDER BY created, id", account)
}

func (a *Access) passkeys(ctx context.Context, query, arg string) (list []access.Passkey, err error) {
	err = a.store.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: []any{arg}, ResultFunc: func(row *sqlite.Stmt) error {
			list = append(list, access.Passkey{Version: row.ColumnInt64(1)})
			return json.Unmarshal(text(row, 0), &list[len(list)-1])
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return list, nil
}

// RemovePasskeys is part of access.Store.
func (a *Access) RemovePasskeys(ctx context.Context, account, id string) error {
	if _, err := a.forget(ctx, "DELETE FROM access_passkeys WHERE account = ?1 AND (id = ?2 OR ?2 = '')", account, id); err != nil {
		return fmt.Errorf("remove a passkey: %w", err)
	}
	return nil
}

// ChallengeKey is part of access.Store.
func (a *Access) ChallengeKey(ctx context.Context, fresh string) (key string, err error) {
	err = a.store.Write(ctx, func(conn *sqlite.Conn) error {
		if err := sqlitex.Execute(conn, "INSERT OR IGNORE INTO access_challenge_key (one, text) VALUES (1, ?)", &sqlitex.ExecOptions{Args: []any{fresh}}); err != nil {
			return err
		}
		return sqlitex.Execute(conn, "SELECT text FROM access_challenge_key", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			key = row.ColumnText(0)
			return nil
		}})
	})
	if err != nil {
		return "", fmt.Errorf("keep the key of challenges: %w", err)
	}
	return key, nil
}

// SpendChallenge is part of access.Store.
func (a *Access) SpendChallenge(ctx context.Context, digest string, until, now time.Time) error {
	err := a.store.Write(ctx, func(conn *sqlite.Conn) error {
		if err := sqlitex.Execute(conn, "DELETE FROM access_challenges WHERE until < ?", &sqlitex.ExecOptions{Args: []any{now.UnixMilli()}}); err != nil {
			return err
		}
		err := sqlitex.Execute(conn, "INSERT OR IGNORE INTO access_challenges (id, until) VALUES (?, ?)", &sqlitex.ExecOptions{Args: []any{digest, until.UnixMilli()}})
		if err == nil && conn.Changes() == 0 {
			err = access.ErrTaken
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("use a challenge up: %w", err)
	}
	return nil
}
