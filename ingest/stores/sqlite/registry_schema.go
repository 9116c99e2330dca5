package sqlite

import (
	"encoding/json"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/ingest/registry"
)

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
`, lastDaySchema, `
-- Who has the same INS as another patient: nothing but the id is read by it.
CREATE INDEX IF NOT EXISTS identities_ins ON identities (body ->> 'ins');
`, `
-- Which records are merged into another: all of them are asked for whenever the registry
-- has changed, in front of what is committed next.
CREATE INDEX IF NOT EXISTS registry_patients_merged ON registry_patients (id) WHERE ` + merged("") + `;
`, `
-- What was kept of one identity.
CREATE INDEX IF NOT EXISTS identity_history_of ON identity_history (id, seq);
`}

// merged is true in SQL for the rows of registry_patients, under an alias, that are merged
// into another record. The index on them names it letter for letter.
func merged(alias string) string {
	return "CASE WHEN json_valid(" + alias + "body) THEN " + alias + "body ->> '$.merged.into' END <> ''"
}

// lastDaySchema has a prescription whose end was typed as a date end with that day: so
// far it ended as the day began. What is over stays as it was. So does what another
// enrolment follows on that day, of the same patient under the same protocol or with one
// of the devices.
const lastDaySchema = `
CREATE TABLE registry_last_days AS
	SELECT e.id, with_last_day(e.body) AS body FROM registry_enrolments e
	WHERE (e.sum IS NULL OR e.sum IS checksum(e.id, e.body, e.patient))
		AND julianday(with_last_day(e.body) ->> 'prescription_end') > julianday('now');
DELETE FROM registry_last_days WHERE EXISTS (
	SELECT 1 FROM registry_enrolments e JOIN registry_enrolments o ON o.patient = e.patient AND o.body ->> 'protocol' = e.body ->> 'protocol'
	WHERE e.id = registry_last_days.id AND o.id <> e.id
		AND julianday(o.body ->> 'from') < julianday(registry_last_days.body ->> 'prescription_end')
		AND julianday(o.body ->> 'prescription_end') > julianday(e.body ->> 'prescription_end'));
DELETE FROM registry_last_days WHERE EXISTS (
	SELECT 1 FROM registry_enrolments e JOIN registry_feeds own ON own.enrolment = e.id JOIN registry_feeds f ON f.device = own.device
		JOIN registry_enrolments o ON o.id = f.enrolment
	WHERE e.id = registry_last_days.id AND o.patient <> e.patient
		AND julianday(o.body ->> 'from') < julianday(registry_last_days.body ->> 'prescription_end')
		AND julianday(o.body ->> 'prescription_end') > julianday(e.body ->> 'prescription_end'));

UPDATE registry_enrolments SET body = d.body, sum = CASE WHEN sum IS NULL THEN NULL ELSE checksum(registry_enrolments.id, d.body, patient) END
	FROM registry_last_days d WHERE d.id = registry_enrolments.id;
INSERT INTO registry_history (kind, id, at, author, body, sum)
	SELECT 'enrolment', id, at, author, body, checksum('enrolment', id, at, author, body)
	FROM registry_last_days, (SELECT unixepoch('now') * 1000 AS at, 'Vigie' AS author) ORDER BY id;
INSERT INTO states (enrolment, version, due, sum) SELECT id, 0, 0, checksum(id, 0, NULL) FROM registry_last_days WHERE true
	ON CONFLICT (enrolment) DO UPDATE SET due = 0, sum = CASE WHEN sum = checksum(enrolment, due, snapshot) THEN checksum(enrolment, 0, snapshot) ELSE sum END;
UPDATE registry_version SET version = version + 1 WHERE EXISTS (SELECT 1 FROM registry_last_days);
DROP TABLE registry_last_days;
`

// withLastDay is with_last_day() in SQL: an enrolment that ends at midnight where the
// patient lives, with an end one day later. Null for every other.
var withLastDay = sqlite.FunctionImpl{NArgs: 1, Deterministic: true, Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
	var e registry.Enrolment
	if err := json.Unmarshal(args[0].Blob(), &e); err != nil {
		return sqlite.Value{}, nil // it is damaged, and told when it is read
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil || e.Prescription.IsZero() || registry.LastDay(e.Prescription, zone).Equal(e.Prescription) {
		return sqlite.Value{}, nil
	}
	body, err := json.Marshal(e.Prescription)
	if err != nil {
		return sqlite.Value{}, err
	}
	next, err := json.Marshal(e.Prescription.In(zone).AddDate(0, 0, 1).UTC())
	if err != nil {
		return sqlite.Value{}, err
	}
	const key = `"prescription_end":`
	return sqlite.TextValue(strings.Replace(args[0].Text(), key+string(body), key+string(next), 1)), nil
}}
