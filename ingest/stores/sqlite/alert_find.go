package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

// Find is ingest.Tx.Find. A store without a directory drops findings.
func (w *writer) Find(findings []protocols.Finding) error {
	if w.store.directory == nil || len(findings) == 0 {
		return nil
	}
	changes, err := alerts.NewLedger(pages{w.conn}, w.store.directory).Find(findings)
	if err != nil {
		return err
	}
	return saveChanges(w.conn, changes)
}

// pages is alerts.Pages, within one transaction.
type pages struct{ conn *sqlite.Conn }

// Standing is part of alerts.Pages.
func (p pages) Standing(of alerts.EpisodeKey) (*alerts.Entry, error) {
	return oneAlert(p.conn, `SELECT `+alertColumns+` FROM alerts WHERE number =
		(SELECT alert FROM alert_episodes WHERE enrolment = ? AND device = ? AND rule = ? AND episode = ?)`,
		of.Enrolment, of.Device, of.Rule, of.Episode)
}

// OfRule is part of alerts.Pages.
func (p pages) OfRule(of alerts.RuleKey) ([]*alerts.Entry, error) {
	return someAlerts(p.conn, `SELECT `+alertColumns+` FROM alerts WHERE state <> 'resolved' AND enrolment = ?1 AND device = ?2 AND rule = ?3
		UNION ALL SELECT * FROM (SELECT `+alertColumns+` FROM alerts WHERE state = 'resolved' AND enrolment = ?1 AND device = ?2 AND rule = ?3
			ORDER BY resolved_at DESC, number DESC LIMIT 1)`, of.Enrolment, of.Device, of.Rule)
}

// OpenOf is part of alerts.Pages.
func (p pages) OpenOf(patient string) ([]*alerts.Entry, error) {
	return someAlerts(p.conn, `SELECT `+alertColumns+` FROM alerts WHERE state = 'open' AND patient = ?`, patient)
}

// ByID is part of alerts.Pages.
func (p pages) ByID(id string) (*alerts.Entry, error) {
	entry, err := alertByID(p.conn, id)
	if err != nil || entry == nil {
		return nil, err
	}
	entry.Alert.Explanation, err = explanation(p.conn, entry.Number)
	return entry, err
}

// saveChanges writes what a ledger has changed.
func saveChanges(conn *sqlite.Conn, changes alerts.Changes) error {
	for _, entry := range changes.Added {
		if err := insertAlert(conn, entry); err != nil {
			return err
		}
	}
	for _, entry := range changes.Changed {
		write := updateAlert
		if entry.Counted() {
			write = countAlert
		}
		if err := write(conn, entry); err != nil {
			return err
		}
	}
	for _, stands := range changes.Stands {
		of := stands.Episode
		err := sqlitex.Execute(conn, `INSERT INTO alert_episodes (enrolment, device, rule, episode, alert) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET alert = excluded.alert`,
			&sqlitex.ExecOptions{Args: []any{of.Enrolment, of.Device, of.Rule, of.Episode, stands.Entry.Number}})
		if err != nil {
			return fmt.Errorf("note which alert stands for an episode: %w", err)
		}
	}
	return saveFollowing(conn, changes.Events, changes.Outgoing)
}
