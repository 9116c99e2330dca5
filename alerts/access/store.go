package access

import (
	"context"
	"errors"
	"time"
)

// Store keeps accounts, sessions, passkeys, tokens and grants. Every implementation passes the
// same contract tests (ingest/stores/storetest). Times are UTC.
type Store interface {
	// Accounts lists all accounts by login.
	Accounts(ctx context.Context) ([]Account, error)
	// Account returns one account by its id, or ErrNotFound.
	Account(ctx context.Context, id string) (*Account, error)
	// AccountByLogin returns one account by its normalised login, or ErrNotFound.
	AccountByLogin(ctx context.Context, login string) (*Account, error)
	// AccountByLink returns the account whose Link has that digest, or ErrNotFound.
	AccountByLink(ctx context.Context, digest string) (*Account, error)
	// SaveAccount stores an account and raises its Version by one. It returns
	// ErrConflict unless the stored Version, 0 for none, is still the one given, and
	// ErrTaken when another account has the login.
	SaveAccount(ctx context.Context, account *Account) error

	// SaveSession stores a session, new or changed.
	SaveSession(ctx context.Context, session *Session) error
	// Session returns one session, or ErrNotFound.
	Session(ctx context.Context, id string) (*Session, error)
	// Sessions lists the sessions of an account, newest first.
	Sessions(ctx context.Context, account string) ([]Session, error)
	// EndSession forgets a session; ending one that does not exist is no error.
	EndSession(ctx context.Context, id string) error
	// EndSessions forgets all sessions of an account but one, which may be empty.
	EndSessions(ctx context.Context, account, except string) error

	// SavePasskey stores a passkey and raises its Version by one. It returns ErrConflict
	// unless the stored Version, 0 for none, is still the one given: so a passkey is of one
	// account only.
	SavePasskey(ctx context.Context, passkey *Passkey) error
	// Passkey returns one passkey, or ErrNotFound.
	Passkey(ctx context.Context, id string) (*Passkey, error)
	// Passkeys lists those of an account, oldest first; of all accounts where it is empty.
	Passkeys(ctx context.Context, account string) ([]Passkey, error)
	// RemovePasskeys forgets one passkey of an account, or all where id is empty. To remove
	// none is no error.
	RemovePasskeys(ctx context.Context, account, id string) error
	// ChallengeKey returns the key of challenges that is kept; where there is none it keeps
	// the fresh one. All nodes get the same.
	ChallengeKey(ctx context.Context, fresh string) (string, error)
	// SpendChallenge keeps until that time that a challenge was used, and forgets those whose
	// time was over before now. It returns ErrTaken when the challenge was used before.
	SpendChallenge(ctx context.Context, digest string, until, now time.Time) error

	// SaveToken stores a token, new or changed.
	SaveToken(ctx context.Context, token *Token) error
	// TokenByDigest returns a token, or ErrNotFound.
	TokenByDigest(ctx context.Context, digest string) (*Token, error)
	// Tokens lists all tokens, newest first.
	Tokens(ctx context.Context) ([]Token, error)

	// SaveGrant stores a grant, new or changed.
	SaveGrant(ctx context.Context, grant *Grant) error
	// Grants lists what an account was granted that has not ended at that time.
	Grants(ctx context.Context, account string, now time.Time) ([]Grant, error)
	// GrantsSince lists what anybody was granted that had not ended at that time, newest
	// first.
	GrantsSince(ctx context.Context, ended time.Time) ([]Grant, error)
}

// The errors of a Store.
var (
	ErrNotFound = errors.New("not kept")
	ErrConflict = errors.New("changed by somebody else meanwhile")
	ErrTaken    = errors.New("another account has this login")
)
