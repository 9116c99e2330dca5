package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// listView is the worklist.
type listView struct {
	view
	Tabs        []tab
	State       alerts.State
	Counts      []levelCount
	Orders      []order
	Rows        []AlertRow
	Filter      alerts.Filter
	Filtered    bool
	Whole       bool // everything that is open, but for what does not fit
	Levels      []protocols.Level
	Extent      string    // how many of how many are shown, when it is not all
	Next        string    // address of the next page
	First       string    // address of the first page, when this is not it
	Clear       string    // address without filters
	Here        string    // address of this page, to come back to
	Done        *AlertRow // what was just taken on from this list
	Undelivered string    // sentence about messages that will never arrive
}

// tab is one state of the worklist.
type tab struct {
	State   alerts.State
	Link    string
	Count   string
	Current bool
}

// levelCount is how many alerts of the state that is shown a level has.
type levelCount struct {
	Level  protocols.Level
	Count  int
	Link   string // to these only, and back to all
	Chosen bool
}

// Text is the count as people write it.
func (c levelCount) Text(language string) string { return whole(language, c.Count) }

// order is one order of the list.
type order struct {
	Name    string
	Link    string
	Current bool
}

// AlertRow is one alert with its times as a page shows them.
type AlertRow struct {
	alerts.Alert
	Raised, Answer, Taken, Settled *stamp
	Beside                         string // the alert next to it in the list, to go on with
	Name                           string // of the patient, in the list; empty where none is known
}

// fewRepeats is up to how many occurrences a number says something: a sensor that
// measures every five minutes makes thousands.
const fewRepeats = 20

// Repeats reports whether it is worth saying how often an alert was found.
func (a AlertRow) Repeats() bool { return a.Occurrences > 1 && a.Occurrences <= fewRepeats }

// SeenWorse is the graver figure that is shown, as a form carries it; empty where none is.
func (a AlertRow) SeenWorse() string {
	if a.Worse == nil {
		return ""
	}
	return strconv.FormatInt(int64(*a.Worse), 10)
}

func (v view) row(a *alerts.Alert) AlertRow {
	return AlertRow{
		Alert: *a, Raised: v.Stamp(a.RaisedAt, a.Team), Answer: v.Stamp(a.AnswerBy, a.Team),
		Taken: v.Stamp(a.AcknowledgedAt, a.Team), Settled: v.Stamp(a.ResolvedAt, a.Team),
	}
}

// rows are the alerts of a page, each with the one to go on with when it is gone.
func (v view) rows(list []alerts.Alert) []AlertRow {
	rows := make([]AlertRow, len(list))
	for i := range list {
		rows[i] = v.row(&list[i])
		switch {
		case i+1 < len(list):
			rows[i].Beside = list[i+1].ID
		case i > 0:
			rows[i].Beside = list[i-1].ID
		}
	}
	return rows
}

// gravest are the levels as a worklist shows them.
var gravest = []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical}

func (w *Workspace) listPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	done := query.Get("done")
	query.Del("done")
	filter, err := filterOf(query)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if len(filter.States) == 0 {
		filter.States = []alerts.State{alerts.Open}
	}
	if filter.States[0] == alerts.Resolved && query.Get("order") == "" {
		filter.Newest = true // what was settled long ago matters least
	}
	page, err := w.page(r, filter)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	summary, err := w.records.summary(r.Context(), filter.Team)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	counts, err := w.counts(r.Context(), filter, summary)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := listView{view: w.view(r, "list.title"), State: filter.States[0], Filter: filter, Levels: gravest}
	v.Place = "list"
	v.Live = filter.After == ""
	v.Refresh = v.Live
	v.Filtered = filter.Team != "" || len(filter.Levels) > 0 || narrowed(filter)
	v.Whole = v.Live && v.State == alerts.Open && !v.Filtered
	v.Rows = v.rows(page.Alerts)
	if err := w.nameRows(r.Context(), v.Rows); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.links(query, page.Next, counts)
	v.Undelivered = v.undelivered(summary.Undelivered)
	v.Done = w.done(r, v.view, done)
	w.render(rw, r, http.StatusOK, "list", v)
}

// nameRows writes whom the alerts of a list are about.
func (w *Workspace) nameRows(ctx context.Context, rows []AlertRow) error {
	for i := range rows {
		if rows[i].Patient == "" {
			continue
		}
		face, known, err := w.records.face(ctx, rows[i].Patient)
		if err != nil {
			return err
		}
		if known {
			rows[i].Name = face.BirthName + " " + face.FirstGiven
		}
	}
	return nil
}

// narrowed reports whether a filter asks for what a summary does not count by.
func narrowed(f alerts.Filter) bool {
	return f.Patient != "" || f.Protocol != "" || f.Rule != "" || !f.From.IsZero() || !f.To.IsZero()
}

// counts says how many unresolved alerts a filter lets through, whatever their
// level; nil when that are too many to count for a page.
func (w *Workspace) counts(ctx context.Context, filter alerts.Filter, summary alerts.Summary) (map[alerts.State]map[protocols.Level]int, error) {
	if !narrowed(filter) {
		return summary.Unresolved, nil
	}
	filter.States, filter.Levels = []alerts.State{alerts.Open, alerts.Acknowledged}, nil
	filter.After, filter.Limit = "", alerts.MaxLimit
	list, err := w.records.unseen(ctx, filter)
	if err != nil || len(list) == alerts.MaxLimit {
		return nil, err
	}
	counts := map[alerts.State]map[protocols.Level]int{alerts.Open: {}, alerts.Acknowledged: {}}
	for i := range list {
		counts[list[i].State][list[i].Level]++
	}
	return counts, nil
}

// done is the alert that an act in this list was about, for a line that says so.
// Without it, the page says nothing.
func (w *Workspace) done(r *http.Request, v view, id string) *AlertRow {
	if id == "" {
		return nil
	}
	alert, err := w.records.alert(r.Context(), id)
	if err != nil || alert.State == alerts.Open {
		return nil
	}
	row := v.row(alert)
	return &row
}

// links fills in counts and addresses, each made of the present one.
func (v *listView) links(query url.Values, next string, counts map[alerts.State]map[protocols.Level]int) {
	with := func(changes ...string) string {
		changed := url.Values{}
		for name, values := range query {
			if name != "after" && name != "lang" && values[0] != "" {
				changed[name] = values
			}
		}
		for i := 0; i < len(changes); i += 2 {
			changed.Del(changes[i])
			if changes[i+1] != "" {
				changed.Set(changes[i], changes[i+1])
			}
		}
		return "/alerts?" + changed.Encode()
	}
	for _, state := range []alerts.State{alerts.Open, alerts.Acknowledged, alerts.Resolved} {
		t := tab{State: state, Link: with("state", string(state), "order", ""), Current: state == v.State}
		if state != alerts.Resolved && counts != nil {
			t.Count = whole(v.Language, v.among(counts[state]))
		}
		v.Tabs = append(v.Tabs, t)
	}
	if v.State != alerts.Resolved && counts != nil {
		for _, level := range gravest {
			c := levelCount{Level: level, Count: counts[v.State][level], Chosen: v.Chosen(level), Link: with("level", level.String())}
			if c.Chosen {
				c.Link = with("level", "")
			}
			v.Counts = append(v.Counts, c)
		}
	}
	for _, name := range []string{gravestOrder, newestOrder} {
		v.Orders = append(v.Orders, order{Name: name, Link: with("order", name), Current: v.Filter.Newest == (name == newestOrder)})
	}
	v.Clear = "/alerts?" + url.Values{"state": {string(v.State)}}.Encode()
	v.Here = with("after", v.Filter.After)
	if next != "" {
		v.Next = with("after", next)
	}
	if v.Filter.After != "" {
		v.First = with()
	}
	if v.Next != "" || v.First != "" {
		v.Extent = v.extent(counts)
	}
}

// among is how many alerts of a state have a level that the filter lets through.
func (v *listView) among(levels map[protocols.Level]int) int {
	total := 0
	for level, count := range levels {
		if len(v.Filter.Levels) == 0 || slices.Contains(v.Filter.Levels, level) {
			total += count
		}
	}
	return total
}

// extent says how many alerts are on the page, and of how many where that is known.
func (v *listView) extent(counts map[alerts.State]map[protocols.Level]int) string {
	shown := v.counted("list.shown", len(v.Rows))
	if v.State == alerts.Resolved || counts == nil {
		return shown
	}
	return shown + " " + v.T("list.of") + " " + whole(v.Language, v.among(counts[v.State]))
}

func (v view) undelivered(count int) string {
	if count == 0 {
		return ""
	}
	return v.counted("undelivered", count)
}

// Clock is the time of the page.
func (v view) Clock() time.Time { return v.now }

// Chosen reports whether the filter asks for a level.
func (v listView) Chosen(level protocols.Level) bool {
	return len(v.Filter.Levels) == 1 && v.Filter.Levels[0] == level
}
