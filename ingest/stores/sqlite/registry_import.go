package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest/registry"
)

var _ registry.Store = (*Store)(nil)

// Import keeps a registry, see registry.Store.
func (s *Store) Import(ctx context.Context, reg *registry.Registry, author string, at time.Time) (registry.Changes, error) {
	var changes registry.Changes
	if author == "" {
		return changes, errors.New("import the registry: an author is needed, every version is kept under a name")
	}
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		im := importer{ctx: ctx, conn: conn, author: author, reg: reg, at: at.UnixMilli()}
		if err := im.all(reg); err != nil {
			return err
		}
		changes = im.changes
		if changes.Added+changes.Changed == 0 {
			return nil
		}
		return execute(conn, "UPDATE registry_version SET version = version + 1")
	})
	if err != nil {
		return registry.Changes{}, fmt.Errorf("import the registry: %w; nothing was imported", err)
	}
	return changes, nil
}

// importer writes one import in one transaction.
type importer struct {
	ctx     context.Context
	conn    *sqlite.Conn
	author  string
	reg     *registry.Registry // what is imported
	at      int64
	changes registry.Changes
}

func (im *importer) all(reg *registry.Registry) error {
	for i := range reg.Teams {
		if _, err := im.put("registry_teams", "team", reg.Teams[i].ID, &reg.Teams[i]); err != nil {
			return err
		}
	}
	for i := range reg.Patients {
		if err := im.patient(&reg.Patients[i]); err != nil {
			return err
		}
	}
	for i := range reg.Devices {
		if err := im.device(reg.Devices[i]); err != nil {
			return err
		}
	}
	for i := range reg.Enrolments {
		if err := im.enrolment(&reg.Enrolments[i]); err != nil {
			return err
		}
	}
	for _, gone := range reg.Gone {
		if err := im.remove(gone); err != nil {
			return err
		}
	}
	return nil
}

// patient keeps the pseudonymous id with the rest and the traits apart. Both
// together count as one.
func (im *importer) patient(p *registry.Patient) error {
	before := im.changes
	if _, err := im.put("registry_patients", "patient", p.ID, pseudonym{p.ID}); err != nil {
		return err
	}
	added := im.changes.Added > before.Added
	im.changes = before
	changed, err := im.put("identities", "identity", p.ID, &p.Identity)
	if added && changed {
		im.changes = before
		im.changes.Added++
	}
	return err
}

// pseudonym is all that is kept of a patient beside the identity.
type pseudonym struct {
	ID string `json:"id"`
}

func (im *importer) device(d registry.Device) error {
	var stored *registry.Device
	body, err := one(im.conn, devices.one(), d.Name)
	if err != nil {
		return err
	}
	if body != nil {
		stored = new(registry.Device)
		if err := json.Unmarshal(body, stored); err != nil {
			return unreadable("device", d.Name, err)
		}
	}
	if password := d.TakeSecret(stored); password != "" {
		im.changes.Passwords = append(im.changes.Passwords, registry.Credential{Device: d.Name, Password: password})
	}
	_, err = im.put("registry_devices", "device", d.Name, &d)
	return err
}

func (im *importer) enrolment(e *registry.Enrolment) error {
	body, err := one(im.conn, enrolments.one(), e.ID)
	if err != nil {
		return err
	}
	if body != nil {
		var former registry.Enrolment
		if err := json.Unmarshal(body, &former); err != nil {
			return unreadable("enrolment", e.ID, err)
		}
		if err := registry.CheckReplace(&former, e, im.reg); err != nil {
			return err
		}
	}
	changed, err := im.put("registry_enrolments", "enrolment", e.ID, e)
	if err != nil || !changed {
		return err
	}
	since := im.at
	if body == nil {
		since = 0
	}
	if err := im.feed(e, since); err != nil {
		return err
	}
	return wake(im.conn, e.ID)
}

// feed notes which devices feed an enrolment, new ones since then, and which no
// longer do.
func (im *importer) feed(e *registry.Enrolment, since int64) error {
	named, err := json.Marshal(e.Devices)
	if err != nil {
		return err
	}
	const left = "FROM registry_feeds WHERE enrolment = ?1 AND device NOT IN (SELECT value FROM json_each(?2) WHERE type = 'text')"
	if err := im.run("INSERT OR REPLACE INTO registry_fed (device, enrolment, until, sum) SELECT device, enrolment, ?3, checksum(device, enrolment, ?3) "+left, e.ID, string(named), im.at); err != nil {
		return err
	}
	if err := im.run("DELETE "+left, e.ID, string(named)); err != nil {
		return err
	}
	for _, device := range e.Devices {
		if err := im.run("INSERT OR IGNORE INTO registry_feeds (device, enrolment, since, sum) VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3))", device, e.ID, since); err != nil {
			return err
		}
	}
	return nil
}

// put keeps one item and appends it to the history unless it is what is already
// kept.
func (im *importer) put(table, kind, id string, item any) (changed bool, err error) {
	if err := im.ctx.Err(); err != nil {
		return false, err
	}
	body, err := json.Marshal(item)
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	before, err := one(im.conn, "SELECT body FROM "+table+" WHERE id = ?", id)
	if err != nil {
		return false, err
	}
	if err := registry.CheckSeen(im.reg, kind, id, before); err != nil {
		return false, err
	}
	switch {
	case before == nil:
		im.changes.Added++
	case string(before) == string(body):
		im.changes.Unchanged++
		return false, nil
	default:
		im.changes.Changed++
	}
	if err := im.keep(table, id, body, item); err != nil {
		return false, fmt.Errorf("keep the %s %s: %w", kind, id, err)
	}
	if kind == "identity" {
		return true, im.run("INSERT INTO identity_history (id, at, author, body, sum) VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4))", id, im.at, im.author, string(body))
	}
	return true, im.run("INSERT INTO registry_history (kind, id, at, author, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, checksum(?1, ?2, ?3, ?4, ?5))", kind, id, im.at, im.author, string(body))
}

func (im *importer) keep(table, id string, body []byte, item any) error {
	if e, ok := item.(*registry.Enrolment); ok {
		return im.run("INSERT INTO registry_enrolments (id, body, patient, sum) VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3)) ON CONFLICT (id) DO UPDATE SET body = excluded.body, patient = excluded.patient, sum = excluded.sum", id, string(body), e.Patient)
	}
	return im.run("INSERT INTO "+table+" (id, body, sum) VALUES (?1, ?2, checksum(?1, ?2)) ON CONFLICT (id) DO UPDATE SET body = excluded.body, sum = excluded.sum", id, string(body))
}

// users says in SQL which enrolments name an item, by its kind.
var users = map[string]string{
	registry.KindTeam:    "body ->> 'team' = ?",
	registry.KindPatient: "patient = ?",
	registry.KindDevice:  "id IN (SELECT enrolment FROM registry_feeds WHERE device = ?)",
}

// remove takes out what no enrolment names. The history keeps that it is gone, as null.
func (im *importer) remove(item registry.Item) error {
	use, removable := users[item.Kind]
	if !removable {
		return fmt.Errorf("the %s: %w", item, registry.ErrUsed)
	}
	k := map[string]kept{registry.KindTeam: teams, registry.KindPatient: identities, registry.KindDevice: devices}[item.Kind]
	body, err := one(im.conn, k.one(), item.ID)
	if err != nil {
		return err
	}
	if body == nil {
		return fmt.Errorf("the %s is %w", item, registry.ErrNotFound)
	}
	if err := registry.CheckSeen(im.reg, k.name, item.ID, body); err != nil {
		return err
	}
	if used, err := one(im.conn, "SELECT id FROM registry_enrolments WHERE "+use+" LIMIT 1", item.ID); err != nil || used != nil {
		return errors.Join(err, fmt.Errorf("the %s: %w: %s", item, registry.ErrUsed, used))
	}
	im.changes.Changed++
	if err := im.run("DELETE FROM "+k.table+" WHERE id = ?", item.ID); err != nil {
		return err
	}
	if item.Kind == registry.KindPatient {
		if err := im.run("DELETE FROM registry_patients WHERE id = ?", item.ID); err != nil {
			return err
		}
	}
	return im.run("INSERT INTO registry_history (kind, id, at, author, body, sum) VALUES (?1, ?2, ?3, ?4, 'null', checksum(?1, ?2, ?3, ?4, 'null'))", item.Kind, item.ID, im.at, im.author)
}

func (im *importer) run(sql string, args ...any) error {
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
