package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
)

// glassTold is for how long a team is shown who looked at its patients from elsewhere.
const glassTold = 7 * 24 * time.Hour

// glassView is the page on which somebody opens the record of another team's patient
// for a reason, and on which a team sees who did.
type glassView struct {
	view
	May     bool // open one
	Patient string
	Reason  string
	Error   string
	Looks   []glassLook
}

// glassLook is a record that somebody of another team opened.
type glassLook struct {
	Patient, Name, Reason string
	At                    *stamp
}

// opened lists who opened records of the patients of whoever asks, newest first. What
// they opened themselves is not told to them.
func (w *Workspace) opened(ctx context.Context) ([]access.Grant, error) {
	who := access.From(ctx)
	if who.Session == "" || !who.May(access.SeePatients) {
		return nil, nil
	}
	grants, err := w.Accounts.Store.GrantsSince(ctx, w.Accounts.Now().UTC().Add(-glassTold))
	if err != nil {
		return nil, err
	}
	own := who
	own.Grants = nil // who looked in once does not belong to the team
	list := grants[:0]
	for _, g := range grants {
		if g.Account == who.Account {
			continue
		}
		teams, err := w.TeamsOf(ctx, g.Patient)
		if err != nil {
			return nil, err
		}
		if own.MayFor(access.SeePatients, g.Patient, teams, w.Accounts.Now()) {
			list = append(list, g)
		}
	}
	return list, nil
}

func (w *Workspace) glassPage(rw http.ResponseWriter, r *http.Request) {
	w.showGlass(rw, r, http.StatusOK, glassView{view: w.view(r, "glass.title"), Patient: r.URL.Query().Get("patient")})
}

func (w *Workspace) showGlass(rw http.ResponseWriter, r *http.Request, status int, v glassView) {
	v.May = access.From(r.Context()).May(access.BreakGlass)
	grants, err := w.opened(r.Context())
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	for _, g := range grants {
		saw(r.Context(), g.Patient)
		name := ""
		account, err := w.Accounts.Store.Account(r.Context(), g.Account)
		if err == nil {
			name = account.Name
		} else if !errors.Is(err, access.ErrNotFound) {
			w.failPage(rw, r, err)
			return
		}
		v.Looks = append(v.Looks, glassLook{g.Patient, name, g.Reason, v.Stamp(g.At, "")})
	}
	w.render(rw, r, status, "glass", v)
}

// breakGlass opens the record of a patient for some hours.
func (w *Workspace) breakGlass(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := glassView{view: w.view(r, "glass.title"), Patient: strings.TrimSpace(r.PostForm.Get("patient")), Reason: r.PostForm.Get("reason")}
	err := w.tryGlass(r.Context(), v.Patient, v.Reason)
	var refused *access.Refused
	switch {
	case errors.Is(err, alerts.ErrNotFound):
		v.Error = v.T("glass.nobody")
		w.showGlass(rw, r, http.StatusNotFound, v)
	case errors.As(err, &refused):
		v.Error = refused.Text.In(v.Language)
		w.showGlass(rw, r, http.StatusUnprocessableEntity, v)
	case err != nil:
		w.failPage(rw, r, err)
	default:
		http.Redirect(rw, r, "/alerts?"+url.Values{"patient": {v.Patient}}.Encode(), http.StatusSeeOther)
	}
}

func (w *Workspace) tryGlass(ctx context.Context, patient, reason string) error {
	teams, err := w.TeamsOf(ctx, patient)
	if err != nil {
		return err
	}
	if len(teams) == 0 {
		return alerts.ErrNotFound
	}
	who := access.From(ctx)
	if who.MayFor(access.SeePatients, patient, teams, w.Accounts.Now()) {
		return nil // it is open already
	}
	grant, err := w.Accounts.Break(ctx, who, patient, reason)
	if err == nil && w.Tell != nil {
		if err := w.Tell(ctx, alerts.EventGlass, teams, grant.ID); err != nil { // the page tells them all the same
			w.Log.Error("a team could not be told by message that a record of theirs was opened", "grant", grant.ID, "error", err)
		}
	}
	return err
}
