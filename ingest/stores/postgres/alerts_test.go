package postgres

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// openAlerts opens a node whose findings reach the people in a directory.
func openAlerts(t testing.TB, url, node string, directory alerts.Directory) *Store {
	t.Helper()
	return open(t, url, Options{Node: node, Care: func(*Store) alerts.Directory { return directory }})
}

// found commits findings.
func found(s *Store, findings ...protocols.Finding) error {
	return s.Update(context.Background(), func(tx ingest.Tx) error { return tx.Apply(findings) })
}

func TestAlertsContract(t *testing.T) {
	storetest.RunAlerts(t, func(t *testing.T, directory alerts.Directory) storetest.Alerts {
		return openAlerts(t, database(t), "node", directory)
	})
}

type everyone struct{}

func (everyone) Care(string) (alerts.Care, error) { return storetest.Care(), nil }

func pair(t *testing.T) (one, other *Store) {
	t.Helper()
	url := database(t)
	return openAlerts(t, url, "one", everyone{}), openAlerts(t, url, "other", everyone{})
}

func outbox(t *testing.T, n *Store, limit int) (ids []string) {
	t.Helper()
	list, err := n.Outbox(t.Context(), alerts.Mail, storetest.Morning.AddDate(1, 0, 0), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

// ofPatient has a finding be of a patient of its own: there is one message a patient.
func ofPatient(name string, f protocols.Finding) protocols.Finding {
	f.Patient, f.Enrolment = "p-"+name, "e-"+name
	return f
}

func TestAMessageBelongsToTheNodeThatReadIt(t *testing.T) {
	one, other := pair(t)
	for _, rule := range []string{"a", "b", "c"} {
		if err := found(one, ofPatient(rule, storetest.Finding(protocols.Raised, rule, "ep-1", protocols.Red, 0))); err != nil {
			t.Fatal(err)
		}
	}
	first, rest := outbox(t, one, 2), outbox(t, other, 10)
	if len(first) != 2 || len(rest) != 1 || slices.Contains(first, rest[0]) {
		t.Fatalf("one node reads %v, the other %v: want two and the third", first, rest)
	}
	if again := outbox(t, one, 10); !slices.Equal(again, first) {
		t.Errorf("read again: %v, want its own %v", again, first)
	}
	if _, err := one.pool.Exec(t.Context(), "UPDATE outbox SET claimed_until = clock_timestamp() - interval '1 second' WHERE claimed_by = 'one'"); err != nil {
		t.Fatal(err)
	}
	if taken := outbox(t, other, 10); len(taken) != 3 {
		t.Errorf("once the claim has run out the other node reads %v, want what a dead node left as well", taken)
	}
}

func TestManyNodesReadingAtOnceShareTheOutbox(t *testing.T) {
	const messages, readers = 60, 4
	url := database(t)
	nodes := make([]*Store, readers)
	for i := range nodes {
		nodes[i] = openAlerts(t, url, fmt.Sprintf("node-%d", i), everyone{})
	}
	for i := range messages {
		if err := found(nodes[0], ofPatient(fmt.Sprint(i), storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0))); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	sent := map[string]int{}
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			for {
				ids := outbox(t, n, 5)
				for _, id := range ids {
					mu.Lock()
					sent[id]++
					mu.Unlock()
					if err := n.Sent(t.Context(), id, storetest.Morning); err != nil {
						t.Error(err)
					}
				}
				if len(ids) == 0 {
					return
				}
			}
		})
	}
	all.Wait()
	for id, times := range sent {
		if times != 1 {
			t.Errorf("message %s was sent %d times", id, times)
		}
	}
	if len(sent) != messages {
		t.Errorf("%d messages were sent, want %d", len(sent), messages)
	}
}

// TestEventsSkipNothing lets transactions write events in one order and commit in
// another.
func TestEventsSkipNothing(t *testing.T) {
	one, other := pair(t)
	ctx := t.Context()
	conn, err := one.pool.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	slow := &transaction{ctx: ctx, store: one, tx: begin(conn.Conn())}
	slow.findings = []protocols.Finding{storetest.Finding(protocols.Raised, "slow", "ep-1", protocols.Red, 0)}
	if err := errors.Join(slow.apply(), slow.tx.flush(ctx)); err != nil {
		t.Fatal(err)
	}
	committed := make(chan error, 1)
	go func() {
		f := storetest.Finding(protocols.Raised, "fast", "ep-1", protocols.Red, 0)
		f.Enrolment = "e-2"
		committed <- found(other, f)
	}()
	if events, err := other.EventsAfter(ctx, 0, 10); err != nil || len(events) > 0 {
		t.Fatalf("events %v before any commit (%v)", events, err)
	}
	if err := slow.tx.commit(ctx, &pgx.Batch{}); err != nil {
		t.Fatal(err)
	}
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	events, err := other.EventsAfter(ctx, 0, 10)
	if err != nil || len(events) != 2 || events[0].Seq != 1 || events[1].Seq != 2 {
		t.Errorf("events %v (%v), want numbers 1 and 2", events, err)
	}
}

// TestTwoNodesFindTheSameFault is about a device that nobody is enrolled with:
// no state of an enrolment keeps the nodes apart.
func TestTwoNodesFindTheSameFault(t *testing.T) {
	one, other := pair(t)
	var all sync.WaitGroup
	for minute := range 20 {
		for _, n := range []*Store{one, other} {
			all.Go(func() {
				f := storetest.Finding(protocols.Raised, "implausible", "ep-1", protocols.Technical, time.Duration(minute)*time.Minute)
				f.Device, f.Enrolment, f.Patient = "scale-1", "", ""
				if err := found(n, f); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	list, err := one.Alerts(t.Context(), alerts.Filter{})
	if err != nil || len(list) != 1 {
		t.Errorf("%d alerts (%v), want one", len(list), err)
	}
}

// TestAnActAndAFindingOfTheSameAlert lets a person acknowledge while findings
// come: neither undoes the other.
func TestAnActAndAFindingOfTheSameAlert(t *testing.T) {
	one, other := pair(t)
	if err := found(one, storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)); err != nil {
		t.Fatal(err)
	}
	list, err := one.Alerts(t.Context(), alerts.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	const readings = 50
	var all sync.WaitGroup
	all.Go(func() {
		for minute := 1; minute <= readings; minute++ {
			if err := found(one, storetest.Finding(protocols.Again, "spo2-low", "ep-1", protocols.Orange, time.Duration(minute)*time.Minute)); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		if err := alerts.Acknowledge(t.Context(), other, list[0].ID, "Dr Payet", "j'appelle", storetest.Morning.Add(time.Hour)); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	a, err := one.Alert(t.Context(), list[0].ID)
	if err != nil || a.State != alerts.Acknowledged || a.Note != "j'appelle" || a.Occurrences != readings+1 {
		t.Errorf("alert %+v (%v), want it acknowledged with %d occurrences", a, err, readings+1)
	}
}

func TestWhatPeopleWriteIsKept(t *testing.T) {
	one, _ := pair(t)
	if err := found(one, storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)); err != nil {
		t.Fatal(err)
	}
	list, err := one.Alerts(t.Context(), alerts.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	const note = "œdèmes ↑, 82,1 kg : « j'appelle » \\x00 – noté 😀"
	if err := alerts.Acknowledge(t.Context(), one, list[0].ID, "Dr Payet", note, storetest.Morning); err != nil {
		t.Errorf("a note was refused: %v", err)
	}
	if a, err := one.Alert(t.Context(), list[0].ID); err != nil || a.Note != note {
		t.Errorf("the note is %q (%v)", a.Note, err)
	}
	if err := alerts.Acknowledge(t.Context(), one, "\x00", "Dr Payet", "", storetest.Morning); err == nil {
		t.Error("there is an alert with an impossible reference")
	}
}

func TestEventsAreOnlyAppended(t *testing.T) {
	one, _ := pair(t)
	for _, forgery := range []string{`DELETE FROM alert_events`, `UPDATE alert_events SET author = 'somebody else'`, `TRUNCATE alert_events`} {
		_, err := one.pool.Exec(t.Context(), forgery)
		if err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: got %v, want a refusal", forgery, err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	n := openAlerts(b, database(b), "node", everyone{})
	const batch = 100
	for i := 0; b.Loop(); i++ {
		findings := make([]protocols.Finding, batch)
		for j := range findings {
			kind := protocols.Raised
			if i%10 > 0 {
				kind = protocols.Again
			}
			findings[j] = storetest.Finding(kind, "spo2-low", fmt.Sprintf("ep-%d", i/10), protocols.Orange, time.Duration(i)*time.Minute)
			findings[j].Enrolment = fmt.Sprintf("e-%d", j)
		}
		if err := found(n, findings...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "findings/s")
}

// TestAlertsAreReadWithTheirEvents compares what is read together with what is read one
// by one.
func TestAlertsAreReadWithTheirEvents(t *testing.T) {
	s, _ := pair(t)
	for i := range 5 {
		raised := storetest.Finding(protocols.Raised, "weight", fmt.Sprint("ep-", i), protocols.Orange, time.Duration(i)*time.Minute)
		raised.Enrolment = fmt.Sprint("e-", i)
		risen := raised
		risen.Kind, risen.Level = protocols.Risen, protocols.Red
		if err := found(s, raised, risen); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Alerts(t.Context(), alerts.Filter{})
	if err != nil || len(all) != 5 {
		t.Fatalf("%d alerts (%v), want 5", len(all), err)
	}
	ids := []string{"nobody"}
	for _, a := range all[1:] {
		ids = append(ids, a.ID)
	}
	together, events, err := s.AlertsWithEvents(t.Context(), ids)
	if err != nil || len(together) != 4 || len(events) != 8 {
		t.Fatalf("%d alerts with %d events (%v), want 4 with 8", len(together), len(events), err)
	}
	for i := range together {
		one, err := s.Alert(t.Context(), together[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		one.Explanation = nil
		if !reflect.DeepEqual(*one, together[i]) {
			t.Errorf("read together\n%+v\nalone\n%+v", together[i], *one)
		}
		alone, err := s.Events(t.Context(), one.ID)
		of := slices.DeleteFunc(slices.Clone(events), func(e alerts.Event) bool { return e.Alert != one.ID })
		if err != nil || !slices.Equal(of, alone) {
			t.Errorf("events of %s read together %v, alone %v (%v)", one.ID, of, alone, err)
		}
	}
}
