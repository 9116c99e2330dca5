package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// again is a reading told a second time, through another gateway.
func again(r *protocols.Reading) *protocols.Reading {
	second := *r
	second.ID, second.Device = r.ID+"-again", r.Device+"-b"
	return &second
}

// lows asks for two glucose readings below 54 in a day.
func lows() *protocols.Protocol {
	severe := of("glucose", "value", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 2)
	severe.Where = &protocols.Filter{Below: clearAt(54)}
	return protocolOf(rule("repeated", level(protocols.Red, severe)))
}

// expectBoth holds the engine and the oracle to the same findings.
func expectBoth(t *testing.T, p *protocols.Protocol, history []*protocols.Reading, want ...string) {
	t.Helper()
	s := stateOf(t, p, enrolled())
	var found []protocols.Finding
	for _, r := range history {
		if !s.InOrder(r) {
			t.Fatalf("%s is not in order", r.ID)
		}
		found = s.Add(r, r.Time, found)
	}
	expectTold(t, found, want...)
	expectTold(t, plain.Evaluate(p, enrolled(), history, history[len(history)-1].Time), want...)
}

func TestOneMeasurementToldTwiceCountsOnce(t *testing.T) {
	prick := reading("glucose", at("2026-03-02T08:00:00+01:00"), 50)
	expectBoth(t, lows(), []*protocols.Reading{prick, again(prick)})
	later := reading("glucose", at("2026-03-02T09:00:00+01:00"), 50)
	expectBoth(t, lows(), []*protocols.Reading{prick, again(prick), later}, "repeated raised red 02/03 09:00")
}

func TestADifferentValueOfTheSameMomentIsAnotherMeasurement(t *testing.T) {
	first, second := reading("glucose", at("2026-03-02T08:00:00+01:00"), 50), reading("glucose", at("2026-03-02T08:00:00+01:00"), 51)
	expectBoth(t, lows(), []*protocols.Reading{first, second}, "repeated raised red 02/03 08:00")
}

func TestAMeasurementDoesNotConfirmItself(t *testing.T) {
	high := level(protocols.Orange, of("blood-pressure", "systolic", protocols.Last, protocols.Window{}, protocols.Above, 180))
	high.Confirm = time.Hour
	r := reading("blood-pressure", at("2026-03-02T08:00:00+01:00"), 190)
	expectBoth(t, protocolOf(rule("pressure", high)), []*protocols.Reading{r, again(r)})
}

func TestThreeShocksOfOneMinuteAreThree(t *testing.T) {
	storm := of("implant", "shock", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 3)
	shock := reading("implant", at("2026-03-02T08:00:00+01:00"), 0)
	shock.Values[0], shock.Values[shock.Measure.Component("shock")] = protocols.Missing, v(1)
	second := again(shock)
	expectBoth(t, protocolOf(rule("storm", level(protocols.Red, storm))), []*protocols.Reading{shock, second, again(second)}, "storm raised red 02/03 08:00")
}

func TestTwoResultsOfOneDateAreTwo(t *testing.T) {
	twice := of("potassium", "value", protocols.Count, protocols.Window{Days: 1}, protocols.AtLeast, 2)
	twice.Where = &protocols.Filter{Above: clearAt(6)}
	r := reading("potassium", at("2026-03-02T12:00:00+01:00"), 6.5)
	r.DayOnly = true
	expectBoth(t, protocolOf(rule("twice", level(protocols.Red, twice))), []*protocols.Reading{r, again(r)}, "twice raised red 02/03 12:00")
}

func TestOfTwoToldAlikeTheOneWithoutAFlagCounts(t *testing.T) {
	p := lows()
	p.Observations = []protocols.Observation{{Measure: protocols.MeasureByID("glucose"), IgnoreFlags: []string{"motion"}}}
	flagged := reading("glucose", at("2026-03-02T08:00:00+01:00"), 50)
	flagged.Flags = []string{"motion"}
	clean := again(flagged)
	clean.Flags = nil
	later := reading("glucose", at("2026-03-02T09:00:00+01:00"), 50)
	expectBoth(t, p, []*protocols.Reading{flagged, clean, again(clean), later}, "repeated raised red 02/03 09:00")
}

func TestAMeasurementToldTwiceIsOneOfTwoExpected(t *testing.T) {
	p := protocolOf(protocols.Rule{ID: "silence", Title: protocols.Text{FR: "Silence"}, Absence: &protocols.Absence{
		Measure: protocols.MeasureByID("weight"), Cadence: protocols.Cadence{Times: 2, Per: protocols.PerDay},
		Missing: []protocols.MissingLevel{{Level: protocols.Orange, Periods: literal(1)}},
	}})
	e := enrolled()
	e.From = at("2026-03-02T00:00:00+01:00")
	r := reading("weight", at("2026-03-02T08:00:00+01:00"), 80)
	s := stateOf(t, p, e)
	var found []protocols.Finding
	for _, r := range []*protocols.Reading{r, again(r)} {
		found = s.Add(r, r.Time, found)
	}
	found = s.Advance(at("2026-03-03T01:00:00+01:00"), found)
	expectTold(t, found, "silence raised orange 03/03 00:00")
}

// A gateway that is slower than another brings every measurement again, late.
func TestAMeasurementToldAgainLateIsNoNews(t *testing.T) {
	first, second := reading("glucose", at("2026-03-02T08:00:00+01:00"), 50), reading("glucose", at("2026-03-02T08:05:00+01:00"), 50)
	s := stateOf(t, lows(), enrolled())
	found := s.Add(first, first.Time, nil)
	found = s.Add(second, second.Time, found)
	expectTold(t, found, "repeated raised red 02/03 08:05")
	for _, device := range []string{"d0", "d2"} { // before and after the first one in canonical order
		late := again(first)
		late.Device = device
		if s.InOrder(late) {
			t.Fatalf("%s: a late reading is taken for one in order", device)
		}
		history := []*protocols.Reading{late, first, second}
		if device == "d2" {
			history = []*protocols.Reading{first, late, second}
		}
		if more := s.Recompute([]*protocols.Reading{late}, history, second.Time, nil); len(more) > 0 {
			t.Errorf("%s: %s", device, told(more, paris))
		}
	}
	for _, device := range []string{"d0", "d2"} { // of the latest moment it is in order, whatever the device
		now := again(second)
		now.Device = device
		if !s.InOrder(now) {
			t.Errorf("%s: what is told again of the latest moment is taken for late", device)
		}
		if more := s.Add(now, second.Time, nil); len(more) > 0 {
			t.Errorf("%s: %s", device, told(more, paris))
		}
	}
	if next := reading("glucose", second.Time.Add(time.Minute), 100); !s.InOrder(next) {
		t.Error("what comes next is taken for late")
	}
}

// Two scales tell one moment otherwise, 80 and 82, and a third device tells the 82 again: the
// first of that moment in canonical order. What it begins there is told, in whatever order they come.
func TestWhatIsToldAgainHidesNoEpisodeOfItsMoment(t *testing.T) {
	p := protocolOf(rule("poids", level(protocols.Yellow, of("weight", "value", protocols.Mean, protocols.Window{Days: 1}, protocols.Above, 81))))
	noon := at("2026-03-02T12:00:00+01:00")
	first, lower, higher := onDevice("d0", reading("weight", noon, 82)), onDevice("d1", reading("weight", noon, 80)), onDevice("d2", reading("weight", noon, 82))
	canonical := []*protocols.Reading{first, lower, higher}
	want := []string{"poids raised yellow 02/03 12:00", "poids ended yellow 02/03 12:00"}
	expectBoth(t, p, canonical, want...)
	s := stateOf(t, p, enrolled())
	found := s.Add(lower, noon, nil)
	found = s.Add(higher, noon, found)
	if s.InOrder(first) {
		t.Error("what is told again, before another measurement of its moment, is taken for told")
	}
	expectTold(t, s.Recompute([]*protocols.Reading{first}, canonical, noon, found), want...)
}

// A monitor tells an irregular pulse, a gateway the same pressure without it: the pulse is
// heard, once, in whatever order they come, and the pressure counts once.
func TestAFlagThatOneOfTwoTellsIsHeard(t *testing.T) {
	pulse := of("blood-pressure", "systolic", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 1)
	pulse.Flag, pulse.Where = "irregular-pulse", &protocols.Filter{AtLeast: clearAt(1)}
	twice, high := *pulse, of("blood-pressure", "systolic", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 2)
	twice.Threshold, high.Where = protocols.Operand{Value: v(2)}, &protocols.Filter{Above: clearAt(180)}
	p := protocolOf(rule("irregular", level(protocols.Yellow, pulse)), rule("irregular-twice", level(protocols.Red, &twice)), rule("high-twice", level(protocols.Red, high)))
	noon := at("2026-03-02T12:00:00+01:00")
	bare, flagged, both := reading("blood-pressure", noon, 190), reading("blood-pressure", noon, 190), reading("blood-pressure", noon, 190)
	flagged.Flags, both.Flags = []string{"irregular-pulse"}, []string{"irregular-pulse"}
	for i, order := range [][]*protocols.Reading{{bare, flagged, both}, {flagged, bare, both}, {flagged, both, bare}} {
		for j, r := range order {
			r.ID, r.Device = fmt.Sprint("r", j), fmt.Sprint("d", j)
		}
		expectBoth(t, p, order, "irregular raised yellow 02/03 12:00")
		for _, first := range order {
			var received []*protocols.Reading
			var found []protocols.Finding
			s := stateOf(t, p, enrolled())
			for _, r := range append([]*protocols.Reading{first}, slices.DeleteFunc(slices.Clone(order), func(r *protocols.Reading) bool { return r == first })...) {
				if received = append(received, r); s.InOrder(r) {
					found = s.Add(r, noon, found)
				} else {
					found = s.Recompute([]*protocols.Reading{r}, historySince(received, time.Time{}), noon, found)
				}
			}
			if told(found, paris) != "irregular raised yellow 02/03 12:00" {
				t.Errorf("order %d, %s first:\n%s", i, first.ID, told(found, paris))
			}
		}
	}
}

// A meter tells a glucose with its mark, a gateway the same one without: the mark counts, in
// whatever order they come.
func TestAMeasurementToldWithoutItsMealHidesNoMark(t *testing.T) {
	marked, bare := reading("glucose", clock("2026-03-02 09:00"), 150), reading("glucose", clock("2026-03-02 09:00"), 150)
	marked.ID, marked.Context = "a", map[string]string{protocols.MealContext: "after a meal"}
	bare.ID = "b"
	for _, order := range [][]*protocols.Reading{{marked, bare}, {bare, marked}} {
		k := heard{values: nil}
		k.clear()
		at := order[0].Time.UnixNano()
		k.hear(order[0], at, false, 0)
		if any, _, _ := k.before(order[1], at); any || order[0].Alike(order[1]) {
			t.Errorf("%s is taken for what %s told", order[1].ID, order[0].ID)
		}
		if any, counting, _ := k.before(order[0], at); !any || !counting {
			t.Errorf("%s told again is not known", order[0].ID)
		}
	}
}
