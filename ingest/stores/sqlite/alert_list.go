package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/alerts"
	"vigie/alerts/listing"
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

// listQuery writes the query for a filter.
func listQuery(f alerts.Filter) (string, []any, error) {
	q, err := listing.Of(f, nanosOrZero)
	if err != nil {
		return "", nil, err
	}
	query := `SELECT ` + alertRow + ` FROM alerts INDEXED BY ` + indexFor(f)
	if q.Where != "" {
		query += ` WHERE ` + q.Where
	}
	return query + ` ORDER BY ` + q.Order + ` LIMIT ?`, append(q.Args, f.PageSize()), nil
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
