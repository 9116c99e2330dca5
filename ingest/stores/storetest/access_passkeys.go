package storetest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/access/webauthn/authenticator"
)

// publicAddress is where the passkeys of the contract hold.
const publicAddress, publicHost = "https://vigie.example.org", "vigie.example.org"

// attempt is what the browser of a login keeps.
const attempt = "what the browser of Lea keeps"

// challengeOf is a challenge as an authenticator signs it.
func (d *door) challengeOf(text string, err error) []byte {
	d.t.Helper()
	d.must(err)
	challenge, err := base64.RawURLEncoding.DecodeString(text)
	d.must(err)
	return challenge
}

// session is the session of what a browser keeps.
func (d *door) session(secret string) *access.Session {
	d.t.Helper()
	session, _, err := d.Session(d.t.Context(), secret)
	d.must(err)
	return session
}

// passkey registers a passkey of a nurse who is in.
func (d *door) passkey(session *access.Session, algorithm int, change ...func(*authenticator.Passkey)) *authenticator.Passkey {
	d.t.Helper()
	key := authenticator.New(algorithm, publicHost, publicAddress, []byte(session.Account))
	for _, c := range change {
		c(key)
	}
	_, err := d.AddPasskey(d.t.Context(), session, "téléphone", d.created(session, key))
	d.must(err)
	return key
}

func (d *door) created(session *access.Session, key *authenticator.Passkey) []byte {
	d.t.Helper()
	offered, err := d.AskPasskey(d.t.Context(), session)
	d.must(err)
	return key.Create(d.challengeOf(offered.Challenge, nil))
}

// asked is a challenge to sign in without a password, shown one to prove a session.
func (d *door) asked() []byte {
	d.t.Helper()
	asked, err := d.AskSignIn(d.t.Context(), attempt)
	d.must(err)
	return d.challengeOf(asked.Challenge, nil)
}

func (d *door) shown(session *access.Session) []byte {
	d.t.Helper()
	asked, err := d.AskProof(d.t.Context(), session)
	d.must(err)
	return d.challengeOf(asked.Challenge, nil)
}

func (d *door) signIn(answer []byte) (string, error) {
	secret, _, err := d.SignIn(d.t.Context(), attempt, answer, "192.0.2.7", "Firefox")
	return secret, err
}

// deeds remembers what the trail is told.
type deeds struct{ list []string }

// Note is part of access.Trail.
func (d *deeds) Note(_ context.Context, who access.Who, deed, _, _, _ string) error {
	d.list = append(d.list, deed+" "+who.Account)
	return nil
}

func passkeyIn(t *testing.T, d *door) {
	told := &deeds{}
	d.Accounts.Trail = told
	factor, _ := d.nurse("lea")
	session := d.session(d.login("lea", factor))
	for _, algorithm := range []int{authenticator.ES256, authenticator.EdDSA, authenticator.RS256} {
		key := d.passkey(session, algorithm, func(k *authenticator.Passkey) { k.Counter = 7; k.Flags |= authenticator.Eligible })
		key.Flags |= authenticator.BackedUp
		// Another node gives the challenge, this one sees the answer, and both know it was used.
		other := newDoor(t, d.Store)
		other.now = d.now
		answer := key.Sign(other.asked())
		secret, err := d.signIn(answer)
		d.must(err)
		expect(t, "who is in", d.who(secret).Name, "Léa Morel")
		for _, node := range []*door{d, other} {
			_, err = node.signIn(answer)
			d.refused(err, access.WrongPasskey)
		}
		kept, err := d.Store.Passkey(t.Context(), base64.RawURLEncoding.EncodeToString(key.ID))
		d.must(err)
		if kept.Counter != 8 || !kept.Eligible || !kept.BackedUp || !kept.Used.Equal(d.now) || !slices.Equal(kept.Key, key.COSE) {
			t.Errorf("kept %+v", kept)
		}
	}
	passkeys, err := d.Store.Passkeys(t.Context(), session.Account)
	d.must(err)
	expect(t, "passkeys", len(passkeys), 3)
	for _, want := range []string{"passkey-add " + session.Account, "login " + session.Account} {
		if !slices.Contains(told.list, want) {
			t.Errorf("the trail holds %q, want %q", told.list, want)
		}
	}
	if slices.Contains(told.list, "passkey-copied "+session.Account) {
		t.Error("a challenge that was used again is taken for a copy of the passkey")
	}
}

func passkeyWrong(t *testing.T, d *door) {
	told := &deeds{}
	d.Accounts.Trail = told
	factor, _ := d.nurse("lea")
	session := d.session(d.login("lea", factor))
	theirs, _ := d.nurse("zoe")
	zoe := d.session(d.login("zoe", theirs))
	hers := d.passkey(zoe, authenticator.ES256)
	for _, c := range []struct {
		name   string
		change func(*authenticator.Passkey)
	}{
		{"another origin", func(k *authenticator.Passkey) { k.Origin = "https://vigie.example.com" }},
		{"another site", func(k *authenticator.Passkey) { k.Party = "example.org" }},
		{"nobody verified", func(k *authenticator.Passkey) { k.Flags &^= authenticator.Verified }},
		{"nobody touched it", func(k *authenticator.Passkey) { k.Flags &^= authenticator.Present }},
		{"it may be backed up now", func(k *authenticator.Passkey) { k.Flags |= authenticator.Eligible }},
		{"its counter stays", func(k *authenticator.Passkey) { k.Counter-- }},
		{"its counter went back", func(k *authenticator.Passkey) { k.Counter = 2 }},
		{"its counter is gone", func(k *authenticator.Passkey) { k.Counter = 0 }},
		{"nobody has it", func(k *authenticator.Passkey) { k.ID = []byte("nobody's") }},
		{"it is another's", func(k *authenticator.Passkey) { k.ID = hers.ID }},
		{"it says to be another's", func(k *authenticator.Passkey) { k.User = []byte(zoe.Account) }},
		{"it does not say whose it is", func(k *authenticator.Passkey) { k.User = nil }},
	} {
		d.must(d.Store.RemovePasskeys(t.Context(), session.Account, ""))
		session = d.session(d.login("lea", factor))
		key := d.passkey(session, authenticator.ES256, func(k *authenticator.Passkey) { k.Counter = 41 })
		good := *key
		c.change(key)
		_, err := d.signIn(key.Sign(d.asked()))
		var refused *access.Refused
		if !errors.As(err, &refused) || refused.Code != access.WrongPasskey {
			t.Errorf("%s: %v", c.name, err)
		}
		good.Counter = 50
		if _, err := d.signIn(good.Sign(d.asked())); err != nil {
			t.Errorf("after %s, as it should be: %v", c.name, err)
		}
	}
	copies := 0
	for _, deed := range told.list {
		if deed == "passkey-copied "+session.Account {
			copies++
		}
	}
	expect(t, "copies that the trail tells of", copies, 3)

	key := d.passkey(d.session(d.login("lea", factor)), authenticator.EdDSA)
	bad := map[string]func() ([]byte, string){
		"a challenge of nobody":          func() ([]byte, string) { return key.Sign(make([]byte, 56)), attempt },
		"no challenge":                   func() ([]byte, string) { return key.Sign(nil), attempt },
		"a challenge of another attempt": func() ([]byte, string) { return key.Sign(d.asked()), "another browser" },
		"no attempt":                     func() ([]byte, string) { return key.Sign(d.asked()), "" },
		"a challenge of another act":     func() ([]byte, string) { return key.Sign(d.shown(session)), session.ID },
		"a registration":                 func() ([]byte, string) { return key.Create(d.asked()), attempt },
		"nothing":                        func() ([]byte, string) { return nil, attempt },
		"a challenge that is over": func() ([]byte, string) {
			answer := key.Sign(d.asked())
			d.now = d.now.Add(5 * time.Minute)
			return answer, attempt
		},
	}
	for name, make := range bad {
		answer, attempt := make()
		if _, _, err := d.SignIn(t.Context(), attempt, answer, "", ""); err == nil {
			t.Errorf("%s lets in", name)
		}
	}
	d.must(d.Disable(t.Context(), "lea"))
	_, err := d.signIn(key.Sign(d.asked()))
	d.refused(err, access.WrongPasskey)

	nowhere := newDoor(t, d.Store)
	nowhere.Accounts, err = access.New(access.Options{Store: d.Store, Now: d.Now, Log: d.Log, Hashing: d.Hashing, Address: "http://192.0.2.1"})
	d.must(err)
	_, err = nowhere.AskSignIn(t.Context(), attempt)
	d.refused(err, access.WrongPasskey)
}

func passkeySecond(t *testing.T, d *door) {
	link, err := d.Add(t.Context(), access.Account{Login: "lea", Name: "Léa Morel", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}})
	d.must(err)
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.must(err)
	half := func(login string) *access.Session {
		_, session, err := d.Login(t.Context(), login, goodPassword, "192.0.2.7", "Firefox", "")
		d.must(err)
		return session
	}
	// A stick that verifies nobody is the second factor that she did not have.
	session := half("lea")
	key := authenticator.New(authenticator.ES256, publicHost, publicAddress, []byte(session.Account))
	key.Flags &^= authenticator.Verified
	recovery, err := d.AddPasskey(t.Context(), session, "clé USB", d.created(session, key))
	d.must(err)
	expect(t, "recovery codes", len(recovery), 10)
	expect(t, "proved", session.Proved, true)

	session = half("lea")
	asked, err := d.AskProof(t.Context(), session)
	d.must(err)
	expect(t, "passkeys that a browser is told of", len(asked.Allowed), 1)
	d.must(d.ProveByPasskey(t.Context(), session, key.Sign(d.challengeOf(asked.Challenge, nil))))
	_, err = d.signIn(key.Sign(d.asked()))
	d.refused(err, access.WrongPasskey) // without a password it has to verify

	// Who knows the password alone sets up nothing, and shows nothing.
	session = half("lea")
	factor, _, err := d.Setup(&access.Account{Login: "lea"}, "")
	d.must(err)
	_, err = d.Confirm(t.Context(), session, factor, d.code(factor))
	d.refused(err, access.NotYours)
	_, err = d.AskPasskey(t.Context(), session)
	d.refused(err, access.ShowAgain)
	d.refused(d.Prove(t.Context(), session, d.code(factor)), access.WrongLogin)
	d.refused(d.ProveByPasskey(t.Context(), session, key.Sign(d.shown(half("lea")))), access.WrongPasskey) // of another session
	_, _ = d.nurse("zoe")
	d.refused(d.ProveByPasskey(t.Context(), half("zoe"), key.Sign(d.shown(session))), access.WrongPasskey)
	other := half("zoe")
	d.refused(d.ProveByPasskey(t.Context(), other, key.Sign(d.shown(other))), access.WrongPasskey) // another account's
	d.must(d.ProveByPasskey(t.Context(), session, key.Sign(d.shown(session))))
	again := half("lea")
	d.must(d.Prove(t.Context(), again, recovery[0]))
}

func passkeyChanged(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret := d.login("lea", factor)
	d.now = d.now.Add(10 * time.Minute)
	who := d.who(secret)
	_, err := d.AskPasskey(t.Context(), d.session(secret))
	d.refused(err, access.ShowAgain)
	d.refused(d.Show(t.Context(), who, "wrong wrong wrong", d.code(factor), nil), access.WrongLogin)
	d.refused(d.Show(t.Context(), who, goodPassword, "000000", nil), access.WrongLogin)
	d.must(d.Show(t.Context(), who, goodPassword, d.code(factor), nil))
	phone := d.passkey(d.session(secret), authenticator.ES256)
	stick := d.passkey(d.session(secret), authenticator.EdDSA, func(k *authenticator.Passkey) { k.Flags &^= authenticator.Verified })
	idOf := func(k *authenticator.Passkey) string { return base64.RawURLEncoding.EncodeToString(k.ID) }

	_, err = d.AddPasskey(t.Context(), d.session(secret), "encore", d.created(d.session(secret), phone))
	d.refused(err, access.WrongPasskey) // it is registered
	_, err = d.AddPasskey(t.Context(), d.session(secret), " ", d.created(d.session(secret), authenticator.New(authenticator.ES256, publicHost, publicAddress, nil)))
	d.refused(err, access.WrongPasskey) // it has no name
	answer := d.created(d.session(secret), authenticator.New(authenticator.ES256, publicHost, publicAddress, []byte(who.Account)))
	d.now = d.now.Add(6 * time.Minute)
	_, err = d.AddPasskey(t.Context(), d.session(secret), "tard", answer)
	d.refused(err, access.ShowAgain)
	d.refused(d.RemovePasskey(t.Context(), who, idOf(stick)), access.ShowAgain)

	d.refused(d.Show(t.Context(), who, "", "", stick.Sign(d.shown(d.session(secret)))), access.WrongLogin) // it verifies nobody
	d.must(d.Show(t.Context(), who, goodPassword, "", stick.Sign(d.shown(d.session(secret)))))
	d.now = d.now.Add(6 * time.Minute)
	d.must(d.Show(t.Context(), who, "", "", phone.Sign(d.shown(d.session(secret)))))

	told := &deeds{}
	d.Accounts.Trail = told
	d.must(d.RenamePasskey(t.Context(), who, idOf(stick), "clé du tiroir"))
	d.must(d.RenamePasskey(t.Context(), who, idOf(stick), "clé du tiroir"))
	expect(t, "the trail of a passkey that got another name once", told.list, []string{"passkey-rename " + who.Account})
	d.refused(d.RenamePasskey(t.Context(), who, idOf(stick), "\u202e"), access.WrongPasskey)
	theirs, _ := d.nurse("zoe")
	zoe := d.who(d.login("zoe", theirs))
	d.refused(d.RenamePasskey(t.Context(), zoe, idOf(stick), "à moi"), access.WrongPasskey)
	d.refused(d.RemovePasskey(t.Context(), zoe, idOf(stick)), access.WrongPasskey)
	kept, err := d.Store.Passkey(t.Context(), idOf(stick))
	d.must(err)
	expect(t, "name", kept.Name, "clé du tiroir")
	d.must(d.RemovePasskey(t.Context(), who, idOf(stick)))
	session := d.session(secret)
	d.refused(d.ProveByPasskey(t.Context(), session, stick.Sign(d.shown(session))), access.WrongPasskey)

	_, err = d.Reset(t.Context(), "lea")
	d.must(err)
	_, err = d.signIn(phone.Sign(d.asked()))
	d.must(err) // a forgotten password is no lost telephone
	_, err = d.ResetFactor(t.Context(), "lea")
	d.must(err)
	_, err = d.signIn(phone.Sign(d.asked()))
	d.refused(err, access.WrongPasskey)
}

// A nurse has only her telephone, and loses it.
func passkeyLost(t *testing.T, d *door) {
	link, err := d.Add(t.Context(), access.Account{Login: "lea", Name: "Léa Morel", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}})
	d.must(err)
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.must(err)
	secret, session, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	lost := authenticator.New(authenticator.ES256, publicHost, publicAddress, []byte(session.Account))
	recovery, err := d.AddPasskey(t.Context(), session, "téléphone", d.created(session, lost))
	d.must(err)
	id := base64.RawURLEncoding.EncodeToString(lost.ID)
	d.refused(d.RemovePasskey(t.Context(), d.who(secret), id), access.NotYours) // she would have no second factor
	d.must(d.Logout(t.Context(), secret))

	d.now = d.now.AddDate(0, 2, 0)
	secret, session, err = d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	d.must(d.Prove(t.Context(), session, recovery[4]))
	fresh := d.passkey(session, authenticator.EdDSA)
	d.must(d.RemovePasskey(t.Context(), d.who(secret), id))
	_, err = d.signIn(lost.Sign(d.asked()))
	d.refused(err, access.WrongPasskey)
	_, err = d.signIn(fresh.Sign(d.asked()))
	d.must(err)
	_, session, err = d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	d.refused(d.Prove(t.Context(), session, recovery[4]), access.WrongLogin)
}

func passkeyStorm(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	key := d.passkey(d.session(d.login("lea", factor)), authenticator.ES256)
	stranger := authenticator.New(authenticator.ES256, publicHost, publicAddress, key.User)
	stranger.ID = key.ID // whoever knows which passkey it is
	for i := range 400 {
		_, _, err := d.Login(t.Context(), "lea", "wrong wrong wrong", fmt.Sprint("198.51.100.", i%200), "", "")
		if err == nil {
			t.Fatal("somebody is let in")
		}
		_, _, err = d.SignIn(t.Context(), attempt, stranger.Sign(d.asked()), "192.0.2.7", "")
		d.refused(err, access.WrongPasskey)
	}
	_, _, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
	d.refused(err, access.TooManyTries)
	secret, err := d.signIn(key.Sign(d.asked()))
	if err != nil {
		t.Fatalf("the storm locks a passkey out: %v", err)
	}
	d.who(secret)
}

func passkeyKept(t *testing.T, d *door) {
	one := access.Passkey{ID: "one", Account: "a", Name: "x", Key: []byte{1}, Created: d.now}
	d.must(d.Store.SavePasskey(t.Context(), &one))
	theirs := access.Passkey{ID: "one", Account: "b", Created: d.now}
	if err := d.Store.SavePasskey(t.Context(), &theirs); !errors.Is(err, access.ErrConflict) {
		t.Errorf("the same passkey for another: %v", err)
	}
	late := one
	one.Counter = 9
	d.must(d.Store.SavePasskey(t.Context(), &one))
	if err := d.Store.SavePasskey(t.Context(), &late); !errors.Is(err, access.ErrConflict) {
		t.Errorf("changed by somebody else meanwhile: %v", err)
	}
	d.must(d.Store.SavePasskey(t.Context(), &access.Passkey{ID: "two", Account: "b", Created: d.now.Add(time.Second)}))
	all, err := d.Store.Passkeys(t.Context(), "")
	d.must(err)
	if len(all) != 2 || all[0].ID != "one" || all[0].Counter != 9 || all[0].Version != 2 {
		t.Errorf("all are %+v", all)
	}
	d.must(d.Store.RemovePasskeys(t.Context(), "b", "one")) // not theirs
	d.must(d.Store.RemovePasskeys(t.Context(), "b", ""))
	if all, err = d.Store.Passkeys(t.Context(), ""); err != nil || len(all) != 1 {
		t.Errorf("left are %+v, %v", all, err)
	}
	if _, err := d.Store.Passkey(t.Context(), "two"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("a passkey that was removed: %v", err)
	}
	one.Version = 7
	if err := d.Store.SavePasskey(t.Context(), &one); !errors.Is(err, access.ErrConflict) {
		t.Errorf("a version that never was: %v", err)
	}

	first, err := d.Store.ChallengeKey(t.Context(), "fresh")
	d.must(err)
	second, err := d.Store.ChallengeKey(t.Context(), "another")
	d.must(err)
	expect(t, "the key of a second node", second, first)

	until := d.now.Add(5 * time.Minute)
	d.must(d.Store.SpendChallenge(t.Context(), "c", until, d.now))
	d.must(d.Store.SpendChallenge(t.Context(), "d", until, d.now))
	if err := d.Store.SpendChallenge(t.Context(), "c", until, until); !errors.Is(err, access.ErrTaken) {
		t.Errorf("a challenge that was used: %v", err)
	}
	d.must(d.Store.SpendChallenge(t.Context(), "c", until, until.Add(time.Second))) // it is forgotten once it is over
}
