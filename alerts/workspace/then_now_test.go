package workspace

import (
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// nine is 09:00 of the day of these alerts, in UTC.
var nine = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func diabetesTeam() view {
	return view{Language: "fr", now: nine, team: "a", teams: map[string]Team{"a": {ID: "a", Glucose: "g/L"}}}
}

func glucoseAt(before time.Duration, value protocols.Value) protocols.Cited {
	return protocols.Cited{Measure: "glucose", Time: nine.Add(-before), Values: map[string]protocols.Value{"value": value}}
}

// twoLows is an alert of two hypoglycaemias, whose rule asks first that the sensor is worn.
func twoLows() *protocols.Explanation {
	e := &protocols.Explanation{At: nine.Add(-time.Hour), Comparisons: []protocols.Compared{
		{Measure: "glucose", Component: "value", Statistic: protocols.Wear, Operator: protocols.Above, Threshold: 0, Value: 97_000, Unit: "%", Reason: true, Truth: protocols.True, Sentence: protocols.Text{FR: "1"}},
		{Measure: "glucose", Component: "value", Statistic: protocols.Events, Operator: protocols.AtLeast, Threshold: 2000, Value: 2000, Unit: "1", Reason: true, Truth: protocols.True, Sentence: protocols.Text{FR: "2"},
			Where: []protocols.Bound{{Operator: protocols.Below, Value: 54_000}}},
	}}
	e.Readings = []protocols.Cited{glucoseAt(20*time.Hour, 50_000), glucoseAt(3*time.Hour, 48_000)}
	return e
}

// When it rang, an alert shows what was measured and when, never a count, a statistic, or
// what only asks for enough data.
func TestAnAlertShowsWhatWasMeasuredWhenItRang(t *testing.T) {
	v := diabetesTeam()
	if got, want := v.then(twoLows(), "a"), "glucose 48\u202fmg/dL (0,48\u202fg/L) (06:00)"; got != want {
		t.Errorf("it shows %q, not %q", got, want)
	}
	deeper := twoLows()
	deeper.Comparisons[1].Each = []protocols.Counted{{Time: nine.Add(-20 * time.Hour), Value: 50_000}, {Time: nine.Add(-3 * time.Hour), Value: 44_000}}
	if got, want := v.then(deeper, "a"), "glucose 44\u202fmg/dL (0,44\u202fg/L) (06:00)"; got != want {
		t.Errorf("under a sentence that says 06:00 (44), it shows %q, not %q", got, want)
	}
	if c := told(twoLows()); len(c) != 1 || c[0].Statistic != protocols.Events {
		t.Errorf("it is told by %+v", c)
	}
	drift := weights(protocols.Compared{Statistic: protocols.Slope, Operator: protocols.Above, Value: 250, Threshold: 200, Truth: protocols.True})
	if got := v.then(drift, ""); got != "" {
		t.Errorf("a slope, which no reading shows, reads %q", got)
	}
	short := &protocols.Explanation{At: nine, Comparisons: []protocols.Compared{{Measure: "symptom", Component: "breathlessness", Statistic: protocols.Last, Operator: protocols.AtLeast, Value: 2000, Threshold: 2000, Unit: "{score}", Truth: protocols.True}},
		Readings: []protocols.Cited{{Measure: "symptom", Time: nine, Values: map[string]protocols.Value{"breathlessness": 2000}}}}
	if got, want := v.then(short, ""), "essoufflement 2 sur 3 (au moindre effort)"; got != want {
		t.Errorf("a grade reads %q, not %q", got, want)
	}
}

// A comparison that is a reason because it is false reads the way round on which it rang.
func TestAReasonUnderANegationKeepsItsSide(t *testing.T) {
	e := &protocols.Explanation{Comparisons: []protocols.Compared{{
		Measure: "oxygen-saturation", Component: "value", Statistic: protocols.Min, Operator: protocols.Above, Value: 87_000, Threshold: 87_000, Clear: protocols.Missing, Unit: "%",
		Reason: true, Truth: protocols.False, Sentence: protocols.Text{FR: "1"},
	}}}
	v := view{Language: "fr", now: nine}
	if got, want := v.reason(reasonsOf(e)), "saturation en oxygène, minimum 87\u202f% (seuil ≤ 87\u202f%)"; got != want {
		t.Errorf("it reads %q, not %q", got, want)
	}
	if row := v.compared(reasonsOf(e)[0], ""); row.Sign != "≤" || row.Verdict != "why.met" {
		t.Errorf("the table says %s, %s", row.Sign, row.Verdict)
	}
}

// What happens is no number with an arrow, and a grade has its words.
func TestTheLatestValueIsSaidAsWhatItIs(t *testing.T) {
	v := diabetesTeam()
	values := func(values ...protocols.Value) (points []chart.Point) {
		for i, value := range values {
			points = append(points, chart.Point{At: nine.Add(time.Duration(i-len(values)) * time.Hour), Value: value})
		}
		return points
	}
	for _, c := range []struct {
		measure, component string
		points             []chart.Point
		want               string
	}{
		{"implant", "shock", values(0, 1000), "transmis"},
		{"implant", "shock", values(1000, 0), "rien à signaler"},
		{"symptom", "breathlessness", values(3000, 2000), "2 sur 3 (au moindre effort), 3 avant"},
		{"symptom", "breathlessness", values(2000, 2000), "2 sur 3 (au moindre effort)"},
		{"glucose", "value", values(110_000, 164_000), "164\u202fmg/dL (1,64\u202fg/L) ↑"},
	} {
		if got := v.latest(c.points, componentOf(c.measure, c.component)); got != c.want {
			t.Errorf("%s: %q, not %q", c.component, got, c.want)
		}
	}
}

// Now stands for how long it has: two values are needed, and fresh ones.
func TestHowLongTheValuesHaveBeenWhereTheyAre(t *testing.T) {
	v, c := diabetesTeam(), told(twoLows())[0]
	glucose := componentOf("glucose", "value")
	at := func(before time.Duration, value protocols.Value) chart.Point {
		return chart.Point{At: nine.Add(-before), Value: value}
	}
	rising := []chart.Point{at(4*time.Hour, 48_000), at(190*time.Minute, 70_000), at(time.Hour, 120_000), at(10*time.Minute, 164_000)}
	if got, want := v.steady(c, glucose, rising), "à 54\u202fmg/dL ou plus depuis 3 h"; got != want {
		t.Errorf("it says %q, not %q", got, want)
	}
	low := []chart.Point{at(2*time.Hour, 90_000), at(time.Hour, 50_000), at(10*time.Minute, 46_000)}
	if got, want := v.steady(c, glucose, low), "sous 54\u202fmg/dL depuis 50 min"; got != want {
		t.Errorf("it says %q, not %q", got, want)
	}
	for name, points := range map[string][]chart.Point{"one value alone": rising[:1], "the first one back": rising[:2], "values of long ago": {at(30*time.Hour, 90_000), at(29*time.Hour, 95_000)}} {
		if got := v.steady(c, glucose, points); got != "" {
			t.Errorf("%s says %q", name, got)
		}
	}
}

// What the rule asks now is a sentence, with when it ends; never a formula.
func TestWhatStandsNowIsASentence(t *testing.T) {
	v := diabetesTeam()
	counted := protocols.Compared{
		Measure: "glucose", Component: "value", Statistic: protocols.Events, Operator: protocols.AtLeast, Threshold: 2000, Clear: 2000, Value: 2000, Unit: "1", Reason: true,
		From: nine.Add(-24 * time.Hour), To: nine, Each: []protocols.Counted{{Time: nine.Add(-20 * time.Hour), Value: 50_000}, {Time: nine.Add(-3 * time.Hour), Value: 48_000}},
	}
	level := protocols.LevelAccount{Truth: protocols.True, Told: protocols.Text{FR: "2 hypoglycémies sous 54 mg/dL en 24 h."}, Comparisons: []protocols.Compared{counted}}
	if got, want := v.standsNow(&level, "another"), "2 hypoglycémies sous 54 mg/dL (0,54\u202fg/L) en 24 h. Fin : 13:00, si rien ne s'ajoute."; got != want {
		t.Errorf("it says %q, not %q", got, want)
	}
	if got, want := v.standsNow(&level, "2 hypoglycémies sous 54 mg/dL (0,54\u202fg/L) en 24 h."), "Fin : 13:00, si rien ne s'ajoute."; got != want {
		t.Errorf("what stands above is said again: %q, not %q", got, want)
	}
	low := protocols.Compared{Measure: "glucose", Component: "value", Statistic: protocols.Last, Operator: protocols.Below, Threshold: 54_000, Clear: 70_000, Value: 60_000, Unit: "mg/dL", Truth: protocols.False}
	lingers := protocols.LevelAccount{Truth: protocols.False, Stays: protocols.True, Comparisons: []protocols.Compared{low}}
	if got, want := v.standsNow(&lingers, ""), "finira quand\u202f: glucose à 70\u202fmg/dL ou plus"; got != want {
		t.Errorf("it says %q, not %q", got, want)
	}
	if got := v.standsNow(&protocols.LevelAccount{Truth: protocols.False, Stays: protocols.False, Comparisons: []protocols.Compared{low}}, ""); got != "" {
		t.Errorf("what ended says %q", got)
	}
}

// A sentence is kept as it was said; the team reads its own unit beside.
func TestAGlucoseInASentenceHasTheUnitOfTheTeamBeside(t *testing.T) {
	v := diabetesTeam()
	if got, want := v.inTeamUnit("48 mg/dL à 02:15, sous 54\u202fmg/dL."), "48 mg/dL (0,48\u202fg/L) à 02:15, sous 54\u202fmg/dL (0,54\u202fg/L)."; got != want {
		t.Errorf("it reads %q, not %q", got, want)
	}
	low := alerts.Alert{Team: "a", Title: protocols.Text{FR: "Hypoglycémie (< 54 mg/dL)"}, Summary: protocols.Text{FR: "Hypoglycémie (< 54 mg/dL) : 48 mg/dL à 02:15."}}
	if got, want := v.Sentence(AlertRow{Alert: low}), "48 mg/dL (0,48\u202fg/L) à 02:15."; got != want {
		t.Errorf("under its title, which holds a glucose, it reads %q, not %q", got, want)
	}
	v.teams = nil
	if got := v.inTeamUnit("48 mg/dL à 02:15."); got != "48 mg/dL à 02:15." {
		t.Errorf("without a unit of its own, the team reads %q", got)
	}
}

// How far a grade is from the usual one is no line on the scale of grades.
func TestAChartHasNoLineForAChange(t *testing.T) {
	breathlessness := componentOf("symptom", "breathlessness")
	grades := []point{{At: nine.Add(-time.Hour), Value: 0}, {At: nine, Value: 2000}}
	c := protocols.Compared{Measure: "symptom", Component: "breathlessness", Statistic: protocols.Last, Operator: protocols.AtLeast, Value: 1700, Threshold: 500, Unit: "{score}"}
	if lines := limitsOf(c, breathlessness, grades); len(lines) != 1 {
		t.Errorf("a grade has the lines %v", lines)
	}
	c.Moved = &protocols.Moved{From: 300, To: 2000}
	if lines := limitsOf(c, breathlessness, grades); len(lines) > 0 {
		t.Errorf("1.7 above the usual has the lines %v", lines)
	}
}

// What is measured has a name that a sentence can hold: no dot between a measure and its part.
func TestAComponentIsNamedAsInASentence(t *testing.T) {
	v := diabetesTeam()
	for component, want := range map[[2]string]string{
		{"blood-pressure", "systolic"}: "systolique", {"weight", "value"}: "poids", {"symptom", "cough"}: "toux",
		{"ventilation", "hours"}: "durée d'utilisation (ventilation)", {"wound", "redness"}: "rougeur (cicatrice)",
	} {
		if got := v.component(component[0], component[1]); got != want {
			t.Errorf("%v is called %q, not %q", component, got, want)
		}
	}
}
