package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/reviews"
)

const (
	// reviewUndo is for how long whoever signed a review may take it back.
	reviewUndo = 24 * time.Hour
	// reviewOnce is within what a second review by the same person is the first one, sent
	// twice.
	reviewOnce = time.Minute
)

var errNoReview = refuse(alerts.TooLateToUndo,
	"Seule votre propre relecture se retire, la dernière du dossier, pendant 24 heures.",
	"Only your own review, the latest of the record, can be taken back, for 24 hours.")

// reviewRow is the latest review of a record in words.
type reviewRow struct {
	By   string
	At   *stamp
	Mine bool // whoever looks may take it back
	May  bool // whoever looks may sign one
}

// reviewList is what programs read of reviews.
type reviewList struct {
	Reviews []reviews.Review `json:"reviews"`
}

// lastReviews returns the latest review of each of some patients whom who asks may see.
// The caller has seen to that.
func (d records) lastReviews(ctx context.Context, patients []string) (map[string]reviews.Review, error) {
	if d.reviews == nil || len(patients) == 0 {
		return nil, nil
	}
	return d.reviews.LastReviews(ctx, patients)
}

// reviewed lists the reviews of a patient, oldest first; alerts.ErrNotFound to who may not
// see him.
func (d records) reviewed(ctx context.Context, patient string) ([]reviews.Review, error) {
	ok, err := d.mayFor(ctx, access.SeePatients, patient)
	if err != nil || !ok {
		return nil, orNotFound(err)
	}
	saw(ctx, patient)
	return d.reviews.ReviewsOf(ctx, patient, earliest, latest)
}

// review signs that who asks has read through the record of a patient.
func (w *Workspace) review(ctx context.Context, patient string) (reviews.Review, error) {
	r := reviews.Review{Patient: patient, By: access.From(ctx).Name, At: w.Now().UTC()}
	last, err := w.reviewing(ctx, patient)
	if err != nil {
		return r, err
	}
	if last.By == r.By && r.At.Sub(last.At).Abs() < reviewOnce {
		return last, nil
	}
	open, err := alerts.Unresolved(ctx, w.records.alerts, alerts.Filter{Patient: patient})
	if err != nil {
		return r, err
	}
	r.Alerts = len(open)
	actsFor(ctx, patient, "", "")
	return r, w.records.reviews.AddReview(ctx, r)
}

// undoReview takes the latest review of a patient back, if who asks signed it of late.
func (w *Workspace) undoReview(ctx context.Context, patient string) (reviews.Review, error) {
	last, err := w.reviewing(ctx, patient)
	if err != nil {
		return last, err
	}
	if !mayUndo(last, access.From(ctx).Name, w.Now()) {
		return last, errNoReview
	}
	actsFor(ctx, patient, "", "")
	err = w.records.reviews.UndoReview(ctx, last)
	if errors.Is(err, reviews.ErrNone) { // a second click was quicker
		err = errNoReview
	}
	return last, err
}

func mayUndo(r reviews.Review, name string, now time.Time) bool {
	return r.By == name && !r.At.IsZero() && now.Sub(r.At) < reviewUndo
}

// reviewing returns the latest review of a patient to somebody who may sign one.
func (w *Workspace) reviewing(ctx context.Context, patient string) (reviews.Review, error) {
	may, err := w.records.mayFor(ctx, access.Act, patient)
	if err != nil || !may {
		return reviews.Review{}, orNotFound(err)
	}
	last, err := w.records.lastReviews(ctx, []string{patient})
	return last[patient], err
}

// fillReview says on a patient's page who last read through the record.
func (w *Workspace) fillReview(ctx context.Context, v *patientView, patient string) error {
	if w.records.reviews == nil {
		return nil
	}
	may, err := w.records.mayFor(ctx, access.Act, patient)
	if err != nil {
		return err
	}
	last, err := w.records.lastReviews(ctx, []string{patient})
	if err != nil {
		return err
	}
	r := last[patient]
	may = may && access.From(ctx).May(access.Act)
	v.Reviewed = &reviewRow{By: r.By, At: v.Stamp(r.At, v.team), May: may, Mine: may && mayUndo(r, v.Author, v.now)}
	return nil
}

// reviewForm signs a review from a patient's page, or takes one back.
func (w *Workspace) reviewForm(act func(context.Context, string) (reviews.Review, error), said string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if err := readForm(rw, r); err != nil {
			w.failPage(rw, r, err)
			return
		}
		patient := r.PathValue("id")
		if _, err := act(r.Context(), patient); err != nil {
			w.failPage(rw, r, err)
			return
		}
		http.Redirect(rw, r, "/patients/"+url.PathEscape(patient)+"?"+url.Values{"done": {said}}.Encode()+"#reviewed", http.StatusSeeOther)
	}
}

// listReviews lists the reviews of a patient for programs.
func (w *Workspace) listReviews(rw http.ResponseWriter, r *http.Request) {
	list, err := w.records.reviewed(r.Context(), r.PathValue("id"))
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, reviewList{append([]reviews.Review{}, list...)})
}

// actReview signs a review for a program, or takes one back.
func (w *Workspace) actReview(act func(context.Context, string) (reviews.Review, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		done, err := act(r.Context(), r.PathValue("id"))
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		w.reply(rw, r, http.StatusOK, done)
	}
}
