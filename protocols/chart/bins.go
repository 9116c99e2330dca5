package chart

import (
	"slices"
	"time"
)

// Bin is what was measured in a stretch of time: how often, and the lowest, middle and
// highest reading, each with its limit.
type Bin struct {
	From, To          time.Time
	Count             int
	Low, Median, High Point
}

// Most is how many points are drawn one by one. More are drawn as bins.
const Most = 300

// steps are the lengths of bins, all of which divide a day.
var steps = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour}

// Bins sums points up, oldest first, so that a chart and the table beside it hold the
// same hundred or so rows however much was measured. Bins begin on the clock of a zone;
// empty ones are left out.
func Bins(points []Point, from, to time.Time, zone *time.Location) []Bin {
	step := 24 * time.Hour
	for _, s := range steps {
		if to.Sub(from) <= 100*s {
			step = s
			break
		}
	}
	var bins []Bin
	for begin := 0; begin < len(points); {
		start, end := stretch(points[begin].At, step, zone)
		next := begin
		for next < len(points) && points[next].At.Before(end) {
			next++
		}
		values := slices.Clone(points[begin:next])
		slices.SortFunc(values, ByValue)
		bins = append(bins, Bin{start, end, len(values), values[0], values[len(values)/2], values[len(values)-1]})
		begin = next
	}
	return bins
}

// stretch is the bin of a moment: from local midnight on, in equal steps. The days on
// which the clock changes are an hour longer or shorter, and so is one of their bins.
func stretch(at time.Time, step time.Duration, zone *time.Location) (start, end time.Time) {
	local := at.In(zone)
	year, month, day := local.Date()
	wall := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	nth := int(wall / step)
	place := func(n int) time.Time {
		minutes := int(time.Duration(n) * step / time.Minute)
		return time.Date(year, month, day, minutes/60, minutes%60, 0, 0, zone)
	}
	start, end = place(nth), place(nth+1)
	if start.After(at) { // an hour that the clock shows twice, or skips
		start = at
	}
	if !end.After(at) {
		end = at.Add(time.Minute)
	}
	return start, end
}
