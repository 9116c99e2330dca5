package workspace

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/protocols"
)

// Striking says which readings of a patient are not to be used: what was measured in
// [From, To), of one device, id, import or measure where these are named.
type Striking struct {
	Patient  string
	From, To time.Time
	Device   string
	ID       string
	Batch    string // names an import, as the answer to it does
	Measure  *protocols.Measure
	Author   string
	Reason   string
	Undo     bool // they are to be used after all
	// Wide has an undo take back only what these acts struck out; nil for everything named.
	Wide *ingest.WideStrikes
}

// striking is the body of a request to strike readings out. One reading is named by its
// time, several by the first and the last moment. Without a patient they are those of a
// device, of all whom it measured.
type striking struct {
	Patient string    `json:"patient"`
	Time    time.Time `json:"time"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // excluded
	Device  string    `json:"device"`
	ID      string    `json:"id"`
	Batch   string    `json:"batch"`   // of an import: the moments may be left out
	DryRun  bool      `json:"dry_run"` // of several patients: say what would be done
	Measure string    `json:"measure"`
	Reason  string    `json:"reason"`
	Author  string    `json:"author"` // refused: an act is signed by who is let in
}

// endOfTime is after all that is measured.
var endOfTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// longestReason is how long a reason may be, in characters.
const longestReason = 1000

// about is what a request asks for; why it cannot be done otherwise.
func (s *striking) about(who access.Who) (Striking, error) {
	about, err := s.which()
	if err != nil {
		return about, err
	}
	about.Author, about.Reason = who.Name, strings.TrimSpace(s.Reason)
	switch {
	case about.Reason == "":
		return about, refuse(alerts.NoReason, "Écrivez pourquoi (reason).", "Write why (reason).")
	case utf8.RuneCountInString(about.Reason) > longestReason:
		return about, refuse(alerts.TooLong, "Le motif (reason) tient en 1000 caractères.", "The reason holds 1000 characters.")
	}
	return about, alerts.CheckText(about.Reason)
}

// which are the readings that a request is about.
func (s *striking) which() (Striking, error) {
	about := Striking{Patient: s.Patient, From: s.From, To: s.To, Device: s.Device, ID: s.ID, Batch: s.Batch}
	if s.Batch != "" && s.Time.IsZero() && s.From.IsZero() && s.To.IsZero() {
		about.From, about.To = time.Unix(0, 0).UTC(), endOfTime
	}
	if !s.Time.IsZero() {
		about.From, about.To = s.Time, s.Time.Add(1)
	}
	if s.Measure != "" {
		about.Measure = protocols.MeasureByID(s.Measure)
	}
	switch {
	case s.Author != "":
		return about, errAuthorGiven
	case s.Patient == "" && s.Device == "":
		return about, refuse(codeMalformed, "Dites de quel patient (patient), ou de quel appareil (device) pour tous ceux qu'il a mesurés.",
			"Say whose reading it is (patient), or of which device (device) for all whom it measured.")
	case s.Patient == "" && (s.ID != "" || !s.Time.IsZero()):
		return about, refuse(codeMalformed, "Une seule mesure se raye chez un patient (patient).", "One reading is struck out of one patient (patient).")
	case s.Patient != "" && s.DryRun:
		return about, refuse(codeMalformed, "« dry_run » est pour un appareil, sans patient.", "“dry_run” is for a device, without a patient.")
	case s.Measure != "" && about.Measure == nil:
		return about, refuse(codeMalformed, "Aucune mesure ne porte ce nom (measure).", "There is no measure of that name (measure).")
	case !s.Time.IsZero() && !(s.From.IsZero() && s.To.IsZero()), !about.From.Before(about.To):
		return about, refuse(codeMalformed,
			"Dites quand la mesure a été faite (time), ou entre quels moments (from et to), ou par quel import (batch).",
			"Say when the reading was measured (time), or between which moments (from and to), or by which import (batch).")
	}
	return about, nil
}

// strikeReadings marks readings as not to be used; with undo it takes that back. What
// rested on them alone is closed in the name of who asks.
func (w *Workspace) strikeReadings(undo bool) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var body striking
		if err := readBody(rw, r, &body); err != nil {
			w.fail(rw, r, err)
			return
		}
		who := access.From(r.Context())
		about, err := body.about(who)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		about.Undo = undo
		if about.Patient == "" {
			w.strikeWide(rw, r, about, body.DryRun)
			return
		}
		struck, err := w.records.strike(r.Context(), about, w.Options.Strike)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		w.Log.Info("readings struck out", "readings", len(struck), "undone", undo, "account", who.Account, "token", who.Token)
		list := make([]readingJSON, len(struck))
		for i, reading := range struck {
			list[i] = jsonOf(reading)
			list[i].Struck = !undo
		}
		w.reply(rw, r, http.StatusOK, map[string]any{"readings": list})
	}
}

// strike does so once it is known that who asks may enter readings of the patient. The
// trail has it before it is done. Who closes the page meanwhile does not stop it half way.
func (d records) strike(ctx context.Context, s Striking, do func(context.Context, Striking) ([]*protocols.Reading, error)) ([]*protocols.Reading, error) {
	if err := d.mayEnter(ctx, s.Patient); err != nil {
		return nil, err
	}
	if do == nil {
		return nil, errNotAllowed
	}
	actsFor(ctx, s.Patient, "", s.Reason)
	return do(context.WithoutCancel(ctx), s)
}

// mayEnter returns nil where who asks may enter readings of a patient, and strike them out.
func (d records) mayEnter(ctx context.Context, patient string) error {
	ok, err := d.mayFor(ctx, access.SeePatients, patient)
	if err != nil || !ok {
		return orNotFound(err)
	}
	if ok, err = d.mayFor(ctx, access.EnterReadings, patient); err != nil {
		return err
	}
	if !ok {
		return errNotAllowed
	}
	return nil
}
