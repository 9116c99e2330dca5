package alerts_test

import (
	"context"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// timeline is a story told to a store in memory.
type timeline struct {
	*testing.T
	memory    *memory
	directory *directoryOf
}

func newTimeline(t *testing.T) *timeline {
	directory := &directoryOf{storetest.Care()}
	return &timeline{t, newMemory(directory), directory}
}

// found tells of a finding about spo2-low, and returns how many messages it makes.
func (l *timeline) found(kind protocols.FindingKind, episode string, level protocols.Level, at, found time.Duration, more ...func(*protocols.Finding)) int {
	l.Helper()
	f := storetest.Finding(kind, "spo2-low", episode, level, at)
	f.Found = storetest.Morning.Add(found)
	for _, change := range more {
		change(&f)
	}
	_, _, _, rang, err := l.memory.find(f, l.directory)
	if err != nil {
		l.Fatal(err)
	}
	return len(rang)
}

func tooLate(f *protocols.Finding) { f.TooLate = true }

func version(name string) func(*protocols.Finding) {
	return func(f *protocols.Finding) { f.Version = name }
}

// rings holds that a finding calls people, or that it does not.
func (l *timeline) rings(want bool, messages int) {
	l.Helper()
	if messages > 0 != want {
		l.Errorf("%d messages, people are called: want %v", messages, want)
	}
}

func (l *timeline) resolve(after time.Duration) {
	l.Helper()
	if err := alerts.Resolve(context.Background(), l.memory, l.latest().ID, "Dr Payet", "patient-called", "", storetest.Morning.Add(after)); err != nil {
		l.Fatal(err)
	}
}

func (l *timeline) acknowledge(after time.Duration) {
	l.Helper()
	if err := alerts.Acknowledge(context.Background(), l.memory, l.latest().ID, "Dr Payet", "", storetest.Morning.Add(after)); err != nil {
		l.Fatal(err)
	}
}

func (l *timeline) latest() *alerts.Alert { return l.memory.alerts[len(l.memory.alerts)-1] }

func (l *timeline) shows(state alerts.State, level protocols.Level, active bool) {
	l.Helper()
	if a := l.latest(); a.State != state || a.Level != level || a.Active != active {
		l.Errorf("the alert is %s %s, goes on %v; want %s %s, %v", a.State, a.Level, a.Active, state, level, active)
	}
}

// TestARiseFoundTooLateRingsOnceItGoesOn has a device that was away for days deliver
// its rise to red, and then the red reading of today.
func TestARiseFoundTooLateRingsOnceItGoesOn(t *testing.T) {
	l := newTimeline(t)
	l.rings(true, l.found(protocols.Raised, "ep-1", protocols.Yellow, 0, 0))
	l.acknowledge(time.Hour)
	l.rings(false, l.found(protocols.Risen, "ep-1", protocols.Red, 2*time.Hour, 72*time.Hour, tooLate))
	l.shows(alerts.Open, protocols.Red, true)
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Red, 72*time.Hour, 72*time.Hour))
	if a := l.latest(); a.AnswerBy.IsZero() {
		t.Error("nobody is waited for")
	}
	l.rings(false, l.found(protocols.Again, "ep-1", protocols.Red, 73*time.Hour, 73*time.Hour))
}

// TestWhatIsFoundTooLateToGoOnRingsOnceItDoes is the same of what was resolved as over.
func TestWhatIsFoundTooLateToGoOnRingsOnceItDoes(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Red, time.Hour, time.Hour)
	l.resolve(2 * time.Hour)
	l.rings(false, l.found(protocols.Resumed, "ep-1", protocols.Red, 2*time.Hour, 72*time.Hour, tooLate))
	l.shows(alerts.Open, protocols.Red, true)
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Red, 72*time.Hour, 72*time.Hour))
}

// TestWhatWasResolvedAsPastRings has it go on after all, or rise, in time.
func TestWhatWasResolvedAsPastRings(t *testing.T) {
	for _, kind := range []protocols.FindingKind{protocols.Again, protocols.Risen, protocols.Resumed} {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", protocols.Red, 0, 72*time.Hour, tooLate)
		l.resolve(73 * time.Hour)
		if kind == protocols.Resumed {
			l.found(protocols.Ended, "ep-1", protocols.Red, 74*time.Hour, 74*time.Hour)
		}
		l.rings(true, l.found(kind, "ep-1", protocols.Red, 75*time.Hour, 75*time.Hour))
		l.shows(alerts.Open, protocols.Red, true)
	}
}

// TestWhatOpensAgainIsShownToTheTeamInCharge holds that a patient who has changed teams
// meanwhile is not left on the list of the former.
func TestWhatOpensAgainIsShownToTheTeamInCharge(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Red, time.Hour, time.Hour)
	l.resolve(2 * time.Hour)
	l.directory.care.Team.ID = "team-b"
	l.rings(true, l.found(protocols.Resumed, "ep-1", protocols.Red, 2*time.Hour, 3*time.Hour))
	if team := l.latest().Team; team != "team-b" {
		t.Errorf("it is on the list of %s, team-b is in charge", team)
	}
	if told := l.memory.events[len(l.memory.events)-1]; told.Kind != alerts.EventHandedOver || told.Note != "team-a → team-b" {
		t.Errorf("the last event is %+v", told)
	}
}

// TestAClockAheadHidesNothing has the end of an episode come from a device whose clock
// is ahead: who resolved it had seen that end.
func TestAClockAheadHidesNothing(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Red, 5*time.Minute, time.Minute)
	l.resolve(2 * time.Minute)
	l.rings(true, l.found(protocols.Resumed, "ep-1", protocols.Red, 5*time.Minute, 3*time.Minute))
	l.shows(alerts.Open, protocols.Red, true)
}

// TestAnEndThatIsUndoneTwiceRingsTwice has the same latest reading undo both ends.
func TestAnEndThatIsUndoneTwiceRingsTwice(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0)
	for hour := time.Hour; hour < 5*time.Hour; hour += 2 * time.Hour {
		l.found(protocols.Ended, "ep-1", protocols.Red, hour, hour)
		l.resolve(hour + time.Minute)
		l.rings(true, l.found(protocols.Resumed, "ep-1", protocols.Red, time.Minute, hour+2*time.Minute))
	}
}

// TestWhatGoesOnHidesBehindNoMilderAlert has a red episode turn out to go on while an
// alert of a yellow one is open: it is not taken into that one, where nobody would be
// told of red again.
func TestWhatGoesOnHidesBehindNoMilderAlert(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Red, time.Hour, time.Hour)
	l.resolve(2 * time.Hour)
	l.found(protocols.Raised, "ep-2", protocols.Yellow, 3*time.Hour, 3*time.Hour)
	l.rings(true, l.found(protocols.Resumed, "ep-1", protocols.Yellow, 3*time.Hour, 4*time.Hour))
	if first := l.memory.alerts[0]; first.State != alerts.Open || first.Level != protocols.Red || !first.Active {
		t.Errorf("the red alert is %s %s, goes on %v", first.State, first.Level, first.Active)
	}
}

// TestWhatALateReadingCutsOffGoesOn has a late reading end the episode of an alert, and
// another one begin right after it, before what the alert took for the beginning.
func TestWhatALateReadingCutsOffGoesOn(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Orange, time.Hour, time.Hour)
	l.found(protocols.Raised, "ep-2", protocols.Orange, 8*time.Hour, 8*time.Hour)
	l.found(protocols.Ended, "ep-2", protocols.Orange, 3*time.Hour, 9*time.Hour)
	l.found(protocols.Raised, "ep-3", protocols.Orange, 4*time.Hour, 9*time.Hour)
	l.shows(alerts.Open, protocols.Orange, true)
}

// TestWhatIsOverIsNotShownAsGoingOn has a late reading show that a past episode, which
// was resolved, was graver. Were it shown as going on, who acknowledges it would not
// hear of the next one.
func TestWhatIsOverIsNotShownAsGoingOn(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
	l.found(protocols.Ended, "ep-1", protocols.Orange, time.Hour, time.Hour)
	l.resolve(2 * time.Hour)
	l.rings(true, l.found(protocols.Risen, "ep-1", protocols.Red, time.Minute, 3*time.Hour))
	l.shows(alerts.Open, protocols.Red, false)
	l.acknowledge(4 * time.Hour)
	l.rings(true, l.found(protocols.Raised, "ep-2", protocols.Red, 8*time.Hour, 8*time.Hour))
}

// TestAnotherVersionKnowsNothingOfAnEnd has it find an episode of the same name, which
// goes on by its thresholds.
func TestAnotherVersionKnowsNothingOfAnEnd(t *testing.T) {
	for _, kind := range []protocols.FindingKind{protocols.Again, protocols.Risen} {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
		l.found(protocols.Ended, "ep-1", protocols.Orange, time.Hour, time.Hour)
		l.resolve(2 * time.Hour)
		l.found(protocols.Raised, "ep-1", protocols.Yellow, 0, 3*time.Hour, version("2"))
		l.rings(true, l.found(kind, "ep-1", protocols.Orange, 3*time.Hour, 3*time.Hour, version("2")))
		l.shows(alerts.Open, protocols.Orange, true)
	}
}

// TestWhatGetsWorseGoesOnInTheAlertThatItJoins has a late reading from before the
// beginning of a resolved episode, which goes on, show that it was graver, while an
// alert of an earlier one is open.
func TestWhatGetsWorseGoesOnInTheAlertThatItJoins(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-2", protocols.Yellow, 6*time.Hour, 6*time.Hour)
	l.resolve(7 * time.Hour)
	l.found(protocols.Raised, "ep-1", protocols.Yellow, 2*time.Hour, 8*time.Hour)
	l.found(protocols.Ended, "ep-1", protocols.Yellow, 3*time.Hour, 8*time.Hour)
	l.rings(true, l.found(protocols.Risen, "ep-2", protocols.Red, time.Hour, 9*time.Hour))
	l.shows(alerts.Open, protocols.Red, true)
	l.found(protocols.Ended, "ep-2", protocols.Red, 10*time.Hour, 10*time.Hour)
	l.shows(alerts.Open, protocols.Red, false)
}

// A red episode of this morning is told too late to act, joins the orange one that
// goes on, and is resolved with it as past. A late reading then shows that what goes
// on is red itself.
func TestARiseOfWhatWasResolvedAsPastAndGoesOnRings(t *testing.T) {
	l := newTimeline(t)
	l.rings(true, l.found(protocols.Raised, "ep-2", protocols.Orange, 2*time.Hour, 2*time.Hour))
	l.rings(false, l.found(protocols.Raised, "ep-1", protocols.Red, time.Minute, 3*time.Hour, tooLate))
	l.resolve(3*time.Hour + time.Minute)
	l.shows(alerts.Resolved, protocols.Red, true)
	l.rings(true, l.found(protocols.Risen, "ep-2", protocols.Red, 2*time.Hour, 4*time.Hour))
	l.shows(alerts.Open, protocols.Red, true)
}

// A red that was resolved came back as a yellow. A late reading, or a strike, shows that it
// was red since, and maybe still is: the alert is red again and rings, though later readings
// are known.
func TestWhatCameBackLowerRisesWithALateReading(t *testing.T) {
	for name, found := range map[string]func(*timeline) int{
		"a late reading": func(l *timeline) int {
			return l.found(protocols.Again, "ep-1", protocols.Red, 8*hour, 10*hour, figure(75))
		},
		"it was over, and a late reading comes": func(l *timeline) int {
			l.found(protocols.Ended, "ep-1", protocols.Red, 9*hour, 9*hour)
			return l.found(protocols.Again, "ep-1", protocols.Red, 8*hour, 10*hour, figure(75))
		},
		"it had not ended": func(l *timeline) int {
			l.found(protocols.Ended, "ep-1", protocols.Red, 9*hour, 9*hour)
			return l.found(protocols.Resumed, "ep-1", protocols.Red, 8*hour, 10*hour, figure(75))
		},
		"resolved, it had not ended": func(l *timeline) int {
			l.found(protocols.Ended, "ep-1", protocols.Red, 9*hour, 9*hour)
			l.resolve(9*hour + hour/2)
			return l.found(protocols.Resumed, "ep-1", protocols.Red, 8*hour, 10*hour, figure(75))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(75))
			l.resolve(hour)
			l.found(protocols.Again, "ep-1", protocols.Yellow, 7*hour, 7*hour, figure(89))
			l.found(protocols.Again, "ep-1", protocols.Yellow, 8*hour+hour/2, 8*hour+hour/2, figure(89))
			l.alerts(2)
			l.shows(alerts.Open, protocols.Yellow, true)
			l.rings(true, found(l))
			if a := l.latest(); a.State != alerts.Open || a.Level != protocols.Red {
				t.Errorf("it is %s %s", a.State, a.Level)
			}
		})
	}
}

// What was found too late was resolved as past. Late readings that come in time to act show
// that it goes on: it rings, though a later reading was known.
func TestAPastThatGoesOnRingsBeforeItsLatestReading(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	l.found(protocols.Again, "ep-1", protocols.Orange, 2*hour, 2*hour, figure(86))
	l.found(protocols.Risen, "ep-1", protocols.Red, -5*hour, 2*hour, figure(70), tooLate)
	l.resolve(3 * hour)
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, hour, 3*hour+hour/2, figure(86)))
	l.shows(alerts.Open, protocols.Red, true)
}
