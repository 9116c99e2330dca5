package alerts_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// Most of what Apply does is held by the timelines of storetest, through every
// store. Here is what must hold whatever comes.

// apply is alerts.Apply where only the standing and the current alert matter.
func apply(standing, current *alerts.Alert, f protocols.Finding, care alerts.Care, now time.Time) (*alerts.Alert, []alerts.Event, []alerts.Outgoing) {
	change := alerts.Apply(alerts.Before{Standing: standing, Current: current}, f, care, now)
	return change.Next, change.Events, change.Outgoing
}

func anyLevel(t *rapid.T, label string) protocols.Level {
	return rapid.SampledFrom([]protocols.Level{protocols.Technical, protocols.Yellow, protocols.Orange, protocols.Red}).Draw(t, label)
}

func anyFinding(t *rapid.T) protocols.Finding {
	f := storetest.Finding(
		protocols.FindingKind(rapid.IntRange(1, 5).Draw(t, "kind")), "spo2-low",
		rapid.SampledFrom([]string{"ep-1", "ep-2"}).Draw(t, "episode"), anyLevel(t, "level"),
		time.Duration(rapid.IntRange(-60, 60).Draw(t, "at"))*time.Minute,
	)
	f.Found = storetest.Morning.Add(2 * time.Hour)
	f.TooLate = rapid.Bool().Draw(t, "too late")
	return f
}

func anyAlert(t *rapid.T) *alerts.Alert {
	if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
		return nil
	}
	a := &alerts.Alert{
		ID: "a-1", Enrolment: "e-1", Rule: "spo2-low", Team: "team-a", Episode: rapid.SampledFrom([]string{"ep-1", "ep-2"}).Draw(t, "current episode"),
		Level: anyLevel(t, "current level"), State: rapid.SampledFrom([]alerts.State{alerts.Open, alerts.Acknowledged, alerts.Resolved}).Draw(t, "state"),
		Protocol: "icc", Version: rapid.SampledFrom([]string{"0", "1"}).Draw(t, "version"), Active: rapid.Bool().Draw(t, "active"), TooLate: rapid.Bool().Draw(t, "was too late"), Occurrences: rapid.IntRange(1, 9).Draw(t, "occurrences"),
		At: storetest.Morning.Add(-time.Hour), EpisodeAt: storetest.Morning.Add(-30 * time.Minute), LastAt: storetest.Morning, RaisedAt: storetest.Morning,
	}
	if a.State == alerts.Open && a.Level != protocols.Technical && !a.TooLate {
		a.AnswerBy = storetest.Morning.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "answer by")) * time.Hour)
		if rapid.Bool().Draw(t, "escalated") {
			a.EscalatedAt = a.AnswerBy
		}
	}
	return a
}

func TestWhateverIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, standing, current := anyFinding(t), anyAlert(t), anyAlert(t)
		switch {
		case current == nil:
		case current.State == alerts.Resolved:
			current = nil
		default:
			current.ID = "a-2"
		}
		if standing != nil && standing.State != alerts.Resolved && rapid.Bool().Draw(t, "the same") {
			current = standing
		}
		var was alerts.Alert
		if standing != nil {
			was = *standing
		}
		next, events, outgoing := apply(standing, current, f, storetest.Care(), f.Found)

		if standing != nil && !reflect.DeepEqual(*standing, was) {
			t.Fatal("the alert passed in was changed")
		}
		if next == nil {
			if len(events)+len(outgoing) > 0 {
				t.Fatal("nothing changes, and yet something is told")
			}
			if standing == nil && f.Kind != protocols.Ended {
				t.Fatal("an episode nobody knew of stays hidden")
			}
			return
		}
		if (f.TooLate || next.Level == protocols.Technical) && len(withoutDigest(outgoing)) > 0 {
			t.Fatalf("%v, too late %v, and yet it rings", next.Level, f.TooLate)
		}
		for _, e := range events {
			if e.Author != alerts.Service || e.Kind == alerts.EventAcknowledged || e.Kind == alerts.EventResolved {
				t.Fatalf("a finding wrote the event of a person: %+v", e)
			}
		}
		for _, old := range []*alerts.Alert{standing, current} {
			if old == nil || old.ID != next.ID {
				continue
			}
			if next.Level < old.Level || next.Occurrences < old.Occurrences || next.At.After(old.At) || next.LastAt.Before(old.LastAt) {
				t.Fatalf("something was taken back:\n%+v became\n%+v", *old, *next)
			}
			worse := old.State == alerts.Acknowledged && next.Level > old.Level
			goesOn := old.State == alerts.Resolved && old.TooLate && !f.TooLate && (f.Kind == protocols.Again || f.Kind == protocols.Risen || f.Kind == protocols.Resumed)
			otherwise := (f.Kind == protocols.Again || f.Kind == protocols.Risen || f.Kind == protocols.Raised) && f.Version != old.Version && f.At.After(old.EndedAt)
			notOver := old.State == alerts.Resolved && !old.Active && (f.Kind == protocols.Resumed || otherwise)
			if next.State != old.State && (next.State != alerts.Open || !worse && !goesOn && !notOver) {
				t.Fatalf("a finding moved the state from %s to %s", old.State, next.State)
			}
			unanswered := old.State == alerts.Open && !old.AnswerBy.IsZero() && old.EscalatedAt.IsZero()
			if unanswered && (next.AnswerBy.IsZero() || next.AnswerBy.After(old.AnswerBy)) {
				t.Fatalf("the answer was due by %v and is now due by %v", old.AnswerBy, next.AnswerBy)
			}
		}

		if next.State == alerts.Resolved || !next.Active && next.Version != f.Version {
			return
		}
		again, moreEvents, moreOutgoing := apply(next, next, f, storetest.Care(), f.Found)
		if again != nil || len(moreEvents)+len(moreOutgoing) > 0 {
			t.Fatalf("the same finding again changed\n%+v into\n%+v", *next, *again)
		}
	})
}

// TestAnotherVersionDoesNotRingForWhatSomebodyHasTakenOn has a whole cohort go over to a
// new version of its protocol: what is in hand stays in hand, and only what is graver rings.
func TestAnotherVersionDoesNotRingForWhatSomebodyHasTakenOn(t *testing.T) {
	acknowledged := &alerts.Alert{ID: "a-1", Enrolment: "e-1", Rule: "spo2-low", Protocol: "copd", Version: "1", Episode: "ep-1",
		Level: protocols.Orange, State: alerts.Acknowledged, Active: true, EpisodeAt: storetest.Morning, LastAt: storetest.Morning}
	f := protocols.Finding{Kind: protocols.Raised, Enrolment: "e-1", Rule: "spo2-low", Protocol: "copd", Version: "2", Episode: "ep-2",
		Level: protocols.Orange, At: storetest.Morning.Add(time.Hour), Explanation: &protocols.Explanation{}}
	care := alerts.Care{Team: alerts.Team{ID: "team-a", Contacts: []string{"a@example.org"}}}
	if next, _, outgoing := apply(nil, acknowledged, f, care, storetest.Morning); next.ID != "a-1" || next.State != alerts.Acknowledged || len(outgoing) != 0 {
		t.Errorf("another version finds what goes on: alert %s, %s, %d messages", next.ID, next.State, len(outgoing))
	}
	f.Level = protocols.Red
	if next, _, outgoing := apply(nil, acknowledged, f, care, storetest.Morning); next.ID != "a-1" || next.State != alerts.Open || len(outgoing) != 1 {
		t.Errorf("another version finds it graver: alert %s, %s, %d messages", next.ID, next.State, len(outgoing))
	}
}

func TestRingsAreToldApart(t *testing.T) {
	care := storetest.Care()
	raised := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Yellow, 0)
	a, _, first := apply(nil, nil, raised, care, raised.Found)
	risen := storetest.Finding(protocols.Risen, "spo2-low", "ep-1", protocols.Red, time.Minute)
	b, _, second := apply(a, a, risen, care, risen.Found)
	seen := map[string]bool{}
	for _, m := range append(first, second...) {
		if seen[m.ID] {
			t.Errorf("two messages are both %s", m.ID)
		}
		seen[m.ID] = true
	}
	if len(seen) != 4 || b.ID != a.ID {
		t.Errorf("%d messages about %s and %s, want 4 about one alert", len(seen), a.ID, b.ID)
	}
	_, _, same := apply(nil, nil, raised, care, raised.Found.Add(time.Hour))
	if same[0].ID != first[0].ID {
		t.Error("the same finding at another time gives another message")
	}
}

func TestARiseGrantsNoFurtherDelay(t *testing.T) {
	care := storetest.Care()
	care.Answer[protocols.Red] = 8 * time.Hour
	raised := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)
	a, _, _ := apply(nil, nil, raised, care, raised.Found)
	risen := storetest.Finding(protocols.Risen, "spo2-low", "ep-1", protocols.Red, time.Minute)
	b, _, _ := apply(a, a, risen, care, risen.Found)
	if !b.AnswerBy.Equal(a.AnswerBy) {
		t.Errorf("the answer was due by %v and is now due by %v", a.AnswerBy, b.AnswerBy)
	}
	a.EscalatedAt = a.AnswerBy
	b, _, _ = apply(a, a, risen, care, risen.Found)
	if !b.EscalatedAt.IsZero() || !b.AnswerBy.After(a.AnswerBy) {
		t.Errorf("once escalated, a rise gives a new delay: %v, escalated %v", b.AnswerBy, b.EscalatedAt)
	}
}

// TestAnEpisodeThatGoesOnAfterAllIsNotShownAsOver has a late reading undo the end
// of an episode that no alert stands for any more, while a later one is open.
func TestAnEpisodeThatGoesOnAfterAllIsNotShownAsOver(t *testing.T) {
	care := storetest.Care()
	raised := storetest.Finding(protocols.Raised, "spo2-low", "ep-2", protocols.Orange, 0)
	open, _, _ := apply(nil, nil, raised, care, raised.Found)
	ended := storetest.Finding(protocols.Ended, "spo2-low", "ep-2", protocols.Orange, time.Hour)
	open, _, _ = apply(open, open, ended, care, ended.Found)
	resumed := storetest.Finding(protocols.Resumed, "spo2-low", "ep-1", protocols.Orange, -time.Minute)
	open, _, _ = apply(nil, open, resumed, care, resumed.Found)
	if !open.Active || open.Episode != "ep-1" || !open.EndedAt.IsZero() {
		t.Errorf("active %v, episode %s, ended %v, want ep-1 to go on", open.Active, open.Episode, open.EndedAt)
	}
	over := storetest.Finding(protocols.Ended, "spo2-low", "ep-1", protocols.Orange, 2*time.Hour)
	if open, _, _ = apply(open, open, over, care, over.Found); open == nil || open.Active {
		t.Errorf("the end of what went on is not noted: %+v", open)
	}
}

// Late readings join the episode that an alert was resolved in with an earlier one,
// which goes on in its place: the end of the later one is not that of the condition.
func TestResolvedAlertFollowsTheEpisodeThatGoesOn(t *testing.T) {
	resolved := &alerts.Alert{ID: "a-1", Enrolment: "e-1", Rule: "spo2-low", Episode: "ep-2", Level: protocols.Red, State: alerts.Resolved, Active: true,
		At: storetest.Morning, EpisodeAt: storetest.Morning.Add(time.Hour), LastAt: storetest.Morning.Add(time.Hour), ResolvedAt: storetest.Morning.Add(2 * time.Hour)}
	find := func(kind protocols.FindingKind, episode string) {
		t.Helper()
		f := storetest.Finding(kind, "spo2-low", episode, protocols.Red, time.Hour)
		next, _, outgoing := apply(resolved, nil, f, storetest.Care(), storetest.Morning.Add(3*time.Hour))
		if len(outgoing) > 0 {
			t.Errorf("%s of %s rings for what was resolved while it went on", kind, episode)
		}
		if next != nil {
			resolved = next
		}
	}
	find(protocols.Resumed, "ep-1")
	find(protocols.Ended, "ep-2")
	if !resolved.Active {
		t.Error("the condition goes on, and the alert says that it has ended")
	}
	find(protocols.Ended, "ep-1")
	if resolved.Active || resolved.State != alerts.Resolved {
		t.Errorf("it has ended, and the alert is active: %v, %s", resolved.Active, resolved.State)
	}
}

// What was resolved got worse, and then late readings part its episode in two: the
// second one goes on, and began before the moment at which the first got worse.
func TestWhatGotWorseAfterItWasResolvedKnowsWhenItBegan(t *testing.T) {
	resolved := &alerts.Alert{ID: "a-1", Enrolment: "e-1", Rule: "spo2-low", Episode: "ep-1", Level: protocols.Orange, State: alerts.Resolved, Active: true,
		At: storetest.Morning, EpisodeAt: storetest.Morning, LastAt: storetest.Morning, ResolvedAt: storetest.Morning.Add(time.Minute)}
	find := func(standing, current *alerts.Alert, kind protocols.FindingKind, episode string, level protocols.Level, at time.Duration) *alerts.Alert {
		t.Helper()
		next, _, _ := apply(standing, current, storetest.Finding(kind, "spo2-low", episode, level, at), storetest.Care(), storetest.Morning.Add(3*time.Hour))
		if next == nil {
			t.Fatalf("%s of %s changes nothing", kind, episode)
		}
		return next
	}
	worse := find(resolved, nil, protocols.Risen, "ep-1", protocols.Red, 2*time.Hour)
	worse = find(worse, worse, protocols.Ended, "ep-1", protocols.Red, time.Hour)
	worse = find(nil, worse, protocols.Raised, "ep-2", protocols.Orange, 90*time.Minute)
	if !worse.Active || worse.Episode != "ep-2" {
		t.Errorf("the alert stands for %s, active: %v; ep-2 goes on", worse.Episode, worse.Active)
	}
}
