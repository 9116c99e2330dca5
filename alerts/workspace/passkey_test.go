package workspace_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"vigie/alerts/access"
	"vigie/alerts/access/webauthn/authenticator"
	"vigie/alerts/workspace"
)

// atLocalhost is a ward that browsers reach under a name, as passkeys ask for. A password
// alone does not let in there.
func atLocalhost(t *testing.T) *ward {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	address := "http://localhost:" + port
	var people *access.Accounts
	w := open(t, func(o *workspace.Options) {
		options := o.Accounts.Options
		options.Address, options.OneFactor, options.Log = address, false, slog.New(slog.DiscardHandler)
		if people, err = access.New(options); err != nil {
			t.Fatal(err)
		}
		o.Accounts = people
	})
	w.people, w.server.URL = people, address
	server := &http.Server{Handler: w.space, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return w
}

// device gives the browser an authenticator, and returns its id.
func (b *browser) device(verifies bool) webauthn.AuthenticatorID {
	b.Helper()
	var id webauthn.AuthenticatorID
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		added, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: verifies, HasUserVerification: verifies, IsUserVerified: verifies, AutomaticPresenceSimulation: true,
		}})
		if err == nil {
			id = added.AuthenticatorID
		}
		return err
	}))
	return id
}

// TestAPasskeyFromItsRegistrationToTheNextMorning has Chromium make passkeys and use them,
// on a device that verifies who uses it and on one that does not.
func TestAPasskeyFromItsRegistrationToTheNextMorning(t *testing.T) {
	for name, verifies := range map[string]bool{"a telephone that knows her finger": true, "a stick that knows nobody": false} {
		w := atLocalhost(t)
		login := w.invite("Lea Nurse")
		b := browse(w, "x=y")
		b.device(verifies)
		typed := func() {
			b.open("/login")
			b.eval(`document.querySelector("#login").value = "` + login + `", document.querySelector("#password").value = "` + password + `", document.querySelector("#password").form.submit()`)
			b.wait("the page of the second factor", `location.pathname === "/login/code" && document.querySelector("[data-passkey]") && !document.querySelector("[data-passkey]").hidden`)
			b.eval(`document.querySelector("[data-passkey]").click()`)
		}
		typed()
		b.wait(name+": recovery codes", `document.querySelectorAll("main code").length >= 10 || document.body.innerText.includes("Codes de secours")`)
		b.open("/account")
		if got := b.eval(`document.querySelector("#passkeys").closest("section").innerText`); !strings.Contains(got, "Retirer") || strings.Contains(got, "sans mot de passe") != verifies {
			t.Errorf("%s: the account says %q", name, got)
		}
		b.eval(`document.querySelector("form[action='/logout'] button").click()`)
		b.wait("the login", `location.pathname === "/login" && !document.querySelector("[data-passkey]").hidden`)
		if verifies {
			b.eval(`document.querySelector("[data-passkey]").click()`)
		} else {
			typed()
		}
		b.wait(name+": she is in", `location.pathname === "/" && document.body.innerText.includes("Lea Nurse")`)
	}
}

// passkeyed is a ward with a nurse who has a passkey, which answers over HTTP.
func passkeyed(t *testing.T) (*ward, *authenticator.Passkey) {
	t.Helper()
	w := atLocalhost(t)
	got := w.enter(w.invite("Lea Nurse"), password, "/")
	session, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	key := authenticator.New(authenticator.ES256, "localhost", w.server.URL, []byte(w.accountID("lea.nurse")))
	challenge, _ := w.challenge("/login/code/ask", session)
	w.wantText(w.post("/login/code", session, url.Values{"answer": {string(key.Create(challenge))}, "name": {"téléphone"}, "next": {"/"}}).body, "Codes de secours")
	return w, key
}

// challenge asks for a challenge as a button does.
func (w *ward) challenge(path, cookie string) (challenge []byte, attempt string) {
	w.Helper()
	got := w.post(path, cookie, nil)
	var asked struct{ Get, Create struct{ Challenge string } }
	if err := json.Unmarshal([]byte(got.body), &asked); err != nil {
		w.Fatalf("%s: %s %s", path, got.Status, got.body)
	}
	challenge, err := base64.RawURLEncoding.DecodeString(asked.Get.Challenge + asked.Create.Challenge)
	if err != nil {
		w.Fatal(err)
	}
	attempt, _, _ = strings.Cut(got.Header.Get("Set-Cookie"), ";")
	return challenge, attempt
}

func TestAPasskeyOverHTTP(t *testing.T) {
	w, key := passkeyed(t)
	challenge, attempt := w.challenge("/login/passkey/ask", "")
	answer := url.Values{"answer": {string(key.Sign(challenge))}, "next": {"/account"}}
	for name, headers := range map[string][]string{"without the browser's own": {""}, "from another site": {attempt, "Sec-Fetch-Site", "cross-site"}} {
		if got := w.post("/login/passkey", headers[0], answer, headers[1:]...); got.StatusCode != http.StatusUnauthorized && got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	got := w.post("/login/passkey", attempt, answer)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/account" {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	session, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	w.wantText(w.page("/account", session), "Clés d'accès", "téléphone", "Retirer")
	if got := w.post("/login/passkey", attempt, answer); got.StatusCode != http.StatusUnauthorized || !strings.Contains(got.body, "déjà servi") {
		t.Errorf("the same once more: %s", got.Status)
	}
	id := base64.RawURLEncoding.EncodeToString(key.ID)
	if got := w.post("/account/passkeys/remove", session, url.Values{"id": {id}}); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "seul second facteur") {
		t.Errorf("the only second factor: %s", got.Status)
	}
	w.post("/account/passkeys/rename", session, url.Values{"id": {id}, "name": {"poche <b>"}})
	w.wantText(w.page("/account", session), "poche &lt;b&gt;")

	w.now = w.now.Add(10 * time.Minute)
	if got := w.post("/account/passkeys/ask-new", session, nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("ten minutes later: %s", got.Status)
	}
	if page := w.page("/account", session); strings.Contains(page, "/passkeys/remove") || !strings.Contains(page, "/passkeys/show") {
		t.Error("ten minutes later passkeys can be removed, or nothing can be shown again")
	}
	challenge, _ = w.challenge("/account/passkeys/ask", session)
	if got := w.post("/account/passkeys/show", session, url.Values{"answer": {string(key.Sign(challenge))}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("shown again: %s", got.Status)
	}
	second := authenticator.New(authenticator.EdDSA, "localhost", w.server.URL, key.User)
	challenge, _ = w.challenge("/account/passkeys/ask-new", session)
	if got := w.post("/account/passkeys/add", session, url.Values{"answer": {string(second.Create(challenge))}, "name": {"clé USB"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("a second one: %s", got.Status)
	}
	if got := w.post("/account/passkeys/remove", session, url.Values{"id": {id}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the first one goes: %s", got.Status)
	}
	challenge, attempt = w.challenge("/login/passkey/ask", "")
	if got := w.post("/login/passkey", attempt, url.Values{"answer": {string(key.Sign(challenge))}}); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a passkey that was removed: %s", got.Status)
	}
	if page := w.page("/login", ""); strings.Contains(page, "<script>") || !strings.Contains(page, `/assets/passkey.`) || !strings.Contains(page, `name="password"`) {
		t.Error("the login lacks the password, or has a script in the page")
	}
}

// TestAxeFindsNothingWherePasskeysAre looks at the page of an account with two passkeys: just
// after both factors were shown, and later, when they are asked for again.
func TestAxeFindsNothingWherePasskeysAre(t *testing.T) {
	text := axe(t)
	w, key := passkeyed(t)
	challenge, attempt := w.challenge("/login/passkey/ask", "")
	session, _, _ := strings.Cut(w.post("/login/passkey", attempt, url.Values{"answer": {string(key.Sign(challenge))}, "next": {"/account"}}).Header.Get("Set-Cookie"), ";")
	second := authenticator.New(authenticator.EdDSA, "localhost", w.server.URL, key.User)
	challenge, _ = w.challenge("/account/passkeys/ask-new", session)
	w.post("/account/passkeys/add", session, url.Values{"answer": {string(second.Create(challenge))}, "name": {"clé USB du tiroir de la salle de soins"}})
	b := browse(w, session)
	for _, state := range []struct {
		later time.Duration
		shows string
	}{{0, "/passkeys/remove"}, {10 * time.Minute, "/passkeys/show"}} {
		w.now = w.now.Add(state.later)
		b.accessible(text, "/account")
		if got := b.eval(`document.querySelectorAll("form[action='/account` + state.shows + `']").length + " " + [...document.querySelectorAll("input")].some((i) => i.value.includes("clé USB"))`); !strings.HasSuffix(got, " true") || strings.HasPrefix(got, "0 ") {
			t.Errorf("the page with %s: %s", state.shows, got)
		}
	}
	b.open("/login")
	b.accessible(text, "/login")
}

// TestAStormLocksOutNoPasskeyAndNoKnownDevice has wrong logins come from as many addresses
// under as many names, two hundred a second. A browser that is new is turned away, whatever
// it knows. Who has a passkey, or a browser of before, gets in all the while.
func TestAStormLocksOutNoPasskeyAndNoKnownDevice(t *testing.T) {
	w, key := passkeyed(t)
	signedIn := func(device string) answer {
		challenge, attempt := w.challenge("/login/passkey/ask", "")
		return w.post("/login/passkey", attempt+"; "+device, url.Values{"answer": {string(key.Sign(challenge))}, "next": {"/account"}})
	}
	device := ""
	for _, cookie := range signedIn("").Cookies() {
		if cookie.Name == "vigie_device" {
			device = cookie.Name + "=" + cookie.Value
		}
	}
	if device == "" {
		t.Fatal("the browser is not remembered")
	}
	typed := func(login, device string) answer {
		return w.post("/login", device, url.Values{"login": {login}, "password": {password}, "next": {"/alerts?a=1&b=2"}})
	}
	const seconds, each = 3, 200
	for range seconds {
		turned := 0
		for i := range each {
			if w.post("/login", "", url.Values{"login": {fmt.Sprint("who-", i)}, "password": {"wrong wrong wrong"}}, "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i)).StatusCode == http.StatusTooManyRequests {
				turned++
			}
		}
		if turned < each-100 {
			t.Fatalf("%d of %d are turned away: this is no storm", turned, each)
		}
		stranger := typed(`lea.nurse" onfocus="x`, "")
		if stranger.StatusCode != http.StatusTooManyRequests || stranger.Header.Get("Retry-After") == "" {
			t.Errorf("a browser that is new: %s", stranger.Status)
		}
		w.wantText(stranger.body, "Trop d'essais", `value="lea.nurse&#34; onfocus=&#34;x"`, `name="next" value="/alerts?a=1&amp;b=2"`)
		if english := w.post("/login", "", url.Values{"login": {"x"}}, "Accept-Language", "en"); !strings.Contains(english.body, "Too many tries") || english.Header.Get("Content-Language") != "en" {
			t.Errorf("in English: %s %s", english.Status, english.body)
		}
		if got := signedIn(""); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/account" {
			t.Errorf("a passkey alone: %s %s", got.Status, got.body)
		}
		half := typed("lea.nurse", device)
		if half.StatusCode != http.StatusSeeOther {
			t.Fatalf("a browser of before: %s %s", half.Status, half.body)
		}
		session, _, _ := strings.Cut(half.Header.Get("Set-Cookie"), ";")
		challenge, _ := w.challenge("/login/code/ask", session)
		if got := w.post("/login/code", session, url.Values{"answer": {string(key.Sign(challenge))}, "next": {"/account"}}); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/account" {
			t.Errorf("a passkey as the second factor: %s %s", got.Status, got.body)
		}
		w.now = w.now.Add(time.Second)
	}
}
