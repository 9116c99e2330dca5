package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/access"
)

// SavePasskey is part of access.Store.
func (a *Access) SavePasskey(ctx context.Context, passkey *access.Passkey) error {
	body, err := json.Marshal(passkey)
	if err != nil {
		return fmt.Errorf("write a passkey: %w", err)
	}
	query, args := "UPDATE access_passkeys SET version = $2, body = $3 WHERE id = $1 AND version = $2 - 1", []any{passkey.ID, passkey.Version + 1, body}
	if passkey.Version == 0 {
		query = "INSERT INTO access_passkeys (id, version, body, account, created) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING"
		args = append(args, passkey.Account, nanos(passkey.Created))
	}
	done, err := a.store.pool.Exec(ctx, query, args...)
	if err == nil && done.RowsAffected() == 0 {
		err = access.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("save a passkey: %w", err)
	}
	passkey.Version++
	return nil
}

// Passkey is part of access.Store.
func (a *Access) Passkey(ctx context.Context, id string) (*access.Passkey, error) {
	return single(a.passkeys(ctx, "SELECT body, version FROM access_passkeys WHERE id = $1", plain(id)))
}

// Passkeys is part of access.Store.
func (a *Access) Passkeys(ctx context.Context, account string) ([]access.Passkey, error) {
	return a.passkeys(ctx, "SELECT body, version FROM access_passkeys WHERE account = $1 OR $1 = '' ORDER BY created, id", plain(account))
}

func (a *Access) passkeys(ctx context.Context, query, arg string) ([]access.Passkey, error) {
	rows, err := a.store.pool.Query(ctx, query, arg)
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (passkey access.Passkey, err error) {
		var version int64
		err = row.Scan(&passkey, &version)
		passkey.Version = version
		return passkey, err
	})
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return list, nil
}

// RemovePasskeys is part of access.Store.
func (a *Access) RemovePasskeys(ctx context.Context, account, id string) error {
	if _, err := a.forget(ctx, "DELETE FROM access_passkeys WHERE account = $1 AND (id = $2 OR $2 = '')", account, plain(id)); err != nil {
		return fmt.Errorf("remove a passkey: %w", err)
	}
	return nil
}

// ChallengeKey is part of access.Store.
func (a *Access) ChallengeKey(ctx context.Context, fresh string) (key string, err error) {
	if _, err = a.store.pool.Exec(ctx, "INSERT INTO access_challenge_key (one, text) VALUES (1, $1) ON CONFLICT (one) DO NOTHING", fresh); err == nil {
		err = a.store.pool.QueryRow(ctx, "SELECT text FROM access_challenge_key").Scan(&key)
	}
	if err != nil {
		return "", fmt.Errorf("keep the key of challenges: %w", err)
	}
	return key, nil
}

// SpendChallenge is part of access.Store.
func (a *Access) SpendChallenge(ctx context.Context, digest string, until, now time.Time) error {
	_, err := a.store.pool.Exec(ctx, "DELETE FROM access_challenges WHERE until < $1", nanos(now))
	if err == nil {
		done, failed := a.store.pool.Exec(ctx, "INSERT INTO access_challenges (id, until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", digest, nanos(until))
		if err = failed; err == nil && done.RowsAffected() == 0 {
			err = access.ErrTaken
		}
	}
	if err != nil {
		return fmt.Errorf("use a challenge up: %w", err)
	}
	return nil
}
