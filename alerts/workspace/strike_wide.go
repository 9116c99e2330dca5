package workspace

import (
	"context"
	"errors"
	"net/http"

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

// wide does so. Patients without such readings are not named.
func (w *Workspace) wide(ctx context.Context, about Striking, dry bool, language string) (struckWide, error) {
	done := struckWide{Patients: []struckPatient{}}
	if w.Fed == nil {
		return done, errNotAllowed
	}
	patients, err := w.Fed(ctx, about.Device)
	if err != nil {
		return done, err
	}
	for _, patient := range patients {
		one := about
		one.Patient = patient
		if err := w.records.mayEnter(ctx, patient); errors.Is(err, alerts.ErrNotFound) || errors.Is(err, errNotAllowed) {
			done.LeftOut++
			continue
		} else if err != nil {
			return done, err
		}
		said, err := w.widePatient(ctx, one, dry)
		var refused *alerts.Refused
		if errors.As(err, &refused) {
			said.Code, said.Why = refused.Code, refused.Text.In(language)
		} else if err != nil {
			return done, err
		}
		if said.Readings > 0 || said.Code != "" {
			done.Patients = append(done.Patients, said)
			done.Readings, done.Alerts = done.Readings+said.Readings, done.Alerts+said.Alerts
		}
	}
	return done, nil
}

// widePatient does so for one patient.
func (w *Workspace) widePatient(ctx context.Context, about Striking, dry bool) (said struckPatient, err error) {
	said.Patient = about.Patient
	named, err := w.named(ctx, about)
	if err != nil {
		return said, err
	}
	var left []*protocols.Reading
	for _, r := range named {
		if r.Struck == about.Undo {
			left = append(left, r)
		}
	}
	if len(left) == 0 {
		return said, nil
	}
	if dry {
		said.Readings = len(left)
		said.Alerts, err = w.wideAlerts(ctx, about, left)
		return said, err
	}
	if w.Options.Strike == nil {
		return said, errNotAllowed
	}
	actsFor(ctx, about.Patient, about.Device, about.Reason)
	for _, part := range partsOf(about, left) {
		struck, err := w.Options.Strike(ctx, part)
		if err != nil && !doneBefore(err) {
			return said, err
		}
		said.Readings += len(struck)
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
// its readings, oldest first.
func partsOf(about Striking, left []*protocols.Reading) (parts []Striking) {
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
