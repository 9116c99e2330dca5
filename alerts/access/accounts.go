package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"vigie/alerts/access/openid"
	"vigie/alerts/access/webauthn"
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
	// Address is where people reach the service: passkeys are for it. Empty, there are none.
	Address string
	// OpenID is where people may sign in elsewhere; nil for nowhere.
	OpenID *openid.Provider
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
	party             webauthn.Party // empty where there are no passkeys
	away              chan struct{}  // held by whoever waits for the OpenID Connect provider
	keyed             sync.Mutex
	key               string // see challengeKey
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
	party, _ := webauthn.PartyOf(options.Address)
	return &Accounts{Options: options, passwords: passwords, party: party, away: make(chan struct{}, mostAway)}, nil
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
	if err := a.unique(ctx, &account); err != nil {
		return "", err
	}
	return a.invite(ctx, &account)
}

// Reset forgets the password of an account, ends its sessions and returns what stands in a
// new one-time link. The second factor is asked for all the same, see ResetFactor.
func (a *Accounts) Reset(ctx context.Context, login string) (link string, err error) {
	return a.reset(ctx, login, false)
}

// ResetFactor is Reset for somebody who has lost the second factor, passkeys among it, and
// the recovery codes too. Whoever calls it has seen that person: the link alone lets its bearer in.
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
		if err := a.Store.RemovePasskeys(ctx, account.ID, ""); err != nil {
			return "", err
		}
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
	if err := a.unique(ctx, account); err != nil {
		return err
	}
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

// Knows reports whether somebody of that name, by which acts are signed, is let in.
func (a *Accounts) Knows(ctx context.Context, name string) (bool, error) {
	accounts, err := a.Store.Accounts(ctx)
	if err != nil {
		return false, fmt.Errorf("list the accounts: %w", err)
	}
	return slices.ContainsFunc(accounts, func(c Account) bool { return c.Name == name && c.Active(a.Now()) }), nil
}

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
