// Package chart places series of readings on a scale, for pages that draw them as SVG.
// It knows nothing of HTTP, of languages or of patients.
package chart

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// Point is one value at its time of measurement, as the instrument showed it.
type Point struct {
	At    time.Time
	Value protocols.Value
	Limit protocols.Limit // the value lies below or above
}

// ByValue orders points by value: "< 40" comes before 40, and "> 400" after 400.
func ByValue(a, b Point) int {
	return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(side[a.Limit], side[b.Limit]))
}

var side = [...]int{protocols.Measured: 0, protocols.LessThan: -1, protocols.MoreThan: 1}

// Spark is a small line without scale, in the units of its drawing: the course, its
// thresholds, its last value.
type Spark struct {
	Width, Height int
	Lines         []string // points of polylines: a silence breaks the line
	Bounds        []string // y of each threshold
	X, Y          string   // of the last value
}

const (
	sparkWidth, sparkHeight, sparkMargin = 150, 34, 4
	// sparkFlat is the share of a value below which a change is noise: a course that
	// moves less is drawn flat, and does not fill the height.
	sparkFlat = 50
)

// SparkOf draws points, oldest first, from a time to a time; nil for fewer than two.
func SparkOf(points []Point, bounds []protocols.Value, from, to time.Time) *Spark {
	if len(points) < 2 || !to.After(from) {
		return nil
	}
	low, high := Extent(points, bounds)
	y := func(v protocols.Value) string {
		return Pixel(sparkHeight - sparkMargin - float64(v-low)/float64(high-low)*(sparkHeight-2*sparkMargin))
	}
	x := func(t time.Time) string {
		return Pixel(sparkMargin + float64(t.Sub(from))/float64(to.Sub(from))*(sparkWidth-2*sparkMargin))
	}
	s := &Spark{Width: sparkWidth, Height: sparkHeight}
	for _, run := range Runs(points) {
		var line strings.Builder
		for _, p := range run {
			line.WriteString(x(p.At) + "," + y(p.Value) + " ")
		}
		s.Lines = append(s.Lines, line.String())
	}
	for _, bound := range bounds {
		s.Bounds = append(s.Bounds, y(bound))
	}
	last := points[len(points)-1]
	s.X, s.Y = x(last.At), y(last.Value)
	return s
}

// Extent is the scale of a drawing: from the least to the greatest value, thresholds
// included, and wide enough that noise does not fill it.
func Extent(points []Point, bounds []protocols.Value) (low, high protocols.Value) {
	low, high = points[0].Value, points[0].Value
	for _, p := range points {
		low, high = min(low, p.Value), max(high, p.Value)
	}
	for _, b := range bounds {
		low, high = min(low, b), max(high, b)
	}
	middle := (low + high) / 2
	if least := max(abs(middle)/sparkFlat, 1); high-low < least {
		low, high = middle-least/2, middle-least/2+least
	}
	return low, high
}

func abs(v protocols.Value) protocols.Value {
	if v < 0 {
		return -v
	}
	return v
}

// Runs cuts a course where it falls silent: for longer than six times the usual step,
// which is the median one.
func Runs(points []Point) [][]Point {
	if len(points) < 3 {
		return [][]Point{points}
	}
	longest := 6 * max(usualStep(points), time.Minute)
	var runs [][]Point
	begin := 0
	for i := range points[1:] {
		if points[i+1].At.Sub(points[i].At) > longest {
			runs = append(runs, points[begin:i+1])
			begin = i + 1
		}
	}
	return append(runs, points[begin:])
}

// usualStep is the median time between two points; zero for fewer than two.
func usualStep(points []Point) time.Duration {
	if len(points) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(points)-1)
	for i := range steps {
		steps[i] = points[i+1].At.Sub(points[i].At)
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// Pixel writes a place in a drawing.
func Pixel(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
