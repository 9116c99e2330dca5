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
`, addSums("registry_", "identities", "identity_")}
