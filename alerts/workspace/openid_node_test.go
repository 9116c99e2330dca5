package workspace_test

import (
	"bufio"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/access/openid"
	"vigie/alerts/workspace"
)

// abroad is a ward whose people sign in at a provider that Node runs, oidc-provider.
type abroad struct {
	*visit
	issuer string
	client *http.Client // her browser at the provider
}

func atNode(t *testing.T, change func(*openid.Options)) *abroad {
	t.Helper()
	folder := os.Getenv("VIGIE_TEST_OIDC_PROVIDER")
	if folder == "" {
		t.Skip("no oidc-provider: deploy/test installs it, or set VIGIE_TEST_OIDC_PROVIDER to the node_modules that hold it")
	}
	command := exec.CommandContext(t.Context(), "node", "testdata/provider.mjs", folder, "https://vigie.example.org"+workspace.ComeBack, "https://vigie.example.org/login")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill() //nolint:errcheck // it may have ended
		command.Wait()         //nolint:errcheck // it was killed
	})
	issuer, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("oidc-provider does not start: %v", err)
	}
	a := &abroad{visit: &visit{kept: map[string]*http.Cookie{}}, issuer: strings.TrimSpace(issuer)}
	var people *access.Accounts
	a.ward = open(t, func(o *workspace.Options) {
		options := o.Accounts.Options
		provider := openid.Options{
			Name: "Pro Santé Connect", Issuer: a.issuer, Discovery: a.issuer + "/realms/wallet/.well-known/wallet-openid-configuration",
			ClientID: "vigie", Secret: "a secret of + and /", Redirect: "https://vigie.example.org" + workspace.ComeBack, After: "https://vigie.example.org/login",
			Scopes: []string{"openid", "scope_all"}, Levels: []string{"eidas1"}, Claim: "SubjectNameID", Now: options.Now,
		}
		change(&provider)
		options.OpenID = openid.New(provider)
		var err error
		if o.Accounts, err = access.New(options); err != nil {
			t.Fatal(err)
		}
		people = o.Accounts
	})
	a.people, a.now = people, time.Now()
	a.client = &http.Client{CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if next.URL.Host == "vigie.example.org" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	if err := people.Identify(t.Context(), a.invite("Lea Nurse"), []access.Identifier{{Type: access.RPPS, Value: "10001234565"}}); err != nil {
		t.Fatal(err)
	}
	return a
}

// get is what the provider answers, and where it sends the browser.
func (a *abroad) get(address string) (page string, next *url.URL) {
	a.Helper()
	got, err := a.client.Get(address)
	if err != nil {
		a.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		a.Fatal(err)
	}
	if next, err = got.Location(); err != nil {
		next = got.Request.URL
	}
	return string(text), next
}

// back signs somebody in at the provider, who was not signed in there, and returns the path at which the browser comes back.
func (a *abroad) back(sub, level string) string {
	a.Helper()
	var err error
	if a.client.Jar, err = cookiejar.New(nil); err != nil {
		a.Fatal(err)
	}
	a.get(a.issuer + "/who?" + url.Values{"sub": {sub}, "acr": {level}}.Encode())
	page, next := a.get(a.onward(a.ask("POST", "/login/openid", url.Values{"next": {"/account"}})))
	if next.Host != "vigie.example.org" {
		a.Fatalf("the provider leads to %s\n%s", next, page)
	}
	return next.RequestURI()
}

func (a *abroad) refuses(name, path, want string) {
	a.Helper()
	got := a.ask("GET", path, nil)
	if got.StatusCode == http.StatusSeeOther || !strings.Contains(html.UnescapeString(got.body), want) || a.kept["vigie-session"] != nil {
		a.Errorf("%s: %s, want %q\n%s", name, got.Status, want, got.body)
	}
}

var confirmation = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)

// TestOIDCProviderOfNodeLetsPeopleIn holds the whole way against a provider of another maker.
func TestOIDCProviderOfNodeLetsPeopleIn(t *testing.T) {
	a := atNode(t, func(*openid.Options) {})
	path := a.back("lea", "eidas1")
	got := a.ask("GET", path, nil)
	if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/login/openid/place") {
		t.Fatalf("%s to %s\n%s", got.Status, got.Header.Get("Location"), got.body)
	}
	a.wantText(a.ask("GET", "/login/openid/place", nil).body, "CHU", "Cabinet du port")
	if got := a.ask("POST", "/login/openid/place", url.Values{"place": {"970400456"}, "next": {"/account"}}); got.Header.Get("Location") != "/account" {
		t.Fatalf("%s to %s", got.Status, got.Header.Get("Location"))
	}
	a.wantText(a.ask("GET", "/account", nil).body, "Lea Nurse", "Cabinet du port")

	left := a.onward(a.ask("POST", "/logout", nil))
	page, _ := a.get(left)
	token := confirmation.FindStringSubmatch(page)
	if token == nil {
		t.Fatalf("the provider does not take who leaves at %s\n%s", left, page)
	}
	confirmed, err := a.client.PostForm(a.issuer+"/session/end/confirm", url.Values{"xsrf": {token[1]}, "logout": {"yes"}})
	if err != nil {
		t.Fatal(err)
	}
	confirmed.Body.Close()
	if after, err := confirmed.Location(); err != nil || after.String() != "https://vigie.example.org/login" {
		t.Errorf("after the logout the provider leads to %v, %v", after, err)
	}

	a.refuses("the same once more", path+"&again=", "un autre navigateur")
	a.refuses("a weaker level", a.back("lea", "eidas0"), "assez fortement")
	a.refuses("somebody unknown", a.back("paul", "eidas1"), "Aucun compte ne porte votre identifiant national (810001234573)")
	a.refuses("another issuer", strings.Replace(a.back("lea", "eidas1"), "iss=http", "iss=https", 1), "n'est pas valable")
	a.refuses("another code", regexp.MustCompile(`code=[^&]+`).ReplaceAllString(a.back("lea", "eidas1"), "code=guessed"), "n'accepte plus")
	a.now = a.now.Add(2 * time.Hour)
	a.refuses("an ID token that is over", a.back("lea", "eidas1"), "n'est pas valable")
}

func TestOIDCProviderOfNodeTakesNoOtherSecret(t *testing.T) {
	a := atNode(t, func(o *openid.Options) { o.Secret = "another" })
	a.refuses("another secret", a.back("lea", "eidas1"), "prévenez l'exploitant")
}
