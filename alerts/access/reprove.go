package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Who is in already shows the password anew before a change of what lets them in.

// reprove returns the account of somebody who is in, once the password is shown again. full
// asks for the second factor too, where the account has one. Errors are of type *Refused
// when either is wrong.
func (a *Accounts) reprove(ctx context.Context, who Who, password, code string, full bool) (*Account, error) {
	account, err := a.Store.Account(ctx, who.Account)
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	now := a.Now().UTC()
	key := "again/" + account.ID
	if wait := a.logins.Count(key, now); wait > 0 {
		return nil, tooMany(wait)
	}
	factored, err := a.Factored(ctx, account)
	if err != nil {
		return nil, err
	}
	right := a.passwords.right(account, password)
	if right && full && factored {
		if right = account.Code != nil && account.Code.takeCode(code, now) || account.takeRecovery(code); right {
			if err := a.save(ctx, account); err != nil { // the code is taken, whatever follows
				return nil, err
			}
		}
	}
	if !right {
		a.Log.Warn("a second proof was refused", "account", account.ID, "from", who.From)
		return nil, wrongAgain()
	}
	a.logins.Right(key)
	return account, nil
}

func wrongAgain() *Refused {
	return refuse(WrongLogin, "Mot de passe ou code incorrect : rien n'a changé.", "Wrong password or code: nothing was changed.")
}

// ChangePassword gives who asks another password, once the former one and the second factor
// are shown. Its other sessions end where others is true. Errors are of type *Refused.
func (a *Accounts) ChangePassword(ctx context.Context, who Who, former, code, next string, others bool) error {
	account, err := a.reprove(ctx, who, former, code, true)
	if err != nil {
		return err
	}
	if err := CheckPassword(next, account, a.Known); err != nil {
		return err
	}
	if account.Password, err = a.passwords.hash(next); err != nil {
		return err
	}
	if err := a.save(ctx, account); err != nil {
		return err
	}
	a.Log.Info("password changed", "account", account.ID)
	a.note(ctx, "password", account.ID)
	if !others {
		return nil
	}
	return a.Store.EndSessions(ctx, account.ID, who.Session)
}

// EndOwn ends one session of who asks, or all but the one they are in where id is empty,
// once the password is shown again. Who has just come in from an OpenID Connect provider has
// shown enough. Errors are of type *Refused.
func (a *Accounts) EndOwn(ctx context.Context, who Who, password, id string) error {
	own, err := a.Store.Session(ctx, who.Session)
	if err != nil {
		return fmt.Errorf("find a session: %w", err)
	}
	if password != "" || own.Provider == "" || !own.Fresh(a.Now()) {
		if _, err := a.reprove(ctx, who, password, "", false); err != nil {
			return err
		}
	}
	if id == "" {
		return a.Store.EndSessions(ctx, who.Account, who.Session)
	}
	session, err := a.Store.Session(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && session.Account != who.Account {
		return nil // it has ended meanwhile, or is somebody else's: nothing to tell
	}
	if err != nil {
		return err
	}
	return a.Store.EndSession(ctx, id)
}

// Renew gives a session another secret for the browser to keep, and ends the former one. It
// is called whenever a session may do more than before.
func (a *Accounts) Renew(ctx context.Context, session *Session) (secret string, err error) {
	former := session.ID
	secret = rand.Text()
	session.ID = digest(secret)
	if err := a.Store.SaveSession(ctx, session); err != nil {
		return "", fmt.Errorf("keep a session: %w", err)
	}
	return secret, a.Store.EndSession(ctx, former)
}

// mostSessions is how many logins of an account hold at once.
const mostSessions = 10

// bound ends the oldest logins of an account beyond mostSessions.
func (a *Accounts) bound(ctx context.Context, account string) error {
	sessions, err := a.Store.Sessions(ctx, account)
	if err != nil {
		return fmt.Errorf("list the sessions of an account: %w", err)
	}
	proved := 0
	for _, s := range sessions { // newest first
		if !s.Proved {
			continue
		}
		if proved++; proved <= mostSessions {
			continue
		}
		if err := a.Store.EndSession(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}
