// Package storetest is the contract of every store as tests: what ingest, the
// registry and alerts ask of one.
//
// Glossary of the stores: journal = what was committed, in its order; block = readings of
// one patient and measure, as they are read back; file = move readings from the journal
// into blocks; state = what an evaluation goes on from; claim = hold states for a commit;
// settle = what was pending becomes final, such as what was set aside or committed; act =
// what a person does; find = search; note = write down for later, and change nothing
// else; prune = delete what is kept long enough; guard = a checksum beside a row; take =
// get the next of what is there, which nobody else gets then.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// Run holds a store to its contract. open returns a new, empty store; it closes
// it when the test ends.
func Run(t *testing.T, open func(t *testing.T) ingest.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ingest.Store)
	}{
		{"a reading comes back as it was given", comesBack},
		{"a reading comes back with what few have", comesBackWhole},
		{"the same reading of the same device is kept once", keptOnce},
		{"an id that is used again is another reading, and a repetition of it is none", usedAgain},
		{"readings of a used id come back as they were given", usedAgainComesBack},
		{"an id is used again in the batch that used it first", usedAgainInBatch},
		{"a reading is struck out and is not, and it is known by whom and why", struckOut},
		{"a strike of a transaction that failed never was", struckInVain},
		{"a strike of many patients is open until it is done", wideActs},
		{"what is struck out and told again stays so, and may come right", struckAndToldAgain},
		{"a repetition inside one batch is kept once", repeatedInBatch},
		{"the same id of two devices is two readings", sameIDTwoDevices},
		{"a reading that is kept is known to be", holds},
		{"history is in canonical order, from included, to excluded", historyOrder},
		{"history of all measures is in canonical order over months", historyOfAll},
		{"history may reach to the ends of time", historyFar},
		{"history stops when asked to", historyStops},
		{"a transaction sees what it has kept", seesItsOwn},
		{"what a transaction keeps in several goes is kept as in one", severalGoes},
		{"an error leaves nothing behind", errorLeavesNothing},
		{"an id of a failed transaction is fresh again", freshAfterFailure},
		{"the journal gives every reading once, in the order of commits", journal},
		{"a cursor stays where it was put", cursor},
		{"a state comes back with its version", states},
		{"a state that only moved keeps its snapshot", stateMoves},
		{"what is due is listed, oldest first", due},
		{"an enrolment is due when it begins and when it changes", dueByRegistry},
		{"what was set aside comes back, newest first", setAside},
		{"the same thing set aside twice is one record", setAsideTwice},
		{"what a person dismisses is neither open nor stored again", setAsideDismissed},
		{"lists of what was set aside are narrowed", setAsideFilter},
		{"a settled record is no longer open", settle},
		{"the status of a device is the last one told", deviceStatus},
		{"devices are due in the order of time", dueDevices},
		{"the states of many devices are read at once", deviceStatuses},
		{"a cancelled context begins nothing", cancelled},
		{"an errand comes behind the readings of its transaction, and stays until it is done", errands},
		{"patients are listed in order", listPatients},
		{"an unknown device or enrolment is said to be so", unknown},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// noon is where the tests count from.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func weight(id string, at time.Time) *protocols.Reading {
	return &protocols.Reading{
		ID: id, Device: "scale-1", Patient: "p1", Time: at, Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82100},
	}
}

// keep commits readings in one transaction and returns what became of them.
func keep(t *testing.T, s ingest.Store, readings ...*protocols.Reading) []ingest.Fate {
	t.Helper()
	var fates []ingest.Fate
	update(t, s, func(tx ingest.Tx) error {
		got, err := tx.Keep(readings, noon)
		fates = slices.Clone(got)
		return err
	})
	return fates
}

func update(t *testing.T, s ingest.Store, work func(ingest.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), work); err != nil {
		t.Fatal(err)
	}
}

func history(t *testing.T, s ingest.Store, patient string, measure *protocols.Measure, from, to time.Time) []*protocols.Reading {
	t.Helper()
	var found []*protocols.Reading
	err := s.History(t.Context(), patient, measure, from, to, func(r *protocols.Reading) bool {
		found = append(found, r)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ids(readings []*protocols.Reading) (ids []string) {
	for _, r := range readings {
		ids = append(ids, r.ID)
	}
	return ids
}

func expect[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func comesBack(t *testing.T, s ingest.Store) {
	pressure, glucose := protocols.MeasureByID("blood-pressure"), protocols.MeasureByID("glucose")
	given := []*protocols.Reading{
		{ID: "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", Device: "bp-1", Patient: "p1", Time: noon.Add(123456789 * time.Nanosecond),
			Measure: pressure, Values: []protocols.Value{142000, 91000, protocols.Missing, 72000}, Source: protocols.FromPatient,
			Flags: []string{"irregular-pulse", "motion"}, Context: map[string]string{"posture": "sitting", "arm": "left"}, Battery: 87},
		{ID: "018F6F2C-5B1E-7CC3-9D2F-3A61C7A0E101", Device: "bp-1", Patient: "p1", Time: noon.Add(time.Second),
			Measure: pressure, Values: []protocols.Value{120000, 80000, 95000, protocols.Missing}, Source: protocols.FromProfessional, Battery: 0},
		{ID: "é/1", Device: "meter-1", Patient: "p1", Time: noon.Add(2 * time.Second), DayOnly: true,
			Measure: glucose, Variant: 2, Values: []protocols.Value{54321}, Battery: 100},
		{ID: "x", Device: "dialysis-1", Patient: "p1", Time: noon.Add(3 * time.Second), Battery: -1,
			Measure: protocols.MeasureByID("dialysis-session"), Values: []protocols.Value{80000, 78000, 78200, 0, 1, -1, 999999999, -500000, protocols.Missing,
				protocols.Missing, protocols.Missing, protocols.Missing, protocols.Missing, protocols.Missing}},
	}
	keep(t, s, given...)
	got := history(t, s, "p1", nil, noon, noon.Add(time.Hour))
	if len(got) != len(given) {
		t.Fatalf("got %d readings, want %d", len(got), len(given))
	}
	for i := range given {
		expect(t, given[i].ID, *got[i], *given[i])
		if got[i].Measure != given[i].Measure || got[i].Time.Location() != time.UTC {
			t.Errorf("%s: the measure is not that of the table, or the time is not in UTC", given[i].ID)
		}
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 10)
	if err != nil || len(kept) != len(given) {
		t.Fatalf("the journal has %d readings, want %d (%v)", len(kept), len(given), err)
	}
	for i := range given {
		expect(t, "journal "+given[i].ID, kept[i].Reading, *given[i])
	}
}

func keptOnce(t *testing.T, s ingest.Store) {
	expect(t, "first time", keep(t, s, weight("a", noon)), fates("fresh"))
	changed := weight("a", noon)
	changed.Values[0] = 90000
	expect(t, "with other values", keep(t, s, changed), fates("contradictory"))
	expect(t, "once more", keep(t, s, weight("a", noon)), fates("repeated"))
	got := history(t, s, "p1", nil, noon.Add(-time.Hour), noon.Add(2*time.Hour))
	expect(t, "readings kept", ids(got), []string{"a"})
	expect(t, "value kept", got[0].Values[0], protocols.Value(82100))
}

// fates reads what becomes of readings from their names.
func fates(names string) (list []ingest.Fate) {
	for name := range strings.FieldsSeq(names) {
		for f := ingest.Fresh; f <= ingest.Replacing; f++ {
			if f.String() == name {
				list = append(list, f)
			}
		}
	}
	return list
}

// valued is a weight of another value.
func valued(id string, at time.Time, value protocols.Value) *protocols.Reading {
	r := weight(id, at)
	r.Values[0] = value
	return r
}

func usedAgain(t *testing.T, s ingest.Store) {
	sugar := &protocols.Reading{ID: "a", Device: "scale-1", Patient: "p1", Time: noon, Measure: protocols.MeasureByID("glucose"), Values: []protocols.Value{82100}, Battery: -1}
	for _, step := range []struct {
		what string
		r    *protocols.Reading
		want string
	}{
		{"the first time", weight("a", noon), "fresh"},
		{"the same values two minutes later", weight("a", noon.Add(2*time.Minute)), "repeated"},
		{"the same values two minutes before", weight("a", noon.Add(-2*time.Minute)), "repeated"},
		{"other values within two minutes", valued("a", noon.Add(time.Minute), 90_000), "reused"},
		{"these again", valued("a", noon.Add(time.Minute), 90_000), "repeated"},
		{"others at that moment", valued("a", noon.Add(time.Minute), 91_000), "contradictory"},
		{"the same values an hour later", weight("a", noon.Add(time.Hour)), "reused"},
		{"these again", weight("a", noon.Add(time.Hour)), "repeated"},
		{"others at that moment", valued("a", noon.Add(time.Hour), 90_000), "contradictory"},
		{"others at the first moment", valued("a", noon, 95_000), "contradictory"},
		{"a year before", weight("a", noon.AddDate(-1, 0, 0)), "reused"},
		{"in 1960", weight("a", time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)), "reused"},
		{"in 1960 again", weight("a", time.Date(1960, 1, 1, 0, 1, 0, 0, time.UTC)), "repeated"},
		{"a nanosecond later", valued("a", noon.Add(1), 90_001), "reused"},
		{"another measure of the first moment", sugar, "fresh"},
		{"that again", sugar, "repeated"},
		{"reckoned from when it came", reckoned(noon.Add(2 * time.Hour)), "reused"},
		{"that again, ten minutes later", reckoned(noon.Add(2*time.Hour + 10*time.Minute)), "repeated"},
		{"that again, an hour later", reckoned(noon.Add(3 * time.Hour)), "reused"},
	} {
		expect(t, step.what, keep(t, s, step.r), fates(step.want))
	}
	expect(t, "kept", len(history(t, s, "p1", nil, time.Time{}, noon.AddDate(1, 0, 0))), 9)
}

// reckoned is a weight of a device without a clock.
func reckoned(at time.Time) *protocols.Reading {
	r := weight("a", at)
	r.Reckoned = true
	return r
}

func usedAgainComesBack(t *testing.T, s ingest.Store) {
	const id = "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101"
	var want []string
	for day := range 40 {
		r := valued(id, noon.AddDate(0, 0, day), protocols.Value(80_000+day))
		keep(t, s, r)
		want = append(want, fmt.Sprintf("%+v", *r))
	}
	var got []string
	for _, r := range history(t, s, "p1", nil, noon, noon.AddDate(1, 0, 0)) {
		got = append(got, fmt.Sprintf("%+v", *r))
	}
	expect(t, "history", got, want)
	kept, err := s.ReadingsAfter(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got = got[:0]
	for _, k := range kept {
		got = append(got, fmt.Sprintf("%+v", k.Reading))
	}
	expect(t, "journal", got, want)
}

func usedAgainInBatch(t *testing.T, s ingest.Store) {
	fresh := keep(t, s, weight("a", noon), weight("b", noon), valued("a", noon, 90_000), weight("a", noon.Add(time.Hour)), valued("b", noon, 90_000),
		weight("a", noon.Add(time.Hour)), valued("a", noon.Add(time.Hour), 90_000), valued("a", noon.Add(time.Hour+time.Minute), 90_000), weight("a", noon.Add(time.Minute)))
	expect(t, "what becomes of them", fresh, fates("fresh fresh contradictory reused contradictory repeated contradictory reused repeated"))
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{weight("a", noon.Add(2*time.Hour))}, noon)
		return errors.Join(err, errOnPurpose)
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatal(err)
	}
	expect(t, "after a transaction that failed", keep(t, s, weight("a", noon.Add(2*time.Hour))), fates("reused"))
	expect(t, "kept", ids(history(t, s, "p1", nil, noon, noon.AddDate(0, 0, 1))), []string{"a", "b", "a", "a", "a"})
}

func severalGoes(t *testing.T, s ingest.Store) {
	later := noon.AddDate(0, 0, 40)
	var all []ingest.Fate
	update(t, s, func(tx ingest.Tx) error {
		for _, some := range [][]*protocols.Reading{{weight("a", noon), weight("b", later)}, {weight("a", noon), weight("c", noon.Add(time.Hour))}} {
			got, err := tx.Keep(some, noon)
			if err != nil {
				return err
			}
			all = append(all, got...)
		}
		var seen []*protocols.Reading
		err := tx.History("p1", nil, noon, later.Add(1), func(r *protocols.Reading) bool { seen = append(seen, r); return true })
		expect(t, "seen", ids(seen), []string{"a", "c", "b"})
		return err
	})
	expect(t, "what becomes of them", all, fates("fresh fresh repeated fresh"))
	expect(t, "kept", ids(history(t, s, "p1", nil, noon, later.Add(1))), []string{"a", "c", "b"})
}

func repeatedInBatch(t *testing.T, s ingest.Store) {
	fresh := keep(t, s, weight("a", noon), weight("b", noon), weight("a", noon))
	expect(t, "fresh", fresh, fates("fresh fresh repeated"))
	expect(t, "kept", ids(history(t, s, "p1", nil, noon, noon.Add(1))), []string{"a", "b"})
}

func holds(t *testing.T, s ingest.Store) {
	expectHeld := func(what string, r *protocols.Reading, want bool) {
		t.Helper()
		update(t, s, func(tx ingest.Tx) error {
			got, err := tx.Holds(r)
			expect(t, what+" is held", got, want)
			return err
		})
	}
	expectHeld("what never came", weight("a", noon), false)
	keep(t, s, weight("a", noon), weight("a", noon.Add(time.Hour)))
	expectHeld("what is kept", weight("a", noon), true)
	expectHeld("what is kept of a used id", weight("a", noon.Add(time.Hour)), true)
	expectHeld("another id", weight("b", noon), false)
	expectHeld("another moment", weight("a", noon.Add(30*time.Minute)), false)
	other := weight("a", noon)
	other.Device = "scale-2"
	expectHeld("another device", other, false)
	other = weight("a", noon)
	other.Values[0]++
	expectHeld("another value", other, false)
}

func sameIDTwoDevices(t *testing.T, s ingest.Store) {
	other := weight("a", noon)
	other.Device = "scale-2"
	expect(t, "fresh", keep(t, s, weight("a", noon), other), fates("fresh fresh"))
}

func historyOrder(t *testing.T, s ingest.Store) {
	later := weight("0", noon.Add(300*time.Microsecond))
	otherDevice := weight("0", noon.Add(time.Minute))
	otherDevice.Device = "scale-0"
	otherPatient := weight("p2", noon)
	otherPatient.Patient, otherPatient.Device = "p2", "scale-9"
	keep(t, s, weight("z", noon.Add(time.Minute)), later, otherPatient)
	keep(t, s, weight("b", noon), weight("a", noon), otherDevice, weight("before", noon.Add(-1)), weight("end", noon.Add(time.Hour)))
	got := history(t, s, "p1", protocols.MeasureByID("weight"), noon, noon.Add(time.Hour))
	expect(t, "order", ids(got), []string{"a", "b", "0", "0", "z"})
	expect(t, "of the same time, by device", got[3].Device, "scale-0")
	expect(t, "another measure", len(history(t, s, "p1", protocols.MeasureByID("glucose"), noon, noon.Add(time.Hour))), 0)
	expect(t, "nobody", len(history(t, s, "nobody", nil, noon, noon.Add(time.Hour))), 0)
}

func historyFar(t *testing.T, s ingest.Store) {
	keep(t, s, weight("a", noon))
	put(t, s, record("b", protocols.Malformed))
	for _, far := range farDates {
		before, after := 1, 0
		if far.Before(noon) {
			before, after = 0, 1
		}
		for _, m := range []*protocols.Measure{nil, protocols.MeasureByID("weight")} {
			expect(t, "before "+far.String(), len(history(t, s, "p1", m, time.Time{}, far)), before)
			expect(t, "from "+far.String(), len(history(t, s, "p1", m, far, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))), after)
		}
		expect(t, "set aside before "+far.String(), len(setAsides(t, s, ingest.SetAsideFilter{To: far})), before)
		expect(t, "set aside from "+far.String(), len(setAsides(t, s, ingest.SetAsideFilter{From: far})), after)
	}
}

func historyOfAll(t *testing.T, s ingest.Store) {
	var readings []*protocols.Reading
	var want []string
	for day := range 100 {
		w := weight(fmt.Sprintf("w%d", day), noon.AddDate(0, 0, day))
		g := &protocols.Reading{ID: fmt.Sprintf("g%d", day), Device: "meter-1", Patient: "p1", Battery: -1,
			Time: noon.AddDate(0, 0, day).Add(time.Hour), Measure: protocols.MeasureByID("glucose"), Values: []protocols.Value{100000}}
		readings = append(readings, g, w)
		want = append(want, w.ID, g.ID)
	}
	slices.Reverse(readings)
	keep(t, s, readings...)
	expect(t, "all", ids(history(t, s, "p1", nil, time.Time{}, noon.AddDate(1, 0, 0))), want)
	expect(t, "some", ids(history(t, s, "p1", nil, noon.AddDate(0, 0, 40), noon.AddDate(0, 0, 80))), want[80:160])
}

func historyStops(t *testing.T, s ingest.Store) {
	keep(t, s, weight("a", noon), weight("b", noon.Add(1)), weight("c", noon.Add(time.Second)))
	for _, measure := range []*protocols.Measure{nil, protocols.MeasureByID("weight")} {
		count := 0
		err := s.History(t.Context(), "p1", measure, noon, noon.Add(time.Hour), func(*protocols.Reading) bool {
			count++
			return count < 2
		})
		if err != nil || count != 2 {
			t.Errorf("yield was called %d times, want 2 (%v)", count, err)
		}
	}
}

func seesItsOwn(t *testing.T, s ingest.Store) {
	keep(t, s, weight("before", noon))
	update(t, s, func(tx ingest.Tx) error {
		if _, err := tx.Keep([]*protocols.Reading{weight("now", noon.Add(time.Second))}, noon); err != nil {
			return err
		}
		var seen []string
		err := tx.History("p1", nil, noon, noon.Add(time.Hour), func(r *protocols.Reading) bool {
			seen = append(seen, r.ID)
			return true
		})
		expect(t, "inside the transaction", seen, []string{"before", "now"})
		return err
	})
}

var errOnPurpose = errors.New("on purpose")

func errorLeavesNothing(t *testing.T, s ingest.Store) {
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		if _, err := tx.Keep([]*protocols.Reading{weight("a", noon)}, noon); err != nil {
			return err
		}
		if err := tx.SaveStates([]ingest.StateRecord{{Enrolment: "e1", Snapshot: []byte("x"), Due: noon}}); err != nil {
			return err
		}
		if _, err := tx.SetAside([]ingest.SetAsideRecord{record("r1", protocols.Malformed)}); err != nil {
			return err
		}
		if err := tx.SetDeviceStatus(ingest.DeviceStatus{Device: "scale-1", Online: true, At: noon}); err != nil {
			return err
		}
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("Update returned %v, want the error of work", err)
	}
	expect(t, "readings", len(history(t, s, "p1", nil, noon, noon.Add(time.Hour))), 0)
	kept, err := s.ReadingsAfter(t.Context(), 0, 10)
	expect(t, "journal", len(kept), 0)
	expect(t, "error", err, nil)
	enrolments, err := s.DueEnrolments(t.Context(), noon, 10)
	expect(t, "due", len(enrolments), 0)
	expect(t, "error", err, nil)
	expect(t, "set aside", len(setAsides(t, s, ingest.SetAsideFilter{})), 0)
	update(t, s, func(tx ingest.Tx) error {
		_, known, err := tx.DeviceStatus("scale-1")
		expect(t, "status known", known, false)
		return err
	})
}

func freshAfterFailure(t *testing.T, s ingest.Store) {
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{weight("a", noon)}, noon)
		return errors.Join(err, errOnPurpose)
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatal(err)
	}
	other := weight("b", noon)
	other.Device, other.Patient = "scale-7", "p7"
	expect(t, "fresh", keep(t, s, other, weight("a", noon)), fates("fresh fresh"))
	got := history(t, s, "p1", nil, noon, noon.Add(time.Hour))
	expect(t, "readings of p1", ids(got), []string{"a"})
	expect(t, "device", got[0].Device, "scale-1")
	got = history(t, s, "p7", nil, noon, noon.Add(time.Hour))
	expect(t, "readings of p7", ids(got), []string{"b"})
	expect(t, "device", got[0].Device, "scale-7")
}

func journal(t *testing.T, s ingest.Store) {
	keep(t, s, weight("c", noon.Add(time.Hour)), weight("a", noon))
	keep(t, s, weight("a", noon), weight("b", noon))
	keep(t, s, weight("a", noon))
	keep(t, s, weight("d", noon))
	var got []string
	var last int64
	for {
		kept, err := s.ReadingsAfter(t.Context(), last, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) == 0 {
			break
		}
		if len(kept) > 3 {
			t.Fatalf("got %d readings, asked for 3", len(kept))
		}
		for _, k := range kept {
			if k.Seq <= last || !k.At.Equal(noon) {
				t.Errorf("reading %s has sequence number %d after %d, at %v", k.Reading.ID, k.Seq, last, k.At)
			}
			last = k.Seq
			got = append(got, k.Reading.ID)
		}
	}
	expect(t, "journal", got, []string{"c", "a", "b", "d"})
}

func cursor(t *testing.T, s ingest.Store) {
	for _, want := range []int64{0, 7, 12} {
		if want > 0 {
			if err := s.SetCursor(t.Context(), "influx", want); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Cursor(t.Context(), "influx")
		expect(t, "cursor", got, want)
		expect(t, "error", err, nil)
	}
	other, err := s.Cursor(t.Context(), "other")
	expect(t, "another cursor", other, 0)
	expect(t, "error", err, nil)
}

func cancelled(t *testing.T, s ingest.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, func(ingest.Tx) error { t.Error("work was called"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update returned %v, want context.Canceled", err)
	}
}
