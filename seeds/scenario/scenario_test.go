package scenario_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"vigie/ingest"
	"vigie/ingest/formats/native"
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
			ids[batch.Readings[i].ID]++
		}
		refused += min(1, len(batch.Refused))
	}
	return ids, refused
}

func TestEveryScenarioIsReadAndItsTruthHolds(t *testing.T) {
	for _, s := range scenario.All {
		all, truth, err := scenario.Play(s.Name, 30, 1)
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
		if s.Name == "storm" != (told > len(ids)) {
			t.Errorf("%s: %d readings were told %d times", s.Name, len(ids), told)
		}
		if quiet := len(truth.Events) == 0; quiet == (s.Name == "decompensation" || s.Name == "hypoglycaemic-night" || s.Name == "exacerbation") {
			t.Errorf("%s: %+v", s.Name, truth.Events)
		}
	}
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	written := func(name string, seed uint64) string {
		all, truth, err := scenario.Play(name, 21, seed)
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
		all, truth, err := scenario.Play(name, 30, 1)
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
	if _, _, err := scenario.Play("steady", 3, 1); err == nil {
		t.Error("three days are no scenario")
	}
	if _, _, err := scenario.Play("love", 30, 1); err == nil || !strings.Contains(err.Error(), "hypoglycaemic-night") {
		t.Errorf("an unknown scenario: %v", err)
	}
	if !reflect.DeepEqual(steady[0].At.Location().String(), "UTC") {
		t.Errorf("a moment is written in UTC: %s", steady[0].At)
	}
}
