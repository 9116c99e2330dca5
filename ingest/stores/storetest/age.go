package storetest

import (
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/trail"
)

// aged has old things go out of a store in which p-1 has a resolved alert, and p-12 an open
// one.
func aged(t *testing.T, s Erasable) {
	inhabited(t, s)
	before := said(t, s)
	later := Morning.AddDate(0, 0, 2)
	patients, err := s.Aged(t.Context(), later)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "of whom something is old", patients, []string{"p-1", "p-12"})
	age := func(kept, patient string, before time.Time, want int) {
		t.Helper()
		for _, dry := range []bool{true, false} {
			n, err := s.Age(t.Context(), kept, patient, before, dry)
			if err != nil || n != want {
				t.Errorf("%s of %q, dry %v: %d gone, %v; want %d", kept, patient, dry, n, err, want)
			}
		}
		if n, err := s.Age(t.Context(), kept, patient, before, true); err != nil || n != 0 {
			t.Errorf("%s of %q: %d are left, %v", kept, patient, n, err)
		}
	}
	resolved := Morning.Add(2 * time.Hour)
	if n, err := s.Age(t.Context(), erasure.KeptAlerts, "p-1", resolved, false); err != nil || n != 0 && noon.After(resolved) {
		t.Errorf("what was resolved at that moment goes: %d, %v", n, err)
	}
	left := len(alertsOf(t, s, "p-1"))
	n, err := s.Age(t.Context(), erasure.KeptAlerts, "p-1", later, false)
	if err != nil || n < left || left == 0 || len(alertsOf(t, s, "p-1")) != 0 {
		t.Errorf("%d of %d alerts and reviews are gone, %v", n, left, err)
	}
	if n, err := s.Age(t.Context(), erasure.KeptAlerts, "p-12", later, false); err != nil || n != 1 { // the review
		t.Errorf("of who has an open alert: %d, %v", n, err)
	}
	expect(t, "what is said of the other", said(t, s), before)
	if damaged, err := s.Verify(t.Context()); err != nil || len(damaged) > 0 {
		t.Errorf("damaged: %v, %v", damaged, err)
	}
	if list, err := s.Alerts(t.Context(), alerts.Filter{}); err != nil || len(list) != 1 {
		t.Errorf("alerts left: %v, %v", list, err)
	}

	acts, err := s.OpenWideActs(t.Context())
	if err != nil || len(acts) != 3 {
		t.Fatal(acts, err)
	}
	if err := s.EndWideAct(t.Context(), acts[0].ID, noon); err != nil {
		t.Fatal(err)
	}
	age(erasure.KeptActs, "", noon, 0)
	age(erasure.KeptActs, "", noon.Add(time.Hour), 1)
	for id, seen := range map[string]time.Time{"old": noon, "new": noon.AddDate(0, 1, 0)} {
		if err := s.Access.SaveSession(t.Context(), &access.Session{ID: id, Account: "a-lea", Created: seen, Seen: seen}); err != nil {
			t.Fatal(err)
		}
	}
	age(erasure.KeptSessions, "", noon.Add(time.Hour), 1)
	if _, err := s.Access.Session(t.Context(), "new"); err != nil {
		t.Errorf("the new session: %v", err)
	}
	if n, err := s.Age(t.Context(), erasure.KeptAsides, "", noon.Add(time.Hour), true); err != nil || n != 4 {
		t.Errorf("%d messages set aside are old, %v", n, err)
	}
	agedTrail(t, s)
}

// agedTrail takes of whom and why out of the old part of a trail, which stays verifiable.
func agedTrail(t *testing.T, s Erasable) {
	t.Helper()
	n := openTrail(t, s.Trail, 1, &MarkInMemory{})
	written := trail.Entry{Kind: trail.Read, At: noon.AddDate(1, 0, 0), Patients: []string{"p-1"}, Reason: "of today"}
	if err := n.Write(t.Context(), written); err != nil {
		t.Fatal(err)
	}
	places := map[string]int64{}
	old := func() []trail.Redaction {
		t.Helper()
		list, err := trail.Old(t.Context(), s.Trail, "retention-1", noon.AddDate(0, 6, 0), places)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := old()
	if err := n.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "retention", At: noon.AddDate(1, 0, 1)}, "retention-1", list); err != nil {
		t.Fatal(err)
	}
	if err := s.Trail.Strip(t.Context(), "retention-1", list); err != nil {
		t.Fatal(err)
	}
	if more := old(); len(list) == 0 || len(more) != 0 {
		t.Errorf("%d redactions, then %d", len(list), len(more))
	}
	clear(places)
	if more := old(); len(more) != 0 {
		t.Errorf("read anew from the beginning, %d go twice", len(more))
	}
	rows, err := s.Trail.Find(t.Context(), trail.Filter{Patient: "p-1"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("of the patient %d entries are left, %v", len(rows), err)
	}
	if e, err := rows[0].Entry(); err != nil || e.Reason != written.Reason {
		t.Errorf("what is not old: %+v, %v", e, err)
	}
	if report := verified(t, s.Trail); len(report.Faults) > 0 {
		t.Errorf("the trail: %+v", report)
	}
}
