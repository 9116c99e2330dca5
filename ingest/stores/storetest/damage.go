package storetest

import (
	"reflect"
	"testing"

	"vigie/ingest"
	"vigie/protocols"
)

// comesBackWhole keeps what few readings have.
func comesBackWhole(t *testing.T, s ingest.Store) {
	r := &protocols.Reading{
		ID: "r-1", Device: "bp-1", Patient: "p1", Time: noon, Measure: protocols.MeasureByID("blood-pressure"),
		Values: []protocols.Value{142000, protocols.Missing, protocols.Missing, 72000}, Battery: 87, Source: protocols.FromPatient, Flags: []string{"motion"},
		Limits: []protocols.Limit{protocols.MoreThan, protocols.Measured, protocols.Measured, protocols.LessThan},
		Origin: &protocols.Origin{Unit: "mm[Hg]", Time: "2026-11-21T13:00:00+01:00", Batch: "import-7"}, Struck: true,
	}
	plain, batched := weight("r-2", noon), weight("r-3", noon)
	batched.Origin = &protocols.Origin{Batch: "import-7"}
	given := []*protocols.Reading{r, plain, batched}
	keep(t, s, given...)
	got := append(history(t, s, "p1", r.Measure, noon, noon.Add(1)), history(t, s, "p1", plain.Measure, noon, noon.Add(1))...)
	kept, err := s.ReadingsAfter(t.Context(), 0, 10)
	if err != nil || len(got) != len(given) || len(kept) != len(given) {
		t.Fatalf("%d readings in the history, %d in the journal, want %d (%v)", len(got), len(kept), len(given), err)
	}
	for i, want := range given {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("got %+v (%+v), want %+v (%+v)", got[i], got[i].Origin, want, want.Origin)
		}
		if !reflect.DeepEqual(&kept[i].Reading, want) {
			t.Errorf("the journal has %+v, want %+v", kept[i].Reading, want)
		}
	}
}
