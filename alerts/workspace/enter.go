package workspace

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/ingest/registry"
)

// Entering is readings that were recorded elsewhere, which a person enters.
type Entering struct {
	Patient  string
	Device   string            // of the registry, which has measured them
	Readings []json.RawMessage // each as devices send them
	Author   string
	Reason   string
	Batch    string // of which this is a part, see ingest.BatchOf; empty for a whole
	More     bool   // parts of it follow
}

// Entered is what became of them.
type Entered struct {
	Batch string `json:"batch"` // names them together, to strike them out as one
	ingest.Entered
}

// entering is the body of a request to enter readings.
type entering struct {
	Patient  string            `json:"patient"`
	Device   string            `json:"device"`
	Readings []json.RawMessage `json:"readings"`
	Reason   string            `json:"reason"`
	Batch    string            `json:"batch,omitempty"` // the same in every part of an import: "import " and 16 hexadecimal digits
	More     bool              `json:"more,omitempty"`  // parts of that import follow, of later readings
	Author   string            `json:"author"`          // refused: an act is signed by who is let in
}

// largestImport is how many bytes the body of such a request may hold: a year of a
// glucose sensor.
const largestImport = 32 << 20

// about is what a request asks for; why it cannot be done otherwise.
func (e *entering) about(who access.Who) (Entering, error) {
	about := Entering{Patient: e.Patient, Device: e.Device, Readings: e.Readings, Author: who.Name, Reason: strings.TrimSpace(e.Reason), Batch: e.Batch, More: e.More}
	switch {
	case e.Author != "":
		return about, errAuthorGiven
	case e.Patient == "" || e.Device == "":
		return about, refuse(codeMalformed,
			"Dites de quel patient sont les mesures (patient), et quel appareil les a faites (device).",
			"Say whose readings they are (patient), and which device has measured them (device).")
	case e.Batch != "" && !ingest.IsBatchOfParts(e.Batch), e.Batch == "" && e.More:
		return about, refuse(codeMalformed,
			"Un import en plusieurs parties a un nom (batch), le même dans chacune : « import » et 16 chiffres hexadécimaux.",
			"An import in several parts has a name (batch), the same in each of them: “import” and 16 hexadecimal digits.")
	case len(e.Readings) == 0:
		return about, refuse(codeMalformed, "Il n'y a aucune mesure (readings).", "There are no readings (readings).")
	case utf8.RuneCountInString(about.Reason) > longestReason:
		return about, refuse(alerts.TooLong, "Le motif (reason) tient en 1000 caractères.", "The reason holds 1000 characters.")
	}
	return about, nil
}

// importReadings enters readings that were recorded elsewhere: all that a request holds, or
// none. An import that is longer than one request comes in parts, oldest first.
// Those that cannot be used are counted in the answer, by code.
func (w *Workspace) importReadings(rw http.ResponseWriter, r *http.Request) {
	var body entering
	if err := readUpTo(rw, r, &body, largestImport); err != nil {
		w.fail(rw, r, err)
		return
	}
	who := access.From(r.Context())
	about, err := body.about(who)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	entered, err := w.records.enter(r.Context(), about, w.Options.Enter)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.Log.Info("readings entered", "new", entered.New, "known", entered.Known, "batch", entered.Batch, "account", who.Account, "token", who.Token)
	w.reply(rw, r, http.StatusOK, entered)
}

// enter does so once it is known that who asks may enter readings of the patient. The
// trail has it before it is done.
func (d records) enter(ctx context.Context, e Entering, do func(context.Context, Entering) (Entered, error)) (Entered, error) {
	if err := d.mayEnter(ctx, e.Patient); err != nil {
		return Entered{}, err
	}
	if do == nil {
		return Entered{}, errNotAllowed
	}
	if err := d.followed(ctx, e.Patient); err != nil {
		return Entered{}, err
	}
	actsFor(ctx, e.Patient, e.Device, e.Reason)
	return do(ctx, e)
}

// errNobody is said before anything of the request is kept: whoever was erased, perhaps since
// the part before, is not named here again.
var errNobody = refuse(registry.MergeUnknown,
	"Aucun patient suivi n'a cette référence : rien n'a été saisi. S'il a été effacé, rien de lui ne revient.",
	"There is no patient of that reference who is or was followed: nothing was entered. Whoever was erased is not brought back.")

// followed returns nil for a patient who has an enrolment, without which no reading is used.
func (d records) followed(ctx context.Context, patient string) error {
	if d.enrolled == nil {
		return nil
	}
	enrolments, err := d.enrolled(ctx, patient)
	if err == nil && len(enrolments) == 0 {
		err = errNobody
	}
	return err
}
