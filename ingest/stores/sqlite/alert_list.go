package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/alerts"
	"vigie/protocols"
)

// Alerts is part of alerts.Store.
func (s *Store) Alerts(ctx context.Context, filter alerts.Filter) ([]alerts.Alert, error) {
	query, args, err := listQuery(filter)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, filter.Covers, query, args)
}

// Due is part of alerts.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]alerts.Alert, error) {
	anybody := func(*alerts.Alert) bool { return true }
	return s.list(ctx, anybody, `SELECT `+alertRow+` FROM alerts
		WHERE next_at <> 0 AND next_at <= ? ORDER BY next_at LIMIT ?`, []any{nanosOrZero(now), limit})
}

func (s *Store) list(ctx context.Context, asked func(*alerts.Alert) bool, query string, args []any) ([]alerts.Alert, error) {
	list := []alerts.Alert{}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		found, err := s.met.readAlerts(conn, asked, query, args)
		for _, entry := range found {
			list = append(list, entry.Alert)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return list, nil
}

// listQuery writes the query for a filter. The order is that of the indexes
// whose names begin with alerts_; a row value compares with the cursor in one
// go, so that a page begins with a search in the index.
func listQuery(f alerts.Filter) (string, []any, error) {
	var where []string
	var args []any
	narrow := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if len(f.States) > 0 {
		if !slices.Contains(f.States, alerts.Resolved) {
			narrow(`state <> 'resolved'`)
		}
		narrow(`state IN (`+marks(len(f.States))+`)`, each(f.States, func(s alerts.State) any { return string(s) })...)
	}
	if len(f.Levels) > 0 {
		narrow(`urgency IN (`+marks(len(f.Levels))+`)`, each(f.Levels, func(l protocols.Level) any { return urgency(l) })...)
	}
	team := f.Team
	if f.ShowsUnassigned() {
		narrow(`team IN (?, '')`, f.Team)
		team = ""
	}
	for _, equal := range []struct{ column, value string }{
		{"team", team}, {"patient", f.Patient}, {"protocol", f.Protocol}, {"rule", f.Rule},
	} {
		if equal.value != "" {
			narrow(equal.column+` = ?`, equal.value)
		}
	}
	if f.Within != nil {
		narrow(`team IN (`+marks(len(f.Within)+1)+`)`, each(append([]string{""}, f.Within...), func(t string) any { return t })...)
	}
	if !f.From.IsZero() {
		narrow(`raised_at >= ?`, nanosOrZero(f.From))
	}
	if !f.To.IsZero() {
		narrow(`raised_at < ?`, nanosOrZero(f.To))
	}
	if !f.StruckSince.IsZero() {
		narrow(`outcome = 'struck-out' AND resolved_at >= ?`, nanosOrZero(f.StruckSince))
	}
	if f.After != "" {
		cursor, err := alerts.ParseCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		if f.Newest {
			narrow(`(raised_at, id) < (?, ?)`, nanosOrZero(cursor.RaisedAt), cursor.ID)
		} else {
			narrow(`(urgency, raised_at, id) > (?, ?, ?)`, urgency(cursor.Level), nanosOrZero(cursor.RaisedAt), cursor.ID)
		}
	}
	query := `SELECT ` + alertRow + ` FROM alerts INDEXED BY ` + indexFor(f)
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	order := `urgency, raised_at, id`
	if f.Newest {
		order = `raised_at DESC, id DESC`
	}
	return query + ` ORDER BY ` + order + ` LIMIT ?`, append(args, f.PageSize()), nil
}

// indexFor names the index to read a list from. The planner would guess by
// statistics that nobody keeps up to date.
func indexFor(f alerts.Filter) string {
	switch {
	case !f.StruckSince.IsZero():
		return `alerts_struck_out`
	case f.Patient != "":
		return `alerts_of_patient`
	case len(f.States) > 0 && !slices.Contains(f.States, alerts.Resolved):
		return `alerts_unresolved`
	case f.Newest:
		return `alerts_newest`
	case f.Team != "":
		return `alerts_of_team`
	}
	return `alerts_worklist`
}

// marks is n question marks.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func each[T any](list []T, as func(T) any) []any {
	values := make([]any, len(list))
	for i, item := range list {
		values[i] = as(item)
	}
	return values
}
