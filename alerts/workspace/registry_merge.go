package workspace

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// merging is the body of a request to merge a patient into another, or to take that back.
type merging struct {
	Into   string `json:"into"` // to merge: the record that the person goes by
	Reason string `json:"reason"`
	DryRun bool   `json:"dry_run"` // say whether it can be done, and what it joins
	Author string `json:"author"`  // refused: an act is signed by who is let in
}

// merged is what a merge came to.
type merged struct {
	Merge registry.Merge `json:"merge"`
	// Unresolved counts the alerts that nobody has resolved, of both records: they stand in
	// one row of the worklist once these are merged.
	Unresolved int `json:"unresolved"`
}

// mergePatients says that the patient of the address and another are one person, or with
// undo that they are not after all. Nothing of either is moved.
func (w *Workspace) mergePatients(undo bool) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var body merging
		if err := readBody(rw, r, &body); err != nil {
			w.fail(rw, r, err)
			return
		}
		done, err := w.merge(r, &body, undo)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		w.reply(rw, r, http.StatusOK, done)
	}
}

func (w *Workspace) merge(r *http.Request, body *merging, undo bool) (merged, error) {
	ctx, who := r.Context(), access.From(r.Context())
	m := registry.Merge{From: r.PathValue("id"), Into: body.Into, Author: who.Name, Reason: strings.TrimSpace(body.Reason), At: w.Now().UTC()}
	records, err := w.bothRecords(r, m, undo)
	if err != nil {
		return merged{}, err
	}
	switch {
	case body.Author != "":
		return merged{}, errAuthorGiven
	case m.Reason == "":
		return merged{}, refuse(alerts.NoReason, "Écrivez pourquoi (reason).", "Write why (reason).")
	case utf8.RuneCountInString(m.Reason) > longestReason:
		return merged{}, refuse(alerts.TooLong, "Le motif (reason) tient en 1000 caractères.", "The reason holds 1000 characters.")
	case undo != (m.Into == ""):
		return merged{}, refuse(codeMalformed, "Donnez l'autre dossier (into) pour réunir, et lui seul.", "Give the other record (into) to merge, and only then.")
	}
	if err := cannotMerge(m.Check(ctx, w.Change)); err != nil {
		return merged{}, err
	}
	done := merged{Merge: m}
	for _, record := range records {
		list, err := alerts.Unresolved(ctx, w.records.alerts, alerts.Filter{Patient: record})
		if err != nil {
			return done, err
		}
		done.Unresolved += len(list)
	}
	if body.DryRun {
		return done, nil
	}
	for _, record := range records {
		actsFor(ctx, record, m.From, m.Reason)
	}
	if err := cannotMerge(m.Make(ctx, w.Change)); err != nil {
		return done, err
	}
	w.Log.Info("records of patients merged", "undone", undo, "account", who.Account, "token", who.Token)
	return done, nil
}

// bothRecords are the two that a merge is about, once it is known that who asks may change
// both.
func (w *Workspace) bothRecords(r *http.Request, m registry.Merge, undo bool) ([]string, error) {
	records := []string{m.From}
	if m.Into != "" && !undo {
		records = append(records, m.Into)
	}
	if undo {
		merges, err := w.Change.Merges(r.Context())
		if err != nil {
			return nil, err
		}
		if into := registry.PersonsOf(merges)[m.From]; into != "" {
			records = append(records, into)
		}
	}
	for _, record := range records {
		for _, right := range []access.Right{access.SeePatients, access.Enrol} {
			ok, err := w.records.mayFor(r.Context(), right, record)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, errNoItem[registry.KindPatient]
			}
		}
	}
	return records, nil
}

// cannotMerge is why a merge cannot be made, as it is answered.
func cannotMerge(err error) error {
	var cannot *registry.CannotMerge
	if errors.As(err, &cannot) {
		return &alerts.Refused{Code: alerts.Code(cannot.Code), Text: cannot.Text}
	}
	return err
}
