package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest/registry"
)

var _ registry.Store = (*Store)(nil)

// Import keeps a registry, see registry.Store.
func (s *Store) Import(ctx context.Context, reg *registry.Registry, author string, at time.Time) (registry.Changes, error) {
	return registry.Import(ctx, reg, author, func(do func(registry.Importing) error) error {
		return s.Write(ctx, func(conn *sqlite.Conn) error {
			return do(&importing{conn: conn, author: author, at: at.UnixMilli()})
		})
	})
}

// importing is registry.Importing on one connection.
type importing struct {
	conn   *sqlite.Conn
	author string
	at     int64
}

// keptKinds says where the items of each kind are kept.
var keptKinds = map[string]kept{
	registry.KindTeam: teams, registry.KindPatient: patients, registry.KindIdentity: identities,
	registry.KindDevice: devices, registry.KindEnrolment: enrolments,
}

// Kept returns what is kept of items, see registry.Importing.
func (im *importing) Kept(_ context.Context, kind string, ids []string) ([]registry.Kept, error) {
	k := keptKinds[kind]
	sql := "SELECT " + k.body("k") + ", NOT " + intactRow("k", k.columns) + " FROM " + k.table + " k WHERE k.id = ?"
	list := make([]registry.Kept, len(ids))
	for i, id := range ids {
		err := sqlitex.Execute(im.conn, sql, &sqlitex.ExecOptions{Args: []any{id}, ResultFunc: func(row *sqlite.Stmt) error {
			list[i].Damaged = row.ColumnBool(1)
			if !row.ColumnIsNull(0) {
				list[i].Body = text(row, 0)
			}
			return nil
		}})
		if err != nil {
			return nil, fmt.Errorf("read the %s %s: %w", kind, id, err)
		}
	}
	return list, nil
}

// Keep keeps items with their history, see registry.Importing.
func (im *importing) Keep(ctx context.Context, kind string, items []registry.Body) error {
	k := keptKinds[kind]
	for _, item := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := im.keep(k, item.ID, string(item.JSON)); err != nil {
			return fmt.Errorf("keep the %s %s: %w", kind, item.ID, err)
		}
	}
	return nil
}

func (im *importing) keep(k kept, id, body string) error {
	sql := "INSERT INTO " + k.table + " (id, body, sum) VALUES (?1, ?2, checksum(?1, ?2)) ON CONFLICT (id) DO UPDATE SET body = excluded.body, sum = excluded.sum"
	if k == enrolments {
		sql = "INSERT INTO registry_enrolments (id, body, patient, sum) VALUES (?1, ?2, ?2 ->> 'patient', checksum(?1, ?2, ?2 ->> 'patient')) ON CONFLICT (id) DO UPDATE SET body = excluded.body, patient = excluded.patient, sum = excluded.sum"
	}
	if err := im.run(sql, id, body); err != nil {
		return err
	}
	if k == identities {
		return im.run("INSERT INTO identity_history (id, at, author, body, sum) VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4))", id, im.at, im.author, body)
	}
	return im.remember(k.name, id, body)
}

// remember appends to the history of all but the identities.
func (im *importing) remember(kind, id, body string) error {
	return im.run("INSERT INTO registry_history (kind, id, at, author, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, checksum(?1, ?2, ?3, ?4, ?5))", kind, id, im.at, im.author, body)
}

// Feed notes which devices feed enrolments, see registry.Importing.
func (im *importing) Feed(_ context.Context, fed []registry.Fed) error {
	for _, f := range fed {
		if err := im.feed(f); err != nil {
			return fmt.Errorf("note which devices feed the enrolment %s: %w", f.Enrolment, err)
		}
		if err := wake(im.conn, f.Enrolment); err != nil {
			return fmt.Errorf("wake the enrolment %s: %w", f.Enrolment, err)
		}
	}
	return nil
}

func (im *importing) feed(f registry.Fed) error {
	named, err := json.Marshal(f.Devices)
	if err != nil {
		return err
	}
	const left = "FROM registry_feeds WHERE enrolment = ?1 AND device NOT IN (SELECT value FROM json_each(?2) WHERE type = 'text')"
	if err := im.run("INSERT OR REPLACE INTO registry_fed (device, enrolment, until, sum) SELECT device, enrolment, ?3, checksum(device, enrolment, ?3) "+left, f.Enrolment, string(named), im.at); err != nil {
		return err
	}
	if err := im.run("DELETE "+left, f.Enrolment, string(named)); err != nil {
		return err
	}
	since := im.at
	if f.New {
		since = 0
	}
	for _, device := range f.Devices {
		if err := im.run("INSERT OR IGNORE INTO registry_feeds (device, enrolment, since, sum) VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3))", device, f.Enrolment, since); err != nil {
			return err
		}
	}
	return nil
}

// naming says in SQL which enrolments name an item, by its kind.
var naming = map[string]string{
	registry.KindTeam:    "body ->> 'team' = ?",
	registry.KindPatient: "patient = ?",
	registry.KindDevice:  "id IN (SELECT enrolment FROM registry_feeds WHERE device = ?)",
}

// Naming returns an enrolment that names an item, see registry.Importing.
func (im *importing) Naming(_ context.Context, item registry.Item) (string, error) {
	enrolment, err := one(im.conn, "SELECT id FROM registry_enrolments WHERE "+naming[item.Kind]+" LIMIT 1", item.ID)
	return string(enrolment), err
}

// Remove takes an item out, see registry.Importing.
func (im *importing) Remove(_ context.Context, item registry.Item) error {
	tables := []string{keptKinds[item.Kind].table}
	if item.Kind == registry.KindPatient {
		tables = append(tables, identities.table)
	}
	for _, table := range tables {
		if err := im.run("DELETE FROM "+table+" WHERE id = ?", item.ID); err != nil {
			return fmt.Errorf("take the %s out: %w", item, err)
		}
	}
	return im.remember(item.Kind, item.ID, "null")
}

// Renew gives the registry its next version, see registry.Importing.
func (im *importing) Renew(context.Context) error {
	return execute(im.conn, "UPDATE registry_version SET version = version + 1")
}

func (im *importing) run(sql string, args ...any) error {
	return sqlitex.Execute(im.conn, sql, &sqlitex.ExecOptions{Args: args})
}

// one returns the only column of the only row, nil when there is none.
func one(conn *sqlite.Conn, sql string, args ...any) (body []byte, err error) {
	err = sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		body = text(row, 0)
		return nil
	}})
	return body, err
}

// text copies a column: its memory is the row's.
func text(row *sqlite.Stmt, column int) []byte {
	b := make([]byte, row.ColumnLen(column))
	row.ColumnBytes(column, b)
	return b
}

func unreadable(kind, id string, err error) error {
	return fmt.Errorf("the %s %s in the store cannot be read: %w", kind, id, err)
}
