package sqlite

// registrySchema is the registry. Bodies are the JSON of the types of package
// registry; what is searched for stands in columns of its own. Times are
// milliseconds since 1970 in UTC.
var registrySchema = []string{`
CREATE TABLE registry_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
INSERT INTO registry_version VALUES (1, 0);

CREATE TABLE registry_teams      (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE registry_patients   (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE registry_devices    (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE registry_enrolments (id TEXT PRIMARY KEY, body TEXT NOT NULL, patient TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX registry_enrolments_patient ON registry_enrolments (patient);

-- Which device feeds which enrolment.
CREATE TABLE registry_feeds (device TEXT NOT NULL, enrolment TEXT NOT NULL, PRIMARY KEY (device, enrolment)) WITHOUT ROWID;
CREATE INDEX registry_feeds_enrolment ON registry_feeds (enrolment);

-- Every version of everything but identities, with who made it. Only appended to.
CREATE TABLE registry_history (
	seq    INTEGER PRIMARY KEY AUTOINCREMENT,
	kind   TEXT NOT NULL,
	id     TEXT NOT NULL,
	at     INTEGER NOT NULL,
	author TEXT NOT NULL,
	body   TEXT NOT NULL
);
CREATE INDEX registry_history_of ON registry_history (kind, id, at, seq);
CREATE TRIGGER registry_history_kept   BEFORE UPDATE ON registry_history BEGIN SELECT RAISE(ABORT, 'the history of the registry is only appended to'); END;
CREATE TRIGGER registry_history_whole  BEFORE DELETE ON registry_history BEGIN SELECT RAISE(ABORT, 'the history of the registry is only appended to'); END;

-- Who the patients are. No other query touches these tables, and every reading
-- of the first leaves a line in the last.
CREATE TABLE identities (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE identity_history (
	seq    INTEGER PRIMARY KEY AUTOINCREMENT,
	id     TEXT NOT NULL,
	at     INTEGER NOT NULL,
	author TEXT NOT NULL,
	body   TEXT NOT NULL
);
CREATE TABLE identity_accesses (
	seq    INTEGER PRIMARY KEY AUTOINCREMENT,
	id     TEXT NOT NULL,
	at     INTEGER NOT NULL,
	author TEXT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX identity_accesses_of ON identity_accesses (id, seq);
CREATE TRIGGER identity_accesses_kept  BEFORE UPDATE ON identity_accesses BEGIN SELECT RAISE(ABORT, 'the log of accesses is only appended to'); END;
CREATE TRIGGER identity_accesses_whole BEFORE DELETE ON identity_accesses BEGIN SELECT RAISE(ABORT, 'the log of accesses is only appended to'); END;
`, `
-- Every version of a protocol that was used, as it was: it never changes.
CREATE TABLE registry_protocols (id TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (id, version)) WITHOUT ROWID;
CREATE TRIGGER registry_protocols_kept  BEFORE UPDATE ON registry_protocols BEGIN SELECT RAISE(ABORT, 'a protocol version that was used never changes'); END;
CREATE TRIGGER registry_protocols_whole BEFORE DELETE ON registry_protocols BEGIN SELECT RAISE(ABORT, 'a protocol version that was used never changes'); END;
`, `
-- Since when a device feeds an enrolment; 0 for as long as the enrolment lasts.
ALTER TABLE registry_feeds ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

-- Until when a device fed an enrolment that no longer names it.
CREATE TABLE registry_fed (device TEXT NOT NULL, enrolment TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (device, enrolment)) WITHOUT ROWID;
INSERT INTO registry_fed SELECT d.value, h.id, (SELECT max(at) FROM registry_history WHERE kind = 'enrolment' AND id = h.id)
	FROM registry_history h, json_each(h.body, '$.devices') d
	WHERE h.kind = 'enrolment' AND d.type = 'text' AND NOT EXISTS (SELECT 1 FROM registry_feeds f WHERE f.device = d.value AND f.enrolment = h.id)
	GROUP BY d.value, h.id;
`, `
-- The checksums of rows, see guard.go.
ALTER TABLE registry_teams      ADD COLUMN sum INTEGER;
ALTER TABLE registry_patients   ADD COLUMN sum INTEGER;
ALTER TABLE registry_devices    ADD COLUMN sum INTEGER;
ALTER TABLE registry_enrolments ADD COLUMN sum INTEGER;
ALTER TABLE registry_feeds      ADD COLUMN sum INTEGER;
ALTER TABLE registry_fed        ADD COLUMN sum INTEGER;
ALTER TABLE registry_history    ADD COLUMN sum INTEGER;
ALTER TABLE registry_protocols  ADD COLUMN sum INTEGER;
ALTER TABLE identities          ADD COLUMN sum INTEGER;
ALTER TABLE identity_history    ADD COLUMN sum INTEGER;
ALTER TABLE identity_accesses   ADD COLUMN sum INTEGER;
`}
