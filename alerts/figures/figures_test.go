package figures_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/protocols"
)

var (
	monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	month  = alerts.Filter{From: monday, To: monday.AddDate(0, 0, 10)}
)

func day(n float64) time.Time { return monday.Add(time.Duration(n * 24 * float64(time.Hour))) }

func silence(c *figures.Course) bool { return c.Rule == "no-weight" }

func count(t *testing.T, f alerts.Filter, courses ...figures.Course) figures.Figures {
	t.Helper()
	c := figures.New(f, silence)
	c.Follow([]figures.Stay{{Team: "team-a", Protocol: "icc", From: day(-30)}})
	c.Follow([]figures.Stay{{Team: "team-a", Protocol: "icc", From: day(5), Until: day(400)}, {Team: "team-b", Protocol: "bpco", From: day(0), Until: day(8)}})
	for i := range courses {
		if err := c.Add(&courses[i]); err != nil {
			t.Fatal(err)
		}
	}
	return c.Figures(nil)
}

func did(kind alerts.EventKind, author string, at time.Time, note string) alerts.Event {
	return alerts.Event{Kind: kind, Author: author, At: at, Note: note}
}

// What an alert counts for, in each way it may go.
func TestWhatAnAlertCountsFor(t *testing.T) {
	raised, answered := day(1), day(1.5)
	for _, c := range []struct {
		name                                    string
		course                                  figures.Course
		waited, inTime, answered, closed, false int
		wait                                    time.Duration
	}{
		{"nobody has answered, and the delay runs", figures.Course{AnswerBy: day(11)}, 0, 0, 0, 0, 0, 0},
		{"nobody has answered, and the delay is over", figures.Course{AnswerBy: day(2)}, 1, 0, 0, 0, 0, 0},
		{"answered in time", figures.Course{Events: []alerts.Event{did(alerts.EventAcknowledged, "Lea", answered, "")}}, 1, 1, 1, 0, 0, 12 * time.Hour},
		{"answered after it was called again", figures.Course{Events: []alerts.Event{
			did(alerts.EventEscalated, alerts.Service, day(1.2), ""), did(alerts.EventAcknowledged, "Lea", answered, "")}}, 1, 0, 1, 0, 0, 12 * time.Hour},
		{"called again after somebody had answered", figures.Course{Events: []alerts.Event{
			did(alerts.EventAcknowledged, "Lea", answered, ""), did(alerts.EventEscalated, alerts.Service, day(2), "")}}, 1, 1, 1, 0, 0, 12 * time.Hour},
		{"an act that was undone is none", figures.Course{AnswerBy: day(2), Events: []alerts.Event{
			did(alerts.EventAcknowledged, "Lea", answered, ""), did(alerts.EventUndone, "Lea", answered, string(alerts.EventAcknowledged))}}, 1, 0, 0, 0, 0, 0},
		{"undoing the second act leaves the first", figures.Course{Events: []alerts.Event{
			did(alerts.EventAcknowledged, "Lea", answered, ""), did(alerts.EventSnoozed, "Lea", day(3), ""), did(alerts.EventUndone, "Lea", day(3), string(alerts.EventSnoozed))}}, 1, 1, 1, 0, 0, 12 * time.Hour},
		{"the time to call back comes by itself", figures.Course{AnswerBy: day(2), Events: []alerts.Event{did(alerts.EventCallBack, alerts.Service, answered, "")}}, 1, 0, 0, 0, 0, 0},
		{"found too late", figures.Course{TooLate: true, Events: []alerts.Event{did(alerts.EventAcknowledged, "Lea", answered, "")}}, 0, 0, 1, 0, 0, 12 * time.Hour},
		{"a false alarm among other outcomes", figures.Course{State: alerts.Resolved, Outcomes: []string{"patient-called", alerts.FalseAlarm},
			Events: []alerts.Event{did(alerts.EventResolved, "Lea", answered, "")}}, 1, 1, 1, 1, 1, 12 * time.Hour},
		{"a reading that was struck out says nothing of the rule", figures.Course{State: alerts.Resolved, Outcomes: []string{alerts.StruckOut}}, 0, 0, 0, 0, 0, 0},
	} {
		c.course.Patient, c.course.Protocol, c.course.Rule, c.course.Level, c.course.RaisedAt = "p-1", "icc", "weight-fast", protocols.Orange, raised
		f := count(t, month, c.course)
		for name, l := range map[string]figures.Line{"all": f.All, "orange": f.ByLevel[1], "rule": f.ByRule[0]} {
			if l.Alerts != 1 || l.Waited != c.waited || l.InTime != c.inTime || l.Answered != c.answered || l.Closed != c.closed || l.False != c.false || l.Median != c.wait || l.P90 != c.wait {
				t.Errorf("%s, %s: %+v", c.name, name, l)
			}
		}
	}
}

// A patient under two protocols counts once among all, and once under each.
func TestPatientDays(t *testing.T) {
	f := count(t, month, figures.Course{Protocol: "bpco", Rule: "spo2-low", RaisedAt: day(1)}, figures.Course{Protocol: "icc", Rule: "weight-fast", RaisedAt: day(1)})
	if f.All.Patients != 2 || f.All.Days != 20 {
		t.Errorf("%d patients, %v days, want 2 and 20", f.All.Patients, f.All.Days)
	}
	for protocol, want := range map[string]float64{"bpco": 8, "icc": 15} {
		for _, l := range f.ByRule {
			if rate, ok := l.Rate(); l.Protocol == protocol && (l.Days != want || !ok || rate != 100/want) {
				t.Errorf("%s: %+v, %v", protocol, l, rate)
			}
		}
	}
	one := month
	one.Team = "team-b"
	if f := count(t, one); f.All.Patients != 1 || f.All.Days != 8 {
		t.Errorf("of one team: %+v", f.All)
	}
	one.Team, one.Within = "", []string{"team-c"}
	if f := count(t, one); f.All.Patients != 0 {
		t.Errorf("of another team: %+v", f.All)
	} else if _, ok := f.All.Rate(); ok {
		t.Error("a rate of nobody")
	}
}

// Days on which a patient stays silent count once, whatever the number of rules that say
// so; what began before the interval takes from it too, and rings in it no more.
func TestTransmission(t *testing.T) {
	f := count(t, month,
		figures.Course{Patient: "p-1", Rule: "no-weight", RaisedAt: day(-5), EndedAt: day(2)},
		figures.Course{Patient: "p-1", Rule: "no-weight", RaisedAt: day(1), EndedAt: day(3)},
		figures.Course{Patient: "p-2", Rule: "no-weight", RaisedAt: day(8)},
		figures.Course{Patient: "p-2", Rule: "weight-fast", RaisedAt: day(0)},
	)
	if got, ok := f.Transmission(); !ok || got != 75 || f.Silences != 2 || f.All.Alerts != 3 {
		t.Errorf("transmission %v %% of %v days, %d silences, %d alerts", got, f.All.Days, f.Silences, f.All.Alerts)
	}
}

// The median and the nine in ten are those of a list that is counted off by hand.
func TestTimesToAnswer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 40; n++ {
		var courses []figures.Course
		minutes := random.Perm(n)
		for _, m := range minutes {
			at := day(1).Add(time.Duration(m+1) * time.Minute)
			courses = append(courses, figures.Course{RaisedAt: day(1), Events: []alerts.Event{did(alerts.EventAcknowledged, "Lea", at, "")}})
		}
		atMost := func(d time.Duration) (k int) {
			for _, m := range minutes {
				if time.Duration(m+1)*time.Minute <= d {
					k++
				}
			}
			return k
		}
		f := count(t, month, courses...)
		for percent, got := range map[int]time.Duration{50: f.All.Median, 90: f.All.P90} {
			if 100*atMost(got) < percent*n || 100*atMost(got-time.Minute) >= percent*n {
				t.Errorf("%d answers: %v is not the time within which %d %% were answered", n, got, percent)
			}
		}
	}
}
