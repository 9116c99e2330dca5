package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/protocols"
)

// alertView is the page of one alert.
type alertView struct {
	view
	AlertRow
	Began, Latest, Over *stamp
	Rang                *stamp // when what rang was measured
	ProtocolTitle       string
	Folded              []eventRow // of a long history, between its first and its latest events
	Compared            []comparedRow
	Cited               []citedRow
	Tiles               []tile // the last value of every measure
	Charts              []*drawing
	Person              subject
	Then, Now           string // what was measured when it rang, and what is now
	Steady              string // for how long the values have been where they are
	Ends                string // what the rule says of now
	Advice              string
	From                string // the list to come back to
	Follow              string // the next patient to see
	Beside              []besideRow
	enters              bool   // who looks may strike readings out
	Doubt               string // the page that strikes out the latest reading behind it
	Missing             string // what is said of a past that is not whole
	History             []eventRow
	Outcomes            []outcomeChoice
	AsksWhy             bool         // one of them asks for an explanation
	Snoozes             []choice     // how long it may be put aside; none for what may not
	Colleagues          []string     // who else may take it on
	OtherTeams          []choice     // where it may be transferred
	CanUndo, Undone     string       // the act, in words, that who looks may undo, or has just undone
	Messages            []messageRow // who was told of it
	NextTold            string       // who is told next unless somebody answers
	NextAt              *stamp
	FollowUp, CallBack  *stamp
	Snoozed, Paused     *stamp
	Error               string      // why an act was refused
	Wrong               alerts.Code // what for
	Typed               act         // what was typed then
}

// outcomeChoice is an outcome to choose, with what it asks for at the level of the alert.
type outcomeChoice struct {
	ID, Text     string
	Asks, Chosen bool
}

// besideRow is another alert of the same patient.
type besideRow struct {
	AlertRow
	Link string
}

// earlierEpisodes is how many closed alerts of a patient his page shows.
const earlierEpisodes = 5

type eventRow struct {
	alerts.Event
	When *stamp
	Said string // the note, or what an event about another is about
	Own  bool   // done by the service; never what only people do, whatever they call themselves
}

func (w *Workspace) alertPage(rw http.ResponseWriter, r *http.Request) {
	w.showAlertPage(rw, r, http.StatusOK, nil, act{})
}

func (w *Workspace) acknowledgeForm(rw http.ResponseWriter, r *http.Request) {
	w.form(rw, r, act{Taking: true}, w.acknowledge)
}

func (w *Workspace) resolveForm(rw http.ResponseWriter, r *http.Request) {
	w.form(rw, r, act{}, w.resolve)
}

// actForm does one of acts, as a form asks for it.
func (w *Workspace) actForm(name string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.form(rw, r, act{}, func(r *http.Request, a act) error { return w.act(r, name, a) })
	}
}

// form does what a form asks for, then shows the page it came from; or shows the
// alert with what is wrong and what was typed.
func (w *Workspace) form(rw http.ResponseWriter, r *http.Request, typed act, do func(*http.Request, act) error) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	typed.Note, typed.Outcomes, typed.Seen = r.PostForm.Get("note"), r.PostForm["outcome"], seenIn(r.PostForm)
	if err := w.fill(r, &typed); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if err := do(r, typed); err != nil {
		refused := w.refusal(r, err)
		w.showAlertPage(rw, r, statuses[refused.Code], refused, typed)
		return
	}
	next := alertAddress(r.PathValue("id"), here(r.PostForm.Get("from"))) + "#done"
	if back := r.PostForm.Get("back"); back != "" {
		next = backTo(here(back), r.PathValue("id"))
	}
	if _, err := w.records.alert(r.Context(), r.PathValue("id")); errors.Is(err, alerts.ErrNotFound) {
		next = here(r.PostForm.Get("from")) // it is another team's now
	}
	http.Redirect(rw, r, next, http.StatusSeeOther)
}

// fill reads what only some acts take.
func (w *Workspace) fill(r *http.Request, typed *act) error {
	wait := func(field string) time.Time {
		if wait, err := time.ParseDuration(r.PostForm.Get(field)); err == nil {
			return w.Now().Add(wait)
		}
		return time.Time{}
	}
	switch name := path.Base(r.URL.Path); name {
	case "call-back":
		typed.At = wait("in")
		if at := r.PostForm.Get("at"); at != "" {
			found, err := w.records.alert(r.Context(), r.PathValue("id"))
			if err != nil {
				return err
			}
			typed.At, err = time.ParseInLocation("2006-01-02T15:04", at, w.view(r, "").Zone(found.Team))
			if err != nil {
				return refuse(codeMalformed, "L'heure du rappel est illisible.", "The time to call back cannot be read.")
			}
		}
	case "snooze":
		typed.Until = wait("for")
	case "assign":
		typed.To = r.PostForm.Get("to")
	case "transfer":
		typed.To = r.PostForm.Get("team")
	}
	return nil
}

// seenIn is the alert as the page with the form showed it; nil when it does not
// say.
func seenIn(form url.Values) *alerts.Seen {
	level, err := protocols.ParseLevel(form.Get("level"))
	if err != nil {
		return nil
	}
	seen := &alerts.Seen{Level: level, Active: form.Get("active") == "true", Figures: form.Has("worse")}
	if worse, err := strconv.ParseInt(form.Get("worse"), 10, 64); err == nil {
		seen.Worse = (*protocols.Value)(&worse)
	}
	return seen
}

// backTo is the list that an act was done in, which then says what was done.
func backTo(list, alert string) string {
	u, err := url.Parse(list)
	if err != nil {
		return "/"
	}
	query := u.Query()
	query.Set("done", alert)
	u.RawQuery = query.Encode()
	return u.String()
}

func (w *Workspace) showAlertPage(rw http.ResponseWriter, r *http.Request, status int, refused *alerts.Refused, typed act) {
	found, err := w.alert(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := alertView{view: w.view(r, "list.title"), Typed: typed}
	v.Live, v.Drawn = refused == nil, true
	a := &found.Alert
	v.AlertRow = v.row(a)
	v.view.Title, v.team = v.heading(a), a.Team
	v.ProtocolTitle = w.protocolTitle(v.view, a.Protocol, a.Version)
	v.FollowUp, v.CallBack = v.Stamp(a.FollowUpBy, a.Team), v.Stamp(a.CallBackAt, a.Team)
	v.Snoozed, v.Paused = v.Stamp(a.SnoozedUntil, a.Team), v.Stamp(a.PausedUntil, a.Team)
	v.undoable(a)
	if err := w.offer(r.Context(), &v, a); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if refused != nil {
		v.Error, v.Wrong = v.In(refused.Text), refused.Code
	}
	for _, e := range found.Events {
		own := e.Author == alerts.Service && e.Kind != alerts.EventAcknowledged && e.Kind != alerts.EventResolved
		v.History = append(v.History, eventRow{e, v.Stamp(e.At, a.Team), v.said(e, a.Team), own})
	}
	v.fold()
	if err := w.aboutPatient(r, &v, a); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if err := w.whoIsTold(r.Context(), &v, a); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.home = v.Person.Zone
	v.Tiles = w.lastValues(r.Context(), v.view, a.Patient)
	v.Began, v.Latest, v.Over = v.Measured(a.At, a.Team), v.Measured(a.LastAt, a.Team), v.Measured(a.EndedAt, a.Team)
	v.enters = a.Patient != "" && w.records.mayEnter(r.Context(), a.Patient) == nil
	v.Rang = v.Latest
	if a.Explanation != nil {
		v.Rang = v.Measured(a.Explanation.At, a.Team)
		v.explain(a.Explanation, a.Team, w.past(r, a.Patient, func(missing partial) { v.Missing = v.missing(missing, a.Team) }))
	}
	w.render(rw, r, status, "alert", v)
}

// A history longer than this shows its first event and the latest ones; the others are
// folded.
const longHistory = 12

func (v *alertView) fold() {
	if n := len(v.History); n > longHistory {
		v.Folded = v.History[1 : n-longHistory+1]
		v.History = append(v.History[:1:1], v.History[n-longHistory+1:]...)
	}
}

// FoldedText says how much is folded.
func (v alertView) FoldedText() string { return v.counted("events.folded", len(v.Folded)) }

// said is the note of an event in the words of the page: what the service notes itself
// are names and times.
func (v view) said(e alerts.Event, team string) string {
	first, rest, _ := strings.Cut(e.Note, " ")
	switch e.Kind {
	case alerts.EventUndone:
		return v.T("event." + e.Note)
	case alerts.EventHandedOver:
		from, to, why := alerts.HandedOver(e.Note)
		return strings.TrimSpace(v.TeamName(from) + " → " + v.TeamName(to) + "\n" + why)
	case alerts.EventPaused:
		if until, err := time.Parse(time.RFC3339, first); err == nil {
			return strings.TrimSpace(v.T("pause.until") + " " + v.Stamp(until, team).Exact + " " + rest)
		}
	}
	return e.Note
}

// snoozes are the times for which an alert may be put aside, as far as its level allows.
var snoozes = []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour}

// offer fills in what may be chosen in the form of an alert that is not closed.
func (w *Workspace) offer(ctx context.Context, v *alertView, a *alerts.Alert) (err error) {
	if a.State == alerts.Resolved {
		return nil
	}
	for _, o := range alerts.Outcomes() {
		c := outcomeChoice{ID: o.ID, Text: v.In(o.Title), Asks: o.Asks(a.Level), Chosen: slices.Contains(v.Typed.Outcomes, o.ID)}
		v.AsksWhy = v.AsksWhy || c.Asks
		v.Outcomes = append(v.Outcomes, c)
	}
	if !w.silence(a) {
		for _, length := range snoozes {
			if length <= alerts.LongestSnooze(a.Level) {
				v.Snoozes = append(v.Snoozes, choice{ID: length.String(), Text: span(v.Language, length)})
			}
		}
	}
	for _, team := range v.TeamList {
		if team.ID != a.Team {
			v.OtherTeams = append(v.OtherTeams, choice{ID: team.ID, Text: v.TeamName(team.ID)})
		}
	}
	v.Colleagues, err = w.colleagues(ctx, a.Team)
	return err
}

// colleagues are the others who may act on the alerts of a team, by name.
func (w *Workspace) colleagues(ctx context.Context, team string) (names []string, err error) {
	accounts, err := w.Accounts.Store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	me := access.From(ctx).Name
	for i := range accounts {
		c := &accounts[i]
		who := access.Who{Account: c.ID, Roles: c.Roles, Teams: c.Teams}
		if c.Name != me && c.Active(w.Now()) && who.MayIn(access.Act, team) && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// mayTake refuses to give an alert of a team to somebody who has an account and could not
// open it, or can no longer. Who has no account is known to the team by name.
func (w *Workspace) mayTake(ctx context.Context, to, team string) error {
	accounts, err := w.Accounts.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	known := false
	for i := range accounts {
		c := &accounts[i]
		if c.Name != strings.TrimSpace(to) {
			continue
		}
		known = true
		who := access.Who{Account: c.ID, Roles: c.Roles, Teams: c.Teams}
		if c.Active(w.Now()) && who.MayIn(access.Act, team) {
			return nil
		}
	}
	if !known {
		return nil
	}
	return refuse(codeNotTheirs,
		fmt.Sprintf("%s ne peut pas ouvrir les alertes de l'équipe %s : confiez-les à quelqu'un de cette équipe.", to, team),
		fmt.Sprintf("%s cannot open alerts of the team %s: give them to somebody of that team.", to, team))
}

// giveBack gives back what somebody has in hand who was let in until now, unless another
// account is theirs.
func (w *Workspace) giveBack(ctx context.Context, name string) error {
	if there, err := w.Accounts.Knows(ctx, name); there || err != nil {
		return err
	}
	given, err := alerts.GiveBack(ctx, w.records.store, name, access.From(ctx).Name, "compte désactivé (account disabled)", w.Now())
	if given > 0 {
		w.Log.Info("given back what a disabled account had in hand", "alerts", given)
	}
	return err
}

// undoable says which act who looks may undo, or has just undone.
func (v *alertView) undoable(a *alerts.Alert) {
	switch {
	case a.CanUndo(v.Author, v.now):
		v.CanUndo = v.T("undo." + string(a.Undo.Act))
	case a.Undo != nil && a.Undo.Act == alerts.EventUndone && a.Undo.By == v.Author && v.now.Sub(a.Undo.At) < time.Minute:
		v.Undone = v.T("undo.done")
	}
}

// aboutPatient adds who it is about, what rang in figures and how that comes out now,
// what else there is of the patient, and whom to see next.
func (w *Workspace) aboutPatient(r *http.Request, v *alertView, a *alerts.Alert) (err error) {
	ctx := r.Context()
	if v.Person, err = w.subject(ctx, v.view, a); err != nil {
		return err
	}
	v.From = here(r.URL.Query().Get("from"))
	if from := r.PostForm.Get("from"); from != "" {
		v.From = here(from)
	}
	if a.Explanation != nil {
		v.Then = v.then(a.Explanation, a.Team)
	}
	v.Advice = v.In(w.advice(a))
	w.comesOut(ctx, v, a)
	all, err := w.records.unresolved(ctx, alerts.Filter{})
	if err != nil {
		return err
	}
	seen := slices.DeleteFunc(slices.Clone(all), func(b *alerts.Alert) bool { return !w.belongs(tabSee, b, "") })
	v.Follow = follow(firsts(seen), a, v.From)
	if a.Patient == "" {
		return nil
	}
	closed, err := w.records.alerts(ctx, alerts.Filter{Patient: a.Patient, States: []alerts.State{alerts.Resolved}, Newest: true, Limit: earlierEpisodes})
	if err != nil {
		return err
	}
	for i := range closed {
		all = append(all, &closed[i])
	}
	persons, err := w.records.merged(ctx)
	if err != nil {
		return err
	}
	whose := cmp.Or(persons[a.Patient], a.Patient)
	for _, b := range all {
		if b.Whose() == whose && b.ID != a.ID {
			v.Beside = append(v.Beside, besideRow{v.row(b), alertAddress(b.ID, v.From)})
		}
	}
	return nil
}

// advice is what the protocol proposes at the level at which an alert stands. Without the
// protocol it is what the alert keeps of it.
func (w *Workspace) advice(a *alerts.Alert) protocols.Text {
	if rule := w.rule(a); rule != nil {
		return rule.AdviceAt(a.Level)
	}
	if a.Explanation != nil {
		return a.Explanation.Advice
	}
	return protocols.Text{}
}

// follow is the page of the patient who comes behind that of an alert in the worklist;
// of the first one where the alert is not in it. Empty for none.
func follow(rows []*alerts.Alert, a *alerts.Alert, from string) string {
	at := slices.IndexFunc(rows, func(row *alerts.Alert) bool { return rowKey(row) == rowKey(a) })
	if at+1 >= len(rows) {
		return ""
	}
	return alertAddress(rows[at+1].ID, from)
}

// comesOut says how what rang comes out now: by the rule where the service can ask it,
// and in any case by the last value.
func (w *Workspace) comesOut(ctx context.Context, v *alertView, a *alerts.Alert) {
	if main := v.drawn(decisive(a)); main != nil {
		component := componentOf(main.Measure, main.Component)
		if _, points := w.lately(ctx, a.Patient, main.Measure, main.Component, v.now); len(points) > 0 {
			v.Now = v.component(main.Measure, main.Component) + " " + v.latest(points, component) + ", " + ago(v.Language, points[len(points)-1].At, v.now)
			v.Steady = v.steady(*main, component, points)
		}
	}
	if w.Standing == nil || a.Enrolment == "" || a.State == alerts.Resolved {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	account, err := w.Standing(ctx, a.Enrolment, a.Rule, v.now)
	if err != nil {
		w.Log.Warn("an alert is shown without where its rule stands", "error", err)
		return
	}
	for i := range account.Levels {
		if account.Levels[i].Level == a.Level {
			v.Ends = v.standsNow(&account.Levels[i], v.Sentence(v.row(a)))
		}
	}
}

// missing says what a past that is not whole lacks.
func (v view) missing(p partial, team string) string {
	word := "readings.away"
	if p.Differs() {
		word = "readings.differ"
	}
	return fmt.Sprintf(v.T(word), v.Stamp(p.WholeFrom(), team).Exact)
}

// past reads what a patient measured, for a drawing. Of a past that is not whole the
// page shows what there is, and says what is missing.
func (w *Workspace) past(r *http.Request, patient string, say func(partial)) past {
	return func(m *protocols.Measure, from, to time.Time) (readings []*protocols.Reading) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		err := w.records.readings(ctx, patient, m, from, to, func(r *protocols.Reading) bool {
			readings = append(readings, r)
			return true
		})
		var missing partial
		if errors.As(err, &missing) {
			say(missing)
			return readings
		}
		if err != nil {
			w.Log.Warn("an alert is shown without what was measured before", "error", err)
			return nil
		}
		return readings
	}
}

// heading is the title of an alert; the name of its rule when it has none.
func (v view) heading(a *alerts.Alert) string {
	if title := v.In(a.Title); title != "" {
		return title
	}
	return a.Rule
}

// Sentence is the summary of an alert, without the title in front of it, which
// the page shows above.
func (v view) Sentence(row AlertRow) string {
	v.team = row.Team
	sentence := v.In(row.Summary)
	for _, colon := range []string{" : ", "\u00a0: ", "\u202f: ", ": "} {
		if rest, ok := strings.CutPrefix(sentence, v.Heading(row)+colon); ok {
			sentence = rest
			break
		}
	}
	return v.inTeamUnit(sentence)
}

// Heading is the title of an alert in a list.
func (v view) Heading(row AlertRow) string { return v.heading(&row.Alert) }

// Occurred says how often.
func (v view) Occurred(times int) string { return v.counted("occurrences", times) }

// counted writes a number with its word, which the catalogue has for one and for
// many.
func (v view) counted(word string, n int) string {
	one := v.T(word + ".one")
	if n == 1 {
		return one
	}
	if rest, begins := strings.CutPrefix(one, "1 "); n == 0 && begins && v.Language == "fr" {
		return "0 " + rest // in French, none is one
	}
	return fmt.Sprintf(v.T(word+".many"), whole(v.Language, n))
}

// Closed is how an alert was closed, in words.
func (v view) Closed(row AlertRow) string {
	outcomes := row.Outcomes
	if len(outcomes) == 0 {
		outcomes = []string{row.Outcome}
	}
	words := make([]string, len(outcomes))
	for i, outcome := range outcomes {
		words[i] = v.OutcomeText(outcome)
	}
	return strings.Join(words, ", ")
}

// OutcomeText is an outcome in words.
func (v view) OutcomeText(outcome string) string { return v.In(alerts.OutcomeText(outcome)) }
