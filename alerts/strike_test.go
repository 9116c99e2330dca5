package alerts_test

import (
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// byMmeHoarau is a finding of a reading that she has struck out.
func byMmeHoarau(f *protocols.Finding) { f.Author, f.Reason = "Mme Hoarau", "son mari" }

// struck has what an episode rested on struck out some time after the morning.
func (l *timeline) struck(episode string, level protocols.Level, at time.Duration) {
	l.Helper()
	l.found(protocols.Withdrawn, episode, level, 0, at, byMmeHoarau)
}

// A red alert that nobody answered has gone up the escalation when its reading is struck
// out: it is closed in that person's name, with the reason, whoever was woken is told,
// and nothing goes up any more.
func TestAStruckReadingClosesItsAlert(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
	if l.pass(3*hour) == 0 {
		t.Fatal("nothing has gone up the escalation")
	}
	told := len(l.memory.messages)
	l.struck("ep-1", protocols.Red, 4*hour)
	a := l.latest()
	if a.State != alerts.Resolved || a.ResolvedBy != "Mme Hoarau" || a.Outcome != alerts.StruckOut || a.Note != "son mari" || a.Active {
		t.Errorf("it is %s by %q, %q, %q, goes on %v", a.State, a.ResolvedBy, a.Outcome, a.Note, a.Active)
	}
	last := l.memory.events[len(l.memory.events)-1]
	if last.Kind != alerts.EventResolved || last.Author != "Mme Hoarau" || last.Note != "son mari" || last.Outcome != alerts.StruckOut {
		t.Errorf("its last event is %+v", last)
	}
	if messages := l.memory.messages[told:]; len(messages) == 0 || messages[0].Event != alerts.EventStruck {
		t.Errorf("whoever was woken is told %+v", messages)
	}
	if sent := l.pass(30 * days); sent != 0 {
		t.Errorf("%d messages come later", sent)
	}
}

// What comes after a reading that was struck out is no repetition of it: it rings.
func TestWhatFollowsAStruckReadingRings(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.struck("ep-1", protocols.Orange, hour)
	l.rings(true, l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(86)))
	l.alerts(2)
}

// Two episodes share an alert, and the red one rested on a reading that is struck out: the
// alert stays for the other, orange, and the next red rings.
func TestAnAlertStaysForItsOtherEpisode(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Red, 2*hour, 2*hour, figure(70))
	l.shows(alerts.Open, protocols.Red, true)
	l.struck("ep-2", protocols.Red, 3*hour)
	l.shows(alerts.Open, protocols.Orange, false)
	if a := l.latest(); a.Episode != "ep-1" || a.EpisodeAt != storetest.Morning {
		t.Errorf("it stands for %s since %s", a.Episode, a.EpisodeAt)
	}
	l.rings(true, l.found(protocols.Raised, "ep-3", protocols.Red, 4*hour, 4*hour, figure(79)))
	l.shows(alerts.Open, protocols.Red, true)
}

// The reading that lifted an alert to red is struck out: it is orange again, what it says
// is what is left, whoever has taken it on keeps it, and the next red rings.
func TestAnAlertIsNoGraverThanWhatIsLeft(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.found(protocols.Risen, "ep-1", protocols.Red, hour, hour, figure(70))
	l.acknowledge(2 * hour)
	l.rings(false, l.found(protocols.Revised, "ep-1", protocols.Orange, 0, 3*hour, figure(86), byMmeHoarau))
	l.shows(alerts.Acknowledged, protocols.Orange, true)
	if a := l.latest(); a.Figure != 86_000 || a.AcknowledgedBy != "Dr Payet" {
		t.Errorf("its figure is %s, %s has it", a.Figure, a.AcknowledgedBy)
	}
	if kinds := l.kinds(); kinds[len(kinds)-1] != alerts.EventStruck {
		t.Errorf("it says %v", kinds)
	}
	l.rings(true, l.found(protocols.Risen, "ep-1", protocols.Red, 4*hour, 4*hour, figure(79)))
	l.shows(alerts.Open, protocols.Red, true)
}

// Nobody has answered a red when it turns out to be an orange: the deadline is that of
// an orange, from when it rang.
func TestTheDeadlineIsThatOfWhatIsLeft(t *testing.T) {
	orange, l := newTimeline(t), newTimeline(t)
	orange.begin()
	l.begin()
	l.found(protocols.Risen, "ep-1", protocols.Red, 0, 0, figure(70))
	if !l.latest().AnswerBy.Before(orange.latest().AnswerBy) {
		t.Fatal("a red is not due before an orange")
	}
	l.found(protocols.Revised, "ep-1", protocols.Orange, 0, hour/2, figure(86), byMmeHoarau)
	if got, want := l.latest().AnswerBy, orange.latest().AnswerBy; !got.Equal(want) {
		t.Errorf("it is due by %s, want %s", got, want)
	}
}

// The strike is taken back: the same alert stands in front of people again, and rings.
func TestAStrikeTakenBackRingsAgain(t *testing.T) {
	for _, first := range []protocols.FindingKind{protocols.Raised, protocols.Resumed, protocols.Again} {
		l := newTimeline(t)
		l.begin()
		l.struck("ep-1", protocols.Orange, hour)
		l.rings(true, l.found(first, "ep-1", protocols.Orange, 0, 2*hour, figure(86)))
		l.alerts(1)
		l.shows(alerts.Open, protocols.Orange, true)
		if a := l.latest(); a.ResolvedBy != "" || a.Outcome != "" || a.Note != "" {
			t.Errorf("it still says %q, %q, %q", a.ResolvedBy, a.Outcome, a.Note)
		}
		if !slices.Equal(l.kinds(), []alerts.EventKind{alerts.EventRaised, alerts.EventResolved, alerts.EventResumed}) {
			t.Errorf("it says %v", l.kinds())
		}
	}
}

// A red that a person has resolved rested on a struck reading: it does not come back.
func TestWhatWasResolvedAndStruckStaysResolved(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
	l.resolve(hour)
	l.struck("ep-1", protocols.Red, 2*hour)
	l.pass(20 * days)
	l.alerts(1)
	if a := l.latest(); a.Outcome != "patient-called" || a.ResolvedBy != "Dr Payet" {
		t.Errorf("it is resolved by %s with %s", a.ResolvedBy, a.Outcome)
	}
	// Undone, it goes on as it did: it comes back after its rest.
	l.rings(false, l.found(protocols.Raised, "ep-1", protocols.Red, 0, 21*days, figure(70)))
	l.rings(true, l.pass(23*days))
	l.alerts(2)
}

// A person has resolved a red that holds on, and an earlier episode of it is struck out:
// it comes back after its rest all the same.
func TestARedThatHoldsComesBackWhenAnEarlierEpisodeIsStruck(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Red, 2*hour, 2*hour, figure(70))
	l.resolve(3 * hour)
	l.struck("ep-1", protocols.Orange, 4*hour)
	l.shows(alerts.Resolved, protocols.Red, true)
	l.rings(true, l.pass(3*days))
	l.alerts(2)
}

// Each of the two episodes of an alert rested on readings that are struck out: nothing is
// left, and it is closed. The first comes back: it holds, and rings.
func TestAnAlertIsClosedWithTheLastOfItsEpisodes(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(86))
	l.struck("ep-1", protocols.Orange, 3*hour)
	l.shows(alerts.Open, protocols.Orange, true)
	l.found(protocols.Withdrawn, "ep-2", protocols.Orange, 2*hour, 3*hour, byMmeHoarau)
	l.shows(alerts.Resolved, protocols.Orange, false)
	l.rings(true, l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 4*hour, figure(86)))
	l.alerts(1)
	l.shows(alerts.Open, protocols.Orange, true)
}

// One of two episodes is struck out and comes back: whoever has taken the alert on is
// called again, for it holds.
func TestAnEpisodeThatComesBackHoldsAndRings(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(86))
	l.found(protocols.Withdrawn, "ep-2", protocols.Orange, 2*hour, 3*hour, byMmeHoarau)
	l.shows(alerts.Open, protocols.Orange, false)
	l.acknowledge(4 * hour)
	l.rings(true, l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 5*hour, figure(86)))
	l.shows(alerts.Open, protocols.Orange, true)
	if a := l.latest(); a.Episode != "ep-2" || len(a.Stood) != 2 {
		t.Errorf("it stands for %s, of %+v", a.Episode, a.Stood)
	}
}

// An episode that rose to red within an alert that was red before keeps it red when the
// first one is struck out.
func TestAnAlertStaysAsGraveAsWhatIsLeft(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(86))
	l.found(protocols.Risen, "ep-2", protocols.Red, 3*hour, 3*hour, figure(78))
	l.struck("ep-1", protocols.Red, 4*hour)
	l.shows(alerts.Open, protocols.Red, true)
}

// Late readings show that what a person has taken on was red for a time, three days ago.
// Nobody is called; the person is to look again by a deadline, and it stays among what
// waits for somebody.
func TestWhatWasGraverThanItsTakerKnewIsLookedAtAgain(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.acknowledge(hour)
	l.end()
	l.rings(false, l.found(protocols.Risen, "ep-1", protocols.Red, 30*time.Minute, 3*days, figure(70), tooLate))
	l.shows(alerts.Open, protocols.Red, false)
	if a := l.latest(); a.Deadline().IsZero() || a.ToReread() {
		t.Errorf("it is due by %s, to be read alone: %v", a.Deadline(), a.ToReread())
	}
	l.rings(true, l.pass(10*days))
}

// An orange that nobody answered went up the escalation, rose to red, and is orange again
// by a strike. The deadline is that of before: it goes up again, and is not taken for what
// was told then.
func TestADeadlineThatAStrikeBringsBackIsToldOf(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	due := l.latest().AnswerBy.Sub(storetest.Morning)
	if l.pass(due) == 0 {
		t.Fatal("nothing has gone up the escalation")
	}
	l.found(protocols.Risen, "ep-1", protocols.Red, due, due, figure(70))
	l.found(protocols.Revised, "ep-1", protocols.Orange, 0, due+hour/2, figure(86), byMmeHoarau)
	if sent := l.pass(due + hour); sent == 0 {
		t.Errorf("nobody is told that it is due since %s", l.latest().AnswerBy)
	}
}

// It was over when a person resolved it. Readings are struck out and one of them comes
// back: it turns out that it is not over, and rings.
func TestWhatWasResolvedAsOverAndHoldsRings(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.resolve(2 * hour)
	l.struck("ep-1", protocols.Orange, 3*hour)
	l.rings(true, l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 4*hour, figure(86)))
	l.shows(alerts.Open, protocols.Orange, true)
}

// Of the two episodes of a resolved alert the one that goes on is struck out and taken
// back, then the other one is struck out: the first goes on, and comes back after its rest.
func TestAnEpisodeThatWasTakenBackIsNotTheOther(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Red, 2*hour, 2*hour, figure(70))
	l.resolve(3 * hour)
	l.found(protocols.Withdrawn, "ep-2", protocols.Red, 2*hour, 4*hour, byMmeHoarau)
	l.found(protocols.Raised, "ep-2", protocols.Red, 2*hour, 5*hour, figure(70))
	l.struck("ep-1", protocols.Red, 6*hour)
	l.shows(alerts.Resolved, protocols.Red, true)
	l.rings(true, l.pass(3*days))
}

// A red was resolved while it held, its reading was struck out, and another episode holds
// now. The strike is undone: the first red comes back, graver, to the alert that stands, and
// its end, which is past, ends nothing that holds.
func TestAnOldEpisodeThatCountsAgainEndsNoLaterOne(t *testing.T) {
	l := newTimeline(t)
	const first, second = "spo2-low@2026-11-23T08:00:00Z", "spo2-low@2026-11-23T10:00:00Z"
	l.found(protocols.Raised, first, protocols.Red, 0, 0, figure(70))
	l.resolve(hour / 2)
	l.struck(first, protocols.Red, hour)
	l.found(protocols.Raised, second, protocols.Orange, 2*hour, 2*hour, figure(86))
	l.found(protocols.Raised, first, protocols.Red, 0, 3*hour, figure(70))
	l.found(protocols.Again, first, protocols.Red, hour/4, 3*hour, figure(60))
	l.found(protocols.Ended, first, protocols.Red, hour/2, 3*hour)
	l.alerts(2)
	l.shows(alerts.Open, protocols.Red, true)
}

// A person took an alert for over, because of a strike, and resolved it; another strike
// follows, and the first is undone. It holds, which nobody knows: it rings.
func TestWhatAStrikeHadEndedWhenItWasResolvedRings(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.end()
	l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 2*hour, figure(86))
	l.found(protocols.Withdrawn, "ep-2", protocols.Orange, 2*hour, 3*hour, byMmeHoarau)
	l.resolve(4 * hour)
	l.struck("ep-1", protocols.Orange, 5*hour)
	l.rings(true, l.found(protocols.Raised, "ep-2", protocols.Orange, 2*hour, 6*hour, figure(86)))
	l.shows(alerts.Open, protocols.Orange, true)
}

// What was found too late was resolved as past, and struck out. The strike is undone while
// it goes on: it rings, and does not wait for another reading.
func TestAPastThatAStrikeBringsBackAndThatGoesOnRings(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 4*hour, figure(86), tooLate)
	l.resolve(5 * hour)
	l.struck("ep-1", protocols.Orange, 6*hour)
	l.rings(true, l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 7*hour, figure(86)))
	l.shows(alerts.Open, protocols.Orange, true)
}

// A red was resolved while it held, and without the readings that are struck out it is an
// orange: only a red comes back without a reading.
func TestOnlyWhatIsRedStillComesBackByItself(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
	l.resolve(hour)
	l.found(protocols.Revised, "ep-1", protocols.Orange, 0, 2*hour, figure(86), byMmeHoarau)
	l.pass(20 * days)
	l.alerts(1)
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, 20*days, 20*days, figure(86)))
}
