package storetest

import (
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"vigie/alerts/access"
	"vigie/alerts/access/openid"
	"vigie/alerts/access/openid/standin"
)

// counter is a door with nodes that share its store, and a provider at which people sign in.
type counter struct {
	*door
	at    *standin.Provider
	lea   *standin.Professional
	trail *deeds
	log   strings.Builder
}

// leaRPPS is the national identifier of Léa, which the provider writes as an IDNPS.
const leaRPPS = "10001234565"

func newCounter(t *testing.T, d *door) *counter {
	w := &counter{lea: &standin.Professional{Subject: "f:550d:lea", Identifier: "8" + leaRPPS}, trail: &deeds{}}
	w.at = standin.Start(t, func() time.Time { return w.now })
	w.door = w.node(t, d.Store)
	return w
}

// node is one more node.
func (w *counter) node(t *testing.T, store access.Store) *door {
	d := newDoor(t, store, func(o *access.Options) {
		provider := w.at.Options(publicAddress)
		provider.Now = func() time.Time { return w.now }
		o.OpenID, o.Trail, o.Log = openid.New(provider), w.trail, slog.New(slog.NewTextHandler(&w.log, nil))
	})
	d.Accounts.Now = func() time.Time { return w.now }
	return d
}

// account adds an account that was never given a password.
func (w *counter) account(login, identifier string) *access.Account {
	w.t.Helper()
	account := access.Account{Login: login, Name: "Léa Morel", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}}
	if identifier != "" {
		account.Identifiers = []access.Identifier{{Type: access.RPPS, Value: identifier}}
	}
	_, err := w.Add(w.t.Context(), account)
	w.must(err)
	added, err := w.Store.AccountByLogin(w.t.Context(), login)
	w.must(err)
	return added
}

// answered is what a browser of hers brings back.
func (w *counter) answered(attempt string) url.Values {
	w.t.Helper()
	address, err := w.AskElsewhere(w.t.Context(), attempt)
	w.must(err)
	return w.at.SignIn(w.t, w.lea, address)
}

func (w *counter) back(node *door, attempt string, answer url.Values) (*access.Came, error) {
	return node.ComeBack(w.t.Context(), attempt, answer.Get("state"), openid.Answer{Code: answer.Get("code"), Error: answer.Get("error")}, "192.0.2.7", "Firefox")
}

func (w *counter) signIn() (*access.Came, error) {
	w.t.Helper()
	return w.back(w.door, attempt, w.answered(attempt))
}

func (w *counter) sentence(err error, code access.Code, want string) {
	w.t.Helper()
	w.refused(err, code)
	if refused := new(access.Refused); errors.As(err, &refused) && !strings.Contains(refused.Text.FR, want) {
		w.t.Errorf("told %q, want %q", refused.Text.FR, want)
	}
}

func (w *counter) traced(want string) {
	w.t.Helper()
	if !slices.Contains(w.trail.list, want) {
		w.t.Errorf("the trail holds %q, want %q", w.trail.list, want)
	}
}

func elsewhereIn(t *testing.T, d *door) {
	w := newCounter(t, d)
	account := w.account("lea", leaRPPS)
	w.lea.Places = map[string]string{"970400123": "CHU DE SAINT-DENIS"}
	answer := w.answered(attempt)
	other := w.node(t, w.Store) // another node takes the answer, and every node has the session
	came, err := w.back(other, attempt, answer)
	w.must(err)
	for _, node := range []*door{w.door, other} {
		expect(t, "who is in", node.who(came.Secret).Account, account.ID)
	}
	session := w.session(came.Secret)
	if !session.Proved || session.Place == nil || session.Place.Name != "CHU DE SAINT-DENIS" || session.Provider != w.at.Issuer() {
		t.Errorf("the session is %+v", session)
	}
	w.traced("openid-bind " + account.ID)
	w.traced("login " + account.ID)
	w.now = w.now.Add(31 * time.Minute)
	if _, _, err := w.Session(t.Context(), came.Secret); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("half an hour later: %v", err)
	}
	_, err = w.signIn() // the second time nothing is bound anew
	w.must(err)
	kept, err := w.Store.Account(t.Context(), account.ID)
	w.must(err)
	if len(kept.Bound) != 1 || kept.Bound[0].Issuer != w.at.Issuer() || kept.Bound[0].Subject != w.lea.Subject {
		t.Errorf("bound to %+v", kept.Bound)
	}
	for _, secret := range []string{answer.Get("code"), answer.Get("state"), came.Secret, came.Hint, w.at.ClientSecret, leaRPPS, "MOREL"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func elsewherePlaces(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	w.lea.Places = map[string]string{"970400123": "CHU", "970400456": "Cabinet\u202e"}
	came, err := w.signIn()
	w.must(err)
	if _, err := w.Person(t.Context(), came.Secret, "192.0.2.7"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("before she says where: %v", err)
	}
	session := w.session(came.Secret)
	for _, refused := range []error{
		w.ChoosePlace(t.Context(), session, "970400789"), w.ChoosePlace(t.Context(), session, ""),
		func() error { _, err := w.Confirm(t.Context(), session, "AAAA", "123456"); return err }(),
		func() error { _, err := w.AskPasskey(t.Context(), session); return err }(),
	} {
		w.refused(refused, access.BadPlace)
	}
	w.must(w.ChoosePlace(t.Context(), session, "970400456"))
	expect(t, "who is in", w.who(came.Secret).Name, "Léa Morel")
	expect(t, "where", w.session(came.Secret).Place.Title(), "Cabinet")
	w.refused(w.ChoosePlace(t.Context(), session, "970400123"), access.BadPlace)

	late, err := w.signIn()
	w.must(err)
	w.now = w.now.Add(11 * time.Minute)
	if _, _, err := w.Session(t.Context(), late.Secret); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("she thinks for ten minutes: %v", err)
	}
}

func elsewhereUnknown(t *testing.T, d *door) {
	w := newCounter(t, d)
	account := w.account("lea", "")
	_, err := w.signIn()
	w.sentence(err, access.UnknownPerson, "8"+leaRPPS)
	w.sentence(err, access.UnknownPerson, "demandez à l'administrateur")

	w.lea.Identifier = "D123"
	_, err = w.signIn()
	w.sentence(err, access.UnknownPerson, "ne donne pas votre identifiant national")
	w.lea.Identifier = "8" + leaRPPS

	w.must(w.Identify(t.Context(), "lea", []access.Identifier{{Type: access.RPPS, Value: leaRPPS}}))
	w.must(w.Disable(t.Context(), "lea"))
	_, err = w.signIn()
	w.sentence(err, access.UnknownPerson, "désactivé")
	w.traced("openid-refused " + account.ID)

	// Another account has taken the identifier meanwhile. Two nodes at once can have both in use.
	w.account("lea2", leaRPPS)
	w.refused(w.Enable(t.Context(), "lea"), access.BadIdentifier)
	disabled, err := w.Store.Account(t.Context(), account.ID)
	w.must(err)
	disabled.Disabled = time.Time{}
	w.must(w.Store.SaveAccount(t.Context(), disabled))
	_, err = w.signIn()
	w.sentence(err, access.UnknownPerson, "Deux comptes")
	_, err = w.Add(t.Context(), access.Account{Login: "lea3", Name: "Léa", Roles: []access.Role{access.Operator}, Identifiers: []access.Identifier{{Type: access.IDNPS, Value: "8" + leaRPPS}}})
	w.sentence(err, access.BadIdentifier, "porte déjà")
	w.refused(w.Identify(t.Context(), "lea", []access.Identifier{{Type: access.IDNPS, Value: "8" + leaRPPS}}), access.BadIdentifier)
}

func elsewhereBound(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	_, err := w.signIn()
	w.must(err)
	// Somebody else comes with her number, and she with the number of another account.
	w.lea.Subject = "f:550d:paul"
	_, err = w.signIn()
	w.sentence(err, access.UnknownPerson, "lié à une autre identité")
	w.account("paul", "10001234573")
	w.lea.Subject, w.lea.Identifier = "f:550d:lea", "10001234573"
	_, err = w.signIn()
	w.sentence(err, access.UnknownPerson, "lié à une autre identité")

	w.lea.Subject, w.lea.Identifier = "f:new:lea", leaRPPS
	w.must(w.Identify(t.Context(), "lea", []access.Identifier{{Type: access.IDNPS, Value: "8" + leaRPPS}}))
	_, err = w.signIn()
	w.must(err)
}

func elsewhereOnce(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	other := w.node(t, w.Store)
	answer := w.answered(attempt)
	for name, stranger := range map[string]string{"another browser": "what another browser keeps", "no browser": ""} {
		_, err := w.back(w.door, stranger, answer)
		if w.sentence(err, access.ProviderWrong, "un autre navigateur"); t.Failed() {
			t.Error(name)
		}
	}
	first := "A"
	if strings.HasPrefix(answer.Get("state"), first) {
		first = "B"
	}
	for _, state := range []string{"", "x", answer.Get("state") + "AA", first + answer.Get("state")[1:], answer.Get("state")[:20]} {
		_, err := w.ComeBack(t.Context(), attempt, state, openid.Answer{Code: answer.Get("code")}, "192.0.2.7", "Firefox")
		w.refused(err, access.ProviderWrong)
	}
	_, err := w.back(w.door, attempt, answer)
	w.must(err)
	for _, node := range []*door{w.door, other} {
		_, err := w.back(node, attempt, answer)
		w.sentence(err, access.ProviderWrong, "déjà servi")
	}
	// The code of one sign-in does not fit the state of another.
	stolen, own := w.answered("what another browser keeps"), w.answered(attempt)
	own.Set("code", stolen.Get("code"))
	_, err = w.back(w.door, attempt, own)
	w.sentence(err, access.ProviderWrong, "n'accepte plus")

	answer = w.answered(attempt)
	w.now = w.now.Add(15 * time.Minute)
	_, err = w.back(w.door, attempt, answer)
	w.sentence(err, access.ProviderWrong, "expiré")
}

func elsewhereWrong(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	claim := func(name string, value any) { w.lea.Change = func(c jwt.MapClaims) { c[name] = value } }
	for name, want := range map[string]string{"iss": "n'est pas valable", "aud": "n'est pas valable", "nonce": "n'est pas valable", "acr": "assez fortement"} {
		claim(name, "another")
		_, err := w.signIn()
		w.sentence(err, access.ProviderWrong, want)
	}
	claim("exp", w.now.Add(-time.Second).Unix())
	_, err := w.signIn()
	w.sentence(err, access.ProviderWrong, "n'est pas valable")
	w.lea.Change = nil
	w.now = w.now.Add(16 * time.Minute) // five wrong ones, and she would wait

	answer := w.answered(attempt)
	answer.Del("code")
	answer.Set("error", "access_denied")
	_, err = w.back(w.door, attempt, answer)
	w.sentence(err, access.ProviderWrong, "ne vous a pas identifié")

	answer = w.answered(attempt)
	w.at.Down(true)
	_, err = w.back(w.door, attempt, answer)
	w.sentence(err, access.ProviderDown, "ne répond pas")
	_, err = w.node(t, w.Store).AskElsewhere(t.Context(), attempt)
	w.sentence(err, access.ProviderDown, "ne répond pas")
	w.at.Down(false)
	w.at.Document = func(d map[string]any) { d["issuer"] = "https://elsewhere.example" }
	_, err = w.node(t, w.Store).AskElsewhere(t.Context(), attempt)
	w.sentence(err, access.ProviderDown, "prévenez l'exploitant")
	_, err = d.AskElsewhere(t.Context(), attempt)
	d.refused(err, access.ProviderDown)
	_, err = w.back(d, attempt, answer)
	d.refused(err, access.ProviderDown)
	sessions, err := w.Store.Sessions(t.Context(), "")
	w.must(err)
	expect(t, "sessions", len(sessions), 0)
}

func elsewhereGuessing(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	guess := func() error {
		answer := w.answered(attempt)
		answer.Set("code", "guessed")
		_, err := w.back(w.door, attempt, answer)
		return err
	}
	for range 5 {
		w.refused(guess(), access.ProviderWrong)
	}
	w.refused(guess(), access.TooManyTries)
	w.now = w.now.Add(16 * time.Minute)
	for range 10 { // whoever gives up, or meets a provider that is down, does not wait
		answer := w.answered(attempt)
		answer.Set("error", "access_denied")
		_, err := w.back(w.door, attempt, answer)
		w.refused(err, access.ProviderWrong)
	}
	_, err := w.signIn()
	w.must(err)
}

func elsewhereEnds(t *testing.T, d *door) {
	w := newCounter(t, d)
	w.account("lea", leaRPPS)
	first, err := w.signIn()
	w.must(err)
	second, err := w.signIn()
	w.must(err)
	w.must(w.EndOwn(t.Context(), w.who(second.Secret), "", w.session(first.Secret).ID))
	if _, _, err := w.Session(t.Context(), first.Secret); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the first session: %v", err)
	}
	w.now = w.now.Add(6 * time.Minute)
	w.refused(w.EndOwn(t.Context(), w.who(second.Secret), "", ""), access.WrongLogin)

	// A provider that does not say when the person signed in may know them from before.
	w.lea.Change = func(c jwt.MapClaims) { delete(c, "auth_time") }
	third, err := w.signIn()
	w.must(err)
	w.refused(w.EndOwn(t.Context(), w.who(third.Secret), "", ""), access.WrongLogin)

	// Another identifier, and whoever came in by the former one is out.
	w.must(w.Identify(t.Context(), "lea", nil))
	if _, _, err := w.Session(t.Context(), third.Secret); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("the session of the former identifier: %v", err)
	}
}
