package postgres

// alertsSchema is alerts, their events and the outbox.
//
// Times are nanoseconds since 1970 in UTC, 0 for none. urgency is 0 for red up
// to 3 for technical, so that a worklist is read off an index in one direction.
var alertsSchema = []string{
	`CREATE TABLE alerts (
		number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		id text COLLATE "C" NOT NULL UNIQUE,
		enrolment text COLLATE "C" NOT NULL,
		device text COLLATE "C" NOT NULL,
		rule text COLLATE "C" NOT NULL,
		patient text NOT NULL,
		team text NOT NULL,
		protocol text NOT NULL,
		version text NOT NULL,
		title_fr text NOT NULL,
		title_en text NOT NULL,
		summary_fr text NOT NULL,
		summary_en text NOT NULL,
		episode text NOT NULL,
		episode_at bigint NOT NULL,
		urgency smallint NOT NULL,
		state text NOT NULL,
		active boolean NOT NULL,
		occurrences bigint NOT NULL,
		at bigint NOT NULL,
		last_at bigint NOT NULL,
		raised_at bigint NOT NULL,
		ended_at bigint NOT NULL,
		too_late boolean NOT NULL,
		answer_by bigint NOT NULL,
		escalated_at bigint NOT NULL,
		acknowledged_by text NOT NULL,
		acknowledged_at bigint NOT NULL,
		resolved_by text NOT NULL,
		resolved_at bigint NOT NULL,
		outcome text NOT NULL,
		note text NOT NULL
	) WITH (fillfactor = 70);
	CREATE INDEX alerts_unresolved ON alerts (urgency, raised_at, id) WHERE state <> 'resolved';
	CREATE INDEX alerts_of_rule ON alerts (enrolment, device, rule, raised_at) WHERE state <> 'resolved';
	CREATE INDEX alerts_worklist ON alerts (urgency, raised_at, id);
	CREATE INDEX alerts_of_team ON alerts (team, urgency, raised_at, id);
	CREATE INDEX alerts_of_patient ON alerts (patient, urgency, raised_at, id);
	CREATE INDEX alerts_due ON alerts (answer_by) WHERE state = 'open' AND escalated_at = 0 AND answer_by <> 0;

	-- Which alert stands for an episode.
	CREATE TABLE alert_episodes (
		enrolment text COLLATE "C" NOT NULL,
		device text COLLATE "C" NOT NULL,
		rule text COLLATE "C" NOT NULL,
		episode text COLLATE "C" NOT NULL,
		alert text COLLATE "C" NOT NULL REFERENCES alerts (id),
		PRIMARY KEY (enrolment, device, rule, episode)
	);

	-- Apart from the alerts, so that counting a reading does not rewrite it.
	CREATE TABLE alert_explanations (
		alert text COLLATE "C" PRIMARY KEY REFERENCES alerts (id),
		body json NOT NULL
	);

	CREATE TABLE alert_events (
		seq bigint PRIMARY KEY,
		alert text COLLATE "C" NOT NULL,
		kind text NOT NULL,
		at bigint NOT NULL,
		level text NOT NULL,
		author text NOT NULL,
		note text NOT NULL,
		outcome text NOT NULL
	);
	CREATE INDEX alert_events_of_alert ON alert_events (alert, seq);
	CREATE FUNCTION alert_events_kept() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'events of alerts are never changed or deleted'; END $$;
	CREATE TRIGGER alert_events_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON alert_events
		FOR EACH STATEMENT EXECUTE FUNCTION alert_events_kept();

	-- claimed_by is the node that is sending, until claimed_until.
	CREATE TABLE outbox (
		id text COLLATE "C" PRIMARY KEY,
		channel text NOT NULL,
		recipient text NOT NULL,
		alert text COLLATE "C" NOT NULL,
		event text NOT NULL,
		level text NOT NULL,
		created bigint NOT NULL,
		not_until bigint NOT NULL,
		attempts integer NOT NULL,
		sent_at bigint NOT NULL,
		given_up bigint NOT NULL,
		error text NOT NULL,
		claimed_by text NOT NULL DEFAULT '',
		claimed_until timestamptz NOT NULL DEFAULT '-infinity'
	) WITH (fillfactor = 70);
	CREATE INDEX outbox_due ON outbox (channel, not_until, created, id) WHERE sent_at = 0 AND given_up = 0;
	CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at <> 0;
	CREATE INDEX outbox_given_up ON outbox (given_up) WHERE given_up <> 0;`,
	`CREATE INDEX alerts_newest ON alerts (raised_at, id)`,
	// What an alert remembers to stay in front of somebody is one JSON object, so that a
	// further field takes no step here. next_at is when time alone next has something to
	// do with it. What was open or acknowledged is looked at right after this step, and
	// gets its clock then. Nodes of the version before know nothing of that clock and
	// would raise alerts without one: the floor refuses them, and those that still run
	// cannot write a new alert, so that its readings wait for a newer node.
	`ALTER TABLE alerts ADD COLUMN life text NOT NULL DEFAULT '{}', ADD COLUMN next_at bigint NOT NULL DEFAULT 0;
	ALTER TABLE alerts ALTER COLUMN life DROP DEFAULT;
	ALTER TABLE outbox ADD COLUMN team text NOT NULL DEFAULT '';
	UPDATE alerts SET next_at = answer_by WHERE state = 'open' AND escalated_at = 0 AND answer_by <> 0;
	UPDATE alerts SET next_at = 1 WHERE state = 'acknowledged' OR state = 'open' AND escalated_at <> 0;
	DROP INDEX alerts_due;
	CREATE INDEX alerts_next ON alerts (next_at) WHERE next_at <> 0;
	CREATE INDEX alerts_last_of_rule ON alerts (enrolment, device, rule, resolved_at) WHERE state = 'resolved';
	CREATE INDEX alerts_open_of_patient ON alerts (patient) WHERE state = 'open';`,
	`CREATE TABLE alive (one integer PRIMARY KEY CHECK (one = 1), at bigint NOT NULL)`,
	addSums("alert"),
	`CREATE INDEX alerts_struck_out ON alerts (resolved_at) WHERE outcome = 'struck-out'`,
	// Who was told of an alert, and what a team was told.
	`CREATE INDEX outbox_of_alert ON outbox (alert, created);
	CREATE INDEX outbox_of_team ON outbox (team, created)`,
	// When a message was first to be tried again: its patience counts from then.
	`ALTER TABLE outbox ADD COLUMN again bigint NOT NULL DEFAULT 0`,
}
