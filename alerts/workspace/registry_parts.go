package workspace

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
)

var (
	errNoSetting = refuse(alerts.Unknown, "Aucun réglage ne porte ce nom.", "There is no setting of this name.")
	errNoPause   = refuse(alerts.Unknown, "Il n'y a pas de pause de ce numéro : comptez-les depuis 1.", "There is no pause of this number: count them from 1.")
)

// setting is a setting of an enrolment: {"value", "reason"}.
func setting(_ *Workspace, rw http.ResponseWriter, r *http.Request, _ any) (proposal, error) {
	body := map[string]any{}
	err := readBody(rw, r, &body)
	return proposal{patch: map[string]any{"settings": map[string]any{r.PathValue("name"): body}}}, err
}

// noSetting takes a setting away: the protocol's own value holds again.
func noSetting(_ *Workspace, _ http.ResponseWriter, r *http.Request, former any) (proposal, error) {
	name := r.PathValue("name")
	if _, set := former.(*registry.Enrolment).Settings[name]; !set {
		return proposal{}, errNoSetting
	}
	return proposal{patch: map[string]any{"settings": map[string]any{name: nil}}}, nil
}

// consent is a merge patch of the consent.
func consent(_ *Workspace, rw http.ResponseWriter, r *http.Request, _ any) (proposal, error) {
	body := map[string]any{}
	err := readBody(rw, r, &body)
	return proposal{patch: map[string]any{"consent": body}}, err
}

// wholeConsent is the consent as it is to be: what it does not name is taken away.
func wholeConsent(_ *Workspace, rw http.ResponseWriter, r *http.Request, former any) (proposal, error) {
	body := map[string]any{}
	if err := readBody(rw, r, &body); err != nil {
		return proposal{}, err
	}
	object, err := registry.Object(former)
	if err != nil {
		return proposal{}, err
	}
	kept, _ := object["consent"].(map[string]any)
	for name := range kept {
		if _, given := body[name]; !given {
			body[name] = nil
		}
	}
	return proposal{patch: map[string]any{"consent": body}}, nil
}

// onePause adds a pause: {"from", "until", "reason"}.
func onePause(_ *Workspace, rw http.ResponseWriter, r *http.Request, former any) (proposal, error) {
	body := map[string]any{}
	if err := readBody(rw, r, &body); err != nil {
		return proposal{}, err
	}
	pauses, err := pausesOf(former)
	return proposal{patch: map[string]any{"pauses": append(pauses, body)}}, err
}

func pausesOf(former any) ([]any, error) {
	object, err := registry.Object(former)
	if err != nil {
		return nil, err
	}
	pauses, _ := object["pauses"].([]any)
	return pauses, nil
}

// noPause takes a pause away that has not begun, and ends now one that has.
func noPause(w *Workspace, _ http.ResponseWriter, r *http.Request, former any) (proposal, error) {
	e := former.(*registry.Enrolment)
	pauses, err := pausesOf(former)
	if err != nil {
		return proposal{}, err
	}
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(e.Pauses) || n > len(pauses) {
		return proposal{}, errNoPause
	}
	now := w.Now().UTC().Truncate(time.Second)
	switch pause := e.Pauses[n-1]; {
	case now.After(pause.From) && now.Before(pause.Until):
		pauses[n-1].(map[string]any)["until"] = now.Format(time.RFC3339)
	case !now.After(pause.From):
		pauses = slices.Delete(pauses, n-1, n)
	}
	return proposal{patch: map[string]any{"pauses": pauses}, ours: true}, nil
}

// validation is a proposal that who asks validates.
func validation(w *Workspace, _ http.ResponseWriter, r *http.Request, former any) (proposal, error) {
	if !former.(*registry.Enrolment).Proposed {
		return proposal{}, errProposed
	}
	return proposal{patch: map[string]any{"proposed": false}}, nil
}

// endNow ends an enrolment.
func endNow(w *Workspace, _ http.ResponseWriter, _ *http.Request, former any) (proposal, error) {
	now := w.Now().UTC().Truncate(time.Second)
	if end := former.(*registry.Enrolment).Prescription; end.Before(now) {
		return proposal{patch: map[string]any{}}, nil // it has ended
	}
	return proposal{patch: map[string]any{"prescription_end": now.Format(time.RFC3339)}}, nil
}

// sign puts who asks where a file says who decided: a setting that changes, a pause that
// is added, an override of a rota. What stands already keeps its author. Nobody decides
// in another's name.
func sign(given map[string]any, former any, by registry.Access) error {
	kept := map[string]any{}
	if former != nil && given != nil {
		var err error
		if kept, err = registry.Object(former); err != nil {
			return err
		}
	}
	settings, _ := given["settings"].(map[string]any)
	before, _ := kept["settings"].(map[string]any)
	for name, setting := range settings {
		s, isObject := setting.(map[string]any)
		if !isObject || same(s, before[name]) {
			continue
		}
		if s["author"] != nil || s["date"] != nil {
			return errAuthorGiven
		}
		s["author"], s["date"] = by.Author, by.At.UTC().Format(time.RFC3339)
	}
	if err := signValidation(given, former, kept, by); err != nil {
		return err
	}
	signList(given["pauses"], kept["pauses"], by.Author)
	rota, _ := given["rota"].(map[string]any)
	keptRota, _ := kept["rota"].(map[string]any)
	signList(rota["overrides"], keptRota["overrides"], by.Author)
	return nil
}

// signValidation has a proposal that is one no longer validated by who asks. It begins
// then, or later where it says so.
func signValidation(given map[string]any, former any, kept map[string]any, by registry.Access) error {
	if validated, says := given["validated"]; says && !same(validated, kept["validated"]) {
		return errAuthorGiven
	}
	e, is := former.(*registry.Enrolment)
	if given == nil || !is || !e.Proposed {
		return nil
	}
	proposed, says := given["proposed"]
	_, whole := given["patient"]
	if !says && !whole || proposed == true {
		return nil
	}
	next := e.ValidatedBy(by.Author, by.At.UTC().Truncate(time.Second))
	given["proposed"] = false
	given["validated"] = map[string]any{"author": by.Author, "at": next.Validated.At.Format(time.RFC3339)}
	if from, says := given["from"]; !next.From.Equal(e.From) && (!says || same(from, kept["from"])) {
		given["from"] = next.From.UTC().Format(time.RFC3339)
	}
	return nil
}

// signList signs the items of a list that are not among those of before.
func signList(given, kept any, author string) {
	list, _ := given.([]any)
	before, _ := kept.([]any)
	for _, item := range list {
		one, isObject := item.(map[string]any)
		if !isObject || slices.ContainsFunc(before, func(b any) bool { return same(one, b) }) {
			continue
		}
		one["author"] = author
	}
}

// same compares values as JSON has them, numbers by their value.
func same(a, b any) bool { return reflect.DeepEqual(plainValue(a), plainValue(b)) }

func plainValue(v any) any {
	switch one := v.(type) {
	case map[string]any:
		other := map[string]any{}
		for name, inner := range one {
			other[name] = plainValue(inner)
		}
		return other
	case []any:
		other := make([]any, len(one))
		for i, inner := range one {
			other[i] = plainValue(inner)
		}
		return other
	case interface{ Float64() (float64, error) }:
		if f, err := one.Float64(); err == nil {
			return f
		}
	}
	return v
}
