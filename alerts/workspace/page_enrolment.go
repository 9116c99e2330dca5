package workspace

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/words"
)

// enrolmentView is how one patient is followed under one protocol, with a form for each
// thing that a person may change of it. Each form is kept by itself: who stops after one
// goes on later.
type enrolmentView struct {
	view
	Person     subject
	Record     string
	ID         string
	Care       careRow
	Seen       string // the version that the page shows: a form is about that
	Conditions []string
	Devices    []string
	Settings   []settingForm
	Pauses     []pauseRow
	Teams      []choice
	End        string // last day of the prescription
	Withdrawn  bool
	Consents   []consentRow
	Said       []consentEvent // what the patient said before, newest first
	Notice     string         // version of the notice that is given today
	Over       bool           // it has ended
	Proposed   bool           // a physician has yet to validate it
	Validated  string
	Enrols     bool // who asks may change devices, pauses, consent and team
	Prescribes bool // and settings and the prescription
	Done       bool
	Error      string
	Faults     []string
	Loosens    []string // what has to be meant
	Again      []sent   // what was typed, to be sent once more
	Step       string   // the form that was refused
	Preview    *preview // of a setting that is about to be changed; nil for none
	Foresees   bool     // a setting is shown before it is kept
}

type settingForm struct{ Name, Title, Value, Bounds, By string }

type pauseRow struct {
	Number int
	Text   string
	Runs   bool
}

// enrolmentSteps are the forms of the page, by what each makes of an enrolment.
var enrolmentSteps = map[string]func(w *Workspace, rw http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error){
	"setting": func(_ *Workspace, _ http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		name, value := r.PostForm.Get("name"), strings.Replace(strings.TrimSpace(r.PostForm.Get("value")), ",", ".", 1)
		if value == "" {
			return proposal{patch: map[string]any{"settings": map[string]any{name: nil}}}, nil
		}
		if !json.Valid([]byte(value)) || strings.ContainsAny(value, `"{[tfn`) {
			return proposal{}, refuse(codeMalformed, "La valeur n'est pas un nombre.", "The value is not a number.")
		}
		return proposal{patch: map[string]any{"settings": map[string]any{name: map[string]any{"value": json.Number(value), "reason": strings.TrimSpace(r.PostForm.Get("reason"))}}}}, nil
	},
	"devices": func(_ *Workspace, _ http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		devices := []any{}
		for _, name := range append(slices.Clone(r.PostForm["device"]), strings.TrimSpace(r.PostForm.Get("add"))) {
			if name != "" && !slices.Contains(devices, any(name)) {
				devices = append(devices, name)
			}
		}
		return proposal{patch: map[string]any{"devices": devices}}, nil
	},
	"pause": func(_ *Workspace, _ http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		pauses, err := pausesOf(e)
		if err != nil {
			return proposal{}, err
		}
		pause := map[string]any{"from": r.PostForm.Get("from"), "until": r.PostForm.Get("until"), "reason": strings.TrimSpace(r.PostForm.Get("reason"))}
		return proposal{patch: map[string]any{"pauses": append(pauses, pause)}}, nil
	},
	"resume": func(w *Workspace, rw http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		r.SetPathValue("number", r.PostForm.Get("number"))
		return noPause(w, rw, r, e)
	},
	"team": func(_ *Workspace, _ http.ResponseWriter, r *http.Request, _ *registry.Enrolment) (proposal, error) {
		return proposal{patch: map[string]any{"team": r.PostForm.Get("team")}}, nil
	},
	"prescription": func(_ *Workspace, _ http.ResponseWriter, r *http.Request, _ *registry.Enrolment) (proposal, error) {
		return proposal{patch: map[string]any{"prescription_end": r.PostForm.Get("until")}}, nil
	},
	"validate": func(w *Workspace, rw http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		return validation(w, rw, r, e)
	},
	"consent": func(w *Workspace, rw http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
		return w.saidConsent(rw, r, e)
	},
	"withdraw": func(w *Workspace, _ http.ResponseWriter, _ *http.Request, _ *registry.Enrolment) (proposal, error) {
		now := w.Now().UTC().Truncate(time.Second)
		return proposal{patch: map[string]any{"consent": map[string]any{"withdrawn": now.Format(time.RFC3339)}}}, nil
	},
}

// enrolmentOf is the enrolment of a request, where it may be seen.
func (w *Workspace) enrolmentOf(r *http.Request) (*registry.Enrolment, error) {
	item, err := w.item(r, sections[2])
	if err != nil {
		return nil, err
	}
	return item.(*registry.Enrolment), nil
}

func (w *Workspace) enrolmentPage(rw http.ResponseWriter, r *http.Request) {
	v := enrolmentView{view: w.view(r, "enrolment.title"), Done: r.URL.Query().Get("done") != ""}
	w.showEnrolment(rw, r, http.StatusOK, v)
}

func (w *Workspace) showEnrolment(rw http.ResponseWriter, r *http.Request, status int, v enrolmentView) {
	e, err := w.enrolmentOf(r)
	if err == nil {
		err = w.fillEnrolment(r.Context(), &v, e)
	}
	if err == nil {
		v.Foresees = w.Preview != nil
		w.previewOf(r.Context(), &v, e, r.URL.Query())
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, status, "enrolment", v)
}

func (w *Workspace) fillEnrolment(ctx context.Context, v *enrolmentView, e *registry.Enrolment) error {
	if err := w.whose(ctx, &v.view, &v.Person, e.Patient); err != nil {
		return err
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return err
	}
	v.zone = zone
	v.Record, v.ID, v.Seen = "/patients/"+url.PathEscape(e.Patient), e.ID, registry.Tag(e)
	v.Care, v.Devices = w.care(v.view, e), e.Devices
	v.End, v.Over = registry.LastDay(e.Prescription, zone).Format(time.DateOnly), !e.Ends().IsZero() && !v.now.Before(e.Ends())
	if v.Proposed = e.Proposed; e.Validated != nil {
		v.Validated = e.Validated.Author + ", " + v.Stamp(e.Validated.At, "").Exact
	}
	v.Withdrawn = !e.Consent.Given || !e.Consent.Withdrawn.IsZero()
	for right, may := range map[access.Right]*bool{access.Enrol: &v.Enrols, access.Prescribe: &v.Prescribes} {
		if *may, err = w.records.mayFor(ctx, right, e.Patient); err != nil {
			return err
		}
	}
	for _, team := range v.TeamList {
		v.Teams = append(v.Teams, choice{team.ID, v.TeamName(team.ID), team.ID == e.Team})
	}
	for i, p := range e.Pauses {
		text := v.Stamp(p.From, "").Exact + " → " + v.Stamp(p.Until, "").Exact + v.T("colon") + p.Reason + " (" + p.Author + ")"
		v.Pauses = append(v.Pauses, pauseRow{i + 1, text, v.now.Before(p.Until)})
	}
	w.fillSettings(v, e)
	return w.fillConsents(ctx, v, e)
}

// fillSettings lists what a protocol lets a physician set, each with its bounds.
func (w *Workspace) fillSettings(v *enrolmentView, e *registry.Enrolment) {
	p := w.protocolOf(e)
	if p == nil {
		return
	}
	v.Conditions = v.conditions(p)
	for i := range p.Parameters {
		parameter := &p.Parameters[i]
		use := words.UsageOf(p, parameter)
		say := func(value protocols.Value) string { return v.Say(value, 0, use.Unit) }
		f := settingForm{Name: parameter.Name, Title: v.In(parameter.Title), Value: say(parameter.Default), By: v.T("why.default")}
		if use.Seeds {
			f.Value, f.By = v.T("setting.none"), ""
		}
		f.Bounds = v.T("enrolment.bounds") + " " + say(parameter.Min) + " " + v.T("enter.and") + " " + say(parameter.Max)
		if s, set := e.Settings[parameter.Name]; set {
			f.Value, f.By = say(s.Value), s.Author+", "+date(v.Language, s.Date.In(v.Zone("")), v.now)+v.T("colon")+s.Reason
		}
		v.Settings = append(v.Settings, f)
	}
}

// enrolmentForm changes one thing, through the checks of an import.
func (w *Workspace) enrolmentForm(rw http.ResponseWriter, r *http.Request) {
	step := r.PathValue("step")
	become, known := enrolmentSteps[step]
	if !known && step != renewal {
		w.failPage(rw, r, errNoPath)
		return
	}
	if err := readStep(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	e, err := w.enrolmentOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := enrolmentView{view: w.view(r, "enrolment.title"), Step: step}
	if r.PostForm.Get("seen") != registry.Tag(e) {
		v.Error = v.In(errChanged.Text)
		w.showEnrolment(rw, r, http.StatusPreconditionFailed, v)
		return
	}
	if step == renewal {
		w.renew(rw, r, v, e)
		return
	}
	wanted, err := become(w, rw, r, e)
	if err == nil {
		var change registry.Change
		if change, err = w.begin(r, sections[2], e.ID, e, wanted); err == nil {
			change.Named = r.PostForm["allow"]
			err = w.kept(r, &v, sections[2], change)
		}
	}
	w.answerStep(rw, r, v, err, "/enrolments/"+url.PathEscape(e.ID)+"?done=1#done")
}

// renewal is the step that goes on, under a prescription of its own, where an enrolment
// ends: with the same devices, settings and consent.
const renewal = "renew"

func (w *Workspace) renew(rw http.ResponseWriter, r *http.Request, v enrolmentView, e *registry.Enrolment) {
	s := sections[2]
	id := madeID(s, access.From(r.Context()), renewal+" "+r.PostForm.Get("seen")+" "+r.PostForm.Get("until"))
	next := e.Renewed(id, e.Prescription.AddDate(0, 6, 0))
	whole, err := registry.Object(&next)
	if err == nil {
		whole["prescription_end"] = r.PostForm.Get("until")
		var change registry.Change
		if change, err = w.begin(r, s, id, nil, proposal{whole: whole, ours: true}); err == nil {
			err = w.kept(r, &v, s, change)
		}
	}
	if errors.Is(err, errChanged) {
		err = nil // it is sent twice, and there already
	}
	w.answerStep(rw, r, v, err, "/enrolments/"+url.PathEscape(id)+"?done=1#done")
}

// errStep is what a form cannot be done for, beside what stands in the view.
var errStep = errors.New("the form is shown again")

// kept makes a change, and says in the view why it was not made.
func (w *Workspace) kept(r *http.Request, v *enrolmentView, s section, change registry.Change) error {
	done, err := change.Make(r.Context(), w.Change, w.Protocol)
	switch {
	case errors.Is(err, registry.ErrChanged):
		return errChanged
	case err != nil:
		return err
	case registry.Refused(done.Problems):
		v.Faults = v.faults(s, done)
		return errStep
	case len(done.Unnamed) > 0:
		v.Loosens = done.Unnamed
		for name, values := range r.PostForm {
			for _, value := range values {
				if name != "allow" {
					v.Again = append(v.Again, sent{name, value})
				}
			}
		}
		slices.SortFunc(v.Again, func(a, b sent) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
		return errStep
	}
	w.Log.Info("registry changed on a page", "kind", s.kind, "id", change.Item.ID, "fields", len(done.Fields), "account", access.From(r.Context()).Account)
	return nil
}

// faults says what is wrong with a change, each with its field.
func (v view) faults(s section, done *registry.Changed) (said []string) {
	for _, f := range faultsOf(s, done.Problems, v.Language) {
		text := f.Detail
		if f.Path != "" {
			text = v.fieldName(f.Path) + v.T("colon") + text
		}
		if f.Suggestion != "" {
			text += " " + f.Suggestion
		}
		said = append(said, text)
	}
	return said
}

// fieldName is the path of a field in words, as far as there are words for it.
func (v view) fieldName(path string) string {
	first, _, _ := strings.Cut(strings.NewReplacer("[", ".", "]", "").Replace(strings.TrimPrefix(path, "identity.")), ".")
	if _, known := catalogue["field."+first]; known {
		return v.T("field." + first)
	}
	return path
}

// answerStep leads on where a form was done, and shows the page anew where it was not.
func (w *Workspace) answerStep(rw http.ResponseWriter, r *http.Request, v enrolmentView, err error, on string) {
	var refused *alerts.Refused
	switch {
	case err == nil:
		http.Redirect(rw, r, on, http.StatusSeeOther)
		return
	case errors.As(err, &refused):
		v.Error = v.In(refused.Text)
		w.showEnrolment(rw, r, statuses[refused.Code], v)
	case errors.Is(err, errStep):
		w.showEnrolment(rw, r, http.StatusUnprocessableEntity, v)
	default:
		w.failPage(rw, r, err)
	}
}

// enrolView is where somebody begins to be followed: the patient first, then under which
// protocol. What is kept so far is kept: the second step has an address of its own.
type enrolView struct {
	view
	Patient    string // empty for the first step
	Person     subject
	Key        string // a form that is sent twice adds one
	Protocols  []choice
	Conditions []conditionRow
	Teams      []choice
	Typed      url.Values
	Today      string
	Error      string
	Faults     []string
	Matricules []choice
	Identity   *identityPart // of the page that corrects it
}

// conditionRow is whom a protocol admits.
type conditionRow struct {
	Title string
	Said  []string
}

// Was is what was typed into a field, or what it begins with.
func (v enrolView) Was(name, begins string) string {
	if v.Typed.Has(name) {
		return v.Typed.Get(name)
	}
	return begins
}

func (w *Workspace) enrolPage(rw http.ResponseWriter, r *http.Request) {
	w.showEnrol(rw, r, http.StatusOK, enrolView{view: w.view(r, "enrol.title")})
}

func (w *Workspace) showEnrol(rw http.ResponseWriter, r *http.Request, status int, v enrolView) {
	v.Patient, v.Matricules = r.PathValue("id"), v.matricules(v.Typed.Get("oid"))
	if v.Key = v.Typed.Get("key"); v.Key == "" {
		v.Key = rand.Text()
	}
	who := access.From(r.Context())
	v.Today = v.now.In(w.clockOf(who, "")).Format(time.DateOnly)
	if v.Patient != "" {
		ok, err := w.records.mayFor(r.Context(), access.SeePatients, v.Patient)
		if err != nil || !ok {
			w.failPage(rw, r, errors.Join(err, errNoItem[registry.KindPatient]))
			return
		}
		if err := w.whose(r.Context(), &v.view, &v.Person, v.Patient); err != nil {
			w.failPage(rw, r, err)
			return
		}
	}
	for _, team := range v.TeamList {
		if who.MayIn(access.SeePatients, team.ID) {
			v.Teams = append(v.Teams, choice{team.ID, v.TeamName(team.ID), team.ID == v.Typed.Get("team")})
		}
	}
	for _, p := range w.Library() {
		key := p.ID + "@" + p.Version
		title := v.In(p.Title) + ", " + v.T("alert.version") + " " + p.Version
		v.Protocols = append(v.Protocols, choice{key, title, key == v.Typed.Get("protocol")})
		v.Conditions = append(v.Conditions, conditionRow{title, v.conditions(p)})
	}
	slices.SortFunc(v.Protocols, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	slices.SortFunc(v.Conditions, func(a, b conditionRow) int { return strings.Compare(a.Title, b.Title) })
	w.render(rw, r, status, "enrol", v)
}

// enrolForm keeps a patient, or puts him under a protocol.
func (w *Workspace) enrolForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	patient, form := r.PathValue("id"), r.PostForm
	s, whole := sections[0], map[string]any{"identity": patientIn(form)}
	if patient != "" {
		s, whole = sections[2], enrolmentIn(form, patient)
		if team, _ := whole["team"].(string); !access.From(r.Context()).MayIn(access.Prescribe, team) {
			whole["proposed"] = true
		}
	}
	v := enrolView{view: w.view(r, "enrol.title"), Typed: form}
	id := madeID(s, access.From(r.Context()), form.Get("key"))
	whole[s.key] = id
	var shown enrolmentView
	change, err := w.begin(r, s, id, nil, proposal{whole: whole})
	if err == nil {
		shown.view = v.view
		err = w.kept(r, &shown, s, change)
	}
	on := "/patients/" + url.PathEscape(id) + "/enrol"
	if patient != "" {
		on = "/enrolments/" + url.PathEscape(id) + "?done=1#done"
	}
	var refused *alerts.Refused
	switch {
	case err == nil, errors.Is(err, errChanged) && form.Get("key") != "": // sent twice: it is there
		http.Redirect(rw, r, on, http.StatusSeeOther)
	case errors.Is(err, errStep):
		v.Faults = shown.Faults
		w.showEnrol(rw, r, http.StatusUnprocessableEntity, v)
	case errors.As(err, &refused):
		v.Error = v.In(refused.Text)
		w.showEnrol(rw, r, statuses[refused.Code], v)
	default:
		w.failPage(rw, r, err)
	}
}

// patientIn reads the identity of a patient. The kind of a matricule says nothing without
// the matricule, which may come later.
func patientIn(form url.Values) map[string]any {
	identity := map[string]any{}
	for _, name := range []string{"ins", "oid", "birth_name", "given_names", "first_given_name", "sex", "birth_date", "birth_place"} {
		identity[name] = strings.TrimSpace(form.Get(name))
	}
	if identity["ins"] == "" {
		identity["ins"], identity["oid"] = nil, nil
	}
	return identity
}

// enrolmentIn reads an enrolment.
func enrolmentIn(form url.Values, patient string) map[string]any {
	id, version, _ := strings.Cut(form.Get("protocol"), "@")
	devices := []any{}
	for name := range strings.FieldsFuncSeq(form.Get("devices"), func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
		devices = append(devices, name)
	}
	return map[string]any{
		"patient": patient, "protocol": id, "version": version, "time_zone": strings.TrimSpace(form.Get("time_zone")), "team": form.Get("team"),
		"physician": strings.TrimSpace(form.Get("physician")), "devices": devices, "from": form.Get("from"), "prescription_end": form.Get("until"),
		"consent": map[string]any{"given": form.Get("given") == "yes", "date": form.Get("consent_date"), "scope": strings.TrimSpace(form.Get("scope"))},
	}
}

// conditions says whom a protocol admits, and with which devices.
func (v view) conditions(p *protocols.Protocol) (said []string) {
	if text := v.In(p.Eligibility.Patient); text != "" {
		said = append(said, text)
	}
	if p.Eligibility.MinAge > 0 {
		said = append(said, v.T("enrol.age")+" "+whole(v.Language, p.Eligibility.MinAge)+" "+v.T("years"))
	}
	if p.Eligibility.MaxAge > 0 {
		said = append(said, v.T("enrol.age.last")+" "+whole(v.Language, p.Eligibility.MaxAge)+" "+v.T("years"))
	}
	var devices []string
	for _, d := range p.Eligibility.Devices {
		title := d.Kind
		if kind := protocols.KindByID(d.Kind); kind != nil {
			title = v.In(kind.Title)
		}
		devices = append(devices, strings.TrimSpace(title+" "+d.Brand+" "+d.Model))
	}
	if len(devices) > 0 {
		said = append(said, v.T("enrol.kinds")+v.T("colon")+strings.Join(devices, ", "))
	}
	return said
}
