package measure

import (
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/danger"
)

// An alert is forced by the table where the latest reading of what made it ring lies beyond
// a line, in the component that made it ring.
func TestAnAlertIsForcedByTheTable(t *testing.T) {
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	pressure := protocols.MeasureByID("blood-pressure")
	p := &protocols.Protocol{Observations: []protocols.Observation{{Measure: pressure}}}
	read := func(id string, after time.Duration, systolic, pulse protocols.Value) *protocols.Reading {
		values := make([]protocols.Value, len(pressure.Components))
		for i := range values {
			values[i] = protocols.Missing
		}
		values[pressure.Component("systolic")], values[pressure.Component("diastolic")], values[pressure.Component("pulse")] = systolic*1000, 60_000, pulse*1000
		return &protocols.Reading{ID: id, Device: "cuff", Time: at.Add(after), Measure: pressure, Values: values}
	}
	for name, c := range map[string]struct {
		readings  []*protocols.Reading
		component string
		want      bool
	}{
		"on the line":               {[]*protocols.Reading{read("a", 0, 90, 70)}, "systolic", true},
		"short of it":               {[]*protocols.Reading{read("a", 0, 91, 70)}, "systolic", false},
		"another component":         {[]*protocols.Reading{read("a", 0, 88, 52)}, "pulse", false},
		"an older one only":         {[]*protocols.Reading{read("a", 0, 88, 70), read("b", time.Hour, 96, 70)}, "systolic", false},
		"the later of one moment":   {[]*protocols.Reading{read("a", 0, 96, 70), read("b", 0, 88, 70)}, "systolic", true},
		"a reading that is not his": {nil, "systolic", false},
	} {
		why := &protocols.Explanation{Comparisons: []protocols.Compared{
			{Measure: pressure.ID, Component: "diastolic"}, {Measure: pressure.ID, Component: c.component, Reason: true},
		}}
		for _, r := range c.readings {
			why.Readings = append(why.Readings, r.Cite())
		}
		if len(c.readings) == 0 {
			why.Readings = []protocols.Cited{{ID: "x", Measure: pressure.ID, Time: at}}
		}
		if got := (dangers{danger.Of(p), c.readings}).behind(why); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A goal is reached by somebody, or not at all.
func TestAGoalTakesSomebodyToMeasure(t *testing.T) {
	for _, g := range (&Protocol{Condition: "heart-failure"}).againstGoals() {
		if !g.Nobody || g.Reached || g.Measured != 0 {
			t.Errorf("%+v", g)
		}
	}
}
