package sqlite

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/protocols"
)

const alertColumns = `number, id, enrolment, device, rule, patient, team, protocol, version,
	title_fr, title_en, summary_fr, summary_en, episode, episode_at, urgency, state, active, occurrences,
	at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note, life, next_at`

// alertRow is what is read of an alert: its columns, and whether they are what was
// written.
const alertRow = alertColumns + `, sum IS checksum(` + alertColumns + `)`

// scanAlert reads the columns in their order. In the place of an alert that is damaged
// stands alerts.Damaged.
func scanAlert(stmt *sqlite.Stmt) (*alerts.Entry, error) {
	column := -1
	next := func() int { column++; return column }
	text := func() string { return stmt.ColumnText(next()) }
	number := func() int64 { return stmt.ColumnInt64(next()) }

	r := &alerts.Entry{Number: number()}
	a := &r.Alert
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
	life := text()
	number() // when it is due follows from the rest
	if number() == 0 {
		*a = alerts.Damaged(*a)
		r.Rewrite = true
		return r, nil
	}
	if err := json.Unmarshal([]byte(life), &a.Life); err != nil {
		return nil, fmt.Errorf("read the life of alert %s: %w", a.ID, err)
	}
	return r, nil
}

// lifeOf is what an alert remembers, as it is kept.
func lifeOf(a *alerts.Alert) (string, error) {
	life, err := json.Marshal(&a.Life)
	if err != nil {
		return "", fmt.Errorf("write the life of alert %s: %w", a.ID, err)
	}
	return string(life), nil
}

// alertValues are the columns behind the number, in their order.
func alertValues(a *alerts.Alert, life string) []any {
	return []any{
		a.ID, a.Enrolment, a.Device, a.Rule, a.Patient, a.Team, a.Protocol, a.Version,
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt), urgency(a.Level), string(a.State), a.Active, a.Occurrences,
		nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.RaisedAt), nanosOrZero(a.EndedAt), a.TooLate, nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt),
		a.AcknowledgedBy, nanosOrZero(a.AcknowledgedAt), a.ResolvedBy, nanosOrZero(a.ResolvedAt), a.Outcome, a.Note, life, nanosOrZero(a.Next()),
	}
}

// oneAlert reads the first row that a query gives, nil when it gives none.
func (p pages) oneAlert(asked func(*alerts.Alert) bool, query string, args ...any) (*alerts.Entry, error) {
	found, err := p.someAlerts(asked, query, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// someAlerts reads the rows that a query gives; asked tells those it is meant to give.
func (p pages) someAlerts(asked func(*alerts.Alert) bool, query string, args ...any) (found []*alerts.Entry, err error) {
	found, err = p.met.readAlerts(p.conn, asked, query, args)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return found, nil
}

// readAlerts reads what a query on alerts gives. In a damaged file an index can lead to
// another row than the one that was asked for: whatever is not as it should be is read
// again from the table itself, and told.
func (m *met) readAlerts(conn *sqlite.Conn, asked func(*alerts.Alert) bool, query string, args []any) ([]*alerts.Entry, error) {
	found, sound, err := scanAlerts(conn, asked, query, args)
	if err != nil || sound {
		return found, err
	}
	found, sound, err = scanAlerts(conn, asked, fromAlerts.ReplaceAllString(query, "FROM alerts NOT INDEXED"), args)
	if err == nil && sound {
		m.tell(ingest.Damage{Table: "alerts", Row: "an index"})
	}
	for _, entry := range found {
		if entry.Rewrite {
			m.tell(ingest.Damage{Table: "alerts", Row: entry.Alert.ID, Patient: entry.Alert.Patient})
		}
	}
	return found, err
}

var fromAlerts = regexp.MustCompile(`FROM alerts( INDEXED BY [a-z_]+)?`)

// scanAlerts reads what a query gives, and reports whether all of it is what was written
// and what was asked for.
func scanAlerts(conn *sqlite.Conn, asked func(*alerts.Alert) bool, query string, args []any) (found []*alerts.Entry, sound bool, err error) {
	sound = true
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
		entry, err := scanAlert(stmt)
		if err != nil {
			return err
		}
		fits := asked(&entry.Alert)
		if fits || entry.Rewrite {
			found = append(found, entry)
		}
		sound = sound && fits && !entry.Rewrite
		return nil
	}})
	return found, sound, err
}

// insertAlert writes a new alert and fills in its number.
func insertAlert(conn *sqlite.Conn, r *alerts.Entry) error {
	life, err := lifeOf(&r.Alert)
	if err != nil {
		return err
	}
	err = sqlitex.Execute(conn, `INSERT INTO alerts (`+alertColumns+`) VALUES (NULL,
		?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?, ?,?,?,?,?,?, ?,?)`, &sqlitex.ExecOptions{Args: alertValues(&r.Alert, life)})
	if err != nil {
		return fmt.Errorf("write a new alert: %w", err)
	}
	r.Number = conn.LastInsertRowID()
	if err := sealAlert(conn, r); err != nil {
		return err
	}
	return saveExplanation(conn, r)
}

// sealAlert gives an alert that was written its checksum.
func sealAlert(conn *sqlite.Conn, r *alerts.Entry) error {
	return sqlitex.Execute(conn, `UPDATE alerts SET sum = checksum(`+alertColumns+`) WHERE number = ?`, &sqlitex.ExecOptions{Args: []any{r.Number}})
}

// rewriteAlert writes the whole of an alert, in the place of one that was damaged.
func rewriteAlert(conn *sqlite.Conn, r *alerts.Entry) error {
	life, err := lifeOf(&r.Alert)
	if err != nil {
		return err
	}
	err = sqlitex.Execute(conn, `UPDATE alerts SET (`+strings.TrimPrefix(alertColumns, "number, ")+`) = (
		?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?, ?,?,?,?,?,?, ?,?) WHERE number = ?`,
		&sqlitex.ExecOptions{Args: append(alertValues(&r.Alert, life), r.Number)})
	if err != nil {
		return fmt.Errorf("write an alert in the place of a damaged one: %w", err)
	}
	if err := sealAlert(conn, r); err != nil {
		return err
	}
	return saveExplanation(conn, r)
}

// countedAlert sets what one more reading changes, and the checksum over that and the
// rest as it stands, which was intact when it was read.
var countedAlert = `UPDATE alerts SET occurrences = ?1, at = ?2, last_at = ?3, episode_at = ?4, sum = checksum(` +
	strings.NewReplacer(" occurrences,", " ?1,", "\tat,", "\t?2,", " last_at,", " ?3,", " episode_at,", " ?4,").Replace(alertColumns) + `) WHERE number = ?5`

// countAlert writes what one more reading changes, in one statement that touches no
// index.
func countAlert(conn *sqlite.Conn, r *alerts.Entry) error {
	stmt, err := conn.Prepare(countedAlert)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, int64(r.Alert.Occurrences))
	stmt.BindInt64(2, nanosOrZero(r.Alert.At))
	stmt.BindInt64(3, nanosOrZero(r.Alert.LastAt))
	stmt.BindInt64(4, nanosOrZero(r.Alert.EpisodeAt))
	stmt.BindInt64(5, r.Number)
	if _, err := stmt.Step(); err != nil {
		return fmt.Errorf("count a reading: %w", err)
	}
	return stmt.Reset()
}

// updateAlert writes what may change in an alert. Apart from the rest, and only when it
// is another, comes what worklists are sorted and counted by: SQLite writes every
// index anew in which a column was set, whatever to.
func updateAlert(conn *sqlite.Conn, r *alerts.Entry) error {
	a := &r.Alert
	life, err := lifeOf(a)
	if err != nil {
		return err
	}
	err = sqlitex.Execute(conn, `UPDATE alerts SET
		title_fr = ?, title_en = ?, summary_fr = ?, summary_en = ?, episode = ?, episode_at = ?,
		active = ?, occurrences = ?, at = ?, last_at = ?, ended_at = ?, too_late = ?,
		acknowledged_by = ?, acknowledged_at = ?, resolved_by = ?, resolved_at = ?, outcome = ?, note = ?, life = ?
		WHERE number = ?`, &sqlitex.ExecOptions{Args: []any{
		a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt),
		a.Active, a.Occurrences, nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.EndedAt), a.TooLate,
		a.AcknowledgedBy, nanosOrZero(a.AcknowledgedAt), a.ResolvedBy, nanosOrZero(a.ResolvedAt), a.Outcome, a.Note, life, r.Number,
	}})
	if err != nil {
		return fmt.Errorf("change an alert: %w", err)
	}
	err = sqlitex.Execute(conn, `UPDATE alerts SET urgency = ?1, state = ?2, answer_by = ?3, escalated_at = ?4, team = ?5, next_at = ?6
		WHERE number = ?7 AND (urgency <> ?1 OR state <> ?2 OR answer_by <> ?3 OR escalated_at <> ?4 OR team <> ?5 OR next_at <> ?6)`, &sqlitex.ExecOptions{Args: []any{
		urgency(a.Level), string(a.State), nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt), a.Team, nanosOrZero(a.Next()), r.Number,
	}})
	if err != nil {
		return fmt.Errorf("change where an alert stands: %w", err)
	}
	if err := sealAlert(conn, r); err != nil {
		return err
	}
	return saveExplanation(conn, r)
}

func saveExplanation(conn *sqlite.Conn, r *alerts.Entry) error {
	if !r.Explains() {
		return nil
	}
	body, err := json.Marshal(r.Alert.Explanation)
	if err != nil {
		return fmt.Errorf("write the explanation of an alert: %w", err)
	}
	return sqlitex.Execute(conn, `INSERT INTO alert_explanations (alert, body, sum) VALUES (?1, ?2, checksum(?1, ?2))
		ON CONFLICT (alert) DO UPDATE SET body = excluded.body, sum = excluded.sum`, &sqlitex.ExecOptions{Args: []any{r.Number, string(body)}})
}
