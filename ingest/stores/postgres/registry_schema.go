package postgres

// registrySchema is the registry. Bodies are the JSON of the types of package
// registry, letter for letter; what is searched for stands in columns of its
// own. Times are nanoseconds since 1970 in UTC.
var registrySchema = []string{`
CREATE TABLE registry_version (one integer PRIMARY KEY CHECK (one = 1), version bigint NOT NULL);
INSERT INTO registry_version VALUES (1, 0);

CREATE TABLE registry_teams      (id text COLLATE "C" PRIMARY KEY, body json NOT NULL);
CREATE TABLE registry_patients   (id text COLLATE "C" PRIMARY KEY, body json NOT NULL);
CREATE TABLE registry_devices    (id text COLLATE "C" PRIMARY KEY, body json NOT NULL);
CREATE TABLE registry_enrolments (id text COLLATE "C" PRIMARY KEY, body json NOT NULL, patient text NOT NULL);
CREATE INDEX registry_enrolments_patient ON registry_enrolments (patient);

-- Which device feeds which enrolment.
CREATE TABLE registry_feeds (device text NOT NULL, enrolment text NOT NULL, PRIMARY KEY (device, enrolment));
CREATE INDEX registry_feeds_enrolment ON registry_feeds (enrolment);

CREATE FUNCTION registry_only_appended() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION '% is only appended to', TG_TABLE_NAME; END $$;

-- Every version of everything but identities, with who made it.
CREATE TABLE registry_history (
	seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind   text NOT NULL,
	id     text NOT NULL,
	at     bigint NOT NULL,
	author text NOT NULL,
	body   json NOT NULL
);
CREATE INDEX registry_history_of ON registry_history (kind, id, at, seq);
CREATE TRIGGER registry_history_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_history
	FOR EACH STATEMENT EXECUTE FUNCTION registry_only_appended();

-- Who the patients are. No other query touches these tables, and every reading
-- of the first leaves a line in the last.
CREATE TABLE identities (id text COLLATE "C" PRIMARY KEY, body json NOT NULL);
CREATE TABLE identity_history (
	seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id     text NOT NULL,
	at     bigint NOT NULL,
	author text NOT NULL,
	body   json NOT NULL
);
CREATE TABLE identity_accesses (
	seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id     text NOT NULL,
	at     bigint NOT NULL,
	author text NOT NULL,
	reason text NOT NULL
);
CREATE INDEX identity_accesses_of ON identity_accesses (id, seq);
CREATE TRIGGER identity_accesses_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_accesses
	FOR EACH STATEMENT EXECUTE FUNCTION registry_only_appended();
`, `
-- Every version of a protocol that was used, as it was: it never changes.
CREATE TABLE registry_protocols (id text COLLATE "C", version text COLLATE "C", text text NOT NULL, first bigint NOT NULL, PRIMARY KEY (id, version));
CREATE TRIGGER registry_protocols_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_protocols
	FOR EACH STATEMENT EXECUTE FUNCTION registry_only_appended();
`, `
-- Since when a device feeds an enrolment; 0 for as long as the enrolment lasts.
ALTER TABLE registry_feeds ADD COLUMN since bigint NOT NULL DEFAULT 0;

-- Until when a device fed an enrolment that no longer names it.
CREATE TABLE registry_fed (device text NOT NULL, enrolment text NOT NULL, until bigint NOT NULL, PRIMARY KEY (device, enrolment));
INSERT INTO registry_fed SELECT named, h.id, (SELECT max(at) FROM registry_history WHERE kind = 'enrolment' AND id = h.id)
	FROM registry_history h,
		json_array_elements_text(CASE WHEN json_typeof(h.body -> 'devices') = 'array' THEN h.body -> 'devices' ELSE '[]' END) AS named
	WHERE h.kind = 'enrolment' AND NOT EXISTS (SELECT FROM registry_feeds f WHERE f.device = named AND f.enrolment = h.id)
	GROUP BY named, h.id;
`, addSums("registry_", "identities", "identity_"), lastDaySchema, `
-- Who has the same INS as another patient: nothing but the id is read by it.
CREATE INDEX IF NOT EXISTS identities_ins ON identities ((body ->> 'ins'));
`, `
-- Which records are merged into another: all of them are asked for whenever the registry
-- has changed, in front of what is committed next.
CREATE INDEX IF NOT EXISTS registry_patients_merged ON registry_patients (id) WHERE body -> 'merged' ->> 'into' <> '';
`, `
-- What was kept of one identity.
CREATE INDEX IF NOT EXISTS identity_history_of ON identity_history (id, seq);
`}

// lastDaySchema has a prescription whose end was typed as a date end with that day: so
// far it ended as the day began. What is over stays as it was. So does what another
// enrolment follows on that day, of the same patient under the same protocol or with one
// of the devices. Nodes of the version before read the new end as the instant that it is.
const lastDaySchema = `
CREATE TABLE registry_last_days AS
	WITH ends AS MATERIALIZED (
		SELECT e.id, e.patient, e.body, e.body ->> 'protocol' AS protocol, (e.body ->> 'from')::timestamptz AS began, (e.body ->> 'prescription_end')::timestamptz AS ended, z.name AS zone
		FROM registry_enrolments e JOIN (SELECT DISTINCT name FROM pg_timezone_names) z ON z.name = e.body ->> 'time_zone'),
	later AS MATERIALIZED (
		SELECT *, (ended AT TIME ZONE zone + interval '1 day') AT TIME ZONE zone AS next FROM ends
		WHERE (ended AT TIME ZONE zone)::time = '00:00')
	SELECT l.id, replace(l.body::text, '"prescription_end":"' || (l.body ->> 'prescription_end') || '"',
		'"prescription_end":"' || to_char(l.next AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '"') AS body
	FROM later l
	WHERE l.next > now()
		AND NOT EXISTS (SELECT FROM ends o WHERE o.patient = l.patient AND o.protocol = l.protocol AND o.id <> l.id AND o.began < l.next AND o.ended > l.ended)
		AND NOT EXISTS (SELECT FROM registry_feeds own JOIN registry_feeds f ON f.device = own.device JOIN ends o ON o.id = f.enrolment
			WHERE own.enrolment = l.id AND o.patient <> l.patient AND o.began < l.next AND o.ended > l.ended);

UPDATE registry_enrolments e SET body = d.body::json FROM registry_last_days d WHERE d.id = e.id;
INSERT INTO registry_history (kind, id, at, author, body)
	SELECT 'enrolment', id, (extract(epoch FROM now()) * 1000000)::bigint * 1000, 'Vigie', body::json FROM registry_last_days ORDER BY id;
INSERT INTO states (enrolment, version, due) SELECT id, 0, -9223372036854775808 FROM registry_last_days
	ON CONFLICT (enrolment) DO UPDATE SET due = excluded.due, version = states.version + 1;
UPDATE registry_version SET version = version + 1 WHERE EXISTS (SELECT FROM registry_last_days);
DROP TABLE registry_last_days;
`
