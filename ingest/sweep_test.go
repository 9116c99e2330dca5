package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
)

// watched is a store that tells before it answers which enrolments are due.
type watched struct {
	ingest.Store
	asked func(due []string)
}

func (w *watched) DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error) {
	due, err := w.Store.DueEnrolments(ctx, now, limit)
	w.asked(due)
	return due, err
}

// silent are patients of whom a weight is expected each day, newly entered.
func silent(count int) *registry.Registry {
	reg := &registry.Registry{}
	for i := range count {
		patient := fmt.Sprint("silent-", i)
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient})
		reg.Devices = append(reg.Devices, registry.Device{Name: "scale-of-" + patient, Kind: "scale"})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
			ID: "e-" + patient, Patient: patient, Protocol: "silence", Version: "1", Zone: "Europe/Paris", Team: "team-1", Devices: []string{"scale-of-" + patient},
			Consent: registry.Consent{Given: true, Date: start, Scope: "télésurveillance"}, From: start, Prescription: start.AddDate(0, 11, 0),
		})
	}
	return reg
}

func TestReadingsAreAcknowledgedWhileALongSweepRuns(t *testing.T) {
	const patients = 300
	store := &watched{}
	s := begin(t, func(c *ingest.Config) { store.Store, c.Store = c.Store, store })
	s.enter(silent(patients))
	acknowledged, left := 0, 0
	store.asked = func(due []string) {
		if len(due) == 0 {
			return
		}
		// Whoever is named here has not been looked at.
		left = len(due)
		s.send("scale-1", weight(fmt.Sprint("w", acknowledged), start, 82))
		acknowledged++
	}
	swept, err := s.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if acknowledged < 2 || left == 0 {
		t.Errorf("%d readings were acknowledged before %d enrolments were looked at: the sweep came in one piece", acknowledged, swept)
	}
	if swept < patients {
		t.Errorf("%d enrolments were looked at, of %d", swept, patients)
	}
	expect(t, "kept", len(s.history("p1")), acknowledged)
}

func TestPatientsWhomASweepLookedAtAreFoundSilentAndFollowed(t *testing.T) {
	s := begin(t, func(c *ingest.Config) { c.Limits.States = 1 })
	s.enter(silent(3))
	for range 3 {
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.move(24 * time.Hour)
	}
	s.send("scale-of-silent-1", weight("a", s.clock(), 82))
	s.move(10 * time.Hour)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range s.found() {
		got[f]++
	}
	expect(t, "found", got, map[string]int{"raised no-weight": 3, "ended no-weight": 1})
}

func TestMorePatientsThanMemoryRemembersAreFollowedAllTheSame(t *testing.T) {
	const patients = 12
	s := begin(t, func(c *ingest.Config) { c.Limits.States = 2 })
	s.enter(silent(patients))
	everybodySends := func(id string) {
		for i := range patients {
			s.send(fmt.Sprint("scale-of-silent-", i), weight(id, s.clock(), 82))
		}
	}
	everybodySends("a")
	s.move(96 * time.Hour)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	everybodySends("b")
	got := map[string]int{}
	for _, f := range s.found() {
		got[f]++
	}
	expect(t, "found", got, map[string]int{"raised no-weight": patients, "ended no-weight": patients})
	for i := range patients {
		expect(t, "kept", s.history(fmt.Sprint("silent-", i)), []string{"a", "b"})
	}
}

// Nothing is expected of whom a physician has yet to validate, and what the device sends
// is set aside, with a reason. From the validation on the patient is followed.
func TestAProposalIsNotFollowedUntilItIsValidated(t *testing.T) {
	s := begin(t, func(*ingest.Config) {})
	reg := silent(1)
	reg.Enrolments[0].Proposed = true
	s.enter(reg)
	sweep := func() {
		t.Helper()
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.send("scale-of-silent-0", weight("a", s.clock(), 82))
	for range 5 {
		sweep()
		s.move(24 * time.Hour)
	}
	expect(t, "found of a proposal", s.found(), nil)
	expect(t, "kept of a proposal", s.history("silent-0"), nil)
	expect(t, "set aside", s.setAside(), []string{"a not-enrolled"})

	s.enter(&registry.Registry{Enrolments: []registry.Enrolment{reg.Enrolments[0].ValidatedBy("Dr Aubry", s.clock())}})
	sweep()
	expect(t, "found at the validation", s.found(), nil)
	s.send("scale-of-silent-0", weight("b", s.clock(), 82))
	s.move(96 * time.Hour)
	sweep()
	expect(t, "found afterwards", s.found(), []string{"raised no-weight"})
	expect(t, "kept afterwards", s.history("silent-0"), []string{"b"})
}
