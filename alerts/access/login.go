package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/protocols"
)

// Login checks a login and a password and opens a session. What it returns is what the
// browser keeps. The session leads nowhere until Prove, unless OneFactor. Errors are
// of type *Refused when the person is not let in: never is it said which of the two
// was wrong.
//
// device is what the browser kept when somebody last logged in from it, see Remember;
// empty for a browser that is new.
func (a *Accounts) Login(ctx context.Context, login, password, address, browser, device string) (secret string, session *Session, err error) {
	now := a.Now().UTC()
	login = Normalise(login)
	var account *Account
	if device != "" {
		if account, err = a.byLogin(ctx, login); err != nil {
			return "", nil, err
		}
	}
	known := account.knows(device)
	if wait := a.admit(login, address, device, known, now); wait > 0 {
		return "", nil, tooMany(wait)
	}
	if account == nil {
		if account, err = a.byLogin(ctx, login); err != nil {
			return "", nil, err
		}
	}
	if !a.passwords.right(account, password) || !account.Active(now) {
		a.Log.Warn("login refused", "from", address)
		return "", nil, wrongLogin()
	}
	a.welcome(login, device, known)
	if a.OneFactor {
		a.addresses.Right(address)
		a.logins.Right(login)
	}
	secret = rand.Text()
	session = &Session{
		ID: digest(secret), Account: account.ID, Created: now, Seen: now,
		Address: address, Browser: cut(browser, longestBrowser), Proved: a.OneFactor,
	}
	if err := a.Store.SaveSession(ctx, session); err != nil {
		return "", nil, fmt.Errorf("keep a session: %w", err)
	}
	a.Log.Info("password right", "account", account.ID, "proved", session.Proved)
	if session.Proved {
		if err := a.bound(ctx, account.ID); err != nil {
			return "", nil, err
		}
		a.trace(ctx, Who{Account: account.ID, Name: account.Name, Roles: account.Roles, From: address}, "login", account.ID, "", "")
	}
	return secret, session, nil
}

// byLogin finds an account; nil where there is none.
func (a *Accounts) byLogin(ctx context.Context, login string) (*Account, error) {
	account, err := a.Store.AccountByLogin(ctx, login)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	return account, nil
}

func tooMany(wait time.Duration) *Refused {
	refused := refuse(TooManyTries, "Trop d'essais : attendez un instant, puis réessayez.", "Too many tries: wait a moment, then try again.")
	refused.Wait = wait
	return refused
}

func wrongLogin() *Refused {
	return refuse(WrongLogin, "Identifiant, mot de passe ou code incorrect.", "Wrong login, password or code.")
}

func cut(text string, longest int) string {
	text = strings.Map(func(r rune) rune {
		if protocols.Unprintable(r) {
			return -1
		}
		return r
	}, text)
	for len(text) > longest {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// Setup returns the secret of a second factor for an account that has none yet, and
// the address that its QR code holds. A secret that was given before stays; an empty
// one is made. It is kept by Confirm.
func (a *Accounts) Setup(account *Account, given string) (secret, address string, err error) {
	if secret = given; secret == "" {
		secret = newSecret()
	}
	address, err = CodeAddress(secret, account.Login)
	return secret, address, err
}

// Confirm keeps a second factor once a code shows that an authenticator has it, and
// returns recovery codes, which are shown once. The session is proved by that.
func (a *Accounts) Confirm(ctx context.Context, session *Session, factorSecret, code string) (recovery []string, err error) {
	if session.Choosing() {
		return nil, badPlace()
	}
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	factored, err := a.Factored(ctx, account)
	if err != nil {
		return nil, err
	}
	if factored {
		return nil, refuse(NotYours, "Un second facteur est déjà en place.", "A second factor is set up already.")
	}
	if wait := a.logins.Count("factor/"+account.ID, a.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	factor := &CodeFactor{Secret: factorSecret}
	if !factor.takeCode(code, a.Now()) {
		return nil, refuse(WrongLogin, "Ce code n'est pas le bon : vérifiez l'heure du téléphone, puis saisissez le code suivant.",
			"This is not the right code: check the telephone's clock, then type the next code.")
	}
	account.Code = factor
	recovery, account.Recovery = newRecovery()
	if err := a.save(ctx, account); err != nil {
		return nil, err
	}
	return recovery, a.prove(ctx, account, session)
}

// Prove shows the second factor of a session: a code, or a recovery code, which is
// used up.
func (a *Accounts) Prove(ctx context.Context, session *Session, code string) error {
	now := a.Now().UTC()
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return fmt.Errorf("find an account: %w", err)
	}
	if wait := a.logins.Count("factor/"+account.ID, now); wait > 0 {
		return tooMany(wait)
	}
	if (account.Code == nil || !account.Code.takeCode(code, now)) && !account.takeRecovery(code) {
		a.Log.Warn("second factor refused", "account", account.ID)
		return wrongLogin()
	}
	if err := a.save(ctx, account); err != nil {
		return err
	}
	return a.prove(ctx, account, session)
}

// prove gives a session that has shown everything a new beginning. Who still has to say where
// they practise has not.
func (a *Accounts) prove(ctx context.Context, account *Account, session *Session) error {
	if session.Choosing() {
		return badPlace()
	}
	session.Proved, session.Seen = true, a.Now().UTC()
	session.Created = session.Seen
	if err := a.Store.SaveSession(ctx, session); err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	if err := a.bound(ctx, account.ID); err != nil {
		return err
	}
	a.logins.Right("factor/" + account.ID)
	a.logins.Right(account.Login)
	a.addresses.Right(session.Address)
	a.Log.Info("login", "account", account.ID)
	a.trace(ctx, Who{Account: account.ID, Name: account.Name, Roles: account.Roles, From: session.Address}, "login", account.ID, "", a.way(session))
	return nil
}

// Session returns the session of what a browser keeps, with its account; ErrNotFound
// when there is none that holds.
func (a *Accounts) Session(ctx context.Context, secret string) (*Session, *Account, error) {
	if secret == "" {
		return nil, nil, ErrNotFound
	}
	session, err := a.Store.Session(ctx, digest(secret))
	if err != nil {
		return nil, nil, err
	}
	now := a.Now().UTC()
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return nil, nil, err
	}
	if !session.holds(a.Limits, now) || !account.Active(now) {
		return nil, nil, errors.Join(ErrNotFound, a.Store.EndSession(ctx, session.ID))
	}
	if session.Proved && now.Sub(session.Seen) >= seenEvery {
		session.Seen = now
		if err := a.Store.SaveSession(ctx, session); err != nil {
			return nil, nil, fmt.Errorf("keep a session: %w", err)
		}
	}
	return session, account, nil
}

// Person is who asks with a session: somebody who may do nothing until the second
// factor is shown.
func (a *Accounts) Person(ctx context.Context, secret, address string) (Who, error) {
	session, account, err := a.Session(ctx, secret)
	if err != nil {
		return Who{}, err
	}
	if !session.Proved {
		return Who{}, ErrNotFound
	}
	grants, err := a.Store.Grants(ctx, account.ID, a.Now().UTC())
	if err != nil {
		return Who{}, fmt.Errorf("find what an account was granted: %w", err)
	}
	if grants, err = a.open(ctx, grants); err != nil {
		return Who{}, err
	}
	return Who{
		Account: account.ID, Name: account.Name, Session: session.ID, Roles: slices.Clone(account.Roles),
		Teams: slices.Clone(account.Teams), Grants: grants, From: address, Since: session.Created,
	}, nil
}

// open leaves the grants out whose patients let nobody of another team look any more.
func (a *Accounts) open(ctx context.Context, grants []Grant) ([]Grant, error) {
	var left []Grant
	for _, g := range grants {
		closed, err := a.closed(ctx, g.Patient)
		if err != nil {
			return nil, err
		}
		if !closed {
			left = append(left, g)
		}
	}
	return left, nil
}

func (a *Accounts) closed(ctx context.Context, patient string) (bool, error) {
	if a.Closed == nil {
		return false, nil
	}
	closed, err := a.Closed(ctx, patient)
	if err != nil {
		return false, fmt.Errorf("ask whether a patient lets others look: %w", err)
	}
	return closed, nil
}

// Logout ends the session of what a browser keeps, on every node.
func (a *Accounts) Logout(ctx context.Context, secret string) error {
	return a.Store.EndSession(ctx, digest(secret))
}
