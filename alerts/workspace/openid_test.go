package workspace_test

import (
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/access/openid"
	"vigie/alerts/access/openid/standin"
	"vigie/alerts/workspace"
)

// signedInAt has people sign in at a provider too, which sends them back to a public address.
func signedInAt(t testing.TB, at *standin.Provider, public string, people **access.Accounts) func(*workspace.Options) {
	return func(o *workspace.Options) {
		options := o.Accounts.Options
		options.OpenID = openid.New(at.Options(public))
		var err error
		if o.Accounts, err = access.New(options); err != nil {
			t.Fatal(err)
		}
		if people != nil {
			*people = o.Accounts
		}
	}
}

// visit is a ward, a provider, a nurse whom it knows, and what her browser keeps.
type visit struct {
	*ward
	at    *standin.Provider
	lea   *standin.Professional
	kept  map[string]*http.Cookie
	login string
}

func visitors(t *testing.T) *visit {
	t.Helper()
	v := &visit{lea: &standin.Professional{Subject: "f:550d:lea", Identifier: "810001234565"}, kept: map[string]*http.Cookie{}}
	v.at = standin.Start(t, func() time.Time { return v.ward.now })
	var people *access.Accounts
	v.ward = open(t, signedInAt(t, v.at, "https://vigie.example.org", &people))
	v.people = people
	v.login = v.invite("Lea Nurse")
	if err := people.Identify(t.Context(), v.login, []access.Identifier{{Type: access.RPPS, Value: "10001234565"}}); err != nil {
		t.Fatal(err)
	}
	return v
}

// ask sends what the browser keeps for a path, and keeps what it is given.
func (v *visit) ask(method, path string, form url.Values, headers ...string) answer {
	v.Helper()
	var cookies []string
	for name, c := range v.kept {
		if at, _, _ := strings.Cut(path, "?"); strings.HasPrefix(at, c.Path) {
			cookies = append(cookies, name+"="+c.Value)
		}
	}
	headers = append([]string{"Authorization", "", "Cookie", strings.Join(cookies, "; "), "Content-Type", "application/x-www-form-urlencoded"}, headers...)
	got := v.ward.ask(method, path, form.Encode(), headers...)
	for _, c := range got.Cookies() {
		if v.kept[c.Name] = c; c.MaxAge < 0 {
			delete(v.kept, c.Name)
		}
	}
	return got
}

// onward is where a page moves on to by itself; the page has a link to it too.
func (v *visit) onward(got answer) string {
	v.Helper()
	_, address, _ := strings.Cut(got.Header.Get("Refresh"), "0; url=")
	if got.StatusCode != http.StatusOK || address == "" || !strings.Contains(html.UnescapeString(got.body), `href="`+address+`"`) || strings.Contains(got.body, "<script>") {
		v.Fatalf("%s, onward to %q\n%s", got.Status, address, got.body)
	}
	return address
}

// comesBack signs in at the provider, and returns the path at which the browser comes back.
func (v *visit) comesBack(next string) string {
	v.Helper()
	back := v.at.SignIn(v.TB, v.lea, v.onward(v.ask("POST", "/login/openid", url.Values{"next": {next}})))
	return workspace.ComeBack + "?" + back.Encode()
}

func TestAProfessionalComesFromTheProviderAndLeavesIt(t *testing.T) {
	plain := open(t)
	if page := plain.page("/login", ""); strings.Contains(page, "/login/openid") {
		t.Error("without a provider the login has a button for one")
	}
	v := visitors(t)
	v.lea.Places = map[string]string{"970400123": "CHU <b>DE SAINT-DENIS"}
	v.wantText(v.page("/login", ""), "Entrer avec Pro Santé Connect", `action="/login/openid"`, `name="password"`)
	if got := v.ask("POST", "/login/openid", nil, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("begun by another site: %s", got.Status)
	}
	path := v.comesBack("/account")
	if c := v.kept["vigie_openid"]; c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/login/openid" {
		t.Errorf("the browser keeps %+v", c)
	}
	// What another site has begun comes without cookies: a page of ours sends it anew, once.
	again := v.onward(v.ward.ask("GET", path, "", "Authorization", ""))
	if got := v.ward.ask("GET", again, "", "Authorization", ""); got.StatusCode != http.StatusUnauthorized || !strings.Contains(html.UnescapeString(got.body), "un autre navigateur") {
		t.Errorf("in another browser: %s\n%s", got.Status, got.body)
	}
	got := v.ask("GET", again, nil)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/account" || v.kept["vigie-session"] == nil || v.kept["vigie_device"] == nil {
		t.Fatalf("%s to %s, keeps %v\n%s", got.Status, got.Header.Get("Location"), v.kept, got.body)
	}
	page := v.ask("GET", "/account", nil)
	if v.wantText(page.body, "Lea Nurse", "CHU &lt;b&gt;DE SAINT-DENIS"); strings.Contains(page.body, "<b>DE") {
		t.Error("the name of a place is not escaped")
	}
	session := "vigie-session=" + v.kept["vigie-session"].Value
	left, err := url.Parse(v.onward(v.ask("POST", "/logout", nil)))
	if err != nil || left.Path != "/leave" || left.Query().Get("id_token_hint") == "" || left.Query().Get("post_logout_redirect_uri") != "https://vigie.example.org/login" {
		t.Errorf("she leaves to %s, %v", left, err)
	}
	if v.kept["vigie-session"] != nil || v.kept["vigie_leave"] != nil {
		t.Errorf("afterwards the browser keeps %v", v.kept)
	}
	if got := v.ward.ask("GET", "/account", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the session after the logout: %s", got.Status)
	}
	// Who enters with the password afterwards leaves Vigie alone.
	v.ask("POST", "/login", url.Values{"login": {v.login}, "password": {password}})
	if got := v.ask("POST", "/logout", nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/login" {
		t.Errorf("after a password: %s to %s", got.Status, got.Header.Get("Location"))
	}
}

func TestAProfessionalSaysWhereTheyPractise(t *testing.T) {
	v := visitors(t)
	v.lea.Places = map[string]string{"970400123": "CHU", "970400456": "Cabinet du port"}
	got := v.ask("GET", v.comesBack("/alerts"), nil)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/login/openid/place?next=%2Falerts" {
		t.Fatalf("%s to %s", got.Status, got.Header.Get("Location"))
	}
	first := v.kept["vigie-session"].Value
	for path, where := range map[string]string{
		"/login/code": "/login/openid/place", "/login/code?next=%2Falerts": "/login/openid/place?next=%2Falerts", "/account": "/login?next=%2Faccount",
		workspace.ComeBack + "?code=x&state=y&again=": "/login/openid/place", // read anew
	} {
		if got := v.ask("GET", path, nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != where {
			t.Errorf("GET %s before she says where: %s to %s", path, got.Status, got.Header.Get("Location"))
		}
	}
	v.wantText(v.ask("GET", "/login/openid/place?next=%2Falerts", nil).body, "Où exercez-vous aujourd'hui ?", "CHU", "Cabinet du port", `value="/alerts"`, `type="radio"`)
	got = v.ask("POST", "/login/openid/place", url.Values{"place": {"970400789"}, "next": {"/alerts"}})
	if page := html.UnescapeString(got.body); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Dites d'abord où") || !strings.Contains(page, `value="/alerts"`) || !strings.Contains(page, `href="/login/openid/place?lang=en&next=%2Falerts"`) {
		t.Errorf("another place: %s\n%s", got.Status, page)
	}
	got = v.ask("POST", "/login/openid/place", url.Values{"place": {"970400456"}, "next": {"/alerts"}})
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/alerts" || v.kept["vigie-session"].Value == first {
		t.Fatalf("%s to %s, or the secret of before", got.Status, got.Header.Get("Location"))
	}
	v.wantText(v.ask("GET", "/account", nil).body, "Cabinet du port")
	for path, where := range map[string]string{"/login/openid/place": "/", "/login/openid/place?next=%2Falerts": "/alerts"} {
		if got := v.ask("GET", path, nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != where {
			t.Errorf("once she said it, GET %s: %s to %s", path, got.Status, got.Header.Get("Location"))
		}
	}
	delete(v.kept, "vigie-session") // it has ended meanwhile
	if got := v.ask("POST", "/login/openid/place", url.Values{"place": {"970400456"}, "next": {"/alerts"}}); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/login?next=%2Falerts" {
		t.Errorf("once the login is over: %s to %s", got.Status, got.Header.Get("Location"))
	}
}

// Whoever reads the page anew on which they came back, or goes back to it, is in already.
func TestThePageOnWhichOneComesBackMayBeReadAnew(t *testing.T) {
	v := visitors(t)
	path := v.comesBack("/alerts") + "&again="
	if got := v.ask("GET", path, nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/alerts" {
		t.Fatalf("she comes in: %s", got.Status)
	}
	session := v.kept["vigie-session"].Value
	if got := v.ask("GET", path, nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" || v.kept["vigie-session"].Value != session {
		t.Errorf("read anew: %s to %s\n%s", got.Status, got.Header.Get("Location"), got.body)
	}
	v.ask("POST", "/logout", nil)
	if got := v.ask("GET", path, nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("once she has left: %s", got.Status)
	}
}

func TestWhyAProviderLetsNobodyInIsSaidInBothLanguages(t *testing.T) {
	v := visitors(t)
	says := func(path string, status int, fr, en string) {
		t.Helper()
		for language, want := range map[string]string{"fr": fr, "en": en} {
			got := v.ask("GET", path, nil, "Accept-Language", language)
			if page := html.UnescapeString(got.body); got.StatusCode != status || !strings.Contains(page, want) || !strings.Contains(page, `name="password"`) || !strings.Contains(page, `href="/login?lang=`) {
				t.Errorf("%s: %s, want %d with %q\n%s", path, got.Status, status, want, page)
			}
			path = strings.Replace(path, "code=", "code=x", 1)
			v.now = v.now.Add(20 * time.Minute) // who guesses waits
		}
	}
	says(workspace.ComeBack+"?state=x&code=y&again=", http.StatusUnauthorized, "un autre navigateur : recommencez", "in another browser: begin again")
	for _, language := range []string{"fr", "en"} {
		v.lea.Identifier = "810001234573"
		got := v.ask("GET", v.comesBack("/"), nil, "Accept-Language", language)
		want := map[string]string{"fr": "Aucun compte ne porte votre identifiant national (810001234573) : demandez à l'administrateur", "en": "No account has your national identifier (810001234573): ask the administrator"}[language]
		if got.StatusCode != http.StatusUnauthorized || !strings.Contains(html.UnescapeString(got.body), want) || v.kept["vigie-session"] != nil {
			t.Errorf("unknown: %s\n%s", got.Status, got.body)
		}
		path := v.comesBack("/")
		v.at.Down(true)
		got = v.ask("GET", path, nil, "Accept-Language", language)
		want = map[string]string{"fr": "Pro Santé Connect ne répond pas : réessayez", "en": "Pro Santé Connect does not answer: try again"}[language]
		if got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(html.UnescapeString(got.body), want) {
			t.Errorf("down: %s\n%s", got.Status, got.body)
		}
		v.at.Down(false)
	}
}

func TestAnAdministratorGivesTheNationalIdentifier(t *testing.T) {
	v := visitors(t)
	if got := v.ask("GET", v.comesBack("/"), nil); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("she comes in: %s", got.Status)
	}
	admin := v.ward.login("Chef Admin", access.Administrator)
	page := "/accounts/" + v.accountID(v.login)
	v.people.OpenID.Name = "Portail du port" // as the configuration says
	shown := v.page(page, admin)
	v.wantText(shown, `value="RPPS:10001234565"`, "Lié depuis le", "l&#39;identité vue chez Portail du port")
	version := fields(t, shown, page+"/identify").Get("version")
	got := v.post(page+"/identify", admin, url.Values{"identifier": {"RPPS:12"}, "version": {version}})
	if v.wantText(got.body, "11 chiffres"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("too short: %s", got.Status)
	}
	v.post(page+"/identify", admin, url.Values{"identifier": {"IDNPS:810001234565 ANS:ANS123"}, "version": {version}})
	got = v.post(page+"/identify", admin, url.Values{"identifier": {"RPPS:10001234565"}, "version": {version}})
	if v.wantText(got.body, "a modifié ce compte depuis", `value="IDNPS:810001234565 ANS:ANS123"`); got.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("as it was before somebody else changed it: %s", got.Status)
	}
	if page := v.page(page, admin); !strings.Contains(page, `value="IDNPS:810001234565 ANS:ANS123"`) || strings.Contains(page, "Lié depuis le") {
		t.Error("the identifiers are not changed, or the account is still bound")
	}
	if got := v.post(page+"/identify", v.ward.login("Paul Nurse"), url.Values{"identifier": {""}}); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse gives identifiers: %s", got.Status)
	}
}

// TestAProfessionalComesFromAnotherSite has Chromium go to a provider on another site and
// back: the browser shows our cookies to nothing that another site has begun.
func TestAProfessionalComesFromAnotherSite(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	address := "http://localhost:" + port
	var w *ward
	var people *access.Accounts
	at := standin.Start(t, func() time.Time { return w.now })
	w = open(t, signedInAt(t, at, address, &people))
	w.people, w.server.URL = people, address
	if err := people.Identify(t.Context(), w.invite("Lea Nurse"), []access.Identifier{{Type: access.RPPS, Value: "10001234565"}}); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: w.space, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })

	at.QueueUser((&standin.Professional{Subject: "lea", Identifier: "810001234565", Places: map[string]string{"970400123": "CHU", "970400456": "Cabinet"}}).At(func() time.Time { return w.now }))
	b := browse(w, "x=y")
	b.open("/login")
	b.eval(`document.querySelector("form[action='/login/openid'] button").click()`)
	b.wait("the places of practice", `location.pathname === "/login/openid/place" && document.querySelectorAll("input[name=place]").length === 2`)
	b.eval(`document.querySelector("input[value='970400456']").click(), document.querySelector("form[action='/login/openid/place'] button").click()`)
	b.wait("she is in", `location.pathname === "/" && document.body.innerText.includes("Lea Nurse")`)
	b.eval(`document.querySelector("form[action='/logout'] button").click()`)
	b.wait("the provider's logout", `location.pathname === "/leave" && location.hostname === "127.0.0.1"`)
	b.open("/account")
	b.wait("the login again", `location.pathname === "/login"`)
}
