package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/ingest/registry"
	"vigie/protocols/replay"
)

// A change of one item: what it asks, what it may, and how it is answered.

// proposal is what a request wants an item to become.
type proposal struct {
	patch, whole map[string]any
	ours         bool // made here of what is kept: nothing to sign
}

// become reads from a request what an item is to become. former is nil for a new one.
type become func(w *Workspace, rw http.ResponseWriter, r *http.Request, former any) (proposal, error)

func patchOf(_ *Workspace, rw http.ResponseWriter, r *http.Request, former any) (p proposal, err error) {
	if former == nil {
		return p, errNoMatch
	}
	return p, readBody(rw, r, &p.patch)
}

func wholeOf(_ *Workspace, rw http.ResponseWriter, r *http.Request, _ any) (p proposal, err error) {
	p.whole = map[string]any{}
	return p, readBody(rw, r, &p.whole)
}

func anotherPassword(*Workspace, http.ResponseWriter, *http.Request, any) (proposal, error) {
	return proposal{patch: map[string]any{"password": registry.NewPassword()}}, nil
}

// begin is a change that who asks wants, signed.
func (w *Workspace) begin(r *http.Request, s section, id string, former any, wanted proposal) (registry.Change, error) {
	query, err := queryOf(r)
	if err != nil {
		return registry.Change{}, err
	}
	c := registry.Change{
		Item: registry.Item{Kind: s.kind, ID: id}, Patch: wanted.patch, Whole: wanted.whole, By: w.by(r),
		DryRun: query.Get("dry_run") == "1", Named: listed(query["allow_loosening"]),
	}
	if former != nil {
		c.Seen = registry.Tag(former)
	}
	c.May = func(next any, changed []registry.Difference) error {
		return w.mayChange(r, s, former, next, changed)
	}
	c.Before = func(next any) error { return w.notes(r, next, c.Item) }
	for _, given := range []map[string]any{wanted.patch, wanted.whole} {
		if wanted.ours {
			continue
		}
		if err := sign(given, former, c.By); err != nil {
			return c, err
		}
	}
	return c, nil
}

// notes writes into the trail that an item is changed, before it is.
func (w *Workspace) notes(r *http.Request, next any, item registry.Item) error {
	patients, err := w.concerns(r.Context(), next)
	if err != nil {
		return err
	}
	for _, patient := range patients {
		actsFor(r.Context(), patient, item.String(), "")
	}
	if t := traceOf(r.Context()); t != nil && len(patients) == 0 {
		t.write(trail.Entry{Kind: trail.Act, Deed: t.deed, About: item.String()})
	}
	return nil
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

// prescribed are the fields of an enrolment that a physician decides.
var prescribed = []string{"settings", "version", "protocol", "prescription_end", "physician", "proposed", "validated"}

// mayChange refuses what the role of who asks does not allow: for the item as it is, and
// for the item as it would be.
func (w *Workspace) mayChange(r *http.Request, s section, former, next any, changed []registry.Difference) error {
	if e, is := next.(*registry.Enrolment); is {
		return w.mayEnrol(r, s, former, e, changed)
	}
	right := s.change
	if former == nil {
		right = s.add
	}
	for _, item := range []any{former, next} {
		if item == nil {
			continue
		}
		if ok, err := w.mayOf(r.Context(), right, item); err != nil || !ok {
			return errors.Join(err, errNotAllowed)
		}
	}
	return nil
}

// mayEnrol asks about an enrolment: a new one is of a patient who may be seen and of a
// team of who asks; a change is asked about field by field.
func (w *Workspace) mayEnrol(r *http.Request, s section, former any, next *registry.Enrolment, changed []registry.Difference) error {
	if former == nil {
		ok, err := w.records.mayFor(r.Context(), access.SeePatients, next.Patient)
		if err != nil || !ok {
			return errors.Join(err, unknownPatient(next.Patient, languageOf(r)))
		}
		who := access.From(r.Context())
		switch {
		case who.MayIn(access.Prescribe, next.Team):
			return nil
		case who.MayIn(s.add, next.Team) && !next.Proposed:
			return errProposes
		case who.MayIn(s.add, next.Team):
			return nil
		}
		return errNotAllowed
	}
	proposal := next.Proposed && former.(*registry.Enrolment).Proposed
	for _, d := range changed {
		right := access.Enrol
		if what, _, _ := strings.Cut(d.Field, "."); slices.Contains(prescribed, what) && !proposal {
			right = access.Prescribe
		}
		if ok, err := w.records.mayFor(r.Context(), right, next.Patient); err != nil || !ok {
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

// answerChange says what a change came to.
func (w *Workspace) answerChange(rw http.ResponseWriter, r *http.Request, s section, change registry.Change, done *registry.Changed, err error, status int) {
	switch {
	case errors.Is(err, registry.ErrChanged):
		w.fail(rw, r, errChanged)
	case errors.Is(err, registry.ErrUsed):
		w.fail(rw, r, errUsed)
	case errors.Is(err, registry.ErrNotFound):
		w.fail(rw, r, errNoItem[s.kind])
	case err != nil:
		w.fail(rw, r, err)
	case registry.Refused(done.Problems):
		w.fail(rw, r, &unacceptable{errNotAsFile, faultsOf(s, done.Problems, languageOf(r)), nil})
	case len(done.Unnamed) > 0 && !change.DryRun:
		w.fail(rw, r, &unacceptable{errLoosens, nil, done.Unnamed})
	default:
		w.answerDone(rw, r, s, change, done, status)
	}
}

func (w *Workspace) answerDone(rw http.ResponseWriter, r *http.Request, s section, change registry.Change, done *registry.Changed, status int) {
	if !change.DryRun {
		who := access.From(r.Context())
		w.Log.Info("registry changed", "kind", s.kind, "id", change.Item.ID, "fields", len(done.Fields), "account", who.Account, "token", who.Token)
	}
	if done.Item == nil && !change.DryRun {
		rw.WriteHeader(status)
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
	body := map[string]any{"changes": fields, "warnings": faultsOf(s, done.Problems, languageOf(r)), "dry_run": change.DryRun}
	if done.Item != nil {
		text, err := registry.JSON(done.Item)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		body[s.kind] = text
	}
	if next, is := done.Item.(*registry.Enrolment); is && change.DryRun {
		foreseen, err := w.foreseenVersion(r.Context(), next, done.Fields)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		if foreseen != nil {
			body["foreseen"] = foreseen
		}
	}
	if done.Password != "" {
		body["password"] = done.Password
	}
	if change.DryRun {
		status = http.StatusOK
	} else {
		rw.Header().Set("ETag", tag(done.Item))
	}
	w.reply(rw, r, status, body)
}

// foreseen is what another version of the protocol would have changed.
type foreseen struct {
	From   time.Time       `json:"from"`
	Until  time.Time       `json:"until"`
	Alerts []replay.Change `json:"alerts"` // by rule and level, those of both versions
}

// foreseenVersion replays the last 30 days of an enrolment whose version would change; nil
// where it would not.
func (w *Workspace) foreseenVersion(ctx context.Context, next *registry.Enrolment, changed []registry.Difference) (*foreseen, error) {
	i := slices.IndexFunc(changed, func(d registry.Difference) bool { return d.Field == "version" })
	if i < 0 || w.Preview == nil {
		return nil, nil
	}
	former, err := w.Change.Enrolment(ctx, next.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, previewTakes)
	defer cancel()
	span := replay.Span{From: w.Now().AddDate(0, 0, -usualPreview), To: w.Now()}
	found, err := w.Preview(ctx, []registry.Enrolment{*former, *next}, span)
	if err != nil {
		return nil, fmt.Errorf("replay the enrolment %s: %w", next.ID, err)
	}
	return &foreseen{span.From, span.To, replay.Changes(found[0], found[1])}, nil
}
