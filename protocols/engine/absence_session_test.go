package engine

import (
	"testing"
	"time"

	"vigie/protocols"
)

// inSessions expects a number of weights in each dialysis session, up to four
// hours before or after it: orange from the first session that lacks some, red
// from the third.
func inSessions(times int) protocols.Rule {
	return protocols.Rule{ID: "séances", Title: protocols.Text{FR: "Séances sans poids"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("weight"),
		Cadence: protocols.Cadence{Times: times, Per: protocols.PerSession, Of: protocols.MeasureByID("dialysis-session"), Grace: 4 * time.Hour},
		Missing: []protocols.MissingLevel{{Level: protocols.Orange, Periods: literal(1)}, {Level: protocols.Red, Periods: literal(3)}},
	}}
}

// pressureInSessions expects the pressure at the start among the numbers of each
// session.
func pressureInSessions() protocols.Rule {
	r := inSessions(1)
	r.Absence.Measure = r.Absence.Cadence.Of
	r.Absence.Components = []int{r.Absence.Measure.Component("systolic-start")}
	return r
}

func TestSessionWithoutWhatIsExpectedIsRaisedWhenItsGraceIsOver(t *testing.T) {
	l := timelineOf(t, enrolled(), inSessions(1))
	l.add("weight", "02/03 10:00", 72)
	l.add("dialysis-session", "02/03 14:00", 70)
	l.add("dialysis-session", "04/03 14:00", 70)
	if due := l.state.Due(); !due.Equal(l.time("04/03 18:00")) {
		t.Errorf("due at %s", due)
	}
	l.advance("04/03 17:59")
	expectTold(t, l.found)
	l.add("dialysis-session", "06/03 14:00", 70)
	l.add("dialysis-session", "09/03 14:00", 70)
	l.advance("30/03 00:00") // without a session there is nothing to miss, and nothing ends
	expectTold(t, l.found, "séances raised orange 04/03 18:00", "séances risen red 09/03 18:00")
	got := l.found[1].Explanation.Comparisons[0]
	if got.Sentence.FR != "poids : 3 séances de suite sans la mesure attendue, à signaler dès 3" || got.Sentence.EN != "body weight: 3 sessions in a row without the expected reading, to be told from 3" {
		t.Error(got.Sentence)
	}
	if got.Count != 0 || !got.From.Equal(l.time("09/03 10:00")) || !got.To.Equal(l.time("09/03 18:00")) {
		t.Errorf("%+v", got)
	}
}

func TestOnlyACompleteSessionEndsIt(t *testing.T) {
	l := timelineOf(t, enrolled(), inSessions(2))
	l.add("dialysis-session", "02/03 14:00", 70)
	l.add("weight", "02/03 14:10", 72)
	l.advance("03/03 00:00")
	l.add("weight", "03/03 08:00", 72) // away from any session
	l.add("weight", "04/03 10:00", 72)
	l.add("dialysis-session", "04/03 14:00", 70)
	expectTold(t, l.found, "séances raised orange 02/03 18:00")
	l.add("weight", "04/03 18:00", 72) // on the last moment
	l.advance("05/03 00:00")
	expectTold(t, l.found, "séances raised orange 02/03 18:00", "séances ended orange 04/03 18:00")
}

func TestComponentsAreExpectedInTheSessionItself(t *testing.T) {
	l := timelineOf(t, enrolled(), pressureInSessions())
	l.add("dialysis-session", "02/03 14:00", 70)
	l.advance("03/03 00:00")
	whole := reading("dialysis-session", l.time("04/03 14:00"), 70)
	whole.Values[3] = v(130)
	l.put(whole)
	l.advance("06/03 00:00")
	expectTold(t, l.found, "séances raised orange 02/03 18:00", "séances ended orange 04/03 14:00")
	if got := l.found[0].Explanation.Comparisons[0]; got.Component != "systolic-start" || got.Unit != "1" || got.Value != v(1) ||
		got.Sentence.FR != "séance de dialyse, systolique au début : 1 séance sans la mesure attendue, à signaler dès 1" {
		t.Errorf("%+v", got)
	}
}

func TestSessionDuringAPauseDoesNotCount(t *testing.T) {
	e := enrolled()
	e.Pauses = []protocols.Pause{{From: at("2026-03-03T12:00:00+01:00"), Until: at("2026-03-05T14:00:00+01:00"), Author: "Dr X", Reason: "hôpital"}}
	rule := inSessions(1)
	rule.Absence.Missing = []protocols.MissingLevel{{Level: protocols.Orange, Periods: literal(2)}}
	l := timelineOf(t, e, rule)
	l.add("dialysis-session", "02/03 14:00", 70)
	l.add("dialysis-session", "04/03 14:00", 70) // in hospital: the row begins anew
	l.add("dialysis-session", "05/03 14:00", 70)
	l.advance("06/03 00:00")
	expectTold(t, l.found)
	l.add("dialysis-session", "06/03 14:00", 70)
	l.advance("07/03 00:00")
	expectTold(t, l.found, "séances raised orange 06/03 18:00")
}

func TestSessionsOutsideTheEnrolmentAreNotJudged(t *testing.T) {
	e := followedFrom("2026-03-02T00:00:00+01:00")
	e.Until = at("2026-03-04T18:00:00+01:00")
	l := timelineOf(t, e, inSessions(1))
	l.add("dialysis-session", "01/03 23:00", 70)
	l.add("dialysis-session", "04/03 14:01", 70)
	l.advance("20/03 00:00")
	expectTold(t, l.found)
	if !l.state.Due().IsZero() {
		t.Errorf("due at %s", l.state.Due())
	}
}

// A session is finer than a day: what is only known to the day says nothing of it.
func TestDateOnlyReadingsAreNoSessionsAndBelongToNone(t *testing.T) {
	l := timelineOf(t, enrolled(), inSessions(1))
	dated := reading("dialysis-session", l.time("02/03 12:00"), 70)
	dated.DayOnly = true
	l.put(dated)
	l.advance("03/03 00:00")
	expectTold(t, l.found)
	weight := reading("weight", l.time("03/03 12:00"), 72)
	weight.DayOnly = true
	l.put(weight)
	l.add("dialysis-session", "03/03 14:00", 70)
	l.advance("04/03 00:00")
	expectTold(t, l.found, "séances raised orange 03/03 18:00")
}

func TestLateReadingCompletesItsSessionAndUnsaysNothing(t *testing.T) {
	l := timelineOf(t, enrolled(), inSessions(1))
	session := l.add("dialysis-session", "02/03 14:00", 70)
	l.advance("02/03 20:00")
	late := reading("weight", l.time("02/03 13:00"), 72)
	if l.state.InOrder(late) {
		t.Fatal("a reading from before a deadline that has run out is not late")
	}
	l.found = l.state.Recompute([]*protocols.Reading{late}, []*protocols.Reading{late, session}, l.time("03/03 08:00"), l.found)
	expectTold(t, l.found, "séances raised orange 02/03 18:00", "séances ended orange 02/03 18:00")
}

func TestLateSessionIsMissedAsItWouldHaveBeen(t *testing.T) {
	l := timelineOf(t, enrolled(), inSessions(1))
	weight := l.add("weight", "03/03 08:00", 72)
	late := reading("dialysis-session", l.time("02/03 14:00"), 70)
	l.found = l.state.Recompute([]*protocols.Reading{late}, []*protocols.Reading{late, weight}, l.time("03/03 09:00"), l.found)
	expectTold(t, l.found, "séances raised orange 02/03 18:00")
}

func TestSessionsAllocateNothing(t *testing.T) {
	s := stateOf(t, protocolOf(inSessions(2), named("pression", pressureInSessions())), enrolled())
	session := reading("dialysis-session", at("2026-03-01T00:00:00+01:00"), 70)
	session.Values[3] = v(130)
	weight := reading("weight", session.Time, 72)
	add := func() {
		weight.Time = session.Time.Add(24 * time.Hour)
		s.Add(weight, weight.Time, nil)
		session.Time = weight.Time.Add(time.Hour)
		s.Add(session, session.Time, nil)
		weight.Time = session.Time.Add(time.Hour)
		s.Add(weight, weight.Time, nil)
	}
	for range 10 {
		add()
	}
	if allocations := testing.AllocsPerRun(200, add); allocations > 0 {
		t.Errorf("%v allocations a session", allocations)
	}
}

func named(id string, r protocols.Rule) protocols.Rule {
	r.ID = id
	return r
}
