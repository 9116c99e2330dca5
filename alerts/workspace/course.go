package workspace

import (
	"context"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// course adds to a row what was measured lately: a small line, and the value now.
func (w *Workspace) course(ctx context.Context, v view, row *deskRow, a *alerts.Alert) {
	main := v.drawn(decisive(a))
	if main == nil {
		return
	}
	component := componentOf(main.Measure, main.Component)
	from, points := w.lately(ctx, a.Patient, main.Measure, main.Component, v.now)
	if len(points) == 0 {
		return
	}
	last := points[len(points)-1]
	row.Age = ago(v.Language, last.At, v.now)
	if component.Event { // what happened has no value now
		row.Sent = v.T("happened") + " " + row.Age
		row.Label = v.component(main.Measure, main.Component)
		return
	}
	row.Now = v.latest(points, component)
	row.Spark = chart.SparkOf(points, limitsOf(*main, component, series(a.Explanation.Readings, *main)), from, v.now)
	row.Label = v.component(main.Measure, main.Component)
}

// trend is an arrow from the value before to the last, where it moved.
func trend(points []chart.Point) string {
	if len(points) < 2 {
		return ""
	}
	before, last := points[len(points)-2].Value, points[len(points)-1].Value
	switch {
	case last > before:
		return " ↑"
	case last < before:
		return " ↓"
	}
	return ""
}

// What a row shows of the past: a day of a sensor, or two weeks of what is measured
// now and then.
const (
	deskDay   = 24 * time.Hour
	deskWeeks = 14 * 24 * time.Hour
	deskMany  = 20
)

// lately reads the values of a component up to now, oldest first.
func (w *Workspace) lately(ctx context.Context, patient, measure, component string, now time.Time) (from time.Time, points []chart.Point) {
	for _, back := range []time.Duration{deskDay, deskWeeks} {
		from = now.Add(-back)
		points = w.points(ctx, patient, measure, component, from, now)
		if len(points) >= deskMany {
			return from, points
		}
	}
	return from, points
}

// points reads the values of a component in [from, to], oldest first. What cannot be
// read is left out: a row is shown without its line.
func (w *Workspace) points(ctx context.Context, patient, measure, component string, from, to time.Time) (points []chart.Point) {
	m := protocols.MeasureByID(measure)
	if m == nil || patient == "" {
		return nil
	}
	place := m.Component(component)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := w.records.readings(ctx, patient, m, from, to.Add(1), func(r *protocols.Reading) bool {
		if place >= 0 && place < len(r.Values) && r.Values[place] != protocols.Missing && !r.Struck {
			shown, limit := r.Shown(place)
			points = append(points, chart.Point{At: r.Time, Value: shown, Limit: limit})
		}
		return true
	})
	if err != nil {
		w.Log.Warn("a course is drawn without all of what was measured", "error", err)
	}
	return points
}

// decisive are the comparisons that made an alert ring.
func decisive(a *alerts.Alert) []protocols.Compared {
	if a.Explanation == nil {
		return nil
	}
	return told(a.Explanation)
}
