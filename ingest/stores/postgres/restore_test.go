package postgres

import (
	"slices"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// A dump of PostgreSQL's own is the backup: what was committed is there in the restored
// database, and work goes on behind it.
func TestADumpRestoredElsewhereIsTheStore(t *testing.T) {
	server := shared.Server(t)
	address, err := server.Database()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, address, Options{})
	if _, err := s.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-1"}}}, "a nurse", noon); err != nil {
		t.Fatal(err)
	}
	keep(t, s, weight("a", "scale-1", "p-1", noon), weight("b", "scale-1", "p-1", noon.Add(time.Hour)))
	if err := s.Update(t.Context(), func(tx ingest.Tx) error {
		return tx.Send(ingest.Errand{Kind: ingest.Erase, At: noon, Task: ingest.Task{Patient: "p-9"}})
	}); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := server.Restored(address)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s, weight("after the dump", "scale-1", "p-1", noon.Add(2*time.Hour)))

	again := open(t, elsewhere, Options{})
	readings := func() (ids []string) {
		err := again.History(t.Context(), "p-1", nil, time.Time{}, noon.AddDate(1, 0, 0), func(r *protocols.Reading) bool { ids = append(ids, r.ID); return true })
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if got := readings(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the restored store holds %v", got)
	}
	if there, err := again.HasPatient(t.Context(), "p-1"); err != nil || !there {
		t.Errorf("the patient: %v, %v", there, err)
	}
	if open, err := again.OpenErrands(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("the errands: %+v, %v", open, err)
	}
	if fresh := keep(t, again, weight("a", "scale-1", "p-1", noon), weight("c", "scale-1", "p-1", noon.Add(3*time.Hour))); !slices.Equal(fresh, []bool{false, true}) {
		t.Errorf("sent again, and sent after: %v", fresh)
	}
	if got := readings(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("it goes on with %v", got)
	}
	kept, err := again.ReadingsAfter(t.Context(), 2, 10)
	if err != nil || len(kept) != 1 || kept[0].Seq <= 2 || kept[0].Reading.ID != "c" {
		t.Errorf("the journal goes on with %+v, %v", kept, err)
	}
}
