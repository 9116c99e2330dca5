package replay

import (
	"fmt"
	"testing"
	"time"

	"vigie/protocols"
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

// on is a moment some days and hours after Monday.
func on(days, hours int) time.Time {
	return monday.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
}

// ward is two patients watched for forty days, with some alerts.
func ward(alerts ...Alert) *Outcome {
	o := &Outcome{Patients: 2, PatientDays: 80, Alerts: alerts}
	for _, patient := range []string{"a", "b"} {
		o.Watched = append(o.Watched, Watched{Patient: patient, Span: Span{on(0, 0), on(40, 0)}})
	}
	return o
}

// swelling is an event of a patient that shows from day 10, with three days asked for.
func swelling(patient string, groups ...string) Event {
	return Event{Kind: "decompensation", Groups: groups, Patient: patient, Began: on(10, 0), InTime: on(17, 0), At: on(20, 0), Useful: on(20, 0), Over: on(27, 0)}
}

func everything(string) bool { return true }

func every(*Alert) bool { return true }

func ring(patient string, level protocols.Level, at time.Time) Alert {
	return Alert{Patient: patient, Rule: "weight", Level: level, Time: at, over: at.Add(time.Hour)}
}

func TestAnEventIsInTimeWhenTheAlertLeavesWhatItsKindAsksFor(t *testing.T) {
	o := ward(ring("a", protocols.Orange, on(17, 0)), ring("b", protocols.Orange, on(17, 1)))
	k := o.Judge(Truth{Events: []Event{swelling("a"), swelling("b")}}, every, everything).Kinds[0]
	if k.Events != 2 || k.Caught != 2 || k.InTime != 1 || k.Warning < 2.9 || k.Warning > 3 {
		t.Errorf("%+v, want both seen, one of them in time", k)
	}
}

func TestAnAlertIsARowUntilSomebodyHasDealtWithIt(t *testing.T) {
	o := ward(ring("a", protocols.Yellow, on(1, 0)), ring("a", protocols.Red, on(1, 5)), ring("a", protocols.Yellow, on(3, 0)), ring("b", protocols.Yellow, on(1, 1)))
	aDay := func(a *Alert) time.Time { return a.Time.Add(24 * time.Hour) }
	rows := o.Rows(aDay)
	if len(rows) != 3 || rows[0].Level != protocols.Red || !rows[0].Time.Equal(on(1, 0)) {
		t.Errorf("%d rows, the first %+v; want three, the first of them red since its first ring", len(rows), rows[0])
	}
	if score := o.Judge(Truth{Dealt: aDay}, every, everything); score.Alerts != 3 || score.False != 3 {
		t.Errorf("%+v, want three alerts, all about nothing", score)
	}
}

// A row may open before the event: who reads it then cannot know. That it rings again
// during the event is seen, and its first ring was about nothing.
func TestARowThatRangBeforeIsFalseAndRingsForTheEventAllTheSame(t *testing.T) {
	o := ward(ring("a", protocols.Yellow, on(9, 0)), ring("a", protocols.Orange, on(11, 0)))
	score := o.Judge(Truth{Events: []Event{swelling("a")}, Dealt: func(*Alert) time.Time { return on(13, 0) }}, every, everything)
	if score.Alerts != 1 || score.False != 1 || score.Kinds[0].Caught != 1 {
		t.Errorf("%+v", score)
	}
}

func TestNothingDuringARecoveryOrAPauseIsTrue(t *testing.T) {
	o := ward(ring("a", protocols.Orange, on(19, 0)), ring("a", protocols.Orange, on(20, 1)), ring("a", protocols.Orange, on(26, 0)))
	if score := o.Judge(Truth{Events: []Event{swelling("a")}}, every, everything); score.False != 2 || score.Precision < 33 || score.Precision > 34 {
		t.Errorf("%+v, want one of three about the event", score)
	}
}

// Of stretches of ten days among all patients. a is quiet but for days 10 to 27, b
// always, and b hears something on day 5.
func TestChanceIsThatOfQuietDaysOfAllPatients(t *testing.T) {
	o := ward(ring("b", protocols.Orange, on(5, 0)))
	k := o.Judge(Truth{Events: []Event{swelling("a")}}, every, everything).Kinds[0]
	// Ten days in a row: one stretch of a before, three after, thirty-one of b; six hold day 5.
	if want := 100 * 6.0 / (1 + 3 + 31); k.Chance < want-0.01 || k.Chance > want+0.01 {
		t.Errorf("%.2f %%, want %.2f", k.Chance, want)
	}
	o.Watched[1].Pauses = []protocols.Pause{{From: on(5, 0), Until: on(6, 0)}}
	if k = o.Judge(Truth{Events: []Event{swelling("a")}}, every, everything).Kinds[0]; k.Chance != 0 {
		t.Errorf("%.2f %%: a day of a pause is not quiet", k.Chance)
	}
}

func TestALevelCountsWhatRangAtItOrAbove(t *testing.T) {
	risen := ring("a", protocols.Red, on(11, 0))
	risen.first, risen.Rises = protocols.Yellow, []Rise{{on(18, 0), protocols.Red}}
	score := ward(risen).Judge(Truth{Events: []Event{swelling("a")}, Parted: true}, every, everything)
	if len(score.Levels) != 1 || score.Levels[0].Level != protocols.Red || score.Levels[0].Alerts != 1 {
		t.Fatalf("%+v, want one red row", score.Levels)
	}
	if all, red := score.Kinds[0], score.Levels[0].Kinds[0]; all.InTime != 1 || red.InTime != 0 || red.Caught != 1 {
		t.Errorf("in time %d, as red %d; seen as red %d: it was red on day 18 only", all.InTime, red.InTime, red.Caught)
	}
}

func TestPhenotypesAreScoredApart(t *testing.T) {
	o := ward(ring("a", protocols.Orange, on(12, 0)))
	k := o.Judge(Truth{Events: []Event{swelling("a", "weight", "slow"), swelling("b", "flash")}, Parted: true}, every, everything).Kinds[0]
	got := ""
	for _, g := range k.Groups {
		got += fmt.Sprintf("%s %d/%d ", g.Group, g.Caught, g.Events)
	}
	if got != "flash 0/1 slow 1/1 weight 1/1 " {
		t.Errorf("%s", got)
	}
}

func TestTheMedianOfFewWarningsHasAWideInterval(t *testing.T) {
	var days []time.Duration
	for d := range 9 {
		days = append(days, time.Duration(d)*24*time.Hour)
	}
	// Ranks of a median of nine, by hand: 4.5 ± 2.9, so the values 1 and 8.
	if got := medianInterval(days); got.Low != 1 || got.High != 8 {
		t.Errorf("%+v", got)
	}
}

func TestALowDuringAnAlertThatHoldsIsInIt(t *testing.T) {
	low := Event{Kind: "hypoglycaemia", Patient: "a", Began: on(12, 0), InTime: on(13, 0), At: on(12, 0), Useful: on(13, 0), Over: on(13, 0), Standing: true}
	held := ring("a", protocols.Orange, on(11, 0))
	held.over = on(14, 0)
	if k := ward(held).Judge(Truth{Events: []Event{low}}, every, everything).Kinds[0]; k.Caught != 1 || k.InTime != 1 {
		t.Errorf("%+v: the alert holds, and counts the low", k)
	}
	held.Level = protocols.Yellow
	if k := ward(held).Judge(Truth{Events: []Event{low}}, every, everything).Kinds[0]; k.Caught != 0 {
		t.Errorf("%+v: a yellow row that was dealt with stays away for a week", k)
	}
}

// The warning is held against that of rings that have nothing to do with the event: what
// rings every day warns of everything from its first day on.
func TestAWarningIsHeldAgainstThatOfChance(t *testing.T) {
	var daily []Alert
	for day := range 40 {
		daily = append(daily, ring("b", protocols.Yellow, on(day, 9)))
	}
	k := ward(daily...).Judge(Truth{Events: []Event{swelling("a")}}, every, everything).Kinds[0]
	if k.ChanceWarning != 9.5 {
		t.Errorf("%v days by chance, want 9.5: ten days from the first change to the event, less the half of one", k.ChanceWarning)
	}
	// One ring in forty days is as likely on each of the ten: half of the stretch on average.
	once := ward(ring("b", protocols.Orange, on(20, 9))).Judge(Truth{Events: []Event{swelling("a")}}, every, everything).Kinds[0]
	if once.ChanceWarning < 4.5 || once.ChanceWarning > 5.5 {
		t.Errorf("%v days by chance for one ring", once.ChanceWarning)
	}
	if none := ward().Judge(Truth{Events: []Event{swelling("a")}}, every, everything).Kinds[0]; none.ChanceWarning != 0 {
		t.Errorf("%v days by chance where nothing rings", none.ChanceWarning)
	}
}
