package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest/registry"
)

var _ registry.Store = (*Store)(nil)

// Import keeps a registry, see registry.Store. Imports of several nodes come one
// after the other.
func (s *Store) Import(ctx context.Context, reg *registry.Registry, author string, at time.Time) (registry.Changes, error) {
	return registry.Import(ctx, reg, author, func(do func(registry.Importing) error) error {
		return s.Write(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT version FROM registry_version FOR UPDATE"); err != nil {
				return fmt.Errorf("wait for other imports: %w", err)
			}
			return do(&importing{tx: tx, author: plain(author), at: nanos(at)})
		})
	})
}

// importing is registry.Importing in one transaction.
type importing struct {
	tx     pgx.Tx
	author string
	at     int64
}

// kind is one kind of item: where it is kept, and where its history.
type kind struct{ name, table, history string }

var (
	teams      = kind{"team", "registry_teams", "registry_history"}
	patients   = kind{"patient", "registry_patients", "registry_history"}
	devices    = kind{"device", "registry_devices", "registry_history"}
	enrolments = kind{"enrolment", "registry_enrolments", "registry_history"}
	identities = kind{"identity", "identities", "identity_history"}
)

// body is the body of an item in SQL, under an alias. Where it is damaged, the last
// version in the history takes its place: it is the same. Where that is damaged as well
// there is none.
func (k kind) body(alias string) string {
	of := ""
	if k.history == "registry_history" {
		of = "h.kind = '" + k.name + "' AND "
	}
	return "CASE WHEN " + intact(k.table, alias) + " THEN " + alias + ".body ELSE (SELECT h.body FROM " + k.history + " h WHERE " + of +
		"h.id = " + alias + ".id AND " + intact(k.history, "h") + " ORDER BY h.at DESC, h.seq DESC LIMIT 1) END"
}

// damaged names an item in SQL, under an alias, when it is damaged; empty otherwise.
func (k kind) damaged(alias string) string {
	return "CASE WHEN " + alias + ".id IS NULL OR " + intact(k.table, alias) + " THEN '' ELSE '" + k.table + " ' || " + alias + ".id END"
}

// all selects the bodies of a kind, and which are damaged; the rest of the statement
// follows.
func (k kind) all() string {
	return "SELECT " + k.body("k") + ", " + k.damaged("k") + " FROM " + k.table + " k "
}

// keptKinds says where the items of each kind are kept.
var keptKinds = map[string]kind{
	registry.KindTeam: teams, registry.KindPatient: patients, registry.KindIdentity: identities,
	registry.KindDevice: devices, registry.KindEnrolment: enrolments,
}

// Kept returns what is kept of items, see registry.Importing.
func (im *importing) Kept(ctx context.Context, kind string, ids []string) ([]registry.Kept, error) {
	k := keptKinds[kind]
	rows, err := im.tx.Query(ctx, "SELECT k.id, "+k.body("k")+", NOT "+intact(k.table, "k")+" FROM "+k.table+" k JOIN "+asked+" ON asked.id = k.id", ids)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.table, err)
	}
	kept := map[string]registry.Kept{}
	var id string
	var one registry.Kept
	_, err = pgx.ForEachRow(rows, []any{&id, &one.Body, &one.Damaged}, func() error {
		kept[id] = one
		one.Body = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.table, err)
	}
	list := make([]registry.Kept, len(ids))
	for i, id := range ids {
		list[i] = kept[id]
	}
	return list, nil
}

// Keep keeps items with their history, see registry.Importing.
func (im *importing) Keep(ctx context.Context, kind string, items []registry.Body) error {
	k := keptKinds[kind]
	ids, bodies := make([]string, len(items)), make([]string, len(items))
	for i, item := range items {
		ids[i], bodies[i] = item.ID, string(item.JSON)
	}
	keep := "INSERT INTO " + k.table + " (id, body) SELECT id, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)"
	if k == enrolments {
		keep = "INSERT INTO registry_enrolments (id, body, patient) SELECT id, body::json, body::json ->> 'patient' FROM unnest($1::text[], $2::text[]) AS given (id, body)"
	}
	if _, err := im.tx.Exec(ctx, keep+" ON CONFLICT (id) DO UPDATE SET body = excluded.body", ids, bodies); err != nil {
		return fmt.Errorf("write %s: %w", k.table, err)
	}
	var err error
	if k == identities {
		_, err = im.tx.Exec(ctx, `INSERT INTO identity_history (id, at, author, body)
			SELECT id, $3, $4, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)`, ids, bodies, im.at, im.author)
	} else {
		_, err = im.tx.Exec(ctx, `INSERT INTO registry_history (kind, id, at, author, body)
			SELECT $5, id, $3, $4, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)`, ids, bodies, im.at, im.author, k.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", k.history, err)
	}
	return nil
}

// Feed notes which devices feed enrolments, see registry.Importing.
func (im *importing) Feed(ctx context.Context, fed []registry.Fed) error {
	ids := make([]string, len(fed))
	var from, into []string
	var since []int64
	for i, f := range fed {
		ids[i] = f.Enrolment
		began := im.at
		if f.New {
			began = 0
		}
		for _, device := range f.Devices {
			from, into, since = append(from, device), append(into, f.Enrolment), append(since, began)
		}
	}
	_, err := im.tx.Exec(ctx, `
		WITH gone AS (
			DELETE FROM registry_feeds WHERE enrolment = ANY ($1) AND (device, enrolment) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
			RETURNING device, enrolment)
		INSERT INTO registry_fed (device, enrolment, until) SELECT device, enrolment, $4 FROM gone
		ON CONFLICT (device, enrolment) DO UPDATE SET until = excluded.until`, ids, from, into, im.at)
	if err != nil {
		return fmt.Errorf("note which devices no longer feed the enrolments: %w", err)
	}
	_, err = im.tx.Exec(ctx, `INSERT INTO registry_feeds (device, enrolment, since)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING`, from, into, since)
	if err != nil {
		return fmt.Errorf("note which devices feed the enrolments: %w", err)
	}
	return wake(ctx, im.tx, ids)
}

// naming says in SQL which enrolments name an item, by its kind.
var naming = map[string]string{
	registry.KindTeam:    "body ->> 'team' = $1",
	registry.KindPatient: "patient = $1",
	registry.KindDevice:  "id IN (SELECT enrolment FROM registry_feeds WHERE device = $1)",
}

// Naming returns an enrolment that names an item, see registry.Importing.
func (im *importing) Naming(ctx context.Context, item registry.Item) (enrolment string, err error) {
	err = im.tx.QueryRow(ctx, "SELECT id FROM registry_enrolments WHERE "+naming[item.Kind]+" LIMIT 1", item.ID).Scan(&enrolment)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("look who names the %s: %w", item, err)
	}
	return enrolment, nil
}

// Remove takes an item out, see registry.Importing.
func (im *importing) Remove(ctx context.Context, item registry.Item) error {
	tables := []string{keptKinds[item.Kind].table}
	if item.Kind == registry.KindPatient {
		tables = append(tables, identities.table)
	}
	for _, table := range tables {
		if _, err := im.tx.Exec(ctx, "DELETE FROM "+table+" WHERE id = $1", item.ID); err != nil {
			return fmt.Errorf("take the %s out: %w", item, err)
		}
	}
	_, err := im.tx.Exec(ctx, "INSERT INTO registry_history (kind, id, at, author, body) VALUES ($1, $2, $3, $4, 'null')", item.Kind, item.ID, im.at, im.author)
	return err
}

// Renew gives the registry its next version, see registry.Importing.
func (im *importing) Renew(ctx context.Context) error {
	_, err := im.tx.Exec(ctx, "UPDATE registry_version SET version = version + 1")
	return err
}
