package service

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// named is what the data folder holds of the patient whom these tests erase.
func named(t *testing.T, folder string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, word := range []string{"QUERMADEC", "279035121518989", "p-zenobie", "SN-RARE-7731", "zenobie-scale", "zenobie-reading"} {
			if bytes.Contains(content, []byte(word)) {
				found = append(found, word+" in "+entry.Name())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// followed puts a patient with a device and a reading into a service. Her enrolment has
// just begun, so that nothing is missing yet for which an alert would be raised.
func followed(t *testing.T, s *Service, ends time.Time) {
	t.Helper()
	now := time.Now()
	reg := &registry.Registry{
		Teams:    []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}},
		Patients: []registry.Patient{{ID: "p-zenobie", Identity: registry.Identity{INS: "279035121518989", OID: registry.OIDTest, BirthName: "QUERMADEC", GivenNames: "ZÉNOBIE", FirstGiven: "ZÉNOBIE", Sex: "F", BirthDate: "1979-03-12", BirthPlace: "51215"}}},
		Devices:  []registry.Device{{Name: "zenobie-scale", Serial: "SN-RARE-7731", Kind: "scale", Brand: "B", Model: "M", Password: "a password long enough"}},
		Enrolments: []registry.Enrolment{{ID: "e-zenobie", Patient: "p-zenobie", Protocol: "heart-failure", Version: s.Shelf.Latest("heart-failure"), Zone: "Europe/Paris", Team: "cardio", Physician: "10001234565",
			Devices: []string{"zenobie-scale"}, From: now.Add(-2 * time.Hour), Prescription: ends, Consent: registry.Consent{Given: true, Date: now.AddDate(0, -3, 0), Scope: "weight"}}},
	}
	if _, err := s.Registry().Import(t.Context(), reg, "a nurse", now); err != nil {
		t.Fatal(err)
	}
	err := s.Store().Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{{ID: "zenobie-reading", Device: "zenobie-scale", Patient: "p-zenobie", Time: now.AddDate(0, -2, 0),
			Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82_000}, Battery: -1}}, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.trail.Write(t.Context(), trail.Entry{Kind: trail.Read, Patients: []string{"p-zenobie"}, Reason: "appel de QUERMADEC"}); err != nil {
		t.Fatal(err)
	}
}

var quiet = slog.New(slog.DiscardHandler)

func erasing() Erasing {
	return Erasing{Patient: "p-zenobie", Author: "Mme Hoarau", Reason: "demande du 20/11", Now: time.Now()}
}

// TestABackupFromBeforeAnErasureBringsNobodyBack erases a patient, then restores a backup
// from before: with the list that lies beside a later backup, and in the folder itself.
func TestABackupFromBeforeAnErasureBringsNobodyBack(t *testing.T) {
	s, c := running(t)
	followed(t, s, time.Now().Add(-time.Hour))
	before, after := filepath.Join(t.TempDir(), "before.db"), filepath.Join(t.TempDir(), "after.db")
	if err := Backup(t.Context(), c, before); err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(t.Context(), c, erasing(), quiet); !errors.Is(err, ErrRunning) {
		t.Errorf("beside a service that runs: %v", err)
	}
	dry := erasing()
	dry.DryRun = true
	if would, err := Erase(t.Context(), c, dry, quiet); err != nil || would.Counts["readings"] != 1 || would.Counts["trail"] == 0 {
		t.Errorf("a dry run counts %+v, %v", would, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(named(t, c.Data)) == 0 {
		t.Fatal("the folder does not name her: the search finds nothing")
	}
	erased, err := Erase(t.Context(), c, erasing(), quiet)
	if err != nil || erased.Unclean != nil || len(erased.Left) > 0 {
		t.Fatalf("erased: %+v, %v", erased, err)
	}
	if found := named(t, c.Data); len(found) > 0 {
		t.Errorf("the folder still holds %v", found)
	}
	if _, err := Erase(t.Context(), c, erasing(), quiet); err == nil || !strings.Contains(err.Error(), "nothing is kept") {
		t.Errorf("once more: %v", err)
	}
	if err := Backup(t.Context(), c, after); err != nil {
		t.Fatal(err)
	}

	elsewhere := in(t.TempDir())
	if err := Restore(t.Context(), elsewhere, before, besideBackup(after)); err != nil {
		t.Fatal(err)
	}
	if found := named(t, elsewhere.Data); len(found) > 0 {
		t.Errorf("the restored folder holds %v", found)
	}

	// By hand, over the store that is there.
	content, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, storeFile), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTools(t.Context(), c); err == nil || !strings.Contains(err.Error(), "not applied") {
		t.Errorf("a command reads a store that holds her: %v", err)
	}
	again, _ := runningIn(t, c.Data)
	if known, err := again.Registry().HasPatient(t.Context(), "p-zenobie"); err != nil || known {
		t.Errorf("she is known to a service that serves: %v, %v", known, err)
	}
	report, err := trail.Verify(t.Context(), again.backend.trail)
	for _, f := range report.Faults {
		if f.Kind != trail.CutTail { // which is what restoring a backup does
			t.Errorf("the trail: %+v", f)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if found := named(t, c.Data); len(found) > 0 {
		t.Errorf("the folder holds %v", found)
	}
}

// TestNobodyIsErasedWhoIsStillCaredFor refuses, each with what to do first.
func TestNobodyIsErasedWhoIsStillCaredFor(t *testing.T) {
	s, c := running(t)
	followed(t, s, time.Now().AddDate(0, 1, 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Erasing){
		"still followed":   func(*Erasing) {},
		"--reason":         func(e *Erasing) { e.Reason = "" },
		"without the name": func(e *Erasing) { e.Reason = "demande de Mme Quermadec" },
		"nothing is kept":  func(e *Erasing) { e.Patient = "p-nobody" },
	} {
		e := erasing()
		change(&e)
		if _, err := Erase(t.Context(), c, e, quiet); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", e, err, want)
		}
	}
	if len(named(t, c.Data)) == 0 {
		t.Error("she is gone all the same")
	}
}

// TestAnErasureReachesInfluxDB feeds a real InfluxDB, erases, and starts the service once
// more.
func TestAnErasureReachesInfluxDB(t *testing.T) {
	server := servers.Influx(t)
	c := in(t.TempDir())
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Influx.URL, c.Influx.Bucket, c.Influx.Org, c.Influx.Token = server.URL, server.Bucket, server.Org, config.Secret(server.Token)
	former, err := server.Database("before")
	if err != nil {
		t.Fatal(err)
	}
	c.Influx.Former = config.FormerInflux{URL: server.URL, Bucket: former, Org: server.Org, Token: config.Secret(server.Token)}
	start := func() *Service {
		s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		s.forwarder.Notify()
		return s
	}
	points := func(s *Service) (count int) {
		asked := ingest.Asked{Patients: []string{"p-zenobie"}, From: time.Now().AddDate(-1, 0, 0), To: time.Now().AddDate(1, 0, 0)}
		if err := s.influx.Points(t.Context(), asked, func(ingest.Point) error { count++; return nil }); err != nil {
			t.Log(err)
			return -1
		}
		return count
	}
	s := start()
	followed(t, s, time.Now().Add(-time.Hour))
	s.forwarder.Notify()
	within(t, "she is in InfluxDB", func() bool { return points(s) == 1 })
	line := fmt.Sprintf("weight,device=zenobie-scale,patient=p-zenobie,source=device value=82 %d", time.Now().AddDate(0, -4, 0).UnixNano())
	if err := s.former.Write(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(t.Context(), c, erasing(), quiet); err != nil {
		t.Fatal(err)
	}
	s = start()
	within(t, "she is in InfluxDB no more", func() bool {
		open, err := s.backend.store.OpenErrands(t.Context())
		return err == nil && len(open) == 0 && points(s) == 0
	})
	for name, held := range map[string]*influx.Client{"InfluxDB": s.influx, "the InfluxDB of before": s.former} {
		if left, err := held.Left(t.Context(), "p-zenobie"); err != nil || left != 0 {
			t.Errorf("%s holds %d of her, %v", name, left, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := named(t, c.Data); len(found) > 0 {
		t.Errorf("the folder holds %v", found)
	}
}
