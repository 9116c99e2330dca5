package workspace

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts/workspace/chart"
	"vigie/protocols"
)

// drawing is the series around an alert with its thresholds, in the units of the
// drawing: a picture beside the table. The readings cited stand out as dots.
type drawing struct {
	Label         string
	Width, Height int
	Left          int    // where the drawing begins, beside the scale
	Top, Bottom   int    // of the scale
	Line          string // points of a polyline
	Dots          []dot
	Bounds        []bound
	High, Low     string // of the scale
	First, Last   *stamp
}

type dot struct {
	X, Y string
	Text string
}

type bound struct {
	Y      string
	Text   string
	Beside int // how far below the line its text stands; negative for above
}

const (
	chartWidth  = 640
	chartHeight = 180
	chartMargin = 14
	chartLeft   = 84
)

type point = chart.Point

// past gives the readings of a measure before a moment, oldest first.
type past func(m *protocols.Measure, from, to time.Time) []*protocols.Reading

// A chart goes so far back before what was compared, and holds about so many
// readings at least, where there are.
const (
	chartPast   = 14 * 24 * time.Hour
	chartPoints = 300
)

// draw draws the component of the first comparison whose threshold lies on the
// scale of the readings, else of the first that has at least two readings around it;
// nil when there is none.
func (v view) draw(e *protocols.Explanation, team string, before past) *drawing {
	var first *drawing
	for _, compared := range e.Comparisons {
		c := v.drawOne(e, compared, team, before)
		if c != nil && len(c.Bounds) > 0 {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

func (v view) drawOne(e *protocols.Explanation, compared protocols.Compared, team string, before past) *drawing {
	component := componentOf(compared.Measure, compared.Component)
	if component == nil {
		return nil
	}
	cited := series(e.Readings, compared)
	points := around(cited, compared, before)
	if len(points) < 2 || points[0].At.Equal(points[len(points)-1].At) {
		return nil
	}
	low, high := extent(points)
	limits := limitsOf(compared, component, cited)
	for _, limit := range limits {
		low, high = min(low, limit), max(high, limit)
	}
	first, last := points[0].At, points[len(points)-1].At
	x := func(t time.Time) string {
		return pixel(chartLeft + chartMargin + float64(t.Sub(first))/float64(last.Sub(first))*(chartWidth-chartLeft-2*chartMargin))
	}
	y := func(value protocols.Value) string {
		if high == low {
			return pixel(chartHeight / 2)
		}
		return pixel(chartHeight - chartMargin - float64(value-low)/float64(high-low)*(chartHeight-2*chartMargin))
	}
	say := func(value protocols.Value) string {
		return quantity(v.Language, value, component.Decimals, component.Unit)
	}
	c := &drawing{
		Label: v.T("chart") + " : " + v.component(compared.Measure, compared.Component) + ", " + say(low) + " – " + say(high), Width: chartWidth, Height: chartHeight,
		Left: chartLeft, Top: chartMargin, Bottom: chartHeight - chartMargin,
		High: say(high), Low: say(low), First: v.Stamp(first, team), Last: v.Stamp(last, team),
	}
	var line strings.Builder
	for _, p := range points {
		line.WriteString(x(p.At) + "," + y(p.Value) + " ")
	}
	c.Line = line.String()
	for _, p := range cited {
		c.Dots = append(c.Dots, dot{x(p.At), y(p.Value), say(p.Value) + ", " + v.Stamp(p.At, team).Exact})
	}
	for _, limit := range limits {
		b := bound{y(limit), v.T("chart.limit") + " " + say(limit), -4}
		if limit == high {
			b.Beside = 14 // there is no room above
		}
		c.Bounds = append(c.Bounds, b)
	}
	return c
}

// limitsOf are the thresholds that lie on the scale of the readings: the one that
// the statistic is compared with, or those that say which readings are counted.
func limitsOf(c protocols.Compared, component *protocols.Component, cited []point) []protocols.Value {
	if c.Minus != "" {
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

// around adds what was measured before to the readings cited.
func around(cited []point, c protocols.Compared, before past) []point {
	m := protocols.MeasureByID(c.Measure)
	place := m.Component(c.Component)
	points := slices.Clone(cited)
	for _, r := range before(m, earlier(c.From, c.To.Add(-chartPast)), c.To.Add(1)) {
		if place < len(r.Values) && r.Values[place] != protocols.Missing {
			points = append(points, point{At: r.Time, Value: r.Values[place]})
		}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Value, b.Value)) })
	points = slices.Compact(points)
	compared, _ := slices.BinarySearchFunc(points, c.From, func(p point, from time.Time) int { return p.At.Compare(from) })
	return points[max(0, min(compared, len(points)-chartPoints)):]
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
			points = append(points, point{At: r.Time, Value: value})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.At.Compare(b.At) })
	return points
}

func pixel(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
