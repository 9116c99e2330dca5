package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/alerts/figures"
)

var _ figures.Store = (*Store)(nil)

// figureWhere is the condition for an interval of a column and the teams that alerts a
// belong to; its arguments are those of figureArgs.
func figureWhere(column string) string {
	return `($1::bigint = 0 OR ` + column + ` >= $1) AND ($2::bigint = 0 OR ` + column + ` < $2) AND ($3 = '' OR a.team = $3)
		AND (NOT $4 OR a.team = '' OR a.team = ANY ($5))`
}

func figureArgs(f alerts.Filter) []any {
	return []any{nanosOrZero(f.From), nanosOrZero(f.To), plain(f.Team), f.Within != nil, plainAll(f.Within)}
}

// Courses is part of figures.Store: a row for each event of an alert.
func (s *Store) Courses(ctx context.Context, f alerts.Filter, yield func(*figures.Course) error) error {
	kinds := make([]string, len(figures.CourseEvents))
	for i, kind := range figures.CourseEvents {
		kinds[i] = string(kind)
	}
	rows, err := s.pool.Query(ctx, `SELECT a.id, a.patient, a.team, a.protocol, a.version, a.rule, a.title_fr, a.title_en, a.urgency::bigint, a.state,
			a.raised_at, a.ended_at, a.resolved_at, a.answer_by, a.too_late, a.outcome, a.life, coalesce(e.kind, ''), coalesce(e.at, 0), coalesce(e.author, ''), coalesce(e.note, '')
		FROM alerts a LEFT JOIN alert_events e ON e.alert = a.id AND e.kind = ANY ($7)
		WHERE `+figureWhere("a.raised_at")+` AND ($6 = '' OR a.protocol = $6)
		ORDER BY a.raised_at, a.id, e.seq`, append(figureArgs(f), plain(f.Protocol), kinds)...)
	if err != nil {
		return fmt.Errorf("read the courses of alerts: %w", err)
	}
	var now *figures.Course
	var c figures.Course
	var e alerts.Event
	var level, raised, ended, closed, answer, at int64
	var outcome, life string
	_, err = pgx.ForEachRow(rows, []any{&c.ID, &c.Patient, &c.Team, &c.Protocol, &c.Version, &c.Rule, &c.Title.FR, &c.Title.EN, &level, &c.State,
		&raised, &ended, &closed, &answer, &c.TooLate, &outcome, &life, &e.Kind, &at, &e.Author, &e.Note}, func() error {
		if now == nil || now.ID != c.ID {
			if now != nil {
				if err := yield(now); err != nil {
					return err
				}
			}
			next := c
			next.Level, next.RaisedAt, next.EndedAt = levelOf(int(level)), timeOrZero(raised), timeOrZero(ended)
			next.Closed, next.AnswerBy = timeOrZero(closed), timeOrZero(answer)
			if outcome != "" {
				next.Outcomes = []string{outcome}
			}
			if strings.Contains(life, `"outcomes"`) {
				var kept alerts.Life
				if err := json.Unmarshal([]byte(life), &kept); err != nil {
					return fmt.Errorf("read the life of alert %s: %w", c.ID, err)
				}
				next.Outcomes = kept.Outcomes
			}
			now = &next
		}
		if e.Kind != "" {
			now.Events = append(now.Events, alerts.Event{Kind: e.Kind, At: timeOrZero(at), Author: e.Author, Note: e.Note})
		}
		return nil
	})
	if err == nil && now != nil {
		err = yield(now)
	}
	if err != nil {
		return fmt.Errorf("read the courses of alerts: %w", err)
	}
	return nil
}

// Messages is part of figures.Store.
func (s *Store) Messages(ctx context.Context, f alerts.Filter) ([]figures.Messages, error) {
	rows, err := s.pool.Query(ctx, `SELECT o.channel, count(*) FILTER (WHERE o.sent_at <> 0), count(*) FILTER (WHERE o.sent_at = 0 AND o.given_up = 0),
			count(*) FILTER (WHERE o.sent_at = 0 AND o.given_up <> 0)
		FROM outbox o JOIN alerts a ON a.id = o.alert WHERE `+figureWhere("o.created")+` GROUP BY o.channel ORDER BY o.channel COLLATE "C"`, figureArgs(f)...)
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m figures.Messages, err error) {
		return m, row.Scan(&m.Channel, &m.Sent, &m.Waiting, &m.GivenUp)
	})
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return list, nil
}
