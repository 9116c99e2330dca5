package workspace

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/figures"
	"vigie/protocols"
)

// fewest is how many patients figures are about at least, for who may see no patient.
const fewest = 5

var errFewPatients = refuse(codeFewPatients,
	"Moins de 5 patients : ces chiffres diraient qui. Élargissez la période, l'équipe ou le protocole.",
	"Fewer than 5 patients: these figures would say who. Choose a longer period, more teams or protocols.")

// figuresQuery is which figures somebody asks for.
type figuresQuery struct {
	filter alerts.Filter
	month  string // 2026-10, when a whole month is asked for
	last   string // one of figureIntervals
	format string
	zone   *time.Location
}

// figureIntervals are the intervals up to now that the page offers. The second is shown
// unless another one is asked for.
var figureIntervals = []struct {
	name   string
	length time.Duration
}{{"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}, {"90d", 90 * 24 * time.Hour}}

// figuresQueryOf reads what is asked for: a month, two dates with both included, or one
// of the usual intervals, on the clock of the team.
func (w *Workspace) figuresQueryOf(r *http.Request) (q figuresQuery, err error) {
	query, err := queryOf(r)
	if err != nil {
		return q, err
	}
	for name := range query {
		if !slices.Contains([]string{"team", "protocol", "month", "from", "to", "last", "format", "lang"}, name) {
			return q, badParameter(name, "il n'existe pas ; utilisez team, protocol, month, from, to, last ou format", "there is none of that name; use team, protocol, month, from, to, last or format")
		}
	}
	q.filter.Team, q.filter.Protocol = query.Get("team"), query.Get("protocol")
	if q.format = query.Get("format"); q.format != "" && q.format != "csv" && q.format != "json" {
		return q, badParameter("format", "utilisez json ou csv", "use json or csv")
	}
	q.zone = w.clockOf(access.From(r.Context()), q.filter.Team)
	now := w.Now()
	switch q.month = query.Get("month"); {
	case q.month != "":
		first, err := time.ParseInLocation("2006-01", q.month, q.zone)
		if err != nil {
			return q, badParameter("month", "donnez un mois comme 2026-10", "give a month such as 2026-10")
		}
		q.filter.From, q.filter.To = first, first.AddDate(0, 1, 0)
	case query.Get("from") != "" || query.Get("to") != "":
		_, q.filter.From, q.filter.To, err = stretchOf(query, q.zone, now)
		return q, err
	default:
		if q.last = query.Get("last"); q.last == "" {
			q.last = figureIntervals[1].name
		}
		at := slices.IndexFunc(figureIntervals, func(i struct {
			name   string
			length time.Duration
		}) bool {
			return i.name == q.last
		})
		if at < 0 {
			return q, badParameter("last", "utilisez 7d, 30d ou 90d", "use 7d, 30d or 90d")
		}
		q.filter.From, q.filter.To = now.Add(-figureIntervals[at].length), now
	}
	return q, nil
}

// clockOf is the time zone of a team; of the first of those that who asks belongs to, or
// that there are, when none is named.
func (w *Workspace) clockOf(who access.Who, team string) *time.Location {
	teams := w.Teams()
	for _, id := range append([]string{team}, who.Teams...) {
		for i := range teams {
			if teams[i].ID == id && teams[i].Zone != nil {
				return teams[i].Zone
			}
		}
	}
	if len(teams) > 0 && teams[0].Zone != nil {
		return teams[0].Zone
	}
	return time.UTC
}

// counted narrows a filter to the teams whose figures somebody may see.
func (d records) counted(who access.Who, f alerts.Filter) (alerts.Filter, error) {
	if !who.May(access.SeeFigures) {
		return f, errNotAllowed
	}
	if !who.MayEverywhere(access.SeeFigures) {
		f.Within = append([]string{}, who.Teams...)
	}
	return f, nil
}

// figuresOf counts an interval, as far as who asks may see it.
func (w *Workspace) figuresOf(ctx context.Context, f alerts.Filter) (figures.Figures, error) {
	who := access.From(ctx)
	f, err := w.records.counted(who, f)
	if err != nil {
		return figures.Figures{}, err
	}
	if now := w.Now(); f.To.After(now) {
		f.To = now // the days to come are followed by nobody yet
	}
	silent := map[[3]string]bool{}
	count := figures.New(f, func(c *figures.Course) bool {
		key := [3]string{c.Protocol, c.Version, c.Rule}
		is, known := silent[key]
		if !known {
			is = w.silence(&alerts.Alert{Protocol: c.Protocol, Version: c.Version, Rule: c.Rule})
			silent[key] = is
		}
		return is
	})
	faces, err := w.records.roll.All(ctx)
	if err != nil {
		return figures.Figures{}, err
	}
	var stays []figures.Stay
	for face := range faces {
		stays = stays[:0]
		for _, s := range face.Followed {
			stays = append(stays, figures.Stay{Team: s.Team, Protocol: s.Protocol, From: s.From, Until: s.Until})
		}
		count.Follow(stays)
	}
	asked := f
	asked.From = f.From.Add(-figures.Before)
	if err := w.Options.Figures.Courses(ctx, asked, count.Add); err != nil {
		return figures.Figures{}, err
	}
	messages, err := w.Options.Figures.Messages(ctx, f)
	if err != nil {
		return figures.Figures{}, err
	}
	found := count.Figures(messages)
	w.nameRules(found.ByRule)
	if !who.May(access.SeePatients) {
		if found.All.Patients < fewest {
			return figures.Figures{}, errFewPatients
		}
		found.ByRule = slices.DeleteFunc(found.ByRule, func(l figures.Line) bool { return l.Patients < fewest })
	}
	return found, nil
}

// nameRules puts the titles of rules as their protocol has them where no patient is known: an
// alert's own title may hold a setting of its patient.
func (w *Workspace) nameRules(lines []figures.Line) {
	for i := range lines {
		l := &lines[i]
		if rule := w.rule(&alerts.Alert{Protocol: l.Protocol, Version: l.Version, Rule: l.Rule}); rule != nil {
			l.Title = rule.Title
		}
	}
}

// definition is a row of the table of figures as programs read it.
type definition struct {
	ID         string       `json:"id"`
	Family     string       `json:"family"`
	Unit       figures.Unit `json:"unit"`
	Title      string       `json:"title"`
	Definition string       `json:"definition"`
}

// figuresLine is one line with its figures by id, null where there is none.
type figuresLine struct {
	Level    string              `json:"level,omitempty"`
	Protocol string              `json:"protocol,omitempty"`
	Rule     string              `json:"rule,omitempty"`
	Title    string              `json:"title,omitempty"`
	Figures  map[string]*float64 `json:"figures"`
}

func (w *Workspace) figuresAnswer(rw http.ResponseWriter, r *http.Request) {
	q, err := w.figuresQueryOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	found, err := w.figuresOf(r.Context(), q.filter)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	if q.format == "csv" {
		w.figuresTable(rw, r, &q, &found)
		return
	}
	language := languageOf(r)
	var defined []definition
	for _, g := range figures.Table {
		defined = append(defined, definition{g.ID, g.Family, g.Unit, g.Title.In(language), g.Definition.In(language)})
	}
	levels, rules := []figuresLine{}, []figuresLine{}
	for i := range found.ByLevel {
		levels = append(levels, figuresLine{Level: found.ByLevel[i].Level.String(), Figures: ofLine(&found.ByLevel[i])})
	}
	for i := range found.ByRule {
		l := &found.ByRule[i]
		rules = append(rules, figuresLine{l.Level.String(), l.Protocol, l.Rule, l.Title.In(language), ofLine(l)})
	}
	all := map[string]*float64{}
	for i := range figures.Table {
		all[figures.Table[i].ID] = orNull(figures.Table[i].Value(&found))
	}
	w.reply(rw, r, http.StatusOK, map[string]any{
		"from": found.From.UTC().Format(time.RFC3339), "to": found.To.UTC().Format(time.RFC3339), "team": q.filter.Team, "protocol": q.filter.Protocol,
		"definitions": defined, "all": all, "levels": levels, "rules": rules, "messages": found.Messages,
	})
}

func orNull(value float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	value = math.Round(value*1000) / 1000
	return &value
}

func ofLine(l *figures.Line) map[string]*float64 {
	line := map[string]*float64{}
	for i := range figures.Table {
		if of := figures.Table[i].OfLine; of != nil {
			line[figures.Table[i].ID] = orNull(of(l))
		}
	}
	return line
}

// figuresTable writes one figure a row, for a spreadsheet.
func (w *Workspace) figuresTable(rw http.ResponseWriter, r *http.Request, q *figuresQuery, found *figures.Figures) {
	language := languageOf(r)
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="vigie-figures-`+found.From.In(q.zone).Format(time.DateOnly)+`.csv"`)
	w.hurry(rw)
	out := csv.NewWriter(rw)
	from, to := found.From.UTC().Format(time.RFC3339), found.To.UTC().Format(time.RFC3339)
	row := func(level, protocol, rule, title string, g *figures.Figure, value float64, ok bool) {
		text := ""
		if v := orNull(value, ok); v != nil {
			text = strconv.FormatFloat(*v, 'f', -1, 64)
		}
		_ = out.Write([]string{from, to, plain(q.filter.Team), level, plain(protocol), plain(rule), plain(title), g.Family, g.ID, g.Title.In(language), text, string(g.Unit)}) // Error tells below
	}
	_ = out.Write([]string{"from", "to", "team", "level", "protocol", "rule", "title", "family", "figure", "name", "value", "unit"})
	for i := range figures.Table {
		g := &figures.Table[i]
		value, ok := g.Value(found)
		row("", q.filter.Protocol, "", "", g, value, ok)
		if g.OfLine == nil {
			continue
		}
		for j := range found.ByLevel {
			value, ok := g.OfLine(&found.ByLevel[j])
			row(found.ByLevel[j].Level.String(), q.filter.Protocol, "", "", g, value, ok)
		}
		for j := range found.ByRule {
			l := &found.ByRule[j]
			value, ok := g.OfLine(l)
			row(l.Level.String(), l.Protocol, l.Rule, l.Title.In(language), g, value, ok)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		w.Log.Debug("answer not delivered", "route", r.Pattern, "error", err)
	}
}

// figuresView is the page of the figures, which printed is the report of a month.
type figuresView struct {
	view
	Heading   string // "Rapport mensuel, octobre 2026"
	Period    string
	Team      string
	Protocol  string
	Month     string
	From, To  string // dates, both included
	Intervals []deskTab
	Months    []deskTab // the month before and after
	Teams     []choice
	Protocols []choice
	Families  []figuresFamily
	Columns   []figures.Figure // of the tables
	Levels    []figuresRow
	Rules     []figuresRow
	CSV       string
	Few       string // why there is nothing
	Printed   *stamp
}

type figuresFamily struct {
	ID, Title string
	Figures   []figureTile
}

// figureTile is a figure of the whole interval and of the one before, as long.
type figureTile struct{ ID, Title, Definition, Value, Before string }

type figuresRow struct {
	Level  protocols.Level
	Title  string
	About  string
	Values []figureCell
}

type figureCell struct{ Title, Value string }

// shownByLine are the columns of the tables by level and by rule.
var shownByLine = []string{"alerts", "rate", "in-time", "answer-median", "answer-p90", "closed", "false-alarms"}

func (w *Workspace) figuresPage(rw http.ResponseWriter, r *http.Request) {
	q, err := w.figuresQueryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := figuresView{view: w.view(r, "figures.title"), Team: q.filter.Team, Protocol: q.filter.Protocol, Month: q.month}
	v.Place = "figures"
	now := v.now.In(q.zone)
	v.zone = q.zone
	v.Printed = v.Stamp(v.now, q.filter.Team)
	if err := w.figuresChoices(r.Context(), &v, &q); err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.period(&q, now)
	found, err := w.figuresOf(r.Context(), q.filter)
	if errors.Is(err, errFewPatients) {
		v.Few = errFewPatients.Text.In(v.Language)
		w.render(rw, r, http.StatusOK, "figures", v)
		return
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	earlier := q.filter
	earlier.From, earlier.To = q.filter.From.Add(-q.filter.To.Sub(q.filter.From)), q.filter.From
	if q.month != "" {
		earlier.From = q.filter.From.AddDate(0, -1, 0)
	}
	before, err := w.figuresOf(r.Context(), earlier)
	if err != nil && !errors.Is(err, errFewPatients) {
		w.failPage(rw, r, err)
		return
	}
	v.fill(&found, &before, func(l *figures.Line) string { return w.protocolTitle(v.view, l.Protocol, l.Version) })
	w.render(rw, r, http.StatusOK, "figures", v)
}

// period writes which interval the page is about, and which others there are.
func (v *figuresView) period(q *figuresQuery, now time.Time) {
	link := func(pairs ...string) string {
		values := url.Values{}
		for i, name := range []string{"team", "protocol"} {
			if value := []string{q.filter.Team, q.filter.Protocol}[i]; value != "" {
				values.Set(name, value)
			}
		}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return "?" + values.Encode()
	}
	from, last := q.filter.From.In(q.zone), q.filter.To.In(q.zone).Add(-1)
	v.From, v.To = from.Format(time.DateOnly), last.Format(time.DateOnly)
	v.Period = v.T("figures.from") + " " + date(v.Language, from, now) + " " + v.T("figures.to") + " " + date(v.Language, last, now)
	v.Heading = v.T("figures.title")
	for _, i := range figureIntervals {
		v.Intervals = append(v.Intervals, deskTab{Text: span(v.Language, i.length), Link: "/figures" + link("last", i.name), Current: i.name == q.last})
	}
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, q.zone)
	shown := this
	if q.month != "" {
		shown = q.filter.From
		v.Heading = v.T("figures.report") + ", " + monthName(v.Language, shown)
	}
	for _, m := range []time.Time{shown.AddDate(0, -1, 0), shown, shown.AddDate(0, 1, 0)} {
		if !m.After(this) {
			v.Months = append(v.Months, deskTab{Text: monthName(v.Language, m), Link: "/figures" + link("month", m.Format("2006-01")), Current: q.month == m.Format("2006-01")})
		}
	}
	asked := []string{"last", q.last}
	switch {
	case q.month != "":
		asked = []string{"month", q.month}
	case q.last == "":
		asked = []string{"from", v.From, "to", v.To}
	}
	v.CSV = "/api/v1/figures" + link(append(asked, "format", "csv")...)
}

// figuresChoices lists the teams and protocols of whose figures somebody may ask.
func (w *Workspace) figuresChoices(ctx context.Context, v *figuresView, q *figuresQuery) error {
	within, err := w.records.counted(access.From(ctx), alerts.Filter{})
	if err != nil {
		return err
	}
	for _, team := range v.TeamList {
		if within.Within == nil || slices.Contains(within.Within, team.ID) {
			v.Teams = append(v.Teams, choice{team.ID, v.TeamName(team.ID), team.ID == q.filter.Team})
		}
	}
	faces, err := w.records.roll.All(ctx)
	if err != nil {
		return err
	}
	versions := map[string]string{}
	for face := range faces {
		for _, f := range face.Followed {
			if within.Within == nil || slices.Contains(within.Within, f.Team) {
				versions[f.Protocol] = max(versions[f.Protocol], f.Version)
			}
		}
	}
	for id, version := range versions {
		v.Protocols = append(v.Protocols, choice{id, w.protocolTitle(v.view, id, version), id == q.filter.Protocol})
	}
	slices.SortFunc(v.Protocols, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return nil
}

// fill writes the figures; titleOf is the protocol of a rule in words.
func (v *figuresView) fill(found, before *figures.Figures, titleOf func(*figures.Line) string) {
	for _, family := range figures.Families {
		shown := figuresFamily{ID: family.ID, Title: v.In(family.Title)}
		for i := range figures.Table {
			g := &figures.Table[i]
			if g.Family != family.ID {
				continue
			}
			value, ok := g.Value(found)
			tile := figureTile{ID: g.ID, Title: v.In(g.Title), Definition: v.In(g.Definition), Value: v.figure(g.Unit, value, ok)}
			if value, ok := g.Value(before); ok && before.To.After(before.From) {
				tile.Before = v.figure(g.Unit, value, ok)
			}
			shown.Figures = append(shown.Figures, tile)
		}
		v.Families = append(v.Families, shown)
	}
	for _, id := range shownByLine {
		v.Columns = append(v.Columns, figures.Table[slices.IndexFunc(figures.Table, func(g figures.Figure) bool { return g.ID == id })])
	}
	for i := range found.ByLevel {
		v.Levels = append(v.Levels, v.figuresRow(&found.ByLevel[i], v.LevelName(found.ByLevel[i].Level), ""))
	}
	for i := range found.ByRule {
		l := &found.ByRule[i]
		title := v.In(l.Title)
		if title == "" {
			title = l.Rule
		}
		v.Rules = append(v.Rules, v.figuresRow(l, title, titleOf(l)))
	}
}

func (v *figuresView) figuresRow(l *figures.Line, title, about string) figuresRow {
	row := figuresRow{Level: l.Level, Title: title, About: about}
	for i := range v.Columns {
		value, ok := v.Columns[i].OfLine(l)
		row.Values = append(row.Values, figureCell{v.In(v.Columns[i].Title), v.figure(v.Columns[i].Unit, value, ok)})
	}
	return row
}

// figure writes a figure in its unit.
func (v view) figure(unit figures.Unit, value float64, ok bool) string {
	if !ok {
		return "—"
	}
	switch unit {
	case figures.Number:
		return whole(v.Language, int(value))
	case figures.Days:
		return whole(v.Language, int(math.Round(value)))
	case figures.Seconds:
		return span(v.Language, figures.Duration(value))
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	if v.Language == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	if unit == figures.Percent {
		return text + "\u202f%"
	}
	return text
}
