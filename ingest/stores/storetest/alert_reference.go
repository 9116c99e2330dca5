package storetest

import (
	"cmp"
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
	alerts   []*alerts.Alert // in the order of raising
	episodes map[string]*alerts.Alert
	events   []alerts.Event
	messages map[string]bool
	care     alerts.Care
}

func newReference(care alerts.Care) *reference {
	return &reference{episodes: map[string]*alerts.Alert{}, messages: map[string]bool{}, care: care}
}

func (r *reference) find(f protocols.Finding) {
	episode := fmt.Sprintf("%q", []string{f.Enrolment, f.Device, f.Rule, f.Episode})
	next, events, outgoing := alerts.Apply(r.episodes[episode], r.current(f), f, r.care, f.Found)
	if next == nil {
		return
	}
	at := slices.IndexFunc(r.alerts, func(a *alerts.Alert) bool { return a.ID == next.ID })
	if at < 0 {
		r.alerts = append(r.alerts, next)
		at = len(r.alerts) - 1
	}
	*r.alerts[at] = *next
	r.episodes[episode] = r.alerts[at]
	r.events = append(r.events, events...)
	for _, m := range outgoing {
		r.messages[m.ID] = true
	}
}

// current is the latest unresolved alert of a rule.
func (r *reference) current(f protocols.Finding) *alerts.Alert {
	var latest *alerts.Alert
	for _, a := range r.alerts {
		same := a.Enrolment == f.Enrolment && a.Device == f.Device && a.Rule == f.Rule
		if same && a.State != alerts.Resolved && (latest == nil || !a.RaisedAt.Before(latest.RaisedAt)) {
			latest = a
		}
	}
	return latest
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
					want.find(f)
					together = append(together, f)
				}
				b.found(together...)
				continue
			}
			a := rapid.SampledFrom(want.alerts).Draw(rt, "alert")
			now := Morning.Add(time.Duration(step) * time.Minute)
			if rapid.Bool().Draw(rt, "resolve") {
				want.resolve(a, now)
				_ = alerts.Resolve(b.ctx, b.store, a.ID, "Dr Payet", "no-action", "", now) // refused when resolved already
			} else {
				want.acknowledge(a, now)
				_ = alerts.Acknowledge(b.ctx, b.store, a.ID, "Dr Payet", "", now) // refused when resolved already
			}
		}
		want.compare(rt, b, patient)
	})
}

func (r *reference) acknowledge(a *alerts.Alert, now time.Time) {
	if a.State != alerts.Open {
		return
	}
	a.State, a.AcknowledgedBy, a.AcknowledgedAt, a.AnswerBy = alerts.Acknowledged, "Dr Payet", now, time.Time{}
	r.events = append(r.events, alerts.Event{Alert: a.ID, Kind: alerts.EventAcknowledged, At: now, Level: a.Level, Author: "Dr Payet"})
}

func (r *reference) resolve(a *alerts.Alert, now time.Time) {
	if a.State == alerts.Resolved {
		return
	}
	if a.State == alerts.Open {
		a.AcknowledgedBy, a.AcknowledgedAt = "Dr Payet", now
	}
	if !a.Active && a.EndedAt.After(now) {
		a.EndedAt = now
	}
	a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.AnswerBy = alerts.Resolved, "Dr Payet", now, "no-action", time.Time{}
	r.events = append(r.events, alerts.Event{Alert: a.ID, Kind: alerts.EventResolved, At: now, Level: a.Level, Author: "Dr Payet", Outcome: "no-action"})
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
	waiting := b.waiting()
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
