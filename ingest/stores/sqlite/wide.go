package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
)

// wideSchema is the strikes of many patients.
const wideSchema = `
CREATE TABLE wide_acts (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	device TEXT NOT NULL,
	at     INTEGER NOT NULL,
	done   INTEGER NOT NULL DEFAULT 0, -- when; 0 until then
	body   TEXT NOT NULL,              -- JSON, see ingest.WideAct.Body
	sum    INTEGER
);
CREATE INDEX wide_acts_device ON wide_acts (device, id);
CREATE INDEX wide_acts_open ON wide_acts (id) WHERE done = 0;
`

// wideColumns are what the checksum of an act covers.
const wideColumns = "id, device, at, done, body"

var _ ingest.WideActs = (*Store)(nil)

// KeepWideAct is ingest.WideActs.KeepWideAct.
func (s *Store) KeepWideAct(ctx context.Context, act *ingest.WideAct) error {
	body, err := act.Body()
	if err == nil {
		err = s.Write(ctx, func(conn *sqlite.Conn) error {
			err := sqlitex.Execute(conn, "INSERT INTO wide_acts (device, at, body) VALUES (?, ?, ?)", &sqlitex.ExecOptions{
				Args: []any{act.About.Device, act.At.UnixMilli(), string(body)},
			})
			act.ID = conn.LastInsertRowID()
			if err != nil {
				return err
			}
			return sealWide(conn, act.ID)
		})
	}
	if err != nil {
		return fmt.Errorf("keep a strike of many patients: %w", err)
	}
	return nil
}

func sealWide(conn *sqlite.Conn, id int64) error {
	return sqlitex.Execute(conn, "UPDATE wide_acts SET sum = checksum("+wideColumns+") WHERE id = ?", &sqlitex.ExecOptions{Args: []any{id}})
}

// EndWideAct is ingest.WideActs.EndWideAct.
func (s *Store) EndWideAct(ctx context.Context, id int64, at time.Time) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		if err := sqlitex.Execute(conn, "UPDATE wide_acts SET done = ? WHERE id = ?", &sqlitex.ExecOptions{Args: []any{at.UnixMilli(), id}}); err != nil {
			return err
		}
		return sealWide(conn, id)
	})
	if err != nil {
		return fmt.Errorf("record that a strike of many patients is done: %w", err)
	}
	return nil
}

// OpenWideActs is ingest.WideActs.OpenWideActs.
func (s *Store) OpenWideActs(ctx context.Context) ([]ingest.WideAct, error) {
	return s.wideActs(ctx, "WHERE done = 0 ORDER BY id")
}

// WideActsOf is ingest.WideActs.WideActsOf.
func (s *Store) WideActsOf(ctx context.Context, device string) ([]ingest.WideAct, error) {
	return s.wideActs(ctx, "WHERE device = ? ORDER BY id", device)
}

func (s *Store) wideActs(ctx context.Context, which string, args ...any) (acts []ingest.WideAct, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT "+wideColumns+", sum FROM wide_acts "+which, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
			const covered = 5
			if !intact(row, covered, sumOf(row, 0, covered)) {
				s.met.tell(ingest.Damage{Table: "wide_acts", Row: strconv.FormatInt(row.ColumnInt64(0), 10)})
				return nil
			}
			act := ingest.WideAct{ID: row.ColumnInt64(0), At: columnTime(row, 2)}
			if row.ColumnInt64(3) != 0 {
				act.Done = columnTime(row, 3)
			}
			if err := act.SetBody(text(row, 4)); err != nil {
				return err
			}
			acts = append(acts, act)
			return nil
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("list the strikes of many patients: %w", err)
	}
	return acts, nil
}
