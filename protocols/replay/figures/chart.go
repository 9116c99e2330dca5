package figures

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
	"vigie/protocols/replay"
)

// picture is one drawing with the table that says the same.
type picture struct {
	Title string
	SVG   template.HTML
	Days  []dayRow
	Unit  string
}

// dayRow sums up one day, for those who read tables rather than drawings.
type dayRow struct {
	Day                string
	Count              int
	Low, Mean, Highest string
}

// The canvas, in the units of the viewBox.
const (
	canvasWidth  = 1040.0
	canvasHeight = 300.0
	left, right  = 52.0, 92.0 // room for the scale and for the names of thresholds
	top, bottom  = 18.0, 34.0
)

func (p *Page) charts() []picture {
	if len(p.Readings) == 0 {
		if len(p.Outcome.Alerts) == 0 {
			return nil
		}
		return []picture{p.cohortChart()}
	}
	var charts []picture
	for _, m := range protocols.Measures() {
		var own []*protocols.Reading
		for _, r := range p.Readings {
			if r.Measure == m && p.Span.Holds(r.Time) {
				own = append(own, r)
			}
		}
		for i := range m.Components {
			if s := p.series(own, m, i); len(s.points) > 0 {
				charts = append(charts, s.draw())
			}
		}
	}
	return charts
}

type point = chart.Point

// series is one component over the span, on its way to a drawing.
type series struct {
	page       *Page
	measure    *protocols.Measure
	component  *protocols.Component
	points     []point
	thresholds []threshold
	alerts     []*replay.Alert
	drawn      []*replay.Alert // those of them that would not hide one another
	low, high  float64         // of the scale
	step       float64         // between two ticks of the scale
}

func (p *Page) series(own []*protocols.Reading, m *protocols.Measure, component int) *series {
	s := &series{page: p, measure: m, component: &m.Components[component]}
	if s.component.Event {
		return s
	}
	for _, r := range own {
		if v := r.Values[component]; v != protocols.Missing {
			shown, _ := r.Shown(component)
			s.points = append(s.points, point{At: r.Time, Value: shown})
		}
	}
	if len(s.points) == 0 {
		return s
	}
	s.thresholds = p.thresholds(m, component)
	for i := range p.Outcome.Alerts {
		if a := &p.Outcome.Alerts[i]; about(a, m, s.component) {
			s.alerts = append(s.alerts, a)
		}
	}
	s.drawn = p.apart(s.alerts)
	s.scale()
	return s
}

// about reports whether an alert rests on that component.
func about(a *replay.Alert, m *protocols.Measure, c *protocols.Component) bool {
	if a.Explanation == nil {
		return false
	}
	return slices.ContainsFunc(a.Explanation.Comparisons, func(compared protocols.Compared) bool {
		return compared.Measure == m.ID && (compared.Component == c.Name || compared.Component == "")
	})
}

// apart keeps one of the alerts of a level that would be drawn in one place.
func (p *Page) apart(alerts []*replay.Alert) []*replay.Alert {
	type spot struct {
		column int
		level  protocols.Level
	}
	taken := map[spot]bool{}
	var kept []*replay.Alert
	for _, a := range alerts {
		s := spot{int(p.x(a.Time)), a.Level}
		if !taken[s] {
			taken[s] = true
			kept = append(kept, a)
		}
	}
	return kept
}

// scale chooses round bounds that hold every point, and the thresholds that are
// not far outside.
func (s *series) scale() {
	low, high := s.lowest(), s.highest()
	reach := max(high-low, 1)
	s.thresholds = slices.DeleteFunc(s.thresholds, func(t threshold) bool {
		v := t.value.Float()
		return v < low-reach || v > high+reach
	})
	for _, t := range s.thresholds {
		low, high = min(low, t.value.Float()), max(high, t.value.Float())
	}
	s.low, s.high, s.step = chart.Scale(low, high)
}

func (p *Page) x(t time.Time) float64 {
	part := t.Sub(p.Span.From).Seconds() / max(1, p.Span.To.Sub(p.Span.From).Seconds())
	return left + min(max(part, 0), 1)*(canvasWidth-left-right)
}

func (s *series) y(v float64) float64 {
	return top + (s.high-v)/(s.high-s.low)*(canvasHeight-top-bottom)
}

func (s *series) title() string {
	in := s.page.in()
	name := in.say(s.measure.Title)
	if len(s.measure.Components) > 1 {
		name += ", " + in.say(s.component.Title)
	}
	return capital(name)
}

func (s *series) draw() picture {
	var b strings.Builder
	name := s.measure.ID + "-" + s.component.Name
	in := s.page.in()
	unit := in.say(protocols.SpokenUnit(s.component.Unit))
	open(&b, name, canvasHeight, s.title(), fmt.Sprintf(in.word("drawn"),
		in.whole(len(s.points)), in.number(s.lowest(), s.component.Decimals), in.number(s.highest(), s.component.Decimals), unit,
		len(s.alerts), in.some(len(s.alerts), "alert")))
	s.drawScale(&b)
	s.page.drawDays(&b, canvasHeight)
	s.drawEpisodes(&b)
	s.drawThresholds(&b)
	s.drawLine(&b)
	s.drawAlerts(&b)
	b.WriteString("</svg>")
	return picture{Title: s.title(), Unit: unit, SVG: template.HTML(b.String()), Days: s.byDay()}
}

func (s *series) lowest() float64 { return s.extreme(slices.MinFunc).Value.Float() }

func (s *series) highest() float64 { return s.extreme(slices.MaxFunc).Value.Float() }

func (s *series) extreme(of func([]point, func(a, b point) int) point) point {
	return of(s.points, func(a, b point) int { return cmp.Compare(a.Value, b.Value) })
}

// open begins a drawing that a screen reader can name.
func open(b *strings.Builder, id string, height float64, title, description string) {
	fmt.Fprintf(b, `<svg viewBox="0 0 %g %g" role="img" aria-labelledby="%s-title %s-desc"><title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`,
		canvasWidth, height, id, id, id, template.HTMLEscapeString(title), id, template.HTMLEscapeString(description))
}

func (s *series) drawScale(b *strings.Builder) {
	decimals := max(0, -int(math.Floor(math.Log10(s.step))))
	for v := s.low; v <= s.high+s.step/2; v += s.step {
		y := s.y(v)
		fmt.Fprintf(b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, left, canvasWidth-right, y, y)
		fmt.Fprintf(b, `<text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`, left-8, y+4, s.page.in().number(v, decimals))
	}
}

// drawDays marks local midnights, and names as many of them as fit.
func (p *Page) drawDays(b *strings.Builder, height float64) {
	days := int(p.Span.Days()) + 1
	every := max(1, (days+11)/12)
	if days > 14 {
		every = (every + 6) / 7 * 7
	}
	from := p.Span.From.In(p.Zone)
	for d := 0; d <= days; d++ {
		midnight := time.Date(from.Year(), from.Month(), from.Day()+d, 0, 0, 0, 0, p.Zone)
		if midnight.Before(p.Span.From) || !midnight.Before(p.Span.To) {
			continue
		}
		x := p.x(midnight)
		if d%every == 0 {
			fmt.Fprintf(b, `<line class="day" x1="%.1f" x2="%.1f" y1="%g" y2="%g"/>`, x, x, top, height-bottom)
			fmt.Fprintf(b, `<text class="tick" x="%.1f" y="%g">%s</text>`, x+3, height-bottom+18, p.in().shortDay(midnight))
		}
	}
}

// drawEpisodes shades how long each alert held.
func (s *series) drawEpisodes(b *strings.Builder) {
	for _, a := range s.drawn {
		end := a.Ended
		if end.IsZero() {
			end = s.page.Span.To
		}
		x := s.page.x(a.Time)
		fmt.Fprintf(b, `<rect class="episode %s" x="%.1f" y="%g" width="%.1f" height="%g"/>`, a.Level, x, top, max(1.5, s.page.x(end)-x), canvasHeight-top-bottom)
	}
}

func (s *series) drawThresholds(b *strings.Builder) {
	last := math.Inf(1)
	for _, t := range s.thresholds {
		y := s.y(t.value.Float())
		fmt.Fprintf(b, `<line class="threshold %s" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, t.level, left, canvasWidth-right, y, y)
		// Names that would lie over one another move up.
		at := min(y+4, last-13)
		last = at
		fmt.Fprintf(b, `<text class="name %s" x="%g" y="%.1f">%s %s</text>`, t.level, canvasWidth-right+6, at, s.page.in().exact(t.value), Sign(t.level))
	}
}

// drawLine joins the points, broken where nothing was measured for long. Where
// many fall on one column, their lowest and highest stand for them.
func (s *series) drawLine(b *strings.Builder) {
	column := func(p point) int { return int(s.page.x(p.At)) }
	var path strings.Builder
	var alone []point
	for _, run := range chart.Runs(s.points) {
		if len(run) == 1 {
			alone = append(alone, run[0])
		}
		if len(run) >= 2*int(canvasWidth) {
			run = chart.Thin(run, column)
		}
		command := "M"
		for _, p := range run {
			path.WriteString(command + chart.Pixel(s.page.x(p.At)) + " " + chart.Pixel(s.y(p.Value.Float())))
			command = "L"
		}
	}
	fmt.Fprintf(b, `<path class="series" d="%s"/>`, path.String())
	dots := alone
	if len(s.points) <= 150 {
		dots = s.points
	}
	for _, p := range dots {
		fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="2.4"/>`, s.page.x(p.At), s.y(p.Value.Float()))
	}
}

// drawAlerts puts a sign above the line for each alert.
func (s *series) drawAlerts(b *strings.Builder) {
	titles := s.page.titles()
	for _, a := range s.drawn {
		x, y := s.page.x(a.Time), s.y(s.valueAt(a.Time))
		fmt.Fprintf(b, `<g class="alert %s"><title>%s — %s, %s</title>`, a.Level,
			template.HTMLEscapeString(s.page.moment(a.Time)), template.HTMLEscapeString(titles[a.Rule]), s.page.in().say(Word(a.Level)))
		b.WriteString(sign(a.Level, x, y))
		b.WriteString("</g>")
	}
}

// valueAt is the latest value up to t.
func (s *series) valueAt(t time.Time) float64 {
	i, _ := slices.BinarySearchFunc(s.points, t, func(p point, t time.Time) int {
		if p.At.After(t) {
			return 1
		}
		return -1
	})
	return s.points[max(0, i-1)].Value.Float()
}

// sign is the shape of a level around a place.
func sign(level protocols.Level, x, y float64) string {
	switch level {
	case protocols.Red:
		return fmt.Sprintf(`<path d="M%.1f %.1fl7 12h-14z"/>`, x, y-7)
	case protocols.Orange:
		return fmt.Sprintf(`<path d="M%.1f %.1fl6.5 6.5l-6.5 6.5l-6.5 -6.5z"/>`, x, y-6.5)
	case protocols.Yellow:
		return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="5.5"/>`, x, y)
	default:
		return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="10" height="10"/>`, x-5, y-5)
	}
}

func (s *series) byDay() []dayRow {
	var rows []dayRow
	for begin := 0; begin < len(s.points); {
		day := s.page.day(s.points[begin].At)
		low, high, sum, end := math.Inf(1), math.Inf(-1), 0.0, begin
		for ; end < len(s.points) && s.page.day(s.points[end].At) == day; end++ {
			v := s.points[end].Value.Float()
			low, high, sum = min(low, v), max(high, v), sum+v
		}
		in, d := s.page.in(), s.component.Decimals
		rows = append(rows, dayRow{day, end - begin, in.number(low, d), in.number(sum/float64(end-begin), d), in.number(high, d)})
		begin = end
	}
	return rows
}
