package replay_test

import (
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
	"vigie/protocols/replay"
)

// A sensor is seen by the time between its readings, also where its clock writes whole
// minutes, or where some readings are missing.
func TestTheStepOfASensorIsSeen(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	var diabetes *protocols.Protocol
	for _, p := range shipped {
		if p.ID == "diabetes" {
			diabetes = p
		}
	}
	glucose := protocols.MeasureByID("glucose")
	every := func(minutes ...int) (all []*protocols.Reading) {
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i := range 300 {
			at = at.Add(time.Duration(minutes[i%len(minutes)]) * time.Minute)
			all = append(all, &protocols.Reading{Measure: glucose, Time: at})
		}
		return all
	}
	for _, c := range []struct {
		says string
		of   []*protocols.Reading
		want protocols.Value
	}{
		{"every 15 minutes", every(15), 15_000},
		{"every 7 minutes", every(7), 7_000},
		{"every 7 and a half, written as 7 and 8", every(7, 8), 7_500},
		{"every 15, with a gap", every(15, 15, 15, 240), 15_000},
		{"as the protocol says", every(5, 5, 4, 6), 0},
		{"by hand", every(3, 200, 35, 90), 0},
		{"a value that was kept and a scan seven minutes later", every(7)[:2], 0},
		{"an hour and a half of it", every(7)[:14], 7_000},
	} {
		if _, step := replay.StepSeen(diabetes, glucose, uint8(glucose.Variant("interstitial")), c.of); step != c.want {
			t.Errorf("%s: the step is %s, want %s", c.says, step, c.want)
		}
	}
}
