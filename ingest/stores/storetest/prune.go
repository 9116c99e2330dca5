package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// Pruned is a store whose growth can be bounded.
type Pruned interface {
	ingest.Store
	ingest.Pruner
}

// RunPruning holds a store to what may be forgotten and what may not. open
// returns a new, empty store that may forget its readings a dozen at a time.
func RunPruning(t *testing.T, open func(t *testing.T) Pruned) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Pruned)
	}{
		{"what is old is forgotten with its id, what is young stays", forgetOld},
		{"without limits nothing is forgotten", forgetNothing},
		{"the journal stays in front of its readers and while it is young", journalStays},
		{"what a reader of the journal has not read stays there, however old", unreadStays},
		{"the journal goes on with its numbers after all of it was forgotten", journalGoesOn},
		{"set-aside records go by when they were received", forgetSetAsides},
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
	pruned := prune(t, s, ingest.Retention{Readings: noon.AddDate(0, 0, days/2)})
	for _, patient := range []string{"p1", "p2"} {
		if left := kept(t, s, patient); left < days/2 || left > days/2+12 {
			t.Errorf("%d readings of %s are left, want the %d that are young enough and few others", left, patient, days/2)
		}
	}
	expect(t, "left and forgotten together", kept(t, s, "p1")+kept(t, s, "p2")+pruned.Readings, 2*days)
	expect(t, "the rest of the past", ids(history(t, s, "p1", nil, noon.AddDate(0, 0, days-2), noon.AddDate(1, 0, 0))),
		[]string{fmt.Sprint("a", days-2), fmt.Sprint("a", days-1)})
	fresh := keep(t, s, dailyWeight(days-50), dailyWeight(10), otherWeight(days-50), otherWeight(50))
	expect(t, "fresh: what is kept is known, what was forgotten is new", fresh, []bool{false, true, false, true})
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
	prune(t, s, ingest.Retention{Readings: noon.AddDate(1, 0, 0), Journal: late})
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
	prune(t, s, ingest.Retention{Readings: noon.AddDate(1, 0, 0), Journal: late})
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
	prune(t, s, ingest.Retention{Readings: far, Journal: far, SetAsides: far})
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
			if _, err := s.Prune(t.Context(), ingest.Retention{Readings: noon.AddDate(0, 0, 100), Journal: late}); err != nil {
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
	if _, err := s.Prune(ctx, ingest.Retention{Readings: late.AddDate(1, 0, 0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Prune returned %v, want context.Canceled", err)
	}
	expect(t, "kept", kept(t, s, "p1"), 30)
}
