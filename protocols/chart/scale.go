package chart

import (
	"math"
	"slices"
)

// Step is the smallest of 1, 2, 5 × 10ⁿ that is at least about: what lies between two
// ticks of a scale.
func Step(about float64) float64 {
	if about <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(about)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= about {
			return m * power
		}
	}
	return 10 * power
}

// Scale widens bounds to a whole number of steps, and returns the step.
func Scale(low, high float64) (from, to, step float64) {
	step = Step((high - low) / 5)
	from, to = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if to <= from {
		to = from + step
	}
	return from, to, step
}

// Thin keeps, of the points that share a column, the first, the lowest, the highest and
// the last, oldest first. column places a point.
func Thin(points []Point, column func(Point) int) []Point {
	var kept []Point
	for begin := 0; begin < len(points); {
		end, low, high := begin, begin, begin
		for ; end < len(points) && column(points[end]) == column(points[begin]); end++ {
			if points[end].Value < points[low].Value {
				low = end
			}
			if points[end].Value > points[high].Value {
				high = end
			}
		}
		for _, i := range slices.Compact([]int{begin, min(low, high), max(low, high), end - 1}) {
			kept = append(kept, points[i])
		}
		begin = end
	}
	return kept
}
