package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/protocols"
	strict "vigie/protocols/document"
)

// alertPage is one page of a list of alerts.
type alertPage struct {
	Alerts []alerts.Alert `json:"alerts"`
	Next   string         `json:"next,omitempty"` // the "after" of the next page; absent on the last
}

// alertWithEvents is an alert with everything that happened to it.
type alertWithEvents struct {
	alerts.Alert
	Events []alerts.Event `json:"events"`
	// Now is where its rule stands at this moment, when it is asked for: what rang stays
	// what it was. Absent for an alert of the service itself, which has no rule of a protocol.
	Now *protocols.Account `json:"now,omitempty"`
}

func (w *Workspace) listAlerts(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	filter, err := filterOf(query)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	page, err := w.page(r, filter)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, page)
}

// largestPage is how many alerts a page may hold.
const largestPage = 500

// page reads one alert more than fits, to know whether there is a next page.
func (w *Workspace) page(r *http.Request, filter alerts.Filter) (alertPage, error) {
	size := min(filter.PageSize(), largestPage)
	if filter.Due {
		return w.duePage(r, filter, size)
	}
	filter.Limit = size + 1
	list, err := w.records.unseen(r.Context(), filter)
	if err != nil || len(list) <= size {
		shown(r.Context(), list)
		return alertPage{Alerts: list}, err
	}
	list = list[:size]
	shown(r.Context(), list)
	return alertPage{Alerts: list, Next: alerts.After(&list[size-1]).String()}, nil
}

// duePage is a page of what is left to do, in the order in which it is due. Deadlines
// move while people turn pages: the page begins behind the alert that the cursor names.
func (w *Workspace) duePage(r *http.Request, filter alerts.Filter, size int) (alertPage, error) {
	var after alerts.Cursor
	if filter.After != "" {
		var err error
		if after, err = alerts.ParseCursor(filter.After); err != nil {
			return alertPage{}, err
		}
	}
	list, err := alerts.Unresolved(r.Context(), w.records.unseen, filter)
	if err != nil {
		return alertPage{}, err
	}
	list = list[1+slices.IndexFunc(list, func(a alerts.Alert) bool { return a.ID == after.ID }):]
	if len(list) <= size {
		shown(r.Context(), list)
		return alertPage{Alerts: list}, nil
	}
	list = list[:size]
	shown(r.Context(), list)
	return alertPage{Alerts: list, Next: alerts.After(&list[size-1]).String()}, nil
}

func (w *Workspace) showAlert(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	found, err := w.alert(r)
	if err == nil && query.Has("now") {
		err = w.andNow(r, query.Get("now"), found)
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, found)
}

// andNow adds where the rule of an alert stands at this moment to what it said when it rang.
func (w *Workspace) andNow(r *http.Request, asked string, a *alertWithEvents) error {
	if asked != "true" {
		return refuse(codeParameter, "« now » vaut « true », ou n'est pas écrit.", "“now” is “true”, or is not written.")
	}
	if w.Standing == nil || a.Enrolment == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	now, err := w.Standing(ctx, a.Enrolment, a.Rule, w.Now())
	if err != nil {
		return fmt.Errorf("say what is true now: %w", err)
	}
	a.Now = now
	return nil
}

func (w *Workspace) alert(r *http.Request) (*alertWithEvents, error) {
	id := r.PathValue("id")
	alert, err := w.records.alert(r.Context(), id)
	if err != nil {
		return nil, err
	}
	events, err := w.records.events(r.Context(), alert)
	if err != nil {
		return nil, err
	}
	return &alertWithEvents{Alert: *alert, Events: events}, nil
}

// act is the body of a request that acts on an alert.
type act struct {
	Author   string    `json:"author"` // refused: an act is signed by who is let in
	Note     string    `json:"note"`
	Outcome  string    `json:"outcome"`  // to resolve only
	Outcomes []string  `json:"outcomes"` // to resolve only: several, in place of outcome
	To       string    `json:"to"`       // to assign: a person; to transfer: the id of a team
	At       time.Time `json:"at"`       // to call back only
	Until    time.Time `json:"until"`    // to snooze only
	// Seen is the alert as the author saw it; nil where nobody saw it.
	Seen *alerts.Seen `json:"seen"`
	// Taking says on a page that is shown again which form was filled in.
	Taking bool `json:"-"`
}

// acts are those that programs may do on one alert: POST /api/v1/alerts/{id}/{act}.
// fields are those that the act takes beside author, note and seen.
var acts = map[string]struct {
	fields []string
	do     func(ctx context.Context, store alerts.Store, id, author string, a act, now time.Time) error
}{
	"acknowledge": {nil, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Acknowledge(ctx, s, id, author, a.Note, now)
	}},
	"resolve": {[]string{"outcome", "outcomes"}, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Close(ctx, s, id, author, append(a.Outcomes, a.Outcome), a.Note, now)
	}},
	"release": {nil, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Release(ctx, s, id, author, a.Note, now)
	}},
	"undo": {nil, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.TakeBack(ctx, s, id, author, now)
	}},
	"note": {nil, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Note(ctx, s, id, author, a.Note, now)
	}},
	"assign": {[]string{"to"}, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Assign(ctx, s, id, author, a.To, a.Note, now)
	}},
	"transfer": {[]string{"to"}, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Transfer(ctx, s, id, author, a.To, a.Note, now)
	}},
	"call-back": {[]string{"at"}, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.CallBack(ctx, s, id, author, a.Note, a.At, now)
	}},
	"snooze": {[]string{"until"}, func(ctx context.Context, s alerts.Store, id, author string, a act, now time.Time) error {
		return alerts.Snooze(ctx, s, id, author, a.Note, a.Until, now)
	}},
}

// actOf is the act that a field belongs to.
func actOf(field string) protocols.Text {
	switch field {
	case "to":
		return protocols.Text{FR: "la remise à une autre personne ou à une autre équipe", EN: "assigning and transferring"}
	case "at":
		return protocols.Text{FR: "la demande de rappel", EN: "calling back"}
	case "until":
		return protocols.Text{FR: "la mise en sommeil", EN: "snoozing"}
	}
	return protocols.Text{FR: "la clôture", EN: "resolving"}
}

// given are the fields of an act that only some acts take, by whether they were given.
func (a act) given() map[string]bool {
	return map[string]bool{"outcome": a.Outcome != "", "outcomes": len(a.Outcomes) > 0, "to": a.To != "", "at": !a.At.IsZero(), "until": !a.Until.IsZero()}
}

// in is the store for an act: refused when the alert has got worse since it was seen.
func (a act) in(s alerts.Store) alerts.Store {
	if a.Seen == nil {
		return s
	}
	return a.Seen.In(s)
}

// actOnAlert reads the body, does what is asked and answers with the alert as it is now.
func (w *Workspace) actOnAlert(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("act")
	known, ok := acts[name]
	if !ok {
		w.fail(rw, r, errNoPath)
		return
	}
	var body act
	if err := readBody(rw, r, &body); err != nil {
		w.fail(rw, r, err)
		return
	}
	for field, given := range body.given() {
		if given && !slices.Contains(known.fields, field) {
			w.fail(rw, r, refuse(codeMalformed, fmt.Sprintf("« %s » ne se donne qu'à %s.", field, actOf(field).FR), fmt.Sprintf("“%s” is for %s only.", field, actOf(field).EN)))
			return
		}
	}
	if err := w.act(r, name, body); err != nil {
		w.fail(rw, r, err)
		return
	}
	if name == "transfer" {
		w.showTransferred(rw, r)
		return
	}
	w.showAlert(rw, r)
}

// showTransferred answers with the alert as whoever transferred it left it: they may not
// see it any more.
func (w *Workspace) showTransferred(rw http.ResponseWriter, r *http.Request) {
	alert, events, err := w.records.left(r.Context(), r.PathValue("id"))
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, alertWithEvents{Alert: *alert, Events: events})
}

// act does an act on the alert of a request.
func (w *Workspace) act(r *http.Request, name string, a act) error {
	if name == "transfer" {
		if err := w.records.mayTransfer(r.Context(), r.PathValue("id"), strings.TrimSpace(a.To)); err != nil {
			return err
		}
	}
	return w.do(r, a, name, func(store alerts.Store, id, author string) error {
		return acts[name].do(r.Context(), store, id, author, a, w.Now())
	})
}

func (w *Workspace) acknowledge(r *http.Request, a act) error { return w.act(r, "acknowledge", a) }

func (w *Workspace) resolve(r *http.Request, a act) error { return w.act(r, "resolve", a) }

// handOn gives all that who asks has taken on to another person, as at the end of a
// shift.
func (w *Workspace) handOn(rw http.ResponseWriter, r *http.Request) {
	var body act
	if err := readBody(rw, r, &body); err != nil {
		w.fail(rw, r, err)
		return
	}
	if body.Author != "" {
		w.fail(rw, r, errAuthorGiven)
		return
	}
	given, err := w.handAll(r, body)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, map[string]int{"alerts": given})
}

// handAll does so, and returns how many alerts there were.
func (w *Workspace) handAll(r *http.Request, body act) (given int, err error) {
	who := access.From(r.Context())
	list, err := alerts.Unresolved(r.Context(), w.records.unseen, alerts.Filter{States: []alerts.State{alerts.Acknowledged}})
	if err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(a alerts.Alert) bool { return a.AcknowledgedBy != who.Name })
	for i := range list {
		if err := w.mayTake(r.Context(), body.To, list[i].Team); err != nil {
			return 0, err
		}
	}
	for i := range list {
		store, err := w.records.acting(r.Context(), list[i].ID)
		if err == nil {
			err = alerts.Assign(r.Context(), store, list[i].ID, who.Name, body.To, body.Note, w.Now())
		}
		if err != nil {
			return given, err
		}
		given++
	}
	w.Log.Info("alerts handed on", "alerts", given, "account", who.Account, "token", who.Token)
	return given, nil
}

// handOnForm does so for a person, from the part of the worklist that is theirs.
func (w *Workspace) handOnForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if _, err := w.handAll(r, act{To: r.PostForm.Get("to"), Note: r.PostForm.Get("note")}); err != nil {
		w.failPage(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/?tab="+tabTaken, http.StatusSeeOther)
}

// worklist lists what is left to do, one row a patient, in the order in which it is due.
func (w *Workspace) worklist(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	filter, err := filterOf(query)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	list, err := alerts.Unresolved(r.Context(), w.records.alerts, filter)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	w.reply(rw, r, http.StatusOK, map[string]any{"patients": alerts.ByPatient(list)})
}

// do acts on the alert of a request in the name of who asks: nobody signs for another.
func (w *Workspace) do(r *http.Request, a act, what string, act func(store alerts.Store, id, author string) error) error {
	if a.Author != "" {
		return errAuthorGiven
	}
	id, who := r.PathValue("id"), access.From(r.Context())
	store, err := w.records.acting(r.Context(), id)
	if err != nil {
		return err
	}
	if what == "assign" {
		found, err := w.records.alert(r.Context(), id)
		if err != nil {
			return err
		}
		if err := w.mayTake(r.Context(), a.To, found.Team); err != nil {
			return err
		}
	}
	if err := act(a.in(store), id, who.Name); err != nil {
		return err
	}
	w.Log.Info("somebody acted on an alert", "act", what, "alert", id, "account", who.Account, "token", who.Token)
	return nil
}

// undelivered lists the messages that will never arrive.
func (w *Workspace) undelivered(rw http.ResponseWriter, r *http.Request) {
	type message struct {
		Alert   string           `json:"alert"`
		Event   alerts.EventKind `json:"event"`
		Channel string           `json:"channel"`
		To      string           `json:"to"`
		GivenUp time.Time        `json:"given_up"`
		Error   string           `json:"error"`
	}
	list, err := w.records.undelivered(r.Context())
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	messages := make([]message, len(list))
	for i, m := range list {
		messages[i] = message{m.Alert, m.Event, m.Channel, m.Recipient(), m.GivenUp, m.Error}
	}
	w.reply(rw, r, http.StatusOK, map[string]any{"messages": messages})
}

func (w *Workspace) noSuchPath(rw http.ResponseWriter, r *http.Request) { w.fail(rw, r, errNoPath) }

const largestBody = 64 << 10

// readBody reads one JSON object. An empty body is an empty object.
func readBody(rw http.ResponseWriter, r *http.Request, into any) error {
	return readUpTo(rw, r, into, largestBody)
}

// readUpTo is readBody for a body of so many bytes at most.
func readUpTo(rw http.ResponseWriter, r *http.Request, into any, largest int64) error {
	text, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, largest))
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if err == nil {
		err = strict.ReadJSON(text, into, true)
	}
	if err == nil {
		return nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refuse(codeTooLarge, fmt.Sprintf("Le corps de la demande dépasse %d Kio.", largest>>10), fmt.Sprintf("The body of the request is larger than %d KiB.", largest>>10))
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	return refuse(codeMalformed,
		fmt.Sprintf("Le corps de la demande n'est pas l'objet JSON attendu : %s.", reason),
		fmt.Sprintf("The body of the request is not the JSON object expected: %s.", reason))
}

// queryOf reads the parameters of a request. One that cannot be read is refused, not
// left out: without it, the answer would hold too much.
func queryOf(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(codeParameter, "Les paramètres de l'adresse sont illisibles : séparez-les par « & » et écrivez % comme %25, ; comme %3B.",
			"The parameters of the address cannot be read: separate them by “&” and write % as %25, ; as %3B.")
	}
	return query, nil
}

// filterOf reads the filter of a list of alerts. A parameter that is not known
// is refused: a filter that is misspelt would show too much.
func filterOf(query url.Values) (alerts.Filter, error) {
	var f alerts.Filter
	for name, values := range query {
		var err error
		for _, value := range values {
			if value == "" {
				continue
			}
			if err = narrow(&f, name, value); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// narrow takes one parameter into a filter. Lists are repeated or separated by
// commas.
func narrow(f *alerts.Filter, name, value string) (err error) {
	switch name {
	case "state":
		f.States, err = addEach(f.States, value, stateOf)
	case "level":
		f.Levels, err = addEach(f.Levels, value, levelOf)
	case "team":
		f.Team = value
	case "patient":
		f.Patient = strings.TrimSpace(value)
	case "protocol":
		f.Protocol = value
	case "rule":
		f.Rule = value
	case "from":
		f.From, err = instant(name, value)
	case "to":
		f.To, err = instant(name, value)
	case "after":
		f.After = value
	case "limit":
		f.Limit, err = limitOf(value)
	case "order":
		f.Newest, f.Due, err = orderOf(value)
	case "lang":
	default:
		return badParameter(name, "il n'existe pas ; utilisez state, level, team, patient, protocol, rule, from, to, order, after ou limit",
			"there is none of that name; use state, level, team, patient, protocol, rule, from, to, order, after or limit")
	}
	return err
}

func addEach[T any](list []T, value string, read func(string) (T, error)) ([]T, error) {
	for item := range strings.SplitSeq(value, ",") {
		one, err := read(item)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func stateOf(name string) (alerts.State, error) {
	state := alerts.State(name)
	if !slices.Contains([]alerts.State{alerts.Open, alerts.Acknowledged, alerts.Resolved}, state) {
		return "", badParameter("state", "utilisez open, acknowledged ou resolved", "use open, acknowledged or resolved")
	}
	return state, nil
}

func levelOf(name string) (protocols.Level, error) {
	level, err := protocols.ParseLevel(name)
	if err != nil || level == protocols.NoLevel {
		return 0, badParameter("level", "utilisez red, orange, yellow ou technical", "use red, orange, yellow or technical")
	}
	return level, nil
}

// The orders of a list.
const (
	gravestOrder = "gravest"
	newestOrder  = "newest"
	dueOrder     = "due"
)

func orderOf(order string) (newest, due bool, err error) {
	switch order {
	case gravestOrder, newestOrder, dueOrder:
		return order == newestOrder, order == dueOrder, nil
	}
	return false, false, badParameter("order", "utilisez due, gravest ou newest", "use due, gravest or newest")
}

func limitOf(value string) (int, error) {
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 1 || limit > largestPage {
		return 0, badParameter("limit", fmt.Sprintf("donnez un nombre de 1 à %d", largestPage), fmt.Sprintf("give a number from 1 to %d", largestPage))
	}
	return limit, nil
}

// instant reads a time with its offset, or a date, which begins at midnight UTC.
// A plus sign that nobody escaped arrives as a space.
func instant(name, value string) (time.Time, error) {
	value = strings.Replace(value, " ", "+", 1)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			if t.IsZero() { // which would mean no bound
				t = t.Add(1)
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, badParameter(name, "donnez une date et une heure avec leur décalage, comme 2026-11-21T07:00:00+01:00, ou une date",
		"give a date and time with its offset, such as 2026-11-21T07:00:00+01:00, or a date")
}
