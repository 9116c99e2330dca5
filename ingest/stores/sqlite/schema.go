package sqlite

// readingsSchema is everything of ingest but the registry.
//
// Times are milliseconds since 1970 in UTC; what is finer than that is in the
// body of a reading. Numbers of devices, patients and measures are those of the
// first three tables.
var readingsSchema = []string{`
CREATE TABLE device_names  (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE patient_names (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- The components and variants of a measure as they were when it was first
-- stored: a body refers to them by place.
CREATE TABLE measure_names (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, components TEXT NOT NULL, variants TEXT NOT NULL);

-- History: readings of one patient and measure in the order of time, many in a
-- row. since and until are the first and the last time in it.
CREATE TABLE blocks (
	id      INTEGER PRIMARY KEY,
	patient INTEGER NOT NULL,
	measure INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	until   INTEGER NOT NULL,
	body    BLOB NOT NULL
);
CREATE INDEX blocks_history ON blocks (patient, measure, until, since);

-- How far the journal has been filed into blocks and seen: everything up to seq
-- is in them, and blocks after that id are of an unfinished filing.
CREATE TABLE filed (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, block INTEGER NOT NULL);
INSERT INTO filed (one, seq, block) VALUES (1, 0, 0);

-- Ids already received, to tell repetitions; what is not filed yet is missing.
-- A row holds some of a device's ids in their order, up to the one in upto.
CREATE TABLE seen (
	device INTEGER NOT NULL,
	upto   BLOB NOT NULL,
	ids    BLOB NOT NULL,
	PRIMARY KEY (device, upto)
) WITHOUT ROWID;

-- The journal: one row per batch, in the order of commits. first and last are
-- the sequence numbers of its readings.
CREATE TABLE journal (
	last  INTEGER PRIMARY KEY,
	first INTEGER NOT NULL,
	at    INTEGER NOT NULL,
	body  BLOB NOT NULL
);
CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

-- The state of evaluation. due is when time alone may bring something; null for never.
CREATE TABLE states (
	enrolment TEXT PRIMARY KEY,
	version   INTEGER NOT NULL,
	due       INTEGER,
	snapshot  BLOB
) WITHOUT ROWID;
CREATE INDEX states_due ON states (due) WHERE due IS NOT NULL;

CREATE TABLE set_aside (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	device   TEXT NOT NULL,
	topic    TEXT NOT NULL,
	reading  TEXT NOT NULL,
	received INTEGER NOT NULL,
	payload  BLOB,
	codes    TEXT NOT NULL, -- ' implausible unknown-unit '
	reasons  TEXT NOT NULL, -- JSON
	digest   BLOB,          -- of what makes it the same again; null once settled
	settled  INTEGER
);
CREATE UNIQUE INDEX set_aside_digest ON set_aside (digest) WHERE digest IS NOT NULL;
CREATE INDEX set_aside_device ON set_aside (device, id);
CREATE INDEX set_aside_received ON set_aside (received);

CREATE TABLE device_status (
	device   TEXT PRIMARY KEY,
	online   INTEGER NOT NULL,
	battery  INTEGER NOT NULL,
	firmware TEXT NOT NULL,
	at       INTEGER NOT NULL,
	low_since     INTEGER,
	offline_since INTEGER
) WITHOUT ROWID;
`, `
ALTER TABLE device_status ADD COLUMN battery_at INTEGER;
ALTER TABLE device_status ADD COLUMN due INTEGER;
CREATE INDEX device_status_due ON device_status (due) WHERE due IS NOT NULL;
`, `
-- The enrolments that were told.
ALTER TABLE device_status ADD COLUMN low_for TEXT;
ALTER TABLE device_status ADD COLUMN offline_for TEXT;
`, forgottenSchema, guardsSchema, errandsSchema, troubleSchema, strikesSchema, dismissedSchema, wideSchema}

// troubleSchema adds what few devices have: see devices.Trouble.
const troubleSchema = "ALTER TABLE device_status ADD COLUMN trouble TEXT"
