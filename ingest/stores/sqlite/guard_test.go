package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// lived writes a file with a bit of everything: filed readings and such as are only in
// the journal, ids, states, a registry. It returns the file and what it holds.
func lived(t testing.TB) (file []byte, holds map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := open(t, path, Options{Generation: 8, Care: cared})
	reg := crowd(3)
	if _, err := s.Import(t.Context(), &reg, "admin", noon); err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		patient := fmt.Sprintf("p-%07d", i%3)
		r := weight(fmt.Sprintf("r-%03d", i), fmt.Sprintf("scale-%07d", i%3), patient, noon.Add(time.Duration(i)*time.Hour))
		r.Values[0] += protocols.Value(i)
		err := s.Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{r}, r.Time)
			return errors.Join(err, tx.SaveStates([]ingest.StateRecord{{Enrolment: fmt.Sprintf("e-%07d", i%3), Version: int64(i / 3), Snapshot: []byte(strings.Repeat("state", 9)), Due: r.Time}}))
		})
		if err != nil {
			t.Fatal(err)
		}
		if g := s.recent.filing; g != nil {
			<-g.sorted
		}
	}
	for i := range 6 {
		f := storetest.Finding(protocols.Raised, fmt.Sprintf("rule-%d", i/3), "ep-1", protocols.Orange, time.Duration(i)*time.Minute)
		f.Enrolment, f.Patient = fmt.Sprintf("e-%07d", i%3), fmt.Sprintf("p-%07d", i%3)
		again := f
		again.Kind, again.At, again.Explanation = protocols.Again, f.At.Add(time.Minute), nil
		find(t, s, f)
		find(t, s, again)
	}
	list, err := s.Alerts(t.Context(), alerts.Filter{})
	if err == nil {
		err = alerts.Acknowledge(t.Context(), s, list[0].ID, "Dr Payet", "", storetest.Morning.Add(time.Hour))
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.recent.complete == 0 || len(s.recent.filling.entries) == 0 {
		t.Fatal("nothing is filed, or everything is")
	}
	holds, said := readAll(t, s)
	if len(said) > 0 {
		t.Fatal(said)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, holds
}

// readAll reads what decisions rest on, by what it is, and what is said to be damaged.
func readAll(t testing.TB, s *Store) (holds map[string]string, said []string) {
	holds = map[string]string{}
	hold := func(what string, r *protocols.Reading) {
		holds[what] = fmt.Sprint(r.Patient, r.Device, r.Time, r.Measure.ID, r.Values)
	}
	say := func(err error) {
		if err != nil {
			said = append(said, err.Error())
		}
	}
	for i := range 3 {
		patient, enrolment := fmt.Sprintf("p-%07d", i), fmt.Sprintf("e-%07d", i)
		say(s.History(t.Context(), patient, nil, time.Time{}, noon.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
			hold("history "+patient+" "+r.ID, r)
			return true
		}))
		say(s.Update(t.Context(), func(tx ingest.Tx) error {
			snapshot, _, err := tx.LoadState(enrolment)
			if err == nil && snapshot != nil {
				holds["state "+enrolment] = string(snapshot)
			}
			return err
		}))
		for _, id := range []string{fmt.Sprintf("r-%03d", i), fmt.Sprintf("r-%03d", 60+i), fmt.Sprintf("r-%03d", 117+i)} {
			again := weight(id, fmt.Sprintf("scale-%07d", i), patient, noon)
			for n := range 120 {
				if fmt.Sprintf("r-%03d", n) == id {
					again.Time = noon.Add(time.Duration(n) * time.Hour)
				}
			}
			err := s.Update(t.Context(), func(tx ingest.Tx) error {
				fresh, err := tx.Keep([]*protocols.Reading{again}, noon)
				if err != nil {
					return err
				}
				if !fresh[0].Kept() {
					holds["repetition "+id] = "told"
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				say(err)
			}
		}
		e, err := s.Enrolment(t.Context(), enrolment)
		say(err)
		if err == nil {
			holds["enrolment "+enrolment] = fmt.Sprintf("%+v", *e)
		}
	}
	list, err := s.Alerts(t.Context(), alerts.Filter{})
	say(err)
	for _, a := range list {
		if a.Title.EN == alerts.Damaged(a).Title.EN {
			continue
		}
		holds["alert "+a.ID] = fmt.Sprintf("%+v", a)
		whole, err := s.Alert(t.Context(), a.ID)
		say(err)
		if err == nil && whole.Explanation != nil {
			holds["explanation "+a.ID] = fmt.Sprintf("%+v", *whole.Explanation)
		}
	}
	events, err := s.EventsAfter(t.Context(), 0, 100)
	say(err)
	for _, e := range events {
		holds[fmt.Sprint("event ", e.Seq)] = fmt.Sprintf("%+v", e)
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 1000)
	say(err)
	for i := range kept {
		hold(fmt.Sprint("journal ", kept[i].Seq), &kept[i].Reading)
	}
	for _, d := range s.Damaged() {
		said = append(said, fmt.Sprintf("%+v", d))
	}
	return holds, said
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

func cared(*Store) alerts.Directory { return everyone{} }

var errUndo = errors.New("only looking")

var flipSeed = flag.Uint64("flip-seed", 7, "where the bits are flipped; 0 is somewhere else each time")

// TestNoFlippedBitPassesUnsaid flips one bit of a file somewhere. Whatever is read
// back from it then is what was written; and what is missing is told, when it is read
// or when the file is looked at as a whole.
func TestNoFlippedBitPassesUnsaid(t *testing.T) {
	file, want := lived(t)
	seed := *flipSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	chance := rand.New(rand.NewPCG(seed, 1))
	flips := 150
	if testing.Short() {
		flips = 30
	}
	told, silent := 0, 0
	for range flips {
		at, bit := chance.IntN(len(file)), byte(1)<<chance.IntN(8)
		for file[at] == 0 { // mostly room that nothing is in yet
			at = chance.IntN(len(file))
		}
		file[at] ^= bit
		unsaid := flipped(t, file, want)
		file[at] ^= bit
		switch {
		case unsaid != "":
			t.Errorf("byte %d, bit %#x (seed %d): %s", at, bit, seed, unsaid)
		case lastTold:
			told++
		default:
			silent++
		}
	}
	t.Logf("%d flips: %d told, %d changed nothing", flips, told, silent)
}

// TestAnIndexThatLeadsToAnotherAlertIsNotBelieved lets each entry of an index that ends
// with the name of an alert lead to another alert.
func TestAnIndexThatLeadsToAnotherAlertIsNotBelieved(t *testing.T) {
	const leaf = 0x0a
	file, want := lived(t)
	page := int(binary.BigEndian.Uint16(file[16:]))
	led := 0
	for what := range want {
		id, isAlert := strings.CutPrefix(what, "alert ")
		for at := 0; isAlert; {
			found := bytes.Index(file[at:], []byte(id))
			if found < 0 {
				break
			}
			at += found + len(id)
			if file[at/page*page] != leaf || file[at] < 2 || file[at] > 6 {
				continue
			}
			file[at] ^= 1
			unsaid := flipped(t, file, want)
			file[at] ^= 1
			if unsaid != "" {
				t.Errorf("an entry of alert %s: %s", id, unsaid)
			}
			led++
		}
	}
	if led < 5 {
		t.Errorf("only %d entries were found", led)
	}
}

var lastTold bool // whether the flip before was told

// flipped reads a damaged file and returns what is wrong with what it gives.
func flipped(t *testing.T, file []byte, want map[string]string) (unsaid string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vigie.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	lastTold = Check(path) != nil
	s, err := Open(path, Options{Generation: 8, Log: quiet, Care: cared})
	if err != nil {
		lastTold = true
		return ""
	}
	defer s.Close()
	got, said := readAll(t, s)
	lastTold = lastTold || len(said) > 0
	for what, value := range got {
		if wanted, ok := want[what]; ok && wanted != value {
			return fmt.Sprintf("%s is %s, was written as %s", what, value, wanted)
		} else if !ok {
			return fmt.Sprintf("%s is %s, and was never written", what, value)
		}
	}
	if len(got) != len(want) && !lastTold {
		missing := maps.Clone(want)
		maps.DeleteFunc(missing, func(what, _ string) bool { _, ok := got[what]; return ok })
		return fmt.Sprintf("these are missing, and nothing is said: %q", slices.Sorted(maps.Keys(missing)))
	}
	return ""
}

func tamper(t testing.TB, s *Store, sql string, args ...any) {
	t.Helper()
	err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
		if err := sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args}); err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return errors.New("it changed nothing")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestADamagedBlockIsLeftOutAndItsPatientNamed changes one value in a block.
func TestADamagedBlockIsLeftOutAndItsPatientNamed(t *testing.T) {
	file, want := lived(t)
	path := filepath.Join(t.TempDir(), "vigie.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{Log: quiet})
	tamper(t, s, "UPDATE blocks SET body = substr(body, 1, length(body) - 1) || x'22' WHERE id = (SELECT min(id) FROM blocks WHERE patient = (SELECT num FROM patient_names WHERE name = 'p-0000001'))")
	count := 0
	err := s.History(t.Context(), "p-0000001", nil, noon, noon.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		count++
		if value := fmt.Sprint(r.Patient, r.Device, r.Time, r.Measure.ID, r.Values); value != want["history p-0000001 "+r.ID] {
			t.Errorf("%s is served", value)
		}
		return true
	})
	if !errors.Is(err, ingest.ErrDamaged) || count == 0 || count >= 40 {
		t.Errorf("%d readings and %v, want some of 40 and that some are damaged", count, err)
	}
	if err := s.History(t.Context(), "p-0000000", nil, noon, noon.AddDate(1, 0, 0), func(*protocols.Reading) bool { return true }); err != nil {
		t.Errorf("of another patient: %v", err)
	}
	list, err := s.Verify(t.Context())
	if err != nil || len(list) != 1 || list[0].Table != "blocks" || list[0].Patient != "p-0000001" || list[0].From.IsZero() {
		t.Errorf("verified: %+v (%v)", list, err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	err = s.Backup(t.Context(), backup)
	var damaged ingest.DamagedRows
	if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "p-0000001") {
		t.Errorf("the backup says %v", err)
	}
	if _, err := os.Stat(backup); err != nil {
		t.Errorf("what is left was not backed up: %v", err)
	}
}

// TestADamagedJournalRowIsSetApart changes a batch that is not filed yet.
func TestADamagedJournalRowIsSetApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := open(t, path, Options{})
	keep(t, s, weight("a", "scale-1", "p1", noon), weight("b", "scale-2", "p2", noon))
	keep(t, s, weight("c", "scale-1", "p1", noon.Add(time.Hour)), weight("d", "scale-3", "p3", noon.Add(time.Hour)))
	tamper(t, s, "UPDATE journal SET body = substr(body, 1, length(body) - 1) || x'22' WHERE last = 2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it stays set apart
		s = open(t, path, Options{Log: quiet})
		for patient, misses := range map[string]bool{"p1": true, "p2": true, "p3": false} {
			err := s.History(t.Context(), patient, nil, noon, noon.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
				if r.ID == "a" || r.ID == "b" {
					t.Errorf("%s is served", r.ID)
				}
				return true
			})
			if errors.Is(err, ingest.ErrDamaged) != misses {
				t.Errorf("history of %s: %v", patient, err)
			}
		}
		kept, err := s.ReadingsAfter(t.Context(), 0, 10)
		if err != nil || len(kept) != 2 || kept[0].Seq != 3 {
			t.Errorf("the journal: %+v (%v)", kept, err)
		}
		list, err := s.Verify(t.Context())
		if err != nil || len(list) != 2 || list[0].Table != "journal" || list[0].Patient+list[1].Patient != "p1p2" && list[0].Patient+list[1].Patient != "p2p1" {
			t.Errorf("verified: %+v (%v)", list, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRepetitionsAreToldWhereTheIDsAreDamaged changes the ids of a device that are
// filed: its history still knows them.
func TestRepetitionsAreToldWhereTheIDsAreDamaged(t *testing.T) {
	file, _ := lived(t)
	path := filepath.Join(t.TempDir(), "vigie.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{Log: quiet})
	tamper(t, s, "UPDATE seen SET ids = replace(ids, 'r-003', 'r-00x')")
	again, other := weight("r-003", "scale-0000000", "p-0000000", noon.Add(3*time.Hour)), weight("r-00x", "scale-0000000", "p-0000000", noon.Add(3*time.Hour))
	if fresh := keep(t, s, again, other); fresh[0] || !fresh[1] {
		t.Errorf("fresh: %v, want a repetition and a reading", fresh)
	}
	if len(s.Damaged()) == 0 {
		t.Error("nothing is said")
	}
}

// TestOnlyTheseTablesAreNotGuarded walks the schema.
func TestOnlyTheseTablesAreNotGuarded(t *testing.T) {
	excepted := map[string]string{
		"schema_versions": "refused where it does not fit", "cursors": "what they skip is proven before it is forgotten",
		"set_aside": "nothing is decided by it", "device_status": "told again with the next message",
		"damaged": "it is damaged", "forgotten": "a sum by itself", "forgotten_unrecorded": "a bound", "alive": "written anew every minute", "registry_version": "any change of it has the registry read again",
		"access_accounts": "who may enter", "access_sessions": "told by a hash", "access_tokens": "told by a hash", "access_grants": "who may enter",
		"access_passkeys": "who may enter", "access_challenges": "told by a hash", "access_challenge_key": "who may enter",
		"trail": "a chain of hashes", "trail_beside": "the chain holds its digests",
		"erasures": "held against the list in the data folder",
		"errands":  "what InfluxDB is still to be told", "reviews": "nothing is decided by it", "looks": "the trail says the same",
		"outbox": "the clock of an alert goes on whatever becomes of its messages",
	}
	s := open(t, newFile(t), Options{})
	err := s.Read(t.Context(), func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			name := row.ColumnText(0)
			guarded := false
			for _, g := range guardedTables {
				guarded = guarded || g.table == name
			}
			if reason := excepted[name]; guarded == (reason != "") {
				t.Errorf("%s is guarded: %v (%s)", name, guarded, reason)
			}
			return nil
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAFileOfAnOlderVersionIsSealed takes the checksums away, as a version had it that
// wrote none.
func TestAFileOfAnOlderVersionIsSealed(t *testing.T) {
	file, want := lived(t)
	path := filepath.Join(t.TempDir(), "vigie.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{Log: quiet})
	for _, g := range guardedTables {
		err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
			return unlocked(conn, g.table, func() error { return execute(conn, "UPDATE "+g.table+" SET sum = NULL") })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tamper(t, s, "DELETE FROM schema_versions WHERE name = ?", checksums)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{Generation: 8})
	got, said := readAll(t, s)
	if list, err := s.Verify(t.Context()); err != nil || len(list)+len(said) > 0 {
		t.Errorf("it is said: %v, %v (%v)", list, said, err)
	}
	for what, value := range want {
		if got[what] != value {
			t.Errorf("%s is %s, was %s", what, got[what], value)
		}
	}
	if err := s.Write(t.Context(), func(conn *sqlite.Conn) error { return execute(conn, "UPDATE registry_history SET author = 'x'") }); err == nil {
		t.Error("the history of the registry may be changed")
	}
}

// TestAnOlderServiceStopsKeepingWhereANewerProgramWas writes a batch without a checksum.
func TestAnOlderServiceStopsKeepingWhereANewerProgramWas(t *testing.T) {
	s := open(t, newFile(t), Options{})
	err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
		return execute(conn, "INSERT INTO journal (last, first, at, body) VALUES (1, 1, 0, x'00')")
	})
	if err == nil || !strings.Contains(err.Error(), "start the service again") {
		t.Errorf("it keeps: %v", err)
	}
}

// TestADamagedAlertStaysInFrontOfSomebody closes an alert on the disk, which nobody did.
func TestADamagedAlertStaysInFrontOfSomebody(t *testing.T) {
	s := open(t, newFile(t), Options{Log: quiet, Care: cared})
	f := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)
	find(t, s, f)
	tamper(t, s, "UPDATE alerts SET summary_fr = 'Tout va bien.', acknowledged_by = 'personne'")
	tamper(t, s, "UPDATE alert_episodes SET alert = 7")
	list, err := s.Alerts(t.Context(), alerts.Filter{States: []alerts.State{alerts.Open}, Team: "team-a"})
	if err != nil || len(list) != 1 || list[0].Title.FR != "Alerte abîmée dans la base" || list[0].Summary.FR == "Tout va bien." || list[0].Patient != "p-1" {
		t.Fatalf("the list: %+v (%v)", list, err)
	}
	found, err := s.Verify(t.Context())
	if err != nil || len(found) != 2 || found[0].Patient != "p-1" {
		t.Errorf("verified: %v (%v)", found, err)
	}
	f.Kind, f.At, f.Explanation = protocols.Again, f.At.Add(time.Hour), nil
	find(t, s, f)
	if err := alerts.Acknowledge(t.Context(), s, list[0].ID, "Dr Payet", "vu", storetest.Morning.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	a, err := s.Alert(t.Context(), list[0].ID)
	if err != nil || a.State != alerts.Acknowledged || a.AcknowledgedBy != "Dr Payet" || a.Title.FR != "Alerte abîmée dans la base" {
		t.Errorf("once somebody has looked: %+v (%v)", a, err)
	}
	if list, err = s.Alerts(t.Context(), alerts.Filter{}); err != nil || len(list) != 1 {
		t.Errorf("%d alerts (%v)", len(list), err)
	}
}

func TestADeviceThatFeedsNobodyIsNotDamaged(t *testing.T) {
	s := open(t, newFile(t), Options{Log: quiet})
	reg := crowd(1)
	reg.Devices = append(reg.Devices, registry.Device{Name: "spare", Serial: "B", Kind: "scale", Secret: reg.Devices[0].Secret})
	if _, err := s.Import(t.Context(), &reg, "admin", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Device(t.Context(), "spare"); err != nil {
		t.Fatal(err)
	}
	if damaged := s.Damaged(); len(damaged) > 0 {
		t.Errorf("said to be damaged: %+v", damaged)
	}
}

// The same file again mends an item of the registry, though the history still tells it.
func TestAnImportKeepsWhatIsDamagedAnew(t *testing.T) {
	s := open(t, newFile(t), Options{Log: quiet})
	reg := crowd(1)
	if _, err := s.Import(t.Context(), &reg, "admin", noon); err != nil {
		t.Fatal(err)
	}
	err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
		return execute(conn, `UPDATE registry_teams SET body = replace(body, '"name"', '"nom"')`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, changed := range []int{1, 0} {
		changes, err := s.Import(t.Context(), &reg, "admin", noon)
		if err != nil || changes.Changed != changed || changes.Added != 0 {
			t.Errorf("imported again: %+v (%v), want %d changed", changes, err, changed)
		}
	}
	if found, err := s.Verify(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("still damaged: %v (%v)", found, err)
	}
}
