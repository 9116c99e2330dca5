package workspace

import (
	"fmt"
	"net/http"
	"net/url"

	"vigie/alerts"
	"vigie/protocols"
)

// listView is the worklist.
type listView struct {
	view
	Tabs        []tab
	State       alerts.State
	Counts      []levelCount
	Rows        []AlertRow
	Filter      alerts.Filter
	Filtered    bool
	Levels      []protocols.Level
	Next        string // address of the next page
	First       string // address of the first page, when this is not it
	Clear       string // address without filters
	Here        string // address of this page, to come back to
	Undelivered string // sentence about messages that will never arrive
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
	Level protocols.Level
	Count int
	Link  string
}

// AlertRow is one alert with its times as a page shows them.
type AlertRow struct {
	alerts.Alert
	Raised, Answer, Taken, Settled *stamp
}

func (v view) row(a *alerts.Alert) AlertRow {
	return AlertRow{
		Alert: *a, Raised: v.Stamp(a.RaisedAt, a.Team), Answer: v.Stamp(a.AnswerBy, a.Team),
		Taken: v.Stamp(a.AcknowledgedAt, a.Team), Settled: v.Stamp(a.ResolvedAt, a.Team),
	}
}

// gravest are the levels as a worklist shows them.
var gravest = []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical}

func (w *Workspace) listPage(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter, err := filterOf(query)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if len(filter.States) == 0 {
		filter.States = []alerts.State{alerts.Open}
	}
	page, err := w.page(r, filter)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	summary, err := w.Store.Summary(r.Context(), filter.Team)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := listView{view: w.view(r, "list.title"), State: filter.States[0], Filter: filter, Levels: gravest, Here: r.URL.RequestURI()}
	v.Live = filter.After == ""
	v.Refresh = v.Live
	v.Filtered = filter.Team != "" || filter.Patient != "" || len(filter.Levels) > 0
	for i := range page.Alerts {
		v.Rows = append(v.Rows, v.row(&page.Alerts[i]))
	}
	v.links(query, page.Next, summary)
	v.Undelivered = v.undelivered(summary.Undelivered)
	w.render(rw, r, http.StatusOK, "list", v)
}

// links fills in the addresses, each made of the present one.
func (v *listView) links(query url.Values, next string, summary alerts.Summary) {
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
		return "/?" + changed.Encode()
	}
	for _, state := range []alerts.State{alerts.Open, alerts.Acknowledged, alerts.Resolved} {
		t := tab{State: state, Link: with("state", string(state)), Current: state == v.State}
		if state != alerts.Resolved {
			t.Count = fmt.Sprint(summary.Count(state))
		}
		v.Tabs = append(v.Tabs, t)
	}
	if v.State != alerts.Resolved {
		for _, level := range gravest {
			v.Counts = append(v.Counts, levelCount{level, summary.Unresolved[v.State][level], with("level", level.String())})
		}
	}
	v.Clear = "/?" + url.Values{"state": {string(v.State)}}.Encode()
	if next != "" {
		v.Next = with("after", next)
	}
	if v.Filter.After != "" {
		v.First = with()
	}
}

func (v view) undelivered(count int) string {
	if count == 0 {
		return ""
	}
	return v.counted("undelivered", count)
}

// Chosen reports whether the filter asks for a level.
func (v listView) Chosen(level protocols.Level) bool {
	return len(v.Filter.Levels) == 1 && v.Filter.Levels[0] == level
}
