package ingest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// sensed is what a glucose sensor that cannot show a number says for two hours, told
// with the findings of the shipped protocol for diabetes.
func sensed(t *testing.T, value string) (found, explained []string) {
	s := begin(t, func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
	s.enter(firstDay())
	for i := range 27 {
		s.move(5 * time.Minute)
		s.send("sensor", fmt.Sprintf(`{"id":"g%d","time":%q,"measure":"glucose","values":{"value":%s},"unit":"mg/dL"}`, i, s.clock().Format(time.RFC3339), value))
	}
	s.restart(func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
	s.move(5 * time.Minute)
	s.send("sensor", fmt.Sprintf(`{"id":"g27","time":%q,"measure":"glucose","values":{"value":110},"unit":"mg/dL"}`, s.clock().Format(time.RFC3339)))
	for _, f := range s.witness.Findings() {
		found = append(found, fmt.Sprint(f.Kind, " ", f.Rule, " ", f.Level, " ", f.At.Format(time.TimeOnly)))
		if f.Explanation != nil {
			text, err := json.Marshal(f.Explanation)
			if err != nil {
				t.Fatal(err)
			}
			explained = append(explained, string(text))
		}
	}
	return found, explained
}

// A sensor that shows "LOW" has not fallen silent: its patient is in danger.
func TestTwoHoursBelowWhatASensorShowsRingAsTwoHoursOf39Do(t *testing.T) {
	want, _ := sensed(t, "39")
	got, explained := sensed(t, `{"below":40}`)
	expect(t, "found", got, want)
	if !strings.Contains(strings.Join(got, "\n"), " "+protocols.Red.String()+" ") {
		t.Errorf("nothing red was found: %v", got)
	}
	for _, text := range explained {
		if strings.Contains(text, "39.999") || strings.Contains(text, "39,999") {
			t.Errorf("a value that nobody measured is told: %s", text)
		}
	}
	if all := strings.Join(explained, "\n"); !strings.Contains(all, "\\u003c 40 mg/dL") || !strings.Contains(all, `"limits":{"value":"below"}`) {
		t.Errorf("the limit is not told: %s", all)
	}
}

// What a device says in words is refused, and the device learns how to say it.
func TestAWordInThePlaceOfANumberIsRefusedWithTheWayToSayIt(t *testing.T) {
	for value, want := range map[string]string{
		`"LOW"`: `{"below": N}`, `"lo"`: `{"below": N}`, `"Bas"`: `{"below": N}`, `"Niedrig"`: `{"below": N}`, `"HI"`: `{"above": N}`,
		`"Élevé"`: `{"above": N}`, `"<40"`: "finite number", `"40"`: "finite number", `{"under":40}`: "finite number",
	} {
		s := begin(t)
		s.send("cgm-2", `{"id":"g1","time":"2026-11-21T05:00:00Z","measure":"glucose","values":{"value":`+value+`},"unit":"mg/dL"}`)
		eventually(t, "the receipt is sent", func() bool {
			s.receipts.mu.Lock()
			defer s.receipts.mu.Unlock()
			return len(s.receipts.sent) > 0
		})
		s.receipts.mu.Lock()
		sent := s.receipts.sent
		s.receipts.mu.Unlock()
		if len(sent) != 1 || len(sent[0].Reasons) != 1 {
			t.Errorf("%s: %+v", value, sent)
			continue
		}
		if r := sent[0].Reasons[0]; r.Code != protocols.NotANumber || r.Path != "values.value" || !strings.Contains(r.Message, want) {
			t.Errorf("%s: %+v", value, r)
		}
	}
}
