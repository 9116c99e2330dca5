package workspace

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"

	"vigie/alerts/access"
)

// loginView is the page that asks for login and password.
type loginView struct {
	view
	Next      string
	Login     string
	Error     string
	Elsewhere string // where people may sign in instead
}

func (w *Workspace) showLogin(rw http.ResponseWriter, r *http.Request) {
	w.render(rw, r, http.StatusOK, "login", w.loginPage(r, r.URL.Query().Get("next")))
}

func (w *Workspace) login(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	typed := access.Normalise(r.PostForm.Get("login"))
	secret, session, err := w.Accounts.Login(r.Context(), typed, r.PostForm.Get("password"), w.addressOf(r), r.UserAgent(), deviceOf(r))
	if err != nil {
		status, sentence, ok := w.notLetIn(rw, r, err)
		switch {
		case !ok:
		case status == http.StatusTooManyRequests && r.URL.RawQuery == "":
			w.turnAway(rw, r, sentence, typed)
		default:
			page := w.loginPage(r, r.PostForm.Get("next"))
			page.Login, page.Error = typed, sentence
			w.render(rw, r, status, "login", page)
		}
		return
	}
	w.letIn(rw, r, secret, session, here(r.PostForm.Get("next")))
}

// letIn gives the browser of somebody who got in the session, in place of a former one, and
// leads on: to what is still to be shown or said, else to where they wanted to go.
func (w *Workspace) letIn(rw http.ResponseWriter, r *http.Request, secret string, session *access.Session, next string) {
	if former := sessionOf(r); former != "" {
		if err := w.Accounts.Logout(r.Context(), former); err != nil {
			w.failPage(rw, r, err)
			return
		}
	}
	w.setSession(rw, r, secret)
	if session.Provider == "" && w.Accounts.Elsewhere() != "" {
		w.keep(rw, r, hintCookie, hintPath, "", 0) // of a session that has ended by itself
	}
	switch {
	case session.Proved:
		w.remember(rw, r, session)
	case session.Choosing():
		next = onTheWay("/login/openid/place", next)
	default:
		next = onTheWay("/login/code", next)
	}
	http.Redirect(rw, r, next, http.StatusSeeOther)
}

// afresh gives a session that may do more than before another secret, and has the browser
// keep it. It answers for an error.
func (w *Workspace) afresh(rw http.ResponseWriter, r *http.Request, session *access.Session) bool {
	secret, err := w.Accounts.Renew(r.Context(), session)
	if err != nil {
		w.failPage(rw, r, err)
		return false
	}
	w.setSession(rw, r, secret)
	w.remember(rw, r, session)
	return true
}

// Where somebody who is turned away typed a login, and the page to go on to. Neither is
// changed by the escaping of a page.
const (
	typedHere = "what-was-typed-stands-here"
	nextHere  = "/what-comes-next-stands-here"
)

// turnAway answers who has to wait with the page of the login. It is filled once for each
// language: whoever storms is answered cheaply.
func (w *Workspace) turnAway(rw http.ResponseWriter, r *http.Request, sentence, typed string) {
	language := languageOf(r)
	kept, known := w.turned.Load(language)
	if !known {
		page := w.loginPage(r, nextHere)
		page.Login, page.Error = typedHere, sentence
		var text strings.Builder
		if err := w.pages.templates["login"].Execute(&text, page); err != nil {
			w.failPage(rw, r, fmt.Errorf("fill the page of the login: %w", err))
			return
		}
		kept, _ = w.turned.LoadOrStore(language, text.String())
	}
	fill := strings.NewReplacer(typedHere, template.HTMLEscapeString(strings.ToValidUTF8(typed, "?")), nextHere, template.HTMLEscapeString(here(r.PostForm.Get("next"))))
	w.headers(rw, r)
	rw.WriteHeader(http.StatusTooManyRequests)
	if _, err := fill.WriteString(rw, kept.(string)); err != nil {
		w.Log.Debug("answer not delivered", "route", r.Pattern, "error", err)
	}
}

// deviceCookie is what a browser keeps from which somebody has logged in. It lets nobody
// in: it keeps the wrong tries of others from locking the browser out.
const deviceCookie = "vigie_device"

// deviceLasts is how long a browser keeps it.
const deviceLasts = 400 * 24 * time.Hour

func deviceOf(r *http.Request) string {
	cookie, err := r.Cookie(deviceCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// remember has a browser keep that somebody has logged in from it.
func (w *Workspace) remember(rw http.ResponseWriter, r *http.Request, session *access.Session) {
	fresh, err := w.Accounts.Remember(r.Context(), session, deviceOf(r))
	if err != nil {
		w.Log.Warn("a browser could not be remembered", "account", session.Account, "error", err)
	}
	if err != nil || fresh == "" {
		return
	}
	http.SetCookie(rw, &http.Cookie{
		Name: deviceCookie, Value: fresh, Path: "/login", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: w.encrypted(r), MaxAge: int(deviceLasts.Seconds()),
	})
}

// notLetIn answers for an error that is not the person's, and returns the sentence to
// show for one that is.
func (w *Workspace) notLetIn(rw http.ResponseWriter, r *http.Request, err error) (status int, sentence string, ok bool) {
	var refused *access.Refused
	if !errors.As(err, &refused) {
		w.failPage(rw, r, err)
		return 0, "", false
	}
	status = http.StatusUnauthorized
	if refused.Code == access.TooManyTries {
		status = http.StatusTooManyRequests
		rw.Header().Set("Retry-After", seconds(refused.Wait))
	}
	if refused.Code == access.ProviderDown {
		status = http.StatusServiceUnavailable
	}
	return status, refused.Text.In(languageOf(r)), true
}

// onTheWay is a page of the login, which then goes on.
func onTheWay(page, next string) string {
	if next == "/" {
		return page
	}
	return page + "?" + url.Values{"next": {next}}.Encode()
}

// codeView is the page that asks for the second factor, or helps to set it up.
type codeView struct {
	view
	Next    string
	Secret  string        // of a factor that is being set up
	Picture template.HTML // its QR code
	Coded   bool          // there are codes, and not passkeys alone
	Keys    bool          // there are passkeys
	Error   string
}

// half is the login under way of somebody who has shown the password.
func (w *Workspace) half(rw http.ResponseWriter, r *http.Request) (*access.Session, *access.Account, bool) {
	session, account, ok := w.underWay(rw, r)
	if ok && session.Choosing() {
		http.Redirect(rw, r, onTheWay("/login/openid/place", wanted(r)), http.StatusSeeOther)
		return nil, nil, false
	}
	return session, account, ok
}

// underWay is the login under way of a browser; who has none is led to the login.
func (w *Workspace) underWay(rw http.ResponseWriter, r *http.Request) (*access.Session, *access.Account, bool) {
	session, account, err := w.Accounts.Session(r.Context(), sessionOf(r))
	if errors.Is(err, access.ErrNotFound) {
		http.Redirect(rw, r, onTheWay("/login", wanted(r)), http.StatusSeeOther)
		return nil, nil, false
	}
	if err != nil {
		w.failPage(rw, r, err)
		return nil, nil, false
	}
	return session, account, true
}

func (w *Workspace) showCode(rw http.ResponseWriter, r *http.Request) {
	session, account, ok := w.half(rw, r)
	if !ok {
		return
	}
	next := here(r.URL.Query().Get("next"))
	if session.Proved {
		http.Redirect(rw, r, next, http.StatusSeeOther)
		return
	}
	w.codePage(rw, r, http.StatusOK, account, codeView{Next: next})
}

// codePage shows the page of the second factor; to who has none yet, how to set it up.
func (w *Workspace) codePage(rw http.ResponseWriter, r *http.Request, status int, account *access.Account, page codeView) {
	page.view = w.view(r, "code.title")
	passkeys, err := w.Accounts.Store.Passkeys(r.Context(), account.ID)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	page.Keyed, page.Keys, page.Coded = w.Accounts.Passkeys(), len(passkeys) > 0, account.Code != nil
	if account.Code == nil && !page.Keys {
		secret, address, err := w.Accounts.Setup(account, page.Secret)
		if err == nil {
			page.Picture, err = picture(address)
		}
		if err != nil {
			w.failPage(rw, r, err)
			return
		}
		page.Secret = secret
	}
	w.render(rw, r, status, "code", page)
}

func (w *Workspace) enterCode(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	session, account, ok := w.half(rw, r)
	if !ok {
		return
	}
	page := codeView{Next: here(r.PostForm.Get("next")), Secret: r.PostForm.Get("secret")}
	var recovery []string
	factored, err := w.Accounts.Factored(r.Context(), account)
	answer := []byte(r.PostForm.Get("answer"))
	switch {
	case session.Proved || err != nil:
	case len(answer) > 0 && factored:
		err = w.Accounts.ProveByPasskey(r.Context(), session, answer)
	case len(answer) > 0:
		recovery, err = w.Accounts.AddPasskey(r.Context(), session, r.PostForm.Get("name"), answer)
	case !factored:
		recovery, err = w.Accounts.Confirm(r.Context(), session, page.Secret, r.PostForm.Get("code"))
	default:
		err = w.Accounts.Prove(r.Context(), session, r.PostForm.Get("code"))
	}
	if err != nil {
		status, sentence, ok := w.notLetIn(rw, r, err)
		if ok {
			page.Error = sentence
			w.codePage(rw, r, status, account, page)
		}
		return
	}
	if !w.afresh(rw, r, session) {
		return
	}
	if recovery != nil {
		w.render(rw, r, http.StatusOK, "recovery", recoveryView{w.view(r, "recovery.title"), page.Next, recovery})
		return
	}
	http.Redirect(rw, r, page.Next, http.StatusSeeOther)
}

// recoveryView shows recovery codes, once.
type recoveryView struct {
	view
	Next  string
	Codes []string
}

// picture draws a QR code: one path of squares, so that no image has to be fetched.
func picture(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	const quiet = 4 // modules around it, as the standard asks
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := range size {
			if dark, _, _, _ := code.At(x, y).RGBA(); dark == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	side := size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg role="img" aria-label="QR code" viewBox="0 0 %d %d"><path class="paper" d="M0 0h%dv%dH0z"/><path class="ink" d="%s"/></svg>`,
		side, side, side, side, path.String())), nil
}

func (w *Workspace) logout(rw http.ResponseWriter, r *http.Request) {
	if secret := sessionOf(r); secret != "" {
		if err := w.Accounts.Logout(r.Context(), secret); err != nil {
			w.failPage(rw, r, err)
			return
		}
	}
	w.setSession(rw, r, "")
	if address := w.leaveElsewhere(rw, r); address != "" {
		w.leadAway(rw, r, "openid.leaving", address)
		return
	}
	http.Redirect(rw, r, "/login", http.StatusSeeOther)
}

// welcomeView is the page on which somebody who was invited chooses a password.
type welcomeView struct {
	view
	Welcome string
	Link    string
	Login   string
	Error   string
}

func (w *Workspace) showWelcome(rw http.ResponseWriter, r *http.Request) {
	w.welcome(rw, r, http.StatusOK, r.URL.Query().Get("link"), "")
}

func (w *Workspace) welcome(rw http.ResponseWriter, r *http.Request, status int, link, problem string) {
	account, err := w.Accounts.Invited(r.Context(), link)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	page := welcomeView{view: w.view(r, "welcome.title"), Link: link, Login: account.Login, Error: problem}
	page.Welcome = fmt.Sprintf(page.T("welcome.intro"), account.Name, account.Login)
	w.render(rw, r, status, "welcome", page)
}

func (w *Workspace) choosePassword(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	link, password := r.PostForm.Get("link"), r.PostForm.Get("password")
	if password != r.PostForm.Get("again") {
		w.welcome(rw, r, http.StatusUnprocessableEntity, link, w.view(r, "").T("welcome.differ"))
		return
	}
	_, err := w.Accounts.Choose(r.Context(), link, password)
	var refused *access.Refused
	if errors.As(err, &refused) && refused.Code == access.WeakPassword {
		w.welcome(rw, r, http.StatusUnprocessableEntity, link, refused.Text.In(languageOf(r)))
		return
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/login", http.StatusSeeOther)
}

// accountView is somebody's own page: who they are here, and where they are logged in.
type accountView struct {
	view
	Who       access.Who
	Roles     string
	TeamNames string
	Sessions  []sessionRow
	Glass     bool // may open the record of another team
	Others    bool // there is more than the one they are in
	Code      bool // there is a second factor to show
	Changed   bool // the password was
	Passkeys  []passkeyRow
	Fresh     bool // both factors were shown just now
	Factor    bool // there is a second factor to show, be it a passkey
	Push      *pushView
	said      string // what a form about a device came to
	Elsewhere bool   // this session was opened at an OpenID Connect provider
	Error     string
}

type sessionRow struct {
	ID          string
	Since, Seen string
	Browser     string
	Address     string
	Own         bool
	Place       string // of practice
}

func (w *Workspace) accountPage(rw http.ResponseWriter, r *http.Request) {
	w.showOwnAccount(rw, r, http.StatusOK, accountView{Changed: r.URL.Query().Has("changed"), said: pushSaid(r.URL.Query().Get("said"))})
}

func (w *Workspace) showOwnAccount(rw http.ResponseWriter, r *http.Request, status int, v accountView) {
	who := access.From(r.Context())
	account, err := w.Accounts.Store.Account(r.Context(), who.Account)
	if errors.Is(err, access.ErrNotFound) { // a program of the configuration has none
		account, err = &access.Account{}, nil
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	sessions, err := w.Accounts.Store.Sessions(r.Context(), who.Account)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	passkeys, err := w.Accounts.Store.Passkeys(r.Context(), who.Account)
	if err != nil || who.Account == "" {
		passkeys = nil
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.view, v.Who, v.Glass, v.Code = w.view(r, "account.title"), who, who.May(access.BreakGlass), account.Code != nil
	var roles, teams []string
	for _, role := range who.Roles {
		info, _ := role.Info()
		roles = append(roles, v.In(info.Title))
	}
	for _, team := range who.Teams {
		teams = append(teams, v.TeamName(team))
	}
	v.Roles, v.TeamNames = strings.Join(roles, ", "), strings.Join(teams, ", ")
	first := ""
	if len(who.Teams) > 0 {
		first = who.Teams[0]
	}
	v.Keyed, v.Factor, v.Passkeys = w.Accounts.Passkeys() && who.Session != "", v.Code || len(passkeys) > 0, v.passkeyRows(passkeys, first)
	for _, s := range sessions {
		if !s.Proved {
			continue
		}
		own := s.ID == who.Session
		v.Fresh = v.Fresh || own && s.Fresh(v.now)
		v.Others = v.Others || !own
		v.Sessions = append(v.Sessions, sessionRow{
			s.ID, v.Stamp(s.Created, first).Exact, v.Stamp(s.Seen, first).Ago, s.Browser, s.Address, own, placeOf(&s),
		})
		v.Elsewhere = v.Elsewhere || own && s.Provider != ""
	}
	if v.Push, err = w.pushOf(r, account.Login); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, status, "account", v)
}

// proveAgain answers for an act on one's own account that was refused. It reports whether
// there is nothing to answer for.
func (w *Workspace) proveAgain(rw http.ResponseWriter, r *http.Request, err error) bool {
	if err == nil {
		return true
	}
	status, sentence, ok := w.notLetIn(rw, r, err)
	if ok && status == http.StatusUnauthorized {
		status = http.StatusUnprocessableEntity // they are in: only this was refused
	}
	if ok {
		w.showOwnAccount(rw, r, status, accountView{Error: sentence})
	}
	return false
}

// changePassword gives somebody another password.
func (w *Workspace) changePassword(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	form, next := r.PostForm, r.PostForm.Get("password")
	if next != form.Get("again") {
		w.showOwnAccount(rw, r, http.StatusUnprocessableEntity, accountView{Error: w.view(r, "").T("welcome.differ")})
		return
	}
	err := w.Accounts.ChangePassword(r.Context(), access.From(r.Context()), form.Get("former"), form.Get("code"), next, form.Get("others") != "")
	if !w.proveAgain(rw, r, err) {
		return
	}
	http.Redirect(rw, r, "/account?changed", http.StatusSeeOther)
}

// endSessions ends one of somebody's own sessions, or all but the one they are in.
func (w *Workspace) endSessions(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	err := w.Accounts.EndOwn(r.Context(), access.From(r.Context()), r.PostForm.Get("former"), r.PostForm.Get("session"))
	if !w.proveAgain(rw, r, err) {
		return
	}
	http.Redirect(rw, r, "/account", http.StatusSeeOther)
}
