package access

import (
	"context"
	"errors"
	"time"
)

// Store keeps accounts, sessions, tokens and grants. Every implementation passes the
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
