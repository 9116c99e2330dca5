package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/protocols"
)

var _ figures.Store = (*Store)(nil)

// Courses is part of figures.Store. A row for each event of an alert: the indexes give
// them in the order that is asked for.
func (s *Store) Courses(ctx context.Context, f alerts.Filter, yield func(*figures.Course) error) error {
	where, args := figureFilter(f, "a.raised_at")
	if f.Protocol != "" {
		where, args = where+` AND a.protocol = ?`, append(args, f.Protocol)
	}
	kinds := each(figures.CourseEvents, func(k alerts.EventKind) any { return string(k) })
	query := `SELECT a.id, a.patient, a.team, a.protocol, a.version, a.rule, a.title_fr, a.title_en, a.urgency, a.state,
			a.raised_at, a.ended_at, a.resolved_at, a.answer_by, a.too_late, a.outcome, a.life, e.kind, e.at, e.author, e.note
		FROM alerts AS a INDEXED BY alerts_newest LEFT JOIN alert_events AS e INDEXED BY alert_events_of_alert
			ON e.alert = a.id AND e.kind IN (` + marks(len(kinds)) + `)
		WHERE ` + where + ` ORDER BY a.raised_at, a.id, e.seq`
	var now *figures.Course
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: append(kinds, args...), ResultFunc: func(stmt *sqlite.Stmt) error {
			if now == nil || now.ID != stmt.ColumnText(0) {
				if now != nil {
					if err := yield(now); err != nil {
						return err
					}
				}
				var err error
				if now, err = courseOf(stmt); err != nil {
					return err
				}
			}
			if kind := stmt.ColumnText(17); kind != "" {
				now.Events = append(now.Events, alerts.Event{Kind: alerts.EventKind(kind), At: timeOrZero(stmt.ColumnInt64(18)), Author: stmt.ColumnText(19), Note: stmt.ColumnText(20)})
			}
			return nil
		}})
		if err != nil || now == nil {
			return err
		}
		return yield(now)
	})
	if err != nil {
		return fmt.Errorf("read the courses of alerts: %w", err)
	}
	return nil
}

func courseOf(stmt *sqlite.Stmt) (*figures.Course, error) {
	c := &figures.Course{
		ID: stmt.ColumnText(0), Patient: stmt.ColumnText(1), Team: stmt.ColumnText(2),
		Protocol: stmt.ColumnText(3), Version: stmt.ColumnText(4), Rule: stmt.ColumnText(5),
		Title: protocols.Text{FR: stmt.ColumnText(6), EN: stmt.ColumnText(7)},
		Level: levelOf(stmt.ColumnInt(8)), State: alerts.State(stmt.ColumnText(9)),
		RaisedAt: timeOrZero(stmt.ColumnInt64(10)), EndedAt: timeOrZero(stmt.ColumnInt64(11)),
		Closed: timeOrZero(stmt.ColumnInt64(12)), AnswerBy: timeOrZero(stmt.ColumnInt64(13)), TooLate: stmt.ColumnBool(14),
	}
	if outcome := stmt.ColumnText(15); outcome != "" {
		c.Outcomes = []string{outcome}
	}
	if life := stmt.ColumnText(16); strings.Contains(life, `"outcomes"`) {
		var kept alerts.Life
		if err := json.Unmarshal([]byte(life), &kept); err != nil {
			return nil, fmt.Errorf("read the life of alert %s: %w", c.ID, err)
		}
		c.Outcomes = kept.Outcomes
	}
	return c, nil
}

// figureFilter is the condition for an interval of a column and the teams that alerts a
// belong to.
func figureFilter(f alerts.Filter, column string) (string, []any) {
	where, args := `a.id IS NOT NULL`, []any{}
	if !f.From.IsZero() {
		where, args = where+` AND `+column+` >= ?`, append(args, nanosOrZero(f.From))
	}
	if !f.To.IsZero() {
		where, args = where+` AND `+column+` < ?`, append(args, nanosOrZero(f.To))
	}
	if f.Team != "" {
		where, args = where+` AND a.team = ?`, append(args, f.Team)
	}
	if f.Within != nil {
		where += ` AND a.team IN (` + marks(len(f.Within)+1) + `)`
		args = append(args, each(append([]string{""}, f.Within...), func(t string) any { return t })...)
	}
	return where, args
}

// Messages is part of figures.Store.
func (s *Store) Messages(ctx context.Context, f alerts.Filter) (list []figures.Messages, err error) {
	where, args := figureFilter(f, "o.created")
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT o.channel, sum(o.sent_at <> 0), sum(o.sent_at = 0 AND o.given_up = 0), sum(o.sent_at = 0 AND o.given_up <> 0)
			FROM outbox AS o JOIN alerts AS a ON a.id = o.alert WHERE `+where+` GROUP BY o.channel ORDER BY o.channel`,
			&sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
				list = append(list, figures.Messages{Channel: stmt.ColumnText(0), Sent: stmt.ColumnInt(1), Waiting: stmt.ColumnInt(2), GivenUp: stmt.ColumnInt(3)})
				return nil
			}})
	})
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return list, nil
}
