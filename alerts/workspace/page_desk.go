package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// deskView is the worklist: one row a patient, in the order in which he is to be called.
type deskView struct {
	view
	Tabs        []deskTab
	Levels      []deskTab
	Rows        []deskRow
	Tab         string
	Search      string
	Found       []foundRow
	FoundMore   bool
	Team        string
	Protocol    string
	Level       string
	Protocols   []choice
	Filtered    bool
	Total       string // "36 patients à voir"
	Printed     *stamp
	Next, First string
	Undelivered string
	Colleagues  []string   // who may be given all that is in hand
	Paperwork   []paperRow // enrolments to validate or to renew
}

// deskTab is one part of the worklist, with how many patients it holds.
type deskTab struct {
	Name, Text, Count, Link string
	Level                   protocols.Level
	Current                 bool
}

type choice struct {
	ID, Text string
	Chosen   bool
}

// deskRow is one patient in front of the team.
type deskRow struct {
	Key      string // stays with the patient, for a page that is kept up to date
	Level    protocols.Level
	Link     string
	Person   subject
	Due      *stamp
	Title    string
	Reason   string // the rule's own sentence; in figures where it has none
	Now, Age string // the value now and how old it is
	Sent     string // of what only happens: when it was sent
	Over     bool
	TooLate  bool
	Others   string
	Spark    *chart.Spark
	Label    string // of the spark
	Holder   string
	Reviewed string // who read through the record last, and when; empty for nobody
	Waiting  string // in place of a deadline
	Escalate bool
	Say      string
}

// foundRow is a patient that a search has found, with what there is of him in the list.
type foundRow struct {
	subject
	Link  string // his record
	Alert string // the alert to see first; empty for none
	State string
	Level protocols.Level
	Rings bool
}

// deskPages is how many patients a page holds.
const deskPages = 50

// kinds of the worklist, in the order of its tabs.
const (
	tabSee      = "see"
	tabMine     = "mine"
	tabTaken    = "taken"
	tabCallBack = "call-back"
	tabSilent   = "silent"
	tabDevices  = "devices"
	tabReread   = "reread"
)

var deskTabs = []string{tabSee, tabMine, tabTaken, tabCallBack, tabSilent, tabDevices, tabReread}

// belongs reports whether an alert is a reason for its patient to stand under a tab.
// Technical alerts and news of the past have tabs of their own; all else is to be seen.
func (w *Workspace) belongs(tab string, a *alerts.Alert, me string) bool {
	if a.State == alerts.Resolved {
		return tab == tabReread
	}
	switch tab {
	case tabMine:
		return a.State == alerts.Acknowledged && a.AcknowledgedBy == me
	case tabTaken:
		return a.State == alerts.Acknowledged
	case tabCallBack:
		return !a.CallBackAt.IsZero()
	case tabSilent:
		return w.silence(a)
	case tabDevices:
		return a.Level == protocols.Technical && !w.silence(a)
	case tabReread:
		return a.ToReread()
	}
	return a.Level != protocols.Technical && !a.ToReread()
}

// rule is the rule of an alert, as its protocol has it; nil where that is not at hand.
func (w *Workspace) rule(a *alerts.Alert) *protocols.Rule {
	if w.Protocol == nil || a.Protocol == "" {
		return nil
	}
	p := w.Protocol(a.Protocol, a.Version)
	if p == nil {
		return nil
	}
	for i := range p.Rules {
		if p.Rules[i].ID == a.Rule {
			return &p.Rules[i]
		}
	}
	return nil
}

// silence reports whether an alert is about readings that did not come.
func (w *Workspace) silence(a *alerts.Alert) bool {
	rule := w.rule(a)
	return rule != nil && rule.Absence != nil
}

// deskQuery is what somebody asks the worklist for.
type deskQuery struct {
	tab, search, team, protocol, after string
	level                              protocols.Level
}

func deskQueryOf(query url.Values) (q deskQuery, err error) {
	for name, values := range query {
		value := strings.TrimSpace(values[len(values)-1])
		if value == "" {
			continue
		}
		switch name {
		case "tab":
			if !slices.Contains(deskTabs, value) {
				return q, badParameter(name, "utilisez "+strings.Join(deskTabs, ", "), "use "+strings.Join(deskTabs, ", "))
			}
			q.tab = value
		case "q":
			q.search = value
		case "team":
			q.team = value
		case "protocol":
			q.protocol = value
		case "after":
			q.after = value
		case "level":
			if q.level, err = levelOf(value); err != nil {
				return q, err
			}
		case "lang", "done":
		default:
			return q, badParameter(name, "il n'existe pas ; utilisez tab, q, level, team ou protocol", "there is none of that name; use tab, q, level, team or protocol")
		}
	}
	if q.tab == "" {
		q.tab = tabSee
	}
	return q, nil
}

// with is the address of the worklist with one thing changed.
func (q deskQuery) with(name, value string) string {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.tab != tabSee {
		set("tab", q.tab)
	}
	if q.level != protocols.NoLevel {
		set("level", q.level.String())
	}
	set("team", q.team)
	set("protocol", q.protocol)
	values.Del(name)
	if name != "tab" || value != tabSee {
		set(name, value)
	}
	if len(values) == 0 {
		return "/"
	}
	return "/?" + values.Encode()
}

func (q deskQuery) narrows() bool {
	return q.level != protocols.NoLevel || q.team != "" || q.protocol != ""
}

func (w *Workspace) deskPage(rw http.ResponseWriter, r *http.Request) {
	values, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	q, err := deskQueryOf(values)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := deskView{view: w.view(r, "desk.title"), Tab: q.tab, Search: q.search, Team: q.team, Protocol: q.protocol, Filtered: q.narrows()}
	v.Place = "desk"
	if q.level != protocols.NoLevel {
		v.Level = q.level.String()
	}
	v.Printed = v.Stamp(v.now, q.team)
	all, err := w.records.unresolved(r.Context(), alerts.Filter{Team: q.team, Protocol: q.protocol})
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	if q.search != "" {
		if err := w.search(r.Context(), &v, all); err != nil {
			w.failPage(rw, r, err)
			return
		}
	} else {
		struck, err := w.records.struckOut(r.Context(), alerts.Filter{Team: q.team, Protocol: q.protocol})
		if err == nil {
			for i := range struck {
				all = append(all, &struck[i])
			}
			err = w.fillDesk(r.Context(), &v, q, all)
		}
		if err != nil {
			w.failPage(rw, r, err)
			return
		}
	}
	v.Protocols = w.protocolChoices(v.view, all, q.protocol)
	if q.search == "" && q.tab == tabSee {
		if v.Paperwork, err = w.paperwork(r.Context(), v.view, q.team); err != nil {
			w.failPage(rw, r, err)
			return
		}
	}
	lost, err := w.records.undeliveredCount(r.Context())
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Undelivered = v.undelivered(lost)
	w.render(rw, r, http.StatusOK, "desk", v)
}

// fillDesk sorts the alerts into tabs and writes the rows of the one that is asked for.
func (w *Workspace) fillDesk(ctx context.Context, v *deskView, q deskQuery, all []*alerts.Alert) error {
	me := access.From(ctx).Name
	var rows []*alerts.Alert
	under := make([]*alerts.Alert, 0, len(all))
	for _, tab := range deskTabs {
		under = under[:0]
		for _, a := range all {
			if w.belongs(tab, a, me) {
				under = append(under, a)
			}
		}
		persons := firsts(under)
		if tab == q.tab {
			rows = persons
		}
		v.Tabs = append(v.Tabs, deskTab{Name: tab, Text: v.T("tab." + tab), Count: whole(v.Language, len(persons)), Link: q.with("tab", tab), Current: tab == q.tab})
	}
	if err := w.offerHandOver(ctx, v, rows); err != nil {
		return err
	}
	v.levels(q, rows)
	if q.level != protocols.NoLevel {
		rows = slices.DeleteFunc(rows, func(row *alerts.Alert) bool { return row.Level != q.level })
	}
	v.Total = v.counted("desk.total."+q.tab, len(rows))
	begin := 1 + slices.IndexFunc(rows, func(row *alerts.Alert) bool { return rowKey(row) == q.after })
	end := min(begin+deskPages, len(rows))
	if end < len(rows) {
		v.Next = q.with("after", rowKey(rows[end-1]))
	}
	if begin > 0 {
		v.First = q.with("after", "")
	}
	v.Live = begin == 0
	v.Refresh = v.Live
	of := map[string][]*alerts.Alert{} // of the persons on the page, with what they have beside
	var patients []string
	for _, row := range rows[begin:end] {
		of[row.Whose()] = nil
		patients = append(patients, row.Patient)
	}
	for _, a := range all {
		if list, here := of[a.Whose()]; here && a.Patient != "" {
			of[a.Whose()] = append(list, a)
		}
	}
	reviewed, err := w.records.lastReviews(ctx, patients)
	if err != nil {
		return err
	}
	for _, row := range rows[begin:end] {
		filled, err := w.deskRow(ctx, v.view, row, of[row.Whose()], reviewed[row.Patient], q)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, filled)
	}
	return nil
}

// offerHandOver lists, in the part of the worklist that is one's own, who may be given
// all of it at the end of a shift: whoever may see each of its teams.
func (w *Workspace) offerHandOver(ctx context.Context, v *deskView, mine []*alerts.Alert) error {
	if v.Tab != tabMine || len(mine) == 0 {
		return nil
	}
	teams := map[string]bool{}
	for _, a := range mine {
		if teams[a.Team] {
			continue
		}
		teams[a.Team] = true
		may, err := w.colleagues(ctx, a.Team)
		if err != nil {
			return err
		}
		if len(teams) == 1 {
			v.Colleagues = may
		}
		v.Colleagues = slices.DeleteFunc(v.Colleagues, func(name string) bool { return !slices.Contains(may, name) })
	}
	return nil
}

// levels counts the patients of a tab by the gravest of what they have there.
func (v *deskView) levels(q deskQuery, rows []*alerts.Alert) {
	counts := map[protocols.Level]int{}
	for _, row := range rows {
		counts[row.Level]++
	}
	for _, level := range gravest {
		if counts[level] == 0 && level != q.level {
			continue
		}
		t := deskTab{Level: level, Text: v.LevelName(level), Count: whole(v.Language, counts[level]), Link: q.with("level", level.String()), Current: level == q.level}
		if t.Current {
			t.Link = q.with("level", "")
		}
		v.Levels = append(v.Levels, t)
	}
}

// search lists who is followed under that name, whether or not anything rings.
func (w *Workspace) search(ctx context.Context, v *deskView, all []*alerts.Alert) error {
	faces, more, err := w.records.find(ctx, v.Search, "", deskPages)
	if err != nil {
		return err
	}
	v.FoundMore = more
	for i := range faces {
		row := foundRow{subject: v.subject(&faces[i], w.pathology(v.view, &faces[i])), Link: "/patients/" + url.PathEscape(faces[i].Patient), State: v.T("desk.quiet")}
		if at := slices.IndexFunc(all, func(a *alerts.Alert) bool { return a.Patient == faces[i].Patient }); at >= 0 {
			row.Alert, row.State, row.Level, row.Rings = alertAddress(all[at].ID, "/?"+url.Values{"q": {v.Search}}.Encode()), v.heading(all[at]), all[at].Level, true
		}
		v.Found = append(v.Found, row)
	}
	return nil
}

// protocolChoices are the protocols under which something is left to do.
func (w *Workspace) protocolChoices(v view, all []*alerts.Alert, chosen string) (list []choice) {
	seen := map[string]bool{}
	for i := range all {
		id := all[i].Protocol
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, choice{id, w.protocolTitle(v, id, all[i].Version), id == chosen})
	}
	if chosen != "" && !seen[chosen] {
		list = append(list, choice{chosen, chosen, true})
	}
	slices.SortFunc(list, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// alertAddress is the page of an alert; from is the list to come back to.
func alertAddress(id, from string) string {
	address := "/alerts/" + url.PathEscape(id)
	if from == "/" || from == "" {
		return address
	}
	return address + "?" + url.Values{"from": {from}}.Encode()
}
