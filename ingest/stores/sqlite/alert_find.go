package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/protocols"
)

// Apply is ingest.Tx.Apply. A store without a directory drops findings.
func (w *writer) Apply(findings []protocols.Finding) error {
	if w.store.directory == nil || len(findings) == 0 {
		return nil
	}
	changes, err := alerts.NewLedger(pages{w.conn, &w.store.met}, w.store.directory).Apply(findings)
	if err != nil {
		return err
	}
	return saveChanges(w.conn, changes)
}

// pages is alerts.Pages, within one transaction.
type pages struct {
	conn *sqlite.Conn
	met  *met
}

// Standing is part of alerts.Pages.
func (p pages) Standing(of alerts.EpisodeKey) (*alerts.Entry, error) {
	const kept = ` FROM alert_episodes WHERE enrolment = ?1 AND device = ?2 AND rule = ?3 AND episode = ?4`
	// Where it is damaged which alert stands for an episode, the one of the rule that stood
	// for it last is taken, and else the latest.
	return p.oneAlert(under(of.RuleKey), `SELECT `+alertRow+` FROM alerts WHERE number = (SELECT CASE WHEN sum IS checksum(`+episodeColumns+`) THEN alert
		ELSE coalesce(tell('alert_episodes', enrolment || ' ' || device || ' ' || rule || ' ' || episode),
			(SELECT number FROM alerts WHERE enrolment = ?1 AND device = ?2 AND rule = ?3 ORDER BY episode = ?4 DESC, raised_at DESC LIMIT 1)) END`+kept+`)`,
		of.Enrolment, of.Device, of.Rule, of.Episode)
}

const episodeColumns = `enrolment, device, rule, episode, alert`

// OfRule is part of alerts.Pages.
func (p pages) OfRule(of alerts.RuleKey) ([]*alerts.Entry, error) {
	return p.someAlerts(under(of), `SELECT `+alertRow+` FROM alerts WHERE state <> 'resolved' AND enrolment = ?1 AND device = ?2 AND rule = ?3
		UNION ALL SELECT * FROM (SELECT `+alertRow+` FROM alerts WHERE state = 'resolved' AND enrolment = ?1 AND device = ?2 AND rule = ?3
			ORDER BY resolved_at DESC, number DESC LIMIT 1)`, of.Enrolment, of.Device, of.Rule)
}

// OpenOf is part of alerts.Pages.
func (p pages) OpenOf(patient string) ([]*alerts.Entry, error) {
	about := func(a *alerts.Alert) bool { return a.Patient == patient }
	return p.someAlerts(about, `SELECT `+alertRow+` FROM alerts WHERE state = 'open' AND patient = ?`, patient)
}

// ByID is part of alerts.Pages.
func (p pages) ByID(id string) (*alerts.Entry, error) {
	named := func(a *alerts.Alert) bool { return a.ID == id }
	entry, err := p.oneAlert(named, `SELECT `+alertRow+` FROM alerts WHERE id = ?`, id)
	if err != nil || entry == nil {
		return nil, err
	}
	entry.Alert.Explanation, err = explanation(p.conn, entry.Number)
	return entry, err
}

// under asks for the alerts of one rule.
func under(of alerts.RuleKey) func(*alerts.Alert) bool {
	return func(a *alerts.Alert) bool {
		return (alerts.RuleKey{Enrolment: a.Enrolment, Device: a.Device, Rule: a.Rule}) == of
	}
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
		switch {
		case entry.Rewrite:
			write = rewriteAlert
		case entry.Counted():
			write = countAlert
		}
		if err := write(conn, entry); err != nil {
			return err
		}
	}
	for _, stands := range changes.Stands {
		of := stands.Episode
		err := sqlitex.Execute(conn, `INSERT INTO alert_episodes (`+episodeColumns+`, sum) VALUES (?1, ?2, ?3, ?4, ?5, checksum(?1, ?2, ?3, ?4, ?5))
			ON CONFLICT DO UPDATE SET alert = excluded.alert, sum = excluded.sum`,
			&sqlitex.ExecOptions{Args: []any{of.Enrolment, of.Device, of.Rule, of.Episode, stands.Entry.Number}})
		if err != nil {
			return fmt.Errorf("note which alert stands for an episode: %w", err)
		}
	}
	return saveFollowing(conn, changes.Events, changes.Outgoing)
}
