package scenario_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/protocols"
	"vigie/seeds/scenario"
)

// accepted are the ids of the readings that the service could read, and how many messages
// were refused.
func accepted(all []scenario.Publication) (ids map[string]int, refused int) {
	ids = map[string]int{}
	for _, p := range all {
		device, _, _ := ingest.ParseTopic("vigie/v1", p.Topic)
		var batch ingest.Batch
		native.Decoder{}.Decode(p.Topic, device, []byte(p.Payload), &batch)
		for i := range batch.Readings {
			ids[batch.Readings[i].ID+" "+batch.Readings[i].Time.String()]++
		}
		refused += min(1, len(batch.Refused))
	}
	return ids, refused
}

func TestEveryScenarioIsReadAndItsTruthHolds(t *testing.T) {
	for _, s := range scenario.All {
		all, truth, err := scenario.Play(s.Name, scenario.Options{Days: 30, Seed: 1})
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		ids, refused := accepted(all)
		if s.Name != "hostile" && refused > 0 || s.Name == "hostile" && refused != 16*len(truth.Deeds) {
			t.Errorf("%s: %d messages refused", s.Name, refused)
		}
		others, told := 0, 0
		for _, d := range truth.Deeds {
			if d.What == "somebody else on the scale" {
				others += len(d.Of)
			}
		}
		for _, times := range ids {
			told += times
		}
		if len(ids) != truth.Readings+others || len(ids) < 20 || others == 0 == (s.Name == "second-user") {
			t.Errorf("%s: %d readings, of which %d of others; the truth says %d", s.Name, len(ids), others, truth.Readings)
		}
		if (s.Name == "storm" || s.Name == "patchy-network") != (told > len(ids)) {
			t.Errorf("%s: %d readings were told %d times", s.Name, len(ids), told)
		}
		if quiet := len(truth.Events) == 0; quiet == (s.Name == "decompensation" || s.Name == "hypoglycaemic-night" || s.Name == "exacerbation") {
			t.Errorf("%s: %+v", s.Name, truth.Events)
		}
	}
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	written := func(name string, seed uint64) string {
		all, truth, err := scenario.Play(name, scenario.Options{Days: 21, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal([]any{all, truth})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, name := range []string{"steady", "forgetful", "second-user", "storm"} {
		if first, again := written(name, 3), written(name, 3); first != again || first == written(name, 4) {
			t.Errorf("%s: the bytes follow from the seed", name)
		}
	}
}

func TestWhatIsDoneToTheReadings(t *testing.T) {
	play := func(name string) ([]scenario.Publication, *scenario.Truth) {
		all, truth, err := scenario.Play(name, scenario.Options{Days: 30, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return all, truth
	}
	steady, _ := play("steady")
	forgetful, _ := play("forgetful")
	if part := float64(len(forgetful)) / float64(len(steady)); part < 0.4 || part > 0.8 {
		t.Errorf("of a forgetful patient %.2f of the messages come", part)
	}
	_, away := play("holiday")
	if len(away.Deeds) != 1 || len(away.Deeds[0].Of) < 10 {
		t.Errorf("away: %+v", away.Deeds)
	}
	swapped, _ := play("swap")
	scales := map[string]bool{}
	for _, p := range swapped {
		if strings.Contains(p.Topic, "-weight") {
			scales[p.Topic] = true
		}
	}
	if len(scales) != 2 {
		t.Errorf("scales: %v", scales)
	}
	if _, _, err := scenario.Play("steady", scenario.Options{Days: 3, Seed: 1}); err == nil {
		t.Error("three days are no scenario")
	}
	if _, _, err := scenario.Play("love", scenario.Options{Days: 30, Seed: 1}); err == nil || !strings.Contains(err.Error(), "hypoglycaemic-night") {
		t.Errorf("an unknown scenario: %v", err)
	}
	if !reflect.DeepEqual(steady[0].At.Location().String(), "UTC") {
		t.Errorf("a moment is written in UTC: %s", steady[0].At)
	}
}

// What a device does wrong stands in the truth, and shows in what it says.
func TestWhatDevicesDoWrong(t *testing.T) {
	play := func(name string) (map[string]protocols.Reading, []scenario.Publication, *scenario.Truth) {
		all, truth, err := scenario.Play(name, scenario.Options{Days: 30, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		byID := map[string]protocols.Reading{}
		for _, p := range all {
			var batch ingest.Batch
			native.Decoder{}.Decode(p.Topic, p.Device, []byte(p.Payload), &batch)
			for _, r := range batch.Readings {
				byID[r.ID] = r
			}
		}
		return byID, all, truth
	}
	right, steady, _ := play("steady")
	late := func(name string) (least, most time.Duration) {
		wrong, _, truth := play(name)
		least = time.Hour * 24
		for _, id := range truth.Deeds[0].Of {
			by := right[id].Time.Sub(wrong[id].Time)
			least, most = min(least, by), max(most, by)
		}
		return least, most
	}
	if least, most := late("clock-drift"); least < 0 || least > 2*time.Minute || most < 15*time.Minute || most > 23*time.Minute {
		t.Errorf("the clock loses %s to %s", least, most)
	}
	if least, most := late("wrong-zone"); least < time.Hour || most > time.Hour+time.Second {
		t.Errorf("another zone is off by %s to %s", least, most)
	}
	low, _, truth := play("low-battery")
	least, full := 100, false
	for _, r := range low {
		if r.Measure.ID == "weight" {
			least, full = min(least, r.Battery), full || r.Battery == 100
			if at := r.Time; !at.Before(truth.Deeds[0].From.Add(time.Minute)) && at.Before(truth.Deeds[0].To) {
				t.Errorf("it weighs at %s without a battery", at)
			}
		}
	}
	if least > 6 || !full {
		t.Errorf("the battery falls to %d, full again %v", least, full)
	}
	disturbed, _, truth := play("artefacts")
	for _, id := range truth.Deeds[0].Of {
		if wrong, again := disturbed[id].Values[0], disturbed[strings.TrimSuffix(id, "-foot")].Values[0]; wrong >= again {
			t.Errorf("with a foot on the floor %v, then %v", wrong, again)
		}
	}
	rounded, _, truth := play("rounding")
	if len(truth.Deeds[0].Of) == 0 || len(disturbed) == len(right) {
		t.Error("nothing was disturbed")
	}
	for _, id := range truth.Deeds[0].Of {
		if v := rounded[id].Values[0]; v%500 != 0 {
			t.Errorf("rounded to %v", v)
		}
	}
	again, all, truth := play("restarted-counter")
	if len(again) >= len(right) || truth.Readings != len(right) || len(all) != len(steady) {
		t.Errorf("%d ids of %d readings", len(again), truth.Readings)
	}
}

// A scenario that is moved is the same, some days later.
func TestAScenarioEndsWhereItIsMoved(t *testing.T) {
	first, was, err := scenario.Play("decompensation", scenario.Options{Days: 30, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	ends := time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC)
	moved, truth, err := scenario.Play("decompensation", scenario.Options{Days: 30, Seed: 1, Ends: ends})
	if err != nil || len(moved) != len(first) || truth.To.After(ends) || ends.Sub(truth.To) >= 24*time.Hour {
		t.Fatalf("%v: it ends at %s", err, truth.To)
	}
	if by := truth.To.Sub(was.To); moved[0].At.Sub(first[0].At) != by || truth.Events[0].At.Sub(was.Events[0].At) != by {
		t.Error("some of it is not moved")
	}
}

// A device that measures one thing has a patient who does.
func TestAScenarioOfSomeMeasures(t *testing.T) {
	for _, measure := range []string{"weight", "blood-pressure", "glucose", "oxygen-saturation", "ventilation", "dialysis-session"} {
		all, truth, err := scenario.Play("steady", scenario.Options{Days: 28, Seed: 1, Measures: []string{measure}})
		if err != nil || len(all) == 0 || truth.Readings != len(all) {
			t.Errorf("%s: %v, %d messages", measure, err, len(all))
		}
		for _, p := range all {
			if !strings.Contains(p.Payload, `"measure":"`+measure+`"`) {
				t.Errorf("%s: %s", measure, p.Payload)
			}
		}
	}
	for _, o := range []scenario.Options{{Days: 28, Measures: []string{"glucose", "dialysis-session"}}, {Days: 28, Measures: []string{"hba1c"}}} {
		if _, _, err := scenario.Play("steady", o); err == nil || !strings.Contains(err.Error(), "no simulated patient") {
			t.Errorf("%v: %v", o.Measures, err)
		}
	}
	if _, _, err := scenario.Play("swap", scenario.Options{Days: 28, Measures: []string{"glucose"}}); err == nil || !strings.Contains(err.Error(), "does not measure") {
		t.Errorf("a swap of glucose: %v", err)
	}
}
