package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/protocols"
)

// strikeView is the page on which readings of a patient are struck out, or used again.
// It says what that would change before it is done.
type strikeView struct {
	view
	Person   subject
	Record   string // the page of the patient
	Back     string
	Fields   []sent // which readings, for the form
	Readings []strikeRow
	Count    int
	Undo     bool // all of them are struck out
	Done     bool
	Reasons  []choice
	Note     string
	Effects  []string
	From, To string // of several readings, by the clock of the patient
	Device   string
	Wide     string // the page that strikes out what the device measured of all its patients
	Error    string
}

// sent is a value that a form sends with the others.
type sent struct{ Name, Value string }

// strikeRow is one of the readings, with its mark where it has one.
type strikeRow struct {
	At             *stamp
	What, Value    string
	Device         string
	Struck         bool
	By, Why, Since string
}

// strikeShown is how many readings the page lists.
const strikeShown = 10

// Why readings are struck out, and why that is undone. The last asks for words of one's own.
var (
	strikeReasons   = []string{"person", "typing", "calibration", "handling", "device", "other"}
	unstrikeReasons = []string{"mistaken", "confirmed", "other"}
)

// strikeFields are what names the readings of the page in its address.
var strikeFields = []string{"time", "from", "to", "device", "reading", "measure", "back"}

// wallClock is how a form sends a date and a time of day.
const wallClock = "2006-01-02T15:04"

// strikeAddress is the page that strikes one reading out.
func strikeAddress(patient, device, id, measure string, at time.Time, back string) string {
	values := url.Values{"time": {at.UTC().Format(time.RFC3339Nano)}, "device": {device}, "reading": {id}, "measure": {measure}}
	if back != "" {
		values.Set("back", back)
	}
	return "/patients/" + url.PathEscape(patient) + "/strike?" + values.Encode()
}

// strikingIn reads which readings a page or a form is about. Several are named by two
// times on the clock of the patient, both included.
func strikingIn(values url.Values, patient string, zone *time.Location) (striking, error) {
	s := striking{Patient: patient, Device: values.Get("device"), ID: values.Get("reading"), Measure: values.Get("measure")}
	moments := []struct {
		name, layout string
		into         *time.Time
	}{{"time", time.RFC3339Nano, &s.Time}, {"from", wallClock, &s.From}, {"to", wallClock, &s.To}}
	for _, m := range moments {
		text := values.Get(m.name)
		if text == "" {
			continue
		}
		at, err := time.ParseInLocation(m.layout, strings.Replace(text, " ", "+", 1), zone)
		if err != nil {
			return s, badParameter(m.name, "ce n'est pas une date avec une heure", "this is no date with a time")
		}
		*m.into = at.UTC()
	}
	if !s.To.IsZero() {
		s.To = s.To.Add(time.Minute)
	}
	return s, nil
}

func (w *Workspace) strikePage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showStrike(rw, r, query, http.StatusOK, nil)
}

// showStrike shows the page, with why an act was refused where it was.
func (w *Workspace) showStrike(rw http.ResponseWriter, r *http.Request, values url.Values, status int, refused *alerts.Refused) {
	v := strikeView{view: w.view(r, "strike.title"), Note: values.Get("note"), Done: values.Get("done") != "", Back: here(values.Get("back"))}
	if err := w.fillStrike(r.Context(), &v, r.PathValue("id"), values); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if refused != nil {
		v.Error = v.In(refused.Text)
	}
	w.render(rw, r, status, "strike", v)
}

func (w *Workspace) fillStrike(ctx context.Context, v *strikeView, patient string, values url.Values) error {
	if err := w.records.mayEnter(ctx, patient); err != nil {
		return err
	}
	if err := w.whose(ctx, &v.view, &v.Person, patient); err != nil {
		return err
	}
	v.Record = "/patients/" + url.PathEscape(patient)
	asked, err := strikingIn(values, patient, v.Zone(""))
	if err != nil {
		return err
	}
	about, err := asked.which()
	if err != nil {
		return err
	}
	readings, err := w.named(ctx, about)
	if err != nil {
		return err
	}
	if len(readings) == 0 {
		return refuse(NoSuchReading, "Aucune mesure gardée n'y répond.", "No reading that is kept fits.")
	}
	v.Undo = !slices.ContainsFunc(readings, func(r *protocols.Reading) bool { return !r.Struck })
	v.Count, v.Device = len(readings), about.Device
	if about.Device != "" && w.canStrikeWide() {
		v.Wide = wideAddress(about.Device, nil)
	}
	v.From, v.To = about.From.In(v.Zone("")).Format(wallClock), readings[len(readings)-1].Time.In(v.Zone("")).Format(wallClock)
	for _, name := range strikeFields {
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
	w.listStruck(ctx, v, readings[:min(len(readings), strikeShown)], about)
	about.Undo = v.Undo
	v.Effects = w.foresee(ctx, v.view, about)
	return nil
}

// whose finds who a page about one patient is about, and sets its clock and units by him.
func (w *Workspace) whose(ctx context.Context, v *view, person *subject, patient string) error {
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		return err
	}
	face, named, err := w.records.face(ctx, patient)
	if err != nil {
		return err
	}
	*person = subject{ID: patient, Name: patient}
	if named {
		*person = v.subject(&face, w.pathology(*v, &face))
	}
	v.zone = zoneOf(enrolments)
	if n := len(enrolments); n > 0 {
		v.team = enrolments[n-1].Team
	}
	return nil
}

// named lists the readings that a strike is about, oldest first.
func (w *Workspace) named(ctx context.Context, s Striking) ([]*protocols.Reading, error) {
	return namedIn(ctx, s, w.records.readings)
}

// reader is records.readings, or readingsForAct.
type reader func(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error

func namedIn(ctx context.Context, s Striking, read reader) (readings []*protocols.Reading, err error) {
	err = read(ctx, s.Patient, s.Measure, s.From, s.To, func(r *protocols.Reading) bool {
		if (s.Device == "" || r.Device == s.Device) && (s.ID == "" || r.ID == s.ID) &&
			(s.Batch == "" || r.Origin != nil && r.Origin.Batch == s.Batch) {
			readings = append(readings, r)
		}
		return true
	})
	var missing partial
	if errors.As(err, &missing) {
		err = nil // what is beyond the store cannot be struck out: doing it says so
	}
	return readings, err
}

// listStruck writes the readings, each with its mark.
func (w *Workspace) listStruck(ctx context.Context, v *strikeView, readings []*protocols.Reading, s Striking) {
	marks := w.marks(ctx, s.Patient, s.From, s.To)
	for _, r := range readings {
		row := strikeRow{At: v.Stamp(r.Time, ""), What: v.In(r.Measure.Title), Value: v.values(r), Device: r.Device, Struck: r.Struck}
		if m := markOf(marks, r); m != nil {
			row.By, row.Why, row.Since = m.Author, m.Reason, v.Stamp(m.At, "").Clock
		}
		v.Readings = append(v.Readings, row)
	}
}

// values writes all components of a reading.
func (v view) values(r *protocols.Reading) string {
	return strings.Join(v.cited(r.Cite(), "").Values, " · ")
}

// marks lists what was struck out, for pages that say by whom. A page is shown without
// where they cannot be read.
func (w *Workspace) marks(ctx context.Context, patient string, from, to time.Time) []ingest.Mark {
	if w.Marks == nil {
		return nil
	}
	marks, err := w.Marks(ctx, patient, from, to)
	if err != nil {
		w.Log.Warn("a page does not say who struck readings out", "error", err)
	}
	return marks
}

// markOf is the mark that stands on a reading; nil for none.
func markOf(marks []ingest.Mark, r *protocols.Reading) *ingest.Mark {
	for i := len(marks) - 1; i >= 0 && r.Struck; i-- {
		if marks[i].Undone.IsZero() && marks[i].Of(r) {
			return &marks[i]
		}
	}
	return nil
}

// foresee says in sentences what a strike would change of the patient's alerts.
// Parts are of one patient.
func (w *Workspace) foresee(ctx context.Context, v view, parts ...Striking) (effects []string) {
	if w.TryStrike == nil {
		return nil
	}
	open, err := alerts.Unresolved(ctx, w.records.alerts, alerts.Filter{Patient: parts[0].Patient})
	if err != nil {
		w.Log.Warn("a page does not say what a strike would change", "error", err)
		return nil
	}
	for _, s := range parts {
		findings, err := w.TryStrike(ctx, s)
		if err != nil {
			return []string{v.In(w.refusedQuietly(err).Text)}
		}
		for i := range findings {
			if text := w.effect(v, &findings[i], open); text != "" && !slices.Contains(effects, text) {
				effects = append(effects, text)
			}
		}
	}
	if len(effects) == 0 {
		effects = []string{v.T("strike.nothing")}
	}
	return effects
}

// refusedQuietly is the sentence for a person, for an error that a page shows among others.
func (w *Workspace) refusedQuietly(err error) *alerts.Refused {
	var refused *alerts.Refused
	if errors.As(err, &refused) {
		return refused
	}
	w.Log.Warn("what an act would change cannot be foreseen", "error", err)
	return errInternal
}

// effect is what one finding would do to the alerts that stand; empty for nothing that
// a person would see.
func (w *Workspace) effect(v view, f *protocols.Finding, open []alerts.Alert) string {
	at := slices.IndexFunc(open, func(a alerts.Alert) bool {
		return a.Enrolment == f.Enrolment && a.Rule == f.Rule && a.Device == f.Device
	})
	word, level := "", f.Level
	switch {
	case f.Kind == protocols.Raised || f.Kind == protocols.Risen || f.Kind == protocols.Resumed && at < 0:
		word = "strike.rings"
	case at < 0 || f.Kind == protocols.Again:
		return ""
	case f.Kind == protocols.Withdrawn && open[at].RestsOn(f.Episode):
		word, level = "strike.closes", open[at].Level
	case f.Kind == protocols.Withdrawn:
		word, level = "strike.others", open[at].Level
	case f.Kind == protocols.Ended:
		word = "strike.ends"
	default:
		word = "strike.stays"
	}
	title := f.Rule
	if at >= 0 {
		title = v.heading(&open[at])
	} else if f.Explanation != nil {
		title = v.In(f.Explanation.Title)
	} else if rule := w.rule(&alerts.Alert{Protocol: f.Protocol, Version: f.Version, Rule: f.Rule}); rule != nil {
		title = v.In(rule.Title)
	}
	return title + " (" + v.LevelName(level) + ")" + v.T("colon") + v.T(word)
}

// strikeForm strikes readings out, or has them used again, and shows the page anew.
func (w *Workspace) strikeForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	form := r.PostForm
	var v view
	var person subject
	if err := w.whose(r.Context(), &v, &person, r.PathValue("id")); err != nil {
		w.failPage(rw, r, err)
		return
	}
	asked, err := strikingIn(form, r.PathValue("id"), v.Zone(""))
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	undo := form.Get("undo") != ""
	about, err := w.strikeReason(r, &asked, undo)
	if err == nil {
		about.Undo = undo
		_, err = w.records.strike(r.Context(), about, w.Options.Strike)
	}
	if err != nil {
		refused := w.refusal(r, err)
		w.showStrike(rw, r, form, statuses[refused.Code], refused)
		return
	}
	w.Log.Info("readings struck out on a page", "undone", undo, "account", access.From(r.Context()).Account)
	again := url.Values{"done": {"1"}}
	for _, name := range strikeFields {
		if value := form.Get(name); value != "" {
			again.Set(name, value)
		}
	}
	http.Redirect(rw, r, r.URL.Path+"?"+again.Encode()+"#done", http.StatusSeeOther)
}

// strikeReason writes the reason of a form in the words of its page.
func (w *Workspace) strikeReason(r *http.Request, asked *striking, undo bool) (Striking, error) {
	reasons := strikeReasons
	if undo {
		reasons = unstrikeReasons
	}
	why, note := r.PostForm.Get("why"), strings.TrimSpace(r.PostForm.Get("note"))
	if !slices.Contains(reasons, why) || why == "other" && note == "" {
		return Striking{}, refuse(alerts.NoReason, "Choisissez pourquoi ; pour une autre raison, écrivez laquelle.", "Choose why; for another reason, write which.")
	}
	text := w.view(r, "").T("strike.why." + why)
	switch {
	case why == "other":
		text = note
	case note != "":
		text += " — " + note
	}
	asked.Reason = text
	return asked.about(access.From(r.Context()))
}

// All says how many readings there are where the page does not list them all.
func (v strikeView) All() string { return v.counted("strike.more", v.Count) }
