package postgres

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/protocols"
)

const alertColumns = `number, id, enrolment, device, rule, patient, team, protocol, version,
	title_fr, title_en, summary_fr, summary_en, episode, episode_at, urgency, state, active, occurrences,
	at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note`

// record is a row of alerts as the database gives it.
type record struct {
	number  int64
	text    alerts.Alert // what needs no turning
	urgency int
	times   [9]int64
}

// fields are where the columns go.
func (r *record) fields() []any {
	a, t := &r.text, &r.times
	return []any{
		&r.number, &a.ID, &a.Enrolment, &a.Device, &a.Rule, &a.Patient, &a.Team, &a.Protocol, &a.Version,
		&a.Title.FR, &a.Title.EN, &a.Summary.FR, &a.Summary.EN, &a.Episode, &t[0], &r.urgency, &a.State, &a.Active, &a.Occurrences,
		&t[1], &t[2], &t[3], &t[4], &a.TooLate, &t[5], &t[6],
		&a.AcknowledgedBy, &t[7], &a.ResolvedBy, &t[8], &a.Outcome, &a.Note,
	}
}

func (r *record) alert() alerts.Alert {
	a := r.text
	a.Level = levelOf(r.urgency)
	a.EpisodeAt, a.At, a.LastAt, a.RaisedAt, a.EndedAt = timeOrZero(r.times[0]), timeOrZero(r.times[1]), timeOrZero(r.times[2]), timeOrZero(r.times[3]), timeOrZero(r.times[4])
	a.AnswerBy, a.EscalatedAt, a.AcknowledgedAt, a.ResolvedAt = timeOrZero(r.times[5]), timeOrZero(r.times[6]), timeOrZero(r.times[7]), timeOrZero(r.times[8])
	return a
}

// known is an alert with its number in the table.
type known struct {
	number int64
	alert  alerts.Alert
}

// collect reads alerts without their explanation.
func collect(rows pgx.Rows) ([]known, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (known, error) {
		var r record
		err := row.Scan(r.fields()...)
		return known{r.number, r.alert()}, err
	})
}

const insertAlert = `INSERT INTO alerts (id, enrolment, device, rule, patient, team, protocol, version,
	raised_at, title_fr, title_en, summary_fr, summary_en, episode, episode_at,
	urgency, state, active, occurrences, at, last_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note)
	VALUES ($1, $24, $25, $26, $27, $28, $29, $30, $31, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
	$18, $19, $20, $21, $22, $23)`

const updateAlert = `UPDATE alerts SET title_fr = $2, title_en = $3, summary_fr = $4, summary_en = $5, episode = $6, episode_at = $7,
	urgency = $8, state = $9, active = $10, occurrences = $11, at = $12, last_at = $13, ended_at = $14,
	too_late = $15, answer_by = $16, escalated_at = $17,
	acknowledged_by = $18, acknowledged_at = $19, resolved_by = $20, resolved_at = $21, outcome = $22, note = $23, team = $24
	WHERE id = $1`

// changing are the id of an alert and what findings and people may change in it, $1
// to $23.
func changing(a *alerts.Alert) []any {
	return []any{
		a.ID, a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt),
		urgency(a.Level), a.State, a.Active, a.Occurrences, nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.EndedAt),
		a.TooLate, nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt),
		plain(a.AcknowledgedBy), nanosOrZero(a.AcknowledgedAt), plain(a.ResolvedBy), nanosOrZero(a.ResolvedAt), plain(a.Outcome), plain(a.Note),
	}
}

// lasting is what they never change, $24 to $31.
func lasting(a *alerts.Alert) []any {
	return []any{a.Enrolment, a.Device, a.Rule, a.Patient, a.Team, a.Protocol, a.Version, nanosOrZero(a.RaisedAt)}
}

func queueInsert(writes *pgx.Batch, a *alerts.Alert) error {
	writes.Queue(insertAlert, append(changing(a), lasting(a)...)...)
	return queueExplanation(writes, a.ID, a.Explanation)
}

func queueUpdate(writes *pgx.Batch, a *alerts.Alert) error {
	writes.Queue(updateAlert, append(changing(a), a.Team)...)
	return queueExplanation(writes, a.ID, a.Explanation)
}

// queueExplanation writes why an alert rang, when that is new.
func queueExplanation(writes *pgx.Batch, alert string, explanation *protocols.Explanation) error {
	if explanation == nil {
		return nil
	}
	body, err := json.Marshal(explanation)
	if err != nil {
		return fmt.Errorf("write the explanation of alert %s: %w", alert, err)
	}
	writes.Queue(`INSERT INTO alert_explanations (alert, body) VALUES ($1, $2::text::json)
		ON CONFLICT (alert) DO UPDATE SET body = excluded.body`, alert, string(body))
	return nil
}
