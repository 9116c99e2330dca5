package protocols

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// byRule puts findings in the order of rules, each rule's own in theirs, and
// writes them in full.
func byRule(t *rapid.T, found []Finding) []string {
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		switch {
		case a.Rule < b.Rule:
			return -1
		case a.Rule > b.Rule:
			return 1
		}
		return 0
	})
	var lines []string
	for _, f := range sorted {
		f.Found = time.Time{}
		line, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, f.Kind.String()+string(line))
	}
	return lines
}

func expectSame(t *rapid.T, got, want []Finding) {
	t.Helper()
	g, w := byRule(t, got), byRule(t, want)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("finding %d differs\n got %s\nwant %s", i, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("%d findings, expected %d\n got %v\nwant %v", len(g), len(w), g, w)
	}
}

func planOf(t *rapid.T, p *Protocol) *Plan {
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func freshState(t *rapid.T, plan *Plan, e Enrolment) *State {
	s, err := plan.For(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStepByStepEqualsPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(t, 40)
		want, err := Plain(c.protocol, c.enrolment, c.history, c.end)
		if err != nil {
			t.Fatal(err)
		}
		s := freshState(t, planOf(t, c.protocol), c.enrolment)
		var found []Finding
		for i, r := range c.history {
			if !s.InOrder(r) {
				t.Fatalf("reading %d of an ordered history is not in order", i)
			}
			found = s.Add(r, c.end, found)
			if i+1 < len(c.history) && rapid.IntRange(0, 4).Draw(t, "advance") == 0 {
				// Time passes up to just before the next reading.
				found = s.Advance(c.history[i+1].Time.Add(-1), found)
			}
		}
		found = s.Advance(c.end, found)
		expectSame(t, found, want)
	})
}

// Events need long stretches inside and outside, which random protocols seldom
// meet.
func TestEventsStepByStepEqualPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		shape := &EventShape{
			Lasting: time.Duration(rapid.IntRange(0, 3).Draw(t, "lasting")) * 5 * time.Minute,
			Ending:  time.Duration(rapid.IntRange(0, 3).Draw(t, "ending")) * 5 * time.Minute,
			Gap:     time.Duration(rapid.IntRange(1, 4).Draw(t, "gap")) * 5 * time.Minute,
		}
		var levels []RuleLevel
		for i, l := range []Level{Yellow, Orange, Red} {
			c := of("glucose", "value", Events, Window{Length: 2 * time.Hour}, AtLeast, float64(i+1))
			c.Where, c.Event = &Filter{Below: clearAt(1)}, shape
			levels = append(levels, level(l, c))
		}
		c := randomCase{protocol: protocolOf(rule("hypoglycémies", levels...)), enrolment: enrolled()}
		when := at("2026-03-01T08:00:00+01:00")
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 11), 20, 60).Draw(t, "readings") {
			// Half of them inside, most of them five minutes apart.
			when = when.Add(time.Duration(max(1, step/2-2)) * 5 * time.Minute)
			c.history = append(c.history, reading("glucose", when, float64(step%2)))
		}
		want, err := Plain(c.protocol, c.enrolment, c.history, when)
		if err != nil {
			t.Fatal(err)
		}
		s := freshState(t, planOf(t, c.protocol), c.enrolment)
		var found []Finding
		for _, r := range c.history {
			found = s.Add(r, when, found)
		}
		expectSame(t, found, want)
	})
}
