package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/alerts/access/webauthn"
	"vigie/protocols"
)

// Passkey is a key on a telephone, a computer or a stick, by which the owner of an account
// gets in: as the second factor, or without a password where the authenticator verifies who
// uses it. Only its public part is kept.
type Passkey struct {
	ID         string    `json:"id"` // base64url, as the authenticator chose it
	Account    string    `json:"account"`
	Name       string    `json:"name"` // as its owner calls it
	Key        []byte    `json:"key"`  // COSE
	Counter    uint32    `json:"counter,omitempty"`
	Verifies   bool      `json:"verifies,omitempty"`  // it knew who used it when it was last used
	Eligible   bool      `json:"eligible,omitempty"`  // it may be copied to other devices of its owner
	BackedUp   bool      `json:"backed_up,omitempty"` // it is
	Transports []string  `json:"transports,omitempty"`
	Created    time.Time `json:"created"`
	Used       time.Time `json:"used,omitzero"`
	Version    int64     `json:"-"` // counts the changes, see Store.SavePasskey
}

// mostPasskeys is how many passkeys an account has at most.
const mostPasskeys = 20

// longestPasskeyName is in characters.
const longestPasskeyName = 60

// freshly is how long ago somebody may have shown both factors who changes passkeys.
const freshly = 5 * time.Minute

// Fresh reports whether both factors were shown just now.
func (s *Session) Fresh(now time.Time) bool {
	last := s.Created
	if s.Provider != "" { // which may know the person from before
		last = s.Authenticated
	}
	if s.Shown.After(last) {
		last = s.Shown
	}
	return s.Proved && now.Before(last.Add(freshly))
}

// Passkeys reports whether there are passkeys at the address of the service.
func (a *Accounts) Passkeys() bool { return a.party.ID != "" }

// Asked is what a browser needs to use a passkey: PublicKeyCredentialRequestOptions.
type Asked struct {
	Challenge string     `json:"challenge"`
	Party     string     `json:"rpId"`
	Allowed   []listedBy `json:"allowCredentials,omitempty"`
	Verify    string     `json:"userVerification"`
	Timeout   int64      `json:"timeout"` // milliseconds
}

// Offered is what a browser needs to make a passkey: PublicKeyCredentialCreationOptions.
type Offered struct {
	Challenge string     `json:"challenge"`
	Party     named      `json:"rp"`
	User      named      `json:"user"`
	Kinds     []kind     `json:"pubKeyCredParams"`
	Excluded  []listedBy `json:"excludeCredentials"`
	Selection struct {
		Resident string `json:"residentKey"`
		Verify   string `json:"userVerification"`
	} `json:"authenticatorSelection"`
	Attestation string `json:"attestation"`
	Timeout     int64  `json:"timeout"`
}

type named struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Display string `json:"displayName,omitempty"`
}

type kind struct {
	Type      string `json:"type"`
	Algorithm int64  `json:"alg"`
}

type listedBy struct {
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	Transports []string `json:"transports,omitempty"`
}

const publicKey = "public-key"

func listedAs(passkeys []Passkey) (list []listedBy) {
	for _, p := range passkeys {
		list = append(list, listedBy{publicKey, p.ID, p.Transports})
	}
	return list
}

// AskSignIn is what a browser needs to sign somebody in without a password. attempt is what
// that browser alone keeps meanwhile.
func (a *Accounts) AskSignIn(ctx context.Context, attempt string) (*Asked, error) {
	challenge, err := a.challenge(ctx, signIn, attempt)
	return &Asked{Challenge: challenge, Party: a.party.ID, Verify: "required", Timeout: answering.Milliseconds()}, err
}

// SignIn opens a session for the owner of a passkey that verified who used it. What it
// returns is what the browser keeps. Errors are of type *Refused. Nothing that others do
// locks a passkey out, and no password is hashed.
func (a *Accounts) SignIn(ctx context.Context, attempt string, answer []byte, address, browser string) (secret string, session *Session, err error) {
	read, until, err := a.answered(ctx, signIn, attempt, answer)
	if err != nil {
		return "", nil, err
	}
	passkey, err := a.passkeyOf(ctx, read, "")
	if err != nil {
		return "", nil, err
	}
	account, err := a.Store.Account(ctx, passkey.Account)
	if err != nil {
		return "", nil, fmt.Errorf("find an account: %w", err)
	}
	if len(read.UserHandle) == 0 || !account.Active(a.Now()) {
		return "", nil, a.refuseKey("an account that is disabled, or that the passkey does not name", account.ID)
	}
	if err := a.check(ctx, read, passkey, true, until); err != nil {
		return "", nil, err
	}
	now := a.Now().UTC()
	secret = rand.Text()
	session = &Session{ID: digest(secret), Account: account.ID, Created: now, Seen: now, Address: address, Browser: cut(browser, longestBrowser)}
	return secret, session, a.prove(ctx, account, session)
}

// AskProof is what a browser needs to show a passkey of the account that a session is of.
func (a *Accounts) AskProof(ctx context.Context, session *Session) (*Asked, error) {
	passkeys, err := a.Store.Passkeys(ctx, session.Account)
	if err != nil {
		return nil, err
	}
	challenge, err := a.challenge(ctx, proof, session.ID)
	return &Asked{Challenge: challenge, Party: a.party.ID, Allowed: listedAs(passkeys), Verify: "preferred", Timeout: answering.Milliseconds()}, err
}

// ProveByPasskey shows a passkey as the second factor of a session.
func (a *Accounts) ProveByPasskey(ctx context.Context, session *Session, answer []byte) error {
	if _, err := a.ownPasskey(ctx, session, answer); err != nil {
		return err
	}
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return fmt.Errorf("find an account: %w", err)
	}
	return a.prove(ctx, account, session)
}

// ownPasskey checks a passkey of the account that a session is of, whether or not it
// verified who used it.
func (a *Accounts) ownPasskey(ctx context.Context, session *Session, answer []byte) (*Passkey, error) {
	read, until, err := a.answered(ctx, proof, session.ID, answer)
	if err != nil {
		return nil, err
	}
	passkey, err := a.passkeyOf(ctx, read, session.Account)
	if err != nil {
		return nil, err
	}
	return passkey, a.check(ctx, read, passkey, false, until)
}

// Show shows both factors again in a session that is open, so that passkeys may be changed:
// the password with a code, a recovery code or a passkey, or a passkey alone that verified
// who used it. An empty answer is none. Errors are of type *Refused.
func (a *Accounts) Show(ctx context.Context, who Who, password, code string, answer []byte) error {
	session, err := a.Store.Session(ctx, who.Session)
	if err != nil {
		return fmt.Errorf("find a session: %w", err)
	}
	verified := false
	if len(answer) > 0 {
		passkey, err := a.ownPasskey(ctx, session, answer)
		if err != nil {
			return err
		}
		verified = passkey.Verifies
	}
	if !verified {
		if _, err := a.reprove(ctx, who, password, code, len(answer) == 0); err != nil {
			return err
		}
	}
	session.Shown = a.Now().UTC()
	if err := a.Store.SaveSession(ctx, session); err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

// AskPasskey is what a browser needs to make a passkey for the account that a session is of.
func (a *Accounts) AskPasskey(ctx context.Context, session *Session) (*Offered, error) {
	account, passkeys, err := a.maker(ctx, session)
	if err != nil {
		return nil, err
	}
	o := &Offered{
		Party: named{ID: a.party.ID, Name: "Vigie"}, Excluded: listedAs(passkeys), Attestation: "none", Timeout: answering.Milliseconds(),
		User: named{ID: base64.RawURLEncoding.EncodeToString([]byte(account.ID)), Name: account.Login, Display: account.Name},
	}
	o.Selection.Resident, o.Selection.Verify = "preferred", "preferred"
	for _, algorithm := range webauthn.Algorithms {
		o.Kinds = append(o.Kinds, kind{publicKey, algorithm})
	}
	o.Challenge, err = a.challenge(ctx, register, session.ID)
	return o, err
}

// maker is the account that a session is of and its passkeys, once it may have one more:
// where both factors were shown just now, or the account has no second factor yet.
func (a *Accounts) maker(ctx context.Context, session *Session) (*Account, []Passkey, error) {
	if session.Choosing() {
		return nil, nil, badPlace()
	}
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return nil, nil, fmt.Errorf("find an account: %w", err)
	}
	passkeys, err := a.Store.Passkeys(ctx, account.ID)
	if err != nil {
		return nil, nil, err
	}
	if first := account.Code == nil && len(passkeys) == 0; !session.Fresh(a.Now()) && (session.Proved || !first) {
		return nil, nil, showAgain()
	}
	if len(passkeys) >= mostPasskeys {
		return nil, nil, refuse(WrongPasskey, "Ce compte a déjà vingt clés d'accès : retirez-en une d'abord.", "This account has twenty passkeys already: remove one first.")
	}
	return account, passkeys, nil
}

// AddPasskey keeps a new passkey. Where it is the second factor that the account did not
// have, it returns recovery codes, which are shown once, and the session is proved.
func (a *Accounts) AddPasskey(ctx context.Context, session *Session, name string, answer []byte) (recovery []string, err error) {
	account, passkeys, err := a.maker(ctx, session)
	if err != nil {
		return nil, err
	}
	if name, err = passkeyName(name); err != nil {
		return nil, err
	}
	read, until, err := a.answered(ctx, register, session.ID, answer)
	if err != nil {
		return nil, err
	}
	made, err := a.party.Register(read)
	if err != nil {
		return nil, a.refuseKey(err.Error(), account.ID)
	}
	if err := a.spend(ctx, read, until); err != nil {
		return nil, err
	}
	passkey := &Passkey{
		ID: base64.RawURLEncoding.EncodeToString(made.ID), Account: account.ID, Name: name, Key: made.Key, Transports: made.Transports, Created: a.Now().UTC(),
		Counter: made.Counter, Verifies: made.Verified, Eligible: made.Eligible, BackedUp: made.BackedUp,
	}
	err = a.Store.SavePasskey(ctx, passkey)
	if errors.Is(err, ErrConflict) {
		return nil, refuse(WrongPasskey, "Cette clé d'accès est déjà enregistrée.", "This passkey is registered already.")
	}
	if err != nil {
		return nil, err
	}
	a.Log.Info("passkey added", "account", account.ID, "passkey", passkey.ID)
	a.note(ctx, "passkey-add", account.ID)
	if account.Code == nil && len(passkeys) == 0 {
		recovery, account.Recovery = newRecovery()
		if err := a.save(ctx, account); err != nil {
			return nil, err
		}
	}
	if session.Proved {
		return recovery, nil
	}
	return recovery, a.prove(ctx, account, session)
}

// passkeyName is a name as it is kept.
func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > longestPasskeyName || strings.ContainsFunc(name, protocols.Unprintable) {
		return "", refuse(WrongPasskey, "Donnez à la clé d'accès un nom, en 60 caractères au plus : « téléphone », « ordinateur du poste ».",
			"Give the passkey a name of at most 60 characters: “telephone”, “ward computer”.")
	}
	return name, nil
}

// RenamePasskey gives a passkey of who asks another name. Errors are of type *Refused.
func (a *Accounts) RenamePasskey(ctx context.Context, who Who, id, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	passkey, err := a.Store.Passkey(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && passkey.Account != who.Account {
		return noPasskey()
	}
	if err != nil {
		return err
	}
	if passkey.Name == name {
		return nil
	}
	passkey.Name = name
	if err := a.savePasskey(ctx, passkey); err != nil {
		return err
	}
	a.Log.Info("passkey renamed", "account", passkey.Account, "passkey", id)
	a.note(ctx, "passkey-rename", passkey.Account)
	return nil
}

// RemovePasskey forgets a passkey of who asks, who has shown both factors just now. The only
// second factor of an account stays. Errors are of type *Refused.
func (a *Accounts) RemovePasskey(ctx context.Context, who Who, id string) error {
	session, err := a.Store.Session(ctx, who.Session)
	if err != nil {
		return fmt.Errorf("find a session: %w", err)
	}
	if !session.Fresh(a.Now()) {
		return showAgain()
	}
	account, err := a.Store.Account(ctx, who.Account)
	if err != nil {
		return fmt.Errorf("find an account: %w", err)
	}
	passkeys, err := a.Store.Passkeys(ctx, who.Account)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(passkeys, func(p Passkey) bool { return p.ID == id }) {
		return noPasskey()
	}
	if account.Code == nil && len(passkeys) == 1 {
		return refuse(NotYours, "C'est votre seul second facteur : ajoutez d'abord une autre clé d'accès.", "This is your only second factor: add another passkey first.")
	}
	if err := a.Store.RemovePasskeys(ctx, who.Account, id); err != nil {
		return err
	}
	a.Log.Info("passkey removed", "account", account.ID, "passkey", id)
	a.note(ctx, "passkey-remove", account.ID)
	return nil
}

// Factored reports whether an account has a second factor.
func (a *Accounts) Factored(ctx context.Context, account *Account) (bool, error) {
	if account.Code != nil {
		return true, nil
	}
	passkeys, err := a.Store.Passkeys(ctx, account.ID)
	return len(passkeys) > 0, err
}

// passkeyOf finds the passkey that a browser showed, of that account where one is given.
func (a *Accounts) passkeyOf(ctx context.Context, read *webauthn.Answer, account string) (*Passkey, error) {
	passkey, err := a.Store.Passkey(ctx, base64.RawURLEncoding.EncodeToString(read.ID))
	if errors.Is(err, ErrNotFound) {
		return nil, a.refuseKey("nobody has this passkey", account)
	}
	if err != nil {
		return nil, err
	}
	if account != "" && passkey.Account != account || len(read.UserHandle) > 0 && !bytes.Equal(read.UserHandle, []byte(passkey.Account)) {
		return nil, a.refuseKey("it is of another account", account)
	}
	return passkey, nil
}

// check holds what a browser showed against the passkey that is kept, and keeps what has
// changed of it. A counter that goes back says that there are two of it.
func (a *Accounts) check(ctx context.Context, read *webauthn.Answer, passkey *Passkey, verified bool, until time.Time) error {
	state, err := a.party.Check(read, passkey.Key)
	if err == nil && state.Eligible != passkey.Eligible {
		err = webauthn.BadBackup
	}
	if err != nil {
		return a.refuseKey(err.Error(), passkey.Account)
	}
	if verified && !state.Verified {
		a.Log.Warn("passkey refused", "account", passkey.Account, "reason", webauthn.NotVerified)
		return refuse(WrongPasskey, "Cette clé d'accès ne vérifie pas qui l'utilise (code, doigt ou visage) : entrez avec votre mot de passe, elle servira de second facteur.",
			"This passkey does not verify who uses it (PIN, finger or face): enter with your password, it serves as the second factor.")
	}
	if err := a.spend(ctx, read, until); err != nil {
		return err
	}
	if (state.Counter > 0 || passkey.Counter > 0) && state.Counter <= passkey.Counter {
		a.trace(ctx, Who{Account: passkey.Account}, "passkey-copied", passkey.Account, "", passkey.ID)
		return a.refuseKey("its counter went back: there may be a copy of it", passkey.Account)
	}
	passkey.Counter, passkey.Verifies, passkey.BackedUp, passkey.Used = state.Counter, state.Verified, state.BackedUp, a.Now().UTC()
	return a.savePasskey(ctx, passkey)
}

func (a *Accounts) savePasskey(ctx context.Context, passkey *Passkey) error {
	err := a.Store.SavePasskey(ctx, passkey)
	if errors.Is(err, ErrConflict) {
		return a.refuseKey("it was used elsewhere at the same time, or is removed", passkey.Account)
	}
	return err
}

// refuseKey logs why a passkey is refused, which nobody is told.
func (a *Accounts) refuseKey(reason, account string) *Refused {
	a.Log.Warn("passkey refused", "account", account, "reason", reason)
	return refuse(WrongPasskey, "Cette clé d'accès n'a pas été acceptée : réessayez, ou entrez avec votre mot de passe.",
		"This passkey was not accepted: try again, or enter with your password.")
}

func noPasskey() *Refused {
	return refuse(WrongPasskey, "Vous n'avez pas cette clé d'accès.", "You have no such passkey.")
}

func showAgain() *Refused {
	return refuse(ShowAgain, "Montrez d'abord à nouveau que c'est vous.", "Show first again that it is you.")
}
