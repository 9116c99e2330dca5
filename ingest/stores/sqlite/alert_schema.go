package sqlite

// alertsSchema is alerts, their events and the outbox.
//
// Times are nanoseconds since 1970 in UTC, 0 for none. urgency is 0 for red up
// to 3 for technical, so that a worklist is read off an index in one direction.
var alertsSchema = []string{
	`CREATE TABLE alerts (
		number INTEGER PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		enrolment TEXT NOT NULL,
		device TEXT NOT NULL,
		rule TEXT NOT NULL,
		patient TEXT NOT NULL,
		team TEXT NOT NULL,
		protocol TEXT NOT NULL,
		version TEXT NOT NULL,
		title_fr TEXT NOT NULL,
		title_en TEXT NOT NULL,
		summary_fr TEXT NOT NULL,
		summary_en TEXT NOT NULL,
		episode TEXT NOT NULL,
		episode_at INTEGER NOT NULL,
		urgency INTEGER NOT NULL,
		state TEXT NOT NULL,
		active INTEGER NOT NULL,
		occurrences INTEGER NOT NULL,
		at INTEGER NOT NULL,
		last_at INTEGER NOT NULL,
		raised_at INTEGER NOT NULL,
		ended_at INTEGER NOT NULL,
		too_late INTEGER NOT NULL,
		answer_by INTEGER NOT NULL,
		escalated_at INTEGER NOT NULL,
		acknowledged_by TEXT NOT NULL,
		acknowledged_at INTEGER NOT NULL,
		resolved_by TEXT NOT NULL,
		resolved_at INTEGER NOT NULL,
		outcome TEXT NOT NULL,
		note TEXT NOT NULL
	) STRICT`,
	// Small, whatever the number of resolved alerts, and holding every column
	// that a worklist is filtered or counted by.
	`CREATE INDEX alerts_unresolved ON alerts (urgency, raised_at, id, state, team, patient, protocol, rule) WHERE state <> 'resolved'`,
	`CREATE INDEX alerts_of_rule ON alerts (enrolment, device, rule, raised_at) WHERE state <> 'resolved'`,
	`CREATE INDEX alerts_worklist ON alerts (urgency, raised_at, id)`,
	`CREATE INDEX alerts_of_team ON alerts (team, urgency, raised_at, id)`,
	`CREATE INDEX alerts_of_patient ON alerts (patient, urgency, raised_at, id)`,
	`CREATE INDEX alerts_due ON alerts (answer_by) WHERE state = 'open' AND escalated_at = 0 AND answer_by <> 0`,

	// Which alert stands for an episode. A table of its own keeps the most
	// frequent finding, one more reading of a known episode, to one update.
	`CREATE TABLE alert_episodes (
		enrolment TEXT NOT NULL,
		device TEXT NOT NULL,
		rule TEXT NOT NULL,
		episode TEXT NOT NULL,
		alert INTEGER NOT NULL REFERENCES alerts,
		PRIMARY KEY (enrolment, device, rule, episode)
	) STRICT, WITHOUT ROWID`,

	// Apart from the alerts, so that counting a reading does not rewrite it.
	`CREATE TABLE alert_explanations (
		alert INTEGER PRIMARY KEY REFERENCES alerts,
		body TEXT NOT NULL
	) STRICT`,

	`CREATE TABLE alert_events (
		seq INTEGER PRIMARY KEY AUTOINCREMENT,
		alert TEXT NOT NULL,
		kind TEXT NOT NULL,
		at INTEGER NOT NULL,
		level TEXT NOT NULL,
		author TEXT NOT NULL,
		note TEXT NOT NULL,
		outcome TEXT NOT NULL
	) STRICT`,
	`CREATE INDEX alert_events_of_alert ON alert_events (alert, seq)`,
	`CREATE TRIGGER alert_events_kept BEFORE DELETE ON alert_events
		BEGIN SELECT RAISE(ABORT, 'events of alerts are never deleted'); END`,
	`CREATE TRIGGER alert_events_unchanged BEFORE UPDATE ON alert_events
		BEGIN SELECT RAISE(ABORT, 'events of alerts are never changed'); END`,

	`CREATE TABLE outbox (
		id TEXT PRIMARY KEY,
		channel TEXT NOT NULL,
		recipient TEXT NOT NULL,
		alert TEXT NOT NULL,
		event TEXT NOT NULL,
		level TEXT NOT NULL,
		created INTEGER NOT NULL,
		not_until INTEGER NOT NULL,
		attempts INTEGER NOT NULL,
		sent_at INTEGER NOT NULL,
		given_up INTEGER NOT NULL,
		error TEXT NOT NULL
	) STRICT`,
	`CREATE INDEX outbox_due ON outbox (channel, not_until, created, id) WHERE sent_at = 0 AND given_up = 0`,
	`CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at <> 0`,
	`CREATE INDEX outbox_given_up ON outbox (given_up) WHERE given_up <> 0`,
	`CREATE INDEX alerts_newest ON alerts (raised_at, id)`,
	// What an alert remembers to stay in front of somebody is one JSON object, so that a
	// further field takes no step here. next_at is when time alone next has something to
	// do with it. What was open or acknowledged is looked at right after this step, and
	// gets its clock then.
	`ALTER TABLE alerts ADD COLUMN life TEXT NOT NULL DEFAULT '{}';
	ALTER TABLE alerts ADD COLUMN next_at INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE outbox ADD COLUMN team TEXT NOT NULL DEFAULT '';
	UPDATE alerts SET next_at = answer_by WHERE state = 'open' AND escalated_at = 0 AND answer_by <> 0;
	UPDATE alerts SET next_at = 1 WHERE state = 'acknowledged' OR state = 'open' AND escalated_at <> 0;
	DROP INDEX alerts_due;
	CREATE INDEX alerts_next ON alerts (next_at) WHERE next_at <> 0;
	CREATE INDEX alerts_last_of_rule ON alerts (enrolment, device, rule, resolved_at) WHERE state = 'resolved';
	CREATE INDEX alerts_open_of_patient ON alerts (patient) WHERE state = 'open';`,
	// The checksums of rows, see guard.go.
	`ALTER TABLE alerts ADD COLUMN sum INTEGER`,
	`ALTER TABLE alert_episodes ADD COLUMN sum INTEGER`,
	`ALTER TABLE alert_explanations ADD COLUMN sum INTEGER`,
	`ALTER TABLE alert_events ADD COLUMN sum INTEGER`,
	`CREATE TABLE alive (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT`,
	`CREATE INDEX alerts_struck_out ON alerts (resolved_at) WHERE outcome = 'struck-out'`,
	// Who was told of an alert, and what a team was told.
	`CREATE INDEX outbox_of_alert ON outbox (alert, created);
	CREATE INDEX outbox_of_team ON outbox (team, created)`,
	// When a message was first to be tried again: its patience counts from then.
	`ALTER TABLE outbox ADD COLUMN again INTEGER NOT NULL DEFAULT 0`,
}
