package replay

import (
	"cmp"
	"slices"
	"time"

	"vigie/protocols"
)

// Watched is one patient of an outcome, while followed.
type Watched struct {
	Patient string
	Span    Span
	Pauses  []protocols.Pause
}

// Rows joins episodes as the list of a care team does: the same rule that rings again for
// the same patient, before somebody has dealt with its row, is in that row. dealt says when
// somebody has, for a row that opens with this alert; episodes stay as they are where it
// is nil. A row has the time of its first ring and the gravest level that it reached.
func (o *Outcome) Rows(dealt func(*Alert) time.Time) []Alert {
	if dealt == nil {
		return o.Alerts
	}
	ordered := slices.Clone(o.Alerts)
	slices.SortStableFunc(ordered, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.Rule, b.Rule), a.Time.Compare(b.Time))
	})
	var rows []Alert
	var until time.Time
	for i := range ordered {
		next := &ordered[i]
		if n := len(rows); n > 0 && rows[n-1].Patient == next.Patient && rows[n-1].Rule == next.Rule && next.Time.Before(until) {
			rows[n-1].join(next)
			continue
		}
		rows = append(rows, *next)
		until = dealt(next)
	}
	return rows
}

// join takes a later episode into a row.
func (a *Alert) join(next *Alert) {
	a.Occurrences += next.Occurrences
	a.Danger = a.Danger || next.Danger
	a.Ended, a.over = next.Ended, next.over
	if next.Level > a.Level {
		a.Level, a.Explanation = next.Level, next.Explanation
	}
}

// rings are the moments at which an alert asks for somebody, at least at a level.
func (a *Alert) rings(level protocols.Level) (moments []time.Time) {
	first := a.first
	if len(a.Rises) == 0 {
		first = a.Level
	}
	if first >= level {
		moments = append(moments, a.Time)
	}
	for _, rise := range a.Rises {
		if rise.Level >= level {
			moments = append(moments, rise.Time)
		}
	}
	return moments
}
