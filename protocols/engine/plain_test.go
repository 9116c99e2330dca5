package engine

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// byRule puts findings in the order of rules, each rule's own in theirs, and
// writes them in full.
func byRule(t *rapid.T, found []protocols.Finding) []string {
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b protocols.Finding) int {
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

func expectSame(t *rapid.T, got, want []protocols.Finding) {
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

func planOf(t *rapid.T, p *protocols.Protocol) *Plan {
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func freshState(t *rapid.T, plan *Plan, e protocols.Enrolment) *State {
	s, err := plan.For(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStepByStepEqualsPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 40)
		want := plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End)
		s := freshState(t, planOf(t, c.Protocol), c.Enrolment)
		var found []protocols.Finding
		for i, r := range c.History {
			if !s.InOrder(r) {
				t.Fatalf("reading %d of an ordered history is not in order", i)
			}
			found = s.Add(r, c.End, found)
			if i+1 < len(c.History) && rapid.IntRange(0, 4).Draw(t, "advance") == 0 {
				// Time passes up to just before the next reading.
				found = s.Advance(c.History[i+1].Time.Add(-1), found)
			}
		}
		found = s.Advance(c.End, found)
		expectSame(t, found, want)
	})
}

// Baselines need days of readings, which random protocols seldom meet.
func TestBaselinesStepByStepEqualPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		statistics := protocols.StatisticsWith(func(s *protocols.StatisticRow) bool { return s.Baseline })
		c := of("weight", "value", rapid.SampledFrom(statistics).Draw(t, "statistic"), protocols.Window{Days: 2}, protocols.Above, 0)
		c.Threshold = *clearAt(float64(rapid.IntRange(-40, 40).Draw(t, "threshold")) / 8)
		c.Minus = &protocols.Baseline{
			Statistic: rapid.SampledFrom(statistics).Draw(t, "base"), Days: 6, Ago: rapid.IntRange(0, 2).Draw(t, "ago"), AtLeast: protocols.LeastDays,
			As:    rapid.SampledFrom([]protocols.BaselineScale{protocols.InUnits, protocols.InPercent, protocols.InDeviations}).Draw(t, "as"),
			Least: *clearAt(float64(rapid.IntRange(0, 8).Draw(t, "least")) / 8),
		}
		p := randomCase{Protocol: protocolOf(rule("poids", level(protocols.Orange, c))), Enrolment: enrolled()}
		if rapid.Bool().Draw(t, "seeded") {
			c.Minus.Seed = protocols.Operand{Parameter: "habituel"}
			p.Protocol.Parameters = []protocols.Parameter{{Name: "habituel", Unit: "kg", Default: clearAt(80).Value, Max: clearAt(200).Value}}
			on := at("2026-03-20T00:00:00+01:00").AddDate(0, 0, rapid.IntRange(-3, 9).Draw(t, "set on"))
			p.Enrolment.Settings = protocols.Settings{"habituel": {Value: clearAt(float64(640+rapid.IntRange(-20, 20).Draw(t, "usual")) / 8).Value, Date: on}}
		}
		when := at("2026-03-20T08:00:00+01:00")
		for _, eighths := range rapid.SliceOfN(rapid.IntRange(0, 40), 4, 20).Draw(t, "weights") {
			when = when.Add(time.Duration(1+eighths%3) * 10 * time.Hour)
			p.History = append(p.History, reading("weight", when, 78+float64(eighths)/8))
		}
		want := plain.Evaluate(p.Protocol, p.Enrolment, p.History, when)
		s := freshState(t, planOf(t, p.Protocol), p.Enrolment)
		var found []protocols.Finding
		for _, r := range p.History {
			found = s.Add(r, when, found)
		}
		expectSame(t, found, want)
	})
}

// The weight that is set counts like a weighing of its day, and what came before is forgotten.
func TestDoubtsAgainstAWeightThatIsSetStepByStepEqualPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		p := randomCase{Protocol: doubting(
			rule("trop", level(protocols.Technical, of("weight", "value", protocols.Improbable, protocols.Window{}, protocols.Above, 0))),
			rule("peu", level(protocols.Technical, of("weight", "value", protocols.Improbable, protocols.Window{}, protocols.Below, 0))),
			rule("poids", level(protocols.Orange, of("weight", "value", protocols.Mean, protocols.Window{Days: 2}, protocols.Above, 80)))), Enrolment: enrolled()}
		p.Protocol.Observations[0].Plausible.Seed = protocols.Operand{Parameter: "habituel"}
		p.Protocol.Parameters = []protocols.Parameter{{Name: "habituel", Unit: "kg", Default: clearAt(80).Value, Max: clearAt(200).Value}}
		on := at("2026-03-20T17:00:00+01:00").AddDate(0, 0, rapid.IntRange(-3, 9).Draw(t, "set on"))
		p.Enrolment.Settings = protocols.Settings{"habituel": {Value: clearAt(float64(rapid.IntRange(70, 90).Draw(t, "usual"))).Value, Date: on}}
		when := at("2026-03-20T00:00:00+01:00")
		for _, kilos := range rapid.SliceOfN(rapid.IntRange(0, 20), 4, 20).Draw(t, "weights") {
			when = when.Add(time.Duration(1+kilos%3) * 8 * time.Hour)
			p.History = append(p.History, reading("weight", when, 70+float64(kilos)))
		}
		want := plain.Evaluate(p.Protocol, p.Enrolment, p.History, when)
		s := freshState(t, planOf(t, p.Protocol), p.Enrolment)
		var found []protocols.Finding
		for _, r := range p.History {
			found = s.Add(r, when, found)
		}
		expectSame(t, found, want)
	})
}

// Events need long stretches inside and outside, which random protocols seldom
// meet.
func TestEventsStepByStepEqualPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		shape := &protocols.EventShape{
			Lasting: time.Duration(rapid.IntRange(0, 3).Draw(t, "lasting")) * 5 * time.Minute,
			Ending:  time.Duration(rapid.IntRange(0, 3).Draw(t, "ending")) * 5 * time.Minute,
			Gap:     time.Duration(rapid.IntRange(1, 4).Draw(t, "gap")) * 5 * time.Minute,
		}
		until := rapid.SampledFrom([]*protocols.Filter{nil, {AtLeast: clearAt(2)}, {Above: clearAt(1)}}).Draw(t, "until")
		var levels []protocols.RuleLevel
		for i, l := range []protocols.Level{protocols.Yellow, protocols.Orange, protocols.Red} {
			c := of("glucose", "value", protocols.Events, protocols.Window{Length: 2 * time.Hour}, protocols.AtLeast, float64(i+1))
			c.Where, c.Event, c.Until, c.Each = &protocols.Filter{Below: clearAt(1)}, shape, until, true
			levels = append(levels, level(l, c))
		}
		c := randomCase{Protocol: protocolOf(rule("hypoglycémies", levels...)), Enrolment: enrolled()}
		when := at("2026-03-01T08:00:00+01:00")
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 11), 20, 60).Draw(t, "readings") {
			// Half of them inside, a quarter between, most of them five minutes apart.
			when = when.Add(time.Duration(max(1, step/2-2)) * 5 * time.Minute)
			c.History = append(c.History, reading("glucose", when, float64(step%4-1)))
		}
		want := plain.Evaluate(c.Protocol, c.Enrolment, c.History, when)
		s := freshState(t, planOf(t, c.Protocol), c.Enrolment)
		var found []protocols.Finding
		for _, r := range c.History {
			found = s.Add(r, when, found)
		}
		expectSame(t, found, want)
	})
}

// Two devices seldom measure at one time in random histories.
func TestTwoDevicesStepByStepEqualPlainRecomputation(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := of("glucose", "value", protocols.Last, protocols.Window{}, rapid.SampledFrom(protocols.Operators()).Draw(t, "operator"), float64(rapid.IntRange(-30, 30).Draw(t, "threshold")))
		c.Variant = 1
		c.Beside = &protocols.Beside{
			Measure: c.Measure, Variant: 2, Within: time.Duration(rapid.IntRange(1, 30).Draw(t, "within")) * time.Minute,
			As: rapid.SampledFrom([]protocols.BaselineScale{protocols.InUnits, protocols.InPercent}).Draw(t, "as"),
		}
		p := randomCase{Protocol: protocolOf(rule("écart", level(protocols.Orange, c))), Enrolment: enrolled()}
		when := at("2026-03-20T08:00:00+01:00")
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 59), 4, 30).Draw(t, "readings") {
			when = when.Add(time.Duration(step%20) * 2 * time.Minute)
			r := reading("glucose", when, 80+float64(step))
			r.Variant = uint8(1 + step%2)
			p.History = append(p.History, r)
		}
		slices.SortFunc(p.History, (*protocols.Reading).Compare)
		want := plain.Evaluate(p.Protocol, p.Enrolment, p.History, when)
		s := freshState(t, planOf(t, p.Protocol), p.Enrolment)
		var found []protocols.Finding
		for _, r := range p.History {
			found = s.Add(r, when, found)
		}
		expectSame(t, found, want)
	})
}
