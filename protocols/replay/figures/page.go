// Package figures draws what a replay found: one self-contained page with the
// readings, the thresholds and the alerts, for a care team that wants to see a
// protocol before it is switched on. No script, nothing fetched: it can be kept,
// mailed and printed.
package figures

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// Page is everything that is shown.
type Page struct {
	Language string // "fr" or "en"; French where it is empty
	Protocol *protocols.Protocol
	Settings protocols.Settings // in place of the defaults
	Source   string             // where the readings come from, in words
	Note     string             // what the reader has to know of them; may be empty
	Zone     *time.Location     // of all times that are shown
	Span     replay.Span
	Outcome  *replay.Outcome
	Totals   replay.Totals
	// Statistics as replay.Statistics.ByMeasure gives them.
	Statistics map[string]any
	// Readings of the one patient, in canonical order. Empty for a cohort: its
	// alerts are then drawn patient by patient.
	Readings []*protocols.Reading
	Against  *Against
}

// Against is the other side of a comparison.
type Against struct {
	Title      string // the other version or settings, in words
	Totals     replay.Totals
	Difference replay.Difference
}

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"shape": Sign,
}).Parse(pageText))

// mostListed bounds the alerts that are listed one by one; the totals count all.
const mostListed = 500

// Write writes the page as HTML.
func Write(w io.Writer, p *Page) error {
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	view := pageView{
		Page: p, Style: template.CSS(pageStyle),
		From: p.day(p.Span.From), To: p.day(p.Span.To.Add(-time.Second)),
		Tiles: p.tiles(), Charts: p.charts(), Hours: hoursChart(p.in(), p.Totals.ByHour),
		Rules: p.rules(), Alerts: p.alertRows(), More: max(0, len(p.Outcome.Alerts)-mostListed), Settings: p.settings(),
		Figures: p.figures(), Titles: p.titles(), Levels: gravestFirst,
	}
	if err := pageTemplate.Execute(w, &view); err != nil {
		return fmt.Errorf("writing the page of figures: %w", err)
	}
	return nil
}

type pageView struct {
	*Page
	Style    template.CSS
	From, To string
	Settings []string
	Tiles    []tile
	Charts   []picture
	Hours    template.HTML
	Rules    []ruleRow
	Alerts   []alertRow
	More     int
	Figures  []figureRow
	Titles   map[string]string // of rules, by id
	Levels   []protocols.Level // gravest first
}

// in is the language of the page.
func (p *Page) in() language { return language(p.Language) }

// Lang, T, In, Level, Number, Percent and Colon are what the template says in the
// language of the page.
func (v *pageView) Lang() string                   { return string(cmp.Or(v.in(), "fr")) }
func (v *pageView) T(key string) string            { return v.in().word(key) }
func (v *pageView) In(text protocols.Text) string  { return v.in().say(text) }
func (v *pageView) Level(l protocols.Level) string { return v.in().say(Word(l)) }
func (v *pageView) Number(f float64, d int) string { return v.in().number(f, d) }
func (v *pageView) Percent(part, whole int) string { return v.in().number(percent(part, whole), 0) }

// Colon is written as the language does.
func (v *pageView) Colon() string {
	if v.in() == "en" {
		return ": "
	}
	return " : "
}

// gravestFirst is the order in which levels are shown.
var gravestFirst = []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical}

// tile is one number worth a large type.
type tile struct {
	Number, Label string
	Level         protocols.Level
}

func (p *Page) tiles() []tile {
	in := p.in()
	tiles := []tile{
		{Number: in.number(p.Totals.Rate, 1), Label: in.word("per-100")},
		{Number: in.whole(p.Totals.Alerts), Label: in.some(p.Totals.Alerts, "alert")},
		{Number: in.number(p.Outcome.PatientDays, 0), Label: in.word("patient-days")},
		{Number: in.whole(p.Outcome.Readings), Label: in.some(p.Outcome.Readings, "reading")},
	}
	for _, level := range gravestFirst {
		if n := p.Totals.ByLevel[level]; n > 0 {
			tiles = append(tiles, tile{in.whole(n), in.say(Word(level)), level})
		}
	}
	return tiles
}

func (p *Page) settings() []string {
	in := p.in()
	var all []string
	for _, parameter := range p.Protocol.Parameters {
		if set, ok := p.Settings[parameter.Name]; ok {
			all = append(all, fmt.Sprintf(in.word("setting"), in.say(parameter.Title), in.exact(set.Value), in.say(protocols.SpokenUnit(parameter.Unit)), in.exact(parameter.Default)))
		}
	}
	return all
}

func (p *Page) titles() map[string]string {
	titles := map[string]string{}
	for i := range p.Protocol.Rules {
		titles[p.Protocol.Rules[i].ID] = p.in().say(p.Protocol.TitleOf(&p.Protocol.Rules[i], p.Settings))
	}
	return titles
}

// ruleRow is one line of the table of rules.
type ruleRow struct {
	Title, ID string
	Alerts    int
	Patients  int
	Rate      string
	Bar       float64 // per cent of the longest
	Levels    []tile
}

func (p *Page) rules() []ruleRow {
	in, most := p.in(), 1
	for _, r := range p.Totals.ByRule {
		most = max(most, r.Alerts)
	}
	titles := p.titles()
	var rows []ruleRow
	for _, r := range p.Totals.ByRule {
		row := ruleRow{Title: titles[r.Rule], ID: r.Rule, Alerts: r.Alerts, Patients: r.Patients, Rate: in.number(r.Rate, 2), Bar: percent(r.Alerts, most)}
		for _, level := range gravestFirst {
			if n := r.ByLevel[level]; n > 0 {
				row.Levels = append(row.Levels, tile{in.whole(n), in.say(Word(level)), level})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// alertRow is one line of the list of alerts.
type alertRow struct {
	Time, Machine string
	Patient       string
	Level         protocols.Level
	Rule          string
	Summary       string
	Details       []string
	Lasted        string
}

func (p *Page) alertRows() []alertRow {
	in, titles := p.in(), p.titles()
	var rows []alertRow
	for i := range p.Outcome.Alerts[:min(len(p.Outcome.Alerts), mostListed)] {
		a := &p.Outcome.Alerts[i]
		row := alertRow{
			Time: p.moment(a.Time), Machine: a.Time.UTC().Format(time.RFC3339), Patient: a.Patient, Level: a.Level, Rule: titles[a.Rule],
		}
		if !a.Ended.IsZero() {
			row.Lasted = in.lasting(a.Ended.Sub(a.Time))
		}
		if e := a.Explanation; e != nil {
			row.Summary = in.say(e.Summary)
			for _, c := range e.Comparisons {
				row.Details = append(row.Details, in.say(c.Sentence))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// figureRow is one statistic.
type figureRow struct{ Name, Value string }

func (p *Page) figures() []figureRow {
	in := p.in()
	var rows []figureRow
	for _, m := range protocols.Measures() {
		switch f := p.Statistics[m.ID].(type) {
		case replay.GlucoseFigures:
			rows = append(rows, glucoseRows(in, f)...)
		case replay.Figures:
			rows = append(rows, rangeRow(in, in.say(m.Title), f, &m.Components[0]))
		case map[string]replay.Figures:
			for i := range m.Components {
				if c := &m.Components[i]; f[c.Name].Count > 0 {
					rows = append(rows, rangeRow(in, in.say(m.Title)+", "+in.say(c.Title), f[c.Name], c))
				}
			}
		}
	}
	return rows
}

func glucoseRows(in language, g replay.GlucoseFigures) []figureRow {
	share := func(key string, v float64) figureRow { return figureRow{in.word(key), in.number(v, 1) + " %"} }
	rows := []figureRow{
		{in.word("glucose"), in.number(g.Mean, 1) + " mg/dL"},
		share("in-range", g.InRange), share("below-70", g.Below70), share("below-54", g.Below54),
		share("above-180", g.Above180), share("above-250", g.Above250), share("cv", g.CV), share("gmi", g.GMI),
	}
	if g.Wear != nil {
		rows = append(rows, share("wear", *g.Wear))
	}
	return rows
}

func rangeRow(in language, name string, f replay.Figures, c *protocols.Component) figureRow {
	return figureRow{capital(name), fmt.Sprintf(in.word("range-value"),
		in.number(f.Mean, c.Decimals+1), in.number(f.Min, c.Decimals), in.number(f.Max, c.Decimals), in.say(protocols.SpokenUnit(c.Unit)), in.whole(f.Count), in.some(f.Count, "reading"))}
}
