package replay

import (
	"fmt"
	"testing"
	"time"
)

// The values are those of the formula worked out by hand.
func TestAShareOfFewEventsIsSaidWithItsInterval(t *testing.T) {
	for _, c := range []struct {
		part, whole int
		want        string
	}{
		{0, 0, "0.0 to 100.0"}, {0, 10, "0.0 to 27.8"}, {8, 10, "49.0 to 94.3"}, {10, 10, "72.2 to 100.0"}, {500, 1000, "46.9 to 53.1"},
	} {
		got := interval(c.part, c.whole)
		if said := fmt.Sprintf("%.1f to %.1f", got.Low, got.High); said != c.want {
			t.Errorf("%d of %d lies in %s, want %s", c.part, c.whole, said, c.want)
		}
	}
}

func TestAnEventIsSeenAheadWhenTheAlertLeavesThreeDays(t *testing.T) {
	at := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	event := func(patient string) Event {
		return Event{Kind: "decompensation", Patient: patient, Began: at.AddDate(0, 0, -10), At: at, Useful: at, Over: at}
	}
	o := Outcome{PatientDays: 100, Alerts: []Alert{
		{Patient: "early", Rule: "r", Time: at.AddDate(0, 0, -3)},
		{Patient: "late", Rule: "r", Time: at.AddDate(0, 0, -3).Add(time.Minute)},
	}}
	all := func(string) bool { return true }
	score := o.Judge([]Event{event("early"), event("late"), event("unseen")}, Span{at.AddDate(0, -1, 0), at.AddDate(0, 0, 1)}, all, all)
	if k := score.Kinds[0]; k.Events != 3 || k.Caught != 2 || k.Ahead != 1 || score.Rate != 2 {
		t.Errorf("%+v, want 3 events, 2 seen, 1 of them three days ahead, 2 alerts per 100 patient-days: %v", k, score.Rate)
	}
}
