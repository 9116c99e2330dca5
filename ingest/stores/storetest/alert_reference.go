package storetest

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
	"vigie/protocols"
)

// reference is what a store does, written for reading: no index, no shortcut.
type reference struct {
	alerts.Store
	alerts   []*alerts.Alert // in the order of raising
	episodes map[alerts.EpisodeKey]*alerts.Alert
	events   []alerts.Event
	messages map[string]bool
	care     alerts.Care
}

func newReference(care alerts.Care) *reference {
	return &reference{episodes: map[alerts.EpisodeKey]*alerts.Alert{}, messages: map[string]bool{}, care: care}
}

func (r *reference) apply(f protocols.Finding) error {
	changes, err := alerts.NewLedger(r, r).Apply([]protocols.Finding{f})
	if err != nil {
		return err
	}
	r.write(changes)
	return nil
}

// write keeps what a ledger has changed.
func (r *reference) write(changes alerts.Changes) {
	for _, entry := range append(changes.Added, changes.Changed...) {
		kept := r.byID(entry.Alert.ID)
		if kept == nil {
			kept = &alerts.Alert{}
			r.alerts = append(r.alerts, kept)
		}
		explanation := kept.Explanation
		*kept = entry.Alert
		if kept.Explanation == nil {
			kept.Explanation = explanation
		}
	}
	for _, stands := range changes.Stands {
		r.episodes[stands.Episode] = r.byID(stands.Entry.Alert.ID)
	}
	r.events = append(r.events, changes.Events...)
	for _, m := range changes.Outgoing {
		if m.Event != alerts.EventDigest { // all stories of this test share one
			r.messages[m.ID] = true
		}
	}
}

// Care is part of alerts.Directory.
func (r *reference) Care(string) (alerts.Care, error) { return r.care, nil }

func (r *reference) byID(id string) *alerts.Alert {
	for _, a := range r.alerts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (r *reference) entry(a *alerts.Alert) *alerts.Entry {
	if a == nil {
		return nil
	}
	return &alerts.Entry{Number: 1 + int64(slices.Index(r.alerts, a)), Alert: *a}
}

// Standing is part of alerts.Pages.
func (r *reference) Standing(of alerts.EpisodeKey) (*alerts.Entry, error) {
	return r.entry(r.episodes[of]), nil
}

// ByID is part of alerts.Pages.
func (r *reference) ByID(id string) (*alerts.Entry, error) { return r.entry(r.byID(id)), nil }

// OfRule is part of alerts.Pages. It gives more than is asked for.
func (r *reference) OfRule(of alerts.RuleKey) ([]*alerts.Entry, error) {
	return r.where(func(a *alerts.Alert) bool {
		return a.Enrolment == of.Enrolment && a.Device == of.Device && a.Rule == of.Rule
	}), nil
}

// OpenOf is part of alerts.Pages.
func (r *reference) OpenOf(patient string) ([]*alerts.Entry, error) {
	return r.where(func(a *alerts.Alert) bool { return a.State == alerts.Open && a.Patient == patient }), nil
}

func (r *reference) where(belongs func(*alerts.Alert) bool) (list []*alerts.Entry) {
	for _, a := range r.alerts {
		if belongs(a) {
			list = append(list, r.entry(a))
		}
	}
	return list
}

// Act is part of alerts.Store.
func (r *reference) Act(_ context.Context, id string, change func(alerts.On) (alerts.Change, error)) error {
	changes, err := alerts.NewLedger(r, r).Act(id, change)
	if err == nil {
		r.write(changes)
	}
	return err
}

// anyFinding draws a finding of a small world, in which much happens to the same
// few alerts, in any order of measurement.
func anyFinding(t *rapid.T, step int) protocols.Finding {
	f := Finding(
		protocols.FindingKind(rapid.IntRange(1, 5).Draw(t, "kind")),
		rapid.SampledFrom([]string{"weight-fast", "spo2-low"}).Draw(t, "rule"),
		rapid.SampledFrom([]string{"ep-1", "ep-2", "ep-3"}).Draw(t, "episode"),
		rapid.SampledFrom([]protocols.Level{protocols.Technical, protocols.Yellow, protocols.Orange, protocols.Red}).Draw(t, "level"),
		time.Duration(rapid.IntRange(0, 20).Draw(t, "at"))*time.Minute,
	)
	f.Found = Morning.Add(time.Duration(step) * time.Minute)
	f.TooLate = rapid.IntRange(0, 4).Draw(t, "too late") == 0
	f.Version = rapid.SampledFrom([]string{"1", "1", "1", "2"}).Draw(t, "version")
	if rapid.IntRange(0, 5).Draw(t, "device") == 0 {
		f.Device = "oximeter-1"
	}
	return f
}

// sameAsApply holds a store to Apply, over random stories of findings and acts:
// whatever a store does faster, it must do the same.
func sameAsApply(t *testing.T, open func(*testing.T, alerts.Directory) Alerts) {
	b := &bench{T: t, ctx: t.Context(), directory: &directory{care: Care()}}
	b.store = open(t, b.directory)
	stories := 0
	rapid.Check(t, func(rt *rapid.T) {
		stories++
		patient := fmt.Sprint("p-", stories)
		want := newReference(Care())
		for step := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			if rapid.IntRange(0, 5).Draw(rt, "person") > 0 || len(want.alerts) == 0 {
				var together []protocols.Finding
				for range rapid.SampledFrom([]int{1, 1, 1, 2, 5}).Draw(rt, "in one transaction") {
					f := anyFinding(rt, step)
					f.Enrolment, f.Patient = "e-"+patient, patient
					if err := want.apply(f); err != nil {
						rt.Fatal(err)
					}
					together = append(together, f)
				}
				b.found(together...)
				continue
			}
			a := rapid.SampledFrom(want.alerts).Draw(rt, "alert")
			now := Morning.Add(time.Duration(step) * time.Minute)
			act := rapid.SampledFrom([]func(alerts.Store) error{
				func(s alerts.Store) error {
					return alerts.Resolve(b.ctx, s, a.ID, "Dr Payet", "patient-called", "", now)
				},
				func(s alerts.Store) error { return alerts.Acknowledge(b.ctx, s, a.ID, "Dr Payet", "", now) },
				func(s alerts.Store) error { return alerts.Release(b.ctx, s, a.ID, "Dr Payet", "erreur", now) },
				func(s alerts.Store) error {
					return alerts.CallBack(b.ctx, s, a.ID, "Dr Payet", "", now.Add(time.Hour), now)
				},
				func(s alerts.Store) error {
					return s.Act(b.ctx, a.ID, func(on alerts.On) (alerts.Change, error) {
						return alerts.Pass(on, now.Add(90*24*time.Hour)), nil
					})
				},
			}).Draw(rt, "act")
			if wanted, got := act(want), act(b.store); fmt.Sprint(wanted) != fmt.Sprint(got) {
				rt.Fatalf("the store says %v, the reference %v", got, wanted)
			}
		}
		want.compare(rt, b, patient)
	})
}

func (r *reference) compare(t *rapid.T, b *bench, patient string) {
	got := b.list(alerts.Filter{Patient: patient, Limit: alerts.MaxLimit})
	for i := range got {
		got[i] = *b.alert(got[i].ID)
	}
	want := []alerts.Alert{}
	for _, a := range r.alerts {
		want = append(want, *a)
	}
	byID := func(x, y alerts.Alert) int { return cmp.Compare(x.ID, y.ID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the store holds\n%+v, Apply says\n%+v", got, want)
	}
	for _, a := range want {
		wantEvents := slices.DeleteFunc(slices.Clone(r.events), func(e alerts.Event) bool { return e.Alert != a.ID })
		events, err := b.store.Events(b.ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			events[i].Seq = 0
		}
		if !reflect.DeepEqual(events, wantEvents) {
			t.Fatalf("the store has the events\n%+v, Apply says\n%+v", events, wantEvents)
		}
	}
	r.compareMessages(t, b)
}

// compareMessages takes the messages of this story out of the outbox.
func (r *reference) compareMessages(t *rapid.T, b *bench) {
	waiting := slices.DeleteFunc(b.waiting(), func(m alerts.Outgoing) bool { return r.byID(m.Alert) == nil })
	if len(waiting) != len(r.messages) {
		t.Fatalf("%d messages wait, Apply says %d", len(waiting), len(r.messages))
	}
	for _, m := range waiting {
		if !r.messages[m.ID] {
			t.Fatalf("the message %+v waits, Apply says nothing of it", m)
		}
		if err := b.store.Sent(b.ctx, m.ID, Morning); err != nil {
			t.Fatal(err)
		}
	}
}
