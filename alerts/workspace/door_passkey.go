package workspace

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
)

// A button of a page asks for a challenge, has the browser use a passkey or make one, and
// sends the form with what the browser answered. Without a script there is no such button,
// and the password lets in.

// attemptCookie is what a browser keeps of a login attempt by passkey: a challenge that was
// given to it serves no other.
const attemptCookie = "vigie_attempt"

// attemptLasts is how long it keeps that, at least as long as a challenge holds.
const attemptLasts = 10 * time.Minute

// ceremony is what a browser is asked to do: one of the two.
type ceremony struct {
	Get    *access.Asked   `json:"get,omitempty"`
	Create *access.Offered `json:"create,omitempty"`
}

// askBrowser answers a button with what the browser is to do, or with a sentence.
func (w *Workspace) askBrowser(rw http.ResponseWriter, r *http.Request, c ceremony, err error) {
	if err != nil {
		status, sentence, ok := w.notLetIn(rw, r, err)
		if ok {
			http.Error(rw, sentence, status)
		}
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(rw).Encode(c); err != nil {
		w.Log.Debug("an answer was not taken", "error", err)
	}
}

func (w *Workspace) askSignIn(rw http.ResponseWriter, r *http.Request) {
	attempt := rand.Text()
	http.SetCookie(rw, &http.Cookie{
		Name: attemptCookie, Value: attempt, Path: "/login/passkey", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: w.encrypted(r), MaxAge: int(attemptLasts.Seconds()),
	})
	asked, err := w.Accounts.AskSignIn(r.Context(), attempt)
	w.askBrowser(rw, r, ceremony{Get: asked}, err)
}

// signIn lets somebody in by a passkey alone.
func (w *Workspace) signIn(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	page := w.loginPage(r, r.PostForm.Get("next"))
	attempt := ""
	if cookie, err := r.Cookie(attemptCookie); err == nil {
		attempt = cookie.Value
	}
	secret, session, err := w.Accounts.SignIn(r.Context(), attempt, []byte(r.PostForm.Get("answer")), w.addressOf(r), r.UserAgent())
	if err != nil {
		if status, sentence, ok := w.notLetIn(rw, r, err); ok {
			page.Error = sentence
			w.render(rw, r, status, "login", page)
		}
		return
	}
	w.letIn(rw, r, secret, session, page.Next)
}

func (w *Workspace) loginPage(r *http.Request, next string) loginView {
	v := loginView{view: w.view(r, "login.title"), Next: here(next)}
	v.Keyed, v.Elsewhere = w.Accounts.Passkeys(), w.Accounts.Elsewhere()
	return v
}

// askFactor has a browser show the second factor of a login under way, or make the first.
func (w *Workspace) askFactor(rw http.ResponseWriter, r *http.Request) {
	session, account, ok := w.half(rw, r)
	if !ok {
		return
	}
	factored, err := w.Accounts.Factored(r.Context(), account)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if factored {
		asked, err := w.Accounts.AskProof(r.Context(), session)
		w.askBrowser(rw, r, ceremony{Get: asked}, err)
		return
	}
	offered, err := w.Accounts.AskPasskey(r.Context(), session)
	w.askBrowser(rw, r, ceremony{Create: offered}, err)
}

// passkeyRow is a passkey as its owner sees it.
type passkeyRow struct {
	ID, Name, Created, Used, Kind string
}

func (v view) passkeyRows(passkeys []access.Passkey, team string) (rows []passkeyRow) {
	for _, p := range passkeys {
		row := passkeyRow{ID: p.ID, Name: p.Name, Created: v.Stamp(p.Created, team).Exact, Used: v.T("passkey.never"), Kind: v.T("passkey.second")}
		if !p.Used.IsZero() {
			row.Used = v.Stamp(p.Used, team).Ago
		}
		if p.Verifies {
			row.Kind = v.T("passkey.alone")
		}
		if p.BackedUp {
			row.Kind += ", " + v.T("passkey.backed")
		}
		rows = append(rows, row)
	}
	return rows
}

// passkeyForm answers the forms of the passkeys of one's own account, and their buttons.
func (w *Workspace) passkeyForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	who, form, answer := access.From(r.Context()), r.PostForm, []byte(r.PostForm.Get("answer"))
	session, err := w.Accounts.Store.Session(r.Context(), who.Session)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	switch r.PathValue("act") {
	case "ask":
		asked, err := w.Accounts.AskProof(r.Context(), session)
		w.askBrowser(rw, r, ceremony{Get: asked}, err)
		return
	case "ask-new":
		offered, err := w.Accounts.AskPasskey(r.Context(), session)
		w.askBrowser(rw, r, ceremony{Create: offered}, err)
		return
	case "show":
		err = w.Accounts.Show(r.Context(), who, form.Get("former"), form.Get("code"), answer)
	case "add":
		var recovery []string
		if recovery, err = w.Accounts.AddPasskey(r.Context(), session, form.Get("name"), answer); recovery != nil && err == nil {
			w.render(rw, r, http.StatusOK, "recovery", recoveryView{w.view(r, "recovery.title"), "/account", recovery})
			return
		}
	case "rename":
		err = w.Accounts.RenamePasskey(r.Context(), who, form.Get("id"), form.Get("name"))
	case "remove":
		err = w.Accounts.RemovePasskey(r.Context(), who, form.Get("id"))
	default:
		err = refuse(alerts.Unknown, "Cette action n'existe pas.", "There is no such act.")
	}
	if !w.proveAgain(rw, r, err) {
		return
	}
	http.Redirect(rw, r, "/account#passkeys", http.StatusSeeOther)
}
