package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/trail"
	"vigie/ingest"
)

// looksTable holds who opened whose record for the first time. What the trail knew before
// counts as told: it is from before patients were told of anything.
const looksTable = `
CREATE TABLE looks (
	patient TEXT NOT NULL,
	account TEXT NOT NULL,
	name    TEXT NOT NULL,
	roles   TEXT NOT NULL, -- JSON
	at      INTEGER NOT NULL, -- nanoseconds since 1970 in UTC, as told
	told    INTEGER,
	by      TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (patient, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX looks_untold ON looks (patient, at) WHERE told IS NULL;
` + looksOfBefore

// looksOfBefore takes the first looks out of a trail.
const looksOfBefore = `
INSERT INTO looks (patient, account, name, roles, at, told)
	SELECT b.text, t.account, coalesce(t.body ->> 'name', ''), coalesce(t.body -> 'roles', '[]'), min(t.at), t.at
	FROM trail_beside b JOIN trail t ON t.chain = b.chain AND t.seq = b.seq
	WHERE b.part = 'patient' AND t.account <> '' AND t.body ->> 'token' IS NULL
		AND NOT EXISTS (SELECT 1 FROM trail_beside o WHERE o.chain = b.chain AND o.seq = b.seq AND o.part = 'patient' AND o.nth <> b.nth)
	GROUP BY b.text, t.account;
`

var _ trail.Looks = (*Trail)(nil)

// AddLook is part of trail.Looks.
func (t *Trail) AddLook(ctx context.Context, look trail.Look) error {
	roles, err := json.Marshal(look.Roles)
	if err == nil {
		err = t.store.Write(ctx, func(conn *sqlite.Conn) error {
			return sqlitex.Execute(conn, "INSERT OR IGNORE INTO looks (patient, account, name, roles, at) VALUES (?, ?, ?, ?, ?)",
				&sqlitex.ExecOptions{Args: []any{look.Patient, look.Account, look.Name, string(roles), ingest.Nanos(look.At)}})
		})
	}
	if err != nil {
		return fmt.Errorf("keep a first look: %w", err)
	}
	return nil
}

const lookColumns = "SELECT patient, account, name, roles, at, coalesce(told, 0), by FROM looks "

// LooksOf is part of trail.Looks.
func (t *Trail) LooksOf(ctx context.Context, patient string) ([]trail.Look, error) {
	return t.looks(ctx, lookColumns+"WHERE patient = ? ORDER BY at DESC, account", patient)
}

// Untold is part of trail.Looks.
func (t *Trail) Untold(ctx context.Context) ([]trail.Look, error) {
	return t.looks(ctx, lookColumns+"WHERE told IS NULL ORDER BY patient, at, account")
}

// TellLooks is part of trail.Looks.
func (t *Trail) TellLooks(ctx context.Context, patient string, upTo, told time.Time, by string) (n int, err error) {
	err = t.store.Write(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, "UPDATE looks SET told = ?, by = ? WHERE patient = ? AND at <= ? AND told IS NULL",
			&sqlitex.ExecOptions{Args: []any{ingest.Nanos(told), by, patient, ingest.Nanos(upTo)}})
		n = conn.Changes()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("note that a patient was told of first looks: %w", err)
	}
	return n, nil
}

func (t *Trail) looks(ctx context.Context, query string, args ...any) (list []trail.Look, err error) {
	err = t.store.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
			look := trail.Look{Patient: row.ColumnText(0), Account: row.ColumnText(1), Name: row.ColumnText(2), At: time.Unix(0, row.ColumnInt64(4)).UTC(), By: row.ColumnText(6)}
			if told := row.ColumnInt64(5); told != 0 {
				look.Told = time.Unix(0, told).UTC()
			}
			list = append(list, look)
			return json.Unmarshal([]byte(row.ColumnText(3)), &list[len(list)-1].Roles)
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("read first looks: %w", err)
	}
	return list, nil
}
