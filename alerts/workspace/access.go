package workspace

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Token lets one program or group of people in. Its name stands for the author
// where nobody says who acts.
type Token struct {
	Name   string
	Secret string
}

// key is what a token is recognised by.
type key struct {
	name    string
	digest  [sha256.Size]byte // of the secret: digests have one length, which a comparison must not reveal
	session []byte            // signs the sessions opened with this token, so that they end with it
}

func keysOf(tokens []Token) ([]key, error) {
	if len(tokens) == 0 {
		return nil, errors.New("the workspace has no access token, so nobody could get in: configure at least one, with a name and a secret")
	}
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
		mac := hmac.New(sha256.New, []byte(token.Secret))
		mac.Write([]byte("session"))
		keys[i] = key{token.Name, sha256.Sum256([]byte(token.Secret)), mac.Sum(nil)}
	}
	return keys, nil
}

// recognise returns the key of a secret. It takes the same time whichever
// matches.
func (w *Workspace) recognise(secret string) (key, bool) {
	digest := sha256.Sum256([]byte(secret))
	found := -1
	for i := range w.keys {
		if subtle.ConstantTimeCompare(digest[:], w.keys[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return key{}, false
	}
	return w.keys[found], true
}

// visitor is who sends a request.
type visitor struct {
	Token  string    `json:"token"`
	Person string    `json:"person,omitempty"` // as they gave it at login
	Until  time.Time `json:"until"`
}

// author is who stands for an act when the act itself does not say.
func (v visitor) author() string {
	if v.Person != "" {
		return v.Person
	}
	return v.Token
}

type visitorKey struct{}

func visitorOf(r *http.Request) visitor {
	v, _ := r.Context().Value(visitorKey{}).(visitor)
	return v
}

// visit finds out who sends a request, by bearer token or by session.
func (w *Workspace) visit(r *http.Request) (visitor, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return w.bearer(r, header)
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return visitor{}, errNoToken
	}
	v, ok := w.readSession(cookie.Value)
	if !ok {
		return visitor{}, errNoToken
	}
	return v, nil
}

// bearer finds out which program shows a token. One that is wrong is logged, and who
// goes on with others waits.
func (w *Workspace) bearer(r *http.Request, header string) (visitor, error) {
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return visitor{}, errNoToken
	}
	from := w.addressOf(r)
	k, ok := w.recognise(strings.TrimSpace(secret))
	if ok && w.guesses.program(from, k.name) {
		return visitor{Token: k.name}, nil
	}
	if wait := w.guesses.try(from, w.Wall()); wait > 0 {
		return visitor{}, waits{wait}
	}
	if !ok {
		w.Log.Warn("a program was refused: unknown token", "from", from)
		return visitor{}, errNoToken
	}
	w.guesses.right(from)
	w.guesses.knows(from, k.name)
	return visitor{Token: k.name}, nil
}

// waits refuses whoever has tried too many tokens, for so long.
type waits struct{ time.Duration }

// Error is part of error.
func (waits) Error() string { return errGuesses.Error() }

// Unwrap leads to the sentence for a person.
func (waits) Unwrap() error { return errGuesses }

// seconds is what Retry-After says.
func (w waits) seconds() string { return strconv.Itoa(int(math.Ceil(w.Seconds()))) }

func as(r *http.Request, v visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

// program lets only those in who show a token, and tells the others how.
func (w *Workspace) program(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		v, err := w.visit(r)
		if err != nil {
			w.refuseVisit(rw, r, err)
			return
		}
		next(rw, as(r, v))
	}
}

func (w *Workspace) refuseVisit(rw http.ResponseWriter, r *http.Request, err error) {
	var wait waits
	if errors.As(err, &wait) {
		rw.Header().Set("Retry-After", wait.seconds())
	} else {
		rw.Header().Set("WWW-Authenticate", `Bearer realm="vigie"`)
	}
	w.fail(rw, r, err)
}

// person lets only those in who have logged in, and shows the others where.
func (w *Workspace) person(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		v, err := w.visit(r)
		if err != nil {
			http.Redirect(rw, r, loginAddress(r), http.StatusSeeOther)
			return
		}
		next(rw, as(r, v))
	}
}

const sessionCookie = "vigie-session"

// writeSession makes the value of a session cookie: who, until when, and a
// signature. The service keeps nothing but what has ended, so any node knows any
// session.
func (w *Workspace) writeSession(k key, person string) (string, error) {
	body, err := json.Marshal(visitor{Token: k.name, Person: person, Until: w.Wall().Add(w.Session).UTC()})
	if err != nil {
		return "", fmt.Errorf("write a session: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(k.session, text)), nil
}

func (w *Workspace) readSession(value string) (visitor, bool) {
	text, signature, _ := strings.Cut(value, ".")
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return visitor{}, false
	}
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return visitor{}, false
	}
	var v visitor
	if err := json.Unmarshal(body, &v); err != nil {
		return visitor{}, false
	}
	for i := range w.keys {
		if w.keys[i].name == v.Token {
			return v, hmac.Equal(given, sign(w.keys[i].session, text)) && w.Wall().Before(v.Until) && !w.ended.has(given, v.Until)
		}
	}
	return visitor{}, false
}

// endSession ends the session of a cookie: whoever has a copy of it has nothing.
func (w *Workspace) endSession(value string) {
	v, ok := w.readSession(value)
	if !ok {
		return
	}
	_, signature, _ := strings.Cut(value, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return
	}
	w.ended.add(given, v.Until, w.Wall())
}

// ended are sessions that were logged out of before their time, by their signatures.
// Each node knows those that ended there, until it is restarted; the others end by
// their time.
type ended struct {
	mu    sync.Mutex
	until map[string]time.Time
	// floor takes the place of those that were forgotten: every session that lasts
	// no longer has ended, whoever's it is.
	floor time.Time
}

// mostEnded bounds them, against whoever logs in and out for ever; 1 MiB or so.
const mostEnded = 10_000

func (e *ended) has(signature []byte, until time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.until[string(signature)]
	return ok || !until.After(e.floor)
}

// add forgets those whose time has come, once there are many. Where that makes no
// room, it forgets the half that ends soonest, and raises the floor to them: people
// log in again, and no session that was ended comes back.
func (e *ended) add(signature []byte, until, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.until) >= mostEnded {
		maps.DeleteFunc(e.until, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if len(e.until) >= mostEnded {
		e.floor = slices.SortedFunc(maps.Values(e.until), time.Time.Compare)[mostEnded/2]
		maps.DeleteFunc(e.until, func(_ string, until time.Time) bool { return !until.After(e.floor) })
	}
	e.until[string(signature)] = until
}

func sign(secret []byte, text string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// setSession hands the cookie out; an empty value takes it back. How long it
// lasts is given as a length of time: the browser has a clock of its own.
func (w *Workspace) setSession(rw http.ResponseWriter, r *http.Request, value string) {
	lasts := int(w.Session.Seconds())
	if value == "" {
		lasts = -1
	}
	http.SetCookie(rw, &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: w.encrypted(r), MaxAge: lasts,
	})
}
