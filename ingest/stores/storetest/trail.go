package storetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
)

// TrailStore is a store with its trail, as its own package opens it. Tamper runs a
// statement that an intruder with all rights would, triggers off.
type TrailStore struct {
	Traces
	Tamper func(statement string)
	Before string // the statement that takes the first looks out of the trail of an older version
}

// Traces is a trail with the first looks.
type Traces interface {
	trail.Store
	trail.Looks
	trail.Stripper
}

// RunTrail holds a store to the contract of trail.Store.
func RunTrail(t *testing.T, open func(t *testing.T) TrailStore) {
	for _, c := range []struct {
		name string
		test func(*testing.T, TrailStore)
	}{
		{"what was written is found by patient, by person and by time", trailFound},
		{"an untouched trail has no fault, however many write at once", trailWhole},
		{"a gap, a change, a cut tail and a changed patient are found", trailTampered},
		{"a restored store begins a chain that says what it lacks", trailRestored},
		{"two nodes vouch for each other", trailTied},
		{"nothing of it is changed or removed", trailOnlyGrows},
		{"what could not be written is written later or counted", trailLate},
		{"the first look of each is kept until the patient is told", firstLooks},
		{"first looks of an older version are known, and told", looksBefore},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// MarkInMemory is a trail.Mark.
type MarkInMemory struct {
	mu    sync.Mutex
	head  trail.Head
	known bool
}

// Load is part of trail.Mark.
func (m *MarkInMemory) Load() (trail.Head, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head, m.known, nil
}

// Save is part of trail.Mark.
func (m *MarkInMemory) Save(head trail.Head) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head, m.known = head, true
	return nil
}

// node is one writer of a trail.
type node struct {
	*trail.Trail
	mark *MarkInMemory
	now  time.Time
}

func trailKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{n}, ed25519.SeedSize))
}

func openTrail(t *testing.T, store trail.Store, n byte, mark *MarkInMemory) *node {
	t.Helper()
	opened := &node{mark: mark, now: noon}
	var err error
	opened.Trail, err = trail.Open(t.Context(), trail.Options{
		Store: store, Key: trailKey(n), Mark: mark, Node: fmt.Sprintf("node-%d", n),
		Now: func() time.Time { return opened.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

var lea = access.Who{Account: "a-lea", Name: "Léa Morel", Roles: []access.Role{access.Nurse}, From: "192.0.2.7"}

func (n *node) look(t *testing.T, who access.Who, patients ...string) {
	t.Helper()
	n.now = n.now.Add(time.Minute)
	if err := n.Write(t.Context(), trail.Entry{Kind: trail.Read, Deed: "GET /alerts/{id}", Patients: patients, Reason: "rappel de la fille"}.Of(who)); err != nil {
		t.Fatal(err)
	}
}

func verified(t *testing.T, store trail.Source, seen ...trail.Head) trail.Report {
	t.Helper()
	report, err := trail.Verify(t.Context(), store, seen...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// faulty is the faults of a report: "gap 3".
func faulty(report trail.Report) (list []string) {
	for _, f := range report.Faults {
		list = append(list, fmt.Sprintf("%s %d", f.Kind, f.Seq))
	}
	return list
}

func trailFound(t *testing.T, store TrailStore) {
	n := openTrail(t, store, 1, &MarkInMemory{})
	n.look(t, lea, "p-1", "p-2")
	other := lea
	other.Account, other.Name = "a-max", "Max"
	n.look(t, other, "p-2")
	n.look(t, lea, "p-3\x00\xff")
	type asked struct {
		filter trail.Filter
		want   string
	}
	list := []asked{
		{trail.Filter{Patient: "p-1"}, "[p-1 p-2]"},
		{trail.Filter{Patient: "p-2"}, "[p-2] [p-1 p-2]"},
		{trail.Filter{Patient: "p-2", Account: "a-lea"}, "[p-1 p-2]"},
		{trail.Filter{Account: "a-lea", Limit: 1}, "[p-3\uFFFD\uFFFD]"},
		{trail.Filter{Patient: "p-2", From: noon.Add(2 * time.Minute)}, "[p-2]"},
		{trail.Filter{Patient: "p-2", To: noon.Add(2 * time.Minute)}, "[p-1 p-2]"},
		{trail.Filter{Patient: "rappel de la fille"}, ""},
	}
	for _, far := range farDates {
		before, after := "[p-1 p-2]", ""
		if far.Before(noon) {
			before, after = "", "[p-1 p-2]"
		}
		list = append(list, asked{trail.Filter{Patient: "p-1", To: far}, before}, asked{trail.Filter{Patient: "p-1", From: far}, after})
	}
	for _, c := range list {
		rows, err := store.Find(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range rows {
			e, err := rows[i].Entry()
			if err != nil {
				t.Fatal(err)
			}
			if e.Reason != "rappel de la fille" || e.From != "192.0.2.7" || !slices.Equal(e.Roles, lea.Roles) {
				t.Errorf("entry %+v", e)
			}
			got = append(got, fmt.Sprint(e.Patients))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.filter, got, c.want)
		}
	}
	if got := faulty(verified(t, store)); got != nil {
		t.Errorf("faults: %v", got)
	}
}

func trailWhole(t *testing.T, store TrailStore) {
	mark := &MarkInMemory{}
	one, beside := openTrail(t, store, 1, mark), openTrail(t, store, 1, mark) // a service and a command
	var writers sync.WaitGroup
	for i := range 8 {
		n := []*node{one, beside}[i%2]
		writers.Go(func() {
			for range 10 {
				if err := n.Write(context.Background(), trail.Entry{Kind: trail.Read, Deed: "list", Patients: []string{"p-1", "p-2"}}.Of(lea)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	report := verified(t, store)
	if len(report.Chains) != 1 || report.Chains[0].Entries != 81 || len(report.Faults) > 0 {
		t.Errorf("report %+v", report)
	}
}

func trailTampered(t *testing.T, store TrailStore) {
	n := openTrail(t, store, 1, &MarkInMemory{})
	for range 6 {
		n.look(t, lea, "p-1")
	}
	head, _, _ := n.mark.Load()
	rows, err := store.Rows(t.Context(), n.Chain(), 0, 100)
	if err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	put := func(r trail.Row) {
		store.Tamper(fmt.Sprintf("UPDATE trail SET body = '%s', hash = '%s', account = '%s' WHERE seq = %d", r.Body, r.Hash, r.Account, r.Seq))
	}
	store.Tamper("UPDATE trail SET body = replace(body, 'Morel', 'Autre') WHERE seq = 3")
	if got := faulty(verified(t, store, head)); !slices.Equal(got, []string{"changed 3"}) {
		t.Errorf("a changed name: %v", got)
	}
	put(rows[2])
	store.Tamper("UPDATE trail SET account = 'a-x' WHERE seq = 3")
	if got := faulty(verified(t, store, head)); !slices.Equal(got, []string{"changed 3"}) {
		t.Errorf("a changed column: %v", got)
	}
	put(rows[2])
	store.Tamper("UPDATE trail_beside SET text = 'p-9' WHERE seq = 4 AND part = 'patient'")
	if got := faulty(verified(t, store, head)); !slices.Equal(got, []string{"changed 4"}) {
		t.Errorf("another patient: %v", got)
	}
	store.Tamper("UPDATE trail_beside SET text = 'p-1' WHERE seq = 4 AND part = 'patient'")
	store.Tamper("DELETE FROM trail_beside WHERE seq = 5 AND part = 'reason'")
	store.Tamper("DELETE FROM trail WHERE seq = 2")
	if got := faulty(verified(t, store, head)); !slices.Contains(got, "gap 2") || !slices.Contains(got, "changed 5") {
		t.Errorf("an entry and a reason less: %v", got)
	}
	store.Tamper("DELETE FROM trail WHERE seq > 5")
	if got := faulty(verified(t, store, head)); !slices.Contains(got, "cut-tail 7") {
		t.Errorf("a cut tail: %v", got)
	}
}

func trailRestored(t *testing.T, store TrailStore) {
	n := openTrail(t, store, 1, &MarkInMemory{})
	for range 3 {
		n.look(t, lea, "p-1")
	}
	store.Tamper("DELETE FROM trail WHERE seq > 2")
	again := openTrail(t, store, 1, n.mark)
	again.look(t, lea, "p-1")
	if again.Chain() == n.Chain() {
		t.Error("the chain goes on as if nothing had happened")
	}
	for range 2 { // also when the mark has moved on
		if got := faulty(verified(t, store)); !slices.Equal(got, []string{"cut-tail 4"}) {
			t.Errorf("faults %v", got)
		}
		openTrail(t, store, 1, n.mark)
	}
}

func trailTied(t *testing.T, store TrailStore) {
	one, two := openTrail(t, store, 1, &MarkInMemory{}), openTrail(t, store, 2, &MarkInMemory{})
	for range 3 {
		one.look(t, lea, "p-1")
	}
	two.look(t, lea, "p-1")
	if got := faulty(verified(t, store)); got != nil {
		t.Errorf("faults %v", got)
	}
	store.Tamper(fmt.Sprintf("DELETE FROM trail WHERE chain = '%s' AND seq > 2", one.Chain()))
	if got := faulty(verified(t, store)); !slices.Contains(got, "cut-tail 5") {
		t.Errorf("the other node's chain does not tell of the cut: %v", got)
	}
}

func trailOnlyGrows(t *testing.T, store TrailStore) {
	n := openTrail(t, store, 1, &MarkInMemory{})
	n.look(t, lea, "p-1")
	failed := errors.New("no")
	if err := store.Append(t.Context(), n.Chain(), func(trail.Head) ([]trail.Row, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("an append that fails: %v", err)
	}
	if err := store.Append(t.Context(), n.Chain(), func(last trail.Head) ([]trail.Row, error) {
		return []trail.Row{{Chain: n.Chain(), Seq: last.Seq + 1}, {Chain: n.Chain(), Seq: last.Seq}}, nil
	}); err == nil {
		t.Error("an entry was put in the place of another")
	}
	if report := verified(t, store); len(report.Faults) > 0 || report.Chains[0].Entries != 2 {
		t.Errorf("report %+v", report)
	}
}

// ebbing is a store that takes nothing while it is down.
type ebbing struct {
	trail.Store
	down bool
}

func (e *ebbing) Append(ctx context.Context, chain string, next func(trail.Head) ([]trail.Row, error)) error {
	if e.down {
		return errors.New("the disk is full")
	}
	return e.Store.Append(ctx, chain, next)
}

func trailLate(t *testing.T, store TrailStore) {
	ebb := &ebbing{Store: store}
	n := openTrail(t, ebb, 1, &MarkInMemory{})
	ebb.down = true
	const most, beyond = 1000, 5
	for i := range most + beyond {
		err := n.Write(t.Context(), trail.Entry{Kind: trail.Read, Patients: []string{fmt.Sprintf("p-%d", i)}}.Of(lea))
		if err == nil {
			t.Fatal("what was not written is said to be")
		}
	}
	since, late, lost := n.Gap()
	if !since.Equal(noon) || late != most || lost != beyond {
		t.Errorf("the gap: since %s, %d late, %d lost", since, late, lost)
	}
	ebb.down, n.now = false, noon.Add(time.Hour)
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
	rows, err := store.Find(t.Context(), trail.Filter{Patient: "p-999"})
	if err != nil || len(rows) != 1 || !rows[0].At.Equal(noon) {
		t.Errorf("the last that was kept: %+v, %v", rows, err)
	}
	report := verified(t, store)
	if len(report.Faults) > 0 || len(report.Notes) != 1 || !strings.Contains(report.Notes[0].Text.FR, "5 accès du 2026-") {
		t.Errorf("report %+v", report)
	}
	if since, late, lost := n.Gap(); !since.IsZero() || late+lost > 0 {
		t.Error("the gap is over, and it does not say so")
	}
}

func firstLooks(t *testing.T, s TrailStore) {
	at := noon.Add(123)
	look := func(patient, account string, at time.Time) trail.Look {
		return trail.Look{Patient: patient, Account: account, Name: "Name of " + account, Roles: []access.Role{access.Nurse}, At: at}
	}
	first, second, other := look("p-1", "a-lea", at), look("p-1", "a-max", at.Add(time.Hour)), look("p-2", "a-lea", at)
	for _, l := range []trail.Look{second, first, look("p-1", "a-lea", at.Add(2*time.Hour)), other} {
		if err := s.AddLook(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	untold := func() []trail.Look {
		t.Helper()
		list, err := s.Untold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	expect(t, "nobody was told", untold(), []trail.Look{first, second, other})
	n, err := s.TellLooks(t.Context(), "p-1", at, at.Add(3*time.Hour), "Léa Marchand")
	if err != nil || n != 1 {
		t.Fatalf("%d told, %v", n, err)
	}
	expect(t, "what came after is still to be told", untold(), []trail.Look{second, other})
	first.Told, first.By = at.Add(3*time.Hour), "Léa Marchand"
	of, err := s.LooksOf(t.Context(), "p-1")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "newest first", of, []trail.Look{second, first})
	if n, err := s.TellLooks(t.Context(), "p-1", at, at.Add(4*time.Hour), "Max"); err != nil || n != 0 {
		t.Errorf("told twice: %d, %v", n, err)
	}
}

func looksBefore(t *testing.T, s TrailStore) {
	n := openTrail(t, s, 1, &MarkInMemory{})
	n.look(t, lea, "p-1", "p-2")
	n.look(t, lea, "p-2")
	n.look(t, lea, "p-2")
	program := lea
	program.Token = "t-1"
	n.look(t, program, "p-3")
	s.Tamper(strings.TrimSpace(s.Before))
	if untold, err := s.Untold(t.Context()); err != nil || len(untold) > 0 {
		t.Errorf("to be told: %v, %v", untold, err)
	}
	for patient, want := range map[string]int{"p-1": 0, "p-2": 1, "p-3": 0} {
		list, err := s.LooksOf(t.Context(), patient)
		if err != nil || len(list) != want {
			t.Fatalf("%s: %v, %v", patient, list, err)
		}
		if want == 1 && (list[0].Account != lea.Account || list[0].Name != lea.Name || len(list[0].Roles) != len(lea.Roles) || list[0].Told.IsZero()) {
			t.Errorf("%+v", list[0])
		}
	}
}
