package postgres

// accessSchema holds who may get in. Bodies are the JSON of the types of package
// access; what is searched for stands in columns of its own. Times are nanoseconds
// since 1970 in UTC. No secret is kept but the key of challenges, only digests.
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
`, trailTables, reviewsTable, erasuresSchema, looksTable, passkeyTables}

// passkeyTables hold passkeys, which challenges were used, and the key of challenges.
const passkeyTables = `
CREATE TABLE access_passkeys (
	id      text COLLATE "C" PRIMARY KEY,
	account text NOT NULL,
	created bigint NOT NULL,
	version bigint NOT NULL,
	body    json NOT NULL
);
CREATE INDEX access_passkeys_of ON access_passkeys (account, created);
CREATE TABLE access_challenges (
	id    text COLLATE "C" PRIMARY KEY,
	until bigint NOT NULL
);
CREATE INDEX access_challenges_until ON access_challenges (until);
CREATE TABLE access_challenge_key (
	one  integer PRIMARY KEY CHECK (one = 1),
	text text NOT NULL
);
`

// trailTables hold the chains of the trail, see package trail. Nothing of a chain
// changes or goes; what stands beside it may go, which the chain shows.
const trailTables = `
CREATE TABLE trail (
	chain     text COLLATE "C" NOT NULL,
	seq       bigint NOT NULL,
	at        bigint NOT NULL,
	account   text NOT NULL,
	body      text NOT NULL,
	hash      text NOT NULL,
	signature text NOT NULL,
	PRIMARY KEY (chain, seq)
);
CREATE INDEX trail_at ON trail (at);
CREATE INDEX trail_account ON trail (account, at);
CREATE TABLE trail_beside (
	chain text COLLATE "C" NOT NULL,
	seq   bigint NOT NULL,
	nth   integer NOT NULL,
	part  text NOT NULL,
	text  text NOT NULL,
	salt  text NOT NULL,
	PRIMARY KEY (chain, seq, nth)
);
CREATE INDEX trail_of ON trail_beside (text) WHERE part = 'patient';
CREATE FUNCTION trail_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trail only grows'; END $$;
CREATE TRIGGER trail_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON trail FOR EACH STATEMENT EXECUTE FUNCTION trail_only_grows();
CREATE TRIGGER trail_beside_kept BEFORE UPDATE OR TRUNCATE ON trail_beside FOR EACH STATEMENT EXECUTE FUNCTION trail_only_grows();
`
