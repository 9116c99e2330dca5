// Package standin is an OpenID Connect provider for tests, in the process: mockoidc, with a
// discovery document under a path of its own, and people such as Pro Santé Connect describes.
package standin

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"vigie/alerts/access/openid"
)

// Level is the level of assurance that the provider shows.
const Level = "eidas1"

// Provider is a provider that runs. What a test changes of it holds for requests to come.
type Provider struct {
	*mockoidc.MockOIDC
	Document func(map[string]any)      // changes the discovery document
	Rewrite  func(token string) string // changes an ID token on its way
	Asked    atomic.Int32              // how often the discovery document was asked for
	down     atomic.Bool
	front    *httptest.Server
	now      func() time.Time
}

// Start runs a provider until the test ends. now is the clock of its ID tokens.
func Start(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	mock, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{MockOIDC: mock, now: now}
	if err := mock.AddMiddleware(p.between); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(listener, nil); err != nil {
		t.Fatal(err)
	}
	p.front = httptest.NewServer(http.HandlerFunc(p.discovery))
	t.Cleanup(func() {
		p.front.Close()
		if err := mock.Server.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Down has the provider answer nothing but that it cannot, or answer again.
func (p *Provider) Down(down bool) { p.down.Store(down) }

// between stands in front of every address of the provider.
func (p *Provider) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(rw, "maintenance", http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path != mockoidc.TokenEndpoint || p.Rewrite == nil {
			next.ServeHTTP(rw, r)
			return
		}
		kept := httptest.NewRecorder()
		next.ServeHTTP(kept, r)
		answer := map[string]any{}
		if json.Unmarshal(kept.Body.Bytes(), &answer) == nil && answer["id_token"] != nil {
			answer["id_token"] = p.Rewrite(answer["id_token"].(string))
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(kept.Code)
		json.NewEncoder(rw).Encode(answer) //nolint:errcheck // who asked has gone away
	})
}

// discovery is the document, as it lies elsewhere than the standard has it.
func (p *Provider) discovery(rw http.ResponseWriter, r *http.Request) {
	p.Asked.Add(1)
	if p.down.Load() || r.URL.Path != "/wallet/.well-known/wallet-openid-configuration" {
		http.Error(rw, "maintenance", http.StatusServiceUnavailable)
		return
	}
	d := map[string]any{
		"issuer": p.Issuer(), "authorization_endpoint": p.AuthorizationEndpoint(), "token_endpoint": p.TokenEndpoint(), "jwks_uri": p.JWKSEndpoint(),
		"userinfo_endpoint": p.UserinfoEndpoint(), "end_session_endpoint": p.front.URL + "/leave?realm=one", "id_token_signing_alg_values_supported": []string{"RS256", "HS256"},
		"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_post"},
	}
	if p.Document != nil {
		p.Document(d)
	}
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(d) //nolint:errcheck // who asked has gone away
}

// Options are those of a service at a public address that people sign in to at the provider.
func (p *Provider) Options(public string) openid.Options {
	return openid.Options{
		Name: "Pro Santé Connect", Issuer: p.Issuer(), Discovery: p.front.URL + "/wallet/.well-known/wallet-openid-configuration",
		ClientID: p.ClientID, Secret: p.ClientSecret, Redirect: public + "/login/openid/back", After: public + "/login",
		Scopes: []string{"openid"}, Levels: []string{Level}, Claim: "SubjectNameID", Now: p.now,
	}
}

// SignIn has somebody sign in at an address of the provider, and returns what the browser
// brings back.
func (p *Provider) SignIn(t testing.TB, who *Professional, address string) url.Values {
	t.Helper()
	p.QueueUser(who.At(p.now))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil {
		t.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	return back.Query()
}

// Professional is somebody whom the provider knows.
type Professional struct {
	Subject    string
	Identifier string               // as SubjectNameID has it
	Places     map[string]string    // names of places of practice, by FINESS
	Change     func(jwt.MapClaims)  // of the ID token
	Describe   func(map[string]any) // changes the userinfo
	now        func() time.Time
}

// At gives ID tokens of somebody a clock.
func (p *Professional) At(now func() time.Time) *Professional {
	p.now = now
	return p
}

// ID is part of mockoidc.User.
func (p *Professional) ID() string { return p.Subject }

// Claims is part of mockoidc.User.
func (p *Professional) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	at := p.now()
	claims := jwt.MapClaims{
		"iss": base.Issuer, "sub": p.Subject, "aud": base.Audience[0], "nonce": base.Nonce, "acr": Level, "auth_time": at.Unix(), "iat": at.Unix(), "exp": at.Add(2 * time.Minute).Unix(),
	}
	if p.Change != nil {
		p.Change(claims)
	}
	return claims, nil
}

// Userinfo is part of mockoidc.User.
func (p *Professional) Userinfo([]string) ([]byte, error) {
	var activities []map[string]any
	for finess, name := range p.Places {
		activities = append(activities, map[string]any{"codeModeExercice": "S", "numeroFinessSite": finess, "raisonSocialeSite": name, "numeroSiretSite": ""})
	}
	info := map[string]any{
		"sub": p.Subject, "SubjectNameID": p.Identifier, "preferred_username": p.Identifier, "given_name": "LEA", "family_name": "MOREL", "SubjectRole": []string{"60^1.2.250.1.213.1.1.5.5"},
		"SubjectRefPro": map[string]any{"codeCivilite": "MME", "exercices": []any{map[string]any{"codeProfession": "60", "activities": activities}}},
	}
	if p.Describe != nil {
		p.Describe(info)
	}
	return json.Marshal(info)
}

// Resigned is an ID token with other claims, signed otherwise.
func Resigned(t testing.TB, token string, method jwt.SigningMethod, key any, header map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Error(err)
	}
	made := jwt.NewWithClaims(method, claims)
	maps.Copy(made.Header, header)
	text, err := made.SignedString(key)
	if err != nil {
		t.Error(err)
	}
	return text
}
