package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/trail"
)

// looksTable holds who opened whose record for the first time. What the trail knew before
// counts as told: it is from before patients were told of anything.
const looksTable = `
CREATE TABLE looks (
	patient text COLLATE "C" NOT NULL,
	account text COLLATE "C" NOT NULL,
	name    text NOT NULL,
	roles   text NOT NULL,
	at      bigint NOT NULL,
	told    bigint,
	by      text NOT NULL DEFAULT '',
	PRIMARY KEY (patient, account)
);
CREATE INDEX looks_untold ON looks (patient, at) WHERE told IS NULL;
` + looksOfBefore

// looksOfBefore takes the first looks out of a trail.
const looksOfBefore = `
INSERT INTO looks (patient, account, name, roles, at, told)
	SELECT DISTINCT ON (b.text, t.account) b.text, t.account, coalesce(t.body::json ->> 'name', ''), coalesce((t.body::json -> 'roles')::text, '[]'), t.at, t.at
	FROM trail_beside b JOIN trail t ON t.chain = b.chain AND t.seq = b.seq
	WHERE b.part = 'patient' AND t.account <> '' AND t.body::json ->> 'token' IS NULL
		AND NOT EXISTS (SELECT 1 FROM trail_beside o WHERE o.chain = b.chain AND o.seq = b.seq AND o.part = 'patient' AND o.nth <> b.nth)
	ORDER BY b.text, t.account, t.at;
`

var _ trail.Looks = (*Trail)(nil)

// AddLook is part of trail.Looks.
func (t *Trail) AddLook(ctx context.Context, look trail.Look) error {
	roles, err := json.Marshal(look.Roles)
	if err == nil {
		_, err = t.store.pool.Exec(ctx, "INSERT INTO looks (patient, account, name, roles, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
			plain(look.Patient), plain(look.Account), plain(look.Name), string(roles), nanos(look.At))
	}
	if err != nil {
		return fmt.Errorf("keep a first look: %w", err)
	}
	return nil
}

const lookColumns = "SELECT patient, account, name, roles, at, coalesce(told, 0), by FROM looks "

// LooksOf is part of trail.Looks.
func (t *Trail) LooksOf(ctx context.Context, patient string) ([]trail.Look, error) {
	return t.looks(ctx, lookColumns+"WHERE patient = $1 ORDER BY at DESC, account", plain(patient))
}

// Untold is part of trail.Looks.
func (t *Trail) Untold(ctx context.Context) ([]trail.Look, error) {
	return t.looks(ctx, lookColumns+"WHERE told IS NULL ORDER BY patient, at, account")
}

// TellLooks is part of trail.Looks.
func (t *Trail) TellLooks(ctx context.Context, patient string, upTo, told time.Time, by string) (int, error) {
	done, err := t.store.pool.Exec(ctx, "UPDATE looks SET told = $1, by = $2 WHERE patient = $3 AND at <= $4 AND told IS NULL", nanos(told), plain(by), plain(patient), nanos(upTo))
	if err != nil {
		return 0, fmt.Errorf("note that a patient was told of first looks: %w", err)
	}
	return int(done.RowsAffected()), nil
}

func (t *Trail) looks(ctx context.Context, query string, args ...any) ([]trail.Look, error) {
	rows, err := t.store.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read first looks: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (look trail.Look, err error) {
		var at, told int64
		var roles string
		if err := row.Scan(&look.Patient, &look.Account, &look.Name, &roles, &at, &told, &look.By); err != nil {
			return look, err
		}
		look.At = time.Unix(0, at).UTC()
		if told != 0 {
			look.Told = time.Unix(0, told).UTC()
		}
		return look, json.Unmarshal([]byte(roles), &look.Roles)
	})
	if err != nil {
		return nil, fmt.Errorf("read first looks: %w", err)
	}
	return list, nil
}
