package postgres

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/ingest"
)

const alertColumns = `number, id, enrolment, device, rule, patient, team, protocol, version,
	title_fr, title_en, summary_fr, summary_en, episode, episode_at, urgency, state, active, occurrences,
	at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note, life`

// alertRow is what is read of an alert, from the table under its own name: its columns,
// and whether they are what was written.
var alertRow = alertColumns + `, ` + intact("alerts", "alerts")

// record is a row of alerts as the database gives it.
type record struct {
	number  int64
	text    alerts.Alert // what needs no turning
	urgency int
	times   [9]int64
	life    string
	intact  bool
}

// fields are where the columns go.
func (r *record) fields() []any {
	a, t := &r.text, &r.times
	return []any{
		&r.number, &a.ID, &a.Enrolment, &a.Device, &a.Rule, &a.Patient, &a.Team, &a.Protocol, &a.Version,
		&a.Title.FR, &a.Title.EN, &a.Summary.FR, &a.Summary.EN, &a.Episode, &t[0], &r.urgency, &a.State, &a.Active, &a.Occurrences,
		&t[1], &t[2], &t[3], &t[4], &a.TooLate, &t[5], &t[6],
		&a.AcknowledgedBy, &t[7], &a.ResolvedBy, &t[8], &a.Outcome, &a.Note, &r.life, &r.intact,
	}
}

// entry is the alert with its number in the table. An alert that is damaged is told, and
// alerts.Damaged stands in its place.
func (m *met) entry(r *record) (*alerts.Entry, error) {
	entry := &alerts.Entry{Number: r.number, Alert: r.alert()}
	if !r.intact {
		m.tell(ingest.Damage{Table: "alerts", Row: r.text.ID, Patient: r.text.Patient})
		entry.Alert, entry.Rewrite = alerts.Damaged(entry.Alert), true
		return entry, nil
	}
	if err := json.Unmarshal([]byte(r.life), &entry.Alert.Life); err != nil {
		return nil, fmt.Errorf("read the life of alert %s: %w", r.text.ID, err)
	}
	return entry, nil
}

func (r *record) alert() alerts.Alert {
	a := r.text
	a.Level = levelOf(r.urgency)
	a.EpisodeAt, a.At, a.LastAt, a.RaisedAt, a.EndedAt = timeOrZero(r.times[0]), timeOrZero(r.times[1]), timeOrZero(r.times[2]), timeOrZero(r.times[3]), timeOrZero(r.times[4])
	a.AnswerBy, a.EscalatedAt, a.AcknowledgedAt, a.ResolvedAt = timeOrZero(r.times[5]), timeOrZero(r.times[6]), timeOrZero(r.times[7]), timeOrZero(r.times[8])
	return a
}

// collect reads alerts without their explanation.
func (m *met) collect(rows pgx.Rows) ([]*alerts.Entry, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*alerts.Entry, error) {
		var r record
		if err := row.Scan(r.fields()...); err != nil {
			return nil, err
		}
		return m.entry(&r)
	})
}

const insertAlert = `INSERT INTO alerts (id, enrolment, device, rule, patient, team, protocol, version,
	raised_at, title_fr, title_en, summary_fr, summary_en, episode, episode_at,
	urgency, state, active, occurrences, at, last_at, ended_at, too_late, answer_by, escalated_at,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note, life, next_at)
	VALUES ($1, $26, $27, $28, $29, $30, $31, $32, $33, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
	$18, $19, $20, $21, $22, $23, $24, $25)`

const updateAlert = `UPDATE alerts SET title_fr = $2, title_en = $3, summary_fr = $4, summary_en = $5, episode = $6, episode_at = $7,
	urgency = $8, state = $9, active = $10, occurrences = $11, at = $12, last_at = $13, ended_at = $14,
	too_late = $15, answer_by = $16, escalated_at = $17,
	acknowledged_by = $18, acknowledged_at = $19, resolved_by = $20, resolved_at = $21, outcome = $22, note = $23, life = $24, next_at = $25, team = $26
	WHERE id = $1`

// changing are the id of an alert and what findings and people may change in it, $1
// to $25.
func changing(a *alerts.Alert) ([]any, error) {
	life, err := json.Marshal(&a.Life)
	if err != nil {
		return nil, fmt.Errorf("write the life of alert %s: %w", a.ID, err)
	}
	return []any{
		a.ID, a.Title.FR, a.Title.EN, a.Summary.FR, a.Summary.EN, a.Episode, nanosOrZero(a.EpisodeAt),
		urgency(a.Level), a.State, a.Active, a.Occurrences, nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.EndedAt),
		a.TooLate, nanosOrZero(a.AnswerBy), nanosOrZero(a.EscalatedAt),
		plain(a.AcknowledgedBy), nanosOrZero(a.AcknowledgedAt), plain(a.ResolvedBy), nanosOrZero(a.ResolvedAt), plain(a.Outcome), plain(a.Note), plain(string(life)), nanosOrZero(a.Next()),
	}, nil
}

// lasting is what they never change, $26 to $33.
func lasting(a *alerts.Alert) []any {
	return []any{a.Enrolment, a.Device, a.Rule, a.Patient, a.Team, a.Protocol, a.Version, nanosOrZero(a.RaisedAt)}
}

func queueInsert(writes *pgx.Batch, entry *alerts.Entry) error {
	values, err := changing(&entry.Alert)
	if err != nil {
		return err
	}
	writes.Queue(insertAlert, append(values, lasting(&entry.Alert)...)...)
	return queueExplanation(writes, entry)
}

func queueUpdate(writes *pgx.Batch, entry *alerts.Entry) error {
	a := &entry.Alert
	if entry.Rewrite {
		return queueRewrite(writes, entry)
	}
	if entry.Counted() {
		writes.Queue(`UPDATE alerts SET occurrences = $2, at = $3, last_at = $4, episode_at = $5 WHERE id = $1`,
			a.ID, a.Occurrences, nanosOrZero(a.At), nanosOrZero(a.LastAt), nanosOrZero(a.EpisodeAt))
		return nil
	}
	values, err := changing(a)
	if err != nil {
		return err
	}
	writes.Queue(updateAlert, append(values, a.Team)...)
	return queueExplanation(writes, entry)
}

// rewriteAlert writes the whole of an alert, in the place of one that was damaged.
const rewriteAlert = `UPDATE alerts SET title_fr = $2, title_en = $3, summary_fr = $4, summary_en = $5, episode = $6, episode_at = $7,
	urgency = $8, state = $9, active = $10, occurrences = $11, at = $12, last_at = $13, ended_at = $14,
	too_late = $15, answer_by = $16, escalated_at = $17,
	acknowledged_by = $18, acknowledged_at = $19, resolved_by = $20, resolved_at = $21, outcome = $22, note = $23, life = $24, next_at = $25,
	enrolment = $26, device = $27, rule = $28, patient = $29, team = $30, protocol = $31, version = $32, raised_at = $33
	WHERE id = $1`

func queueRewrite(writes *pgx.Batch, entry *alerts.Entry) error {
	values, err := changing(&entry.Alert)
	if err != nil {
		return err
	}
	writes.Queue(rewriteAlert, append(values, lasting(&entry.Alert)...)...)
	return queueExplanation(writes, entry)
}

// queueExplanation writes why an alert rang, when that is new.
func queueExplanation(writes *pgx.Batch, entry *alerts.Entry) error {
	if !entry.Explains() {
		return nil
	}
	alert := entry.Alert.ID
	body, err := json.Marshal(entry.Alert.Explanation)
	if err != nil {
		return fmt.Errorf("write the explanation of alert %s: %w", alert, err)
	}
	writes.Queue(`INSERT INTO alert_explanations (alert, body) VALUES ($1, $2::text::json)
		ON CONFLICT (alert) DO UPDATE SET body = excluded.body`, alert, string(body))
	return nil
}
