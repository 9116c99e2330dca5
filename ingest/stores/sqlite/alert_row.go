package sqlite

import (
	"encoding/json"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

// alertRow is an alert with its number in the table.
type alertRow struct {
	number int64
	alert  alerts.Alert
}

const alertColumns = `number, id, enrolment, device, rule, patient, team, protocol, version,
	title_fr, title_en, summary_fr, summary_en, episode, episode_at, urgency, state, active, occurrences,
	at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note`

// scanAlert reads the columns in their order.
func scanAlert(stmt *sqlite.Stmt) *alertRow {
	column := -1
	next := func() int { column++; return column }
	text := func() string { return stmt.ColumnText(next()) }
	number := func() int64 { return stmt.ColumnInt64(next()) }

	r := &alertRow{number: number()}
	a := &r.alert
	a.ID, a.Enrolment, a.Device, a.Rule, a.Patient, a.Team = text(), text(), text(), text(), text(), text()
	a.Protocol, a.Version = text(), text()
	a.Title = protocols.Text{FR: text(), EN: text()}
	a.Summary = protocols.Text{FR: text(), EN: text()}
	a.Episode, a.EpisodeAt = text(), timeOrZero(number())
	a.Level, a.State, a.Active, a.Occurrences = levelOf(int(number())), alerts.State(text()), number() != 0, int(number())
	a.At, a.LastAt, a.RaisedAt, a.EndedAt = timeOrZero(number()), timeOrZero(number()), timeOrZero(number()), timeOrZero(number())
	a.TooLate, a.AnswerBy, a.EscalatedAt = number() != 0, timeOrZero(number()), timeOrZero(number())
	a.AcknowledgedBy, a.AcknowledgedAt = text(), timeOrZero(number())
	a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = text(), timeOrZero(number()), text(), text()
	return r
}

// alertValues are the columns behind the number, in their order.
func alertValues(a *alerts.Alert) []any {
	return []any{
		a.ID, a.Enrolment, a.Device, a.Rule, a.Patient, a.Team, a.Protocol, a.Version,
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt), urgency(a.Level), string(a.State), a.Active, a.Occurrences,
		nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.RaisedAt), nanosOrZero(a.EndedAt), a.TooLate, nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt),
		a.AcknowledgedBy, nanosOrZero(a.AcknowledgedAt), a.ResolvedBy, nanosOrZero(a.ResolvedAt), a.Outcome, a.Note,
	}
}

// oneAlert reads the first row that a query gives, nil when it gives none.
func oneAlert(conn *sqlite.Conn, query string, args ...any) (*alertRow, error) {
	var found *alertRow
	err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
		if found == nil {
			found = scanAlert(stmt)
		}
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	return found, nil
}

func alertByID(conn *sqlite.Conn, id string) (*alertRow, error) {
	return oneAlert(conn, `SELECT `+alertColumns+` FROM alerts WHERE id = ?`, id)
}

// insertAlert writes a new alert and fills in its number.
func insertAlert(conn *sqlite.Conn, r *alertRow) error {
	err := sqlitex.Execute(conn, `INSERT INTO alerts (`+alertColumns+`) VALUES (NULL,
		?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?, ?,?,?,?,?,?)`, &sqlitex.ExecOptions{Args: alertValues(&r.alert)})
	if err != nil {
		return fmt.Errorf("write a new alert: %w", err)
	}
	r.number = conn.LastInsertRowID()
	return saveExplanation(conn, r)
}

// updateAlert writes what may change in an alert. Apart from the rest, and only when it
// is another, comes what worklists are sorted and counted by: SQLite writes every
// index anew in which a column was set, whatever to.
func updateAlert(conn *sqlite.Conn, r *alertRow) error {
	a := &r.alert
	err := sqlitex.Execute(conn, `UPDATE alerts SET
		title_fr = ?, title_en = ?, summary_fr = ?, summary_en = ?, episode = ?, episode_at = ?,
		active = ?, occurrences = ?, at = ?, last_at = ?, ended_at = ?, too_late = ?,
		acknowledged_by = ?, acknowledged_at = ?, resolved_by = ?, resolved_at = ?, outcome = ?, note = ?
		WHERE number = ?`, &sqlitex.ExecOptions{Args: []any{
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt),
		a.Active, a.Occurrences, nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.EndedAt), a.TooLate,
		a.AcknowledgedBy, nanosOrZero(a.AcknowledgedAt), a.ResolvedBy, nanosOrZero(a.ResolvedAt), a.Outcome, a.Note, r.number,
	}})
	if err != nil {
		return fmt.Errorf("change an alert: %w", err)
	}
	err = sqlitex.Execute(conn, `UPDATE alerts SET urgency = ?1, state = ?2, answer_by = ?3, escalated_at = ?4, team = ?5
		WHERE number = ?6 AND (urgency <> ?1 OR state <> ?2 OR answer_by <> ?3 OR escalated_at <> ?4 OR team <> ?5)`, &sqlitex.ExecOptions{Args: []any{
		urgency(a.Level), string(a.State), nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt), a.Team, r.number,
	}})
	if err != nil {
		return fmt.Errorf("change where an alert stands: %w", err)
	}
	return saveExplanation(conn, r)
}

func saveExplanation(conn *sqlite.Conn, r *alertRow) error {
	if r.alert.Explanation == nil {
		return nil
	}
	body, err := json.Marshal(r.alert.Explanation)
	if err != nil {
		return fmt.Errorf("write the explanation of an alert: %w", err)
	}
	return sqlitex.Execute(conn, `INSERT INTO alert_explanations (alert, body) VALUES (?, ?)
		ON CONFLICT (alert) DO UPDATE SET body = excluded.body`, &sqlitex.ExecOptions{Args: []any{r.number, string(body)}})
}
