package engine

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// timeline feeds one measure with values at local times, and lets time pass to
// the end.
type timeline struct {
	t     *testing.T
	state *State
	found []protocols.Finding
}

func timelineOf(t *testing.T, e protocols.Enrolment, rules ...protocols.Rule) *timeline {
	return &timeline{t: t, state: stateOf(t, protocolOf(rules...), e)}
}

// add takes "02/03 08:00" in 2026, in Paris.
func (l *timeline) add(measure, when string, value float64) *protocols.Reading {
	l.t.Helper()
	r := reading(measure, l.time(when), value)
	l.put(r)
	return r
}

func (l *timeline) put(r *protocols.Reading) {
	l.t.Helper()
	if !l.state.InOrder(r) {
		l.t.Fatalf("the reading of %s is late", r.Time)
	}
	l.found = l.state.Add(r, r.Time, l.found)
}

func (l *timeline) time(when string) time.Time {
	l.t.Helper()
	parsed, err := time.ParseInLocation("02/01 15:04 2006", when+" 2026", paris)
	if err != nil {
		l.t.Fatal(err)
	}
	return parsed
}

func (l *timeline) advance(when string) { l.found = l.state.Advance(l.time(when), l.found) }

func TestConfirmAsksForASecondReading(t *testing.T) {
	low := level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 88))
	low.Confirm = 30 * time.Minute
	t.Run("which agrees", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("spo2", low))
		l.add("oxygen-saturation", "02/03 08:00", 86)
		l.add("oxygen-saturation", "02/03 08:20", 87)
		l.advance("02/03 12:00")
		expectTold(t, l.found, "spo2 raised red 02/03 08:20")
	})
	t.Run("which disagrees", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("spo2", low))
		l.add("oxygen-saturation", "02/03 08:00", 86)
		l.add("oxygen-saturation", "02/03 08:20", 93)
		l.advance("02/03 12:00")
		expectTold(t, l.found)
	})
	t.Run("and silence resolves nothing", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("spo2", low))
		l.add("oxygen-saturation", "02/03 08:00", 86)
		if due := l.state.Due(); !due.Equal(l.time("02/03 08:30")) {
			t.Errorf("due at %s", due)
		}
		l.advance("02/03 08:29")
		expectTold(t, l.found)
		l.advance("02/03 08:30")
		expectTold(t, l.found, "spo2 raised red 02/03 08:30")
		if !l.state.Due().IsZero() {
			t.Error("nothing is waited for any more")
		}
	})
	t.Run("found by the next later reading as well", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("spo2", low))
		l.add("oxygen-saturation", "02/03 08:00", 86)
		l.add("oxygen-saturation", "02/03 09:00", 95)
		expectTold(t, l.found, "spo2 raised red 02/03 08:30", "spo2 ended red 02/03 09:00")
	})
}

func TestLastingToleratesGapsButTakesThemForNothing(t *testing.T) {
	high := of("glucose", "value", protocols.Last, protocols.Window{}, protocols.Above, 250)
	high.Lasting, high.Gap = 2*time.Hour, 30*time.Minute
	l := timelineOf(t, enrolled(), rule("hyperglycémie", level(protocols.Orange, high)))
	for _, when := range []string{"08:00", "08:30", "09:00", "09:30"} {
		l.add("glucose", "02/03 "+when, 260)
	}
	// A silence of an hour begins the stretch anew.
	for _, when := range []string{"10:30", "11:00", "11:30", "12:00", "12:30"} {
		l.add("glucose", "02/03 "+when, 260)
	}
	l.advance("02/03 23:00")
	l.add("glucose", "02/03 23:30", 180)
	expectTold(t, l.found, "hyperglycémie raised orange 02/03 12:30", "hyperglycémie ended orange 02/03 23:30")
}

func TestRunOfDaysCountsDaysThatAreOver(t *testing.T) {
	leak := of("weight", "value", protocols.Mean, protocols.Window{}, protocols.Above, 80)
	leak.Days = literal(3)
	t.Run("in a row", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, leak)))
		for _, day := range []string{"02/03", "03/03", "04/03"} {
			l.add("weight", day+" 08:00", 81)
		}
		if due := l.state.Due(); !due.Equal(l.time("05/03 00:00")) {
			t.Errorf("due at %s", due)
		}
		l.advance("04/03 23:59")
		expectTold(t, l.found)
		l.add("weight", "05/03 08:00", 79)
		l.advance("06/03 00:00")
		expectTold(t, l.found, "poids raised orange 05/03 00:00", "poids again orange 05/03 08:00", "poids ended orange 06/03 00:00")
	})
	t.Run("and an empty day proves nothing", func(t *testing.T) {
		l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, leak)))
		for _, day := range []string{"02/03", "03/03", "05/03", "06/03"} {
			l.add("weight", day+" 08:00", 81)
		}
		l.advance("07/03 00:00")
		expectTold(t, l.found)
		l.add("weight", "07/03 08:00", 81)
		l.advance("20/03 00:00")
		expectTold(t, l.found, "poids raised orange 08/03 00:00")
	})
}

func TestCivilDaysFollowTheClockOfThePatient(t *testing.T) {
	many := of("heart-rate", "value", protocols.Count, protocols.Window{Days: 1}, protocols.AtLeast, 2)
	for _, c := range []struct {
		zone, first, second string
		same                bool
	}{
		{"Europe/Paris", "2026-03-29T00:10:00+01:00", "2026-03-29T23:50:00+02:00", true},  // the day of 23 hours
		{"Europe/Paris", "2026-03-28T23:50:00+01:00", "2026-03-29T00:10:00+01:00", false}, // midnight before it
		{"Europe/Paris", "2026-10-25T00:10:00+02:00", "2026-10-25T23:50:00+01:00", true},  // the day of 25 hours
		{"Europe/Paris", "2026-10-25T23:50:00+01:00", "2026-10-26T00:10:00+01:00", false},
		{"Indian/Reunion", "2026-03-29T00:10:00+04:00", "2026-03-28T23:50:00+04:00", false},
		{"Pacific/Marquesas", "2026-06-01T09:40:00Z", "2026-06-02T09:20:00Z", true}, // UTC−9:30
		{"Pacific/Marquesas", "2026-06-01T09:20:00Z", "2026-06-01T09:40:00Z", false},
		{"America/Miquelon", "2026-03-08T04:00:00Z", "2026-03-09T01:30:00Z", true},
		{"Pacific/Wallis", "2026-06-01T12:10:00Z", "2026-06-02T11:50:00Z", true},
	} {
		e := enrolled()
		e.Zone = mustZone(c.zone)
		l := timelineOf(t, e, rule("pouls", level(protocols.Yellow, many)))
		first, second := at(c.first), at(c.second)
		if second.Before(first) {
			first, second = second, first
		}
		l.put(reading("heart-rate", first, 60))
		l.put(reading("heart-rate", second, 60))
		if got := len(l.found) == 1; got != c.same {
			t.Errorf("%s: %s and %s are on one day: %v, expected %v", c.zone, c.first, c.second, got, c.same)
		}
	}
}

func TestReadingOfADayFeedsNoFinerRule(t *testing.T) {
	l := timelineOf(t, enrolled(),
		rule("instant", level(protocols.Yellow, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 100))),
		rule("heures", level(protocols.Yellow, of("weight", "value", protocols.Max, protocols.Window{Length: 72 * time.Hour}, protocols.Above, 100))),
		rule("jours", level(protocols.Yellow, of("weight", "value", protocols.Max, protocols.Window{Days: 3}, protocols.Above, 100))))
	r := reading("weight", l.time("02/03 12:00"), 120)
	r.DayOnly = true
	l.put(r)
	expectTold(t, l.found, "jours raised yellow 02/03 12:00")
}

func TestFlaggedReadingIsNoEvidenceButWasSent(t *testing.T) {
	p := protocolOf(rule("spo2", level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 88))))
	p.Rules = append(p.Rules, protocols.Rule{ID: "silence", Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("oxygen-saturation"), Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay}, Missing: []protocols.MissingLevel{{Level: protocols.Orange, Periods: literal(1)}},
	}})
	p.Observations = []protocols.Observation{{Measure: protocols.MeasureByID("oxygen-saturation"), IgnoreFlags: []string{"motion"}}}
	e := enrolled()
	e.From = at("2026-03-02T00:00:00+01:00")
	l := &timeline{t: t, state: stateOf(t, p, e)}
	r := reading("oxygen-saturation", l.time("02/03 08:00"), 70)
	r.Flags = []string{"other", "motion"}
	l.put(r)
	l.advance("03/03 12:00")
	expectTold(t, l.found)
	l.advance("04/03 00:00")
	expectTold(t, l.found, "silence raised orange 04/03 00:00")
}

func TestRuleHeldBackStartsWhenItsHolderIsOver(t *testing.T) {
	fault := rule("appareil", level(protocols.Technical, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Below, 30)))
	low := rule("spo2", level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 88)))
	low.HeldBy = []string{"appareil"}
	l := timelineOf(t, enrolled(), low, fault)
	l.add("heart-rate", "02/03 08:00", 25)
	l.add("oxygen-saturation", "02/03 08:00", 60)
	l.add("heart-rate", "02/03 08:05", 70)
	l.add("oxygen-saturation", "02/03 08:06", 80)
	expectTold(t, l.found, "appareil raised technical 02/03 08:00", "appareil ended technical 02/03 08:05", "spo2 raised red 02/03 08:06")
}

func TestChangeAgainstABaseline(t *testing.T) {
	slow := of("weight", "value", protocols.Last, protocols.Window{Days: 1}, protocols.AtLeast, 1.5)
	slow.Minus = &protocols.Baseline{Statistic: protocols.Mean, Days: 7, Ago: 1, AtLeast: 4}
	l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, slow)))
	l.add("weight", "01/03 08:00", 85) // alone it is no baseline
	for _, day := range []string{"04/03", "05/03", "06/03", "07/03"} {
		l.add("weight", day+" 08:00", 80)
	}
	// The mean of 1 and 4 to 7 March is 81; without 1 March it is 80.
	l.add("weight", "08/03 08:00", 82.4)
	expectTold(t, l.found)
	l.add("weight", "09/03 08:00", 82.1)
	expectTold(t, l.found, "poids raised orange 09/03 08:00")
}

func TestMinusComponentComparesWithinAReading(t *testing.T) {
	over := of("dialysis-session", "weight-end", protocols.Last, protocols.Window{}, protocols.Above, 0.5)
	over.MinusComponent = over.Measure.Component("dry-weight")
	l := timelineOf(t, enrolled(), rule("séance", level(protocols.Yellow, over)))
	r := reading("dialysis-session", l.time("02/03 12:00"), 73)
	r.Values[1], r.Values[2] = v(70), v(70.6)
	l.put(r)
	expectTold(t, l.found, "séance raised yellow 02/03 12:00")
	if got := l.found[0].Explanation.Comparisons[0].Value; got != v(0.6) {
		t.Errorf("compared %s", got)
	}
}

func TestANumberIsDividedByAnotherOfItsReading(t *testing.T) {
	per := of("dialysis-session", "ultrafiltration-rate", protocols.Last, protocols.Window{}, protocols.Above, 13)
	per.PerComponent = per.Measure.Component("dry-weight")
	gain := of("dialysis-session", "weight-start", protocols.Last, protocols.Window{}, protocols.Above, 5)
	gain.MinusComponent = gain.Measure.Component("dry-weight")
	gain.PerComponent = gain.MinusComponent
	l := timelineOf(t, enrolled(), rule("débit", level(protocols.Yellow, per)), rule("prise", level(protocols.Yellow, gain)))
	r := reading("dialysis-session", l.time("02/03 12:00"), 53)
	r.Values[1], r.Values[2], r.Values[per.Component] = v(50), v(50), v(750)
	l.put(r)
	expectTold(t, l.found, "débit raised yellow 02/03 12:00", "prise raised yellow 02/03 12:00")
	for i, want := range []protocols.Compared{{Value: v(15), Unit: "mL/h/kg", Per: "dry-weight"}, {Value: v(6), Unit: "%", Per: "dry-weight", Minus: "dry-weight"}} {
		got := l.found[i].Explanation.Comparisons[0]
		if got.Value != want.Value || got.Unit != want.Unit || got.Per != want.Per || got.Minus != want.Minus {
			t.Errorf("compared %+v, want %+v", got, want)
		}
	}
	heavier := reading("dialysis-session", l.time("04/03 12:00"), 63)
	heavier.Values[1], heavier.Values[2], heavier.Values[per.Component] = v(60), v(60), v(750)
	l.put(heavier)
	expectTold(t, l.found[2:], "débit ended yellow 04/03 12:00", "prise ended yellow 04/03 12:00")
}

// doubting is a protocol that doubts weights farther than 4 kg from the usual.
func doubting(rules ...protocols.Rule) *protocols.Protocol {
	p := protocolOf(rules...)
	weight := protocols.MeasureByID("weight")
	p.Observations = []protocols.Observation{{Measure: weight, Plausible: &protocols.Plausibility{Within: protocols.Operand{Value: v(4)}, Agree: protocols.Operand{Value: v(2)}, Days: 14, AtLeast: 1}}}
	return p
}

func TestAGrossErrorOfAWeightIsDoubted(t *testing.T) {
	up := of("weight", "value", protocols.Improbable, protocols.Window{}, protocols.Above, 0)
	rise := of("weight", "value", protocols.Rise, protocols.Window{Days: 4}, protocols.Above, 2)
	l := &timeline{t: t, state: stateOf(t, doubting(rule("improbable", level(protocols.Technical, up)), rule("hausse", level(protocols.Orange, rise))), enrolled())}
	for _, day := range []string{"01/03 07:30", "02/03 07:30", "03/03 07:30"} {
		l.add("weight", day, 80)
	}
	l.add("weight", "04/03 07:30", 86)
	l.add("weight", "04/03 07:32", 80.1)
	expectTold(t, l.found, "improbable raised technical 04/03 07:30", "improbable ended technical 04/03 07:32")
	told := l.found[0].Explanation.Comparisons[0]
	if told.Value != v(6) || told.Moved == nil || told.Moved.From != v(80) || told.Moved.To != v(86) {
		t.Errorf("told %+v of a weight of 86 where 80 is usual", told)
	}
	l.add("weight", "05/03 07:30", 86)
	l.add("weight", "05/03 07:40", 86.2)
	expectTold(t, l.found[2:], "improbable raised technical 05/03 07:30", "improbable ended technical 05/03 07:40", "hausse raised orange 05/03 07:40")
	if cited := len(l.found[4].Explanation.Readings); cited != 4 {
		t.Errorf("%d readings are cited: the doubted ones are not among them", cited)
	}
}

// The weight on leaving hospital, once set, is what the first weighing at home is held against.
func TestAWeightAtHomeIsHeldAgainstThatOnLeavingHospital(t *testing.T) {
	p := doubting(rule("improbable", level(protocols.Technical, of("weight", "value", protocols.Improbable, protocols.Window{}, protocols.Below, 0))))
	p.Observations[0].Plausible.Seed = protocols.Operand{Parameter: "sortie"}
	p.Parameters = []protocols.Parameter{{Name: "sortie", Unit: "kg", Default: v(80), Min: v(30), Max: v(250)}}
	e, l := enrolled(), &timeline{t: t}
	e.Settings = protocols.Settings{"sortie": {Value: v(73), Date: l.time("05/03 17:00")}}
	l.state = stateOf(t, p, e)
	for _, day := range []string{"01/03 07:30", "02/03 07:30", "03/03 07:30"} {
		l.add("weight", day, 80)
	}
	l.add("weight", "05/03 20:00", 73.5)
	l.add("weight", "06/03 07:30", 73.4)
	expectTold(t, l.found)
	l.add("weight", "07/03 07:30", 63)
	expectTold(t, l.found, "improbable raised technical 07/03 07:30")
}

// A weighing of yesterday that was doubted until today's agreed is in the mean: that is not
// "within the day".
func TestAMeanSaysOverHowManyDaysItGoesAlsoOfADoubtedWeighing(t *testing.T) {
	r := rule("poids", level(protocols.Orange, of("weight", "value", protocols.Mean, protocols.Window{Days: 3}, protocols.Above, 84)))
	r.Sentence = protocols.Text{FR: "Poids moyen de {weight.now} {since}."}
	l := &timeline{t: t, state: stateOf(t, doubting(r), enrolled())}
	for _, day := range []string{"01/03 07:30", "02/03 07:30", "03/03 07:30"} {
		l.add("weight", day, 80)
	}
	l.add("weight", "07/03 07:30", 86)
	l.add("weight", "08/03 07:30", 86.4)
	expectTold(t, l.found, "poids raised orange 08/03 07:30")
	if said := l.found[0].Explanation.Said().FR; said != "Poids moyen de 86,2 kg sur 3 jours." {
		t.Error(said)
	}
}

// A distance below 0, which a setting can give, doubts no weight that is the usual one.
func TestTheUsualWeightIsNeverDoubted(t *testing.T) {
	p := doubting(rule("poids", level(protocols.Orange, of("weight", "value", protocols.Count, protocols.Window{Days: 7}, protocols.AtLeast, 3))))
	guard := p.Observations[0].Plausible
	guard.Within, guard.Agree = protocols.Operand{Value: v(-1)}, protocols.Operand{Value: v(0)}
	history := []*protocols.Reading{reading("weight", at("2026-03-02T07:00:00+01:00"), 80), reading("weight", at("2026-03-02T08:00:00+01:00"), 81), reading("weight", at("2026-03-02T09:00:00+01:00"), 80.5)}
	history[1].Source = protocols.FromProfessional
	expectBoth(t, p, history, "poids raised orange 02/03 09:00")
}

// Whatever the order in which the weighings come, the one that is doubted is the same.
func TestALateWeighingDecidesAsIfItHadComeInTime(t *testing.T) {
	up := of("weight", "value", protocols.Improbable, protocols.Window{}, protocols.Above, 0)
	rise := of("weight", "value", protocols.Rise, protocols.Window{Days: 4}, protocols.Above, 2)
	l := &timeline{t: t, state: stateOf(t, doubting(rule("improbable", level(protocols.Technical, up)), rule("hausse", level(protocols.Orange, rise))), enrolled())}
	usual, second := l.add("weight", "01/03 07:30", 80), l.add("weight", "04/03 07:40", 86.2)
	expectTold(t, l.found, "improbable raised technical 04/03 07:40")
	first := reading("weight", l.time("04/03 07:30"), 86)
	if l.state.InOrder(first) {
		t.Error("the first weighing comes late")
	}
	l.found = l.state.Recompute([]*protocols.Reading{first}, []*protocols.Reading{usual, first, second}, second.Time.Add(time.Hour), nil)
	// The first one was told as well, as in time; both are over.
	expectTold(t, l.found, "improbable raised technical 04/03 07:30", "improbable ended technical 04/03 07:40", "improbable ended technical 04/03 07:40", "hausse raised orange 04/03 07:40")
}

func TestCombinationWaitsForWhatItCannotKnow(t *testing.T) {
	both := rule("décompensation", protocols.RuleLevel{Level: protocols.Red, When: protocols.Condition{All: []protocols.Condition{
		{Compare: of("weight", "value", protocols.Rise, protocols.Window{Days: 3}, protocols.Above, 2)},
		{Compare: of("symptom", "breathlessness", protocols.Last, protocols.Window{Days: 3}, protocols.AtLeast, 2)},
	}}})
	l := timelineOf(t, enrolled(), both)
	l.add("weight", "02/03 08:00", 80)
	l.add("weight", "04/03 08:00", 82.5)
	l.add("symptom", "04/03 09:00", 3)
	// Silence about breathlessness is no improvement.
	l.add("weight", "07/03 08:00", 82.5)
	l.add("weight", "09/03 08:00", 85)
	expectTold(t, l.found, "décompensation raised red 04/03 09:00", "décompensation ended red 07/03 08:00")
}

func TestTooLateToActIsSaid(t *testing.T) {
	p := protocolOf(rule("pouls", level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 120))))
	p.TooLate = 48 * time.Hour
	s := stateOf(t, p, enrolled())
	r := reading("heart-rate", at("2026-03-01T08:00:00+01:00"), 130)
	if found := s.Add(r, at("2026-03-03T08:00:00+01:00"), nil); len(found) != 1 || found[0].TooLate {
		t.Errorf("after exactly the limit it is not too late: %+v", found)
	}
	s = stateOf(t, p, enrolled())
	if found := s.Add(r, at("2026-03-03T08:00:01+01:00"), nil); len(found) != 1 || !found[0].TooLate {
		t.Errorf("after the limit it is too late: %+v", found)
	}
}

func TestLateReadingDisturbsItsOwnRulesOnly(t *testing.T) {
	l := timelineOf(t, enrolled(),
		rule("poids", level(protocols.Orange, of("weight", "value", protocols.Rise, protocols.Window{Days: 3}, protocols.Above, 2))),
		rule("pouls", level(protocols.Orange, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 120))))
	l.add("heart-rate", "05/03 08:00", 70)
	if !l.state.InOrder(reading("weight", l.time("02/03 08:00"), 80)) {
		t.Error("a weight is late because of a later heart rate")
	}
	if l.state.InOrder(reading("heart-rate", l.time("05/03 07:59"), 70)) {
		t.Error("an earlier heart rate is not late")
	}
	if !l.state.InOrder(reading("temperature", l.time("01/03 07:59"), 37)) {
		t.Error("a measure that no rule looks at is late")
	}
}

func TestExplanationSaysEverything(t *testing.T) {
	p := protocolOf(rule("poids", level(protocols.Orange, of("weight", "value", protocols.Rise, protocols.Window{Days: 3}, protocols.Above, 2))))
	p.Parameters = []protocols.Parameter{{Name: "prise", Unit: "kg", Default: v(2.5), Min: v(1), Max: v(5)}}
	p.Rules[0].Levels[0].When.Compare.Threshold = protocols.Operand{Parameter: "prise"}
	p.Rules[0].Origin = "ESC"
	e := enrolled()
	e.Settings = protocols.Settings{"prise": {Value: v(2), Author: "Dr Martin", Date: at("2026-02-27T10:00:00+01:00"), Reason: "insuffisance sévère"}}
	l := &timeline{t: t, state: stateOf(t, p, e)}
	first := l.add("weight", "02/03 08:00", 80)
	second := l.add("weight", "04/03 08:00", 82.4)
	if len(l.found) != 1 {
		t.Fatal(told(l.found, paris))
	}
	why := l.found[0].Explanation
	c := why.Comparisons[0]
	if c.Value != v(2.4) || c.Count != 2 || c.Threshold != v(2) || c.Clear != protocols.Missing || c.Parameter != "prise" || c.SetBy != "Dr Martin" || c.Truth != protocols.True {
		t.Errorf("%+v", c)
	}
	if !c.From.Equal(l.time("02/03 00:00")) || !c.To.Equal(second.Time) {
		t.Errorf("from %s to %s", c.From, c.To)
	}
	if want := "poids : dernier − plus bas sur 3 jours = 2,4 kg, au-dessus de 2 kg (seuil réglé par Dr Martin le 27/02/2026)"; c.Sentence.FR != want {
		t.Errorf("%s\nexpected %s", c.Sentence.FR, want)
	}
	if want := "body weight: latest − lowest over 3 days = 2.4 kg, above 2 kg (threshold set by Dr Martin on 27 Feb 2026)"; c.Sentence.EN != want {
		t.Errorf("%s\nexpected %s", c.Sentence.EN, want)
	}
	if len(why.Readings) != 2 || why.Readings[0].ID != first.ID || why.Readings[1].Values["value"] != v(82.4) {
		t.Errorf("%+v", why.Readings)
	}
	if !strings.HasPrefix(why.Summary.FR, "Règle poids : poids + 2,4 kg en 2 jours (80 → 82,4 kg), alerte au-delà de + 2 kg (Dr Martin 27/02/2026)") || why.Origin != "ESC" {
		t.Errorf("%+v", why)
	}
}

func TestExplanationOutlivesTheReadingItCopied(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, of("weight", "value", protocols.Max, protocols.Window{Days: 3}, protocols.Above, 82))))
	r := l.add("weight", "02/03 08:00", 80)
	r.Values[0] = v(1) // the caller uses its reading for something else
	l.add("weight", "03/03 08:00", 83)
	if got := l.found[0].Explanation.Readings[0].Values["value"]; got != v(80) {
		t.Errorf("the reading behind it now says %s", got)
	}
}

func TestExplanationShowsTheLatestReadingsOnly(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("pouls", level(protocols.Orange, of("heart-rate", "value", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 30))))
	var last *protocols.Reading
	for i := range 30 {
		last = reading("heart-rate", l.time("02/03 08:00").Add(time.Duration(i)*time.Minute), 70)
		l.put(last)
	}
	if why := l.found[0].Explanation; len(why.Readings) != maxCited || why.Readings[maxCited-1].ID != last.ID || why.Comparisons[0].Count != 30 {
		t.Errorf("%d readings, count %d", len(why.Readings), why.Comparisons[0].Count)
	}
}

// What is not so is a reason within a negation: the sentence of the alert says it.
func TestAnAlertNamesWhatIsNotSoAmongItsReasons(t *testing.T) {
	calm := protocols.Condition{Compare: of("oxygen-saturation", "value", protocols.Min, protocols.Window{Length: 24 * time.Hour}, protocols.Above, 91)}
	p := protocolOf(protocols.Rule{ID: "low", Title: protocols.Text{FR: "Bas"}, Levels: []protocols.RuleLevel{{Level: protocols.Red, When: protocols.Condition{Not: &calm}}}})
	found := plain.Evaluate(p, enrolled(), []*protocols.Reading{reading("oxygen-saturation", clock("2026-03-02 09:00"), 90)}, clock("2026-03-02 09:00"))
	if len(found) == 0 {
		t.Fatal(found)
	}
	if want := "Bas : saturation en oxygène à 90 %, alerte à 91 % ou moins"; found[0].Explanation.Summary.FR != want {
		t.Errorf("it says %q", found[0].Explanation.Summary.FR)
	}
}
