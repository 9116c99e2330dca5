package workspace

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/protocols"
)

// struckWide is what became of the readings of a device, of all whom it measured.
type struckWide struct {
	Patients []struckPatient `json:"patients"`
	Readings int             `json:"count"`
	Alerts   int             `json:"alerts"`
	// LeftOut counts the patients whose readings who asks may not change: nothing was done.
	LeftOut int `json:"left_out"`
}

// struckPatient is what became of those of one patient.
type struckPatient struct {
	Patient  string `json:"patient"`
	Readings int    `json:"readings"`
	// Alerts counts the alerts that change; before it is done only.
	Alerts int         `json:"alerts"`
	Code   alerts.Code `json:"code,omitempty"` // why nothing, or not all, was done
	Why    string      `json:"why,omitempty"`  // in a sentence
}

// strikeWide strikes the readings of a device out, or takes that back, patient by patient:
// each of them is whole or untouched. What was done before is left as it is, so that the
// same request ends what was broken off. dry does nothing and says what it would do.
func (w *Workspace) strikeWide(rw http.ResponseWriter, r *http.Request, about Striking, dry bool) {
	done, err := w.wide(r.Context(), about, dry, languageOf(r))
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	who := access.From(r.Context())
	w.Log.Info("readings of a device struck out", "readings", done.Readings, "patients", len(done.Patients), "left_out", done.LeftOut,
		"tried", dry, "undone", about.Undo, "account", who.Account, "token", who.Token)
	w.reply(rw, r, http.StatusOK, done)
}

// wide does so. Patients without such readings are not named. It is kept and in the trail,
// for every patient, before the first of them is touched.
func (w *Workspace) wide(ctx context.Context, about Striking, dry bool, language string) (struckWide, error) {
	done := struckWide{Patients: []struckPatient{}}
	if w.Fed == nil || w.Options.Wide == nil || w.Options.Strike == nil {
		return done, errNotAllowed
	}
	if !dry {
		w.widely.Lock()
		defer w.widely.Unlock()
		if err := w.carryOpen(ctx, endOfTime); err != nil { // one act after the other
			return done, err
		}
	}
	var err error
	if about.Wide, err = w.wideStrikes(ctx, about, 0); err != nil {
		return done, err
	}
	patients, err := w.Fed(ctx, about.Device)
	if err != nil {
		return done, err
	}
	var concerned []string
	for _, patient := range patients {
		if err := w.records.mayEnter(ctx, patient); errors.Is(err, alerts.ErrNotFound) || errors.Is(err, errNotAllowed) {
			done.LeftOut++
			continue
		} else if err != nil {
			return done, err
		}
		one := about
		one.Patient = patient
		left, err := w.wideLeft(ctx, one)
		if err != nil {
			return done, err
		}
		if len(left) == 0 {
			continue
		}
		concerned = append(concerned, patient)
		if dry {
			said, err := w.wideTry(ctx, one, left)
			if said, err = refusedFor(said, err, language); err != nil {
				return done, err
			}
			done.add(said)
		}
	}
	if dry || len(concerned) == 0 {
		return done, nil
	}
	for _, patient := range concerned {
		actsFor(ctx, patient, about.Device, about.Reason)
	}
	act := ingest.WideAct{
		About: ingest.Striking{From: about.From, To: about.To, Device: about.Device, Batch: about.Batch, Measure: about.Measure, Author: about.Author, Reason: about.Reason},
		Undo:  about.Undo, Patients: concerned, At: w.Now().UTC().Truncate(time.Millisecond),
	}
	if err := w.Options.Wide.KeepWideAct(ctx, &act); err != nil {
		return done, err
	}
	carried, err := w.carry(ctx, &act, language)
	carried.LeftOut = done.LeftOut
	return carried, err
}

// add counts what became of one patient.
func (d *struckWide) add(said struckPatient) {
	if said.Readings > 0 || said.Code != "" {
		d.Patients = append(d.Patients, said)
		d.Readings, d.Alerts = d.Readings+said.Readings, d.Alerts+said.Alerts
	}
}

// wideRest is how old an act is before it counts as cut short: until then whoever began it
// may be at it.
const wideRest = time.Minute

// CarryOn ends the strikes of many patients that were cut short.
func (w *Workspace) CarryOn(ctx context.Context) error {
	if w.Options.Wide == nil || w.Options.Strike == nil || !w.widely.TryLock() {
		return nil
	}
	defer w.widely.Unlock()
	return w.carryOpen(ctx, w.Now().Add(-wideRest))
}

// CarryOnDue reports whether CarryOn has something to do by a moment.
func (w *Workspace) CarryOnDue(ctx context.Context, by time.Time) (bool, error) {
	if w.Options.Wide == nil || w.Options.Strike == nil {
		return false, nil
	}
	acts, err := w.Options.Wide.OpenWideActs(ctx)
	return slices.ContainsFunc(acts, func(a ingest.WideAct) bool { return !a.At.After(by.Add(-wideRest)) }), err
}

// carryOpen ends the acts that are open and began before a moment or at it.
func (w *Workspace) carryOpen(ctx context.Context, until time.Time) error {
	acts, err := w.Options.Wide.OpenWideActs(ctx)
	if err != nil {
		return err
	}
	for i := range acts {
		if acts[i].At.After(until) {
			continue
		}
		w.Log.Info("a strike of many patients that was cut short goes on", "act", acts[i].ID, "patients", len(acts[i].Patients), "undone", acts[i].Undo)
		if _, err := w.carry(ctx, &acts[i], "fr"); err != nil {
			return err
		}
	}
	return nil
}

// carry does an act, or the rest of it: what is done already is left as it is.
func (w *Workspace) carry(ctx context.Context, act *ingest.WideAct, language string) (struckWide, error) {
	done := struckWide{Patients: []struckPatient{}}
	s := &act.About
	about := Striking{From: s.From, To: s.To, Device: s.Device, Batch: s.Batch, Measure: s.Measure, Author: s.Author, Reason: s.Reason, Undo: act.Undo}
	var err error
	if about.Wide, err = w.wideStrikes(ctx, about, act.ID); err != nil {
		return done, err
	}
	for _, patient := range act.Patients {
		about.Patient = patient
		said, err := w.widePatient(ctx, about)
		if said, err = refusedFor(said, err, language); err != nil {
			return done, err
		}
		done.add(said)
	}
	return done, w.Options.Wide.EndWideAct(ctx, act.ID, w.Now().UTC())
}

// refusedFor says with what became of a patient why nothing, or not all, was done.
func refusedFor(said struckPatient, err error, language string) (struckPatient, error) {
	var refused *alerts.Refused
	if errors.As(err, &refused) {
		said.Code, said.Why = refused.Code, refused.Text.In(language)
		return said, nil
	}
	return said, err
}

// wideStrikes are the acts that an undo takes back: those about the device that came before
// the act, 0 for all. What a person struck out for a reason of its own is none of theirs.
func (w *Workspace) wideStrikes(ctx context.Context, about Striking, before int64) (*ingest.WideStrikes, error) {
	if !about.Undo {
		return nil, nil
	}
	acts, err := w.Options.Wide.WideActsOf(ctx, about.Device)
	if err != nil {
		return nil, err
	}
	return ingest.StrikesBefore(acts, before), nil
}

// wideLeft lists the readings of one patient that are left to do.
func (w *Workspace) wideLeft(ctx context.Context, about Striking) (left []*protocols.Reading, err error) {
	named, err := namedIn(ctx, about, w.records.readingsForAct)
	if err != nil {
		return nil, err
	}
	var marks []ingest.Mark
	if about.Wide != nil && w.Marks != nil {
		if marks, err = w.Marks(ctx, about.Patient, about.From, about.To); err != nil {
			return nil, err
		}
	}
	for _, r := range named {
		if r.Struck == about.Undo && (about.Wide == nil || slices.ContainsFunc(marks, func(m ingest.Mark) bool {
			return m.Undone.IsZero() && m.Of(r) && about.Wide.Made(&m)
		})) {
			left = append(left, r)
		}
	}
	return left, nil
}

// wideTry says what would be done for one patient.
func (w *Workspace) wideTry(ctx context.Context, about Striking, left []*protocols.Reading) (said struckPatient, err error) {
	said.Patient, said.Readings = about.Patient, len(left)
	said.Alerts, err = w.wideAlerts(ctx, about, left)
	return said, err
}

// widePatient does it for one patient.
func (w *Workspace) widePatient(ctx context.Context, about Striking) (said struckPatient, err error) {
	said.Patient = about.Patient
	left, err := w.wideLeft(ctx, about)
	if err != nil || len(left) == 0 {
		return said, err
	}
	for _, part := range partsOf(about, left) {
		struck, err := w.Options.Strike(ctx, part)
		said.Readings += len(struck)
		if err != nil && !doneBefore(err) {
			return said, err
		}
	}
	return said, nil
}

// doneBefore reports whether nothing was left to do: a twin that was told twice went with
// what was struck out before.
func doneBefore(err error) bool {
	var refused *alerts.Refused
	return errors.As(err, &refused) && (refused.Code == StruckBefore || refused.Code == NotStruck || refused.Code == NoSuchReading)
}

// partsOf cuts a strike so that each part is within what one transaction takes. left are
// its readings, oldest first. An import is struck out as one however long it is: of parts,
// nobody would know that what seems to go on behind one of them ends in the next.
func partsOf(about Striking, left []*protocols.Reading) (parts []Striking) {
	if about.Batch != "" {
		return []Striking{about}
	}
	const most = ingest.MostStruck / 2 // twins come with them
	for len(left) > most {
		at := most
		for at < len(left) && left[at].Time.Equal(left[at-1].Time) {
			at++
		}
		if at == len(left) {
			break
		}
		part := about
		part.To = left[at].Time
		about.From = part.To
		parts, left = append(parts, part), left[at:]
	}
	return append(parts, about)
}

// wideAlerts counts the alerts that a strike would change.
func (w *Workspace) wideAlerts(ctx context.Context, about Striking, left []*protocols.Reading) (int, error) {
	if w.TryStrike == nil {
		return 0, nil
	}
	type rule struct{ enrolment, device, rule string }
	changed := map[rule]bool{}
	for _, part := range partsOf(about, left) {
		findings, err := w.TryStrike(ctx, part)
		if err != nil {
			return len(changed), err
		}
		for i := range findings {
			f := &findings[i]
			changed[rule{f.Enrolment, f.Device, f.Rule}] = true
		}
	}
	return len(changed), nil
}
