package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// ownView is the page on which a patient enters readings himself: first his date of birth,
// then what was measured, then its values.
type ownView struct {
	enterView
	Key     string    // of the link, until the date of birth is shown
	Greeted string    // his first name, once he has shown who he is
	Looks   []lookRow // who opened his record for the first time, newest first
	Traced  bool      // he may read all of it
	Closed  string    // why nothing can be entered; empty when something can
}

const (
	ownCookie = "vigie-own"
	// ownLasts is how long a browser stays open without the link.
	ownLasts = 90 * 24 * time.Hour
	// ownMost is how many readings a patient may enter within ownWithin, so that a link in
	// wrong hands cannot fill the store.
	ownMost   = 40
	ownWithin = time.Hour
)

// born is the date of birth of a patient; empty where none is known.
func (w *Workspace) born(ctx context.Context, patient string) (string, error) {
	face, known, err := w.records.roll.Face(ctx, patient)
	if err != nil || !known {
		return "", err
	}
	return face.BirthDate, nil
}

// own lets only the patient in whose key and date of birth the browser keeps, and shows the
// others how to begin.
func (w *Workspace) own(next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		secret, proof := "", ""
		if cookie, err := r.Cookie(ownCookie); err == nil {
			secret, proof, _ = strings.Cut(cookie.Value, ".")
		}
		if key := r.URL.Query().Get("key"); key != "" && key != secret || secret == "" {
			status := http.StatusOK
			if key == "" {
				status = http.StatusUnauthorized
			}
			w.showBirth(rw, r, status, key, "")
			return
		}
		who, err := w.Accounts.Own(r.Context(), secret, proof, w.addressOf(r), w.born)
		switch {
		case errors.Is(err, access.ErrNotFound):
			w.setOwn(rw, r, "")
			w.showBirth(rw, r, http.StatusUnauthorized, "", "")
		case err != nil:
			w.failPage(rw, r, err)
		default:
			w.traced(who, next)(rw, r)
		}
	}
}

// setOwn hands the cookie of a patient out; an empty value takes it back. It is sent to his
// own page alone.
func (w *Workspace) setOwn(rw http.ResponseWriter, r *http.Request, value string) {
	lasts := int(ownLasts.Seconds())
	if value == "" {
		lasts = -1
	}
	http.SetCookie(rw, &http.Cookie{Name: ownCookie, Value: value, Path: "/mine", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: w.encrypted(r), MaxAge: lasts})
}

// showBirth asks for the date of birth, or says that a link is needed. Whether a link holds
// is not told before.
func (w *Workspace) showBirth(rw http.ResponseWriter, r *http.Request, status int, key, problem string) {
	v := ownView{enterView: enterView{view: w.view(r, "own.title"), Error: problem}, Key: key}
	if key == "" {
		v.Closed = v.T("own.nolink")
	}
	w.render(rw, r, status, "mine", v)
}

// openOwn takes the date of birth that goes with a link.
func (w *Workspace) openOwn(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	key, from, v := r.PostForm.Get("key"), w.addressOf(r), w.view(r, "own.title")
	for _, try := range []string{from, "own " + access.Proof(key, "")} {
		if wait := w.ownTries.Count(try, w.Accounts.Now()); wait > 0 {
			rw.Header().Set("Retry-After", seconds(wait))
			w.showBirth(rw, r, http.StatusTooManyRequests, key, v.T("own.wait"))
			return
		}
	}
	proof := access.Proof(key, r.PostForm.Get("born"))
	_, err := w.Accounts.Own(r.Context(), key, proof, from, w.born)
	if errors.Is(err, access.ErrNotFound) {
		w.showBirth(rw, r, http.StatusUnauthorized, key, v.T("own.wrong"))
		return
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.ownTries.Right(from)
	w.ownTries.Right("own " + access.Proof(key, ""))
	w.setOwn(rw, r, key+"."+proof)
	http.Redirect(rw, r, "/mine", http.StatusSeeOther)
}

// closeOwn forgets the patient on this browser.
func (w *Workspace) closeOwn(rw http.ResponseWriter, r *http.Request) {
	w.setOwn(rw, r, "")
	http.Redirect(rw, r, "/mine", http.StatusSeeOther)
}

func (w *Workspace) ownPage(rw http.ResponseWriter, r *http.Request) {
	v := ownView{enterView: enterView{view: w.view(r, "own.title")}}
	query := r.URL.Query()
	if query.Get("done") != "" {
		v.Done = v.T("own.done")
	}
	w.showOwn(rw, r, http.StatusOK, v, query)
}

// showOwn offers what the patient may measure, and the form of the measure that is chosen.
func (w *Workspace) showOwn(rw http.ResponseWriter, r *http.Request, status int, v ownView, typed url.Values) {
	if err := w.fillOwn(r.Context(), &v, typed); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, status, "mine", v)
}

func (w *Workspace) fillOwn(ctx context.Context, v *ownView, typed url.Values) error {
	patient := access.From(ctx).Own
	face, _, err := w.records.roll.Face(ctx, patient)
	if err != nil {
		return err
	}
	v.Greeted, v.Author = face.FirstGiven, ""
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		return err
	}
	v.zone = zoneOf(enrolments)
	if n := len(enrolments); n > 0 {
		v.team = enrolments[n-1].Team
	}
	v.Traced = w.Traces != nil
	if err := w.readOwnLooks(ctx, v, patient); err != nil {
		return err
	}
	chosen := protocols.MeasureByID(typed.Get("measure"))
	offered := w.ownMeasures(ctx, v.now, enrolments)
	for _, m := range offered {
		v.Measures = append(v.Measures, choice{m.ID, v.In(m.Title), m == chosen})
	}
	if len(offered) == 0 {
		v.Closed = v.T("own.nothing")
	}
	if chosen == nil || !slices.Contains(offered, chosen) {
		return nil
	}
	return w.fillMeasure(ctx, &v.enterView, patient, enrolments, chosen, typed)
}

// ownMeasures are those that the protocols of the patient look at, where one of his devices
// takes them.
func (w *Workspace) ownMeasures(ctx context.Context, now time.Time, enrolments []registry.Enrolment) (list []*protocols.Measure) {
	if w.Protocol == nil || w.Options.Enter == nil {
		return nil
	}
	for i := range enrolments {
		e := &enrolments[i]
		p := w.Protocol(e.Protocol, e.Version)
		if !e.Covers(now) || !e.Consent.At(now) || p == nil {
			continue
		}
		for _, o := range p.Observations {
			if !slices.Contains(list, o.Measure) && w.takes(ctx, e, o.Measure) {
				list = append(list, o.Measure)
			}
		}
	}
	return list
}

// takes reports whether a device of an enrolment measures that.
func (w *Workspace) takes(ctx context.Context, e *registry.Enrolment, m *protocols.Measure) bool {
	return w.Device != nil && slices.ContainsFunc(e.Devices, func(name string) bool {
		a, err := w.Device(ctx, name)
		return err == nil && protocols.KindByID(a.Device.Kind).Takes(m)
	})
}

// ownForm keeps what the patient typed, after a second look at what is not usual for him.
func (w *Workspace) ownForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	ctx, form := r.Context(), r.PostForm
	patient := access.From(ctx).Own
	v := ownView{enterView: enterView{view: w.view(r, "own.title")}}
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.zone = zoneOf(enrolments)
	form.Set("source", protocols.FromPatient.String())
	typed, err := v.typed(form)
	if err == nil && !w.mayOwn(ctx, v.now, enrolments, typed) {
		err = errNotAllowed
	}
	if err != nil {
		refused := w.refusal(r, err)
		v.Error = v.In(refused.Text)
		w.showOwn(rw, r, http.StatusUnprocessableEntity, v, form)
		return
	}
	if !w.ownPace.allows(patient, v.now) {
		v.Error = v.T("own.pace")
		w.showOwn(rw, r, http.StatusTooManyRequests, v, form)
		return
	}
	if form.Get("sure") != typed.digest() {
		if v.Unusual, err = w.unusual(ctx, v.view, patient, typed); err != nil {
			w.failPage(rw, r, err)
			return
		}
		if len(v.Unusual) > 0 {
			v.Sure = typed.digest()
			w.showOwn(rw, r, http.StatusOK, v, form)
			return
		}
	}
	about := Entering{Patient: patient, Device: typed.device, Readings: []json.RawMessage{typed.text}, Author: access.From(ctx).Name, Reason: "saisie par le patient"}
	entered, err := w.records.enter(ctx, about, w.Options.Enter)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	for _, code := range slices.Sorted(maps.Keys(entered.Refused)) {
		v.Error = v.T("own.refused") + v.T("colon") + v.refusedField(typed.measure, code, entered.FirstFault[code].Path) + " " + v.T("own.refused.way")
		w.showOwn(rw, r, http.StatusUnprocessableEntity, v, form)
		return
	}
	w.Log.Info("a patient entered a reading", "new", entered.New, "known", entered.Known, "batch", entered.Batch)
	http.Redirect(rw, r, "/mine?done=1", http.StatusSeeOther)
}

// mayOwn reports whether the patient is asked for a measure, and the device is his.
func (w *Workspace) mayOwn(ctx context.Context, now time.Time, enrolments []registry.Enrolment, t *typedReading) bool {
	his := slices.ContainsFunc(enrolments, func(e registry.Enrolment) bool { return e.Covers(now) && slices.Contains(e.Devices, t.device) })
	return his && slices.Contains(w.ownMeasures(ctx, now, enrolments), t.measure)
}

// pace counts what patients enter. The zero value is ready.
type pace struct {
	mu   sync.Mutex
	sent map[string][]time.Time
}

// allows counts one more reading of a patient, if there may be one.
func (p *pace) allows(patient string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	recent := func(list []time.Time) []time.Time {
		return slices.DeleteFunc(list, func(t time.Time) bool { return now.Sub(t) > ownWithin })
	}
	if p.sent == nil || len(p.sent) > 10_000 {
		p.sent = map[string][]time.Time{}
	}
	list := recent(p.sent[patient])
	if len(list) >= ownMost {
		p.sent[patient] = list
		return false
	}
	p.sent[patient] = append(list, now)
	return true
}

// ownKeyView is the page on which a team gives a patient the link to his own page.
type ownKeyView struct {
	view
	Person  subject
	Record  string
	NoBirth bool // his date of birth is not known: no link can be given
	Until   *stamp
	Ended   bool // he had a link, which holds no more
	Link    string
	Picture template.HTML
	Done    string
}

// keyLasts is how long a link holds at most.
const keyLasts = 365 * 24 * time.Hour

func (w *Workspace) ownKeyPage(rw http.ResponseWriter, r *http.Request) {
	v := ownKeyView{view: w.view(r, "own.give.title")}
	if r.URL.Query().Get("done") != "" {
		v.Done = v.T("own.ended")
	}
	w.showOwnKey(rw, r, v)
}

func (w *Workspace) showOwnKey(rw http.ResponseWriter, r *http.Request, v ownKeyView) {
	ctx, patient := r.Context(), r.PathValue("id")
	if err := w.fillOwnKey(ctx, &v, patient); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, http.StatusOK, "own", v)
}

func (w *Workspace) fillOwnKey(ctx context.Context, v *ownKeyView, patient string) error {
	if err := w.records.mayEnter(ctx, patient); err != nil {
		return err
	}
	if err := w.whose(ctx, &v.view, &v.Person, patient); err != nil {
		return err
	}
	v.Record = "/patients/" + url.PathEscape(patient)
	born, err := w.born(ctx, patient)
	if err != nil {
		return err
	}
	v.NoBirth = born == ""
	key, err := w.Accounts.Key(ctx, patient)
	if err != nil || key == nil {
		return err
	}
	v.Until, v.Ended = v.Stamp(key.Until, ""), !key.Holds(v.now)
	return nil
}

// ownKeyForm gives a patient a link, or ends the one he has.
func (w *Workspace) ownKeyForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	ctx, patient := r.Context(), r.PathValue("id")
	v := ownKeyView{view: w.view(r, "own.give.title")}
	if err := w.fillOwnKey(ctx, &v, patient); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if r.PostForm.Get("act") == "end" {
		actsFor(ctx, patient, "own entry: end", "")
		if err := w.Accounts.EndKey(ctx, patient); err != nil {
			w.failPage(rw, r, err)
			return
		}
		http.Redirect(rw, r, r.URL.Path+"?done=1", http.StatusSeeOther)
		return
	}
	if v.NoBirth {
		w.failPage(rw, r, refuse(codeMalformed, "La date de naissance de ce patient n'est pas connue : complétez son identité d'abord.", "The date of birth of this patient is not known: complete the identity first."))
		return
	}
	actsFor(ctx, patient, "own entry: give", "")
	secret, err := w.Accounts.GiveKey(ctx, patient, w.Accounts.Now().Add(keyLasts))
	if err == nil {
		v.Link = w.addressHere(r) + "/mine?" + url.Values{"key": {secret}}.Encode()
		v.Picture, err = picture(v.Link)
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showOwnKey(rw, r, v)
}
