package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/ingest/registry"
)

// assignments selects devices with the enrolments that they feed, see Device; the rest of
// the statement follows.
var assignments = `
		SELECT ` + devices.body("d") + `, ` + enrolments.body("e") + `, ` + devices.damaged("d") + `, ` + enrolments.damaged("e") + `,
			(SELECT greatest(max(g.until), CASE WHEN ` + intact("registry_feeds", "f") + ` THEN f.since ELSE 0 END) FROM registry_fed g JOIN registry_enrolments o ON o.id = g.enrolment
			WHERE g.device = d.id AND o.patient <> e.patient HAVING count(*) > 0)
		FROM registry_devices d
		LEFT JOIN registry_feeds f ON f.device = d.id LEFT JOIN registry_enrolments e ON e.id = f.enrolment
`

// Device returns a device with the enrolments it feeds, see ingest.Directory.
// One query, so that both are of the same commit.
func (s *Store) Device(ctx context.Context, name string) (*registry.Assignment, error) {
	rows, err := s.pool.Query(ctx, assignments+"WHERE d.id = $1 ORDER BY e.id", plain(name))
	if err != nil {
		return nil, fmt.Errorf("read the device %s: %w", name, err)
	}
	var a registry.Assignment
	var device, enrolment []byte
	var since *int64
	var damaged [2]string
	read, err := pgx.ForEachRow(rows, []any{&device, &enrolment, &damaged[0], &damaged[1], &since}, func() error {
		s.met.tellItem(damaged[0])
		s.met.tellItem(damaged[1])
		if enrolment == nil {
			return nil
		}
		var e registry.Enrolment
		a.Enrolments, a.Since = append(a.Enrolments, e), append(a.Since, perhapsTime(since))
		return json.Unmarshal(enrolment, &a.Enrolments[len(a.Enrolments)-1])
	})
	if err == nil && read.RowsAffected() == 0 {
		return nil, fmt.Errorf("the device %s is %w", name, registry.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal(device, &a.Device)
	}
	if err != nil {
		return nil, fmt.Errorf("read the device %s: %w", name, err)
	}
	return &a, nil
}

// heldAtOnce is how many items one question of Holding is about.
const heldAtOnce = 2_000

// asked are many names of one question. They are joined: a list after = ANY is compared
// with row after row where the planner does not know the table yet.
const asked = `(SELECT unnest($1::text[]) COLLATE "C" AS id) asked`

// Holding returns what the registry holds of a document, see registry.Holder.
func (s *Store) Holding(ctx context.Context, reg *registry.Registry) (*registry.Holding, error) {
	holding := registry.Holding{Devices: map[string]*registry.Assignment{}, Enrolments: map[string]*registry.Enrolment{}, Twins: map[string]string{}}
	devices, ids := reg.Named()
	for names := range slices.Chunk(devices, heldAtOnce) {
		if err := s.holdDevices(ctx, names, holding.Devices); err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(ids, heldAtOnce) {
		list, err := keptItems[registry.Enrolment](ctx, &s.met, s.pool, "enrolments", enrolments.all()+"JOIN "+asked+" ON asked.id = k.id", some)
		if err != nil {
			return nil, err
		}
		for i := range list {
			holding.Enrolments[list[i].ID] = &list[i]
		}
	}
	for some := range slices.Chunk(reg.Patients, heldAtOnce) {
		if err := s.holdTwins(ctx, some, holding.Twins); err != nil {
			return nil, err
		}
	}
	return &holding, nil
}

func (s *Store) holdDevices(ctx context.Context, names []string, into map[string]*registry.Assignment) error {
	rows, err := s.pool.Query(ctx, assignments+"JOIN "+asked+" ON asked.id = d.id ORDER BY d.id, e.id", names)
	if err != nil {
		return fmt.Errorf("read %d devices: %w", len(names), err)
	}
	var device, enrolment []byte
	var since *int64
	var damaged [2]string
	var a *registry.Assignment
	_, err = pgx.ForEachRow(rows, []any{&device, &enrolment, &damaged[0], &damaged[1], &since}, func() error {
		s.met.tellItem(damaged[0])
		s.met.tellItem(damaged[1])
		var next registry.Device
		if err := json.Unmarshal(device, &next); err != nil {
			return err
		}
		if a == nil || a.Device.Name != next.Name {
			a = &registry.Assignment{Device: next}
			into[next.Name] = a
		}
		if enrolment == nil {
			return nil
		}
		var e registry.Enrolment
		err := json.Unmarshal(enrolment, &e)
		a.Enrolments, a.Since = append(a.Enrolments, e), append(a.Since, perhapsTime(since))
		return err
	})
	if err != nil {
		return fmt.Errorf("read %d devices: %w", len(names), err)
	}
	return nil
}

func (s *Store) holdTwins(ctx context.Context, patients []registry.Patient, into map[string]string) error {
	ids, matricules := make([]string, len(patients)), make([]string, len(patients))
	for i := range patients {
		ids[i], matricules[i] = plain(patients[i].ID), plain(patients[i].Identity.INS)
	}
	rows, err := s.pool.Query(ctx, `SELECT given.id, k.id FROM unnest($1::text[], $2::text[]) AS given (id, ins)
		JOIN identities k ON k.body ->> 'ins' = given.ins AND k.id <> given.id`, ids, matricules)
	if err != nil {
		return fmt.Errorf("look for the same INS: %w", err)
	}
	var id, other string
	_, err = pgx.ForEachRow(rows, []any{&id, &other}, func() error { into[id] = other; return nil })
	if err != nil {
		return fmt.Errorf("look for the same INS: %w", err)
	}
	return nil
}

// Enrolment returns one enrolment, see ingest.Directory.
func (s *Store) Enrolment(ctx context.Context, id string) (*registry.Enrolment, error) {
	return keptItem[registry.Enrolment](ctx, &s.met, s.pool, "enrolment", enrolments.all()+"WHERE k.id = $1", plain(id))
}

// FedUntil returns until when a device fed an enrolment, see ingest.Directory.
func (s *Store) FedUntil(ctx context.Context, device, enrolment string) (until time.Time, err error) {
	var at int64
	err = s.pool.QueryRow(ctx, "SELECT until FROM registry_fed k WHERE device = $1 AND enrolment = $2 AND "+intact("registry_fed", "k"), plain(device), plain(enrolment)).Scan(&at)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return until, nil
	case err != nil:
		return until, fmt.Errorf("read until when the device %s fed the enrolment %s: %w", device, enrolment, err)
	}
	return fromNanos(at), nil
}

// mergedPatients selects the records that are merged into another, by an index that holds
// no other record. That they come in its order is what has the planner take it.
var mergedPatients = patients.all() + `WHERE k.body -> 'merged' ->> 'into' <> '' ORDER BY k.id COLLATE "C"`

// Merges is registry.Store.Merges.
func (s *Store) Merges(ctx context.Context) (merges []registry.Merge, err error) {
	records, err := keptItems[registry.Pseudonym](ctx, &s.met, s.pool, "patients", mergedPatients)
	for _, p := range records {
		if p.Merged != nil { // a damaged row may be older than the merge
			merges = append(merges, *p.Merged)
		}
	}
	return merges, err
}

// PatientsFed is registry.Store.PatientsFed.
func (s *Store) PatientsFed(ctx context.Context, device string) (patients []string, err error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT patient COLLATE "C" AS patient FROM registry_enrolments WHERE id IN (
		SELECT enrolment FROM registry_feeds WHERE device = $1 UNION ALL SELECT enrolment FROM registry_fed WHERE device = $1) ORDER BY patient`, plain(device))
	if err == nil {
		patients, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("list the patients of the device %s: %w", device, err)
	}
	return patients, nil
}

// Team returns one care team, see registry.Known.
func (s *Store) Team(ctx context.Context, id string) (*registry.Team, error) {
	return keptItem[registry.Team](ctx, &s.met, s.pool, "team", teams.all()+"WHERE k.id = $1", plain(id))
}

// HasPatient reports whether a patient is known, see registry.Known.
func (s *Store) HasPatient(ctx context.Context, id string) (known bool, err error) {
	err = s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM registry_patients WHERE id = $1)", plain(id)).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for patient %s: %w", id, err)
	}
	return known, nil
}

const registryVersion = "SELECT version FROM registry_version"

// RegistryVersion grows with every change of the registry, see ingest.Directory.
func (s *Store) RegistryVersion(ctx context.Context) (version int64, err error) {
	err = s.pool.QueryRow(ctx, registryVersion).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the version of the registry: %w", err)
	}
	return version, nil
}

// Teams lists every care team, see registry.Store.
func (s *Store) Teams(ctx context.Context) ([]registry.Team, error) {
	return keptItems[registry.Team](ctx, &s.met, s.pool, "teams", teams.all()+"ORDER BY k.id")
}

// EnrolmentsOf lists the enrolments of a patient, see registry.Store.
func (s *Store) EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error) {
	return keptItems[registry.Enrolment](ctx, &s.met, s.pool, "enrolments",
		enrolments.all()+"WHERE patient = $1 ORDER BY (body ->> 'from')::timestamptz, k.id", plain(patient))
}

// EnrolmentsUnder lists the enrolments under a protocol, see registry.Store.
func (s *Store) EnrolmentsUnder(ctx context.Context, protocol string) ([]registry.Enrolment, error) {
	return keptItems[registry.Enrolment](ctx, &s.met, s.pool, "enrolments",
		enrolments.all()+"WHERE body ->> 'protocol' = $1 ORDER BY k.id", plain(protocol))
}

// EnrolmentAt returns an enrolment as it was, see registry.Store.
func (s *Store) EnrolmentAt(ctx context.Context, id string, t time.Time) (*registry.Enrolment, error) {
	return keptItem[registry.Enrolment](ctx, &s.met, s.pool, "enrolment",
		"SELECT body, '' FROM registry_history k WHERE kind = 'enrolment' AND id = $1 AND at <= $2 AND "+intact("registry_history", "k")+" ORDER BY at DESC, seq DESC LIMIT 1", plain(id), nanos(t))
}

// Versions lists the history of an enrolment, see registry.Store.
func (s *Store) Versions(ctx context.Context, id string) ([]registry.Version, error) {
	rows, err := s.pool.Query(ctx, "SELECT at, author, body FROM registry_history k WHERE kind = 'enrolment' AND id = $1 AND "+intact("registry_history", "k")+" ORDER BY at, seq", plain(id))
	if err != nil {
		return nil, fmt.Errorf("read the history of enrolment %s: %w", id, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v registry.Version, err error) {
		var at int64
		err = row.Scan(&at, &v.Author, &v.Enrolment)
		v.At = fromNanos(at)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of enrolment %s: %w", id, err)
	}
	return list, nil
}

// Identity returns the traits of a patient and logs the access in the same
// transaction, see registry.Store.
func (s *Store) Identity(ctx context.Context, patient string, access registry.Access) (identity *registry.Identity, err error) {
	err = s.Write(ctx, func(tx pgx.Tx) error {
		if err := logAccesses(ctx, tx, []string{patient}, access); err != nil {
			return err
		}
		identity, err = keptItem[registry.Identity](ctx, &s.met, tx, "identity of", identities.all()+"WHERE k.id = $1", plain(patient))
		return err
	})
	if err != nil {
		return nil, err
	}
	return identity, nil
}

// IdentityVersions lists what was kept of an identity, see registry.Store.
func (s *Store) IdentityVersions(ctx context.Context, patient string, access registry.Access) (list []registry.IdentityVersion, err error) {
	err = s.Write(ctx, func(tx pgx.Tx) error {
		if err := logAccesses(ctx, tx, []string{patient}, access); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT at, author, body FROM identity_history k WHERE id = $1 AND "+intact("identity_history", "k")+" ORDER BY at, seq", plain(patient))
		if err != nil {
			return fmt.Errorf("read the history of the identity of %s: %w", patient, err)
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (v registry.IdentityVersion, err error) {
			var at int64
			err = row.Scan(&at, &v.Author, &v.Identity)
			v.At = fromNanos(at)
			return v, err
		})
		if err != nil {
			return fmt.Errorf("read the history of the identity of %s: %w", patient, err)
		}
		return nil
	})
	return list, err
}

func logAccesses(ctx context.Context, tx pgx.Tx, patients []string, access registry.Access) error {
	if access.Author == "" || access.Reason == "" {
		return errors.New("an identity is read by somebody and for a reason: give both")
	}
	for i := range patients {
		patients[i] = plain(patients[i])
	}
	_, err := tx.Exec(ctx, "INSERT INTO identity_accesses (id, at, author, reason) SELECT id, $2, $3, $4 FROM unnest($1::text[]) AS id",
		patients, nanos(access.At), plain(access.Author), plain(access.Reason))
	if err != nil {
		return fmt.Errorf("log the access to identities: %w", err)
	}
	return nil
}

// Accesses lists who read an identity, see registry.Store.
func (s *Store) Accesses(ctx context.Context, patient string) ([]registry.Access, error) {
	rows, err := s.pool.Query(ctx, "SELECT at, author, reason FROM identity_accesses WHERE id = $1 ORDER BY seq", plain(patient))
	if err != nil {
		return nil, fmt.Errorf("list who read the identity of %s: %w", patient, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a registry.Access, err error) {
		var at int64
		err = row.Scan(&at, &a.Author, &a.Reason)
		a.At = fromNanos(at)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list who read the identity of %s: %w", patient, err)
	}
	return list, nil
}

// Export returns the whole registry, see registry.Store.
func (s *Store) Export(ctx context.Context, access registry.Access) (reg registry.Registry, err error) {
	err = s.Write(ctx, func(tx pgx.Tx) (err error) {
		// One view for all of it: an import may be under way.
		if _, err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
			return err
		}
		if reg.Teams, err = keptItems[registry.Team](ctx, &s.met, tx, "teams", teams.all()+"ORDER BY k.id"); err != nil {
			return err
		}
		if reg.Devices, err = keptItems[registry.Device](ctx, &s.met, tx, "devices", devices.all()+"ORDER BY k.id"); err != nil {
			return err
		}
		if reg.Enrolments, err = keptItems[registry.Enrolment](ctx, &s.met, tx, "enrolments", enrolments.all()+"ORDER BY k.id"); err != nil {
			return err
		}
		if reg.Patients, err = exportPatients(ctx, tx, access); err != nil {
			return err
		}
		merged, err := keptItems[registry.Pseudonym](ctx, &s.met, tx, "patients", mergedPatients)
		reg.Merges = registry.Standing(merged)
		return err
	})
	if err != nil {
		return registry.Registry{}, fmt.Errorf("export the registry: %w", err)
	}
	return reg, nil
}

// Faces lists every patient by name, see registry.Store.
func (s *Store) Faces(ctx context.Context) ([]registry.Face, error) {
	return s.faces(ctx, "", "")
}

// FacesOf lists some patients by name, see registry.Store.
func (s *Store) FacesOf(ctx context.Context, patients []string) ([]registry.Face, error) {
	ids := make([]string, len(patients))
	for i, id := range patients {
		ids[i] = plain(id)
	}
	return s.faces(ctx, "JOIN "+asked+` ON k.patient = asked.id COLLATE "default" `, "JOIN "+asked+" ON p.id = asked.id ", ids)
}

// faces lists the patients of a part of the registry, which is said of the enrolments and
// of the patients.
func (s *Store) faces(ctx context.Context, ofEnrolments, ofPatients string, args ...any) ([]registry.Face, error) {
	patients, err := identified(ctx, s.pool, ofPatients, args...)
	if err != nil {
		return nil, err
	}
	under, err := keptItems[registry.Enrolment](ctx, &s.met, s.pool, "enrolments", enrolments.all()+ofEnrolments, args...)
	if err != nil {
		return nil, err
	}
	return registry.Faces(patients, under), nil
}

// Touched lists what has changed since a mark, see registry.Store. Imports come one after
// the other, so that the numbers of their rows do too.
func (s *Store) Touched(ctx context.Context, since registry.Mark) (registry.Touched, error) {
	var now registry.Mark
	err := s.pool.QueryRow(ctx, "SELECT version, (SELECT coalesce(max(seq), 0) FROM registry_history), (SELECT coalesce(max(seq), 0) FROM identity_history) FROM registry_version").
		Scan(&now.Version, &now.Items, &now.Identities)
	if err != nil {
		return registry.Touched{}, fmt.Errorf("ask how far the registry has changed: %w", err)
	}
	if since == (registry.Mark{}) {
		return registry.Touch(since, now, nil), nil
	}
	rows, err := s.pool.Query(ctx, `SELECT h.kind, h.id, h.author, h.at, coalesce(e.patient, '') FROM registry_history h
			LEFT JOIN registry_enrolments e ON h.kind = 'enrolment' AND e.id = h.id WHERE h.seq > $1 AND h.seq <= $2
		UNION ALL SELECT 'identity', id, author, at, '' FROM identity_history WHERE seq > $3 AND seq <= $4 LIMIT $5`,
		since.Items, now.Items, since.Identities, now.Identities, registry.MostTouched+1)
	if err != nil {
		return registry.Touched{}, fmt.Errorf("list what has changed in the registry: %w", err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[registry.HistoryRow])
	if err != nil {
		return registry.Touched{}, fmt.Errorf("list what has changed in the registry: %w", err)
	}
	return registry.Touch(since, now, changes), nil
}

// identified reads patients with the identity, by id; a part of them where it is said which.
func identified(ctx context.Context, db querier, part string, args ...any) ([]registry.Patient, error) {
	rows, err := db.Query(ctx, "SELECT p.id, "+identities.body("i")+" FROM registry_patients p JOIN identities i ON i.id = p.id "+part+"ORDER BY p.id", args...)
	if err != nil {
		return nil, fmt.Errorf("read the patients: %w", err)
	}
	patients, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p registry.Patient, err error) {
		return p, row.Scan(&p.ID, &p.Identity)
	})
	if err != nil {
		return nil, fmt.Errorf("read the patients: %w", err)
	}
	return patients, nil
}

func exportPatients(ctx context.Context, tx pgx.Tx, access registry.Access) ([]registry.Patient, error) {
	patients, err := identified(ctx, tx, "")
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(patients))
	for i := range patients {
		ids[i] = patients[i].ID
	}
	return patients, logAccesses(ctx, tx, ids, access)
}

// items reads several, each from one column of JSON.
func items[T any](ctx context.Context, db querier, what, sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one T, err error) { return one, row.Scan(&one) })
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return list, nil
}

// keptItem reads one item of the registry; the first argument is its id.
func keptItem[T any](ctx context.Context, met *met, db querier, kind, sql string, args ...any) (*T, error) {
	list, err := keptItems[T](ctx, met, db, fmt.Sprintf("%s %v", kind, args[0]), sql, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the %s %v is %w", kind, args[0], registry.ErrNotFound)
	}
	return &list[0], nil
}

// keptItems reads several, each from its JSON and what is told of it, see kind.all.
func keptItems[T any](ctx context.Context, met *met, db querier, what, sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one T, err error) {
		var body []byte
		var damaged string
		if err := row.Scan(&body, &damaged); err != nil {
			return one, err
		}
		met.tellItem(damaged)
		if body == nil {
			return one, ingest.ErrDamaged
		}
		return one, json.Unmarshal(body, &one)
	})
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return list, nil
}

// Devices lists devices, see registry.Store.
func (s *Store) Devices(ctx context.Context, after string, limit int) ([]registry.Device, error) {
	return keptItems[registry.Device](ctx, &s.met, s.pool, "devices", devices.all()+"WHERE k.id > $1 ORDER BY k.id LIMIT $2", plain(after), limit)
}

// Enrolments lists enrolments, see registry.Store.
func (s *Store) Enrolments(ctx context.Context, after string, limit int) ([]registry.Enrolment, error) {
	return keptItems[registry.Enrolment](ctx, &s.met, s.pool, "enrolments", enrolments.all()+"WHERE k.id > $1 ORDER BY k.id LIMIT $2", plain(after), limit)
}

// PatientsWithINS lists who has a matricule, see registry.Store.
func (s *Store) PatientsWithINS(ctx context.Context, ins string) ([]string, error) {
	rows, err := s.pool.Query(ctx, "SELECT id FROM identities WHERE body ->> 'ins' = $1 ORDER BY id", plain(ins))
	if err != nil {
		return nil, fmt.Errorf("look who has a matricule: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
