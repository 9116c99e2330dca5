package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/listing"
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

// listQuery writes the query for a filter.
func listQuery(f alerts.Filter) (string, []any, error) {
	q, err := listing.Of(f, nanosOrZero)
	if err != nil {
		return "", nil, err
	}
	query := `SELECT ` + alertRow + ` FROM alerts`
	if q.Where != "" {
		query += ` WHERE ` + q.Where
	}
	args := append(q.Args, f.PageSize())
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = plain(text)
		}
	}
	return numbered(query + ` ORDER BY ` + q.Order + ` LIMIT ?`), args, nil
}

// numbered writes $1, $2, … in place of question marks.
func numbered(query string) string {
	var out strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		fmt.Fprintf(&out, "$%d", n)
		query = after
	}
}
