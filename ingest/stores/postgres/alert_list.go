package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
)

// Alerts is part of alerts.Store.
func (s *Store) Alerts(ctx context.Context, filter alerts.Filter) ([]alerts.Alert, error) {
	query, args, err := listQuery(filter)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, query, args...)
}

// Due is part of alerts.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]alerts.Alert, error) {
	return s.list(ctx, `SELECT `+alertRow+` FROM alerts
		WHERE next_at <> 0 AND next_at <= $1 ORDER BY next_at LIMIT $2`, nanosOrZero(now), limit)
}

func (s *Store) list(ctx context.Context, query string, args ...any) ([]alerts.Alert, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	found, err := s.met.collect(rows)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	list := make([]alerts.Alert, len(found))
	for i := range found {
		list[i] = found[i].Alert
	}
	return list, nil
}

// listQuery writes the query for a filter. The order is that of the indexes on
// (urgency, raised_at, id); a row value compares with the cursor in one go, so
// that a page begins with a search in the index.
func listQuery(f alerts.Filter) (string, []any, error) {
	var where []string
	var args []any
	narrow := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if len(f.States) > 0 {
		if !slices.Contains(f.States, alerts.Resolved) {
			narrow(`state <> 'resolved'`)
		}
		narrow(`state = ANY (?)`, f.States)
	}
	if len(f.Levels) > 0 {
		urgencies := make([]int16, len(f.Levels))
		for i, level := range f.Levels {
			urgencies[i] = int16(urgency(level))
		}
		narrow(`urgency = ANY (?)`, urgencies)
	}
	team := f.Team
	if f.ShowsUnassigned() {
		narrow(`team IN (?, '')`, plain(f.Team))
		team = ""
	}
	for _, equal := range []struct{ column, value string }{
		{"team", team}, {"patient", f.Patient}, {"protocol", f.Protocol}, {"rule", f.Rule},
	} {
		if equal.value != "" {
			narrow(equal.column+` = ?`, plain(equal.value))
		}
	}
	if f.Within != nil {
		narrow(`(team = '' OR team = ANY (?))`, plainAll(f.Within))
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
			narrow(`(raised_at, id) < (?, ?)`, nanosOrZero(cursor.RaisedAt), plain(cursor.ID))
		} else {
			narrow(`(urgency, raised_at, id) > (?, ?, ?)`, urgency(cursor.Level), nanosOrZero(cursor.RaisedAt), plain(cursor.ID))
		}
	}
	query := `SELECT ` + alertRow + ` FROM alerts`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	order := `urgency, raised_at, id`
	if f.Newest {
		order = `raised_at DESC, id DESC`
	}
	args = append(args, f.PageSize())
	return fmt.Sprintf(`%s ORDER BY %s LIMIT $%d`, query, order, len(args)), args, nil
}
