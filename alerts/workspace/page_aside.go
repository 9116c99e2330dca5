package workspace

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Aside is what could not be used.
type Aside interface {
	// SetAsides lists it, newest first.
	SetAsides(ctx context.Context, filter ingest.SetAsideFilter) ([]ingest.SetAsideRecord, error)
	// Retry tries it again.
	Retry(ctx context.Context, filter ingest.SetAsideFilter) (ingest.Retried, error)
	// Told says to a person what a record holds and what is wrong with it; empty where nobody
	// can say.
	Told(record *ingest.SetAsideRecord, reason protocols.Reason) protocols.Text
	// Dismiss decides that it is not to be used; false when it was not open.
	Dismiss(ctx context.Context, id int64, author, reason string) (bool, error)
}

// asideView is the page of what could not be used: why, the payload, and what to do.
type asideView struct {
	view
	Rows         []asideRow
	All          bool // also what is settled
	Codes        []choice
	Code, Device string
	Next         string
	Enters       bool // who looks may try again and dismiss
	Here         string
	Said, Error  string
}

// asideRow is one record.
type asideRow struct {
	ID             int64
	At, Settled    *stamp
	Device, Link   string // the record of the patient, where there is one
	Patient        string
	Reasons        []asideReason
	Payload        string
	Hidden         bool // who looks may not see values of the patient
	Closed         bool
	Dismissed, Why string
}

// asideReason says why: in a word, what was sent, in a sentence with the way out, and as the
// device was told.
type asideReason struct{ Text, Told, Way, Path, Detail string }

const (
	asidePage    = 50
	asideScanned = 1000 // records that are looked at for a page of those that may be seen
	mostPayload  = 2000 // characters of a payload that a page shows
)

func (w *Workspace) asidePage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showAside(rw, r, query, http.StatusOK, nil)
}

func (w *Workspace) showAside(rw http.ResponseWriter, r *http.Request, query url.Values, status int, refused *alerts.Refused) {
	v := asideView{view: w.view(r, "aside.title"), All: query.Get("all") != "", Code: query.Get("code"), Device: query.Get("device")}
	v.Place = "aside"
	v.Enters = access.From(r.Context()).May(access.EnterReadings)
	before, err := strconv.ParseInt(orWord(query.Get("before"), "0"), 10, 64)
	if err != nil || before < 0 {
		w.failPage(rw, r, badParameter("before", "c'est un numéro", "it is a number"))
		return
	}
	filter := ingest.SetAsideFilter{Device: v.Device, Code: protocols.Code(v.Code), Open: !v.All, Before: before}
	if err := w.fillAside(r.Context(), &v, filter); err != nil {
		w.failPage(rw, r, err)
		return
	}
	for _, code := range protocols.Codes() {
		v.Codes = append(v.Codes, choice{string(code), v.T("code." + string(code)), string(code) == v.Code})
	}
	switch query.Get("said") {
	case "accepted", "refused", "failed", "dismissed":
		v.Said = v.T("aside." + query.Get("said"))
	}
	if refused != nil {
		v.Error = v.In(refused.Text)
	}
	w.render(rw, r, status, "aside", v)
}

func orWord(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// fillAside lists the records that may be seen, a page of them.
func (w *Workspace) fillAside(ctx context.Context, v *asideView, filter ingest.SetAsideFilter) error {
	here := url.Values{}
	for name, value := range map[string]string{"code": v.Code, "device": v.Device, "all": map[bool]string{true: "1"}[v.All]} {
		if value != "" {
			here.Set(name, value)
		}
	}
	v.Here = "/set-aside?" + here.Encode()
	known := map[string]*registry.Assignment{}
	filter.Limit = asidePage
	for scanned := 0; scanned < asideScanned; scanned += asidePage {
		records, err := w.Aside.SetAsides(ctx, filter)
		if err != nil {
			return err
		}
		for i := range records {
			filter.Before = records[i].ID
			row, ok, err := w.asideRow(ctx, v.view, &records[i], known)
			if err != nil {
				return err
			}
			if ok {
				v.Rows = append(v.Rows, row)
			}
			if len(v.Rows) == asidePage {
				break
			}
		}
		if len(v.Rows) == asidePage || len(records) == asidePage && scanned+asidePage >= asideScanned {
			here.Set("before", strconv.FormatInt(filter.Before, 10))
			v.Next = "/set-aside?" + here.Encode()
			return nil
		}
		if len(records) < asidePage {
			return nil
		}
	}
	return nil
}

// asideRow writes a record; false for one that who asks may not see.
func (w *Workspace) asideRow(ctx context.Context, v view, record *ingest.SetAsideRecord, known map[string]*registry.Assignment) (asideRow, bool, error) {
	device, asked := known[record.Device]
	if !asked {
		var err error
		if device, err = w.assignment(ctx, record.Device); err != nil {
			return asideRow{}, false, err
		}
		known[record.Device] = device
	}
	if !mayOf(ctx, access.SeeDevices, device) {
		return asideRow{}, false, nil
	}
	row := asideRow{
		ID: record.ID, At: v.Stamp(record.Received, teamOf(device)), Settled: v.Stamp(record.Settled, teamOf(device)), Device: record.Device,
		Closed: !record.Settled.IsZero(), Dismissed: record.DismissedBy, Why: record.DismissedWhy,
	}
	row.Hidden = !mayOf(ctx, access.SeePatients, device)
	for _, reason := range record.Reasons {
		why := asideReason{Text: v.T("code." + string(reason.Code)), Way: v.T("code.way." + string(reason.Code)), Path: readable(reason.Path), Detail: readable(reason.Message)}
		if !row.Hidden {
			why.Told = readable(v.In(w.Aside.Told(record, reason)))
		}
		row.Reasons = append(row.Reasons, why)
	}
	if row.Hidden {
		return row, true, nil
	}
	row.Payload = payloadText(record.Payload)
	if device != nil && len(device.Enrolments) > 0 {
		row.Patient = device.Enrolments[len(device.Enrolments)-1].Patient
		row.Link = "/patients/" + url.PathEscape(row.Patient)
		saw(ctx, row.Patient)
	}
	return row, true, nil
}

// assignment is what the registry knows of a device; nil for one that it does not know.
func (w *Workspace) assignment(ctx context.Context, name string) (*registry.Assignment, error) {
	if w.Device == nil {
		return nil, nil
	}
	device, err := w.Device(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	return device, err
}

// teamOf is the team that looks after the patient of a device; empty for none.
func teamOf(device *registry.Assignment) string {
	if device == nil || len(device.Enrolments) == 0 {
		return ""
	}
	return device.Enrolments[len(device.Enrolments)-1].Team
}

// mayOf reports whether who asks holds a right for a device: by a team of its patient, or
// by a role that is bound to no team. A device of nobody is everybody's who holds the right.
func mayOf(ctx context.Context, right access.Right, device *registry.Assignment) bool {
	who := access.From(ctx)
	if who.Everywhere(right) || device == nil || len(device.Enrolments) == 0 {
		return who.May(right)
	}
	return slices.ContainsFunc(device.Enrolments, func(e registry.Enrolment) bool { return who.MayIn(right, e.Team) })
}

// payloadText writes a payload for a page: JSON with its lines, text with what cannot be
// printed as escapes, anything else in hexadecimal. It is cut to a bounded length.
func payloadText(payload []byte) string {
	if len(payload) == 0 {
		return ""
	}
	if !utf8.Valid(payload) {
		return hex.Dump(payload[:min(len(payload), 512)])
	}
	text := string(payload)
	if indented, err := json.MarshalIndent(json.RawMessage(payload), "", "  "); err == nil && len(payload) <= mostPayload {
		text = string(indented)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = readable(lines[i])
	}
	text = strings.Join(lines, "\n")
	if runes := []rune(text); len(runes) > mostPayload {
		text = string(runes[:mostPayload]) + "…"
	}
	return text
}

// readable writes text that a device chose: what is not printable, or would change the
// direction of writing, stands as an escape.
func readable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || protocols.Unprintable(r) }) {
		return text
	}
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

// asideForm does one thing with a record, and shows the list anew.
func (w *Workspace) asideForm(do func(r *http.Request, id int64, patient string) (said string, err error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if err := readForm(rw, r); err != nil {
			w.failPage(rw, r, err)
			return
		}
		id, patient, err := w.asideOf(r)
		if err != nil {
			w.failPage(rw, r, err)
			return
		}
		query := url.Values{}
		if back, err := url.Parse(here(r.PostForm.Get("back"))); err == nil {
			query = back.Query()
		}
		said, err := do(r, id, patient)
		if err != nil {
			refused := w.refusal(r, err)
			w.showAside(rw, r, query, statuses[refused.Code], refused)
			return
		}
		query.Set("said", said)
		http.Redirect(rw, r, "/set-aside?"+query.Encode()+"#said", http.StatusSeeOther)
	}
}

// asideOf finds the record that a form is about, and whose patient's it is; like one that
// does not exist for who may not act on it.
func (w *Workspace) asideOf(r *http.Request) (id int64, patient string, err error) {
	id, err = strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, "", errNoPath
	}
	records, err := w.Aside.SetAsides(r.Context(), ingest.SetAsideFilter{ID: id})
	if err != nil {
		return 0, "", err
	}
	if len(records) == 0 {
		return 0, "", errNoPath
	}
	device, err := w.assignment(r.Context(), records[0].Device)
	switch {
	case err != nil:
		return 0, "", err
	case !mayOf(r.Context(), access.EnterReadings, device):
		return 0, "", errNoPath
	case device != nil && len(device.Enrolments) > 0:
		patient = device.Enrolments[len(device.Enrolments)-1].Patient
	}
	return id, patient, nil
}

// tryAgain tries a record again, and says what came of it.
func (w *Workspace) tryAgain(r *http.Request, id int64, patient string) (said string, err error) {
	actsFor(r.Context(), patient, "set-aside "+r.PathValue("id"), "")
	tried, err := w.Aside.Retry(r.Context(), ingest.SetAsideFilter{ID: id})
	switch {
	case err != nil:
		return "", err
	case tried.Accepted > 0:
		return "accepted", nil
	case tried.Refused > 0:
		return "refused", nil
	}
	return "failed", nil
}

// dismiss decides that a record is not to be used.
func (w *Workspace) dismiss(r *http.Request, id int64, patient string) (said string, err error) {
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	switch {
	case reason == "":
		return "", refuse(alerts.NoReason, "Écrivez pourquoi cela ne servira pas.", "Write why this will not be used.")
	case utf8.RuneCountInString(reason) > longestReason:
		return "", refuse(alerts.TooLong, "Le motif tient en 1000 caractères.", "The reason holds 1000 characters.")
	}
	if err := alerts.CheckText(reason); err != nil {
		return "", err
	}
	actsFor(r.Context(), patient, "set-aside "+r.PathValue("id"), reason)
	open, err := w.Aside.Dismiss(r.Context(), id, access.From(r.Context()).Name, reason)
	if err == nil && !open {
		err = refuse(codeChanged, "Quelqu'un s'en est déjà occupé.", "Somebody has already dealt with it.")
	}
	return "dismissed", err
}
