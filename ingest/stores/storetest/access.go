package storetest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"vigie/alerts/access"
)

// RunAccess holds a store to the contract of access.Store, by what people do with it.
// open returns a new, empty store; it closes it when the test ends.
func RunAccess(t *testing.T, open func(t *testing.T) access.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *door)
	}{
		{"a nurse is invited, chooses a password, sets up her phone and gets in", invited},
		{"a link lets in once, and for three days", linkOnce},
		{"a wrong password and an unknown login are told alike", toldAlike},
		{"who guesses waits, and so does who guesses from many addresses", guessing},
		{"the wrong tries of others lock out no browser of before", knownBrowser},
		{"a code is taken once, and so is a recovery code", codesOnce},
		{"a session ends after half an hour without a request and after twelve hours", sessionEnds},
		{"a logout holds on every node", loggedOut},
		{"a disabled account has no session, no token and no way in", disabled},
		{"a reset ends the sessions, asks for a new password and keeps the second factor", reset},
		{"a password is changed by who shows it and the second factor", changedPassword},
		{"a password is taken as it is typed, and for years", asTyped},
		{"nobody ends sessions without the password", endedOwn},
		{"a session has another secret once it may do more", renewed},
		{"ten logins of an account hold at once", tenLogins},
		{"a passkey lets in without a password, once a challenge, on every node", passkeyIn},
		{"what is wrong with a passkey lets nobody in, and a copy is told", passkeyWrong},
		{"a passkey is the second factor, and the password alone adds none", passkeySecond},
		{"passkeys are changed by who has just shown both factors", passkeyChanged},
		{"a nurse loses her telephone and comes in by a recovery code", passkeyLost},
		{"a storm of wrong logins locks out no passkey", passkeyStorm},
		{"a passkey is of one account, and a challenge serves once", passkeyKept},
		{"a professional signs in elsewhere by the national identifier, on any node", elsewhereIn},
		{"a professional who practises at several places is asked which", elsewherePlaces},
		{"who is unknown, disabled or in doubt elsewhere is told whom to ask", elsewhereUnknown},
		{"an account is bound to one person elsewhere, until an administrator frees it", elsewhereBound},
		{"an answer from elsewhere serves once, in its browser, for a quarter of an hour", elsewhereOnce},
		{"what is wrong elsewhere lets nobody in, and is told in a sentence", elsewhereWrong},
		{"who sends answers from elsewhere that are wrong waits", elsewhereGuessing},
		{"who has no password ends sessions after a sign-in elsewhere", elsewhereEnds},
		{"a program may do the least of its scopes, its teams and its owner", programs},
		{"a revoked token stops at once", revoked},
		{"the glass is broken for a reason and for hours", glass},
		{"two who change an account at once are told", conflict},
		{"a login belongs to one account", taken},
		{"the first administrator gets a link, and nobody after", first},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newDoor(t, open(t))) })
	}
}

// door is accounts over a store with a clock that is moved.
type door struct {
	*access.Accounts
	t   *testing.T
	now time.Time
}

func newDoor(t *testing.T, store access.Store, change ...func(*access.Options)) *door {
	d := &door{t: t, now: noon}
	options := access.Options{
		Address: publicAddress,
		Store:   store, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler),
		Teams:   func(context.Context) ([]string, error) { return []string{"cardio", "diabeto"}, nil },
		Hashing: argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	}
	for _, c := range change {
		c(&options)
	}
	accounts, err := access.New(options)
	d.Accounts = accounts
	d.must(err)
	return d
}

const goodPassword = "trois petits chats bleus"

// nurse has an account of a nurse with a password and a second factor. It returns the
// secret of that factor.
func (d *door) nurse(login string, roles ...access.Role) (factor string, recovery []string) {
	d.t.Helper()
	if len(roles) == 0 {
		roles = []access.Role{access.Nurse}
	}
	link, err := d.Add(d.t.Context(), access.Account{Login: login, Name: "Léa Morel", Roles: roles, Teams: []string{"cardio"}})
	d.must(err)
	_, err = d.Choose(d.t.Context(), link, goodPassword)
	d.must(err)
	_, session, err := d.Login(d.t.Context(), login, goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	account, err := d.Store.Account(d.t.Context(), session.Account)
	d.must(err)
	factor, _, err = d.Setup(account, "")
	d.must(err)
	recovery, err = d.Confirm(d.t.Context(), session, factor, d.code(factor))
	d.must(err)
	d.now = d.now.Add(time.Minute) // the code of that moment was taken
	return factor, recovery
}

func (d *door) code(factor string) string {
	d.t.Helper()
	code, err := totp.GenerateCodeCustom(factor, d.now, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	d.must(err)
	return code
}

// login lets a nurse in and returns what her browser keeps.
func (d *door) login(login, factor string) string {
	d.t.Helper()
	secret, session, err := d.Login(d.t.Context(), login, goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	d.must(d.Prove(d.t.Context(), session, d.code(factor)))
	d.now = d.now.Add(time.Minute)
	return secret
}

func (d *door) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// refused expects a refusal with that code.
func (d *door) refused(err error, code access.Code) {
	d.t.Helper()
	var refused *access.Refused
	if !errors.As(err, &refused) || refused.Code != code {
		d.t.Errorf("got %v, want a refusal %q", err, code)
		return
	}
	if refused.Text.FR == "" || refused.Text.EN == "" {
		d.t.Errorf("%q is not told in both languages", code)
	}
}

func conflict(t *testing.T, d *door) {
	d.nurse("lea")
	mine, err := d.Store.AccountByLogin(t.Context(), "lea")
	d.must(err)
	theirs, err := d.Store.Account(t.Context(), mine.ID)
	d.must(err)
	d.must(d.Store.SaveAccount(t.Context(), theirs))
	if err := d.Store.SaveAccount(t.Context(), mine); !errors.Is(err, access.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	mine.Version = 0
	if err := d.Store.SaveAccount(t.Context(), mine); !errors.Is(err, access.ErrConflict) {
		t.Errorf("added again: got %v, want a conflict", err)
	}
	mine.Version, mine.ID = 0, "gone"
	mine.Login = "gone"
	mine.Version = 3
	if err := d.Store.SaveAccount(t.Context(), mine); !errors.Is(err, access.ErrConflict) {
		t.Errorf("changed and never added: got %v, want a conflict", err)
	}
}

func taken(t *testing.T, d *door) {
	d.nurse("lea")
	_, err := d.Add(t.Context(), access.Account{Login: "Lea", Name: "Une autre Léa", Roles: []access.Role{access.Operator}})
	d.refused(err, access.LoginTaken)
	for _, account := range []access.Account{
		{Login: "é", Name: "x", Roles: []access.Role{access.Operator}},
		{Login: "x", Name: "\u202e", Roles: []access.Role{access.Operator}},
		{Login: "x", Name: "x"},
		{Login: "x", Name: "x", Roles: []access.Role{"king"}},
		{Login: "x", Name: "x", Roles: []access.Role{access.Nurse}},
		{Login: "x", Name: "x", Roles: []access.Role{access.Nurse}, Teams: []string{"nowhere"}},
	} {
		_, err := d.Add(t.Context(), account)
		d.refused(err, access.BadAccount)
	}
	_, err = d.Reset(t.Context(), "nobody")
	d.refused(err, access.BadAccount)
}

func first(t *testing.T, d *door) {
	link, err := d.First(t.Context())
	d.must(err)
	again, err := d.First(t.Context())
	d.must(err)
	if link == "" || again == "" || link == again {
		t.Errorf("links %q and %q: want a new one each start, until it is used", link, again)
	}
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.refused(err, access.LinkOver)
	_, err = d.Choose(t.Context(), again, goodPassword)
	d.must(err)
	link, err = d.First(t.Context())
	d.must(err)
	expect(t, "a link once there is an administrator", link, "")
}
