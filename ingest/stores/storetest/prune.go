package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// Pruned is a store whose growth can be bounded.
type Pruned interface {
	ingest.Store
	ingest.Pruner
	ingest.Forgetter
}

// Mirror is an InfluxDB that holds what a store holds.
type Mirror struct{ ingest.History }

// Points is ingest.Beyond.Points.
func (m Mirror) Points(ctx context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	for _, patient := range asked.Patients {
		var failed error
		err := m.History.History(ctx, patient, nil, asked.From, asked.To, func(r *protocols.Reading) bool {
			if asked.Measures == nil || slices.Contains(asked.Measures, r.Measure) {
				failed = yield(ingest.Point{Reading: r})
			}
			return failed == nil
		})
		if err := cmp.Or(failed, err); err != nil {
			return err
		}
	}
	return nil
}

// forget forgets what was measured before, which InfluxDB holds.
func forget(t *testing.T, s Pruned, before time.Time) int {
	t.Helper()
	proof, err := ingest.Forget(t.Context(), s, Mirror{s}, before)
	if err != nil {
		t.Fatal(err)
	}
	return proof.Forgotten
}

// RunPruning holds a store to what may be forgotten and what may not. open
// returns a new, empty store that may forget its readings a dozen at a time.
func RunPruning(t *testing.T, open func(t *testing.T) Pruned) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Pruned)
	}{
		{"what was set aside is deleted by its code and age", deletedByCode},
		{"what is old is forgotten with its id, what is young stays", forgetOld},
		{"without limits nothing is forgotten", forgetNothing},
		{"the journal stays in front of its readers and while it is young", journalStays},
		{"what a reader of the journal has not read stays there, however old", unreadStays},
		{"the journal goes on with its numbers after all of it was forgotten", journalGoesOn},
		{"set-aside records go by when they were received", forgetSetAsides},
		{"what InfluxDB refused stays set aside while the store holds the reading", refusedStay},
		{"what was forgotten is recorded, by patient, measure and day", forgottenIsRecorded},
		{"what was forgotten is recorded under the name that a correction gives it", forgottenIsCorrected},
		{"what InfluxDB does not hold, or holds otherwise, stays and is told", unprovenStays},
		{"what has changed since it was proven stays", changedStays},
		{"what was struck out and told anew goes with what replaced it", replacedGoes},
		{"states and the status of devices stay", statesStay},
		{"commits go on meanwhile and lose nothing", pruneMeanwhile},
		{"a cancelled context forgets nothing", pruneCancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// days is how many days the daily weights of two patients go on.
const days = 200

// daily keeps a weight a day of each of two patients. The ids of one grow, those
// of the other do not.
func daily(t *testing.T, s ingest.Store, days int) {
	t.Helper()
	for day := range days {
		keep(t, s, dailyWeight(day), otherWeight(day))
	}
}

func dailyWeight(day int) *protocols.Reading {
	return weight(fmt.Sprintf("a%d", day), noon.AddDate(0, 0, day))
}

func otherWeight(day int) *protocols.Reading {
	r := weight(fmt.Sprintf("018f6f2c-5b1e-4cc3-9d2f-%012d", day*7919%1000), noon.AddDate(0, 0, day))
	r.Device, r.Patient = "scale-2", "p2"
	return r
}

func kept(t *testing.T, s ingest.Store, patient string) int {
	t.Helper()
	return len(history(t, s, patient, nil, time.Time{}, noon.AddDate(9, 0, 0)))
}

func prune(t *testing.T, s Pruned, retention ingest.Retention) ingest.Pruned {
	t.Helper()
	pruned, err := s.Prune(t.Context(), retention)
	if err != nil {
		t.Fatal(err)
	}
	return pruned
}

func forgetOld(t *testing.T, s Pruned) {
	daily(t, s, days)
	forgotten := forget(t, s, noon.AddDate(0, 0, days/2))
	for _, patient := range []string{"p1", "p2"} {
		if left := kept(t, s, patient); left < days/2 || left > days/2+12 {
			t.Errorf("%d readings of %s are left, want the %d that are young enough and few others", left, patient, days/2)
		}
	}
	expect(t, "left and forgotten together", kept(t, s, "p1")+kept(t, s, "p2")+forgotten, 2*days)
	expect(t, "the rest of the past", ids(history(t, s, "p1", nil, noon.AddDate(0, 0, days-2), noon.AddDate(1, 0, 0))),
		[]string{fmt.Sprint("a", days-2), fmt.Sprint("a", days-1)})
	fresh := keep(t, s, dailyWeight(days-50), dailyWeight(10), otherWeight(days-50), otherWeight(50))
	expect(t, "fresh: what is kept is known, what was forgotten is new", fresh, fates("repeated fresh repeated fresh"))
}

func forgetNothing(t *testing.T, s Pruned) {
	daily(t, s, 30)
	put(t, s, record("r1", protocols.Malformed))
	expect(t, "forgotten", prune(t, s, ingest.Retention{}), ingest.Pruned{})
	expect(t, "kept", kept(t, s, "p1"), 30)
}

// readTo has a reader of the journal that has come so far.
func readTo(t *testing.T, s ingest.Store, seq int64) {
	t.Helper()
	if err := s.SetCursor(t.Context(), "influx", seq); err != nil {
		t.Fatal(err)
	}
}

func after(t *testing.T, s ingest.Store, seq int64) []ingest.Kept {
	t.Helper()
	waiting, err := s.ReadingsAfter(t.Context(), seq, 10*days)
	if err != nil {
		t.Fatal(err)
	}
	return waiting
}

// late is after everything that the tests keep was kept.
var late = noon.Add(time.Hour)

func journalStays(t *testing.T, s Pruned) {
	daily(t, s, 100)
	readTo(t, s, 50)
	expect(t, "young entries forgotten", prune(t, s, ingest.Retention{Journal: noon}), ingest.Pruned{})
	expect(t, "forgotten behind the reader", prune(t, s, ingest.Retention{Journal: late}).Journal, 50)
	waiting := after(t, s, 50)
	expect(t, "what the reader finds", len(waiting), 150)
	expect(t, "the next one", waiting[0].Seq, 51)
	expect(t, "readings kept", kept(t, s, "p1"), 100)
}

func unreadStays(t *testing.T, s Pruned) {
	daily(t, s, 100)
	readTo(t, s, 60)
	forget(t, s, noon.AddDate(1, 0, 0))
	prune(t, s, ingest.Retention{Journal: late})
	var waiting []string
	for _, k := range after(t, s, 60) {
		waiting = append(waiting, k.Reading.ID)
	}
	var want []string
	for day := 30; day < 100; day++ {
		want = append(want, dailyWeight(day).ID, otherWeight(day).ID)
	}
	expect(t, "what waits for the reader", waiting, want)
}

func journalGoesOn(t *testing.T, s Pruned) {
	daily(t, s, 100)
	readTo(t, s, 200)
	forget(t, s, noon.AddDate(1, 0, 0))
	prune(t, s, ingest.Retention{Journal: late})
	keep(t, s, weight("next", noon))
	waiting := after(t, s, 200)
	if len(waiting) != 1 || waiting[0].Seq != 201 || waiting[0].Reading.ID != "next" {
		t.Errorf("the journal goes on with %+v, want number 201", waiting)
	}
}

func forgetSetAsides(t *testing.T, s Pruned) {
	var records []ingest.SetAsideRecord
	for day := range 10 {
		r := record(fmt.Sprint("r", day), protocols.Malformed)
		r.Received = noon.AddDate(0, 0, day)
		records = append(records, r)
	}
	put(t, s, records...)
	expect(t, "forgotten", prune(t, s, ingest.Retention{SetAsides: noon.AddDate(0, 0, 4)}), ingest.Pruned{SetAsides: 4})
	expect(t, "left", len(setAsides(t, s, ingest.SetAsideFilter{})), 6)
}

func statesStay(t *testing.T, s Pruned) {
	save(t, s, ingest.StateRecord{Enrolment: "e1", Snapshot: []byte("one"), Due: noon})
	status := ingest.DeviceStatus{Device: "scale-1", Online: true, Battery: 87, At: noon}
	update(t, s, func(tx ingest.Tx) error { return tx.SetDeviceStatus(status) })
	daily(t, s, 30)
	far := noon.AddDate(5, 0, 0)
	forget(t, s, far)
	prune(t, s, ingest.Retention{Journal: far, SetAsides: far})
	expectState(t, s, "e1", "one", 1)
	update(t, s, func(tx ingest.Tx) error {
		got, _, err := tx.DeviceStatus("scale-1")
		expect(t, "status", got, status)
		return err
	})
	due, err := s.DueEnrolments(t.Context(), noon, 10)
	expect(t, "due", due, []string{"e1"})
	expect(t, "error", err, nil)
}

func pruneMeanwhile(t *testing.T, s Pruned) {
	daily(t, s, 100)
	end := make(chan struct{})
	pruning := make(chan error, 1)
	go func() {
		for {
			_, failed := ingest.Forget(t.Context(), s, Mirror{s}, noon.AddDate(0, 0, 100))
			_, err := s.Prune(t.Context(), ingest.Retention{Journal: late})
			if err := errors.Join(failed, err); err != nil {
				pruning <- err
				return
			}
			select {
			case <-end:
				pruning <- nil
				return
			default:
			}
		}
	}()
	for day := 100; day < days; day++ {
		keep(t, s, dailyWeight(day), otherWeight(day))
	}
	close(end)
	if err := <-pruning; err != nil {
		t.Fatal(err)
	}
	young := history(t, s, "p1", nil, noon.AddDate(0, 0, 100), noon.AddDate(9, 0, 0))
	expect(t, "young readings", len(young), days-100)
}

func pruneCancelled(t *testing.T, s Pruned) {
	daily(t, s, 30)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Prune(ctx, ingest.Retention{Journal: late.AddDate(1, 0, 0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Prune returned %v, want context.Canceled", err)
	}
	if _, err := ingest.Forget(ctx, s, Mirror{s}, late.AddDate(1, 0, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Forget returned %v, want context.Canceled", err)
	}
	expect(t, "kept", kept(t, s, "p1"), 30)
}

func deletedByCode(t *testing.T, s Pruned) {
	of := func(id string, after time.Duration, codes ...protocols.Code) ingest.SetAsideRecord {
		r := record(id, codes...)
		r.Received = noon.Add(after)
		return r
	}
	put(t, s, of("old", 0, protocols.Malformed), of("other", 0, protocols.UnknownUnit), of("both", 0, protocols.UnknownUnit, protocols.Malformed),
		of("refused", 0, protocols.Malformed, ingest.RefusedByInflux), of("new", time.Hour, protocols.Malformed))
	for _, want := range []int{2, 0} {
		deleted, err := s.DeleteSetAsides(t.Context(), protocols.Malformed, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "deleted", deleted, want)
	}
	var left []string
	for _, r := range setAsides(t, s, ingest.SetAsideFilter{From: noon}) {
		left = append(left, r.Reading)
	}
	slices.Sort(left)
	expect(t, "left", left, []string{"new", "other", "refused"})
}

func refusedStay(t *testing.T, s Pruned) {
	daily(t, s, 50)
	of := func(id string, code protocols.Code) ingest.SetAsideRecord {
		r := record(id, code)
		r.Device, r.Received = "scale-1", noon
		return r
	}
	put(t, s, of("a3", ingest.RefusedByInflux), of("a49", ingest.RefusedByInflux), of("a3", protocols.Malformed))
	expect(t, "forgotten while the readings are kept", prune(t, s, ingest.Retention{SetAsides: late}), ingest.Pruned{SetAsides: 1})
	forget(t, s, noon.AddDate(0, 0, 40))
	expect(t, "forgotten with its reading", prune(t, s, ingest.Retention{SetAsides: late}), ingest.Pruned{SetAsides: 1})
	left := setAsides(t, s, ingest.SetAsideFilter{})
	if len(left) != 1 || left[0].Reading != "a49" {
		t.Errorf("left is %v, want a49", left)
	}
}

// sums adds up readings as forgetting records them.
func sums(readings []*protocols.Reading) map[string]ingest.Sum {
	days := map[string]ingest.Sum{}
	for _, r := range readings {
		key := r.Patient + " " + r.Measure.ID + " " + ingest.DayOf(r.Time).Format(time.DateOnly)
		sum := days[key]
		sum.Add(r)
		days[key] = sum
	}
	return days
}

func forgotten(t *testing.T, s Pruned, patient string, measure *protocols.Measure, from, to time.Time) map[string]ingest.Sum {
	t.Helper()
	f, err := s.Forgotten(t.Context(), patient, measure, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Unrecorded.IsZero() {
		t.Errorf("in a new store something is said to be forgotten unrecorded, before %v", f.Unrecorded)
	}
	days := map[string]ingest.Sum{}
	for _, d := range f.Days {
		days[patient+" "+d.Measure.ID+" "+d.Day.Format(time.DateOnly)] = d.Sum
	}
	return days
}

// everAfter is after every reading of these tests.
var everAfter = noon.AddDate(9, 0, 0)

func forgottenIsRecorded(t *testing.T, s Pruned) {
	daily(t, s, 60)
	before := map[string][]*protocols.Reading{}
	for _, patient := range []string{"p1", "p2"} {
		before[patient] = history(t, s, patient, nil, time.Time{}, everAfter)
	}
	forget(t, s, noon.AddDate(0, 0, 40))
	for patient, all := range before {
		gone := all[:len(all)-kept(t, s, patient)]
		expect(t, "what is recorded of "+patient, forgotten(t, s, patient, nil, time.Time{}, everAfter), sums(gone))
		expect(t, "of its weights", forgotten(t, s, patient, gone[0].Measure, time.Time{}, everAfter), sums(gone))
		expect(t, "of another measure", forgotten(t, s, patient, protocols.MeasureByID("glucose"), time.Time{}, everAfter), map[string]ingest.Sum{})
		expect(t, "of the first days", forgotten(t, s, patient, nil, noon, noon.AddDate(0, 0, 1)), sums(gone[:2]))
	}
	expect(t, "of somebody else", forgotten(t, s, "nobody", nil, time.Time{}, everAfter), map[string]ingest.Sum{})
	// What comes late and goes later is added to what its day has.
	again := dailyWeight(3)
	again.ID, again.Time = "late", again.Time.Add(time.Hour)
	keep(t, s, again)
	daily2 := forgotten(t, s, "p1", nil, noon, everAfter)
	for day := 60; day < days; day++ {
		keep(t, s, dailyWeight(day), otherWeight(day))
	}
	forget(t, s, noon.AddDate(0, 0, days-40))
	day := "p1 weight " + ingest.DayOf(again.Time).Format(time.DateOnly)
	want := daily2[day]
	want.Add(again)
	expect(t, "the day with what came late", forgotten(t, s, "p1", nil, noon, everAfter)[day], want)
}

func forgottenIsCorrected(t *testing.T, s Pruned) {
	daily(t, s, 60)
	all := append(history(t, s, "p1", nil, time.Time{}, everAfter), history(t, s, "p2", nil, time.Time{}, everAfter)...)
	if gone := forget(t, s, noon.AddDate(0, 0, 40)); gone < 20 {
		t.Fatalf("%d are forgotten", gone)
	}
	recorded := func() map[string]ingest.Sum {
		days := forgotten(t, s, "p1", nil, time.Time{}, everAfter)
		maps.Copy(days, forgotten(t, s, "p2", nil, time.Time{}, everAfter))
		maps.Copy(days, forgotten(t, s, "p-new", nil, time.Time{}, everAfter))
		return days
	}
	gone := slices.DeleteFunc(slices.Clone(all), func(r *protocols.Reading) bool {
		return slices.ContainsFunc(append(history(t, s, "p1", nil, time.Time{}, everAfter), history(t, s, "p2", nil, time.Time{}, everAfter)...), func(left *protocols.Reading) bool { return left.ID == r.ID })
	})
	expect(t, "recorded", recorded(), sums(gone))
	store := s.(ingest.Errands)
	correct := func(was, is *protocols.Reading) {
		t.Helper()
		update(t, s, func(tx ingest.Tx) error {
			return tx.Send(ingest.Errand{Kind: ingest.Correct, At: noon, Task: ingest.Task{Reading: ingest.NameOf(was), Forgotten: true}})
		})
		open, err := store.OpenErrands(t.Context())
		if err != nil || len(open) != 1 || !open[0].Task.Forgotten {
			t.Fatalf("open are %+v, %v", open, err)
		}
		open[0].Carried, open[0].Done = noon, noon
		if err := store.Corrected(t.Context(), open[0], was, is); err != nil {
			t.Fatal(err)
		}
		if open, err = store.OpenErrands(t.Context()); err != nil || len(open) > 0 {
			t.Errorf("the errand is still open: %+v, %v", open, err)
		}
	}
	// To another patient on a day of which more is forgotten; to one of whom nothing is
	// known; to another day; away.
	for i, change := range []func(*protocols.Reading){
		func(r *protocols.Reading) { r.Patient = "p2" },
		func(r *protocols.Reading) { r.Patient = "p-new" },
		func(r *protocols.Reading) { r.Time = r.Time.AddDate(0, 0, 1) },
		nil,
	} {
		was := *gone[3*i]
		if change == nil {
			correct(&was, nil)
			gone = slices.Delete(gone, 3*i, 3*i+1)
			break
		}
		is := was
		change(&is)
		correct(&was, &is)
		gone[3*i] = &is
		expect(t, "recorded", recorded(), sums(gone))
	}
	expect(t, "recorded", recorded(), sums(gone))
	// Of a day of which nothing is recorded as forgotten, nothing is: InfluxDB has
	// deleted it by law, or is read there anyhow.
	young := dailyWeight(59)
	other := *young
	other.Patient = "p2"
	correct(young, &other)
	expect(t, "recorded", recorded(), sums(gone))
}

// lossy is an InfluxDB in which some readings are missing and one is another.
type lossy struct {
	Mirror
	missing, changed string // ids
}

func (l lossy) Points(ctx context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	return l.Mirror.Points(ctx, asked, func(p ingest.Point) error {
		switch p.Reading.ID {
		case l.missing:
			return nil
		case l.changed:
			p.Reading.Values[0]++
		}
		return yield(p)
	})
}

func unprovenStays(t *testing.T, s Pruned) {
	daily(t, s, days)
	before := noon.AddDate(0, 0, days-20)
	proof, err := ingest.Forget(t.Context(), s, lossy{Mirror{s}, "a20", "a60"}, before)
	if err != nil {
		t.Fatal(err)
	}
	weights := protocols.MeasureByID("weight")
	expect(t, "what is told", proof.Differing, []ingest.Difference{
		{Measure: weights, Day: ingest.DayOf(noon.AddDate(0, 0, 20)), Readings: 1}, {Measure: weights, Day: ingest.DayOf(noon.AddDate(0, 0, 60)), Readings: 1},
	})
	left := ids(history(t, s, "p1", nil, time.Time{}, noon.AddDate(0, 0, days-40)))
	if !slices.Contains(left, "a20") || !slices.Contains(left, "a60") || len(left) > 40 {
		t.Errorf("left are %d readings: %v", len(left), left)
	}
	if others := kept(t, s, "p2"); others > 20+12 {
		t.Errorf("%d readings of the other patient are left", others)
	}
	if again := forget(t, s, before); again < 2 {
		t.Errorf("%d readings are forgotten once InfluxDB has them again", again)
	}
}

func changedStays(t *testing.T, s Pruned) {
	daily(t, s, 60)
	before := noon.AddDate(0, 0, 30)
	parts, _, err := s.Forgettable(t.Context(), before, 0)
	if err != nil || len(parts) == 0 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	all := kept(t, s, "p1") + kept(t, s, "p2")
	proven := make([]ingest.Proven, len(parts))
	for i, p := range parts {
		proven[i] = ingest.Proven{Place: p.Place, Patient: p.Patient, Measure: p.Measure, Sum: ingest.SumOf(p.Readings)}
		proven[i].Sum.Digest[3]++
	}
	gone, err := s.Forget(t.Context(), before, proven)
	expect(t, "error", err, nil)
	expect(t, "forgotten", gone, 0)
	expect(t, "kept", kept(t, s, "p1")+kept(t, s, "p2"), all)
	expect(t, "recorded", forgotten(t, s, "p1", nil, time.Time{}, everAfter), map[string]ingest.Sum{})
}

// oneAName is an InfluxDB as it was: of what was struck out and what replaced it, the
// latter.
type oneAName struct{ points []*protocols.Reading }

func (o oneAName) Points(_ context.Context, asked ingest.Asked, yield func(ingest.Point) error) error {
	for _, r := range o.points {
		if slices.Contains(asked.Patients, r.Patient) && slices.Contains(asked.Measures, r.Measure) && !r.Time.Before(asked.From) && r.Time.Before(asked.To) {
			if err := yield(ingest.Point{Reading: r, Struck: r.Struck}); err != nil {
				return err
			}
		}
	}
	return nil
}

// replacedGoes strikes out readings that are told anew at once, and many days later: what
// is forgotten is what InfluxDB holds, and nothing is kept back by what it cannot hold.
func replacedGoes(t *testing.T, s Pruned) {
	struck := []*protocols.Reading{dailyWeight(5), dailyWeight(20), dailyWeight(40)}
	anew := func(r *protocols.Reading) *protocols.Reading { return valued(r.ID, r.Time, 65_000) }
	for day := range days {
		keep(t, s, dailyWeight(day), otherWeight(day))
		switch day {
		case 5:
			strike(t, s, struck[0])
			expect(t, "told anew at once", keep(t, s, anew(struck[0])), fates("replacing"))
		case 100:
			strike(t, s, struck[1:]...)
			expect(t, "told anew late", keep(t, s, anew(struck[1])), fates("replacing"))
		}
	}
	var there oneAName
	var holding ingest.Sum
	before := noon.AddDate(0, 0, days-40)
	for _, patient := range []string{"p1", "p2"} {
		next, finish := ingest.Pointed(func(r *protocols.Reading) bool { there.points = append(there.points, r); return true })
		if err := s.History(t.Context(), patient, nil, time.Time{}, everAfter, next); err != nil {
			t.Fatal(err)
		}
		finish()
	}
	for range 2 { // what replaced a reading goes first
		proof, err := ingest.Forget(t.Context(), s, there, before)
		expect(t, "error", err, nil)
		expect(t, "differing", proof.Differing, []ingest.Difference(nil))
	}
	for _, r := range history(t, s, "p1", nil, time.Time{}, before.AddDate(0, 0, -30)) {
		t.Errorf("left is %s, struck out %v", r.ID, r.Struck)
	}
	left := map[string]bool{}
	for _, r := range history(t, s, "p1", nil, time.Time{}, everAfter) {
		left[r.ID] = true
	}
	for _, r := range there.points {
		if r.Patient == "p1" && !left[r.ID] {
			holding.Add(r)
		}
	}
	var recorded ingest.Sum
	for _, sum := range forgotten(t, s, "p1", nil, time.Time{}, everAfter) {
		recorded.Merge(sum)
	}
	expect(t, "recorded as forgotten", recorded, holding)
}
