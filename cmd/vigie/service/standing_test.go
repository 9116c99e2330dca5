package service

import (
	"fmt"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// TestWhereARuleStandsIsSaidWithWhatWasMeasuredBeforeTheRenewal weighs a patient at 80 kg
// every morning, renews the prescription and weighs 83.5 kg: the gain goes on, and the
// alert's page must not say that it is over.
func TestWhereARuleStandsIsSaidWithWhatWasMeasuredBeforeTheRenewal(t *testing.T) {
	s, _ := running(t)
	now := time.Now()
	renewal := now.Add(-2 * time.Hour)
	under := func(id string, from, ends time.Time) registry.Enrolment {
		return registry.Enrolment{ID: id, Patient: "p-renewed", Protocol: "heart-failure", Version: s.Shelf.Latest("heart-failure"), Zone: "Europe/Paris", Team: "cardio", Physician: "10001234565",
			Devices: []string{"renewed-scale"}, From: from, Prescription: ends, Consent: registry.Consent{Given: true, Date: now.AddDate(0, -3, 0), Scope: "weight"}}
	}
	reg := &registry.Registry{
		Teams:      []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}},
		Patients:   []registry.Patient{{ID: "p-renewed"}},
		Devices:    []registry.Device{{Name: "renewed-scale", Kind: "scale", Password: "a password long enough"}},
		Enrolments: []registry.Enrolment{under("e-former", now.AddDate(0, -2, 0), renewal), under("e-renewed", renewal, now.AddDate(0, 6, 0))},
	}
	if _, err := s.Registry().Import(t.Context(), reg, "a nurse", now); err != nil {
		t.Fatal(err)
	}
	weighed := func(at time.Time, value protocols.Value) *protocols.Reading {
		return &protocols.Reading{ID: fmt.Sprint("w", at.Unix()), Device: "renewed-scale", Patient: "p-renewed", Time: at.Truncate(time.Second),
			Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{value}, Battery: -1}
	}
	var kept []*protocols.Reading
	for day := 20; day >= 1; day-- {
		kept = append(kept, weighed(now.AddDate(0, 0, -day), 80_000))
	}
	kept = append(kept, weighed(now.Add(-time.Hour), 83_500))
	err := s.Store().Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep(kept, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.standing(t.Context(), "e-renewed", "weight-gain-fast", now)
	if err != nil {
		t.Fatal(err)
	}
	if account.Level == protocols.NoLevel {
		t.Errorf("it does not ring any more: %s", account.Summary.FR)
	}
}
