package openid_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"vigie/alerts/access/openid"
	"vigie/alerts/access/openid/standin"
)

var attempt = openid.Attempt{State: "the-state", Nonce: "the-nonce", Verifier: strings.Repeat("v", 43)}

// stage is a provider, and a service at which a nurse signs in.
type stage struct {
	*testing.T
	at      *standin.Provider
	service *openid.Provider
	lea     *standin.Professional
	now     time.Time
}

func open(t *testing.T, change ...func(*openid.Options)) *stage {
	t.Helper()
	s := &stage{T: t, now: time.Now(), lea: &standin.Professional{Subject: "f:550d:899700218896", Identifier: "899700218896"}}
	s.at = standin.Start(t, func() time.Time { return s.now })
	options := s.at.Options("https://vigie.example.org")
	for _, c := range change {
		c(&options)
	}
	s.service = openid.New(options)
	return s
}

// asked is the address at which she signs in.
func (s *stage) asked() string {
	s.Helper()
	address, err := s.service.Ask(s.Context(), attempt)
	if err != nil {
		s.Fatal(err)
	}
	return address
}

// answered is what her browser brings back.
func (s *stage) answered() openid.Answer {
	s.Helper()
	back := s.at.SignIn(s.T, s.lea, s.asked())
	if back.Get("state") != attempt.State {
		s.Errorf("the state came back as %q", back.Get("state"))
	}
	return openid.Answer{Code: back.Get("code")}
}

func (s *stage) want(name string, err error, kind openid.Kind) {
	s.Helper()
	fault := new(openid.Fault)
	if !errors.As(err, &fault) || fault.Kind != kind || fault.Reason == "" {
		s.Errorf("%s: got %#v, want a fault of kind %s", name, err, kind)
	}
}

func TestAProfessionalSignsInAsAtProSanteConnect(t *testing.T) {
	s := open(t)
	address, err := url.Parse(s.asked())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"response_type": "code", "scope": "openid", "client_id": s.at.ClientID, "redirect_uri": "https://vigie.example.org/login/openid/back",
		"state": attempt.State, "nonce": attempt.Nonce, "acr_values": "eidas1", "max_age": "300", "code_challenge_method": "S256",
	} {
		if got := address.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if challenge := address.Query().Get("code_challenge"); len(challenge) != 43 || challenge == attempt.Verifier {
		t.Errorf("the challenge is %q", challenge)
	}
	s.lea.Places = map[string]string{"970400123": "CHU DE SAINT-DENIS"}
	person, err := s.service.Person(t.Context(), s.answered(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	if person.Issuer != s.at.Issuer() || person.Subject != s.lea.Subject || person.Identifier != "899700218896" || person.Token == "" ||
		len(person.Places) != 1 || person.Places[0] != (openid.Place{ID: "970400123", Name: "CHU DE SAINT-DENIS"}) {
		t.Errorf("she is %+v", person)
	}
	leave, err := url.Parse(s.service.Leave(t.Context(), person.Token))
	if err != nil || leave.Path != "/leave" || leave.Query().Get("realm") != "one" || leave.Query().Get("id_token_hint") != person.Token ||
		leave.Query().Get("client_id") != s.at.ClientID || leave.Query().Get("post_logout_redirect_uri") != "https://vigie.example.org/login" {
		t.Errorf("she leaves at %s, %v", leave, err)
	}
}

// Places of one structure are one place, and a place without a number has its name.
func TestPlacesOfPractice(t *testing.T) {
	s := open(t)
	s.lea.Describe = func(info map[string]any) {
		activity := func(finess, technical, name, sign string) map[string]any {
			return map[string]any{"numeroFinessSite": finess, "identifiantTechniqueDeLaStructure": technical, "raisonSocialeSite": name, "enseigneCommercialeSite": sign}
		}
		info["SubjectRefPro"] = map[string]any{"exercices": []any{
			map[string]any{"activities": []any{activity("970400123", "R1", "CHU", ""), activity("", "R81311", "", "Cabinet du port")}},
			map[string]any{"activities": []any{activity("970400123", "R1", "CHU", ""), activity("", "", "", ""), activity("", "", "Maison", "")}},
		}}
	}
	person, err := s.service.Person(t.Context(), s.answered(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	want := []openid.Place{{ID: "970400123", Name: "CHU"}, {ID: "R81311", Name: "Cabinet du port"}, {ID: "Maison", Name: "Maison"}}
	if len(person.Places) != len(want) || person.Places[0] != want[0] || person.Places[1] != want[1] || person.Places[2] != want[2] {
		t.Errorf("places %+v", person.Places)
	}
}

func TestWhatIsWrongWithAnIDTokenIsRefused(t *testing.T) {
	claim := func(name string, value any) func(*stage) {
		return func(s *stage) {
			s.lea.Change = func(c jwt.MapClaims) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}
		}
	}
	rewrite := func(change func(s *stage, token string) string) func(*stage) {
		return func(s *stage) { s.at.Rewrite = func(token string) string { return change(s, token) } }
	}
	another, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*stage)
		kind   openid.Kind
	}{
		"another issuer":                 {claim("iss", "https://elsewhere.example"), openid.Forged},
		"another audience":               {claim("aud", "another-client"), openid.Forged},
		"several audiences and no party": {func(s *stage) { claim("aud", []string{"another", s.at.ClientID})(s) }, openid.Forged},
		"another authorized party":       {claim("azp", "another-client"), openid.Forged},
		"another nonce":                  {claim("nonce", "another"), openid.Forged},
		"a sign-in of hours ago":         {func(s *stage) { claim("auth_time", s.now.Add(-3*time.Hour).Unix())(s) }, openid.Weak},
		"no nonce":                       {claim("nonce", nil), openid.Forged},
		"nobody":                         {claim("sub", nil), openid.Forged},
		"a level that is a list":         {claim("acr", []string{"eidas1"}), openid.Forged},
		"another access token":           {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), openid.Forged},
		"a weaker level":                 {claim("acr", "eidas0"), openid.Weak},
		"no level":                       {claim("acr", nil), openid.Weak},
		"over since a second":            {func(s *stage) { claim("exp", s.now.Add(-time.Second).Unix())(s) }, openid.Forged},
		"no end":                         {claim("exp", nil), openid.Forged},
		"made in an hour":                {func(s *stage) { claim("iat", s.now.Add(time.Hour).Unix())(s) }, openid.Forged},
		"to be used in an hour":          {func(s *stage) { claim("nbf", s.now.Add(time.Hour).Unix())(s) }, openid.Forged},
		"the algorithm none": {rewrite(func(s *stage, token string) string {
			return standin.Resigned(s, token, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
		}), openid.Forged},
		"signed with the client's secret": {rewrite(func(s *stage, token string) string {
			return standin.Resigned(s, token, jwt.SigningMethodHS256, []byte(s.at.ClientSecret), nil)
		}), openid.Forged},
		"an unknown key": {rewrite(func(s *stage, token string) string {
			return standin.Resigned(s, token, jwt.SigningMethodRS256, another, map[string]any{"kid": "unknown"})
		}), openid.Forged},
		"another key under a known name": {rewrite(func(s *stage, token string) string {
			return standin.Resigned(s, token, jwt.SigningMethodRS256, another, map[string]any{"kid": kid(s)})
		}), openid.Forged},
		"an algorithm that is not theirs": {rewrite(func(s *stage, token string) string {
			return standin.Resigned(s, token, jwt.SigningMethodPS256, s.at.Keypair.PrivateKey, map[string]any{"kid": kid(s)})
		}), openid.Forged},
		"no signature":                   {rewrite(func(_ *stage, token string) string { return token[:strings.LastIndexByte(token, '.')+1] }), openid.Forged},
		"no token":                       {rewrite(func(*stage, string) string { return "" }), openid.Forged},
		"the userinfo of another person": {func(s *stage) { s.lea.Describe = func(info map[string]any) { info["sub"] = "another" } }, openid.Forged},
		"an identifier that is a number": {func(s *stage) { s.lea.Describe = func(info map[string]any) { info["SubjectNameID"] = 8997 } }, openid.Setup},
		"places of another form":         {func(s *stage) { s.lea.Describe = func(info map[string]any) { info["SubjectRefPro"] = "CHU" } }, openid.Setup},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			c.change(s)
			person, err := s.service.Person(t.Context(), s.answered(), attempt)
			if s.want(name, err, c.kind); person != nil {
				t.Errorf("somebody is in: %+v", person)
			}
			if fault := new(openid.Fault); errors.As(err, &fault) && (strings.Contains(fault.Reason, "MOREL") || strings.Contains(fault.Reason, "8997") || strings.Contains(fault.Reason, "eyJ")) {
				t.Errorf("the log would hold %q", fault.Reason)
			}
		})
	}
}

func kid(s *stage) string {
	s.Helper()
	id, err := s.at.Keypair.KeyID()
	if err != nil {
		s.Error(err)
	}
	return id
}

func TestWhatIsWrongWithAnAnswerIsRefused(t *testing.T) {
	person := func(s *stage, answer openid.Answer, attempt openid.Attempt) error {
		_, err := s.service.Person(s.Context(), answer, attempt)
		return err
	}
	for name, c := range map[string]struct {
		err  func(*stage) error
		kind openid.Kind
	}{
		"a code twice": {func(s *stage) error {
			answer := s.answered()
			if err := person(s, answer, attempt); err != nil {
				return err
			}
			return person(s, answer, attempt)
		}, openid.Spent},
		"a code of nobody": {func(s *stage) error { return person(s, openid.Answer{Code: "guessed"}, attempt) }, openid.Spent},
		"no code":          {func(s *stage) error { return person(s, openid.Answer{}, attempt) }, openid.Forged},
		"the code of another browser": {func(s *stage) error {
			return person(s, s.answered(), openid.Attempt{Nonce: attempt.Nonce, Verifier: strings.Repeat("w", 43)})
		}, openid.Spent},
		"another issuer beside the code": {func(s *stage) error {
			return person(s, openid.Answer{Code: s.answered().Code, Issuer: "https://elsewhere.example"}, attempt)
		}, openid.Forged},
		"she said no": {func(s *stage) error { return person(s, openid.Answer{Error: "access_denied"}, attempt) }, openid.Refused},
		"the level cannot be met": {func(s *stage) error {
			return person(s, openid.Answer{Error: "unmet_authentication_requirements"}, attempt)
		}, openid.Weak},
		"the provider cannot":       {func(s *stage) error { return person(s, openid.Answer{Error: "temporarily_unavailable"}, attempt) }, openid.Down},
		"the question is not taken": {func(s *stage) error { return person(s, openid.Answer{Error: "invalid_scope <b>"}, attempt) }, openid.Setup},
		"down when the code comes": {func(s *stage) error {
			answer := s.answered()
			s.at.Down(true)
			return person(s, answer, attempt)
		}, openid.Down},
		"gone when the code comes": {func(s *stage) error {
			answer := s.answered()
			s.at.Server.Close()
			return person(s, answer, attempt)
		}, openid.Down},
		"gone for the userinfo": {func(s *stage) error {
			s.at.Document = func(d map[string]any) { d["userinfo_endpoint"] = "http://127.0.0.1:1/info" }
			return person(s, s.answered(), attempt)
		}, openid.Down},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.want(name, c.err(s), c.kind)
		})
	}
	s := open(t, func(o *openid.Options) { o.Secret = "another" })
	s.want("another secret", person(s, s.answered(), attempt), openid.Setup)
	s = open(t)
	s.at.Document = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = true }
	s.want("an issuer is promised and missing", person(s, s.answered(), attempt), openid.Forged)
	if _, err := s.service.Person(t.Context(), openid.Answer{Code: s.answered().Code, Issuer: s.at.Issuer()}, attempt); err != nil {
		t.Errorf("with the issuer that was promised: %v", err)
	}
}

func TestADiscoveryDocumentThatDoesNotFitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		key   string
		value any
	}{
		"another issuer":            {"issuer", "https://elsewhere.example"},
		"the same but for a slash":  {"issuer", "slash"},
		"no address of tokens":      {"token_endpoint", nil},
		"an address in the clear":   {"token_endpoint", "http://psc.example/token"},
		"keys in the clear":         {"jwks_uri", "http://psc.example/keys"},
		"no algorithm that is safe": {"id_token_signing_alg_values_supported", []string{"HS256", "none"}},
		"no code flow":              {"response_types_supported", []string{"id_token"}},
		"no S256":                   {"code_challenge_methods_supported", []string{"plain"}},
	} {
		s := open(t)
		s.at.Document = func(d map[string]any) {
			if d[c.key] = c.value; c.value == "slash" {
				d[c.key] = s.at.Issuer() + "/"
			}
		}
		_, err := s.service.Ask(t.Context(), attempt)
		s.want(name, err, openid.Setup)
	}
	s := open(t, func(o *openid.Options) { o.Discovery = "" })
	if !strings.HasPrefix(s.asked(), s.at.AuthorizationEndpoint()) {
		t.Error("without an address the document is not looked for where the standard has it")
	}
	if s.service.Leave(t.Context(), "x") != "" {
		t.Error("one leaves a provider that announced no such address")
	}
}

// A provider that is down is not asked at every click, and one that comes back is; what was
// known of it holds meanwhile.
func TestAProviderThatIsDownComesBack(t *testing.T) {
	s := open(t)
	s.at.Down(true)
	for range 5 {
		_, err := s.service.Ask(t.Context(), attempt)
		s.want("down", err, openid.Down)
	}
	if n := s.at.Asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	s.at.Down(false)
	s.now = s.now.Add(6 * time.Second)
	first := s.asked()
	s.now = s.now.Add(59 * time.Minute)
	s.asked()
	if n := s.at.Asked.Load(); n != 2 {
		t.Errorf("it was asked %d times within an hour", n)
	}
	s.at.Down(true)
	s.now = s.now.Add(2 * time.Minute)
	if again := s.asked(); again != first {
		t.Errorf("from memory: %s", again)
	}
}

func TestAKeyThatIsNewIsFetched(t *testing.T) {
	s := open(t)
	for range 2 {
		if _, err := s.service.Person(t.Context(), s.answered(), attempt); err != nil {
			t.Fatal(err)
		}
		pair, err := mockoidc.RandomKeypair(2048)
		if err != nil {
			t.Fatal(err)
		}
		s.at.Keypair = pair
	}
}

func TestSafeAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"https://psc.example/x": true, "http://localhost:8080": true, "http://127.0.0.1:9": true, "http://[::1]/": true, "http://a.localhost": true,
		"http://psc.example": false, "ftp://psc.example": false, "https:///x": false, "": false, "http://10.0.0.1": false, "http://localhost.example": false, ":": false,
	} {
		if got := openid.Safe(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
}

// A provider that hangs keeps nobody waiting whose sign-in or sign-out needs nothing new.
func TestAProviderThatHangsKeepsNobodyWaiting(t *testing.T) {
	s := open(t)
	first, left := s.asked(), s.service.Leave(t.Context(), "x")
	hangs := make(chan struct{})
	s.at.Document = func(d map[string]any) {
		<-hangs
		d["authorization_endpoint"] = "https://psc.example/new"
	}
	s.now = s.now.Add(2 * time.Hour)
	gone, cancel := context.WithCancel(t.Context())
	cancel() // whoever waited would be sent away
	for range 3 {
		if again, err := s.service.Ask(gone, attempt); err != nil || again != first {
			t.Errorf("signing in: %s, %v", again, err)
		}
		if again := s.service.Leave(gone, "x"); again != left || left == "" {
			t.Errorf("signing out leads to %q", again)
		}
	}
	close(hangs)
	for !strings.HasPrefix(s.asked(), "https://psc.example/new") {
		runtime.Gosched() // until what was read in the background is there
	}
	if n := s.at.Asked.Load(); n != 2 {
		t.Errorf("the document was asked for %d times", n)
	}

	s = open(t)
	hangs = make(chan struct{})
	defer close(hangs)
	s.at.Document = func(map[string]any) { <-hangs }
	begun := time.Now()
	if address := s.service.Leave(t.Context(), "x"); address != "" || time.Since(begun) > 5*time.Second {
		t.Errorf("signing out where nothing is known leads to %q after %s", address, time.Since(begun))
	}
	_, err := s.service.Ask(gone, attempt)
	s.want("a browser that went away", err, openid.Down)
}
