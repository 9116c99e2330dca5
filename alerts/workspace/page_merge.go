package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"vigie/alerts"
	"vigie/ingest/registry"
)

// mergeView is the page on which two records are said to be about one person, or not after
// all. It says what that would change before it is done.
type mergeView struct {
	view
	Person   subject
	Record   string // the page of the patient
	Into     string // the other record, once it is named
	Second   subject
	Follows  []string // how each record is followed
	Effects  []string
	Undo     bool   // this record is merged into another one
	Standing string // by whom, when and why
	Done     string
	Note     string
	Error    string
}

func (w *Workspace) mergePage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showMerge(rw, r, query, http.StatusOK, nil)
}

// showMerge shows the page, with why an act was refused where it was.
func (w *Workspace) showMerge(rw http.ResponseWriter, r *http.Request, values url.Values, status int, refused *alerts.Refused) {
	v := mergeView{view: w.view(r, "merge.title"), Into: strings.TrimSpace(values.Get("into")), Note: values.Get("reason"), Record: "/patients/" + url.PathEscape(r.PathValue("id"))}
	if done := values.Get("done"); done == "merged" || done == "apart" {
		v.Done = v.T("merge.done." + done)
	}
	err := w.fillMerge(r, &v)
	if refusal := new(alerts.Refused); errors.As(err, &refusal) && v.Person.ID != "" { // said where the other record is named
		if refused == nil {
			refused, status = refusal, statuses[refusal.Code]
		}
		v.Into, err = "", nil
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if refused != nil {
		v.Error = v.In(refused.Text)
	}
	w.render(rw, r, status, "merge", v)
}

func (w *Workspace) fillMerge(r *http.Request, v *mergeView) error {
	ctx, patient := r.Context(), r.PathValue("id")
	if _, err := w.bothRecords(r, registry.Merge{From: patient}, false); err != nil {
		return err
	}
	if err := w.whose(ctx, &v.view, &v.Person, patient); err != nil {
		return err
	}
	merges, err := w.Change.Merges(ctx)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if m.From == patient {
			v.Undo, v.Into = true, m.Into
			v.Standing = fmt.Sprintf(v.T("merge.standing"), m.Author, v.Stamp(m.At, "").Exact, m.Reason)
		}
	}
	if v.Into == "" || v.Done != "" && !v.Undo {
		v.Into = ""
		return nil
	}
	tried, err := w.merge(r, &merging{Into: map[bool]string{false: v.Into}[v.Undo], Reason: "?", DryRun: true}, v.Undo)
	if err != nil {
		return err
	}
	other := v.view
	if err := w.whose(ctx, &other, &v.Second, v.Into); err != nil {
		return err
	}
	v.Effects = append(v.Effects, v.counted(map[bool]string{false: "merge.rows", true: "merge.rows.undo"}[v.Undo], tried.Unresolved), v.T("merge.kept"))
	for _, record := range []string{patient, v.Into} {
		if err := w.follows(ctx, v, record); err != nil {
			return err
		}
	}
	return nil
}

// follows says how a record is followed.
func (w *Workspace) follows(ctx context.Context, v *mergeView, record string) error {
	enrolments, err := w.records.enrolments(ctx, record)
	if err != nil {
		return err
	}
	for i := range enrolments {
		e := &enrolments[i]
		title := e.Protocol
		if p := w.Protocol(e.Protocol, e.Version); p != nil {
			title = v.In(p.Title)
		}
		v.Follows = append(v.Follows, record+" · "+title+" · "+v.TeamName(e.Team))
	}
	return nil
}

func (w *Workspace) mergeForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	undo := r.PostForm.Get("undo") != ""
	body := merging{Into: strings.TrimSpace(r.PostForm.Get("into")), Reason: r.PostForm.Get("reason")}
	done := "merged"
	if undo {
		body.Into, done = "", "apart"
	}
	if err := alerts.CheckText(body.Reason); err != nil {
		refused := w.refusal(r, err)
		w.showMerge(rw, r, r.PostForm, statuses[refused.Code], refused)
		return
	}
	if _, err := w.merge(r, &body, undo); err != nil {
		if errors.Is(err, errNoItem[registry.KindPatient]) {
			w.failPage(rw, r, err)
			return
		}
		refused := w.refusal(r, err)
		w.showMerge(rw, r, r.PostForm, statuses[refused.Code], refused)
		return
	}
	http.Redirect(rw, r, r.URL.Path+"?done="+done+"#done", http.StatusSeeOther)
}
