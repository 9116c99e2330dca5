package openid

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Options say which provider people sign in at. All are required but Discovery and Client.
type Options struct {
	Name      string // as people know it: "Pro Santé Connect"
	Issuer    string
	Discovery string // address of the discovery document; the usual one of the issuer when empty
	ClientID  string
	Secret    string
	Redirect  string   // where the provider sends people back
	After     string   // where the provider sends people who have left
	Scopes    []string // "openid" among them
	Levels    []string // of assurance (acr): one of them is asked for, and has to be met
	Claim     string   // which claim holds the national identifier
	Client    *http.Client
	Now       func() time.Time
}

// Provider is where people sign in. Its methods may be called at once.
type Provider struct {
	Options
	lock    sync.Mutex    // of what follows
	reading chan struct{} // closed once the discovery document has been read; nil while nobody reads it
	known   *known
	failed  time.Time // when it could not be read
	why     error
}

// known is what the discovery document says.
type known struct {
	oauth    oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	leave    string // end_session_endpoint
	names    bool   // authorization_response_iss_parameter_supported
	until    time.Time
}

// How long the discovery document is kept, how long after a failure it is asked for again, and
// what one request to the provider may take.
const (
	knownFor    = time.Hour
	againAfter  = 5 * time.Second
	patience    = 10 * time.Second
	mostAnswer  = 1 << 20 // bytes
	clockLeeway = 5 * time.Minute
	// mostAge is how long ago a person may have signed in at the provider. Who left a desk
	// that others use is still signed in there.
	mostAge = 5 * time.Minute
)

// New returns a provider. It asks nothing of it yet.
func New(options Options) *Provider {
	if options.Discovery == "" {
		options.Discovery = strings.TrimSuffix(options.Issuer, "/") + "/.well-known/openid-configuration"
	}
	client := http.Client{Transport: http.DefaultTransport}
	if options.Client != nil {
		client = *options.Client
	}
	client.Transport, client.Timeout = bounded{client.Transport}, patience
	// A code or a secret goes to the address that was announced and to no other.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	options.Client = &client
	return &Provider{Options: options}
}

// bounded reads no more of an answer than it may have.
type bounded struct{ http.RoundTripper }

// RoundTrip is part of http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.RoundTripper
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, mostAnswer), response.Body}
	}
	return response, err
}

// discovered is what the discovery document says, from memory for an hour. An older one is
// used while it is read anew in the background, and stays in force where it cannot be: nobody
// waits for a provider whose document is known.
func (p *Provider) discovered(ctx context.Context) (*known, error) {
	known, done, why := p.remembered()
	if known != nil || why != nil {
		return known, why
	}
	select {
	case <-done:
	case <-ctx.Done():
		return nil, fault(Down, "the discovery document has not come yet")
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.known, p.why
}

// remembered is what is known of the discovery document, or why nothing is. Where it has to
// be read, done is closed once it has been.
func (p *Provider) remembered() (known *known, done <-chan struct{}, why error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	now := p.Now()
	lately := !p.failed.IsZero() && now.Sub(p.failed) < againAfter && !now.Before(p.failed)
	if p.known != nil && now.Before(p.known.until) || lately {
		return p.known, nil, p.why
	}
	if p.reading == nil {
		p.reading = make(chan struct{})
		go p.read()
	}
	return p.known, p.reading, nil
}

// read reads the discovery document for whoever waits for it. It does not end with the
// request that caused it: a browser that went away says nothing of the provider.
func (p *Provider) read() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	fresh, err := p.discover(ctx)
	p.lock.Lock()
	defer p.lock.Unlock()
	switch {
	case err == nil:
		p.known, p.failed, p.why = fresh, time.Time{}, nil
	case p.known == nil:
		p.failed, p.why = p.Now(), err // not when it was asked: it may have let us wait
	default:
		p.failed, p.why = p.Now(), nil
	}
	close(p.reading)
	p.reading = nil
}

// document is what is read of the discovery document.
type document struct {
	oidc.ProviderConfig
	Leave      string   `json:"end_session_endpoint"`
	Names      bool     `json:"authorization_response_iss_parameter_supported"`
	Responses  []string `json:"response_types_supported"`
	Challenges []string `json:"code_challenge_methods_supported"`
	Methods    []string `json:"token_endpoint_auth_methods_supported"`
}

func (p *Provider) discover(ctx context.Context) (*known, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Discovery, nil)
	if err != nil {
		return nil, fault(Setup, "the address of the discovery document is none")
	}
	response, err := p.Client.Do(request)
	if err != nil {
		return nil, fault(Down, "the discovery document cannot be asked for")
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		return nil, fault(Down, "the discovery document: "+response.Status)
	}
	var d document
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&d) != nil {
		return nil, fault(Setup, "there is no discovery document at its address")
	}
	if err := p.check(&d); err != nil {
		return nil, err
	}
	return p.knownOf(&d), nil
}

// signatures are the algorithms of ID tokens that are taken. Those with a shared secret, and
// none at all, are not among them.
var signatures = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// check holds the discovery document against what was configured, and keeps the algorithms
// that are taken.
func (p *Provider) check(d *document) error {
	if d.IssuerURL != p.Issuer {
		return fault(Setup, "the discovery document is of another issuer")
	}
	for _, address := range []string{d.AuthURL, d.TokenURL, d.JWKSURL, d.UserInfoURL} {
		if !Safe(address) {
			return fault(Setup, "the discovery document lacks an address, or has one that is not https")
		}
	}
	if len(d.Responses) > 0 && !slices.Contains(d.Responses, "code") || len(d.Challenges) > 0 && !slices.Contains(d.Challenges, "S256") {
		return fault(Setup, "the provider does not know the code flow with PKCE")
	}
	announced := len(d.Algorithms) > 0
	d.Algorithms = slices.DeleteFunc(d.Algorithms, func(name string) bool { return !slices.Contains(signatures, name) })
	if announced && len(d.Algorithms) == 0 {
		return fault(Setup, "the provider signs by no algorithm that is taken")
	}
	if !Safe(d.Leave) {
		d.Leave = ""
	}
	return nil
}

func (p *Provider) knownOf(d *document) *known {
	provider := d.ProviderConfig.NewProvider(oidc.ClientContext(context.Background(), p.Client))
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // what the standard has unless something else is announced
	if slices.Contains(d.Methods, "client_secret_post") && !slices.Contains(d.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &known{
		oauth:    oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: endpoint, RedirectURL: p.Redirect, Scopes: p.Scopes},
		provider: provider, leave: d.Leave, names: d.Names, until: p.Now().Add(knownFor),
		verifier: provider.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: d.Algorithms, Now: p.Now}),
	}
}

// Safe reports whether nobody between can read what goes to an address: it is https, or on
// this machine.
func Safe(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.Hostname() == "" {
		return false
	}
	host := at.Hostname()
	if at.Scheme == "http" {
		ip, err := netip.ParseAddr(host)
		return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
	}
	return at.Scheme == "https"
}

// unanswered reports whether an error says that nobody answered.
func unanswered(err error) bool {
	var broken net.Error
	return errors.As(err, &broken)
}
