package sqlite

// accessSchema holds who may get in. Bodies are the JSON of the types of package
// access; what is searched for stands in columns of its own. Times are milliseconds
// since 1970 in UTC. No secret is kept, only digests.
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
`}
