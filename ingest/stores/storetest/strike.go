package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// struckOf are the ids of a patient's readings, sorted, with a star behind what is struck
// out.
func struckOf(t *testing.T, s ingest.Store) (list []string) {
	t.Helper()
	for _, r := range history(t, s, "p1", nil, noon.Add(-time.Hour), noon.AddDate(0, 0, 30)) {
		id := r.ID
		if r.Struck {
			id += "*"
		}
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

func strike(t *testing.T, s ingest.Store, readings ...*protocols.Reading) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) error { return tx.Strike(readings, "Mme Hoarau", "son mari", noon.Add(time.Hour)) })
}

func unstrike(t *testing.T, s ingest.Store, readings ...*protocols.Reading) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) error {
		return tx.Unstrike(readings, "Dr Payet", "c'était bien elle", noon.Add(2*time.Hour))
	})
}

// struckOut marks a reading and takes the mark away, and tells who did and why. Of the
// others of the moment, nothing changes.
func struckOut(t *testing.T, s ingest.Store) {
	sugar := &protocols.Reading{ID: "a", Device: "scale-1", Patient: "p1", Time: noon, Measure: protocols.MeasureByID("glucose"), Values: []protocols.Value{5000}, Battery: -1}
	keep(t, s, weight("a", noon), sugar, weight("b", noon), weight("a", noon.Add(time.Hour)))
	strike(t, s, weight("a", noon))
	expect(t, "struck out", struckOf(t, s), []string{"a", "a", "a*", "b"})
	if got := history(t, s, "p1", sugar.Measure, noon, noon.Add(1)); len(got) != 1 || got[0].Struck {
		t.Errorf("the other measure of the moment is %+v", got)
	}
	update(t, s, func(tx ingest.Tx) error {
		found := 0
		err := tx.History("p1", weight("a", noon).Measure, noon, noon.Add(1), func(r *protocols.Reading) bool {
			if r.Struck {
				found++
			}
			return true
		})
		expect(t, "struck out, as a transaction sees it", found, 1)
		return err
	})
	marks, err := s.Marks(t.Context(), "p1", noon, noon.Add(1))
	want := ingest.Mark{Reading: *ingest.NameOf(weight("a", noon)), Values: weight("a", noon).Values, Author: "Mme Hoarau", Reason: "son mari", At: noon.Add(time.Hour)}
	if err != nil || len(marks) != 1 || !reflect.DeepEqual(marks[0], want) {
		t.Fatalf("it is told as %+v, want %+v (%v)", marks, want, err)
	}
	unstrike(t, s, weight("a", noon))
	expect(t, "struck out once that is undone", struckOf(t, s), []string{"a", "a", "a", "b"})
	marks, err = s.Marks(t.Context(), "p1", noon, noon.Add(1))
	want.Undone, want.UndoneBy, want.UndoneReason = noon.Add(2*time.Hour), "Dr Payet", "c'était bien elle"
	if err != nil || len(marks) != 1 || !reflect.DeepEqual(marks[0], want) || !marks[0].Of(weight("a", noon)) {
		t.Errorf("it is told as %+v, want %+v (%v)", marks, want, err)
	}
	if none, err := s.Marks(t.Context(), "p2", noon, noon.Add(1)); err != nil || len(none) > 0 {
		t.Errorf("another patient has %v (%v)", none, err)
	}
}

// wideActs keeps strikes of many patients, as they were asked for.
func wideActs(t *testing.T, s ingest.Store) {
	acts := s.(ingest.WideActs)
	open := func() (ids []int64) {
		t.Helper()
		list, err := acts.OpenWideActs(t.Context())
		expect(t, "error", err, nil)
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		return ids
	}
	of := func(device string, undo bool) *ingest.WideAct {
		t.Helper()
		a := &ingest.WideAct{
			About: ingest.Striking{Device: device, From: noon, To: noon.Add(time.Hour), Batch: "import 2026-11-23T09:00:00Z", Measure: weight("a", noon).Measure, Author: "Mme Hoarau", Reason: "autre sac"},
			Undo:  undo, Patients: []string{"p1", "p2"}, At: noon,
		}
		expect(t, "error", acts.KeepWideAct(t.Context(), a), nil)
		return a
	}
	first, second, other := of("scale-1", false), of("scale-1", true), of("scale-2", false)
	expect(t, "open", open(), []int64{first.ID, second.ID, other.ID})
	expect(t, "error", acts.EndWideAct(t.Context(), first.ID, noon.Add(time.Minute)), nil)
	expect(t, "open once the first is done", open(), []int64{second.ID, other.ID})
	first.Done = noon.Add(time.Minute)
	list, err := acts.WideActsOf(t.Context(), "scale-1")
	if want := []ingest.WideAct{*first, *second}; err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("of the device there are %+v, want %+v (%v)", list, want, err)
	}
}

// struckInVain does in a transaction that fails what then never was.
func struckInVain(t *testing.T, s ingest.Store) {
	keep(t, s, weight("a", noon))
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		return errors.Join(tx.Strike([]*protocols.Reading{weight("a", noon)}, "Mme Hoarau", "son mari", noon), errOnPurpose)
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatal(err)
	}
	expect(t, "struck out", struckOf(t, s), []string{"a"})
}

// struckAndToldAgain: a device that sends again what was struck out changes nothing. The
// same id may come right, once, and that one can be struck out by itself.
func struckAndToldAgain(t *testing.T, s ingest.Store) {
	expect(t, "kept", keep(t, s, weight("a", noon), weight("c", noon.Add(-time.Minute)), valued("c", noon, 1000)), fates("fresh fresh reused"))
	strike(t, s, weight("a", noon), valued("c", noon, 1000))
	expect(t, "an exact re-send", keep(t, s, weight("a", noon)), fates("repeated"))
	expect(t, "a minute later", keep(t, s, weight("a", noon.Add(time.Minute))), fates("repeated"))
	update(t, s, func(tx ingest.Tx) error {
		held, err := tx.Holds(weight("a", noon))
		expect(t, "what is struck out is held", held, true)
		return err
	})
	expect(t, "other values", keep(t, s, valued("a", noon, 65_000), valued("c", noon, 2000)), fates("replacing replacing"))
	expect(t, "these again", keep(t, s, valued("a", noon, 65_000)), fates("repeated"))
	expect(t, "still others", keep(t, s, valued("a", noon, 66_000)), fates("contradictory"))
	got := history(t, s, "p1", nil, noon, noon.Add(1))
	struck := map[protocols.Value]bool{}
	for _, r := range got {
		struck[r.Values[0]] = r.Struck
	}
	expect(t, "struck out, by value", struck, map[protocols.Value]bool{82_100: true, 65_000: false, 1000: true, 2000: false})
	strike(t, s, valued("a", noon, 65_000))
	expect(t, "others, once that is struck out", keep(t, s, valued("a", noon, 66_000)), fates("contradictory"))
}
