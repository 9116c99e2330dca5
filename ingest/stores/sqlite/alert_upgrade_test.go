package sqlite

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
)

// Alerts of a version that knew no follow-up and told of what nobody answered once keep
// their state when the database is opened, and get a clock that starts then: nobody is
// woken by the upgrade, and nobody is forgotten after it.
func TestTheAlertsOfAnOlderVersionGetAClockAtTheUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	older := slices.IndexFunc(alertsSchema, func(step string) bool { return strings.Contains(step, "ADD COLUMN life") })
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schemaVersion(conn, "alerts"); err != nil {
		t.Fatal(err)
	}
	for _, step := range alertsSchema[:older] {
		if err := sqlitex.ExecuteScript(conn, step, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := setSchemaVersion(conn, "alerts", older); err != nil {
		t.Fatal(err)
	}
	morning := storetest.Morning.UnixNano()
	for _, a := range []struct {
		id, state, by       string
		answerBy, escalated int64
	}{
		{"waits", "open", "", morning + int64(time.Hour), 0},
		{"told", "open", "", morning + int64(time.Hour), morning + int64(time.Hour)},
		{"taken", "acknowledged", "Dr Payet", 0, 0},
	} {
		err := sqlitex.Execute(conn, `INSERT INTO alerts (id, enrolment, device, rule, patient, team, protocol, version, title_fr, title_en, summary_fr, summary_en,
			episode, episode_at, urgency, state, active, occurrences, at, last_at, raised_at, ended_at, too_late, answer_by, escalated_at,
			acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note)
			VALUES (?, ?, '', 'spo2-low', ?, 'team-a', 'copd', '1', 'SpO2', 'SpO2', 'basse', 'low', 'ep-1', ?, 1, ?, 1, 1, ?, ?, ?, 0, 0, ?, ?, ?, 0, '', 0, '', '')`,
			&sqlitex.ExecOptions{Args: []any{a.id, "e-" + a.id, "p-" + a.id, morning, a.state, morning, morning, morning, a.answerBy, a.escalated, a.by}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}

	s := open(t, path, Options{Care: func(*Store) alerts.Directory { return allOf{storetest.Care()} }})
	upgrade := storetest.Morning.Add(30 * 24 * time.Hour) // a Wednesday, at 09:00 where the team is
	escalate := func(at time.Time) int {
		t.Helper()
		before := messagesOf(t, s, at)
		if _, err := (&alerts.Escalator{Store: s}).Escalate(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		return messagesOf(t, s, at) - before
	}
	for id, want := range map[string]alerts.State{"waits": alerts.Open, "told": alerts.Open, "taken": alerts.Acknowledged} {
		if a, err := s.Alert(t.Context(), id); err != nil || a.State != want {
			t.Errorf("%s is %+v, %v", id, a, err)
		}
	}
	if sent := escalate(upgrade); sent != 1 {
		t.Errorf("%d messages at the upgrade, want the one that was due long ago", sent)
	}
	if a, err := s.Alert(t.Context(), "taken"); err != nil || !a.FollowUpBy.After(upgrade) || a.AcknowledgedBy != "Dr Payet" {
		t.Errorf("what is taken on is followed up by %s, %v", a.FollowUpBy, err)
	}
	if a, err := s.Alert(t.Context(), "told"); err != nil || !a.StepAt.After(upgrade) {
		t.Errorf("the next step of what was told is at %s, %v", a.StepAt, err)
	}
	if sent := escalate(upgrade.Add(7 * 24 * time.Hour)); sent < 2 {
		t.Errorf("%d messages within a week, want the follow-up and the next step", sent)
	}
}

// allOf answers with one care for all, whose systems are not told.
type allOf struct{ care alerts.Care }

func (d allOf) Care(string) (alerts.Care, error) {
	care := d.care
	care.Team.Systems, care.Admin = nil, []string{"admin@example.org"}
	return care, nil
}

func messagesOf(t *testing.T, s *Store, by time.Time) int {
	t.Helper()
	list, err := s.Outbox(t.Context(), alerts.Mail, by.AddDate(0, 1, 0), 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
