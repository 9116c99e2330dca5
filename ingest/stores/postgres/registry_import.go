package postgres

import (
	"bytes"
	"context"
	"encoding/json"
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
	if author == "" {
		return registry.Changes{}, errors.New("import the registry: an author is needed, every version is kept under a name")
	}
	var changes registry.Changes
	err := s.Write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT version FROM registry_version FOR UPDATE"); err != nil {
			return fmt.Errorf("wait for other imports: %w", err)
		}
		im := importer{ctx: ctx, tx: tx, author: plain(author), reg: reg, at: nanos(at)}
		if err := im.all(reg); err != nil {
			return err
		}
		changes = im.changes
		if changes.Added+changes.Changed == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, "UPDATE registry_version SET version = version + 1")
		return err
	})
	if err != nil {
		return registry.Changes{}, fmt.Errorf("import the registry: %w; nothing was imported", err)
	}
	return changes, nil
}

// importer writes one import in one transaction, some thousand items at a time.
type importer struct {
	ctx     context.Context
	tx      pgx.Tx
	author  string
	reg     *registry.Registry // what is imported
	at      int64
	changes registry.Changes
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

func (im *importer) all(reg *registry.Registry) error {
	if err := chunks(reg.Teams, im.teams); err != nil {
		return err
	}
	if err := chunks(reg.Patients, im.patients); err != nil {
		return err
	}
	if err := chunks(reg.Devices, im.devices); err != nil {
		return err
	}
	if err := chunks(reg.Enrolments, im.enrolments); err != nil {
		return err
	}
	for _, gone := range reg.Gone {
		if err := im.remove(gone); err != nil {
			return err
		}
	}
	return nil
}

// users says in SQL which enrolments name an item, by its kind.
var users = map[string]string{
	registry.KindTeam:    "body ->> 'team' = $1",
	registry.KindPatient: "patient = $1",
	registry.KindDevice:  "id IN (SELECT enrolment FROM registry_feeds WHERE device = $1)",
}

// remove takes out what no enrolment names. The history keeps that it is gone, as null.
func (im *importer) remove(item registry.Item) error {
	_, removable := users[item.Kind]
	if !removable {
		return fmt.Errorf("the %s: %w", item, registry.ErrUsed)
	}
	k := map[string]kind{registry.KindTeam: teams, registry.KindPatient: identities, registry.KindDevice: devices}[item.Kind]
	before, err := formers(im, k, []string{item.ID}, func(id *string) string { return *id })
	if err != nil {
		return err
	}
	if before[0].former == nil {
		return fmt.Errorf("the %s is %w", item, registry.ErrNotFound)
	}
	var user string
	err = im.tx.QueryRow(im.ctx, "SELECT id FROM registry_enrolments WHERE "+users[item.Kind]+" LIMIT 1", item.ID).Scan(&user)
	if err == nil {
		return fmt.Errorf("the %s: %w: %s", item, registry.ErrUsed, user)
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look who names the %s: %w", item, err)
	}
	im.changes.Changed++
	tables := []string{k.table}
	if item.Kind == registry.KindPatient {
		tables = append(tables, patients.table)
	}
	for _, table := range tables {
		if _, err := im.tx.Exec(im.ctx, "DELETE FROM "+table+" WHERE id = $1", item.ID); err != nil {
			return fmt.Errorf("take the %s out: %w", item, err)
		}
	}
	_, err = im.tx.Exec(im.ctx, "INSERT INTO registry_history (kind, id, at, author, body) VALUES ($1, $2, $3, $4, 'null')", item.Kind, item.ID, im.at, im.author)
	return err
}

func chunks[T any](all []T, each func([]T) error) error {
	const size = 2_000
	for len(all) > 0 {
		n := min(size, len(all))
		if err := each(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// change is what an import has to say of one item.
type change struct {
	id           string
	former, next []byte // JSON; former is nil when it is new
}

func (im *importer) teams(list []registry.Team) error {
	changes, err := formers(im, teams, list, func(t *registry.Team) string { return t.ID })
	if err != nil {
		return err
	}
	for i := range list {
		if err := changes[i].become(&list[i]); err != nil {
			return err
		}
	}
	return im.put(teams, im.count(changes))
}

// patients keeps the pseudonymous ids with the rest and the traits apart. Both
// together count as one.
func (im *importer) patients(list []registry.Patient) error {
	id := func(p *registry.Patient) string { return p.ID }
	pseudonyms, err := formers(im, patients, list, id)
	if err != nil {
		return err
	}
	traits, err := formers(im, identities, list, id)
	if err != nil {
		return err
	}
	for i := range list {
		if err := errors.Join(pseudonyms[i].become(pseudonym{list[i].ID}), traits[i].become(&list[i].Identity)); err != nil {
			return err
		}
	}
	if err := im.put(patients, differing(pseudonyms)); err != nil {
		return err
	}
	return im.put(identities, im.count(traits))
}

// pseudonym is all that is kept of a patient beside the identity.
type pseudonym struct {
	ID string `json:"id"`
}

func (im *importer) devices(list []registry.Device) error {
	changes, err := formers(im, devices, list, func(d *registry.Device) string { return d.Name })
	if err != nil {
		return err
	}
	for i, device := range list {
		stored, err := stored[registry.Device](devices, changes[i])
		if err != nil {
			return err
		}
		if password := device.TakeSecret(stored); password != "" {
			im.changes.Passwords = append(im.changes.Passwords, registry.Credential{Device: device.Name, Password: password})
		}
		if err := changes[i].become(&device); err != nil {
			return err
		}
	}
	return im.put(devices, im.count(changes))
}

func (im *importer) enrolments(list []registry.Enrolment) error {
	changes, err := formers(im, enrolments, list, func(e *registry.Enrolment) string { return e.ID })
	if err != nil {
		return err
	}
	for i := range list {
		former, err := stored[registry.Enrolment](enrolments, changes[i])
		if err != nil {
			return err
		}
		if former != nil {
			if err := registry.CheckReplace(former, &list[i], im.reg); err != nil {
				return err
			}
		}
		if err := changes[i].become(&list[i]); err != nil {
			return err
		}
	}
	left := im.count(changes)
	if err := im.put(enrolments, left); err != nil {
		return err
	}
	if err := im.feed(list, changes); err != nil {
		return err
	}
	ids := make([]string, len(left))
	for i, c := range left {
		ids[i] = c.id
	}
	return wake(im.ctx, im.tx, ids)
}

// feed notes which devices feed the enrolments, new ones since now, and which no
// longer do.
func (im *importer) feed(list []registry.Enrolment, changes []change) error {
	ids := make([]string, len(list))
	var from, into []string
	var since []int64
	for i := range list {
		ids[i] = list[i].ID
		began := im.at
		if changes[i].former == nil {
			began = 0
		}
		for _, device := range list[i].Devices {
			from, into, since = append(from, device), append(into, list[i].ID), append(since, began)
		}
	}
	_, err := im.tx.Exec(im.ctx, `
		WITH gone AS (
			DELETE FROM registry_feeds WHERE enrolment = ANY ($1) AND (device, enrolment) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
			RETURNING device, enrolment)
		INSERT INTO registry_fed (device, enrolment, until) SELECT device, enrolment, $4 FROM gone
		ON CONFLICT (device, enrolment) DO UPDATE SET until = excluded.until`, ids, from, into, im.at)
	if err != nil {
		return fmt.Errorf("note which devices no longer feed the enrolments: %w", err)
	}
	_, err = im.tx.Exec(im.ctx, `INSERT INTO registry_feeds (device, enrolment, since)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING`, from, into, since)
	if err != nil {
		return fmt.Errorf("note which devices feed the enrolments: %w", err)
	}
	return nil
}

// formers looks up what the registry holds of each item, by place.
func formers[T any](im *importer, k kind, list []T, id func(*T) string) ([]change, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = id(&list[i])
	}
	rows, err := im.tx.Query(im.ctx, "SELECT k.id, "+k.body("k")+" FROM "+k.table+" k JOIN "+asked+" ON asked.id = k.id", ids)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.table, err)
	}
	kept := map[string][]byte{}
	var one change
	_, err = pgx.ForEachRow(rows, []any{&one.id, &one.former}, func() error {
		kept[one.id] = one.former
		one.former = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.table, err)
	}
	changes := make([]change, len(list))
	for i, id := range ids {
		changes[i] = change{id: id, former: kept[id]}
		if err := registry.CheckSeen(im.reg, k.name, id, kept[id]); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// stored reads what the registry holds of an item, nil when it is new.
func stored[T any](k kind, c change) (*T, error) {
	if c.former == nil {
		return nil, nil
	}
	former := new(T)
	if err := json.Unmarshal(c.former, former); err != nil {
		return nil, fmt.Errorf("the %s %s in the database cannot be read: %w", k.name, c.id, err)
	}
	return former, nil
}

func (c *change) become(item any) (err error) {
	if c.next, err = json.Marshal(item); err != nil {
		return fmt.Errorf("write %s: %w", c.id, err)
	}
	return nil
}

// count counts changes and returns those that change anything.
func (im *importer) count(changes []change) []change {
	left := differing(changes)
	im.changes.Unchanged += len(changes) - len(left)
	for _, c := range left {
		if c.former == nil {
			im.changes.Added++
		} else {
			im.changes.Changed++
		}
	}
	return left
}

func differing(changes []change) []change {
	var left []change
	for _, c := range changes {
		if !bytes.Equal(c.former, c.next) {
			left = append(left, c)
		}
	}
	return left
}

// put keeps items and appends them to the history.
func (im *importer) put(k kind, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	ids, bodies := make([]string, len(changes)), make([]string, len(changes))
	for i, c := range changes {
		ids[i], bodies[i] = c.id, string(c.next)
	}
	keep := "INSERT INTO " + k.table + " (id, body) SELECT id, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)"
	if k == enrolments {
		keep = "INSERT INTO registry_enrolments (id, body, patient) SELECT id, body::json, body::json ->> 'patient' FROM unnest($1::text[], $2::text[]) AS given (id, body)"
	}
	if _, err := im.tx.Exec(im.ctx, keep+" ON CONFLICT (id) DO UPDATE SET body = excluded.body", ids, bodies); err != nil {
		return fmt.Errorf("write %s: %w", k.table, err)
	}
	var err error
	if k.history == identities.history {
		_, err = im.tx.Exec(im.ctx, `INSERT INTO identity_history (id, at, author, body)
			SELECT id, $3, $4, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)`, ids, bodies, im.at, im.author)
	} else {
		_, err = im.tx.Exec(im.ctx, `INSERT INTO registry_history (kind, id, at, author, body)
			SELECT $5, id, $3, $4, body::json FROM unnest($1::text[], $2::text[]) AS given (id, body)`, ids, bodies, im.at, im.author, k.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", k.history, err)
	}
	return nil
}
