package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

var (
	errNoEnrolment = refuse(alerts.Unknown, "Aucune inclusion ne porte cette référence.", "There is no enrolment with this reference.")
	errNoMatch     = refuse(codeNoMatch,
		"Donnez dans « If-Match » l'« ETag » de l'inclusion que vous avez lue : une modification porte sur ce qui a été lu.",
		"Give in “If-Match” the “ETag” of the enrolment that you read: a change is about what was read.")
	errChanged = refuse(codeChanged,
		"Quelqu'un d'autre a modifié cette inclusion depuis : lisez-la de nouveau.",
		"Somebody else has changed this enrolment since: read it again.")
	errNotAsFile = refuse(codeUnusable, "La modification n'est pas acceptable : rien n'a changé.", "The change cannot be accepted: nothing was changed.")
	errLoosens   = refuse(codeLoosens,
		"Le patient serait moins surveillé : nommez-le dans « allow_loosening » si c'est voulu. Rien n'a changé.",
		"Less of the patient would be watched: name it in “allow_loosening” if it is meant. Nothing was changed.")
)

// patientEnrolments lists the enrolments of a patient, oldest first.
func (w *Workspace) patientEnrolments(rw http.ResponseWriter, r *http.Request) {
	patient := r.PathValue("id")
	ok, err := w.records.mayFor(r.Context(), access.SeePatients, patient)
	if err != nil || !ok {
		w.fail(rw, r, errors.Join(err, errNoEnrolment))
		return
	}
	saw(r.Context(), patient)
	list, err := w.Enrolments(r.Context(), patient)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	all := make([]json.RawMessage, len(list))
	for i := range list {
		if all[i], err = list[i].JSON(); err != nil {
			w.fail(rw, r, err)
			return
		}
	}
	w.reply(rw, r, http.StatusOK, map[string]any{"enrolments": all})
}

// enrolment returns one that may be seen.
func (w *Workspace) enrolment(r *http.Request) (*registry.Enrolment, error) {
	e, err := w.Change.Enrolment(r.Context(), r.PathValue("id"))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, errNoEnrolment
	}
	if err != nil {
		return nil, err
	}
	if ok, err := w.records.mayFor(r.Context(), access.SeePatients, e.Patient); err != nil || !ok {
		return nil, errors.Join(err, errNoEnrolment)
	}
	saw(r.Context(), e.Patient)
	return e, nil
}

func (w *Workspace) showEnrolment(rw http.ResponseWriter, r *http.Request) {
	e, err := w.enrolment(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	text, err := e.JSON()
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	rw.Header().Set("ETag", tag(e))
	w.reply(rw, r, http.StatusOK, text)
}

func tag(e *registry.Enrolment) string { return `"` + e.Tag() + `"` }

// changeEnrolment takes a JSON merge patch.
func (w *Workspace) changeEnrolment(rw http.ResponseWriter, r *http.Request) {
	change, err := w.changeOf(rw, r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	done, err := change.Make(r.Context(), w.Change, w.Protocol)
	switch {
	case errors.Is(err, registry.ErrChanged):
		w.fail(rw, r, errChanged)
	case err != nil:
		w.fail(rw, r, err)
	case registry.Refused(done.Problems):
		w.fail(rw, r, &unacceptable{errNotAsFile, faultsOf(done, languageOf(r)), nil})
	case len(done.Unnamed) > 0 && !change.DryRun:
		w.fail(rw, r, &unacceptable{errLoosens, nil, done.Unnamed})
	default:
		w.answerChanged(rw, r, change, done)
	}
}

// changeOf reads what is to be changed, by whom, and writes into the trail that it is.
func (w *Workspace) changeOf(rw http.ResponseWriter, r *http.Request) (registry.Change, error) {
	e, err := w.enrolment(r)
	if err != nil {
		return registry.Change{}, err
	}
	query, err := queryOf(r)
	if err != nil {
		return registry.Change{}, err
	}
	who, now := access.From(r.Context()), w.Now()
	c := registry.Change{
		Enrolment: e.ID, Seen: strings.Trim(r.Header.Get("If-Match"), `"`), Author: who.Name, At: now,
		DryRun: query.Get("dry_run") == "1", Named: listed(query["allow_loosening"]),
		May: func(changed []registry.Difference) error { return w.mayChange(r.Context(), e.Patient, changed) },
	}
	if c.Seen == "" {
		return c, errNoMatch
	}
	if err := readBody(rw, r, &c.Patch); err != nil {
		return c, err
	}
	if err := sign(c.Patch, e, who.Name, now); err != nil {
		return c, err
	}
	if !c.DryRun {
		actsFor(r.Context(), e.Patient, e.ID, "")
	}
	return c, nil
}

// listed splits lists that are repeated or separated by commas.
func listed(values []string) (all []string) {
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

// sign puts the account that changes a setting, or adds a pause, where a file says who
// decided it. Nobody decides in another's name.
func sign(patch map[string]any, former *registry.Enrolment, author string, now time.Time) error {
	settings, _ := patch["settings"].(map[string]any)
	for _, setting := range settings {
		s, isObject := setting.(map[string]any)
		if !isObject {
			continue
		}
		if s["author"] != nil || s["date"] != nil {
			return errAuthorGiven
		}
		s["author"], s["date"] = author, now.UTC().Format(time.RFC3339)
	}
	pauses, _ := patch["pauses"].([]any)
	for _, pause := range pauses {
		p, isObject := pause.(map[string]any)
		if !isObject {
			continue
		}
		stood := func(f protocols.Pause) bool { return f.Author == p["author"] && f.Reason == p["reason"] }
		if !slices.ContainsFunc(former.Pauses, stood) {
			p["author"] = author
		}
	}
	return nil
}

// prescribed are the fields of an enrolment that a physician decides.
var prescribed = []string{"settings", "version", "protocol", "prescription_end", "physician"}

// mayChange refuses what the role of who asks does not allow for the patient.
func (w *Workspace) mayChange(ctx context.Context, patient string, changed []registry.Difference) error {
	for _, d := range changed {
		right := access.Enrol
		if what, _, _ := strings.Cut(d.Field, "."); slices.Contains(prescribed, what) {
			right = access.Prescribe
		}
		if ok, err := w.records.mayFor(ctx, right, patient); err != nil || !ok {
			return errors.Join(err, errNotAllowed)
		}
	}
	return nil
}

// field is a change of one field, before and after.
type field struct {
	Field   string `json:"field"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Loosens bool   `json:"loosens,omitempty"`
	Name    string `json:"name,omitempty"` // for allow_loosening
}

func (w *Workspace) answerChanged(rw http.ResponseWriter, r *http.Request, change registry.Change, done *registry.Changed) {
	text, err := done.Enrolment.JSON()
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	fields := make([]field, len(done.Fields))
	for i := range done.Fields {
		d := &done.Fields[i]
		fields[i] = field{Field: d.Field, Before: d.Before, After: d.After, Loosens: d.Loosens}
		if d.Loosens {
			fields[i].Name = d.Name()
		}
	}
	if !change.DryRun {
		rw.Header().Set("ETag", tag(done.Enrolment))
		who := access.From(r.Context())
		w.Log.Info("enrolment changed", "enrolment", change.Enrolment, "fields", len(fields), "account", who.Account, "token", who.Token)
	}
	w.reply(rw, r, http.StatusOK, map[string]any{"enrolment": text, "changes": fields, "warnings": faultsOf(done, languageOf(r)), "dry_run": change.DryRun})
}

// fault is something that is wrong with a change, as an import says it.
type fault struct {
	Path       string `json:"path"`
	Code       string `json:"code"`
	Detail     string `json:"detail"`
	Suggestion string `json:"suggestion,omitempty"`
}

func faultsOf(done *registry.Changed, language string) []fault {
	all := make([]fault, 0, len(done.Problems))
	for _, p := range done.Problems {
		all = append(all, fault{Path: strings.TrimPrefix(p.Path, "enrolments[0]."), Code: p.Code, Detail: p.Message.In(language), Suggestion: p.Suggestion.In(language)})
	}
	return all
}

// unacceptable is a change that is refused for what is in it.
type unacceptable struct {
	*alerts.Refused
	faults  []fault
	unnamed []string
}

func (u *unacceptable) Unwrap() error { return u.Refused }
