package workspace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
	strict "vigie/protocols/document"
)

// Registrar is the registry as programs read and change it.
type Registrar interface {
	registry.Movable
	Teams(ctx context.Context) ([]registry.Team, error)
	Devices(ctx context.Context, after string, limit int) ([]registry.Device, error)
	Enrolments(ctx context.Context, after string, limit int) ([]registry.Enrolment, error)
	PatientsWithINS(ctx context.Context, ins string) ([]string, error)
	EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error)
	Merges(ctx context.Context) ([]registry.Merge, error)
	IdentityVersions(ctx context.Context, patient string, access registry.Access) ([]registry.IdentityVersion, error)
}

var (
	errNoItem = map[string]*alerts.Refused{
		registry.KindEnrolment: refuse(alerts.Unknown, "Aucune inclusion ne porte cette référence.", "There is no enrolment with this reference."),
		registry.KindPatient:   refuse(alerts.Unknown, "Aucun patient ne porte cette référence.", "There is no patient with this reference."),
		registry.KindDevice:    refuse(alerts.Unknown, "Aucun appareil ne porte ce nom.", "There is no device of this name."),
		registry.KindTeam:      refuse(alerts.Unknown, "Aucune équipe ne porte cette référence.", "There is no team with this reference."),
	}
	errNoMatch = refuse(codeNoMatch,
		"Donnez dans « If-Match » l'« ETag » de ce que vous avez lu, ou « If-None-Match: * » pour ce qui doit être nouveau : une modification porte sur ce qui a été lu.",
		"Give in “If-Match” the “ETag” of what you read, or “If-None-Match: *” for what is to be new: a change is about what was read.")
	errChanged = refuse(codeChanged,
		"Quelqu'un d'autre l'a modifié depuis : lisez de nouveau.",
		"Somebody else has changed it since: read it again.")
	errExists = refuse(codeExists,
		"Cette référence est déjà prise, et par autre chose : lisez ce qui s'y trouve.",
		"This reference is taken already, and by something else: read what is there.")
	errUsed = refuse(codeUsed,
		"Une inclusion le nomme : ce qui a servi au suivi d'un patient ne s'enlève pas.",
		"An enrolment names it: what has served to follow a patient is not taken out.")
	errProposes = refuse(codeNotAllowed,
		"Seul un médecin inclut un patient : proposez-le avec « proposed », un médecin validera.",
		"Only a physician enrols a patient: propose it with “proposed”, and a physician validates it.")
	errProposed  = refuse(codeUnusable, "Cette inclusion n'est pas une proposition : il n'y a rien à valider.", "This enrolment is not a proposal: nothing is to be validated.")
	errNotAsFile = refuse(codeUnusable, "La modification n'est pas acceptable : rien n'a changé.", "The change cannot be accepted: nothing was changed.")
	errLoosens   = refuse(codeLoosens,
		"Le patient serait moins surveillé : nommez-le dans « allow_loosening » si c'est voulu. Rien n'a changé.",
		"Less of the patient would be watched: name it in “allow_loosening” if it is meant. Nothing was changed.")
)

// section is one kind of item of the registry as programs reach it.
type section struct {
	kind   string
	path   string       // "patients"
	prefix string       // of an id that is made here: "p-"
	key    string       // what holds the id in an item
	see    access.Right // to read one
	add    access.Right // to add one
	change access.Right // to get as far as a change; what concerns a field is asked again, see mayChange
}

// sections is the one table of what programs read and change of the registry.
var sections = []section{
	{registry.KindPatient, "patients", "p-", "id", access.SeeIdentity, access.Enrol, access.Enrol},
	{registry.KindDevice, "devices", "d-", "name", access.SeeDevices, access.Enrol, access.Enrol},
	{registry.KindEnrolment, "enrolments", "e-", "id", access.SeePatients, access.Enrol, access.SeePatients},
	{registry.KindTeam, "teams", "t-", "id", access.ManageTeam, access.ManageTeam, access.ManageTeam},
}

// registryRoutes are those of the sections, and of what stands inside an enrolment.
func (w *Workspace) registryRoutes() []route {
	var list []route
	for _, s := range sections {
		all, one := "/api/v1/"+s.path, "/api/v1/"+s.path+"/{id}"
		list = append(list,
			route{"GET " + all, program, s.see, w.listItems(s)},
			route{"POST " + all, program, s.add, w.addItem(s)},
			route{"GET " + one, program, s.see, w.showItem(s)},
			route{"PUT " + one, program, s.change, w.changeItem(s, wholeOf)},
			route{"PATCH " + one, program, s.change, w.changeItem(s, patchOf)},
			route{"DELETE " + one, program, s.change, w.removeItem(s)},
		)
	}
	devices, enrolments := sections[1], sections[2]
	return append(list,
		route{"POST /api/v1/enrolments/{id}/validate", program, access.Prescribe, w.changeItem(enrolments, validation)},
		route{"POST /api/v1/enrolments/migrate", program, access.Prescribe, w.moveVersion},
		route{"POST /api/v1/devices/{id}/password", program, access.Enrol, w.changeItem(devices, anotherPassword)},
		route{"GET /api/v1/patients/{id}/identity", program, access.SeeIdentity, w.identity},
		route{"POST /api/v1/patients/{id}/merge", program, access.Enrol, w.mergePatients(false)},
		route{"POST /api/v1/patients/{id}/unmerge", program, access.Enrol, w.mergePatients(true)},
		route{"GET /api/v1/patients/{id}/enrolments", program, access.SeePatients, w.patientEnrolments},
		route{"GET /api/v1/enrolments/{id}/settings", program, access.SeePatients, w.showPart("settings")},
		route{"GET /api/v1/enrolments/{id}/settings/{name}", program, access.SeePatients, w.showPart("settings")},
		route{"PUT /api/v1/enrolments/{id}/settings/{name}", program, access.Prescribe, w.changeItem(enrolments, setting)},
		route{"DELETE /api/v1/enrolments/{id}/settings/{name}", program, access.Prescribe, w.changeItem(enrolments, noSetting)},
		route{"GET /api/v1/enrolments/{id}/consent", program, access.SeePatients, w.showPart("consent")},
		route{"PUT /api/v1/enrolments/{id}/consent", program, access.Enrol, w.changeItem(enrolments, wholeConsent)},
		route{"PATCH /api/v1/enrolments/{id}/consent", program, access.Enrol, w.changeItem(enrolments, consent)},
		route{"GET /api/v1/enrolments/{id}/pauses", program, access.SeePatients, w.showPart("pauses")},
		route{"POST /api/v1/enrolments/{id}/pauses", program, access.Enrol, w.changeItem(enrolments, onePause)},
		route{"DELETE /api/v1/enrolments/{id}/pauses/{number}", program, access.Enrol, w.changeItem(enrolments, noPause)},
	)
}

// concerns lists the patients whom an item is about.
func (w *Workspace) concerns(ctx context.Context, item any) ([]string, error) {
	switch one := item.(type) {
	case *registry.Patient:
		return []string{one.ID}, nil
	case *registry.Enrolment:
		return []string{one.Patient}, nil
	case *registry.Device:
		assignment, err := w.Change.Device(ctx, one.Name)
		if errors.Is(err, registry.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var patients []string
		for i := range assignment.Enrolments {
			patients = append(patients, assignment.Enrolments[i].Patient)
		}
		slices.Sort(patients)
		return slices.Compact(patients), nil
	}
	return nil, nil
}

// mayOf reports whether who asks holds a right for an item: for one of the patients whom
// it is about, or for whoever there is where it is about none.
func (w *Workspace) mayOf(ctx context.Context, right access.Right, item any) (bool, error) {
	if team, isTeam := item.(*registry.Team); isTeam {
		return access.From(ctx).MayIn(right, team.ID), nil
	}
	patients, err := w.concerns(ctx, item)
	if err != nil || len(patients) == 0 {
		return access.From(ctx).May(right), err
	}
	for _, patient := range patients {
		if ok, err := w.records.mayFor(ctx, right, patient); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// by is who asks, as the registry writes it down.
func (w *Workspace) by(r *http.Request) registry.Access {
	return registry.Access{Author: access.From(r.Context()).Name, Reason: r.Pattern, At: w.Now()}
}

// item returns one that may be seen.
func (w *Workspace) item(r *http.Request, s section) (any, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if s.kind == registry.KindPatient { // asked before the identity is read, which is logged
		if ok, err := w.records.mayFor(ctx, s.see, id); err != nil || !ok {
			return nil, errors.Join(err, errNoItem[s.kind])
		}
	}
	item, err := registry.Find(ctx, w.Change, registry.Item{Kind: s.kind, ID: id}, w.by(r))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, errNoItem[s.kind]
	}
	if err != nil {
		return nil, err
	}
	if ok, err := w.mayOf(ctx, s.see, item); err != nil || !ok {
		return nil, errors.Join(err, errNoItem[s.kind])
	}
	switch one := item.(type) {
	case *registry.Patient:
		saw(ctx, one.ID)
	case *registry.Enrolment:
		saw(ctx, one.Patient)
	}
	return item, nil
}

func tag(item any) string { return `"` + registry.Tag(item) + `"` }

func (w *Workspace) showItem(s section) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		item, err := w.item(r, s)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		text, err := registry.JSON(item)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		rw.Header().Set("ETag", tag(item))
		w.reply(rw, r, http.StatusOK, text)
	}
}

// showPart shows what stands under a key of an enrolment; with a name in the path, what
// stands under that.
func (w *Workspace) showPart(key string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		item, err := w.item(r, sections[2])
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		object, err := registry.Object(item)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		rw.Header().Set("ETag", tag(item))
		part := object[key]
		if part == nil && key == "pauses" {
			part = []any{}
		} else if part == nil {
			part = map[string]any{}
		}
		name := r.PathValue("name")
		if name == "" {
			w.reply(rw, r, http.StatusOK, map[string]any{key: part})
			return
		}
		one, set := part.(map[string]any)[name]
		if !set {
			w.fail(rw, r, errNoSetting)
			return
		}
		w.reply(rw, r, http.StatusOK, one)
	}
}

// addItem adds an item. An id that it does not name is made here: from the
// Idempotency-Key where there is one, so that the same request sent twice adds one.
func (w *Workspace) addItem(s section) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body := map[string]any{}
		if err := readBody(rw, r, &body); err != nil {
			w.fail(rw, r, err)
			return
		}
		id, named := body[s.key].(string)
		if !named {
			id = madeID(s, access.From(r.Context()), r.Header.Get("Idempotency-Key"))
		}
		change, err := w.begin(r, s, id, nil, proposal{whole: body})
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		done, err := change.Make(r.Context(), w.Change, w.Protocol)
		status := http.StatusCreated
		if errors.Is(err, registry.ErrChanged) && r.Header.Get("Idempotency-Key") != "" {
			status = http.StatusOK
			done, err = w.sentAgain(r, s, id, body)
		} else if errors.Is(err, registry.ErrChanged) {
			err = errExists
		}
		if err == nil {
			rw.Header().Set("Location", "/api/v1/"+s.path+"/"+id)
		}
		w.answerChange(rw, r, s, change, done, err, status)
	}
}

// madeID is an id for a new item. With a key it is always the same for who asks.
func madeID(s section, who access.Who, key string) string {
	if key == "" {
		key = rand.Text()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{s.kind, who.Account, who.Token, key}, "\x00")))
	return s.prefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:12]
}

// sentAgain returns what a request with an Idempotency-Key added when it came first.
func (w *Workspace) sentAgain(r *http.Request, s section, id string, body map[string]any) (*registry.Changed, error) {
	item := registry.Item{Kind: s.kind, ID: id}
	former, err := registry.Find(r.Context(), w.Change, item, w.by(r))
	if err != nil {
		return nil, err
	}
	if ok, err := w.mayOf(r.Context(), s.see, former); err != nil || !ok {
		return nil, errors.Join(err, errExists)
	}
	again := registry.Change{Item: item, Whole: body, Seen: registry.Tag(former), DryRun: true, By: w.by(r)}
	done, err := again.Make(r.Context(), w.Change, w.Protocol)
	if err == nil && (registry.Refused(done.Problems) || len(done.Fields) > 0) {
		err = errExists
	}
	if err == nil {
		done.Item = former
	}
	return done, err
}

// changeItem changes an item into what a request says, under its version.
func (w *Workspace) changeItem(s section, into become) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		former, err := w.conditioned(r, s)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		wanted, err := into(w, rw, r, former)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		change, err := w.begin(r, s, r.PathValue("id"), former, wanted)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		done, err := change.Make(r.Context(), w.Change, w.Protocol)
		if fresh, _ := wanted.patch["password"].(string); err == nil && s.kind == registry.KindDevice && fresh != "" && strings.HasSuffix(r.Pattern, "/password") && !change.DryRun {
			done.Password = fresh
		}
		status := http.StatusOK
		if former == nil {
			status = http.StatusCreated
		}
		w.answerChange(rw, r, s, change, done, err, status)
	}
}

// conditioned returns the item that a request changes, as it was read; nil for one that
// is to be new.
func (w *Workspace) conditioned(r *http.Request, s section) (any, error) {
	if r.Header.Get("If-None-Match") == "*" && r.Method == http.MethodPut {
		return nil, nil
	}
	item, err := w.item(r, s)
	if err != nil {
		return nil, err
	}
	switch unquoted(r.Header.Get("If-Match")) {
	case "":
		return nil, errNoMatch
	case registry.Tag(item):
		return item, nil
	}
	return nil, errChanged
}

// unknownPatient is what a file says of a patient who is not there.
func unknownPatient(id, language string) *unacceptable {
	said := protocols.Say("aucun patient « %s »", "no patient %q", id)
	return &unacceptable{errNotAsFile, []fault{{Path: "patient", Code: "unknown-patient", Detail: said.In(language)}}, nil}
}

// removeItem takes out what no enrolment names. An enrolment itself ends now.
func (w *Workspace) removeItem(s section) http.HandlerFunc {
	if s.kind == registry.KindEnrolment {
		return w.changeItem(s, endNow)
	}
	return func(rw http.ResponseWriter, r *http.Request) {
		former, err := w.conditioned(r, s)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		change, err := w.begin(r, s, r.PathValue("id"), former, proposal{})
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		change.Remove = true
		done, err := change.Make(r.Context(), w.Change, w.Protocol)
		w.answerChange(rw, r, s, change, done, err, http.StatusNoContent)
	}
}

// fault is something that is wrong with a change, as an import says it.
type fault struct {
	Path       string `json:"path"`
	Code       string `json:"code"`
	Detail     string `json:"detail"`
	Suggestion string `json:"suggestion,omitempty"`
}

// faultsOf says what is wrong. The place of the one item of a section is left out of paths.
func faultsOf(s section, problems []strict.Problem, language string) []fault {
	all := make([]fault, 0, len(problems))
	for _, p := range problems {
		path := strings.TrimPrefix(strings.TrimPrefix(p.Path, s.path+"[0]"), ".")
		all = append(all, fault{Path: path, Code: p.Code, Detail: p.Message.In(language), Suggestion: p.Suggestion.In(language)})
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

// patientEnrolments lists the enrolments of a patient, oldest first.
func (w *Workspace) patientEnrolments(rw http.ResponseWriter, r *http.Request) {
	patient := r.PathValue("id")
	ok, err := w.records.mayFor(r.Context(), access.SeePatients, patient)
	if err != nil || !ok {
		w.fail(rw, r, errors.Join(err, errNoItem[registry.KindEnrolment]))
		return
	}
	list, err := w.Enrolments(r.Context(), patient)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	if len(list) > 0 { // else it may be the reference of nobody, or of somebody who was erased
		saw(r.Context(), patient)
	}
	all := make([]json.RawMessage, len(list))
	for i := range list {
		if all[i], err = registry.JSON(&list[i]); err != nil {
			w.fail(rw, r, err)
			return
		}
	}
	w.reply(rw, r, http.StatusOK, map[string]any{"enrolments": all})
}
