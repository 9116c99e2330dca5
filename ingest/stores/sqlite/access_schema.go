package sqlite

// accessSchema holds who may get in. Bodies are the JSON of the types of package
// access; what is searched for stands in columns of its own. Times are milliseconds
// since 1970 in UTC. No secret is kept but the key of challenges, only
// digests.
var accessSchema = []string{`
CREATE TABLE access_accounts (
	id      TEXT PRIMARY KEY,
	login   TEXT NOT NULL UNIQUE,
	link    TEXT UNIQUE,
	version INTEGER NOT NULL,
	body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_sessions (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	created INTEGER NOT NULL,
	seen    INTEGER NOT NULL,
	body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_sessions_of ON access_sessions (account, created);
CREATE INDEX access_sessions_seen ON access_sessions (seen);

CREATE TABLE access_tokens (
	id      TEXT PRIMARY KEY,
	digest  TEXT NOT NULL UNIQUE,
	created INTEGER NOT NULL,
	body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_grants (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	until   INTEGER NOT NULL,
	body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_grants_of ON access_grants (account, until);
`, trailTables, reviewsTable, erasuresSchema, looksTable, passkeyTables}

// passkeyTables hold passkeys, which challenges were used, and the key of challenges.
const passkeyTables = `
CREATE TABLE access_passkeys (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	created INTEGER NOT NULL,
	version INTEGER NOT NULL,
	body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_passkeys_of ON access_passkeys (account, created);
CREATE TABLE access_challenges (
	id    TEXT PRIMARY KEY,
	until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_challenges_until ON access_challenges (until);
CREATE TABLE access_challenge_key (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	text TEXT NOT NULL
) STRICT;
`

// trailTables hold the chains of the trail, see package trail. Nothing of a chain
// changes or goes; what stands beside it may go, which the chain shows.
const trailTables = `
CREATE TABLE trail (
	chain     TEXT NOT NULL,
	seq       INTEGER NOT NULL,
	at        INTEGER NOT NULL, -- nanoseconds since 1970 in UTC
	account   TEXT NOT NULL,
	body      TEXT NOT NULL,
	hash      TEXT NOT NULL,
	signature TEXT NOT NULL,
	PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX trail_at ON trail (at);
CREATE INDEX trail_account ON trail (account, at);
CREATE TABLE trail_beside (
	chain TEXT NOT NULL,
	seq   INTEGER NOT NULL,
	nth   INTEGER NOT NULL,
	part  TEXT NOT NULL,
	text  TEXT NOT NULL,
	salt  TEXT NOT NULL,
	PRIMARY KEY (chain, seq, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX trail_of ON trail_beside (text) WHERE part = 'patient';
CREATE TRIGGER trail_stays BEFORE UPDATE ON trail BEGIN SELECT raise(ABORT, 'the trail only grows'); END;
CREATE TRIGGER trail_kept BEFORE DELETE ON trail BEGIN SELECT raise(ABORT, 'the trail only grows'); END;
CREATE TRIGGER trail_beside_stays BEFORE UPDATE ON trail_beside BEGIN SELECT raise(ABORT, 'the trail only grows'); END;
`
