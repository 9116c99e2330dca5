package trial

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// explained accounts for a rule in the eyes of the patient of these tests.
func explained(t *testing.T, p *protocols.Protocol, history []*protocols.Reading, rule, when string) *protocols.Account {
	t.Helper()
	account, err := Explain(p, enrolled(), history, rule, clock(when))
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func twoLevels() *protocols.Protocol {
	day := protocols.Window{Length: 24 * time.Hour}
	return protocolOf(rule("high",
		level(protocols.Yellow, of("heart-rate", "value", protocols.Max, day, protocols.Above, 100)),
		level(protocols.Red, of("heart-rate", "value", protocols.Max, day, protocols.Above, 130)),
	))
}

func TestARuleThatRingsSaysSinceWhenAndWhy(t *testing.T) {
	history := []*protocols.Reading{
		reading("heart-rate", clock("2026-03-02 08:00"), 80), reading("heart-rate", clock("2026-03-02 09:00"), 110), reading("heart-rate", clock("2026-03-02 10:00"), 120),
	}
	a := explained(t, twoLevels(), history, "high", "2026-03-02 10:30")
	if a.Level != protocols.Yellow || !a.Since.Equal(clock("2026-03-02 09:00")) {
		t.Errorf("at %s since %s, want yellow since 09:00", a.Level, a.Since)
	}
	if a.Levels[0].Truth != protocols.True || a.Levels[1].Truth != protocols.False {
		t.Errorf("yellow is %s and red is %s", a.Levels[0].Truth, a.Levels[1].Truth)
	}
	c := a.Levels[1].Comparisons[0]
	if c.Value != v(120) || c.Threshold != v(130) || c.Count != 3 || len(a.Readings) != 3 {
		t.Errorf("red compares %+v over %d readings", c, len(a.Readings))
	}
	if !strings.Contains(a.Summary.FR, "sonne, à surveiller, depuis le 02/03/2026") {
		t.Errorf("it says %q", a.Summary.FR)
	}
}

func TestAnAccountOfSilenceShowsTheLatestReadings(t *testing.T) {
	weekly := silence()
	weekly.Absence.Cadence = protocols.Cadence{Times: 7, Per: protocols.PerWeek}
	var history []*protocols.Reading
	for _, day := range []string{"02", "03", "04", "05", "06", "07"} {
		history = append(history, reading("weight", clock("2026-03-"+day+" 08:00"), 80))
	}
	a := explained(t, protocolOf(weekly), history, "silence", "2026-03-09 10:00")
	if c := a.Levels[0].Comparisons[0]; c.Truth != protocols.True || c.Count != 6 || !c.From.Equal(clock("2026-01-05 00:00")) {
		t.Errorf("%+v", c)
	}
	if len(a.Readings) != maxReceived || !a.Readings[4].Time.Equal(history[5].Time) {
		t.Errorf("%+v", a.Readings)
	}
}

func TestSilenceThatAPauseHasReachedStillRings(t *testing.T) {
	e := followedFrom("2026-03-02T00:00:00+01:00")
	e.Pauses = []protocols.Pause{{From: clock("2026-03-03 00:00"), Until: clock("2026-03-10 00:00"), Author: "Dr X", Reason: "hôpital"}}
	a, err := Explain(protocolOf(silence()), e, nil, "silence", clock("2026-03-05 08:00"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "sonne, à traiter, depuis le 02/03/2026 à 12:00, rien de complet n'étant venu depuis : poids : 0 jour sans la mesure attendue"; !strings.Contains(a.Summary.FR, want) {
		t.Error(a.Summary.FR)
	}
}

func TestARuleThatDoesNotRingSaysWhyNot(t *testing.T) {
	history := []*protocols.Reading{reading("heart-rate", clock("2026-03-02 08:00"), 80), reading("heart-rate", clock("2026-03-02 11:00"), 140)}
	a := explained(t, twoLevels(), history, "high", "2026-03-02 10:00")
	if a.Level != protocols.NoLevel || a.Levels[0].Truth != protocols.False || len(a.Readings) != 1 {
		t.Errorf("%+v: what was measured later has no say", a)
	}
	if !strings.Contains(a.Summary.FR, "ne sonne pas : ") {
		t.Errorf("it says %q", a.Summary.FR)
	}
}

func TestARuleThatHasNotClearedSaysSo(t *testing.T) {
	p := protocolOf(rule("high", level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 100))))
	p.Rules[0].Levels[0].When.Compare.Clear = clearAt(90)
	a := explained(t, p, []*protocols.Reading{reading("heart-rate", clock("2026-03-02 09:00"), 110), reading("heart-rate", clock("2026-03-02 10:00"), 95)}, "high", "2026-03-02 10:00")
	if a.Level != protocols.Red || a.Levels[0].Truth != protocols.False || a.Levels[0].Stays != protocols.True || !strings.Contains(a.Summary.FR, "seuil de retour") {
		t.Errorf("%+v", a)
	}
}

func TestWantOfDataIsNotANo(t *testing.T) {
	a := explained(t, twoLevels(), nil, "high", "2026-03-02 10:00")
	if a.Levels[0].Truth != protocols.NotEnough || !strings.Contains(a.Summary.FR, "faute de données") {
		t.Errorf("%+v", a)
	}
}

func TestARuleThatIsHeldBackNamesWhatHoldsIt(t *testing.T) {
	p := twoLevels()
	holder := rule("fault", level(protocols.Technical, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 105)))
	p.Rules[0].HeldBy = []string{"fault"}
	p.Rules = append(p.Rules, holder)
	a := explained(t, p, []*protocols.Reading{reading("heart-rate", clock("2026-03-02 09:00"), 110)}, "high", "2026-03-02 09:00")
	if a.Level != protocols.NoLevel || len(a.HeldBy) != 1 || !strings.Contains(a.Summary.FR, "retenue par fault") {
		t.Errorf("%+v", a)
	}
}

func TestARuleThatWaitsForASecondReadingSaysSo(t *testing.T) {
	p := protocolOf(rule("high", level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 100))))
	p.Rules[0].Levels[0].Confirm = time.Hour
	a := explained(t, p, []*protocols.Reading{reading("heart-rate", clock("2026-03-02 09:00"), 110)}, "high", "2026-03-02 09:10")
	if a.Level != protocols.NoLevel || !a.Levels[0].Asked.Equal(clock("2026-03-02 09:00")) || !strings.Contains(a.Summary.FR, "seconde mesure") {
		t.Errorf("%+v", a)
	}
}

func TestAnAbsenceCountsItsDays(t *testing.T) {
	p := protocolOf(protocols.Rule{ID: "silent", Title: protocols.Text{FR: "Silence"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("weight"), Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay},
		Missing: []protocols.MissingLevel{{Level: protocols.Technical, Periods: literal(2)}, {Level: protocols.Orange, Periods: literal(4)}},
	}})
	e := enrolled()
	e.From = clock("2026-03-02 00:00")
	a, err := Explain(p, e, []*protocols.Reading{reading("weight", clock("2026-03-02 08:00"), 80)}, "silent", clock("2026-03-06 12:00"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Level != protocols.Technical || a.Levels[0].Comparisons[0].Value != v(3) || a.Levels[1].Truth != protocols.False {
		t.Errorf("%+v: three days without a weight", a)
	}
}

func TestAnUnknownRuleIsAnsweredWithThoseThatExist(t *testing.T) {
	_, err := Explain(twoLevels(), enrolled(), nil, "low", clock("2026-03-02 10:00"))
	if err == nil || !strings.Contains(err.Error(), "it has high") {
		t.Errorf("got %v", err)
	}
}

// Midnight belongs to both days: a reading of that very moment is of the day that
// begins, and what it raised is accounted for by that day.
func TestAnAccountOfAReadingAtMidnightLooksAtTheDayThatBegins(t *testing.T) {
	p := protocolOf(rule("lourd", level(protocols.Orange, of("weight", "value", protocols.Max, protocols.Window{Days: 1}, protocols.Above, 80))))
	history := []*protocols.Reading{reading("weight", clock("2026-03-04 08:00"), 79), reading("weight", clock("2026-03-05 00:00"), 81)}
	a := explained(t, p, history, "lourd", "2026-03-05 00:00")
	if c := a.Levels[0].Comparisons[0]; a.Level != protocols.Orange || c.Truth != protocols.True || c.Value != v(81) {
		t.Errorf("it rings at %s, yet the comparison is %s with %s: %s", a.Level, c.Truth, c.Value, a.Summary.FR)
	}
}

// What an account says is what the engine raised: the level at which the rule is,
// since when, and that its condition is so at the moment it was raised or rose.
func TestAnAccountSaysWhatWasRaised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 12)
		findings := plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End)
		moments := []time.Time{c.End}
		for _, f := range findings {
			moments = append(moments, f.At)
		}
		at := rapid.SampledFrom(moments).Draw(t, "at")
		rule := rapid.SampledFrom(c.Protocol.RuleIDs()).Draw(t, "rule")
		a, err := Explain(c.Protocol, c.Enrolment, c.History, rule, at)
		if err != nil {
			t.Fatal(err)
		}
		level, since, raised := protocols.NoLevel, time.Time{}, false
		for _, f := range findings {
			if f.Rule != rule || f.At.After(at) {
				continue
			}
			raised = f.At.Equal(at) && (f.Kind == protocols.Raised || f.Kind == protocols.Risen)
			switch f.Kind {
			case protocols.Raised:
				level, since = f.Level, f.At
			case protocols.Risen:
				level = f.Level
			case protocols.Ended:
				level, since = protocols.NoLevel, time.Time{}
			}
		}
		if (level == protocols.NoLevel) != (a.Level == protocols.NoLevel) || a.Level > level || !a.Since.Equal(since) {
			t.Fatalf("%s at %s: the account says %s since %s, the findings %s since %s", rule, at, a.Level, a.Since, level, since)
		}
		if raised && a.Level == level && !readAtMidnight(c, at) {
			levels := c.Protocol.Rule(rule).Levels
			for i, l := range a.Levels {
				// A second reading that does not come raises without telling.
				if l.Level == level && (levels == nil || levels[i].Confirm == 0) && l.Truth != protocols.True && l.Stays != protocols.True {
					t.Fatalf("%s at %s: raised at %s, of which the account says %s: %+v", rule, at, level, l.Truth, l)
				}
			}
		}
	})
}

// readAtMidnight reports whether a reading was measured at the very moment at which
// a day ended: what the end of the day has raised, the reading may have made
// uncertain at once.
func readAtMidnight(c randomCase, at time.Time) bool {
	midnight := protocols.DateOf(at.In(c.Enrolment.Zone)).At(c.Enrolment.Zone, 0)
	return midnight.Equal(at) && slices.ContainsFunc(c.History, func(r *protocols.Reading) bool { return r.Time.Equal(at) })
}
