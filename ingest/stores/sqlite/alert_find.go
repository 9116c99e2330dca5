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
	if w.store.directory == nil {
		return nil
	}
	for i := range findings {
		if err := w.store.find(w.conn, &findings[i]); err != nil {
			return fmt.Errorf("rule %s of enrolment %q: %w", findings[i].Rule, findings[i].Enrolment, err)
		}
	}
	return nil
}

func (s *Store) find(conn *sqlite.Conn, f *protocols.Finding) error {
	if f.Kind == protocols.Again {
		counted, err := countAgain(conn, f)
		if counted || err != nil {
			return err
		}
	}
	standing, err := standingFor(conn, f)
	if err != nil {
		return err
	}
	current, err := unresolved(conn, f)
	if err != nil {
		return err
	}
	care, err := alerts.CareFor(s.directory, f.Enrolment)
	if err != nil {
		return err
	}
	next, events, outgoing := alerts.Apply(alertOf(standing), alertOf(current), *f, care, f.Found)
	if next == nil {
		return nil
	}
	if err := saveAlert(conn, f, next, standing, current); err != nil {
		return err
	}
	return saveFollowing(conn, events, outgoing)
}

// countAgain is Apply for the most frequent finding, one more reading of a known
// episode, in one statement. It reports false when the case is not that plain:
// an unknown episode, a reading that is not new, an alert that has yet to ring or that
// another version of the protocol has found to be over.
func countAgain(conn *sqlite.Conn, f *protocols.Finding) (bool, error) {
	stmt, err := conn.Prepare(`UPDATE alerts SET occurrences = occurrences + 1, last_at = ?1
		WHERE number = (SELECT alert FROM alert_episodes WHERE enrolment = ?2 AND device = ?3 AND rule = ?4 AND episode = ?5)
		AND last_at < ?1 AND (too_late = 0 OR ?6 = 1) AND (active = 1 OR version = ?7)`)
	if err != nil {
		return false, err
	}
	stmt.BindInt64(1, nanosOrZero(f.At))
	stmt.BindText(2, f.Enrolment)
	stmt.BindText(3, f.Device)
	stmt.BindText(4, f.Rule)
	stmt.BindText(5, f.Episode)
	stmt.BindBool(6, f.TooLate)
	stmt.BindText(7, f.Version)
	if _, err := stmt.Step(); err != nil {
		return false, fmt.Errorf("count a reading: %w", err)
	}
	return conn.Changes() > 0, stmt.Reset()
}

// standingFor returns the alert that stands for the episode of a finding.
func standingFor(conn *sqlite.Conn, f *protocols.Finding) (*alertRow, error) {
	return oneAlert(conn, `SELECT `+alertColumns+` FROM alerts WHERE number =
		(SELECT alert FROM alert_episodes WHERE enrolment = ? AND device = ? AND rule = ? AND episode = ?)`,
		f.Enrolment, f.Device, f.Rule, f.Episode)
}

// unresolved returns the latest unresolved alert of the rule of a finding.
func unresolved(conn *sqlite.Conn, f *protocols.Finding) (*alertRow, error) {
	return oneAlert(conn, `SELECT `+alertColumns+` FROM alerts WHERE state <> 'resolved'
		AND enrolment = ? AND device = ? AND rule = ? ORDER BY raised_at DESC, number DESC LIMIT 1`,
		f.Enrolment, f.Device, f.Rule)
}

func alertOf(r *alertRow) *alerts.Alert {
	if r == nil {
		return nil
	}
	return &r.alert
}

// saveAlert writes an alert, new or known, and that it stands for the episode.
func saveAlert(conn *sqlite.Conn, f *protocols.Finding, next *alerts.Alert, standing, current *alertRow) error {
	saved := &alertRow{alert: *next}
	for _, k := range []*alertRow{standing, current} {
		if k != nil && k.alert.ID == next.ID {
			saved.number = k.number
		}
	}
	write := updateAlert
	if saved.number == 0 {
		write = insertAlert
	}
	if err := write(conn, saved); err != nil {
		return err
	}
	if standing != nil && standing.number == saved.number {
		return nil
	}
	err := sqlitex.Execute(conn, `INSERT INTO alert_episodes (enrolment, device, rule, episode, alert) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET alert = excluded.alert`,
		&sqlitex.ExecOptions{Args: []any{f.Enrolment, f.Device, f.Rule, f.Episode, saved.number}})
	if err != nil {
		return fmt.Errorf("note which alert stands for an episode: %w", err)
	}
	return nil
}
