// Package listing writes the conditions of a list of alerts in SQL, once for every store.
//
// A store keeps its alerts in a table with the columns id, state, team, patient, protocol,
// rule, outcome, urgency (see Urgency), raised_at and resolved_at. How a store keeps a
// time, marks its arguments and chooses an index is its own.
package listing

import (
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// Query is a list of alerts in SQL. Each ? of Where is one of Args, in order: a string, an
// int, or what the store keeps for a time.
type Query struct {
	Where string // without the word; empty for all alerts
	Order string
	Args  []any
}

// Of writes the query for a filter. kept is how the store keeps a time. The order is that
// of the stores' indexes. A row value compares with the cursor in one go, so that a page
// begins with a search in the index. The error is alerts.ErrCursor.
func Of(f alerts.Filter, kept func(time.Time) int64) (Query, error) {
	var q conditions
	if len(f.States) > 0 {
		if !slices.Contains(f.States, alerts.Resolved) {
			q.narrow(`state <> 'resolved'`) // as the index says it
		}
		among(&q, "state", f.States, func(s alerts.State) any { return string(s) })
	}
	if len(f.Levels) > 0 {
		among(&q, "urgency", f.Levels, func(l protocols.Level) any { return Urgency(l) })
	}
	team := f.Team
	if f.ShowsUnassigned() {
		q.narrow(`team IN (?, '')`, f.Team)
		team = ""
	}
	for _, equal := range []struct{ column, value string }{
		{"team", team}, {"patient", f.Patient}, {"protocol", f.Protocol}, {"rule", f.Rule},
	} {
		if equal.value != "" {
			q.narrow(equal.column+` = ?`, equal.value)
		}
	}
	if f.Within != nil {
		among(&q, "team", append([]string{""}, f.Within...), func(t string) any { return t })
	}
	if !f.From.IsZero() {
		q.narrow(`raised_at >= ?`, kept(f.From))
	}
	if !f.To.IsZero() {
		q.narrow(`raised_at < ?`, kept(f.To))
	}
	if !f.StruckSince.IsZero() {
		q.narrow(`outcome = 'struck-out' AND resolved_at >= ?`, kept(f.StruckSince))
	}
	order := `urgency, raised_at, id`
	if f.Newest {
		order = `raised_at DESC, id DESC`
	}
	if f.After != "" {
		cursor, err := alerts.ParseCursor(f.After)
		if err != nil {
			return Query{}, err
		}
		if f.Newest {
			q.narrow(`(raised_at, id) < (?, ?)`, kept(cursor.RaisedAt), cursor.ID)
		} else {
			q.narrow(`(urgency, raised_at, id) > (?, ?, ?)`, Urgency(cursor.Level), kept(cursor.RaisedAt), cursor.ID)
		}
	}
	return Query{strings.Join(q.all, " AND "), order, q.args}, nil
}

// Urgency is the place of a level in a worklist, gravest first.
func Urgency(level protocols.Level) int { return int(protocols.Red) - int(level) }

// LevelOf is the level with that urgency.
func LevelOf(urgency int) protocols.Level { return protocols.Level(int(protocols.Red) - urgency) }

type conditions struct {
	all  []string
	args []any
}

func (q *conditions) narrow(condition string, values ...any) {
	q.all = append(q.all, condition)
	q.args = append(q.args, values...)
}

// among narrows a column to some values; there must be one.
func among[T any](q *conditions, column string, values []T, as func(T) any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = as(v)
	}
	q.narrow(column+` IN (`+strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")+`)`, args...)
}
