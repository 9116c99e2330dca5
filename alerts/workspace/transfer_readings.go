package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"vigie/alerts/access"
	"vigie/protocols"
)

// rehoming is the body of a request to give readings to the patient whose they are: of the
// one who was taken for him, and by the device of his that they are entered under.
type rehoming struct {
	striking
	Into string `json:"into"`
	As   string `json:"as_device"`
}

// rehomed is what such a request came to. To take it back, strike the batch out of the one
// and unstrike the readings of the other.
type rehomed struct {
	Readings []readingJSON `json:"readings"` // struck out of the one
	Entered  Entered       `json:"entered"`  // for the other
}

// mostRehomed is how many readings change their patient at once.
const mostRehomed = 1000

var (
	errRehoming = refuse(codeMalformed,
		"Dites à quel autre patient sont ces mesures (into), et sous lequel de ses appareils les garder (as_device).",
		"Say whose readings they are (into), another patient's, and under which of his devices they are kept (as_device).")
	errSameDevice = refuse(codeUnusable,
		"C'est l'appareil qui a fait cette mesure : donnez-en un que ce patient avait alors (as_device). Rien n'a changé.",
		"This is the device that has measured it: give one that this patient had then (as_device). Nothing was changed.")
	errLateRehoming = refuse(codeUnusable,
		"Une mesure est arrivée entre-temps : elle est rayée chez l'un, et ne peut pas servir chez l'autre. Relisez les deux dossiers.",
		"A reading came meanwhile: it is struck out of the one, and cannot be used for the other. Look at both records.")
	errNothingToRehome = refuse(NoSuchReading, "Il n'y a aucune mesure à changer de patient.", "There is no reading to give to another patient.")
	errTooManyToRehome = refuse(TooManyAtOnce, "Mille mesures au plus changent de patient à la fois.", "A thousand readings at most change their patient at once.")
)

// rehomeReadings gives readings to the patient whose they are. They are entered for him
// first, then struck out of the other: a request that is cut short loses nothing, and is
// sent again. Where one of them cannot be used for him, none changes its patient.
func (w *Workspace) rehomeReadings(rw http.ResponseWriter, r *http.Request) {
	var body rehoming
	if err := readBody(rw, r, &body); err != nil {
		w.fail(rw, r, err)
		return
	}
	about, err := body.about(access.From(r.Context()))
	if err == nil && (about.Patient == "" || body.Into == "" || body.Into == about.Patient || body.As == "") {
		err = errRehoming
	}
	var done *rehomed
	if err == nil {
		done, err = w.rehome(r.Context(), about, body.Into, body.As)
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	who := access.From(r.Context())
	w.Log.Info("readings changed their patient", "readings", len(done.Readings), "batch", done.Entered.Batch, "account", who.Account, "token", who.Token)
	w.reply(rw, r, http.StatusOK, done)
}

func (w *Workspace) rehome(ctx context.Context, about Striking, into, as string) (*rehomed, error) {
	for _, patient := range []string{about.Patient, into} {
		if err := w.records.mayEnter(ctx, patient); err != nil {
			return nil, err
		}
	}
	sent, err := w.sentOf(ctx, about, as)
	if err != nil {
		return nil, err
	}
	if w.TryStrike != nil { // what can no longer be struck out of the one is not entered for the other
		if _, err := w.TryStrike(ctx, about); err != nil {
			return nil, err
		}
	}
	entering := Entering{Patient: into, Device: as, Readings: sent.payloads, Author: about.Author, Reason: about.Reason}
	entered, err := w.records.enter(ctx, entering, w.Options.Enter)
	if err != nil {
		return nil, err
	}
	if len(entered.Refused) > 0 {
		return nil, w.notRehomed(ctx, about, into, entered)
	}
	struck, err := w.records.strike(ctx, about, w.Options.Strike)
	if err != nil {
		return nil, fmt.Errorf("strike readings out that were entered for whose they are, as %s: %w", entered.Batch, err)
	}
	if err := w.rehomeLate(ctx, sent, struck, entering); err != nil {
		return nil, err
	}
	done := &rehomed{Entered: entered}
	for _, reading := range struck {
		shown := jsonOf(reading)
		shown.Struck = true
		done.Readings = append(done.Readings, shown)
	}
	return done, nil
}

// rehomeLate enters what came between the look and the strike: it is struck out with the rest.
func (w *Workspace) rehomeLate(ctx context.Context, sent *sending, struck []*protocols.Reading, entering Entering) error {
	before := len(sent.payloads)
	for _, r := range struck {
		if err := sent.add(r); err != nil {
			return err
		}
	}
	entering.Readings = sent.payloads[before:]
	if len(entering.Readings) == 0 {
		return nil
	}
	late, err := w.records.enter(ctx, entering, w.Options.Enter)
	if err == nil && len(late.Refused) > 0 {
		err = errLateRehoming
	}
	return err
}

// sending are readings as devices send them. One measurement that came on two ways is one.
type sending struct {
	as       string // the device under which they are entered
	seen     map[measured]bool
	payloads []json.RawMessage
}

type measured struct {
	measure *protocols.Measure
	variant uint8
	at      int64 // nanoseconds since 1970
}

// add takes a reading. Under the device that has measured it a reading is known already, as
// the other patient's: it cannot be kept so.
func (s *sending) add(r *protocols.Reading) error {
	one := measured{r.Measure, uint8(r.Variant), r.Time.UnixNano()}
	if s.seen[one] {
		return nil
	}
	if r.Device == s.as {
		return errSameDevice
	}
	text, err := asSent(r)
	if err != nil {
		return err
	}
	s.seen[one] = true
	s.payloads = append(s.payloads, text)
	return nil
}

// sentOf are the readings that a request names.
func (w *Workspace) sentOf(ctx context.Context, about Striking, as string) (*sending, error) {
	sent := &sending{as: as, seen: map[measured]bool{}}
	var failed error
	err := w.records.readings(ctx, about.Patient, about.Measure, about.From, about.To, func(r *protocols.Reading) bool {
		other := about.Device != "" && r.Device != about.Device || about.ID != "" && r.ID != about.ID || about.Batch != "" && (r.Origin == nil || r.Origin.Batch != about.Batch)
		if r.Struck || other {
			return true
		}
		failed = sent.add(r)
		return failed == nil && len(sent.payloads) <= mostRehomed
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, err
	case len(sent.payloads) == 0:
		return nil, errNothingToRehome
	case len(sent.payloads) > mostRehomed:
		return nil, errTooManyToRehome
	}
	return sent, nil
}

// asSent is a reading as a device sends it.
func asSent(r *protocols.Reading) ([]byte, error) {
	text, err := json.Marshal(jsonOf(r))
	if err != nil {
		return nil, err
	}
	sent := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &sent); err != nil {
		return nil, err
	}
	delete(sent, "device")
	if r.DayOnly {
		delete(sent, "day_only")
		sent["time"] = []byte(r.Time.UTC().Format(`"2006-01-02"`))
	}
	return json.Marshal(sent)
}

// notRehomed takes back what was entered, and says why it may not stay.
func (w *Workspace) notRehomed(ctx context.Context, about Striking, into string, entered Entered) error {
	if entered.New > 0 {
		back := Striking{Patient: into, Batch: entered.Batch, From: about.From, To: about.To, Author: about.Author, Reason: about.Reason}
		if _, err := w.records.strike(ctx, back, w.Options.Strike); err != nil {
			return fmt.Errorf("take readings back that were entered as %s: %w", entered.Batch, err)
		}
	}
	code := slices.Sorted(maps.Keys(entered.Refused))[0]
	return refuse(codeUnusable, fmt.Sprintf("Rien n'a changé : une mesure ne peut pas servir chez ce patient (%s).", code), fmt.Sprintf("Nothing was changed: a reading cannot be used for that patient (%s).", code))
}
