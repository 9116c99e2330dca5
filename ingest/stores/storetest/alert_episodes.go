package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

func findingBecomesAlert(t *testing.T, b *bench) {
	f := Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0)
	b.found(f)
	a := b.only()
	b.want(a, alerts.Open, protocols.Orange, true, 1)
	b.wantKinds(a.ID, alerts.EventRaised)
	b.wantMessages(2)
	if a.Enrolment != "e-1" || a.Patient != "p-1" || a.Team != "team-a" || a.Protocol != "icc" || a.Version != "1" || a.Episode != "ep-1" {
		t.Errorf("the alert is not about what was found: %+v", a)
	}
	if !a.At.Equal(f.At) || !a.LastAt.Equal(f.At) || !a.RaisedAt.Equal(f.Found) {
		t.Errorf("times %v %v %v, want %v and %v", a.At, a.LastAt, a.RaisedAt, f.At, f.Found)
	}
	if want := f.Found.Add(4 * time.Hour); !a.AnswerBy.Equal(want) {
		t.Errorf("answer by %v, want %v", a.AnswerBy, want)
	}
	if !reflect.DeepEqual(a.Explanation, f.Explanation) {
		t.Errorf("explanation %+v, want %+v", a.Explanation, f.Explanation)
	}
	listed := b.list(alerts.Filter{})[0]
	if listed.Explanation != nil || listed.Title != f.Explanation.Title || listed.Summary != f.Explanation.Summary {
		t.Errorf("the list holds %+v; want title and summary, and no explanation", listed)
	}
}

func replayChangesNothing(t *testing.T, b *bench) {
	story := []protocols.Finding{
		Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0),
		Finding(protocols.Again, "weight-fast", "ep-1", protocols.Yellow, time.Minute),
		Finding(protocols.Risen, "weight-fast", "ep-1", protocols.Red, 2*time.Minute),
		Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Red, 3*time.Minute),
	}
	b.found(story...)
	before := b.only()
	b.want(before, alerts.Open, protocols.Red, false, 3)
	b.wantMessages(3) // yellow waits for the digest
	b.found(story...)
	b.found(story[1], story[3])
	if after := b.only(); !reflect.DeepEqual(before, after) {
		t.Errorf("after a replay the alert is\n%+v, it was\n%+v", after, before)
	}
	b.wantKinds(before.ID, alerts.EventRaised, alerts.EventRisen, alerts.EventEnded)
	b.wantMessages(3) // yellow waits for the digest
}

func furtherReadings(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0))
	for minute := 1; minute <= 10; minute++ {
		b.found(Finding(protocols.Again, "spo2-low", "ep-1", protocols.Orange, time.Duration(minute)*time.Minute))
	}
	a := b.only()
	b.want(a, alerts.Open, protocols.Orange, true, 11)
	if want := Morning.Add(10 * time.Minute); !a.LastAt.Equal(want) {
		t.Errorf("latest occurrence %v, want %v", a.LastAt, want)
	}
	b.wantKinds(a.ID, alerts.EventRaised)
	b.wantMessages(2)
}

func earlierEpisodeFoundLater(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "spo2-low", "afternoon", protocols.Orange, 6*time.Hour))
	late := Finding(protocols.Raised, "spo2-low", "morning", protocols.Orange, time.Hour)
	end := Finding(protocols.Ended, "spo2-low", "morning", protocols.Orange, 2*time.Hour)
	late.Found, end.Found = Morning.Add(7*time.Hour), Morning.Add(7*time.Hour)
	b.found(late, end)
	a := b.only()
	b.want(a, alerts.Open, protocols.Orange, true, 2)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventRecurred)
	if !a.At.Equal(late.At) || a.Episode != "afternoon" {
		t.Errorf("begins %v with episode %s; want the earlier beginning and the later episode", a.At, a.Episode)
	}
}

func lateThenTimely(t *testing.T, b *bench) {
	late := Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, -72*time.Hour)
	late.Found, late.TooLate = Morning, true
	again := Finding(protocols.Again, "spo2-low", "ep-1", protocols.Red, -70*time.Hour)
	again.Found, again.TooLate = Morning, true
	b.found(late, again)
	a := b.only()
	b.want(a, alerts.Open, protocols.Red, true, 2)
	b.wantMessages(0)
	if !a.TooLate || a.AnswerBy.IsZero() {
		t.Fatalf("found too late: too_late=%v, answer by %v; want it shown, and somebody waited for", a.TooLate, a.AnswerBy)
	}
	b.found(Finding(protocols.Again, "spo2-low", "ep-1", protocols.Red, time.Minute))
	a = b.only()
	b.want(a, alerts.Open, protocols.Red, true, 3)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventRecurred)
	b.wantMessages(2)
	if a.TooLate || a.AnswerBy.IsZero() {
		t.Errorf("it goes on now: too_late=%v, answer by %v; want it to ring", a.TooLate, a.AnswerBy)
	}
}

// endUndone has a second episode join the alert, which late readings then show to be
// a part of the first.
func endUndone(t *testing.T, b *bench) {
	b.found(
		Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0),
		Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Orange, time.Hour),
	)
	a := b.only()
	b.want(a, alerts.Open, protocols.Orange, false, 1)
	resumed := Finding(protocols.Resumed, "weight-fast", "ep-1", protocols.Orange, 2*time.Hour)
	b.found(resumed, resumed)
	a = b.only()
	b.want(a, alerts.Open, protocols.Orange, true, 2)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventEnded, alerts.EventResumed)
	b.wantMessages(2)
	if !a.EndedAt.IsZero() {
		t.Errorf("it goes on, and yet it ended at %v", a.EndedAt)
	}
	b.acknowledge(a.ID, 2*time.Hour+time.Minute)
	b.found(
		Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Orange, 3*time.Hour),
		Finding(protocols.Resumed, "weight-fast", "ep-1", protocols.Orange, 4*time.Hour),
	)
	b.want(b.only(), alerts.Acknowledged, protocols.Orange, true, 3)
	b.wantMessages(2)

	b.found(
		Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0),
		Finding(protocols.Ended, "spo2-low", "ep-1", protocols.Red, time.Hour),
		Finding(protocols.Raised, "spo2-low", "ep-2", protocols.Red, 2*time.Hour),
		Finding(protocols.Resumed, "spo2-low", "ep-1", protocols.Red, 3*time.Hour),
		Finding(protocols.Ended, "spo2-low", "ep-2", protocols.Red, 3*time.Hour),
	)
	list := b.list(alerts.Filter{Rule: "spo2-low"})
	if len(list) != 1 || !list[0].Active || list[0].Episode != "ep-1" {
		t.Errorf("the end of what was overtaken ended what goes on: %+v", list)
	}
}

func resolvedAsOver(t *testing.T, b *bench) {
	b.found(
		Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0),
		Finding(protocols.Ended, "spo2-low", "ep-1", protocols.Red, time.Hour),
	)
	a := b.only()
	b.resolve(a.ID, 2*time.Hour)
	b.found(Finding(protocols.Resumed, "spo2-low", "ep-1", protocols.Red, 3*time.Hour))
	a = b.only()
	b.want(a, alerts.Open, protocols.Red, true, 2)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventEnded, alerts.EventResolved, alerts.EventResumed)
	b.wantMessages(4)
	if a.AnswerBy.IsZero() || a.Outcome != "" {
		t.Errorf("it is to be answered again: %+v", a)
	}

	// Whoever resolves what goes on has seen that it does.
	b.resolve(a.ID, 4*time.Hour)
	b.found(
		Finding(protocols.Ended, "spo2-low", "ep-1", protocols.Red, 5*time.Hour),
		Finding(protocols.Resumed, "spo2-low", "ep-1", protocols.Red, 6*time.Hour),
	)
	b.want(b.only(), alerts.Resolved, protocols.Red, true, 3)
	b.wantMessages(4)

	// A second alert that stands for the rule takes the episode in.
	b.found(Finding(protocols.Ended, "spo2-low", "ep-1", protocols.Red, 6*time.Hour+time.Minute))
	b.found(Finding(protocols.Raised, "spo2-low", "ep-2", protocols.Red, 7*time.Hour))
	b.found(
		Finding(protocols.Resumed, "spo2-low", "ep-1", protocols.Red, 8*time.Hour),
		Finding(protocols.Ended, "spo2-low", "ep-2", protocols.Red, 8*time.Hour),
	)
	open := b.list(alerts.Filter{States: []alerts.State{alerts.Open}})
	if len(open) != 1 || !open[0].Active || open[0].Episode != "ep-1" {
		t.Errorf("open are %+v, want one alert that goes on", open)
	}
}

func resolvedThenTimely(t *testing.T, b *bench) {
	late := Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, -72*time.Hour)
	late.Found, late.TooLate = Morning, true
	b.found(late)
	first := b.only()
	b.resolve(first.ID, time.Minute)
	older := Finding(protocols.Again, "spo2-low", "ep-1", protocols.Red, -70*time.Hour)
	older.Found, older.TooLate = Morning.Add(2*time.Minute), true
	b.found(older)
	b.want(b.only(), alerts.Resolved, protocols.Red, true, 2)
	b.wantMessages(0)

	goesOn := Finding(protocols.Again, "spo2-low", "ep-1", protocols.Red, 3*time.Minute)
	b.found(goesOn, goesOn)
	a := b.only()
	b.want(a, alerts.Open, protocols.Red, true, 3)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventResolved, alerts.EventRecurred)
	b.wantMessages(2)
	if a.TooLate || a.AnswerBy.IsZero() || a.Outcome != "" || a.ResolvedBy != "" || !reflect.DeepEqual(a.Explanation, late.Explanation) {
		t.Errorf("it goes on now: %+v", a)
	}
}

func newEpisodeJoins(_ *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0))
	b.found(Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Yellow, time.Hour))
	b.found(Finding(protocols.Raised, "weight-fast", "ep-2", protocols.Orange, 2*time.Hour))
	a := b.only()
	b.want(a, alerts.Open, protocols.Orange, true, 2)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventEnded, alerts.EventRecurred, alerts.EventRisen)
	b.found(Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Yellow, 3*time.Hour))
	b.want(b.only(), alerts.Open, protocols.Orange, true, 2)
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0))
	b.want(b.only(), alerts.Open, protocols.Orange, true, 2)
}

func newAlertAfterAcknowledgedEnd(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	first := b.only()
	b.acknowledge(first.ID, time.Hour)
	b.found(Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Orange, 2*time.Hour))
	b.want(b.only(), alerts.Acknowledged, protocols.Orange, false, 1)
	b.found(
		Finding(protocols.Raised, "weight-fast", "ep-2", protocols.Orange, 3*time.Hour),
		Finding(protocols.Ended, "weight-fast", "ep-2", protocols.Orange, 5*time.Hour),
	)
	if flipped := b.only(); flipped.State != alerts.Acknowledged || flipped.Active || flipped.Flips != 1 {
		t.Fatalf("after a flip within the rest time: %+v; want it counted", flipped)
	}
	b.wantMessages(2)
	b.found(Finding(protocols.Raised, "weight-fast", "ep-3", protocols.Orange, 30*time.Hour))
	list := b.list(alerts.Filter{States: []alerts.State{alerts.Open}})
	if len(list) != 1 || list[0].ID == first.ID {
		t.Fatalf("open alerts %+v, want a new one", list)
	}
	b.want(b.alert(first.ID), alerts.Acknowledged, protocols.Orange, false, 2)
	b.found(Finding(protocols.Again, "weight-fast", "ep-3", protocols.Orange, 31*time.Hour))
	b.want(b.alert(list[0].ID), alerts.Open, protocols.Orange, true, 2)
	b.wantMessages(4)
}

func quietAfterResolve(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0))
	first := b.only()
	b.resolve(first.ID, time.Minute)
	b.found(
		Finding(protocols.Again, "weight-fast", "ep-1", protocols.Yellow, time.Hour),
		Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0),
	)
	b.want(b.only(), alerts.Resolved, protocols.Yellow, true, 2)
	b.wantKinds(first.ID, alerts.EventRaised, alerts.EventResolved)
	b.wantMessages(1) // yellow waits for the digest

	risen := Finding(protocols.Risen, "weight-fast", "ep-1", protocols.Red, 2*time.Hour)
	b.found(risen)
	open := b.list(alerts.Filter{States: []alerts.State{alerts.Open}})
	if len(open) != 1 || open[0].ID == first.ID {
		t.Fatalf("open alerts %+v, want a new one for what got worse", open)
	}
	b.wantKinds(open[0].ID, alerts.EventRaised)
	b.wantMessages(3)
	b.found(risen, Finding(protocols.Again, "weight-fast", "ep-1", protocols.Red, 3*time.Hour))
	b.want(b.alert(open[0].ID), alerts.Open, protocols.Red, true, 2)
	b.found(Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Red, 4*time.Hour))
	b.want(b.alert(open[0].ID), alerts.Open, protocols.Red, false, 2)
	b.want(b.alert(first.ID), alerts.Resolved, protocols.Yellow, true, 2)
}

func twoDevices(t *testing.T, b *bench) {
	for _, device := range []string{"oximeter-1", "oximeter-2"} {
		f := Finding(protocols.Raised, "implausible", "ep-1", protocols.Technical, 0)
		f.Device, f.Enrolment, f.Patient = device, "", ""
		b.found(f)
	}
	list := b.list(alerts.Filter{})
	if len(list) != 2 || list[0].ID == list[1].ID {
		t.Fatalf("alerts %+v, want one per device", list)
	}
	b.wantMessages(0)
}

func oneTransaction(_ *testing.T, b *bench) {
	b.found(
		Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Yellow, 0),
		Finding(protocols.Again, "weight-fast", "ep-1", protocols.Yellow, time.Minute),
		Finding(protocols.Ended, "weight-fast", "ep-1", protocols.Yellow, 2*time.Minute),
		Finding(protocols.Raised, "weight-fast", "ep-2", protocols.Yellow, 3*time.Minute),
	)
	a := b.only()
	b.want(a, alerts.Open, protocols.Yellow, true, 3)
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventEnded, alerts.EventRecurred)
}

func nobodyInCharge(t *testing.T, b *bench) {
	b.directory.err = alerts.ErrNoCare
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Red, 0))
	a := b.only()
	b.want(a, alerts.Open, protocols.Red, true, 1)
	if a.Team != "" {
		t.Errorf("team %q, want none", a.Team)
	}
	b.wantMessages(0)
	open := alerts.Filter{States: []alerts.State{alerts.Open}, Team: "team-a"}
	if summary, err := b.store.Summary(b.ctx, alerts.Filter{Team: "team-a"}); err != nil || summary.Count(alerts.Open) != 1 || len(b.list(open)) != 1 {
		t.Errorf("a team that looks at its own alerts is shown %d of them and counts %+v, %v; want what nobody is in charge of", len(b.list(open)), summary, err)
	}
}

func directoryFails(t *testing.T, b *bench) {
	b.directory.err = errors.New("the disk is gone")
	if err := b.apply([]protocols.Finding{Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Red, 0)}); !errors.Is(err, b.directory.err) {
		t.Fatalf("find returned %v, want the failure of the directory", err)
	}
	if list := b.list(alerts.Filter{}); len(list) != 0 {
		t.Errorf("alerts %+v, want none", list)
	}
}
