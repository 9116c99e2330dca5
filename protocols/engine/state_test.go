package engine

import (
	"testing"
	"time"

	"vigie/protocols"
)

func TestLevelWithHysteresisFollowsTheKnownVector(t *testing.T) {
	graded := func(l protocols.Level, above, clear float64) protocols.RuleLevel {
		c := of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, above)
		c.Clear = clearAt(clear)
		return level(l, c)
	}
	s := stateOf(t, protocolOf(rule("pouls", graded(protocols.Yellow, 60, 50), graded(protocols.Orange, 70, 60), graded(protocols.Red, 80, 70))), enrolled())
	start := at("2026-03-01T08:00:00+01:00")
	want := []protocols.Level{protocols.Yellow, protocols.Orange, protocols.Orange, protocols.Red, protocols.Yellow, protocols.Yellow, protocols.NoLevel}
	for i, value := range []float64{61, 73, 64, 85, 62, 56, 47} {
		s.Add(reading("heart-rate", start.Add(time.Duration(i)*time.Minute), value), start, nil)
		got := protocols.NoLevel
		if r := &s.rules[0]; r.active() {
			got = r.plan.Names[r.level]
		}
		if got != want[i] {
			t.Errorf("after %v: %s, expected %s", value, got, want[i])
		}
	}
}

func TestEpisodeIsRaisedOnceRisesAndEnds(t *testing.T) {
	s := stateOf(t, protocolOf(rule("pouls",
		level(protocols.Yellow, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 100)),
		level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 120)))), enrolled())
	start := at("2026-03-01T08:00:00+01:00")
	var found []protocols.Finding
	for i, value := range []float64{90, 105, 125, 110, 130, 90, 95} {
		found = s.Add(reading("heart-rate", start.Add(time.Duration(i)*time.Minute), value), start, found)
	}
	expectTold(t, found,
		"pouls raised yellow 01/03 08:01",
		"pouls risen red 01/03 08:02",
		"pouls again yellow 01/03 08:03",
		"pouls again red 01/03 08:04",
		"pouls ended red 01/03 08:05")
}

func TestCountInWindowAndRise(t *testing.T) {
	low := of("glucose", "value", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 3)
	low.Where = &protocols.Filter{Below: clearAt(54)}
	s := stateOf(t, protocolOf(
		rule("hypoglycémies", level(protocols.Red, low)),
		rule("poids", level(protocols.Orange, of("weight", "value", protocols.Rise, protocols.Window{Days: 3}, protocols.Above, 2)))), enrolled())
	start := at("2026-03-01T08:00:00+01:00")
	var found []protocols.Finding
	for i, value := range []float64{53, 60, 53, 100, 53.9, 80, 80} {
		found = s.Add(reading("glucose", start.Add(time.Duration(i)*5*time.Hour), value), start, found)
	}
	for i, value := range []float64{80, 80.5, 82, 82.6} {
		found = s.Add(reading("weight", start.AddDate(0, 0, i), value), start, found)
	}
	expectTold(t, found,
		"hypoglycémies raised red 02/03 04:00",
		"hypoglycémies ended red 02/03 09:00",
		"poids raised orange 04/03 08:00")
}

// A patient writes down three weights of one day, of which only the day is known:
// too heavy, not so, and too heavy after all.
func TestEpisodesThatBeginAtOneMomentAreToldApart(t *testing.T) {
	p := protocolOf(rule("poids", level(protocols.Orange, of("weight", "value", protocols.Last, protocols.Window{Days: 1}, protocols.Above, 80))))
	s := stateOf(t, p, enrolled())
	noon := at("2026-03-05T12:00:00+01:00")
	var history []*protocols.Reading
	var found []protocols.Finding
	for _, kilos := range []float64{81, 79, 82} {
		r := reading("weight", noon, kilos)
		r.DayOnly = true
		history = append(history, r)
		found = s.Add(r, noon, found)
	}
	expectTold(t, found, "poids raised orange 05/03 12:00", "poids ended orange 05/03 12:00", "poids raised orange 05/03 12:00")
	if found[0].Episode == found[2].Episode {
		t.Errorf("both are named %s: who hears that one has ended takes the other for over", found[0].Episode)
	}
	if found[1].Episode != found[0].Episode {
		t.Errorf("%s has ended, not %s", found[1].Episode, found[0].Episode)
	}
	// It is so in the snapshot as well, and in the simple way.
	again := stateOf(t, p, enrolled())
	if err := again.Load(s.Snapshot(nil), history, time.Time{}); err != nil {
		t.Fatal(err)
	}
	light := reading("weight", noon.Add(time.Hour), 78)
	if end := again.Add(light, light.Time, nil); len(end) != 1 || end[0].Episode != found[2].Episode {
		t.Errorf("%v has ended, not %s", end, found[2].Episode)
	}
}
