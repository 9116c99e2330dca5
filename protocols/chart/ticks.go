package chart

import "time"

// Tick is a moment that a drawing names below its scale of time.
type Tick struct {
	At    time.Time
	Hours bool // the time of day is said; else the day
}

// tickSteps are the distances of ticks: hours, then days.
var tickSteps = []struct{ hours, days int }{{1, 0}, {3, 0}, {6, 0}, {12, 0}, {0, 1}, {0, 2}, {0, 7}, {0, 14}, {0, 30}, {0, 60}, {0, 120}}

// mostTicks is how many fit below a drawing.
const mostTicks = 7

// Ticks names moments between two, on whole hours or at midnights of a zone.
func Ticks(from, to time.Time, zone *time.Location) []Tick {
	year, month, day := from.In(zone).Date()
	for _, step := range tickSteps {
		length := time.Duration(step.hours)*time.Hour + time.Duration(step.days)*24*time.Hour
		if to.Sub(from) > mostTicks*length {
			continue
		}
		var ticks []Tick
		for n := 0; ; n++ {
			at := time.Date(year, month, day+n*step.days, n*step.hours, 0, 0, 0, zone)
			if !at.Before(to) {
				return ticks
			}
			if at.After(from) {
				ticks = append(ticks, Tick{at, step.hours > 0})
			}
		}
	}
	return nil
}
