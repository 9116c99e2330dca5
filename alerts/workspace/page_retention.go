package workspace

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
)

// retentionView is the page on which an administrator reads what is kept how long and why,
// and has a patient erased, after having seen what that takes out.
type retentionView struct {
	view
	Kept    []keptRow
	Patient string
	Reason  string
	Effects []effectRow // nil until they were asked for
	Said    []string    // of InfluxDB
	May     bool        // it can be done
	Done    bool
	Error   string
}

type keptRow struct{ Name, For, Starts, Ground, Due string }

type effectRow struct {
	Name, Count, Ground string
	Stays               bool
}

func (w *Workspace) retentionPage(rw http.ResponseWriter, r *http.Request) {
	w.showRetention(rw, r, http.StatusOK, retentionView{view: w.view(r, "retention.title")})
}

func (w *Workspace) showRetention(rw http.ResponseWriter, r *http.Request, status int, v retentionView) {
	v.Place = "retention"
	if !v.Done { // else the service is about to start anew
		list, err := w.Retained(r.Context())
		if err != nil {
			w.failPage(rw, r, err)
			return
		}
		v.keep(list)
	}
	w.render(rw, r, status, "retention", v)
}

func (v *retentionView) keep(list []erasure.Keeping) {
	const day = 24 * time.Hour
	for i := range list {
		k := &list[i]
		row := keptRow{Name: v.In(k.Name), For: v.T("retention.ever"), Starts: v.In(k.Starts), Ground: readable(v.In(k.Ground))}
		if k.For > 0 {
			row.For = whole(v.Language, int(k.For/day)) + " " + v.T("retention.days")
		}
		if k.Due != erasure.Uncounted {
			row.Due = whole(v.Language, k.Due)
		}
		v.Kept = append(v.Kept, row)
	}
}

func (v *retentionView) show(effect *erasure.Effect) {
	for _, c := range erasure.Categories {
		row := effectRow{Name: v.In(c.Name), Count: whole(v.Language, effect.Counts[c.Key]), Ground: v.In(c.Ground), Stays: c.Stays}
		switch {
		case c.Stays:
			row.Count = v.T("retention.until") + " " + v.In(c.Until)
		case c.Key == erasure.InfluxDB && effect.Points:
			row.Count = v.T("retention.next")
		}
		v.Effects = append(v.Effects, row)
	}
	if effect.Stays {
		v.Said = append(v.Said, v.T("retention.influx"))
	}
}

// erasing is the body of a request to erase a patient.
type erasing struct {
	Reason string `json:"reason"` // without the name: it stays in the list of erasures
	DryRun bool   `json:"dry_run"`
	Author string `json:"author"` // refused: an act is signed by who is let in
}

// erasedAnswer is what an erasure takes out.
type erasedAnswer struct {
	Counts map[string]int `json:"counts"` // rows by category
	// Begun says that it is being made: the service starts anew.
	Begun bool `json:"begun"`
}

func (w *Workspace) erasePatient(rw http.ResponseWriter, r *http.Request) {
	var body erasing
	err := readBody(rw, r, &body)
	if err == nil && body.Author != "" {
		err = errAuthorGiven
	}
	var effect *erasure.Effect
	if err == nil {
		effect, err = w.erase(r, r.PathValue("id"), body.Reason, body.DryRun)
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, erasedAnswer{effect.Counts, !body.DryRun})
}

// erase counts, or has a patient erased in the name of who asks. The effects are returned
// beside a refusal where they are known.
func (w *Workspace) erase(r *http.Request, patient, reason string, dry bool) (*erasure.Effect, error) {
	ctx, who := r.Context(), access.From(r.Context())
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return nil, refuse(alerts.NoReason, "Écrivez pourquoi (reason).", "Write why (reason).")
	case utf8.RuneCountInString(reason) > longestReason:
		return nil, refuse(alerts.TooLong, "Le motif (reason) tient en 1000 caractères.", "The reason holds 1000 characters.")
	}
	if err := alerts.CheckText(reason); err != nil {
		return nil, err
	}
	if dry {
		saw(ctx, patient)
	} else {
		actsFor(ctx, patient, "", "")
	}
	effect, err := w.Erase(context.WithoutCancel(ctx), patient, who.Name, reason, dry)
	var refused *erasure.Refusal
	if errors.As(err, &refused) {
		err = &alerts.Refused{Code: codeCannotErase, Text: refused.Text}
	}
	return effect, err
}

// eraseForm shows what an erasure takes out, then has it made.
func (w *Workspace) eraseForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	form := r.PostForm
	v := retentionView{view: w.view(r, "retention.title"), Patient: strings.TrimSpace(form.Get("patient")), Reason: form.Get("reason")}
	sure := form.Get("sure") != "" && form.Get("sure") == v.Patient
	effect, err := w.erase(r, v.Patient, v.Reason, !sure)
	if effect != nil {
		v.show(effect)
	}
	if err != nil {
		refused := w.refusal(r, err)
		v.Error = v.In(refused.Text)
		w.showRetention(rw, r, statuses[refused.Code], v)
		return
	}
	v.May, v.Done = !sure, sure
	w.showRetention(rw, r, http.StatusOK, v)
}
