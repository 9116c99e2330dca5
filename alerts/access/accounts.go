package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"vigie/protocols"
)

// Options are what Accounts need. Store, Teams, Now and Log are required.
type Options struct {
	Store  Store
	Trail  Trail                                   // of the acts; nil keeps none
	Teams  func(context.Context) ([]string, error) // ids of the care teams
	Now    func() time.Time                        // the clock on people's wall
	Log    *slog.Logger                            // who got in, and who did not; never a secret
	Limits Limits
	// OneFactor lets people in with a password alone: for a demonstration.
	OneFactor bool
	// Hashing is what a password costs to check; the package's Hashing when zero.
	Hashing argon2id.Params
	// Closed reports whether a patient lets nobody of another team open the record. Nobody
	// has said so when nil.
	Closed func(ctx context.Context, patient string) (bool, error)
	// Known lists passwords that nobody may choose, beside those that are easily guessed.
	Known *Known
}

// Trail keeps who did what. An error keeps nobody from anything: the trail says what it
// lacks.
type Trail interface {
	Note(ctx context.Context, who Who, deed, about, patient, reason string) error
}

// note writes an act of who asks down; without anybody who asks, of the account itself.
func (a *Accounts) note(ctx context.Context, deed, about string) {
	who := From(ctx)
	if !who.Known() {
		who = Who{Account: about}
	}
	a.trace(ctx, who, deed, about, "", "")
}

func (a *Accounts) trace(ctx context.Context, who Who, deed, about, patient, reason string) {
	if a.Trail == nil {
		return
	}
	if err := a.Trail.Note(ctx, who, deed, about, patient, reason); err != nil {
		a.Log.Debug("an act is not traced yet", "error", err)
	}
}

// Accounts are the acts on accounts, sessions, tokens and grants.
type Accounts struct {
	Options
	passwords         *hasher
	addresses, logins Tries
	strangers         strangers
}

// New returns the acts on what a store keeps.
func New(options Options) (*Accounts, error) {
	if options.Hashing == (argon2id.Params{}) {
		options.Hashing = Hashing
	}
	passwords, err := newHasher(options.Hashing)
	if err != nil {
		return nil, err
	}
	return &Accounts{Options: options, passwords: passwords}, nil
}

// linkHolds is how long a one-time link may be used.
const linkHolds = 72 * time.Hour

// Add makes an account and returns what stands in its one-time link.
func (a *Accounts) Add(ctx context.Context, account Account) (link string, err error) {
	account.ID, account.Login = newID(), Normalise(account.Login)
	account.Name = strings.TrimSpace(account.Name)
	account.Created, account.Version = a.Now().UTC(), 0
	teams, err := a.Teams(ctx)
	if err != nil {
		return "", fmt.Errorf("read the care teams: %w", err)
	}
	if err := account.Check(teams); err != nil {
		return "", err
	}
	return a.invite(ctx, &account)
}

// Reset forgets the password of an account, ends its sessions and returns what stands in a
// new one-time link. The second factor is asked for all the same, see ResetFactor.
func (a *Accounts) Reset(ctx context.Context, login string) (link string, err error) {
	return a.reset(ctx, login, false)
}

// ResetFactor is Reset for somebody who has lost the second factor and the recovery codes
// too. Whoever calls it has seen that person: the link alone lets its bearer in.
func (a *Accounts) ResetFactor(ctx context.Context, login string) (link string, err error) {
	return a.reset(ctx, login, true)
}

func (a *Accounts) reset(ctx context.Context, login string, factor bool) (link string, err error) {
	account, err := a.find(ctx, login)
	if err != nil {
		return "", err
	}
	account.Password, account.Devices = "", nil
	if factor {
		account.Code, account.Recovery = nil, nil
		a.note(ctx, "account-factor", account.ID)
	}
	if link, err = a.invite(ctx, account); err != nil {
		return "", err
	}
	return link, a.Store.EndSessions(ctx, account.ID, "")
}

func (a *Accounts) invite(ctx context.Context, account *Account) (string, error) {
	link := rand.Text()
	account.Link = &Link{Digest: digest(link), Until: a.Now().UTC().Add(linkHolds)}
	if err := a.save(ctx, account); err != nil {
		return "", err
	}
	a.Log.Info("a one-time link was made", "account", account.ID)
	a.note(ctx, "account-link", account.ID)
	return link, nil
}

// Disable lets nobody in by an account from now on, and ends its sessions. Its tokens
// end with it.
func (a *Accounts) Disable(ctx context.Context, login string) error {
	account, err := a.find(ctx, login)
	if err != nil {
		return err
	}
	if account.Disabled.IsZero() {
		account.Disabled = a.Now().UTC()
	}
	account.Link = nil
	if err := a.save(ctx, account); err != nil {
		return err
	}
	a.Log.Info("account disabled", "account", account.ID)
	a.note(ctx, "account-disable", account.ID)
	return a.Store.EndSessions(ctx, account.ID, "")
}

// Enable takes Disable back.
func (a *Accounts) Enable(ctx context.Context, login string) error {
	account, err := a.find(ctx, login)
	if err != nil {
		return err
	}
	account.Disabled = time.Time{}
	if err := a.save(ctx, account); err != nil {
		return err
	}
	a.note(ctx, "account-enable", account.ID)
	return nil
}

// Invited returns the account of a one-time link. Errors are of type *Refused when the
// link is over.
func (a *Accounts) Invited(ctx context.Context, link string) (*Account, error) {
	account, err := a.Store.AccountByLink(ctx, digest(link))
	if errors.Is(err, ErrNotFound) {
		return nil, linkOver()
	}
	if err != nil {
		return nil, fmt.Errorf("find the account of a link: %w", err)
	}
	if account.Link == nil || !a.Now().Before(account.Link.Until) || !account.Active(a.Now()) {
		return nil, linkOver()
	}
	return account, nil
}

func linkOver() *Refused {
	return refuse(LinkOver, "Ce lien a déjà servi, ou n'est plus valable : demandez-en un autre à l'administrateur.",
		"This link was used before, or is over: ask the administrator for another one.")
}

// Choose uses a one-time link up: it keeps the password, and returns the secret of a
// second factor that Confirm has to see a code of.
func (a *Accounts) Choose(ctx context.Context, link, password string) (*Account, error) {
	account, err := a.Invited(ctx, link)
	if err != nil {
		return nil, err
	}
	if err := CheckPassword(password, account, a.Known); err != nil {
		return nil, err
	}
	if account.Password, err = a.passwords.hash(password); err != nil {
		return nil, err
	}
	account.Link = nil
	if err := a.save(ctx, account); err != nil {
		return nil, err
	}
	a.Log.Info("password chosen", "account", account.ID)
	a.note(ctx, "password", account.ID)
	return account, nil
}

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
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	if account.Code != nil {
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
	if account.Code == nil || !account.Code.takeCode(code, now) && !account.takeRecovery(code) {
		a.Log.Warn("second factor refused", "account", account.ID)
		return wrongLogin()
	}
	if err := a.save(ctx, account); err != nil {
		return err
	}
	return a.prove(ctx, account, session)
}

// prove gives a session that has shown everything a new beginning.
func (a *Accounts) prove(ctx context.Context, account *Account, session *Session) error {
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
	a.trace(ctx, Who{Account: account.ID, Name: account.Name, Roles: account.Roles, From: session.Address}, "login", account.ID, "", "")
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

// Program is who asks with a token; ErrNotFound when it is nobody's, or has ended.
func (a *Accounts) Program(ctx context.Context, secret, address string) (Who, error) {
	now := a.Now().UTC()
	token, err := a.Store.TokenByDigest(ctx, digest(secret))
	if errors.Is(err, ErrNotFound) || err == nil && (!token.Holds(now) || token.Patient != "") {
		return Who{}, ErrNotFound
	}
	if err != nil {
		return Who{}, fmt.Errorf("find a token: %w", err)
	}
	owner, err := a.Store.Account(ctx, token.Owner)
	if err != nil {
		return Who{}, fmt.Errorf("find the owner of a token: %w", err)
	}
	if !owner.Active(now) {
		return Who{}, ErrNotFound
	}
	who := token.who(owner)
	who.From = address
	return who, nil
}

// Tokens lists those of programs, newest first.
func (a *Accounts) Tokens(ctx context.Context) ([]Token, error) {
	tokens, err := a.Store.Tokens(ctx)
	return slices.DeleteFunc(tokens, func(t Token) bool { return t.Patient != "" }), err
}

// Give makes a token for a program and returns its secret, which is shown once.
func (a *Accounts) Give(ctx context.Context, owner string, token Token) (secret string, err error) {
	account, err := a.find(ctx, owner)
	if err != nil {
		return "", err
	}
	now := a.Now().UTC()
	token.ID, token.Owner, token.Created, token.Revoked = newID(), account.ID, now, time.Time{}
	if err := token.check(account, now); err != nil {
		return "", err
	}
	secret = "vigie_" + rand.Text()
	token.Digest = digest(secret)
	if err := a.Store.SaveToken(ctx, &token); err != nil {
		return "", fmt.Errorf("keep a token: %w", err)
	}
	a.Log.Info("token given", "token", token.ID, "owner", account.ID)
	a.note(ctx, "token-give", token.ID)
	return secret, nil
}

// Revoke ends a token at once.
func (a *Accounts) Revoke(ctx context.Context, id string) error {
	tokens, err := a.Tokens(ctx)
	if err != nil {
		return fmt.Errorf("list the tokens: %w", err)
	}
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id })
	if i < 0 {
		return refuse(BadToken, "Aucun jeton ne porte cette référence.", "There is no token with this reference.")
	}
	if tokens[i].Revoked.IsZero() {
		tokens[i].Revoked = a.Now().UTC()
	}
	if err := a.Store.SaveToken(ctx, &tokens[i]); err != nil {
		return err
	}
	a.note(ctx, "token-revoke", id)
	return nil
}

// Break lets somebody see a patient of another team for some hours, for a reason.
// The trail keeps it; the caller tells the team.
func (a *Accounts) Break(ctx context.Context, who Who, patient, reason string) (Grant, error) {
	reason = strings.TrimSpace(reason)
	if !who.May(BreakGlass) {
		return Grant{}, refuse(NotYours, "Votre rôle ne permet pas d'ouvrir le dossier d'une autre équipe.", "Your role does not allow opening the record of another team.")
	}
	if utf8.RuneCountInString(reason) < 5 || utf8.RuneCountInString(reason) > 500 || strings.ContainsFunc(reason, protocols.Unprintable) {
		return Grant{}, refuse(NoReason, "Dites en une phrase pourquoi : elle est tracée, et l'équipe du patient en est informée.",
			"Say in a sentence why: it is traced, and the patient's team is told.")
	}
	closed, err := a.closed(ctx, patient)
	if err != nil {
		return Grant{}, err
	}
	if closed {
		a.trace(ctx, who, "break-glass-refused", "", patient, reason)
		return Grant{}, refuse(Blocked, "Le patient a refusé qu'une autre équipe ouvre son dossier. Appelez son équipe, ou le 15 s'il est en danger.",
			"The patient has refused that another team opens the record. Call the patient's team, or 15 where there is danger.")
	}
	now := a.Now().UTC()
	grant := Grant{ID: newID(), Account: who.Account, Patient: patient, Reason: reason, At: now, Until: now.Add(glassOpen)}
	if err := a.Store.SaveGrant(ctx, &grant); err != nil {
		return Grant{}, fmt.Errorf("keep a grant: %w", err)
	}
	a.Log.Warn("glass broken", "account", who.Account)
	a.trace(ctx, who, "break-glass", grant.ID, patient, reason)
	return grant, nil
}

// First returns a one-time link for a first administrator, or an empty one when there
// is somebody already who can manage accounts.
func (a *Accounts) First(ctx context.Context) (link string, err error) {
	accounts, err := a.Store.Accounts(ctx)
	if err != nil {
		return "", fmt.Errorf("list the accounts: %w", err)
	}
	for i := range accounts {
		if slices.Contains(accounts[i].Roles, Administrator) && accounts[i].Active(a.Now()) {
			if accounts[i].Password == "" && accounts[i].Login == firstLogin {
				return a.invite(ctx, &accounts[i])
			}
			return "", nil
		}
	}
	return a.Add(ctx, Account{Login: firstLogin, Name: "Administrateur", Roles: []Role{Administrator}})
}

const firstLogin = "admin"

func (a *Accounts) find(ctx context.Context, login string) (*Account, error) {
	account, err := a.Store.AccountByLogin(ctx, Normalise(login))
	if errors.Is(err, ErrNotFound) {
		return nil, refuse(BadAccount,
			fmt.Sprintf("Aucun compte « %s ».", printable(login)), fmt.Sprintf("There is no account “%s”.", printable(login)))
	}
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	return account, nil
}

// save stores an account, and says in a sentence when its login is taken.
func (a *Accounts) save(ctx context.Context, account *Account) error {
	err := a.Store.SaveAccount(ctx, account)
	if errors.Is(err, ErrTaken) {
		return refuse(LoginTaken, "Un autre compte a déjà cet identifiant de connexion.", "Another account has this login already.")
	}
	if err != nil {
		return fmt.Errorf("keep an account: %w", err)
	}
	return nil
}
