package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// nodes opens several stores on one database.
func nodes(t testing.TB, n int) []*Store {
	t.Helper()
	url := database(t)
	all := make([]*Store, n)
	for i := range all {
		all[i] = open(t, url, Options{Node: fmt.Sprintf("node-%d", i)})
	}
	return all
}

// counter evaluates the simplest of rules, the number of readings, and keeps its
// state in memory as a node does: it loads it only after a conflict.
type counter struct {
	store          *Store
	value, version int64
}

// add keeps and evaluates one reading, until no other node is in the way.
func (c *counter) add(ctx context.Context, reading *protocols.Reading) (conflicts int, err error) {
	for err = c.try(ctx, reading, false); errors.Is(err, ingest.ErrConflict); conflicts++ {
		err = c.try(ctx, reading, true)
	}
	return conflicts, err
}

func (c *counter) try(ctx context.Context, reading *protocols.Reading, load bool) error {
	value, version := c.value, c.version
	err := c.store.Update(ctx, func(tx ingest.Tx) error {
		if load {
			snapshot, loaded, err := tx.LoadState("e1")
			if err != nil {
				return err
			}
			version = loaded
			if value, err = strconv.ParseInt("0"+string(snapshot), 10, 64); err != nil {
				return err
			}
		}
		fresh, err := tx.Keep([]*protocols.Reading{reading}, noon)
		if err != nil {
			return err
		}
		if fresh[0].Kept() {
			value++
		}
		version++
		return tx.SaveStates([]ingest.StateRecord{{Enrolment: "e1", Version: version - 1, Snapshot: strconv.AppendInt(nil, value, 10)}})
	})
	if err == nil {
		c.value, c.version = value, version
	}
	return err
}

func TestNodesThatEvaluateOnePatientTakeTurns(t *testing.T) {
	const readings = 120
	all := nodes(t, 3)
	var conflicts atomic.Int64
	var done sync.WaitGroup
	for n, s := range all {
		done.Go(func() {
			c := counter{store: s}
			for i := range readings {
				if (i+n)%3 == 0 { // every reading reaches two of the nodes
					continue
				}
				met, err := c.add(t.Context(), weight(strconv.Itoa(i), "scale-1", "p1", noon))
				conflicts.Add(int64(met))
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	kept := 0
	err := all[0].History(t.Context(), "p1", nil, noon, noon.Add(1), func(*protocols.Reading) bool { kept++; return true })
	if err != nil || kept != readings {
		t.Errorf("%d readings are kept, want %d (%v)", kept, readings, err)
	}
	err = all[0].Update(t.Context(), func(tx ingest.Tx) error {
		snapshot, version, err := tx.LoadState("e1")
		if string(snapshot) != strconv.Itoa(readings) || version != 2*readings {
			t.Errorf("the state has counted %s readings at version %d, want %d and one version for each delivery", snapshot, version, readings)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if conflicts.Load() == 0 {
		t.Error("the nodes never met: this test has shown nothing")
	}
	t.Logf("%d conflicts over %d deliveries", conflicts.Load(), 2*readings)
}

// TestACorrectionIsNotLostToAnEvaluationUnderWay changes the settings of a
// patient while a node evaluates by the former ones.
func TestACorrectionIsNotLostToAnEvaluationUnderWay(t *testing.T) {
	s := nodes(t, 1)[0]
	reg := respiratory(1)
	enter := func(ctx context.Context) error { _, err := s.Import(ctx, reg, "a nurse", noon); return err }
	if err := enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		_, version, err := tx.LoadState("e0")
		if err != nil {
			return err
		}
		reg.Enrolments[0].Pauses = []protocols.Pause{{From: noon, Until: noon.Add(time.Hour), Author: "a nurse", Reason: "hospital"}}
		if err := enter(t.Context()); err != nil {
			return err
		}
		return tx.SaveStates([]ingest.StateRecord{{Enrolment: "e0", Version: version, Snapshot: []byte("by what was known"), Due: noon.AddDate(0, 0, 1)}})
	})
	if !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("the evaluation by the former settings ended with %v, want ErrConflict", err)
	}
	due, err := s.DueEnrolments(t.Context(), noon, 10)
	if err != nil || !slices.Equal(due, []string{"e0"}) {
		t.Errorf("due: %v (%v), want the corrected enrolment", due, err)
	}
}

// begun runs work in a transaction of s that stays open until end is closed.
func begun(t *testing.T, s *Store, work func(tx ingest.Tx) error, end <-chan struct{}) (committed <-chan error) {
	t.Helper()
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.Update(t.Context(), func(tx ingest.Tx) error {
			err := work(tx)
			close(ready)
			<-end
			return err
		})
	}()
	<-ready
	return done
}

// waiting returns once a session of the database waits for a lock.
func waiting(t *testing.T, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		var sessions int
		err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&sessions)
		if err != nil {
			t.Fatal(err)
		}
		if sessions > 0 {
			return
		}
	}
	t.Fatal("nobody waits")
}

func TestOneReadingDeliveredToTwoNodesAtOnceIsFreshOnce(t *testing.T) {
	for _, first := range []error{nil, errors.New("the first node fails")} {
		all := nodes(t, 2)
		end := make(chan struct{})
		committed := begun(t, all[0], func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{weight("a", "scale-1", "p1", noon), weight("b", "scale-1", "p1", noon)}, noon)
			return errors.Join(err, first)
		}, end)
		second := make(chan bool, 1)
		go func() { second <- keep(t, all[1], weight("b", "scale-1", "p1", noon))[0] }()
		waiting(t, all[0])
		close(end)
		if err := <-committed; !errors.Is(err, first) {
			t.Fatal(err)
		}
		if fresh := <-second; fresh != (first != nil) {
			t.Errorf("the first ended with %v: the second node's reading is fresh: %v", first, fresh)
		}
	}
}

// TestOneNameToldToTwoNodesAtOnceIsKeptOnce tells two nodes the same moment under an
// id that was used before: once with the same values, once with others.
func TestOneNameToldToTwoNodesAtOnceIsKeptOnce(t *testing.T) {
	for want, value := range map[ingest.Fate]protocols.Value{ingest.Repeated: 82_100, ingest.Contradictory: 90_000} {
		all := nodes(t, 2)
		keep(t, all[0], weight("a", "scale-1", "p1", noon.AddDate(0, 0, -1)))
		end := make(chan struct{})
		committed := begun(t, all[0], func(tx ingest.Tx) error {
			fates, err := tx.Keep([]*protocols.Reading{weight("a", "scale-1", "p1", noon)}, noon)
			if err == nil && fates[0] != ingest.Reused {
				err = fmt.Errorf("the first is %s", fates[0])
			}
			return err
		}, end)
		second := make(chan ingest.Fate, 1)
		go func() {
			other := weight("a", "scale-1", "p1", noon)
			other.Values[0] = value
			var fates []ingest.Fate
			err := all[1].Update(t.Context(), func(tx ingest.Tx) (err error) {
				fates, err = tx.Keep([]*protocols.Reading{other}, noon)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			second <- append(fates, 0)[0]
		}()
		waiting(t, all[0])
		close(end)
		if err := <-committed; err != nil {
			t.Fatal(err)
		}
		if got := <-second; got != want {
			t.Errorf("the second node's reading is %s, want %s", got, want)
		}
	}
}

func TestNodesThatWaitForEachOtherAreAConflict(t *testing.T) {
	all := nodes(t, 2)
	a, b := weight("a", "scale-1", "p1", noon), weight("b", "scale-1", "p1", noon)
	var met sync.WaitGroup
	met.Add(2)
	crossing := func(s *Store, first, second *protocols.Reading) error {
		return s.Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{first}, noon)
			met.Done()
			met.Wait()
			if err != nil {
				return err
			}
			_, err = tx.Keep([]*protocols.Reading{second}, noon)
			return err
		})
	}
	results := make(chan error, 2)
	go func() { results <- crossing(all[0], a, b) }()
	go func() { results <- crossing(all[1], b, a) }()
	failures := []error{<-results, <-results}
	if !slices.Contains(failures, nil) || !errors.Is(errors.Join(failures...), ingest.ErrConflict) {
		t.Errorf("two nodes that wait for each other ended with %v, want one ErrConflict", failures)
	}
}

func TestAClaimedPatientIsEvaluatedByNobodyElse(t *testing.T) {
	all := nodes(t, 2)
	state := ingest.StateRecord{Enrolment: "e1", Snapshot: []byte("one")}
	save := func(tx ingest.Tx) error { return tx.SaveStates([]ingest.StateRecord{state}) }
	if err := all[0].Update(t.Context(), save); err != nil {
		t.Fatal(err)
	}
	claim := func(tx ingest.Tx) (versions []int64, err error) {
		return tx.(ingest.Shared).Claim([]string{"new", "e1"})
	}
	end := make(chan struct{})
	committed := begun(t, all[0], func(tx ingest.Tx) error {
		versions, err := claim(tx)
		if !slices.Equal(versions, []int64{0, 1}) {
			t.Errorf("versions %v, want none and the first", versions)
		}
		state.Version = 1
		return errors.Join(err, save(tx))
	}, end)
	var versions []int64
	second := make(chan error, 1)
	go func() {
		second <- all[1].Update(t.Context(), func(tx ingest.Tx) (err error) {
			versions, err = claim(tx)
			return err
		})
	}()
	waiting(t, all[0])
	close(end)
	if err := errors.Join(<-committed, <-second); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(versions, []int64{0, 2}) {
		t.Errorf("after waiting the other node sees versions %v, want the second", versions)
	}
}

// TestTheStatusOfADeviceIsChangedByOneNodeAtATime has two nodes read the status of a
// device, that was never told and that was, and write it one after the other.
func TestTheStatusOfADeviceIsChangedByOneNodeAtATime(t *testing.T) {
	all := nodes(t, 2)
	before, known := ingest.DeviceStatus{}, false
	for battery := 50; battery > 0; battery -= 25 {
		recalled := func(tx ingest.Tx) error {
			err := tx.(ingest.Shared).Recall([]string{"scale-2", "scale-1"})
			got, is, failed := tx.DeviceStatus("scale-1")
			if is != known || got != before {
				t.Errorf("the status is %+v, known: %v; want %+v", got, is, before)
			}
			return errors.Join(err, failed)
		}
		told := ingest.DeviceStatus{Device: "scale-1", Online: true, Battery: battery, At: noon}
		tell := func(tx ingest.Tx) error { return errors.Join(recalled(tx), tx.SetDeviceStatus(told)) }
		end := make(chan struct{})
		late := begun(t, all[0], tell, end)
		if err := all[1].Update(t.Context(), tell); err != nil {
			t.Fatal(err)
		}
		close(end)
		if err := <-late; !errors.Is(err, ingest.ErrConflict) {
			t.Errorf("who comes second gets %v, want a conflict", err)
		}
		before, known = told, true
		if err := all[0].Update(t.Context(), recalled); err != nil { // it reads, writes nothing, and is in nobody's way
			t.Fatal(err)
		}
	}
}

// TestADeviceIsHeardByWhicheverNode has a device say to one node that it is offline,
// and send readings to both, without a word of itself.
func TestADeviceIsHeardByWhicheverNode(t *testing.T) {
	c := newCluster(t, 2, respiratory(1))
	now := noon
	publish := func(node int, kind, payload string) {
		t.Helper()
		done := make(chan error, 1)
		c.nodes[node].Submit(t.Context(), ingest.Message{Topic: "vigie/v1/oximeter-0/" + kind, Device: "oximeter-0", Client: "oximeter-0",
			Payload: []byte(payload), Received: now, Done: func(err error) { done <- err }})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	reading := func(node int, id string) {
		t.Helper()
		publish(node, ingest.ReadingsTopic, fmt.Sprintf(`{"id":%q,"time":%q,"measure":"oxygen-saturation","values":{"value":96},"unit":"%%"}`, id, noon.Format(time.RFC3339)))
	}
	after := func(node int, d time.Duration) {
		t.Helper()
		now = now.Add(d)
		c.set(now)
		if _, err := c.nodes[node].Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reading(0, "a")
	reading(1, "b")
	publish(0, ingest.StatusTopic, `{"online":false}`)
	after(0, 29*time.Hour)
	reading(1, "c")
	after(0, 29*time.Hour)
	after(0, time.Hour)
	reading(1, "d")
	reading(0, "e")
	reading(1, "f")
	publish(1, ingest.StatusTopic, `{"online":true}`)
	reading(0, "g")
	after(0, 100*time.Hour)
	offline := slices.DeleteFunc(c.findings(), func(f string) bool { return !strings.Contains(f, ingest.RuleOffline) })
	if len(offline) != 2 || !strings.Contains(offline[0], "ended") || !strings.Contains(offline[1], "raised") {
		t.Errorf("found %q, want that it was offline, and once that it is no longer", offline)
	}
}

// TestTheJournalSkipsNothing lets transactions begin in one order and commit in
// another, while a reader follows the journal.
func TestTheJournalSkipsNothing(t *testing.T) {
	all := nodes(t, 2)
	end := make(chan struct{})
	slow := begun(t, all[0], func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{weight("first to begin", "scale-1", "p1", noon)}, noon)
		return err
	}, end)
	keep(t, all[1], weight("first to commit", "scale-2", "p2", noon))
	before, err := all[0].ReadingsAfter(t.Context(), 0, 10)
	if err != nil || len(before) != 1 {
		t.Fatalf("the journal holds %d readings, want the one that is committed (%v)", len(before), err)
	}
	close(end)
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	after, err := all[0].ReadingsAfter(t.Context(), before[0].Seq, 10)
	if err != nil || len(after) != 1 || after[0].Reading.ID != "first to begin" {
		t.Errorf("after the last one seen the journal holds %v, want the one that committed later (%v)", after, err)
	}
}

func TestTheJournalIsWholeUnderLoad(t *testing.T) {
	const writers, batches, size = 6, 40, 7
	all := nodes(t, writers)
	var done sync.WaitGroup
	for n, s := range all {
		done.Go(func() {
			for b := range batches {
				var readings []*protocols.Reading
				for i := range size {
					readings = append(readings, weight(fmt.Sprintf("%d-%d", b, i), fmt.Sprintf("scale-%d", n), "p1", noon))
				}
				keep(t, s, readings...)
			}
		})
	}
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()
	seen, last, ended := map[string]bool{}, int64(0), false
	for {
		kept, err := all[0].ReadingsAfter(t.Context(), last, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kept {
			key := k.Reading.Device + "/" + k.Reading.ID
			if k.Seq <= last || seen[key] {
				t.Fatalf("%s has number %d after %d, seen before: %v", key, k.Seq, last, seen[key])
			}
			seen[key], last = true, k.Seq
		}
		if len(kept) == 0 && ended {
			break
		}
		select {
		case <-finished:
			ended = true
		default:
		}
	}
	if len(seen) != writers*batches*size {
		t.Errorf("the journal gave %d readings, want %d", len(seen), writers*batches*size)
	}
}

// TestAStoppedNodeDoesNotHoldTheOthers ends the session of a node that stopped
// inside a transaction.
func TestAStoppedNodeDoesNotHoldTheOthers(t *testing.T) {
	url := database(t)
	stopped := open(t, url+"&idle_in_transaction_session_timeout=200ms", Options{})
	other := open(t, url, Options{})
	end := make(chan struct{})
	hung := begun(t, stopped, func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{weight("a", "scale-1", "p1", noon)}, noon)
		return err
	}, end)
	if fresh := keep(t, other, weight("a", "scale-1", "p1", noon)); !fresh[0] {
		t.Error("the reading of a node that never committed counts as kept")
	}
	close(end)
	if err := <-hung; err == nil {
		t.Error("a session that was ended could commit")
	}
	keep(t, stopped, weight("b", "scale-1", "p1", noon))
}
