package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

var shared = servers.SharedPostgres{Settings: []string{"max_connections=200"}}

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// database returns the URL of what is as good as a new, empty database.
func database(t testing.TB) string {
	t.Helper()
	return shared.Schema(t)
}

func open(t testing.TB, url string, options Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) ingest.Store { return open(t, database(t), Options{}) })
}

func TestRegistryContract(t *testing.T) {
	storetest.RunRegistry(t, func(t *testing.T) storetest.Registry { return open(t, database(t), Options{}) })
}

func TestThePrescriptionsOfAnOlderVersionIncludeTheirLastDay(t *testing.T) {
	url := database(t)
	storetest.RunLastDay(t, func(t *testing.T) storetest.Registry { return open(t, url, Options{}) }, func(t *testing.T, s storetest.Registry) storetest.Registry {
		if _, err := s.(*Store).pool.Exec(t.Context(), "UPDATE schema_versions SET version = 4 WHERE name = 'registry'"); err != nil {
			t.Fatal(err)
		}
		newer := open(t, url, Options{})
		list, err := newer.Verify(t.Context())
		if err != nil || len(list) > 0 {
			t.Errorf("damaged: %v %v", list, err)
		}
		return newer
	})
}

func TestPruningContract(t *testing.T) {
	storetest.RunPruning(t, func(t *testing.T) storetest.Pruned { return open(t, database(t), Options{}) })
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func weight(id, device, patient string, at time.Time) *protocols.Reading {
	return &protocols.Reading{ID: id, Device: device, Patient: patient, Time: at, Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82100}}
}

func keep(t testing.TB, s *Store, readings ...*protocols.Reading) (fresh []bool) {
	t.Helper()
	err := s.Update(t.Context(), func(tx ingest.Tx) (err error) {
		fates, err := tx.Keep(readings, noon)
		for _, fate := range fates {
			fresh = append(fresh, fate.Kept())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestWhatWasCommittedIsThereAfterTheServerWasKilled(t *testing.T) {
	server := servers.Postgres(t)
	s := open(t, server.URL, Options{})
	keep(t, s, weight("a", "scale-1", "p1", noon), weight("b", "scale-2", "p2", noon))
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(ingest.Tx) error { return nil }); err == nil {
		t.Error("a server that is gone took a transaction")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	fresh := keep(t, s, weight("a", "scale-1", "p1", noon), weight("c", "scale-1", "p1", noon))
	if fresh[0] || !fresh[1] {
		t.Errorf("fresh after a restart of the server: %v, want the first known and the second new", fresh)
	}
}

func TestCommitsWaitForTheDisk(t *testing.T) {
	url, err := shared.Server(t).Database()
	if err != nil {
		t.Fatal(err)
	}
	connect := func() (mode string) {
		t.Helper()
		s := open(t, url, Options{})
		if err := s.pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.pool.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`); err != nil {
			t.Fatal(err)
		}
		return mode
	}
	connect()
	if mode := connect(); mode != "on" {
		t.Errorf("synchronous_commit is %s where the database says off, want on", mode)
	}
}

// What stands by for a damaged row makes a statement dear to the planner, and it would be
// compiled for longer than it runs: an import of thousands took three times as long.
func TestStatementsAreNotCompiled(t *testing.T) {
	s := open(t, database(t), Options{})
	var jit string
	if err := s.pool.QueryRow(t.Context(), "SHOW jit").Scan(&jit); err != nil || jit != "off" {
		t.Errorf("jit is %s, %v", jit, err)
	}
}

func TestADatabaseThatMayOnlyBeReadIsNotTakenForOneThatKeeps(t *testing.T) {
	url, err := shared.Server(t).Database()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, url, Options{})
	if err := s.CanCommit(t.Context()); err != nil {
		t.Fatalf("a database that may be written: %v", err)
	}
	keep(t, s, weight("a", "scale-1", "p1", noon))
	if _, err := s.pool.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`); err != nil {
		t.Fatal(err)
	}
	s.pool.Reset()
	if _, err := s.Cursor(t.Context(), "influxdb"); err != nil {
		t.Fatalf("it cannot be read: %v", err)
	}
	if err := s.CanCommit(t.Context()); err == nil {
		t.Error("said to commit")
	}
	_, err = Open(t.Context(), url, Options{})
	if err == nil || !strings.Contains(err.Error(), "store.postgres.url") || !strings.Contains(err.Error(), "may only be read") {
		t.Errorf("opened with %v", err)
	}
}

func TestWhatADeviceWroteFreelyIsKept(t *testing.T) {
	s := open(t, database(t), Options{})
	odd := weight("zero \x00 and not UTF-8 \xff", "scale-1", "p1", noon)
	odd.Flags = []string{"zero \x00", `quote " and \ and {comma,}`}
	odd.Context = map[string]string{"": "\x00", "é": "\u2028"}
	keep(t, s, odd)
	err := s.History(t.Context(), "p1", nil, noon, noon.Add(1), func(r *protocols.Reading) bool {
		if r.ID != odd.ID || !slices.Equal(r.Flags, odd.Flags) || !maps.Equal(r.Context, odd.Context) {
			t.Errorf("got %+v, want %+v", *r, *odd)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	refused := ingest.SetAsideRecord{Device: "a\x00b", Topic: "vigie/v1/\xff/readings", Reading: "\x00", Received: noon, Payload: []byte{0},
		Reasons: []protocols.Reason{{Code: protocols.UnknownField, Path: "\x00\xff", Message: "no such field"}}}
	err = s.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.SetAside([]ingest.SetAsideRecord{refused})
		return errors.Join(err, tx.SetDeviceStatus(ingest.DeviceStatus{Device: "scale-1", Firmware: "\x00\xff", At: noon}))
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.SetAsides(t.Context(), ingest.SetAsideFilter{})
	if err != nil || len(got) != 1 || got[0].Reading != "\x00" || got[0].Payload[0] != 0 {
		t.Errorf("set aside: %+v (%v)", got, err)
	}
}

func TestHistoryOfManyPages(t *testing.T) {
	s := open(t, database(t), Options{})
	var readings []*protocols.Reading
	for i := range firstPage + nextPage + 10 {
		r := weight(fmt.Sprintf("%06d", i), "scale-1", "p1", noon.Add(time.Duration(i/3)*time.Second))
		if i%2 == 1 {
			r.Measure, r.Device = protocols.MeasureByID("heart-rate"), "watch-1"
		}
		readings = append(readings, r)
	}
	keep(t, s, readings...)
	for _, measure := range []*protocols.Measure{nil, protocols.MeasureByID("weight")} {
		var last *protocols.Reading
		count := 0
		err := s.History(t.Context(), "p1", measure, time.Time{}, noon.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
			if last != nil && !last.Before(r) {
				t.Fatalf("%s at %v comes after %s at %v", r.ID, r.Time, last.ID, last.Time)
			}
			last = r
			count++
			return true
		})
		want := len(readings)
		if measure != nil {
			want = (want + 1) / 2
		}
		if err != nil || count != want {
			t.Errorf("%d readings of %v, want %d (%v)", count, measure, want, err)
		}
	}
}

func TestProblemsAreSentences(t *testing.T) {
	url := database(t)
	for name, c := range map[string]struct {
		url  string
		says []string
	}{
		"not a URL":           {"postgres://vigie@:port", []string{"store.postgres.url", "postgres://user:password@host"}},
		"nobody listens":      {"postgres://vigie:geheim@127.0.0.1:1/vigie", []string{"store.postgres.url", "127.0.0.1:1", "(connection refused)", "check that PostgreSQL runs there"}},
		"no such host":        {"postgres://vigie:geheim@nowhere.invalid/vigie", []string{"store.postgres.url", "nowhere.invalid:5432", "check that PostgreSQL runs there"}},
		"no such database":    {strings.Replace(url, "?", "-nothing?", 1), []string{"store.postgres.url", "make it: createdb"}},
		"nobody of that name": {strings.Replace(url, "vigie@", "stranger:geheim@", 1), []string{"store.postgres.url", "check user and password"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), c.url, Options{})
			if err == nil {
				t.Fatal("it opened", s.Close())
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\t") {
				t.Errorf("%q is more than a sentence", err)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("%q tells the password", err)
			}
		})
	}
}

func migrate(t testing.TB, s *Store, steps []string, floor int) error {
	t.Helper()
	return s.Migrate(t.Context(), "things", steps, floor)
}

func TestOldAndNewNodesSideBySide(t *testing.T) {
	s := open(t, database(t), Options{})
	old := []string{"CREATE TABLE things (a integer)"}
	adds := append(old, "ALTER TABLE things ADD b integer NOT NULL DEFAULT 0")
	breaks := append(adds, "ALTER TABLE things DROP a")
	for _, c := range []struct {
		steps   []string
		floor   int
		refused bool
	}{
		{old, 1, false}, {adds, 1, false}, {old, 1, false}, {breaks, 3, false}, {breaks, 3, false}, {adds, 1, true}, {old, 1, true},
	} {
		err := migrate(t, s, c.steps, c.floor)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "newer Vigie") {
			t.Errorf("a program that knows %d steps: %v", len(c.steps), err)
		}
	}
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	s := open(t, database(t), Options{})
	if err := migrate(t, s, []string{"CREATE TABLE things (a integer)", "nonsense"}, 1); err == nil {
		t.Fatal("nonsense was executed")
	}
	if err := migrate(t, s, []string{"CREATE TABLE things (a integer)"}, 1); err != nil {
		t.Error(err)
	}
}

func TestNodesStartAtOnce(t *testing.T) {
	url := database(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), url, Options{Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAMeasureMayOnlyBeAppendedTo(t *testing.T) {
	url := database(t)
	s := open(t, url, Options{})
	alter := func(sql string) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	reload := func() error {
		return s.Write(t.Context(), func(tx pgx.Tx) error { return s.layout.load(t.Context(), tx) })
	}
	alter("UPDATE measures SET components = components || '{later}' WHERE name = 'weight'")
	if err := reload(); err != nil {
		t.Errorf("beside a newer node: %v", err)
	}
	alter("UPDATE measures SET components = '{other}' WHERE name = 'weight'")
	if err := reload(); err == nil || !strings.Contains(err.Error(), "weight") {
		t.Errorf("other components: %v", err)
	}
}

func TestHistoriesAndAccessesAreOnlyAppendedTo(t *testing.T) {
	s := open(t, database(t), Options{})
	for _, table := range []string{"registry_history", "identity_accesses"} {
		for _, sql := range []string{"DELETE FROM " + table, "UPDATE " + table + " SET author = 'somebody else'", "TRUNCATE " + table} {
			if _, err := s.pool.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "only appended to") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}

// A name that no text of PostgreSQL can hold is a name that nobody has, not a fault.
func TestWhatNobodyCanBeCalledIsNotFound(t *testing.T) {
	s := open(t, database(t), Options{})
	keep(t, s, weight("a", "scale-1", "p1", noon))
	for _, name := range []string{"p1\x00", "\xff"} {
		if err := s.History(t.Context(), name, nil, noon, noon.Add(1), func(*protocols.Reading) bool { t.Error("a reading"); return true }); err != nil {
			t.Errorf("history of %q: %v", name, err)
		}
		if f, err := s.Forgotten(t.Context(), name, nil, noon, noon.Add(1)); err != nil || len(f.Days) > 0 {
			t.Errorf("forgotten of %q: %+v, %v", name, f, err)
		}
		if list, err := s.SetAsides(t.Context(), ingest.SetAsideFilter{Device: name, Code: protocols.Code(name)}); err != nil || len(list) > 0 {
			t.Errorf("set aside of %q: %+v, %v", name, list, err)
		}
	}
}
