package workspace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// teamView is the page of a care team: who is on duty this week, who is told of what, and
// which messages did not arrive.
type teamView struct {
	view
	Teams          []choice
	ID, Name       string
	Hours          []string
	Days           []dutyDay
	Week           string // "23 nov. – 29 nov."
	Previous, Next string // addresses
	Today          string
	Nobody         *stamp // from when on nobody reads what is to call somebody
	Told           []toldRow
	Shifts         []shiftRow
	Overrides      []overrideRow
	Undelivered    []undeliveredRow
	Messages       []messageRow // the latest, whatever became of them
	Tellings       []tellingRow
	People         []choice // who may be put on duty, for who may change the rota
	Seen           string   // the version of the team that the form is about
	Person         string
	From, Until    string
	Back           string // who takes another duty in return; the same, for a swap
	Then, ThenTo   string // from when to when
	Reason         string
	Said, Error    string
	Undo           []sent // what takes the last change of a shift back
}

// dutyDay is one day of the week with its duties.
type dutyDay struct {
	Day    string
	Today  bool
	Duties []dutyRow
}

type dutyRow struct {
	Hours, Who    string
	Now, Override bool
}

// toldRow says what becomes of an alert of one level.
type toldRow struct {
	Level               protocols.Level
	Open, Closed, Chain string
}

type overrideRow struct {
	From, Until         *stamp
	Who, Author, Reason string
	Place               int // among the overrides of the team
}

type undeliveredRow struct {
	At            *stamp
	To, Why, Link string
}

func (w *Workspace) teamPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.showTeam(rw, r, query, http.StatusOK, nil)
}

func (w *Workspace) showTeam(rw http.ResponseWriter, r *http.Request, values url.Values, status int, refused error) {
	v := teamView{view: w.view(r, "nav.team"), Person: values.Get("person"), From: values.Get("from"), Until: values.Get("until"), Reason: values.Get("reason"),
		Back: values.Get("back"), Then: values.Get("then"), ThenTo: values.Get("then-until")}
	v.Place = "team"
	if values.Get("said") != "" {
		v.Said = v.T("team.said")
	}
	if values.Get("told") != "" {
		v.Said = v.T("team.tell.said")
	}
	if values.Get("shifted") != "" {
		v.Said, v.Undo = v.T("team.shift.said"), undoOfShift(values)
	}
	if refused != nil {
		v.Error = v.In(w.refusal(r, refused).Text)
	}
	if err := w.fillTeam(r.Context(), &v, values); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if values.Get(undoes+"seen") != v.Seen {
		v.Undo = nil
	}
	w.render(rw, r, status, "team", v)
}

// fillTeam fills in the page of the team that is asked for, or of the first that may be
// seen.
func (w *Workspace) fillTeam(ctx context.Context, v *teamView, values url.Values) error {
	who := access.From(ctx)
	for _, t := range v.TeamList {
		if who.MayIn(access.SeePatients, t.ID) {
			v.Teams = append(v.Teams, choice{t.ID, v.TeamName(t.ID), false})
		}
	}
	if len(v.Teams) == 0 {
		return errNoTeam
	}
	v.ID = orWord(values.Get("team"), v.Teams[0].ID)
	at := slices.IndexFunc(v.Teams, func(c choice) bool { return c.ID == v.ID })
	if at < 0 {
		return errNoTeam
	}
	v.Teams[at].Chosen, v.Name = true, v.Teams[at].Text
	team, err := w.Change.Team(ctx, v.ID)
	if errors.Is(err, registry.ErrNotFound) {
		return errNoTeam
	}
	if err != nil {
		return err
	}
	monday, err := weekOf(values.Get("week"), v.now, v.Zone(v.ID))
	if err != nil {
		return err
	}
	v.links(monday)
	v.hours(team)
	v.told(team)
	v.overrides(team)
	if err := w.week(ctx, v, team, monday); err != nil {
		return err
	}
	if v.Tellings, err = w.tellings(ctx, v.view, v.ID); err != nil {
		return err
	}
	if who.MayIn(access.ManageTeam, v.ID) && team.Rota != nil {
		v.Seen = registry.Tag(team)
		for _, p := range team.Rota.People {
			v.People = append(v.People, choice{p.ID, p.Name, p.ID == v.Person})
		}
	}
	v.shifts(team, values)
	if err := w.deliveries(ctx, v); err != nil {
		return err
	}
	return w.failures(ctx, v)
}

// weekOf is the Monday of the week that is asked for by one of its days.
func weekOf(asked string, now time.Time, zone *time.Location) (time.Time, error) {
	local := now.In(zone)
	if asked != "" {
		var err error
		if local, err = time.ParseInLocation(time.DateOnly, asked, zone); err != nil {
			return local, badParameter("week", "donnez un jour comme 2026-11-23", "give a day such as 2026-11-23")
		}
	}
	back := (int(local.Weekday()) + 6) % 7
	return time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, zone), nil
}

func (v *teamView) links(monday time.Time) {
	address := func(t time.Time) string {
		return "/team?" + url.Values{"team": {v.ID}, "week": {t.Format(time.DateOnly)}}.Encode()
	}
	v.Previous, v.Next, v.Today = address(monday.AddDate(0, 0, -7)), address(monday.AddDate(0, 0, 7)), "/team?"+url.Values{"team": {v.ID}}.Encode()
	v.Week = date(v.Language, monday, v.now) + " – " + date(v.Language, monday.AddDate(0, 0, 6), v.now)
}

// hours writes when the team reads its alerts.
func (v *teamView) hours(team *registry.Team) {
	all := append([]registry.Hours{{Days: team.Days, Opens: team.Opens, Closes: team.Closes}}, team.Further...)
	for _, h := range all {
		days := make([]string, len(h.Days))
		for i, day := range h.Days {
			days[i] = v.T("day." + day)
		}
		v.Hours = append(v.Hours, strings.Join(days, ", ")+v.T("colon")+h.Opens+" – "+h.Closes)
	}
}

// told says who is told of what, in and out of hours.
func (v *teamView) told(team *registry.Team) {
	var chain []string
	for _, step := range append([]registry.Contacts{team.Escalate}, team.EscalateThen...) {
		if len(step) > 0 {
			chain = append(chain, contacts(step))
		}
	}
	inside := orWord(contacts(team.First()), v.T("team.page"))
	for _, level := range []protocols.Level{protocols.Red, protocols.Orange} {
		choice := orWord(team.OutOfHours[level.String()], string(alerts.Tell))
		v.Told = append(v.Told, toldRow{level, inside, v.T("out." + choice), strings.Join(chain, " → ")})
	}
}

// contacts lists the people of some contacts. Systems read no list.
func contacts(by registry.Contacts) string {
	var list []string
	for _, kind := range alerts.Kinds() {
		for _, address := range by[kind.Name] {
			if !kind.System {
				list = append(list, kind.Shown(address))
			}
		}
	}
	return strings.Join(list, ", ")
}

// overrides lists those that are not over, the soonest first.
func (v *teamView) overrides(team *registry.Team) {
	if team.Rota == nil {
		return
	}
	list := team.Rota.Overrides
	for place, o := range list {
		if o.Until.After(v.now) {
			v.Overrides = append(v.Overrides, overrideRow{v.Stamp(o.From, v.ID), v.Stamp(o.Until, v.ID), personOf(team, o.Person), o.Author, o.Reason, place})
		}
	}
	slices.SortStableFunc(v.Overrides, func(a, b overrideRow) int { return list[a.Place].From.Compare(list[b.Place].From) })
}

func personOf(team *registry.Team, id string) string {
	for _, p := range team.Rota.People {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

// mostTurns bounds how often duty may change in a week that is shown.
const mostTurns = 100

// week walks through the duties of seven days.
func (w *Workspace) week(ctx context.Context, v *teamView, team *registry.Team, monday time.Time) error {
	zone, end := v.Zone(v.ID), monday.AddDate(0, 0, 7)
	for i := range 7 {
		at := monday.AddDate(0, 0, i)
		v.Days = append(v.Days, dutyDay{Day: v.T("day."+strings.ToLower(at.Weekday().String())) + " " + date(v.Language, at, v.now), Today: at.Format(time.DateOnly) == v.now.In(zone).Format(time.DateOnly)})
	}
	now, err := w.Duty(ctx, v.ID, v.now)
	if err != nil {
		return err
	}
	v.Nobody = v.Stamp(now.Unreachable, v.ID)
	at := monday
	for turn := 0; turn < mostTurns && at.Before(end); turn++ {
		duty, err := w.Duty(ctx, v.ID, at)
		if err != nil {
			return err
		}
		until := end
		if !duty.Next.IsZero() && duty.Next.Before(end) {
			until = duty.Next
		}
		v.split(at, until, monday, duty, team)
		at = until
	}
	return nil
}

// split writes a duty on each of the days on which it is.
func (v *teamView) split(from, until, monday time.Time, duty alerts.Duty, team *registry.Team) {
	zone := v.Zone(v.ID)
	for i := range v.Days {
		first, last := monday.AddDate(0, 0, i), monday.AddDate(0, 0, i+1)
		begins, ends := later(first, from), earlier(last, until)
		if !begins.Before(ends) {
			continue
		}
		closes := ends.In(zone).Format("15:04")
		if ends.Equal(last) {
			closes = "24:00"
		}
		row := dutyRow{Hours: begins.In(zone).Format("15:04") + " – " + closes, Who: v.onDuty(duty.OnDuty), Now: !v.now.Before(begins) && v.now.Before(ends)}
		if team.Rota != nil {
			row.Override = slices.ContainsFunc(team.Rota.Overrides, func(o registry.Override) bool { return o.From.Before(ends) && begins.Before(o.Until) })
		}
		v.Days[i].Duties = append(v.Days[i].Duties, row)
	}
}

// onDuty names people on duty; "personne" for nobody.
func (v view) onDuty(people []alerts.Person) string {
	var names []string
	for _, p := range people {
		var reached []string
		for _, contact := range p.Contacts {
			reached = append(reached, alerts.ShownContact(contact))
		}
		names = append(names, orWord(p.Name, strings.Join(reached, ", ")))
	}
	return orWord(strings.Join(names, ", "), v.T("desk.nobody"))
}

// failures lists the messages about alerts of the team that did not arrive.
func (w *Workspace) failures(ctx context.Context, v *teamView) error {
	list, err := w.records.undelivered(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		m := &list[i]
		if m.Team != v.Name && m.Team != v.ID && m.Team != "" || len(v.Undelivered) == 20 {
			continue
		}
		row := undeliveredRow{At: v.Stamp(m.Created, v.ID), To: m.Recipient(), Why: m.Error}
		if m.Alert != "" {
			row.Link = alertAddress(m.Alert, "")
		}
		v.Undelivered = append(v.Undelivered, row)
	}
	return nil
}

// overrideForm puts somebody on duty for a time, in place of whoever the rota names.
func (w *Workspace) overrideForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if err := w.override(r); err != nil {
		refused := w.refusal(r, err)
		w.showTeam(rw, r, r.PostForm, statuses[refused.Code], err)
		return
	}
	http.Redirect(rw, r, "/team?"+url.Values{"team": {r.PostForm.Get("team")}, "said": {"1"}}.Encode()+"#said", http.StatusSeeOther)
}

// override makes the change through the checks of an import, under the version of the team
// that the page showed: one override, two of them for a swap, or one less.
func (w *Workspace) override(r *http.Request) error {
	form, v := r.PostForm, w.view(r, "nav.team")
	team, list, err := w.rotaIn(r, "overrides")
	if err != nil {
		return err
	}
	if drop := form.Get("drop"); drop != "" {
		place, err := placeIn(drop, list)
		if err != nil {
			return err
		}
		return w.putRota(r, team, "overrides", slices.Delete(list, place, place+1))
	}
	more, err := v.overridesIn(form)
	if err != nil {
		return err
	}
	return w.putRota(r, team, "overrides", append(list, more...))
}

// rotaIn is the team that a form is about, under the version that its page showed, and one
// list of its rota.
func (w *Workspace) rotaIn(r *http.Request, part string) (*registry.Team, []any, error) {
	id := r.PostForm.Get("team")
	if !access.From(r.Context()).MayIn(access.ManageTeam, id) {
		return nil, nil, errNotAllowed
	}
	team, err := w.Change.Team(r.Context(), id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil, errNoTeam
	}
	if err != nil {
		return nil, nil, err
	}
	if team.Rota == nil || r.PostForm.Get("seen") != registry.Tag(team) {
		return nil, nil, errChanged
	}
	object, err := registry.Object(team)
	if err != nil {
		return nil, nil, err
	}
	rota, _ := object["rota"].(map[string]any)
	list, _ := rota[part].([]any)
	return team, list, nil
}

// placeIn is a place in a list as a form has it.
func placeIn(text string, list []any) (int, error) {
	place, err := strconv.Atoi(text)
	if err != nil || place < 0 || place >= len(list) {
		return 0, errChanged
	}
	return place, nil
}

// overridesIn reads who takes the duty from when to when, and what somebody takes in
// return.
func (v view) overridesIn(form url.Values) (list []any, err error) {
	reason := strings.TrimSpace(form.Get("reason"))
	if reason == "" {
		return nil, refuse(alerts.NoReason, "Écrivez pourquoi.", "Write why.")
	}
	if err := alerts.CheckText(reason); err != nil {
		return nil, err
	}
	turns := []struct{ person, from, until string }{{"person", "from", "until"}, {"back", "then", "then-until"}}
	if form.Get("back") == "" && form.Get("then") == "" && form.Get("then-until") == "" {
		turns = turns[:1]
	}
	for _, t := range turns {
		from, wrong := time.ParseInLocation(wallClock, form.Get(t.from), v.Zone(form.Get("team")))
		until, wrongToo := time.ParseInLocation(wallClock, form.Get(t.until), v.Zone(form.Get("team")))
		if wrong != nil || wrongToo != nil || !from.Before(until) || !until.After(v.now) || form.Get(t.person) == "" {
			return nil, refuse(codeMalformed, "Dites qui, de quand à quand, à venir.", "Say who, from when to when, yet to come.")
		}
		list = append(list, map[string]any{"from": from.UTC().Format(time.RFC3339), "until": until.UTC().Format(time.RFC3339), "person": form.Get(t.person), "reason": reason})
	}
	return list, nil
}

// putRota gives a team one list of its rota.
func (w *Workspace) putRota(r *http.Request, team *registry.Team, part string, list []any) error {
	change, err := w.begin(r, sections[3], team.ID, team, proposal{patch: map[string]any{"rota": map[string]any{part: list}}})
	if err != nil {
		return err
	}
	done, err := change.Make(r.Context(), w.Change, w.Protocol)
	if errors.Is(err, registry.ErrChanged) {
		return errChanged
	}
	if err != nil {
		return err
	}
	for i := range done.Problems {
		if registry.Refused(done.Problems[i : i+1]) {
			return &alerts.Refused{Code: codeUnusable, Text: done.Problems[i].Message}
		}
	}
	w.guards.forget()
	return nil
}

// guards remembers for a moment who is on duty, as every page says it. The zero value is
// ready.
type guards struct {
	mu    sync.Mutex
	known map[string]guard
}

type guard struct {
	at   time.Time
	duty alerts.Duty
}

// guardLasts is for how long.
const guardLasts = 30 * time.Second

func (g *guards) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = nil
}

// of is who is on duty for a team now.
func (g *guards) of(ctx context.Context, team string, now time.Time, ask func(context.Context, string, time.Time) (alerts.Duty, error)) (alerts.Duty, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.known[team]; ok && !now.Before(known.at) && now.Sub(known.at) < guardLasts && (known.duty.Next.IsZero() || now.Before(known.duty.Next)) {
		return known.duty, nil
	}
	duty, err := ask(ctx, team, now)
	if err != nil {
		return duty, err
	}
	if g.known == nil {
		g.known = map[string]guard{}
	}
	g.known[team] = guard{now, duty}
	return duty, nil
}

// mostGuards is how many teams the head of a page names.
const mostGuards = 2

// onGuard says who is on duty for the teams of who asks: "Dr Caron jusqu'à 18:30
// (Cardiologie)". Empty where a page cannot know.
func (w *Workspace) onGuard(ctx context.Context, v view) (list []string) {
	if w.Duty == nil {
		return nil
	}
	teams := access.From(ctx).Teams
	for _, team := range teams[:min(len(teams), mostGuards)] {
		duty, err := w.guards.of(ctx, team, v.now, w.Duty)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			w.Log.Warn("a page does not say who is on duty", "error", err)
			continue
		}
		text := v.onDuty(duty.OnDuty)
		if !duty.Next.IsZero() {
			text += " " + v.T("team.until") + " " + v.Stamp(duty.Next, team).Clock
		}
		if len(teams) > 1 { // the person first: where room is short, the end is cut
			text += " (" + v.TeamName(team) + ")"
		}
		list = append(list, text)
	}
	return list
}
