package workspace

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/access/openid"
)

// A button of the login leads to an OpenID Connect provider, which sends the browser back
// with a code. The policy of the pages lets no form lead to another site, so that a page of
// ours goes between, which moves on by itself, without a script.

// ComeBack is the path at which the provider sends people back.
const ComeBack = "/login/openid/back"

const (
	// elsewhereCookie is what a browser keeps of a sign-in at the provider, and where the
	// person wanted to go: an answer that comes to another browser opens nothing.
	elsewhereCookie = "vigie_openid"
	elsewherePath   = "/login/openid"
	// hintCookie is what the provider takes as a hint of who leaves. The browser alone keeps it.
	hintCookie = "vigie_leave"
	hintPath   = "/logout"
	// elsewhereLasts is at least as long as a sign-in may take.
	elsewhereLasts = 20 * time.Minute
	// longestHint is in bytes: browsers keep no larger cookie.
	longestHint = 3500
	noHint      = "-"
)

// again marks the address of a request that a page of ours has sent anew.
const again = "again"

// keep has the browser keep something for one path; an empty value is kept no more.
func (w *Workspace) keep(rw http.ResponseWriter, r *http.Request, name, path, value string, lasts time.Duration) {
	seconds := int(lasts.Seconds())
	if value == "" {
		seconds = -1
	}
	http.SetCookie(rw, &http.Cookie{
		Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: w.encrypted(r), MaxAge: seconds,
	})
}

// awayView is the page between ours and another site.
type awayView struct {
	view
	Text, Elsewhere, Address string
}

// leadAway shows a page that moves on to an address by itself.
func (w *Workspace) leadAway(rw http.ResponseWriter, r *http.Request, text, address string) {
	v := awayView{view: w.view(r, "openid.title"), Elsewhere: w.Accounts.Elsewhere(), Address: address}
	v.Text, v.OtherLink = v.T(text), otherLogin(v.view)
	rw.Header().Set("Refresh", "0; url="+address)
	w.render(rw, r, http.StatusOK, "away", v)
}

// goElsewhere leads to the provider.
func (w *Workspace) goElsewhere(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	page := w.loginPage(r, r.PostForm.Get("next"))
	attempt := rand.Text()
	address, err := w.Accounts.AskElsewhere(r.Context(), attempt)
	if err != nil {
		w.notElsewhere(rw, r, page, err)
		return
	}
	w.keep(rw, r, elsewhereCookie, elsewherePath, attempt+"."+base64.RawURLEncoding.EncodeToString([]byte(page.Next)), elsewhereLasts)
	w.leadAway(rw, r, "openid.going", address)
}

// notElsewhere shows the login again, with why the provider did not let somebody in.
func (w *Workspace) notElsewhere(rw http.ResponseWriter, r *http.Request, page loginView, err error) {
	if status, sentence, ok := w.notLetIn(rw, r, err); ok {
		page.Error, page.OtherLink = sentence, otherLogin(page.view)
		w.render(rw, r, status, "login", page)
	}
}

// otherLogin is the login in the other language: what was asked for here serves once.
func otherLogin(v view) string { return "/login?" + url.Values{"lang": {v.Other}}.Encode() }

// comeBack lets somebody in whom the provider sends back. The browser shows its cookies to no
// request that another site has begun: such a request is sent anew by a page of ours, once.
func (w *Workspace) comeBack(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie(elsewhereCookie)
	if err != nil && !query.Has(again) {
		query.Set(again, "")
		w.leadAway(rw, r, "openid.coming", r.URL.Path+"?"+query.Encode())
		return
	}
	if err != nil && w.inAlready(rw, r) {
		return
	}
	attempt, next := "", ""
	if err == nil {
		attempt, next, _ = strings.Cut(cookie.Value, ".")
	}
	wanted, _ := base64.RawURLEncoding.DecodeString(next)
	page := w.loginPage(r, string(wanted))
	answer := openid.Answer{Code: query.Get("code"), Issuer: query.Get("iss"), Error: query.Get("error")}
	came, err := w.Accounts.ComeBack(r.Context(), attempt, query.Get("state"), answer, w.addressOf(r), r.UserAgent())
	if err != nil {
		w.notElsewhere(rw, r, page, err)
		return
	}
	w.keep(rw, r, elsewhereCookie, elsewherePath, "", 0)
	if len(came.Hint) > longestHint {
		came.Hint = noHint
	}
	w.keep(rw, r, hintCookie, hintPath, came.Hint, 24*time.Hour)
	w.letIn(rw, r, came.Secret, came.Session, page.Next)
}

// inAlready leads somebody on who is in, or on the way, and whose browser asks once more for
// the page on which they came back: it was read anew, or left by the button that leads back.
func (w *Workspace) inAlready(rw http.ResponseWriter, r *http.Request) bool {
	session, _, err := w.Accounts.Session(r.Context(), sessionOf(r))
	if err != nil {
		return false
	}
	onward := "/"
	switch {
	case session.Choosing():
		onward = "/login/openid/place"
	case !session.Proved:
		onward = "/login/code"
	}
	http.Redirect(rw, r, onward, http.StatusSeeOther)
	return true
}

// leaveElsewhere is the address at which somebody who came in at the provider leaves it too;
// empty for everybody else.
func (w *Workspace) leaveElsewhere(rw http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(hintCookie)
	if err != nil || cookie.Value == "" {
		return ""
	}
	w.keep(rw, r, hintCookie, hintPath, "", 0)
	return w.Accounts.LeaveElsewhere(r.Context(), strings.TrimPrefix(cookie.Value, noHint))
}

// placeView is the page that asks where somebody practises.
type placeView struct {
	view
	Next   string
	Places []openid.Place
	Error  string
}

func (w *Workspace) showPlaces(rw http.ResponseWriter, r *http.Request) {
	if session, ok := w.choosing(rw, r); ok {
		w.render(rw, r, http.StatusOK, "place", placeView{view: w.view(r, "openid.places"), Next: here(r.URL.Query().Get("next")), Places: session.Places})
	}
}

// choosing is the login under way of somebody who has to say where they practise.
func (w *Workspace) choosing(rw http.ResponseWriter, r *http.Request) (*access.Session, bool) {
	session, _, ok := w.underWay(rw, r)
	if ok && !session.Choosing() {
		http.Redirect(rw, r, wanted(r), http.StatusSeeOther)
		return nil, false
	}
	return session, ok
}

func (w *Workspace) choosePlace(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	session, ok := w.choosing(rw, r)
	if !ok {
		return
	}
	page := placeView{view: w.view(r, "openid.places"), Next: here(r.PostForm.Get("next")), Places: session.Places}
	if err := w.Accounts.ChoosePlace(r.Context(), session, r.PostForm.Get("place")); err != nil {
		if _, sentence, ok := w.notLetIn(rw, r, err); ok {
			page.Error = sentence
			w.render(rw, r, http.StatusUnprocessableEntity, "place", page)
		}
		return
	}
	if w.afresh(rw, r, session) {
		http.Redirect(rw, r, page.Next, http.StatusSeeOther)
	}
}

// placeOf is where somebody practises in a session; empty where nobody said.
func placeOf(s *access.Session) string {
	if s.Place == nil {
		return ""
	}
	return s.Place.Title()
}
