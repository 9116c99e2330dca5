package workspace

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

// drawing is the series around an alert with its thresholds, in the units of the
// drawing: a picture beside the table. The readings cited stand out as dots.
type drawing struct {
	ID            string
	Label         string
	Width, Height int
	Left          int      // where the drawing begins, beside the scale
	Top, Bottom   int      // of the scale
	Tall          int      // from one to the other
	Lines         []string // points of polylines: a silence breaks the line
	Bands         []string // polygons from the lowest to the highest value
	Gaps          []gap    // silences, the one up to now included
	Pauses        []gap
	Marks         []chartMark // alerts
	Binned        bool        // lines are middle values of stretches
	Table         []tableRow
	Rang          string // x of when it rang; empty when that is not drawn
	X, Y          string // of the last value
	Title, Now    string // what is drawn, and its last value
	Dots          []dot
	Struck        []dot // what was struck out
	Written       []dot // notes, settings and treatments that people changed
	Acts          bool  // rows of the table lead somewhere
	Bounds        []bound
	High, Low     string // of the scale
	First, Last   *stamp
	Ticks         []tick
	Wanted        *zone        // the values that are wanted
	Earlier       []string     // points of the lines of another period
	Beyond        []beyond     // what lies below or above what the instrument measures
	Values        []drawnValue // what is told when it is pointed at, from left to right
	Legend        []string     // what else is drawn
}

// drawn is a drawing in the language of its page.
type drawn struct {
	view
	*drawing
}

// Draw is a drawing for its template.
func (v view) Draw(d *drawing) drawn { return drawn{v, d} }

// Title is that of the drawing, not of the page.
func (d drawn) Title() string { return d.drawing.Title }

// Rows says how long the table beside is.
func (d drawn) Rows() string { return d.counted("chart.table", len(d.Table)) }

type dot struct {
	X, Y string
	Text string
}

// gap is a stretch without a value.
type gap struct{ X, Width, Text string }

// chartMark is an alert in a drawing.
type chartMark struct {
	X     string
	Level protocols.Level
	Text  string
}

type bound struct {
	Y        string
	Text     string
	Level    protocols.Level
	Beside   int    // how far below the line its text stands; negative for above
	From, To string // x of its ends
	X        string // of its text
	Ends     bool   // the text ends there
	Close    bool   // the text stands close to another: on a telephone there is no room for both
}

type point = chart.Point

// past gives the readings of a measure before a moment, oldest first.
type past func(m *protocols.Measure, from, to time.Time) []*protocols.Reading

// A chart goes so far back before what was compared, and holds about so many
// readings at least, where there are.
const (
	chartPast   = 14 * 24 * time.Hour
	chartPoints = 300
)

// draw draws each component that was compared, once, up to now. Where two comparisons
// look at one component, the drawing with a threshold is shown.
func (v view) draw(e *protocols.Explanation, team string, before past) (drawings []*drawing) {
	place := map[string]int{}
	for _, compared := range e.Comparisons {
		d := v.drawOne(e, compared, team, before)
		if d == nil {
			continue
		}
		key := compared.Measure + "/" + compared.Component
		at, known := place[key]
		switch {
		case !known:
			place[key] = len(drawings)
			drawings = append(drawings, d)
		case len(drawings[at].Bounds) == 0:
			drawings[at] = d
		}
	}
	return drawings
}

func (v view) drawOne(e *protocols.Explanation, compared protocols.Compared, team string, before past) *drawing {
	component := componentOf(compared.Measure, compared.Component)
	if component == nil {
		return nil
	}
	cited := series(e.Readings, compared)
	points := around(cited, compared, v.now, before)
	if len(points) < 2 || points[0].At.Equal(points[len(points)-1].At) {
		return nil
	}
	limits := limitsOf(compared, component, cited)
	low, high := chart.Extent(points, limits)
	newest := points[len(points)-1]
	first, last := points[0].At, newest.At
	if v.now.After(last) {
		last = v.now
	}
	f := frame{first, last, low, high}
	say := func(value protocols.Value) string {
		return quantity(v.Language, value, component.Decimals, component.Unit)
	}
	c := f.drawing()
	c.Label = v.T("chart") + " : " + v.component(compared.Measure, compared.Component) + ", " + say(low) + " – " + say(high)
	c.High, c.Low, c.First, c.Last = say(high), say(low), v.Stamp(first, team), v.Stamp(last, team)
	c.Ticks = v.ticks(f, team)
	v.along(c, f, points, component, team)
	c.Title, c.Now = v.component(compared.Measure, compared.Component), v.latest(points, component)+", "+ago(v.Language, newest.At, v.now)
	c.X, c.Y = f.x(newest.At), f.y(newest.Value)
	runs := chart.Runs(points)
	for i, run := range runs {
		var line strings.Builder
		for _, p := range run {
			line.WriteString(f.x(p.At) + "," + f.y(p.Value) + " ")
		}
		c.Lines = append(c.Lines, line.String())
		silent, until := run[len(run)-1].At, last
		if i+1 < len(runs) {
			until = runs[i+1][0].At
		} else if until.Sub(silent) < last.Sub(first)/20 {
			continue // the last value is fresh
		}
		c.Gaps = append(c.Gaps, gap{X: f.x(silent), Width: chart.Pixel(f.width(silent, until))})
	}
	if !e.At.Before(first) && !e.At.After(last) {
		c.Rang = f.x(e.At)
	}
	for _, p := range cited {
		c.Dots = append(c.Dots, dot{f.x(p.At), f.y(p.Value), say(p.Value) + ", " + v.Stamp(p.At, team).Exact})
	}
	for _, limit := range limits {
		b := bound{Y: f.y(limit), Text: v.T("chart.limit") + " " + say(limit), Level: protocols.Red, Beside: -4, From: f.x(first), To: f.x(last), X: f.x(first)}
		if limit == high {
			b.Beside = 14 // there is no room above
		}
		c.Bounds = append(c.Bounds, b)
	}
	return c
}

// limitsOf are the thresholds that lie on the scale of the readings: the one that
// the statistic is compared with, or those that say which readings are counted. How far a
// value may be from another one is none.
func limitsOf(c protocols.Compared, component *protocols.Component, cited []point) []protocols.Value {
	if c.Minus != "" || c.Per != "" || c.Moved != nil {
		return nil
	}
	var limits []protocols.Value
	for _, b := range c.Where {
		limits = append(limits, b.Value)
	}
	least, most := extent(cited)
	row := c.Statistic.Row()
	if row != nil && row.Gives == protocols.GivesLevel && c.Threshold != protocols.Missing && c.Unit == component.Unit &&
		c.Value >= least && c.Value <= most { // else it is a difference, on another scale
		limits = append(limits, c.Threshold)
	}
	return limits
}

// around adds what was measured before and since to the readings cited.
func around(cited []point, c protocols.Compared, now time.Time, before past) []point {
	m := protocols.MeasureByID(c.Measure)
	place := m.Component(c.Component)
	points := slices.Clone(cited)
	for _, r := range before(m, earlier(c.From, c.To.Add(-chartPast)), later(c.To, now).Add(1)) {
		if place < len(r.Values) && r.Values[place] != protocols.Missing && !r.Struck {
			shown, limit := r.Shown(place)
			points = append(points, point{At: r.Time, Value: shown, Limit: limit})
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Limit, b.Limit))
	})
	points = slices.Compact(points)
	compared, _ := slices.BinarySearchFunc(points, c.From, func(p point, from time.Time) int { return p.At.Compare(from) })
	return points[max(0, min(compared, len(points)-chartPoints)):]
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// extent is the least and the greatest of some values.
func extent(points []point) (low, high protocols.Value) {
	for i, p := range points {
		if i == 0 {
			low, high = p.Value, p.Value
		}
		low, high = min(low, p.Value), max(high, p.Value)
	}
	return low, high
}

// series picks one component out of the readings, oldest first.
func series(readings []protocols.Cited, c protocols.Compared) []point {
	var points []point
	for _, r := range readings {
		if value, ok := r.Values[c.Component]; ok && r.Measure == c.Measure && value != protocols.Missing {
			points = append(points, point{At: r.Time, Value: value, Limit: r.Limits[c.Component]})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.At.Compare(b.At) })
	return points
}
