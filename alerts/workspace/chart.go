package workspace

import (
	"slices"
	"strconv"
	"time"

	"vigie/protocols"
)

// chart is the series behind an alert with its threshold, in the units of the
// drawing: a picture beside the table, which holds the same.
type chart struct {
	Label         string
	Width, Height int
	Left          int    // where the drawing begins, beside the scale
	Top, Bottom   int    // of the scale
	Line          string // points of a polyline
	Dots          []dot
	Bound         *bound
	High, Low     string // of the scale
	First, Last   *stamp
}

type dot struct {
	X, Y string
	Text string
}

type bound struct {
	Y    string
	Text string
}

const (
	chartWidth  = 640
	chartHeight = 140
	chartMargin = 14
	chartLeft   = 64
)

// raw are the statistics that a threshold can be drawn across the readings for.
var raw = []protocols.Statistic{protocols.Last, protocols.Mean, protocols.Median, protocols.Min, protocols.Max}

type point struct {
	at    time.Time
	value protocols.Value
}

// draw draws the component of the first comparison that at least two readings
// stand behind; nil when there is none.
func (v view) draw(e *protocols.Explanation, team string) *chart {
	for _, compared := range e.Comparisons {
		if c := v.drawOne(e, compared, team); c != nil {
			return c
		}
	}
	return nil
}

func (v view) drawOne(e *protocols.Explanation, compared protocols.Compared, team string) *chart {
	component := componentOf(compared.Measure, compared.Component)
	points := series(e.Readings, compared)
	if component == nil || len(points) < 2 || points[0].at.Equal(points[len(points)-1].at) {
		return nil
	}
	low, high := points[0].value, points[0].value
	for _, p := range points {
		low, high = min(low, p.value), max(high, p.value)
	}
	across := slices.Contains(raw, compared.Statistic) && compared.Threshold != protocols.Missing && compared.Unit == component.Unit &&
		compared.Value >= low && compared.Value <= high // else it is a difference, on another scale
	if across {
		low, high = min(low, compared.Threshold), max(high, compared.Threshold)
	}
	first, last := points[0].at, points[len(points)-1].at
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
	c := &chart{
		Label: v.T("chart") + " : " + v.component(compared.Measure, compared.Component), Width: chartWidth, Height: chartHeight,
		Left: chartLeft, Top: chartMargin, Bottom: chartHeight - chartMargin,
		High: say(high), Low: say(low), First: v.Stamp(first, team), Last: v.Stamp(last, team),
	}
	for _, p := range points {
		c.Line += x(p.at) + "," + y(p.value) + " "
		c.Dots = append(c.Dots, dot{x(p.at), y(p.value), say(p.value) + ", " + v.Stamp(p.at, team).Exact})
	}
	if across {
		c.Bound = &bound{y(compared.Threshold), v.T("chart.limit") + " " + say(compared.Threshold)}
	}
	return c
}

// series picks one component out of the readings, oldest first.
func series(readings []protocols.Cited, c protocols.Compared) []point {
	var points []point
	for _, r := range readings {
		if value, ok := r.Values[c.Component]; ok && r.Measure == c.Measure && value != protocols.Missing {
			points = append(points, point{r.Time, value})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.at.Compare(b.at) })
	return points
}

func pixel(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
