package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigie/alerts/access"
)

// Token lets one program of the operator's in. It may do what its scopes say, for
// every care team. Programs of other people have tokens of an access.Accounts.
type Token struct {
	Name   string
	Secret string
	Scopes []access.Right // ProgramScopes when nil
}

// ProgramScopes are what a token of the configuration allows unless it says so.
var ProgramScopes = []access.Right{access.SeePatients, access.Act, access.EnterReadings, access.SeeDevices, access.SeeFigures}

// key is what a token is recognised by.
type key struct {
	who    access.Who
	digest [sha256.Size]byte // of the secret: digests have one length, which a comparison must not reveal
}

func keysOf(tokens []Token) ([]key, error) {
	keys := make([]key, len(tokens))
	names := map[string]bool{}
	for i, token := range tokens {
		if strings.TrimSpace(token.Name) == "" || token.Secret == "" {
			return nil, fmt.Errorf("access token %d has no name or no secret: give both", i+1)
		}
		if names[token.Name] {
			return nil, fmt.Errorf("two access tokens are named %q: give each a name of its own", token.Name)
		}
		names[token.Name] = true
		scopes := token.Scopes
		if scopes == nil {
			scopes = ProgramScopes
		}
		keys[i] = key{access.Program(token.Name, scopes), sha256.Sum256([]byte(token.Secret))}
	}
	return keys, nil
}

// SetTokens lets in those programs that show one of these tokens, and no other of the
// configuration from now on. It reports whether anything has changed.
func (w *Workspace) SetTokens(tokens []Token) (changed bool, err error) {
	keys, err := keysOf(tokens)
	if err != nil {
		return false, err
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.who.Token, b.who.Token) })
	same := func(a, b key) bool { return a.who.Token == b.who.Token && a.digest == b.digest }
	if former := w.keys.Swap(&keys); former == nil || !slices.EqualFunc(*former, keys, same) {
		w.watch.announce() // open streams look whether they may go on
		return true, nil
	}
	return false, nil
}

// stillIn reports whether whoever opened a stream would still be let in. Nothing is
// counted as a guess.
func (w *Workspace) stillIn(r *http.Request) bool {
	header := r.Header.Get("Authorization")
	if header == "" {
		_, err := w.Accounts.Person(r.Context(), sessionOf(r), w.addressOf(r))
		return !errors.Is(err, access.ErrNotFound)
	}
	_, secret, _ := strings.Cut(header, " ")
	secret = strings.TrimSpace(secret)
	if _, ok := w.recognise(secret); ok {
		return true
	}
	_, err := w.Accounts.Program(r.Context(), secret, w.addressOf(r))
	return !errors.Is(err, access.ErrNotFound)
}

// recognise returns who shows a secret of the configuration. It takes the same time
// whichever matches.
func (w *Workspace) recognise(secret string) (access.Who, bool) {
	digest := sha256.Sum256([]byte(secret))
	keys := *w.keys.Load()
	found := -1
	for i := range keys {
		if subtle.ConstantTimeCompare(digest[:], keys[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return access.Who{}, false
	}
	return keys[found].who, true
}

// visit finds out who sends a request, by bearer token or by session. It returns
// access.ErrNotFound for nobody.
func (w *Workspace) visit(r *http.Request) (access.Who, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return w.Accounts.Person(r.Context(), sessionOf(r), w.addressOf(r))
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return access.Who{}, access.ErrNotFound
	}
	return w.bearer(r, strings.TrimSpace(secret))
}

// bearer finds out which program shows a token. A token of an account is long and
// random; those of the configuration may be less, so that whoever goes on trying waits,
// and a right one is not told from a wrong one meanwhile, unless it is used from there.
func (w *Workspace) bearer(r *http.Request, secret string) (access.Who, error) {
	from := w.addressOf(r)
	who, ok := w.recognise(secret)
	if !ok {
		who, err := w.Accounts.Program(r.Context(), secret, from)
		if !errors.Is(err, access.ErrNotFound) {
			return who, err
		}
	}
	who.From = from
	if ok && w.programs.known(from, who.Token) {
		return who, nil
	}
	if wait := w.guesses.Count(from, w.Accounts.Now()); wait > 0 {
		return access.Who{}, waits{wait}
	}
	if !ok {
		w.Log.Warn("a program was refused: unknown token", "from", from)
		return access.Who{}, access.ErrNotFound
	}
	w.guesses.Right(from)
	w.programs.note(from, who.Token)
	return who, nil
}

// programs are the pairs of address and token that were right before: a program does
// not wait for what its neighbour tries. The zero value is ready.
type programs struct {
	mu   sync.Mutex
	seen map[[2]string]bool
}

// mostPrograms bounds them.
const mostPrograms = 1000

func (p *programs) known(address, token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[[2]string{address, token}]
}

func (p *programs) note(address, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= mostPrograms {
		p.seen = map[[2]string]bool{}
	}
	p.seen[[2]string{address, token}] = true
}

// waits refuses whoever has tried too many tokens, for so long.
type waits struct{ time.Duration }

// Error is part of error.
func (waits) Error() string { return errGuesses.Error() }

// Unwrap leads to the sentence for a person.
func (waits) Unwrap() error { return errGuesses }

// seconds is what Retry-After says.
func seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }

// program lets only those in who show a token or a session and hold a right, and
// tells the others how. An empty right is held by all who get in.
func (w *Workspace) program(needs access.Right, next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		who, err := w.visit(r)
		var wait waits
		switch {
		case errors.As(err, &wait):
			rw.Header().Set("Retry-After", seconds(wait.Duration))
			w.fail(rw, r, err)
		case errors.Is(err, access.ErrNotFound):
			rw.Header().Set("WWW-Authenticate", `Bearer realm="vigie"`)
			w.fail(rw, r, errNoToken)
		case err != nil:
			w.fail(rw, r, err)
		case needs != "" && !who.May(needs):
			w.fail(rw, r, errNotAllowed)
		default:
			w.traced(who, next)(rw, r)
		}
	}
}

// person lets only those in who have logged in and hold a right, and shows the others
// where.
func (w *Workspace) person(needs access.Right, next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		who, err := w.visit(r)
		switch {
		case errors.Is(err, access.ErrNotFound):
			http.Redirect(rw, r, loginAddress(r), http.StatusSeeOther)
			return
		case err != nil:
			w.failPage(rw, r, err)
			return
		}
		if needs != "" && !who.May(needs) {
			w.failPage(rw, r.WithContext(access.With(r.Context(), who)), errNotAllowed)
			return
		}
		w.traced(who, next)(rw, r)
	}
}

const sessionCookie = "vigie-session"

// sessionOf is what the browser keeps of its login; empty when nothing.
func sessionOf(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setSession hands the cookie out; an empty value takes it back. How long it
// lasts is given as a length of time: the browser has a clock of its own.
func (w *Workspace) setSession(rw http.ResponseWriter, r *http.Request, value string) {
	lasts := int((12 * time.Hour).Seconds())
	if absolute := w.Accounts.Limits.Absolute; absolute > 0 {
		lasts = int(absolute.Seconds())
	}
	if value == "" {
		lasts = -1
	}
	http.SetCookie(rw, &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: w.encrypted(r), MaxAge: lasts,
	})
}

// addressOf is where a request comes from; of IPv6 the network, as anybody has many
// addresses in it. A proxy of ours adds whom it has the request from: what others
// write there is not believed.
func (w *Workspace) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	var chain []string
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 {
		chain = strings.Split(strings.Join(forwarded, ","), ",")
	}
	for i := len(chain) - 1; i >= 0 && w.ours(address); i-- {
		if address, err = netip.ParseAddr(strings.TrimSpace(chain[i])); err != nil {
			return "unknown" // behind a proxy that does not say
		}
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil {
		return "unknown"
	}
	return network.String()
}

// ours reports whether a proxy of ours has that address.
func (w *Workspace) ours(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range w.Proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}
