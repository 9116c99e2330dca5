package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/chart"
	"vigie/protocols/words"
)

// patientView is all that is kept about one patient, as his team reads it.
type patientView struct {
	view
	Person    subject
	Born      string
	Back      string // the list to come back to
	Care      []careRow
	Reviewed  *reviewRow // nil where nobody signs that
	Done      string
	Tiles     []tile
	Intervals []deskTab
	From, To  string // dates of the interval that is shown
	Missing   string
	Charts    []*drawing
	Strip     *strip       // the months around; nil for none
	Glucose   *glucoseView // nil where no sensor measured
	Compared  *comparison  // nil for no comparison
	Compare   string       // this page beside the period before
	Alone     string       // this page without a comparison
	Struck    []tableRow
	Here      string // this page, to come back to
	Alerts    []besideRow
	More      string // where all alerts of the patient are listed
	Events    []lifeRow
	Settings  []settingRow
	Devices   []deviceRow
	Empty     bool // nothing was measured in the interval
	MayEnter  bool // who looks may enter readings
	MayGive   bool // who looks may give him his trail
	MayMerge  bool // who looks may say that this record and another are one person
	Changes   bool // enrolments have a page
}

// careRow is one enrolment in the banner.
type careRow struct {
	ID                                        string
	Title, Team, Consent, Prescription, Pause string
	Ends                                      bool // soon, or it has ended
	Refused                                   bool // consent is not given
}

// tile is the last value of one component.
type tile struct {
	Name, Value, Age string
	Spark            *chart.Spark
}

// lifeRow is one thing that happened to a patient.
type lifeRow struct {
	At         *stamp
	Text, Note string
	Link       string
	Level      protocols.Level
	when       time.Time
}

// settingRow is one number of a protocol as it holds for a patient.
type settingRow struct {
	Title, Value, Default, Author, Reason string
	Date                                  *stamp
}

// deviceRow is one instrument of a patient.
type deviceRow struct {
	Name, Kind, Seen, Battery string
	Silent                    bool
}

// The intervals that a patient's page shows, by name.
var intervals = []struct {
	name   string
	length time.Duration
}{{"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"14d", 14 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}, {"90d", 90 * 24 * time.Hour}}

const (
	usualInterval   = "30d"
	longestInterval = 400 * 24 * time.Hour
	lastBack        = 90 * 24 * time.Hour // how far back a last value is looked for
	patientAlerts   = 50
	patientEvents   = 80
)

// stretchOf is the interval that a request asks for: one of the usual ones up to now, or
// two dates, both included, by the clock of the patient.
func stretchOf(query url.Values, zone *time.Location, now time.Time) (name string, from, to time.Time, err error) {
	name = query.Get("last")
	first, last := query.Get("from"), query.Get("to")
	if first != "" || last != "" {
		from, err = time.ParseInLocation(time.DateOnly, first, zone)
		if err == nil {
			to, err = time.ParseInLocation(time.DateOnly, last, zone)
		}
		to = to.AddDate(0, 0, 1)
		if err != nil || !to.After(from) || to.Sub(from) > longestInterval {
			return "", from, to, badParameter("from", "donnez deux dates comme 2026-11-21, la seconde au plus 400 jours après la première", "give two dates such as 2026-11-21, the second at most 400 days after the first")
		}
		return "", from, to, nil
	}
	if name == "" {
		name = usualInterval
	}
	for _, i := range intervals {
		if i.name == name {
			return name, now.Add(-i.length), now, nil
		}
	}
	return "", from, to, badParameter("last", "utilisez 24h, 7d, 14d, 30d ou 90d", "use 24h, 7d, 14d, 30d or 90d")
}

func (w *Workspace) patientPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := patientView{view: w.view(r, "patient.title")}
	if err := w.fillPatient(r.Context(), &v, r.PathValue("id"), query); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Back, v.Drawn = here(query.Get("back")), true
	w.render(rw, r, http.StatusOK, "patient", v)
}

func (w *Workspace) fillPatient(ctx context.Context, v *patientView, patient string, query url.Values) error {
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		return err
	}
	face, named, err := w.records.face(ctx, patient)
	if err != nil {
		return err
	}
	all, err := w.alertsOf(ctx, patient)
	if err != nil {
		return err
	}
	if len(enrolments) == 0 && !named && len(all) == 0 {
		return alerts.ErrNotFound
	}
	v.Person = subject{ID: patient, Name: patient}
	if named {
		v.Person = v.subject(&face, w.pathology(v.view, &face))
		if born, err := time.Parse(time.DateOnly, face.BirthDate); err == nil {
			v.Born = v.T(bornWord(face.Sex)) + " " + date(v.Language, born, v.now)
		}
	}
	v.view.Title = v.Person.Name
	v.zone = zoneOf(enrolments)
	if n := len(enrolments); n > 0 {
		v.team = enrolments[n-1].Team
	}
	name, from, to, err := stretchOf(query, v.Zone(""), v.now)
	if err != nil {
		return err
	}
	other, err := comparedFrom(query, v.Zone(""), from, to)
	if err != nil {
		return err
	}
	v.links(patient, name, from, to, query.Get("back"))
	for i := range enrolments {
		v.Care = append(v.Care, w.care(v.view, &enrolments[i]))
	}
	p := album{w: w, v: v, patient: patient, enrolments: enrolments, alerts: all, from: from, to: to, other: other}
	p.draw(ctx)
	_, v.Changes = w.needs["GET /enrolments/{id}"]
	if v.MayMerge, err = w.records.mayFor(ctx, access.Enrol, patient); err != nil {
		return err
	}
	v.MayMerge = v.MayMerge && v.Changes
	if err := w.fillReview(ctx, v, patient); err != nil {
		return err
	}
	if done := query.Get("done"); done == "reviewed" || done == "review-undone" {
		v.Done = v.T("review.done." + done)
	}
	v.MayGive = p.enters && w.Traces != nil
	v.MayEnter = p.enters && w.Options.Enter != nil
	v.listAlerts(all, patient)
	w.lifeOf(v, enrolments, all)
	w.settings(v, enrolments)
	w.devices(ctx, v, enrolments, p.heard)
	return nil
}

// alertsOf lists what is left to do for a patient, then what was closed, newest first.
func (w *Workspace) alertsOf(ctx context.Context, patient string) ([]alerts.Alert, error) {
	open, err := alerts.Unresolved(ctx, w.records.alerts, alerts.Filter{Patient: patient})
	if err != nil {
		return nil, err
	}
	closed, err := w.records.alerts(ctx, alerts.Filter{Patient: patient, States: []alerts.State{alerts.Resolved}, Newest: true, Limit: patientAlerts})
	return append(open, closed...), err
}

// zoneOf is where a patient lives, by the latest enrolment; nil where none says.
func zoneOf(enrolments []registry.Enrolment) *time.Location {
	for i := len(enrolments) - 1; i >= 0; i-- {
		if zone, err := time.LoadLocation(enrolments[i].Zone); err == nil {
			return zone
		}
	}
	return nil
}

// links are the addresses of the intervals.
func (v *patientView) links(patient, name string, from, to time.Time, back string) {
	address := func(values url.Values) string {
		if back != "" {
			values.Set("back", back)
		}
		return "/patients/" + url.PathEscape(patient) + "?" + values.Encode()
	}
	for _, i := range intervals {
		v.Intervals = append(v.Intervals, deskTab{Name: i.name, Text: span(v.Language, i.length), Link: address(url.Values{"last": {i.name}}), Current: i.name == name})
	}
	v.Intervals[0].Text = "24 h"
	zone := v.Zone("")
	v.From, v.To = from.In(zone).Format(time.DateOnly), to.Add(-1).In(zone).Format(time.DateOnly)
	v.Here = address(url.Values{"from": {v.From}, "to": {v.To}})
	if name != "" {
		v.Here = address(url.Values{"last": {name}})
	}
	v.Alone = v.Here
	v.Compare = v.Here + "&compare=before"
	v.More = "/alerts?" + url.Values{"patient": {patient}}.Encode()
}

// dayAddress is the page of a patient on the civil day of a moment.
func (v *patientView) dayAddress(patient string, at time.Time) string {
	day := at.In(v.Zone("")).Format(time.DateOnly)
	return "/patients/" + url.PathEscape(patient) + "?" + url.Values{"from": {day}, "to": {day}}.Encode() + "#charts"
}

// soonEnds is how long before its end a prescription is shown to be renewed.
const soonEnds = 30 * 24 * time.Hour

// care writes an enrolment for the banner.
func (w *Workspace) care(v view, e *registry.Enrolment) careRow {
	day := func(t time.Time) string { return date(v.Language, t.In(v.Zone("")), v.now) }
	row := careRow{ID: e.ID, Title: w.protocolTitle(v, e.Protocol, e.Version) + ", " + v.T("alert.version") + " " + e.Version, Team: v.TeamName(e.Team)}
	switch {
	case !e.Consent.Given:
		row.Consent, row.Refused = v.T("consent.refused")+" "+day(e.Consent.Date), true
	case !e.Consent.Withdrawn.IsZero() && !v.now.Before(e.Consent.Withdrawn):
		row.Consent, row.Refused = v.T("consent.withdrawn")+" "+day(e.Consent.Withdrawn), true
	default:
		row.Consent = v.T("consent.given") + " " + day(e.Consent.Date)
	}
	if end := e.Prescription; !end.IsZero() {
		zone := v.Zone("")
		row.Ends = end.Sub(v.now) < soonEnds
		word := "prescription.until"
		if !v.now.Before(end) {
			word = "prescription.over"
		}
		row.Prescription = v.T(word) + " " + day(registry.LastDay(end, zone))
	}
	if e.StateAt(v.now) == registry.Proposed {
		row.Prescription, row.Ends = v.T("state.proposed"), true
	}
	for _, p := range e.Pauses {
		if !v.now.Before(p.From) && v.now.Before(p.Until) {
			row.Pause = v.T("pause.until") + " " + v.Stamp(p.Until, e.Team).Clock + v.T("colon") + p.Reason + " (" + p.Author + ")"
		}
	}
	return row
}

func (v *patientView) listAlerts(all []alerts.Alert, patient string) {
	for i := range all {
		v.Alerts = append(v.Alerts, besideRow{v.row(&all[i]), alertAddress(all[i].ID, "/patients/"+url.PathEscape(patient))})
	}
}

// lifeOf is what happened to a patient, newest first: alerts and what became of them,
// pauses, settings, the beginning and end of the care.
func (w *Workspace) lifeOf(v *patientView, enrolments []registry.Enrolment, all []alerts.Alert) {
	add := func(at time.Time, text, note string) *lifeRow {
		if at.IsZero() || at.After(v.now) {
			return &lifeRow{}
		}
		v.Events = append(v.Events, lifeRow{At: v.Stamp(at, ""), Text: text, Note: note, when: at})
		return &v.Events[len(v.Events)-1]
	}
	for i := range all {
		a := &all[i]
		row := add(a.RaisedAt, v.T("event.raised")+v.T("colon")+v.heading(a), "")
		row.Link, row.Level = alertAddress(a.ID, ""), a.Level
		if a.State == alerts.Acknowledged {
			add(a.AcknowledgedAt, v.T("event.acknowledged")+v.T("colon")+v.heading(a)+", "+a.AcknowledgedBy, a.Note).Link = alertAddress(a.ID, "")
		}
		if a.State == alerts.Resolved {
			add(a.ResolvedAt, v.T("event.resolved")+v.T("colon")+v.heading(a)+", "+v.Closed(v.row(a))+", "+a.ResolvedBy, a.Note).Link = alertAddress(a.ID, "")
		}
	}
	for i := range enrolments {
		e := &enrolments[i]
		title := w.protocolTitle(v.view, e.Protocol, e.Version)
		add(e.From, v.T("life.begins")+v.T("colon")+title, "")
		add(e.Ends(), v.T("life.ends")+v.T("colon")+title, "")
		for _, p := range e.Pauses {
			add(p.From, v.T("pause.begins")+v.T("colon")+p.Reason, p.Author)
			add(p.Until, v.T("pause.ends"), "")
		}
		protocol := w.protocolOf(e)
		for name, s := range e.Settings {
			title, unit, decimals := v.parameter(protocol, name)
			add(s.Date, v.T("life.setting")+v.T("colon")+title+" "+v.Say(s.Value, decimals, unit)+", "+s.Author, s.Reason)
		}
	}
	slices.SortStableFunc(v.Events, func(a, b lifeRow) int {
		if c := b.when.Compare(a.when); c != 0 {
			return c
		}
		return strings.Compare(a.Text, b.Text)
	})
	v.Events = v.Events[:min(len(v.Events), patientEvents)]
}

func (w *Workspace) protocolOf(e *registry.Enrolment) *protocols.Protocol {
	if w.Protocol == nil {
		return nil
	}
	return w.Protocol(e.Protocol, e.Version)
}

// bornWord is the word before a date of birth, which agrees where the sex is known.
func bornWord(sex string) string {
	if sex == "F" || sex == "M" {
		return "patient.born." + sex
	}
	return "patient.born"
}

// parameter names a number of a protocol that may be set per patient.
func (v view) parameter(p *protocols.Protocol, name string) (title, unit string, decimals int) {
	if p == nil || p.Parameter(name) == nil {
		return name, "", 0
	}
	parameter := p.Parameter(name)
	return v.In(parameter.Title), words.UsageOf(p, parameter).Unit, 0
}

// settings lists the numbers of the protocols that hold today, set for the patient
// first.
func (w *Workspace) settings(v *patientView, enrolments []registry.Enrolment) {
	var usual []settingRow
	for i := range enrolments {
		e := &enrolments[i]
		p := w.protocolOf(e)
		if p == nil || !e.Covers(v.now) {
			continue
		}
		for j := range p.Parameters {
			parameter := &p.Parameters[j]
			use := words.UsageOf(p, parameter)
			say := func(value protocols.Value) string { return v.Say(value, 0, use.Unit) }
			row := settingRow{Title: v.In(parameter.Title), Value: say(parameter.Default), Default: say(parameter.Default)}
			if use.Seeds {
				row.Value, row.Default = v.T("setting.none"), v.T("setting.none")
			}
			s, set := e.Settings[parameter.Name]
			if !set {
				usual = append(usual, row)
				continue
			}
			row.Value, row.Author, row.Reason, row.Date = say(s.Value), s.Author, s.Reason, v.Stamp(s.Date, e.Team)
			v.Settings = append(v.Settings, row)
		}
	}
	v.Settings = append(v.Settings, usual...)
}

// heard is when a device last measured, and its battery then; −1 when not told.
type heard struct {
	at      time.Time
	battery int
}

// longSilent is after how long without a reading a device is shown as silent.
const longSilent = 7 * 24 * time.Hour

// devices lists the instruments of a patient with when each last measured.
func (w *Workspace) devices(ctx context.Context, v *patientView, enrolments []registry.Enrolment, last map[string]heard) {
	seen := map[string]bool{}
	add := func(name string) {
		if seen[name] || name == "" {
			return
		}
		seen[name] = true
		row := deviceRow{Name: name, Seen: v.T("device.never"), Silent: true}
		if h, ok := last[name]; ok {
			row.Seen, row.Silent = ago(v.Language, h.at, v.now), v.now.Sub(h.at) > longSilent
			if h.battery >= 0 {
				row.Battery = whole(v.Language, h.battery) + "\u202f%"
			}
		}
		if w.Device != nil {
			if a, err := w.Device(ctx, name); err == nil {
				kind := a.Device.Kind
				if known := protocols.KindByID(kind); known != nil {
					kind = v.In(known.Title)
				}
				row.Kind = strings.TrimSpace(strings.Join([]string{kind, a.Device.Brand, a.Device.Model}, " "))
			}
		}
		v.Devices = append(v.Devices, row)
	}
	for i := len(enrolments) - 1; i >= 0; i-- {
		if enrolments[i].Covers(v.now) {
			for _, name := range enrolments[i].Devices {
				add(name)
			}
		}
	}
}

// enrolments lists the care of a patient, oldest first; alerts.ErrNotFound to who may
// not see him.
func (d records) enrolments(ctx context.Context, patient string) ([]registry.Enrolment, error) {
	ok, err := d.mayFor(ctx, access.SeePatients, patient)
	if err != nil || !ok {
		return nil, orNotFound(err)
	}
	saw(ctx, patient)
	if d.enrolled == nil {
		return nil, nil
	}
	return d.enrolled(ctx, patient)
}
