package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
)

func invited(t *testing.T, d *door) {
	factor, recovery := d.nurse("lea.morel")
	expect(t, "recovery codes", len(recovery), 10)
	secret := d.login("LEA.Morel ", factor)
	who, err := d.Person(t.Context(), secret, "192.0.2.7")
	d.must(err)
	expect(t, "name", who.Name, "Léa Morel")
	expect(t, "may act in her team", who.MayIn(access.Act, "cardio"), true)
	expect(t, "may act in another team", who.MayIn(access.Act, "diabeto"), false)
	expect(t, "may manage accounts", who.May(access.ManageAccounts), false)

	accounts, err := d.Store.Accounts(t.Context())
	d.must(err)
	if len(accounts) != 1 || strings.Contains(accounts[0].Password, goodPassword) || !strings.HasPrefix(accounts[0].Password, "$argon2id$") {
		t.Errorf("kept %+v: want one account whose password is an argon2id hash", accounts)
	}
	if slices.ContainsFunc(accounts[0].Recovery, func(kept string) bool { return slices.Contains(recovery, kept) }) {
		t.Error("a recovery code is kept as it is")
	}
}

func linkOnce(t *testing.T, d *door) {
	link, err := d.Add(t.Context(), access.Account{Login: "lea", Name: "Léa", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}})
	d.must(err)
	_, err = d.Choose(t.Context(), link, "court")
	d.refused(err, access.WeakPassword)
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.must(err)
	_, err = d.Choose(t.Context(), link, "un autre mot de passe")
	d.refused(err, access.LinkOver)
	_, err = d.Invited(t.Context(), "")
	d.refused(err, access.LinkOver)

	link, err = d.Reset(t.Context(), "lea")
	d.must(err)
	d.now = d.now.Add(73 * time.Hour)
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.refused(err, access.LinkOver)
}

func toldAlike(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	_, _, err := d.Login(t.Context(), "nobody", goodPassword, "192.0.2.1", "", "")
	d.refused(err, access.WrongLogin)
	_, _, err = d.Login(t.Context(), "lea", "another password", "192.0.2.1", "", "")
	d.refused(err, access.WrongLogin)
	secret, session, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.2", "", "")
	d.must(err)
	if _, err := d.Person(t.Context(), secret, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("without the second factor: got %v, want nobody", err)
	}
	d.refused(d.Prove(t.Context(), session, "000000"), access.WrongLogin)
	d.must(d.Prove(t.Context(), session, d.code(factor)))
}

func guessing(t *testing.T, d *door) {
	d.nurse("lea")
	wait := func(address func(int) string, login func(int) string) (first int) {
		for i := range 20 {
			_, _, err := d.Login(t.Context(), login(i), "wrong wrong wrong", address(i), "", "")
			var refused *access.Refused
			if errors.As(err, &refused) && refused.Code == access.TooManyTries {
				if refused.Wait <= 0 {
					t.Error("it is not said how long to wait")
				}
				return i
			}
		}
		return -1
	}
	fixed := func(text string) func(int) string { return func(int) string { return text } }
	each := func(prefix string) func(int) string {
		return func(i int) string { return prefix + strings.Repeat("x", i+1) }
	}
	if n := wait(fixed("192.0.2.66"), each("who")); n < 4 || n > 6 {
		t.Errorf("one address, many logins: slowed down at try %d, want about the sixth", n)
	}
	d.now = d.now.Add(time.Hour)
	if n := wait(each("from-"), fixed("lea")); n < 4 || n > 6 {
		t.Errorf("many addresses, one login: slowed down at try %d, want about the sixth", n)
	}
}

func knownBrowser(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	_, session, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
	d.must(err)
	d.must(d.Prove(t.Context(), session, d.code(factor)))
	device, err := d.Remember(t.Context(), session, "")
	d.must(err)
	again, err := d.Remember(t.Context(), session, device)
	if device == "" || again != "" || err != nil {
		t.Errorf("a browser is remembered as %q, then %q, %v", device, again, err)
	}
	for i := range 300 { // a storm from everywhere
		_, _, err := d.Login(t.Context(), "lea", "wrong wrong wrong", fmt.Sprint("198.51.100.", i), "", "")
		if err == nil {
			t.Fatal("somebody is let in")
		}
	}
	_, _, err = d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "another browser")
	d.refused(err, access.TooManyTries)
	if _, _, err = d.Login(t.Context(), "lea", goodPassword, "198.51.100.3", "", device); err != nil {
		t.Errorf("the storm locks out a browser of before: %v", err)
	}
	// It lets nobody in by itself, and is throttled like every other.
	refused := 0
	for range 20 {
		_, _, err := d.Login(t.Context(), "lea", "wrong wrong wrong", "198.51.100.3", "", device)
		if denied := new(access.Refused); errors.As(err, &denied) && denied.Code == access.TooManyTries {
			refused++
		}
	}
	if refused < 10 {
		t.Errorf("who has the browser guesses %d times of 20", 20-refused)
	}
	_, err = d.Reset(t.Context(), "lea")
	d.must(err)
	account, err := d.Store.AccountByLogin(t.Context(), "lea")
	if err != nil || len(account.Devices) != 0 {
		t.Errorf("after a reset the account knows %v, %v", account.Devices, err)
	}
}

func codesOnce(t *testing.T, d *door) {
	factor, recovery := d.nurse("lea")
	enter := func(code string) error {
		_, session, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
		d.must(err)
		return d.Prove(t.Context(), session, code)
	}
	code := d.code(factor)
	d.must(enter(code))
	d.refused(enter(code), access.WrongLogin)
	d.must(enter(strings.ToUpper(recovery[3])))
	d.refused(enter(recovery[3]), access.WrongLogin)
	d.must(enter(recovery[4]))
}

func sessionEnds(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret := d.login("lea", factor)
	there := func() bool {
		_, err := d.Person(t.Context(), secret, "")
		return err == nil
	}
	d.now = d.now.Add(25 * time.Minute)
	expect(t, "after 25 minutes", there(), true)
	d.now = d.now.Add(25 * time.Minute)
	expect(t, "25 minutes after that request", there(), true)
	d.now = d.now.Add(31 * time.Minute)
	expect(t, "after 31 minutes", there(), false)

	secret = d.login("lea", factor)
	for range 11*3 + 2 {
		d.now = d.now.Add(20 * time.Minute)
		expect(t, "busy", there(), true)
	}
	d.now = d.now.Add(20 * time.Minute)
	expect(t, "after twelve hours", there(), false)
}

func loggedOut(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret, elsewhere := d.login("lea", factor), d.login("lea", factor)
	other := newDoor(t, d.Store)
	other.now = d.now
	_, err := other.Person(t.Context(), secret, "")
	d.must(err)
	d.must(d.Logout(t.Context(), secret))
	if _, err := other.Person(t.Context(), secret, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("on another node: got %v, want nobody", err)
	}
	who, err := other.Person(t.Context(), elsewhere, "")
	d.must(err)
	sessions, err := d.Store.Sessions(t.Context(), who.Account)
	d.must(err)
	if !slices.ContainsFunc(sessions, func(s access.Session) bool { return s.ID == who.Session && s.Browser == "Firefox" }) {
		t.Errorf("her sessions are %+v: want the one she is in, with its browser", sessions)
	}
	if slices.ContainsFunc(sessions, func(s access.Session) bool { return strings.Contains(s.ID, elsewhere) }) {
		t.Error("what the browser keeps stands in the store")
	}
	d.must(d.Store.EndSessions(t.Context(), who.Account, who.Session))
	sessions, err = d.Store.Sessions(t.Context(), who.Account)
	d.must(err)
	expect(t, "sessions left", len(sessions), 1)
}

func disabled(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret := d.login("lea", factor)
	token, err := d.Give(t.Context(), "lea", access.Token{Name: "tableau", Scopes: []access.Right{access.SeePatients}, Until: d.now.Add(time.Hour)})
	d.must(err)
	d.must(d.Disable(t.Context(), "lea"))
	if _, err := d.Person(t.Context(), secret, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("her session: got %v, want nobody", err)
	}
	if _, err := d.Program(t.Context(), token, "192.0.2.8"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("her token: got %v, want nobody", err)
	}
	_, _, err = d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
	d.refused(err, access.WrongLogin)
	d.must(d.Enable(t.Context(), "lea"))
	d.login("lea", factor)
}

const otherPassword = "quatre grands chiens roux"

func reset(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret := d.login("lea", factor)
	link, err := d.Reset(t.Context(), "lea")
	d.must(err)
	if _, err := d.Person(t.Context(), secret, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("her session: got %v, want nobody", err)
	}
	_, _, err = d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
	d.refused(err, access.WrongLogin)
	choose := func(link string) *access.Session {
		_, err = d.Choose(t.Context(), link, otherPassword)
		d.must(err)
		_, session, err := d.Login(t.Context(), "lea", otherPassword, "192.0.2.7", "", "")
		d.must(err)
		return session
	}
	session := choose(link)
	_, err = d.Confirm(t.Context(), session, factor, d.code(factor))
	d.refused(err, access.NotYours) // who has the link sets up no phone of their own
	d.must(d.Prove(t.Context(), session, d.code(factor)))

	link, err = d.ResetFactor(t.Context(), "lea")
	d.must(err)
	d.now = d.now.Add(time.Minute)
	d.refused(d.Prove(t.Context(), choose(link), d.code(factor)), access.WrongLogin)
}

// who is a nurse who is in.
func (d *door) who(secret string) access.Who {
	d.t.Helper()
	who, err := d.Person(d.t.Context(), secret, "")
	d.must(err)
	return who
}

func changedPassword(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	here, there := d.login("lea", factor), d.login("lea", factor)
	change := func(former, factor, next string) error {
		d.now = d.now.Add(time.Minute)
		code := "000000"
		if factor != "" {
			code = d.code(factor)
		}
		return d.ChangePassword(t.Context(), d.who(here), former, code, next, true)
	}
	d.refused(change("wrong wrong wrong", factor, otherPassword), access.WrongLogin)
	d.refused(change(goodPassword, "", otherPassword), access.WrongLogin)
	d.refused(change(goodPassword, factor, "court"), access.WeakPassword)
	d.now = d.now.Add(time.Minute)
	d.must(d.ChangePassword(t.Context(), d.who(here), goodPassword, d.code(factor), otherPassword, true))
	d.who(here)
	if _, err := d.Person(t.Context(), there, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the other session: got %v, want nobody", err)
	}
	_, _, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "", "")
	d.refused(err, access.WrongLogin)
	_, _, err = d.Login(t.Context(), "lea", otherPassword, "192.0.2.7", "", "")
	d.must(err)
	refused := 0
	for range 20 {
		var denied *access.Refused
		err := d.ChangePassword(t.Context(), d.who(here), "wrong wrong wrong", "", otherPassword, true)
		if errors.As(err, &denied) && denied.Code == access.TooManyTries {
			refused++
		}
	}
	if refused < 10 {
		t.Errorf("who has the session guesses the password %d times of 20", 20-refused)
	}
}

func asTyped(t *testing.T, d *door) {
	for i, typed := range []string{"  Trois  Petits Chats 🐈 ", strings.Repeat("une phrase assez longue ", 10), "TROIS petits CHATS bleus"} {
		login := fmt.Sprint("lea", i)
		link, err := d.Add(t.Context(), access.Account{Login: login, Name: "Léa", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}})
		d.must(err)
		_, err = d.Choose(t.Context(), link, typed)
		d.must(err)
		d.now = d.now.AddDate(3, 0, 0)
		_, _, err = d.Login(t.Context(), login, typed, "192.0.2.7", "", "")
		d.must(err)
		for _, other := range []string{strings.ToLower(typed), strings.TrimSpace(typed), typed[:64%len(typed)], strings.Join(strings.Fields(typed), " ")} {
			if other == typed {
				continue
			}
			d.now = d.now.Add(time.Hour)
			_, _, err := d.Login(t.Context(), login, other, "192.0.2.7", "", "")
			d.refused(err, access.WrongLogin)
		}
	}
}

func endedOwn(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	here, there := d.login("lea", factor), d.login("lea", factor)
	d.refused(d.EndOwn(t.Context(), d.who(here), "wrong wrong wrong", d.who(there).Session), access.WrongLogin)
	d.who(there)
	d.must(d.EndOwn(t.Context(), d.who(here), goodPassword, d.who(there).Session))
	if _, err := d.Person(t.Context(), there, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the session that was ended: got %v, want nobody", err)
	}
	d.who(here)
}

func renewed(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	half, session, err := d.Login(t.Context(), "lea", goodPassword, "192.0.2.7", "Firefox", "")
	d.must(err)
	d.must(d.Prove(t.Context(), session, d.code(factor)))
	whole, err := d.Renew(t.Context(), session)
	d.must(err)
	d.who(whole)
	if _, err := d.Person(t.Context(), half, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the secret of before the second factor: got %v, want nobody", err)
	}
	if len(whole) < 26 { // of 5 bits each
		t.Errorf("%d characters are kept by a browser: want 128 bits", len(whole))
	}
}

func tenLogins(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	first := d.login("lea", factor)
	var last string
	for range 10 {
		last = d.login("lea", factor)
	}
	if _, err := d.Person(t.Context(), first, ""); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the oldest of eleven: got %v, want nobody", err)
	}
	sessions, err := d.Store.Sessions(t.Context(), d.who(last).Account)
	d.must(err)
	expect(t, "logins that hold", len(sessions), 10)
}
