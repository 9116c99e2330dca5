package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
)

// openers are the looks that are kept already, so that each look asks the store once. The
// zero value is ready.
type openers struct {
	mu    sync.Mutex
	known map[[2]string]bool
}

// mostOpeners bounds what openers remember.
const mostOpeners = 50_000

// has reports whether a look is kept, and remembers nothing.
func (o *openers) has(patient, account string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.known[[2]string{patient, account}]
}

func (o *openers) add(patient, account string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= mostOpeners {
		o.known = map[[2]string]bool{}
	}
	o.known[[2]string{patient, account}] = true
}

// firstLook keeps that a person opened the record of one patient. It costs a commit the
// first time only. Where it cannot be kept, the next look tries again.
func (w *Workspace) firstLook(ctx context.Context, e *trail.Entry) {
	if w.Looks == nil || e.Account == "" || e.Token != "" || len(e.Patients) != 1 {
		return
	}
	opens := e.Kind == trail.Act || strings.Contains(e.Deed, "{") // an address that names what is opened, not a list
	if !opens || w.openers.has(e.Patients[0], e.Account) {
		return
	}
	look := trail.Look{Patient: e.Patients[0], Account: e.Account, Name: e.Name, Roles: e.Roles, At: w.Accounts.Now().UTC()}
	if err := w.Looks.AddLook(context.WithoutCancel(ctx), look); err != nil {
		w.Log.Warn("the first look of a professional is not kept; the next one is", "error", err)
		return
	}
	w.openers.add(look.Patient, look.Account)
}

// tellingRow is a patient who is to be told of who opened his record.
type tellingRow struct {
	Patient, Name, Link string
	Contact             string // the number to call
	Own                 bool   // he reads it on his own page
	Looks               []lookRow
	UpTo                string // the moment of the newest look, for the form
}

type lookRow struct {
	Who, Roles string
	At         *stamp
}

// mostTelling is how many patients to be told a page lists.
const mostTelling = 30

// tellings lists which patients of a team are to be told, those without a page of their
// own first.
func (w *Workspace) tellings(ctx context.Context, v view, team string) (list []tellingRow, err error) {
	if w.Looks == nil || !access.From(ctx).MayIn(access.EnterReadings, team) {
		return nil, nil
	}
	untold, err := w.Looks.Untold(ctx)
	if err != nil {
		return nil, err
	}
	var reads []tellingRow
	for from := 0; from < len(untold); {
		to := from
		for to < len(untold) && untold[to].Patient == untold[from].Patient {
			to++
		}
		looks := untold[from:to]
		from = to
		teams, err := w.TeamsOf(ctx, looks[0].Patient)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(teams, team) || len(list)+len(reads) >= mostTelling {
			continue
		}
		row, err := w.telling(ctx, v, team, looks)
		if err != nil {
			return nil, err
		}
		if row.Own {
			reads = append(reads, row)
		} else {
			list = append(list, row)
		}
	}
	return append(list, reads...), nil
}

func (w *Workspace) telling(ctx context.Context, v view, team string, looks []trail.Look) (tellingRow, error) {
	patient := looks[0].Patient
	row := tellingRow{Patient: patient, Name: patient, Link: "/patients/" + url.PathEscape(patient), UpTo: looks[len(looks)-1].At.Format(time.RFC3339Nano)}
	face, named, err := w.records.face(ctx, patient)
	if err != nil {
		return row, err
	}
	if named {
		row.Name = v.subject(&face, "").Name
		if c := face.Contact; c != nil {
			row.Contact = c.Phone
		}
	}
	saw(ctx, patient)
	key, err := w.Accounts.Key(ctx, patient)
	if err != nil {
		return row, err
	}
	row.Own = key != nil && key.Holds(v.now)
	row.Looks = v.lookRows(looks, team)
	return row, nil
}

func (v view) lookRows(looks []trail.Look, team string) (rows []lookRow) {
	for i := range looks {
		rows = append(rows, lookRow{readable(looks[i].Name), v.roleNames(looks[i].Roles), v.Stamp(looks[i].At, team)})
	}
	return rows
}

// toldForm notes that somebody told a patient who opened his record.
func (w *Workspace) toldForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if err := w.toldOfLooks(r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/team?"+url.Values{"team": {r.PostForm.Get("team")}, "told": {"1"}}.Encode()+"#said", http.StatusSeeOther)
}

func (w *Workspace) toldOfLooks(r *http.Request) error {
	ctx, patient := r.Context(), r.PostForm.Get("patient")
	upTo, err := time.Parse(time.RFC3339Nano, r.PostForm.Get("up-to"))
	if err != nil {
		return refuse(codeMalformed, "Le formulaire est illisible.", "The form cannot be read.")
	}
	ok, err := w.records.mayFor(ctx, access.EnterReadings, patient)
	if err != nil || !ok {
		return orNotFound(err)
	}
	actsFor(ctx, patient, "", "")
	_, err = w.Looks.TellLooks(ctx, patient, upTo, w.Accounts.Now().UTC(), access.From(ctx).Name)
	return err
}

// readOwnLooks lists the newest first looks for the patient himself, who is told by that.
func (w *Workspace) readOwnLooks(ctx context.Context, v *ownView, patient string) error {
	if w.Looks == nil {
		return nil
	}
	list, err := w.Looks.LooksOf(ctx, patient)
	if err != nil || len(list) == 0 {
		return err
	}
	v.Looks = v.lookRows(list[:min(len(list), ownLooks)], v.team)
	_, err = w.Looks.TellLooks(ctx, patient, list[0].At, w.Accounts.Now().UTC(), "")
	return err
}

// ownLooks is how many professionals the patient's own page names.
const ownLooks = 5

// accessesView is the trail of one patient, as it is given to him.
type accessesView struct {
	view
	Person subject
	Back   string
	Own    bool // he reads it himself
	Rows   []accessRow
	More   bool
}

// accessRow says what somebody looked at on a day, or did.
type accessRow struct {
	Day, Who, Roles, What, Why string
	Times                      int
}

// givenRows is how many entries of the trail a page gives a patient: those of months.
const givenRows = 5000

func (w *Workspace) accessesPage(rw http.ResponseWriter, r *http.Request) {
	v := accessesView{view: w.view(r, "accesses.title")}
	patient := r.PathValue("id")
	err := w.records.mayEnter(r.Context(), patient)
	if err == nil {
		err = w.whose(r.Context(), &v.view, &v.Person, patient)
	}
	v.Back = "/patients/" + url.PathEscape(patient)
	w.showAccesses(rw, r, &v, patient, err)
}

func (w *Workspace) ownAccessesPage(rw http.ResponseWriter, r *http.Request) {
	patient := access.From(r.Context()).Own
	v := accessesView{view: w.view(r, "accesses.title"), Own: true, Back: "/mine"}
	v.Author = ""
	enrolments, err := w.records.enrolments(r.Context(), patient)
	v.zone = zoneOf(enrolments)
	w.showAccesses(rw, r, &v, patient, err)
}

func (w *Workspace) showAccesses(rw http.ResponseWriter, r *http.Request, v *accessesView, patient string, err error) {
	if err == nil {
		err = w.fillAccesses(r.Context(), v, patient)
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, http.StatusOK, "accesses", *v)
}

// fillAccesses reads the trail of one patient. It names no other patient, no address of a
// computer, and leaves out what he did himself.
func (w *Workspace) fillAccesses(ctx context.Context, v *accessesView, patient string) error {
	rows, err := w.Traces.Find(ctx, trail.Filter{Patient: patient, Limit: givenRows + 1})
	if err != nil {
		return err
	}
	if v.More = len(rows) > givenRows; v.More {
		rows = rows[:givenRows]
	}
	for i := range rows {
		e, err := rows[i].Entry()
		if err != nil {
			return err
		}
		if e.Token == "own-"+patient || e.Kind != trail.Read && e.Kind != trail.Act {
			continue
		}
		row := accessRow{date(v.Language, e.At.In(v.Zone("")), v.now), readable(e.Name), v.roleNames(e.Roles), v.T(deedWord(&e)), readable(e.Reason), 1}
		if e.Through != "" {
			row.Why = v.T("accesses.glass") + v.T("colon") + row.Why
		}
		if n := len(v.Rows); n > 0 && sameAccess(v.Rows[n-1], row) {
			v.Rows[n-1].Times++
			continue
		}
		v.Rows = append(v.Rows, row)
	}
	return nil
}

func sameAccess(a, b accessRow) bool {
	a.Times = b.Times
	return a == b
}

// deedWords are what somebody saw, by the beginning of the address, the longest first.
var deedWords = []struct{ begins, word string }{
	{"GET /alerts/{id}", "accesses.alert"}, {"GET /api/v1/alerts/{id}", "accesses.alert"},
	{"GET /patients/{id}/readings", "accesses.readings"}, {"GET /api/v1/patients/{id}/readings", "accesses.readings"}, {"readings", "accesses.readings"},
	{"GET /patients/{id}", "accesses.record"}, {"GET /enrolments/{id}", "accesses.record"}, {"GET /api/v1/patients/{id}", "accesses.record"}, {"GET /api/v1/enrolments/{id}", "accesses.record"},
	{"GET ", "accesses.list"},
}

// deedWord is the word of the catalogue for what an entry of the trail tells.
func deedWord(e *trail.Entry) string {
	if e.Kind == trail.Act {
		return "accesses.act"
	}
	for _, d := range deedWords {
		if strings.HasPrefix(e.Deed, d.begins) {
			return d.word
		}
	}
	return "accesses.record"
}
