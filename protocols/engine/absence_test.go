package engine

import (
	"testing"
	"time"

	"vigie/protocols"
)

func TestSilenceIsRaisedAtItsDeadlineAndRises(t *testing.T) {
	l := timelineOf(t, followedFrom("2026-03-01T15:00:00+01:00"), silence())
	if due := l.state.Due(); !due.Equal(l.time("02/03 12:00")) {
		t.Errorf("due at %s, the first whole day is 2 March", due)
	}
	l.add("weight", "02/03 09:00", 80)
	l.advance("03/03 11:59")
	expectTold(t, l.found)
	l.advance("06/03 08:00")
	l.add("weight", "06/03 09:00", 80)
	l.advance("06/03 20:00")
	expectTold(t, l.found,
		"silence raised orange 03/03 12:00",
		"silence risen red 05/03 12:00",
		"silence ended red 06/03 09:00")
	if got := l.found[0].Explanation.Comparisons[0].Sentence.FR; got != "poids : 1 jour sans la mesure attendue, à signaler dès 1" {
		t.Error(got)
	}
	if got := l.found[1].Explanation.Comparisons[0]; got.Value != v(3) || !got.From.Equal(l.time("03/03 00:00")) || !got.To.Equal(l.time("06/03 00:00")) {
		t.Errorf("%+v", got)
	}
}

func TestReadingAfterTheDeadlineIsTooLateForItsDayButEndsTheSilence(t *testing.T) {
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), silence())
	l.add("weight", "02/03 12:00", 80) // the deadline itself
	l.add("weight", "03/03 12:01", 80)
	expectTold(t, l.found, "silence raised orange 03/03 12:00", "silence ended orange 03/03 12:01")
}

func TestPausedDaysDoNotCount(t *testing.T) {
	e := followedFrom("2026-03-02T00:00:00+01:00")
	e.Pauses = []protocols.Pause{{From: at("2026-03-04T18:00:00+01:00"), Until: at("2026-03-06T08:00:00+01:00"), Author: "Dr X", Reason: "hôpital"}}
	l := timelineOf(t, e, silence())
	l.add("weight", "02/03 09:00", 80)
	l.add("weight", "03/03 09:00", 80)
	l.advance("07/03 11:00")
	expectTold(t, l.found) // 4, 5 and 6 March are touched by the pause
	l.advance("09/03 13:00")
	expectTold(t, l.found, "silence raised orange 07/03 12:00", "silence risen red 09/03 12:00")
}

func TestNothingIsMissedAfterTheEndOfTheEnrolment(t *testing.T) {
	e := followedFrom("2026-03-02T00:00:00+01:00")
	e.Until = at("2026-03-03T11:00:00+01:00")
	l := timelineOf(t, e, silence())
	l.add("weight", "02/03 09:00", 80)
	l.advance("20/03 00:00")
	expectTold(t, l.found)
	if !l.state.Due().IsZero() {
		t.Errorf("due at %s", l.state.Due())
	}
}

func TestWeeksBeginOnMonday(t *testing.T) {
	weekly := silence()
	weekly.Absence.Cadence = protocols.Cadence{Times: 2, Per: protocols.PerWeek}
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), weekly) // a Monday
	l.add("weight", "02/03 00:00", 80)
	l.add("weight", "08/03 23:59", 80)
	l.add("weight", "09/03 00:00", 80) // one in the second week is not enough
	l.advance("16/03 00:00")
	expectTold(t, l.found, "silence raised orange 16/03 00:00")
	if got := l.found[0].Explanation.Comparisons[0]; got.Unit != "wk" || got.Count != 1 {
		t.Errorf("%+v", got)
	}
}

// Two readings a week are asked for, and one comes: the silence goes on, and gets
// graver, until a week has its two.
func TestOnlyACompleteWeekEndsTheSilence(t *testing.T) {
	weekly := silence()
	weekly.Absence.Cadence = protocols.Cadence{Times: 2, Per: protocols.PerWeek}
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), weekly) // a Monday
	for _, day := range []string{"04/03", "11/03", "18/03", "25/03"} {
		l.add("weight", day+" 08:00", 80)
	}
	expectTold(t, l.found, "silence raised orange 09/03 00:00", "silence risen red 23/03 00:00")
	l.add("weight", "29/03 23:59", 80)
	l.advance("06/04 00:00")
	expectTold(t, l.found, "silence raised orange 09/03 00:00", "silence risen red 23/03 00:00", "silence ended red 29/03 23:59", "silence raised orange 06/04 00:00")
}

// Two a day before 10:00 with two hours of grace: the second one after noon is too
// late for its day, and completes it all the same.
func TestDayCompletedAfterItsDeadlineEndsTheSilence(t *testing.T) {
	twice := silence()
	twice.Absence.Cadence.Times = 2
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), twice)
	l.add("weight", "02/03 09:00", 80)
	l.advance("02/03 12:00")
	l.add("weight", "02/03 20:00", 80)
	expectTold(t, l.found, "silence raised orange 02/03 12:00", "silence ended orange 02/03 20:00")
}

func TestDeadlinesFollowTheClockOnTheDayItChanges(t *testing.T) {
	l := timelineOf(t, followedFrom("2026-03-29T00:00:00+01:00"), silence())
	if due := l.state.Due(); !due.Equal(at("2026-03-29T12:00:00+02:00")) {
		t.Errorf("due at %s", due)
	}
}

func TestSilenceBrokenByLateReadingsIsOverNotUnsaid(t *testing.T) {
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), silence())
	l.advance("02/03 12:00")
	late := reading("weight", l.time("02/03 08:00"), 80)
	if l.state.InOrder(late) {
		t.Fatal("a reading from before a deadline that has run out is not late")
	}
	l.found = l.state.Recompute([]*protocols.Reading{late}, []*protocols.Reading{late}, l.time("02/03 13:00"), l.found)
	expectTold(t, l.found, "silence raised orange 02/03 12:00", "silence ended orange 02/03 12:00")
	l.advance("03/03 12:00")
	if len(l.found) != 3 || l.found[2].Kind != protocols.Raised {
		t.Errorf("the next day is missing again: %s", told(l.found, paris))
	}
}

func TestAfterAnOutageOnlyMissingReadingsWait(t *testing.T) {
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), silence())
	l.add("weight", "02/03 09:00", 80)
	heard := l.time("03/03 12:10") // the service was away for an hour until 12:00, and comes back at the deadline
	look := func(clock string, away time.Duration) string {
		t.Helper()
		var again time.Time
		l.found, again = l.state.Listen(l.time(clock), protocols.OnItsWay{Heard: heard, Away: away}, l.found)
		if again.IsZero() {
			return ""
		}
		return again.In(l.time(clock).Location()).Format("02/01 15:04")
	}
	if again := look("03/03 12:00", time.Hour); again != l.time("03/03 13:10").Format("02/01 15:04") {
		t.Errorf("it asks again at %q: an interval is a day, the service was away for an hour", again)
	}
	expectTold(t, l.found)
	look("03/03 13:10", time.Hour)
	expectTold(t, l.found, "silence raised orange 03/03 12:00")
}

// Amid an import of weights a silence behind them is not judged, but for an hour; that of
// another measure is, and so is one before the last reading of the import.
func TestAmidAnImportOnlyWhatItTellsOfWaits(t *testing.T) {
	pulse := silence()
	other := *pulse.Absence
	other.Measure = protocols.MeasureByID("heart-rate")
	pulse.ID, pulse.Absence = "pulse", &other
	l := timelineOf(t, followedFrom("2026-03-02T00:00:00+01:00"), silence(), pulse)
	last := l.add("weight", "03/03 09:00", 80)
	coming := protocols.OnItsWay{Parts: []*protocols.Measure{last.Measure}, Last: last.Time, Until: l.time("04/03 12:30")}
	var again time.Time
	l.found, again = l.state.Listen(l.time("04/03 12:10"), coming, l.found)
	expectTold(t, l.found, "silence raised orange 02/03 12:00", "silence ended orange 03/03 09:00", "pulse raised orange 02/03 12:00", "pulse risen red 04/03 12:00")
	if !again.Equal(coming.Until) {
		t.Errorf("it asks again at %s", again)
	}
	l.found, again = l.state.Listen(coming.Until, coming, nil)
	expectTold(t, l.found, "silence raised orange 04/03 12:00")
	if !again.IsZero() {
		t.Errorf("it waits until %s, and nothing comes", again)
	}
}
