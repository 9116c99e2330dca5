package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

// row is an alert with its number in the table.
type row struct {
	number int64
	alert  alerts.Alert
}

const columns = `number, id, enrolment, device, rule, patient, team, protocol, version,
	title_fr, title_en, summary_fr, summary_en, episode, episode_at, urgency, state, active, occurrences,
	at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note`

// scan reads the columns in their order.
func scan(stmt *sqlite.Stmt) *row {
	column := -1
	next := func() int { column++; return column }
	text := func() string { return stmt.ColumnText(next()) }
	number := func() int64 { return stmt.ColumnInt64(next()) }

	r := &row{number: number()}
	a := &r.alert
	a.ID, a.Enrolment, a.Device, a.Rule, a.Patient, a.Team = text(), text(), text(), text(), text(), text()
	a.Protocol, a.Version = text(), text()
	a.Title = protocols.Text{FR: text(), EN: text()}
	a.Summary = protocols.Text{FR: text(), EN: text()}
	a.Episode, a.EpisodeAt = text(), fromNanos(number())
	a.Level, a.State, a.Active, a.Occurrences = levelOf(int(number())), alerts.State(text()), number() != 0, int(number())
	a.At, a.LastAt, a.RaisedAt, a.EndedAt = fromNanos(number()), fromNanos(number()), fromNanos(number()), fromNanos(number())
	a.TooLate, a.AnswerBy, a.EscalatedAt = number() != 0, fromNanos(number()), fromNanos(number())
	a.AcknowledgedBy, a.AcknowledgedAt = text(), fromNanos(number())
	a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = text(), fromNanos(number()), text(), text()
	return r
}

// values are the columns behind the number, in their order.
func values(a *alerts.Alert) []any {
	return []any{
		a.ID, a.Enrolment, a.Device, a.Rule, a.Patient, a.Team, a.Protocol, a.Version,
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanos(a.EpisodeAt), urgency(a.Level), string(a.State), a.Active, a.Occurrences,
		nanos(a.At), nanos(a.LastAt), nanos(a.RaisedAt), nanos(a.EndedAt), a.TooLate, nanos(a.AnswerBy), nanos(a.EscalatedAt),
		a.AcknowledgedBy, nanos(a.AcknowledgedAt), a.ResolvedBy, nanos(a.ResolvedAt), a.Outcome, a.Note,
	}
}

// one reads the first row that a query gives, nil when it gives none.
func one(conn *sqlite.Conn, query string, args ...any) (*row, error) {
	var found *row
	err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
		if found == nil {
			found = scan(stmt)
		}
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	return found, nil
}

func byID(conn *sqlite.Conn, id string) (*row, error) {
	return one(conn, `SELECT `+columns+` FROM alerts WHERE id = ?`, id)
}

// insert writes a new alert and fills in its number.
func insert(conn *sqlite.Conn, r *row) error {
	err := sqlitex.Execute(conn, `INSERT INTO alerts (`+columns+`) VALUES (NULL,
		?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?, ?,?,?,?,?,?)`, &sqlitex.ExecOptions{Args: values(&r.alert)})
	if err != nil {
		return fmt.Errorf("write a new alert: %w", err)
	}
	r.number = conn.LastInsertRowID()
	return saveExplanation(conn, r)
}

// update writes what may change in an alert. Apart from the rest, and only when it
// is another, comes what worklists are sorted and counted by: SQLite writes every
// index anew in which a column was set, whatever to.
func update(conn *sqlite.Conn, r *row) error {
	a := &r.alert
	err := sqlitex.Execute(conn, `UPDATE alerts SET
		title_fr = ?, title_en = ?, summary_fr = ?, summary_en = ?, episode = ?, episode_at = ?,
		active = ?, occurrences = ?, at = ?, last_at = ?, ended_at = ?, too_late = ?,
		acknowledged_by = ?, acknowledged_at = ?, resolved_by = ?, resolved_at = ?, outcome = ?, note = ?
		WHERE number = ?`, &sqlitex.ExecOptions{Args: []any{
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanos(a.EpisodeAt),
		a.Active, a.Occurrences, nanos(a.At), nanos(a.LastAt), nanos(a.EndedAt), a.TooLate,
		a.AcknowledgedBy, nanos(a.AcknowledgedAt), a.ResolvedBy, nanos(a.ResolvedAt), a.Outcome, a.Note, r.number,
	}})
	if err != nil {
		return fmt.Errorf("change an alert: %w", err)
	}
	err = sqlitex.Execute(conn, `UPDATE alerts SET urgency = ?1, state = ?2, answer_by = ?3, escalated_at = ?4, team = ?5
		WHERE number = ?6 AND (urgency <> ?1 OR state <> ?2 OR answer_by <> ?3 OR escalated_at <> ?4 OR team <> ?5)`, &sqlitex.ExecOptions{Args: []any{
		urgency(a.Level), string(a.State), nanos(a.AnswerBy), nanos(a.EscalatedAt), a.Team, r.number,
	}})
	if err != nil {
		return fmt.Errorf("change where an alert stands: %w", err)
	}
	return saveExplanation(conn, r)
}

func saveExplanation(conn *sqlite.Conn, r *row) error {
	if r.alert.Explanation == nil {
		return nil
	}
	return explain(conn, r.number, r.alert.Explanation)
}
