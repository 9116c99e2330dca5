package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// kept is an embedded store with two patients under the heart-failure protocol,
// who weigh themselves for twenty days; the first gains 0.8 kg a day in the end.
// A third one wears a glucose sensor that sends every quarter of an hour.
func kept(t *testing.T) openPast {
	t.Helper()
	folder := t.TempDir()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	reg := &registry.Registry{Teams: []registry.Team{{ID: "team", Name: "Équipe", Zone: "Europe/Paris"}}}
	for _, id := range []string{"p-1", "p-2"} {
		reg.Patients = append(reg.Patients, registry.Patient{ID: id})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
			ID: "e-" + id, Patient: id, Protocol: "heart-failure", Version: "11", Zone: "Indian/Reunion", Team: "team",
			Consent: registry.Consent{Given: true, Date: begun}, From: begun, Prescription: begun.AddDate(1, 0, 0),
			Settings: protocols.Settings{"fast-gain": {Value: 1500, Author: "Dr Martin", Date: begun, Reason: "poids sec bas"}},
		})
	}
	reg.Patients = append(reg.Patients, registry.Patient{ID: "p-3"})
	reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
		ID: "e-p-3", Patient: "p-3", Protocol: "diabetes", Version: "8", Zone: "Europe/Paris", Team: "team",
		Consent: registry.Consent{Given: true, Date: begun}, From: begun, Prescription: begun.AddDate(1, 0, 0),
		Settings: protocols.Settings{"sensor-step": {Value: 15_000, Author: "Dr Martin", Date: begun, Reason: "capteur au quart d'heure"}},
	})
	if _, err := store.Import(context.Background(), reg, "test", begun); err != nil {
		t.Fatal(err)
	}
	err = store.Update(context.Background(), func(tx ingest.Tx) error {
		_, err := tx.Keep(slices.Concat(scale("p-1", 0.8), scale("p-2", 0), sensor("p-3")), begun.AddDate(0, 2, 0))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return func(*cobra.Command) (pastStore, error) {
		return service.OpenTools(context.Background(), config.Config{Data: folder})
	}
}

// scale is twenty mornings of a patient who gains some kilograms a day from the
// tenth on.
func scale(patient string, gain float64) []*protocols.Reading {
	var all []*protocols.Reading
	for d := range 20 {
		v, _ := protocols.Of(80 + gain*max(0, float64(d-9)))
		all = append(all, &protocols.Reading{
			ID: fmt.Sprint(patient, "-", d), Device: "scale-" + patient, Patient: patient, Measure: protocols.MeasureByID("weight"),
			Time: time.Date(2026, 5, 1+d, 3, 30, 0, 0, time.UTC), Values: []protocols.Value{v}, Battery: -1,
		})
	}
	return all
}

// sensor is two days of a glucose sensor.
func sensor(patient string) []*protocols.Reading {
	var all []*protocols.Reading
	start := time.Date(2026, 5, 1, 22, 0, 0, 0, time.UTC) // midnight in Paris
	for i := range 2 * 24 * 4 {
		all = append(all, &protocols.Reading{
			ID: fmt.Sprint(patient, "-", i), Device: "cgm-" + patient, Patient: patient, Measure: protocols.MeasureByID("glucose"), Variant: 2,
			Time: start.Add(time.Duration(i) * 15 * time.Minute), Values: []protocols.Value{120_000}, Battery: -1,
		})
	}
	return all
}

func replayKept(t *testing.T, arguments ...string) *replayReport {
	t.Helper()
	out, err := run(t, replayCommand(kept(t)), append(arguments, "--protocol", "heart-failure", "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var report replayReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	return &report
}

func TestReplayOfAPatientUsesThePatientsOwnSettingsAndZone(t *testing.T) {
	report := replayKept(t, "--patient", "p-1", "--from", "2026-05-01", "--to", "2026-05-20")
	if report.Zone != "Indian/Reunion" {
		t.Errorf("times are shown in %s", report.Zone)
	}
	for _, a := range report.Alerts {
		if a.Rule == "weight-gain-fast" {
			if c := a.Explanation.Comparisons[0]; c.Threshold != 1500 || c.SetBy != "Dr Martin" {
				t.Errorf("the threshold is %s, set by %q", c.Threshold, c.SetBy)
			}
			return
		}
	}
	t.Errorf("a gain of 0.8 kg a day did not ring: %+v", report.Totals)
}

// The readings of p-1 are of 07:30 in La Réunion, half past five in Paris.
func TestDaysGivenForAPatientAreThePatientsOwn(t *testing.T) {
	report := replayKept(t, "--patient", "p-1", "--from", "2026-05-02", "--to", "2026-05-03")
	if from := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC); !report.Span.From.Equal(from) || !report.Span.To.Equal(from.AddDate(0, 0, 2)) {
		t.Errorf("the two days are taken to be %v", report.Span)
	}
}

func TestWearIsThatOfThePatientsOwnSensor(t *testing.T) {
	out, err := run(t, replayCommand(kept(t)), "--protocol", "diabetes", "--patient", "p-3", "--from", "2026-05-02", "--to", "2026-05-03", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	var report replayReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if wear := report.Statistics["glucose"].(map[string]any)["wear"]; wear != 100.0 {
		t.Errorf("every reading of two days came, and wear is %v %%", wear)
	}
}

func TestReplayOfACohortTakesEverybodyUnderTheProtocol(t *testing.T) {
	report := replayKept(t, "--cohort", "all", "--from", "2026-05-01", "--to", "2026-05-20")
	if from := time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC); report.Zone != "Europe/Paris" || !report.Span.From.Equal(from) {
		t.Errorf("the days are those of %s, from %s", report.Zone, report.Span.From)
	}
	if report.Patients != 2 || report.Readings != 40 || report.PatientDays != 40 {
		t.Errorf("%d patients, %d readings, %v patient-days", report.Patients, report.Readings, report.PatientDays)
	}
	for _, a := range report.Alerts {
		if a.Patient != "p-1" {
			t.Errorf("%s rang for a patient whose weight is steady", a.Rule)
		}
	}
}

// A patient who has been followed before has readings that the service did not
// evaluate for the enrolment of today.
func TestWhatAnEnrolmentDoesNotCoverIsNoPartOfItsPast(t *testing.T) {
	open := kept(t)
	store, err := open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	e, err := enrolmentUnder(context.Background(), store, "p-1", "heart-failure")
	if err != nil {
		t.Fatal(err)
	}
	e.From = time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	for id, want := range map[string]int{"heart-failure": 10, "hypertension": 20} {
		past, err := keptPast(context.Background(), store, e, &protocols.Protocol{ID: id}, replay.Span{To: e.From.AddDate(0, 1, 0)})
		if err != nil || len(past.Readings) != want {
			t.Errorf("under %s: %d readings (%v), want %d", id, len(past.Readings), err, want)
		}
	}
}

func TestReplayOfAnUnknownPatientSaysSo(t *testing.T) {
	_, err := run(t, replayCommand(kept(t)), "--protocol", "heart-failure", "--patient", "nobody")
	if err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("got %v", err)
	}
}

func TestReplayOfTheSimulatedCohortIsTheSameEveryTime(t *testing.T) {
	arguments := []string{"--protocol", "heart-failure", "--cohort", "simulated", "--patients", "20", "--format", "json"}
	once, err := run(t, replayCommand(noStore), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := run(t, replayCommand(noStore), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if once != twice {
		t.Error("two replays of the same cohort differ")
	}
}
