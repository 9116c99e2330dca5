package workspace

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// identityPart is the identity of a patient as it stands and as it was, with the form by
// which a person corrects it and says that it was checked against a document.
type identityPart struct {
	Seen     string            // the version that the page shows: the form is about that
	Given    registry.Identity // as it was received
	Strict   registry.Identity
	Status   string
	Leaves   bool // the matricule may leave
	Denied   []denial
	Versions []identityRow
	Changes  bool // who asks may change it
	Done     bool
}

// denial is a trait that the matricule contradicts.
type denial struct {
	Trait, Text string
	Confirmed   bool
}

// identityRow is one line of the history of an identity.
type identityRow struct {
	At             *stamp
	By, Status     string
	Traits, Number string
}

// Fields are the traits that are typed as text.
func (*identityPart) Fields() []string {
	return []string{"birth_name", "given_names", "first_given_name", "birth_place", "ins"}
}

// Kept is what was typed into a field, or what stands in the identity.
func (v enrolView) Kept(name string) string {
	i := &v.Identity.Given
	return v.Was(name, map[string]string{"ins": i.INS, "oid": i.OID, "birth_name": i.BirthName, "given_names": i.GivenNames, "first_given_name": i.FirstGiven,
		"sex": i.Sex, "birth_date": i.BirthDate, "birth_place": i.BirthPlace, "status": string(i.Status)}[name])
}

// matricules are the kinds of matricules.
func (v view) matricules(chosen string) (list []choice) {
	for _, kind := range [][2]string{{registry.OIDNIR, "nir"}, {registry.OIDNIA, "nia"}, {registry.OIDTest, "test"}, {registry.OIDDemo, "demo"}} {
		list = append(list, choice{kind[0], v.T("enrol.oid." + kind[1]), kind[0] == chosen})
	}
	return list
}

// patientIdentity is the identity of a patient as a program reads it.
type patientIdentity struct {
	Patient        string                     `json:"patient"`
	Strict         registry.Identity          `json:"strict"` // its traits in capitals without diacritics
	Qualified      bool                       `json:"qualified"`
	Contradictions []string                   `json:"contradictions"` // traits that the matricule contradicts, confirmed or not
	History        []registry.IdentityVersion `json:"history"`        // as received, oldest first
}

// identity answers with the identity of a patient and its history; the look is logged.
func (w *Workspace) identity(rw http.ResponseWriter, r *http.Request) {
	patient, versions, err := w.identityOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	strict := patient.Identity.Strict()
	strict.Contact = nil
	w.reply(rw, r, http.StatusOK, patientIdentity{patient.ID, strict, strict.Qualified(), append([]string{}, strict.Contradictions()...), versions})
}

func (w *Workspace) identityOf(r *http.Request) (*registry.Patient, []registry.IdentityVersion, error) {
	item, err := w.item(r, sections[0])
	if err != nil {
		return nil, nil, err
	}
	patient := item.(*registry.Patient)
	versions, err := w.Change.IdentityVersions(r.Context(), patient.ID, w.by(r))
	return patient, versions, err
}

func (w *Workspace) identityPage(rw http.ResponseWriter, r *http.Request) {
	w.showIdentity(rw, r, http.StatusOK, enrolView{view: w.view(r, "identity.title"), Identity: &identityPart{Done: r.URL.Query().Get("done") != ""}})
}

func (w *Workspace) showIdentity(rw http.ResponseWriter, r *http.Request, status int, v enrolView) {
	patient, versions, err := w.identityOf(r)
	i := v.Identity
	if err == nil {
		err = w.whose(r.Context(), &v.view, &v.Person, patient.ID)
	}
	if err == nil {
		i.Changes, err = w.records.mayFor(r.Context(), access.Enrol, patient.ID)
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Patient, i.Seen = patient.ID, registry.Tag(patient)
	i.Given, i.Strict = patient.Identity, patient.Identity.Strict()
	i.Status, i.Leaves = v.identityStatus(&i.Given), i.Given.Qualified()
	v.Matricules = v.matricules(v.Kept("oid"))
	shown := i.Given
	for name, into := range map[string]*string{"ins": &shown.INS, "sex": &shown.Sex, "birth_date": &shown.BirthDate, "birth_place": &shown.BirthPlace} {
		*into = strings.TrimSpace(v.Kept(name))
	}
	for _, trait := range shown.Contradictions() {
		i.Denied = append(i.Denied, denial{trait, v.T("identity.denied." + trait), slices.Contains(i.Given.Confirmed, trait) || slices.Contains(v.Typed["confirmed"], trait)})
	}
	for at := len(versions) - 1; at >= 0; at-- {
		was := versions[at].Identity.Strict()
		i.Versions = append(i.Versions, identityRow{v.Stamp(versions[at].At, ""), versions[at].Author, v.identityStatus(&was),
			strings.Join([]string{was.BirthName, was.GivenNames, was.Sex, was.BirthDate, was.BirthPlace}, ", "), was.INS})
	}
	w.render(rw, r, status, "identity", v)
}

func (v view) identityStatus(i *registry.Identity) string {
	switch {
	case i.Qualified():
		return v.T("identity.qualified")
	case i.Status == registry.ValidIdentity:
		return v.T("identity.validated")
	}
	return v.T("identity.provisional")
}

// identityForm corrects an identity. Who says on the page that it is validated has checked
// the traits of the form.
func (w *Workspace) identityForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	s := sections[0]
	item, err := w.item(r, s)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := enrolView{view: w.view(r, "identity.title"), Typed: r.PostForm, Identity: &identityPart{}}
	if r.PostForm.Get("seen") != registry.Tag(item) {
		v.Error, v.Typed = v.In(errChanged.Text), nil
		w.showIdentity(rw, r, http.StatusPreconditionFailed, v)
		return
	}
	identity := patientIn(r.PostForm)
	identity["status"], identity["confirmed"] = r.PostForm.Get("status"), nil
	if confirmed := r.PostForm["confirmed"]; len(confirmed) > 0 {
		identity["confirmed"] = confirmed
	}
	id := r.PathValue("id")
	change, err := w.begin(r, s, id, item, proposal{patch: map[string]any{"identity": identity}})
	var shown enrolmentView
	if err == nil {
		change.Named = []string{registry.TraitsName(id)}
		shown.view = v.view
		err = w.kept(r, &shown, s, change)
	}
	var refused *alerts.Refused
	switch {
	case err == nil:
		http.Redirect(rw, r, r.URL.Path+"?done=1#done", http.StatusSeeOther)
	case errors.Is(err, errStep):
		v.Faults = shown.Faults
		w.showIdentity(rw, r, http.StatusUnprocessableEntity, v)
	case errors.As(err, &refused):
		v.Error = v.In(refused.Text)
		w.showIdentity(rw, r, statuses[refused.Code], v)
	default:
		w.failPage(rw, r, err)
	}
}
