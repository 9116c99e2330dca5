package postgres

// accessSchema holds who may get in. Bodies are the JSON of the types of package
// access; what is searched for stands in columns of its own. Times are nanoseconds
// since 1970 in UTC. No secret is kept, only digests.
var accessSchema = []string{`
CREATE TABLE access_accounts (
	id      text COLLATE "C" PRIMARY KEY,
	login   text COLLATE "C" NOT NULL UNIQUE,
	link    text COLLATE "C" UNIQUE,
	version bigint NOT NULL,
	body    json NOT NULL
);

CREATE TABLE access_sessions (
	id      text COLLATE "C" PRIMARY KEY,
	account text NOT NULL,
	created bigint NOT NULL,
	seen    bigint NOT NULL,
	body    json NOT NULL
);
CREATE INDEX access_sessions_of ON access_sessions (account, created);
CREATE INDEX access_sessions_seen ON access_sessions (seen);

CREATE TABLE access_tokens (
	id      text COLLATE "C" PRIMARY KEY,
	digest  text COLLATE "C" NOT NULL UNIQUE,
	created bigint NOT NULL,
	body    json NOT NULL
);

CREATE TABLE access_grants (
	id      text COLLATE "C" PRIMARY KEY,
	account text NOT NULL,
	until   bigint NOT NULL,
	body    json NOT NULL
);
CREATE INDEX access_grants_of ON access_grants (account, until);
`}
