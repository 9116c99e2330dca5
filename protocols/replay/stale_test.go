package replay_test

import (
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// latestOf compares the latest reading of a measure, of the window where it has one.
func latestOf(measure string, limit protocols.Value, window time.Duration) protocols.Condition {
	return protocols.Condition{Compare: &protocols.Comparison{
		Measure: protocols.MeasureByID(measure), Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.AtLeast,
		Threshold: protocols.Operand{Value: limit}, Window: protocols.Window{Length: window},
	}}
}

func combined(window time.Duration) *protocols.Protocol {
	return &protocols.Protocol{ID: "test", Version: "1", Rules: []protocols.Rule{{ID: "both", Title: protocols.Text{FR: "Les deux"}, Levels: []protocols.RuleLevel{{
		Level: protocols.Orange, When: protocols.Condition{All: []protocols.Condition{latestOf("heart-rate", 120_000, window), latestOf("temperature", 39_000, window)}},
	}}}}}
}

// A version that combines measures without saying of when takes a value of three days ago
// beside one of today. Held against a version that says 24 hours, a replay shows which
// alerts go, and that a combination of one day stays.
func TestTheAgeOfCombinedValuesShowsInAComparison(t *testing.T) {
	past := replay.Past{Enrolment: protocols.Enrolment{ID: "e", Patient: "p", Zone: paris, From: local(1, 0)}, Readings: []*protocols.Reading{
		reading("heart-rate", local(2, 8), 130), reading("temperature", local(5, 8), 39.5), reading("temperature", local(5, 20), 37),
		reading("heart-rate", local(10, 8), 130), reading("temperature", local(10, 9), 39.5), reading("temperature", local(10, 20), 37),
	}}
	outcomes := map[time.Duration]*replay.Outcome{}
	for _, window := range []time.Duration{0, 24 * time.Hour} {
		alerts, err := replay.Alerts(begin(t, combined(window)), past, march(1, 20), nil)
		if err != nil {
			t.Fatal(err)
		}
		outcomes[window] = &replay.Outcome{}
		outcomes[window].Add(past, march(1, 20), alerts)
	}
	d := replay.Compare(outcomes[0], outcomes[24*time.Hour])
	if len(d.Both) != 1 || len(d.OnlyFirst) != 1 || len(d.OnlySecond) != 0 || !d.OnlyFirst[0].Time.Equal(local(5, 8)) {
		t.Errorf("%+v", d)
	}
}
