package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/protocols"
)

// wideView is the page on which what a device measured between two moments is struck out
// of all its patients, or used again. It says what that would change before it is done.
type wideView struct {
	view
	Device   string
	Kind     string
	From, To string // by the clock of the team
	Clock    string // whose clock that is, by its offset
	Batch    string
	Measure  string
	Measures []choice
	Named    bool // which readings is said
	Undo     bool
	Fields   []sent
	Patients []widePatientRow
	Total    string // "12 mesures de 3 patients"
	LeftOut  string
	Seen     string // what the effects are of, for the form
	Acts     []wideActRow
	Reasons  []choice
	Note     string
	Done     bool
	Error    string
}

// widePatientRow is what would become of the readings of one patient.
type widePatientRow struct {
	Person  subject
	Record  string
	Count   string
	Effects []string
}

// wideActRow is a strike of before, or one that was taken back.
type wideActRow struct {
	At, From, To  *stamp
	Batch, By     string
	Why, Patients string
	Undo          bool   // it took another back
	Link          string // where it is taken back; empty for what took one back
}

// wideShown is of how many patients the page says which alerts would change. The others
// are counted.
const wideShown = 20

// wideFields are what names the readings of the page in its address.
var wideFields = []string{"from", "to", "batch", "measure", "undo"}

// wideIn reads which readings a page or a form is about: those between two moments on a
// clock, both minutes included, or instants as RFC 3339 has them, the last excluded. named
// is false where nothing says which.
func wideIn(values url.Values, device string, zone *time.Location) (s striking, named bool, err error) {
	s = striking{Device: device, Batch: strings.TrimSpace(values.Get("batch")), Measure: values.Get("measure")}
	named = s.Batch != ""
	for name, into := range map[string]*time.Time{"from": &s.From, "to": &s.To} {
		text := strings.Replace(values.Get(name), " ", "+", 1)
		if text == "" {
			continue
		}
		named = true
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			*into = at
			continue
		}
		at, err := time.ParseInLocation(wallClock, text, zone)
		if err != nil {
			return s, named, badParameter(name, "ce n'est pas une date avec une heure", "this is no date with a time")
		}
		if name == "to" {
			at = at.Add(time.Minute)
		}
		*into = at.UTC()
	}
	return s, named, nil
}

// wideAddress is the page of a strike of a device.
func wideAddress(device string, query url.Values) string {
	address := "/devices/" + url.PathEscape(device) + "/strike"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// canStrikeWide reports whether readings of many patients can be struck out at once.
func (w *Workspace) canStrikeWide() bool {
	return w.Fed != nil && w.Options.Wide != nil && w.Options.Strike != nil
}

func (w *Workspace) widePage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showWide(rw, r, query, http.StatusOK, nil)
}

// showWide shows the page, with why an act was refused where it was.
func (w *Workspace) showWide(rw http.ResponseWriter, r *http.Request, values url.Values, status int, refused error) {
	v := w.wideView(r, values)
	if err := w.fillWide(r.Context(), &v, values); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if refused != nil {
		v.Error = v.In(w.refusal(r, refused).Text)
	}
	w.render(rw, r, status, "strike-wide", v)
}

// wideView is the page with the clock of the first team of who asks.
func (w *Workspace) wideView(r *http.Request, values url.Values) wideView {
	v := wideView{view: w.view(r, "wide.title"), Device: r.PathValue("id"), Note: values.Get("note"), Done: values.Get("done") != "", Undo: values.Get("undo") != ""}
	v.Place = "devices"
	teams := access.From(r.Context()).Teams
	if len(teams) == 0 && len(v.TeamList) > 0 {
		teams = []string{v.TeamList[0].ID}
	}
	if len(teams) > 0 {
		v.zone = v.Zone(teams[0])
	}
	v.Clock = offset(v.now.In(v.Zone("")))
	return v
}

func (w *Workspace) fillWide(ctx context.Context, v *wideView, values url.Values) error {
	asked, named, err := wideIn(values, v.Device, v.Zone(""))
	if err != nil {
		return err
	}
	known, err := w.assignment(ctx, v.Device)
	if err != nil {
		return err
	}
	v.measures(kindOf(known), asked.Measure)
	if err := w.listWide(ctx, v); err != nil || !named {
		return err
	}
	about, err := asked.which()
	if err != nil {
		return err
	}
	about.Undo = v.Undo
	v.Named, v.Batch = true, asked.Batch
	if !asked.From.IsZero() {
		v.From, v.To = asked.From.In(v.Zone("")).Format(wallClock), asked.To.Add(-time.Nanosecond).In(v.Zone("")).Format(wallClock)
	}
	for _, name := range wideFields {
		if value := values.Get(name); value != "" {
			v.Fields = append(v.Fields, sent{name, value})
		}
	}
	reasons := strikeReasons
	if v.Undo {
		reasons = unstrikeReasons
	}
	for _, name := range reasons {
		v.Reasons = append(v.Reasons, choice{name, v.T("strike.why." + name), name == values.Get("why")})
	}
	return w.foreseeWide(ctx, v, about)
}

// measures names the device, and what it can measure where that is more than one thing.
func (v *wideView) measures(kind *protocols.Kind, chosen string) {
	v.Measure = chosen
	if kind == nil {
		return
	}
	v.Kind = v.In(kind.Title)
	if len(kind.Measures) < 2 {
		return
	}
	for _, id := range kind.Measures {
		v.Measures = append(v.Measures, choice{id, v.In(protocols.MeasureByID(id).Title), id == chosen})
	}
}

// foreseeWide writes what would be done, patient by patient.
func (w *Workspace) foreseeWide(ctx context.Context, v *wideView, about Striking) error {
	tried, err := w.wide(ctx, about, true, v.Language)
	if err != nil {
		return err
	}
	v.Seen = tried.seen()
	v.Total = v.counted("wide.readings", tried.Readings) + " " + v.counted("wide.of", len(tried.Patients))
	if tried.LeftOut > 0 {
		v.LeftOut = v.counted("wide.left-out", tried.LeftOut)
	}
	for i, said := range tried.Patients {
		saw(ctx, said.Patient)
		row := widePatientRow{Person: subject{ID: said.Patient, Name: said.Patient}, Record: "/patients/" + url.PathEscape(said.Patient), Count: v.counted("wide.readings", said.Readings)}
		face, named, err := w.records.face(ctx, said.Patient)
		if err != nil {
			return err
		}
		if named {
			row.Person = v.subject(&face, w.pathology(v.view, &face))
		}
		switch {
		case said.Why != "":
			row.Effects = []string{said.Why}
		case i < wideShown:
			if row.Effects, err = w.wideEffects(ctx, v.view, about, said.Patient); err != nil {
				return err
			}
		default:
			row.Effects = []string{v.counted("wide.alerts", said.Alerts)}
		}
		v.Patients = append(v.Patients, row)
	}
	return nil
}

// wideEffects says in sentences what would change of the alerts of one patient.
func (w *Workspace) wideEffects(ctx context.Context, v view, about Striking, patient string) ([]string, error) {
	about.Patient = patient
	var err error
	if about.Wide, err = w.wideStrikes(ctx, about, 0); err != nil {
		return nil, err
	}
	left, err := w.wideLeft(ctx, about)
	if err != nil {
		return nil, err
	}
	return w.foresee(ctx, v, partsOf(about, left)...), nil
}

// seen is what a form is about: it is not sent for anything else.
func (d *struckWide) seen() string {
	return strconv.Itoa(d.Readings) + "/" + strconv.Itoa(len(d.Patients))
}

// listWide lists the strikes of a device, the latest first, as far as they concern patients
// whose readings who asks may change.
func (w *Workspace) listWide(ctx context.Context, v *wideView) error {
	acts, err := w.Options.Wide.WideActsOf(ctx, v.Device)
	if err != nil {
		return err
	}
	slices.Reverse(acts)
	for i := range acts {
		a := &acts[i]
		theirs := 0
		for _, patient := range a.Patients {
			if w.records.mayEnter(ctx, patient) == nil {
				theirs++
			}
		}
		if theirs > 0 {
			v.Acts = append(v.Acts, v.act(a, theirs))
		}
	}
	return nil
}

// act writes one strike with the way to take it back.
func (v *wideView) act(a *ingest.WideAct, patients int) wideActRow {
	s := &a.About
	row := wideActRow{At: v.Stamp(a.At, ""), Batch: s.Batch, By: s.Author, Why: s.Reason, Patients: v.counted("wide.of", patients), Undo: a.Undo}
	query := url.Values{"undo": {"1"}}
	if s.Batch != "" {
		query.Set("batch", s.Batch)
	}
	if !s.To.Equal(endOfTime) {
		row.From, row.To = v.Stamp(s.From, ""), v.Stamp(s.To, "")
		query.Set("from", s.From.UTC().Format(time.RFC3339Nano))
		query.Set("to", s.To.UTC().Format(time.RFC3339Nano))
	}
	if s.Measure != nil {
		query.Set("measure", s.Measure.ID)
	}
	if !a.Undo {
		row.Link = wideAddress(v.Device, query)
	}
	return row
}

// wideForm strikes the readings out, or has them used again, where they are still those
// that the page spoke of.
func (w *Workspace) wideForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	form := r.PostForm
	if err := w.actWide(r, form); err != nil {
		w.showWide(rw, r, form, statuses[w.refusal(r, err).Code], err)
		return
	}
	again := url.Values{"done": {"1"}}
	for _, name := range wideFields {
		if value := form.Get(name); value != "" {
			again.Set(name, value)
		}
	}
	http.Redirect(rw, r, wideAddress(r.PathValue("id"), again)+"#done", http.StatusSeeOther)
}

func (w *Workspace) actWide(r *http.Request, form url.Values) error {
	v := w.wideView(r, form)
	asked, _, err := wideIn(form, v.Device, v.Zone(""))
	if err != nil {
		return err
	}
	about, err := w.strikeReason(r, &asked, v.Undo)
	if err != nil {
		return err
	}
	about.Undo = v.Undo
	tried, err := w.wide(r.Context(), about, true, v.Language)
	if err != nil {
		return err
	}
	if tried.Readings == 0 || form.Get("seen") != tried.seen() {
		return errChanged
	}
	done, err := w.wide(r.Context(), about, false, v.Language)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	w.Log.Info("readings of a device struck out on a page", "readings", done.Readings, "patients", len(done.Patients), "left_out", done.LeftOut, "undone", about.Undo, "account", who.Account)
	return nil
}
