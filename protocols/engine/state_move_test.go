package engine

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// confirmed is red below 85 %, when the next reading within an hour says so too or
// when none comes, and yellow below 92 % at once.
func confirmed(below float64) protocols.Rule {
	waits := level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, below))
	waits.Confirm = time.Hour
	return rule("spo2", level(protocols.Yellow, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 92)), waits)
}

// moved gives readings to one version and goes on by the next, which has these
// rules: what the former one found, and the state under the next.
func moved(t *testing.T, former, next protocols.Rule, history []*protocols.Reading, at time.Time) ([]protocols.Finding, *State) {
	t.Helper()
	s := stateOf(t, protocolOf(former), enrolled())
	var found []protocols.Finding
	for _, r := range history {
		found = s.Add(r, r.Time, found)
	}
	found = s.Advance(at, found)
	kept := s.Snapshot(nil)
	p := protocolOf(rule("autre", level(protocols.Orange, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 100))), next)
	p.Version = "2"
	again := stateOf(t, p, enrolled())
	since := again.Since(kept, at)
	if err := again.Load(kept, historySince(history, since), since); err != nil {
		t.Fatal(err)
	}
	return found, again
}

func TestWhatWaitsToBeConfirmedWaitsOnUnderTheNextVersion(t *testing.T) {
	when := at("2026-03-05T08:00:00+01:00")
	saturation := func(after time.Duration, value float64) *protocols.Reading {
		return reading("oxygen-saturation", when.Add(after), value)
	}
	history := []*protocols.Reading{saturation(-time.Hour, 96), saturation(0, 80)}
	const half = 30 * time.Minute
	t.Run("and is raised when nothing comes", func(t *testing.T) {
		found, s := moved(t, confirmed(85), confirmed(85), history, when.Add(half))
		expectTold(t, found, "spo2 raised yellow 05/03 08:00")
		if due := s.Due(); !due.Equal(when.Add(time.Hour)) {
			t.Errorf("due at %s", due)
		}
		kept := s.Snapshot(nil)
		s = stateOf(t, s.plan.Protocol, s.enrolment)
		if err := s.Load(kept, historySince(history, s.Since(kept, when.Add(half))), s.Since(kept, when.Add(half))); err != nil {
			t.Fatal(err)
		}
		expectTold(t, s.Advance(when.AddDate(0, 0, 3), nil), "spo2 raised red 05/03 09:00")
	})
	t.Run("also when somebody looks only later", func(t *testing.T) {
		_, s := moved(t, confirmed(85), confirmed(85), history, when.Add(half))
		expectTold(t, s.Advance(when.AddDate(0, 0, 30), nil), "spo2 raised red 05/03 09:00")
	})
	t.Run("and is confirmed by the next reading", func(t *testing.T) {
		_, s := moved(t, confirmed(85), confirmed(85), history, when.Add(half))
		expectTold(t, s.Add(saturation(half, 81), when.Add(half), nil), "spo2 raised red 05/03 08:30")
	})
	t.Run("or dropped by it", func(t *testing.T) {
		_, s := moved(t, confirmed(85), confirmed(85), history, when.Add(half))
		expectTold(t, s.Advance(when.AddDate(0, 0, 3), s.Add(saturation(half, 95), when.Add(half), nil)))
	})
	t.Run("unless that version asks for less", func(t *testing.T) {
		_, s := moved(t, confirmed(85), confirmed(78), history, when.Add(half))
		expectTold(t, s.Advance(when.AddDate(0, 0, 3), nil))
	})
	t.Run("and is not raised again when it was", func(t *testing.T) {
		found, s := moved(t, confirmed(85), confirmed(85), history, when.Add(2*time.Hour))
		expectTold(t, found, "spo2 raised yellow 05/03 08:00", "spo2 risen red 05/03 09:00")
		expectTold(t, s.Advance(when.AddDate(0, 0, 3), nil))
	})
	t.Run("and nothing waits that did not", func(t *testing.T) {
		atOnce := rule("spo2", level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 85)))
		found, s := moved(t, atOnce, confirmed(85), history, when.Add(half))
		expectTold(t, found, "spo2 raised red 05/03 08:00")
		expectTold(t, s.Advance(when.AddDate(0, 0, 3), nil))
	})
}

// Another rule held this one back until the very moment since which it waits. The next
// version begins with every rule at rest, and so finds it confirmed there at once: nobody
// was told, and it waits on.
func TestWhatWaitsSinceAnotherRuleEndedWaitsOnUnderTheNextVersion(t *testing.T) {
	holds := rule("poids", level(protocols.Red, of("weight", "value", protocols.Last, protocols.Window{}, protocols.Above, 100)))
	day := of("blood-pressure", "systolic", protocols.Mean, protocols.Window{}, protocols.Above, 160)
	day.Days = literal(1)
	waits := level(protocols.Orange, nil)
	waits.When = protocols.Condition{Any: []protocols.Condition{{Compare: day}, {Compare: of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 85)}}}
	waits.Confirm = time.Hour
	held := rule("tension", waits)
	held.HeldBy = []string{"poids"}
	midnight := clock("2026-03-05 00:00")
	var history []*protocols.Reading
	for _, one := range []struct {
		measure string
		after   time.Duration
		value   float64
	}{{"weight", -14 * time.Hour, 110}, {"blood-pressure", -13 * time.Hour, 170}, {"weight", 0, 80}, {"oxygen-saturation", 0, 96}} {
		history = append(history, reading(one.measure, midnight.Add(one.after), one.value))
	}
	p := protocolOf(holds, held)
	former := stateOf(t, p, enrolled())
	var found []protocols.Finding
	for _, r := range history {
		found = former.Add(r, r.Time, found)
	}
	expectTold(t, found, "poids raised red 04/03 10:00", "poids ended red 05/03 00:00")
	kept := former.Snapshot(nil)
	next := *p
	next.Version = "2"
	s := stateOf(t, &next, enrolled())
	since := s.Since(kept, midnight)
	if err := s.Load(kept, historySince(history, since), since); err != nil {
		t.Fatal(err)
	}
	expectTold(t, s.Advance(midnight.AddDate(0, 0, 1), nil), "tension raised orange 05/03 01:00")
}

// A version that differs in nothing raises by its deadline whatever waits at the
// move, and has nothing else wait.
func TestAMoveKeepsWhatWaitsAndNothingElse(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 30)
		former := freshState(t, planOf(t, c.Protocol), c.Enrolment)
		for _, r := range c.History {
			former.Add(r, c.End, nil)
		}
		when := moment.Time(moment.FarPast)
		if len(c.History) > 0 {
			when = c.History[len(c.History)-1].Time
		}
		kept := former.Snapshot(nil)
		p := *c.Protocol
		p.Version += "-next"
		next := freshState(t, planOf(t, &p), c.Enrolment)
		since := next.Since(kept, when)
		if err := next.Load(kept, historySince(c.History, since), since); err != nil {
			t.Fatal(err)
		}
		waits := map[moment.Instant]bool{}
		for i := range former.rules {
			for j, at := range former.rules[i].waiting {
				waits[at] = true
				if got := next.rules[i].waiting[j]; at != 0 && got != at {
					t.Fatalf("rule %s: level %d waits since %s, and since %s after the move", former.rules[i].plan.Rule.ID, j, moment.Time(at), moment.Time(got))
				}
			}
		}
		for i := range next.rules {
			r := &next.rules[i]
			if r.active() || len(r.episodes) > 0 {
				t.Fatalf("rule %s is active after the move", r.plan.Rule.ID)
			}
			for _, at := range r.waiting {
				if at != 0 && !waits[at] {
					t.Fatalf("rule %s waits since %s, when nothing waited", r.plan.Rule.ID, moment.Time(at))
				}
			}
		}
		again := freshState(t, planOf(t, &p), c.Enrolment)
		kept = next.Snapshot(nil)
		since = again.Since(kept, when)
		if err := again.Load(kept, historySince(c.History, since), since); err != nil {
			t.Fatal(err)
		}
		end := when.AddDate(0, 0, 9)
		levels := func(found []protocols.Finding) string {
			return told(slices.DeleteFunc(found, func(f protocols.Finding) bool { return p.Rule(f.Rule).Absence != nil }), time.UTC)
		}
		if got, want := levels(again.Advance(end, nil)), levels(next.Advance(end, nil)); got != want {
			t.Fatalf("after a restart found:\n%s\nwithout it:\n%s", got, want)
		}
	})
}
