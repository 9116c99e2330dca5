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
	"vigie/ingest/registry"
	"vigie/protocols"
)

// summaryView is what leaves the workspace on paper: for the patient's own physician, or
// without who he is for a second opinion.
type summaryView struct {
	patientView
	Opinion   bool   // without name, matricule and whatever somebody has typed
	Matricule string // with its kind; empty where it may not leave
	Strict    string // the strict traits of the identity, with the matricule
	Period    string
	Made      string    // with the year, as all times on paper
	Spans     []deskTab // intervals
	Readers   []deskTab // whom it is for
	Adherence []adherenceRow
	Counted   []string // alerts of each level, in words
	Rows      []summaryAlert
	Left      string // alerts that are not listed, in words
	Pauses    []string
}

// summaryAlert is an alert of the period and what became of it.
type summaryAlert struct {
	AlertRow
	At   string
	Over string
	Note string
}

// adherenceRow is how much of what was expected of a measure came.
type adherenceRow struct {
	Name, Expected, Came, Share string
}

const (
	summaryInterval = "90d"
	summaryAlerts   = 100 // alerts that a summary lists
	forOpinion      = "opinion"
)

func (w *Workspace) summaryPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if query.Get("last") == "" && query.Get("from") == "" {
		query.Set("last", summaryInterval)
	}
	v := summaryView{patientView: patientView{view: w.view(r, "summary.title")}, Opinion: query.Get("for") == forOpinion}
	if err := w.fillSummary(r, &v, query); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Drawn = true
	w.render(rw, r, http.StatusOK, "summary", v)
}

func (w *Workspace) fillSummary(r *http.Request, v *summaryView, query url.Values) error {
	ctx, patient := r.Context(), r.PathValue("id")
	if err := w.fillPatient(ctx, &v.patientView, patient, query); err != nil {
		return err
	}
	name, from, to, err := stretchOf(query, v.Zone(""), v.now)
	if err != nil {
		return err
	}
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		return err
	}
	for _, d := range v.Charts {
		d.Table, d.Values = nil, nil // on paper nothing is pointed at
	}
	v.Settings = slices.DeleteFunc(v.Settings, func(s settingRow) bool { return s.Author == "" })
	v.Made = v.onPaper(v.now)
	v.Period = v.T("summary.from") + " " + v.dayOnPaper(from) + " " + v.T("summary.to") + " " + v.dayOnPaper(to.Add(-1))
	v.view.Title = v.T("summary.title") + " " + patient + " " + v.now.In(v.Zone("")).Format(time.DateOnly) // the file that a browser prints to
	v.offer(patient, name, from, to)
	if err := w.listPeriod(ctx, v, patient, from, to); err != nil {
		return err
	}
	if v.Adherence, err = w.adherence(ctx, v.view, enrolments, patient, from, to); err != nil {
		return err
	}
	v.pausesOf(enrolments, from, to)
	if v.Opinion {
		v.unname(patient)
		return nil
	}
	identity, err := w.qualified(r, patient)
	if err != nil || identity == nil {
		return err
	}
	v.Matricule = identity.INS + " (" + identity.OID + ")"
	v.Strict = strings.Join([]string{identity.BirthName, identity.GivenNames, identity.Sex, identity.BirthDate, identity.BirthPlace}, ", ")
	return nil
}

// onPaper is a moment with its year, on the clock of the patient: who reads it later does
// not know in which year it was printed.
func (v *summaryView) onPaper(t time.Time) string {
	return moment(v.Language, t.In(v.Zone("")), time.Time{})
}

// dayOnPaper is a day with its year.
func (v *summaryView) dayOnPaper(t time.Time) string {
	return date(v.Language, t.In(v.Zone("")), time.Time{})
}

// offer are the other intervals and readers that a summary may be made for.
func (v *summaryView) offer(patient, name string, from, to time.Time) {
	address := func(values url.Values, opinion bool) string {
		if opinion {
			values.Set("for", forOpinion)
		}
		return "/patients/" + url.PathEscape(patient) + "/summary?" + values.Encode()
	}
	here := func() url.Values {
		if name != "" {
			return url.Values{"last": {name}}
		}
		return url.Values{"from": {v.From}, "to": {v.To}}
	}
	for _, i := range intervals[1:] {
		v.Spans = append(v.Spans, deskTab{Text: span(v.Language, i.length), Link: address(url.Values{"last": {i.name}}, v.Opinion), Current: i.name == name})
	}
	v.Readers = []deskTab{
		{Text: v.T("summary.physician"), Link: address(here(), false), Current: !v.Opinion},
		{Text: v.T("summary.opinion"), Link: address(here(), true), Current: v.Opinion},
	}
}

// unname takes out of a summary who the patient is, and whatever somebody has typed.
func (v *summaryView) unname(patient string) {
	about, _, _ := strings.Cut(v.Person.About, " · ")
	v.Person = subject{ID: patient, Name: patient, About: about}
	v.Born, v.Pauses = "", nil
	for i := range v.Rows {
		v.Rows[i].Note = ""
	}
	for i := range v.Settings {
		v.Settings[i].Reason = ""
	}
	for i := range v.Care {
		v.Care[i].Pause = ""
	}
	for _, d := range v.Charts { // what is told of a mark when it is pointed at stands in the page
		d.Written, d.Struck = nil, nil
		for i := range d.Pauses {
			d.Pauses[i].Text = v.T("pause")
		}
	}
}

// qualified is the identity of a patient with its strict traits, for who may see it. Reading
// it is logged. It is nil where the matricule may not leave, see registry.Identity.Qualified.
func (w *Workspace) qualified(r *http.Request, patient string) (*registry.Identity, error) {
	if w.Change == nil {
		return nil, nil
	}
	if may, err := w.records.mayFor(r.Context(), access.SeeIdentity, patient); err != nil || !may {
		return nil, err
	}
	identity, err := w.Change.Identity(r.Context(), patient, w.by(r))
	if err != nil || !identity.Qualified() {
		return nil, err
	}
	strict := identity.Strict()
	return &strict, nil
}

// listPeriod lists the alerts of an interval, the latest first, and counts them by level.
func (w *Workspace) listPeriod(ctx context.Context, v *summaryView, patient string, from, to time.Time) error {
	filter := alerts.Filter{Patient: patient, From: from, To: to, Newest: true, Limit: alerts.MaxLimit}
	levels, count := map[protocols.Level]int{}, 0
	for {
		page, err := w.records.alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			a := &page[i]
			levels[a.Level]++
			if count++; count > summaryAlerts {
				continue
			}
			row := summaryAlert{AlertRow: v.row(a), At: v.onPaper(a.At), Note: a.Note, Over: v.T("summary.open")}
			if a.State == alerts.Resolved {
				row.Over = v.Closed(row.AlertRow) + ", " + a.ResolvedBy + ", " + v.onPaper(a.ResolvedAt)
			}
			v.Rows = append(v.Rows, row)
		}
		if len(page) < filter.Limit {
			break
		}
		filter.After = alerts.After(&page[len(page)-1]).String()
	}
	slices.SortStableFunc(v.Rows, func(a, b summaryAlert) int { return b.Alert.At.Compare(a.Alert.At) })
	for _, level := range gravest {
		if n := levels[level]; n > 0 {
			v.Counted = append(v.Counted, whole(v.Language, n)+" "+v.LevelName(level))
		}
	}
	if count > summaryAlerts {
		v.Left = v.counted("summary.left", count-summaryAlerts)
	}
	return nil
}

// pausesOf lists what was agreed not to be watched.
func (v *summaryView) pausesOf(enrolments []registry.Enrolment, from, to time.Time) {
	for i := range enrolments {
		for _, p := range enrolments[i].Pauses {
			if p.From.Before(to) && p.Until.After(from) {
				v.Pauses = append(v.Pauses, v.dayOnPaper(p.From)+" – "+v.dayOnPaper(p.Until)+v.T("colon")+p.Reason)
			}
		}
	}
}

// adherence says of each measure that is expected by day or by week how often as much came
// as was expected. Days are those at whose noon the enrolment runs and is not paused; the
// day or week that runs counts once it is met.
func (w *Workspace) adherence(ctx context.Context, v view, enrolments []registry.Enrolment, patient string, from, to time.Time) (rows []adherenceRow, err error) {
	came := map[*protocols.Measure][]*protocols.Reading{}
	first := from.In(v.Zone("")) // its day counts whole
	err = w.records.readings(ctx, patient, nil, periodOf(first, protocols.PerWeek), to, func(r *protocols.Reading) bool {
		if !r.Struck {
			came[r.Measure] = append(came[r.Measure], r)
		}
		return true
	})
	var missing partial
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	for i := range enrolments {
		e := &enrolments[i]
		protocol := w.protocolOf(e)
		if protocol == nil {
			continue
		}
		zone := v.Zone(e.Team)
		for j := range protocol.Observations {
			o := &protocol.Observations[j]
			per, times := o.Cadence.Per, o.Cadence.Times
			if o.Cadence.Every > 0 {
				per, times = protocols.PerDay, 1
			}
			if times == 0 || per == protocols.PerSession {
				continue
			}
			due := expectedIn(e, per, from, to, zone)
			if len(due) == 0 {
				continue
			}
			count := map[time.Time]int{}
			for _, r := range came[o.Measure] {
				if o.Variant == 0 || o.Variant == r.Variant {
					count[periodOf(r.Time.In(zone), per)]++
				}
			}
			if !o.Mandatory && len(count) == 0 {
				continue // another way of measuring, which this patient does not use
			}
			met := 0
			due = slices.DeleteFunc(due, func(p time.Time) bool {
				return count[p] < times && p.Equal(periodOf(v.now.In(zone), per))
			})
			for _, p := range due {
				if count[p] >= times {
					met++
				}
			}
			rows = append(rows, adherenceRow{
				Name: v.observed(o), Expected: v.counted("summary.times."+string(per), times),
				Came: whole(v.Language, met) + " / " + whole(v.Language, len(due)), Share: shareText(v, met, len(due)),
			})
		}
	}
	return rows, nil
}

// observed names what a protocol expects: "glucose, interstitiel".
func (v view) observed(o *protocols.Observation) string {
	name := v.In(o.Measure.Title)
	if o.Variant == 0 {
		return name
	}
	return name + ", " + v.T("variant."+o.Measure.Variants[o.Variant-1])
}

func shareText(v view, met, due int) string {
	if due == 0 {
		return "—"
	}
	return whole(v.Language, (100*met+due/2)/due) + "\u202f%"
}

// periodOf is the midnight that begins the civil day or week of a moment.
func periodOf(local time.Time, per protocols.Period) time.Time {
	day := local.Day()
	if per == protocols.PerWeek {
		day -= (int(local.Weekday()) + 6) % 7
	}
	return time.Date(local.Year(), local.Month(), day, 0, 0, 0, 0, local.Location())
}

// expectedIn lists the days or weeks of an interval in which an enrolment expects readings,
// oldest first.
func expectedIn(e *registry.Enrolment, per protocols.Period, from, to time.Time, zone *time.Location) (due []time.Time) {
	first := from.In(zone)
	for day := time.Date(first.Year(), first.Month(), first.Day(), 12, 0, 0, 0, zone); day.Before(to); day = day.AddDate(0, 0, 1) {
		paused := slices.ContainsFunc(e.Pauses, func(p protocols.Pause) bool { return !day.Before(p.From) && day.Before(p.Until) })
		if day.Before(from) || paused || !e.Covers(day) || !e.Consent.At(day) {
			continue
		}
		if p := periodOf(day, per); len(due) == 0 || !due[len(due)-1].Equal(p) {
			due = append(due, p)
		}
	}
	return due
}
