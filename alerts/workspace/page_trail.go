package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
)

// Traces finds what is in the trail. trail.Store is one.
type Traces interface {
	Find(ctx context.Context, filter trail.Filter) ([]trail.Row, error)
}

// trailView is the page on which who looked at whom is searched.
type trailView struct {
	view
	Patient, Login, From, To string
	Rows                     []trailRow
	More                     bool
	Nobody                   bool // no account has that login
	Gap                      string
}

type trailRow struct {
	At                     *stamp
	Who, Roles, Kind, Deed string
	Whom, About, From, Why string
}

const (
	trailShown = 200 // entries a page shows
	trailNamed = 8   // patients an entry names
)

func (w *Workspace) trailPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := trailView{view: w.view(r, "trail.title"), Patient: strings.TrimSpace(query.Get("patient")), Login: strings.TrimSpace(query.Get("login")), From: query.Get("from"), To: query.Get("to")}
	v.Place = "trail"
	v.zone = w.clockOf(access.From(r.Context()), "")
	if err := w.fillTrail(r.Context(), &v, query); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, http.StatusOK, "trail", v)
}

func (w *Workspace) fillTrail(ctx context.Context, v *trailView, query url.Values) error {
	filter := trail.Filter{Patient: v.Patient, Limit: trailShown + 1}
	for _, bound := range []struct {
		name string
		days int
		into *time.Time
	}{{"from", 0, &filter.From}, {"to", 1, &filter.To}} {
		text := query.Get(bound.name)
		if text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, text, v.zone)
		if err != nil {
			return badParameter(bound.name, "donnez une date comme 2026-11-21", "give a date such as 2026-11-21")
		}
		*bound.into = day.AddDate(0, 0, bound.days)
	}
	if v.Login != "" {
		account, err := w.Accounts.Store.AccountByLogin(ctx, access.Normalise(v.Login))
		if errors.Is(err, access.ErrNotFound) {
			v.Nobody = true
			return nil
		}
		if err != nil {
			return err
		}
		filter.Account = account.ID
	}
	if v.Patient == "" {
		sawEveryone(ctx)
	}
	saw(ctx, v.Patient)
	rows, err := w.Traces.Find(ctx, filter)
	if err != nil {
		return err
	}
	if v.More = len(rows) > trailShown; v.More {
		rows = rows[:trailShown]
	}
	for i := range rows {
		e, err := rows[i].Entry()
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, v.trailRow(&e))
	}
	return nil
}

func (v *trailView) trailRow(e *trail.Entry) trailRow {
	row := trailRow{
		At: v.Stamp(e.At, ""), Who: readable(e.Name), Roles: v.roleNames(e.Roles), Kind: v.T("trail.kind." + string(e.Kind)),
		Deed: readable(e.Deed), About: readable(e.About), From: readable(e.From), Why: readable(e.Reason),
	}
	named := e.Patients[:min(len(e.Patients), trailNamed)]
	row.Whom = readable(strings.Join(named, ", "))
	if more := len(e.Patients) - len(named); more > 0 {
		row.Whom += " +" + whole(v.Language, more)
	}
	if e.Everyone {
		row.Whom = v.T("trail.everyone")
	}
	return row
}
