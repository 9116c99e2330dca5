package alerts_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

const (
	hour = time.Hour
	days = 24 * time.Hour
)

// figure has a finding carry a figure, of a rule that gets worse as it falls.
func figure(value int64) func(*protocols.Finding) {
	return func(f *protocols.Finding) {
		f.Figure, f.Signs = protocols.Value(value*1000), 1
		if f.Explanation != nil {
			f.Explanation.Comparisons = []protocols.Compared{{
				Measure: "oxygen-saturation", Component: "value", Statistic: protocols.Last, Operator: protocols.Below,
				Value: f.Figure, Threshold: 88000, Clear: 90000, Truth: protocols.True, Unit: "%",
			}}
		}
	}
}

// silence makes spo2-low a rule about missing readings.
func (l *timeline) silence() {
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Silence: true, Changes: day, Lapse: 7 * days}}
}

const day = 24 * time.Hour

func (l *timeline) pass(at time.Duration) int {
	l.Helper()
	before := len(l.memory.messages)
	if _, err := (&alerts.Escalator{Store: l.memory}).Escalate(ctx, storetest.Morning.Add(at)); err != nil {
		l.Fatal(err)
	}
	return len(l.memory.messages) - before
}

func (l *timeline) alerts(want int) {
	l.Helper()
	if got := len(l.memory.alerts); got != want {
		l.Fatalf("there are %d alerts, want %d", got, want)
	}
}

func (l *timeline) kinds() (kinds []alerts.EventKind) {
	for _, e := range l.memory.events {
		if e.Alert == l.latest().ID {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// A red was resolved and came back as a yellow, for the figure was better. Whoever has it
// now, or has resolved that too, is called when it is orange again: to the protocol it
// is one episode, which was graver once.
func TestWhatCameBackLowerRisesAgain(t *testing.T) {
	for name, act := range map[string]func(*timeline, time.Duration){
		"nobody has answered":      func(*timeline, time.Duration) {},
		"a person has taken it on": func(l *timeline, at time.Duration) { l.acknowledge(at) },
		"a person has resolved it": func(l *timeline, at time.Duration) { l.resolve(at) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(70))
			l.resolve(hour)
			l.found(protocols.Again, "ep-1", protocols.Yellow, 2*days, 2*days, figure(89))
			l.shows(alerts.Open, protocols.Yellow, true)
			act(l, 2*days+hour)
			l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, 2*days+2*hour, 2*days+2*hour, figure(88)))
			l.shows(alerts.Open, protocols.Orange, true)
		})
	}
}

// An alert of SpO2 86 is resolved, "treatment changed". What follows comes back as a
// new alert that names it: at once when it is graver, else once its rest time is over.
func TestWhatWasResolvedComesBackWhileItHolds(t *testing.T) {
	for name, c := range map[string]struct {
		value int64
		after time.Duration
		back  bool
	}{
		"no graver, within the rest time": {85, 20 * hour, false},
		"graver by the hysteresis":        {84, 2 * hour, true},
		"after the rest time":             {86, 26 * hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.rings(true, l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, figure(86)))
			first := l.latest().ID
			l.resolve(hour)
			l.rings(c.back, l.found(protocols.Again, "ep-1", protocols.Orange, c.after, c.after, figure(c.value)))
			if !c.back {
				l.alerts(1)
				return
			}
			l.alerts(2)
			l.shows(alerts.Open, protocols.Orange, true)
			back := l.latest()
			if back.Follows != first || back.ID == first || back.AnswerBy.IsZero() || back.Explanation == nil || back.Title.FR == "" {
				t.Errorf("what comes back: %+v", back)
			}
			l.rings(false, l.found(protocols.Again, "ep-1", protocols.Orange, c.after+hour, c.after+hour, figure(c.value)))
			l.found(protocols.Ended, "ep-1", protocols.Orange, c.after+2*hour, c.after+2*hour)
			l.shows(alerts.Open, protocols.Orange, false)
		})
	}
}

// A red comes back although nobody measures; an orange waits for a reading.
func TestARedComesBackWithoutAReading(t *testing.T) {
	for level, back := range map[protocols.Level]bool{protocols.Red: true, protocols.Orange: false} {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", level, 0, 0)
		l.resolve(hour)
		l.rings(false, l.pass(4*hour+59*time.Minute))
		l.rings(back, l.pass(5*hour))
		if !back {
			l.alerts(1)
			continue
		}
		l.alerts(2)
		l.shows(alerts.Open, level, true)
		if a := l.latest(); !a.LastAt.Equal(storetest.Morning) || a.Follows != l.memory.alerts[0].ID {
			t.Errorf("it was last measured at %v and follows %q", a.LastAt, a.Follows)
		}
		l.rings(false, l.found(protocols.Again, "ep-1", level, 6*hour, 6*hour))
		l.alerts(2)
	}
}

// At night a red that was resolved rests until the team has been there for four hours.
func TestARedRestsInOpeningHours(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 8*hour, 8*hour)
	l.resolve(8 * hour) // 17:00 in Paris, an hour before the team leaves
	l.rings(false, l.pass(26*hour))
	l.rings(true, l.pass(27*hour))
}

// Evidence that is older than the rule can look back on carries no episode: the next
// reading for which the condition holds begins another, whatever became of the former.
func TestAnEpisodeLapses(t *testing.T) {
	for state, act := range map[string]func(*timeline){
		"resolved":     func(l *timeline) { l.resolve(hour) },
		"acknowledged": func(l *timeline) { l.acknowledge(hour) },
	} {
		t.Run(state, func(t *testing.T) {
			l := newTimeline(t)
			l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, figure(86))
			act(l)
			first := l.latest()
			l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, 20*days, 20*days, figure(86)))
			l.alerts(2)
			if now := l.latest(); now.Follows != first.ID || !now.Active {
				t.Errorf("the new alert is %+v", now)
			}
			if !first.Active || !first.EndedAt.IsZero() || !first.LastAt.Equal(storetest.Morning) {
				t.Errorf("the former counts as over: %+v", first)
			}
		})
	}
	t.Run("open", func(t *testing.T) {
		l := newTimeline(t)
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, figure(86))
		l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, 20*days, 20*days, figure(86)))
		l.alerts(1)
	})
	t.Run("three expected intervals", func(t *testing.T) {
		l := newTimeline(t)
		l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Lapse: 21 * days, Changes: 7 * days}}
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
		l.acknowledge(hour)
		l.rings(false, l.found(protocols.Again, "ep-1", protocols.Orange, 20*days, 20*days))
		l.alerts(1)
	})
}

// Silence cannot be silenced: it comes back at each further step, then every week,
// until a reading, a pause or the end.
func TestASilenceThatWasResolvedComesBack(t *testing.T) {
	l := newTimeline(t)
	l.silence()
	l.found(protocols.Raised, "ep-1", protocols.Yellow, 0, 0)
	l.resolve(hour)
	l.rings(true, l.found(protocols.Risen, "ep-1", protocols.Orange, 2*days, 2*days))
	l.alerts(2)
	l.resolve(2*days + hour)
	l.pass(9 * days)
	l.alerts(2)
	l.rings(true, l.pass(9*days+hour))
	l.alerts(3)
	l.resolve(9*days + 2*hour)
	l.rings(true, l.pass(17*days))
	l.alerts(4)
	l.resolve(17*days + hour)
	l.found(protocols.Ended, "ep-1", protocols.Orange, 18*days, 18*days)
	l.pass(60 * days)
	l.alerts(4)
}

func TestASilenceRestsWhileThePatientIsAway(t *testing.T) {
	l := newTimeline(t)
	l.silence()
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
	l.resolve(hour)
	l.directory.care.Pauses = []protocols.Pause{{From: storetest.Morning.Add(5 * days), Until: storetest.Morning.Add(20 * days), Author: "Dr Payet", Reason: "hôpital"}}
	l.rings(false, l.pass(8*days))
	l.alerts(1)
	l.rings(true, l.pass(20*days))
	l.alerts(2)
	l.directory.care.Until = storetest.Morning.Add(30 * days)
	l.resolve(20*days + hour)
	l.rings(false, l.pass(40*days))
	l.alerts(2)
}

// A pause that is entered over an open silence quiets it and says who decided that. The
// alert stays, and is due again once the pause has ended.
func TestAPauseQuietsAnOpenSilence(t *testing.T) {
	l := newTimeline(t)
	l.silence()
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
	l.directory.care.Pauses = []protocols.Pause{{From: storetest.Morning.Add(hour), Until: storetest.Morning.Add(10 * days), Author: "Dr Payet", Reason: "hôpital"}}
	if _, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(2*hour)); err != nil {
		t.Fatal(err)
	}
	said := l.memory.events[len(l.memory.events)-1]
	if said.Kind != alerts.EventPaused || said.Author != "Dr Payet" || said.Note != "2026-12-03T08:00:00Z hôpital" {
		t.Errorf("the event is %+v", said)
	}
	l.rings(false, l.pass(9*days))
	l.shows(alerts.Open, protocols.Orange, true)
	l.pass(10 * days)
	if a := l.latest(); a.AnswerBy.IsZero() || !a.AnswerBy.After(storetest.Morning.Add(10*days)) {
		t.Errorf("the answer is due by %v", a.AnswerBy)
	}
	l.rings(true, l.pass(12*days))
	l.directory.care.Pauses = nil
}

// A patient who was enrolled days ago and never sends: the silence is there before
// Vigie can look. It stands on the list with a deadline at once, the team is told once
// for all such patients, and it rings by itself.
func TestASilenceFoundLateIsAnsweredInTime(t *testing.T) {
	l := newTimeline(t)
	l.silence()
	found := 5*days + 2*hour // a Saturday
	l.rings(false, l.found(protocols.Raised, "ep-1", protocols.Yellow, 0, found, tooLate))
	a := l.latest()
	if a.TooLate || !a.Overdue || a.AnswerBy.IsZero() {
		t.Errorf("it is shown as past %v, overdue %v, due by %v", a.TooLate, a.Overdue, a.AnswerBy)
	}
	if m := l.memory.messages; len(m) != 1 || m[0].Event != alerts.EventDigest || !m[0].NotUntil.Equal(storetest.Morning.Add(7*days)) {
		t.Errorf("the team is told %+v; want one message at the opening on Monday", m)
	}
	l.rings(true, l.pass(10*days))
}

// The device of a patient comes back after six days and tells all of them, the last
// reading a day old: he is in danger, and nothing later says otherwise. Nobody is woken for
// yesterday, but somebody is waited for. Of what was over within the six days nobody is.
func TestNewsOfThePastThatStillHoldsIsAnsweredInTime(t *testing.T) {
	l := newTimeline(t)
	found := 28 * hour
	l.rings(false, l.found(protocols.Raised, "ep-1", protocols.Orange, 0, found, tooLate))
	a := l.latest()
	if !a.TooLate || a.AnswerBy.IsZero() || a.AnswerBy.Before(storetest.Morning.Add(found)) {
		t.Errorf("it is shown as past %v and due by %v: somebody is to look at it", a.TooLate, a.AnswerBy)
	}
	l.rings(true, l.pass(4*days))

	over := newTimeline(t)
	over.rings(false, over.found(protocols.Raised, "ep-1", protocols.Orange, 0, found, tooLate))
	over.rings(false, over.found(protocols.Ended, "ep-1", protocols.Orange, hour, found, tooLate))
	if a := over.latest(); !a.AnswerBy.IsZero() || !a.ToReread() {
		t.Errorf("it is over, and yet due by %v", a.AnswerBy)
	}
	over.rings(false, over.pass(4*days))

	// Once somebody has been called, an end does not put it aside: he is still to answer.
	called := newTimeline(t)
	called.found(protocols.Raised, "ep-1", protocols.Orange, 0, found, tooLate)
	called.rings(true, called.pass(4*days))
	called.found(protocols.Ended, "ep-1", protocols.Orange, hour, 4*days+hour, tooLate)
	if a := called.latest(); a.ToReread() {
		t.Errorf("it was called out, nobody has answered, and it stands aside: %+v", a)
	}
}

// The second red of an unanswered alert rings, unless it comes within hours; so does an
// unanswered orange of the day before. A milder one does not.
func TestAnUnansweredAlertDoesNotSwallowTheNextEpisode(t *testing.T) {
	for name, c := range map[string]struct {
		level, next protocols.Level
		after       time.Duration
		rings       bool
	}{
		"red after four days":    {protocols.Red, protocols.Red, 4 * days, true},
		"red after three hours":  {protocols.Red, protocols.Red, 3 * hour, false},
		"red in the same night":  {protocols.Red, protocols.Red, 15 * hour, true},
		"orange after a day":     {protocols.Orange, protocols.Orange, 25 * hour, true},
		"orange after hours":     {protocols.Orange, protocols.Orange, 8 * hour, false},
		"red after an orange":    {protocols.Orange, protocols.Red, 2 * hour, true},
		"an orange after a red":  {protocols.Red, protocols.Orange, 4 * days, false},
		"yellow within the week": {protocols.Yellow, protocols.Yellow, 6 * days, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.found(protocols.Raised, "ep-1", c.level, 0, 0)
			l.found(protocols.Ended, "ep-1", c.level, hour, hour)
			l.rings(c.rings, l.found(protocols.Raised, "ep-2", c.next, c.after, c.after))
			l.alerts(1)
			if a := l.latest(); (a.Flips == 0) != c.rings || a.Occurrences != 2 {
				t.Errorf("flips %d, occurrences %d", a.Flips, a.Occurrences)
			}
		})
	}
}

// Two sensors that disagree flip a condition all day long: who has taken it on hears
// once a day.
func TestFlipsAreCounted(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-0", protocols.Orange, 0, 0)
	l.acknowledge(time.Minute)
	const flips = 40
	for i := range flips {
		at := hour + time.Duration(i)*hour/2
		l.found(protocols.Ended, fmt.Sprint("ep-", i), protocols.Orange, at, at)
		l.rings(false, l.found(protocols.Raised, fmt.Sprint("ep-", i+1), protocols.Orange, at+time.Minute, at+time.Minute))
	}
	l.alerts(1)
	if got := l.latest().Flips; got != flips {
		t.Errorf("%d flips, want %d", got, flips)
	}
	l.found(protocols.Ended, fmt.Sprint("ep-", flips), protocols.Orange, day, day)
	l.rings(true, l.found(protocols.Raised, "ep-next", protocols.Orange, day+hour, day+hour))
	l.alerts(2)
}

// Acknowledged at 53, now 30: what got worse is said, and whoever took it on looks again.
func TestWhatGotWorseSinceItWasTakenOnIsSaid(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(53))
	l.acknowledge(hour)
	l.rings(false, l.found(protocols.Again, "ep-1", protocols.Red, 2*hour, 2*hour, figure(52)))
	l.shows(alerts.Acknowledged, protocols.Red, true)
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Red, 3*hour, 3*hour, figure(30)))
	l.shows(alerts.Open, protocols.Red, true)
	if a := l.latest(); a.Worse == nil || *a.Worse != 30000 || a.Figure != 30000 {
		t.Errorf("worse %v, figure %v", a.Worse, a.Figure)
	}
	said := l.memory.events[len(l.memory.events)-1]
	if said.Kind != alerts.EventWorse || said.Note != "53 → 30" {
		t.Errorf("the event is %+v", said)
	}
	l.rings(false, l.found(protocols.Again, "ep-1", protocols.Red, 4*hour, 4*hour, figure(29)))
	if !slices.Contains(l.kinds(), alerts.EventAcknowledged) {
		t.Error("who had taken it on is forgotten")
	}
}

// Of a combination, one more sign is graver.
func TestOneMoreSignIsGraver(t *testing.T) {
	signs := func(n int) func(*protocols.Finding) {
		return func(f *protocols.Finding) { f.Signs, f.Figure = n, 3000 }
	}
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, signs(2))
	l.resolve(hour)
	l.rings(false, l.found(protocols.Again, "ep-1", protocols.Orange, 2*hour, 2*hour, signs(2)))
	l.rings(true, l.found(protocols.Again, "ep-1", protocols.Orange, 3*hour, 3*hour, signs(3)))
	l.alerts(2)
}

// A backfill moves the beginning: lows since 09:40 do not say 12:00.
func TestABackfillMovesTheBeginning(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Orange, 4*hour, 4*hour)
	l.found(protocols.Again, "ep-1", protocols.Orange, 2*hour, 5*hour)
	if a := l.latest(); !a.At.Equal(storetest.Morning.Add(2*hour)) || !a.EpisodeAt.Equal(a.At) || !a.LastAt.Equal(storetest.Morning.Add(4*hour)) {
		t.Errorf("it lasts from %v (%v) to %v", a.At, a.EpisodeAt, a.LastAt)
	}
}

// A late reading may cut an episode in two. The end of the part that is past does not say
// that the alert is over, wherever a backfill has moved the beginning.
func TestTheEndOfAPartThatIsPastEndsNothing(t *testing.T) {
	l := newTimeline(t)
	part := func(start time.Duration) string {
		return "spo2-low@" + storetest.Morning.Add(start).Format(time.RFC3339Nano)
	}
	l.found(protocols.Raised, part(hour), protocols.Orange, hour, hour)
	l.found(protocols.Again, part(hour), protocols.Orange, 0, 2*hour) // late: it began sooner
	l.found(protocols.Raised, part(0), protocols.Orange, 0, 3*hour)   // later still: it was over in between
	l.found(protocols.Ended, part(0), protocols.Orange, 30*time.Minute, 3*hour)
	l.alerts(1)
	l.shows(alerts.Open, protocols.Orange, true)
	l.found(protocols.Ended, part(hour), protocols.Orange, 4*hour, 4*hour)
	l.shows(alerts.Open, protocols.Orange, false)
}

// Shocks of an implant that come 49 h late ring: at once, or at the opening when they
// are older than a day; what is older than a week is only shown.
func TestEventsRingWheneverTheyCome(t *testing.T) {
	for name, c := range map[string]struct {
		at, found time.Duration
		notUntil  time.Duration
		rings     bool
	}{
		"within a day, at night":       {0, 15 * hour, 0, true},
		"49 h late, on a Saturday":     {4*days - hour, 6 * days, 7 * days, true},
		"eight days late":              {0, 8 * days, 0, false},
		"49 h late, in opening hours":  {0, 49 * hour, 0, true},
		"within a day, on a Saturday":  {5 * days, 5*days + hour, 0, true},
		"25 h late, in the same night": {0, 34 * hour, 48 * hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Event: true, Lapse: 7 * days}}
			l.rings(c.rings, l.found(protocols.Raised, "ep-1", protocols.Red, c.at, c.found, tooLate))
			if !c.rings {
				if m := l.memory.messages; len(m) != 1 || m[0].Event != alerts.EventDigest {
					t.Errorf("what is only shown is told once, at the opening: %+v", m)
				}
				return
			}
			want := time.Time{}
			if c.notUntil > 0 {
				want = storetest.Morning.Add(c.notUntil)
			}
			if m := l.memory.messages[0]; !m.NotUntil.Equal(want) {
				t.Errorf("the message waits until %v, want %v", m.NotUntil, want)
			}
		})
	}
}
