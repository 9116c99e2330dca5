package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/ingest/registry"
)

// Device returns a device with the enrolments it feeds, see ingest.Directory.
func (s *Store) Device(ctx context.Context, name string) (*registry.Assignment, error) {
	var found *registry.Assignment
	err := s.near(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT `+devices.body("d")+`, `+enrolments.body("e")+`, (SELECT max(max(g.until), CASE WHEN `+intactRow("f", "device, enrolment, since")+` THEN f.since ELSE coalesce(tell('registry_feeds', f.device || ' ' || f.enrolment), 0) END)
				FROM registry_fed g JOIN registry_enrolments o ON o.id = g.enrolment
				WHERE g.device = d.id AND o.patient <> e.patient)
			FROM registry_devices d
			LEFT JOIN registry_feeds f ON f.device = d.id LEFT JOIN registry_enrolments e ON e.id = f.enrolment
			WHERE d.id = ? ORDER BY f.enrolment`, &sqlitex.ExecOptions{Args: []any{name}, ResultFunc: func(row *sqlite.Stmt) error {
			if found == nil {
				found = new(registry.Assignment)
				if err := json.Unmarshal(text(row, 0), &found.Device); err != nil {
					return unreadable("device", name, err)
				}
			}
			if row.ColumnIsNull(1) {
				return nil
			}
			var e registry.Enrolment
			if err := json.Unmarshal(text(row, 1), &e); err != nil {
				return unreadable("enrolment of device", name, err)
			}
			found.Enrolments = append(found.Enrolments, e)
			found.Since = append(found.Since, columnTime(row, 2))
			return nil
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("read the device %s: %w", name, err)
	}
	if found == nil {
		return nil, fmt.Errorf("the device %s is %w", name, registry.ErrNotFound)
	}
	return found, nil
}

// Enrolment returns one enrolment, see ingest.Directory.
func (s *Store) Enrolment(ctx context.Context, id string) (*registry.Enrolment, error) {
	return read[registry.Enrolment](ctx, s.near, "enrolment", enrolments.one(), id)
}

// Holding returns what the registry holds of a document, see registry.Holder. A question
// to a file in this process is cheap: each item is asked for by itself.
func (s *Store) Holding(ctx context.Context, reg *registry.Registry) (*registry.Holding, error) {
	holding := registry.Holding{Devices: map[string]*registry.Assignment{}, Enrolments: map[string]*registry.Enrolment{}, Twins: map[string]string{}}
	devices, enrolments := reg.Named()
	if err := askAll(ctx, devices, holding.Devices, s.Device); err != nil {
		return nil, err
	}
	if err := askAll(ctx, enrolments, holding.Enrolments, s.Enrolment); err != nil {
		return nil, err
	}
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		for i := range reg.Patients {
			p := &reg.Patients[i]
			err := sqlitex.Execute(conn, "SELECT id FROM identities WHERE body ->> 'ins' = ? AND id <> ? LIMIT 1", &sqlitex.ExecOptions{
				Args:       []any{p.Identity.INS, p.ID},
				ResultFunc: func(row *sqlite.Stmt) error { holding.Twins[p.ID] = row.ColumnText(0); return nil },
			})
			if err != nil {
				return fmt.Errorf("look for the same INS: %w", err)
			}
		}
		return nil
	})
	return &holding, err
}

// askAll asks for every name and keeps what is there.
func askAll[T any](ctx context.Context, names []string, into map[string]*T, ask func(context.Context, string) (*T, error)) error {
	for _, name := range names {
		item, err := ask(ctx, name)
		if err == nil {
			into[name] = item
		} else if !errors.Is(err, registry.ErrNotFound) {
			return err
		}
	}
	return nil
}

// FedUntil returns until when a device fed an enrolment, see ingest.Directory.
func (s *Store) FedUntil(ctx context.Context, device, enrolment string) (until time.Time, err error) {
	err = s.near(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT until FROM registry_fed g WHERE device = ? AND enrolment = ? AND ("+intactRow("g", "device, enrolment, until")+" OR tell('registry_fed', device || ' ' || enrolment))", &sqlitex.ExecOptions{
			Args:       []any{device, enrolment},
			ResultFunc: func(row *sqlite.Stmt) error { until = columnTime(row, 0); return nil },
		})
	})
	if err != nil {
		return until, fmt.Errorf("read until when the device %s fed the enrolment %s: %w", device, enrolment, err)
	}
	return until, nil
}

// mergedPatients selects the records that are merged into another, by an index that holds
// no other record.
var mergedPatients = patients.all() + "WHERE " + merged("k.") + " ORDER BY k.id"

// Merges is registry.Store.Merges.
func (s *Store) Merges(ctx context.Context) (merges []registry.Merge, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, mergedPatients, &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlite.Stmt) error {
				var p registry.Pseudonym
				if json.Unmarshal(text(row, 0), &p) == nil && p.Merged != nil { // else it is damaged, and told
					merges = append(merges, *p.Merged)
				}
				return nil
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the merges of patients: %w", err)
	}
	return merges, nil
}

// PatientsFed is registry.Store.PatientsFed.
func (s *Store) PatientsFed(ctx context.Context, device string) (patients []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT DISTINCT patient FROM registry_enrolments WHERE id IN (
			SELECT enrolment FROM registry_feeds WHERE device = ?1 UNION ALL SELECT enrolment FROM registry_fed WHERE device = ?1) ORDER BY patient`, &sqlitex.ExecOptions{
			Args:       []any{device},
			ResultFunc: func(row *sqlite.Stmt) error { patients = append(patients, row.ColumnText(0)); return nil },
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the patients of the device %s: %w", device, err)
	}
	return patients, nil
}

// Team returns one care team, see registry.Known.
func (s *Store) Team(ctx context.Context, id string) (*registry.Team, error) {
	return read[registry.Team](ctx, s.Read, "team", teams.one(), id)
}

// HasPatient reports whether a patient is known, see registry.Known.
func (s *Store) HasPatient(ctx context.Context, id string) (bool, error) {
	_, err := read[registry.Pseudonym](ctx, s.Read, "patient", patients.one(), id)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RegistryVersion grows with every change of the registry, see ingest.Directory.
// While a batch is committed nobody else can change it.
func (s *Store) RegistryVersion(ctx context.Context) (version int64, err error) {
	if held := s.held.Load(); held != nil {
		return *held, nil
	}
	err = s.near(ctx, func(conn *sqlite.Conn) error {
		version, err = registryVersion(conn)
		return err
	})
	return version, err
}

func registryVersion(conn *sqlite.Conn) (int64, error) {
	stmt, err := conn.Prepare("SELECT version FROM registry_version")
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
}

// EnrolmentsOf lists the enrolments of a patient, see registry.Store.
func (s *Store) EnrolmentsOf(ctx context.Context, patient string) (list []registry.Enrolment, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) (err error) {
		list, err = items[registry.Enrolment](conn, "enrolment", enrolments.all()+"WHERE patient = ? ORDER BY body ->> 'from', id", patient)
		return err
	})
	own := slices.DeleteFunc(list, func(e registry.Enrolment) bool { return e.Patient != patient })
	if len(own) < len(list) { // an index led to another's
		s.met.tell(ingest.Damage{Table: "registry_enrolments", Row: "an index", Patient: patient})
	}
	return own, err
}

// EnrolmentsUnder lists the enrolments under a protocol, see registry.Store.
func (s *Store) EnrolmentsUnder(ctx context.Context, protocol string) (list []registry.Enrolment, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) (err error) {
		list, err = items[registry.Enrolment](conn, "enrolment", enrolments.all()+"WHERE body ->> 'protocol' = ? ORDER BY id", protocol)
		return err
	})
	return list, err
}

// EnrolmentAt returns an enrolment as it was, see registry.Store.
func (s *Store) EnrolmentAt(ctx context.Context, id string, t time.Time) (*registry.Enrolment, error) {
	return read[registry.Enrolment](ctx, s.Read, "enrolment",
		"SELECT body "+intactHistory+"AND at <= ?2 ORDER BY at DESC, seq DESC LIMIT 1", id, t.UnixMilli())
}

// Versions lists the history of an enrolment, see registry.Store.
func (s *Store) Versions(ctx context.Context, id string) (list []registry.Version, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT at, author, body "+intactHistory+"ORDER BY at, seq", &sqlitex.ExecOptions{
			Args: []any{id},
			ResultFunc: func(row *sqlite.Stmt) error {
				v := registry.Version{At: time.UnixMilli(row.ColumnInt64(0)).UTC(), Author: row.ColumnText(1)}
				if err := json.Unmarshal(text(row, 2), &v.Enrolment); err != nil {
					return unreadable("enrolment", id, err)
				}
				list = append(list, v)
				return nil
			},
		})
	})
	return list, err
}

// Identity returns the traits of a patient and logs the access in the same
// transaction, see registry.Store.
func (s *Store) Identity(ctx context.Context, patient string, access registry.Access) (*registry.Identity, error) {
	var identity registry.Identity
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		if err := logAccess(conn, patient, access); err != nil {
			return err
		}
		return item(conn, "identity of", identities.one(), patient, &identity)
	})
	if err != nil {
		return nil, err
	}
	return &identity, nil
}

// IdentityVersions lists what was kept of an identity, see registry.Store.
func (s *Store) IdentityVersions(ctx context.Context, patient string, access registry.Access) (list []registry.IdentityVersion, err error) {
	err = s.Write(ctx, func(conn *sqlite.Conn) error {
		if err := logAccess(conn, patient, access); err != nil {
			return err
		}
		list = nil
		return sqlitex.Execute(conn, "SELECT at, author, body FROM identity_history WHERE id = ?1 AND (sum IS checksum(?1, at, author, body) OR tell('identity_history', seq)) ORDER BY at, seq", &sqlitex.ExecOptions{
			Args: []any{patient},
			ResultFunc: func(row *sqlite.Stmt) error {
				v := registry.IdentityVersion{At: time.UnixMilli(row.ColumnInt64(0)).UTC(), Author: row.ColumnText(1)}
				if err := json.Unmarshal(text(row, 2), &v.Identity); err != nil {
					return unreadable("identity of", patient, err)
				}
				list = append(list, v)
				return nil
			},
		})
	})
	return list, err
}

func logAccess(conn *sqlite.Conn, patient string, access registry.Access) error {
	if access.Author == "" || access.Reason == "" {
		return errors.New("an identity is read by somebody and for a reason: give both")
	}
	return sqlitex.Execute(conn, "INSERT INTO identity_accesses (id, at, author, reason, sum) VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4))",
		&sqlitex.ExecOptions{Args: []any{patient, access.At.UnixMilli(), access.Author, access.Reason}})
}

// Accesses lists who read an identity, see registry.Store.
func (s *Store) Accesses(ctx context.Context, patient string) (list []registry.Access, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT at, author, reason FROM identity_accesses WHERE id = ?1 AND (sum IS checksum(?1, at, author, reason) OR tell('identity_accesses', seq)) ORDER BY seq", &sqlitex.ExecOptions{
			Args: []any{patient},
			ResultFunc: func(row *sqlite.Stmt) error {
				list = append(list, registry.Access{At: time.UnixMilli(row.ColumnInt64(0)).UTC(), Author: row.ColumnText(1), Reason: row.ColumnText(2)})
				return nil
			},
		})
	})
	return list, err
}

// Faces lists every patient by name, see registry.Store.
func (s *Store) Faces(ctx context.Context) ([]registry.Face, error) {
	return s.faces(ctx, "", "")
}

// FacesOf lists some patients by name, see registry.Store.
func (s *Store) FacesOf(ctx context.Context, patients []string) ([]registry.Face, error) {
	ids, err := json.Marshal(patients)
	if err != nil {
		return nil, err
	}
	const these = "IN (SELECT value FROM json_each(?) WHERE type = 'text') "
	return s.faces(ctx, "WHERE k.patient "+these, "WHERE k.id "+these, string(ids))
}

// faces lists the patients of a part of the registry, which is said of the enrolments and
// of the identities.
func (s *Store) faces(ctx context.Context, ofEnrolments, ofIdentities string, args ...any) ([]registry.Face, error) {
	var list []registry.Patient
	var under []registry.Enrolment
	err := s.Read(ctx, func(conn *sqlite.Conn) (err error) {
		if under, err = items[registry.Enrolment](conn, "enrolment", enrolments.all()+ofEnrolments, args...); err != nil {
			return err
		}
		return sqlitex.Execute(conn, "SELECT k.id, "+identities.body("k")+" FROM identities k "+ofIdentities+"ORDER BY k.id", &sqlitex.ExecOptions{
			Args: args,
			ResultFunc: func(row *sqlite.Stmt) error {
				p := registry.Patient{ID: row.ColumnText(0)}
				if err := json.Unmarshal(text(row, 1), &p.Identity); err != nil {
					return unreadable("identity of", p.ID, err)
				}
				list = append(list, p)
				return nil
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the patients: %w", err)
	}
	return registry.Faces(list, under), nil
}

// Touched lists what has changed since a mark, see registry.Store.
func (s *Store) Touched(ctx context.Context, since registry.Mark) (registry.Touched, error) {
	var now registry.Mark
	var changes []registry.HistoryRow
	err := s.Read(ctx, func(conn *sqlite.Conn) error {
		for _, mark := range []struct {
			into *int64
			sql  string
		}{
			{&now.Version, "SELECT version FROM registry_version"},
			{&now.Items, "SELECT coalesce(max(seq), 0) FROM registry_history"},
			{&now.Identities, "SELECT coalesce(max(seq), 0) FROM identity_history"},
		} {
			stmt, err := conn.Prepare(mark.sql)
			if err == nil {
				*mark.into, err = sqlitex.ResultInt64(stmt)
			}
			if err != nil {
				return err
			}
		}
		if since == (registry.Mark{}) {
			return nil
		}
		return sqlitex.Execute(conn, `SELECT h.kind, h.id, h.author, h.at, coalesce(e.patient, '') FROM registry_history h
				LEFT JOIN registry_enrolments e ON h.kind = 'enrolment' AND e.id = h.id WHERE h.seq > ?1 AND h.seq <= ?2
			UNION ALL SELECT 'identity', id, author, at, '' FROM identity_history WHERE seq > ?3 AND seq <= ?4 LIMIT ?5`, &sqlitex.ExecOptions{
			Args: []any{since.Items, now.Items, since.Identities, now.Identities, registry.MostTouched + 1},
			ResultFunc: func(row *sqlite.Stmt) error {
				changes = append(changes, registry.HistoryRow{Kind: row.ColumnText(0), ID: row.ColumnText(1), Author: row.ColumnText(2), At: row.ColumnInt64(3), Patient: row.ColumnText(4)})
				return nil
			},
		})
	})
	if err != nil {
		return registry.Touched{}, fmt.Errorf("list what has changed in the registry: %w", err)
	}
	return registry.Touch(since, now, changes), nil
}

// Export returns the whole registry, see registry.Store.
func (s *Store) Export(ctx context.Context, access registry.Access) (reg registry.Registry, err error) {
	err = s.Write(ctx, func(conn *sqlite.Conn) (err error) {
		if reg.Teams, err = items[registry.Team](conn, "team", teams.all()+"ORDER BY id"); err != nil {
			return err
		}
		if reg.Devices, err = items[registry.Device](conn, "device", devices.all()+"ORDER BY id"); err != nil {
			return err
		}
		if reg.Enrolments, err = items[registry.Enrolment](conn, "enrolment", enrolments.all()+"ORDER BY id"); err != nil {
			return err
		}
		patients, err := items[registry.Pseudonym](conn, "patient", patients.all()+"ORDER BY id")
		reg.Merges = registry.Standing(patients)
		for _, p := range patients {
			patient := registry.Patient{ID: p.ID}
			if err := logAccess(conn, p.ID, access); err != nil {
				return err
			}
			if err := item(conn, "identity of", identities.one(), p.ID, &patient.Identity); err != nil {
				return err
			}
			reg.Patients = append(reg.Patients, patient)
		}
		return err
	})
	if err != nil {
		return registry.Registry{}, fmt.Errorf("export the registry: %w", err)
	}
	return reg, nil
}

// reading is Store.Read or Store.near.
type reading func(context.Context, func(*sqlite.Conn) error) error

// read returns one item of the registry.
func read[T any](ctx context.Context, reading reading, kind, sql string, args ...any) (*T, error) {
	var found T
	err := reading(ctx, func(conn *sqlite.Conn) error {
		body, err := one(conn, sql, args...)
		return decode(body, err, kind, args[0], &found)
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// item reads one item of the registry on a connection.
func item(conn *sqlite.Conn, kind, sql, id string, into any) error {
	body, err := one(conn, sql, id)
	return decode(body, err, kind, id, into)
}

func decode(body []byte, err error, kind string, id, into any) error {
	if err != nil {
		return fmt.Errorf("read the %s %v: %w", kind, id, err)
	}
	if body == nil {
		return fmt.Errorf("the %s %v is %w", kind, id, registry.ErrNotFound)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the %s %v in the store cannot be read: %w", kind, id, err)
	}
	return nil
}

// items reads several.
func items[T any](conn *sqlite.Conn, kind, sql string, args ...any) (list []T, err error) {
	err = sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		var one T
		if err := json.Unmarshal(text(row, 0), &one); err != nil {
			return fmt.Errorf("the %s in the store cannot be read: %w", kind, err)
		}
		list = append(list, one)
		return nil
	}})
	return list, err
}

// Teams lists every care team, see registry.Store.
func (s *Store) Teams(ctx context.Context) (list []registry.Team, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		list, err = items[registry.Team](conn, "care team", teams.all()+"ORDER BY id")
		return err
	})
	return list, err
}

// Devices lists devices, see registry.Store.
func (s *Store) Devices(ctx context.Context, after string, limit int) (list []registry.Device, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		list, err = items[registry.Device](conn, "device", devices.all()+"WHERE k.id > ? ORDER BY k.id LIMIT ?", after, limit)
		return err
	})
	return list, err
}

// Enrolments lists enrolments, see registry.Store.
func (s *Store) Enrolments(ctx context.Context, after string, limit int) (list []registry.Enrolment, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		list, err = items[registry.Enrolment](conn, "enrolment", enrolments.all()+"WHERE k.id > ? ORDER BY k.id LIMIT ?", after, limit)
		return err
	})
	return list, err
}

// PatientsWithINS lists who has a matricule, see registry.Store.
func (s *Store) PatientsWithINS(ctx context.Context, ins string) (ids []string, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT id FROM identities WHERE body ->> 'ins' = ? ORDER BY id", &sqlitex.ExecOptions{
			Args:       []any{ins},
			ResultFunc: func(row *sqlite.Stmt) error { ids = append(ids, row.ColumnText(0)); return nil },
		})
	})
	return ids, err
}
