package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols/replay"
)

var (
	errNobodyUnder = refuse(alerts.Unknown,
		"Aucun patient de vos équipes n'est suivi sous cette version.",
		"No patient of your teams is followed under this version.")
	errNoVersion = refuse(codeUnusable,
		"La bibliothèque n'a pas cette version du protocole (to) : rien n'a changé.",
		"The library does not have this version of the protocol (to): nothing was changed.")
	errNoSample = refuse(codeNoMatch,
		"Demandez d'abord ce qui changerait (dry_run), et donnez dans « If-Match » l'« ETag » de cette réponse.",
		"Ask first what would change (dry_run), and give in “If-Match” the “ETag” of that answer.")
)

// moving is the body of a request to move all enrolments of a version.
type moving struct {
	Protocol string `json:"protocol"`
	From     string `json:"from"` // the version
	To       string `json:"to"`   // the version
	DryRun   bool   `json:"dry_run"`
	Author   string `json:"author,omitempty"` // refused: an act is signed by who is let in
}

// movedOne is an enrolment that moves.
type movedOne struct {
	Enrolment string          `json:"enrolment"`
	Patient   string          `json:"patient"`
	Alerts    []replay.Change `json:"alerts,omitempty"` // of a dry run: by rule and level, where they would have been others
}

// movedVersion is what a move of a version comes to.
type movedVersion struct {
	Enrolments []movedOne `json:"enrolments"`
	Others     int        `json:"others"` // under the same version, of other teams: they stay
	// Foreseen are the alerts of all of them together, of a dry run. Replayed is how many
	// enrolments they are of: fewer than all of them where that took too long.
	Foreseen *foreseen `json:"foreseen,omitempty"`
	Replayed int       `json:"replayed"`
	Warnings []fault   `json:"warnings"`
	DryRun   bool      `json:"dry_run"`
}

// moveVersion moves the enrolments under a version of a protocol that are not over, of
// the patients for whom who asks prescribes: all at once, or none. A dry run replays their
// last 30 days under both versions. Its ETag is the condition of the move.
func (w *Workspace) moveVersion(rw http.ResponseWriter, r *http.Request) {
	var body moving
	err := readBody(rw, r, &body)
	switch {
	case err != nil:
	case body.Author != "":
		err = errAuthorGiven
	case w.Protocol(body.Protocol, body.To) == nil:
		err = errNoVersion
	case !body.DryRun && r.Header.Get("If-Match") == "":
		err = errNoSample
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	done, err := w.move(r, &body)
	switch {
	case errors.Is(err, registry.ErrChanged):
		err = errChanged
	case errors.Is(err, registry.ErrNotFound):
		err = errNobodyUnder
	case err == nil && registry.Refused(done.Problems):
		err = &unacceptable{errNotAsFile, faultsOf(section{}, done.Problems, languageOf(r)), nil}
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	answer, err := w.sayMoved(r, done, body.DryRun)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	rw.Header().Set("ETag", `"`+done.Tag+`"`)
	w.reply(rw, r, http.StatusOK, answer)
}

func (w *Workspace) move(r *http.Request, body *moving) (*registry.Moved, error) {
	ctx := r.Context()
	move := registry.Move{
		Protocol: body.Protocol, From: body.From, To: body.To, Seen: unquoted(r.Header.Get("If-Match")), DryRun: body.DryRun, By: w.by(r),
		May: func(e *registry.Enrolment) (bool, error) {
			return w.records.mayFor(ctx, access.Prescribe, e.Patient)
		},
		Before: func(moved []registry.Enrolment) error {
			for i := range moved {
				actsFor(ctx, moved[i].Patient, registry.Item{Kind: registry.KindEnrolment, ID: moved[i].ID}.String(), "")
			}
			return nil
		},
	}
	done, err := move.Make(ctx, w.Change, w.Protocol)
	if err == nil && !body.DryRun && !registry.Refused(done.Problems) {
		who := access.From(ctx)
		w.Log.Info("a version was moved", "protocol", body.Protocol, "from", body.From, "to", body.To, "enrolments", len(done.Next), "account", who.Account, "token", who.Token)
	}
	return done, err
}

// sayMoved is the answer; of a dry run with what would have rung.
func (w *Workspace) sayMoved(r *http.Request, done *registry.Moved, dry bool) (*movedVersion, error) {
	answer := &movedVersion{Others: done.Left, Warnings: faultsOf(section{}, done.Problems, languageOf(r)), DryRun: dry}
	for i := range done.Next {
		saw(r.Context(), done.Next[i].Patient)
		answer.Enrolments = append(answer.Enrolments, movedOne{Enrolment: done.Next[i].ID, Patient: done.Next[i].Patient})
	}
	if !dry || w.Preview == nil {
		return answer, nil
	}
	return answer, w.foreseeMoved(r.Context(), done, answer)
}

// foreseeMoved replays one enrolment after the other, as long as a preview may take.
func (w *Workspace) foreseeMoved(ctx context.Context, done *registry.Moved, answer *movedVersion) error {
	ctx, cancel := context.WithTimeout(ctx, previewTakes)
	defer cancel()
	span := replay.Span{From: w.Now().AddDate(0, 0, -usualPreview), To: w.Now()}
	var before, after []replay.Alert
	for i := range done.Former {
		found, err := w.Preview(ctx, []registry.Enrolment{done.Former[i], done.Next[i]}, span)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			break
		}
		if err != nil {
			return fmt.Errorf("replay the enrolment %s: %w", done.Former[i].ID, err)
		}
		for _, c := range replay.Changes(found[0], found[1]) {
			if c.Before != c.After {
				answer.Enrolments[i].Alerts = append(answer.Enrolments[i].Alerts, c)
			}
		}
		before, after = append(before, found[0]...), append(after, found[1]...)
		answer.Replayed++
	}
	answer.Foreseen = &foreseen{span.From, span.To, replay.Changes(before, after)}
	return nil
}

// unquoted is an entity tag without its quotes.
func unquoted(tag string) string {
	if n := len(tag); n >= 2 && tag[0] == '"' && tag[n-1] == '"' {
		return tag[1 : n-1]
	}
	return tag
}
