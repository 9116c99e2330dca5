package storetest

import (
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

func errands(t *testing.T, s ingest.Store) {
	store := s.(ingest.Errands)
	keep(t, s, weight("a", noon))
	reading := weight("b", noon.Add(time.Hour))
	update(t, s, func(tx ingest.Tx) error {
		if err := tx.Send(ingest.Errand{Kind: ingest.Strike, At: noon, Task: ingest.Task{Reading: ingest.NameOf(reading)}}); err != nil {
			return err
		}
		_, err := tx.Keep([]*protocols.Reading{reading}, noon)
		return err
	})
	update(t, s, func(tx ingest.Tx) error {
		return tx.Send(ingest.Errand{Kind: ingest.Erase, At: noon, Task: ingest.Task{Patient: "p1"}})
	})
	keep(t, s, weight("c", noon.Add(2*time.Hour)))
	open, err := store.OpenErrands(t.Context())
	if err != nil || len(open) != 2 {
		t.Fatalf("%d errands are open, %v", len(open), err)
	}
	strike, erase := open[0], open[1]
	if strike.Kind != ingest.Strike || erase.Kind != ingest.Erase || *strike.Task.Reading != *ingest.NameOf(reading) || erase.Task.Patient != "p1" || !strike.At.Equal(noon) {
		t.Errorf("they are %+v and %+v", strike, erase)
	}
	// Embedded, a place is known at once; where several nodes write, at the commit.
	if strike.After != 1 && strike.After != 2 {
		t.Errorf("the first comes behind %d, want behind what was kept before it", strike.After)
	}
	expect(t, "place of the second", erase.After, 2)
	strike.Reached, strike.Carried, strike.Done = ingest.Reached{Sent: 1, Note: "said"}, noon, noon
	if err := store.SetErrand(t.Context(), strike); err != nil {
		t.Fatal(err)
	}
	kept, err := store.Errand(t.Context(), strike.ID)
	expect(t, "error", err, nil)
	kept.Task, strike.Task = ingest.Task{}, ingest.Task{}
	expect(t, "as it was recorded", kept, strike)
	open, err = store.OpenErrands(t.Context())
	if err != nil || len(open) != 1 || open[0].ID != erase.ID {
		t.Errorf("open are %+v, %v", open, err)
	}
	erased, err := store.Erased(t.Context())
	expect(t, "error", err, nil)
	expect(t, "who was erased", erased, map[string]ingest.Erasure{"p1": {After: 2, At: noon}})
	if _, err := store.Errand(t.Context(), 4711); err == nil {
		t.Error("an errand that nobody sent is found")
	}
}

func listPatients(t *testing.T, s ingest.Store) {
	store := s.(ingest.Errands)
	for _, patient := range []string{"p3", "p1", "p2", "p1"} {
		r := weight("of "+patient, noon)
		r.Patient, r.Device = patient, "scale of "+patient
		keep(t, s, r)
	}
	for behind, want := range map[string][]string{"": {"p1", "p2"}, "p1": {"p2", "p3"}, "p2": {"p3"}, "p3": nil} {
		got, err := store.Patients(t.Context(), behind, 2)
		expect(t, "error", err, nil)
		if len(got)+len(want) > 0 {
			expect(t, "patients behind "+behind, got, want)
		}
	}
}
