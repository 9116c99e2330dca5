package postgres

// schema lists what this package keeps: groups of tables, each with the steps
// that lead to its present shape and its floor, see Migrate.
var schema = []struct {
	name  string
	steps []string
	floor int
}{
	{"readings", readingsSchema, 9}, // a program that does not know of strikes would evaluate what is struck out
	{"registry", registrySchema, 1},
	{"alerts", alertsSchema, 3},
	{"access", accessSchema, 1},
}

// readingsSchema is everything of ingest but the registry.
//
// Times are nanoseconds since 1970 in UTC, which a timestamptz could not hold:
// it ends at microseconds. What a device wrote freely is bytea or json, since
// text cannot hold everything that JSON can.
var readingsSchema = []string{`
-- The components and variants of a measure as they were when it was first
-- stored: readings refer to them by place.
CREATE TABLE measures (
	num        smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL UNIQUE,
	components text[] NOT NULL,
	variants   text[] NOT NULL
);

CREATE SEQUENCE reading_batches;

CREATE TABLE readings (
	time    bigint NOT NULL,
	batch   bigint NOT NULL,   -- the journal has its first number
	place   integer NOT NULL,  -- in the batch, from 0
	measure smallint NOT NULL,
	source  smallint NOT NULL,
	variant smallint NOT NULL,
	battery smallint NOT NULL, -- per cent; -1 when not told
	dayonly boolean NOT NULL,
	device  text COLLATE "C" NOT NULL,
	id      bytea NOT NULL,
	patient text COLLATE "C" NOT NULL,
	amounts text NOT NULL,     -- thousandths, one per component between spaces, - where absent: '142000 91000 - 72000'
	flags   json,              -- array of strings
	context json,              -- object of strings
	PRIMARY KEY (device, id)
);
CREATE INDEX readings_history ON readings (patient, measure, time);
CREATE INDEX readings_batch ON readings (batch);

-- The journal: one row per batch, in the order of commits. last and first are
-- the sequence numbers it covers: that of a reading is first + place.
CREATE TABLE journal (
	last  bigint PRIMARY KEY,
	first bigint NOT NULL,
	batch bigint NOT NULL UNIQUE,
	at    bigint NOT NULL
);
CREATE TABLE cursors (name text PRIMARY KEY, seq bigint NOT NULL);

-- The state of evaluation. due is when time alone may bring something; null for
-- never. Pages keep room, so that a new version stays on the page of the old.
CREATE TABLE states (
	enrolment text COLLATE "C" PRIMARY KEY,
	version   bigint NOT NULL,
	due       bigint,
	snapshot  bytea
) WITH (fillfactor = 70);
CREATE INDEX states_due ON states (due) WHERE due IS NOT NULL;

CREATE TABLE set_aside (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	device   text NOT NULL,
	topic    text NOT NULL,
	reading  bytea NOT NULL,
	received bigint NOT NULL,
	payload  bytea,
	codes    text[] NOT NULL,
	reasons  json NOT NULL,
	digest   bytea, -- of what makes it the same again; null once settled
	settled  bigint
);
CREATE UNIQUE INDEX set_aside_digest ON set_aside (digest) WHERE digest IS NOT NULL;
CREATE INDEX set_aside_device ON set_aside (device, id);
CREATE INDEX set_aside_received ON set_aside (received);

CREATE TABLE device_status (
	device   text COLLATE "C" PRIMARY KEY,
	online   boolean NOT NULL,
	battery  smallint NOT NULL,
	firmware text NOT NULL,
	at       bigint NOT NULL,
	low_since     bigint,
	offline_since bigint
) WITH (fillfactor = 70);

-- Who does which background work. term grows with every change of hands.
CREATE TABLE leases (
	name    text PRIMARY KEY,
	holder  text NOT NULL,
	term    bigint NOT NULL,
	expires timestamptz NOT NULL
);
`, `
ALTER TABLE device_status ADD COLUMN battery_at bigint;
ALTER TABLE device_status ADD COLUMN due bigint;
CREATE INDEX device_status_due ON device_status (due) WHERE due IS NOT NULL;
`, `
-- The enrolments that were told.
ALTER TABLE device_status ADD COLUMN low_for text;
ALTER TABLE device_status ADD COLUMN offline_for text;
`, forgottenSchema, errandsSchema, troubleSchema, `
-- The checksums of rows, see guard.go, and what few readings have.
ALTER TABLE readings ADD COLUMN more json, ADD COLUMN sum bigint;
ALTER TABLE states ADD COLUMN sum bigint, ADD COLUMN due_sum bigint GENERATED ALWAYS AS (hashint8extended(coalesce(due, 7), 0)) STORED;
` + addSums("measures", "journal"), membersSchema, strikesSchema + addSums("strikes"), dismissedSchema, wideSchema + addSums("wide_acts")}

// troubleSchema adds what few devices have: see devices.Trouble.
const troubleSchema = "ALTER TABLE device_status ADD COLUMN trouble text"
