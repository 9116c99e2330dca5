package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
)

func TestRegistryContract(t *testing.T) {
	storetest.RunRegistry(t, func(t *testing.T) storetest.Registry {
		return open(t, newFile(t), Options{})
	})
}

func TestThePrescriptionsOfAnOlderVersionIncludeTheirLastDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigie.db")
	storetest.RunLastDay(t, func(t *testing.T) storetest.Registry { return open(t, path, Options{}) }, func(t *testing.T, s storetest.Registry) storetest.Registry {
		older := s.(*Store)
		tamper(t, older, "UPDATE schema_versions SET version = 4 WHERE name = 'registry'")
		newer := open(t, path, Options{})
		list, err := newer.Verify(t.Context())
		if err != nil || len(list) > 0 {
			t.Errorf("damaged: %v %v", list, err)
		}
		return newer
	})
}

func TestHistoryAndAccessesAreOnlyAppendedTo(t *testing.T) {
	s := open(t, newFile(t), Options{})
	reg := crowd(1)
	if _, err := s.Import(t.Context(), &reg, "admin", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Identity(t.Context(), reg.Patients[0].ID, registry.Access{Author: "Dr Aubry", Reason: "call", At: noon}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"registry_history", "identity_accesses"} {
		for _, sql := range []string{"DELETE FROM " + table, "UPDATE " + table + " SET author = 'somebody else'"} {
			err := s.Write(t.Context(), func(conn *sqlite.Conn) error { return execute(conn, sql) })
			if err == nil || !strings.Contains(err.Error(), "only appended to") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}

// crowd is a registry of n patients with a device and an enrolment each.
func crowd(n int) registry.Registry {
	reg := registry.Registry{Teams: []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}}}
	secret := registry.HashSecret("a password long enough")
	for i := range n {
		patient, device := fmt.Sprintf("p-%07d", i), fmt.Sprintf("scale-%07d", i)
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient, Identity: registry.Identity{INS: fmt.Sprintf("2770763%08d", i), OID: registry.OIDTest}})
		reg.Devices = append(reg.Devices, registry.Device{Name: device, Serial: "A", Kind: "scale", Secret: secret})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: fmt.Sprintf("e-%07d", i), Patient: patient, Protocol: "heart-failure", Version: "1", Zone: "Europe/Paris",
			Team: "cardio", Physician: "10001234565", Devices: []string{device}, From: noon, Prescription: noon.AddDate(1, 0, 0),
			Consent: registry.Consent{Given: true, Date: noon, Scope: "weight"}})
	}
	return reg
}

// BenchmarkDevice is the point lookup that each message of an unknown device
// costs, with 1,000 and with 1,000,000 enrolled patients. The larger one takes a
// minute to set up: -bench 'Device/1000$' leaves it out.
func BenchmarkDevice(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "vigie.db"), Options{})
			reg := crowd(n)
			began := time.Now()
			if _, err := s.Import(b.Context(), &reg, "admin", noon); err != nil {
				b.Fatal(err)
			}
			perSecond := float64(n) / time.Since(began).Seconds()
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				if _, err := s.Device(b.Context(), reg.Devices[i].Name); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(perSecond, "imported/s")
		})
	}
}
