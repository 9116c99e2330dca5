// Package figures draws what a replay found: one self-contained page with the
// readings, the thresholds and the alerts, for a care team that wants to see a
// protocol before it is switched on. No script, nothing fetched: it can be kept,
// mailed and printed.
package figures

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// Page is everything that is shown. Texts are French.
type Page struct {
	Protocol *protocols.Protocol
	Settings protocols.Settings // in place of the defaults
	Source   string             // where the readings come from, in words
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
	"level":   Word,
	"shape":   Sign,
	"number":  number,
	"percent": func(part, whole int) string { return number(percent(part, whole), 0) },
	"join":    strings.Join,
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
		Tiles: p.tiles(), Charts: p.charts(), Hours: hoursChart(p.Totals.ByHour),
		Rules: p.rules(), Alerts: p.alertRows(), More: max(0, len(p.Outcome.Alerts)-mostListed), Settings: p.settings(),
		Figures: p.figures(), Titles: p.titles(), Levels: gravestFirst,
	}
	if err := pageTemplate.Execute(w, view); err != nil {
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
	Charts   []chart
	Hours    template.HTML
	Rules    []ruleRow
	Alerts   []alertRow
	More     int
	Figures  []figureRow
	Titles   map[string]string // of rules, by id
	Levels   []protocols.Level // gravest first
}

// gravestFirst is the order in which levels are shown.
var gravestFirst = []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical}

// tile is one number worth a large type.
type tile struct {
	Number, Label string
	Level         protocols.Level
}

func (p *Page) tiles() []tile {
	tiles := []tile{
		{Number: number(p.Totals.Rate, 1), Label: "pour 100 jours-patient"},
		{Number: whole(p.Totals.Alerts), Label: plural(p.Totals.Alerts, "alerte", "alertes")},
		{Number: number(p.Outcome.PatientDays, 0), Label: "jours-patient"},
		{Number: whole(p.Outcome.Readings), Label: plural(p.Outcome.Readings, "mesure", "mesures")},
	}
	for _, level := range gravestFirst {
		if n := p.Totals.ByLevel[level]; n > 0 {
			tiles = append(tiles, tile{whole(n), Word(level), level})
		}
	}
	return tiles
}

func (p *Page) settings() []string {
	var all []string
	for _, parameter := range p.Protocol.Parameters {
		if set, ok := p.Settings[parameter.Name]; ok {
			all = append(all, fmt.Sprintf("%s : %s %s (par défaut %s)", parameter.Title.FR, set.Value.French(), unitWord(parameter.Unit), parameter.Default.French()))
		}
	}
	return all
}

func (p *Page) titles() map[string]string {
	titles := map[string]string{}
	for i := range p.Protocol.Rules {
		titles[p.Protocol.Rules[i].ID] = p.Protocol.Rules[i].Title.FR
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
	most := 1
	for _, r := range p.Totals.ByRule {
		most = max(most, r.Alerts)
	}
	titles := p.titles()
	var rows []ruleRow
	for _, r := range p.Totals.ByRule {
		row := ruleRow{Title: titles[r.Rule], ID: r.Rule, Alerts: r.Alerts, Patients: r.Patients, Rate: number(r.Rate, 2), Bar: percent(r.Alerts, most)}
		for _, level := range gravestFirst {
			if n := r.ByLevel[level]; n > 0 {
				row.Levels = append(row.Levels, tile{whole(n), Word(level), level})
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
	titles := p.titles()
	var rows []alertRow
	for i := range p.Outcome.Alerts[:min(len(p.Outcome.Alerts), mostListed)] {
		a := &p.Outcome.Alerts[i]
		row := alertRow{
			Time: p.moment(a.Time), Machine: a.Time.UTC().Format(time.RFC3339), Patient: a.Patient, Level: a.Level, Rule: titles[a.Rule],
		}
		if !a.Ended.IsZero() {
			row.Lasted = lasting(a.Ended.Sub(a.Time))
		}
		if e := a.Explanation; e != nil {
			row.Summary = e.Summary.FR
			for _, c := range e.Comparisons {
				row.Details = append(row.Details, c.Sentence.FR)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// figureRow is one statistic.
type figureRow struct{ Name, Value string }

func (p *Page) figures() []figureRow {
	var rows []figureRow
	for _, m := range protocols.Measures() {
		switch f := p.Statistics[m.ID].(type) {
		case replay.GlucoseFigures:
			rows = append(rows, glucoseRows(f)...)
		case replay.Figures:
			rows = append(rows, rangeRow(m.Title.FR, f, &m.Components[0]))
		case map[string]replay.Figures:
			for i := range m.Components {
				if c := &m.Components[i]; f[c.Name].Count > 0 {
					rows = append(rows, rangeRow(m.Title.FR+", "+c.Title.FR, f[c.Name], c))
				}
			}
		}
	}
	return rows
}

func glucoseRows(g replay.GlucoseFigures) []figureRow {
	share := func(name string, v float64) figureRow { return figureRow{name, number(v, 2) + " %"} }
	return []figureRow{
		{"Glucose, moyenne", number(g.Mean, 2) + " mg/dL"},
		share("Temps dans la cible, 70 à 180 mg/dL", g.InRange), share("Sous 70 mg/dL", g.Below70), share("Sous 54 mg/dL", g.Below54),
		share("Au-dessus de 180 mg/dL", g.Above180), share("Au-dessus de 250 mg/dL", g.Above250),
		share("Coefficient de variation", g.CV), {"Indicateur GMI", number(g.GMI, 3) + " %"}, share("Port du capteur", g.Wear),
	}
}

func rangeRow(name string, f replay.Figures, c *protocols.Component) figureRow {
	return figureRow{capital(name), fmt.Sprintf("moyenne %s, de %s à %s %s (%s mesures)",
		number(f.Mean, c.Decimals+1), number(f.Min, c.Decimals), number(f.Max, c.Decimals), unitWord(c.Unit), whole(f.Count))}
}
